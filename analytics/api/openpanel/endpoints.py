"""ROOM openpanel: POST /track, GET /track/device-id, and everything else under /track (contract 6).

The vendor's clients take every status but 200, 202 and 401 for a reason to try three times more, and read every answer
as JSON: hence the statuses and bodies here.

A repeat within 100 milliseconds is an event like any other, where the real service drops it: two increments of one
are two. Who sends something twice on purpose names it with `Idempotency-Key`.
"""

import re
from datetime import datetime
from typing import Any, ClassVar

from django.conf import settings
from drf_spectacular.utils import OpenApiParameter

from accounts.models import Client
from analytics.api.endpoint import Endpoint, is_signalled
from analytics.api.openpanel import hits, sender
from analytics.api.openpanel.credentials import ClientGrant, Credentials, clients, credentials_of, is_verified
from analytics.api.openpanel.documentation import (
    BOT,
    CALLS,
    EXAMPLES,
    FOUND_IDS,
    IDS,
    REFUSAL,
    SECURITY,
    VISITOR,
)
from analytics.api.openpanel.documentation import limits as limit_headers
from analytics.api.openpanel.hits import REPLAY, Sent, Understood
from analytics.api.openpanel.identity import device_id, session
from analytics.api.openpanel.payloads import ENVELOPE, Envelope
from analytics.ingest import bot
from analytics.ingest.grants import Grant, Source, grants
from analytics.ingest.hit import Hit
from analytics.ingest.reading import Outcome, Reading, Verdict
from analytics.vocabulary import Dialect
from tinytrail.web import body, client
from tinytrail.web.body import BadBody
from tinytrail.web.call import Call, Limit, Memo, Refusal, Reply, json_reply
from tinytrail.web.ratelimit import Window

Headers = tuple[tuple[str, str], ...]

KIB = 1024
BODY_BYTES = 1024 * KIB
REPLAY_BODY_BYTES = 3 * 1024 * KIB
LONGEST_KEY = 255
RETRY_STORAGE_SECONDS = 5
RATE_HEADERS = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")
CORS: Headers = (
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Expose-Headers", ", ".join((*RATE_HEADERS, "retry-after"))),
)
CLIENT_HEADERS = "content-type, openpanel-client-id, openpanel-client-secret, openpanel-sdk-name, openpanel-sdk-version"
CHARSET = re.compile(r"charset\s*=\s*\"?([^\s;\"]+)", re.IGNORECASE)
STATUSES = {
    400: "Bad Request",
    404: "Not Found",
    413: "Payload Too Large",
    415: "Unsupported Media Type",
    429: "Too Many Requests",
    503: "Service Unavailable",
}
# Reasons with a status of their own; all others are 400.
REASONS = {"too_large": 413, "unsupported_media_type": 415}
IMPOSSIBLE = {"count": "Property value is not a number"}
# Whoever is not to be tracked has no ids. With any other status the vendor's clients would try three times more.
NOBODY = {"deviceId": "", "sessionId": ""}
TOO_BIG = "What is known of the profile or group would grow beyond what can be kept"


def error(status: int, message: str, *headers: tuple[str, str]) -> Reply:
    return json_reply(status, {"status": status, "error": STATUSES[status], "message": message}, *headers, *CORS)


def unauthorized() -> Refusal:
    """One answer to all credentials that are not right, so that nothing can be told from it (contract 6.1)."""
    return Refusal(json_reply(401, {"error": "Invalid client credentials", "status": 401}, *CORS), "unauthorized")


def refusal(bad: BadBody) -> Refusal:
    return Refusal(error(REASONS.get(bad.reason, 400), str(bad)), bad.reason)


