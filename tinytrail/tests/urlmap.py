"""Every route of the site, and what stands before it.

Tests loop over it, so that a route which is added is asked what all others are asked. What stands here by name is what
may be open: a new route that is not named must be behind a door, or its tests fail.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

from accounts.api.dialect import V1View
from accounts.api.websites import WebsitesView, WebsiteView
from analytics.api.openpanel.export import ExportView
from analytics.api.v1.reports import ReportView
from analytics.api.views import IngestView


class Door(Enum):
    """What somebody needs to be let in."""

    NOTHING = "nothing"
    # Asked from elsewhere it is not there.
    NETWORK = "a network of our own"
    # Everybody may send; what it takes for it is the dialect's.
    INGEST = "an ingest route"
    # The address holds a secret.
    LINK = "a link"
    KEY = "an API key"
    SECRET = "a client's secret"
    SESSION = "a session of the back office"


# For everybody, in the spelling without a slash at the end.
OPEN = {
    "",
    "health",
    "js/tracker.js",
    "admin/login",
    # The second step: who has not taken the first is led to it.
    "admin/login/code",
    "admin/login/setup",
    "admin/login/setup/qr.svg",
    # Nobody is signed in any more after it; who was not, is led to the front of the back office.
    "admin/logout",
    "api/schema",
    "api/schema/docs",
    "api/event-submissions",
    "calendar",
    "calendar.json",
    "calendar.ics",
    "calendar.rss",
    "calendar/<uuid:website>",
    "calendar/<uuid:website>.json",
    "calendar/<uuid:website>.ics",
    "calendar/<uuid:website>.rss",
    "calendar/<uuid:website>/<str:key>",
    "calendar/<uuid:website>/<str:key>/event.ics",
    "calendar/<uuid:website>/<str:key>/<slug:slug>",
    "calendar/submit",
    "calendar/<uuid:website_id>/submit",
}
INTERNAL = {"metrics"}
LINKS = {
    "sign-in/<str:token>",
    "calendar/proposals/<str:token>",
    "calendar/proposals/<str:token>/edit",
    "calendar/proposals/<str:token>/withdraw",
    "calendar/proposals/<str:token>/answer",
    "calendar/proposals/<str:token>/appeal",
    "share/<str:token>",
    "share/<str:token>/list/<slug:tab>",
    "share/<str:token>/csv/<slug:tab>",
}
# Of API v1, what a key of the role `user` opens, too (contract 1.1). Everything else of it is for admins.
FOR_USERS = (WebsitesView, WebsiteView, ReportView)

PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")
# Routes whose pattern is a regular expression, by an address that it matches.
EXPRESSIONS = {
    "admin/^(?P<app_label>accounts|auth|submissions|analytics)/$": "admin/accounts/",
    "admin/(?P<url>.*)$": "admin/nothing/of/the/kind",
    r"^track/widget(?:/[\s\S]*)?$": "track/widget/x",
    r"^track/transaction(?:/[\s\S]*)?$": "track/transaction/x",
    "^[/]track/?$": "/track",
    "^[/]track/device-id/?$": "/track/device-id",
    "^[/]?track/": "track/nothing",
}


@dataclass(frozen=True)
class Route:
    # As in the URLconf.
    pattern: str
    view: Any

    @property
    def name(self) -> str:
        """The pattern in one of its two spellings."""
        return self.pattern.removesuffix("/")

    @property
    def view_class(self) -> Any:  # noqa: ANN401 (a class, or None of a function)
        return getattr(self.view, "cls", None)

    @property
    def door(self) -> Door:
        kind = self.view_class
        if kind is not None and issubclass(kind, V1View):
            return Door.KEY
        if kind is not None and issubclass(kind, ExportView):
            return Door.SECRET
        if kind is not None and issubclass(kind, IngestView):
            return Door.INGEST
        if self.name in INTERNAL:
            return Door.NETWORK
        if self.name in OPEN:
            return Door.NOTHING
        return Door.LINK if self.name in LINKS else Door.SESSION

    @property
    def is_for_users(self) -> bool:
        return issubclass(self.view_class, FOR_USERS)

    @property
    def methods(self) -> list[str]:
        """Those that a view of DRF takes."""
        return [name.upper() for name in self.view_class.http_method_names if hasattr(self.view_class, name)]

    @property
    def parameters(self) -> list[str]:
        return [] if self.pattern in EXPRESSIONS else PARAMETER.findall(self.pattern)

    def address(self, **values: object) -> str:
        """The path with these values in it; KeyError where one is missing."""
        plain = EXPRESSIONS.get(self.pattern, self.pattern)
        if "^" in plain or "$" in plain or "(?" in plain:
            raise KeyError(f"{self.pattern} is an expression: say in EXPRESSIONS what it matches.")
        return "/" + PARAMETER.sub(lambda match: str(values[match[1]]), plain)


def every_route() -> list[Route]:
    return list(_walk(get_resolver().url_patterns, ""))


def behind(door: Door) -> list[Route]:
    return [route for route in every_route() if route.door is door]


def _walk(patterns: list[Any], prefix: str) -> Iterator[Route]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, prefix + str(pattern.pattern))
        elif isinstance(pattern, URLPattern):
            yield Route(prefix + str(pattern.pattern), pattern.callback)
