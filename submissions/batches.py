"""Deciding many submissions with one click, and undoing that with another (guarantee A77).

A batch is settled at the click: which submissions, which decision. The work is then done a few at a time, each
submission in a transaction of its own, so that no request takes long, nothing is locked for long, and whoever comes
back finds how far it got.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.models import User
from submissions import review
from submissions.models import Batch, Decision, Submission

MOST = 10_000
# How many one request decides.
STEP = 100


def begin(
    submissions: Iterable[UUID], *, action: str, reason: str = "", message: str = "", actor: User, now: datetime
) -> Batch:
    """Settles what is to be done, and does nothing of it yet. Raises a Refusal."""
    ids = [str(submission_id) for submission_id in submissions]
    if len(ids) > MOST:
        raise review.Unsuitable(f"At most {MOST:,} submissions can be decided at once.")
    if action == Batch.Action.DECLINE:
        reason = review.text_of(reason, review.LONGEST_REASON, "reason")
    message = review.readable(message, review.LONGEST_TEXT, "message")
    return Batch.objects.create(
        actor=actor, action=action, reason=reason, message=message, submissions=ids, created_at=now
    )


def begin_undoing(batch: Batch) -> None:
    """From now on a step undoes what the batch has decided so far; the rest of it stays undecided. Raises a Refusal
    for one that is undone.
    """
    if not Batch.objects.filter(pk=batch.pk, undone=None).update(undone=0, refused={}) and not left(batch):
        raise review.Conflict("This was undone already.")


def step(batch_id: UUID, *, actor: User, now: datetime, most: int = STEP) -> Batch:
    """Decides, or undoes, the next few. Two at once do not do the same ones twice."""
    ids = Batch.objects.values_list("submissions", flat=True).get(pk=batch_id)
    for _ in range(most):
        if not advance(batch_id, ids, actor=actor, now=now):
            break
    return Batch.objects.get(pk=batch_id)


def left(batch: Batch) -> int:
    """How many submissions the work still has before it."""
    return len(batch.submissions) - batch.done if batch.undone is None else batch.done - batch.undone


@transaction.atomic
def advance(batch_id: UUID, ids: list[str], *, actor: User, now: datetime) -> bool:
    """One submission further; whether there was one. More of them in one transaction would hold the calendar's row
    while waiting for a submission's, and another moderator's accept does it the other way round.
    """
    batch = Batch.objects.select_for_update().defer("submissions").get(pk=batch_id)
    if batch.undone is None:
        return batch.done < len(ids) and tried(batch, "done", partial(decide, batch, UUID(ids[batch.done]), actor, now))
    return batch.undone < batch.done and tried(
        batch, "undone", partial(undo, batch, UUID(ids[batch.undone]), actor, now)
    )


def tried(batch: Batch, counter: str, verb: Callable[[], None]) -> bool:
    try:
        verb()
    except review.Refusal as refusal:
        sentence = str(refusal)
        batch.refused[sentence] = batch.refused.get(sentence, 0) + 1
    setattr(batch, counter, getattr(batch, counter) + 1)
    batch.save(update_fields=[counter, "refused"])
    return True


def decide(batch: Batch, submission_id: UUID, actor: User, now: datetime) -> None:
    # What the host has changed since the click is not decided unseen.
    given: dict[str, Any] = {"by": Submission.ADMIN_PANEL, "actor": actor, "batch": batch, "now": now}
    given |= {"seen_at": batch.created_at}
    if batch.action == Batch.Action.ACCEPT:
        review.accept(submission_id, **given)
    else:
        review.decline(submission_id, reason=batch.reason, message=batch.message, **given)


def undo(batch: Batch, submission_id: UUID, actor: User, now: datetime) -> None:
    decision = Decision.objects.filter(batch=batch, submission=submission_id, undone_at=None).first()
    if decision is not None:
        review.undo(decision.id, by=decision.by, actor=actor, now=now)
