"""Storage: the writer's own connection to PostgreSQL, and whether it is there.

Everything that one batch needs of the database goes through here and is bounded in time. When something fails the
connection is thrown away, and a task of its own tries until there is another; meanwhile `is_up` says no at once.
"""

import asyncio
import contextlib
import logging
import os
import socket
from collections import Counter
from collections.abc import Callable, Collection, Coroutine, Hashable, Mapping, Sequence
from datetime import date
from typing import Any, TypeVar

import psycopg
from django.db import connections
from psycopg import generators
from psycopg.abc import PQGen
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGconn

from analytics.drops import COUNT, Key
from analytics.ingest import CODES, changes
from analytics.ingest.grants import Grant, Kind
from analytics.ingest.reading import Outcome
from analytics.ingest.row import AMEND, CLAIM, CLAIMED, COLUMNS, Row, document, without_repeats
from analytics.ingest.visitor import INSERT_SALT, SELECT_SALT
from analytics.ingest.writer import INSERT_WAITING, WAITING, copy_waiting

log = logging.getLogger(__name__)

T = TypeVar("T")
Connection = psycopg.AsyncConnection[Any]

COPY = f"COPY analytics_event ({', '.join(COLUMNS)}) FROM STDIN (FORMAT BINARY)"
QUARANTINE = (
    "INSERT INTO analytics_quarantine (website_id, occurred_at, reason, data, change_kind, change, at)"
    " VALUES (%s, %s, %s, %s, %s, %s, now())"
)
# A server that takes longer than this for a batch is as good as away.
ANSWER_SECONDS = 2.0
CONNECT_SECONDS = 2
RETRY_SECONDS = 0.5
# What a statement may wait for a lock and take altogether, so that nothing of ours goes on after we have given up.
OPTIONS = (
    "-c lock_timeout=1000 -c statement_timeout=1900 -c idle_in_transaction_session_timeout=5000"
    " -c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3"
)
# What Django adds for its own connections; everything else, such as how to be sure of the server, holds here as well.
DJANGOS = ("cursor_factory", "context", "prepare_threshold", "options", "connect_timeout")

# So often a transaction that another one stood in the way of is tried again.
ATTEMPTS = 5

# Another transaction's fault.
CROSSED = (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure)
# The row's own fault.
REFUSED = (psycopg.DataError, psycopg.IntegrityError)
# Anything else is the server's, the way's to it, its disk's or its schema's.
AWAY = (psycopg.Error, OSError, TimeoutError)


class Away(Exception):
    """PostgreSQL cannot be reached, or does not answer in time; what was asked of it may have happened all the same."""


class Unable(Away):
    """PostgreSQL says that it cannot, for want of room or of a lock: nothing of what was asked has happened."""


class Poison(Exception):
    """PostgreSQL refused the rows themselves, and stored none of them."""


class Crossed(Exception):
    """Another transaction stood in the way; nothing was stored."""


