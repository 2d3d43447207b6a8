"""Batches: what has gathered while the last batch was on its way is the next one.

One Lua call counts every limit of a batch, one transaction stores its rows and counts what was not stored, then
everybody in it gets an answer. There is no timer: alone, a call waits for nobody; under load, batches grow.
"""

import asyncio
import contextlib
import logging
import time
from collections import Counter, deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from django.db import connection

from analytics.drops import Key
from analytics.ingest import CODES, as_row, changes, enrich, outage, outcome
from analytics.ingest.figures import Figures
from analytics.ingest.grants import Kind, Source, grants
from analytics.ingest.hit import Hit
from analytics.ingest.outage import Put
from analytics.ingest.reading import Outcome, Reading, Verdict
from analytics.ingest.row import Row
from analytics.ingest.storage import Away, Poison, Storage, Unable
from analytics.ingest.visitor import salts
from analytics.ingest.website import Site
from tinytrail.web.call import Refusal
from tinytrail.web.ratelimit import Limiter, Window

log = logging.getLogger(__name__)

LARGEST_BATCH = 512
# More than this waiting is more than can be answered in time: the next one is told to come back.
MOST_WAITING = 1_024
DRAIN_SECONDS = 5.0
END_SECONDS = 0.2
# How long a batch that may be stored already waits for somebody who takes it for certain. Longer than callers have
# patience: who is told that it was not stored sends it again, and then it may be there twice.
DOUBT_SECONDS = 60.0
DOUBT_PAUSE_SECONDS = 0.1
# How long it does when the process is told to end.
LAST_DOUBT_SECONDS = 5.0


NOT_MADE = frozenset(changes.REFUSED.values())


