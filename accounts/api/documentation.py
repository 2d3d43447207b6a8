"""How a view of API v1 stands in the OpenAPI document: its structs are the schema."""

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
from drf_spectacular.utils import OpenApiResponse, extend_schema

from tinytrail.web.errors import CODES

View = TypeVar("View", bound=Callable[..., Any])

REFUSAL = {
    "type": "object",
    "properties": {
        "status": {"const": "error"},
        "error": {
            "type": "object",
            "properties": {"code": {"enum": sorted(set(CODES.values()))}, "message": {"type": "string"}},
            "required": ["code", "message"],
        },
    },
    "required": ["status", "error"],
}
REFUSALS = {
    400: "Malformed JSON, or a field is missing or wrong; the message says which",
    401: "No valid X-API-KEY",
    403: "The key's role is too low",
    404: "Not there, or not yours",
    429: "More than 60 requests in 60 seconds with this key; Retry-After says how long to wait",
}


def answers(status: int, shape: Any) -> dict[int, dict[str, Any]]:  # noqa: ANN401 (a type, or list[...] of one)
    """The envelope around a struct or a list of structs."""
    envelope = {
        "type": "object",
        "properties": {"status": {"const": "success"}, "data": inlined(shape)},
        "required": ["status", "data"],
    }
    return {status: envelope}


def documented(summary: str, success: dict[int, dict[str, Any]], *, body: type | None = None) -> Callable[[View], View]:
    """Decorator of a view's method."""
    responses: dict[int, Any] = {status: OpenApiResponse(REFUSAL, text) for status, text in REFUSALS.items()}
    responses |= {status: OpenApiResponse(schema, summary) for status, schema in success.items()}
    request = {"application/json": inlined(body)} if body else None
    return extend_schema(summary=summary, request=request, responses=responses, tags=["v1"])


def inlined(shape: Any) -> dict[str, Any]:  # noqa: ANN401 (a type, or list[...] of one)
    """The JSON schema of a type in one piece, without references."""
    (schema,), parts = msgspec.json.schema_components([shape], ref_template="{name}")

    def resolve(node: Any) -> Any:  # noqa: ANN401 (any JSON value)
        if isinstance(node, dict):
            return (
                resolve(parts[node["$ref"]]) if "$ref" in node else {key: resolve(inner) for key, inner in node.items()}
            )
        return [resolve(inner) for inner in node] if isinstance(node, list) else node

    resolved: dict[str, Any] = resolve(schema)
    return resolved
