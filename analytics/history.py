"""Loading history: lines of NDJSON through the same pipeline as live hits, at the times they give.

Refused lines are counted with their reasons and never stop the rest. A run has salts of its own for past days, since
theirs are destroyed: a day is to be loaded in one run, or its visitors count once per run.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import islice
from typing import Any

import msgspec

from analytics import drops
from analytics.api.v1.endpoints import CollectBody, as_hit, checked, website_id
from analytics.ingest import as_row, enrich, outcome
from analytics.ingest.reading import Outcome
from analytics.ingest.row import Row
from analytics.ingest.visitor import RunSalts
from analytics.ingest.website import websites
from analytics.ingest.writer import store
from analytics.models import BuiltDay
from analytics.rollups.build import EARLIEST
from tinytrail.web import body, client
from tinytrail.web.body import BadBody

# One COPY and one COMMIT for so many.
CHUNK_LINES = 5_000
MOST_LINE_BYTES = 64 * 1024
# A clock that runs ahead a little is no reason to lose an event.
SKEW = timedelta(minutes=1)


class Line(CollectBody):
    """A collect body, and what a live request would have said of itself."""

    occurred_at: str = ""
    ip: str | None = None
    user_agent: str | None = None


LINE = msgspec.json.Decoder(Line)


@dataclass(slots=True)
class Tally:
    """What became of the lines. `stored` includes the flagged ones; `reasons` adds up to `refused`."""

    stored: int = 0
    flagged: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    @property
    def refused(self) -> int:
        return self.reasons.total()


def import_hits(lines: Iterable[bytes], *, now: datetime, progress: Callable[[int], Any] = lambda size: None) -> Tally:
    """Store every good line. `progress` is told the bytes of each chunk once it is committed."""
    tally = Tally()
    final_days.cache_clear()
    salts = RunSalts(now.astimezone(UTC).date())
    remaining = iter(lines)
    while chunk := list(islice(remaining, CHUNK_LINES)):
        refused: Counter[str] = Counter()
        rows = list(good_rows(chunk, salts, tally, refused, now))
        if rows:
            store(rows)
        for reason, times in refused.items():
            drops.count("v1", reason, day=now.astimezone(UTC).date(), times=times)
        tally.stored += len(rows)
        tally.reasons += refused
        progress(sum(map(len, chunk)))
    return tally


def good_rows(lines: list[bytes], salts: RunSalts, tally: Tally, refused: Counter[str], now: datetime) -> Iterator[Row]:
    """The rows of the lines that can be stored; the others are counted by their reasons."""
    for line in lines:
        line = line.strip()
        if not line:
            continue
        try:
            row, became = understood(line, salts, now)
        except BadBody as bad:
            refused[bad.reason] += 1
            continue
        tally.flagged += became is not Outcome.STORED
        yield row


def understood(line: bytes, salts: RunSalts, now: datetime) -> tuple[Row, Outcome]:
    """One line as a row. Raises BadBody with the reason it is refused for."""
    if len(line) > MOST_LINE_BYTES:
        raise BadBody("too_large", f"The line is longer than {MOST_LINE_BYTES} bytes.")
    fields = body.decode(LINE, line)
    checked(fields, len(line))
    website = website_id(fields)
    site = websites.find(website) if website else None
    if site is None:
        raise BadBody("unknown_website", f"There is no website {fields.website_id}.")
    hit = as_hit(
        fields,
        at=moment(fields.occurred_at, now),
        address=address(fields.ip),
        user_agent=(fields.user_agent or "").strip(),
    )
    if hit.occurred_at.date() in final_days(site.id):
        raise BadBody(
            "day_is_final", "The raw events of that day are past their retention, its numbers stay as they are."
        )
    hit.salt = salts.of(hit.occurred_at.date())
    enrich(hit, site)
    return as_row(hit, site), outcome(hit)


@lru_cache(maxsize=64)
def final_days(website_id: int) -> frozenset[date]:
    return frozenset(BuiltDay.objects.filter(website_id=website_id, is_final=True).values_list("day", flat=True))


def moment(text: str, now: datetime) -> datetime:
    """The time as UTC; one without an offset is UTC already."""
    try:
        found = datetime.fromisoformat(text)
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadBody("invalid_time", "occurred_at must be a time, for example 2026-03-18T09:30:00Z.") from None
    if not found.date() >= EARLIEST or found > now + SKEW:
        raise BadBody("invalid_time", f"occurred_at must lie between {EARLIEST} and now.")
    return found


def address(text: str | None) -> str:
    if not text:
        return ""
    found = client.parsed(text)
    if found is None:
        raise BadBody("invalid_field", "ip must be an IPv4 or IPv6 address.")
    return str(found)
