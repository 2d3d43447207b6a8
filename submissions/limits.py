"""How often may be proposed (contract 4.2 and 4.4).

Per address in Redis, by django-ratelimit: it turns floods away before anything is read, and when it cannot count
nobody passes. Per e-mail and address, and per event, in PostgreSQL: counted in the transaction of what they count, so
that parallel calls are counted one after another, a failed insert counts nothing, and no restart forgets (F07).
"""

import hmac
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction

from accounts import limits
from submissions.proposal import Proposal
from submissions.text import collapsed
from tinytrail.web import cache
from tinytrail.web.client import neighbourhood

# Whoever comes without an address shares one bucket (contract 1.4).
UNKNOWN = "unknown"
# A row that somebody holds for longer means trouble: better a 503 than a pile of waiting requests.
LOCK_WAIT = "3s"

COUNT = """
INSERT INTO submissions_limitcount AS counted (key, scope, count, ends_at) VALUES (%(key)s, %(scope)s, 1, %(ends_at)s)
ON CONFLICT (key) DO UPDATE SET
  count = CASE WHEN counted.ends_at <= %(now)s THEN 1 ELSE counted.count + 1 END,
  ends_at = CASE WHEN counted.ends_at <= %(now)s THEN excluded.ends_at ELSE counted.ends_at END
RETURNING count, ends_at
"""


class Unavailable(Exception):
    """It cannot be counted, so nobody may pass."""


@dataclass(frozen=True)
class Full:
    """A limit that is used up: which, and the whole seconds, at least 1, to the end of its window."""

    scope: str
    retry_after: int


@dataclass(frozen=True)
class Keys:
    """HMACs in hex, all that is kept of the address (contract 4.4)."""

    ip: str
    email_ip: str
    fingerprint: str

    @classmethod
    def of(cls, proposal: Proposal, address: str) -> "Keys":
        who = caller(address)
        return cls(
            ip=hashed(f"event_submit_ip|{who}"),
            email_ip=hashed(f"event_submit_email_ip|{proposal.host_email.lower()}|{who}"),
            fingerprint=fingerprint_hash(proposal),
        )


def caller(address: str) -> str:
    """What counts as one caller: an IPv4 address, the /64 of an IPv6 address, or everybody without any."""
    return neighbourhood(address) if address else UNKNOWN


def fingerprint_hash(proposal: Proposal) -> str:
    """The same for the same event, whoever proposes it."""
    parts = (proposal.event_name, proposal.date, proposal.start_time, proposal.location, proposal.proof_link)
    return hashed("event_submit_fingerprint|" + "|".join(collapsed(part).lower() for part in parts))


def hashed(text: str) -> str:
    return hmac.digest(settings.PEPPER.encode(), text.encode(), "sha256").hex()


def count_address(address: str) -> Full | None:
    """Count a call of this address. Raises Unavailable when Redis does not answer."""
    if settings.LIMITS["SUBMISSION_IP"] is None:
        return None
    wait = limits.retry_after("SUBMISSION_IP", caller(address))
    if not cache.is_shared():
        raise Unavailable
    return Full("ip", wait) if wait else None


def count_proposal(keys: Keys, *, is_kept: bool, now: datetime) -> Full | None:
    """Count a proposal for its e-mail and its event, within the caller's transaction.

    Where it is not kept the limits hold as well, but nothing is used up: a bot that copies an honest host's event does
    not shut that host out (D-30), and is answered no differently.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [LOCK_WAIT])
    with kept_if(is_kept):
        return count("email", "SUBMISSION_EMAIL", keys.email_ip, now=now) or count(
            "fingerprint", "SUBMISSION_FINGERPRINT", keys.fingerprint, now=now
        )


@contextmanager
def kept_if(is_kept: bool) -> Iterator[None]:
    """What is written within stays, or is taken back: the same work, and so the same time to do it (A68).

    Within the caller's transaction, which an exception ends.
    """
    mark = transaction.savepoint()
    yield
    if is_kept:
        transaction.savepoint_commit(mark)
    else:
        transaction.savepoint_rollback(mark)


def count(scope: str, name: str, key: str, *, now: datetime) -> Full | None:
    """Count under a limit of the settings, in a window that begins with its first call."""
    limit = settings.LIMITS[name]
    if limit is None:
        return None
    most, seconds = limit
    with connection.cursor() as cursor:
        ends_at = now + timedelta(seconds=seconds)
        cursor.execute(COUNT, {"key": key, "scope": scope, "now": now, "ends_at": ends_at})
        counted, ends_at = cursor.fetchone()
    return Full(scope, max(1, math.ceil((ends_at - now).total_seconds()))) if counted > most else None
