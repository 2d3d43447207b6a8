"""Ingestion and those who mean no good (guarantees A31 to A40, P08, P11, P15): the same for every dialect."""

import asyncio
import gzip
import http.client
import json
import os
import re
import socket
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from analytics.api.front import Front
from analytics.api.routes import ENDPOINTS, endpoint_at
from analytics.ingest.storage import Storage
from analytics.models import Drop, Event, Order, OrderLine
from analytics.tests.builders import CHROME, GOOGLEBOT, a_body, make_key, make_website
from analytics.tests.hostile import InProcess, Sent
from analytics.tests.panel import Panel
from analytics.tests.servers import ASGI, served
from analytics.tests.tracking import make_calendar, make_event
from analytics.tests.widgets import BEST, make_token
from analytics.vocabulary import Dialect
from submissions import calendars
from tinytrail.web.ratelimit import Limiter

pytestmark = pytest.mark.django_db(transaction=True)

JSON = {"content-type": "application/json", "user-agent": CHROME}
COLLECT = "/api/v1/collect"
PATIENCE_SECONDS = 60
MEBIBYTE = 2**20
# One of each dialect.
POSTS = [COLLECT, "/api/track", "/api/track/discovery", "/track"]


# Where a server of its own finds them, unlike the clients of the suite.
LARGE = Path(settings.BASE_DIR) / ".static" / f"large-{os.getpid()}.txt"


@pytest.fixture
def server():
    with InProcess().running() as server:
        yield server


@pytest.fixture(scope="module")
def port(django_db_setup, django_db_blocker):
    """Of a server that has a large file to give away, which it looks for when it starts."""
    LARGE.parent.mkdir(exist_ok=True)
    LARGE.write_bytes(b" " * 8 * MEBIBYTE)
    try:
        with django_db_blocker.unblock(), served(*ASGI) as port:
            yield port
    finally:
        LARGE.unlink()


@pytest.fixture
def stack():
    with ExitStack() as stack:
        yield stack


def event(body, **headers):
    return Sent("POST", COLLECT, "", JSON | headers, json.dumps(body).encode())


# -- what a stranger learns (A31) -------------------------------------------------------------------------------------


def test_an_unknown_website_is_answered_as_a_bot_is_and_goes_the_same_way(server, monkeypatch):
    trips = []
    for kind, name in ((Limiter, "ask"), (Storage, "grants"), (Storage, "write")):
        seen = getattr(kind, name)

        def spy(*args, seen=seen, name=name, **options):
            trips.append(name)
            return seen(*args, **options)

        monkeypatch.setattr(kind, name, spy)

    def asked(sent):
        trips.clear()
        (answer,) = server.ask_front([sent])
        return answer, tuple(trips)

    acme = make_website()
    # A day's salt and a month's partition are made once.
    asked(event(a_body(acme)))
    bot = asked(event(a_body(make_website(acme.account, "b.example")), **{"user-agent": GOOGLEBOT}))
    unknown = asked(event(a_body()))
    assert bot == unknown
    assert (bot[0].status, bot[0].body, bot[1]) == (204, b"", ("ask", "grants", "write"))


# -- what a body cannot say (A32) -------------------------------------------------------------------------------------


FORGED = {
    **{"ip_hash": "forged", "visitor": 7, "is_bot": True, "is_excluded": True, "is_authenticated": True, "id": 7},
    **{"is_server": True, "created_at": "2020-01-01T00:00:00Z", "occurred_at": "2020-01-01T00:00:00Z", "dialect": 9},
    **{"account_id": "forged", "ip": "198.51.100.7", "address": "198.51.100.7", "country": "XX", "channel": 7},
}


def test_nothing_that_the_server_finds_out_can_be_sent(server):
    calendar = make_calendar()
    website = calendar.website
    website.excluded_ips = ["198.51.100.7"]
    website.save()
    panel, token, jazz = Panel(website), make_token(website), make_event(calendar)
    query = "&".join(f"{name}={value}" for name, value in FORGED.items())
    track = {"type": "track", "payload": {"name": "x", "properties": FORGED} | FORGED} | FORGED
    before = timezone.now()
    calls = [
        event(a_body(website, properties=FORGED) | FORGED),
        Sent(
            "POST", "/api/track", "", JSON, json.dumps({"eventKey": jazz.key, "actionType": "click"} | FORGED).encode()
        ),
        Sent(
            *("POST", "/api/track/discovery", "", JSON | {"origin": f"https://{website.domain}"}),
            json.dumps({"actionType": "search", "searchQuery": "jazz"} | FORGED).encode(),
        ),
        Sent("POST", "/track", "", JSON | panel.public, json.dumps(track).encode()),
        Sent("GET", f"{BEST}/render", f"auth_token={token.token}&analytics_id=v1&pics=1&{query}", JSON, b""),
    ]
    assert [answer.status for answer in server.ask_front(calls)] == [202, 202, 202, 200, 200]
    found = list(Event.objects.all())
    assert {stored.dialect for stored in found} == set(Dialect)
    for stored in found:
        assert (stored.is_bot, stored.is_excluded, stored.is_authenticated, stored.is_server) == (False,) * 4
        assert (stored.website_id, stored.country, stored.id == 7, stored.visitor == 7) == (
            website.id,
            None,
            False,
            False,
        )
        assert stored.occurred_at >= before


