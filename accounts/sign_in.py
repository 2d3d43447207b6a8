"""Signing in to the back office: by a link that works once, or by login and password, which are limited, and then by a
code for those who have a second factor.

The link carries its user and the time of their last sign-in under the installation's signature. Using it changes that
time, in the one statement that also checks it; so it works once, nothing is stored, and every older link ends as well.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import django_otp
from django.conf import settings
from django.contrib.auth import login, logout
from django.core.exceptions import ValidationError
from django.core.signing import BadSignature, TimestampSigner
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.html import format_html
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from unfold.forms import AuthenticationForm

from accounts import audit, limits, second_factor, sessions
from accounts.models import Authenticator, RecoveryCodes, User
from tinytrail.web import client
from tinytrail.web.errors import page

LIFETIME = timedelta(hours=24)
# Between the first step and the code.
HALF, HALF_LIFETIME = "half_signed_in", timedelta(minutes=10)
BACKEND = "django.contrib.auth.backends.ModelBackend"
_signer = TimestampSigner(salt="accounts.sign_in", sep=".")


def sign_in_link(user: User, base_url: str) -> str:
    """A link that signs the user in once, within 24 hours. `base_url` is like http://127.0.0.1:8000."""
    last_login = user.last_login.isoformat() if user.last_login else ""
    return f"{base_url.rstrip('/')}/sign-in/{_signer.sign_object([user.id.hex, last_login])}/"


def redeem(token: str, *, now: datetime) -> User | None:
    """The user of a link, who is then counted as signed in; None for a link that was used, is stale or is not ours."""
    try:
        user_id, last_login = _signer.unsign_object(token, max_age=LIFETIME)
    except BadSignature:
        return None
    # One table and no join, so that of two requests at once the second finds the row changed.
    unused = User.objects.filter(
        pk=user_id,
        is_active=True,
        login__isnull=False,
        last_login=datetime.fromisoformat(last_login) if last_login else None,
    )
    return User.objects.get(pk=user_id) if unused.update(last_login=now) else None


@never_cache
@require_safe
def sign_in(request: HttpRequest, token: str) -> HttpResponse:
    # Only a person who follows the link uses it up, no browser or mail program that looks ahead.
    if request.method == "HEAD" or request.headers.get("Sec-Purpose", "").startswith("prefetch"):
        return HttpResponse(status=204)
    user = redeem(token, now=timezone.now())
    if user is None:
        return page(
            410,
            "This sign-in link no longer works",
            format_html(
                "A link works once, and for 24 hours. A new one is printed on the server by <code>{}</code>, and at "
                'each start of <code>make run</code>. Or <a href="/admin/">sign in with a password</a>.',
                "manage.py sign_in_link --login owner",
            ),
        )
    return go_on(request, user, how="link", leads_to=reverse("admin:index"), now=timezone.now())


def go_on(request: HttpRequest, user: User, *, how: str, leads_to: str, now: datetime) -> HttpResponse:
    """After the first step, which was `how`: in, or to the second step.

    A link needs no code: it is made by whoever has a shell on the server, where codes can be turned off as well, and is
    the way back in for somebody who has lost their app.
    """
    app = second_factor.authenticator(user)
    if app is None and not settings.REQUIRE_TOTP:
        return enter(request, user, how=how, device=None, leads_to=leads_to, now=now)
    if app is not None and how == "link":
        return enter(request, user, how=how, device=app, leads_to=leads_to, now=now)
    # Nobody is signed in between the steps, and nothing that an earlier session held goes into the next.
    logout(request)
    request.session.cycle_key()
    request.session[HALF] = {
        "user": user.pk.hex,
        # A password that is changed meanwhile ends this as it ends sessions.
        "hash": user.get_session_auth_hash(),
        "how": how,
        "leads_to": leads_to,
        "until": (now + HALF_LIFETIME).timestamp(),
    }
    if app is None:
        second_factor.begin(user)
        return redirect("admin:sign_in_setup")
    return redirect("admin:sign_in_code")


@dataclass(slots=True, frozen=True)
class HalfSignedIn:
    """Somebody after the first step."""

    user: User
    how: str
    leads_to: str


def half_signed_in(request: HttpRequest, *, now: datetime) -> HalfSignedIn | None:
    """Who is between the steps of signing in, if anybody still is."""
    held = request.session.get(HALF)
    if held is None or held["until"] <= now.timestamp():
        return None
    user = User.objects.live().filter(pk=held["user"], login__isnull=False).first()
    if user is None or not constant_time_compare(held["hash"], user.get_session_auth_hash()):
        return None
    return HalfSignedIn(user, held["how"], held["leads_to"])


def enter(
    request: HttpRequest,
    user: User,
    *,
    how: str,
    device: Authenticator | RecoveryCodes | None,
    leads_to: str,
    now: datetime,
) -> HttpResponse:
    """The only way in. `device` is what vouches for the user, if their sign-in asks for a code."""
    request.session.pop(HALF, None)
    login(request, user, backend=BACKEND)
    django_otp.login(request, device)
    sessions.begin(request, now=now)
    audit.record(f"sign_in.{how}", user.id, by=user)
    return redirect(leads_to)


class LoginForm(AuthenticationForm):  # type: ignore[misc] # unfold has no types
    """Login and password, with bad attempts limited per login and per address alike (A73).

    Whether a login exists is told by neither text nor time: unknown ones are counted, hashed and audited the same way.
    """

    error_messages = {
        "invalid_login": "This login and password do not belong together.",
        "inactive": "This login and password do not belong together.",
    }

    def clean(self) -> dict[str, Any]:
        keys = self._limit_keys()
        with limits.one_at_a_time("LOGIN", keys):
            refusal = self._refusal(keys)
        if refusal is not None:
            raise refusal
        cleaned: dict[str, Any] = self.cleaned_data
        return cleaned

    def _refusal(self, keys: list[str]) -> ValidationError | None:
        """Why these do not open the door; None when they do."""
        if wait := max(limits.seconds_locked("LOGIN", key) for key in keys):
            told = limits.locked(wait, now=timezone.now())
            return ValidationError(f"{told} A sign-in link works at once.", code="locked")
        try:
            super().clean()
        except ValidationError as refusal:
            known = User.objects.filter(login=self.cleaned_data["username"]).values_list("pk", flat=True).first()
            audit.record("sign_in.failed", known or audit.NOBODY, by=None)
            # Each of them is counted, whatever the first says.
            for key in keys:
                limits.retry_after("LOGIN", key)
            return refusal
        return None

    def _limit_keys(self) -> list[str]:
        address = client.address(
            self.request.META.get("REMOTE_ADDR", ""),
            self.request.headers.get("X-Forwarded-For", ""),
            settings.TRUSTED_PROXIES,
        )
        name = str(self.cleaned_data.get("username", "")).casefold()
        return [f"login {name}", f"address {client.neighbourhood(address)}"]
