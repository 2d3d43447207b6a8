"""A page with the tracking snippet, opened in a real browser, is counted correctly in all nine reports."""

import time
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page

from accounts.models import Website
from analytics.models import Event
from analytics.tests.browser import PATIENCE_SECONDS, Chromium, Web
from analytics.tests.builders import data, make_account, make_key, make_website
from analytics.vocabulary import Channel, Device, Dialect, Screen, Type

pytestmark = pytest.mark.django_db(transaction=True)

HEADLESS = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/140.0.0.0 Safari/537.36"
)
# Type, path, and a custom event's name, as they are stored.
VISIT = [
    (Type.PAGE_VIEW, "/landing", None),
    (Type.SCROLL_25, "/landing", None),
    (Type.SCROLL_50, "/landing", None),
    (Type.SCROLL_75, "/landing", None),
    (Type.CUSTOM, "/landing", "signup"),
    (Type.PAGE_VIEW, "/pricing", None),
    (Type.OUTBOUND_LINK, "/pricing", None),
    (Type.CLOSE_TAB, "/pricing", None),
]


@pytest.fixture
def acme() -> Website:
    return make_website(make_account("Acme"), content_groups=[{"name": "Plans", "pattern": "/pric*"}])


def publish(web: Web, website: Website, server: str) -> None:
    """Acme's page, with the snippet of the documentation. The tracker comes from the real server, another origin."""
    web.pages["/landing"] = (
        f'<!doctype html><script defer data-id="{website.public_id}" src="{server}/js/tracker.js"></script>'
        '<a href="http://globex.example/">Globex</a><main style="height: 5000px">Acme</main>'
    )


def read(chromium: Chromium, web: Web) -> None:
    """One visit, with everything that the tracker notices. Each step waits for the answer to the one before."""

    def story(page: Page) -> None:
        def arrives(step: Callable[[], object]) -> None:
            with page.expect_event("requestfinished", lambda request: request.url.endswith("/api/v1/collect")):
                step()

        landing = web.url("acme.example", "/landing?utm_source=letter&utm_campaign=spring")
        arrives(lambda: page.goto(landing, referer="https://www.google.com/"))
        for top in (1500, 2500, 5000):
            arrives(lambda top=top: page.evaluate("top => scrollTo(0, top)", top))
        arrives(lambda: page.evaluate("tinytrail.track('signup', {plan: 'pro'})"))
        arrives(lambda: page.evaluate("history.pushState({}, '', '/pricing')"))
        page.evaluate("addEventListener('click', event => event.preventDefault())")
        arrives(lambda: page.evaluate("document.links[0].click()"))
        page.goto("about:blank")

    chromium.browse(story, until=lambda: eventually(lambda: Event.objects.count() == len(VISIT)))


def eventually(condition: Callable[[], bool]) -> None:
    patience = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < patience, list(Event.objects.values())
        time.sleep(0.01)


def test_what_a_browser_sends_is_stored(chromium: Chromium, web: Web, live_server: Any, acme: Website) -> None:
    publish(web, acme, live_server.url)
    read(chromium, web)

    events = list(Event.objects.order_by("occurred_at", "type"))

    assert [(event.type, event.path, event.name) for event in events] == VISIT
    for event in events:
        assert (event.website_id, event.dialect, event.visitor) == (acme.id, Dialect.V1, events[0].visitor)
        assert (event.device, event.screen) == (Device.DESKTOP, Screen.W1025)
        assert (event.is_bot, event.is_excluded) == (False, False)
        assert event.content_group == ("Plans" if event.path == "/pricing" else None)
    first = events[0]
    assert (first.channel, first.referrer) == (Channel.ORGANIC_SEARCH, "google.com")
    assert (first.utm_source, first.utm_medium, first.utm_campaign) == ("letter", None, "spring")
    assert {event.type: event.properties for event in events if event.properties} == {
        Type.CUSTOM: {"plan": "pro", "event_name": "signup"},
        Type.OUTBOUND_LINK: {"href": "http://globex.example/"},
    }