# -- limits (A36, A37, A38) -------------------------------------------------------------------------------------------


def test_of_a_hundred_at_once_exactly_ten_pass_and_the_others_are_told_how_long_to_wait(server):
    acme = make_website()
    answers = server.ask_front([event(a_body(acme)) for _ in range(100)])
    assert sorted(answer.status for answer in answers) == [202] * 10 + [429] * 90
    waits = {answer.headers["retry-after"] for answer in answers if answer.status == 429}
    assert {wait.isdigit() and 1 <= int(wait) <= 10 for wait in waits} == {True}
    assert (Event.objects.count(), Drop.objects.get().count) == (10, 90)


def test_no_spelling_version_or_method_of_http_gets_past_a_limit(port, stack):
    body = json.dumps(a_body(make_website())).encode()

    def fresh(path=COLLECT, method="POST", version="1.1", **headers):
        """The status on a connection of its own."""
        lines = [f"{method} {path} HTTP/{version}", "Host: localhost", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in (JSON | {"connection": "close"} | headers).items()]
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS) as line:
            line.sendall("\r\n".join([*lines, "", ""]).encode() + body)
            return int(line.recv(100).split()[1])

    def again():
        kept.request("POST", COLLECT, body, JSON)
        answer = kept.getresponse()
        answer.read()
        return answer.status

    kept = stack.enter_context(closing(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)))
    ways = [
        again,
        fresh,
        again,
        lambda: fresh(version="1.0"),
        lambda: fresh(f"{COLLECT}/"),
        lambda: fresh(f"{COLLECT}?x=1"),
        lambda: fresh(f"http://localhost{COLLECT}"),
        lambda: fresh("/api/v1/%63ollect"),
        lambda: fresh(**{"x-forwarded-for": "198.51.100.7"}),
        lambda: fresh(origin="https://acme.example"),
    ]
    assert [way() for way in ways] == [202] * 10
    assert [way() for way in ways] == [429] * 10
    # No such route, or no such method of it: nothing is stored.
    others = ["/API/v1/collect", "/api/v1/Collect", f"/{COLLECT}", f"{COLLECT}//", f"{COLLECT}/."]
    assert {fresh(path) for path in others} <= {404, 429}
    assert {fresh(method=method) for method in ("GET", "PUT", "PATCH", "DELETE", "post")} <= {400, 404, 405, 429}
    assert Event.objects.count() == 10


# -- bodies that are meant to be too much (A40) -----------------------------------------------------------------------


@pytest.mark.parametrize("path", [*POSTS, "/track/device-id", f"{BEST}/render", "/api/v1/websites", "/admin/login/"])
def test_a_body_without_end_is_read_no_further_than_its_route_takes(path):
    taken = 0

    async def without_end():
        nonlocal taken
        taken += 65_536
        return {"type": "http.request", "body": b" " * 65_536, "more_body": True}

    async def answered(message):
        pass

    async def threads(scope, receive, send):
        message = await receive()
        assert (message["more_body"], len(message["body"]) > 4 * MEBIBYTE) == (False, True)

    headers = [(b"host", b"localhost"), (b"transfer-encoding", b"chunked")]
    scope = {"type": "http", "method": "POST", "path": path, "query_string": b"", "headers": headers, "client": None}

    async def play():
        front = Front(endpoint_at, threads)
        await front._batches.start()
        await asyncio.wait_for(front(scope, without_end, answered), PATIENCE_SECONDS)
        await front._batches.stop()

    asyncio.run(play())
    endpoint = endpoint_at(path)
    assert taken <= (endpoint.body_limit if endpoint else 4 * MEBIBYTE) + 65_536


def test_a_compressed_body_is_refused_packed(server):
    calendar = make_calendar()
    calendars.open_for_proposals(calendar, by="root", now=timezone.now())
    key = make_key(calendar.website.account)
    bomb = gzip.compress(b" " * 10 * MEBIBYTE + json.dumps(a_body()).encode())
    calls = [
        Sent("POST", path, "", JSON | {"content-encoding": "gzip", "x-api-key": key}, bomb)
        for path in [*POSTS, "/api/event-submissions", "/api/v1/websites"]
    ]
    answers = [*server.ask_front(calls[:4]), *(server.ask_django(call) for call in calls)]
    assert [answer.status for answer in answers] == [415, 202, 202, 415, 415, 202, 202, 415, 400, 415]


