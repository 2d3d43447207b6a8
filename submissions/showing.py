"""The newest rows of what hosts proposed and moderators published, for support and for tests (running.md, `show`)."""

from typing import Any

from submissions.models import CatalogEvent

Rows = list[dict[str, Any]]


def catalog(website_ids: list[int], limit: int | None) -> Rows:
    found = CatalogEvent.objects.filter(calendar__website__in=website_ids).order_by("-id")[:limit]
    return [{"eventKey": event.key, "name": event.name, "date": event.date} for event in found]
