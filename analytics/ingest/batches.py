"""Batches: what has gathered while the last batch was on its way is the next one.

One Lua call counts every limit of a batch, one transaction stores its rows and counts what was not stored, then
everybody in it gets an answer. There is no timer: alone, a call waits for nobody; under load, batches grow.
"""

import asyncio
import contextlib
import logging
import time
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from uuid import UUID

from django.db import connection

from analytics.drops import Key
from analytics.ingest import CODES, as_row, enrich, outage, outcome
from analytics.ingest.reading import Outcome, Reading, Verdict
from analytics.ingest.row import Row
from analytics.ingest.storage import Away, Poison, Storage
from analytics.ingest.visitor import salts
from analytics.ingest.website import Site, sites
from tinytrail.web.ratelimit import Limiter

log = logging.getLogger(__name__)

LARGEST_BATCH = 512
# More than this waiting is more than can be answered in time: the next one is told to come back.
MOST_WAITING = 1_024
DRAIN_SECONDS = 5.0


@dataclass(slots=True)
class Entry:
    """One call of a batch, and what became of it."""

    reading: Reading
    answer: asyncio.Future[Verdict]
    verdict: Verdict | None = None
    row: Row | None = None


@dataclass(slots=True)
class Figures:
    """What a process has done since it started, for benchmarks and `doctor`."""

    calls: int = 0
    batches: int = 0
    commits: int = 0
    stored: int = 0
    outages: int = 0
    largest: int = 0


