"""When an event is, as pages, feeds and structured data say it."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from submissions.calendars import zone
from submissions.models import CatalogEvent


@dataclass(frozen=True)
class Occasion:
    """Days when no time is known, else moments. Both ends are the event's own: the last day is part of it.

    Moments are in the calendar's zone; without one, in a calendar that nobody gave a zone and so has UTC: eight in
    the evening is then eight in the evening wherever it is read.
    """

    begin: date | datetime
    end: date | datetime | None

    @property
    def is_all_day(self) -> bool:
        return not isinstance(self.begin, datetime)


def occasion(event: CatalogEvent) -> Occasion | None:
    """None when nobody could read the day."""
    if event.starts_on is None:
        return None
    last = max(event.ends_on or event.starts_on, event.starts_on)
    lasts_days = last > event.starts_on
    if event.starts_at is None or (lasts_days and event.ends_at is None):
        return Occasion(event.starts_on, last)
    place = own_zone(event)
    begin = moment(event.starts_on, event.starts_at, place)
    if event.ends_at is None:
        return Occasion(begin, None)
    # Until four means four in the next morning.
    ends_next_day = not lasts_days and event.ends_at <= event.starts_at
    return Occasion(begin, moment(last + timedelta(days=1) if ends_next_day else last, event.ends_at, place))


def own_zone(event: CatalogEvent) -> ZoneInfo | None:
    place = zone(event.calendar)
    return None if place.key == "UTC" else place


def moment(day: date, clock: time, place: ZoneInfo | None) -> datetime:
    return datetime.combine(day, clock, tzinfo=place)