class Storage:
    """One connection, used by one batch at a time: a second one waits, and its time counts from then on."""

    def __init__(self, **parameters: Any) -> None:  # noqa: ANN401 (psycopg's own)
        """`parameters` replace those that Django connects with."""
        self._parameters = parameters
        self._connection: Connection | None = None
        self._reconnecting: asyncio.Task[None] | None = None
        self._months: set[tuple[int, int]] = set()
        self._turn = asyncio.Lock()

    @property
    def is_up(self) -> bool:
        return self._connection is not None

    async def start(self) -> None:
        """Connect now if that works; else go on trying in the background."""
        with contextlib.suppress(*AWAY):
            await self._connect()
        if not self.is_up:
            self._reconnect()

    async def stop(self) -> None:
        if self._reconnecting:
            self._reconnecting.cancel()
        await self._drop()

    async def grants(self, kind: Kind, keys: Collection[Hashable]) -> Mapping[Hashable, Grant]:
        """The grants of those keys that have one. Raises Away."""
        return await self._bounded(lambda connection: kind.load(connection, keys))

    async def salt(self, day: date, value: bytes) -> bytes:
        """The salt that the database has for the day, which is `value` when it had none. Raises Away."""

        async def load(connection: Connection) -> bytes:
            await connection.execute(INSERT_SALT, (day, value))
            row = await (await connection.execute(SELECT_SALT, (day,))).fetchone()
            return bytes(row[0]) if row else value

        return await self._bounded(load)

    async def write(self, rows: Sequence[Row], drops: Counter[Key], *, is_in_doubt: bool = False) -> dict[bytes, int]:
        """Store rows, their changes, their days' notes and counts of drops; returns after the COMMIT.

        What comes back are the keys of rows that were taken within the last day, with the code they had then, and of
        those whose changes could not be made: they are not stored. Rows that may be stored already are given as such.
        Raises Away, and Poison when a row is refused.
        """

        async def store(connection: Connection) -> dict[bytes, int]:
            await self._ensure_months(connection, rows)
            try:
                if rows and not drops and not is_in_doubt and not any(row.key or row.change for row in rows):
                    await connection.wait(copied(connection.pgconn, rows))
                    return {}
                await connection.execute("BEGIN")
                taken = await claim(connection, rows)
                fresh = without_repeats(rows, taken)
                unmade = await change(connection, fresh)
                if events := [row for row in fresh if row.data and row.key not in unmade]:
                    await (copy_once if is_in_doubt else copy_all)(connection, events)
                    await connection.execute(notes(events))
                for key, times in sorted(drops.items(), key=str):
                    await connection.execute(COUNT, (*key, times))
                await connection.execute("COMMIT")
                return taken | {key: CODES.index(why) for key, why in unmade.items() if why}
            except CROSSED:
                await connection.execute("ROLLBACK")
                raise Crossed from None
            except REFUSED as error:
                await connection.execute("ROLLBACK")
                raise Poison(f"{type(error).__name__}: {error.diag.message_primary}") from None

        for _ in range(ATTEMPTS):
            try:
                return await self._bounded(store)
            except Crossed:
                continue
            except Poison:
                # Or a partition that this process remembers is gone.
                self._months.clear()
                raise
        raise Away

    async def quarantine(self, row: Row, reason: str) -> None:
        """Keep a row that the table refuses, with the reason. Raises Away."""
        change = (row.change.kind, row.change.data) if row.change else (None, None)

        async def keep(connection: Connection) -> None:
            await connection.execute(QUARANTINE, (row.website_id, row.occurred_at, reason, row.data, *change))

        await self._bounded(keep)

    async def _ensure_months(self, connection: Connection, rows: Sequence[Row]) -> None:
        for year, month in {(row.occurred_at.year, row.occurred_at.month) for row in rows if row.data} - self._months:
            await connection.execute("SELECT analytics_ensure_month(%s)", (date(year, month, 1),))
            self._months.add((year, month))

    async def _bounded(self, work: Callable[[Connection], Coroutine[Any, Any, T]]) -> T:
        """The work's result, or Away after ANSWER_SECONDS at most."""
        async with self._turn:
            return await self._bounded_alone(work)

    async def _bounded_alone(self, work: Callable[[Connection], Coroutine[Any, Any, T]]) -> T:
        connection = self._connection
        if connection is None:
            raise Away
        task = asyncio.ensure_future(work(connection))
        done, _ = await asyncio.wait({task}, timeout=ANSWER_SECONDS)
        if not done:
            # Cancelling would ask the server, which does not answer, to cancel.
            hang_up(connection)
        try:
            return await task
        except AWAY as error:
            log.warning("PostgreSQL is away: %s", type(error).__name__)
            await self._drop()
            self._reconnect()
            raise (Unable if is_refusal(error) else Away) from None

    async def _connect(self) -> None:
        parameters = connections["default"].get_connection_params() | self._parameters
        wanted = {name: value for name, value in parameters.items() if value and name not in DJANGOS}
        connection = await psycopg.AsyncConnection.connect(
            **wanted, autocommit=True, options=OPTIONS, connect_timeout=CONNECT_SECONDS
        )
        self._months.clear()
        self._connection = connection

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            # Closes the socket at once, without asking the server.
            await connection.close()

    def _reconnect(self) -> None:
        if self._reconnecting is None or self._reconnecting.done():
            self._reconnecting = asyncio.get_running_loop().create_task(self._keep_connecting())

    async def _keep_connecting(self) -> None:
        while not self.is_up:
            try:
                await self._connect()
            except AWAY:
                await asyncio.sleep(RETRY_SECONDS)