class OpenPanelEndpoint(Endpoint):
    """What all routes of the room have in common: the limit with its headers, errors in JSON, CORS for everybody."""

    dialect = Dialect.OPENPANEL
    methods: ClassVar[tuple[str, ...]] = ()
    body_limit = REPLAY_BODY_BYTES
    answers: ClassVar[dict[int, tuple[str, dict[str, Any]]]] = {
        400: ("Malformed JSON, or a field is missing or wrong", REFUSAL),
        401: ("Client and secret do not belong together, or the origin is not on the client's list", REFUSAL),
        429: ("Too many calls of this client; Retry-After says how long to wait", REFUSAL),
        503: ("Could not be stored; Retry-After says when to try again", REFUSAL),
    }

    def preflight(self, call: Call) -> Reply:
        asked = call.headers.get("access-control-request-headers", "").strip()
        return Reply(
            204,
            (
                *CORS,
                ("Access-Control-Allow-Methods", "GET,HEAD,POST"),
                (
                    "Access-Control-Allow-Headers",
                    asked if asked.isprintable() and asked.isascii() and asked else CLIENT_HEADERS,
                ),
                ("Access-Control-Max-Age", "604800"),
                ("Vary", "Access-Control-Request-Headers"),
            ),
        )

    def misdirected(self, call: Call) -> Reading:
        return Reading(self.dialect, limits(call, credentials_of(call)), refusal=self.wrong_method(call))

    def wrong_method(self, call: Call) -> Refusal:
        return Refusal(error(404, f"There is no {call.method} at this address."), "no_such_route")

    def reply(self, call: Call, verdict: Verdict) -> Reply:
        return super().reply(call, verdict).with_headers(*rate(verdict.windows))

    def limited(self, call: Call, verdict: Verdict) -> Reply:
        message = "You have exceeded the rate limit for this endpoint."
        return error(429, message, ("Retry-After", str(verdict.retry_after)))

    def unavailable(self) -> Reply:
        message = "The call could not be stored; please send it again."
        return error(503, message, ("Retry-After", str(RETRY_STORAGE_SECONDS)))


class TrackEndpoint(OpenPanelEndpoint):
    name = "openpanel_track"
    summary = "Track an event, identify a person, count something"
    description = (
        "Events, and what is known of people and groups. Calls with a verified secret are believed when they say whose"
        " address and device it was."
    )
    bodies: ClassVar = {"application/json": CALLS}
    examples: ClassVar = EXAMPLES
    security = SECURITY
    parameters = (
        OpenApiParameter(
            "Idempotency-Key",
            {"type": "string", "maxLength": LONGEST_KEY},
            OpenApiParameter.HEADER,
            description="A name for this call: sent again within 24 hours it counts once.",
        ),
        VISITOR,
        *limit_headers(200, 202, 400, 401, 413, 415, 429, 503),
    )
    methods = ("POST",)
    answers: ClassVar[dict[int, tuple[str, dict[str, Any]]]] = OpenPanelEndpoint.answers | {
        200: ("Stored", IDS),
        202: ("Taken for a bot: stored with the flag, and never counted", BOT),
        413: ("Body longer than 1 MiB, or 3 MiB of a replay", REFUSAL),
        415: ("Not JSON in UTF-8", REFUSAL),
    }

    def read(self, call: Call, *, now: datetime) -> Reading:
        envelope, unread = envelope_of(call)
        given = credentials_of(call, envelope.clientId, envelope.clientSecret)
        counted = limits(call, given)
        if given.key is None:
            # Where the id may stand in the body, a body that cannot be read is what is wrong.
            refused = refusal(unread) if unread and not given.client_id else unauthorized()
            return Reading(self.dialect, counted, refusal=refused)
        source = Source(clients, given.key)
        try:
            if unread:
                raise unread
            understood = hits.read(envelope.type, envelope.payload, now=now)
        except BadBody as bad:
            # Told only to who may send (contract 6.1).
            wrong = refusal(bad)

            def refuse(grant: Grant | None) -> Refusal:
                return unauthorized() if authorized(grant, given) is None else wrong

            return Reading(self.dialect, counted, source=source, admit=refuse)

        def admit(grant: Grant | None) -> Hit | Refusal:
            return admitted(call, given, grant, understood, now)

        memo = memo_of(call, given, understood, now)
        return Reading(self.dialect, counted, source=source, admit=admit, memo=memo)

    def answer(self, call: Call, verdict: Verdict) -> Reply:
        hit = verdict.hit
        if hit is None or verdict.outcome in (Outcome.UNAVAILABLE, Outcome.OVERLOADED):
            return self.unavailable()
        if verdict.outcome is Outcome.SIGNALLED:
            return json_reply(200, NOBODY, *CORS)
        if verdict.outcome is Outcome.BOT:
            return bot_reply(hit.user_agent)
        if verdict.outcome is Outcome.IMPOSSIBLE:
            return error(400, IMPOSSIBLE.get(hit.name, TOO_BIG))
        return json_reply(200, {"deviceId": device_id(hit), "sessionId": session_id(verdict)}, *CORS)


