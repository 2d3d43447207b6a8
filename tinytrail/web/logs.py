"""What logs say, and what they must not keep (guarantees P03, P17, A88, A89).

A line is plain text or a JSON object (TINYTRAIL_LOG). Whatever wrote it, none holds an address of the network or of
mail, a key, a query string, or the address of a page that opens to whoever knows it. An error is told by its class and
the lines of code it passed: never by its message, which may quote what somebody sent, nor by the values of variables.

Nothing but the standard library is imported here: beat, which stays small, logs with it, too.
"""

import ipaddress
import json
import logging
import re
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]

SECRET_PATHS = re.compile(r"(/calendar/proposals/|/sign-in/|/share/)[^/\s\"']+")
# What is cut from a text, and what stands in its place.
CUT = (
    (re.compile(r"(/[^\s\"'?]*)\?[^\s\"']+"), r"\1?…"),
    (re.compile(r"[^\s\"'<>(),;:=]+@[^\s\"'<>(),;:=]+\.[^\s\"'<>(),;:=]+"), "*@*"),
    # API keys and secrets of clients; tokens of widgets, sessions and signatures.
    (re.compile(r"\b(tt_|sec_)[0-9A-Za-z]{8,}"), r"\1…"),
    (re.compile(r"\b[0-9a-fA-F]{40,}\b"), "…"),
    (re.compile(r"\bey[\w-]{8,}\.[\w-]+\.[\w-]+"), "…"),
)
MAYBE_ADDRESS = re.compile(
    r"(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f.]{0,15}){2,8})(?![\w:])"
)


class WithoutSecretPaths(logging.Filter):
    """For the handlers: Django logs the path of what it refuses or fails to answer."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        shown = SECRET_PATHS.sub(r"\1…", message)
        if shown != message:
            record.msg, record.args = shown, None
        return True


class Plain(logging.Formatter):
    """`2026-11-21 10:30:00,123 WARNING analytics.ingest.outage: …`"""

    def __init__(self) -> None:
        super().__init__("{asctime} {levelname} {name}: {message}", style="{")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (logging's own)
        # One line: a path may hold the end of one, and the beginning of another.
        record.message = told(record).replace("\r", "\\r").replace("\n", "\\n")
        return super().formatMessage(record)

    def formatException(self, ei: ExcInfo) -> str:  # noqa: N802 (logging's own)
        return trace(ei[1])

    def format(self, record: logging.LogRecord) -> str:
        # What another formatter has made of the error, with its message.
        record.exc_text = None
        try:
            return super().format(record)
        finally:
            record.exc_text = None


class Json(Plain):
    """One object a line: time, level, logger, message, process; status of an answer; error and trace of a failure."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC)
            .isoformat(timespec="milliseconds")
            .replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": told(record),
            "process": record.process,
        }
        if isinstance(status := getattr(record, "status_code", None), int):
            line["status"] = status
        if error := error_of(record):
            line |= {"error": named(error), "trace": trace(error)}
        return json.dumps(line, ensure_ascii=False)


def told(record: logging.LogRecord) -> str:
    """The message of a record, without what it must not hold."""
    message = record.getMessage()
    if error := error_of(record):
        # Celery writes the error into its sentence.
        for quoted in (repr(error), str(error)):
            message = message.replace(quoted, named(error)) if quoted else message
    return scrubbed(message)


def scrubbed(text: str) -> str:
    for pattern, instead in CUT:
        text = pattern.sub(instead, text)
    return MAYBE_ADDRESS.sub(lambda found: "*" if is_foreign(found[0]) else found[0], text)


def is_foreign(word: str) -> bool:
    """Whether it is an address, and not this machine's own."""
    try:
        return not ipaddress.ip_address(word).is_loopback
    except ValueError:
        return False


def error_of(record: logging.LogRecord) -> BaseException | None:
    return record.exc_info[1] if record.exc_info else None


def trace(error: BaseException | None) -> str:
    """Where it happened, what it came from first: files, lines and classes."""
    return "\n".join(reversed(list(chain(error))))


def chain(error: BaseException | None) -> Iterator[str]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield "".join(traceback.format_tb(error.__traceback__)) + named(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def named(error: BaseException) -> str:
    """Its class; of PostgreSQL's refusals with their code."""
    kind = type(error)
    code = getattr(error, "sqlstate", None)
    return f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.") + (f" {code}" if code else "")
