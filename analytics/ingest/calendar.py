"""The catalogue's events and calendars that calls name, as the ingestion needs them (contract D-23)."""

import asyncio
from collections import OrderedDict
from collections.abc import Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import psycopg

from accounts.models import Website
from analytics.ingest.grants import Grant, Kind
from analytics.ingest.website import FIELDS, Site, as_site, rows
from submissions import calendars as places
from submissions.catalog import today_of
from submissions.filters import COLUMNS, entry_of
from submissions.live import Live, upcoming
from submissions.models import Calendar, CatalogEvent

EVENT_SITE = [f"calendar__website__{name}" for name in FIELDS]
CALENDAR = ("id", "is_default", "time_zone", "version")
CALENDAR_SITE = [f"website__{name}" for name in FIELDS]
# A search of 5,000 events takes two milliseconds; a copy of so many some five megabytes.
MOST_EVENTS = 5_000
MOST_EVENTS_OF_ALL = 20_000
MOST_COUNTS = 1_000


class CatalogEvents(Kind):
    """Calls that name a live event of the catalogue by its key."""

    async def load(
        self, connection: psycopg.AsyncConnection[Any], keys: Collection[Hashable]
    ) -> Mapping[Hashable, Grant]:
        live = CatalogEvent.objects.live().filter(key__in=keys)
        found = await rows(connection, live.values_list("key", *EVENT_SITE))
        return {key: Grant(as_site(*site)) for key, *site in found}


@dataclass(slots=True, frozen=True, eq=False)
class Copy:
    """A calendar's upcoming live events as they are at one version and day, with the answers to recent questions."""

    version: int
    today: date
    live: Live
    counts: dict[tuple[str, str], int] = field(default_factory=dict)

    def count(self, group: str, value: str) -> int:
        """How many events the filter matches; without a group, how many the search does."""
        known = self.counts.get((group, value))
        if known is None:
            known = self.live.count_filtered(group, value) if group else self.live.count_matching(value)
            if len(self.counts) >= MOST_COUNTS:
                self.counts.clear()
            self.counts[group, value] = known
        return known


@dataclass(slots=True, frozen=True)
class CalendarGrant(Grant):
    """A website with what is upcoming on its calendar."""

    copy: Copy


class Calendars(Kind):
    """Calls that name a calendar by the host of their Origin, or none and mean the default one; those of this server's
    own pages name it by the id of its website.
    """

    def __init__(self) -> None:
        # By the calendar's id, the one used last at the end.
        self._copies: OrderedDict[int, Copy] = OrderedDict()

    async def load(
        self, connection: psycopg.AsyncConnection[Any], keys: Collection[Hashable]
    ) -> Mapping[Hashable, Grant]:
        ids = {key for key in keys if isinstance(key, UUID)}
        hosts = [str(key) for key in keys if key not in ids]
        asked = places.candidates(hosts) | Calendar.objects.live().filter(website__public_id__in=ids)
        found = [as_calendar(row) for row in await rows(connection, asked.values_list(*CALENDAR, *CALENDAR_SITE))]
        belongs: dict[Hashable, Calendar] = {
            host: calendar for host in hosts if (calendar := places.chosen(host, found))
        }
        belongs |= {calendar.website.public_id: calendar for calendar in found if calendar.website.public_id in ids}
        grants = {
            calendar.id: CalendarGrant(site_of(calendar), await self._copy(connection, calendar))
            for calendar in {calendar.id: calendar for calendar in belongs.values()}.values()
        }
        return {key: grants[calendar.id] for key, calendar in belongs.items()}

    async def _copy(self, connection: psycopg.AsyncConnection[Any], calendar: Calendar) -> Copy:
        """The copy of this version and day, read when there is none yet."""
        today = today_of(calendar, datetime.now(UTC))
        copy = self._copies.get(calendar.id)
        if copy is None or (copy.version, copy.today) != (calendar.version, today):
            found = await rows(connection, upcoming(calendar.id, today).values_list(*COLUMNS)[:MOST_EVENTS])
            # Thousands of them take longer to read than others should wait.
            copy = Copy(calendar.version, today, await asyncio.to_thread(as_live, found))
        self._copies[calendar.id] = copy
        self._copies.move_to_end(calendar.id)
        while len(self._copies) > 1 and sum(len(kept.live.entries) for kept in self._copies.values()) > (
            MOST_EVENTS_OF_ALL
        ):
            self._copies.popitem(last=False)
        return copy


def as_live(found: Iterable[tuple[Any, ...]]) -> Live:
    return Live(tuple(entry_of(CatalogEvent(**dict(zip(COLUMNS, row, strict=True)))) for row in found))


def as_calendar(row: tuple[Any, ...]) -> Calendar:
    own, site = row[: len(CALENDAR)], row[len(CALENDAR) :]
    website = Website(**dict(zip(FIELDS, site, strict=True)))
    return Calendar(**dict(zip(CALENDAR, own, strict=True)), website=website)


def site_of(calendar: Calendar) -> Site:
    return as_site(*(getattr(calendar.website, name) for name in FIELDS))


catalog_events = CatalogEvents()
calendars = Calendars()
