"""The writer: rows into the database, durable when it returns."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import msgspec
from django.db import IntegrityError, connection, transaction
from psycopg.types.json import Jsonb

# In the table's order, with the types that COPY's binary form needs to be told.
COLUMNS = {
    "occurred_at": "timestamptz",
    "id": "int8",
    "visitor": "int8",
    "website_id": "int4",
    "type": "int2",
    "dialect": "int2",
    "device": "int2",
    "screen": "int2",
    "channel": "int2",
    "browser": "int2",
    "os": "int2",
    "is_bot": "bool",
    "is_excluded": "bool",
    "is_authenticated": "bool",
    "is_server": "bool",
    "path": "text",
    "referrer": "text",
    "name": "text",
    "content_group": "text",
    "utm_source": "text",
    "utm_medium": "text",
    "utm_campaign": "text",
    "properties": "jsonb",
}
COPY = f"COPY analytics_event ({', '.join(COLUMNS)}) FROM STDIN (FORMAT BINARY)"
NOTE = "INSERT INTO analytics_dirtyday (website_id, day) SELECT * FROM unnest(%s::int[], %s::date[])"

Row = tuple[Any, ...]

_months: set[tuple[int, int]] = set()


def row(columns: dict[str, Any]) -> Row:
    """The columns of an event in the table's order."""
    properties = columns["properties"]
    return (
        *[columns[name] for name in COLUMNS if name != "properties"],
        Jsonb(properties, msgspec.json.encode) if properties else None,
    )


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
    with transaction.atomic(), connection.cursor() as cursor:
        copy_rows(cursor, rows)
        days = sorted({(row[WEBSITE], row[OCCURRED_AT].date()) for row in rows})
        cursor.execute(NOTE, [[website for website, _ in days], [day for _, day in days]])


def copy_rows(cursor: Any, rows: Sequence[Row]) -> None:  # noqa: ANN401 (Django's wrapper of psycopg's cursor)
    # Django translates what its own methods raise, and copying goes past them.
    with connection.wrap_database_errors, cursor.copy(COPY) as copy:
        copy.set_types(list(COLUMNS.values()))
        for values in rows:
            copy.write_row(values)


def ensure_months(rows: Sequence[Row]) -> None:
    """Have the partitions that the rows fall into. Those of this and the next month exist ahead of time."""
    for year, month in {(row[OCCURRED_AT].year, row[OCCURRED_AT].month) for row in rows} - _months:
        ensure_month(date(year, month, 1))


def ensure_month(first: date) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT analytics_ensure_month(%s)", [first])
    _months.add((first.year, first.month))


OCCURRED_AT = list(COLUMNS).index("occurred_at")
WEBSITE = list(COLUMNS).index("website_id")
