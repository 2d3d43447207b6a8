"""Near duplicates: what is published or was lately proposed and may be the same event under other words.

Title, place and day are compared, folded. Candidates come of indexed queries for the days around, a bounded number of
them, so that a queue of ten thousand costs no more than one of ten.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils import timezone
from rapidfuzz import fuzz

from submissions import calendars
from submissions.dates import days_of, time_of
from submissions.models import Calendar, CatalogEvent, Submission
from submissions.proposal import Proposal
from submissions.text import folded

NAME = "name"
DATE = "date"
LOCATION = "location"

# Of each, the newest: on the evening of the Fête de la Musique there are hundreds.
MOST_CANDIDATES = 500
MOST_SHOWN = 10
RECENT = timedelta(days=90)
# Of 100: from here on two names, or two places, are one.
ALIKE = 82
# A name or place of which the other one is a part says something from here on: `Paris` is a part of every address.
TELLING_WORDS = 2
TELLING_LETTERS = 8
# Nobody compares more than a few hundred letters.
LONGEST = 240
SYMBOLS = re.compile(r"[\W_]+")
WEIGHTS = {NAME: 0.5, LOCATION: 0.3, DATE: 0.2}
# How far a date on the day before or after agrees.
NEXT_DAY = 50
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Duplicate:
    """Something that may be the same event: published or proposed; exactly one of both is set."""

    event: CatalogEvent | None
    submission: Submission | None
    # 0 to 100.
    score: int
    # Of name, date and location those that agree.
    agrees: tuple[str, ...]


@dataclass(frozen=True)
class Occasion:
    """What is compared of an event: who holds what, where and when."""

    # As it was written; all else is for comparing.
    title: str
    name: str
    location: str
    first: date | None
    last: date | None
    date_text: str
    starts_at: time | None
    # Who proposed it, in lower case; empty when nobody knows.
    email: str

    @classmethod
    def of(cls, proposal: Proposal, *, today: date) -> "Occasion":
        first, last = days_of(proposal.date, today=today) or (None, None)
        return cls(
            title=proposal.event_name,
            name=words(proposal.event_name),
            location=words(proposal.location),
            first=first,
            last=last,
            date_text=folded(proposal.date),
            starts_at=time_of(proposal.start_time),
            email=proposal.host_email.lower(),
        )


@dataclass(frozen=True)
class Match:
    """A candidate that resembles, by its key."""

    event_id: int | None
    submission_id: UUID | None
    title: str
    score: int
    agrees: tuple[str, ...]
    # The same host at another hour: the second show of the evening.
    is_another_show: bool

    @property
    def is_same(self) -> bool:
        return set(self.agrees) == set(WEIGHTS) and not self.is_another_show


def duplicates_of(submission: Submission, *, now: datetime) -> list[Duplicate]:
    """What a moderator should see beside this submission, the likeliest first."""
    # A date without a year was meant from the day it was written.
    written = submission.edited_at or submission.created_at
    occasion = Occasion.of(Proposal.of(submission), today=today_of(submission.calendar, written))
    found = matches(submission.calendar, occasion, now=now, besides=submission.pk)[:MOST_SHOWN]
    own = submission.accepted_event_id
    events = CatalogEvent.objects.in_bulk([match.event_id for match in found if match.event_id not in (None, own)])
    ids = [match.submission_id for match in found if match.submission_id]
    submissions = Submission.objects.select_related("host").in_bulk(ids)
    pairs = ((match, events.get(match.event_id), submissions.get(match.submission_id)) for match in found)
    return [Duplicate(event, other, match.score, match.agrees) for match, event, other in pairs if event or other]


def same_as(calendar: Calendar, proposal: Proposal, *, now: datetime, besides: UUID | None = None) -> list[Match]:
    """What is most likely the same event as this proposal: name, place and day agree."""
    occasion = Occasion.of(proposal, today=today_of(calendar, now))
    return [match for match in matches(calendar, occasion, now=now, besides=besides) if match.is_same]


def matches(calendar: Calendar, occasion: Occasion, *, now: datetime, besides: UUID | None) -> list[Match]:
    """The candidates whose name agrees, and place or day with it, by falling score."""
    compared = [
        compare(occasion, other, event_id=event_id, submission_id=submission_id)
        for event_id, submission_id, other in candidates(calendar, occasion, now=now, besides=besides)
        # Nearly all end here, which halves the time.
        if likeness(occasion.name, other.name) >= ALIKE
    ]
    alike = [match for match in compared if len(match.agrees) > 1]
    return sorted(alike, key=lambda match: (-match.score, match.event_id is None))


def compare(one: Occasion, other: Occasion, *, event_id: int | None, submission_id: UUID | None) -> Match:
    scores = {
        NAME: likeness(one.name, other.name),
        LOCATION: likeness(one.location, other.location),
        DATE: date_likeness(one, other),
    }
    bars = {NAME: ALIKE, LOCATION: ALIKE, DATE: 100}
    return Match(
        event_id=event_id,
        submission_id=submission_id,
        title=other.title,
        score=round(sum(WEIGHTS[field] * score for field, score in scores.items())),
        agrees=tuple(field for field, score in scores.items() if score >= bars[field]),
        is_another_show=is_another_show(one, other),
    )


def likeness(one: str, other: str) -> float:
    """0 to 100. Order does not matter; words that one of both has more than the other weigh little."""
    in_order = fuzz.token_sort_ratio(one, other)
    return max(in_order, fuzz.token_set_ratio(one, other)) if is_telling(one) and is_telling(other) else in_order


def is_telling(text: str) -> bool:
    return len(text.split()) >= TELLING_WORDS and len(text) >= TELLING_LETTERS


def date_likeness(one: Occasion, other: Occasion) -> float:
    if one.first is None or one.last is None or other.first is None or other.last is None:
        return 100 if one.first is other.first is None and one.date_text == other.date_text else 0
    if one.first <= other.last and other.first <= one.last:
        return 100
    return NEXT_DAY if one.first - DAY <= other.last and other.first - DAY <= one.last else 0


def is_another_show(one: Occasion, other: Occasion) -> bool:
    same_host = one.email != "" and one.email == other.email
    return same_host and None not in (one.starts_at, other.starts_at) and one.starts_at != other.starts_at


def words(text: str) -> str:
    """Folded and without punctuation and symbols, unless there is nothing else: `🔥🔥🔥` is a name."""
    return without_symbols(folded(text))


def without_symbols(plain: str) -> str:
    """`words` of what is stored folded already."""
    plain = plain[:LONGEST]
    return SYMBOLS.sub(" ", plain).strip() or plain


Candidate = tuple[int | None, UUID | None, Occasion]


def candidates(calendar: Calendar, occasion: Occasion, *, now: datetime, besides: UUID | None) -> Iterator[Candidate]:
    for row in event_rows(calendar, occasion):
        yield row["id"], None, stored(row, row["starts_on"], row["ends_on"] or row["starts_on"], row["host"])
    for row in submission_rows(calendar, occasion, now=now, besides=besides):
        yield None, row["id"], stored(row, row["starts_on"], row["starts_on"], row["host__email"])


def stored(row: dict[str, Any], first: date | None, last: date | None, email: str | None) -> Occasion:
    date_text = row.get("date") or row.get("payload__date") or ""
    return Occasion(
        row["name"],
        without_symbols(row["name_folded"]) if "name_folded" in row else words(row["name"]),
        without_symbols(row["location_folded"]) if "location_folded" in row else words(row["location"]),
        first,
        last,
        folded(date_text),
        row["starts_at"],
        (email or "").lower(),
    )


def event_rows(calendar: Calendar, occasion: Occasion) -> list[dict[str, Any]]:
    """Live events of the days around, or without a day like this one."""
    around = Q(starts_on=None)
    if occasion.first is not None and occasion.last is not None:
        around = Q(ends_on__gte=occasion.first - DAY, starts_on__lte=occasion.last + DAY)
    found = CatalogEvent.objects.live().filter(around, calendar=calendar).order_by("-starts_on", "-id")
    fields = found.values(
        "id", "name", "location", "date", "starts_on", "ends_on", "starts_at", "submission__host__email"
    )
    return [{**row, "host": row["submission__host__email"]} for row in fields[:MOST_CANDIDATES]]


def submission_rows(
    calendar: Calendar, occasion: Occasion, *, now: datetime, besides: UUID | None
) -> list[dict[str, Any]]:
    """Recent ones of the days around. Not what stands on the calendar, was taken back, or is spam: a bot that copies
    an event must not speak against its host.
    """
    around = Q(starts_on=None)
    if occasion.first is not None and occasion.last is not None:
        around = Q(starts_on__range=(occasion.first - DAY, occasion.last + DAY))
    gone = Q(status=Submission.Status.DECLINED, review_reason__in=[Submission.SPAM_SIGNAL, Submission.WITHDRAWN])
    found = (
        Submission.objects.filter(around, calendar=calendar, created_at__gte=now - RECENT, accepted_event=None)
        .exclude(gone)
        .exclude(pk__in=[besides] if besides else [])
        .order_by("-created_at")
    )
    columns = ("id", "name", "name_folded", "location_folded", "payload__date", "starts_on", "starts_at", "host__email")
    fields = found.values(*columns)
    return [dict(row) for row in fields[:MOST_CANDIDATES]]


def today_of(calendar: Calendar, now: datetime) -> date:
    return timezone.localdate(now, calendars.zone(calendar))
