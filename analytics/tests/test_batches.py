"""The writer: batches, limits, outages, poison (guarantees I0, F06, F09 to F15, F24, F28, F36)."""

import asyncio
import contextlib
import json
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import redis
from django.conf import settings
from django.db import connection

from analytics import drops
from analytics.api.v1.endpoints import collect
from analytics.ingest import batches as batching
from analytics.ingest import outage, visitor
from analytics.ingest.batches import Batches
from analytics.ingest.grants import grants
from analytics.ingest.reading import Outcome
from analytics.ingest.storage import Storage
from analytics.models import DirtyDay, Drop, Event, IdempotencyKey, Quarantine
from analytics.quarantine import replay
from analytics.tests.builders import CHROME, GOOGLEBOT, a_body, make_website
from analytics.tests.proxy import Proxy
from tinytrail.web.call import Call

pytestmark = pytest.mark.django_db(transaction=True)

NO_REDIS = "redis://127.0.0.1:1/0"


@pytest.fixture(autouse=True)
def _nothing_left_behind():
    """Whatever still waits would be stored by the next server that a test starts."""
    yield
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.delete(outage.STREAM)


@pytest.fixture(autouse=True)
def _nothing_remembered():
    grants.forget()
    drops._waiting.clear()
    visitor.salts.__init__()


@pytest.fixture
def acme():
    return make_website()


@pytest.fixture(autouse=True)
def _without_limit(monkeypatch):
    monkeypatch.setitem(settings.LIMITS, "COLLECT", None)


def reading(website, *, agent=CHROME, body=None, **fields):
    """What the collect endpoint makes of a call."""
    raw = json.dumps(a_body(website, **fields)).encode() if body is None else body
    headers = {"content-type": "application/json", "user-agent": agent}
    call = Call("POST", "/api/v1/collect", "", headers, raw, "203.0.113.9")
    return collect.take(call, now=datetime.now(UTC))


def run(story, *, redis_url=None, storage=None):
    """A story about batches, on an event loop of its own. Returns what it returns."""

    async def tell():
        batches = Batches(redis_url or settings.REDIS_URL, storage)
        await batches.start()
        try:
            return await story(batches)
        finally:
            await batches.stop()

    return asyncio.run(tell())


def run_behind_proxy(story, *, redis_url=None):
    """A story about batches and a proxy before PostgreSQL."""
    parameters = connection.get_connection_params()
    server = parameters["host"], int(parameters.get("port") or 5432)

    async def tell():
        with tempfile.TemporaryDirectory() as folder:
            async with Proxy(*server, Path(folder) / ".s.PGSQL.5432") as proxy:
                batches = Batches(redis_url or settings.REDIS_URL, Storage(host=folder, port="5432"))
                await batches.start()
                try:
                    return await story(batches, proxy)
                finally:
                    await batches.stop()

    return asyncio.run(tell())


async def outcomes(batches, *readings):
    return [verdict.outcome for verdict in await asyncio.gather(*map(batches.submit, readings))]


def paths():
    return sorted(Event.objects.values_list("path", flat=True))


def waiting():
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        return client.xlen(outage.STREAM)


