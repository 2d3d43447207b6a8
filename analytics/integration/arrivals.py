"""What arrived of a website in the last hour and day: stored, and refused by reason with the likely cause."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Sum

from accounts.models import Website
from analytics.models import Event, RecentDrop
from analytics.reasons import cause
from analytics.showing import kind
from analytics.vocabulary import Dialect, Type

SPANS = (("Last hour", timedelta(hours=1)), ("Last day", timedelta(days=1)))
MOST_REASONS = 30
MOST_NEWEST = 20
DIALECTS = {
    Dialect.V1: "Tracker and API",
    Dialect.ENGAGEMENT: "Calendar: engagement",
    Dialect.DISCOVERY: "Calendar: discovery",
    Dialect.WIDGETS: "Widgets",
    Dialect.OPENPANEL: "OpenPanel",
}
# Fields of a single event that are not told of an exempt website.
OF_VISITORS = frozenset({"visitor", "session of the client", "person", "country"})
WORDS = {dialect.word: title for dialect, title in DIALECTS.items()} | {"submissions": "Proposals"}


@dataclass(slots=True, frozen=True)
class Stored:
    dialect: str
    count: int
    # Of them, those that are kept with a flag and never counted.
    flagged: int


@dataclass(slots=True, frozen=True)
class Refused:
    dialect: str
    reason: str
    cause: str
    count: int


@dataclass(slots=True, frozen=True)
class Span:
    title: str
    stored: list[Stored]
    refused: list[Refused]

    @property
    def total(self) -> int:
        return sum(row.count for row in self.stored)

    @property
    def total_refused(self) -> int:
        return sum(row.count for row in self.refused)


def arrivals(website: Website, *, now: datetime) -> list[Span]:
    return [Span(title, stored(website, now - span, now), refused(website, now - span)) for title, span in SPANS]


def stored(website: Website, since: datetime, now: datetime) -> list[Stored]:
    events = Event.objects.filter(website_id=website.id, occurred_at__gt=since, occurred_at__lte=now).order_by()
    counted = events.values("dialect", "is_bot", "is_excluded").annotate(times=Count("pk"))
    rows: dict[int, tuple[int, int]] = {}
    for row in counted:
        count, flagged = rows.get(row["dialect"], (0, 0))
        is_flagged = row["is_bot"] or row["is_excluded"]
        rows[row["dialect"]] = (count + row["times"], flagged + (row["times"] if is_flagged else 0))
    return [Stored(DIALECTS[Dialect(dialect)], *rows[dialect]) for dialect in sorted(rows)]


def refused(website: Website, since: datetime) -> list[Refused]:
    drops = RecentDrop.objects.filter(website_id=website.id, at__gt=since).order_by()
    counted = drops.values("dialect", "reason").annotate(times=Sum("count")).order_by("-times", "dialect", "reason")
    return [
        Refused(WORDS.get(row["dialect"], row["dialect"]), row["reason"], cause(row["reason"]), row["times"])
        for row in counted[:MOST_REASONS]
    ]


def newest(website: Website, *, sees_people: bool) -> list[dict[str, Any]]:
    """The newest events, each with all its fields that hold something; of an exempt website without those that together
    tell one visitor from another.
    """
    events = Event.objects.filter(website_id=website.id).order_by("-occurred_at", "-id")[:MOST_NEWEST]
    return [
        {
            "at": event.occurred_at,
            "name": event.name or Type(event.type).name.lower(),
            "dialect": DIALECTS[Dialect(event.dialect)],
            "path": event.path,
            "flag": "robot" if event.is_bot else "excluded" if event.is_excluded else "",
            "fields": [field for field in fields_of(event, sees_people=sees_people) if is_told(field[0], website)],
        }
        for event in events
    ]


def is_told(name: str, website: Website) -> bool:
    return website.mode != Website.Mode.EXEMPT or name not in OF_VISITORS


def fields_of(event: Event, *, sees_people: bool) -> list[tuple[str, str]]:
    given: dict[str, object] = {
        "kind": kind(event),
        "visitor": f"{event.visitor & (2**64 - 1):016x}",
        "session of the client": event.client_session,
        "person": event.profile if sees_people else None,
        "referrer": event.referrer,
        "content group": event.content_group,
        "utm_source": event.utm_source,
        "utm_medium": event.utm_medium,
        "utm_campaign": event.utm_campaign,
        "country": event.country,
        **{f"properties.{name}": value for name, value in (event.properties or {}).items()},
    }
    return [(name, str(value)) for name, value in given.items() if value not in (None, "")]
