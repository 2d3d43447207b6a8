"""What Celery runs. Each task fetches, calls the verb, and holds no logic of its own.

Whoever sends a task imports it from here, and with it the application: a web process that sends none loads no Celery.
"""

from datetime import UTC, date, timedelta

from django.utils import timezone

from analytics import retention
from analytics.ingest import outage
from analytics.ingest.visitor import rotate
from analytics.rollups import aggregate
from tinytrail.celery import app


@app.task
def build_day(website_id: int, day: str) -> None:
    aggregate.build_due(website_id, date.fromisoformat(day), now=timezone.now())


@app.task
def build_dirty_days() -> None:
    """Three times a minute: one task per website and day that has newer events than its build."""
    for website_id, day in aggregate.asked_for(now=timezone.now()):
        build_day.apply_async((website_id, str(day)), expires=aggregate.EXPIRES_SECONDS)


@app.task
def build_yesterday() -> None:
    """After midnight: the day that ended, also of websites that nobody has visited since."""
    now = timezone.now()
    aggregate.aggregate(now.astimezone(UTC).date() - timedelta(days=1), now=now)


@app.task
def drain_outage() -> None:
    outage.drain()


@app.task
def rotate_salts() -> None:
    rotate(now=timezone.now())


@app.task
def prune() -> None:
    retention.prune(now=timezone.now())


@app.task
def purge_deleted() -> None:
    retention.purge_deleted()


@app.task
def ensure_partitions() -> None:
    retention.ensure_partitions(today=timezone.now().astimezone(UTC).date())
