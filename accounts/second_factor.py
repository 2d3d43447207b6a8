"""The second factor of those who sign in to the back office: an app that shows codes, and recovery codes on paper.

django-otp compares codes, takes each once, and makes whoever guesses wait twice as long every time. Here stands what
happens around it. Every verb raises a Refusal with a sentence for what it refuses.
"""

import logging
import secrets
from base64 import b32encode
from datetime import datetime, timedelta
from io import BytesIO

import segno
from django.db import transaction
from django_otp import verify_token
from django_otp.plugins.otp_static.models import StaticToken

from accounts import audit, vault
from accounts.models import Account, Authenticator, RecoveryCodes, User

log = logging.getLogger(__name__)

SECRET_BYTES = 20
RECOVERY_CODES = 10
# Ten of these hold 49 random bits; none is taken for another.
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
WRONG = "This code is wrong, or was used already."
UNREADABLE = "The server cannot read the secret of your app. Use a recovery code, or ask an administrator for a reset."


class Refusal(Exception):
    """Why not, in a sentence."""


class WrongCode(Refusal):
    pass


def authenticator(user: User) -> Authenticator | None:
    """The app of somebody whose sign-in asks for a code."""
    return Authenticator.objects.filter(user=user, confirmed=True).first()


def unconfirmed(user: User) -> Authenticator | None:
    """An app that has not shown yet that it knows the secret."""
    return Authenticator.objects.filter(user=user, confirmed=False).order_by("-id").first()


def recovery_codes_left(user: User) -> int:
    left: int = StaticToken.objects.filter(device__user=user).count()
    return left


@transaction.atomic
def begin(user: User) -> Authenticator:
    """A new secret, which counts once a code has confirmed it; one that was never confirmed is forgotten."""
    abandon(user)
    return Authenticator.objects.create(
        user=user,
        name="authenticator app",
        confirmed=False,
        key=Authenticator.sealed(secrets.token_bytes(SECRET_BYTES), user),
    )


def abandon(user: User) -> None:
    Authenticator.objects.filter(user=user, confirmed=False).delete()


def confirm(user: User, code: str) -> list[str]:
    """From now on signing in asks for a code. The recovery codes are returned this once."""
    app = unconfirmed(user)
    if app is None:
        raise Refusal("There is nothing to confirm any more: begin anew.")
    _verify(app, user, typed(code))
    with transaction.atomic():
        # Of two confirmations at once the second finds the first.
        User.objects.select_for_update().get(pk=user.pk)
        if authenticator(user) is not None:
            raise Refusal("A second factor is turned on already.")
        Authenticator.objects.filter(pk=app.pk).update(confirmed=True)
        codes = _new_codes(user)
        audit.record("second_factor.on", user.id, by=user)
    return codes


def check(user: User, code: str) -> Authenticator | RecoveryCodes:
    """What this code is of; the code is used up. Raises a Refusal: a WrongCode, or one that says how long to wait."""
    code = typed(code)
    is_of_app = len(code) == 6 and code.isascii() and code.isdigit()
    device = authenticator(user) if is_of_app else RecoveryCodes.objects.filter(user=user).first()
    if device is None:
        raise WrongCode(WRONG)
    _verify(device, user, code)
    return device


def renew_codes(user: User, code: str) -> list[str]:
    """Ten new recovery codes for a code of the app, or for one of the old ones, which all end."""
    check(user, code)
    with transaction.atomic():
        codes = _new_codes(user)
        audit.record("second_factor.new_codes", user.id, by=user)
    return codes


def turn_off(user: User, code: str) -> None:
    check(user, code)
    with transaction.atomic():
        _forget(user)
        audit.record("second_factor.off", user.id, by=user)


@transaction.atomic
def reset(user: User, *, by: User | None) -> None:
    """For somebody who has lost both the app and the codes. Raises a Refusal where there is nothing to reset."""
    if authenticator(user) is None:
        raise Refusal(f"{user} has no second factor.")
    _forget(user)
    audit.record("second_factor.reset", user.id, by=by)


def forget_account(account: Account) -> None:
    """The secrets of people who are gone."""
    Authenticator.objects.filter(user__account=account).delete()
    RecoveryCodes.objects.filter(user__account=account).delete()


def secret_text(app: Authenticator) -> str:
    """The secret as apps take it by hand, in groups of four. Raises vault.Unreadable."""
    text = b32encode(app.bin_key).decode()
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


def picture(app: Authenticator) -> bytes:
    """The secret as a QR code: an SVG without style or script. Raises vault.Unreadable."""
    out = BytesIO()
    segno.make(app.config_url).save(
        out, kind="svg", scale=5, dark="#000", light="#fff", xmldecl=False, svgclass=None, lineclass=None
    )
    return out.getvalue()


def typed(code: str) -> str:
    """A code without what people and apps put into it to read it better."""
    return "".join(code.split()).replace("-", "").lower()


def _verify(device: Authenticator | RecoveryCodes, user: User, code: str) -> None:
    is_allowed, why = device.verify_is_allowed()
    if not is_allowed:
        raise Refusal(f"Too many wrong codes. The next one is taken at {moment(why['locked_until'])}.")
    try:
        # Locks the device, so that of two at once with the same code one is refused.
        verified = verify_token(user, device.persistent_id, code)
    except vault.Unreadable:
        log.error("The second factor of user %s cannot be decrypted with TINYTRAIL_KEK.", user.id)
        audit.record("second_factor.unreadable", user.id, by=user)
        raise Refusal(UNREADABLE) from None
    if verified is None:
        raise WrongCode(WRONG)


def moment(until: datetime) -> str:
    """To the second in which it has passed."""
    return f"{until + timedelta(seconds=1):%H:%M:%S} UTC"


def _new_codes(user: User) -> list[str]:
    paper, _ = RecoveryCodes.objects.get_or_create(user=user, defaults={"name": "recovery codes"})
    paper.token_set.all().delete()
    codes = ["".join(secrets.choice(LETTERS) for _ in range(10)) for _ in range(RECOVERY_CODES)]
    paper.token_set.bulk_create(StaticToken(device=paper, token=paper.stored(code)) for code in codes)
    return [f"{code[:5]}-{code[5:]}" for code in codes]


def _forget(user: User) -> None:
    Authenticator.objects.filter(user=user).delete()
    RecoveryCodes.objects.filter(user=user).delete()
