"""What a room understood of a call, and what became of it."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from analytics.ingest.grants import Grant, Source
from analytics.ingest.hit import Hit
from analytics.vocabulary import Dialect
from tinytrail.web.call import Limit, Memo, Refusal
from tinytrail.web.ratelimit import Window


class Outcome(Enum):
    """What became of a call. The value is the reason under which it is counted when nothing was stored."""

    STORED = "stored"
    BOT = "bot"  # stored with the flag
    EXCLUDED = "excluded"  # stored with the flag
    REFUSED = "refused"  # counted under the refusal's own reason
    LIMITED = "rate_limited"
    UNKNOWN_WEBSITE = "unknown_website"
    UNAVAILABLE = "storage_unavailable"
    OVERLOADED = "overloaded"
    # The visitor asks not to be tracked, and the website heeds that.
    SIGNALLED = "privacy_signal"
    # Its change contradicts what is stored, or cannot be made.
    CONFLICT = "conflict"
    IMPOSSIBLE = "impossible_change"


@dataclass(slots=True, frozen=True)
class Verdict:
    """An outcome; of LIMITED with the whole seconds to the end of the window, of REFUSED with the refusal."""

    outcome: Outcome
    retry_after: int = 0
    refusal: Refusal | None = None
    # What was ingested, with the columns that the enrichers found.
    hit: Hit | None = None
    windows: tuple[Window, ...] = ()
    # The reading's memo, and what is remembered.
    memo: Memo | None = None
    remembered: str = ""


# What a call turns out to be once its source is known; given None when there is no such source.
Admission = Callable[[Grant | None], Hit | Refusal]


@dataclass(slots=True, frozen=True)
class Reading:
    """A call understood: the limits it falls under, and either a hit or a refusal, or how to tell.

    The limits are counted first, whatever the rest says: a malformed call counts too, and over the limit it is
    answered with the limit. Then its source is looked up, and `admit`, where there is one, says what the call is; it
    does no I/O.
    """

    dialect: Dialect
    limits: tuple[Limit, ...]
    hit: Hit | None = None
    refusal: Refusal | None = None
    source: Source | None = None
    admit: Admission | None = None
    memo: Memo | None = None
    # Whether the visitor's browser asks not to be tracked (guarantee P09).
    is_signalled: bool = False
