"""What is taken away as a file is kept by nobody on the way (guarantee P23)."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.tests.builders import make_account, make_root
from analytics.reports import REPORTS
from analytics.tests.panel import Panel
from tinytrail.tests.holdings import Holdings, Words, make_holdings
from tinytrail.tests.test_isolation import named
from tinytrail.tests.urlmap import Door, Route, every_route

pytestmark = pytest.mark.django_db(transaction=True)

# The routes that answer with a file, or with rows for a program.
EXPORTS = {
    # That of the last half hour has no CSV.
    *(f"api/v1/reports/{name}" for name in REPORTS if name != "realtime"),
    "admin/analytics/profile/<path:object_id>/export",
    "admin/calendar-numbers/<uuid:website>/<slug:report>.csv",
    "admin/submissions/submission/export.csv",
    "admin/submissions/submission/measures/<slug:name>.csv",
    "dashboard/<uuid:website>/csv/<slug:tab>",
    "export/events",
    "share/<str:token>/csv/<slug:tab>",
}
# Published events, for everybody's calendar: the one kind of file that caches may keep.
PUBLIC = {"calendar.ics", "calendar/<uuid:website>.ics", "calendar/<uuid:website>/<str:key>/event.ics"}


@pytest.fixture
def acme(settings: Any) -> Holdings:
    settings.LIMITS = {**settings.LIMITS, "API_KEY": None, "OPENPANEL_EXPORT": None}
    words = Words(("acme",), "https://acme.example/")
    return make_holdings(make_account("Acme"), "acme.example", words, now=timezone.now())


def files(acme: Holdings) -> Iterator[tuple[Route, Any]]:
    """Every answer that is a file, of all routes that are read; asked by somebody who may have it."""
    office, programs = Client(), Client(headers={"X-API-KEY": acme.user.key})
    office.force_login(make_root(login="root"))
    reader = Client(headers=Panel(acme.website, right="root").trusted)
    clients = {Door.SESSION: office, Door.KEY: programs, Door.SECRET: reader}
    query = {"website_id": str(acme.website.public_id), "format": "csv", "steps[]": ["/a", "/b"]}
    # One spelling of each is enough.
    for route in {route.name: route for route in every_route() if route.door is not Door.INGEST}.values():
        client = clients.get(route.door, Client())
        answer = client.get(route.address(**values(route, acme)), query if route.door is Door.KEY else {})
        if answer.status_code == 200 and is_file(route, answer):
            yield route, answer


def values(route: Route, acme: Holdings) -> dict[str, object]:
    website = acme.website.public_id
    own = {"token": acme.tokens["share"], "key": acme.event.key, "slug": "jazz", "tab": "pages", "id": website}
    own |= {"website": website, "website_id": website}
    return own if set(route.parameters) <= set(own) else named(route, acme, acme)


def is_file(route: Route, answer: Any) -> bool:
    return route.door is Door.SECRET or "attachment" in answer.get("Content-Disposition", "")


def test_every_file_is_answered_with_no_store(acme: Holdings) -> None:
    kept, found = set(), set()
    for route, answer in files(acme):
        found.add(route.name)
        if "no-store" not in answer.get("Cache-Control", ""):
            kept.add(route.name)
    assert kept == PUBLIC
    assert found == EXPORTS | PUBLIC
