"""What is forgotten about hosts, and when: by itself after its time (P16), at once when somebody asks (P20)."""

import re
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce

from accounts import audit, erasures
from accounts.models import Erasure, User
from submissions import catalog
from submissions.models import (
    Batch,
    Calendar,
    Decision,
    Host,
    LimitCount,
    Mail,
    Message,
    Skip,
    Submission,
)
from submissions.review import record

# A day less than the guarantees allow, for it runs once a day.
AFTER_DECLINE = timedelta(days=29)
AFTER_EVENT = timedelta(days=364)
# Mails name addresses; those that nobody could deliver in this time never will be.
MAILS_LIVE = timedelta(days=29)
# Nobody undoes what was decided together longer ago than that.
BATCHES_LIVE = timedelta(days=29)
COUNTS_LIVE = timedelta(hours=24)
# How many submissions one transaction changes.
STEP_ROWS = 500
# Shorter than any address, so that what held one stays within its bounds.
REMOVED = "[…]"


def prune(*, now: datetime) -> int:
    """Forget the hosts of what was decided long ago. Returns how many submissions lost their address."""
    LimitCount.objects.filter(ends_at__lt=now - COUNTS_LIVE).delete()
    Mail.objects.filter(created_at__lt=now - MAILS_LIVE).delete()
    Batch.objects.filter(created_at__lt=now - BATCHES_LIVE).delete()
    remove_old(now=now)
    forgotten = 0
    while ids := list(outlived(now).values_list("pk", flat=True)[:STEP_ROWS]):
        with transaction.atomic():
            forgotten += forget(Submission.objects.filter(pk__in=ids), now=now)
    remove_idle_hosts()
    return forgotten


def remove_old(*, now: datetime) -> None:
    """Remove what was declined longer ago than the retention, and how everything else was decided."""
    oldest = now - timedelta(days=settings.RETENTION_DAYS)
    declined = Submission.objects.filter(status=Submission.Status.DECLINED, reviewed_at__lt=oldest)
    while ids := list(declined.values_list("pk", flat=True)[:STEP_ROWS]):
        Submission.objects.filter(pk__in=ids).delete()
    Calendar.objects.filter(toggled_at__lt=oldest).exclude(toggled_by="").update(toggled_by="")
    for model in (Message, Decision, Skip):
        model.objects.filter(at__lt=oldest).exclude(submission__status=Submission.Status.PENDING).delete()


@transaction.atomic
def remove_idle_hosts() -> None:
    """Hosts of whom nothing is left. One who is proposing right now holds their row, and stays."""
    idle = Host.objects.filter(submissions=None).select_for_update(skip_locked=True, of=("self",))
    ids = list(idle.values_list("pk", flat=True))
    Host.objects.filter(pk__in=ids, submissions=None).delete()


def outlived(now: datetime) -> "QuerySet[Submission]":
    """Submissions whose host's address has had its time. An event whose day nobody could read counts from its review,
    one that nobody reviewed from its arrival.
    """
    over = (now - AFTER_EVENT).date()
    known = Submission.objects.exclude(host=None, source_ip_hash="").annotate(
        over_on=Coalesce("accepted_event__ends_on", "accepted_event__starts_on", "starts_on")
    )
    return known.filter(
        Q(status=Submission.Status.DECLINED, reviewed_at__lt=now - AFTER_DECLINE)
        | Q(over_on__lt=over)
        | Q(over_on=None, reviewed_at__lt=now - AFTER_EVENT)
        | Q(over_on=None, reviewed_at=None, created_at__lt=now - AFTER_EVENT)
    ).order_by("pk")


@transaction.atomic
def erase(email: str, *, by: User | None, now: datetime) -> int:
    """Forget a host who asked for it, everywhere that `by` may see: what they proposed stays, their address does not.

    Returns how many submissions there were. The audit log names these and the host's number, never the address.
    """
    email = email.strip()
    whose = account_of(by)
    found = erase_within(whose, email, by=by, now=now)
    erasures.note(Erasure.Kind.HOST, f"{whose or '*'}|{mark(email)}")
    return found


def account_of(by: User | None) -> UUID | None:
    """Whose calendars somebody sees: None for all there are."""
    return None if by is None or by.is_admin else by.account_id


