"""ROOM v1: POST /api/v1/admin/aggregate (contract 2.8)."""

from datetime import UTC, date, timedelta
from typing import Any

import msgspec
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.dialect import InvalidPayload, V1View, success
from accounts.api.documentation import answers, documented
from analytics.rollups.aggregate import aggregate


class Aggregation(msgspec.Struct):
    date: str | None = None


class Done(msgspec.Struct):
    message: str


class AggregateView(V1View):
    admin_only = True

    @documented("Build a day's roll-ups", answers(200, Done), body=Aggregation)
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