def test_one_visit_is_counted_in_all_nine_reports(
    chromium: Chromium, web: Web, live_server: Any, acme: Website, client: Client
) -> None:
    publish(web, acme, live_server.url)
    read(chromium, web)
    key = make_key(acme.account)
    today = timezone.now().date().isoformat()
    moments = Event.objects.order_by("occurred_at").values_list("occurred_at", flat=True)
    seconds = Decimal((moments[len(VISIT) - 1] - moments[0]).total_seconds())

    def ask(name: str, **parameters: Any) -> Any:  # noqa: ANN401 (any JSON value)
        return data(client, name, acme, key, **parameters)

    def today_of(name: str, **parameters: Any) -> Any:  # noqa: ANN401 (any JSON value)
        answer = ask(name, period="today", **parameters)
        assert answer.pop("period") == {"start": today, "end": today}
        return answer

    assert today_of("summary")["metrics"] == {
        "visits": {"value": 1},
        "unique_visitors": {"value": 1},
        "pageviews": {"value": 2},
        "bounce_rate": {"value": 0},
        "avg_session_duration_sec": {"value": int(seconds.quantize(Decimal(1), ROUND_HALF_UP))},
    }
    assert today_of("pages")["rows"] == [
        {"path": "/landing", "contentGroup": None, "pageviews": 1, "uniquePageviews": 1},
        {"path": "/pricing", "contentGroup": "Plans", "pageviews": 1, "uniquePageviews": 1},
    ]
    assert today_of("sources")["rows"] == [{"channel": "Organic Search", "visits": 1}]
    assert today_of("sources", group_by="domain")["rows"] == [{"referrer": "google.com", "visits": 1}]
    assert today_of("sources", group_by="utm")["rows"] == [
        {"utmSource": "letter", "utmMedium": None, "utmCampaign": "spring", "visits": 1}
    ]
    assert today_of("devices") == {
        "device_types": [{"deviceType": "desktop", "visits": 1}],
        "browsers": [{"browserFamily": "Chrome", "visits": 1}],
        "os_families": [{"osFamily": "Linux", "visits": 1}],
        "screen_resolutions": [{"bucket": "1025-1440", "visits": 1}],
    }
    assert today_of("flow") == {
        "landing_pages": [{"path": "/landing", "entries": 1}],
        "exit_pages": [{"path": "/pricing", "exits": 1}],
    }
    steps = ["/landing", "signup", "/pricing", "outbound_link", "close_tab"]
    assert [(row["step"], row["sessions"], row["conversion_rate"]) for row in funnel(today_of, steps)] == [
        (step, 1, 100) for step in steps
    ]
    assert ask("realtime") == {
        "active_visitors": 1,
        "top_pages": [{"path": "/landing", "visitors": 1}, {"path": "/pricing", "visitors": 1}],
        "events_by_type": [
            {"eventType": "page_view", "count": 2},
            {"eventType": "close_tab", "count": 1},
            {"eventType": "custom", "count": 1},
            {"eventType": "outbound_link", "count": 1},
            {"eventType": "scroll_25", "count": 1},
            {"eventType": "scroll_50", "count": 1},
            {"eventType": "scroll_75", "count": 1},
        ],
    }
    assert today_of("custom-events")["rows"] == [{"name": "signup", "count": 1}]
    assert today_of("timeseries")["series"] == [{"date": today, "value": 2}]


def funnel(today_of: Callable[..., Any], steps: list[str]) -> list[dict[str, Any]]:
    answer = today_of("funnel", **{"steps[]": steps})
    (rows,) = [value for value in answer.values() if isinstance(value, list)]
    return rows


def test_a_browser_that_says_it_is_headless_is_stored_and_not_counted(
    chromium: Chromium, web: Web, live_server: Any, acme: Website, client: Client
) -> None:
    publish(web, acme, live_server.url)

    def story(page: Page) -> None:
        page.goto(web.url("acme.example", "/landing"))
        page.goto("about:blank")

    chromium.browse(story, until=lambda: eventually(lambda: Event.objects.count() == 2), user_agent=HEADLESS)
    key = make_key(acme.account)

    assert Event.objects.get(type=Type.PAGE_VIEW).is_bot
    assert data(client, "summary", acme, key, period="today")["metrics"]["visits"] == {"value": 0}
    bots = data(client, "summary", acme, key, period="today", include_bots="true")
    assert bots["metrics"]["visits"] == {"value": 1}
