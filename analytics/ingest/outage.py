"""The outage stream: where accepted events wait in Redis while PostgreSQL is away.

What goes in is packed rows, and counts of what was not stored, which would die with the process that remembers them:
nothing of it could name a person. An entry leaves the stream only after its rows are committed, and its rows go in once
however often it is tried, since their keys are their own.
"""

import logging
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import Enum

import msgspec
import redis
import redis.asyncio
from django.conf import settings

from analytics import drops
from analytics.alone import DRAIN, alone
from analytics.drops import Key
from analytics.ingest.hit import Change
from analytics.ingest.row import Row
from analytics.ingest.writer import keep_damaged, store_once

log = logging.getLogger(__name__)

STREAM = "outage"
WRITE_SECONDS = 1.0
# How long to wait for Redis's disk: with `appendfsync everysec` it writes once a second.
DISK_SECONDS = 1.5
AWAY = (redis.RedisError, OSError, TimeoutError)
ENTRIES_AT_ONCE = 50


class Waiting(msgspec.Struct, array_like=True):
    """A row in an entry."""

    website_id: int
    occurred_at: datetime
    data: bytes
    key: bytes
    code: int
    change_kind: str = ""
    change: bytes = b""

    def row(self) -> Row:
        change = Change(self.change_kind, self.change) if self.change_kind else None
        return Row(self.website_id, self.occurred_at, self.data, self.key, self.code, change)

    @classmethod
    def of(cls, row: Row) -> "Waiting":
        change = row.change or Change("", b"")
        return cls(row.website_id, row.occurred_at, row.data, row.key, row.code, change.kind, change.data)


class Count(msgspec.Struct, array_like=True):
    """So many calls that were not stored."""

    day: date
    dialect: str
    reason: str
    website_id: int | None
    times: int


ROWS = msgspec.msgpack.Decoder(list[Waiting])
COUNTS = msgspec.msgpack.Decoder(list[Count])


@dataclass(slots=True, frozen=True)
class Entry:
    """An entry, opened."""

    rows: list[Row]
    counts: list[Count]


@dataclass(slots=True, frozen=True)
class Drained:
    rows: int = 0
    quarantined: int = 0


class Put(Enum):
    """What became of something for the stream. In doubt: Redis had it, and did not say what it did with it."""

    DONE = 1
    REFUSED = 2
    IN_DOUBT = 3


class Stream:
    """The writing end, of the process that takes events."""

    def __init__(self, url: str) -> None:
        self._redis = redis.asyncio.Redis.from_url(
            url, socket_timeout=WRITE_SECONDS, socket_connect_timeout=WRITE_SECONDS, retry=None
        )
        # Until the server does not know the command.
        self._says_what_is_on_disk = True

    async def put(self, rows: Sequence[Row], drops: Mapping[Key, int]) -> Put:
        """Have the rows and the counts of drops wait."""
        data = msgspec.msgpack.encode([Waiting.of(row) for row in rows])
        counts = msgspec.msgpack.encode([Count(*key, times) for key, times in drops.items()])
        fields = ("rows", data, "counts", counts, "sum", str(zlib.crc32(data + counts)))
        pool = self._redis.connection_pool
        try:
            connection = await pool.get_connection()  # type: ignore[no-untyped-call]
        except AWAY as error:
            log.warning("Redis does not take what PostgreSQL cannot: %s", type(error).__name__)
            return Put.REFUSED
        try:
            await connection.send_command("XADD", STREAM, "*", *fields)
            await connection.read_response()
            await self._have_on_disk(connection)
        except redis.ResponseError as error:
            log.warning("Redis does not take what PostgreSQL cannot: %s", error)
            return Put.REFUSED
        except AWAY as error:
            log.warning("Redis does not say whether it has what PostgreSQL cannot take: %s", type(error).__name__)
            await connection.disconnect()
            return Put.IN_DOUBT
        finally:
            await pool.release(connection)
        return Put.DONE

    async def _have_on_disk(self, connection: redis.asyncio.Connection) -> None:
        """Returns when Redis has written to its disk what it was given, if it can say so (WAITAOF of Redis 7.2)."""
        if not self._says_what_is_on_disk:
            return
        await connection.send_command("WAITAOF", 1, 0, round(DISK_SECONDS * 1000))
        try:
            (is_on_disk, _) = await connection.read_response(timeout=DISK_SECONDS + WRITE_SECONDS)
        except redis.ResponseError:
            # An older server, or one without an append-only file, of which the doctor warns.
            self._says_what_is_on_disk = False
            return
        if not is_on_disk:
            log.warning("Redis has not written to its disk what PostgreSQL cannot take for %s s.", DISK_SECONDS)

    async def is_empty(self) -> bool:
        """Whether nothing waits; also when Redis is away and nobody can say."""
        try:
            return not await self._redis.xlen(STREAM)
        except AWAY:
            return True

    async def close(self) -> None:
        await self._redis.aclose()


def drain() -> Drained:
    """Store what waits, oldest first, and take it out. Only one process does so at a time; others return at once.

    Raises DatabaseError or RedisError when one of them is away: nothing is lost, and nothing is stored twice.
    """
    client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=WRITE_SECONDS * 5)
    rows = quarantined = 0
    with client, alone(DRAIN) as is_alone:
        while is_alone and (entries := oldest(client, ENTRIES_AT_ONCE)):
            waiting: list[Row] = []
            counts: Counter[Key] = Counter()
            for _, fields in entries:
                entry = opened(fields)
                if entry is None:
                    keep_damaged(repr(fields).encode())
                    quarantined += 1
                else:
                    waiting += entry.rows
                    counts.update({(c.day, c.dialect, c.reason, c.website_id): c.times for c in entry.counts})
            # Together, because a transaction for each entry takes longer than its rows do.
            if waiting:
                quarantined += store_once(waiting)
                rows += len(waiting)
            # Last: only a crash between here and the next line counts them twice.
            if counts:
                drops.add(counts)
            client.xdel(STREAM, *(name for name, _ in entries))
    return Drained(rows, quarantined)


def oldest(client: redis.Redis, count: int) -> list[tuple[bytes, dict[bytes, bytes]]]:
    """The names and fields of the oldest entries."""
    return client.xrange(STREAM, count=count)  # type: ignore[return-value] # without decode_responses it is bytes


def opened(fields: Mapping[bytes, bytes]) -> Entry | None:
    """What is in an entry, None when it is damaged."""
    data, counts = fields.get(b"rows", b""), fields.get(b"counts", b"")
    if str(zlib.crc32(data + counts)).encode() != fields.get(b"sum"):
        return None
    try:
        rows = [waiting.row() for waiting in ROWS.decode(data)]
        return Entry(rows, COUNTS.decode(counts))
    except msgspec.MsgspecError:
        return None


def length(client: redis.Redis) -> int:
    """How many batches wait."""
    return int(client.xlen(STREAM))


def oldest_at(client: redis.Redis) -> datetime | None:
    """When the oldest of them came; None when nothing waits."""
    first = oldest(client, 1)
    return datetime.fromtimestamp(int(first[0][0].partition(b"-")[0]) / 1000, UTC) if first else None
