"""From the public calendar to its numbers, in a real browser: a reader searches, opens an event, and leaves."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from analytics.models import Event
from analytics.tests.browser import PATIENCE_SECONDS, Chromium
from analytics.tests.test_admin import signed_in
from analytics.tests.test_calendar_numbers import address, numbers, tables
from analytics.tests.tracking import make_calendar, make_event

pytestmark = pytest.mark.django_db(transaction=True)


def done():
    """What readers did, besides viewing pages."""
    return sorted(Event.objects.exclude(name=None).values_list("name", flat=True))


def stored(*names):
    """Waits until exactly these have come in; the browser's own thread has no database."""

    def look():
        deadline = time.monotonic() + PATIENCE_SECONDS
        try:
            while done() != sorted(names):
                assert time.monotonic() < deadline, done()
                time.sleep(0.02)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(look).result()


def search(page, text):
    """The search is told before its page is there: what comes next happens on that page."""
    page.fill("input[name=q]", text)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def test_opening_an_event_shows_in_its_numbers(chromium: Chromium, live_server, client, web):
    calendar = make_calendar()
    web.pages["/"] = "there"
    event = make_event(calendar, url=web.url("www.lesunset.example"))
    make_event(calendar, "Techno")

    def story(page):
        page.goto(f"{live_server.url}/calendar")
        search(page, "opera")
        stored("search")
        search(page, "jazz")
        stored("search", "search")
        page.click("h3 >> text=Jazz Night")
        stored("search", "search", "click")
        page.click("text=Visit lesunset")
        stored("search", "search", "click", "outbound_click")

    chromium.browse(story)
    owner = signed_in(client, calendar.website.account)
    page = owner.get(address(calendar), {"event": event.key})
    assert (numbers(page)["Event views"], numbers(page)["Outbound clicks"]) == ("1", "1")
    assert (numbers(page)["Sessions"], numbers(page)["Outbound rate"]) == ("1", "100.0 %")
    whole = tables(owner.get(address(calendar)))
    assert [row[0] for row in whole["Events"]] == ["Jazz Night"]
    assert [row[:2] for row in whole["Searches"]] == [["jazz", "1"], ["opera", "1"]]
    assert [row[0] for row in whole["Searches without an answer"]] == ["opera"]
