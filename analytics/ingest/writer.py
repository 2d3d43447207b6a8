"""The writer: rows into the database, durable when it returns."""

from collections.abc import Sequence
from datetime import date

from django.db import IntegrityError, connection, transaction

from analytics.ingest.row import COLUMNS, Row, document

COPY = f"COPY analytics_event ({', '.join(COLUMNS)}) FROM STDIN (FORMAT BINARY)"
NOTE = "INSERT INTO analytics_dirtyday (website_id, day) SELECT * FROM unnest(%s::int[], %s::date[])"

_months: set[tuple[int, int]] = set()


def store(rows: Sequence[Row]) -> None:
    """Store the rows and note their days as newer than their builds, in one transaction; returns after its COMMIT.

    Raises DatabaseError when nothing of them was stored.
    """
    ensure_months(rows)
    try:
        store_together(rows)
    except IntegrityError:
        # Retention may have dropped a month that this process still remembers.
        _months.clear()
        ensure_months(rows)
        store_together(rows)


def store_together(rows: Sequence[Row]) -> None:
    days = sorted({(row.website_id, row.occurred_at.date()) for row in rows})
    with transaction.atomic(), connection.cursor() as cursor:
        # Django translates what its own methods raise, and copying goes past them.
        with connection.wrap_database_errors, cursor.copy(COPY) as copy:
            copy.write(document(rows))
        cursor.execute(NOTE, [[website for website, _ in days], [day for _, day in days]])


def ensure_months(rows: Sequence[Row]) -> None:
    """Have the partitions that the rows fall into. Those of this and the next month exist ahead of time."""
    for year, month in {(row.occurred_at.year, row.occurred_at.month) for row in rows} - _months:
        ensure_month(date(year, month, 1))


def ensure_month(first: date) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT analytics_ensure_month(%s)", [first])
    _months.add((first.year, first.month))
