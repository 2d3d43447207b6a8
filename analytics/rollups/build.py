"""build(website, day): one way to compute a day. fresh(website, period): what reports call before they read.

A build is one statement in one transaction, under one advisory lock per website and day: it computes every roll-up of
the day from its events, and changes only the rows that differ, so that a second run changes none.
"""

import contextlib
import hashlib
import logging
import time
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.db import InternalError, OperationalError, connection, transaction
from django.db.models import Min

from analytics.models import BuiltDay, DirtyDay
from analytics.rollups.definitions import ROLLUPS, Rollup
from analytics.rollups.visits import DAY

log = logging.getLogger(__name__)

# A day that takes longer than this to build is left to Celery, as long as its last build is younger than a minute.
CHEAP_MILLISECONDS = 250
OLDEST = timedelta(seconds=60)
# Since Redis knows of them: how many builds there were, and how long they took together.
BUILDS, BUILD_MILLISECONDS = "builds", "build_milliseconds"
# The days that anybody can ask for or load.
EARLIEST, LATEST = date(1971, 1, 1), date(2199, 12, 31)

# The planner knows nothing of the sizes between the steps of the statement, and guesses them too small.
SETTINGS = (
    "SET LOCAL enable_nestloop = off; SET LOCAL enable_mergejoin = off;"
    " SET LOCAL jit = off; SET LOCAL work_mem = '64MB';"
    # A host that is cut off in the middle of a build must not keep the others from it.
    " SET LOCAL idle_in_transaction_session_timeout = '10s'"
)


def merge(rollup: Rollup) -> str:
    """The part of the statement that makes the stored rows of the day equal to the computed ones."""
    name = rollup.table
    key = ("website_id", "day", *rollup.key)
    updates = ", ".join(f"{column} = excluded.{column}" for column in rollup.measures)
    old = ", ".join(f"stored.{column}" for column in rollup.measures)
    new = ", ".join(f"excluded.{column}" for column in rollup.measures)
    same = " AND ".join(f"stored.{column} = new.{column}" for column in key)
    return f"""
{name}_new AS MATERIALIZED ({rollup.rows}),
{name}_gone AS (
    DELETE FROM {name} stored
    WHERE website_id = %(website)s AND day = %(day)s AND NOT EXISTS (SELECT FROM {name}_new new WHERE {same})
    RETURNING 1
),
{name}_changed AS (
    INSERT INTO {name} AS stored ({", ".join(rollup.columns)}) SELECT {", ".join(rollup.columns)} FROM {name}_new
    ON CONFLICT ({", ".join(key)}) DO UPDATE SET {updates} WHERE ({old}) IS DISTINCT FROM ({new})
    RETURNING 1
)"""


BUILD = (
    DAY
    + "".join("," + merge(rollup) for rollup in ROLLUPS)
    + "SELECT "
    + " + ".join(f"(SELECT count(*) FROM {r.table}_gone) + (SELECT count(*) FROM {r.table}_changed)" for r in ROLLUPS)
)

# Rows that differ, either way, between what is stored and what the events say.
CHECK = {
    rollup.table: f"""{DAY},
stored AS (SELECT {", ".join(rollup.columns)} FROM {rollup.table} WHERE website_id = %(website)s AND day = %(day)s),
computed AS ({rollup.rows})
SELECT count(*) FROM ((TABLE stored EXCEPT TABLE computed) UNION ALL (TABLE computed EXCEPT TABLE stored)) AS wrong"""
    for rollup in ROLLUPS
}


def build(website_id: int, day: date, *, now: datetime) -> int:
    """Compute the day anew from its events. Returns how many rows changed: none when nothing is new.

    Builds of one day wait for each other, and of those that waited for the same one only the first has anything to
    do; no reader ever sees a part of one. A day whose events retention has removed stays as it is.
    """
    # Partitions are made first, outside the build's own transaction.
    with connection.cursor() as cursor:
        cursor.execute("SELECT analytics_ensure_month(%s)", [day])
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(SETTINGS)
        if was_built_meanwhile(cursor, website_id, day):
            return 0
        began = time.perf_counter()
        # Notes first: an event stored after this statement leaves its own, and the day is built once more.
        DirtyDay.objects.filter(website_id=website_id, day=day).delete()
        if BuiltDay.objects.filter(website_id=website_id, day=day, is_final=True).exists():
            return 0
        arguments = of_day(website_id, day)
        cursor.execute(BUILD, arguments)
        changed = int(cursor.fetchone()[0])
        cursor.execute(
            "SELECT count(*) FROM analytics_event"
            " WHERE website_id = %(website)s AND occurred_at >= %(start)s AND occurred_at < %(end)s",
            arguments,
        )
        events = int(cursor.fetchone()[0])
        milliseconds = round((time.perf_counter() - began) * 1000)
        BuiltDay.objects.bulk_create(
            [BuiltDay(website_id=website_id, day=day, built_at=now, events=events, milliseconds=milliseconds)],
            update_conflicts=True,
            unique_fields=["website_id", "day"],
            update_fields=["built_at", "events", "milliseconds"],
        )
    count_build(milliseconds)
    return changed


