"""ROOM widgets in the OpenAPI document: its parameters and answers, as the contract's tables have them (5.1, 5.2)."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter

from analytics.api.documentation import query
from analytics.api.widgets.paths import MEDIA_ACTIONS, SHOP, WIDGET_ACTIONS

METADATA = {
    "type": "object",
    "properties": {"code": {"type": "integer"}, "message": {"type": "string"}, "version": {"const": "v1.0"}},
    "required": ["code", "message", "version"],
}
SUCCESS = {
    "type": "object",
    "properties": {
        "metadata": METADATA,
        "data": {
            "type": "object",
            "properties": {"timestamp": {"type": "string"}, "analytics_id": {"type": ["string", "null"]}},
        },
    },
    "required": ["metadata", "data"],
}
REFUSAL = {"type": "object", "properties": {"metadata": METADATA}, "required": ["metadata"]}
INVALID = {
    "type": "array",
    "items": {"type": "object", "properties": {"error": {"const": "Invalid params"}}},
}
ANSWERS: dict[int, tuple[str, dict[str, Any]]] = {
    200: ("Stored; with the ending .gif an image of one pixel. Bots are answered alike and never counted", SUCCESS),
    400: ("A part of the path or a parameter is missing or wrong", INVALID),
    403: ("No token, or one that is not known", REFUSAL),
    404: ("No such path", REFUSAL),
    503: ("Could not be stored; Retry-After says when to try again", REFUSAL),
}
FOUND = {302: ("Stored, and on to redirect_url", SUCCESS)}
CONFLICT = {409: ("The transaction is known with another analytics_id or currency", REFUSAL)}

TOKEN = query("auth_token", "The widget's public token.", required=True)
WHO = query("analytics_id", "The visitor, as the page knows them.", required=True)
PICS = query("pics", "How many media the widget shows.", type=int, required=True)
ARM = query("ab_testing", "The arm of an experiment.", type=int)
SEGMENTS = query("segments[]", "`key:value`, one value for each key.", many=True)
SHOWN = (TOKEN, WHO, PICS, ARM, SEGMENTS)
EMPTY = (TOKEN, WHO, ARM, SEGMENTS)
SHOPPED = (
    *(TOKEN, WHO, query("pics", "How many media the widget shows.", type=int), ARM, SEGMENTS),
    query("redirect_url", "Where to go on: the website's domain, a subdomain, or one of the token's redirect hosts."),
)
BOUGHT = (
    TOKEN,
    WHO,
    query("products[]", "`product:amount`, a plain decimal number.", many=True, required=True),
    SEGMENTS,
    query("currency_code", "ISO 4217.", default="USD"),
    query("referrer", "The page of the purchase."),
)

WIDGET_ACTION, MEDIA_ACTION = sorted(WIDGET_ACTIONS), sorted(MEDIA_ACTIONS - {SHOP})


def part(name: str, text: str, **options: Any) -> OpenApiParameter:  # noqa: ANN401 (whatever drf-spectacular takes)
    return OpenApiParameter(name, **({"type": str} | options), location=OpenApiParameter.PATH, description=text)


PARTS = {
    "instance": part("instance", "The widget: letters, digits, - and _, at most 64."),
    "category": part("category", "The category's number.", type=OpenApiTypes.INT64),
    "stream": part("stream", "The stream's number.", type=OpenApiTypes.INT64),
    "media": part("media", "The medium's number.", type=OpenApiTypes.INT64),
    "transaction": part("transaction", "The purchase, at most 128 characters."),
}


def action(words: list[str]) -> OpenApiParameter:
    """The last part of a path, with its ending."""
    endings = [f"{word}{ending}" for word in words for ending in ("", ".json", ".gif")]
    return part("action", "What was done; .gif answers with an image, else JSON.", enum=endings)
