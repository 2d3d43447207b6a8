"""Faults that need a whole installation and an exact moment (guarantees F04, F09, F15)."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from analytics.api.v1.endpoints import collect
from analytics.ingest.batches import Batches
from analytics.ingest.grants import grants
from analytics.ingest.reading import Outcome
from analytics.ingest.storage import Storage
from analytics.ingest.visitor import salts
from tinytrail import embedded
from tinytrail.chaos.installation import ROOT, Installation, children, wait
from tinytrail.chaos.load import CHROME, Fate, Ledger, Load
from tinytrail.chaos.verdict import expected_pageviews
from tinytrail.web.call import Call

# What only has to happen, however busy the machine is.
PATIENCE_SECONDS = 60.0
# The bar of F15.
RECOVERY_SECONDS = 60.0
NO_REDIS = "redis://127.0.0.1:1/0"


@pytest.fixture(scope="module")
def installation() -> Iterator[Installation]:
    """Without beat: what is built when is for each test to say."""
    data = Path(tempfile.mkdtemp(prefix="faults-"))
    with Installation(data, names=("web", "worker")) as installation:
        yield installation
    shutil.rmtree(data)


@pytest.fixture
def acme(installation: Installation) -> Iterator[Installation]:
    """The installation with nothing stored. What this process learns of it is forgotten."""
    wait(installation.is_healthy, PATIENCE_SECONDS, "The web server does not answer")
    with installation.connect() as connection:
        connection.execute(
            "TRUNCATE analytics_event, analytics_visit, analytics_idempotencykey, analytics_dirtyday,"
            " analytics_builtday, analytics_siteday, analytics_pageday, analytics_dimensionday, analytics_nameday"
        )
    yield installation
    grants.forget()
    salts.__init__()


def send(installation: Installation, ledger: Ledger, events: int) -> None:
    """Has at least so many more events accepted."""

    async def play() -> None:
        load = Load(installation.port, installation.website, ledger)
        load.start(8)
        await load.reach(events)
        await load.stop()

    asyncio.run(play())


def pageviews(installation: Installation) -> int:
    """What the report says, which has today built if that is possible."""
    day = datetime.now(UTC).date()
    return installation.pageviews(day, day)


# -- F04: a worker is killed in the middle of a build ------------------------------------------------------------------


def ask_for_builds(installation: Installation) -> None:
    """What beat does every twenty seconds."""
    subprocess.run(
        [sys.executable, "-m", "celery", "-A", "tinytrail.beat", "call", "analytics.tasks.build_dirty_days"],
        cwd=ROOT,
        env=installation.environment(),
        stdout=subprocess.DEVNULL,
        check=True,
    )


def built(installation: Installation) -> tuple[int, int]:
    """How many days are built, and how many page views their rows show."""
    days, views = installation.ask(
        "SELECT (SELECT count(*) FROM analytics_builtday), (SELECT coalesce(sum(pageviews), 0)"
        " FROM analytics_siteday WHERE content_group = '')"
    )
    return int(days), int(views)


def is_build_open(installation: Installation) -> bool:
    """Whether a build has computed and written all its rows, and waits for the last one."""
    return installation.ask(
        "SELECT EXISTS (SELECT FROM pg_stat_activity"
        " WHERE wait_event_type = 'Lock' AND query LIKE 'INSERT INTO \"analytics_builtday\"%%')"
    ) == (True,)


def test_a_worker_killed_in_the_middle_of_a_build_leaves_no_part_of_it_and_the_next_one_builds_the_whole_day(acme):
    send(acme, Ledger(), 300)
    with acme.connect() as other, other.transaction():
        # The one thing that a build writes after its roll-ups.
        other.execute("LOCK TABLE analytics_builtday IN EXCLUSIVE MODE")
        ask_for_builds(acme)
        wait(lambda: is_build_open(acme), PATIENCE_SECONDS, "No build has begun")
        acme.kill_group("worker")
        acme.processes["worker"].wait()
        assert built(acme) == (0, 0)
    wait(lambda: not is_build_open(acme), PATIENCE_SECONDS, "The build has not ended")
    assert built(acme) == (0, 0)
    acme.look_after()
    ask_for_builds(acme)
    wait(lambda: built(acme)[0], PATIENCE_SECONDS, "The day was not built again")
    recount = acme.run("-m", "tinytrail.chaos.recount", acme.website)
    assert (recount["changedRows"], recount["wrongRows"]) == (0, 0)
    assert built(acme) == acme.ask("SELECT 1, count(*) FROM analytics_event")


# -- F09: Redis hangs --------------------------------------------------------------------------------------------------


@contextmanager
def hanging(process: int | None) -> Iterator[None]:
    """The process takes connections and calls, and does nothing about them."""
    assert process is not None
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


def test_while_redis_hangs_events_are_taken_reports_are_read_and_nobody_is_refused(acme):
    ledger = Ledger()
    send(acme, ledger, 100)
    with hanging(acme.redis_server()):
        send(acme, ledger, 300)
        shown = pageviews(acme)
        assert acme.get("/health")[0] == 200
    assert ledger.count(Fate.UNKNOWN) == 0
    assert set(ledger.statuses) == {202, 204, 400}
    stored = sorted(int(path.removeprefix("/e/")) for path in acme.stored())
    assert stored == [number for number, fate in enumerate(ledger.fates) if fate == Fate.ACCEPTED]
    assert shown == expected_pageviews(acme.stored())


# -- F15: the disk is full ---------------------------------------------------------------------------------------------

# Also the size of a segment of the write-ahead log: those can be written, as on a disk where they stand ready.
FULL_BYTES = 16 * 1024 * 1024


@contextmanager
def full_disk(installation: Installation) -> Iterator[None]:
    """PostgreSQL cannot make any file longer than FULL_BYTES: the kernel refuses, as it does when no block is left.

    A limit of the process needs neither root nor a file system to spare, and can be lifted again. The tables that have
    to grow have reached it.
    """
    for table in (f"analytics_event_{datetime.now(UTC):%Y_%m}", "analytics_pageday"):
        grow(installation, table)
    limit_files(installation, str(FULL_BYTES))
    try:
        yield
    finally:
        limit_files(installation, "unlimited")


def grow(installation: Installation, table: str) -> None:
    """Gives the table rows of nobody's, one or two on each page, until it is as long as a file may be."""
    with installation.connect() as connection:
        connection.execute(f"ALTER TABLE {table} SET (fillfactor = 10)")
        column = "id" if "event" in table else "path"
        connection.execute(
            f"INSERT INTO {table} SELECT (jsonb_populate_record(one, jsonb_build_object("
            f"'website_id', -1, '{column}', n::text, 'referrer', repeat('-', 500), 'path', repeat('-', 500) || n))).*"
            f" FROM {table} AS one, generate_series(1, %s) AS n WHERE one.ctid = (SELECT min(ctid) FROM {table})",
            [2 * FULL_BYTES // 8192],
        )
        assert installation.ask("SELECT pg_relation_size(%s) >= %s", table, FULL_BYTES) == (True,)


def limit_files(installation: Installation, size: str) -> None:
    postmaster = installation.postmaster()
    assert postmaster is not None
    owner = (installation.data / "postgres/data").stat()
    # Its own user may always do so; root in a container may not.
    who = {"user": owner.st_uid, "group": owner.st_gid} if os.geteuid() == 0 else {}
    # The first process first: whatever it starts from now on has its limit.
    for process in (postmaster, *children(postmaster)):
        done = subprocess.run(
            ["prlimit", f"--pid={process}", f"--fsize={size}:"], capture_output=True, check=False, **who
        )
        assert done.returncode == 0 or not Path(f"/proc/{process}").exists(), done.stderr


def outcome_without_redis(installation: Installation) -> Outcome:
    """What becomes of an event when nothing is in the place of PostgreSQL."""
    facts = embedded.database(installation.data)
    storage = Storage(host=facts["HOST"], port=facts["PORT"], user=facts["USER"], dbname=facts["NAME"], password=None)
    url = "https://acme.example/"
    body = {"website_id": installation.website, "event_type": "page_view", "url": url, "path": "/e/1000000"}
    call = Call("POST", "/api/v1/collect", "", {"user-agent": CHROME}, json.dumps(body).encode(), "203.0.113.9")

    async def play() -> Outcome:
        batches = Batches(NO_REDIS, storage)
        await batches.start()
        verdict = await batches.submit(collect.take(call, now=datetime.now(UTC)))
        await batches.stop()
        return verdict.outcome

    return asyncio.run(play())


def test_with_a_full_disk_nothing_accepted_is_lost_reports_are_read_and_all_is_well_when_there_is_room_again(acme):
    ledger = Ledger()
    send(acme, ledger, 100)
    before = pageviews(acme)
    # A day that has newer events than its build, which cannot be built any more.
    send(acme, ledger, 20)
    with full_disk(acme):
        send(acme, ledger, 200)
        assert acme.waiting() > 0
        assert pageviews(acme) == before > 0
        assert outcome_without_redis(acme) is Outcome.UNAVAILABLE
    wait(lambda: acme.waiting() == 0, RECOVERY_SECONDS, "What waited was not stored")
    stored = sorted(int(path.removeprefix("/e/")) for path in acme.stored())
    assert stored == [number for number, fate in enumerate(ledger.fates) if fate == Fate.ACCEPTED]
    assert ledger.wrong == {}
    recount = acme.run("-m", "tinytrail.chaos.recount", acme.website)
    assert (recount["wrongRows"], recount["quarantined"]) == (0, 0)
    assert pageviews(acme) > before