def mark(email: str) -> str:
    """What stands for the host in the journal of erasures."""
    return erasures.mark("host", email.casefold())


def erase_again(subjects: Iterable[str], *, now: datetime) -> int:
    """Of a database that was restored: forget the hosts in the journal. Returns how many addresses went."""
    marks: dict[str, list[UUID | None]] = defaultdict(list)
    for subject in subjects:
        whose, _, one = subject.partition("|")
        marks[one].append(None if whose == "*" else UUID(whose))
    known = Host.objects.values_list("email", flat=True).union(Mail.objects.values_list("to", flat=True))
    gone = 0
    for email in known.iterator(10_000):
        for account in marks.get(mark(email), ()):
            with transaction.atomic():
                erase_within(account, email, by=None, now=now)
            gone += 1
    return gone


def erase_within(whose: UUID | None, email: str, *, by: User | None, now: datetime) -> int:
    """On all calendars of the account, or on all there are. Within a transaction."""
    known, mails = Host.objects.filter(email__iexact=email), Mail.objects.filter(to__iexact=email)
    if whose is not None:
        calendars = Calendar.objects.live().filter(website__account=whose)
        known, mails = known.filter(calendar__in=calendars), mails.filter(submission__calendar__in=calendars)
    hosts = list(known.select_for_update())
    submissions = Submission.objects.filter(host__in=hosts)
    found = list(submissions.select_related("host"))
    for submission in found:
        name = "admin-panel" if by else "command"
        record(submission, Decision.Action.ERASE, by=name, actor=by, now=now)
        audit.record("host.erase", submission.pk, by=by)
    forget(submissions, now=now)
    mails.delete()
    Host.objects.filter(pk__in=[host.pk for host in hosts]).delete()
    return len(found)


def forget(submissions: "QuerySet[Submission]", *, now: datetime) -> int:
    """Take the host's address off these, and out of every text in which it was written; and what tells from where they
    came. Within a transaction.
    """
    rows = list(submissions.select_for_update(of=("self",)).select_related("host", "accepted_event"))
    for submission in rows:
        scrub(submission, submission.host_email, now=now)
        submission.host = None
        submission.source_ip_hash = submission.email_ip_hash = ""
    fields = ["host", "name", "name_folded", "location_folded", "payload", "review_reason", "review_message", "flags"]
    Submission.objects.bulk_update(rows, [*fields, "source_ip_hash", "email_ip_hash"])
    Mail.objects.filter(submission__in=rows).delete()
    return len(rows)


def scrub(submission: Submission, email: str, *, now: datetime) -> None:
    if not email:
        return
    for field in ("name", "name_folded", "location_folded", "payload", "review_reason", "review_message", "flags"):
        setattr(submission, field, without(getattr(submission, field), email))
    for message in changed(submission.messages.all(), "text", email):
        message.save(update_fields=["text"])
    for field in ("before", "reason"):
        for decision in changed(submission.decisions.all(), field, email):
            decision.save(update_fields=[field])
    # What a moderator wrote to many hosts at once.
    for field in ("reason", "message"):
        for batch in changed(Batch.objects.filter(decisions__submission=submission).distinct(), field, email):
            batch.save(update_fields=[field])
    event = submission.accepted_event
    if event is not None:
        shown = {field: getattr(event, field) for field in catalog.LENGTHS}
        if different := {field: without(text, email) for field, text in shown.items() if without(text, email) != text}:
            catalog.edit(event, now=now, **different)


def changed(rows: Iterable[Any], field: str, email: str) -> Iterable[Any]:
    """The rows in whose field the address stood, without it."""
    for row in rows:
        before = getattr(row, field)
        after = without(before, email)
        if after != before:
            setattr(row, field, after)
            yield row


def without(value: Any, email: str) -> Any:  # noqa: ANN401 (any JSON value)
    """The value with the address gone from its strings, in whatever case it was written."""
    if isinstance(value, str):
        return replaced(value, email)
    if isinstance(value, dict):
        return {key: without(inner, email) for key, inner in value.items()}
    if isinstance(value, list):
        return [without(inner, email) for inner in value]
    return value


def replaced(text: str, email: str) -> str:
    return re.sub(re.escape(email), REMOVED, text, flags=re.IGNORECASE)
