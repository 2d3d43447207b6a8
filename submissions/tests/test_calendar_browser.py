"""The public calendar in a real browser: what it sends, that hostile texts stay texts, and that no script is needed."""

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.utils import timezone

from accounts.tests.builders import make_root
from submissions import calendars, catalog
from submissions.tests import catalogue
from submissions.tests.catalogue import make_calendar

pytestmark = pytest.mark.django_db(transaction=True)

NAME = "</script><img src=x onerror=document.title='run'>\"'"


@pytest.fixture
def acme():
    return make_calendar()


def make_event(calendar, *names, **given):
    """An event of the days to come, by the clock of the server."""
    now = timezone.now()
    return catalogue.make_event(calendar, *names, **{"now": now, "date": catalogue.in_days(10, now)} | given)


@dataclass
class Watched:
    """What a page sent, and what it complained of."""

    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)

    def of(self, path: str) -> list[dict[str, Any]]:
        return [body for called, body in self.calls if called == path]


def quiet(page, take=lambda route: route.fulfill(status=202, body="{}")):
    """Nothing is stored: what a page still sends when its test is over would meet the next test's database."""
    page.add_init_script("window.tinytrailOff = true")
    page.route("**/api/track**", take)


def watched(page) -> Watched:
    """Listens, and answers for the routes that are told what readers do."""
    seen = Watched()

    def take(route):
        request = route.request
        seen.calls.append(("/" + request.url.split("/", 3)[3], json.loads(request.post_data)))
        route.fulfill(status=202, content_type="application/json", body='{"success":true}')

    # Playwright does not see the body of a beacon; the script then falls back to fetch.
    page.add_init_script("delete Navigator.prototype.sendBeacon")
    quiet(page, take)
    page.on("pageerror", lambda error: seen.problems.append(str(error)))
    page.on("console", lambda line: seen.problems.append(line.text) if line.type == "error" else None)
    page.on("request", lambda request: seen.hosts.add(request.url.split("/")[2]))
    return seen


def address(live_server, event):
    return f"{live_server.url}/calendar/{event.calendar.website.public_id}/{event.key}/{event.slug}"


def test_opening_an_event_is_told(chromium, live_server, acme):
    event = make_event(acme)

    def story(page):
        seen = watched(page)
        page.goto(f"{live_server.url}/calendar")
        with page.expect_request("**/api/track"):
            page.click("h3 >> text=Jazz Night")
        page.wait_for_load_state("networkidle")
        return seen

    seen = chromium.browse(story)
    assert seen.calls == [
        (
            "/api/track",
            {
                "eventKey": event.key,
                "actionType": "click",
                "source": "event_open",
                "isAuthenticated": False,
                "sessionId": None,
                "path": f"/calendar/{acme.website.public_id}/{event.key}/jazz-night",
            },
        )
    ]
    assert seen.problems == []
    assert seen.hosts == {live_server.url.removeprefix("http://")}


def test_it_is_a_beacon_where_there_is_one(chromium, live_server, acme):
    event = make_event(acme)

    def story(page):
        quiet(page)
        with page.expect_request("**/api/track") as asked:
            page.goto(address(live_server, event))
        return asked.value.resource_type, asked.value.method, asked.value.headers["content-type"]

    assert chromium.browse(story) == ("ping", "POST", "application/json")


def test_leaving_for_the_hosts_page_and_adding_to_a_calendar_are_told(chromium, live_server, acme):
    event = make_event(acme, url="https://www.lesunset.example/")

    def story(page):
        seen = watched(page)
        page.route("https://www.lesunset.example/**", lambda route: route.fulfill(body="there"))
        page.goto(address(live_server, event))
        with page.expect_download() as download:
            page.click("text=Add to calendar")
        with page.expect_request(lambda request: "outbound_click" in (request.post_data or "")):
            page.click("text=Visit lesunset.example")
        page.wait_for_url("https://www.lesunset.example/")
        return seen, download.value.suggested_filename

    seen, name = chromium.browse(story)
    assert name == "jazz-night.ics"
    assert {(body["actionType"], body["source"]) for body in seen.of("/api/track")} == {
        ("click", "event_open"),
        ("calendar_sync", "event_page_calendar_sync"),
        ("outbound_click", "Visit lesunset.example"),
    }
    assert {(body["eventKey"], body["sessionId"]) for body in seen.of("/api/track")} == {(event.key, None)}


