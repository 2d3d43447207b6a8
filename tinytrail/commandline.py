"""The command line: Django's own, with the embedded servers around the commands that need them."""

import sys

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

from tinytrail import embedded

# What works without a database. `check` needs one only when it is asked to look at it.
OFFLINE = {
    "help",
    "version",
    "check",
    "collectstatic",
    "compilemessages",
    "diffsettings",
    "findstatic",
    "makemessages",
    "makemigrations",
    "spectacular",
    "startapp",
    "startproject",
}


def main(argv: list[str]) -> None:
    try:
        with embedded.servers(settings.DATA, *needed(argv)):
            execute_from_command_line(argv)
    except (ImproperlyConfigured, embedded.EngineError) as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)


def needed(argv: list[str]) -> list[str]:
    """The embedded engines this command line needs."""
    words = argv[1:]
    asks_for_help = not words or words[0].startswith("-") or "--help" in words or "-h" in words
    if asks_for_help or (words[0] in OFFLINE and "--database" not in words):
        return []
    return settings.EMBEDDED_ENGINES
