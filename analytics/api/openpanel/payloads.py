"""What the calls of POST /track carry, by their type (contract 6.5). Null is absent, unknown keys are ignored."""

import math
from typing import Any
from urllib.parse import urlsplit

import msgspec
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from tinytrail.web import body
from tinytrail.web.body import GREATEST_INTEGER, BadBody

LONGEST_NAME = 255
LONGEST_ID = 255
LONGEST_EMAIL = 254
LONGEST_URL = 2048
LONGEST_PROPERTY = 1024
MOST_GROUPS = 100
# More than any real call has; a body of 1 MiB has room for half a million.
MOST_VALUES = 10_000
# As deep as properties may be nested (D-34).
MOST_PARTS = 31
# More digits behind the point than a double holds.
MOST_DECIMALS = 15
# Made by the server, in the real service.
RESERVED_NAMES = frozenset({"session_start", "session_end"})

ProfileId = str | int | float


class Envelope(msgspec.Struct):
    """Every call. What is wrong with a payload is told after the credentials, which may stand here."""

    type: Any = None
    payload: msgspec.Raw = msgspec.Raw(b"null")
    clientId: Any = None
    clientSecret: Any = None


class Track(msgspec.Struct):
    """Something happened."""

    name: str
    properties: dict[str, Any] | None = None
    profileId: ProfileId | None = None
    groups: list[str] | None = None


class Identify(msgspec.Struct):
    """What is known of a person; merged into what was known. Unknown keys are properties (D-14)."""

    profileId: ProfileId
    firstName: str | None = None
    lastName: str | None = None
    email: str | None = None
    avatar: str | None = None
    properties: dict[str, Any] | None = None
    groups: list[str] | None = None


class Count(msgspec.Struct):
    """A number among a person's properties grows, or shrinks. Dots in its name lead into nested properties."""

    profileId: ProfileId
    property: str
    value: int | float | None = None


class Group(msgspec.Struct):
    """What is known of a company, a team or the like."""

    id: str
    type: str
    name: str
    properties: dict[str, Any] | None = None


class AssignGroup(msgspec.Struct):
    """A person belongs to these groups; without a profile the device does."""

    groupIds: list[str]
    profileId: ProfileId | None = None


ENVELOPE = msgspec.json.Decoder(Envelope)
DECODERS: dict[str, msgspec.json.Decoder[Any]] = {
    "track": msgspec.json.Decoder(Track),
    "identify": msgspec.json.Decoder(Identify),
    "increment": msgspec.json.Decoder(Count),
    "decrement": msgspec.json.Decoder(Count),
    "group": msgspec.json.Decoder(Group),
    "assign_group": msgspec.json.Decoder(AssignGroup),
}
OBJECT = msgspec.json.Decoder(dict[str, Any])


def checked_track(sent: Track) -> Track:
    name = sent.name
    if not name.strip() or len(name) > LONGEST_NAME or not is_line(name):
        raise BadBody("invalid_field", f"payload.name must be one line of 1 to {LONGEST_NAME} characters.")
    if name in RESERVED_NAMES:
        raise BadBody("reserved_name", f"payload.name must not be {name}, which is reserved.")
    check_properties(sent.properties)
    check_ids(sent.groups, "payload.groups")
    return sent


def checked_identify(raw: msgspec.Raw, sent: Identify) -> Identify:
    """With the keys that are not its own among its properties; what is empty says nothing (contract 6.5)."""
    everything = body.decode(OBJECT, bytes(raw))
    unknown = {key: value for key, value in everything.items() if key not in Identify.__struct_fields__}
    sent.properties = unknown | (sent.properties or {})
    check_properties(sent.properties)
    check_ids(sent.groups, "payload.groups")
    for name in ("firstName", "lastName"):
        if len(getattr(sent, name) or "") > LONGEST_NAME:
            raise BadBody("invalid_field", f"payload.{name} must have at most {LONGEST_NAME} characters.")
    if sent.email:
        check_email(sent.email)
    if sent.avatar and not is_web_address(sent.avatar):
        raise BadBody(
            "invalid_field", f"payload.avatar must be an http or https address of at most {LONGEST_URL} characters."
        )
    return sent


def checked_count(sent: Count) -> Count:
    parts = sent.property[: LONGEST_PROPERTY + 1].split(".")
    if not all(parts) or len(parts) > MOST_PARTS or len(sent.property) > LONGEST_PROPERTY:
        raise BadBody(
            "invalid_field",
            f"payload.property must be a name of at most {LONGEST_PROPERTY} characters, or up to {MOST_PARTS} names"
            " with dots between them.",
        )
    value = 1 if sent.value is None else sent.value
    if not 0 < value <= GREATEST_INTEGER or decimals(value) > MOST_DECIMALS:
        raise BadBody(
            "invalid_field",
            f"payload.value must be a number over 0 and up to 2^53, with at most {MOST_DECIMALS} decimals.",
        )
    sent.value = value
    return sent


def checked_group(sent: Group) -> Group:
    for name in ("id", "type", "name"):
        check_ids([getattr(sent, name)], f"payload.{name}")
    check_properties(sent.properties)
    return sent


def checked_assignment(sent: AssignGroup) -> AssignGroup:
    if not sent.groupIds:
        raise BadBody("invalid_field", "payload.groupIds must name at least one group.")
    check_ids(sent.groupIds, "payload.groupIds")
    return sent


def checked_id(value: ProfileId) -> str:
    """A profile's id as text: numbers are written as JavaScript does."""
    if isinstance(value, float):
        value = int(value) if value.is_integer() and abs(value) <= GREATEST_INTEGER else repr(value)
    if isinstance(value, int) and abs(value) > GREATEST_INTEGER:
        raise BadBody("invalid_field", "payload.profileId must not be an integer beyond 2^53.")
    found = str(value)
    check_ids([found], "payload.profileId")
    return found


def check_ids(ids: list[str] | None, name: str) -> None:
    if ids is None:
        return
    if len(ids) > MOST_GROUPS:
        raise BadBody("invalid_field", f"{name} must have at most {MOST_GROUPS} entries.")
    if not all(0 < len(id_) <= LONGEST_ID for id_ in ids):
        raise BadBody("invalid_field", f"{name} must have 1 to {LONGEST_ID} characters.")


def check_properties(properties: dict[str, Any] | None) -> None:
    if properties:
        body.check_free_form(properties, "payload.properties")


def check_email(email: str) -> None:
    try:
        if len(email) > LONGEST_EMAIL:
            raise ValidationError("too long")
        validate_email(email)
    except ValidationError:
        raise BadBody("invalid_field", "payload.email must be an e-mail address.") from None


def is_web_address(text: str) -> bool:
    try:
        parts = urlsplit(text[:LONGEST_URL])
    except ValueError:
        return False
    return len(text) <= LONGEST_URL and parts.scheme in ("http", "https") and bool(parts.hostname)


def is_line(text: str) -> bool:
    return text.isprintable() or not any(character < " " or "\x7f" <= character <= "\x9f" for character in text)


def decimals(value: int | float) -> int:
    """How many digits stand behind the point when the number is written out."""
    if isinstance(value, int) or value.is_integer():
        return 0
    mantissa, _, exponent = repr(value).partition("e")
    return max(0, len(mantissa.partition(".")[2]) - int(exponent or 0)) if math.isfinite(value) else MOST_DECIMALS + 1
