"""What hosts send, to the API and in the form."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from django.test import Client

# The document's own example (seed 001).
EXAMPLE = {
    "eventName": "Jazz Night at Le Sunset",
    "date": "2026-03-15",
    "startTime": "20:00",
    "endTime": "23:30",
    "location": "Le Sunset, 60 Rue des Lombards, 75001 Paris",
    "hostEmail": "contact@lesunset.com",
    "proofLink": "https://www.lesunset.com/events/jazz-night-march",
    "genre": "Jazz",
    "price": "15€",
    "age": "18+",
    "indoorOutdoor": "indoor",
    "arrondissement": "1st",
    "notes": "Featuring local and international artists",
    "honeypot": "",
}
REQUIRED = ("eventName", "date", "startTime", "location", "hostEmail", "proofLink")
RECEIVED = {"success": True, "message": "Thanks, your event submission has been received for review."}
TOO_MANY = {"success": False, "error": "Too many submissions. Please try again shortly."}
UNAVAILABLE = {"success": False, "error": "Submission service unavailable"}
NO_STORE = {
    "Cache-Control": "private, no-store, no-cache, max-age=0, must-revalidate, proxy-revalidate",
    "Pragma": "no-cache",
    "Expires": "0",
}
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def example(**changes: Any) -> dict[str, Any]:
    """The example, filled in half a minute ago, with these fields in place of its own."""
    started = datetime.now(UTC) - timedelta(seconds=30)
    return EXAMPLE | {"formStartedAt": started.isoformat()} | changes


def send(body: Any = None, *, path: str = "/api/event-submissions", **options: Any) -> Any:
    """POST to the API: `body` as JSON, or as it is when it is bytes."""
    raw = body if isinstance(body, bytes) else json.dumps(example() if body is None else body).encode()
    options = {"content_type": "application/json"} | options
    # Django's client leaves it out with an empty body.
    options["CONTENT_TYPE"] = options["content_type"]
    # An exception is an answer like any other here: that of the server.
    return Client(raise_request_exception=False).post(path, raw, **options)
