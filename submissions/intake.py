"""What hosts do with proposals: submit, edit, withdraw, answer, appeal.

Each verb locks the row before it looks at it, so that a host and a moderator never act past each other, and leaves a
line in the audit log. Addresses of callers are hashed here and go no further.
"""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from submissions import calendars, limits, mail, screening
from submissions.dates import day_of, time_of
from submissions.limits import Full, Keys
from submissions.models import Calendar, Decision, Host, Message, Submission
from submissions.proposal import FIELDS, Proposal, shown
from submissions.review import record
from submissions.text import collapsed, folded
from tinytrail.web import refusals

LONGEST_TEXT = 3000


class Closed(Exception):
    """The calendar takes no proposals now."""


class TooMany(Exception):
    """A limit is used up: which one, and for how many seconds."""

    def __init__(self, full: Full) -> None:
        super().__init__(full.scope)
        self.scope = full.scope
        # The word under which it is counted.
        self.reason = f"rate_limited_{full.scope}"
        self.retry_after = full.retry_after


class NotPossible(Exception):
    """Why nothing was changed, in a sentence for the host."""


# -- proposing --------------------------------------------------------------------------------------------------------


def admit(calendar: Calendar, *, address: str) -> None:
    """Before anything is read of a proposal. Raises Closed, TooMany, or limits.Unavailable."""
    if not calendar.is_open:
        raise Closed
    count_caller(address)


def count_caller(address: str) -> None:
    """Raises TooMany, or limits.Unavailable."""
    if full := limits.count_address(address):
        raise TooMany(full)


def count_refusal(reason: str, *, calendar: Calendar | None, now: datetime) -> None:
    """A proposal that was not taken, for the counts of what was refused. Outside of any transaction."""
    website_id = calendar.website_id if calendar else None
    refusals.count("submissions", reason, day=now.astimezone(UTC).date(), website_id=website_id)


def submit(
    calendar: Calendar, proposal: Proposal, *, honeypot: str, form_started_at: str, address: str, now: datetime
) -> Submission:
    """Store a proposal. One with a contract signal is declined at once, and the caller sees no difference.

    Raises TooMany. What fails after the limits were counted counts nothing.
    """
    signals = screening.contract_signals(honeypot=honeypot, form_started_at=form_started_at, now=now)
    keys = Keys.of(proposal, address)
    with transaction.atomic():
        full = limits.count_proposal(keys, is_kept=not signals["reasons"], now=now)
        submission = None if full else stored(calendar, proposal, signals=signals, keys=keys, now=now)
    if full:
        raise TooMany(full)
    assert submission is not None
    return submission


def stored(calendar: Calendar, proposal: Proposal, *, signals: dict[str, Any], keys: Keys, now: datetime) -> Submission:
    submission = Submission(
        calendar=calendar,
        host=host_of(calendar, proposal),
        source_ip_hash=keys.ip,
        email_ip_hash=keys.email_ip,
        fingerprint_hash=keys.fingerprint,
        spam_signals=signals,
        created_at=now,
    )
    fill_from(submission, proposal, today_of(calendar, now))
    flag(submission, proposal, now=now)
    if signals["reasons"]:
        submission.status, submission.reviewed_at = Submission.Status.DECLINED, now
        submission.review_reason, submission.reviewed_by = Submission.SPAM_SIGNAL, Submission.SYSTEM
    submission.save(force_insert=True)
    if submission.is_pending:
        record(submission, Decision.Action.RECEIVE, by=Submission.HOST, now=now)
    else:
        reason = ", ".join(signals["reasons"])
        record(submission, Decision.Action.AUTO_DECLINE, by=Submission.SYSTEM, reason=reason, now=now)
    with limits.kept_if(submission.is_pending):
        mail.tell_host(submission, mail.RECEIVED, now=now)
    return submission


def fill_from(submission: Submission, proposal: Proposal, today: date) -> None:
    """Set what is read from a proposal: the payload, which keeps when it was sent, and the columns of the queue."""
    submitted_at = submission.payload.get("submittedAt") if submission.payload else None
    payload = proposal.payload(submission.created_at)
    submission.payload = payload | ({"submittedAt": submitted_at} if submitted_at else {})
    submission.name = proposal.event_name
    submission.starts_on = day_of(proposal.date, today=today)
    submission.starts_at = time_of(proposal.start_time)
    # A single letter may fold to eighteen.
    submission.name_folded = folded(proposal.event_name)[:400]
    submission.location_folded = folded(proposal.location)[:500]


def flag(submission: Submission, proposal: Proposal, *, now: datetime) -> None:
    submission.flags = screening.flags(
        submission.calendar,
        proposal,
        source_ip_hash=submission.source_ip_hash,
        now=now,
        besides=submission.pk,
    )
    submission.flag_count = len(submission.flags)


