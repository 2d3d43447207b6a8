"""How taking events grows with web hosts, and what each part of the installation spends on an event.

On one machine everybody shares its cores, the load as well: a second web server brings what is left of them, and no
more. So the figure to calculate with is the CPU of each part per event, which is what docs/scaling.md does.
"""

import asyncio
import os
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import redis
from django.conf import settings

from accounts.models import Website
from analytics.api.v1.endpoints import collect
from analytics.ingest import as_row, enrich
from analytics.ingest.row import Row
from analytics.ingest.storage import Storage
from analytics.traffic import AGENTS
from tinytrail.bench import load, spending
from tinytrail.bench.figures import heading
from tinytrail.bench.history import website
from tinytrail.bench.ingestion import call
from tinytrail.bench.load import Load
from tinytrail.bench.server import Server
from tinytrail.web.call import Call

ROUNDS = 3
ROUND_SECONDS = 3.0
# Of every server.
CONNECTIONS = 64
MOST_HOSTS = 2
COPY_ROWS = 20_000
BATCHES = (32, 128, 512)
Parts = dict[str, Callable[[], float | None]]


@dataclass
class Spent:
    """What some rounds with so many web hosts have taken."""

    rates: list[float] = field(default_factory=list)
    events: int = 0
    seconds: float = 0.0
    wal_bytes: int = 0
    cpu_seconds: dict[str, float] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        return statistics.median(self.rates)


def run() -> None:
    cores = os.cpu_count() or 1
    heading(f"Growth: 1 to {MOST_HOSTS} web hosts of one process on {cores} cores, which the load shares")
    with website() as (site, _), ExitStack() as stack:
        servers = [stack.enter_context(Server("tinytrail.asgi:application", "asgi")) for _ in range(MOST_HOSTS)]
        request = call(site, "/api/v1/collect")
        parts: Parts = {
            "web": lambda: sum(server.cpu_seconds() for server in servers),
            "PostgreSQL": spending.postgresql_seconds,
            "Redis": spending.redis_seconds,
            "the load": spending.load_seconds,
        }
        found = {hosts: Spent() for hosts in range(1, MOST_HOSTS + 1)}
        at_once(servers, request, 1.0)
        for _ in range(ROUNDS):
            for hosts, spent in found.items():
                with counted(spent, parts):
                    made = at_once(servers[:hosts], request, ROUND_SECONDS)
                spent.rates.append(sum(one.rate for one in made))
                spent.events += sum(one.answers for one in made)
        for hosts, spent in found.items():
            show(hosts, spent, found[1], cores)
        remembering()
        copying(site)


def at_once(servers: Sequence[Server], request: bytes, seconds: float) -> list[Load]:
    """A load for each of the servers, from a process of its own each."""

    def one(server: Server) -> Load:
        return load.run(server.port, request, connections=CONNECTIONS, seconds=seconds)

    with ThreadPoolExecutor(len(servers)) as pool:
        return list(pool.map(one, servers))


def show(hosts: int, spent: Spent, alone: Spent, cores: int) -> None:
    busy = sum(spent.cpu_seconds.values()) / spent.seconds / cores
    what = f"{hosts} web host{'s' if hosts > 1 else ''}"
    print(
        f"{what:<44} {spent.rate:>14,.0f} calls/s   x{spent.rate / alone.rate:.2f} of one,"
        f" {busy:.0%} of the cores busy with it",
        flush=True,
    )
    for part, seconds in spent.cpu_seconds.items():
        each = seconds / spent.events
        full = f"{1 / each:>9,.0f}/s fill a core" if each else ""
        print(f"  {f'CPU of {part} per event':<42} {each * 1e6:>14,.0f} us   {full}", flush=True)
    print(f"  {'write-ahead log per event':<42} {spent.wal_bytes / spent.events:>14,.0f} bytes", flush=True)


@contextmanager
def counted(spent: Spent, parts: Parts) -> Iterator[None]:
    before = {name: seconds() for name, seconds in parts.items()}
    log, began = spending.written_bytes(), time.perf_counter()
    yield
    spent.seconds += time.perf_counter() - began
    spent.wal_bytes += spending.written_bytes() - log
    for name, seconds in parts.items():
        more = (seconds() or 0.0) - (before[name] or 0.0)
        spent.cpu_seconds[name] = spent.cpu_seconds.get(name, 0.0) + more


def remembering() -> None:
    """What Redis keeps of a visitor for as long as a window lasts."""
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        key = next(client.scan_iter("limit:*"))
        print(f"{'Redis, of a visitor in a window':<44} {client.memory_usage(key):>14,.0f} bytes")


def copying(site: Website) -> None:
    """The writer's own transactions over one connection, one after the other, with nobody else there."""
    for size in BATCHES:
        seconds, spent = asyncio.run(stored(site, size))
        each = f"   {spent / COPY_ROWS * 1e6:,.0f} us of CPU a row" if spent else ""
        print(f"{f'PostgreSQL, batches of {size}, one connection':<44} {COPY_ROWS / seconds:>14,.0f} rows/s{each}")


async def stored(site: Website, size: int) -> tuple[float, float]:
    """The seconds that COPY_ROWS page views take, and those of PostgreSQL's CPU."""
    storage = Storage()
    await storage.start()
    try:
        rows = await rows_of(site, storage)
        began, before = time.perf_counter(), spending.postgresql_seconds() or 0.0
        for first in range(0, COPY_ROWS, size):
            await storage.write(rows[first : first + size], Counter())
        return time.perf_counter() - began, (spending.postgresql_seconds() or 0.0) - before
    finally:
        await storage.stop()


async def rows_of(site: Website, storage: Storage) -> list[Row]:
    """Page views of the website as the writer stores them."""
    body = call(site, "/api/v1/collect").partition(b"\r\n\r\n")[2]
    headers = {"content-type": "application/json", "user-agent": AGENTS[0][0]}
    one = Call("POST", "/api/v1/collect", "", headers, body, "203.0.113.9")
    rows: list[Row] = []
    for _ in range(COPY_ROWS):
        reading = collect.take(one, now=datetime.now(UTC))
        assert reading.hit
        assert reading.source
        if not rows:
            grant = (await storage.grants(reading.source.kind, [reading.source.key]))[reading.source.key]
        reading.hit.salt = b"salt"
        enrich(reading.hit, grant.site)
        rows.append(as_row(reading.hit, grant.site))
    return rows
