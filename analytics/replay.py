"""Calls of any room at times that are past: through the room's own endpoint and the same enrichers as live ones.

Limits are not counted, and answers are nobody's. Refused calls are counted by their reasons, as live ones are.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any, NamedTuple

from analytics import drops
from analytics.api.endpoint import Endpoint
from analytics.history import CHUNK_LINES, Tally
from analytics.ingest import as_row, enrich, outcome
from analytics.ingest.grants import Grant, Source
from analytics.ingest.hit import Hit
from analytics.ingest.reading import Outcome
from analytics.ingest.row import Row
from analytics.ingest.visitor import RunSalts
from analytics.ingest.writer import store_once
from tinytrail.web.call import Call, Refusal


class Past(NamedTuple):
    """One call, to whom, and when."""

    at: datetime
    endpoint: Endpoint
    call: Call


# Whom a call is for, as it was then; None for nobody.
GrantOf = Callable[[Source, datetime], Grant | None]


def replay(
    calls: Iterable[Past], *, grant_of: GrantOf, now: datetime, progress: Callable[[int], Any] = lambda size: None
) -> Tally:
    """Store what every good call says. `progress` is told the number of calls of each chunk once it is stored."""
    tally, salts = Tally(), RunSalts(now.astimezone(UTC).date())
    remaining = iter(calls)
    while chunk := list(islice(remaining, CHUNK_LINES)):
        refused: Counter[drops.Key] = Counter()
        rows = list(good_rows(chunk, grant_of, salts, tally, refused))
        if rows:
            store_once(rows)
        drops.add(refused)
        # Some calls are changes alone.
        tally.stored += sum(1 for row in rows if row.data)
        progress(len(chunk))
    return tally


def good_rows(
    calls: list[Past], grant_of: GrantOf, salts: RunSalts, tally: Tally, refused: Counter[drops.Key]
) -> Iterator[Row]:
    """The rows of the calls that are to be stored; the others are counted by their reasons."""
    for past in calls:
        grant, found = understood(past, grant_of)
        if isinstance(found, Refusal) or grant is None:
            reason = found.reason if isinstance(found, Refusal) else Outcome.UNKNOWN_WEBSITE.value
            tally.reasons[reason] += 1
            website = grant.site.id if grant else None
            refused[(past.at.date(), past.endpoint.dialect.word, reason, website)] += 1
            continue
        found.salt = salts.of(found.salted_on)
        enrich(found, grant.site)
        tally.flagged += outcome(found) is not Outcome.STORED
        yield as_row(found, grant.site)


def understood(past: Past, grant_of: GrantOf) -> tuple[Grant | None, Hit | Refusal]:
    """What a call is, once it is known whose."""
    reading = past.endpoint.take(past.call, now=past.at)
    grant = grant_of(reading.source, past.at) if reading.source else None
    found = reading.refusal or (reading.admit(grant) if reading.admit else reading.hit)
    assert found is not None  # a reading is one of the three
    return grant, found
