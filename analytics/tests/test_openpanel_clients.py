"""The vendor's published clients work unchanged when their address is this server's (contract 7.1 to 7.3)."""

import subprocess
import sys
import time
from datetime import datetime

import pytest
from django.db import connection

from analytics.ingest.grants import grants
from analytics.models import Drop, Event, Group, Profile
from analytics.tests.browser import Chromium, Web
from analytics.tests.builders import CHROME, make_website
from analytics.tests.panel import ORIGIN, Panel
from analytics.tests.published import HERE, npm_clients, run_in_node  # noqa: F401
from analytics.tests.servers import ASGI, served
from analytics.vocabulary import Type

pytestmark = pytest.mark.django_db(transaction=True)

PATIENCE_SECONDS = 20
# A client that is not understood tries three times more, which takes 3.5 seconds.
PROMPT_MILLISECONDS = 1_000


@pytest.fixture(scope="module")
def server(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock(), served(*ASGI) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def panel():
    grants.forget()
    return Panel(make_website())


def wait_for(names: set[str]) -> dict[str, Event]:
    """The events of these names, once all of them are stored."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        found = {event.name: event for event in Event.objects.order_by("id")}
        if names <= set(found) or time.monotonic() > deadline:
            assert set(found) == names
            return found
        connection.close()
        time.sleep(0.05)


# -- @openpanel/sdk ---------------------------------------------------------------------------------------------------


@pytest.fixture
def told(server, panel, npm_clients):  # noqa: F811
    """What each call of the client returned, by its name."""
    lines = run_in_node(
        npm_clients, "sdk.mjs", url=server, id=str(panel.client.id), secret=panel.secret, origin=ORIGIN, agent=CHROME
    )
    slow = [line for line in lines if line["milliseconds"] > PROMPT_MILLISECONDS]
    assert slow == []
    return {line["name"]: line["returned"] for line in lines}


def test_the_node_client_is_understood_in_every_call(told, panel):
    sent = ["track", "known", "identify", "increment", "decrement", "setGroup", "upsertGroup", "grouped", "setGroups"]
    for name in [*sent, "revenue", "cleared", "address with a slash", "visitor"]:
        assert set(told[name]) == {"deviceId", "sessionId"}, name
    assert all(told["ids"])
    # A wrong secret ends it at once; the client keeps an id to itself, and sends no alias.
    assert (told["wrong secret"], told["remember"], told["alias"]) == (None, None, None)
    assert told["fetchDeviceId"] == told["revenue"]["deviceId"] != told["track"]["deviceId"]

    names = {"my_event", "known", "grouped", "revenue", "cleared", "queued", "slashed", "visitor"}
    events = wait_for(names)
    assert Event.objects.count() == len(names)
    assert events["my_event"].properties == {
        "app": "shop",
        "foo": "bar",
        "list": [1, "2", {"a": None}],
        "nothing": None,
    }
    assert (events["my_event"].profile, events["known"].profile, events["cleared"].profile) == (None, "123", None)
    assert events["grouped"].properties == {"app": "shop", "__groups": ["org1"]}
    assert events["revenue"].properties == {
        "app": "shop",
        "product": "a",
        "__revenue": 1000,
        "__groups": ["org1", "org2", "org3"],
    }
    assert events["queued"].properties == {"n": 1}
    assert abs((events["queued"].occurred_at - datetime.fromisoformat(told["queued"])).total_seconds()) < 1
    assert {event.is_server for name, event in events.items() if name != "visitor"} == {True}
    assert (events["visitor"].is_server, events["visitor"].is_bot) == (False, False)

    joe = Profile.objects.get()
    assert (joe.profile_id, joe.first_name, joe.last_name, joe.email) == ("123", "Joe", "Doe", "joe@doe.com")
    assert joe.properties == {"app": "shop", "tier": "premium", "visits": 4}
    assert joe.groups == ["org1", "org2", "org3"]
    assert (Group.objects.get().name, Group.objects.get().properties) == ("Acme", {"plan": "pro"})
    assert list(Drop.objects.values_list("dialect", "reason", "count")) == [("openpanel", "unauthorized", 1)]


# -- openpanel from PyPI ----------------------------------------------------------------------------------------------


def test_the_python_client_is_understood_in_every_call(server, panel):
    ended = subprocess.run(
        [sys.executable, HERE / "python_client.py", server, str(panel.client.id), panel.secret],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (ended.stdout, ended.returncode) == ("Error sending payload: HTTP 400\n", 0)
    events = wait_for({"anon", "known", "cleared"})
    assert (events["anon"].properties, events["anon"].profile) == ({"a": 1}, None)
    assert (events["known"].properties, events["known"].profile) == ({"app": "shop", "b": None}, "user123")
    assert (events["cleared"].properties, events["cleared"].profile) == (None, None)
    ann = Profile.objects.get(profile_id="user123")
    assert (ann.first_name, ann.email) == ("Ann", "ann@doe.com")
    assert ann.properties == {"app": "shop", "tier": "premium", "age": 30}
    assert Profile.objects.get(profile_id="1").properties == {"visits": 2}
    assert list(Drop.objects.values_list("reason", "count")) == [("alias", 1)]


# -- @openpanel/web ---------------------------------------------------------------------------------------------------

PAGE = """<!doctype html><title>{title}</title>
<script type="importmap">
{{"imports": {{"@openpanel/sdk": "/sdk.js", "@openpanel/web": "/web.js", "rrweb": "/rrweb.js"}}}}
</script>
<script type="module">
import {{ OpenPanel }} from "@openpanel/web";
window.op = new OpenPanel({{
  apiUrl: "{url}", clientId: "{id}", trackScreenViews: true, trackOutgoingLinks: true, trackAttributes: true,
  sessionReplay: {{ enabled: {replay} }},
}});
</script>
<a id="out" href="http://elsewhere.example/there">Elsewhere</a>
<button id="buy" data-track="bought" data-product-id="p1">Buy</button>
"""


@pytest.fixture
def site(web: Web, server, npm_clients):  # noqa: F811
    """A website that uses the client, with an OpenPanel client of its own that allows the site's origin."""
    folder = npm_clients / "node_modules"
    origin = web.url("app.acme.example", "")
    grants.forget()
    panel = Panel(make_website(), origins=[origin])
    web.pages |= {
        "/favicon.ico": b"",
        "/sdk.js": (folder / "@openpanel/sdk/dist/index.js").read_bytes(),
        "/web.js": (folder / "@openpanel/web/dist/index.js").read_bytes(),
        "/replay-V6FXES7X.js": (folder / "@openpanel/web/dist/replay-V6FXES7X.js").read_bytes(),
        "/rrweb.js": (folder / "rrweb/dist/rrweb.js").read_bytes(),
    }
    for path, title in (("/", "Home"), ("/pricing", "Pricing")):
        web.pages[path] = PAGE.format(title=title, url=server, id=panel.client.id, replay="false")
    web.pages["/recorded"] = PAGE.format(title="Recorded", url=server, id=panel.client.id, replay="true")
    return panel


def answers_of(page, found):
    """Collects the status of each answer to a call of the client's."""
    page.on("response", lambda answer: "/track" in answer.url and found.append((answer.request.method, answer.status)))


def test_the_web_client_is_understood_in_every_call(chromium: Chromium, web: Web, site):
    answers: list[tuple[str, int]] = []
    errors: list[str] = []

    def story(page):
        answers_of(page, answers)
        page.on("console", lambda message: message.type == "error" and errors.append(message.text))
        page.goto(web.url("app.acme.example", "/?utm_source=news"), referer="https://www.google.com/")
        page.wait_for_function("window.op && op.getSessionId()")
        first = page.evaluate("[op.getDeviceId(), op.getSessionId()]")
        page.click("#buy")
        page.evaluate("document.querySelector('#out').addEventListener('click', (e) => e.preventDefault())")
        page.click("#out")
        page.evaluate("history.pushState({}, '', '/pricing')")
        # The second view comes by itself, a moment after the address has changed.
        page.wait_for_function("op.lastPath.endsWith('/pricing')")
        page.evaluate("op.track('my_event', {foo: 'bar'})")
        page.evaluate("op.identify({profileId: 'u1', firstName: 'Ann', properties: {tier: 'pro'}})")
        page.evaluate("op.increment({profileId: 'u1', property: 'clicks', value: 2})")
        page.evaluate("op.setGroup('org1')")
        page.evaluate("op.revenue(500, {product: 'a'})")
        page.evaluate("op.track('last')")
        page.wait_for_load_state("networkidle")
        return first, page.evaluate("[op.getDeviceId(), op.getSessionId()]")

    first, last = chromium.browse(story)
    assert errors == []
    assert {status for method, status in answers if method == "POST"} == {200}
    assert all(first)
    assert first == last

    events = wait_for({"screen_view", "bought", "link_out", "my_event", "revenue", "last"})
    views = list(Event.objects.filter(name="screen_view").order_by("occurred_at", "id"))
    assert [(view.type, view.path, view.properties) for view in views] == [
        (Type.PAGE_VIEW, "/", {"__title": "Home"}),
        (Type.PAGE_VIEW, "/pricing", {"__title": "Home"}),
    ]
    assert (views[0].utm_source, views[0].referrer) == ("news", "google.com")
    assert (events["bought"].path, events["bought"].properties) == ("", {"productId": "p1"})
    assert events["link_out"].properties == {"href": "http://elsewhere.example/there", "text": "Elsewhere"}
    assert (events["my_event"].path, events["my_event"].properties) == ("/pricing", {"foo": "bar"})
    # No browser is believed about money.
    assert events["revenue"].properties == {"product": "a", "__groups": ["org1"]}
    assert (events["last"].profile, events["my_event"].profile) == ("u1", None)
    assert len({event.visitor for event in Event.objects.all()}) == 1
    assert not Event.objects.exclude(is_server=False, is_bot=False).exists()
    ann = Profile.objects.get()
    assert (ann.profile_id, ann.first_name, ann.groups) == ("u1", "Ann", ["org1"])
    assert ann.properties == {"tier": "pro", "clicks": 2, "browser": "Chrome", "os": "Linux", "device": "desktop"}
    assert list(Drop.objects.values_list("reason", "count")) == [("revenue_without_secret", 1)]


def test_a_recording_is_taken_without_an_error(chromium: Chromium, web: Web, site):
    chunks: list[int] = []

    def story(page):
        page.on(
            "response",
            lambda answer: '"replay"' in (answer.request.post_data or "") and chunks.append(answer.status),
        )
        page.goto(web.url("app.acme.example", "/recorded"))
        page.wait_for_function("window.op && op.getSessionId()")
        # Chunks are sent every ten seconds, and when the page is left.
        with page.expect_response(lambda answer: '"replay"' in (answer.request.post_data or ""), timeout=30_000):
            page.evaluate("dispatchEvent(new Event('pagehide')); dispatchEvent(new Event('beforeunload'))")

    chromium.browse(story)
    assert set(chunks) == {200}
    assert set(Event.objects.values_list("name", flat=True)) == {"screen_view"}
    assert Drop.objects.get().reason == "replay"
