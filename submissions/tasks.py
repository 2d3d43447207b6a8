"""What Celery runs for the calendar. Each task fetches, calls the verb, and holds no logic of its own."""

from django.utils import timezone

from submissions import mail, retention
from tinytrail.celery import app


@app.task
def send_mail() -> None:
    """When something was written to the outbox, and every half minute."""
    now = timezone.now()
    mail.tell_moderators(now=now)
    mail.send_due(now=now)


@app.task
def prune() -> None:
    retention.prune(now=timezone.now())