def test_callers_who_never_send_their_bodies_hold_up_nobody_else(port, stack):
    calendars.open_for_proposals(make_calendar(), by="root", now=timezone.now())
    paths = [*POSTS, *["/api/event-submissions"] * 8, "/admin/login/"]
    for path in paths:
        line = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS))
        head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 99\r\n"
        line.sendall(f"{head}Expect: 100-continue\r\n\r\n".encode())
        # Sent once somebody waits for the body.
        assert line.recv(100).startswith(b"HTTP/1.1 100")
        line.sendall(b"{")
    assert serves_others(port, stack)


def test_callers_who_never_read_their_answers_hold_up_nobody_else(port, stack):
    for _ in range(8):
        line = stack.enter_context(socket.socket())
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.settimeout(PATIENCE_SECONDS)
        line.connect(("127.0.0.1", port))
        line.sendall(f"GET /static/{LARGE.name} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        assert line.recv(15) == b"HTTP/1.1 200 OK"
    assert serves_others(port, stack)


def serves_others(port, stack):
    """Whether somebody else is answered by Django's threads."""
    asked = stack.enter_context(closing(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)))
    statuses = []
    for path in ("/health", "/js/tracker.js", "/api/v1/websites"):
        asked.request("GET", path)
        answer = asked.getresponse()
        answer.read()
        statuses.append(answer.status)
    return statuses == [200, 200, 401]


# -- what is kept of a person (P08, P11, P12, P15) --------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS", "HEAD", "DELETE"])
def test_no_ingest_route_sets_a_cookie_or_looks_at_a_strangers(server, method):
    headers = JSON | {"cookie": "session=stale; csrf=x; __Host-session=y"}
    calls = [Sent(method, path, "", headers, b"") for path in (*ENDPOINTS, f"{BEST}/render.gif", "/track/nowhere")]
    answers = [*server.ask_front(calls), *map(server.ask_django, calls)]
    answers.append(server.ask_django(Sent("GET", "/js/tracker.js", "", headers, b"")))
    for answer in answers:
        assert "set-cookie" not in answer.headers
        assert "cookie" not in answer.headers.get("vary", "").lower()


def test_of_what_could_name_a_person_nothing_is_kept_in_any_dialect(server):
    calendar = make_calendar()
    website = calendar.website
    panel, token, jazz = Panel(website), make_token(website).token, make_event(calendar)
    mail, secret = "canary@example.test", "3f2a9c8b7d6e5f4a3b2c1d0e9f8a7b6c5d4e3f2a"
    path = f"/mail/{mail}/reset/{secret}"
    url = f"https://acme.example{path}?q=canary&utm_source={mail}&token=canary#canary"
    private = {
        "email": mail,
        "userPhone": "canary",
        "access_token": "canary",
        "note": f"ask {mail}",
        "password": ["canary"],
    }
    calls = [
        event(
            a_body(website, path=f"{path}?canary#canary", properties=private, utm_campaign=mail)
            | {"url": url, "referrer": url, "screen_width": 1234, "screen_height": 4321}
        ),
        *(
            Sent("POST", route, "", JSON | {"origin": f"https://{website.domain}"}, json.dumps(body).encode())
            for route, body in (
                (
                    "/api/track",
                    {"eventKey": jazz.key, "actionType": "click", "path": path, "source": mail, "sessionId": mail},
                ),
                ("/api/track/discovery", {"actionType": "search", "searchQuery": f"{mail} {secret}", "path": path}),
            )
        ),
        Sent(
            *("POST", "/track", "", JSON | panel.public),
            json.dumps(
                {
                    "type": "track",
                    "payload": {
                        "name": mail,
                        "properties": private | {"__path": url, "__referrer": url, "__title": mail},
                    },
                }
            ).encode(),
        ),
        Sent("GET", f"{BEST}/render", f"auth_token={token}&analytics_id={mail}&pics=1&segments[]=a:{mail}", JSON, b""),
        Sent(
            *("GET", f"/track/transaction/{mail}/checkout"),
            f"auth_token={token}&analytics_id={mail}&products[]={mail}:1&segments[]=email:{mail}&referrer={url}".replace(
                "#", ""
            ),
            *(JSON, b""),
        ),
    ]
    assert [answer.status for answer in server.ask_front(calls)] == [202, 202, 202, 200, 200, 200]
    assert (Event.objects.count(), Order.objects.count(), OrderLine.objects.count()) == (6, 1, 1)
    with connection.cursor() as cursor:
        texts = []
        for table in ("event", "order", "orderline", "drop", "recentdrop", "quarantine", "profile", "dirtyday"):
            cursor.execute(f"SELECT row::text FROM analytics_{table} row")
            texts += [text for (text,) in cursor.fetchall()]
    everything = " ".join(texts)
    assert [word for word in ("canary", secret[:20], "203.0.113.9", "Mozilla") if word in everything] == []
    # As numbers of their own: a visitor's key may have these digits, too.
    assert re.findall(r"(?<![\w.-])(?:1234|4321)(?![\w.-])", everything) == []
    assert ("*@*" in everything, "/mail/*@*/reset/*" in everything) == (True, True)
