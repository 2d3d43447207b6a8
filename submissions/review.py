"""What moderators do with submissions.

Every step leaves a line in the audit log in the transaction of what it changes.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q

from accounts.models import User
from submissions.models import Batch, Calendar, Decision, Skip, Submission

# Whoever was last heard of longer ago has it open no more.
LOOK_SECONDS = 30


class Refusal(Exception):
    """Why a verb changed nothing, in a sentence for whoever asked."""


class NotFound(Refusal):
    def __init__(self) -> None:
        super().__init__("Submission not found")


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
    free = Q(looked_at_by=None) | Q(looked_at_by=actor) | Q(looked_at__lt=now - timedelta(seconds=LOOK_SECONDS))
    # Not a change of the submission: `updated_at` stays.
    if Submission.objects.filter(free, pk=submission_id).update(looked_at_by=actor, looked_at=now):
        return None
    submission = Submission.objects.select_related("looked_at_by").filter(pk=submission_id).first()
    return looking(submission, besides=actor, now=now) if submission else None


def stop_looking(submission_id: UUID, *, actor: User) -> None:
    Submission.objects.filter(pk=submission_id, looked_at_by=actor).update(looked_at_by=None, looked_at=None)


def looking(submission: Submission, *, besides: User | None = None, now: datetime) -> User | None:
    """Who has it open now, other than `besides`."""
    if submission.looked_at is None or submission.looked_at < now - timedelta(seconds=LOOK_SECONDS):
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


def found(submission_id: UUID) -> Submission:
    submission = Submission.objects.filter(pk=submission_id, calendar__in=Calendar.objects.live()).first()
    if submission is None:
        raise NotFound
    return submission
