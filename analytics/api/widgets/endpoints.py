"""ROOM widgets: GET /track/widget/..., GET /track/transaction/..., and GET / with a token (contract 5).

The order of the checks is the contract's: token, path, query, and what contradicts an order when it is stored.
"""

import hashlib
import hmac
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property, partial
from typing import Any
from urllib.parse import urlsplit

import msgspec
from django.conf import settings

from analytics.api.endpoint import Endpoint
from analytics.api.widgets import paths, query
from analytics.api.widgets.dialect import PIXEL, PREFLIGHT, Refused, error, success, unavailable
from analytics.api.widgets.query import Fields, Product
from analytics.api.widgets.redirects import location
from analytics.api.widgets.tokens import TOKEN, Permit, tokens
from analytics.ids import next_id
from analytics.ingest import scrub
from analytics.ingest.grants import Grant, Source
from analytics.ingest.hit import Change, Hit
from analytics.ingest.reading import Outcome, Reading, Verdict
from analytics.vocabulary import Dialect, Type
from tinytrail.web.call import Call, Refusal, Reply

# Who fetches a page before anybody wants to see it says so in one of these.
PREFETCH = {"sec-purpose": ("prefetch",), "purpose": ("prefetch", "preview"), "x-moz": ("prefetch",)}
# Answered as if stored: who asks not to be tracked still sees the pixel, and is led to the shop.
TAKEN = (Outcome.STORED, Outcome.BOT, Outcome.EXCLUDED, Outcome.SIGNALLED)
NO_TOKEN, UNKNOWN_TOKEN = Refused(403, "no_token"), Refused(403, "unknown_token")


@dataclass(slots=True)
class Tracked(Hit):
    """A hit with the answer that it gets once it is stored."""

    reply: Reply = PIXEL


class WidgetsEndpoint(Endpoint):
    """What the routes of this room have in common."""

    dialect = Dialect.WIDGETS
    methods = ("GET", "HEAD")
    body_limit = 0

    @abstractmethod
    def hit(self, call: Call, given: Fields, permit: Permit, now: datetime) -> Tracked:
        """What a call with a good token is. Raises Refused."""

    def read(self, call: Call, *, now: datetime) -> Reading:
        given = query.fields(call.query)
        token = (given.get("auth_token") or [""])[0]
        if not TOKEN.fullmatch(token):
            return Reading(self.dialect, (), refusal=(UNKNOWN_TOKEN if token else NO_TOKEN).refusal)
        admit = partial(self.admit, call, given, now)
        return Reading(self.dialect, (), source=Source(tokens, token), admit=admit)

    def admit(self, call: Call, given: Fields, now: datetime, grant: Grant | None) -> Hit | Refusal:
        if not isinstance(grant, Permit):
            return UNKNOWN_TOKEN.refusal
        try:
            hit = self.hit(call, given, grant, now)
        except Refused as refused:
            return refused.refusal
        # Answered as any other call, and counted among those that were not stored.
        reason = unasked(call)
        return Refusal(hit.reply, reason) if reason else hit

    def answer(self, call: Call, verdict: Verdict) -> Reply:
        if verdict.outcome in TAKEN and isinstance(verdict.hit, Tracked):
            return verdict.hit.reply
        if verdict.outcome in (Outcome.CONFLICT, Outcome.IMPOSSIBLE):
            return error(409)
        return unavailable()

    def limited(self, call: Call, verdict: Verdict) -> Reply:
        return error(429, ("Retry-After", str(verdict.retry_after)))

    def preflight(self, call: Call) -> Reply:
        return PREFLIGHT

    def wrong_method(self, call: Call) -> Refusal:
        return Refusal(error(405, ("Allow", "GET, HEAD, OPTIONS")), "wrong_method")

    def pseudonym(self, identity: str) -> str:
        """What a visitor or an order is known by: as it was sent, unless an e-mail address is in it (P11)."""
        if scrub.without_emails(identity) == identity:
            return identity
        return hmac.digest(self._secret, identity.encode(), "sha256").hex()

    @cached_property
    def _secret(self) -> bytes:
        return settings.SECRET_KEY.encode()


class Widget(WidgetsEndpoint):
    """Actions on widgets and on the media in them."""

    name = "track_widget"
    summary = "Count an action on a widget or a medium"

    def hit(self, call: Call, given: Fields, permit: Permit, now: datetime) -> Tracked:
        place = paths.widget(call.path)
        who = query.analytics_id(given)
        is_shop = place.media is not None and place.action == paths.SHOP
        pics = None if place.is_empty else query.whole(given, "pics", is_required=not is_shop)
        arm = query.whole(given, "ab_testing")
        segments = query.segments(given)
        wanted = (given.get("redirect_url") or [""])[0] if is_shop else ""
        target = location(wanted, domain=permit.site.domain, hosts=permit.redirect_hosts) if wanted.strip() else ""
        known = self.pseudonym(who)
        properties = {
            "instance": place.instance,
            "kind": place.kind,
            "id": place.id,
            "media": place.media,
            "pics": pics,
            "ab_testing": arm,
            "segments": segments or None,
            "analytics_id": known,
            "not_found": place.is_empty or None,
        }
        return Tracked(
            dialect=self.dialect,
            id=next_id(),
            occurred_at=now,
            address=call.address,
            user_agent=call.headers.get("user-agent", "").strip(),
            type=Type.RENDER if place.action == "render" else Type.OTHER,
            name=place.name,
            properties=without_nulls(properties),
            client_session=known,
            reply=answered(who, place.format, now=now, target=target),
        )


