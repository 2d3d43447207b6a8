"""Tells whoever counts them that a request was refused: rooms may stand below the app that keeps the counts."""

from datetime import date

from django.dispatch import Signal

# Sent with `dialect`, `reason`, `day` and `website_id`, outside of any transaction.
refused = Signal()


def count(dialect: str, reason: str, *, day: date, website_id: int | None = None) -> None:
    refused.send(None, dialect=dialect, reason=reason, day=day, website_id=website_id)
