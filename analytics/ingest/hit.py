"""Hit: one accepted request of any dialect, understood but not yet stored.

It holds the client's address and user agent, so it is never stored, queued or logged, and lives as long as its request.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from analytics.vocabulary import Dialect, Type


@dataclass(slots=True)
class Hit:
    """What a room understood of a request. `occurred_at` is an aware UTC time; `id` orders hits of one instant."""

    dialect: Dialect
    website: UUID
    id: int
    occurred_at: datetime
    address: str
    user_agent: str
    type: Type
    # The type's own name when `type` is OTHER, else the custom event's name when it is CUSTOM, else empty.
    name: str = ""
    url: str = ""
    path: str = ""
    referrer: str = ""
    screen_width: float | None = None
    utm_source: str = ""
    utm_medium: str = ""
    utm_campaign: str = ""
    properties: dict[str, Any] | None = None
    is_server: bool = False
    # What the caller calls this event, to be stored once however often it is sent; empty when it has no name.
    idempotency_key: str = ""
    salt: bytes = b""  # of the day of `occurred_at`
    # What the enrichers have found so far, by column of Event.
    columns: dict[str, Any] = field(default_factory=dict)
