"""The crash harness, in short: `make chaos` is the same for longer (guarantees F01, F02, F03, F11, F28, I0, I1)."""

import asyncio
import json
import random
import shutil
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tinytrail.chaos.controls import CONTROLS
from tinytrail.chaos.installation import KINDS, Installation, wait
from tinytrail.chaos.load import Fate, Ledger, Load
from tinytrail.chaos.run import Plan, run, settle
from tinytrail.chaos.verdict import Verdict, compare, expected_pageviews

WEBSITE = "00000000-0000-4000-8000-000000000000"
ANSWER = b"HTTP/1.1 202 Accepted\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}"
# The bar is 30 seconds; everything else of a machine that is busy only has to end.
STOP_SECONDS = 30.0
PATIENCE_SECONDS = 60.0


@pytest.fixture
def data() -> Iterator[Path]:
    """A short name: the sockets of the engines stand below it."""
    data = Path(tempfile.mkdtemp(prefix="chaos-"))
    yield data
    shutil.rmtree(data)


def test_nothing_accepted_is_lost_or_doubled_whatever_is_killed(data):
    verdict = run(Plan(accepted=20_000, kills=2 * len(KINDS), overload_seconds=3), data)
    assert (verdict.lost, verdict.doubled, verdict.uninvited) == (0, 0, 0), verdict.table()
    assert verdict.is_kept, verdict.table()
    assert verdict.kills == dict.fromkeys(KINDS, 2)
    assert verdict.repeats > 0
    assert verdict.accepted >= 20_000
    # Half of it may well be malloc's: what counts is that the crowd does not add to it without bound.
    assert verdict.memory_mib < 400


@pytest.mark.parametrize("name", CONTROLS)
def test_an_installation_that_loses_events_is_caught(data, name):
    control = CONTROLS[name]
    verdict = run(Plan(accepted=3_000, kills=4, kinds=control.kinds), data, control)
    assert verdict.is_caught, verdict.table()


# -- an orderly end ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def acme() -> Iterator[Installation]:
    data = Path(tempfile.mkdtemp(prefix="chaos-"))
    with Installation(data) as installation:
        yield installation
    shutil.rmtree(data)


@pytest.fixture
def web(acme: Installation) -> Installation:
    """The installation with its web server running and nothing stored."""
    wait(acme.is_healthy, PATIENCE_SECONDS, "The web server does not answer")
    with acme.connect() as connection:
        connection.execute("TRUNCATE analytics_event, analytics_idempotencykey")
    return acme


def stored_numbers(installation: Installation) -> set[int]:
    settle(Verdict(), installation)
    return {int(path.removeprefix("/e/")) for path in installation.stored()}


def numbers(ledger: Ledger, fate: Fate) -> set[int]:
    return {number for number, was in enumerate(ledger.fates) if was == fate}


def terminate(installation: Installation) -> float:
    """Seconds that the web server takes to end."""
    began = time.monotonic()
    installation.processes["web"].send_signal(signal.SIGTERM)
    assert installation.processes["web"].wait(PATIENCE_SECONDS) == 0
    return time.monotonic() - began


def test_a_server_told_to_end_under_load_cuts_off_no_request_that_it_has_read(web):
    ledger = Ledger()

    async def play() -> float:
        load = Load(web.port, web.website, ledger)
        load.start(64)
        await load.reach(2_000)
        seconds = await asyncio.to_thread(terminate, web)
        await load.stop()
        return seconds

    assert asyncio.run(play()) < STOP_SECONDS
    stored = stored_numbers(web)
    assert numbers(ledger, Fate.ACCEPTED) == stored
    # Had one without an answer been read, it would be stored.
    assert numbers(ledger, Fate.UNKNOWN) & stored == set()
    assert ledger.wrong == {}


def test_a_server_told_to_end_answers_everybody_who_waits(web):
    ledger = Ledger()

    async def play() -> float:
        load = Load(web.port, web.website, ledger)
        with web.connect() as connection, connection.transaction():
            connection.execute("LOCK TABLE analytics_event IN ACCESS EXCLUSIVE MODE")
            load.start(49)
            await asyncio.to_thread(wait, lambda: are_read(web.port, 49), PATIENCE_SECONDS, "Not all were read")
            load.is_over = True
            ending = asyncio.create_task(asyncio.to_thread(terminate, web))
            await asyncio.to_thread(wait, lambda: is_closed(web.port), PATIENCE_SECONDS, "The port is still open")
        seconds = await ending
        await load.stop()
        return seconds

    assert asyncio.run(play()) < STOP_SECONDS
    assert list(ledger.fates) == 49 * [Fate.ACCEPTED]
    assert stored_numbers(web) == set(range(49))


