"""What an ingesting room says of a route: pure functions from a call to a hit and from an outcome to a reply."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Protocol

import msgspec

from analytics.ingest import Outcome
from analytics.ingest.hit import Hit
from analytics.vocabulary import Dialect
from tinytrail.web.call import Call, Limit, Refusal, Reply


@dataclass(slots=True, frozen=True)
class Reading:
    """A call understood: the limits it falls under, and either a hit or a refusal.

    The limits are counted first, whatever the rest says: a malformed call counts too, and over the limit it is
    answered with the limit.
    """

    limits: tuple[Limit, ...]
    hit: Hit | None = None
    refusal: Refusal | None = None


class Endpoint(Protocol):
    """One ingest route of a room. Does no I/O; the clock is given."""

    # For the OpenAPI document: what it is called, does and takes, and its answers by status with their schemas.
    name: ClassVar[str]
    summary: ClassVar[str]
    body: ClassVar[type[msgspec.Struct]]
    answers: ClassVar[Mapping[int, tuple[str, dict[str, Any]]]]

    dialect: ClassVar[Dialect]
    methods: ClassVar[tuple[str, ...]]
    body_limit: ClassVar[int]

    def read(self, call: Call, *, now: datetime) -> Reading: ...

    def preflight(self, call: Call) -> Reply: ...

    def answer(self, call: Call, outcome: Outcome) -> Reply: ...

    def limited(self, call: Call, retry_after: int) -> Reply: ...

    def wrong_method(self, call: Call) -> Refusal: ...
