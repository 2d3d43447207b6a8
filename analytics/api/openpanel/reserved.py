"""The properties whose names begin with two underscores: what a client says beside its own (contract 6.6)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from analytics.ingest import device
from analytics.ingest.referrer import hostname
from analytics.vocabulary import DEVICES
from tinytrail.web.body import GREATEST_INTEGER, BadBody

# Read and then left out: they stand in columns of their own, or say too much of a person to be kept.
READ = frozenset({"__path", "__referrer", "__timestamp", "__ip", "__deviceId", "__identify", "__revenue"})
# Verdicts of the server's: a client's word on them counts for nothing.
VERDICTS = frozenset({"__bot", "__bot_reasons", "__hash", "__query", "__bounce"})
NOT_KEPT = READ | VERDICTS
# What the whole list is for a person's properties, which are no event's.
EVENTS_ONLY = NOT_KEPT | {"__title"}
GROUPS = "__groups"
REVENUE = "__revenue"

LONGEST_DEVICE_ID = 64
LONGEST_URL = 4096
LONGEST_REFERRER = 2048
# A clock may run ahead a little; what is older than the second came from somebody's queue.
AHEAD = timedelta(minutes=1)
LATE = timedelta(minutes=15)
DEVICE_NUMBERS = {word: number for number, word in DEVICES.items()}


@dataclass(slots=True, frozen=True)
class Moment:
    """When an event happened, and whether that is too long ago for a visit (definitions 4)."""

    at: datetime
    is_past: bool


def without_reserved(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in properties.items() if name not in NOT_KEPT}


def text(properties: Mapping[str, Any], name: str) -> str:
    value = properties.get(name)
    return value.strip() if isinstance(value, str) else ""


def page(properties: Mapping[str, Any]) -> str:
    """The page as an address or a route. Old clients had no underscores, and their word counts if it looks like one."""
    if path := text(properties, "__path"):
        return path[:LONGEST_URL]
    path = text(properties, "path")
    return path[:LONGEST_URL] if path.startswith(("/", "http://", "https://")) else ""


def path_of(page: str) -> str:
    """The path of an address; of a route the route. Its query and fragment are not kept."""
    if "://" not in page.partition("?")[0]:
        return page
    try:
        return urlsplit(page).path or "/"
    except ValueError:
        return "/"


def referrer(properties: Mapping[str, Any], page: str) -> str:
    """Where the visitor came from; nowhere, when that is the host that the page is on."""
    found = (text(properties, "__referrer") or text(properties, "referrer"))[:LONGEST_REFERRER]
    return "" if found and (own := host(page)) and host(found) == own else found


def host(url: str) -> str | None:
    try:
        return hostname(urlsplit(url).netloc.lower()) if "://" in url else None
    except ValueError:
        return None


def device_id(properties: Mapping[str, Any]) -> str:
    """What the caller calls the device; empty when that is no name of 1 to 64 characters."""
    found = text(properties, "__deviceId")
    return found if len(found) <= LONGEST_DEVICE_ID else ""


def columns(properties: Mapping[str, Any]) -> dict[str, Any]:
    """What the caller knows better than the user agent tells."""
    found: dict[str, Any] = {}
    if system := text(properties, "__os"):
        found["os"] = device.system_number(system)
    if browser := text(properties, "__browser"):
        found["browser"] = device.browser_number(browser)
    if (kind := text(properties, "__device").lower()) in DEVICE_NUMBERS:
        found["device"] = DEVICE_NUMBERS[kind]
    return found


def revenue(properties: Mapping[str, Any]) -> int | None:
    """The amount of an event named revenue. Raises BadBody for what is none."""
    value = properties.get(REVENUE)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if value is None or (type(value) is int and 0 <= value <= GREATEST_INTEGER):
        return value
    raise BadBody("invalid_field", "payload.properties.__revenue must be a whole number from 0 to 2^53.")


def moment(properties: Mapping[str, Any], *, now: datetime) -> Moment:
    """When it happened; now, when that cannot be read or has yet to come. Raises BadBody when it is too long ago."""
    found = parsed(properties.get("__timestamp"))
    if found is None or found > now + AHEAD:
        return Moment(now, is_past=False)
    # A day short of the retention, so that no day is written to that is final.
    if found < now - timedelta(days=settings.RETENTION_DAYS - 1):
        raise BadBody(
            "too_old",
            f"payload.properties.__timestamp lies before the {settings.RETENTION_DAYS} days that events are kept for.",
        )
    return Moment(found, is_past=found < now - LATE)


def parsed(value: object) -> datetime | None:
    """ISO 8601, the date of a mail or a header, or milliseconds since 1970; without an offset it is UTC."""
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value / 1000, UTC)
        if not isinstance(value, str) or len(value) > 100:
            return None
        try:
            found = datetime.fromisoformat(value.strip())
        except ValueError:
            found = parsedate_to_datetime(value)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError, OSError, TypeError, IndexError):
        return None