async def until(condition, seconds=20.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "It never happened."
        await asyncio.sleep(0.01)


# -- batches ----------------------------------------------------------------------------------------------------------


def test_a_call_is_stored_with_its_note_before_it_is_answered(acme):
    assert run(lambda b: outcomes(b, reading(acme, path="/a"))) == [Outcome.STORED]
    assert (paths(), DirtyDay.objects.count()) == (["/a"], 1)


def test_calls_that_gather_share_one_transaction_and_one_note(acme):
    async def story(batches):
        found = await outcomes(batches, *(reading(acme, path=f"/{n}") for n in range(200)))
        return found, batches.figures

    found, figures = run(story)
    assert (found.count(Outcome.STORED), Event.objects.count(), DirtyDay.objects.count()) == (200, 200, 1)
    assert (sum(figures.sizes.counts), figures.sizes.sum, figures.commits) == (1, 200, 1)


def test_a_batch_has_a_greatest_size(acme, monkeypatch):
    monkeypatch.setattr(batching, "LARGEST_BATCH", 50)

    async def story(batches):
        await outcomes(batches, *(reading(acme) for _ in range(200)))
        return batches.figures

    assert (sum(run(story).sizes.counts), Event.objects.count()) == (4, 200)


def test_every_kind_of_call_gets_its_own_outcome_in_one_batch(acme):
    excluded = make_website(acme.account, "other.example", excluded_ips=["203.0.113.9"])
    calls = [
        reading(acme),
        reading(acme, agent=GOOGLEBOT),
        reading(excluded),
        reading(None),
        reading(acme, body=b"{"),
        reading(acme, url="x"),
    ]
    assert run(lambda b: outcomes(b, *calls)) == [
        Outcome.STORED,
        Outcome.BOT,
        Outcome.EXCLUDED,
        Outcome.UNKNOWN_WEBSITE,
        Outcome.REFUSED,
        Outcome.REFUSED,
    ]
    assert dict(Drop.objects.values_list("reason", "count")) == {
        "unknown_website": 1,
        "malformed_json": 1,
        "invalid_field": 1,
    }


def test_limits_are_exact_within_a_batch(acme, monkeypatch):
    monkeypatch.setitem(settings.LIMITS, "COLLECT", (10, 10))
    found = run(lambda b: outcomes(b, *(reading(acme) for _ in range(100))))
    assert (found.count(Outcome.STORED), found.count(Outcome.LIMITED), Event.objects.count()) == (10, 90, 10)
    assert Drop.objects.get().count == 90


def test_over_its_bound_the_queue_says_so_at_once(acme, monkeypatch):
    monkeypatch.setattr(batching, "MOST_WAITING", 5)
    found = run(lambda b: outcomes(b, *(reading(acme) for _ in range(8))))
    assert (found.count(Outcome.STORED), found.count(Outcome.OVERLOADED)) == (5, 3)
    assert (Event.objects.count(), Drop.objects.get(reason="overloaded").count) == (5, 3)


def test_stopping_answers_everybody_who_waits(acme):
    async def story(batches):
        calls = [asyncio.ensure_future(batches.submit(reading(acme))) for _ in range(20)]
        await asyncio.sleep(0)
        await batches.stop()
        return {verdict.outcome for verdict in await asyncio.gather(*calls)}

    assert (run(story), Event.objects.count()) == ({Outcome.STORED}, 20)


def test_nobody_is_answered_later_because_another_website_sends_more(acme, monkeypatch):
    """The structural reason for F29: calls are taken in their order, and a batch holds those of all websites."""
    monkeypatch.setattr(batching, "LARGEST_BATCH", 10)
    quiet = make_website(acme.account, "quiet.example")
    answered = []

    async def call(batches, number):
        await batches.submit(reading(quiet if number % 10 == 9 else acme))
        answered.append(number)

    async def story(batches):
        await asyncio.gather(*(call(batches, number) for number in range(100)))
        return batches.figures

    figures = run(story)
    assert (answered, sum(figures.sizes.counts), figures.commits) == (list(range(100)), 10, 10)


def test_a_task_that_takes_its_cancellation_for_something_else_is_ended_all_the_same():
    async def story():
        async def stubborn():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
            await asyncio.Event().wait()

        task = asyncio.ensure_future(stubborn())
        await asyncio.sleep(0)
        await batching.end(task)
        return task.cancelled()

    assert asyncio.run(story()) is True


# -- idempotency keys (D-28, F22) -------------------------------------------------------------------------------------


def named(website, key, **fields):
    found = reading(website, **fields)
    found.hit.idempotency_key = key
    return found


def test_the_same_call_twice_is_stored_once_and_answered_alike(acme):
    bot = {"agent": GOOGLEBOT}
    calls = [named(acme, "a", path="/1"), named(acme, "a", path="/2"), named(acme, "b", **bot), named(acme, "b", **bot)]
    assert run(lambda b: outcomes(b, *calls)) == [Outcome.STORED] * 2 + [Outcome.BOT] * 2
    again = [named(acme, "a", path="/3"), named(acme, "b", path="/4"), named(acme, "c", path="/5")]
    assert run(lambda b: outcomes(b, *again)) == [Outcome.STORED, Outcome.BOT, Outcome.STORED]
    assert paths() == ["/", "/1", "/5"]


def test_a_name_counts_within_one_website(acme):
    other = make_website(acme.account, "other.example")
    run(lambda b: outcomes(b, named(acme, "a"), named(other, "a")))
    assert Event.objects.count() == 2


def test_after_a_day_a_name_may_be_used_again(acme):
    run(lambda b: outcomes(b, named(acme, "a", path="/1")))
    IdempotencyKey.objects.update(at=datetime.now(UTC) - timedelta(hours=25))
    run(lambda b: outcomes(b, named(acme, "a", path="/2")))
    assert paths() == ["/1", "/2"]


def test_many_processes_with_one_name_store_one(acme):
    async def story(batches):
        others = [Batches(settings.REDIS_URL) for _ in range(3)]
        for other in others:
            await other.start()
        calls = [writer.submit(named(acme, f"{n % 5}")) for n, writer in enumerate([batches, *others] * 25)]
        found = {verdict.outcome for verdict in await asyncio.gather(*calls)}
        for other in others:
            await other.stop()
        return found

    assert (run(story), Event.objects.count()) == ({Outcome.STORED}, 5)


def test_names_count_through_an_outage_and_a_lost_commit(acme):
    async def story(batches, proxy):
        await outcomes(batches, reading(acme, path="/before"))
        proxy.cut_after(b"COMMIT")
        await outcomes(batches, named(acme, "a", path="/1"))
        await outcomes(batches, named(acme, "a", path="/2"), named(acme, "b", path="/3"))
        proxy.restore()
        await until(lambda: batches.storage.is_up)
        return await outcomes(batches, named(acme, "b", path="/4"), named(acme, "a", path="/5"))

    assert run_behind_proxy(story) == [Outcome.STORED] * 2
    outage.drain()
    assert sorted(path for path in paths() if path in ("/1", "/2", "/5")) == ["/1"]
    assert sum(path in ("/3", "/4") for path in paths()) == 1


def test_the_writer_connects_as_the_database_url_says(monkeypatch):
    # As with `?sslmode=verify-full`, which a Unix socket does not know.
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "application_name", "acme")

    async def story(batches):
        return batches.storage._connection.info.get_parameters()

    found = run(story)
    assert (found["application_name"], found["tcp_user_timeout"], found["connect_timeout"]) == ("acme", "5000", "2")
    assert "statement_timeout=1900" in found["options"]


