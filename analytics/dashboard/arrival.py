"""A website without data: the first hit with its fields as it arrives, or the likely cause when none does."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Sum

from accounts.models import User, Website
from analytics.ingest.reading import Outcome
from analytics.integration.arrivals import DIALECTS, Refused, refused
from analytics.models import BuiltDay, Event, RecentDrop
from analytics.reasons import cause
from analytics.vocabulary import BROWSERS, CHANNELS, DEVICES, SCREENS, SYSTEMS, Dialect, Type

UNKNOWN_WEBSITE = Outcome.UNKNOWN_WEBSITE.value
# So far back is told what was refused.
LOOKED_BACK = timedelta(hours=1)
BOT = "It came from a bot, which is stored and not counted. Headless and monitoring browsers are taken for bots."
EXCLUDED = "It came from an excluded address, which is stored and not counted. Addresses are excluded in the settings."


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
    events = Event.objects.filter(website_id=website.id).order_by("-occurred_at", "-id")
    event = events.filter(is_bot=False, is_excluded=False).first() or events.first()
    if event is None:
        return None
    obstacle = BOT if event.is_bot else EXCLUDED if event.is_excluded else ""
    told = [*facts(event), *(() if website.mode == Website.Mode.EXEMPT else of_visitor(event))]
    return Arrival([(name, value) for name, value in told if value], obstacle)


def facts(event: Event) -> Iterable[tuple[str, str]]:
    yield "Event", event.name or Type(event.type).name.lower()
    yield "Page", event.path
    yield "Arrived", f"{event.occurred_at:%H:%M:%S} UTC"
    yield "Sent by", DIALECTS[Dialect(event.dialect)]
    yield "Content group", event.content_group or ""


def of_visitor(event: Event) -> Iterable[tuple[str, str]]:
    """Of one visitor, and so not told of an exempt website."""
    yield "Referrer", event.referrer or ""
    yield "Channel", CHANNELS.get(event.channel, "")  # type: ignore[call-overload]
    campaign = (event.utm_source, event.utm_medium, event.utm_campaign)
    yield "Campaign", " / ".join(part or "–" for part in campaign) if any(campaign) else ""
    yield "Browser", BROWSERS[event.browser]
    yield "Operating system", SYSTEMS[event.os]
    yield "Device", DEVICES.get(event.device, "")  # type: ignore[call-overload]
    yield "Screen", SCREENS.get(event.screen, "")  # type: ignore[call-overload]
    yield "Country", event.country or ""


def refusals(website: Website, user: User, *, now: datetime) -> list[Refused]:
    """What was refused in the last hour, by reason. Calls for no known website are told to admins: they are nobody
    else's."""
    since = now - LOOKED_BACK
    found = refused(website, since)
    if user.is_admin:
        lost = RecentDrop.objects.filter(website_id=None, reason=UNKNOWN_WEBSITE, at__gt=since)
        times = lost.aggregate(times=Sum("count"))["times"]
        if times:
            found.append(Refused(DIALECTS[Dialect.V1], UNKNOWN_WEBSITE, cause(UNKNOWN_WEBSITE), times))
    return found
