"""ROOM v1, ingesting: POST /api/v1/collect (contract 2.3, 2.4)."""

import re
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import msgspec
from django.conf import settings
from drf_spectacular.utils import OpenApiParameter

from accounts.api.documentation import REFUSAL, body_of
from analytics.api.endpoint import Endpoint
from analytics.ids import next_id
from analytics.ingest.grants import Source
from analytics.ingest.hit import Hit
from analytics.ingest.reading import Outcome, Reading, Verdict
from analytics.ingest.website import websites
from analytics.vocabulary import Dialect, Type
from tinytrail.web import body, client, cors
from tinytrail.web.body import BadBody
from tinytrail.web.call import Call, Limit, Refusal, Reply, json_reply
from tinytrail.web.openapi import FREE_FORM, TEXT, WEB_ADDRESS, record, retry_after

NAMED = re.compile(r"[A-Za-z][A-Za-z0-9_.:-]{0,63}")
# The default set of event types; any other word that fits NAMED is a custom event of that name (D-6).
DEFAULT_TYPES = {type_.name.lower(): type_ for type_ in Type if type_ not in (Type.OTHER, Type.RENDER)}
WIDEST = 100_000
MOST_PROPERTIES_BYTES = 8 * 1024
RETRY_STORAGE_SECONDS = 5
LONGEST_KEY = 255


class CollectBody(msgspec.Struct):
    """The body of a collect. A null optional is an absent one; unknown fields are ignored."""

    website_id: str
    event_type: str
    url: str
    path: str
    referrer: str | None = None
    screen_width: float | None = None
    screen_height: float | None = None
    properties: dict[str, Any] | None = None
    utm_source: str | None = None
    utm_medium: str | None = None
    utm_campaign: str | None = None


LENGTH = {"type": ["number", "null"], "minimum": 0, "maximum": WIDEST}
CUT = {"type": ["string", "null"], "pattern": TEXT["pattern"]}
BODY = body_of(
    CollectBody,
    website_id={"type": "string", "minLength": 1, "description": "The website's id. One that there is not is a 204."},
    event_type={
        "type": "string",
        "pattern": f"^{NAMED.pattern}$",
        "description": f"One of {', '.join(DEFAULT_TYPES)}; any other word is a custom event of that name.",
        "examples": ["page_view"],
    },
    url=TEXT | {"pattern": WEB_ADDRESS, "description": "Its whole address; kept to 4,096 characters."},
    path=TEXT | {"pattern": "^/[^\\u0000]*$", "description": "Its path; kept to 2,048 characters."},
    referrer=CUT | {"description": "Where the visitor came from; kept to 2,048 characters."},
    screen_width=LENGTH | {"description": "Of the viewport, in pixels."},
    screen_height=LENGTH,
    properties=FREE_FORM
    | {
        "type": ["object", "null"],
        "description": f"Anything, of at most {MOST_PROPERTIES_BYTES} bytes. `event_name` names a custom event.",
    },
    utm_source=CUT | {"description": "Before what the address says; kept to 255 characters."},
    utm_medium=CUT,
    utm_campaign=CUT,
)
EXAMPLE = {
    "website_id": "550e8400-e29b-41d4-a716-446655440000",
    "event_type": "page_view",
    "url": "https://example.com/blog/post-1?utm_source=twitter",
    "path": "/blog/post-1",
    "referrer": "https://t.co/abc123",
    "screen_width": 1920,
    "screen_height": 1080,
}
DECODER = msgspec.json.Decoder(CollectBody)


