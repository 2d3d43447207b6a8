"""Counting what was not stored (guarantee I1)."""

from collections import Counter
from datetime import date

import pytest
from django.db import DatabaseError, connection

from analytics import drops
from analytics.models import Drop

pytestmark = pytest.mark.django_db

DAY = date(2026, 3, 18)


def counted() -> dict[tuple[str, str, int | None], int]:
    return {(d.dialect, d.reason, d.website_id): d.count for d in Drop.objects.all()}


def test_drops_add_up_by_dialect_reason_and_website():
    drops.count("v1", "rate_limited", day=DAY)
    drops.count("v1", "rate_limited", day=DAY, times=4)
    drops.count("v1", "rate_limited", day=DAY, website_id=7)
    drops.count("openpanel", "rate_limited", day=DAY)
    assert counted() == {
        ("v1", "rate_limited", None): 5,
        ("v1", "rate_limited", 7): 1,
        ("openpanel", "rate_limited", None): 1,
    }


def test_another_day_is_another_count():
    drops.count("v1", "x", day=DAY)
    drops.count("v1", "x", day=date(2026, 3, 19))
    assert Drop.objects.count() == 2


def test_what_could_not_be_counted_while_the_database_was_away_is_counted_afterwards():
    def away(execute, sql, params, many, context):
        raise DatabaseError("away")

    with connection.execute_wrapper(away):
        drops.count("v1", "storage_unavailable", day=DAY)
        drops.count("v1", "storage_unavailable", day=DAY)
    assert (counted(), drops._waiting) == ({}, Counter({(DAY, "v1", "storage_unavailable", None): 2}))
    drops.count("v1", "x", day=DAY)
    assert counted() == {("v1", "storage_unavailable", None): 2, ("v1", "x", None): 1}
    assert drops._waiting == Counter()
