"""The calendar's two routes: the front answers as Django does, byte by byte, and stores the same rows."""

import json
import time

import pytest
from django.utils import timezone

from analytics.api.engagement import sign_in
from analytics.models import Event
from analytics.tests.builders import CHROME, GOOGLEBOT
from analytics.tests.servers import ASGI, WSGI, served
from analytics.tests.test_engagement import BAD
from analytics.tests.test_front import JSON, asked, same
from analytics.tests.test_sign_in_cookie import token
from analytics.tests.tracking import make_calendar, make_event
from submissions import catalog

pytestmark = pytest.mark.django_db(transaction=True)

TRACK, DISCOVERY = "/api/track", "/api/track/discovery"
SEARCH = {"actionType": "search", "searchQuery": "Jazz", "sessionId": "s", "path": "/events"}


@pytest.fixture(scope="module")
def ports(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        options = {f"TINYTRAIL_LIMIT_{name}": "off" for name in ("TRACK_IP", "TRACK_SESSION", "DISCOVERY_IP")}
        with served(*ASGI, **options) as front, served(*WSGI, **options) as django:
            yield front, django


@pytest.fixture
def jazz(request):
    """An event of a calendar whose domain no other test has."""
    name = "".join(char for char in request.node.name.lower() if char.isalnum())[:60]
    return make_event(make_calendar(f"{name}.example"), name)


def click(jazz, **fields):
    body = {"eventKey": jazz.key, "actionType": "click", "sessionId": "s", "source": "event_open", "path": "/e"}
    return {"path": TRACK, "body": json.dumps(body | fields).encode()}


def search(jazz, **fields):
    origin = {"Origin": f"https://{jazz.calendar.website.domain}"}
    return {"path": DISCOVERY, "body": json.dumps(SEARCH | fields).encode(), "headers": JSON | origin}


def test_good_and_hostile_bodies_are_answered_and_stored_alike(ports, jazz):
    calls = [click(jazz), click(jazz, source="canary@example.test"), click(jazz, sessionId=None)]
    calls += [{"path": TRACK, "body": body.replace(b"KEY", jazz.key.encode())} for body, _ in BAD.values()]
    answers, (rows, drops) = same(ports, calls)
    assert {(status, body) for status, _, body in answers} == {(202, b'{"success":true}')}
    assert (len(rows), sum(count for *_, count in drops)) == (3, len(BAD))


def test_discovery_is_answered_and_stored_alike(ports, jazz):
    make_event(jazz.calendar, "More jazz")
    calls = [
        search(jazz),
        search(jazz, searchQuery="j"),
        search(jazz, searchQuery="opera"),
        search(jazz, actionType="filter_apply", filterGroup="genre", filterValue="jazz"),
        search(jazz, actionType="filter_apply", filterGroup="mood", filterValue="jazz"),
        search(jazz, actionType="filter_clear", filterGroup="all", filterValue="reset"),
    ]
    answers, (rows, drops) = same(ports, calls)
    assert {(status, body) for status, _, body in answers} == {(202, b'{"success":true}')}
    assert (len(rows), sum(count for *_, count in drops)) == (4, 2)


@pytest.mark.parametrize(
    "headers",
    [
        {"User-Agent": GOOGLEBOT},
        {"User-Agent": ""},
        {"Content-Type": ""},
        {"Content-Type": "text/plain"},
        {"Content-Encoding": "gzip"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Cookie": "session=stale; csrf=x"},
        {"Host": "evil.example"},
        {"X-Forwarded-For": "198.51.100.7"},
        {"Accept": "text/html"},
    ],
)
def test_headers_of_every_kind_are_answered_alike(ports, jazz, headers):
    same(ports, [click(jazz) | {"headers": JSON | headers}])


@pytest.mark.parametrize("value", ["valid", "forged"])
def test_a_cookie_is_read_alike(ports, jazz, value):
    cookie = f"a=b; {sign_in.COOKIE}={token() if value == 'valid' else 'x.y.z'}"
    _, (rows, _) = same(ports, [click(jazz) | {"headers": {"User-Agent": CHROME, "Cookie": cookie}}])
    assert [row["is_authenticated"] for row in rows] == [value == "valid"]


@pytest.mark.parametrize("path", [TRACK, DISCOVERY])
@pytest.mark.parametrize("method", ["OPTIONS", "GET", "HEAD", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"])
def test_every_method_is_answered_alike(ports, path, method):
    same(ports, [{"method": method, "path": path, "headers": JSON | {"Origin": "https://acme.example"}}])


@pytest.mark.parametrize(
    "path", ["/api/track/", "/api/track?x=1", "/api/Track", "/api/track/x", "/api/track/discovery/"]
)
def test_every_spelling_of_the_path_is_answered_alike(ports, jazz, path):
    same(ports, [click(jazz) | {"path": path}])


def within_a_second(condition):
    deadline = time.monotonic() + 1.5
    while not condition():
        assert time.monotonic() < deadline, "It took longer than a second."


def test_what_another_process_cancels_and_restores_is_in_force_within_a_second(ports, jazz):
    def is_taken(port):
        before = Event.objects.count()
        asked(port, **click(jazz))
        return Event.objects.count() > before

    for port in ports:
        assert is_taken(port)
        catalog.cancel(jazz, now=timezone.now())
        within_a_second(lambda port=port: not is_taken(port))
        catalog.restore(jazz, now=timezone.now())
        within_a_second(lambda port=port: is_taken(port))
