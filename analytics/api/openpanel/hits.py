"""From a call that may be taken to a hit: one function for each type of call (contract 6.5)."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import msgspec

from analytics.api.openpanel import people, reserved, sender
from analytics.api.openpanel.identity import device_id
from analytics.api.openpanel.payloads import (
    DECODERS,
    MOST_VALUES,
    AssignGroup,
    Count,
    Group,
    Identify,
    Track,
    checked_assignment,
    checked_count,
    checked_group,
    checked_id,
    checked_identify,
    checked_track,
)
from analytics.ids import next_id
from analytics.ingest.hit import Change, Hit
from analytics.vocabulary import Dialect, Type
from tinytrail.web import body
from tinytrail.web.body import BadBody

SCREEN_VIEW = "screen_view"
REVENUE = "revenue"
# The reasons under which parts of calls are counted that are not stored.
WITHOUT_SECRET = "revenue_without_secret"
REPLAY = "replay"


@dataclass(slots=True, frozen=True)
class Sent:
    """A call that may be taken, but for its payload."""

    website_id: int
    now: datetime
    # The visitor's, as far as the sender is believed.
    address: str
    # Whether that is the sender's own, because it has stated no other.
    is_own_address: bool
    user_agent: str
    is_server: bool
    is_verified: bool
    idempotency_key: str

    def told(self, address: str) -> "Sent":
        """With the visitor's address as a payload states it, which counts from who has shown the secret."""
        return replace(self, address=address, is_own_address=False) if address and self.is_verified else self

    def hit(self, **fields: Any) -> Hit:  # noqa: ANN401 (fields of Hit)
        """A hit that is no event, unless `fields` say so."""
        common: dict[str, Any] = {
            "dialect": Dialect.OPENPANEL,
            "id": next_id(),
            "occurred_at": self.now,
            "address": self.address,
            "user_agent": self.user_agent,
            "type": None,
            "is_server": self.is_server,
            "idempotency_key": self.idempotency_key,
        }
        found = Hit(**common | fields)
        # Where a server stands says nothing about where its visitors are.
        if self.is_server and self.is_own_address:
            found.given |= {"country": None, "region": None, "city": None}
        return found


@dataclass(slots=True, frozen=True)
class Understood:
    """A payload that has been read and found right: what makes a hit of it, once it is known whose it is."""

    hit: Callable[[Sent], Hit]
    # What the caller calls the device, and where it says the device is.
    device: str = ""
    address: str = ""
    # Whether it is an event of just now, which a visit is made of.
    is_event: bool = False


def track(raw: msgspec.Raw, now: datetime) -> Understood:
    sent: Track = checked_track(decoded("track", raw))
    profile = "" if sent.profileId is None else checked_id(sent.profileId)
    given = sent.properties or {}
    amount = reserved.revenue(given) if sent.name == REVENUE else None
    rider = riding(given)
    page = reserved.page(given)
    moment = reserved.moment(given, now=now)
    device = reserved.device_id(given)
    address = sender.public(reserved.text(given, "__ip"))

    def hit_of(by: Sent) -> Hit:
        kept = reserved.without_reserved(given)
        left_out = ""
        if amount is not None:
            if by.is_verified:
                kept[reserved.REVENUE] = amount
            else:
                left_out = WITHOUT_SECRET
        if sent.groups:
            kept[reserved.GROUPS] = sent.groups
        by = by.told(address)
        hit = by.hit(
            occurred_at=moment.at,
            type=Type.PAGE_VIEW if sent.name == SCREEN_VIEW and page else Type.OTHER,
            name=sent.name,
            url=page,
            path=reserved.path_of(page),
            referrer=reserved.referrer(given, page),
            properties=kept or None,
            profile=profile or (checked_id(rider.profileId) if rider else ""),
            is_server=by.is_server or moment.is_past,
            device=device,
            left_out=left_out,
            # Past days have no salt any more, and past events no visit that the key would matter to.
            salt_day=now.date() if moment.is_past else None,
        )
        hit.given |= reserved.columns(given)
        if rider and says_more(rider):
            hit.change_of = lambda hit: identified(by, rider, hit)
        elif hit.profile:
            hit.change = people.seen(by.website_id, hit.profile, at=moment.at)
        return hit

    return Understood(hit_of, device, address, is_event=not moment.is_past)