def was_built_meanwhile(cursor: Any, website_id: int, day: date) -> bool:  # noqa: ANN401 (Django's wrapper)
    """Take the day's lock. True when another build ended while this one waited for it, and nothing is newer."""
    key = [lock_number(website_id, day)]
    cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", key)
    if cursor.fetchone()[0]:
        return False
    before = version(cursor, website_id, day)
    cursor.execute("SELECT pg_advisory_xact_lock(%s)", key)
    # What was stored after the other build had read its events has left a note.
    return version(cursor, website_id, day) != before and not dirty_days(website_id, day, day)


def version(cursor: Any, website_id: int, day: date) -> str | None:  # noqa: ANN401 (as above)
    """Another one after each build of the day; None before the first."""
    cursor.execute("SELECT xmin::text FROM analytics_builtday WHERE website_id = %s AND day = %s", [website_id, day])
    found = cursor.fetchone()
    return found[0] if found else None


def count_build(milliseconds: int) -> None:
    """For the metrics, whichever process builds. Counted in Redis, where losing it loses no data."""
    for name, amount in ((BUILDS, 1), (BUILD_MILLISECONDS, milliseconds)):
        cache.add(name, 0, timeout=None)
        # A Redis that has just come back may have been asked elsewhere a moment ago.
        with contextlib.suppress(ValueError):
            cache.incr(name, amount)


def fresh(website_id: int, start: date, end: date, *, now: datetime) -> int:
    """Have every day from start to end built from all its events. Returns the age of the oldest answer in seconds.

    0 is the rule. A day that is slow to build and was built within the last minute is answered as it was then, and so
    is one that cannot be built now.
    """
    dirty = dirty_days(website_id, start, end)
    built = {built.day: built for built in BuiltDay.objects.filter(website_id=website_id, day__in=dirty)}
    ages = [age_after_build(website_id, day, built.get(day), now=now) for day in dirty]
    return int(max(ages, default=timedelta()).total_seconds())


def age_after_build(website_id: int, day: date, last: BuiltDay | None, *, now: datetime) -> timedelta:
    """Have the day built, unless that was done just now and takes long. Returns how old its rows are afterwards."""
    # A build of the future was made by a host whose clock is ahead, and nobody knows how old it is.
    age = now - last.built_at if last and last.built_at <= now else None
    if last and last.milliseconds > CHEAP_MILLISECONDS and age is not None and age < OLDEST:
        return age
    try:
        build(website_id, day, now=now)
    except (OperationalError, InternalError) as error:
        # A server whose disk is full can still be read, and an old answer is better than none. One that is away fails
        # the reading, too.
        log.warning("A day could not be built: %s", type(error).__name__)
        return max(timedelta(), now - (last.built_at if last else noted_at(website_id, day) or now))
    return timedelta()


def noted_at(website_id: int, day: date) -> datetime | None:
    """Since when the day has newer events than its build."""
    oldest: datetime | None = DirtyDay.objects.filter(website_id=website_id, day=day).aggregate(at=Min("at"))["at"]
    return oldest


def dirty_days(website_id: int, start: date, end: date) -> list[date]:
    """The days that have newer events than their builds."""
    notes = DirtyDay.objects.filter(website_id=website_id, day__range=(start, end))
    return sorted(notes.values_list("day", flat=True).distinct())


def wrong_rows(website_id: int, day: date) -> dict[str, int]:
    """For each roll-up table how many rows of the day differ from what the events say; all 0 after a build."""
    found = {}
    with connection.cursor() as cursor:
        for table, statement in CHECK.items():
            cursor.execute(statement, of_day(website_id, day))
            found[table] = int(cursor.fetchone()[0])
    return found


def of_day(website_id: int, day: date) -> dict[str, Any]:
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return {"website": website_id, "day": day, "start": start, "end": start + timedelta(days=1)}


def lock_number(website_id: int, day: date) -> int:
    """The key of the advisory lock: a namespace of its own within PostgreSQL's 64 bits."""
    digest = hashlib.sha256(f"tinytrail build {website_id} {day}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)
