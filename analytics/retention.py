"""What is thrown away, and when: raw events by partition, the rows of deleted websites in bounded steps."""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connection, models, transaction
from django.db.models import Exists, Min, OuterRef, Q

from accounts import sessions
from accounts.belonging import forget_doings
from accounts.models import Account, Website
from analytics.alone import PURGE, alone
from analytics.models import (
    BuiltDay,
    DirtyDay,
    Drop,
    EngagementSession,
    Event,
    Group,
    IdempotencyKey,
    Order,
    Profile,
    Quarantine,
    RecentDrop,
    SharedLink,
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
# The same for what Django deletes one by one.
STEP_OBJECTS = 1_000
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
    forget_people(now=now)
    ended = Q(revoked_at__lt=moment) | Q(expires_at__lt=moment)
    SharedLink.objects.filter(ended).delete()
    Drop.objects.filter(day__lt=oldest).delete()
    RecentDrop.objects.filter(at__lt=now - RECENT_DROPS_LIVE).delete()
    Quarantine.objects.filter(at__lt=moment).delete()
    IdempotencyKey.objects.filter(at__lt=now - KEYS_LIVE).delete()
    sessions.forget_ended(now=now)
    remove_strangers()
    return len(gone)


def forget_people(*, now: datetime) -> None:
    """Remove people who were not seen for so long, and groups of which nobody is left.

    What they did is older than when they were last seen, and has gone before.
    """
    oldest = now - timedelta(days=settings.PROFILE_RETENTION_DAYS)
    Profile.objects.filter(last_seen_at__lt=oldest).delete()
    members = Profile.objects.filter(website_id=OuterRef("website_id"), groups__contains=[OuterRef("group_id")])
    Group.objects.filter(~Exists(members), changed_at__lt=oldest).delete()


def remove_strangers() -> int:
    """Remove the rows of websites that are not there any more, not even as tombstones; returns how many went.

    Events that waited while the database was away may come in after their website was purged.
    """
    gone = 0
    for model in facts():
        known = set(Website.objects.values_list("id", flat=True))
        for website_id in websites_in(model) - known:
            gone += sum(steps(model, website_id))
    return gone


def websites_in(model: type[models.Model]) -> set[int]:
    """The websites of a table's rows; where its key begins with them, found by jumping from one to the next."""
    table = connection.ops.quote_name(model._meta.db_table)
    if model._meta.pk_fields[0].attname != "website_id":
        return set(model._base_manager.exclude(website_id=None).values_list("website_id", flat=True).distinct())
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH RECURSIVE found AS (SELECT min(website_id) AS id FROM {table} UNION ALL"
            f" SELECT (SELECT min(website_id) FROM {table} WHERE website_id > found.id) FROM found"
            " WHERE found.id IS NOT NULL) SELECT id FROM found WHERE id IS NOT NULL"
        )
        return {website_id for (website_id,) in cursor.fetchall()}


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

    Returns how many rows went. The tombstone itself goes last, when nothing of it is left. Only one process purges at
    a time and another one returns at once, so that a long removal takes one thread of one worker however often it is
    asked for.
    """
    with alone(PURGE) as is_alone:
        return sum(removals()) if is_alone else 0


def waiting_for_removal() -> datetime | None:
    """Since when the oldest deleted website or account waits for its rows to go; None when none does."""
    oldest = (model._default_manager.aggregate(at=Min("deleted_at"))["at"] for model in (Account, Website))
    return min((at for at in oldest if at), default=None)


def removals() -> Iterator[int]:
    """Removes; each item is a step that is committed: how many rows it took."""
    for website in Website.objects.exclude(deleted_at=None) | Website.objects.exclude(account__deleted_at=None):
        for model in facts():
            yield from steps(model, website.id)
        forget_doings(website)
        yield from branches(Website, {"pk": website.pk})
        yield website.delete()[0]
    for account in Account.objects.exclude(deleted_at=None):
        forget_doings(account)
        yield from branches(Account, {"pk": account.pk})
        yield account.delete()[0]


def facts() -> list[type[models.Model]]:
    """Every table with rows of a website, found in the schema so that a new one cannot be forgotten.

    Those with a foreign key to it are not among them: they go with it.
    """
    return [
        model
        for model in apps.get_models()
        if any(field.name == "website_id" for field in model._meta.concrete_fields) and not model._meta.proxy
    ]


def steps(model: type[models.Model], website_id: int) -> Iterator[int]:
    """Delete the website's rows, up to STEP_ROWS in a transaction of their own; each item is how many went.

    Where the key begins with the website, along the key: what was deleted before is not looked at again, or each step
    of a large removal would take longer than the last. And then from the beginning, until there is nothing: events
    may have come meanwhile.
    """
    key = [field.attname for field in model._meta.pk_fields]
    if key[0] != "website_id":
        while removed := delete_some(model, website_id):
            yield removed
        return
    while has_rows(model, website_id):
        yield from delete_along(model, website_id, key[1:])


def has_rows(model: type[models.Model], website_id: int) -> bool:
    return model._base_manager.filter(website_id=website_id).exists()


def delete_some(model: type[models.Model], website_id: int) -> int:
    """Delete up to STEP_ROWS rows of the website, wherever they stand in a table without partitions."""
    table = connection.ops.quote_name(model._meta.db_table)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM {table} WHERE ctid = ANY(ARRAY("
            f"SELECT ctid FROM {table} WHERE website_id = %s LIMIT {STEP_ROWS}))",
            [website_id],
        )
        return int(cursor.rowcount)


def delete_along(model: type[models.Model], website_id: int, columns: Sequence[str]) -> Iterator[int]:
    """Delete the website's rows in the order of these columns, the rest of their key."""
    table = connection.ops.quote_name(model._meta.db_table)
    key = ", ".join(connection.ops.quote_name(column) for column in columns)
    marks = ", ".join(["%s"] * len(columns))
    after = ""
    done: tuple[Any, ...] = ()
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            rows = f"FROM {table} WHERE website_id = %s{after}"
            cursor.execute(f"SELECT {key} {rows} ORDER BY {key} OFFSET {STEP_ROWS - 1} LIMIT 1", [website_id, *done])
            last = cursor.fetchone()
            if last is None:
                cursor.execute(f"DELETE {rows}", [website_id, *done])
            else:
                cursor.execute(f"DELETE {rows} AND ({key}) <= ({marks})", [website_id, *done, *last])
            removed = int(cursor.rowcount)
        yield removed
        if last is None:
            return
        after, done = f" AND ({key}) > ({marks})", last


def branches(model: type[models.Model], which: dict[str, Any]) -> Iterator[int]:
    """Delete what would go with the model's rows, from the leaves on: their own deletion then takes nothing along."""
    for relation in model._meta.related_objects:
        below = relation.related_model
        if relation.on_delete is not models.CASCADE or below is model:
            continue
        theirs = {f"{relation.field.name}__{path}": value for path, value in which.items()}
        yield from branches(below, theirs)
        rows = below._base_manager
        while some := list(rows.filter(**theirs).values_list("pk", flat=True)[:STEP_OBJECTS]):
            yield rows.filter(pk__in=some).delete()[0]
