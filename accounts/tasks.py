"""What Celery runs for accounts. Each task fetches, calls the verb, and holds no logic of its own."""

from django.utils import timezone

from accounts import retention
from tinytrail.celery import app


@app.task
def prune() -> None:
    retention.prune(now=timezone.now())
