"""The routes of ROOM widgets for Django. One view serves them all: the endpoint reads the path by itself.

The document's eleven stand here one by one for the OpenAPI document; what is none of them is still this room's to
refuse (contract 1.1).
"""

from django.urls import path, re_path

from analytics.api.documentation import query
from analytics.api.views import IngestView
from analytics.api.widgets import documentation as doc
from analytics.api.widgets.endpoints import WidgetsEndpoint, checkout, greeting, widget
from tinytrail.web.routes import both

WIDGET = "track/widget/<str:instance>"
KINDS = {"category": "category/<str:category>", "stream": "stream/<str:stream>", "best": "best"}


def documented(
    endpoint: WidgetsEndpoint, name: str, summary: str, *parameters: object, ending: str | None = None, **words: object
) -> WidgetsEndpoint:
    """The endpoint as it stands in the OpenAPI document under a route; `ending` where the route has only that one."""
    answers = doc.ANSWERS | (doc.FOUND if "shop" in name else {}) | (doc.CONFLICT if endpoint is checkout else {})
    if ending is not None:
        del answers[200 if ending == ".gif" else (200, "image/gif")]
    words = {"name": name, "summary": summary, "parameters": parameters, "answers": answers} | words
    kind: type[WidgetsEndpoint] = type(name, (type(endpoint),), {"security": doc.SECURITY} | words)
    return kind()


def routes() -> dict[str, WidgetsEndpoint]:
    """The document's routes, each with its last part as a parameter, or with each of its endings."""
    found = {
        f"{WIDGET}/stream/not_found/<str:action>": documented(
            *(widget, "track_empty_widget", "A widget was rendered without its stream"),
            *(doc.PARTS["instance"], doc.action(["render"]), *doc.EMPTY),
        )
    }
    for kind, middle in KINDS.items():
        parts = [doc.PARTS[name] for name in ("instance", *(() if kind == "best" else (kind,)))]
        found[f"{WIDGET}/{middle}/<str:action>"] = documented(
            *(widget, f"track_{kind}_widget", f"An action on a widget ({kind})"),
            *(*parts, doc.action(doc.WIDGET_ACTION), *doc.SHOWN),
        )
        found[f"{WIDGET}/{middle}/media/<str:media>/<str:action>"] = documented(
            *(widget, f"track_{kind}_media", f"An action on a medium ({kind})"),
            *(*parts, doc.PARTS["media"], doc.action(doc.MEDIA_ACTION), *doc.SHOWN),
        )
        for ending in doc.ENDINGS:
            found[f"{WIDGET}/{middle}/media/<str:media>/shop{ending}"] = documented(
                *(widget, f"track_{kind}_shop{ending.replace('.', '_')}", f"A click on a shop link ({kind})"),
                *(*parts, doc.PARTS["media"], *doc.SHOPPED),
                ending=ending,
                description="With `redirect_url` the visitor is sent there, whatever the ending.",
            )
    for ending in doc.ENDINGS:
        found[f"track/transaction/<str:transaction>/checkout{ending}"] = documented(
            *(checkout, f"track_checkout{ending.replace('.', '_')}", "A purchase"),
            *(doc.PARTS["transaction"], *doc.BOUGHT),
            ending=ending,
            description="The same call again adds nothing; other products of the same transaction are added to it.",
        )
    return found


GREETING = documented(
    *(greeting, "track_greeting", "Is this token good? Without a token: what this server is"),
    query("analytics_id", "Comes back in the answer, as far as 128 characters.", type=doc.READABLE),
    doc.WAIT,
    security=({"WidgetToken": []}, {}),
    answers=doc.GREETINGS,
)


def undocumented(pattern: str, endpoint: WidgetsEndpoint) -> object:
    view = IngestView.as_view(endpoint=endpoint, http_method_names=["get", "head", "options"], schema=None)
    return re_path(pattern, view)


urlpatterns = [
    # Never reached: the front page stands before it, and asks the same endpoint. Here for the OpenAPI document.
    path("", IngestView.serving(GREETING)),
    *(route for path, endpoint in routes().items() for route in both(path, IngestView.serving(endpoint))),
    undocumented(r"^track/widget(?:/[\s\S]*)?$", widget),
    undocumented(r"^track/transaction(?:/[\s\S]*)?$", checkout),
]
