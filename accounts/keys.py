"""How secrets are kept: the only file that knows.

A key is stored twice: as HMAC-SHA256 under the pepper, by which it is looked up, and as AES-256-GCM ciphertext, from
which it can be shown again. A dump of the database alone gives neither (contract D-3).
"""

import hashlib
import hmac
import logging
import secrets
import string

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db import transaction

from accounts import audit, erasures
from accounts.models import Erasure, User

log = logging.getLogger(__name__)

ALPHABET = string.digits + string.ascii_letters
# So many characters of 62 hold 32 random bytes.
LENGTH = 43
KEY_ID_BYTES = 4
NONCE_BYTES = 12


class Unreadable(Exception):
    """A stored key that no key-encryption key of this installation opens for this user."""


def issue(user: User) -> str:
    """Give a user a new API key, saved or not yet; an older one stops working. The key is returned this once."""
    key = new_secret("tt_")
    user.key_hash = digest(key)
    user.key_cipher = seal(key, bound_to=user.id.bytes)
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
        key = unseal(bytes(user.key_cipher or b""), bound_to=user.id.bytes)
    except Unreadable:
        log.error("The API key of user %s cannot be decrypted with TINYTRAIL_KEK.", user.id)
        audit.record("api_key.unreadable", user.id, by=by)
        raise
    audit.record("api_key.reveal", user.id, by=by)
    return key


def new_secret(prefix: str) -> str:
    """The prefix and 32 random bytes, in letters and digits only: a double click selects all of it."""
    return prefix + "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def digest(secret: str) -> bytes:
    """What a secret is looked up by; 32 bytes. Any string has one, also one that is no valid text."""
    return hmac.digest(settings.PEPPER.encode(), secret.encode("utf-8", "surrogatepass"), "sha256")


def seal(secret: str, *, bound_to: bytes) -> bytes:
    """Encrypt with the first key-encryption key. Layout: id of that key, nonce, ciphertext with its tag."""
    kek = settings.KEKS[0]
    nonce = secrets.token_bytes(NONCE_BYTES)
    return _key_id(kek) + nonce + AESGCM(_key(kek)).encrypt(nonce, secret.encode(), bound_to)


def unseal(sealed: bytes, *, bound_to: bytes) -> str:
    """Decrypt with whichever key-encryption key it was made with. Raises Unreadable."""
    key_id, nonce = sealed[:KEY_ID_BYTES], sealed[KEY_ID_BYTES : KEY_ID_BYTES + NONCE_BYTES]
    kek = next((kek for kek in settings.KEKS if _key_id(kek) == key_id), None)
    if kek is None:
        raise Unreadable
    try:
        return AESGCM(_key(kek)).decrypt(nonce, sealed[KEY_ID_BYTES + NONCE_BYTES :], bound_to).decode()
    except InvalidTag:
        raise Unreadable from None


def _key(kek: str) -> bytes:
    """The setting is a text of any length, the cipher wants 32 bytes. The text is random, so one hash is enough."""
    return hashlib.sha256(b"tinytrail key|" + kek.encode()).digest()


def _key_id(kek: str) -> bytes:
    return hashlib.sha256(b"tinytrail key id|" + kek.encode()).digest()[:KEY_ID_BYTES]
