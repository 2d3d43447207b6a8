"""How secrets are kept: the only file that knows.

What is only ever compared is stored as HMAC-SHA256 under the pepper. What must be read again is stored as AES-256-GCM
ciphertext under a key-encryption key, bound to its owner. A dump of the database alone gives neither (contract D-3).
"""

import hashlib
import hmac
import secrets
import string

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

ALPHABET = string.digits + string.ascii_letters
# So many characters of 62 hold 32 random bytes.
LENGTH = 43
KEY_ID_BYTES = 4
NONCE_BYTES = 12


class Unreadable(Exception):
    """A stored secret that no key-encryption key of this installation opens for this owner."""


def new_secret(prefix: str) -> str:
    """The prefix and 32 random bytes, in letters and digits only: a double click selects all of it."""
    return prefix + "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def digest(secret: str) -> bytes:
    """What a secret is looked up by; 32 bytes. Any string has one, also one that is no valid text."""
    return hmac.digest(settings.PEPPER.encode(), secret.encode("utf-8", "surrogatepass"), "sha256")


def seal(secret: bytes, *, bound_to: bytes) -> bytes:
    """Encrypt with the first key-encryption key. Layout: id of that key, nonce, ciphertext with its tag."""
    kek = settings.KEKS[0]
    nonce = secrets.token_bytes(NONCE_BYTES)
    return _key_id(kek) + nonce + AESGCM(_key(kek)).encrypt(nonce, secret, bound_to)


def unseal(sealed: bytes, *, bound_to: bytes) -> bytes:
    """Decrypt with whichever key-encryption key it was made with. Raises Unreadable."""
    key_id, nonce = sealed[:KEY_ID_BYTES], sealed[KEY_ID_BYTES : KEY_ID_BYTES + NONCE_BYTES]
    kek = next((kek for kek in settings.KEKS if _key_id(kek) == key_id), None)
    if kek is None:
        raise Unreadable
    try:
        return AESGCM(_key(kek)).decrypt(nonce, sealed[KEY_ID_BYTES + NONCE_BYTES :], bound_to)
    except InvalidTag:
        raise Unreadable from None


def is_current(sealed: bytes) -> bool:
    """Whether the first key-encryption key, which new secrets are encrypted with, was used for this one as well."""
    return sealed[:KEY_ID_BYTES] == _key_id(settings.KEKS[0])


def _key(kek: str) -> bytes:
    """The setting is a text of any length, the cipher wants 32 bytes. The text is random, so one hash is enough."""
    return hashlib.sha256(b"tinytrail key|" + kek.encode()).digest()


def _key_id(kek: str) -> bytes:
    return hashlib.sha256(b"tinytrail key id|" + kek.encode()).digest()[:KEY_ID_BYTES]
