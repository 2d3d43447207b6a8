"""ROOM widgets in the OpenAPI document: its parameters and answers, as the contract's tables have them (5.1, 5.2)."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter

from analytics.api.documentation import Security, query
from analytics.api.widgets.paths import (
    GREATEST,
    INSTANCE,
    LONGEST_TRANSACTION,
    MEDIA_ACTIONS,
    SHOP,
    WIDGET_ACTIONS,
)
from analytics.api.widgets.query import (
    LONGEST_ID,
    LONGEST_KEY,
    LONGEST_PRODUCT,
    LONGEST_REFERRER,
    LONGEST_VALUE,
    MOST_PRODUCTS,
    MOST_SEGMENTS,
)
from analytics.api.widgets.redirects import LONGEST
from tinytrail.web.openapi import header, record, retry_after

METADATA = record(
    "WidgetMetadata",
    code={"type": "integer", "description": "The status of the answer."},
    message={"type": "string"},
    version={"const": "v1.0"},
)
SUCCESS = record(
    "WidgetAnswer",
    metadata=METADATA,
    data=record(
        "WidgetData",
        timestamp={"type": "string", "description": "UTC.", "examples": ["2014-06-25 15:19:08.3000"]},
        analytics_id={"type": ["string", "null"]},
    ),
)
REFUSAL = record("WidgetRefusal", metadata=METADATA)
INVALID = {
    "title": "WidgetInvalid",
    "type": "array",
    "items": record("WidgetInvalidReason", error={"const": "Invalid params"}),
    "minItems": 1,
    "maxItems": 1,
}
PIXEL = {"type": "string", "format": "binary"}
ANSWERS: dict[Any, tuple[str, dict[str, Any]]] = {
    200: ("Stored; bots are answered alike and never counted", SUCCESS),
    (200, "image/gif"): ("The same with the ending .gif: an image of one pixel", PIXEL),
    400: ("A part of the path or a parameter is missing or wrong", INVALID),
    403: ("No token, or one that is not known", REFUSAL),
    404: ("No such path", REFUSAL),
    503: ("Could not be stored; `Retry-After` says when to try again", REFUSAL),
}
FOUND = {302: ("Stored, and on to redirect_url", SUCCESS)}
CONFLICT = {409: ("The transaction is known with another analytics_id or currency", REFUSAL)}
GREETINGS: dict[Any, tuple[str, dict[str, Any]]] = {
    200: (
        "The token is good; or, without one, where to read on",
        {
            "oneOf": [
                SUCCESS,
                record(
                    "Greeting",
                    status={"const": "ok"},
                    name={"const": "TinyTrail"},
                    documentation={"type": "string", "description": "The path of this document's page."},
                ),
            ]
        },
    ),
    (200, "text/html"): ("Without a token, to a browser: the front page", {"type": "string"}),
    400: ("A parameter cannot be read", INVALID),
    403: ("The token is empty or not known", REFUSAL),
    503: ("The database does not answer; `Retry-After` says when to try again", REFUSAL),
}
WAIT = retry_after(503)
ON = header("Location", "Where to go on.", 302)
SECURITY: Security = ({"WidgetToken": []},)

# What nobody can read is refused.
READ = "[^\\u0000-\\u001f\\u007f\\ufffd]"
READABLE = {"type": "string", "pattern": f"^{READ}*$"}
# Blanks around it do not count.
SEEN = f"^{READ}*[^\\s\\u0000-\\u001f\\u007f\\ufffd\\u0085]{READ}*$"
NUMBER: dict[str, Any] = {"type": "integer", "format": "int64", "minimum": 0, "maximum": GREATEST}
WHO = query(
    "analytics_id",
    "The visitor, as the page knows them.",
    type={"type": "string", "minLength": 1, "maxLength": LONGEST_ID, "pattern": SEEN},
    required=True,
)
PICS = query("pics", "How many media the widget shows.", type=NUMBER, required=True)
ARM = query("ab_testing", "The arm of an experiment.", type=NUMBER)
SIGN = "[^\\s\\u0000-\\u001f\\u007f\\u0085\\ufffd]"
PIECE = "[^:\\s\\u0000-\\u001f\\u007f\\u0085\\ufffd]"
SEGMENTS = query(
    "segments[]",
    "`key:value`, one value for each key.",
    type={
        "type": "array",
        "items": {
            **{"type": "string", "maxLength": LONGEST_KEY + 1 + LONGEST_VALUE},
            "pattern": f"^{PIECE}{{1,{LONGEST_KEY}}}:[^\\u0000-\\u001f\\u007f\\ufffd]{{0,{LONGEST_VALUE}}}$",
        },
        "maxItems": MOST_SEGMENTS,
    },
    explode=True,
    examples=[OpenApiExample("Two segments", ["country:US", "section:abc"])],
)
SHOWN = (WHO, PICS, ARM, SEGMENTS, WAIT)
EMPTY = (WHO, ARM, SEGMENTS, WAIT)
SHOPPED = (
    *(WHO, query("pics", "How many media the widget shows.", type=NUMBER), ARM, SEGMENTS, WAIT, ON),
    query(
        "redirect_url",
        "Where to go on: the website's domain, a subdomain, or one of the token's redirect hosts.",
        type={"type": "string", "format": "uri", "maxLength": LONGEST},
    ),
)
PRODUCTS = query(
    "products[]",
    "`product:amount`, a plain decimal number with at most four digits behind the point.",
    type={
        "type": "array",
        "items": {
            **{"type": "string", "maxLength": LONGEST_PRODUCT + 18},
            "pattern": f"^{SIGN}{{1,{LONGEST_PRODUCT}}}:[0-9]{{1,12}}(\\.[0-9]{{1,4}})?$",
        },
        "minItems": 1,
        "maxItems": MOST_PRODUCTS,
    },
    explode=True,
    required=True,
    examples=[OpenApiExample("Two products", ["productId1:15", "productId2:17.5"])],
)
BOUGHT = (
    WHO,
    PRODUCTS,
    SEGMENTS,
    query(
        "currency_code",
        "ISO 4217, in any case.",
        type={"type": "string", "pattern": "^[A-Za-z]{3}$", "default": "USD"},
    ),
    query(
        "referrer",
        "The page of the purchase.",
        type=READABLE | {"maxLength": LONGEST_REFERRER},
    ),
    WAIT,
)

WIDGET_ACTION, MEDIA_ACTION = sorted(WIDGET_ACTIONS), sorted(MEDIA_ACTIONS - {SHOP})


def part(name: str, text: str, type_: dict[str, Any]) -> OpenApiParameter:
    return OpenApiParameter(name, type_, OpenApiParameter.PATH, description=text)


PARTS = {
    "instance": part("instance", "The widget.", {"type": "string", "pattern": f"^{INSTANCE.pattern}$"}),
    "category": part("category", "The category's number.", NUMBER),
    "stream": part("stream", "The stream's number.", NUMBER),
    "media": part("media", "The medium's number.", NUMBER),
    "transaction": part(
        "transaction",
        "The purchase.",
        {
            **{"type": "string", "minLength": 1, "maxLength": LONGEST_TRANSACTION},
            "pattern": "^[!-.0-~][ !-.0-~\\u00a1-\\u00ac\\u00ae-\\u024f]*$",
        },
    ),
}
ENDINGS = ("", ".json", ".gif")


def action(words: list[str]) -> OpenApiParameter:
    """The last part of a path, with its ending."""
    endings = [f"{word}{ending}" for word in words for ending in ENDINGS]
    return part("action", "What was done; .gif answers with an image, else JSON.", {"type": "string", "enum": endings})
