"""The calendar's two routes while PostgreSQL is away: still 202, nothing accepted for storing is lost, and what is not
recorded is counted (D-26; guarantees F10, I1)."""

import json
from datetime import UTC, datetime

import pytest

from analytics.api.engagement.dialect import ACCEPTED
from analytics.api.engagement.endpoints import discovery, engagement
from analytics.ingest import batches as batching
from analytics.ingest.calendar import Calendars
from analytics.models import Drop, Event
from analytics.tests.builders import CHROME
from analytics.tests.test_batches import (  # noqa: F401 (fixtures of their module)
    NO_REDIS,
    _nothing_left_behind,
    _nothing_remembered,
    run,
    run_behind_proxy,
    until,
    waiting,
)
from analytics.tests.tracking import make_calendar, make_event
from submissions import live
from tinytrail.web.call import Call

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def jazz():
    return make_event(make_calendar())


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    monkeypatch.setattr(batching, "DRAIN_SECONDS", 0.05)


async def told(batches, endpoint, origin="", **body):
    """The answer to a call, through the batches."""
    headers = {"user-agent": CHROME, "origin": origin}
    call = Call("POST", "/api/track", "", headers, json.dumps(body).encode(), "203.0.113.9")
    verdict = await batches.submit(endpoint.take(call, now=datetime.now(UTC)))
    return endpoint.reply(call, verdict)


async def both(batches, key):
    return [
        await told(batches, engagement, eventKey=key, actionType="click"),
        await told(batches, discovery, actionType="search", searchQuery="jazz"),
    ]


def names():
    return sorted(Event.objects.values_list("name", flat=True))


def counted():
    return sorted(Drop.objects.values_list("dialect", "reason", "count"))


def test_what_is_known_waits_in_the_stream_and_is_stored_once_it_is_back(jazz):
    async def story(batches, proxy):
        before = await both(batches, jazz.key)
        proxy.cut()
        away = await both(batches, jazz.key)
        proxy.restore()
        await until(lambda: batches.storage.is_up and not waiting())
        return before + away

    assert run_behind_proxy(story) == [ACCEPTED] * 4
    assert names() == ["click"] * 2 + ["search"] * 2
    assert list(Event.objects.filter(name="search").values_list("properties__matches", flat=True)) == [1, 1]


def test_what_nobody_can_say_anything_about_is_counted_and_answered_alike(jazz):
    async def story(batches, proxy):
        proxy.cut()
        away = await both(batches, jazz.key)
        proxy.restore()
        await until(lambda: batches.storage.is_up and not waiting())
        return away + await both(batches, jazz.key)

    assert run_behind_proxy(story) == [ACCEPTED] * 4
    assert names() == ["click", "search"]
    assert counted() == [("discovery", "storage_unavailable", 1), ("engagement", "storage_unavailable", 1)]


def test_with_redis_away_as_well_nothing_is_recorded_and_that_is_counted_later(jazz, monkeypatch):
    monkeypatch.setattr(batching, "DOUBT_SECONDS", 0.3)

    async def story(batches, proxy):
        await both(batches, jazz.key)
        proxy.cut()
        away = await both(batches, jazz.key) + await both(batches, jazz.key)
        proxy.restore()
        await until(lambda: batches.storage.is_up)
        return away + await both(batches, jazz.key)

    assert run_behind_proxy(story, redis_url=NO_REDIS) == [ACCEPTED] * 6
    dropped = sum(count for _, reason, count in counted() if reason == "storage_unavailable")
    assert len(names()) + dropped == 8
    assert dropped >= 1


def test_a_copy_is_read_once_for_each_version_of_the_calendar(jazz):
    kind = Calendars()

    async def copies(batches, *hosts):
        found = await kind.load(batches.storage._connection, hosts)
        return [found[host].copy for host in hosts]

    async def story(batches):
        return await copies(batches, "acme.example") + await copies(batches, "acme.example", "www.acme.example", "")

    first, *again = run(story)
    assert all(copy is first for copy in again)
    make_event(jazz.calendar, "Techno")
    assert run(story)[0] is not first


def test_copies_together_hold_at_most_so_many_events(jazz, monkeypatch):
    monkeypatch.setattr("analytics.ingest.calendar.MOST_EVENTS_OF_ALL", 1)
    make_event(make_calendar("globex.example"), "Globex party")
    kind = Calendars()

    async def story(batches):
        found = await kind.load(batches.storage._connection, ["acme.example", "globex.example"])
        return {host: len(grant.copy.live.entries) for host, grant in found.items()}

    assert run(story) == {"acme.example": 1, "globex.example": 1}
    assert len(kind._copies) == 1


def test_the_copy_is_what_the_public_page_reads(jazz):
    make_event(jazz.calendar, "Techno", genre="techno", price="10€")
    kind = Calendars()

    async def story(batches):
        return (await kind.load(batches.storage._connection, [""]))[""].copy

    jazz.calendar.refresh_from_db()
    assert run(story).live.entries == live.of(jazz.calendar, now=datetime.now(UTC)).entries
