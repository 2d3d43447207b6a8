"""How the room stands in the OpenAPI document: its fields and bounds are those that proposals are read by."""

from collections.abc import Callable
from typing import Any, TypeVar

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema

from submissions.api.dialect import (
    CLOSED,
    DETAILS,
    MEDIA_TYPE,
    METHOD,
    PAYLOAD,
    RECEIVED,
    TOO_LARGE,
    TOO_MANY,
    UNAVAILABLE,
)
from submissions.proposal import FIELDS, Field
from tinytrail.web.openapi import record, retry_after

View = TypeVar("View", bound=Callable[..., Any])

# As document 001 has it.
EXAMPLE = {
    "eventName": "Jazz Night at Le Sunset",
    "date": "2026-03-15",
    "startTime": "20:00",
    "endTime": "23:30",
    "location": "Le Sunset, 60 Rue des Lombards, 75001 Paris",
    "hostEmail": "contact@lesunset.com",
    "proofLink": "https://www.lesunset.com/events/jazz-night-march",
    "genre": "Jazz",
    "price": "15€",
    "age": "18+",
    "indoorOutdoor": "indoor",
    "arrondissement": "1st",
    "notes": "Featuring local and international artists",
    "formStartedAt": "2026-03-01T12:00:00.000Z",
    "honeypot": "",
}
TEXTS = {
    "date": "Of the event, as the host writes it.",
    "hostEmail": "An e-mail address: ASCII, with a domain.",
    "proofLink": "An HTTP(S) address that proves the event; without a scheme it is taken as https.",
    "formStartedAt": "When the form was opened, ISO 8601. Never an error.",
    "honeypot": "Stays empty: people do not see it.",
}
# Of the address as its pattern has it in submissions.proposal, without looking ahead.
PIECE = "[A-Za-z0-9_'+-]"
LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
PATTERNS = {
    "hostEmail": (rf"^\s*(?:{PIECE}+\.)*{PIECE}*[A-Za-z0-9_+-]@(?:{LABEL}\.)+(?:[A-Za-z]{{2,}}|xn--[A-Za-z0-9-]+)\s*$"),
}
# What is left of a text: neither white space nor what submissions.proposal takes away.
SEEN = "[^\\s\\u0000-\\u001f\\u007f-\\u009f\\u202a-\\u202e\\u2066-\\u2069\\ufeff]"


def field_schema(field: Field) -> dict[str, Any]:
    """Lengths count after trimming, so that what is asked for is as many characters that can be seen."""
    schema: dict[str, Any] = {"type": "string", "maxLength": field.most}
    if field.least:
        schema["minLength"] = field.least
        schema["pattern"] = PATTERNS.get(field.name, "[^\\u0000]*".join(["^", *[SEEN] * field.least, "$"]))
    else:
        schema["type"] = ["string", "null"]
    if field.name in TEXTS:
        schema["description"] = TEXTS[field.name]
    return schema


BODY = {
    "title": "Proposal",
    "type": "object",
    "properties": {field.name: field_schema(field) for field in FIELDS.values()}
    | {"formStartedAt": {"description": TEXTS["formStartedAt"]}}
    | {"honeypot": {"type": ["string", "null"], "description": TEXTS["honeypot"]}},
    "required": [field.name for field in FIELDS.values() if field.least],
    "additionalProperties": True,
}
SUCCESS = record("Proposed", success={"const": True}, message={"const": RECEIVED})


REFUSAL = record(
    "ProposalRefusal",
    "issues",
    success={"const": False},
    error={
        "type": "string",
        "enum": [PAYLOAD, DETAILS, METHOD, TOO_LARGE, MEDIA_TYPE, TOO_MANY, CLOSED, UNAVAILABLE],
    },
    issues={"type": "array", "items": {"type": "string"}, "description": "Each begins with the name of its field."},
)


ANSWERS = {
    200: ("Received, or declined at once as spam: the answer is the same", SUCCESS),
    400: (
        "No valid JSON, or a field is missing or wrong; `issues` then names each of them",
        REFUSAL,
    ),
    405: ("Only POST is taken", REFUSAL),
    413: ("The body is longer than 64 KiB", REFUSAL),
    415: ("The content type is not application/json", REFUSAL),
    429: (
        "Too many from this address or e-mail, or the same event once more; Retry-After says how long to wait",
        REFUSAL,
    ),
    503: (
        "The calendar takes no proposals now, or nothing can be stored",
        REFUSAL,
    ),
}
# A calendar that is closed does not know for how long.
WAIT = (retry_after(429), retry_after(503, required=False))


def documented(method: View) -> View:
    """Decorator of the view's method."""
    return extend_schema(
        operation_id="submit_event",
        summary="Propose an event for the calendar",
        description="Which calendar: that of the website which `Origin` names, else the default one.",
        request={"application/json": BODY},
        responses={status: OpenApiResponse(schema, text) for status, (text, schema) in ANSWERS.items()},
        parameters=[*WAIT],
        examples=[OpenApiExample("A concert", EXAMPLE, request_only=True)],
        tags=["submissions"],
        auth=[],
    )(method)
