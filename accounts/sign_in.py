"""Signing in to the back office: by a link that works once, or by login and password, both limited.

The link carries its user and the time of their last sign-in under the installation's signature. Using it changes that
time, in the one statement that also checks it; so it works once, nothing is stored, and every older link ends as well.
"""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import login
from django.core.exceptions import ValidationError
from django.core.signing import BadSignature, TimestampSigner
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.html import format_html
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from unfold.forms import AuthenticationForm

from accounts import audit, limits
from accounts.models import User
from tinytrail.web import client
from tinytrail.web.errors import page

LIFETIME = timedelta(hours=24)
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
    login(request, user, backend=BACKEND)
    audit.record("sign_in.link", user.id, by=user)
    return redirect("admin:index")


class LoginForm(AuthenticationForm):  # type: ignore[misc] # unfold has no types
    """Login and password, with bad attempts limited per login and per address alike (A73).

    Whether a login exists is told by neither text nor time: unknown ones are counted and hashed the same way.
    """

    error_messages = {
        "invalid_login": "This login and password do not belong together.",
        "inactive": "This login and password do not belong together.",
        "locked": "Too many attempts. Please wait a quarter of an hour, or use a sign-in link.",
    }

    def clean(self) -> dict[str, Any]:
        keys = self._limit_keys()
        if any(limits.is_used_up("LOGIN", key) for key in keys):
            raise ValidationError(self.error_messages["locked"], code="locked")
        try:
            cleaned: dict[str, Any] = super().clean()
        except ValidationError:
            # Each of them is counted, whatever the first says.
            waits = [limits.retry_after("LOGIN", key) for key in keys]
            if any(waits):
                raise ValidationError(self.error_messages["locked"], code="locked") from None
            raise
        return cleaned

    def _limit_keys(self) -> list[str]:
        address = client.address(
            self.request.META.get("REMOTE_ADDR", ""),
            self.request.headers.get("X-Forwarded-For", ""),
            settings.TRUSTED_PROXIES,
        )
        name = str(self.cleaned_data.get("username", "")).casefold()
        return [f"login {name}", f"address {client.neighbourhood(address)}"]
