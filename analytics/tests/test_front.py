"""The front answers as Django does, byte by byte, and stores the same rows (architecture, The hot path)."""

import asyncio
import gzip
import http.client
import json
import re
import socket

import pytest
from django.forms import model_to_dict

from analytics.api import front as fronting
from analytics.api.front import Front
from analytics.api.v1.endpoints import collect
from analytics.ingest.row import COLUMNS
from analytics.models import Drop, Event
from analytics.tests.builders import CHROME, GOOGLEBOT, a_body, make_website
from analytics.tests.servers import ASGI, WSGI, served
from tinytrail.web.headers import always

pytestmark = pytest.mark.django_db(transaction=True)

JSON = {"Content-Type": "application/json", "User-Agent": CHROME}


@pytest.fixture(scope="module")
def ports(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        options = {"TINYTRAIL_LIMIT_COLLECT": "off"}
        with served(*ASGI, **options) as front, served(*WSGI, **options) as django:
            yield front, django


def asked(port, method="POST", path="/api/v1/collect", body=b"", headers=None):
    """Status, headers that are about the answer, and body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request(method, path, body, JSON if headers is None else headers)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    about = {name.lower(): value for name, value in answer.getheaders()}
    return answer.status, {name: about[name] for name in about if name not in ("date", "server", "connection")}, content


def stored():
    """The rows there are, without what differs between any two hits; and the counts of drops. Then none of them."""
    names = [name for name in COLUMNS if name not in ("id", "occurred_at")]
    rows = [model_to_dict(event, fields=names) for event in Event.objects.order_by("id")]
    drops = sorted(Drop.objects.values_list("dialect", "reason", "count"))
    Event.objects.all().delete()
    Drop.objects.all().delete()
    return rows, drops


def same(ports, calls):
    """Both servers' answers to these calls and what they stored; asserts that they are equal."""
    front, django = ports
    first = [asked(front, **call) for call in calls], stored()
    second = [asked(django, **call) for call in calls], stored()
    for one, other in zip(first[0], second[0], strict=True):
        assert one == other
    assert first[1] == second[1]
    return first


def bodies(website):
    good = a_body(website)
    deep = b'{"a":' * 1_000 + b"1" + b"}" * 1_000
    wide = json.dumps({str(n): n for n in range(200_000)}).encode()

    def variant(**fields):
        return json.dumps(good | fields).encode()

    return [
        variant(),
        variant(event_type="custom", properties={"event_name": "signup", "email": "canary@example.test"}),
        variant(event_type="video.play", referrer="https://www.google.com/", screen_width=390),
        variant(url="https://acme.example/?utm_source=a&utm_medium=cpc", path="/" + "p" * 3_000),
        variant(website_id="550e8400-e29b-41d4-a716-446655440000"),
        variant(website_id="x"),
        variant(path="/a\u0000b"),
        variant(properties={"\u0000": 1}),
        variant(properties={"n": 2**60}),
        variant(screen_width=True),
        variant(url=7),
        b'{"path":"\\ud800"}',
        b'{"screen_width":NaN}',
        b'{"screen_width":1e999}',
        b'{"screen_width":' + b"9" * 5_000 + b"}",
        b'{"properties":' + deep + b"}",
        deep,
        wide,
        b"",
        b"[]",
        b"null",
        b'"x"',
        b"{",
        b"\xef\xbb\xbf" + variant(),
        json.dumps(good).encode("utf-16"),
        b'{"path":"/a",' + variant()[1:],
    ]


def test_good_and_hostile_bodies_are_answered_alike(ports):
    website = make_website(excluded_ips=["198.51.100.7"], content_groups=[{"name": "Home", "pattern": "/"}])
    answers, (rows, drops) = same(ports, [{"body": body} for body in bodies(website)])
    assert [status for status, _, _ in answers[:6]] == [202, 202, 202, 202, 204, 204]
    assert {status for status, _, _ in answers} == {202, 204, 400, 413}
    assert len(rows) + sum(count for *_, count in drops) == len(answers)


@pytest.mark.parametrize(
    "headers",
    [
        {"User-Agent": GOOGLEBOT},
        {"User-Agent": ""},
        {},
        {"Content-Type": "text/plain;charset=UTF-8"},
        {"Content-Type": "text/plain; charset=latin-1"},
        {"Content-Type": "application/xml"},
        {"Content-Type": ""},
        {"Content-Encoding": "gzip"},
        {"Origin": "https://acme.example"},
        {"Origin": "null"},
        {"Cookie": "session=x; csrf=y"},
        {"X-Forwarded-For": "198.51.100.7"},
        {"X-HTTP-Method-Override": "GET"},
        {"Accept": "image/avif"},
        {"Host": "evil.example"},
        {"X-Forwarded-Host": "evil.example"},
        {"X-Forwarded-Proto": "https"},
        {"User-Agent": CHROME, "Content-Type": 'APPLICATION/JSON; Charset="UTF-8"'},
    ],
)
def test_headers_of_every_kind_are_answered_alike(ports, headers):
    body = json.dumps(a_body(make_website())).encode()
    body = gzip.compress(body) if "Content-Encoding" in headers else body
    same(ports, [{"body": body, "headers": JSON | headers}])


@pytest.mark.parametrize("method", ["OPTIONS", "GET", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"])
def test_every_method_is_answered_alike(ports, method):
    same(ports, [{"method": method, "headers": JSON | {"Origin": "https://acme.example"}}])


@pytest.mark.parametrize(
    "path", ["/api/v1/collect/", "/api/v1/collect?x=1", "/api/v1/Collect", "//api/v1/collect", "/api/v1/collect/x"]
)
def test_every_spelling_of_the_path_is_answered_alike(ports, path):
    same(ports, [{"path": path, "body": json.dumps(a_body(make_website())).encode()}])


@pytest.mark.parametrize("path", ["/health", "/js/tracker.js", "/api/v1/websites", "/", "/admin/login/", "/nowhere"])
def test_what_is_not_an_ingest_route_is_djangos(ports, path):
    front, django = (asked(port, method="GET", path=path, headers={}) for port in ports)
    assert (front[0], front[1].get("content-type")) == (django[0], django[1].get("content-type"))


def raw(port, request):
    """The status of an answer to bytes on a socket."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as line:
        line.sendall(request)
        return int(line.makefile("rb").readline().split()[1])


def whole(port, request):
    """An answer to bytes on a socket, without its date."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as line:
        line.sendall(request)
        return re.sub(rb"\r\ndate: [^\r]*", b"", line.makefile("rb").read())


def test_a_body_in_chunks_is_read_and_one_that_is_too_long_is_not(ports):
    body = json.dumps(a_body(make_website())).encode()
    head = (
        b"POST /api/v1/collect HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"User-Agent: " + CHROME.encode() + b"\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    short = head + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    long = head + b"8000\r\n%b\r\n8000\r\n%b\r\n0\r\n\r\n" % (b"x" * 0x8000, b"x" * 0x8000)
    assert [(raw(port, short), raw(port, long)) for port in ports] == [(202, 413)] * 2
    assert len(stored()[0]) == 2


# -- who it takes itself for -------------------------------------------------------------------------------------------

OWN = b"Host: localhost\r\n"
ELSEWHERE = b"http://evil.example"
FOREIGN = [
    (b"", b"Host: evil.example\r\n"),
    (b"", b"Host: localhost.evil.example\r\n"),
    (b"", b"Host: localhost@evil.example\r\n"),
    (b"", b"Host: localhost:80@evil.example\r\n"),
    (b"", b"Host: evil.example#localhost\r\n"),
    (b"", b"Host: localhost/evil.example\r\n"),
    (b"", b"Host:\r\n"),
    (b"", OWN + b"Host: evil.example\r\n"),
    (b"", OWN + b"X-Forwarded-Host: evil.example\r\n"),
    (b"", OWN + b"X-Forwarded-Host: localhost, evil.example\r\n"),
    (ELSEWHERE, b"Host: evil.example\r\n"),
    (ELSEWHERE, b""),
]


@pytest.mark.parametrize("path", [b"/api/v1/collect", b"/track", b"/health", b"/js/tracker.js", b"/calendar", b"/"])
def test_another_host_is_refused_however_it_is_named(ports, path):
    for port in ports:
        for before, headers in FOREIGN:
            asked_for = b"GET " + before + path + b" HTTP/1.1\r\n" + headers + b"Connection: close\r\n\r\n"
            assert raw(port, asked_for) == 400, asked_for


@pytest.mark.parametrize("path", ["/health", "/js/tracker.js"])
def test_an_address_with_another_host_beside_an_own_one_is_the_own_ones(ports, path):
    """The server shows nothing of it (RFC 9112, 3.2.2 would take it for the host), and so nothing is made of it."""
    for port in ports:
        plain, absolute = (
            whole(port, b"GET " + before + path.encode() + b" HTTP/1.1\r\n" + OWN + b"Connection: close\r\n\r\n")
            for before in (b"", ELSEWHERE)
        )
        assert plain == absolute
        assert b"evil" not in absolute


def test_its_answers_have_the_headers_that_every_answer_has(ports):
    website = make_website()
    calls = [
        ({"body": json.dumps(a_body(website)).encode()}, 202),
        ({"body": b"{"}, 400),
        ({"method": "OPTIONS", "headers": JSON | {"Origin": "https://acme.example"}}, 204),
        ({"method": "PUT"}, 405),
        ({"body": b"x" * 0x18000}, 413),
        ({"path": "/track", "body": b"{}"}, 401),
        ({"method": "GET", "path": "/track/widget/x/best/render.gif"}, 403),
    ]
    for port in ports:
        for call, expected in calls:
            status, headers, _ = asked(port, **call)
            assert status == expected, call
            found = {name: headers.get(name.lower()) for name, _ in always(is_secure=False)}
            assert found == dict(always(is_secure=False)), call
    stored()


# -- bodies that never end ---------------------------------------------------------------------------------------------


SCOPE = {"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": [(b"host", b"localhost")]}


def cut_short(*seconds_between):
    """How many of these callers, who begin one after the other and never send their bodies, are given up."""

    async def play():
        front = Front(lambda path, query: collect, None)
        callers = []
        for seconds in seconds_between:
            await asyncio.sleep(seconds)
            callers.append(asyncio.ensure_future(front(SCOPE, asyncio.Event().wait, None)))
        await asyncio.wait_for(asyncio.gather(*callers), 20)
        return len(callers)

    return asyncio.run(play())


def test_who_never_sends_a_body_is_given_up_without_an_answer(monkeypatch):
    monkeypatch.setattr(fronting, "BODY_SECONDS", 0.05)
    assert cut_short(0, 0, 0.03) == 3


def test_a_reader_who_is_cancelled_by_others_stays_cancelled():
    async def play():
        front = Front(lambda path, query: collect, None)
        caller = asyncio.ensure_future(front(SCOPE, asyncio.Event().wait, None))
        await asyncio.sleep(0)
        caller.cancel()
        await asyncio.wait({caller})
        return caller.cancelled()

    assert asyncio.run(play()) is True


def test_who_asks_not_to_be_tracked_is_answered_alike(ports):
    body = json.dumps(a_body(make_website(privacy_signals="drop"))).encode()
    calls = [{"body": body, "headers": JSON | signal} for signal in ({"Sec-GPC": "1"}, {"DNT": "1"}, {"DNT": "0"})]
    answers, (rows, drops) = same(ports, calls)
    assert [status for status, _, _ in answers] == [204, 204, 202]
    assert (len(rows), drops) == (1, [("v1", "privacy_signal", 2)])
