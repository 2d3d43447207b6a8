"""The newest stored rows of a kind, in words: for support and for tests (running.md, `show`)."""

from collections.abc import Callable
from typing import Any

from accounts.models import Website
from analytics import money, profiles
from analytics.models import Drop, Event, Order, OrderLine
from analytics.vocabulary import PASSIVE, Dialect, Type
from submissions.showing import catalog, submissions

Rows = list[dict[str, Any]]


def events(website_ids: list[int], limit: int | None) -> Rows:
    found = Event.objects.filter(website_id__in=website_ids).order_by("-occurred_at", "-id")[:limit]
    return [
        {
            "name": event.name or Type(event.type).name.lower(),
            "kind": kind(event),
            "path": event.path,
            "properties": event.properties or {},
            "visitor": f"{event.visitor & (2**64 - 1):016x}",
            "client_session": event.client_session,
            "is_bot": event.is_bot,
            "is_excluded": event.is_excluded,
            "is_authenticated": event.is_authenticated,
            "profile": event.profile,
            "occurred_at": event.occurred_at.isoformat(timespec="microseconds").replace("+00:00", "Z"),
            "dialect": Dialect(event.dialect).word,
        }
        for event in found
    ]


def kind(event: Event) -> str:
    """What the event does to a visit (definitions 2 to 4)."""
    if event.is_server:
        return "server"
    if event.type == Type.PAGE_VIEW:
        return "page_view"
    return "passive" if event.type in PASSIVE else "interactive"


def drops(website_ids: list[int], limit: int | None) -> Rows:
    """Refused requests by reason, summed over the days; a website's own where it is known."""
    counts: dict[tuple[str, str], int] = {}
    for drop in Drop.objects.order_by("-day", "-id"):
        if drop.website_id is None or drop.website_id in website_ids:
            key = (drop.dialect, drop.reason)
            counts[key] = counts.get(key, 0) + drop.count
    return [
        {"dialect": dialect, "reason": reason, "count": count}
        for (dialect, reason), count in list(counts.items())[:limit]
    ]


def orders(website_ids: list[int], limit: int | None) -> Rows:
    found = list(Order.objects.filter(website_id__in=website_ids).order_by("-occurred_at", "transaction")[:limit])
    lines: dict[tuple[object, ...], Rows] = {order.pk: [] for order in found}
    keys = {"website_id__in": {order.website_id for order in found}, "transaction__in": [o.transaction for o in found]}
    for line in OrderLine.objects.filter(**keys).order_by("number"):
        of_order = lines.get((line.website_id, line.client_id, line.transaction), [])
        of_order.append({"product": line.product, "amount": money.text(line.amount)})
    return [
        {
            "transactionId": order.transaction,
            "currency": order.currency,
            "total": money.text(order.total),
            "lines": lines[order.pk],
        }
        for order in found
    ]


KINDS: dict[str, Callable[[list[int], int | None], Rows]] = {
    "events": events,
    "drops": drops,
    "catalog": catalog,
    "submissions": submissions,
    "orders": orders,
    "profiles": profiles.shown,
}


def show(kind: str, website: Website | None, limit: int) -> Rows:
    """The newest `limit` rows, all when it is 0, of one website or of all live ones."""
    ids = [website.id] if website else list(Website.objects.live().values_list("id", flat=True))
    return KINDS[kind](ids, limit or None)