# -- Redis away -------------------------------------------------------------------------------------------------------


def test_without_redis_events_are_stored_and_limits_count_per_process(acme, monkeypatch):
    monkeypatch.setitem(settings.LIMITS, "COLLECT", (3, 10))
    found = run(lambda b: outcomes(b, *(reading(acme) for _ in range(5))), redis_url=NO_REDIS)
    assert (found.count(Outcome.STORED), found.count(Outcome.LIMITED), Event.objects.count()) == (3, 2, 3)


# -- PostgreSQL away --------------------------------------------------------------------------------------------------


def test_while_postgresql_is_away_events_wait_in_the_stream_and_are_stored_once_it_is_back(acme, monkeypatch):
    monkeypatch.setattr(batching, "DRAIN_SECONDS", 0.05)

    async def story(batches, proxy):
        await outcomes(batches, reading(acme, path="/before"))
        proxy.cut()
        away = await outcomes(batches, *(reading(acme, path=f"/{n}") for n in range(3)))
        again = await outcomes(batches, reading(acme, path="/3"))
        proxy.restore()
        await until(lambda: batches.storage.is_up and not waiting())
        return away + again + await outcomes(batches, reading(acme, path="/after"))

    assert run_behind_proxy(story) == [Outcome.STORED] * 5
    assert (paths(), waiting()) == (["/0", "/1", "/2", "/3", "/after", "/before"], 0)


def test_a_postgresql_that_hangs_is_given_up_after_its_time(acme):
    async def story(batches, proxy):
        await outcomes(batches, reading(acme, path="/before"))
        proxy.hang()
        found = await outcomes(batches, reading(acme, path="/a"))
        at_once = await asyncio.wait_for(outcomes(batches, reading(acme, path="/b")), 1.0)
        proxy.cut()
        proxy.restore()
        return found + at_once

    assert run_behind_proxy(story) == [Outcome.STORED] * 2
    outage.drain()
    assert paths() == ["/a", "/b", "/before"]


