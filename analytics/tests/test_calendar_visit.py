"""A reader on the public calendar, in a real browser: all that they do is stored under one visitor (definitions 25)."""

import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from accounts.tests.builders import make_account
from analytics.models import Event
from analytics.tests.browser import PATIENCE_SECONDS, Chromium, Web
from analytics.tests.tracking import in_days, make_calendar, make_event
from analytics.vocabulary import Dialect, Type

pytestmark = pytest.mark.django_db(transaction=True)


def eventually(condition: Callable[[], bool]) -> None:
    patience = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < patience, sorted(map(str, Event.objects.values_list("name", "type", "path")))
        time.sleep(0.01)


def test_a_reader_is_counted_from_the_search_to_the_hosts_page(chromium: Chromium, live_server: Any, web: Web) -> None:
    web.pages["/"] = "there"
    hosts_page = web.url("www.lesunset.example")
    make_calendar("default.example")
    globex = make_calendar("globex.example", account=make_account("Globex"))
    event = make_event(globex, genre="Jazz", url=hosts_page)
    make_event(globex, "Techno", genre="Techno", date=in_days(8))
    page_path = f"/calendar/{globex.website.public_id}"
    event_path = f"{page_path}/{event.key}/jazz-night"

    def story(page: Page) -> None:
        page.goto(live_server.url + page_path)
        page.fill("#q", "night")
        page.click("summary")
        page.select_option("#genre", "techno")
        page.click("text=Apply filters")
        page.wait_for_url("**genre=techno")
        page.click("text=Clear all")
        page.wait_for_url(f"**{page_path}")
        page.click("h3 >> text=Jazz Night")
        page.wait_for_url(f"**{event_path}")
        page.wait_for_load_state("networkidle")
        with page.expect_download():
            page.click("text=Add to calendar")
        page.click("text=Visit lesunset.example")
        page.wait_for_url(hosts_page)

    # Four pages, each opened and left, a link followed, and six calls of the calendar.
    chromium.browse(story, until=lambda: eventually(lambda: Event.objects.count() == 15))
    counted = Counter(Event.objects.filter(dialect=Dialect.V1).values_list("type", flat=True))
    assert counted == {Type.PAGE_VIEW: 4, Type.CLOSE_TAB: 4, Type.OUTBOUND_LINK: 1}
    told = Event.objects.exclude(dialect=Dialect.V1)
    key = {"eventKey": event.key}
    assert {(found.name, found.path, tuple(sorted((found.properties or {}).items()))) for found in told} == {
        (name, path, tuple(sorted(properties.items())))
        for name, path, properties in (
            ("search", page_path, {"searchQuery": "night", "matches": 1}),
            (
                "filter_apply",
                page_path,
                {"filterGroup": "genre", "filterValue": "techno", "searchQuery": "night", "matches": 1},
            ),
            ("filter_clear", page_path, {"filterGroup": "all", "filterValue": "reset"}),
            ("click", event_path, key | {"source": "event_open"}),
            ("calendar_sync", event_path, key | {"source": "event_page_calendar_sync"}),
            ("outbound_click", event_path, key | {"source": "Visit lesunset.example"}),
        )
    }
    everything = Event.objects.all()
    assert {(found.website_id, found.visitor, found.is_bot) for found in everything} == {
        (globex.website_id, everything[0].visitor, False)
    }
