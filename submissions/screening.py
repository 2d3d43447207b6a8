"""Screening: what speaks against a proposal, each signal a sentence with its evidence (product.md, Submissions).

Two signals are the contract's and decline at once; the others decide nothing and only flag. They look at what is
written and never at which words: a poker night, a casino ball and a talk about coins are events. Their figures on a
frozen set of labelled submissions stand in `make bench`.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from submissions.dates import days_of
from submissions.duplicates import Duplicate, Match, duplicates_of, same_as, today_of
from submissions.lookalikes import disguised_words
from submissions.models import Calendar, Submission
from submissions.proposal import Proposal
from submissions.text import collapsed
from submissions.weblinks import PLATFORMS, SHORTENERS, Link, has_markup, is_disposable, links_in

__all__ = ["SIGNALS", "Duplicate", "contract_signals", "duplicates_of", "flags"]

HONEYPOT = "honeypot_filled"
TOO_FAST = "completed_too_fast"
# Nobody fills the form in less (contract 4.5).
FASTEST_SECONDS = 4
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# One's own page may be linked again in the notes; a second one is advertising.
MOST_LINKS = 1
# One address proposes five an hour (contract 4.2): more of one source are several addresses, or about to be refused.
SOURCE_WINDOW = timedelta(hours=1)
MOST_OF_SOURCE = 5
# A couple may share a connection; three hosts within the hour are a crowd, or one with many addresses.
MOST_ADDRESSES = 2
MOST_EVIDENCE = 5
# Where a link has no business: everywhere but in the proof link and the notes.
LINKLESS = {
    "event_name": "name",
    "date": "date",
    "start_time": "start time",
    "location": "location",
    "end_time": "end time",
    "genre": "genre",
    "price": "price",
    "age": "age",
    "indoor_outdoor": "setting",
    "arrondissement": "arrondissement",
}
TEXTS = ("event_name", "location", "genre", "price", "age", "notes")


@dataclass(frozen=True)
class Sight:
    """Everything a signal looks at: the proposal and what is stored beside it."""

    proposal: Proposal
    today: date
    # What is most likely the same event.
    same: list[Match]
    # Of the same source within the hour, this one included: submissions and addresses.
    of_source: int
    addresses: int


@dataclass(frozen=True)
class Finding:
    """Why a moderator should look twice: a sentence for them, and what was found."""

    sentence: str
    evidence: dict[str, Any]


Signal = Callable[[Sight], Finding | None]


def near_duplicate(sight: Sight) -> Finding | None:
    if not sight.same:
        return None
    likest = sight.same[0]
    where = "an event on the calendar" if likest.event_id else "another submission"
    evidence = {"name": likest.title, "likeness": f"{likest.score} of 100", "found": len(sight.same)}
    return Finding(f"Name, place and day agree with {where}.", evidence)


def links_in_text(sight: Sight) -> Finding | None:
    """Links where none belong, several to elsewhere than the proof link and the usual platforms, or hidden ones."""
    proposal = sight.proposal
    misplaced = [label for field, label in LINKLESS.items() if links_in(getattr(proposal, field))]
    if misplaced:
        return Finding(f"There is a link in the {' and the '.join(misplaced)}.", {"fields": misplaced})
    if has_markup(proposal.notes):
        return Finding("The notes have links in the markup of web pages or forums.", shown(links_in(proposal.notes)))
    known = {link.address for link in links_in(proposal.proof_link)}
    elsewhere = [
        link for link in links_in(proposal.notes) if link.address not in known and not link.leads_to(PLATFORMS)
    ]
    if len(elsewhere) <= MOST_LINKS:
        return None
    return Finding(f"The notes have {len(elsewhere)} links beside the proof link.", shown(elsewhere))


def shortened_link(sight: Sight) -> Finding | None:
    links = links_in(sight.proposal.proof_link) + links_in(sight.proposal.notes)
    hidden = [link for link in links if link.leads_to(SHORTENERS)]
    return Finding("A shortened link hides where it leads.", shown(hidden)) if hidden else None


def disposable_mail(sight: Sight) -> Finding | None:
    """The evidence is the domain: what stands before the @ is nobody's business here."""
    email = sight.proposal.host_email
    if not is_disposable(email):
        return None
    return Finding("The e-mail address is a disposable one.", {"domain": email.rpartition("@")[2]})


def date_in_past(sight: Sight) -> Finding | None:
    days = days_of(sight.proposal.date, today=sight.today)
    if days is None or days[1] >= sight.today:
        return None
    return Finding("The event is over already.", {"date": days[1].isoformat()})


def mixed_scripts(sight: Sight) -> Finding | None:
    found = [word for field in TEXTS for word in disguised_words(getattr(sight.proposal, field))]
    if not found:
        return None
    return Finding(
        "Words are written with letters of another script that look like Latin ones.", {"words": found[:MOST_EVIDENCE]}
    )


def many_from_one_source(sight: Sight) -> Finding | None:
    if sight.of_source <= MOST_OF_SOURCE and sight.addresses <= MOST_ADDRESSES:
        return None
    evidence = {"submissions": sight.of_source, "e-mail addresses": sight.addresses}
    return Finding("The same source has proposed much within an hour.", evidence)


# Each with a name that stays: rows and exports hold it.
SIGNALS: dict[str, Signal] = {
    "near_duplicate": near_duplicate,
    "links_in_text": links_in_text,
    "shortened_link": shortened_link,
    "disposable_mail": disposable_mail,
    "date_in_past": date_in_past,
    "mixed_scripts": mixed_scripts,
    "many_from_one_source": many_from_one_source,
}


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
    """What the other signals notice, as it is stored. `besides` is the submission itself when it is stored already."""
    sight = seen(calendar, proposal, source_ip_hash=source_ip_hash, now=now, besides=besides)
    found = ((name, signal(sight)) for name, signal in SIGNALS.items())
    return [
        {"signal": name, "sentence": finding.sentence, "evidence": finding.evidence}
        for name, finding in found
        if finding is not None
    ]


def seen(calendar: Calendar, proposal: Proposal, *, source_ip_hash: str, now: datetime, besides: UUID | None) -> Sight:
    addresses = addresses_of(calendar, source_ip_hash, now=now, besides=besides)
    return Sight(
        proposal=proposal,
        today=today_of(calendar, now),
        same=same_as(calendar, proposal, now=now, besides=besides),
        of_source=len(addresses) + 1,
        addresses=len({*addresses, proposal.host_email.lower()}),
    )


def addresses_of(calendar: Calendar, source_ip_hash: str, *, now: datetime, besides: UUID | None) -> list[str]:
    """The hosts' addresses of what the source has lately proposed, one for each; none of a source that is forgotten."""
    if not source_ip_hash:
        return []
    lately = Submission.objects.filter(
        source_ip_hash=source_ip_hash, created_at__gt=now - SOURCE_WINDOW, created_at__lte=now, calendar=calendar
    ).exclude(pk__in=[besides] if besides else [])
    emails = lately.values_list("host__email", flat=True)[: 10 * MOST_OF_SOURCE]
    return [(email or "").lower() for email in emails]


def shown(links: list[Link]) -> dict[str, Any]:
    return {"links": [collapsed(link.text)[:200] for link in links[:MOST_EVIDENCE]]}
