"""Authenticator apps for tests: the phone in somebody's hand."""

import hashlib
import hmac
import struct
import time
from base64 import b32decode

from accounts import second_factor
from accounts.models import Authenticator, User


class Phone:
    """An app that knows a secret."""

    def __init__(self, secret: str) -> None:
        self.secret = b32decode(secret.replace(" ", ""))

    def code(self, steps: int = 0) -> str:
        """What it shows now, or in so many times thirty seconds (RFC 6238)."""
        digest = hmac.digest(self.secret, struct.pack(">Q", int(time.time()) // 30 + steps), hashlib.sha1)
        start = digest[-1] & 15
        return f"{(struct.unpack('>I', digest[start : start + 4])[0] & 0x7FFFFFFF) % 1_000_000:06d}"

    def wrong_code(self) -> str:
        """One that it shows neither now nor a little earlier or later."""
        near = {self.code(steps) for steps in range(-3, 4)}
        return next(f"{number:06d}" for number in range(10) if f"{number:06d}" not in near)


def phone_of(app: Authenticator) -> Phone:
    return Phone(second_factor.secret_text(app))


def give_phone(user: User) -> tuple[Phone, list[str]]:
    """Turns the second factor on: the phone, whose code of this half minute is used up, and the recovery codes."""
    phone = phone_of(second_factor.begin(user))
    return phone, second_factor.confirm(user, phone.code())
