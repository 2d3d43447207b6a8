"""The route as production serves it: what a real server makes of lengths that lie and bodies in pieces."""

import http.client
import json
from collections.abc import Iterator
from typing import Any

import pytest

from analytics.tests.servers import ASGI, WSGI, served
from submissions.tests.catalogue import make_calendar
from submissions.tests.proposing import NO_STORE, RECEIVED, example

pytestmark = pytest.mark.django_db(transaction=True)

TOO_LARGE = {"success": False, "error": "Request body too large"}
PAYLOAD = {"success": False, "error": "Invalid request payload"}


@pytest.fixture(params=[ASGI, WSGI], ids=["the front", "plain Django"])
def port(request: pytest.FixtureRequest) -> Iterator[int]:
    make_calendar()
    with served(*request.param) as port:
        yield port


def send(port: int, body: Any, **headers: str) -> tuple[int, dict[str, str], Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    given = {"Content-Type": "application/json"} | {name.replace("_", "-"): value for name, value in headers.items()}
    is_whole = isinstance(body, bytes)
    connection.request("POST", "/api/event-submissions", body, given, encode_chunked=not is_whole)
    answer = connection.getresponse()
    found = answer.status, {name.title(): value for name, value in answer.getheaders()}, answer.read()
    connection.close()
    status, names, raw = found
    return status, names, json.loads(raw) if names["Content-Type"] == "application/json" else raw


def test_a_server_answers_as_the_contract_says(port: int) -> None:
    body = json.dumps(example()).encode()
    in_pieces = json.dumps(example(eventName="Other")).encode()

    status, headers, said = send(port, body)
    assert (status, said) == (200, RECEIVED)
    assert {name: headers[name] for name in NO_STORE} == NO_STORE
    assert "Set-Cookie" not in headers

    assert send(port, iter([in_pieces[:10], in_pieces[10:]]))[::2] == (200, RECEIVED)
    assert send(port, b" " * 65_537)[::2] == (413, TOO_LARGE)
    assert send(port, iter([b" " * 40_000, b" " * 40_000]))[::2] == (413, TOO_LARGE)
    assert send(port, b"", Cookie="session=stale; __Host-session=stale")[::2] == (400, PAYLOAD)
    assert send(port, body, Host="evil.example", Content_Length=str(len(body)))[0] == 400
