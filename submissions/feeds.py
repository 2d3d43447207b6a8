"""The catalogue for other programs: iCalendar, RSS and JSON. Texts are data here, whatever they hold."""

from collections.abc import Callable, Iterable
from datetime import UTC, timedelta
from typing import Any

import icalendar
from django.utils.feedgenerator import Rss201rev2Feed
from django.utils.html import escape

from submissions.catalog import CONTRACT_NAMES
from submissions.models import Calendar, CatalogEvent
from submissions.occasion import occasion

# The address of an event's page.
Address = Callable[[CatalogEvent], str]
REFRESH = timedelta(hours=1)


def ics(calendar: Calendar, events: Iterable[CatalogEvent], address: Address) -> bytes:
    """RFC 5545. An event of which nobody could read the day cannot stand in it."""
    document = icalendar.Calendar()
    document.add("prodid", "-//TinyTrail//Event calendar//EN")
    document.add("version", "2.0")
    document.add("method", "PUBLISH")
    document.add("name", calendar.name)
    document.add("x-wr-calname", calendar.name)
    document.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
    for event in events:
        if entry := vevent(event, address(event)):
            document.add_component(entry)
    document.add_missing_timezones()
    text: bytes = document.to_ical()
    return text


def vevent(event: CatalogEvent, address: str) -> icalendar.Event | None:
    when = occasion(event)
    if when is None:
        return None
    entry = icalendar.Event()
    entry.add("uid", event.key)
    entry.add("dtstamp", event.updated_at.astimezone(UTC))
    entry.add("created", event.created_at.astimezone(UTC))
    entry.add("last-modified", event.updated_at.astimezone(UTC))
    # Grows with every change, which is when a calendar believes it.
    entry.add("sequence", int((event.updated_at - event.created_at).total_seconds()))
    entry.add("summary", event.name)
    entry.add("dtstart", when.begin)
    if when.is_all_day and when.end is not None:
        entry.add("dtend", when.end + timedelta(days=1))
    elif when.end is not None:
        entry.add("dtend", when.end)
    entry.add("location", event.location)
    entry.add("description", description(event))
    entry.add("url", address)
    if event.genre:
        entry.add("categories", [genre.strip() for genre in event.genre.split(",") if genre.strip()])
    entry.add("status", "CONFIRMED" if event.is_live else "CANCELLED")
    return entry


def rss(calendar: Calendar, events: Iterable[CatalogEvent], address: Address, *, page: str, feed: str) -> bytes:
    document = Rss201rev2Feed(
        title=calendar.name,
        link=page,
        description=f"Events of {calendar.name}, the newest first.",
        feed_url=feed,
    )
    for event in events:
        document.add_item(
            title=event.name,
            link=address(event),
            # Readers take a description for HTML: markup in it would be run or shown as such.
            description=escape(" · ".join((event.date, event.start_time, event.location))),
            unique_id=event.key,
            unique_id_is_permalink=False,
            pubdate=event.created_at,
            categories=[genre.strip() for genre in event.genre.split(",") if genre.strip()],
        )
    text: str = document.writeString("utf-8")
    return text.encode()


def as_json(event: CatalogEvent, address: str) -> dict[str, Any]:
    """An event under the contract's names, with what could be read of its times."""
    written = {name: getattr(event, field) for field, name in CONTRACT_NAMES.items() if field != "url"}
    return {
        "eventKey": event.key,
        **written,
        "link": event.link,
        "startsOn": event.starts_on and event.starts_on.isoformat(),
        "endsOn": event.ends_on and event.ends_on.isoformat(),
        "startsAt": event.starts_at and f"{event.starts_at:%H:%M}",
        "endsAt": event.ends_at and f"{event.ends_at:%H:%M}",
        "isFeatured": event.is_featured,
        "url": address,
    }


def structured(event: CatalogEvent, address: str) -> dict[str, Any]:
    """What search engines read of an event's page (schema.org/Event)."""
    when = occasion(event)
    status = "EventScheduled" if event.is_live else "EventCancelled"
    given: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "Event",
        "name": event.name,
        "url": address,
        "startDate": when and when.begin.isoformat(),
        "endDate": when and when.end and when.end.isoformat(),
        "eventStatus": f"https://schema.org/{status}",
        "eventAttendanceMode": "https://schema.org/OfflineEventAttendanceMode",
        "location": {"@type": "Place", "name": event.location, "address": event.location},
        "description": event.notes,
        "keywords": event.genre,
        "typicalAgeRange": event.age,
        "sameAs": event.link,
    }
    return {name: value for name, value in given.items() if value}


def description(event: CatalogEvent) -> str:
    said = (("Price", event.price), ("Age", event.age), ("Setting", event.setting), ("Link", event.link))
    lines = [f"{name}: {text}" for name, text in said if text]
    return "\n".join([*([event.notes] if event.notes else []), *lines])
