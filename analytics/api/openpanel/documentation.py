"""How the room stands in the OpenAPI document."""

from typing import Any

from accounts.api.documentation import inlined
from analytics.api.openpanel import payloads

REFUSAL: dict[str, Any] = {
    "type": "object",
    "properties": {
        "error": {"type": "string"},
        "status": {"type": "integer"},
        "message": {"type": "string", "description": "For people; absent where the credentials are wrong."},
    },
    "required": ["error", "status"],
}
IDS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "deviceId": {"type": "string", "description": "32 hexadecimal digits, another every day"},
        "sessionId": {"type": "string", "description": "the same within a visit"},
    },
    "required": ["deviceId", "sessionId"],
}
TYPES = {
    "track": payloads.Track,
    "identify": payloads.Identify,
    "increment": payloads.Count,
    "decrement": payloads.Count,
    "group": payloads.Group,
    "assign_group": payloads.AssignGroup,
}


def call(type_: str, payload: dict[str, Any]) -> dict[str, Any]:
    """The schema of a body of this type."""
    return {
        "type": "object",
        "title": type_,
        "properties": {
            "type": {"const": type_},
            "payload": payload,
            "clientId": {"type": "string", "description": "Where it cannot be sent as a header."},
            "clientSecret": {"type": "string"},
        },
        "required": ["type", "payload"],
    }


CALLS: dict[str, Any] = {
    "oneOf": [
        *(call(type_, inlined(payload)) for type_, payload in TYPES.items()),
        call("replay", {"type": "object", "description": "Accepted, and not kept."}),
    ]
}
