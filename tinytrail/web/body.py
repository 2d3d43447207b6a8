"""JSON bodies from anybody: decoded into a typed struct or refused with a reason, never another exception."""

from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

BOM = b"\xef\xbb\xbf"
DEEPEST = 32
GREATEST_INTEGER = 2**53


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
        # Rare, and then worth a second look: an escaped NUL anywhere, as value or key.
        if b"\\u0000" in body and "\0" in _texts(msgspec.json.decode(body)):
            raise BadBody("invalid_field", "The body holds a NUL character, which cannot be stored.")
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise BadBody("invalid_field", f"{str(error).replace('$.', '')}.") from None
    except (msgspec.MsgspecError, UnicodeError):
        raise BadBody("malformed_json", "The body is not valid JSON.") from None
    except RecursionError:
        raise BadBody("malformed_json", "The body is nested too deeply.") from None


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


def _texts(value: Any) -> str:  # noqa: ANN401 (any JSON value)
    """All strings of a JSON value, keys included, as one."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return "".join(key + _texts(inner) for key, inner in value.items())
    if isinstance(value, list):
        return "".join(map(_texts, value))
    return ""
