"""What moderators do with submissions: accept, decline, ask, skip, reopen, undo (contracts 4.6 and 4.7).

Every verb locks the submission's row before it looks at it, so that two moderators at once never decide the same one
twice, and leaves a line in the audit log in the transaction of what it changes.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from accounts.models import User
from submissions import catalog, mail
from submissions.models import Batch, Calendar, CatalogEvent, Decision, Mail, Message, Skip, Submission
from submissions.proposal import shown

ACCEPTED = "accepted"
OTHER = "other"
# Offered in this order, the first is the default. For `other` the typed text itself is the reason.
REASONS = {
    "not_enough_information": "Not enough information",
    "duplicate_submission": "Duplicate of another submission",
    "event_not_relevant": "Event is not relevant",
    "unable_to_verify": "Unable to verify",
    Submission.SPAM_SIGNAL: "Spam",
    OTHER: "Other: the text below",
}
LONGEST_REASON = 500
LONGEST_TEXT = 3000
# Whoever was last heard of longer ago has it open no more.
LOOKED_LATELY = timedelta(seconds=30)
# What a decision changes, and undoing it brings back.
STATE = ("status", "review_reason", "review_message", "reviewed_at", "reviewed_by")
UNDOABLE = (Decision.Action.ACCEPT, Decision.Action.DECLINE, Decision.Action.REOPEN)
# The mail that a decision sends.
TOLD = {
    Decision.Action.ACCEPT: "accepted",
    Decision.Action.DECLINE: "declined",
    Decision.Action.REOPEN: "reopened",
}


def in_words(reason: str) -> str:
    """A reason as moderators read it."""
    return REASONS.get(reason, reason)


class Refusal(Exception):
    """Why a verb changed nothing, in a sentence for whoever asked."""


class NotFound(Refusal):
    def __init__(self) -> None:
        super().__init__("Submission not found")


class AlreadyReviewed(Refusal):
    def __init__(self, submission: Submission) -> None:
        super().__init__(f"Submission already reviewed: Submission is already {submission.status}")


class Conflict(Refusal):
    """Somebody else was quicker."""

    def __init__(self, sentence: str = "Submission review conflict") -> None:
        super().__init__(sentence)


class Unsuitable(Refusal):
    """The verb does not fit the submission, or the text given with it."""


@transaction.atomic
def accept(
    submission_id: UUID,
    *,
    by: str,
    actor: User | None = None,
    now: datetime,
    seen_at: datetime | None = None,
    batch: Batch | None = None,
) -> CatalogEvent:
    """Publishes a pending submission. `seen_at` is when the moderator's page was made: what the host has changed since
    is not decided unseen. Raises a Refusal; it then stays as it was.
    """
    submission = locked_pending(submission_id, seen_at)
    before = state_of(submission)
    try:
        event = catalog.publish(submission, now=now)
    except catalog.Unpublishable as error:
        raise Unsuitable(str(error)) from None
    submission.accepted_event, submission.accepted_event_key = event, event.key
    decide(submission, Submission.Status.ACCEPTED, reason=ACCEPTED, by=by, now=now)
    record(submission, Decision.Action.ACCEPT, by=by, actor=actor, before=before, batch=batch, now=now)
    mail.tell_host(submission, TOLD[Decision.Action.ACCEPT], now=now)
    return event


@transaction.atomic
def decline(
    submission_id: UUID,
    *,
    reason: str,
    message: str = "",
    by: str,
    actor: User | None = None,
    now: datetime,
    seen_at: datetime | None = None,
    batch: Batch | None = None,
) -> Submission:
    """Declines a pending submission. `reason` is one of REASONS or a text of the moderator's own; the host is told it
    and `message`. Raises a Refusal.
    """
    reason = text_of(reason, LONGEST_REASON, "reason")
    message = readable(message, LONGEST_TEXT, "message")
    if reason == OTHER:
        raise Unsuitable("For another reason, write the reason itself.")
    submission = locked_pending(submission_id, seen_at)
    before = state_of(submission)
    decide(submission, Submission.Status.DECLINED, reason=reason, message=message, by=by, now=now)
    record(submission, Decision.Action.DECLINE, by=by, actor=actor, reason=reason, before=before, batch=batch, now=now)
    mail.tell_host(submission, TOLD[Decision.Action.DECLINE], now=now)
    return submission


@transaction.atomic
def ask(submission_id: UUID, *, text: str, by: str, actor: User | None = None, now: datetime) -> Message:
    """Sends the host a question; the submission then waits for the answer. Raises a Refusal."""
    text = text_of(text, LONGEST_TEXT, "question")
    submission = locked_pending(submission_id)
    if submission.host is None:
        raise Unsuitable("There is no host to ask: the address was removed.")
    question = submission.messages.create(at=now, author=Message.Author.MODERATOR, user=actor, text=text)
    submission.asked_at = now
    leave(submission)
    submission.save(update_fields=["asked_at", "looked_at_by", "looked_at", "updated_at"])
    record(submission, Decision.Action.ASK, by=by, actor=actor, now=now)
    mail.tell_host(submission, "question", now=now, text=text)
    return question


@transaction.atomic
def reopen(submission_id: UUID, *, by: str, actor: User | None = None, now: datetime) -> Submission:
    """Makes a declined submission pending again, those declined by the system included. Raises a Refusal."""
    submission = locked(submission_id)
    if submission.status != Submission.Status.DECLINED:
        raise Unsuitable(f"Only a declined submission can be reopened: this one is {submission.status}.")
    if submission.review_reason == Submission.WITHDRAWN:
        raise Unsuitable("The host has withdrawn it: only they can propose it again.")
    before, was_told = state_of(submission), not submission.is_auto_declined
    make_pending(submission)
    record(submission, Decision.Action.REOPEN, by=by, actor=actor, before=before, now=now)
    # A host whose proposal was taken for spam has never heard that it was declined.
    if was_told:
        mail.tell_host(submission, TOLD[Decision.Action.REOPEN], now=now)
    return submission


@transaction.atomic
def undo(decision_id: int, *, by: str, actor: User | None = None, now: datetime) -> Submission:
    """Brings back what stood before the last decision on a submission; a published event goes away again.

    Raises a Refusal when it is not the last one, or when the host has appealed since.
    """
    decision = Decision.objects.filter(pk=decision_id).first()
    if decision is None or decision.action not in UNDOABLE:
        raise Unsuitable("There is nothing to undo.")
    submission = locked(decision.submission_id)
    decision.refresh_from_db()
    refuse_unless_last(decision)
    if submission.accepted_event is not None and decision.action == Decision.Action.ACCEPT:
        catalog.unpublish(submission.accepted_event, now=now)
    before = state_of(submission)
    bring_back(submission, decision.before)
    decision.undone_at = now
    decision.save(update_fields=["undone_at"])
    record(submission, Decision.Action.UNDO, by=by, actor=actor, reason=decision.action, before=before, now=now)
    untell(submission, decision, now=now)
    return submission


def skip(submission_id: UUID, *, actor: User, now: datetime) -> None:
    """To the end of the moderator's own queue; nobody else notices. Raises a Refusal."""
    submission = found(submission_id)
    Skip.objects.update_or_create(submission=submission, user=actor, defaults={"at": now})
    stop_looking(submission_id, actor=actor)


