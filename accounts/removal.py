"""Accounts, users and websites leave here. What owns events leaves a tombstone first: it is gone from every answer at
once, and its rows follow in the background, however many they are.
"""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from accounts import audit, belonging, changes, erasures, second_factor
from accounts.models import Account, Client, Erasure, User, Website


@transaction.atomic
def remove_account(account: Account, *, by: User | None, now: datetime) -> None:
    """Its users' keys and sign-ins stop, its websites vanish; the rows are purged later."""
    bury_account(account, now=now)
    audit.record("account.remove", account.id, by=by)
    erasures.note(Erasure.Kind.ACCOUNT, account.id)
    changes.announce()


@transaction.atomic
def remove_user(user: User, *, by: User | None) -> None:
    """The row goes, and the key and every session with it."""
    audit.record("user.remove", user.id, by=by)
    erasures.note(Erasure.Kind.USER, user.id)
    belonging.end_sessions({str(user.id)})
    # Not user.delete(), which takes the id away that the answer still names.
    User.objects.filter(pk=user.pk).delete()
    changes.announce()


@transaction.atomic
def remove_website(website: Website, *, by: User | None, now: datetime) -> None:
    """Gone from every answer at once; its events and roll-ups are purged later."""
    bury_website(website, now=now)
    audit.record("website.remove", website.public_id, by=by)
    erasures.note(Erasure.Kind.WEBSITE, website.public_id)
    changes.announce()


def bury_account(account: Account, *, now: datetime) -> None:
    account.deleted_at = now
    account.save(update_fields=["deleted_at"])
    # Their logins are free for others.
    account.users.update(is_active=False, login=None)
    second_factor.forget_account(account)
    account.websites.filter(deleted_at=None).update(deleted_at=now)


def bury_website(website: Website, *, now: datetime) -> None:
    website.deleted_at = now
    website.save(update_fields=["deleted_at"])


# -- again, in a database that was restored ---------------------------------------------------------------------------


def remove_accounts_again(ids: Iterable[str], *, now: datetime) -> int:
    accounts = list(Account.objects.live().filter(pk__in=ids))
    for account in accounts:
        bury_account(account, now=now)
    return len(accounts)


def remove_websites_again(ids: Iterable[str], *, now: datetime) -> int:
    websites = list(Website.objects.filter(public_id__in=ids, deleted_at=None))
    for website in websites:
        bury_website(website, now=now)
    return len(websites)


def remove_users_again(ids: Iterable[str]) -> int:
    users = User.objects.filter(pk__in=ids)
    count = int(users.count())
    users.delete()
    return count


def take_keys_again(ids: Iterable[str]) -> int:
    """The key that a restored user has is one that was replaced, and the new one is not known any more."""
    outdated = User.objects.filter(pk__in=ids).exclude(key_hash=None)
    return int(outdated.update(key_hash=None, key_cipher=None))


def revoke_clients_again(ids: Iterable[str], *, now: datetime) -> int:
    return Client.objects.filter(pk__in=ids, revoked_at=None).update(revoked_at=now)


def take_secrets_again(ids: Iterable[str]) -> int:
    """As with the keys of users."""
    return Client.objects.filter(pk__in=ids).exclude(secret_hash=None).update(secret_hash=None)
