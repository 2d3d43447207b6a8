"""A website without data: the first hit with its fields as it arrives, or the likely cause when none does."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import Sum

from accounts.models import User, Website
from analytics.models import BuiltDay, Drop, Event
from analytics.vocabulary import BROWSERS, CHANNELS, DEVICES, SCREENS, SYSTEMS, Dialect, Type

# What usually stands behind a reason (contract D-25).
CAUSES = {
    "unknown_website": "The id in the snippet is not that of a website here. Copy the snippet below once more.",
    "rate_limited": "More hits came from one address than the limit allows. Visitors behind one proxy look alike: list"
    " the proxy in TINYTRAIL_TRUSTED_PROXIES.",
    "storage_unavailable": "The database did not answer. Ask the operator to look at /health.",
    "overloaded": "More arrived than could be stored. It was refused and may be sent again.",
    "invalid_field": "A field of the hit was missing or wrong. A hand-made client? The tracker sends them right.",
    "malformed_json": "What arrived was not JSON.",
    "too_large": "The hit was larger than 32 KiB.",
    "unsupported_media_type": "The hit came with a content type that is neither JSON nor plain text.",
    "wrong_method": "It was sent with another method than POST.",
    "conflict": "It contradicts what is stored already.",
    "missing_user_agent": "It came without a user agent.",
}
OTHER_CAUSE = "It was refused for this reason."
BOT = "It came from a bot, which is stored and not counted. Headless and monitoring browsers are taken for bots."
EXCLUDED = "It came from an excluded address, which is stored and not counted. Addresses are excluded in the settings."


@dataclass(slots=True, frozen=True)
class Cause:
    reason: str
    count: int
    sentence: str


@dataclass(slots=True, frozen=True)
class Arrival:
    """The newest hit of a website with its fields, and why it was not counted where it was not."""

    fields: list[tuple[str, str]]
    obstacle: str


def has_data(website: Website) -> bool:
    """Whether anything was ever counted. What was built outlives the events it was built from."""
    counted = Event.objects.filter(website_id=website.id, is_bot=False, is_excluded=False)
    return counted.exists() or BuiltDay.objects.filter(website_id=website.id, is_final=True, events__gt=0).exists()


def newest(website: Website) -> Arrival | None:
    """A counted hit rather than one that was not."""
    order = ("is_bot", "is_excluded", "-occurred_at", "-id")
    event = Event.objects.filter(website_id=website.id).order_by(*order).first()
    if event is None:
        return None
    obstacle = BOT if event.is_bot else EXCLUDED if event.is_excluded else ""
    return Arrival([(name, value) for name, value in fields(event) if value], obstacle)


def fields(event: Event) -> Iterable[tuple[str, str]]:
    yield "Event", event.name or Type(event.type).name.lower()
    yield "Page", event.path
    yield "Arrived", f"{event.occurred_at:%H:%M:%S} UTC"
    yield "Sent by", Dialect(event.dialect).word
    yield "Referrer", event.referrer or ""
    yield "Channel", CHANNELS.get(event.channel, "")  # type: ignore[call-overload]
    campaign = (event.utm_source, event.utm_medium, event.utm_campaign)
    yield "Campaign", " / ".join(part or "–" for part in campaign) if any(campaign) else ""
    yield "Browser", BROWSERS[event.browser]
    yield "Operating system", SYSTEMS[event.os]
    yield "Device", DEVICES.get(event.device, "")  # type: ignore[call-overload]
    yield "Screen", SCREENS.get(event.screen, "")  # type: ignore[call-overload]
    yield "Country", event.country or ""
    yield "Content group", event.content_group or ""


def causes(website: Website, user: User | None, *, today: date) -> list[Cause]:
    """What was refused today, by reason. Hits for no known website are told to admins: they are nobody else's."""
    drops = Drop.objects.filter(day=today, website_id=website.id)
    if user is not None and user.is_admin:
        drops |= Drop.objects.filter(day=today, website_id=None, reason="unknown_website")
    counted = drops.values_list("reason").annotate(times=Sum("count")).order_by("-times", "reason")
    return [Cause(reason, times, CAUSES.get(reason, OTHER_CAUSE)) for reason, times in counted]