def told(seen):
    """What was told of searches and filters. Calls of one moment arrive in any order."""
    return Counter(
        (body["actionType"], body["filterGroup"], body["filterValue"], body["searchQuery"])
        for body in seen.of("/api/track/discovery")
    )


def test_a_search_and_each_new_filter_are_told_once(chromium, live_server, acme):
    make_event(acme, genre="Jazz", arrondissement="11e")

    def story(page):
        seen = watched(page)
        page.goto(f"{live_server.url}/calendar")
        page.fill("#q", "jazz")
        page.click("summary")
        page.fill("#from", "2026-01-01")
        page.select_option("#genre", "jazz")
        page.fill("#price_to", "20")
        page.fill("#age", "18")
        page.check("#oooc_pick")
        page.click("text=Apply filters")
        page.wait_for_url("**?q=jazz**")
        page.click("summary")
        page.select_option("#genre", "")
        page.fill("#age", "21")
        page.click("button:text-is('Search')")
        page.wait_for_url(lambda url: "age=21" in url)
        page.wait_for_load_state("networkidle")
        return seen, page.url.partition("?")[2]

    seen, query = chromium.browse(story)
    assert told(seen) == Counter(
        [
            ("search", None, None, "jazz"),
            ("filter_apply", "genre", "jazz", "jazz"),
            ("filter_apply", "oooc_pick", "yes", "jazz"),
            ("filter_apply", "date_range", "2026-01-01:any", "jazz"),
            ("filter_apply", "price_range", "any:20", "jazz"),
            ("filter_apply", "age_range", "18:18", "jazz"),
            ("filter_apply", "age_range", "21:21", "jazz"),
            ("filter_clear", "genre", "jazz", None),
        ]
    )
    assert {body["path"] for body in seen.of("/api/track/discovery")} == {
        "/calendar",
        f"/calendar/{acme.website.public_id}",
    }
    assert query == "q=jazz&from=2026-01-01&price_to=20&age=21&oooc_pick=yes"


def test_a_filter_taken_off_and_everything_cleared_are_told(chromium, live_server, acme):
    make_event(acme, genre="Jazz")

    def story(page):
        seen = watched(page)
        page.goto(f"{live_server.url}/calendar?genre=jazz&day_night=day&q=jazz")
        page.click("[data-clear=genre]")
        page.wait_for_url(lambda url: "genre" not in url)
        page.click("[data-clear=q]")
        page.wait_for_url(lambda url: "q=" not in url)
        page.click("text=Clear all")
        page.wait_for_url(lambda url: "?" not in url)
        page.wait_for_load_state("networkidle")
        return seen

    assert told(chromium.browse(story)) == Counter(
        [
            ("filter_clear", "genre", "jazz", None),
            ("filter_clear", "search", None, "jazz"),
            ("filter_clear", "all", "reset", None),
        ]
    )


def test_a_search_of_one_letter_is_not_told(chromium, live_server, acme):
    def story(page):
        seen = watched(page)
        page.goto(f"{live_server.url}/calendar")
        page.fill("#q", "a")
        page.press("#q", "Enter")
        page.wait_for_url("**?q=a")
        page.wait_for_load_state("networkidle")
        return seen

    assert chromium.browse(story).calls == []


def test_nothing_is_stored_in_the_browser(chromium, live_server, acme):
    event = make_event(acme)

    def story(page):
        watched(page)
        page.goto(f"{live_server.url}/calendar")
        page.goto(address(live_server, event))
        stored = page.evaluate("[localStorage.length, sessionStorage.length]")
        return page.context.cookies(), stored

    assert chromium.browse(story) == ([], [0, 0])