class DeviceIdEndpoint(OpenPanelEndpoint):
    name = "openpanel_device_id"
    summary = "The device and the session that the next event will belong to"
    security = SECURITY
    parameters = (VISITOR, *limit_headers(200, 400, 401, 429, 503))
    methods = ("GET",)
    body_limit = KIB
    answers: ClassVar[dict[int, tuple[str, dict[str, Any]]]] = OpenPanelEndpoint.answers | {
        200: ("The ids; without a session its id is empty", FOUND_IDS),
        400: ("The call has no user agent", REFUSAL),
    }

    def read(self, call: Call, *, now: datetime) -> Reading:
        given = credentials_of(call)
        counted = limits(call, given)
        if given.key is None:
            return Reading(self.dialect, counted, refusal=unauthorized())

        def admit(grant: Grant | None) -> Hit | Refusal:
            is_verified = authorized(grant, given)
            if is_verified is None or grant is None:
                return unauthorized()
            if not agent_of(call):
                return refusal(BadBody("missing_user_agent", "Missing user agent"))
            return sent_by(call, grant, now, is_verified=is_verified).hit()

        memo = memo_of(call, given, None, now)
        return Reading(self.dialect, counted, source=Source(clients, given.key), admit=admit, memo=memo)

    def answer(self, call: Call, verdict: Verdict) -> Reply:
        if verdict.hit is None or verdict.outcome in (Outcome.UNAVAILABLE, Outcome.OVERLOADED):
            return self.unavailable()
        if verdict.outcome is Outcome.SIGNALLED:
            message = "No session exists for this device id"
            return json_reply(200, {**NOBODY, "message": message}, *CORS, ("Cache-Control", "no-store"))
        found = "current session exists for" if verdict.remembered else "No session exists for"
        answer = {
            "deviceId": device_id(verdict.hit),
            "sessionId": verdict.remembered,
            "message": f"{found} this device id",
        }
        return json_reply(200, answer, *CORS, ("Cache-Control", "no-store"))


class Nowhere(OpenPanelEndpoint):
    """Whatever else stands under /track: not there, said in this dialect's words (contract 1.1)."""

    name = "openpanel_nowhere"
    summary = "Not there"
    body_limit = KIB

    def read(self, call: Call, *, now: datetime) -> Reading:
        return Reading(self.dialect, limits(call, credentials_of(call)), refusal=self.wrong_method(call))

    def answer(self, call: Call, verdict: Verdict) -> Reply:
        return self.unavailable()


def envelope_of(call: Call) -> tuple[Envelope, BadBody | None]:
    """The body as far as every type has it, and what is wrong with it, if anything is."""
    try:
        check_transport(call)
        raw = call.body or b""
        envelope = body.decode(ENVELOPE, raw)
        if len(raw) > BODY_BYTES and envelope.type != REPLAY:
            raise BadBody("too_large", f"The body is longer than {BODY_BYTES} bytes.")
        if len(call.headers.get("idempotency-key", "").strip()) > LONGEST_KEY:
            raise BadBody("invalid_field", f"Idempotency-Key must have at most {LONGEST_KEY} characters.")
    except BadBody as bad:
        return Envelope(), bad
    return envelope, None


def check_transport(call: Call) -> None:
    if call.body is None:
        raise BadBody("too_large", f"The body is longer than {REPLAY_BODY_BYTES} bytes.")
    if call.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise BadBody("unsupported_media_type", "The body must not be compressed.")
    if call.media_type not in ("application/json", ""):
        raise BadBody("unsupported_media_type", "The content type must be application/json.")
    charset = CHARSET.search(call.headers.get("content-type", ""))
    if charset and charset[1].lower() not in ("utf-8", "utf8"):
        raise BadBody("unsupported_media_type", "The charset must be utf-8.")


