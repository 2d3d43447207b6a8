"""The addresses of every page and file there is, for what an account has.

They come from the map of the site, the back office's registered models, and the dashboard's own lists of its parts:
what is added there is visited, or fails a test because nothing says which object it names.
"""

import re
from collections.abc import Iterator
from urllib.parse import quote, urlencode
from uuid import UUID

from django.apps import apps
from django.contrib.admin import site
from django.db.models import Model

from analytics.dashboard.cards import CARDS, TABS
from analytics.reports.calendar import CALENDAR_REPORTS
from submissions import measures
from submissions.admin import STATES
from tinytrail.tests.holdings import Holdings
from tinytrail.tests.urlmap import Door, Route, every_route

# Of parameters that name no object.
FIXED = {"tab": "pages", "report": "calendar-events", "name": "weeks", "content_type_id": "1"}
ABSENT = UUID("550e8400-e29b-41d4-a716-446655440000")
MODEL = re.compile(r"admin/(\w+)/(\w+)/<\w+:object_id>")


def model_of(route: Route) -> type[Model] | None:
    """The model that the route's object is of; None of routes that name no object of the back office."""
    match = MODEL.match(route.pattern)
    return apps.get_model(*match.groups()) if match else None


def named(route: Route, of: Holdings | None, like: Holdings) -> dict[str, object]:
    """The values of the route's parameters for an object of this owner, or one like it that is nobody's.

    KeyError for a parameter that nothing here knows: whoever adds a route says what it names.
    """
    values: dict[str, object] = {}
    for parameter in route.parameters:
        if parameter == "object_id":
            model = model_of(route)
            row = like.rows[model] if model else like.website
            absent = ABSENT if isinstance(row.pk, UUID) else 2_000_000_011
            values[parameter] = (of.rows[model] if model else of.website).pk if of else absent
        elif parameter in ("website", "website_id"):
            values[parameter] = of.website.public_id if of else ABSENT
        elif parameter == "link":
            values[parameter] = of.link.pk if of else ABSENT
        elif parameter == "batch_id":
            values[parameter] = of.batch.pk if of and of.batch else ABSENT
        elif parameter in ("key", "slug"):
            values[parameter] = getattr(of.event, parameter) if of else "nothing"
        else:
            values[parameter] = FIXED[parameter]
    return values


# What only takes a form has no page of its own.
ONLY_POSTED = {
    "admin/logout",
    "admin/submissions/submission/undo",
    "admin/submissions/submission/batch",
    "admin/submissions/submission/batch/<uuid:batch_id>/undo",
    "admin/submissions/submission/<str:object_id>/step",
    "admin/submissions/submission/<str:object_id>/look",
    "api/event-submissions",
    "calendar/proposals/<str:token>/withdraw",
    "calendar/proposals/<str:token>/answer",
    "calendar/proposals/<str:token>/appeal",
    "dashboard/<uuid:website>/links/<uuid:link>/revoke",
}


def in_one_spelling(*doors: Door) -> list[Route]:
    routes = {route.name: route for route in every_route() if route.door in doors}
    return [route for name, route in routes.items() if name not in ONLY_POSTED]


def pages_of_objects(of: Holdings) -> Iterator[str]:
    """Those that name one thing that the account has."""
    for route in in_one_spelling(Door.SESSION, Door.NOTHING):
        # What only names an object, Django leads to the page on which it is changed.
        if route.parameters and not route.name.endswith("<path:object_id>"):
            yield route.address(**named(route, of, of))
    for submission in of.submissions[1:]:
        yield f"/admin/submissions/submission/{submission.pk}/change/"
    yield f"/admin/calendar-numbers/{of.website.public_id}?event={of.event.key}"


def pages_of_lists(of: Holdings) -> Iterator[str]:
    """Those that show what somebody has, and the answers to a search for the account's own words."""
    words = quote(of.words(60))
    for model in site._registry:
        path = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        yield from (path, f"{path}?q={words}")
    for route in in_one_spelling(Door.SESSION):
        if not route.parameters:
            yield route.address()
    yield f"/admin/search/?s={words}"
    yield from (f"/admin/submissions/submission/?state={state}" for state in STATES)


def pages_of_numbers(of: Holdings) -> Iterator[str]:
    """The dashboard's lists and parts, with the account's words in search and filters."""
    root, words = f"/dashboard/{of.website.public_id}", of.words(60)
    everything = {f"tab_{card.id}": card.tabs[-1].id for card in CARDS}
    yield f"{root}?{urlencode(everything)}"
    yield f"{root}?{urlencode({'filter[page]': words, 'filter_not[utm_source]': words, 'content_group': words})}"
    yield from (f"{root}?period={period}" for period in ("today", "realtime", words))
    yield from (f"{root}/list/{tab}?search={quote(words)}" for tab in TABS)
    yield from (f"{root}?part={part}" for part in ("totals", "realtime", *(card.id for card in CARDS)))


def pages_for_anybody(of: Holdings) -> Iterator[str]:
    """What needs no sign-in: public pages, and what a link opens."""
    words = quote(of.words(60))
    for route in in_one_spelling(Door.NOTHING):
        if not route.parameters:
            yield route.address()
    yield from (f"/calendar?q={words}&genre={words}&day_night={words}&from={words}", f"/calendar/{ABSENT}")
    for route in in_one_spelling(Door.LINK):
        kind = {"share": "share", "calendar": "proposal", "sign-in": "none"}[route.name.split("/")[0]]
        tokens = [token for name, token in of.tokens.items() if name.startswith(kind)]
        yield from (route.address(token=token, tab="pages") for token in tokens or ["never-made"])


def files(of: Holdings) -> Iterator[str]:
    """Everything that is downloaded as a table."""
    website = of.website.public_id
    yield from (f"/dashboard/{website}/csv/{tab}" for tab in (*TABS, "totals", "chart"))
    yield from (f"/admin/calendar-numbers/{website}/{name}.csv" for name in CALENDAR_REPORTS)
    yield from (f"/admin/submissions/submission/measures/{name}.csv" for name in measures.TABLES)
    yield from (f"/admin/submissions/submission/export.csv?state={state}" for state in STATES)
    yield from (
        f"/share/{of.tokens[name]}/csv/{tab}" for name, tab in (("share", "pages"), ("share of an event", "days"))
    )
