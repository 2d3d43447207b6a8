"""What a room understood of a call, and what became of it."""

from dataclasses import dataclass
from enum import Enum

from analytics.ingest.hit import Hit
from analytics.vocabulary import Dialect
from tinytrail.web.call import Limit, Refusal


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


@dataclass(slots=True, frozen=True)
class Verdict:
    """An outcome; of LIMITED with the whole seconds to the end of the window."""

    outcome: Outcome
    retry_after: int = 0


@dataclass(slots=True, frozen=True)
class Reading:
    """A call understood: the limits it falls under, and either a hit or a refusal.

    The limits are counted first, whatever the rest says: a malformed call counts too, and over the limit it is
    answered with the limit.
    """

    dialect: Dialect
    limits: tuple[Limit, ...]
    hit: Hit | None = None
    refusal: Refusal | None = None
