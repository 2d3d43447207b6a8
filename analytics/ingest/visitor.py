"""The visitor key and the salts it is made with.

A key is an HMAC over address, user agent and website, keyed with a random salt of the UTC day. Without the salt, which
is destroyed within an hour of its day's end, a key cannot be traced to anybody (definitions 5).
"""

import hmac
import secrets
import threading
import time
from datetime import date, datetime, timedelta
from typing import Any

from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction
from psycopg.errors import LockNotAvailable

from analytics.ingest.hit import Hit
from analytics.ingest.website import Site
from analytics.models import Salt

SALT_BYTES = 32
# How often a process puts its salt back, should a database crash have emptied the unlogged table.
ASSERT_SECONDS = 60.0
# A process that has had no use for a salt for so long remembers it no more.
FORGET_SECONDS = 1800.0
# A day's salt outlives its day by so much, for hits that were read just before midnight.
GRACE = timedelta(minutes=30)
# Tomorrow's salt is made so long before its day begins.
AHEAD = timedelta(hours=1)


def visitor(hit: Hit, site: Site) -> dict[str, Any]:
    """The first eight bytes of the key, as the signed number that is stored."""
    if hit.device:
        who = b"device\0" + hit.device.encode("utf-8", "surrogatepass")
    else:
        who = hit.address.encode() + b"\0" + hit.user_agent.encode("utf-8", "surrogatepass")
    message = who + b"\0" + site.public_id
    return {"visitor": int.from_bytes(hmac.digest(hit.salt, message, "sha256")[:8], "big", signed=True)}


class Salts:
    """The installation's salts: one per UTC day, shared by all processes through the database."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[date, tuple[float, bytes]] = {}

    def of(self, day: date) -> bytes:
        """The salt of the day, made when there is none yet; the one remembered while the database is away."""
        if self.is_due(day):
            try:
                self.learn(day, assert_salt(day, self.candidate(day)))
            except (DatabaseError, InterfaceError):
                if self.known(day) is None:
                    raise
        salt = self.known(day)
        assert salt is not None  # learned above
        return salt

    def known(self, day: date) -> bytes | None:
        entry = self._known.get(day)
        return entry[1] if entry else None

    def is_due(self, day: date) -> bool:
        """Whether the database is to be told, or asked, of the day's salt."""
        entry = self._known.get(day)
        return entry is None or time.monotonic() - entry[0] >= ASSERT_SECONDS

    def candidate(self, day: date) -> bytes:
        """What the salt is to be if the database has none: the one remembered, else a new one."""
        return self.known(day) or secrets.token_bytes(SALT_BYTES)

    def learn(self, day: date, value: bytes) -> None:
        """Remember a salt; those that nobody has asked for in a while are forgotten, as a day's is soon after it."""
        now = time.monotonic()
        with self._lock:
            self._known = {d: entry for d, entry in self._known.items() if now - entry[0] < FORGET_SECONDS}
            self._known[day] = (now, value)

    def forget_before(self, day: date) -> None:
        with self._lock:
            self._known = {d: entry for d, entry in self._known.items() if d >= day}


class RunSalts:
    """Salts of one import, for past days whose own are gone; today's hits share today's with the live ones."""

    def __init__(self, today: date) -> None:
        self._today = today
        self._made: dict[date, bytes] = {}

    def of(self, day: date) -> bytes:
        if day >= self._today:
            return salts.of(day)
        if day not in self._made:
            self._made[day] = secrets.token_bytes(SALT_BYTES)
        return self._made[day]


INSERT_SALT = "INSERT INTO analytics_salt (day, value) VALUES (%s, %s) ON CONFLICT (day) DO NOTHING"
SELECT_SALT = "SELECT value FROM analytics_salt WHERE day = %s"
# Whoever asks for a salt waits as long as this does.
LOCK_SALTS = "SET LOCAL lock_timeout = '200ms'; LOCK TABLE analytics_salt IN ACCESS EXCLUSIVE MODE"
# Rows of a new file are numbered from one.
HAS_REMAINS = "SELECT coalesce(max((ctid::text::point)[1]), 0) > count(*) FROM analytics_salt"


def assert_salt(day: date, value: bytes) -> bytes:
    """The salt that the database has for the day, which is `value` when it had none."""
    with connection.cursor() as cursor:
        cursor.execute(INSERT_SALT, [day, value])
        cursor.execute(SELECT_SALT, [day])
        return bytes(cursor.fetchone()[0])


def rotate(*, now: datetime) -> int:
    """Destroy the salts of days that are over, and have tomorrow's ready an hour early. Returns how many went."""
    first = (now - GRACE).date()
    gone = destroy_before(first)
    salts.forget_before(first)
    for day in {now.date(), (now + AHEAD).date()}:
        salts.of(day)
    return gone


def destroy_before(first: date) -> int:
    """Returns how many rows went.

    What is deleted stays in the file of its table until something is written over it. So the table gets a new file,
    which takes a lock that a backup stands in the way of: then rows are deleted now, and the file goes afterwards.
    """
    outlived = Salt.objects.filter(day__lt=first)
    gone = outlived.count()
    if not gone and not has_remains():
        return 0
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(LOCK_SALTS)
            kept = list(Salt.objects.filter(day__gte=first))
            cursor.execute("TRUNCATE analytics_salt")
            Salt.objects.bulk_create(kept)
    except OperationalError as error:
        if not isinstance(error.__cause__, LockNotAvailable):
            raise
        outlived.delete()
    return gone


def has_remains() -> bool:
    """Whether the table's file has had more rows than there are."""
    with connection.cursor() as cursor:
        cursor.execute(HAS_REMAINS)
        return bool(cursor.fetchone()[0])


salts = Salts()
