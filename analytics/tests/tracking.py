"""Callers of the calendar's two routes, and the calendar they call about."""

import json
from datetime import date, datetime, timedelta
from typing import Any

from django.test import Client
from django.utils import timezone

from accounts.models import Account, Website
from accounts.tests.builders import make_account, make_website
from analytics.ids import next_id
from analytics.ingest import as_row, enrich
from analytics.ingest.hit import Hit
from analytics.ingest.website import Site, websites
from analytics.ingest.writer import store
from analytics.tests.builders import CHROME
from analytics.vocabulary import Dialect, Type
from submissions import calendars, catalog
from submissions.models import Calendar, CatalogEvent


def make_calendar(domain: str = "acme.example", *, account: Account | None = None) -> Calendar:
    return calendars.of_website(make_website(account or make_account(), domain))


def make_event(calendar: Calendar, name: str = "Jazz Night", **given: Any) -> CatalogEvent:
    """A live event of next week."""
    details = {"date": in_days(7), "start_time": "20:00", "location": "Le Sunset, Paris", "now": timezone.now()}
    return catalog.create(calendar, name=name, **details | given)


def in_days(days: int) -> str:
    return str(today() + timedelta(days=days))


def today() -> date:
    return timezone.now().date()


def track(client: Client, body: Any = None, *, path: str = "/api/track", **options: Any) -> Any:
    """POST a call: `body` as JSON, or as it is when it is bytes."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    options = {"HTTP_USER_AGENT": CHROME, "content_type": "application/json"} | options
    return client.post(path, raw, **options)


def engage(client: Client, event: CatalogEvent | str, action: str = "click", **more: Any) -> Any:
    key = event if isinstance(event, str) else event.key
    options = {name: more.pop(name) for name in list(more) if name.isupper()}
    return track(client, {"eventKey": key, "actionType": action, **more}, **options)


def discover(client: Client, action: str, **more: Any) -> Any:
    options = {name: more.pop(name) for name in list(more) if name.isupper()}
    return track(client, {"actionType": action, **more}, path="/api/track/discovery", **options)


def travelled(days: int) -> datetime:
    """Noon of so many days ago."""
    return timezone.now().replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=days)


# -- history: what the routes take only as it happens --


def acted(at: datetime, name: str, **fields: Any) -> Hit:
    """Something done on the calendar at a time: `event` and `source`, or `group`, `value`, `search` and `matches`."""
    words = {"event": "eventKey", "source": "source", "group": "filterGroup", "value": "filterValue"}
    words |= {"search": "searchQuery", "matches": "matches"}
    properties = {word: fields[key] for key, word in words.items() if fields.get(key) is not None}
    return Hit(
        dialect=Dialect.ENGAGEMENT if "event" in fields else Dialect.DISCOVERY,
        id=next_id(),
        occurred_at=at,
        address=fields.get("ip", "192.0.2.1"),
        user_agent=fields.get("user_agent", CHROME),
        type=Type.OTHER,
        name=name,
        properties=properties or None,
        client_session=fields.get("session") or "",
    )


def tell(website: Website, *hits: Hit) -> None:
    """Store hits of any time, as the batches would."""
    site = websites.find(website.public_id)
    assert site
    store([as_row(enriched(hit, site), site) for hit in hits])


def enriched(hit: Hit, site: Site) -> Hit:
    hit.salt = str(hit.occurred_at.date()).encode()
    enrich(hit, site)
    return hit
