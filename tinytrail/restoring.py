"""A database that was restored knows people again who were erased since: they are erased again (guarantee P21).

Whoever restored it, and with what: `manage.py restore`, PostgreSQL's own tools, or a snapshot of its disk. The copy of
the journal in Redis tells (accounts.erasures), and it is looked at by every start and once an hour.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection
from datetime import datetime

from django.db import transaction

from accounts import changes, erasures, removal
from accounts.models import Erasure
from analytics import profiles
from analytics.dashboard import links
from analytics.ingest import outage
from submissions import retention as hosts

Again = Callable[[Collection[str], datetime], int]

# How each kind is erased again: given all its subjects, returns how many were there. What takes others along is first.
AGAIN: dict[str, Again] = {
    Erasure.Kind.ACCOUNT: lambda subjects, now: removal.remove_accounts_again(subjects, now=now),
    Erasure.Kind.WEBSITE: lambda subjects, now: removal.remove_websites_again(subjects, now=now),
    Erasure.Kind.USER: lambda subjects, now: removal.remove_users_again(subjects),
    Erasure.Kind.API_KEY: lambda subjects, now: removal.take_keys_again(subjects),
    Erasure.Kind.CLIENT: lambda subjects, now: removal.revoke_clients_again(subjects, now=now),
    Erasure.Kind.CLIENT_SECRET: lambda subjects, now: removal.take_secrets_again(subjects),
    Erasure.Kind.SHARED_LINK: lambda subjects, now: links.revoke_again(subjects, now=now),
    Erasure.Kind.PROFILE: lambda subjects, now: profiles.erase_again(subjects),
    Erasure.Kind.HOST: lambda subjects, now: hosts.erase_again(subjects, now=now),
}


def make_good(*, now: datetime) -> Counter[str]:
    """Erase again whatever the copy of the journal knows and the database does not. Returns how many of each kind.

    Stopped in the middle, the next one does the rest. Raises RedisError.
    """
    entries = erasures.missing(now=now)
    done: Counter[str] = Counter()
    if not entries:
        return done
    # What waits for the database comes in first, so that it is found.
    outage.drain()
    subjects: dict[str, list[str]] = defaultdict(list)
    for entry in entries:
        subjects[entry.kind].append(entry.subject)
    for kind, erase in AGAIN.items():
        if found := erase(subjects.pop(kind, []), now):
            done[kind] = found
    with transaction.atomic():
        erasures.adopt(entries)
        changes.announce()
    return done
