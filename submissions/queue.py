"""The review queue as a moderator works through it: what is most urgent, what comes next, and how much is left."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from django.db.models import (
    Case,
    Count,
    DateField,
    DateTimeField,
    F,
    IntegerField,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
    Window,
)
from django.db.models.functions import Coalesce, Greatest, Lag, Lead

from accounts.models import User
from submissions.models import Skip, Submission, SubmissionQuerySet
from submissions.review import LOOKED_LATELY

# An event whose day nobody could read may be soon: it stands where those in a week stand.
UNREAD_DAYS = 7
LONG_AGO = Value(datetime(1970, 1, 1, tzinfo=UTC), output_field=DateTimeField())
# The host has not answered the last question.
AWAITS_ANSWER = Q(asked_at__isnull=False) & (Q(answered_at=None) | Q(answered_at__lt=F("asked_at")))
AUTO_DECLINED = Q(status=Submission.Status.DECLINED, reviewed_by=Submission.SYSTEM)
URGENCY = (F("skipped_at").asc(nulls_first=True), "turn", "urgent_on", "-flag_count", "created_at", "id")


@dataclass(frozen=True)
class Waiting:
    """How much there is to do."""

    total: int
    # Receipt of the one that waits longest.
    oldest_at: datetime | None
    starting_tomorrow: int
    flagged: int
    awaiting_hosts: int
    auto_declined_this_week: int


def by_urgency(submissions: QuerySet[Submission], user: User, *, today: date) -> QuerySet[Submission]:
    """The soonest events first, of those the more flagged, of those the older. What is over, what waits for its host
    and what this moderator skipped comes last.
    """
    return with_urgency(submissions, user, today=today).order_by(*URGENCY)


def with_urgency(submissions: QuerySet[Submission], user: User, *, today: date) -> QuerySet[Submission]:
    """With what URGENCY sorts by."""
    # What the host has added since a skip deserves another look.
    heard = Coalesce(Greatest(OuterRef("answered_at"), OuterRef("edited_at")), LONG_AGO)
    skipped = Skip.objects.filter(submission=OuterRef("pk"), user=user, at__gte=heard).values("at")
    return submissions.annotate(
        skipped_at=Subquery(skipped),
        # 0: to be decided, 1: over, 2: waits for its host.
        turn=Case(
            When(AWAITS_ANSWER, then=Value(2)),
            When(starts_on__lt=today, then=Value(1)),
            default=Value(0),
            output_field=IntegerField(),
        ),
        urgent_on=Coalesce("starts_on", Value(today + timedelta(days=UNREAD_DAYS)), output_field=DateField()),
    )


def upcoming(user: User, *, now: datetime, today: date) -> Submission | None:
    """What this moderator decides next."""
    return by_urgency(decidable(user, now=now), user, today=today).first()


def decidable(user: User, *, now: datetime) -> QuerySet[Submission]:
    """Pending, not waiting for its host, not open in another's browser."""
    free = Q(looked_at_by=None) | Q(looked_at_by=user) | Q(looked_at__lt=now - LOOKED_LATELY)
    return Submission.objects.visible_to(user).pending().filter(free).exclude(AWAITS_ANSWER)


def neighbour(submission_id: UUID, user: User, *, back: bool, now: datetime, today: date) -> UUID | None:
    """What comes after a submission in the moderator's queue, or before it; None at its ends, and for what
    is not in it.
    """
    step = Lead("id") if back else Lag("id")
    ordered = with_urgency(decidable(user, now=now), user, today=today).order_by()
    # Of which one is it the neighbour? Asked the other way round the window would hold the one row alone.
    beside = ordered.annotate(beside=Window(step, order_by=[*URGENCY])).filter(beside=submission_id)
    return beside.values_list("pk", flat=True).first()


def waiting(submissions: SubmissionQuerySet, *, now: datetime, today: date) -> Waiting:
    """One look at the pending ones, and one at what the system declined within seven days."""
    tomorrow = today + timedelta(days=1)
    counted = submissions.pending().aggregate(
        total=Count("id"),
        oldest_at=Min("created_at"),
        starting_tomorrow=Count("id", filter=Q(starts_on=tomorrow)),
        flagged=Count("id", filter=Q(flag_count__gt=0)),
        awaiting_hosts=Count("id", filter=AWAITS_ANSWER),
    )
    declined = submissions.filter(AUTO_DECLINED, created_at__gte=now - timedelta(days=7)).count()
    return Waiting(**counted, auto_declined_this_week=declined)
