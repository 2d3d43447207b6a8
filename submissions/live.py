"""A calendar's upcoming live events in memory, for searches and filters: what the public page shows, and how many
events a search or filter matched when it was received (definitions 26), from one and the same copy.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache

from django.db.models import F

from submissions.catalog import today_of
from submissions.filters import Entry, entry_of, filtering, searching
from submissions.models import Calendar, CatalogEvent

# A few calendars, each with the copy of yesterday and that of before the last change.
MOST_COPIES = 32


@dataclass(frozen=True, slots=True)
class Live:
    """An immutable copy, in the order of the page."""

    entries: Sequence[Entry] = ()

    def count_matching(self, query: str) -> int:
        return len(self.matching(query))

    def count_filtered(self, group: str, value: str) -> int:
        return len(self.matching(filters={group: value}))

    def matching(self, query: str = "", filters: Mapping[str, str] | None = None) -> list[Entry]:
        """Those that the search and all of the filters match."""
        tests = [filtering(group, value) for group, value in (filters or {}).items()]
        if query.strip():
            tests.append(searching(query))
        return [entry for entry in self.entries if all(test(entry) for test in tests)]


def of(calendar: Calendar, *, now: datetime) -> Live:
    """The copy of the calendar's version: a calendar read long ago gets an old one."""
    return load(calendar.id, calendar.version, today_of(calendar, now))


@lru_cache(maxsize=MOST_COPIES)
def load(calendar_id: int, version: int, today: date) -> Live:
    """Read anew for every version and day. An event whose date nobody could read stands last."""
    upcoming = CatalogEvent.objects.upcoming(today).filter(calendar=calendar_id)
    ordered = upcoming.order_by(F("starts_on").asc(nulls_last=True), F("starts_at").asc(nulls_last=True), "id")
    return Live(tuple(map(entry_of, ordered)))