class Collect(Endpoint):
    name = "collect"
    summary = "Store one event"
    description = (
        "What the tracker sends. Bots and excluded addresses are stored with a flag and answered 204; so are programs"
        " such as curl, unless they send a browser's `User-Agent`."
    )
    # A beacon's body is plain text to browsers that must not ask beforehand.
    bodies = {"application/json": BODY, "text/plain": {"type": "string", "description": "The same JSON."}}
    examples = {"A page view": EXAMPLE}
    parameters = (
        OpenApiParameter(
            "Idempotency-Key",
            {"type": "string", "maxLength": LONGEST_KEY},
            OpenApiParameter.HEADER,
            description="A name for this event: sent again within 24 hours it is stored once.",
        ),
        retry_after(429, 503),
    )
    answers = {
        202: ("Stored", record("Accepted", status={"const": "accepted"})),
        204: (
            "Unknown website; stored, but flagged as a bot or an excluded address; or not stored, since the visitor"
            " asks not to be tracked and the website heeds that",
            {},
        ),
        400: ("Malformed JSON, or a field is missing or wrong", REFUSAL),
        413: ("Body longer than 32 KiB", REFUSAL),
        415: ("Neither JSON nor plain text in UTF-8", REFUSAL),
        429: ("Too many events from this address; Retry-After says how long to wait", REFUSAL),
        503: ("Could not be stored; Retry-After says when to try again", REFUSAL),
    }

    dialect = Dialect.V1
    methods = ("POST",)
    body_limit = 32 * 1024

    def read(self, call: Call, *, now: datetime) -> Reading:
        limits = self.limits(call)
        try:
            check_transport(call)
            fields = body.decode(DECODER, call.body or b"")
        except BadBody as bad:
            return Reading(self.dialect, limits, refusal=self.refusal(call, bad))
        website = website_id(fields)
        # Whose page it is that sends what is wrong, for the counts.
        source = Source(websites, website) if website else None
        try:
            checked(fields, len(call.body or b""))
        except BadBody as bad:
            return Reading(self.dialect, limits, refusal=self.refusal(call, bad), source=source)
        key = call.headers.get("idempotency-key", "").strip()
        if len(key) > LONGEST_KEY:
            too_long = BadBody("invalid_field", f"Idempotency-Key must have at most {LONGEST_KEY} characters.")
            return Reading(self.dialect, limits, refusal=self.refusal(call, too_long), source=source)
        if source is None:
            # Not a UUID: answered like an unknown website (contract 2.4).
            return Reading(
                self.dialect, limits, refusal=Refusal(Reply(204, self.cors(call)), Outcome.UNKNOWN_WEBSITE.value)
            )
        agent = call.headers.get("user-agent", "").strip()
        hit = as_hit(fields, at=now, address=call.address, user_agent=agent)
        hit.idempotency_key = key
        return Reading(self.dialect, limits, hit=hit, source=source)

    def answer(self, call: Call, verdict: Verdict) -> Reply:
        if verdict.outcome is Outcome.STORED:
            return accepted(call.headers.get("origin"))
        if verdict.outcome in (Outcome.UNAVAILABLE, Outcome.OVERLOADED):
            message = "The event could not be stored; please send it again."
            return self.error(call, 503, "INTERNAL_ERROR", message, ("Retry-After", str(RETRY_STORAGE_SECONDS)))
        return Reply(204, self.cors(call))

    def limited(self, call: Call, verdict: Verdict) -> Reply:
        message = f"Too many events from this address; try again in {verdict.retry_after} s."
        return self.error(call, 429, "RATE_LIMITED", message, ("Retry-After", str(verdict.retry_after)))

    def preflight(self, call: Call) -> Reply:
        return cors.preflight(self.cors(call))

    def wrong_method(self, call: Call) -> Refusal:
        message = "This route takes POST."
        return Refusal(self.error(call, 405, "INVALID_PAYLOAD", message, ("Allow", "POST, OPTIONS")), "wrong_method")

    def refusal(self, call: Call, bad: BadBody) -> Refusal:
        status = {"too_large": 413, "unsupported_media_type": 415}.get(bad.reason, 400)
        return Refusal(self.error(call, status, "INVALID_PAYLOAD", str(bad)), bad.reason)

    def error(self, call: Call, status: int, code: str, message: str, *headers: tuple[str, str]) -> Reply:
        envelope = {"status": "error", "error": {"code": code, "message": message}}
        return json_reply(status, envelope, *self.cors(call), *headers)

    def cors(self, call: Call) -> tuple[tuple[str, str], ...]:
        return cors.echoing(call.headers.get("origin"))

    def limits(self, call: Call) -> tuple[Limit, ...]:
        allowed = settings.LIMITS["COLLECT"]
        if allowed is None:
            return ()
        key = client.limit_key("collect", client.neighbourhood(call.address), self.limit_secret)
        return (Limit("collect", key, *allowed),)

    @cached_property
    def limit_secret(self) -> bytes:
        return settings.SECRET_KEY.encode()