def test_a_commit_whose_answer_is_lost_stores_each_event_once(acme):
    async def story(batches, proxy):
        await outcomes(batches, reading(acme, path="/before"))
        proxy.cut_after(b"COMMIT")
        return await outcomes(batches, *(reading(acme, path=f"/{n}") for n in range(3)))

    assert run_behind_proxy(story) == [Outcome.STORED] * 3
    assert (Event.objects.count(), waiting()) == (4, 1)
    outage.drain()
    assert (paths(), waiting()) == (["/0", "/1", "/2", "/before"], 0)


def test_a_call_that_may_be_stored_is_not_refused_while_both_are_away_but_stored_for_certain_once_one_is_back(acme):
    async def story(batches, proxy):
        await outcomes(batches, reading(acme, path="/before"))
        proxy.cut_after(b"COMMIT")
        answers = asyncio.ensure_future(outcomes(batches, *(reading(acme, path=f"/{n}") for n in range(3))))
        await until(lambda: not batches.storage.is_up)
        proxy.restore()
        return await answers

    assert run_behind_proxy(story, redis_url=NO_REDIS) == [Outcome.STORED] * 3
    assert paths() == ["/0", "/1", "/2", "/before"]


def test_nobody_waits_for_a_call_that_may_be_stored_and_it_counts_for_what_may_wait(acme, monkeypatch):
    monkeypatch.setattr(batching, "MOST_WAITING", 3)

    async def story(batches, proxy):
        await outcomes(batches, reading(acme, path="/before"))
        proxy.cut_after(b"COMMIT")
        in_doubt = asyncio.ensure_future(outcomes(batches, *(reading(acme, path=f"/{n}") for n in range(2))))
        await until(lambda: batches._doubtful)
        others = [*await outcomes(batches, *(reading(acme, path=f"/other/{n}") for n in range(2)))]
        assert not in_doubt.done()
        proxy.restore()
        return sorted(others, key=str), await in_doubt

    found = run_behind_proxy(story, redis_url=NO_REDIS)
    assert found == ([Outcome.OVERLOADED, Outcome.UNAVAILABLE], [Outcome.STORED] * 2)
    assert paths() == ["/0", "/1", "/before"]


def test_stopping_answers_also_those_whose_calls_may_be_stored(acme, monkeypatch):
    monkeypatch.setattr(batching, "LAST_DOUBT_SECONDS", 0.0)

    async def story(batches, proxy):
        await outcomes(batches, reading(acme, path="/before"))
        proxy.cut_after(b"COMMIT")
        in_doubt = asyncio.ensure_future(outcomes(batches, reading(acme, path="/lost")))
        await until(lambda: batches._doubtful)
        await batches.stop()
        return await in_doubt

    assert run_behind_proxy(story, redis_url=NO_REDIS) == [Outcome.UNAVAILABLE]


def test_a_call_that_may_be_stored_is_given_up_at_last_when_nobody_comes_back(acme, monkeypatch):
    monkeypatch.setattr(batching, "DOUBT_SECONDS", 0.3)

    async def story(batches, proxy):
        await outcomes(batches, reading(acme, path="/before"))
        proxy.cut_after(b"COMMIT")
        return await outcomes(batches, reading(acme, path="/lost"))

    assert run_behind_proxy(story, redis_url=NO_REDIS) == [Outcome.UNAVAILABLE]


