"""After a new TINYTRAIL_KEK: what was encrypted with an older one is encrypted anew, and the older one can go (A16)."""

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from django.db.models import QuerySet

from accounts import vault
from accounts.models import Authenticator, User


@dataclass(frozen=True)
class Sealed:
    """One stored secret: what it is bound to, and how to put another ciphertext in its place."""

    cipher: bytes
    bound_to: bytes
    # False when it has changed meanwhile: then it is new already.
    replace: Callable[[bytes], bool]


@dataclass
class Rotation:
    resealed: int = 0
    # No key-encryption key of this installation opens them.
    unreadable: int = 0


def reseal() -> Rotation:
    """Encrypt every secret with the first key-encryption key. A second time there is nothing to do."""
    done = Rotation()
    for secret in (*api_keys(), *authenticators()):
        if vault.is_current(secret.cipher):
            continue
        try:
            clear = vault.unseal(secret.cipher, bound_to=secret.bound_to)
        except vault.Unreadable:
            done.unreadable += 1
        else:
            done.resealed += secret.replace(vault.seal(clear, bound_to=secret.bound_to))
    return done


def api_keys() -> Iterator[Sealed]:
    for pk, stored in User.objects.exclude(key_cipher=None).values_list("pk", "key_cipher"):
        same = User.objects.filter(pk=pk, key_cipher=stored)
        yield Sealed(bytes(stored), pk.bytes, partial(replace_key, same))


def authenticators() -> Iterator[Sealed]:
    for one in Authenticator.objects.all():
        same = Authenticator.objects.filter(pk=one.pk, key=one.key)
        yield Sealed(base64.b64decode(one.key), one.binding, partial(replace_app, same))


def replace_key(same: QuerySet[User], cipher: bytes) -> bool:
    return bool(same.update(key_cipher=cipher))


def replace_app(same: QuerySet[Authenticator], cipher: bytes) -> bool:
    return bool(same.update(key=base64.b64encode(cipher).decode()))