def authorized(grant: Grant | None, given: Credentials) -> bool | None:
    """True with a verified secret, False with an allowed origin, None when the call is not to be taken."""
    if not isinstance(grant, ClientGrant) or grant.right == Client.Right.READ:
        return None
    return is_verified(grant, given)


def admitted(
    call: Call, given: Credentials, grant: Grant | None, understood: Understood, now: datetime
) -> Hit | Refusal:
    """What a call with a right body is: credentials first, then bots, of which only events are stored (D-29)."""
    is_trusted = authorized(grant, given)
    if is_trusted is None or grant is None:
        return unauthorized()
    hit = understood.hit(sent_by(call, grant, now, is_verified=is_trusted))
    # Servers send with a secret. Whoever has none is what the user agent says, also of a time that is past.
    is_program = not is_trusted and bot.is_bot(hit.user_agent)
    if is_program and hit.type is None:
        return Refusal(bot_reply(hit.user_agent), Outcome.BOT.value)
    if is_program:
        hit.change = hit.change_of = None
    hit.given["is_bot"] = is_program
    return hit


def sent_by(call: Call, grant: Grant, now: datetime, *, is_verified: bool) -> Sent:
    forwarded = sender.forwarded_address(call) if is_verified else ""
    agent = agent_of(call)
    return Sent(
        website_id=grant.site.id,
        now=now,
        address=forwarded or call.address,
        is_own_address=not forwarded,
        user_agent=agent,
        is_server=sender.is_server(agent),
        is_verified=is_verified,
        idempotency_key=call.headers.get("idempotency-key", "").strip(),
    )


def agent_of(call: Call) -> str:
    return call.headers.get("user-agent", "").strip()


def memo_of(call: Call, given: Credentials, understood: Understood | None, now: datetime) -> Memo | None:
    """The session of who the call says it comes from: asked for before that is known to be true, and told only then."""
    agent = agent_of(call)
    stated = (understood.address if understood else "") or sender.forwarded_address(call) if given.secret else ""
    who = f"{stated or call.address}|{agent}"
    if understood and understood.device:
        who = f"device|{understood.device}"
    is_visiting = understood is not None and understood.is_event and not sender.is_server(agent)
    # Of made-up clients nothing is remembered, or anybody could fill Redis. The first call of a client that is new to
    # this process looks only, and is told the session that the next one will begin.
    known = grants.known(Source(clients, given.key))
    if known and known.site.drops_signalled and is_signalled(call):
        return None
    is_visiting = is_visiting and known is not None
    return session(given.client_id, who, now=now, is_visiting=is_visiting)


def session_id(verdict: Verdict) -> str:
    """The one remembered, else the one that the caller's next event will begin."""
    return verdict.remembered or (verdict.memo.value if verdict.memo else "")


def bot_reply(user_agent: str) -> Reply:
    return json_reply(202, {"bot": {"name": sender.bot_name(user_agent), "type": "bot"}}, *CORS)


def limits(call: Call, given: Credentials) -> tuple[Limit, ...]:
    """By client; calls that name none are counted by who sends them. Never by a header that anybody can write."""
    allowed = settings.LIMITS["OPENPANEL"]
    if allowed is None:
        return ()
    who = given.client_id if given.key else client.neighbourhood(call.address)
    return (Limit("openpanel", client.limit_key("openpanel", who, settings.SECRET_KEY.encode()), *allowed),)


def rate(windows: tuple[Window, ...]) -> Headers:
    """The vendor's headers of its limits (contract 6.4)."""
    return tuple(
        header
        for window in windows
        for header in zip(
            RATE_HEADERS,
            (str(window.limit.count), str(max(0, window.limit.count - window.calls)), str(window.seconds_left)),
            strict=True,
        )
    )


track = TrackEndpoint()
track_device_id = DeviceIdEndpoint()
nowhere = Nowhere()
