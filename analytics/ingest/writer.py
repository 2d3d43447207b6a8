"""The writer: rows into the database, durable when it returns."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.db import DataError, IntegrityError, connection, transaction
from django.utils import timezone

from analytics.ingest import changes
from analytics.ingest.hit import Change
from analytics.ingest.row import CLAIM, COLUMNS, Row, by_columns, document, without_repeats
from analytics.models import Quarantine

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
    with transaction.atomic(), connection.cursor() as cursor:
        # Django translates what its own methods raise, and copying goes past them.
        with connection.wrap_database_errors, cursor.copy(COPY) as copy:
            copy.write(document(rows))
        note(cursor, rows)


def note(cursor: Any, rows: Sequence[Row]) -> None:  # noqa: ANN401 (Django's wrapper of psycopg's cursor)
    """Note the rows' days as newer than their builds."""
    days = sorted({(row.website_id, row.occurred_at.date()) for row in rows})
    cursor.execute(NOTE, [[website for website, _ in days], [day for _, day in days]])


def ensure_months(rows: Sequence[Row]) -> None:
    """Have the partitions that the rows fall into. Those of this and the next month exist ahead of time."""
    for year, month in {(row.occurred_at.year, row.occurred_at.month) for row in rows if row.data} - _months:
        ensure_month(date(year, month, 1))


def ensure_month(first: date) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT analytics_ensure_month(%s)", [first])
    _months.add((first.year, first.month))


# Where rows stand that may be stored already.
WAITING = "CREATE TEMPORARY TABLE IF NOT EXISTS waiting (LIKE analytics_event INCLUDING DEFAULTS) ON COMMIT DELETE ROWS"
INSERT_WAITING = "INSERT INTO analytics_event SELECT * FROM waiting ON CONFLICT DO NOTHING"


def copy_waiting(columns: Sequence[str]) -> str:
    return f"COPY waiting ({', '.join(columns)}) FROM STDIN (FORMAT BINARY)"


def store_once(rows: Sequence[Row]) -> int:
    """Store those of the rows that are not stored yet, and make their changes.

    What the table refuses, or whose change cannot be made, goes to quarantine. Returns how many did.

    Raises OperationalError when the database is away.
    """
    ensure_months(rows)
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(WAITING)
            fresh = without_repeats(rows, claim(cursor, rows))
            unmade = change(cursor, fresh)
            events = [row for row in fresh if row.data and row.key not in unmade]
            for columns, packed_alike in by_columns(events):
                with connection.wrap_database_errors, cursor.copy(copy_waiting(columns)) as copy:
                    copy.write(document(packed_alike))
            cursor.execute(INSERT_WAITING)
            note(cursor, events)
            refused = [row for row in fresh if unmade.get(row.key)]
            for row in refused:
                keep(row, f"change refused: {unmade[row.key].value}")
        return len(refused)
    except (DataError, IntegrityError) as error:
        _months.clear()
        if len(rows) == 1:
            keep(rows[0], str(error).splitlines()[0])
            return 1
    half = len(rows) // 2
    return store_once(rows[:half]) + store_once(rows[half:])


def claim(cursor: Any, rows: Sequence[Row]) -> set[bytes]:  # noqa: ANN401 (Django's wrapper of psycopg's cursor)
    """Note the keys of the rows that have one. Returns those that were noted before."""
    named = sorted({row.key: row.code for row in rows if row.key}.items())
    if not named:
        return set()
    keys, codes = zip(*named, strict=True)
    cursor.execute(CLAIM, [list(keys), list(codes)])
    return set(keys) - {bytes(key) for (key,) in cursor.fetchall()}


def change(cursor: Any, rows: Sequence[Row]) -> dict[bytes, Any]:  # noqa: ANN401 (as above)
    """Make the rows' changes; see changes.unmade."""
    unmade: dict[bytes, Any] = {}
    for changed, statement, data in changes.calls(rows):
        cursor.execute(statement, [data])
        unmade |= changes.unmade(changed, cursor.fetchone()[0])
    return unmade


def keep(row: Row, reason: str) -> None:
    """Keep a row that the table refuses."""
    Quarantine.objects.create(
        at=timezone.now(),
        website_id=row.website_id,
        occurred_at=row.occurred_at,
        reason=reason,
        data=row.data,
        change_kind=row.change.kind if row.change else None,
        change=row.change.data if row.change else None,
    )


def kept_row(kept: Quarantine) -> Row | None:
    """The row as it was before it was kept; None for what could not even be read."""
    if kept.website_id is None or kept.occurred_at is None:
        return None
    change = Change(kept.change_kind, bytes(kept.change)) if kept.change_kind and kept.change else None
    # A change needs a key, and its own may have been noted when it was refused.
    key = b"kept" + kept.id.to_bytes(8) if change else b""
    return Row(kept.website_id, kept.occurred_at, bytes(kept.data), key=key, change=change)


def keep_damaged(data: bytes) -> None:
    """Keep an entry of the outage stream that cannot be read."""
    Quarantine.objects.create(at=timezone.now(), reason="damaged entry of the outage stream", data=data)
