"""Screening: what speaks against a proposal, each signal a sentence with its evidence (product.md, Submissions).

Two signals are the contract's and decline at once; the others decide nothing and only flag.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from submissions.dates import day_of
from submissions.models import Calendar, CatalogEvent, Submission
from submissions.proposal import Proposal

HONEYPOT = "honeypot_filled"
TOO_FAST = "completed_too_fast"
# Nobody fills the form in less (contract 4.5).
FASTEST_SECONDS = 4
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Sight:
    """Everything a signal looks at: the proposal and what is stored beside it."""

    proposal: Proposal
    today: date
    day: date | None


@dataclass(frozen=True)
class Finding:
    """Why a moderator should look twice: a sentence for them, and what was found."""

    sentence: str
    evidence: dict[str, Any]


@dataclass(frozen=True)
class Duplicate:
    """Something that may be the same event: published or proposed; exactly one of both is set."""

    event: CatalogEvent | None
    submission: Submission | None
    # 0 to 100.
    score: int
    # Of name, date and location those that agree.
    agrees: tuple[str, ...]


Signal = Callable[[Sight], Finding | None]
SIGNALS: dict[str, Signal] = {}


def contract_signals(*, honeypot: str, form_started_at: str, now: datetime) -> dict[str, Any]:
    """The signals that decline, as they are stored (contract 4.5); `reasons` is empty for a clean proposal."""
    seconds = completion_seconds(form_started_at, now)
    # A lone space fills it, too (D-30).
    filled = honeypot != ""
    too_fast = seconds is not None and seconds < FASTEST_SECONDS
    return {
        "honeypotFilled": filled,
        "completedTooFast": too_fast,
        "completionSeconds": seconds,
        "reasons": [name for name, found in ((HONEYPOT, filled), (TOO_FAST, too_fast)) if found],
    }


def completion_seconds(form_started_at: str, now: datetime) -> float | None:
    """How long the form was open, to two decimals. None when that is absent, unreadable or in the future."""
    try:
        started = datetime.fromisoformat(form_started_at.strip())
    except ValueError:
        return None
    started = started if started.tzinfo else started.replace(tzinfo=UTC)
    if not EPOCH < started <= now:
        return None
    # Half a hundredth goes up, as JavaScript rounds.
    return math.floor((now - started).total_seconds() * 100 + 0.5) / 100


def flags(
    calendar: Calendar, proposal: Proposal, *, source_ip_hash: str, now: datetime, besides: UUID | None = None
) -> list[dict[str, Any]]:
    """What the other signals notice, as it is stored. `besides` is the submission that this is an edit of."""
    sight = Sight(proposal, now.date(), day_of(proposal.date, today=now.date()))
    found = ((name, signal(sight)) for name, signal in SIGNALS.items())
    return [
        {"signal": name, "sentence": finding.sentence, "evidence": finding.evidence}
        for name, finding in found
        if finding is not None
    ]
