"""How often somebody may ask, counted by django-ratelimit and shared between processes (contract 2.1, D-44)."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.http import HttpRequest
from django_ratelimit.core import get_usage

from tinytrail.web.client import limit_key


def retry_after(name: str, identifier: str) -> int:
    """Count a call of `identifier` under the limit `name` of the settings.

    0 when it is within the limit, else the whole seconds, at least 1, until the window ends.
    """
    usage = _usage(name, identifier, increment=True)
    return max(1, usage["time_left"]) if usage and usage["should_limit"] else 0


def is_used_up(name: str, identifier: str) -> bool:
    """Whether the next call would be refused. Counts nothing."""
    return seconds_locked(name, identifier) > 0


def seconds_locked(name: str, identifier: str) -> int:
    """For how long calls are refused, at least 1; 0 when the next one is within the limit. Counts nothing."""
    usage = _usage(name, identifier, increment=False)
    return max(1, usage["time_left"]) if usage and usage["count"] >= usage["limit"] else 0


@contextmanager
def one_at_a_time(name: str, identifiers: Iterable[str]) -> Iterator[None]:
    """For a limit that counts what has failed: of many tries at once each knows what became of those before it.

    Holds a transaction: what is written within it is lost with an exception.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        # In one order, or two tries that share both would wait for each other.
        for key in sorted(limit_key(name, identifier, settings.PEPPER.encode()) for identifier in identifiers):
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])
        yield


def locked(seconds: int, *, now: datetime) -> str:
    """A lock that ends by itself, and when."""
    minutes = -(-seconds // 60)
    span = "a minute" if minutes == 1 else f"{minutes} minutes"
    return f"Too many attempts. The next one is taken in {span}, at {now + timedelta(minutes=minutes):%H:%M} UTC."


def _usage(name: str, identifier: str, *, increment: bool) -> dict[str, int] | None:
    """None when the limit is off, or cannot be counted."""
    # The counters hold an HMAC, and tell nobody whose calls they count.
    key = limit_key(name, identifier, settings.PEPPER.encode())
    usage: dict[str, int] | None = get_usage(
        HttpRequest(), group=name, key=lambda group, request: key, rate=settings.LIMITS[name], increment=increment
    )
    return usage
