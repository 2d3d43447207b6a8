"""IdempotencyKey: the name a caller gave to an event, so that it is stored once however often it is sent (D-28)."""

from django.db import models


class IdempotencyKey(models.Model):
    # An HMAC over dialect, website and what the caller sent.
    key = models.BinaryField(primary_key=True, max_length=32)
    # What the first call was answered with: a number of ingest.row.CODES.
    outcome = models.SmallIntegerField()
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M}"
