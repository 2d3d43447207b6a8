"""Accounts, users and websites leave here. What owns events leaves a tombstone first: it is gone from every answer at
once, and its rows follow in the background, however many they are.
"""

from datetime import datetime

from django.db import transaction

from accounts import audit, changes
from accounts.models import Account, User, Website


@transaction.atomic
def remove_account(account: Account, *, by: User | None, now: datetime) -> None:
    """Its users' keys and sign-ins stop, its websites vanish; the rows are purged later."""
    account.deleted_at = now
    account.save(update_fields=["deleted_at"])
    # Their logins are free for others.
    account.users.update(is_active=False, login=None)
    account.websites.filter(deleted_at=None).update(deleted_at=now)
    audit.record("account.remove", account.id, by=by)
    changes.announce()


@transaction.atomic
def remove_user(user: User, *, by: User | None) -> None:
    """The row goes, and the key and every session with it."""
    audit.record("user.remove", user.id, by=by)
    # Not user.delete(), which takes the id away that the answer still names.
    User.objects.filter(pk=user.pk).delete()
    changes.announce()


@transaction.atomic
def remove_website(website: Website, *, by: User | None, now: datetime) -> None:
    """Gone from every answer at once; its events and roll-ups are purged later."""
    website.deleted_at = now
    website.save(update_fields=["deleted_at"])
    audit.record("website.remove", website.public_id, by=by)
    changes.announce()