class Checkout(WidgetsEndpoint):
    """Purchases. The order itself is made by the database, which knows what came before."""

    name = "track_checkout"
    summary = "Count a purchase"

    def hit(self, call: Call, given: Fields, permit: Permit, now: datetime) -> Tracked:
        transaction, format_ = paths.transaction(call.path)
        who = query.analytics_id(given)
        bought = [Product(scrub.text(product.id), product.amount) for product in query.products(given)]
        segments = scrub.properties(query.segments(given))
        currency = query.currency(given)
        page = page_of(query.referrer(given))
        known, order = self.pseudonym(who), self.pseudonym(transaction)
        properties = {
            "transaction": order,
            "currency": currency,
            "total": str(sum((product.amount for product in bought), Decimal())),
            "products": [{"product": product.id, "amount": str(product.amount)} for product in bought],
            "segments": segments or None,
            "referrer": page or None,
            "analytics_id": known,
        }
        change = {
            "website": permit.site.id,
            "client": str(permit.client),
            "transaction": order,
            "currency": currency,
            "at": now.isoformat(),
            "call": digest(bought),
            "lines": [[product.id, str(product.amount)] for product in bought],
        }
        return Tracked(
            dialect=self.dialect,
            id=next_id(),
            occurred_at=now,
            address=call.address,
            user_agent=call.headers.get("user-agent", "").strip(),
            type=Type.OTHER,
            name="checkout",
            path=urlsplit(page).path if page else "",
            properties=without_nulls(properties),
            client_session=known,
            change_of=lambda hit: with_flags(change, hit),
            reply=answered(who, format_, now=now),
        )


class Greeting(WidgetsEndpoint):
    """GET / with a token: whether it is good. There is nothing to store."""

    name = "track_greeting"
    summary = "Check a token"

    def hit(self, call: Call, given: Fields, permit: Permit, now: datetime) -> Tracked:
        who = query.first(given, "analytics_id")[: query.LONGEST_ID]
        return Tracked(
            dialect=self.dialect,
            id=next_id(),
            occurred_at=now,
            address=call.address,
            user_agent="",
            type=None,
            reply=success(who or None, now=now),
        )


def unasked(call: Call) -> str:
    """Why a call is only answered: nobody sees what it fetches, or not yet. Empty when it is to be stored."""
    if call.method == "HEAD":
        return "head"
    for header, words in PREFETCH.items():
        value = call.headers.get(header, "").lower()
        if value and any(word in value for word in words):
            return "prefetch"
    return ""


def answered(who: str, format_: str, *, now: datetime, target: str = "") -> Reply:
    return PIXEL if format_ == "gif" and not target else success(who, now=now, location=target)


def page_of(referrer: str) -> str:
    """The page of a checkout without its query, in which shops name their customers (P11); empty when it is none."""
    try:
        parts = urlsplit(referrer)
        host = parts.hostname
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not host:
        return ""
    return f"{parts.scheme}://{host}{scrub.path(parts.path)}"


def with_flags(order: Mapping[str, Any], hit: Hit) -> Change:
    """An order with the flags of its call, by which it is counted or not (D-29), and what its website keeps of it."""
    flags = {"is_bot": hit.columns["is_bot"], "is_excluded": hit.columns["is_excluded"]}
    kept = hit.columns["properties"] or {}
    facts = {"referrer": kept.get("referrer", ""), "segments": kept.get("segments", {})}
    who = {"analytics_id": kept.get("analytics_id", "")}
    return Change("order", msgspec.json.encode({**order, **flags, **facts, **who}))


def digest(bought: Sequence[Product]) -> str:
    """What two calls with the same products and amounts have in common, whatever their order (D-31)."""
    lines = sorted((product.id, f"{product.amount.normalize():f}") for product in bought)
    return hashlib.sha256(msgspec.json.encode(lines)).hexdigest()[:32]


def without_nulls(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in properties.items() if value is not None}


widget, checkout, greeting = Widget(), Checkout(), Greeting()

# A path that begins with one of these is this room's, whatever follows.
PREFIXES: dict[str, Endpoint] = {"/track/widget/": widget, "/track/transaction/": checkout}
ENDPOINTS: dict[str, Endpoint] = {"/track/widget": widget, "/track/transaction": checkout}


def is_greeting(path: str, call_query: str) -> bool:
    """Whether a call of the front page is a program's with a token, and not a reader's (D-22)."""
    return path == "/" and "auth_token" in query.fields(call_query)