async def claim(connection: Connection, rows: Sequence[Row]) -> dict[bytes, int]:
    """Note the keys of the rows that have one. Returns those that were noted before, with their codes."""
    # In one order everywhere, or two processes could wait for each other.
    named = sorted({row.key: row.code for row in rows if row.key}.items())
    if not named:
        return {}
    keys, codes = zip(*named, strict=True)
    claimed = await (await connection.execute(CLAIM, (list(keys), list(codes)))).fetchall()
    known = set(keys) - {bytes(key) for (key,) in claimed}
    found = await (await connection.execute(CLAIMED, (list(known),))).fetchall() if known else []
    return {bytes(key): code for key, code in found}


async def change(connection: Connection, rows: Sequence[Row]) -> dict[bytes, Outcome | None]:
    """Make the rows' changes. Returns the keys of those that were not made: why, or None if they were made before."""
    unmade: dict[bytes, Outcome | None] = {}
    for changed, statement, data in changes.calls(rows):
        (codes,) = await (await connection.execute(statement, (data,))).fetchone() or ([],)
        unmade |= changes.unmade(changed, codes)
    refused = {key: CODES.index(why) for key, why in unmade.items() if why}
    if refused:
        await connection.execute(AMEND, (list(refused), list(refused.values())))
    return unmade


def copied(pgconn: PGconn, rows: Sequence[Row]) -> PQGen[None]:
    """A whole transaction of nothing but events, which most are, in two round trips instead of five.

    PostgreSQL takes several statements as one, also with a COPY among them; psycopg's cursors do not.
    """
    pgconn.send_query(f"BEGIN; {notes(rows)}; {COPY}; COMMIT".encode())
    results = yield from generators.execute(pgconn)
    if results[-1].status == ExecStatus.COPY_IN:
        yield from generators.copy_to(pgconn, document(rows), flush=False)
        pgconn.put_copy_end()
        results = yield from generators.execute(pgconn)
    for result in results:
        if result.status == ExecStatus.FATAL_ERROR:
            raise psycopg.errors.error_from_result(result)


async def copy_all(connection: Connection, rows: Sequence[Row]) -> None:
    async with connection.cursor() as cursor, cursor.copy(COPY) as copy:
        await copy.write(document(rows))


async def copy_once(connection: Connection, rows: Sequence[Row]) -> None:
    """Store those of the rows that are not stored yet."""
    await connection.execute(WAITING)
    async with connection.cursor() as cursor, cursor.copy(copy_waiting(COLUMNS)) as copy:
        await copy.write(document(rows))
    await connection.execute(INSERT_WAITING)


def is_refusal(error: Exception) -> bool:
    """Whether the server has ended the transaction: with FATAL it ends the connection, maybe after COMMIT."""
    return isinstance(error, psycopg.Error) and error.diag.severity_nonlocalized == "ERROR"


def hang_up(connection: Connection) -> None:
    """End the connection from our side of the line: whoever waits for an answer gets an error at once."""
    with contextlib.suppress(OSError), socket.socket(fileno=os.dup(connection.fileno())) as line:
        line.shutdown(socket.SHUT_RDWR)


def notes(rows: Sequence[Row]) -> str:
    """One statement that notes the rows' days; numbers and dates of ours, so that no parameters are needed."""
    days = sorted({(row.website_id, row.occurred_at.date()) for row in rows})
    values = ", ".join(f"({website}, '{day}')" for website, day in days)
    return f"INSERT INTO analytics_dirtyday (website_id, day) VALUES {values}"