def test_hostile_texts_run_nowhere(chromium, live_server, acme):
    texts = dict.fromkeys(("name", "location", "genre", "price", "age", "notes", "setting"), NAME)
    event = make_event(acme, **texts, is_featured=True)
    catalog.edit(event, arrondissement="<script>1</script>", now=event.created_at)

    def story(page):
        seen = watched(page)
        titles = []
        for path in (
            "/calendar",
            f"/calendar?q={NAME}&genre={NAME}",
            address(live_server, event)[len(live_server.url) :],
        ):
            page.goto(live_server.url + path)
            page.wait_for_load_state("networkidle")
            titles.append(page.title())
        data = page.evaluate("JSON.parse(document.querySelector('[type=\"application/ld+json\"]').textContent).name")
        return seen, titles, data, page.locator("img").count()

    seen, titles, data, images = chromium.browse(story)
    assert titles == ["acme.example", "acme.example", f"{NAME} · acme.example"]
    assert (data, images, seen.problems) == (NAME, 0, [])


def test_it_works_without_scripts_and_by_keyboard(chromium, live_server, acme):
    make_event(acme, genre="Jazz")
    make_event(acme, "Techno", genre="Techno")

    def story(page):
        page.goto(f"{live_server.url}/calendar")
        page.focus("#q")
        page.keyboard.type("techno")
        page.keyboard.press("Enter")
        page.wait_for_url("**?q=techno**")
        found = page.locator("h3").all_inner_texts()
        page.click("h3 >> text=Techno")
        page.wait_for_url("**/techno")
        return found, page.inner_text("h1")

    assert chromium.browse(story, java_script_enabled=False) == (["Techno"], "Techno")


def test_a_keyboard_reaches_the_events_past_the_form(chromium, live_server, acme):
    make_event(acme)

    def story(page):
        quiet(page)
        page.goto(f"{live_server.url}/calendar")
        page.keyboard.press("Tab")
        skip = page.evaluate("document.activeElement.textContent")
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        return skip, page.evaluate("document.activeElement.textContent")

    assert chromium.browse(story) == ("Skip to the events", "Jazz Night")


@pytest.mark.parametrize("width", [320, 1280])
def test_nothing_is_wider_than_the_window(chromium, live_server, acme, width):
    event = make_event(
        acme, "Jazz" * 40, location="x" * 240, genre="y" * 120, notes="z" * 500, url="https://a.example/"
    )

    def story(page):
        quiet(page)
        wide = []
        for path in (
            f"{live_server.url}/calendar?q=jazz&price_to=5&genre=" + "y" * 100,
            f"{live_server.url}/calendar",
            address(live_server, event),
        ):
            page.goto(path)
            wide.append(page.evaluate("document.documentElement.scrollWidth"))
        return wide

    assert chromium.browse(story, viewport={"width": width, "height": 800}) == [width] * 3


def test_hostile_texts_run_nowhere_in_the_back_office(chromium, live_server, acme, client):
    texts = dict.fromkeys(("name", "location", "genre", "price", "age", "notes", "setting"), NAME)
    event = make_event(acme, **texts)
    calendars.change(acme, name=NAME)
    client.force_login(make_root(login="root"))
    cookie = {"name": "session", "value": client.cookies["session"].value, "url": live_server.url}
    events = "/admin/submissions/catalogevent/"
    pages = [
        events,
        f"{events}?q=onerror",
        *(f"{events}{event.pk}/{name}/" for name in ("change", "delete", "history")),
    ]
    pages += [f"{events}import/", "/admin/submissions/calendar/", f"/admin/submissions/calendar/{acme.pk}/change/"]

    def story(page):
        page.context.add_cookies([cookie])
        problems, ran = [], []
        page.on("pageerror", lambda error: problems.append(str(error)))
        for path in pages:
            assert page.goto(live_server.url + path).status == 200
            page.wait_for_load_state("networkidle")
            ran.append(page.title() == "run" or page.locator("img[src=x]").count() > 0)
        return problems, ran

    assert chromium.browse(story) == ([], [False] * len(pages))
