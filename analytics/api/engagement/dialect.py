"""ROOM engagement, its manners: the answer is always the same, whatever came and whatever became of it (contract 3.1).

What is wrong with a call is counted by reason, and nobody is told.
"""

from functools import cached_property
from typing import ClassVar

from django.conf import settings
from drf_spectacular.utils import OpenApiParameter

from analytics.api.endpoint import Endpoint
from analytics.api.engagement import sign_in
from analytics.ingest import scrub
from analytics.ingest.reading import Verdict
from tinytrail.web import client
from tinytrail.web.body import BadBody
from tinytrail.web.call import Call, Limit, Refusal, Reply, json_reply
from tinytrail.web.openapi import record

NO_STORE = (
    ("Cache-Control", "private, no-store, no-cache, max-age=0, must-revalidate, proxy-revalidate"),
    ("Pragma", "no-cache"),
    ("Expires", "0"),
)
ACCEPTED = json_reply(202, {"success": True}, *NO_STORE)
ALLOW = ("Allow", "POST, OPTIONS")
ANSWERS = {
    202: (
        "Always, whatever came: what is not valid, not known or over a limit is not recorded",
        record("Tracked", success={"const": True}),
    )
}
SIGNED_IN = OpenApiParameter(
    sign_in.COOKIE,
    location=OpenApiParameter.COOKIE,
    description="Who is signed in with the calendar is recorded as such; one that is not valid is ignored.",
)
LONGEST_SESSION = 120
LONGEST_PATH = 280
# What JavaScript's trim() takes away, which is what the real service does.
WHITE = (
    "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)


class TrackEndpoint(Endpoint):
    """One of the two routes. `limit_names` are those of the limits by address and by session (contract 3.4)."""

    limit_names: ClassVar[tuple[tuple[str, str], tuple[str, str]]]

    answers = ANSWERS
    parameters = (SIGNED_IN,)
    methods = ("POST",)
    body_limit = 16 * 1024

    def answer(self, call: Call, verdict: Verdict) -> Reply:
        return ACCEPTED

    def limited(self, call: Call, verdict: Verdict) -> Reply:
        return ACCEPTED

    def preflight(self, call: Call) -> Reply:
        return Reply(204, (ALLOW,))

    def wrong_method(self, call: Call) -> Refusal:
        return Refusal(Reply(405, (ALLOW,)), "wrong_method")

    def limits(self, call: Call, session: str = "") -> tuple[Limit, ...]:
        """The limit by address, and that by session where there is one."""
        by_address, by_session = self.limit_names
        whom = client.neighbourhood(call.address) or "unknown"
        limits = [self.limit(*by_address, whom), *([self.limit(*by_session, session)] if session else [])]
        return tuple(limit for limit in limits if limit)

    def limit(self, setting: str, scope: str, whom: str) -> Limit | None:
        allowed = settings.LIMITS[setting]
        return Limit(scope, client.limit_key(scope, whom, self.secret.encode()), *allowed) if allowed else None

    def is_authenticated(self, call: Call) -> bool:
        cookies = call.headers.get("cookie", "")
        return sign_in.COOKIE in cookies and sign_in.is_signed_in(cookies, secret=self.secret)

    def session(self, text: str | None) -> str:
        """What the client calls its session. One that holds an e-mail address is known by a digest (guarantee P17)."""
        session = bounded("sessionId", text, LONGEST_SESSION)
        clean = scrub.text(session)
        return session if clean == session else client.limit_key("session", session, self.secret.encode())

    @cached_property
    def secret(self) -> str:
        return settings.SECRET_KEY


def refused(reason: str) -> Refusal:
    return Refusal(ACCEPTED, reason)


def whole(body: bytes | None) -> bytes:
    if body is None:
        raise BadBody("too_large", f"The body is longer than {TrackEndpoint.body_limit} bytes.")
    return body


def bounded(name: str, text: str | None, most: int, *, least: int = 0) -> str:
    """A field, trimmed before its length is checked; an absent one is empty. Raises BadBody."""
    text = (text or "").strip(WHITE)
    if not least <= len(text) <= most:
        raise BadBody("invalid_field", f"{name} must have {least} to {most} characters.")
    return text
