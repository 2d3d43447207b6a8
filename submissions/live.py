"""A calendar's upcoming live events in memory, for searches and filters: what the public page shows, and how many
events a search or filter matched when it was received (definitions 26), from one and the same copy.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache

from django.db.models import F, QuerySet

from submissions.catalog import today_of
from submissions.filters import Entry, arrondissement, entry_of, filtering, searching
from submissions.models import Calendar, CatalogEvent
from submissions.text import folded

# A few calendars, each with the copy of yesterday and that of before the last change.
MOST_COPIES = 32
MOST_CHOICES = 40
Choices = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Live:
    """An immutable copy, in the order of the page."""

    entries: Sequence[Entry] = ()
    # What a filter's list offers: values with what people read.
    arrondissements: Choices = ()
    genres: Choices = ()

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
    """Read anew for every version and day."""
    events = list(upcoming(calendar_id, today))
    return Live(
        entries=tuple(map(entry_of, events)),
        arrondissements=offered_places(event.arrondissement for event in events),
        genres=offered_genres(event.genre for event in events),
    )


def upcoming(calendar_id: int, today: date) -> QuerySet[CatalogEvent]:
    """The calendar's events in the order of the page. One whose date nobody could read stands last."""
    found = CatalogEvent.objects.upcoming(today).filter(calendar=calendar_id)
    return found.order_by(F("starts_on").asc(nulls_last=True), F("starts_at").asc(nulls_last=True), "id")


def offered_places(texts: Iterable[str]) -> Choices:
    """Numbered ones in their order, then the others."""
    labels = {arrondissement(text): text for text in texts if text}
    values = sorted(labels, key=lambda value: (not value.isdecimal(), value.zfill(2), value))
    return [(value, ordinal(value) if value.isdecimal() else labels[value]) for value in values[:MOST_CHOICES]]


def offered_genres(texts: Iterable[str]) -> Choices:
    """The most frequent ones, by name."""
    labels: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for text in texts:
        for label in re.split(r"[,;/|]", text):
            if value := folded(label):
                labels.setdefault(value, label.strip())
                counts[value] += 1
    return sorted((value, labels[value]) for value, _ in counts.most_common(MOST_CHOICES))


def ordinal(number: str) -> str:
    return f"{number}{'er' if number == '1' else 'e'}"
