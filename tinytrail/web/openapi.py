"""The OpenAPI document: what every dialect's part of it shares, and the routes that are plain Django views.

A dialect says what it takes and answers in its own room. Here is what they have in common, and three hooks of
drf-spectacular: one lists a route once, one adds what `described` says of plain views, one gives schemas their names.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import uritemplate
from django.urls import URLPattern, URLResolver, get_resolver
from drf_spectacular.utils import OpenApiParameter
from rest_framework.schemas.generators import EndpointEnumerator

Schema = dict[str, Any]
View = TypeVar("View", bound=Callable[..., Any])

TAGS = {
    "v1": "TinyTrail's own: websites and who may see them, events from the tracker, reports. Keys go in `X-API-KEY`.",
    "engagement": "What readers do with the events of a calendar. The answer is always 202.",
    "discovery": "What readers search and filter in a calendar. The answer is always 202.",
    "submissions": "Proposals of hosts for a calendar, which people then review.",
    "calendar": "What a calendar has published, for other programs: JSON, iCalendar and RSS.",
    "widgets": "What a widget showed and sold, as plain links and images. The public token goes in the query.",
    "openpanel": "Product analytics for OpenPanel's published clients. Client id and secret go in headers.",
    "sharing": "Numbers that somebody has shared by a secret link.",
    "operations": "For load balancers and monitors.",
}
# No NUL: PostgreSQL stores none.
TEXT: Schema = {"type": "string", "pattern": "^[^\\u0000]*$"}
# Of one line, with something in it that can be seen; white space around it does not count.
CONTROLS = "\\u0000-\\u001f\\u007f-\\u009f"
LINE = f"^[^{CONTROLS}]*[^\\s{CONTROLS}][^{CONTROLS}]*$"
# An absolute address of the web.
WEB_ADDRESS = r"^[Hh][Tt][Tt][Pp][Ss]?://[A-Za-z0-9.-]+(:[0-9]{1,4})?([/?#][^\u0000]*)?$"
# Any JSON; what cannot be stored is said in words: a recursive schema is more than most generators of clients can read.
FREE_FORM: Schema = {"type": "object", "additionalProperties": True}
SECURITY: dict[str, dict[str, str]] = {
    "OpenPanelClientId": {
        "type": "apiKey",
        "in": "header",
        "name": "openpanel-client-id",
        "description": "The client's id. Alone it is enough for a page whose `Origin` is on the client's list.",
    },
    "OpenPanelClientSecret": {
        "type": "apiKey",
        "in": "header",
        "name": "openpanel-client-secret",
        "description": "The client's secret, which belongs on servers only.",
    },
    "WidgetToken": {
        "type": "apiKey",
        "in": "query",
        "name": "auth_token",
        "description": "The widget's public token.",
    },
    "MetricsToken": {"type": "http", "scheme": "bearer", "description": "`TINYTRAIL_METRICS_TOKEN`."},
}
HTML = ("text/html", {"type": "string"})
SECONDS: Schema = {"type": "integer", "minimum": 1}
# Values of one of these are data, whatever they look like.
DATA = ("const", "default", "enum", "example", "examples")


def record(title: str, *optional: str, **properties: Schema) -> Schema:
    """The schema of an object with exactly these properties; `title` names it in the document."""
    return {
        "title": title,
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
        "additionalProperties": False,
    }


def header(name: str, text: str, *statuses: int, type_: Any = str, **options: Any) -> OpenApiParameter:  # noqa: ANN401 (whatever drf-spectacular takes)
    """A header of the answers with these statuses."""
    return OpenApiParameter(
        name,
        type_,
        OpenApiParameter.HEADER,
        response=list(statuses),
        description=text,
        **({"required": True} | options),
    )


def retry_after(*statuses: int, required: bool = True) -> OpenApiParameter:
    text = "Whole seconds to wait, at least 1."
    return header("Retry-After", text, *statuses, type_=SECONDS, required=required)


def needs_something(schema: Schema) -> bool:
    """Whether a body may not be left out."""
    return any(schema.get(word) for word in ("required", "oneOf", "minProperties"))


def accept_empty(result: dict[str, Any], **_: object) -> dict[str, Any]:
    """For POSTPROCESSING_HOOKS: an empty parameter of a query is an absent one, wherever it may be absent (D-39)."""
    for item in result["paths"].values():
        for operation in item.values():
            for parameter in operation.get("parameters", []):
                if parameter["in"] == "query" and not parameter.get("required"):
                    parameter["allowEmptyValue"] = True
    return result


# -- plain views ------------------------------------------------------------------------------------------------------


def described(*operations: Mapping[str, Any], method: str = "get") -> Callable[[View], View]:
    """Decorator, the outermost, of a plain view: its operation as the document shall have it.

    A view of several routes has one for each, told apart by the parameters of their paths.
    """

    def mark(view: View) -> View:
        view.operations = {  # type: ignore[attr-defined]
            (method, frozenset(names_in_path(each))): each for each in operations
        }
        return view

    return mark


def reply(text: str, *content: tuple[str, Schema], **headers: Schema) -> dict[str, Any]:
    """An answer of a plain view, with what it is by media type, and its headers."""
    return {
        "description": text,
        **({"content": {media: {"schema": schema} for media, schema in content}} if content else {}),
        **(
            {
                "headers": {
                    name.replace("_", "-"): {"required": True, "schema": schema} for name, schema in headers.items()
                }
            }
            if headers
            else {}
        ),
    }


def placed(where: str, name: str, text: str, schema: Schema) -> dict[str, Any]:
    """A parameter of a plain view in the `path`, which needs it, or in the `query`, which does not."""
    return {"in": where, "name": name, "description": text, "required": where == "path", "schema": schema}


def with_plain_views(result: dict[str, Any], **_: object) -> dict[str, Any]:
    """For POSTPROCESSING_HOOKS: the routes whose views are described, in the spelling without a slash at the end."""
    simplified = EndpointEnumerator().get_path_from_regex
    for route, pattern in routes(get_resolver().url_patterns):
        path = simplified(route)
        for (method, names), operation in getattr(pattern.callback, "operations", {}).items():
            if not path.endswith("/") and names == frozenset(uritemplate.variables(path)):
                result["paths"].setdefault(path, {})[method] = {"security": [{}], **operation}
    result["paths"] = dict(sorted(result["paths"].items()))
    for item in result["paths"].values():
        for operation in item.values():
            operation["responses"] = dict(sorted(operation["responses"].items()))
            if body := operation.get("requestBody"):
                body["required"] = any(needs_something(kind["schema"]) for kind in body["content"].values())
    result["tags"] = [{"name": name, "description": text} for name, text in TAGS.items()]
    components = result.setdefault("components", {})
    components.setdefault("schemas", {})
    components["securitySchemes"] = components.get("securitySchemes", {}) | SECURITY
    return result


def names_in_path(operation: Mapping[str, Any]) -> list[str]:
    return [parameter["name"] for parameter in operation.get("parameters", []) if parameter["in"] == "path"]


def routes(patterns: list[URLPattern | URLResolver], prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Every route of the map under its whole pattern."""
    for pattern in patterns:
        route = f"{prefix}{pattern.pattern}"
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, route)
        else:
            yield route, pattern


# -- names ------------------------------------------------------------------------------------------------------------


def with_named_schemas(result: dict[str, Any], **_: object) -> dict[str, Any]:
    """For POSTPROCESSING_HOOKS: schemas with a title become components of that name, so that generated clients have
    types with names, and the document says everything once.

    Raises ValueError when two differ under one title.
    """
    named: dict[str, Schema] = result["components"]["schemas"]

    def resolved(node: Any) -> Any:  # noqa: ANN401 (any JSON value)
        if isinstance(node, list):
            return [resolved(inner) for inner in node]
        if not isinstance(node, dict):
            return node
        found = {name: inner if name in DATA else resolved(inner) for name, inner in node.items()}
        title = found.get("title")
        if not isinstance(title, str):
            return found
        if named.setdefault(title, found) != found:
            raise ValueError(f"Two schemas are called {title}.")
        return {"$ref": f"#/components/schemas/{title}"}

    result["paths"] = resolved(result["paths"])
    result["components"]["schemas"] = dict(sorted(named.items()))
    return result
