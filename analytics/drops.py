"""Counting what was not stored: every refused request of every dialect, by reason (guarantee I1)."""

import threading
from collections import Counter
from collections.abc import Mapping
from datetime import date

from django.db import DatabaseError, InterfaceError, connection, transaction

# Once for the day, which is kept, and once for these minutes, which are forgotten after a day.
COUNT = """
WITH counted (day, dialect, reason, website_id, count) AS (VALUES (%s::date, %s, %s, %s::int, %s::bigint)), recent AS (
    INSERT INTO analytics_recentdrop (at, dialect, reason, website_id, count)
    SELECT date_bin('5 minutes', now(), '2000-01-01'), dialect, reason, website_id, count FROM counted
    ON CONFLICT (at, dialect, reason, website_id) DO UPDATE SET count = analytics_recentdrop.count + excluded.count
)
INSERT INTO analytics_drop (day, dialect, reason, website_id, count) SELECT * FROM counted
ON CONFLICT (day, dialect, reason, website_id) DO UPDATE SET count = analytics_drop.count + excluded.count
"""

# Day, dialect, reason, website where it is known.
Key = tuple[date, str, str, int | None]

_lock = threading.Lock()
# What could not be counted while the database was away.
_waiting: Counter[Key] = Counter()


def count(dialect: str, reason: str, *, day: date, website_id: int | None = None, times: int = 1) -> None:
    """Count requests of the day that were not stored; kept in memory until the database is back when it is away."""
    with _lock:
        _waiting[(day, dialect, reason, website_id)] += times
        taken = _waiting.copy()
        _waiting.clear()
    try:
        add(taken)
    except (DatabaseError, InterfaceError):
        with _lock:
            _waiting.update(taken)


def add(counts: Mapping[Key, int]) -> None:
    """Add to the counts, all or none. Raises DatabaseError."""
    with transaction.atomic(), connection.cursor() as cursor:
        # In one order everywhere, or two processes could wait for each other.
        cursor.executemany(COUNT, [(*key, times) for key, times in sorted(counts.items(), key=str)])
