"""JSON bodies from anybody: decoded into a typed struct or refused with a reason, never another exception."""

import re
from itertools import chain
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

BOM = b"\xef\xbb\xbf"
DEEPEST = 32
GREATEST_INTEGER = 2**53
ANYTHING: msgspec.json.Decoder[Any] = msgspec.json.Decoder()
# Of an even number of backslashes the last one escapes nothing.
ESCAPED_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


class BadBody(Exception):
    """A body that is refused. `reason` is the word it is counted under, the message is for people."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def decode(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """The body as the decoder's type.

    Raises BadBody (`malformed_json`, `invalid_field`) also for what Python accepts and PostgreSQL does not: NUL
    characters, lone surrogates, NaN and infinities (contract 1.2).
    """
    if body.startswith(BOM):
        body = body[len(BOM) :]
    try:
        found = decoder.decode(body)
    except msgspec.ValidationError as error:
        raise BadBody("invalid_field", f"{str(error).replace('$.', '')}.") from None
    except (msgspec.MsgspecError, UnicodeError):
        raise BadBody("malformed_json", "The body is not valid JSON.") from None
    except RecursionError:
        raise BadBody("malformed_json", "The body is nested too deeply.") from None
    # In JSON that is right a backslash stands nowhere but in texts and names.
    if b"\\u0000" in body and ESCAPED_NUL.search(body):
        raise BadBody("invalid_field", "The body holds a NUL character, which cannot be stored.")
    return found


def check_free_form(value: Any, name: str, depth: int = 1) -> None:  # noqa: ANN401 (any JSON value)
    """Refuse what a free-form object may not hold: nesting over 32 levels, integers beyond 2^53 (D-27, D-34)."""
    if depth > DEEPEST:
        raise BadBody("invalid_field", f"{name} is nested deeper than {DEEPEST} levels.")
    if isinstance(value, dict):
        for inner in value.values():
            if not isinstance(inner, str):
                check_free_form(inner, name, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            if not isinstance(inner, str):
                check_free_form(inner, name, depth + 1)
    elif type(value) is int and not -GREATEST_INTEGER <= value <= GREATEST_INTEGER:
        raise BadBody("invalid_field", f"{name} holds an integer beyond 2^53.")


def check_count(raw: bytes, name: str, most: int) -> None:
    """Refuse a JSON text with more than so many values: what each of them costs does not show in its bytes."""
    # Each takes two bytes, so most texts need not be looked at.
    if len(raw) <= 2 * most:
        return
    level, count = [decode(ANYTHING, raw)], 0
    while level:
        containers = [inner for inner in level if isinstance(inner, dict | list)]
        count += sum(map(len, containers))
        if count > most:
            raise BadBody("invalid_field", f"{name} holds more than {most} values.")
        level = list(chain.from_iterable(inner.values() if isinstance(inner, dict) else inner for inner in containers))