@lru_cache(maxsize=1024)
def accepted(origin: str | None) -> Reply:
    """The answer to nearly every call, made once for each website's pages."""
    return json_reply(202, {"status": "accepted"}, *cors.echoing(origin))


def check_transport(call: Call) -> None:
    """Refuse bodies that are too long, packed, or neither JSON nor text in UTF-8 (D-38)."""
    if call.body is None:
        raise BadBody("too_large", f"The body is longer than {Collect.body_limit} bytes.")
    if call.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise BadBody("unsupported_media_type", "The body must not be compressed.")
    if call.media_type not in ("application/json", "text/plain", ""):
        raise BadBody("unsupported_media_type", "The content type must be application/json or text/plain.")
    charset = re.search(r"charset\s*=\s*\"?([^\s;\"]+)", call.headers.get("content-type", ""), re.IGNORECASE)
    if charset and charset[1].lower() not in ("utf-8", "utf8"):
        raise BadBody("unsupported_media_type", "The charset must be utf-8.")


def checked(fields: CollectBody, size: int) -> CollectBody:
    """The fields of a body of `size` bytes, as their bounds in contract 2.4 want them. Raises BadBody."""
    for name in ("website_id", "event_type", "url", "path"):
        if not getattr(fields, name):
            raise BadBody("invalid_field", f"{name} must not be empty.")
    if fields.event_type not in DEFAULT_TYPES and not NAMED.fullmatch(fields.event_type):
        raise BadBody("invalid_field", "event_type must be a letter followed by up to 63 letters, digits or _.:-")
    if not is_web_address(fields.url):
        raise BadBody("invalid_field", "url must be an absolute http or https address.")
    if not fields.path.startswith("/"):
        raise BadBody("invalid_field", "path must begin with a slash.")
    for name in ("screen_width", "screen_height"):
        length = getattr(fields, name)
        if length is not None and not 0 <= length <= WIDEST:
            raise BadBody("invalid_field", f"{name} must lie between 0 and {WIDEST}.")
    if fields.properties:
        if size > MOST_PROPERTIES_BYTES and len(msgspec.json.encode(fields.properties)) > MOST_PROPERTIES_BYTES:
            raise BadBody("invalid_field", f"properties must not exceed {MOST_PROPERTIES_BYTES} bytes.")
        body.check_free_form(fields.properties, "properties")
    return fields


def is_web_address(text: str) -> bool:
    try:
        parts = urlsplit(text[:4096])
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def website_id(fields: CollectBody) -> UUID | None:
    try:
        return UUID(fields.website_id) if len(fields.website_id) == 36 else None
    except ValueError:
        return None


def as_hit(fields: CollectBody, *, at: datetime, address: str, user_agent: str) -> Hit:
    type_ = DEFAULT_TYPES.get(fields.event_type, Type.OTHER)
    return Hit(
        dialect=Dialect.V1,
        id=next_id(),
        occurred_at=at,
        address=address,
        user_agent=user_agent,
        type=type_,
        name=custom_name(fields.properties)
        if type_ is Type.CUSTOM
        else fields.event_type
        if type_ is Type.OTHER
        else "",
        url=fields.url[:4096],
        path=fields.path,
        referrer=(fields.referrer or "")[:2048],
        screen_width=fields.screen_width,
        utm_source=fields.utm_source or "",
        utm_medium=fields.utm_medium or "",
        utm_campaign=fields.utm_campaign or "",
        properties=fields.properties,
    )


def custom_name(properties: dict[str, Any] | None) -> str:
    """The name of a custom event: `event_name`, else `name`, else `custom` (D-5)."""
    for key in ("event_name", "name"):
        value = (properties or {}).get(key)
        if isinstance(value, str) and value:
            return value
    return "custom"


collect = Collect()
