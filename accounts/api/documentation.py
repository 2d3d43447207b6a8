"""How a view of API v1 stands in the OpenAPI document: its structs are the schema."""

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

import msgspec
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema

from tinytrail.web import errors
from tinytrail.web.errors import CODES
from tinytrail.web.openapi import record, retry_after

View = TypeVar("View", bound=Callable[..., Any])

REFUSAL = record(
    "Refusal",
    status={"const": "error"},
    error=record(
        "RefusalReason",
        code={"type": "string", "enum": sorted(set(CODES.values()))},
        message={"type": "string", "description": "For people: which field is wrong, and what would be right."},
    ),
)
REFUSALS = {
    400: "Malformed JSON, or a field or parameter is missing or wrong; the message says which",
    401: "No valid `X-API-KEY`",
    403: "The key's role is too low",
    404: "Not there, or not yours",
    405: "The id is empty: the route of the list does not take this method",
    413: "The body is longer than 256 KiB",
    415: "The body is not JSON in UTF-8",
    429: "More than 60 requests in 60 seconds with this key; `Retry-After` says how long to wait",
    503: "The database does not answer; `Retry-After` says when to try again",
}
# What a refusal may say, where the view has no more to say.
SENTENCES = {
    400: "domain is required, for example example.com.",
    401: "A valid API key is required in the X-API-KEY header.",
    403: "This needs an API key with the role admin.",
    404: "Not found.",
    405: 'Method "DELETE" not allowed.',
    413: "The body must have at most 262144 bytes.",
    415: "The body must be application/json in UTF-8.",
    429: "Too many requests with this API key.",
    503: "The database does not answer. Please try again.",
}
ALWAYS = (401, 429, 503)
OF_BODIES = (400, 413, 415)
OF_ADMINS = (403,)
OF_ONE = (400, 404, 405)
WAIT = retry_after(429, 503)
ID = OpenApiParameter("id", OpenApiTypes.UUID, OpenApiParameter.PATH, description="The id, a UUID.")

Uuid = Annotated[str, msgspec.Meta(extra_json_schema={"format": "uuid"})]
Moment = Annotated[
    str, msgspec.Meta(extra_json_schema={"format": "date-time", "examples": ["2026-01-15T10:30:00.000Z"]})
]


class V1Schema(AutoSchema):
    """Of views whose docstrings are for who reads the code."""

    def get_description(self) -> str:  # type: ignore[override] # two bases of drf-spectacular's own disagree
        return ""


def answers(status: int, shape: Any) -> dict[int, dict[str, Any]]:  # noqa: ANN401 (a type, or list[...] of one)
    """The envelope around a struct or a list of structs."""
    schema = {"type": "object"} | inlined(shape)
    kind = schema.get("title") or f"{schema['items']['title']}List"
    return {status: envelope(f"{kind}Answer", closed(schema))}


def envelope(title: str, data: dict[str, Any]) -> dict[str, Any]:
    """The schema of a success."""
    return record(title, status={"const": "success"}, data=data)


def refusals(*statuses: int) -> dict[Any, OpenApiResponse]:
    return {
        status: OpenApiResponse(
            REFUSAL,
            REFUSALS[status],
            examples=[OpenApiExample(CODES[status], errors.envelope(status, SENTENCES[status]))],
        )
        for status in sorted(statuses)
    }


def documented(
    name: str,
    summary: str,
    success: dict[int, dict[str, Any]],
    *,
    body: type | dict[str, Any] | None = None,
    is_for_admins: bool = False,
    names_one: bool = False,
    description: str = "",
    examples: dict[str, Any] | None = None,
) -> Callable[[View], View]:
    """Decorator of a view's method; `name` is what generated clients call it.

    `examples` of the body stand by what they show; `names_one` by its id in the path.
    """
    statuses = {*ALWAYS, *(OF_BODIES if body else ()), *(OF_ADMINS if is_for_admins else ())}
    statuses |= {*(OF_ONE if names_one else ())}
    return extend_schema(
        operation_id=name,
        summary=summary,
        description=description,
        request={"application/json": body if isinstance(body, dict) else opened(inlined(body))} if body else None,
        responses=refusals(*statuses)
        | {status: OpenApiResponse(schema, summary) for status, schema in success.items()},
        parameters=[*([ID] if names_one else []), WAIT],
        examples=[OpenApiExample(text, value, request_only=True) for text, value in (examples or {}).items()],
        tags=["v1"],
    )


def opened(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a body: fields that nobody knows are ignored."""
    return schema | {"additionalProperties": True}


def body_of(shape: type, **known: dict[str, Any]) -> dict[str, Any]:
    """The schema of a body that is read by a struct, with what is known of its fields beyond their types.

    Fields that nobody knows are not even looked at.
    """
    schema = inlined(shape)
    assert known.keys() <= schema["properties"].keys(), known.keys() - schema["properties"].keys()
    return schema | {"properties": schema["properties"] | known}


def closed(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of an answer: what the document does not name is not told."""
    if "items" in schema:
        return schema | {"items": closed(schema["items"])}
    return schema | {"additionalProperties": False}


def inlined(shape: Any) -> dict[str, Any]:  # noqa: ANN401 (a type, or list[...] of one)
    """The JSON schema of a type in one piece, without references."""
    (schema,), parts = msgspec.json.schema_components([shape], ref_template="{name}")

    def resolve(node: Any) -> Any:  # noqa: ANN401 (any JSON value)
        if isinstance(node, dict):
            # Other references are the document's own.
            part = parts.get(str(node.get("$ref")))
            return resolve(part) if part else {key: resolve(inner) for key, inner in node.items()}
        return [resolve(inner) for inner in node] if isinstance(node, list) else node

    resolved: dict[str, Any] = resolve(schema)
    return resolved