@dataclass(slots=True)
class Entry:
    """One call of a batch, and what became of it."""

    reading: Reading
    answer: asyncio.Future[Verdict]
    verdict: Verdict | None = None
    windows: tuple[Window, ...] = ()
    remembered: str = ""
    hit: Hit | None = None
    site: Site | None = None
    row: Row | None = None
    is_in_doubt: bool = False

    def end(self, outcome: Outcome, *, retry_after: int = 0, refusal: Refusal | None = None) -> None:
        self.verdict = Verdict(
            outcome, retry_after, refusal, self.hit, self.windows, self.reading.memo, self.remembered
        )

    def answered(self) -> Verdict:
        """The caller has its verdict now, and whoever has none by then cannot be served."""
        verdict = self.verdict or Verdict(Outcome.UNAVAILABLE)
        if not self.answer.done():
            self.answer.set_result(verdict)
        return verdict


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
        # Batches that may be stored, how many calls they are, and when they are given up at the latest.
        self._resolving: set[asyncio.Task[None]] = set()
        self._doubtful = 0
        self._no_doubt_after = float("inf")

    async def start(self) -> None:
        await self.storage.start()
        self._tasks = [asyncio.create_task(self._run()), asyncio.create_task(self._keep_draining())]

    async def stop(self) -> None:
        """Answers everybody who waits, then leaves."""
        while self._waiting:
            await self._take()
        self._no_doubt_after = time.monotonic() + LAST_DOUBT_SECONDS
        await asyncio.gather(*self._resolving)
        for task in self._tasks:
            await end(task)
        if self._drops and self.storage.is_up:
            with contextlib.suppress(Away, Poison):
                await self.storage.write([], self._drops)
        await self.storage.stop()
        await self._limiter.close()
        await self._stream.close()

    def current(self) -> Figures:
        """The figures with what is true just now."""
        self.figures.waiting = len(self._waiting)
        self.figures.processes = 1
        self.figures.connected = int(self.storage.is_up)
        return self.figures

    async def submit(self, reading: Reading) -> Verdict:
        """What became of a call: stored means committed, or in the outage stream while PostgreSQL is away."""
        if len(self._waiting) + self._doubtful >= MOST_WAITING:
            self._drops[(today(), reading.dialect.word, Outcome.OVERLOADED.value, None)] += 1
            self.figures.note(reading.dialect, Outcome.OVERLOADED)
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
        began = time.monotonic()
        try:
            await self._settle(batch)
        except Exception:
            # A mistake of ours must not leave anybody without an answer, nor stop the next batch.
            log.exception("A batch failed.")
        settled = [entry for entry in batch if not entry.is_in_doubt]
        answered = [(entry.reading.dialect, entry.answered().outcome) for entry in settled]
        self.figures.note_batch(answered, len(batch), time.monotonic() - began)

    async def _settle(self, batch: Sequence[Entry]) -> None:
        await self._count_limits(batch)
        await self._admit([entry for entry in batch if entry.verdict is None])
        await self._enrich([entry for entry in batch if entry.verdict is None])
        await self._store([entry for entry in batch if entry.row])

    async def _count_limits(self, batch: Sequence[Entry]) -> None:
        limits = [limit for entry in batch for limit in entry.reading.limits]
        memos = [entry.reading.memo for entry in batch if entry.reading.memo]
        counted, known = await self._limiter.ask(limits, memos, now=time.monotonic())
        windows, remembered = iter(counted), iter(known)
        for entry in batch:
            entry.windows = tuple(next(windows) for _ in entry.reading.limits)
            entry.remembered = next(remembered) if entry.reading.memo else ""
            if wait := max((window.retry_after for window in entry.windows), default=0):
                entry.end(Outcome.LIMITED, retry_after=wait)
                self._drop(entry, Outcome.LIMITED.value)
                self.figures.note_limits(window.limit.name for window in entry.windows if window.retry_after)

    async def _admit(self, entries: Sequence[Entry]) -> None:
        """Find whom the calls are for, and what they are: a hit of a website, or refused."""
        unknown = await self._look_up({entry.reading.source for entry in entries if entry.reading.source})
        for entry in entries:
            reading = entry.reading
            grant = grants.known(reading.source) if reading.source else None
            entry.site = grant.site if grant else None
            if reading.source in unknown and not reading.refusal:
                self._give_up(entry, Outcome.UNAVAILABLE)
                continue
            found = reading.admit(grant) if reading.admit else reading.refusal or reading.hit
            if isinstance(found, Refusal):
                entry.end(Outcome.REFUSED, refusal=found)
                self._drop(entry, found.reason)
            elif entry.site is None:
                self._give_up(entry, Outcome.UNKNOWN_WEBSITE)
            else:
                entry.hit = found
                if reading.is_signalled and entry.site.drops_signalled:
                    self._give_up(entry, Outcome.SIGNALLED)

    async def _look_up(self, wanted: Collection[Source]) -> set[Source]:
        """Have the grants of the sources. Returns those about which nobody can say."""
        stale: dict[Kind, list[Source]] = {}
        for source in grants.stale(wanted):
            stale.setdefault(source.kind, []).append(source)
        unknown: set[Source] = set()
        for kind, sources in stale.items():
            try:
                keys = [source.key for source in sources]
                grants.learn(kind, keys, await self.storage.grants(kind, keys))
            except Away:
                # A website that was there counts as there, and no other is known not to be.
                unknown.update(source for source in sources if not grants.known(source))
        return unknown

    async def _enrich(self, entries: Sequence[Entry]) -> None:
        for day in {entry.hit.salted_on for entry in entries if entry.hit}:
            await self._have_salt(day)
        for entry in entries:
            hit, site = entry.hit, entry.site
            assert hit  # admitted
            assert site
            salt = salts.known(hit.salted_on)
            if salt is None:
                self._give_up(entry, Outcome.UNAVAILABLE)
                continue
            hit.salt = salt
            enrich(hit, site)
            entry.row = as_row(hit, site)
            if hit.left_out:
                self._drop(entry, hit.left_out)

    async def _have_salt(self, day: date) -> None:
        if salts.is_due(day) and self.storage.is_up:
            with contextlib.suppress(Away):
                salts.learn(day, await self.storage.salt(day, salts.candidate(day)))

    async def _store(self, entries: Sequence[Entry]) -> None:
        drops, self._drops = self._drops, Counter()
        rows = [entry.row for entry in entries if entry.row and (entry.row.data or entry.row.change)]
        if not rows and not drops:
            self._accept(entries, {})
            return
        is_in_doubt = False
        if self.storage.is_up:
            try:
                self._accept(entries, await self._write(rows, drops))
                await self._count_refused()
                return
            except Away as away:
                is_in_doubt = not isinstance(away, Unable)
        put = await self._stream.put(rows, drops)
        if put is Put.DONE:
            self.figures.outages += len(rows)
            self._accept(entries, {})
        elif is_in_doubt or put is Put.IN_DOUBT:
            self._leave_in_doubt(entries, rows, drops)
        else:
            self._refuse(entries, drops)

    def _refuse(self, entries: Sequence[Entry], drops: Counter[Key]) -> None:
        self._drops += drops
        for entry in entries:
            self._give_up(entry, Outcome.UNAVAILABLE)

    async def _count_refused(self) -> None:
        """Changes that could not be made are known after the rows are committed, and counted before the answer."""
        if self._drops:
            drops, self._drops = self._drops, Counter()
            try:
                await self.storage.write([], drops)
            except (Away, Poison):
                self._drops += drops

    def _leave_in_doubt(self, entries: Sequence[Entry], rows: Sequence[Row], drops: Counter[Key]) -> None:
        """Rows that may be stored, since an answer was lost, must not be refused, and nobody else waits for them."""
        for entry in entries:
            entry.is_in_doubt = True
        self._doubtful += len(entries)
        task = asyncio.create_task(self._resolve(entries, rows, drops))
        self._resolving.add(task)
        task.add_done_callback(self._resolving.discard)

    async def _resolve(self, entries: Sequence[Entry], rows: Sequence[Row], drops: Counter[Key]) -> None:
        try:
            taken = await self._made_certain(rows, drops)
            if taken is None:
                self._refuse(entries, drops)
            else:
                self._accept(entries, taken)
        except Exception:
            log.exception("What may be stored could not be made certain.")
        self._doubtful -= len(entries)
        for entry in entries:
            self.figures.note(entry.reading.dialect, entry.answered().outcome)

    async def _made_certain(self, rows: Sequence[Row], drops: Counter[Key]) -> Mapping[bytes, int] | None:
        """Have the rows stored or wait in Redis, which can be done again; None when nobody has come back in time."""
        until = time.monotonic() + DOUBT_SECONDS
        while time.monotonic() < min(until, self._no_doubt_after):
            await asyncio.sleep(DOUBT_PAUSE_SECONDS)
            with contextlib.suppress(Away):
                return await self._write(rows, drops, is_in_doubt=True)
            if await self._stream.put(rows, drops) is Put.DONE:
                self.figures.outages += len(rows)
                return {}
        return None

    async def _write(self, rows: Sequence[Row], drops: Counter[Key], *, is_in_doubt: bool = False) -> dict[bytes, int]:
        """Store the rows; one that the table refuses is found by halving, and kept apart.

        Returns the codes of those that were taken before or whose change was refused, by their keys. Raises Away.
        """
        try:
            taken = await self.storage.write(rows, drops, is_in_doubt=is_in_doubt)
            self.figures.commits += 1
            return taken
        except Poison as poison:
            try:
                # The first time a partition may only have been gone: it is made again.
                return await self.storage.write(rows, drops, is_in_doubt=is_in_doubt)
            except Poison:
                if len(rows) <= 1:
                    await self.storage.write([], drops)
                    for row in rows:
                        await self.storage.quarantine(row, str(poison))
                    return {}
                half = len(rows) // 2
                first = await self._write(rows[:half], drops, is_in_doubt=is_in_doubt)
                try:
                    return first | await self._write(rows[half:], Counter(), is_in_doubt=is_in_doubt)
                except Unable:
                    # Of all the rows together that is not so: the first half is stored.
                    raise Away from None

    # -- answers --

    def _accept(self, entries: Sequence[Entry], taken: Mapping[bytes, int]) -> None:
        """Stored now, or before: then the answer is the one that was given then (D-28). Or refused by its change."""
        for entry in entries:
            assert entry.hit is not None
            code = taken.get(entry.row.key) if entry.row and entry.row.key else None
            entry.end(outcome(entry.hit) if code is None else CODES[code])
            if entry.verdict and entry.verdict.outcome in NOT_MADE:
                self._drop(entry, entry.verdict.outcome.value)

    def _give_up(self, entry: Entry, why: Outcome) -> None:
        entry.end(why)
        self._drop(entry, why.value)

    def _drop(self, entry: Entry, reason: str) -> None:
        site, source = entry.site, entry.reading.source
        if site is None and source and (grant := grants.known(source)):
            # Over a limit nothing is looked up; whose call it was is often remembered.
            site = grant.site
        self._drops[(today(), entry.reading.dialect.word, reason, site.id if site else None)] += 1

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


async def end(task: asyncio.Task[None]) -> None:
    """Cancel the task, once more if need be: redis-py may take a cancellation for a timeout of its own."""
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=END_SECONDS)


def drain() -> outage.Drained:
    """Drains on a thread that may never come back, and so keeps no connection."""
    try:
        return outage.drain()
    finally:
        connection.close()


def today() -> date:
    return datetime.now(UTC).date()
