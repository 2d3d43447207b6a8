"""Submissions as CSV, a line at a time (contract D-41)."""

from collections.abc import Iterator

from django.db.models import QuerySet

from submissions.models import Submission
from submissions.proposal import FIELDS, OUTSIDE
from tinytrail.web import csv

WROTE = tuple(field.name for attribute, field in FIELDS.items() if attribute != OUTSIDE)
COLUMNS = ("id", "status", *WROTE, "submittedAt", "signals", "reviewReason", "reviewedBy", "reviewedAt")
COLUMNS += ("acceptedEventKey",)
EMAIL = FIELDS[OUTSIDE].name
# How many rows the database sends at a time.
CHUNK_ROWS = 500


def lines(submissions: QuerySet[Submission], *, with_hosts: bool) -> Iterator[str]:
    """The header and one line per submission; the host's address only for those who may see it."""
    columns = (*COLUMNS, EMAIL) if with_hosts else COLUMNS
    yield csv.document(columns, [])
    for submission in submissions.select_related("host").iterator(CHUNK_ROWS):
        yield csv.document(columns, [row(submission)]).partition("\r\n")[2]


def row(submission: Submission) -> dict[str, str]:
    signals = [*submission.spam_signals.get("reasons", []), *(flag["signal"] for flag in submission.flags)]
    return {name: submission.wrote(name) for name in (*WROTE, "submittedAt")} | {
        "id": str(submission.pk),
        "status": submission.status,
        "signals": " ".join(signals),
        "reviewReason": submission.review_reason,
        "reviewedBy": submission.reviewed_by,
        "reviewedAt": submission.reviewed_at.isoformat() if submission.reviewed_at else "",
        "acceptedEventKey": submission.accepted_event_key,
        EMAIL: submission.host_email,
    }
