"""Quarantine: rows that the table of events refused, with the reason. `replay_quarantine` tries them again."""

from django.db import models


class Quarantine(models.Model):
    at = models.DateTimeField()
    # Null for what could not even be read.
    website_id = models.IntegerField(null=True)
    occurred_at = models.DateTimeField(null=True)
    reason = models.TextField()
    # The row as analytics.ingest.row packs it: nothing in it could name a person.
    data = models.BinaryField()
    # What was to change with it, where there was such.
    change_kind = models.CharField(max_length=16, null=True)  # noqa: DJ001 (absent with the change)
    change = models.BinaryField(null=True)

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.reason}"
