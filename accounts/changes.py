"""Tells caches of this process that a website, user or account has changed. Other processes notice within a second."""

from django.db import transaction
from django.dispatch import Signal

changed = Signal()


def announce() -> None:
    transaction.on_commit(lambda: changed.send(None))
