"""ROOM v1: POST /api/v1/admin/aggregate (contract 2.8)."""

from datetime import UTC, date, timedelta
from typing import Annotated, Any

import msgspec
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.dialect import InvalidPayload, V1View, success
from accounts.api.documentation import answers, documented
from analytics.rollups.aggregate import aggregate

# The view checks it: an impossible day has a sentence of its own.
Day = Annotated[str | None, msgspec.Meta(extra_json_schema={"type": ["string", "null"], "format": "date"})]


class Aggregation(msgspec.Struct):
    """Of yesterday, unless a day is named."""

    date: Day = None


class Done(msgspec.Struct):
    message: str


class AggregateView(V1View):
    admin_only = True

    @documented(
        "aggregate",
        "Build a day's roll-ups",
        answers(200, Done),
        body=Aggregation,
        description="Beat does so by itself; building a day again changes nothing.",
        is_for_admins=True,
        examples={"A day": {"date": "2026-03-18"}, "Yesterday": {}},
    )
    def post(self, request: Request) -> Response:
        now = timezone.now()
        day = asked_day(dict(request.data), yesterday=now.astimezone(UTC).date() - timedelta(days=1))
        aggregate(day, now=now)
        return success({"message": f"Aggregation completed for {day}"})


def asked_day(data: dict[str, Any], *, yesterday: date) -> date:
    value = data.get("date")
    if value is None:
        return yesterday
    try:
        found = date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        found = None
    if found is None or str(found) != value:
        raise InvalidPayload("date must be a date, for example 2026-03-18.")
    return found
