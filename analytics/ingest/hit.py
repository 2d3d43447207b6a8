"""Hit: one accepted request of any dialect, understood but not yet stored.

It holds the client's address and user agent, so it is never stored, queued or logged, and lives as long as its request.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from analytics.vocabulary import Dialect, Type


@dataclass(slots=True, frozen=True)
class Change:
    """Something besides events that is to change in the same transaction: an order, a profile.

    `kind` names a function of the database in `ingest.changes`; `data` is the JSON value it is given.
    """

    kind: str
    data: bytes
    # Whether making it twice is the same as making it once: then it needs no name.
    is_repeatable: bool = False


@dataclass(slots=True)
class Hit:
    """What a room understood of a request. `occurred_at` is an aware UTC time; `id` orders hits of one instant."""

    dialect: Dialect
    id: int
    occurred_at: datetime
    address: str
    user_agent: str
    # None when no event is to be stored, but only the change.
    type: Type | None
    # The event's own name when its type is one of vocabulary.NAMED, or when its dialect has another word for it.
    name: str = ""
    url: str = ""
    path: str = ""
    referrer: str = ""
    screen_width: float | None = None
    utm_source: str = ""
    utm_medium: str = ""
    utm_campaign: str = ""
    properties: dict[str, Any] | None = None
    client_session: str = ""
    profile: str = ""
    is_authenticated: bool = False
    is_server: bool = False
    # What the caller calls the device, which then stands for address and user agent in the visitor key.
    device: str = ""
    change: Change | None = None
    # As `change`, of what is known only once the enrichers have had their say.
    change_of: "Callable[[Hit], Change] | None" = None
    # A part of the call that is not stored, by the reason under which it is counted.
    left_out: str = ""
    # The day whose salt makes the visitor key; None for that of `occurred_at`. Past days have none any more.
    salt_day: date | None = None
    # What the caller calls this event, to be stored once however often it is sent; empty when it has no name.
    idempotency_key: str = ""
    salt: bytes = b""  # of `salted_on`
    # Columns that the room knows better than the enrichers.
    given: dict[str, Any] = field(default_factory=dict)
    # What the enrichers have found so far, by column of Event.
    columns: dict[str, Any] = field(default_factory=dict)

    @property
    def salted_on(self) -> date:
        return self.salt_day or self.occurred_at.date()
