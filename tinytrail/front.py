"""GET /: what this server is and where to go (contract D-22)."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import Resolver404, resolve, reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from analytics.api.routes import endpoint_at
from analytics.api.views import IngestView


@dataclass(frozen=True)
class Route:
    """One line of the page: what is asked, what for, its tag in the API's documentation, and an address of its kind."""

    method: str
    path: str
    purpose: str
    tag: str
    example: str = ""


@dataclass(frozen=True)
class Dialect:
    name: str
    purpose: str
    routes: tuple[Route, ...]


DIALECTS = (
    Dialect(
        "TinyTrail v1",
        "Visits, page views and events of websites",
        (
            Route("GET", "/js/tracker.js", "The script that counts", "v1"),
            Route("POST", "/api/v1/collect", "Takes what the script sends", "v1"),
            Route("GET", "/api/v1/reports/…", "Nine reports, as JSON or CSV", "v1", "/api/v1/reports/summary"),
            Route("GET", "/api/v1/websites", "Your websites", "v1"),
            Route("GET", "/api/v1/users", "Users and their keys, for administrators", "v1"),
            Route("GET", "/api/v1/accounts", "Accounts, for administrators", "v1"),
        ),
    ),
    Dialect(
        "Event calendar",
        "What readers do with events, and what hosts propose",
        (
            Route("POST", "/api/track", "Clicks and calendar adds", "engagement"),
            Route("POST", "/api/track/discovery", "Searches and filters", "discovery"),
            Route("POST", "/api/event-submissions", "Proposals for the calendar", "submissions"),
        ),
    ),
    Dialect(
        "Widgets",
        "What a widget showed and sold",
        (
            Route("GET", "/track/widget/…", "Renders, clicks, shop links", "widgets", "/track/widget/w/best/render"),
            Route("GET", "/track/transaction/…", "Checkouts", "widgets", "/track/transaction/t/checkout"),
            Route("GET", "/api/v1/reports/revenue", "What was sold, and what led to it", "v1"),
        ),
    ),
    Dialect(
        "OpenPanel",
        "Product analytics",
        (
            Route("POST", "/track", "Events and profiles", "openpanel"),
            Route("GET", "/export/events", "What was stored, for clients that read", "openpanel"),
        ),
    ),
)


# Nobody is signed in here: there is nothing that a forged call could do.
@csrf_exempt
def root(request: HttpRequest) -> HttpResponseBase:
    """The front page; with a token in the query the widgets' answer, whatever the method."""
    endpoint = endpoint_at("/", request.META.get("QUERY_STRING", ""))
    return IngestView.serving(endpoint)(request) if endpoint else front_page(request)


@require_safe
def front_page(request: HttpRequest) -> HttpResponse:
    if request.accepts("application/json") and not request.accepts("text/html"):
        response: HttpResponse = JsonResponse(
            {"status": "ok", "name": "TinyTrail", "documentation": reverse("schema_docs")}
        )
    else:
        tracker = request.build_absolute_uri(reverse("tracker"))
        response = render(request, "front.html", {"dialects": spoken(), "tracker": tracker})
    patch_vary_headers(response, ["Accept"])
    return response


def spoken() -> list[Dialect]:
    """The dialects with the routes that this server has."""
    served = [
        Dialect(dialect.name, dialect.purpose, tuple(route for route in dialect.routes if is_served(route)))
        for dialect in DIALECTS
    ]
    return [dialect for dialect in served if dialect.routes]


def is_served(route: Route) -> bool:
    try:
        resolve(route.example or route.path)
    except Resolver404:
        return False
    return True