def unskip(submission_id: UUID, *, actor: User) -> None:
    """Back to its place in the moderator's own queue."""
    Skip.objects.filter(submission=submission_id, user=actor).delete()


def look(submission_id: UUID, *, actor: User, now: datetime) -> User | None:
    """Says that somebody has it open now. Who had it open before keeps it, and is the answer: the other one."""
    free = Q(looked_at_by=None) | Q(looked_at_by=actor) | Q(looked_at__lt=now - LOOKED_LATELY)
    # Not a change of the submission: `updated_at` stays.
    if Submission.objects.filter(free, pk=submission_id).update(looked_at_by=actor, looked_at=now):
        return None
    submission = Submission.objects.select_related("looked_at_by").filter(pk=submission_id).first()
    return looking(submission, besides=actor, now=now) if submission else None


def stop_looking(submission_id: UUID, *, actor: User) -> None:
    Submission.objects.filter(pk=submission_id, looked_at_by=actor).update(looked_at_by=None, looked_at=None)


def looking(submission: Submission, *, besides: User | None = None, now: datetime) -> User | None:
    """Who has it open now, other than `besides`."""
    if submission.looked_at is None or submission.looked_at < now - LOOKED_LATELY:
        return None
    return None if submission.looked_at_by == besides else submission.looked_at_by


def record(
    submission: Submission,
    action: str,
    *,
    by: str,
    actor: User | None = None,
    reason: str = "",
    before: dict[str, Any] | None = None,
    batch: Batch | None = None,
    now: datetime,
) -> Decision:
    """A line of the audit log. Called within the transaction of what it tells; holds no e-mail address."""
    return Decision.objects.create(
        submission=submission,
        at=now,
        action=action,
        actor=actor,
        by=by,
        reason=reason,
        before=before or {},
        batch=batch,
    )


