"""What an operator does to an installation, and what happens to it meanwhile (guarantees F13, F31, F33)."""

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from celery import Celery
from django.conf import LazySettings

from tinytrail import doctor, embedded
from tinytrail.chaos import removal, upgrade
from tinytrail.chaos.installation import Installation, wait
from tinytrail.chaos.load import Fate, Ledger, Load

# What only has to happen, however busy the machine is.
PATIENCE_SECONDS = 60.0


@pytest.fixture(scope="module")
def installation() -> Iterator[Installation]:
    """Without beat: what is to be done when is for each test to say."""
    data = Path(tempfile.mkdtemp(prefix="operations-"))
    with Installation(data, names=("web", "worker")) as installation:
        yield installation
    shutil.rmtree(data)


@pytest.fixture
def acme(installation: Installation) -> Installation:
    """The installation with an account and a website, and nothing stored."""
    wait(installation.is_healthy, PATIENCE_SECONDS, "The web server does not answer")
    with installation.connect() as connection:
        connection.execute("TRUNCATE analytics_event, analytics_idempotencykey")
    return installation


def send(installation: Installation, ledger: Ledger, events: int) -> None:
    """Has at least so many more events accepted."""

    async def play() -> None:
        load = Load(installation.port, installation.website, ledger)
        load.start(8)
        await load.reach(events)
        await load.stop()

    asyncio.run(play())


def accepted(ledger: Ledger) -> list[int]:
    return [number for number, fate in enumerate(ledger.fates) if fate == Fate.ACCEPTED]


# -- F13: no connection is left ----------------------------------------------------------------------------------------


@contextlib.contextmanager
def all_connections(installation: Installation) -> Iterator[None]:
    """Takes every connection that PostgreSQL has to give, those of the installation's processes included."""
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(contextlib.closing(installation.connect()))
        mine = {first.info.backend_pid}
        while others := clients(first) - mine:
            for other in others:
                first.execute("SELECT pg_terminate_backend(%s)", [other])
            mine |= set(all_that_are_left(installation, stack))
        # Also none for a moment later: this one is refused.
        assert list(all_that_are_left(installation, stack)) == []
        yield


def clients(connection: "psycopg.Connection[tuple[Any, ...]]") -> set[int]:
    rows = connection.execute("SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'").fetchall()
    return {pid for (pid,) in rows}


def all_that_are_left(installation: Installation, stack: contextlib.ExitStack) -> Iterator[int]:
    with contextlib.suppress(psycopg.OperationalError):
        while True:
            yield stack.enter_context(contextlib.closing(installation.connect())).info.backend_pid


def test_with_no_connection_left_events_wait_everything_else_says_so_and_all_is_well_afterwards(acme):
    ledger = Ledger()
    report = f"/api/v1/reports/summary?website_id={acme.website}&period=today"
    send(acme, ledger, 20)
    with all_connections(acme):
        send(acme, ledger, 60)
        assert acme.waiting()
        wait(lambda: acme.get("/health")[0] == 503, PATIENCE_SECONDS, "The web server calls itself healthy")
        assert acme.get(report, {"X-API-KEY": acme.key})[0] == 503
    wait(lambda: acme.waiting() == 0, PATIENCE_SECONDS, "What waited was not stored")
    wait(acme.is_healthy, PATIENCE_SECONDS, "The web server does not answer")
    assert acme.ask("SELECT count(*) FROM analytics_event") == (len(accepted(ledger)),)
    assert (ledger.wrong, max(ledger.statuses)) == ({}, 400)
    assert acme.get(report, {"X-API-KEY": acme.key})[0] == 200


# -- F33: a consumer that is up and consumes nothing -------------------------------------------------------------------


def test_a_worker_that_answers_and_takes_nothing_is_found_with_the_age_of_what_waits(
    acme: Installation, settings: LazySettings
) -> None:
    broker = embedded.redis_url(acme.data)
    settings.REDIS_URL = broker
    question = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%%dirtyday%%'"
    with acme.connect() as other, other.transaction():
        other.execute("LOCK TABLE analytics_dirtyday IN ACCESS EXCLUSIVE MODE")
        with Celery("acme", broker=broker.replace("unix://", "redis+socket://"), set_as_current=False) as app:
            for _ in range(8):
                app.send_task("analytics.tasks.build_dirty_days")
            sent = datetime.now(UTC)
            wait(lambda: acme.ask(question) == (2,), PATIENCE_SECONDS, "The worker is not stuck")
            assert app.control.inspect(timeout=5).ping(), "The worker does not answer"
        (soon,) = doctor.told(doctor.tasks, sent + timedelta(minutes=1))
        (finding,) = doctor.told(doctor.tasks, sent + timedelta(minutes=10))
        assert soon.level == "ok"
        assert finding.level == "error"
        assert finding.sentence.endswith(f"the oldest since {sent:%Y-%m-%d %H:%M} UTC.")
    wait(lambda: doctor.told(doctor.tasks, sent)[0].sentence.startswith("0 "), PATIENCE_SECONDS, "Nobody goes on")
    (after,) = doctor.told(doctor.tasks, sent + timedelta(minutes=10))
    assert (after.level, after.sentence) == ("ok", "0 tasks wait for a worker.")


# -- loaded tables -----------------------------------------------------------------------------------------------------


def test_while_loaded_tables_are_migrated_every_event_is_taken_and_stored_once(acme: Installation) -> None:
    figures = upgrade.rehearse(acme, 60_000, say=lambda text: None)
    assert figures.is_kept, figures.table()
    assert figures.accepted >= 3 * upgrade.AROUND
    assert figures.partitions >= 2


# The last one: it leaves no account.
def test_an_account_with_many_events_is_gone_at_once_and_its_rows_soon_also_when_the_worker_is_killed(
    acme: Installation,
) -> None:
    figures = removal.rehearse(acme, 50_000, say=lambda text: None)
    assert (figures.answers, figures.rows_left) == ((), 0)
    # Some were removed before, and the others by the next worker.
    assert 0 < figures.rows_at_kill < 50_000
