"""The newest rows of what hosts proposed and moderators published, for support and for tests (running.md, `show`)."""

from typing import Any

from submissions.models import CatalogEvent, Submission

Rows = list[dict[str, Any]]


def catalog(website_ids: list[int], limit: int | None) -> Rows:
    found = CatalogEvent.objects.filter(calendar__website__in=website_ids).order_by("-id")[:limit]
    return [{"eventKey": event.key, "name": event.name, "date": event.date} for event in found]


def submissions(website_ids: list[int], limit: int | None) -> Rows:
    found = Submission.objects.filter(calendar__website__in=website_ids).select_related("host")
    return [
        {
            "id": str(submission.id),
            "status": submission.status,
            "reviewReason": submission.review_reason or None,
            "reviewedBy": submission.reviewed_by or None,
            "spamSignals": submission.spam_signals,
            "flags": [{"signal": flag["signal"], "sentence": flag["sentence"]} for flag in submission.flags],
            "eventName": submission.name,
            "hostEmail": submission.host_email or None,
            "acceptedEventKey": submission.accepted_event_key or None,
        }
        for submission in found.order_by("-created_at", "-id")[:limit]
    ]
