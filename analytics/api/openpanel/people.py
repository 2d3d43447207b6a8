"""What a call changes about people and groups, as the database's function takes it (migration 0012)."""

from datetime import datetime
from typing import Any

import msgspec

from analytics.api.openpanel.payloads import AssignGroup, Count, Group, Identify, checked_id
from analytics.api.openpanel.reserved import EVENTS_ONLY
from analytics.ingest.hit import Change, Hit
from analytics.vocabulary import BROWSERS, DEVICES, SYSTEMS, Device

KIND = "profile"
OTHER = 0


def seen(website_id: int, profile: str, *, at: datetime) -> Change:
    """The person did something."""
    return change("seen", website_id, profile, at, is_repeatable=True)


def identified(website_id: int, sent: Identify, *, at: datetime, facts: dict[str, Any]) -> Change:
    """`facts` are what the request tells of the device; what the caller says of it wins."""
    own = {name: value for name, value in (sent.properties or {}).items() if name not in EVENTS_ONLY}
    return change(
        "identify",
        website_id,
        checked_id(sent.profileId),
        at,
        first_name=sent.firstName or None,
        last_name=sent.lastName or None,
        email=sent.email or None,
        avatar=sent.avatar or None,
        properties=said({**facts, **said(own)}),
        groups=sent.groups or [],
    )


def counted(website_id: int, sent: Count, *, at: datetime, sign: int) -> Change:
    return change(
        "add",
        website_id,
        checked_id(sent.profileId),
        at,
        property=sent.property,
        value=(sent.value or 1) * sign,
    )


def assigned(website_id: int, sent: AssignGroup, *, at: datetime, profile: str) -> Change:
    return change("assign", website_id, profile, at, groups=sent.groupIds)


def grouped(website_id: int, sent: Group, *, at: datetime) -> Change:
    return change(
        "group", website_id, sent.id, at, type=sent.type, name=sent.name, properties=said(sent.properties or {})
    )


def change(
    does: str, website_id: int, id_: str, at: datetime, *, is_repeatable: bool = False, **more: object
) -> Change:
    data = {"does": does, "website": website_id, "id": id_, "at": at.isoformat(), **more}
    return Change(KIND, msgspec.json.encode(data), is_repeatable=is_repeatable)


def said(properties: dict[str, Any]) -> dict[str, Any]:
    """Without what is absent or empty, which leaves what is known as it is (contract 6.5)."""
    found = {name: said(value) if isinstance(value, dict) else value for name, value in properties.items()}
    return {name: value for name, value in found.items() if value not in (None, "")}


def facts(hit: Hit) -> dict[str, Any]:
    """What an enriched hit of a real device tells of where a person is, and with what; of a server's nothing."""
    if hit.is_server:
        return {}
    columns = hit.columns
    kind = Device(columns["device"])
    found = {
        "country": columns["country"],
        "region": columns["region"],
        "city": columns["city"],
        "browser": BROWSERS[columns["browser"]] if columns["browser"] != OTHER else None,
        "os": SYSTEMS[columns["os"]] if columns["os"] != OTHER else None,
        "device": DEVICES[kind] if kind is not Device.UNKNOWN else None,
    }
    return {name: value for name, value in found.items() if value}
