"""Row: an event as the bytes that COPY takes, which is also how it waits in the outage stream.

Packing a row in one go costs a tenth of having each column written by itself.
"""

import struct
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import Any

import msgspec

from analytics.ingest.hit import Change

# The columns in the order of their bytes: numbers with their sizes as struct knows them, then texts, then properties.
NUMBERS = {
    "occurred_at": "q",
    "id": "q",
    "visitor": "q",
    "website_id": "i",
    "type": "h",
    "dialect": "h",
    "device": "h",
    "screen": "h",
    "channel": "h",
    "browser": "h",
    "os": "h",
    "is_bot": "?",
    "is_excluded": "?",
    "is_authenticated": "?",
    "is_server": "?",
}
TEXTS = ("path", "referrer", "name", "content_group", "utm_source", "utm_medium", "utm_campaign")
# Only the end grows: rows may wait in the outage stream while the program is changed.
MORE_TEXTS = ("client_session", "profile", "country", "region", "city")
COLUMNS = (*NUMBERS, *TEXTS, "properties", *MORE_TEXTS)

# PostgreSQL's binary COPY: the number of columns, then each column's length and bytes; a length of -1 is null.
FIXED = struct.Struct("!h" + "".join(f"i{size}" for size in NUMBERS.values()))
# The number of columns, then each number's size with room for the number behind it.
SIZED = [len(COLUMNS), *(part for size in NUMBERS.values() for part in (struct.calcsize(f"!{size}"), 0))]
COUNT = struct.Struct("!h")
values_of_numbers = itemgetter(*NUMBERS)
LENGTH = struct.Struct("!i")
NULL = LENGTH.pack(-1)
HEADER = b"PGCOPY\n\xff\r\n\0" + LENGTH.pack(0) + LENGTH.pack(0)
TRAILER = COUNT.pack(-1)
JSONB_VERSION = b"\x01"

# PostgreSQL counts microseconds from here.
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


@dataclass(slots=True, frozen=True)
class Row:
    """One event, packed, with what the writer needs to know of it; without bytes it is only a change."""

    website_id: int
    occurred_at: datetime
    data: bytes
    # Of an event that its caller named: the digest of the name, and the number of the answer.
    key: bytes = b""
    code: int = 0
    # What else changes with it. Such a row has a key, unless its change may be made twice.
    change: Change | None = None


def packed(columns: dict[str, Any]) -> Row:
    """The row of an event's columns, by name."""
    occurred_at: datetime = columns["occurred_at"]
    numbers = SIZED.copy()
    numbers[2::2] = values_of_numbers(columns)
    numbers[2] = (occurred_at - EPOCH) // MICROSECOND
    parts = [FIXED.pack(*numbers)]
    parts += texts(columns, TEXTS)
    if columns["properties"]:
        raw = JSONB_VERSION + msgspec.json.encode(columns["properties"])
        parts += (LENGTH.pack(len(raw)), raw)
    else:
        parts.append(NULL)
    parts += texts(columns, MORE_TEXTS)
    return Row(columns["website_id"], occurred_at, b"".join(parts))


def texts(columns: dict[str, Any], names: tuple[str, ...]) -> list[bytes]:
    parts = []
    for name in names:
        text = columns[name]
        if text is None:
            parts.append(NULL)
        else:
            raw = text.encode()
            parts += (LENGTH.pack(len(raw)), raw)
    return parts


def document(rows: Iterable[Row]) -> bytes:
    """What COPY ... (FORMAT BINARY) reads; a row without bytes leaves nothing in it."""
    return b"".join((HEADER, *(row.data for row in rows), TRAILER))


def by_columns(rows: Iterable[Row]) -> list[tuple[Sequence[str], list[Row]]]:
    """The rows by the columns that they have: those of an older program, which waited while it was replaced, lack the
    newest, and get these columns' defaults."""
    alike: dict[int, list[Row]] = {}
    for row in rows:
        alike.setdefault(COUNT.unpack_from(row.data)[0], []).append(row)
    return [(COLUMNS[:count], same) for count, same in alike.items()]


# Note the keys of named events with their codes; what comes back were not noted within the last day.
CLAIM = """
INSERT INTO analytics_idempotencykey AS known (key, outcome, at)
SELECT key, outcome, now() FROM unnest(%s::bytea[], %s::smallint[]) AS named (key, outcome)
ON CONFLICT (key) DO UPDATE SET outcome = excluded.outcome, at = excluded.at
WHERE known.at < now() - interval '24 hours'
RETURNING key
"""
# A named change that could not be made is answered alike when it comes again.
AMEND = """
UPDATE analytics_idempotencykey AS known SET outcome = named.outcome
FROM unnest(%s::bytea[], %s::smallint[]) AS named (key, outcome) WHERE known.key = named.key
"""
CLAIMED = "SELECT key, outcome FROM analytics_idempotencykey WHERE key = ANY(%s)"


def without_repeats(rows: Sequence[Row], repeated: Container[bytes]) -> list[Row]:
    """The rows whose keys are not among these, of several with one key the first."""
    seen: set[bytes] = set()
    fresh = []
    for row in rows:
        if not row.key or (row.key not in repeated and row.key not in seen):
            fresh.append(row)
        seen.add(row.key)
    return fresh
