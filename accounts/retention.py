"""What is forgotten about users, and when: what they did, after the retention (P13)."""

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.admin.models import LogEntry

from accounts.models import AuditEntry


def prune(*, now: datetime) -> int:
    """Forget what was done longer ago than the retention. Returns how many rows went."""
    oldest = now - timedelta(days=settings.RETENTION_DAYS)
    old = (
        AuditEntry.objects.filter(at__lt=oldest),
        LogEntry.objects.filter(action_time__lt=oldest),
    )
    return sum(rows.delete()[0] for rows in old)