def sockets(port: int) -> list[tuple[str, int]]:
    """State and unread bytes of the server's ends of its connections."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    ours = [row for row in rows if row[1].endswith(f":{port:04X}")]
    return [(row[3], int(row[4].partition(":")[2], 16)) for row in ours]


def are_read(port: int, connections: int) -> bool:
    established = [unread for state, unread in sockets(port) if state == "01"]
    return len(established) == connections and not any(established)


def is_closed(port: int) -> bool:
    return not any(state == "0A" for state, _ in sockets(port))


# -- the ledger and the verdict ----------------------------------------------------------------------------------------


def ledger_of(*statuses: int) -> Ledger:
    """A ledger with a request for each status; 0: the connection ended without one."""
    ledger = Ledger()
    for status in statuses:
        number = ledger.open()
        if status:
            ledger.close(number, status, b"HTTP/1.1 503\r\nRetry-After: 5" if status == 503 else b"")
    return ledger


def judged(ledger: Ledger, *stored: int, **counted: int) -> Verdict:
    verdict = Verdict()
    compare(verdict, ledger, [f"/e/{number}" for number in stored], counted)
    return verdict


def test_what_is_accepted_and_stored_once_is_kept():
    verdict = judged(ledger_of(202, 204, 0, 0, 503), 0, 1, 2, storage_unavailable=1)
    assert (verdict.requests, verdict.accepted, verdict.unknown, verdict.refused, verdict.stored) == (5, 2, 2, 1, 3)
    assert (verdict.is_kept, verdict.is_caught) == (True, False)


def test_what_is_accepted_and_not_stored_is_lost():
    assert judged(ledger_of(202, 202), 0).lost == 1


def test_what_is_stored_twice_is_doubled():
    verdict = judged(ledger_of(202, 0), 0, 0, 1, 1)
    assert (verdict.doubled, verdict.lost, verdict.is_kept) == (2, 0, False)


def test_what_is_refused_or_never_sent_must_not_be_stored():
    verdict = judged(ledger_of(503), 0, 7, overloaded=1)
    assert (verdict.uninvited, verdict.is_kept) == (2, False)


def test_a_refusal_that_is_not_counted_is_found():
    verdict = judged(ledger_of(503, 503), storage_unavailable=1)
    assert (verdict.uncounted, verdict.is_kept) == (1, False)


def test_one_success_of_a_request_sent_twice_is_enough_and_one_unknown_end_leaves_it_unknown():
    ledger = ledger_of(202, 0, 503, 503, 503)
    for number, status in enumerate((0, 503, 0, 202, 503)):
        ledger.reopen(number)
        if status:
            ledger.close(number, status, b"\r\nRetry-After: 5")
    assert list(ledger.fates) == [Fate.ACCEPTED, Fate.UNKNOWN, Fate.UNKNOWN, Fate.ACCEPTED, Fate.REFUSED]


def test_an_answer_that_no_request_may_get_is_found():
    ledger = ledger_of(500)
    ledger.close(ledger.open(), 503, b"HTTP/1.1 503 Service Unavailable")
    assert ledger.wrong == {"500 to an event": 1, "503 without Retry-After": 1}
    assert not judged(ledger, storage_unavailable=1).is_kept


def test_bots_are_no_page_views():
    assert expected_pageviews(["/e/0", "/e/39", "/e/40"]) == 2


# -- the load ----------------------------------------------------------------------------------------------------------


def calls(*answers: bytes) -> Ledger:
    """What one connection has written down after so many connections were answered so, and closed."""
    ledger = Ledger()
    bodies: list[dict[str, str]] = []

    async def play() -> None:
        waiting = list(answers)

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            head = await reader.readuntil(b"\r\n\r\n")
            size = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
            bodies.append(json.loads(await reader.readexactly(size)))
            writer.write(waiting.pop(0))
            load.is_over = not waiting
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        load = Load(server.sockets[0].getsockname()[1], WEBSITE, ledger)
        load.start(1)
        while waiting:
            await asyncio.sleep(0)
        await load.stop()
        server.close()

    asyncio.run(play())
    assert [body["path"] for body in bodies] == [f"/e/{number}" for number in range(len(answers))]
    return ledger


def test_an_answer_is_accepted_when_its_status_line_was_read():
    ledger = calls(ANSWER, b"HTTP/1.1 202 Acc", b"HTTP/1.1 202 Accepted\r\ncontent-le", b"")
    assert list(ledger.fates) == [Fate.ACCEPTED, Fate.UNKNOWN, Fate.ACCEPTED, Fate.UNKNOWN]
    assert ledger.statuses == Counter({202: 2})


def test_the_schedule_kills_every_kind_equally_often_and_the_same_with_the_same_seed():
    plan = Plan(accepted=1_000, kills=3 * len(KINDS))
    schedule = plan.schedule(random.Random(1))
    assert Counter(kind for _, kind in schedule) == dict.fromkeys(KINDS, 3)
    assert [moment for moment, _ in schedule] == sorted(moment for moment, _ in schedule)
    assert plan.schedule(random.Random(1)) == schedule != plan.schedule(random.Random(2))
