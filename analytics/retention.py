"""What is thrown away, and when: raw events by partition, the rows of deleted websites in bounded steps."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from django.apps import apps
from django.conf import settings
from django.db import connection, models, transaction

from accounts.models import Account, Website
from analytics.models import (
    BuiltDay,
    DirtyDay,
    Drop,
    EngagementSession,
    Event,
    IdempotencyKey,
    Order,
    Quarantine,
    RecentDrop,
    Visit,
    WidgetArm,
    WidgetReach,
)
from analytics.rollups.build import build

PARTITION = re.compile(r"analytics_(?:event|visit)_(\d{4})_(\d{2})")
# Twice as long as a key counts (contract D-28).
KEYS_LIVE = timedelta(hours=48)
# How many rows one step removes: well under a second.
STEP_ROWS = 20_000
RECENT_DROPS_LIVE = timedelta(hours=25)


def prune(*, now: datetime) -> int:
    """Remove raw events and visits older than the retention, roll-ups stay. Returns how many partitions went.

    A month is dropped whole when its last day is too old; days of the month that is partly too old are deleted. Days
    that go are built a last time, should they have newer events than their builds, and are final from then on.
    """
    oldest = now.astimezone(UTC).date() - timedelta(days=settings.RETENTION_DAYS)
    for website_id, day in DirtyDay.objects.filter(day__lt=oldest).values_list("website_id", "day").distinct():
        build(website_id, day, now=now)
    BuiltDay.objects.filter(day__lt=oldest).update(is_final=True)
    gone = [name for name, month in partitions() if next_month(month) <= oldest]
    with connection.cursor() as cursor:
        for name in gone:
            cursor.execute("SELECT analytics_drop_partition(%s)", [name])
    moment = datetime(oldest.year, oldest.month, oldest.day, tzinfo=UTC)
    Event.objects.filter(occurred_at__lt=moment).delete()
    Visit.objects.filter(day__lt=oldest).delete()
    EngagementSession.objects.filter(day__lt=oldest).delete()
    WidgetReach.objects.filter(day__lt=oldest).delete()
    WidgetArm.objects.filter(day__lt=oldest).delete()
    # What was sold stays, and no longer says to whom.
    Order.objects.filter(occurred_at__lt=moment).exclude(analytics_id="").update(analytics_id="", referrer="")
    Drop.objects.filter(day__lt=oldest).delete()
    RecentDrop.objects.filter(at__lt=now - RECENT_DROPS_LIVE).delete()
    Quarantine.objects.filter(at__lt=moment).delete()
    IdempotencyKey.objects.filter(at__lt=now - KEYS_LIVE).delete()
    return len(gone)


def partitions() -> Iterator[tuple[str, date]]:
    """The partitions of events and visits with the first day of their month."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits"
            " WHERE inhparent IN ('analytics_event'::regclass, 'analytics_visit'::regclass) ORDER BY 1"
        )
        for (name,) in cursor.fetchall():
            if match := PARTITION.fullmatch(name):
                yield name, date(int(match[1]), int(match[2]), 1)


def ensure_partitions(*, today: date) -> None:
    """Have the partitions of this month and the next, so that no request ever waits for one."""
    with connection.cursor() as cursor:
        for month in (today.replace(day=1), next_month(today.replace(day=1))):
            cursor.execute("SELECT analytics_ensure_month(%s)", [month])


def next_month(first: date) -> date:
    return (first + timedelta(days=32)).replace(day=1)


def purge_deleted() -> int:
    """Remove the rows of deleted websites and accounts, step by step; resumes where it was stopped.

    Returns how many rows went. The tombstone itself goes last, when nothing of it is left.
    """
    gone = 0
    dead = Website.objects.exclude(deleted_at=None) | Website.objects.exclude(account__deleted_at=None)
    for website in dead:
        for model in facts():
            while removed := delete_some(model, website.id):
                gone += removed
        website.delete()
        gone += 1
    for account in Account.objects.exclude(deleted_at=None):
        account.delete()
        gone += 1
    return gone


def facts() -> list[type[models.Model]]:
    """Every table of this app with rows of a website, found in the schema so that a new one cannot be forgotten."""
    return [
        model
        for model in apps.get_app_config("analytics").get_models()
        if any(field.attname == "website_id" for field in model._meta.concrete_fields)
    ]


def delete_some(model: type[models.Model], website_id: int) -> int:
    """Delete up to STEP_ROWS rows of the website, in a transaction of their own."""
    table = connection.ops.quote_name(model._meta.db_table)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM {table} WHERE (tableoid, ctid) IN ("
            f"SELECT tableoid, ctid FROM {table} WHERE website_id = %s LIMIT {STEP_ROWS})",
            [website_id],
        )
        return int(cursor.rowcount)
