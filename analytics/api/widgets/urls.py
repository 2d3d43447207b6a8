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


def documented(endpoint: WidgetsEndpoint, name: str, summary: str, *parameters: object) -> WidgetsEndpoint:
    """The endpoint as it stands in the OpenAPI document under a route."""
    answers = doc.ANSWERS | (doc.FOUND if "shop" in name else {}) | (doc.CONFLICT if endpoint is checkout else {})
    words = {"name": name, "summary": summary, "parameters": parameters, "answers": answers}
    kind: type[WidgetsEndpoint] = type(name, (type(endpoint),), words)
    return kind()


def routes() -> dict[str, WidgetsEndpoint]:
    """The document's routes, each with its last part as a parameter."""
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
        found[f"{WIDGET}/{middle}/media/<str:media>/shop"] = documented(
            *(widget, f"track_{kind}_shop", f"A click on a shop link ({kind}); also shop.json and shop.gif"),
            *(*parts, doc.PARTS["media"], *doc.SHOPPED),
        )
    found["track/transaction/<str:transaction>/checkout"] = documented(
        *(checkout, "track_checkout", "A purchase; also checkout.json and checkout.gif"),
        *(doc.PARTS["transaction"], *doc.BOUGHT),
    )
    return found


GREETING = documented(
    *(greeting, "track_greeting", "Is this token good? Without a token it is the front page"),
    *(doc.TOKEN, query("analytics_id", "Comes back in the answer.")),
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
