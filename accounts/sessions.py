"""How long a session of the back office lasts.

It ends when it has not been used for a while, by its own date of expiry, which Django keeps; and at the latest some
days after the sign-in, however much it is used.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth import SESSION_KEY, logout
from django.contrib.sessions.models import Session
from django.http import HttpRequest

SINCE, USED = "since", "used"
# Noting every request would be a write each: it is noted so many times in the span that a session may lie idle.
NOTES = 48


def begin(request: HttpRequest, *, now: datetime) -> None:
    """Somebody has signed in."""
    request.session[SINCE] = request.session[USED] = now.timestamp()


def keep(request: HttpRequest, *, now: datetime) -> None:
    """Note that the session is used, or end one that is too old; then nobody is signed in."""
    session = request.session
    if SESSION_KEY not in session:
        return
    moment = now.timestamp()
    if moment - session.get(SINCE, moment) >= timedelta(days=settings.SESSION_DAYS).total_seconds():
        logout(request)
    elif moment - session.get(USED, 0) >= settings.SESSION_COOKIE_AGE / NOTES:
        session.setdefault(SINCE, moment)
        session[USED] = moment


def forget_ended(*, now: datetime) -> None:
    """Sessions that nobody can continue."""
    Session.objects.filter(expire_date__lt=now).delete()
