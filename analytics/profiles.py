"""One person: what is known, what they did, all of it to take away, and all of it gone (guarantee P18)."""

from collections import defaultdict
from collections.abc import Collection, Container, Iterator
from typing import Any
from uuid import UUID

import msgspec
from django.db import connection, transaction
from django.db.models import QuerySet

from accounts import audit, erasures
from accounts.models import Erasure, User, Website
from analytics.ingest import outage
from analytics.ingest.row import LENGTH
from analytics.models import BuiltDay, Event, Group, Profile, Quarantine
from analytics.vocabulary import BROWSERS, CHANNELS, DEVICES, SCREENS, SYSTEMS, Device, Dialect, Screen, Type

NOTE = "INSERT INTO analytics_dirtyday (website_id, day) SELECT %s, unnest(%s::date[])"


def events_of(profile: Profile) -> QuerySet[Event]:
    """What the person did, newest first."""
    return Event.objects.filter(website_id=profile.website_id, profile=profile.profile_id).order_by(
        "-occurred_at", "-id"
    )


def visible_to(user: User) -> QuerySet[Profile]:
    return Profile.objects.filter(website_id__in=Website.objects.visible_to(user).values("id"))


def counters(properties: dict[str, Any], before: str = "") -> Iterator[tuple[str, int | float]]:
    """The numbers among the properties, by the names that increment knows them by."""
    for name, value in properties.items():
        if isinstance(value, dict):
            yield from counters(value, f"{before}{name}.")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield f"{before}{name}", value


def everything(profile: Profile) -> Iterator[bytes]:
    """All there is about the person, as JSON in pieces: events may be many."""
    groups = Group.objects.filter(website_id=profile.website_id, group_id__in=profile.groups).order_by("group_id")
    known = {
        "profileId": profile.profile_id,
        "firstName": profile.first_name,
        "lastName": profile.last_name,
        "email": profile.email,
        "avatar": profile.avatar,
        "properties": profile.properties,
        "groups": profile.groups,
        "createdAt": profile.created_at,
        "firstSeenAt": profile.first_seen_at,
        "lastSeenAt": profile.last_seen_at,
    }
    belongs = [{"id": group.group_id, "type": group.type, "name": group.name} for group in groups]
    yield b'{"profile":' + msgspec.json.encode(known) + b',"groups":' + msgspec.json.encode(belongs) + b',"events":['
    for number, event in enumerate(events_of(profile).iterator(1_000)):
        yield (b"," if number else b"") + msgspec.json.encode(in_words(event))
    yield b"]}"


def in_words(event: Event) -> dict[str, Any]:
    """Every column of an event but whose website and whose person it is."""
    return {
        "id": str(event.id),
        "occurredAt": event.occurred_at,
        "type": Type(event.type).name.lower(),
        "name": event.name or Type(event.type).name.lower(),
        "dialect": Dialect(event.dialect).word,
        "path": event.path,
        "contentGroup": event.content_group,
        "referrer": event.referrer,
        "channel": CHANNELS.get(event.channel),  # type: ignore[call-overload] # a number of its own
        "utmSource": event.utm_source,
        "utmMedium": event.utm_medium,
        "utmCampaign": event.utm_campaign,
        "browser": BROWSERS[event.browser],
        "os": SYSTEMS[event.os],
        "device": DEVICES[Device(event.device)],
        "screen": SCREENS[Screen(event.screen)],
        "isBot": event.is_bot,
        "isExcluded": event.is_excluded,
        "isAuthenticated": event.is_authenticated,
        "isServer": event.is_server,
        "country": event.country,
        "region": event.region,
        "city": event.city,
        "visitor": f"{event.visitor & (2**64 - 1):016x}",
        "clientSession": event.client_session,
        "properties": event.properties or {},
    }


def erase(profile: Profile, *, by: User | None) -> int:
    """Leave nothing of the person in any table; returns how many events went.

    The days they fall into are built anew, without them. What waits for the database comes in first, so that it is
    found; raises RedisError when nobody can say whether something does.
    """
    outage.drain()
    return erase_stored(profile, by=by)


@transaction.atomic
def erase_stored(profile: Profile, *, by: User | None) -> int:
    website = public_id(profile)
    gone = leave_nothing(profile)
    audit.record("profile.erase", website, by=by)
    erasures.note(Erasure.Kind.PROFILE, f"{website}|{mark(website, profile.profile_id)}")
    return gone


def mark(website: UUID, profile_id: str) -> str:
    """What stands for the person in the journal of erasures."""
    return erasures.mark("profile", str(website), profile_id)


def erase_again(subjects: Collection[str]) -> int:
    """Of a database that was restored: leave nothing of those in the journal. Returns how many people went."""
    gone = 0
    for public_id, marks in by_website(subjects).items():
        for website in Website.objects.filter(public_id=public_id):
            people = Profile.objects.filter(website_id=website.id)
            for profile in list(found_by(marks, website, people)):
                with transaction.atomic():
                    leave_nothing(profile)
                gone += 1
    return gone


def by_website(subjects: Collection[str]) -> dict[str, set[str]]:
    marks: dict[str, set[str]] = defaultdict(set)
    for subject in subjects:
        public_id, _, one = subject.partition("|")
        marks[public_id].add(one)
    return marks


def found_by(marks: Container[str], website: Website, people: QuerySet[Profile]) -> Iterator[Profile]:
    for profile in people.iterator(10_000):
        if mark(website.public_id, profile.profile_id) in marks:
            yield profile


def leave_nothing(profile: Profile) -> int:
    """Within a transaction. Returns how many events went."""
    events = events_of(profile)
    days = {moment.date() for moment in events.values_list("occurred_at", flat=True).iterator(10_000)}
    final = BuiltDay.objects.filter(website_id=profile.website_id, day__in=days, is_final=True)
    days -= set(final.values_list("day", flat=True))
    gone, _ = events.order_by().delete()
    with connection.cursor() as cursor:
        cursor.execute(NOTE, [profile.website_id, sorted(days)])
    for kept in Quarantine.objects.filter(website_id=profile.website_id):
        if is_about(kept, profile.profile_id):
            kept.delete()
    Profile.objects.filter(pk=profile.pk).delete()
    return gone


def record_export(profile: Profile, *, by: User) -> None:
    """The log names the website, never the person."""
    audit.record("profile.export", public_id(profile), by=by)


def public_id(profile: Profile) -> UUID:
    return Website.objects.values_list("public_id", flat=True).get(id=profile.website_id)


def is_about(kept: Quarantine, profile_id: str) -> bool:
    """Whether a row in quarantine holds the id, as a text of the event or as that of the change."""
    raw = profile_id.encode()
    if LENGTH.pack(len(raw)) + raw in bytes(kept.data):
        return True
    change = msgspec.json.decode(bytes(kept.change)) if kept.change_kind == "profile" and kept.change else {}
    return change.get("id") == profile_id


def shown(website_ids: list[int], limit: int | None) -> list[dict[str, Any]]:
    """For the command `show profiles`: the newest first."""
    found = Profile.objects.filter(website_id__in=website_ids).order_by("-last_seen_at", "-id")[:limit]
    return [
        {
            "profileId": profile.profile_id,
            "firstName": profile.first_name,
            "lastName": profile.last_name,
            "email": profile.email,
            "properties": profile.properties,
        }
        for profile in found
    ]
