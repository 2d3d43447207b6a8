"""The catalogue's cast: Acme's calendar with events on it, Globex's beside it."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from accounts.models import Account
from accounts.tests.builders import make_account, make_website
from submissions import calendars, catalog
from submissions.models import Calendar, CatalogEvent, Submission

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
TODAY = date(2026, 6, 1)


def make_calendar(domain: str = "acme.example", *, account: Account | None = None, **changes: str) -> Calendar:
    calendar = calendars.of_website(make_website(account or make_account(), domain))
    return calendars.change(calendar, **changes) if changes else calendar


def make_event(calendar: Calendar, name: str = "Jazz Night", **given: Any) -> CatalogEvent:
    details = {"date": "2026-06-20", "start_time": "20:00", "location": "Le Sunset, Paris", "now": NOW} | given
    return catalog.create(calendar, name=name, **details)


def in_days(days: int, now: datetime = NOW) -> str:
    return str(now.date() + timedelta(days=days))


def make_submission(calendar: Calendar, **payload: str) -> Submission:
    """A pending one as intake stores it, with what the document's example holds."""
    payload = {
        "eventName": "Jazz Night at Le Sunset",
        "date": "2026-06-15",
        "startTime": "20:00",
        "endTime": "23:30",
        "location": "Le Sunset, 60 Rue des Lombards, 75001 Paris",
        "hostEmail": "contact@lesunset.example",
        "proofLink": "https://www.lesunset.example/events/jazz-night",
        "genre": "Jazz",
        "price": "15€",
        "age": "18+",
        "indoorOutdoor": "indoor",
        "arrondissement": "1st",
        "notes": "Featuring local and international artists",
    } | payload
    return Submission.objects.create(
        calendar=calendar,
        payload=payload,
        name=payload["eventName"],
        source_ip_hash="0" * 64,
        email_ip_hash="1" * 64,
        fingerprint_hash="2" * 64,
        spam_signals={},
        created_at=NOW,
    )