def identify(raw: msgspec.Raw, now: datetime) -> Understood:
    sent = checked_identify(raw, decoded("identify", raw))
    checked_id(sent.profileId)
    return Understood(lambda by: by.hit(name="identify", change_of=lambda hit: identified(by, sent, hit)))


def count(sign: int) -> Callable[[msgspec.Raw, datetime], Understood]:
    """increment with 1, decrement with -1."""

    def read(raw: msgspec.Raw, now: datetime) -> Understood:
        sent: Count = checked_count(decoded("increment", raw))
        checked_id(sent.profileId)
        return Understood(
            lambda by: by.hit(name="count", change=people.counted(by.website_id, sent, at=now, sign=sign))
        )

    return read


def group(raw: msgspec.Raw, now: datetime) -> Understood:
    sent: Group = checked_group(decoded("group", raw))
    return Understood(lambda by: by.hit(name="group", change=people.grouped(by.website_id, sent, at=now)))


def assign_group(raw: msgspec.Raw, now: datetime) -> Understood:
    sent: AssignGroup = checked_assignment(decoded("assign_group", raw))
    profile = "" if sent.profileId is None else checked_id(sent.profileId)

    def assigned(by: Sent, hit: Hit) -> Change:
        return people.assigned(by.website_id, sent, at=now, profile=profile or device_id(hit))

    return Understood(lambda by: by.hit(name="assign_group", change_of=lambda hit: assigned(by, hit)))


def replay(raw: msgspec.Raw, now: datetime) -> Understood:
    """Recordings of screens are not kept (D-20): whatever the chunk is, its sender is not to try again."""
    return Understood(lambda by: by.hit(name=REPLAY, left_out=REPLAY))


def alias(raw: msgspec.Raw, now: datetime) -> Understood:
    raise BadBody("alias", "Alias is not supported")


READERS: dict[str, Callable[[msgspec.Raw, datetime], Understood]] = {
    "track": track,
    "identify": identify,
    "increment": count(1),
    "decrement": count(-1),
    "group": group,
    "assign_group": assign_group,
    "replay": replay,
    "alias": alias,
}


def read(type_: object, raw: msgspec.Raw, *, now: datetime) -> Understood:
    """Raises BadBody for what the contract refuses."""
    reader = READERS.get(type_) if isinstance(type_, str) else None
    if reader is None:
        raise BadBody("unknown_type", f"type must be one of {', '.join(name for name in READERS if name != 'alias')}.")
    return reader(raw, now)


def decoded(type_: str, raw: msgspec.Raw) -> Any:  # noqa: ANN401 (the struct of the type)
    body.check_count(bytes(raw), "payload", MOST_VALUES)
    try:
        return body.decode(DECODERS[type_], bytes(raw))
    except BadBody as bad:
        # Sentences of the decoder's name the field from the payload on.
        raise BadBody(bad.reason, f"payload: {bad}") from None


def riding(properties: dict[str, Any]) -> Identify | None:
    """The identify payload that rides on an event, if there is one."""
    found = properties.get("__identify")
    if found is None:
        return None
    raw = msgspec.Raw(msgspec.json.encode(found))
    rider = checked_identify(raw, decoded("identify", raw))
    checked_id(rider.profileId)
    return rider


def says_more(sent: Identify) -> bool:
    return replace_id(sent) != Identify(profileId="")


def replace_id(sent: Identify) -> Identify:
    return msgspec.structs.replace(sent, profileId="", properties=sent.properties or None)


def identified(by: Sent, sent: Identify, hit: Hit) -> Change:
    return people.identified(by.website_id, sent, at=by.now, facts=people.facts(hit))
