"""What logs must not keep: addresses of pages that open to whoever knows them (guarantee A88)."""

import logging
import re

SECRET_PATHS = re.compile(r"(/calendar/proposals/|/sign-in/|/share/)[^/\s\"']+")


class WithoutSecretPaths(logging.Filter):
    """For the handlers: Django logs the path of what it refuses or fails to answer."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        shown = SECRET_PATHS.sub(r"\1…", message)
        if shown != message:
            record.msg, record.args = shown, None
        return True