class Batches:
    """The writer of one process. Everything happens on one event loop."""

    def __init__(self, redis_url: str, storage: Storage | None = None) -> None:
        self.storage = storage or Storage()
        self.figures = Figures()
        self._limiter = Limiter(redis_url)
        self._stream = outage.Stream(redis_url)
        self._waiting: deque[Entry] = deque()
        self._gathered = asyncio.Event()
        # Counts of calls that were not stored, until a transaction takes them.
        self._drops: Counter[Key] = Counter()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        await self.storage.start()
        self._tasks = [asyncio.create_task(self._run()), asyncio.create_task(self._keep_draining())]

    async def stop(self) -> None:
        """Answers everybody who waits, then leaves."""
        while self._waiting:
            await self._take()
        for task in self._tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        if self._drops and self.storage.is_up:
            with contextlib.suppress(Away, Poison):
                await self.storage.write([], self._drops)
        await self.storage.stop()
        await self._limiter.close()
        await self._stream.close()

    async def submit(self, reading: Reading) -> Verdict:
        """What became of a call: stored means committed, or in the outage stream while PostgreSQL is away."""
        if len(self._waiting) >= MOST_WAITING:
            self._drop(reading, Outcome.OVERLOADED.value, today())
            return Verdict(Outcome.OVERLOADED)
        entry = Entry(reading, asyncio.get_running_loop().create_future())
        self._waiting.append(entry)
        self._gathered.set()
        return await entry.answer

    # -- one batch --

    async def _run(self) -> None:
        while True:
            await self._gathered.wait()
            self._gathered.clear()
            while self._waiting:
                await self._take()

    async def _take(self) -> None:
        batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), LARGEST_BATCH))]
        self.figures.calls += len(batch)
        self.figures.batches += 1
        self.figures.largest = max(self.figures.largest, len(batch))
        try:
            await self._settle(batch)
        except Exception:
            # A mistake of ours must not leave anybody without an answer, nor stop the next batch.
            log.exception("A batch failed.")
        for entry in batch:
            if not entry.answer.done():
                entry.answer.set_result(entry.verdict or Verdict(Outcome.UNAVAILABLE))

    async def _settle(self, batch: Sequence[Entry]) -> None:
        await self._count_limits(batch)
        hits = [entry for entry in batch if entry.verdict is None and entry.reading.hit]
        for entry in batch:
            if entry.verdict is None and entry.reading.refusal:
                self._drop(entry.reading, entry.reading.refusal.reason, today())
                entry.verdict = Verdict(Outcome.REFUSED)
        if hits:
            await self._enrich(hits)
        await self._store([entry for entry in hits if entry.row])

    async def _count_limits(self, batch: Sequence[Entry]) -> None:
        limits = [limit for entry in batch for limit in entry.reading.limits]
        waits = iter(await self._limiter.retry_after(limits, now=time.monotonic()))
        for entry in batch:
            longest = max((next(waits) for _ in entry.reading.limits), default=0)
            if longest:
                entry.verdict = Verdict(Outcome.LIMITED, longest)
                self._drop(entry.reading, Outcome.LIMITED.value, today())

    async def _enrich(self, hits: Sequence[Entry]) -> None:
        found = await self._sites({entry.reading.hit.website for entry in hits if entry.reading.hit})
        for day in {entry.reading.hit.occurred_at.date() for entry in hits if entry.reading.hit}:
            await self._have_salt(day)
        for entry in hits:
            hit = entry.reading.hit
            assert hit is not None
            site = found.get(hit.website)
            salt = salts.known(hit.occurred_at.date())
            if site is None and hit.website in found:
                self._give_up(entry, Outcome.UNKNOWN_WEBSITE)
            elif site is None or salt is None:
                self._give_up(entry, Outcome.UNAVAILABLE)
            else:
                hit.salt = salt
                enrich(hit, site)
                entry.row = as_row(hit, site)

    async def _sites(self, wanted: set[UUID]) -> dict[UUID, Site | None]:
        """The websites, None for those that are not; none at all for those about which nobody can say."""
        stale = wanted - sites.fresh(wanted)
        if stale and self.storage.is_up:
            with contextlib.suppress(Away):
                sites.learn(stale, await self.storage.websites(stale))
                stale = set()
        # While the database is away a website that was there counts as there, and no other is known not to be.
        return {id_: site for id_ in wanted if (site := sites.known(id_)) or id_ not in stale}

    async def _have_salt(self, day: date) -> None:
        if salts.is_due(day) and self.storage.is_up:
            with contextlib.suppress(Away):
                salts.learn(day, await self.storage.salt(day, salts.candidate(day)))

    async def _store(self, entries: Sequence[Entry]) -> None:
        drops, self._drops = self._drops, Counter()
        rows = [entry.row for entry in entries if entry.row]
        if not rows and not drops:
            return
        if self.storage.is_up:
            with contextlib.suppress(Away):
                self._accept(entries, await self._write(rows, drops))
                return
        if await self._stream.put(rows, drops):
            self.figures.outages += len(rows)
            self._accept(entries, {})
            return
        self._drops += drops
        for entry in entries:
            self._give_up(entry, Outcome.UNAVAILABLE)

    async def _write(self, rows: Sequence[Row], drops: Counter[Key]) -> dict[bytes, int]:
        """Store the rows; one that the table refuses is found by halving, and kept apart.

        Returns the codes of those that were stored before, by their keys. Raises Away.
        """
        try:
            repeated = await self.storage.write(rows, drops)
            self.figures.commits += 1
            return repeated
        except Poison as poison:
            try:
                # The first time a partition may only have been gone: it is made again.
                return await self.storage.write(rows, drops)
            except Poison:
                if len(rows) <= 1:
                    await self.storage.write([], drops)
                    for row in rows:
                        await self.storage.quarantine(row, str(poison))
                    return {}
                half = len(rows) // 2
                return await self._write(rows[:half], drops) | await self._write(rows[half:], Counter())

    # -- answers --

    def _accept(self, entries: Sequence[Entry], repeated: Mapping[bytes, int]) -> None:
        """Stored now, or before: then the answer is the one that was given then (D-28)."""
        self.figures.stored += len(entries)
        for entry in entries:
            assert entry.reading.hit is not None
            code = repeated.get(entry.row.key) if entry.row and entry.row.key else None
            entry.verdict = Verdict(outcome(entry.reading.hit) if code is None else CODES[code])

    def _give_up(self, entry: Entry, why: Outcome) -> None:
        entry.verdict = Verdict(why)
        self._drop(entry.reading, why.value, today())

    def _drop(self, reading: Reading, reason: str, day: date) -> None:
        site = sites.known(reading.hit.website) if reading.hit else None
        self._drops[(day, reading.dialect.word, reason, site.id if site else None)] += 1

    # -- after an outage --

    async def _keep_draining(self) -> None:
        while True:
            if self.storage.is_up and not await self._stream.is_empty():
                try:
                    drained = await asyncio.to_thread(drain)
                    log.warning("Stored %d events that waited for PostgreSQL.", drained.rows)
                except Exception as error:
                    log.warning("The outage stream could not be drained: %s", type(error).__name__)
            await asyncio.sleep(DRAIN_SECONDS)


def drain() -> outage.Drained:
    """Drains on a thread that may never come back, and so keeps no connection."""
    try:
        return outage.drain()
    finally:
        connection.close()


def today() -> date:
    return datetime.now(UTC).date()
