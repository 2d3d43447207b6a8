"""How the room stands in the OpenAPI document: its fields and bounds are those that proposals are read by."""

from collections.abc import Callable
from typing import Any, TypeVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema

from submissions.api.dialect import CLOSED, DETAILS, MEDIA_TYPE, METHOD, PAYLOAD, RECEIVED, TOO_LARGE, TOO_MANY
from submissions.proposal import FIELDS, Field

View = TypeVar("View", bound=Callable[..., Any])

EXAMPLES = {
    "eventName": "Jazz Night at Le Sunset",
    "date": "2026-03-15",
    "startTime": "20:00",
    "location": "Le Sunset, 60 Rue des Lombards, 75001 Paris",
    "hostEmail": "contact@lesunset.com",
    "proofLink": "https://www.lesunset.com/events/jazz-night-march",
}
TEXTS = {
    "proofLink": "An HTTP(S) address that proves the event; without a scheme it is taken as https.",
    "formStartedAt": "When the form was opened, ISO 8601. Never an error.",
    "honeypot": "Stays empty: people do not see it.",
}


def field_schema(field: Field) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string", "maxLength": field.most}
    if field.least:
        schema["minLength"] = field.least
    else:
        schema["type"] = ["string", "null"]
    if field.name in EXAMPLES:
        schema["examples"] = [EXAMPLES[field.name]]
    if field.name in TEXTS:
        schema["description"] = TEXTS[field.name]
    return schema


BODY = {
    "type": "object",
    "properties": {field.name: field_schema(field) for field in FIELDS.values()}
    | {name: {"type": ["string", "null"], "description": TEXTS[name]} for name in ("formStartedAt", "honeypot")},
    "required": [field.name for field in FIELDS.values() if field.least],
}
SUCCESS = {
    "type": "object",
    "properties": {"success": {"const": True}, "message": {"const": RECEIVED}},
    "required": ["success", "message"],
}


def refused(*errors: str, issues: bool = False) -> dict[str, Any]:
    properties: dict[str, Any] = {"success": {"const": False}, "error": {"enum": list(errors)}}
    if issues:
        properties["issues"] = {"type": "array", "items": {"type": "string"}}
    return {"type": "object", "properties": properties, "required": ["success", "error"]}


ANSWERS = {
    200: ("Received, or declined at once as spam: the answer is the same", SUCCESS),
    400: (
        "No valid JSON, or a field is missing or wrong; `issues` then names each of them",
        refused(PAYLOAD, DETAILS, issues=True),
    ),
    405: ("Only POST is taken", refused(METHOD)),
    413: ("The body is longer than 64 KiB", refused(TOO_LARGE)),
    415: ("The content type is not application/json", refused(MEDIA_TYPE)),
    429: (
        "Too many from this address or e-mail, or the same event once more; Retry-After says how long to wait",
        refused(TOO_MANY),
    ),
    503: (
        "The calendar takes no proposals now, or nothing can be stored",
        refused(CLOSED, "Submission service unavailable"),
    ),
}
WAIT = OpenApiParameter(
    "Retry-After",
    OpenApiTypes.INT,
    OpenApiParameter.HEADER,
    response=[429, 503],
    description="Whole seconds to wait, at least 1.",
)


def documented(method: View) -> View:
    """Decorator of the view's method."""
    return extend_schema(
        operation_id="submit_event",
        summary="Propose an event for the calendar",
        description="Which calendar: that of the website which `Origin` names, else the default one.",
        request={"application/json": BODY},
        responses={status: OpenApiResponse(schema, text) for status, (text, schema) in ANSWERS.items()},
        parameters=[WAIT],
        tags=["submissions"],
        auth=[],
    )(method)
