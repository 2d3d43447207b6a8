"""How the room stands in the OpenAPI document."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter

from accounts.api.documentation import body_of
from analytics.api.documentation import Security
from analytics.api.openpanel import payloads
from analytics.api.openpanel.payloads import (
    LONGEST_EMAIL,
    LONGEST_ID,
    LONGEST_NAME,
    LONGEST_PROPERTY,
    LONGEST_URL,
    MOST_GROUPS,
    MOST_PARTS,
    RESERVED_NAMES,
)
from tinytrail.web.body import GREATEST_INTEGER
from tinytrail.web.openapi import FREE_FORM, LINE, TEXT, WEB_ADDRESS, header, record, reply, retry_after

REFUSAL: dict[str, Any] = record(
    "OpenPanelRefusal",
    "message",
    error={"type": "string"},
    status={"type": "integer", "description": "The status of the answer."},
    message={"type": "string", "description": "For people; absent where the credentials are wrong."},
)
NAMES: dict[str, Any] = {
    "deviceId": {"type": "string", "description": "32 hexadecimal digits, another every day."},
    "sessionId": {"type": "string", "description": "The same within a visit."},
}
IDS = record("OpenPanelIds", **NAMES)
FOUND_IDS = record(
    "OpenPanelFoundIds", **NAMES, message={"type": "string", "description": "Whether there is a session."}
)
BOT = record(
    "OpenPanelBot",
    bot=record("OpenPanelBotName", name={"type": "string"}, type={"const": "bot"}),
)

# A verified secret may do everything; a page has an `Origin` in place of it.
SECURITY: Security = ({"OpenPanelClientId": [], "OpenPanelClientSecret": []}, {"OpenPanelClientId": []})
READING: Security = ({"OpenPanelClientId": [], "OpenPanelClientSecret": []},)


# Believed of who has shown the secret only.
VISITOR = OpenApiParameter(
    "x-client-ip",
    {"type": "string"},
    OpenApiParameter.HEADER,
    description="The visitor's address, of a server that forwards calls; it counts with the secret only.",
)


def limits(*statuses: int) -> tuple[OpenApiParameter, ...]:
    """The headers of the limit, which the answers with these statuses carry while there is one."""
    number = {"type": "integer", "minimum": 0}
    return (
        header("x-ratelimit-limit", "Calls in a window.", *statuses, type_=number, required=False),
        header("x-ratelimit-remaining", "Calls left in it.", *statuses, type_=number, required=False),
        header("x-ratelimit-reset", "Seconds left of it.", *statuses, type_=number, required=False),
        retry_after(429, 503),
    )


NAME = {
    "type": "string",
    "minLength": 1,
    "maxLength": LONGEST_NAME,
    "pattern": LINE,
    "not": {"enum": sorted(RESERVED_NAMES)},
    "description": "One line that is not empty.",
}
ID = TEXT | {"minLength": 1, "maxLength": LONGEST_ID}
PROFILE: dict[str, Any] = {
    "description": "The person; a number, up to 2^53 when it is whole, is the text that it is written as.",
    "anyOf": [ID, {"type": "number"}],
}
OPTIONAL_PROFILE = PROFILE | {"anyOf": [*PROFILE["anyOf"], {"type": "null"}]}
PROPERTIES = FREE_FORM | {"type": ["object", "null"]}
GROUPS = {"type": ["array", "null"], "items": ID, "maxItems": MOST_GROUPS}
PERSONAL = {"type": ["string", "null"], "maxLength": LONGEST_NAME, "pattern": TEXT["pattern"]}
# Empty is absent.
ABSENT = {"enum": ["", None]}
EMAIL = {"anyOf": [{"type": "string", "maxLength": LONGEST_EMAIL, "format": "email"}, ABSENT]}
AVATAR = {"anyOf": [{"type": "string", "maxLength": LONGEST_URL, "pattern": WEB_ADDRESS}, ABSENT]}
COUNTED = body_of(
    payloads.Count,
    profileId=PROFILE,
    property={
        **{"type": "string", "minLength": 1, "maxLength": LONGEST_PROPERTY},
        "pattern": rf"^[^.\u0000]+(\.[^.\u0000]+){{0,{MOST_PARTS - 1}}}$",
        "description": "Dots lead into nested properties.",
    },
    value={
        **{"type": ["number", "null"], "exclusiveMinimum": 0, "maximum": GREATEST_INTEGER},
        "description": "1 when absent; at most 15 digits behind the point.",
    },
)
TYPES: dict[str, dict[str, Any]] = {
    "track": body_of(
        payloads.Track,
        name=NAME,
        properties=PROPERTIES
        | {"description": "Anything. Names that begin with two underscores are reserved: see the vendor's document."},
        profileId=OPTIONAL_PROFILE,
        groups=GROUPS,
    ),
    "identify": body_of(
        payloads.Identify,
        profileId=PROFILE,
        firstName=PERSONAL,
        lastName=PERSONAL,
        email=EMAIL,
        avatar=AVATAR,
        properties=PROPERTIES,
        groups=GROUPS,
    )
    # Unknown ones become properties.
    | {"additionalProperties": True},
    "increment": COUNTED,
    "decrement": COUNTED,
    "group": body_of(payloads.Group, id=ID, type=ID, name=ID, properties=PROPERTIES),
    "assign_group": body_of(
        payloads.AssignGroup,
        groupIds={"type": "array", "items": ID, "minItems": 1, "maxItems": MOST_GROUPS},
        profileId=OPTIONAL_PROFILE | {"description": "The device, when absent."},
    ),
    "replay": {"description": "Anything: accepted, and not kept."},
}
EXAMPLES = {
    "An event": {"type": "track", "payload": {"name": "my_event", "properties": {"foo": "bar"}}},
    "Who somebody is": {
        "type": "identify",
        "payload": {
            "profileId": "123",
            "firstName": "Joe",
            "lastName": "Doe",
            "email": "joe@doe.com",
            "properties": {"tier": "premium"},
        },
    },
    "Count up": {"type": "increment", "payload": {"profileId": "1", "property": "visits", "value": 1}},
    "Count down": {"type": "decrement", "payload": {"profileId": "1", "property": "visits", "value": 1}},
    "A company": {"type": "group", "payload": {"id": "org1", "type": "company", "name": "Acme"}},
    "Who belongs to it": {"type": "assign_group", "payload": {"groupIds": ["org1"], "profileId": "123"}},
}


def preflight(name: str) -> dict[str, Any]:
    """What browsers ask before a page of another site may call the operation of this name."""
    return {
        "operationId": f"{name}_preflight",
        "summary": "May a page of this origin call?",
        "tags": ["openpanel"],
        "responses": {
            "204": reply(
                "It may, as far as browsers are concerned",
                Access_Control_Allow_Origin={"const": "*"},
                Access_Control_Allow_Methods={"const": "GET,HEAD,POST"},
                Access_Control_Allow_Headers={"type": "string", "description": "Those that were asked for."},
                Access_Control_Max_Age={"type": "integer"},
            )
        },
    }


def call(type_: str, payload: dict[str, Any]) -> dict[str, Any]:
    """The schema of a body of this type."""
    return {
        "title": f"OpenPanel{type_.title().replace('_', '')}Call",
        "type": "object",
        "properties": {
            "type": {"const": type_},
            "payload": payload,
            "clientId": {"description": "The client's id, where it cannot be sent as a header."},
            "clientSecret": {"description": "Its secret, likewise."},
        },
        "required": ["type", *([] if type_ == "replay" else ["payload"])],
    }


CALLS: dict[str, Any] = {
    "title": "OpenPanelCall",
    "oneOf": [call(type_, payload) for type_, payload in TYPES.items()],
}
