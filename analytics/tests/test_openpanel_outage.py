"""OpenPanel's calls while PostgreSQL is away (guarantees F10, I1): what a client sends waits, with what it changes."""

import json
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from analytics.api.openpanel.endpoints import track
from analytics.ingest import batches as batching
from analytics.ingest.grants import grants
from analytics.models import Event, Profile
from analytics.tests.builders import make_website
from analytics.tests.panel import Panel
from analytics.tests.test_batches import _nothing_left_behind, _nothing_remembered, run_behind_proxy, until, waiting  # noqa: F401
from tinytrail.web.call import Call

pytestmark = pytest.mark.django_db(transaction=True)


def call(headers, type_, **payload):
    body = json.dumps({"type": type_, "payload": payload}).encode()
    return Call("POST", "/track", "", {"content-type": "application/json"} | headers, body, "203.0.113.9")


async def answered(batches, *calls):
    """The statuses and bodies of calls, one after the other."""
    found = []
    for one in calls:
        reply = track.reply(one, await batches.submit(track.take(one, now=datetime.now(UTC))))
        found.append((reply.status, dict(reply.headers), json.loads(reply.body)))
    return found


def test_what_is_sent_and_counted_waits_and_is_there_once_when_it_is_back(monkeypatch):
    monkeypatch.setattr(batching, "DRAIN_SECONDS", 0.05)
    panel = Panel(make_website())
    stranger = panel.trusted | {"openpanel-client-id": str(uuid4())}
    calls = [
        call(panel.trusted, "track", name="signup", profileId="1"),
        call(panel.trusted, "identify", profileId="1", firstName="Ann"),
        call(panel.trusted, "increment", profileId="1", property="visits"),
        call(panel.trusted, "increment", profileId="1", property="visits", value=2),
        call(panel.trusted, "replay", payload="x"),
    ]

    async def story(batches, proxy):
        before = await answered(batches, calls[0])
        proxy.cut()
        away = await answered(batches, *calls)
        unknown = await answered(batches, call(stranger, "track", name="x"))
        wrong = await answered(batches, call(panel.trusted | {"openpanel-client-secret": "x"}, "track", name="x"))
        proxy.restore()
        await until(lambda: batches.storage.is_up and not waiting())
        return before, away, unknown, wrong

    grants.forget()
    before, away, unknown, wrong = run_behind_proxy(story)
    assert [status for status, *_ in before + away] == [200] * 6
    assert {body["sessionId"] for *_, body in before + away} == {before[0][2]["sessionId"]}
    # Nobody can say whether there is such a client.
    ((status, headers, body),) = unknown
    assert (status, headers["Retry-After"], body["error"]) == (503, "5", "Service Unavailable")
    assert [status for status, *_ in wrong] == [401]
    assert Event.objects.count() == 2
    ann = Profile.objects.get()
    assert (ann.first_name, ann.properties) == ("Ann", {"visits": 3})