def host_of(calendar: Calendar, proposal: Proposal) -> Host:
    # Locked, for retention removes those who have proposed nothing.
    host, _ = Host.objects.select_for_update().get_or_create(calendar=calendar, email=proposal.host_email)
    return host


def today_of(calendar: Calendar, now: datetime) -> date:
    return timezone.localdate(now, calendars.zone(calendar))


# -- afterwards -------------------------------------------------------------------------------------------------------


@transaction.atomic
def edit(submission_id: UUID, proposal: Proposal, *, now: datetime) -> Submission:
    """Change a pending proposal. The address stays: it is whom the answer goes to. Raises NotPossible."""
    submission = locked(submission_id)
    if not submission.is_pending:
        raise NotPossible("It has been decided meanwhile, and cannot be changed any more.")
    before = Proposal.of(submission)
    proposal = replace(proposal, host_email=submission.host_email)
    changed = [field.name for name, field in FIELDS.items() if getattr(before, name) != getattr(proposal, name)]
    if not changed:
        return submission
    fill_from(submission, proposal, today_of(submission.calendar, now))
    submission.fingerprint_hash = limits.fingerprint_hash(proposal)
    flag(submission, proposal, now=now)
    submission.edited_at = now
    submission.save()
    payload = before.payload(submission.created_at)
    record(
        submission,
        Decision.Action.EDIT,
        by=Submission.HOST,
        reason=", ".join(changed),
        before={"payload": {name: payload[name] for name in changed if name in payload}},
        now=now,
    )
    return submission


@transaction.atomic
def withdraw(submission_id: UUID, *, now: datetime) -> Submission:
    """The host takes a pending proposal back. Raises NotPossible."""
    submission = locked(submission_id)
    if not submission.is_pending:
        raise NotPossible("It has been decided meanwhile, and cannot be withdrawn any more.")
    submission.status, submission.reviewed_at = Submission.Status.DECLINED, now
    submission.review_reason, submission.reviewed_by = Submission.WITHDRAWN, Submission.HOST
    submission.save()
    record(submission, Decision.Action.WITHDRAW, by=Submission.HOST, now=now)
    return submission


@transaction.atomic
def answer(submission_id: UUID, text: str, *, now: datetime) -> Message:
    """The host's answer to the moderators' last question. Raises NotPossible."""
    text = text_of(text)
    submission = locked(submission_id)
    if not submission.is_pending or not submission.awaits_answer:
        raise NotPossible("There is no question that waits for an answer any more.")
    message = submission.messages.create(at=now, author=Message.Author.HOST, text=text)
    submission.answered_at = now
    submission.save(update_fields=["answered_at", "updated_at"])
    record(submission, Decision.Action.ANSWER, by=Submission.HOST, now=now)
    return message


@transaction.atomic
def appeal(submission_id: UUID, text: str, *, now: datetime) -> Message:
    """The host's word against a decline, also against the system's, once: it is pending again. Raises NotPossible."""
    text = text_of(text)
    submission = locked(submission_id)
    if not may_appeal(submission):
        raise NotPossible("Nobody can be asked to look at it again: it was not declined, or you have asked before.")
    before = state_before(submission)
    message = submission.messages.create(at=now, author=Message.Author.HOST, text=text)
    submission.status, submission.appealed_at, submission.reviewed_at = Submission.Status.PENDING, now, None
    submission.review_reason = submission.review_message = submission.reviewed_by = ""
    submission.save()
    record(submission, Decision.Action.APPEAL, by=Submission.HOST, before=before, now=now)
    return message


def may_appeal(submission: Submission) -> bool:
    return (
        submission.status == Submission.Status.DECLINED
        and submission.review_reason != Submission.WITHDRAWN
        and submission.appealed_at is None
    )


def state_before(submission: Submission) -> dict[str, Any]:
    """Of a declined one, what an appeal sets aside, for the audit log."""
    return {
        "status": submission.status,
        "review_reason": submission.review_reason,
        "review_message": submission.review_message,
        "reviewed_by": submission.reviewed_by,
        "reviewed_at": submission.reviewed_at.isoformat() if submission.reviewed_at else None,
    }


def locked(submission_id: UUID) -> Submission:
    """The row as it is once nobody else is changing it, until the end of the transaction."""
    rows = Submission.objects.select_for_update(of=("self",)).select_related("calendar__website", "host")
    submission = rows.filter(pk=submission_id, calendar__in=Calendar.objects.live()).first()
    if submission is None:
        raise NotPossible("This proposal is not there any more.")
    return submission


def text_of(text: str) -> str:
    text = "\n".join(map(collapsed, shown(text).strip().splitlines()))
    if not text:
        raise NotPossible("Please write something.")
    if len(text) > LONGEST_TEXT:
        raise NotPossible(f"That is too long: at most {LONGEST_TEXT} characters.")
    return text
