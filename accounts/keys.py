"""API keys: issued, found, shown again.

A key is stored twice: as a digest, by which it is looked up, and as ciphertext, from which it can be shown again
(accounts.vault).
"""

import logging

from django.db import transaction

from accounts import audit, erasures
from accounts.models import Erasure, User
from accounts.vault import Unreadable as Unreadable
from accounts.vault import digest, new_secret, seal, unseal

log = logging.getLogger(__name__)


def issue(user: User) -> str:
    """Give a user a new API key, saved or not yet; an older one stops working. The key is returned this once."""
    key = new_secret("tt_")
    user.key_hash = digest(key)
    user.key_cipher = seal(key.encode(), bound_to=user.id.bytes)
    user.save()
    return key


@transaction.atomic
def renew(user: User, *, by: User) -> str:
    """As `issue`, for somebody who asks in the back office or over the API: it is audited."""
    key = issue(user)
    audit.record("api_key.issue", user.id, by=by)
    erasures.note(Erasure.Kind.API_KEY, user.id)
    return key


def find(key: str) -> User | None:
    """The live user with this key. Anything at all may be asked for; what was never issued is nobody's."""
    user: User | None = User.objects.live().select_related("account").filter(key_hash=digest(key)).first()
    return user


def reveal(user: User, *, by: User) -> str:
    """A user's key in clear, for an admin. Each attempt leaves an audit entry.

    Raises Unreadable when the key-encryption key is not ours, or the ciphertext is another user's.
    """
    try:
        key = unseal(bytes(user.key_cipher or b""), bound_to=user.id.bytes).decode()
    except Unreadable:
        log.error("The API key of user %s cannot be decrypted with TINYTRAIL_KEK.", user.id)
        audit.record("api_key.unreadable", user.id, by=by)
        raise
    audit.record("api_key.reveal", user.id, by=by)
    return key