@pytest.mark.parametrize(("answer", "asked"), [(b"*2\r\n:1\r\n:0\r\n", 2), (b"-ERR unknown command\r\n", 1)])
def test_what_waits_is_on_the_disk_of_a_redis_that_can_say_so(answer, asked):
    """A server of the test's own stands in for the versions with and without WAITAOF."""
    commands = []
    writers = []

    async def serve(reader, writer):
        while head := await reader.readline():
            words = []
            for _ in range(int(head[1:])):
                size = int((await reader.readline())[1:])
                words.append((await reader.readexactly(size + 2))[:-2])
            if words[0] in (b"XADD", b"WAITAOF"):
                commands.append(words[0].decode())
            writers.append(writer)
            writer.write({b"XADD": b"$3\r\n1-1\r\n", b"WAITAOF": answer}.get(words[0], b"+OK\r\n"))

    async def story():
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        stream = outage.Stream(f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0")
        puts = [await stream.put([], {}) for _ in range(2)]
        await stream.close()
        server.close()
        for writer in set(writers):
            writer.close()
            await writer.wait_closed()
        return puts

    assert asyncio.run(story()) == [outage.Put.DONE] * 2
    assert commands == ["XADD", "WAITAOF", "XADD", "WAITAOF"][: 2 + asked]


def test_an_unknown_website_is_unavailable_while_nobody_can_say_and_a_known_one_is_taken(acme):
    async def story(batches, proxy):
        await outcomes(batches, reading(acme))
        proxy.cut()
        return await outcomes(batches, reading(acme), reading(None))

    assert run_behind_proxy(story) == [Outcome.STORED, Outcome.UNAVAILABLE]


def test_with_both_away_nothing_is_taken_and_the_drops_are_counted_afterwards(acme, monkeypatch):
    monkeypatch.setattr(batching, "DOUBT_SECONDS", 0.3)

    async def story(batches, proxy):
        await outcomes(batches, reading(acme))
        proxy.cut()
        found = await outcomes(batches, reading(acme), reading(acme))
        proxy.restore()
        await until(lambda: batches.storage.is_up)
        return found

    assert run_behind_proxy(story, redis_url=NO_REDIS) == [Outcome.UNAVAILABLE] * 2
    assert (Event.objects.count(), Drop.objects.get().reason, Drop.objects.get().count) == (1, "storage_unavailable", 2)


def test_what_is_refused_while_postgresql_is_away_is_counted_even_if_the_process_dies(acme):
    async def story(batches, proxy):
        proxy.cut()
        # Nothing is known of the website yet, and the other is no JSON.
        return await outcomes(batches, reading(acme), reading(acme, body=b"{"))

    assert run_behind_proxy(story) == [Outcome.UNAVAILABLE, Outcome.REFUSED]
    outage.drain()
    assert dict(Drop.objects.values_list("reason", "count")) == {"storage_unavailable": 1, "malformed_json": 1}
    assert (Event.objects.count(), waiting()) == (0, 0)


def test_a_locked_table_does_not_pile_calls_up(acme):
    async def story(batches):
        await outcomes(batches, reading(acme, path="/before"))
        other = await asyncio.to_thread(connection.copy)
        lock = await asyncio.to_thread(lock_events, other)
        try:
            return await asyncio.wait_for(outcomes(batches, reading(acme, path="/a"), reading(acme, path="/b")), 5)
        finally:
            await asyncio.to_thread(lock)

    assert run(story) == [Outcome.STORED] * 2
    outage.drain()
    assert paths() == ["/a", "/b", "/before"]


def lock_events(other):
    """Locks the table of events from a connection of its own; returns what ends it."""
    other.set_autocommit(False)
    with other.cursor() as cursor:
        cursor.execute("LOCK TABLE analytics_event IN ACCESS EXCLUSIVE MODE")
    return other.close


# -- poison and damage ------------------------------------------------------------------------------------------------


def forbid(path):
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE analytics_event ADD CONSTRAINT forbidden CHECK (path <> '{path}')")


def allow():
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE analytics_event DROP CONSTRAINT IF EXISTS forbidden")


@contextlib.contextmanager
def crossed(code, times):
    """The next transactions that store events fail as if another one stood in their way, so many times."""
    with connection.cursor() as cursor:
        # A sequence remembers what a transaction that is undone has taken of it.
        cursor.execute(
            "CREATE SEQUENCE crossings; CREATE FUNCTION cross_once() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            f" IF nextval('crossings') <= {times} THEN RAISE 'crossed' USING ERRCODE = '{code}'; END IF;"
            " RETURN NULL; END $$;"
            " CREATE TRIGGER crossing BEFORE INSERT ON analytics_event EXECUTE FUNCTION cross_once()"
        )
        try:
            yield
            cursor.execute("SELECT last_value FROM crossings")
            assert cursor.fetchone()[0] > times
        finally:
            cursor.execute("DROP FUNCTION cross_once CASCADE; DROP SEQUENCE crossings")


@pytest.mark.parametrize("code", ["40P01", "40001"], ids=["deadlock", "serialization failure"])
@pytest.mark.parametrize("name", ["", "one"], ids=["events alone", "with a name"])
def test_what_another_transaction_stood_in_the_way_of_is_tried_again_and_nobody_sees_it(acme, code, name):
    call = named(acme, name, path="/a")
    with crossed(code, times=2):
        assert run(lambda b: outcomes(b, call)) == [Outcome.STORED]
    assert (paths(), waiting(), Quarantine.objects.count()) == (["/a"], 0, 0)


@pytest.fixture
def forbidden(acme):
    run(lambda b: outcomes(b, reading(acme, path="/first")))
    forbid("/poison")
    yield "/poison"
    allow()


def test_a_row_that_is_refused_is_kept_apart_and_spoils_no_other(acme, forbidden):
    calls = [reading(acme, path=forbidden if n == 7 else f"/{n}") for n in range(10)]
    assert run(lambda b: outcomes(b, *calls)) == [Outcome.STORED] * 10
    assert (Event.objects.count(), Quarantine.objects.count()) == (10, 1)
    assert "forbidden" in Quarantine.objects.get().reason


def test_what_was_kept_apart_can_be_stored_once_the_reason_is_gone(acme, forbidden):
    run(lambda b: outcomes(b, reading(acme, path=forbidden), reading(acme, path="/fine")))
    assert (replay().refused, Quarantine.objects.count()) == (1, 1)
    allow()
    assert (replay().stored, Quarantine.objects.count(), paths()) == (1, 0, ["/fine", "/first", "/poison"])


def test_a_refused_row_in_the_stream_is_kept_apart_too(acme, forbidden):
    async def story(batches, proxy):
        await outcomes(batches, reading(acme, path="/before"))
        proxy.cut()
        return await outcomes(batches, *(reading(acme, path=path) for path in ("/a", forbidden, "/b")))

    run_behind_proxy(story)
    assert outage.drain() == outage.Drained(rows=3, quarantined=1)
    assert (paths(), Quarantine.objects.count()) == (["/a", "/b", "/before", "/first"], 1)


def test_a_damaged_entry_is_kept_apart_and_the_rest_is_stored(acme):
    async def story(batches, proxy):
        await outcomes(batches, reading(acme, path="/before"))
        proxy.cut()
        await outcomes(batches, reading(acme, path="/a"))
        with redis.Redis.from_url(settings.REDIS_URL) as client:
            client.xadd(outage.STREAM, {"rows": b"\x91torn", "sum": "1"})
            client.xadd(outage.STREAM, {"nonsense": "x"})
        await outcomes(batches, reading(acme, path="/b"))

    run_behind_proxy(story)
    assert outage.drain() == outage.Drained(rows=2, quarantined=2)
    assert (paths(), waiting(), Quarantine.objects.count()) == (["/a", "/b", "/before"], 0, 2)
    assert replay().unreadable == 2


def test_draining_twice_at_once_stores_once(acme):
    async def story(batches, proxy):
        await outcomes(batches, reading(acme, path="/before"))
        proxy.cut()
        for n in range(5):
            await outcomes(batches, reading(acme, path=f"/{n}"))

    run_behind_proxy(story)

    async def twice():
        return await asyncio.gather(*(asyncio.to_thread(batching.drain) for _ in range(4)))

    asyncio.run(twice())
    outage.drain()
    assert (Event.objects.count(), waiting()) == (6, 0)


def test_nothing_that_names_a_person_is_in_the_stream(acme):
    async def story(batches, proxy):
        await outcomes(batches, reading(acme))
        proxy.cut()
        await outcomes(batches, reading(acme, agent=CHROME + " CanaryUA/7.7", path="/canary@example.test"))

    run_behind_proxy(story)
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        kept = repr(client.xrange(outage.STREAM))
    assert [word in kept for word in ("CanaryUA", "canary@", "203.0.113.9", "/*@*")] == [False, False, False, True]
