"""How the queue is doing: waiting times, decisions, and how right the automatic decline is (definitions 27 and 28).

Every measure is of the submissions it is given: those that somebody may see.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.db.models import Aggregate, Count, DurationField, Exists, ExpressionWrapper, F, Min, OuterRef, Q
from django.db.models.functions import TruncWeek

from submissions.models import Decision, Submission, SubmissionQuerySet

# A median of all times would not notice that the last month was slow.
WINDOW_DAYS = 30
WEEKS = 12
WAITED = ExpressionWrapper(F("reviewed_at") - F("created_at"), output_field=DurationField())
# Nobody waited for what the system declined and what the host took back.
DECIDED_BY_PEOPLE = Q(reviewed_at__isnull=False) & ~Q(reviewed_by__in=[Submission.SYSTEM, Submission.HOST])


class Percentile(Aggregate):
    """`percentile_cont` of PostgreSQL: between two neighbours where no row stands on the line."""

    function = "PERCENTILE_CONT"
    template = "%(function)s(%(share)s) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = DurationField()

    def __init__(self, expression: Any, share: float, **extra: Any) -> None:  # noqa: ANN401 (any expression)
        super().__init__(expression, share=float(share), **extra)


@dataclass(frozen=True)
class Wait:
    """Waiting times of what people decided in the window; the oldest is the longest wait of what is pending now."""

    decided: int
    median: timedelta | None
    p90: timedelta | None
    oldest: timedelta | None


@dataclass(frozen=True)
class Precision:
    """Of automatic declines. `share` is None when there were none."""

    declined: int
    overturned: int
    share: Decimal | None

    @property
    def in_words(self) -> str:
        return "none yet" if self.share is None else f"{(self.share * 100).normalize():f} %"


def wait(submissions: SubmissionQuerySet, *, now: datetime) -> Wait:
    since = now - timedelta(days=WINDOW_DAYS)
    decided = submissions.filter(DECIDED_BY_PEOPLE, reviewed_at__gte=since, reviewed_at__lte=now)
    found = decided.aggregate(decided=Count("id"), median=Percentile(WAITED, 0.5), p90=Percentile(WAITED, 0.9))
    oldest_at = submissions.pending().aggregate(at=Min("created_at"))["at"]
    return Wait(**found, oldest=max(now - oldest_at, timedelta()) if oldest_at else None)


def spans(submissions: SubmissionQuerySet, *, now: datetime) -> dict[str, timedelta | None]:
    found = wait(submissions, now=now)
    return {"median": found.median, "p90": found.p90, "oldest": found.oldest}


def totals(submissions: SubmissionQuerySet, *, now: datetime) -> dict[str, int]:
    """The counters of contract 4.7, by its names."""
    week = Q(reviewed_at__gte=now - timedelta(days=7))
    return submissions.aggregate(
        totalCount=Count("id"),
        pendingCount=Count("id", filter=Q(status=Submission.Status.PENDING)),
        acceptedLast7Days=Count("id", filter=Q(status=Submission.Status.ACCEPTED) & week),
        declinedLast7Days=Count("id", filter=Q(status=Submission.Status.DECLINED) & week),
    )


def precision(submissions: SubmissionQuerySet) -> Precision:
    """1 - overturned / automatically declined, to four decimals. Overturned is what a moderator reopened, or accepted
    after the host's appeal.
    """
    of_it = Decision.objects.filter(submission=OuterRef("pk"), undone_at=None)
    found = submissions.filter(Exists(of_it.filter(action=Decision.Action.AUTO_DECLINE))).aggregate(
        declined=Count("id"),
        overturned=Count(
            "id", filter=Q(status=Submission.Status.ACCEPTED) | Q(Exists(of_it.filter(action=Decision.Action.REOPEN)))
        ),
    )
    share = 1 - Decimal(found["overturned"]) / found["declined"] if found["declined"] else None
    rounded = None if share is None else share.quantize(Decimal("0.0001"), ROUND_HALF_UP)
    return Precision(**found, share=rounded)


def weeks(submissions: SubmissionQuerySet, *, now: datetime) -> list[dict[str, Any]]:
    """Accepted and declined per week (Monday to Sunday, UTC), the newest first, weeks without any included."""
    monday = now.astimezone(UTC).date() - timedelta(days=now.astimezone(UTC).weekday())
    first = monday - timedelta(weeks=WEEKS - 1)
    rows = (
        submissions.filter(reviewed_at__gte=datetime.combine(first, datetime.min.time(), UTC))
        .annotate(week=TruncWeek("reviewed_at", tzinfo=UTC))
        .order_by()
        .values("week")
        .annotate(
            accepted=Count("id", filter=Q(status=Submission.Status.ACCEPTED)),
            declined=Count("id", filter=Q(status=Submission.Status.DECLINED) & DECIDED_BY_PEOPLE),
            auto_declined=Count("id", filter=Q(reviewed_by=Submission.SYSTEM)),
            withdrawn=Count("id", filter=Q(reviewed_by=Submission.HOST)),
        )
    )
    found = {row["week"].date(): row for row in rows}
    columns, _ = TABLES["weeks"]
    none: dict[str, Any] = dict.fromkeys(columns, 0)
    days = [monday - timedelta(weeks=number) for number in range(WEEKS)]
    return [none | found.get(day, {}) | {"week": day.isoformat()} for day in days]


def reasons(submissions: SubmissionQuerySet) -> list[dict[str, Any]]:
    """Why submissions were declined, the most frequent first."""
    declined = submissions.filter(status=Submission.Status.DECLINED).order_by()
    counted = declined.values(reason=F("review_reason")).annotate(count=Count("id"))
    return [dict(row) for row in counted.order_by("-count", "reason")[:100]]


def wait_rows(submissions: SubmissionQuerySet, *, now: datetime) -> list[dict[str, Any]]:
    found = asdict(wait(submissions, now=now))
    seconds = {name: round(span.total_seconds()) for name, span in found.items() if isinstance(span, timedelta)}
    return [{"measure": name, "value": seconds.get(name, value)} for name, value in found.items()]


def total_rows(submissions: SubmissionQuerySet, *, now: datetime) -> list[dict[str, Any]]:
    return [{"measure": name, "value": value} for name, value in totals(submissions, now=now).items()]


def precision_rows(submissions: SubmissionQuerySet, *, now: datetime) -> list[dict[str, Any]]:
    return [{"measure": name, "value": value} for name, value in asdict(precision(submissions)).items()]


def reason_rows(submissions: SubmissionQuerySet, *, now: datetime) -> list[dict[str, Any]]:
    return reasons(submissions)


Table = tuple[tuple[str, ...], Callable[..., list[dict[str, Any]]]]
# What can be had as CSV, by name: columns and rows. Durations in seconds.
TABLES: Mapping[str, Table] = {
    "waiting": (("measure", "value"), wait_rows),
    "totals": (("measure", "value"), total_rows),
    "precision": (("measure", "value"), precision_rows),
    "weeks": (("week", "accepted", "declined", "auto_declined", "withdrawn"), weeks),
    "reasons": (("reason", "count"), reason_rows),
}


def in_words(span: timedelta | None) -> str:
    """A duration as people say it: `2 h 10`, `35 min`, `3 days`."""
    if span is None:
        return "none yet"
    minutes = max(0, round(span.total_seconds() / 60))
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {rest:02}"
    return f"{hours // 24} days"
