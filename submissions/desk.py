"""The moderator's desk: what the page of a submission shows, and what each of its buttons does.

A step is one click or key. It calls the verb of the same name, says in a sentence what happened, and names the page
that comes next. Steps that can be taken back stand on a short list in the moderator's session, the last one on top.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.http import HttpRequest, QueryDict
from django.urls import reverse
from django.utils.dateparse import parse_datetime

from accounts.models import User
from submissions import batches, measures, review
from submissions.correction import correct
from submissions.links import event_path
from submissions.models import Batch, Decision, Submission
from submissions.prooflink import normalised
from submissions.proposal import FIELDS
from submissions.screening import Duplicate, duplicates_of
from submissions.text import folded

# What the page calls the fields of the contract, in the order of thought.
LABELS = {
    "eventName": "Event",
    "date": "Date",
    "startTime": "Starts",
    "endTime": "Ends",
    "location": "Place",
    "arrondissement": "District",
    "genre": "Genre",
    "price": "Price",
    "age": "Age",
    "indoorOutdoor": "Indoor or outdoor",
    "notes": "Notes",
    "proofLink": "Proof link",
}
COMPARED = ("eventName", "date", "startTime", "location", "proofLink")
# What screening says agrees, by our names of its fields.
AGREES = {"name": "eventName", "date": "date", "location": "location"}
EVENT_FIELDS = {
    "eventName": "name",
    "date": "date",
    "startTime": "start_time",
    "location": "location",
    "proofLink": "url",
}
CONTRACT_SIGNALS = {
    "honeypot_filled": "A field that people cannot see was filled in.",
    "completed_too_fast": "The form was filled in faster than people type.",
}
MOST_DUPLICATES = 3
UNDO_KEY = "review_undo"
MOST_UNDO = 20


@dataclass(frozen=True)
class Line:
    """A field as it stands on the page: what was written, and what was read of it."""

    name: str
    label: str
    text: str
    read_as: str = ""
    # What was written cannot be read: somebody should look.
    is_unread: bool = False
    # Of a link that may be followed.
    href: str = ""
    host: str = ""


@dataclass(frozen=True)
class Rival:
    """A possible duplicate: its texts in the order of COMPARED, and whether each agrees."""

    title: str
    score: int
    cells: list[tuple[str, bool]]
    # Where it can be read.
    link: str


# -- what the page shows ----------------------------------------------------------------------------------------------


def lines(submission: Submission) -> list[Line]:
    return [line_of(submission, name) for name in LABELS if submission.wrote(name)]


def line_of(submission: Submission, name: str) -> Line:
    text, label = submission.wrote(name), LABELS[name]
    if name == "date":
        day = submission.starts_on
        read_as = f"{day:%A} {day.day} {day:%B %Y}" if day else "No day could be read of this."
        return Line(name, label, text, read_as, is_unread=day is None)
    if name == "startTime" and submission.starts_at:
        read_as = f"{submission.starts_at:%H:%M}"
        return Line(name, label, text, read_as if read_as != text else "")
    if name == "startTime":
        return Line(name, label, text, "No time could be read of this.", is_unread=True)
    if name == "proofLink" and (href := normalised(text)):
        return Line(name, label, text, href=href, host=urlsplit(href).hostname or "")
    return Line(name, label, text)


def signals(submission: Submission) -> list[str]:
    """The signals as sentences, those that declined it first."""
    found = [CONTRACT_SIGNALS[name] for name in submission.spam_signals.get("reasons", []) if name in CONTRACT_SIGNALS]
    return found + [str(flag["sentence"]) for flag in submission.flags]


def evidence(submission: Submission) -> list[tuple[str, list[tuple[str, str]]]]:
    """The signals with what was found."""
    seconds = submission.spam_signals.get("completionSeconds")
    contract = [("filled in within", f"{seconds} s")] if seconds is not None else []
    told = signals(submission)
    flags = [[(str(name), said(value)) for name, value in flag["evidence"].items()] for flag in submission.flags]
    return list(zip(told, [contract] * (len(told) - len(flags)) + flags, strict=True))


def said(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def may_reopen(submission: Submission) -> bool:
    return submission.status == Submission.Status.DECLINED and submission.review_reason != Submission.WITHDRAWN


def corrections(submission: Submission) -> list[tuple[str, str, str, int]]:
    """Name, label, text and longest length of what can be put right."""
    longest = {field.name: field.most for field in FIELDS.values()}
    return [(name, label, submission.wrote(name), longest[name]) for name, label in LABELS.items()]


def distance(day: date | None, today: date) -> str:
    """How soon a day is, in words."""
    if day is None:
        return "day not known"
    days = (day - today).days
    if days < 0:
        return "over"
    return {0: "today", 1: "tomorrow"}.get(days, f"in {days} days")


def rivals(submission: Submission, *, now: datetime) -> list[Rival]:
    found = duplicates_of(submission, now=now)
    return [rival_of(duplicate, beside=submission) for duplicate in found[:MOST_DUPLICATES]]


def rival_of(duplicate: Duplicate, *, beside: Submission) -> Rival:
    """As it stands beside a submission of the same calendar."""
    event, other = duplicate.event, duplicate.submission
    if event is not None:
        event.calendar = beside.calendar
        title, link = "On the calendar", event_path(event)
        texts = [str(getattr(event, EVENT_FIELDS[name])) for name in COMPARED]
    else:
        assert other is not None  # one of both is set
        title, link = f"Proposed, {other.status}", reverse("admin:submissions_submission_change", args=[other.pk])
        texts = [other.wrote(name) for name in COMPARED]
    agreeing = {AGREES.get(name, name) for name in duplicate.agrees}
    cells = [
        (text, name in agreeing or is_same(text, beside.wrote(name)))
        for name, text in zip(COMPARED, texts, strict=True)
    ]
    return Rival(title, duplicate.score, cells, link)


def is_same(text: str, other: str) -> bool:
    return bool(text) and folded(text) == folded(other)


@dataclass(frozen=True)
class Row:
    """A line of the side-by-side table: a field, what this submission says, and what each rival says."""

    label: str
    text: str
    cells: list[tuple[str, bool]]


def compared(submission: Submission, rivals: list[Rival]) -> list[Row]:
    return [
        Row(LABELS[name], submission.wrote(name), [rival.cells[position] for rival in rivals])
        for position, name in enumerate(COMPARED)
    ]


def waited(submission: Submission, now: datetime) -> str:
    return measures.in_words(max((submission.reviewed_at or now) - submission.created_at, timedelta()))


def sentence_of_the_end(user: User, *, now: datetime) -> str:
    """What a moderator reads who has nothing left to decide."""
    submissions = Submission.objects.visible_to(user)
    median = measures.wait(submissions, now=now).median
    left = submissions.pending().count()
    told = f"Queue empty, median wait {measures.in_words(median)}." if median is not None else "Queue empty."
    if not left:
        return told
    waits = "submission waits for its host or is" if left == 1 else "submissions wait for their hosts or are"
    return f"{told} {left} {waits} open in another browser."


# -- steps ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Taken:
    """What came of a step: a sentence, and whether the next submission opens."""

    sentence: str
    goes_on: bool = True


def accept(request: HttpRequest, submission: Submission, *, actor: User, now: datetime) -> Taken:
    review.accept(submission.id, now=now, seen_at=seen_at(request.POST), **hand(actor))
    remember_decision(request, submission, actor)
    return Taken(f"“{submission.name}” is on the calendar.")


def decline(request: HttpRequest, submission: Submission, *, actor: User, now: datetime) -> Taken:
    reason = request.POST.get("reason", "")
    if reason == review.OTHER:
        reason = request.POST.get("other", "")
        if not reason.strip():
            raise review.Unsuitable("For another reason, write the reason itself.")
    message = request.POST.get("message", "")
    review.decline(submission.id, reason=reason, message=message, now=now, seen_at=seen_at(request.POST), **hand(actor))
    remember_decision(request, submission, actor)
    return Taken(f"“{submission.name}” is declined.")


def ask(request: HttpRequest, submission: Submission, *, actor: User, now: datetime) -> Taken:
    review.ask(submission.id, text=request.POST.get("text", ""), now=now, **hand(actor))
    return Taken(f"The host of “{submission.name}” is asked.")


def skip(request: HttpRequest, submission: Submission, *, actor: User, now: datetime) -> Taken:
    review.skip(submission.id, actor=actor, now=now)
    remember(request, "skip", submission.id, f"“{submission.name}” skipped")
    return Taken(f"“{submission.name}” is skipped: it comes last in your queue.")


def reopen(request: HttpRequest, submission: Submission, *, actor: User, now: datetime) -> Taken:
    review.reopen(submission.id, now=now, **hand(actor))
    remember_decision(request, submission, actor)
    return Taken(f"“{submission.name}” is pending again.", goes_on=False)


def put_right(request: HttpRequest, submission: Submission, *, actor: User, now: datetime) -> Taken:
    given = {name: request.POST[name] for name in LABELS if name in request.POST}
    changed = correct(submission.id, given, actor=actor, now=now, seen_at=seen_at(request.POST))
    if not changed:
        return Taken("Nothing was changed.", goes_on=False)
    return Taken(f"Corrected: {', '.join(LABELS[name].lower() for name in changed)}.", goes_on=False)


Step = Callable[..., Taken]
STEPS: dict[str, Step] = {
    "accept": accept,
    "decline": decline,
    "ask": ask,
    "skip": skip,
    "reopen": reopen,
    "correct": put_right,
}


def hand(actor: User) -> dict[str, Any]:
    """Whose hand it is: contract 4.6 keeps `admin-panel`, the audit log the person."""
    return {"by": Submission.ADMIN_PANEL, "actor": actor}


def seen_at(given: QueryDict) -> datetime | None:
    """When the page was made on which somebody clicked; None when it does not say so."""
    try:
        found = parse_datetime(given.get("seen_at", ""))
    except ValueError:
        return None
    return found if found and found.tzinfo else None


# -- undoing ----------------------------------------------------------------------------------------------------------


def remember(request: HttpRequest, kind: str, subject: object, told: str) -> None:
    request.session[UNDO_KEY] = [*undoable(request), [kind, str(subject), told]][-MOST_UNDO:]


def remember_decision(request: HttpRequest, submission: Submission, actor: User) -> None:
    decision = Decision.objects.filter(submission=submission, actor=actor).order_by("-id").first()
    if decision is not None:
        verb = {"accept": "accepted", "decline": "declined", "reopen": "reopened"}[decision.action]
        remember(request, "decision", decision.id, f"“{submission.name}” {verb}")


def undoable(request: HttpRequest) -> list[list[str]]:
    found: list[list[str]] = request.session.get(UNDO_KEY, [])
    return found


def last_told(request: HttpRequest) -> str:
    """What the undo button would take back, empty when there is nothing."""
    return undoable(request)[-1][2] if undoable(request) else ""


@dataclass(frozen=True)
class Undone:
    sentence: str
    # The submission to open, or the batch.
    submission: UUID | None = None
    batch: UUID | None = None


def undo(request: HttpRequest, *, actor: User, now: datetime) -> Undone:
    """Takes the moderator's last step back. One that cannot be is forgotten, so that the one before it can be."""
    steps = undoable(request)
    if not steps:
        raise review.Unsuitable("There is nothing to undo.")
    kind, subject, told = steps[-1]
    request.session[UNDO_KEY] = steps[:-1]
    return UNDOERS[kind](subject, told, actor, now)


def undo_decision(subject: str, told: str, actor: User, now: datetime) -> Undone:
    visible = Submission.objects.visible_to(actor)
    decision = Decision.objects.filter(pk=int(subject), submission__in=visible).first()
    if decision is None:
        raise review.NotFound
    submission = review.undo(decision.id, now=now, **hand(actor))
    return Undone(f"Undone: {told}.", submission=submission.id)


def undo_skip(subject: str, told: str, actor: User, now: datetime) -> Undone:
    review.unskip(UUID(subject), actor=actor)
    return Undone(f"Undone: {told}.", submission=UUID(subject))


def undo_batch(subject: str, told: str, actor: User, now: datetime) -> Undone:
    batch = Batch.objects.filter(pk=UUID(subject), actor=actor).first()
    if batch is None:
        raise review.Unsuitable("There is nothing to undo.")
    batches.begin_undoing(batch)
    return Undone(f"Undoing: {told}.", batch=batch.id)


UNDOERS: dict[str, Callable[[str, str, User, datetime], Undone]] = {
    "decision": undo_decision,
    "skip": undo_skip,
    "batch": undo_batch,
}
