"""The journal of erasures: what a restored backup must forget again (guarantee P21).

An entry is written in the transaction of the erasure and holds ids and HMACs, never a name or an address. A copy is
kept in Redis, so that the journal outlives the database: an entry that Redis knows and the database does not is one
that a restored database has yet to make good, however it was restored (tinytrail.restoring).
"""

import hmac
import logging
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
import redis
from django.conf import settings
from django.db import transaction

from accounts.models import Erasure

log = logging.getLogger(__name__)

# A sorted set of entries as JSON, by their times.
COPY = "erasures"
TIMEOUT_SECONDS = 1.0


class Entry(msgspec.Struct, array_like=True, frozen=True):
    """An entry outside of the database."""

    id: UUID
    at: datetime
    kind: str
    subject: str


ENTRY = msgspec.json.Decoder(Entry)


def note(kind: Erasure.Kind, subject: object) -> None:
    """Write down an erasure, in its transaction. `subject` says whom: an id, or what `mark` made of a name."""
    row = Erasure.objects.create(kind=kind, subject=str(subject))
    transaction.on_commit(lambda: copy([entry(row)]))


def mark(*words: str) -> str:
    """What stands for somebody known by a name of their own: nobody can read the name in it."""
    text = "|".join(("erasure", *words))
    return hmac.digest(settings.PEPPER.encode(), text.encode("utf-8", "surrogatepass"), "sha256").hex()


def entry(row: Erasure) -> Entry:
    return Entry(row.id, row.at, row.kind, row.subject)


def copy(entries: Iterable[Entry]) -> None:
    """Have Redis know these, too. While it is away they wait for `keep`."""
    try:
        copy_surely(entries)
    except redis.RedisError as error:
        log.warning("The copy of the journal of erasures has to wait: %s", type(error).__name__)


def copy_surely(entries: Iterable[Entry]) -> None:
    """Raises RedisError."""
    scores = {msgspec.json.encode(one): one.at.timestamp() for one in entries}
    if scores:
        with client() as shared:
            shared.zadd(COPY, scores)


def keep(*, now: datetime) -> int:
    """Bring the copy up to date, and forget what no backup holds any more. Returns how many entries went.

    Raises RedisError. The copy forgets first: an entry that only Redis knew would count as one to make good.
    """
    oldest = first_moment(now)
    copy_surely(entry(row) for row in Erasure.objects.filter(at__gte=oldest))
    with client() as shared:
        shared.zremrangebyscore(COPY, "-inf", f"({oldest.timestamp()}")
    gone, _ = Erasure.objects.filter(at__lt=oldest).delete()
    return gone


def missing(*, now: datetime) -> list[Entry]:
    """What Redis knows and the database does not, oldest first. Raises RedisError."""
    with client() as shared:
        copied = [ENTRY.decode(line) for line in shared.zrangebyscore(COPY, first_moment(now).timestamp(), "+inf")]
    known = set(Erasure.objects.values_list("id", flat=True))
    return [one for one in copied if one.id not in known]


def adopt(entries: Iterable[Entry]) -> None:
    """The database knows them from now on."""
    rows = [Erasure(id=one.id, at=one.at, kind=one.kind, subject=one.subject) for one in entries]
    Erasure.objects.bulk_create(rows, ignore_conflicts=True)


def everything() -> Iterator[Entry]:
    for row in Erasure.objects.order_by("at", "id").iterator():
        yield entry(row)


def first_moment(now: datetime) -> datetime:
    """Backups from before it are refused, so what was erased before it needs no entry."""
    return now - timedelta(days=settings.BACKUP_DAYS)


def client() -> "redis.Redis":
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS
    )
