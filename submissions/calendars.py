"""The calendars of websites: which one a request belongs to, and opening and closing them for proposals.

Verbs raise ValueError with a sentence for what they refuse.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable
from datetime import datetime
from urllib.parse import urlsplit
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

from django.db import connection, transaction
from django.db.models import Q, Subquery

from accounts.models import Website
from submissions.models import Calendar, CalendarQuerySet
from submissions.text import collapsed

LONGEST_NAME = 120
LONGEST_HOST = 253
LONGEST_HOST = 253
# The public pages of a calendar, on this server.
PAGE = re.compile(r"/calendar/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:[/.]|$)")
# The advisory lock under which a first calendar becomes the default one.
FIRST_CALENDAR = 0x7474_6361


def default() -> Calendar | None:
    """The calendar of requests that name none: the first one made, the oldest left when its website is gone."""
    return Calendar.objects.live().select_related("website").order_by("-is_default", "id").first()


def for_origin(origin: str) -> Calendar | None:
    """The calendar of the website that an Origin header names, else the default one (contract D-23).

    A page of www.example.com or tickets.example.com belongs to the website example.com, and of several that fit to the
    one with the longest domain. `null` and what is no origin name none.
    """
    host = host_of(origin)
    return chosen(host, candidates([host]).select_related("website"))


def candidates(hosts: Collection[str]) -> CalendarQuerySet:
    """The live calendars among which `chosen` finds those of the hosts: for callers that ask in a way of their own."""
    domains = {domain for host in hosts for domain in domains_of(host)}
    first = Calendar.objects.live().order_by("-is_default", "id").values("id")[:1]
    return Calendar.objects.live().filter(Q(website__domain__in=domains) | Q(id=Subquery(first)))


def chosen(host: str, found: Iterable[Calendar]) -> Calendar | None:
    """Of the calendars that `candidates` found for the host, and maybe others, the one that it belongs to."""
    domains = {domain: place for place, domain in enumerate(domains_of(host))}

    def distance(calendar: Calendar) -> tuple[int, bool, int]:
        place = domains.get(calendar.domain)
        # Those that do not fit come last, the default one before the others.
        return (len(domains), not calendar.is_default, calendar.id) if place is None else (place, False, calendar.id)

    return min(found, key=distance, default=None)


def for_proposals(origin: str) -> Calendar | None:
    """The calendar of a proposal, so that a new installation takes them before anybody has thought of a calendar.

    None when there is no website at all.
    """
    found = for_origin(origin)
    if found is None and (website := Website.objects.live().order_by("id").first()):
        found = spare(website)
    return found


def of_website(website: Website) -> Calendar:
    """The website's calendar, made when it has none. The first that is asked for like this is the default one."""
    found = Calendar.objects.filter(website=website).first()
    if found and Calendar.objects.filter(is_default=True).exists():
        return found
    return make(website)


def spare(website: Website) -> Calendar:
    """The website's calendar, which stands in for a default one while there is none."""
    calendar, _ = Calendar.objects.get_or_create(website=website, defaults={"name": website.domain[:LONGEST_NAME]})
    return calendar


def named(public_id: UUID) -> Calendar | None:
    """The calendar of a live website by the website's public id."""
    return Calendar.objects.live().select_related("website").filter(website__public_id=public_id).first()


def shown_at(path: str) -> UUID | None:
    """The website whose calendar this server shows at the path; None of every other path."""
    page = PAGE.match(path)
    return UUID(page[1]) if page else None


@transaction.atomic
def make(website: Website) -> Calendar:
    with connection.cursor() as cursor:
        # Two at once would both be the first.
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [FIRST_CALENDAR])
    calendar = spare(website)
    if not Calendar.objects.filter(is_default=True).exists():
        calendar.is_default = True
        calendar.save(update_fields=["is_default"])
    return calendar


def open_for_proposals(calendar: Calendar, *, by: str, now: datetime) -> None:
    _toggle(calendar, True, by=by, now=now)


def close_for_proposals(calendar: Calendar, *, by: str, now: datetime) -> None:
    _toggle(calendar, False, by=by, now=now)


@transaction.atomic
def change(calendar: Calendar, *, name: str | None = None, time_zone: str | None = None) -> Calendar:
    """Set what is not None. Pages and feeds show both, so every copy of the calendar is old from then on."""
    calendar = Calendar.objects.select_for_update().get(pk=calendar.pk)
    if name is not None:
        calendar.name = checked_name(name)
    if time_zone is not None:
        calendar.time_zone = checked_time_zone(time_zone)
    calendar.version += 1
    calendar.save(update_fields=["name", "time_zone", "version"])
    return calendar


def checked_name(name: str) -> str:
    name = collapsed(name)
    if not 0 < len(name) <= LONGEST_NAME or any(unicodedata.category(char) in ("Cc", "Cs") for char in name):
        raise ValueError(f"The name must have 1 to {LONGEST_NAME} characters that can be shown.")
    return name


def checked_time_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"There is no time zone {name[:80]!r}: give a name such as Europe/Paris or UTC.")
    return name


def zone(calendar: Calendar) -> ZoneInfo:
    """The zone of the calendar's dates and times; UTC when this machine does not know the stored one."""
    try:
        return ZoneInfo(calendar.time_zone)
    except (ValueError, KeyError, OSError):
        return ZoneInfo("UTC")


def host_of(origin: str) -> str:
    """The host of an origin, empty when it has none that could be in a DNS."""
    try:
        host = (urlsplit(origin).hostname or "").removesuffix(".")
    except ValueError:
        return ""
    return host if len(host) <= LONGEST_HOST and host.isprintable() else ""


def domains_of(host: str) -> list[str]:
    """The host and every domain above it, the nearest first."""
    labels = host.split(".")
    return [".".join(labels[start:]) for start in range(len(labels))]


def _toggle(calendar: Calendar, is_open: bool, *, by: str, now: datetime) -> None:
    calendar.is_open, calendar.toggled_at, calendar.toggled_by = is_open, now, by[:254]
    calendar.save(update_fields=["is_open", "toggled_at", "toggled_by"])