# -- before: the row, locked ------------------------------------------------------------------------------------------


def found(submission_id: UUID) -> Submission:
    submission = Submission.objects.filter(pk=submission_id, calendar__in=Calendar.objects.live()).first()
    if submission is None:
        raise NotFound
    return submission


def locked(submission_id: UUID) -> Submission:
    """The row as it is once nobody else is deciding it, until the end of the transaction."""
    found(submission_id)
    rows = Submission.objects.select_for_update(of=("self",)).select_related("calendar", "host", "accepted_event")
    submission = rows.filter(pk=submission_id).first()
    if submission is None:
        raise NotFound
    return submission


def locked_pending(submission_id: UUID, seen_at: datetime | None = None) -> Submission:
    if not (submission := found(submission_id)).is_pending:
        raise AlreadyReviewed(submission)
    submission = locked(submission_id)
    # It was pending a moment ago: another moderator held the lock.
    if not submission.is_pending:
        raise Conflict
    if seen_at and submission.edited_at and submission.edited_at > seen_at:
        raise Conflict("The host has changed it since you opened it. Read it again before you decide.")
    return submission


def refuse_unless_last(decision: Decision) -> None:
    if decision.undone_at is not None:
        raise Conflict("This decision was undone already.")
    since = Decision.objects.filter(submission=decision.submission_id, pk__gt=decision.pk, undone_at=None)
    later = since.exclude(action__in=[Decision.Action.UNDO, Decision.Action.ERASE]).first()
    if later is None:
        return
    if later.action == Decision.Action.APPEAL:
        raise Conflict("The host has appealed since: decide about the appeal.")
    raise Conflict("Something has happened to it since: this is not the last decision any more.")


def text_of(text: str, longest: int, what: str) -> str:
    """What a moderator wrote, and needs to have written."""
    text = readable(text, longest, what)
    if not text:
        raise Unsuitable(f"A {what} is needed.")
    return text


def readable(text: str, longest: int, what: str) -> str:
    """Without what cannot be seen or stored."""
    text = shown(text).encode(errors="ignore").decode().strip()
    if len(text) > longest:
        raise Unsuitable(f"The {what} may have at most {longest} characters.")
    return text


# -- the change itself ------------------------------------------------------------------------------------------------


def decide(
    submission: Submission, status: Submission.Status, *, reason: str, message: str = "", by: str, now: datetime
) -> None:
    submission.status = status
    submission.review_reason, submission.review_message = reason, message
    submission.reviewed_at, submission.reviewed_by = now, by
    save(submission)


def make_pending(submission: Submission) -> None:
    submission.status = Submission.Status.PENDING
    submission.review_reason = submission.review_message = submission.reviewed_by = ""
    submission.reviewed_at = None
    save(submission)


def bring_back(submission: Submission, before: dict[str, Any]) -> None:
    for name in STATE:
        setattr(submission, name, before[name])
    submission.reviewed_at = datetime.fromisoformat(before["reviewed_at"]) if before["reviewed_at"] else None
    submission.accepted_event, submission.accepted_event_key = None, ""
    save(submission)


def save(submission: Submission) -> None:
    leave(submission)
    submission.save(
        update_fields=[*STATE, "accepted_event", "accepted_event_key", "looked_at_by", "looked_at", "updated_at"]
    )


def leave(submission: Submission) -> None:
    """Who has decided has it open no more."""
    submission.looked_at_by = submission.looked_at = None


def state_of(submission: Submission) -> dict[str, Any]:
    state = {name: getattr(submission, name) for name in STATE}
    return state | {"reviewed_at": submission.reviewed_at.isoformat() if submission.reviewed_at else None}


def untell(submission: Submission, decision: Decision, *, now: datetime) -> None:
    """A mail about the decision that has not left does not leave. Who was told already is told the news."""
    unsent = Mail.objects.filter(submission=submission, kind=TOLD[Decision.Action(decision.action)], sent_at=None)
    withdrawn, _ = unsent.filter(created_at__gte=decision.at).delete()
    # Whose proposal was taken for spam, and is again, has heard of neither.
    if not withdrawn and not submission.is_auto_declined:
        mail.tell_host(submission, "reopened" if submission.is_pending else "declined", now=now)
