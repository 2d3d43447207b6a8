from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import CommandError
from django.utils import timezone

from submissions import review
from submissions.models import Submission
from tinytrail.command import TinyCommand


class Command(TinyCommand):
    help = "Accepts or declines a pending submission, as a moderator does."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("submission", help="id of the submission")
        decision = parser.add_mutually_exclusive_group(required=True)
        decision.add_argument("--accept", action="store_true", help="publish it")
        decision.add_argument("--decline", metavar="REASON", help=f"one of {', '.join(review.REASONS)}; or a text")
        parser.add_argument("--by", required=True, metavar="NAME", help="who decides, for the log")

    def run(self, **options: Any) -> tuple[str, dict[str, Any]]:  # noqa: ANN401
        by = options["by"].strip()
        if not 0 < len(by) <= 254 or not by.isprintable():
            raise CommandError("--by must be a name of at most 254 characters that can be shown.")
        try:
            submission_id = UUID(options["submission"])
        except ValueError:
            raise CommandError("SUBMISSION must be an id, for example 550e8400-e29b-41d4-a716-446655440000.") from None
        try:
            return decided(submission_id, by=by, accepts=options["accept"], reason=options["decline"])
        except review.Refusal as refusal:
            raise CommandError(f"{str(refusal).removesuffix('.')}.") from None


def decided(submission_id: UUID, *, by: str, accepts: bool, reason: str | None) -> tuple[str, dict[str, Any]]:
    now = timezone.now()
    if accepts:
        event = review.accept(submission_id, by=by, now=now)
        return (
            f"Accepted: “{event.name}” is on the calendar with the key {event.key}.",
            {"status": Submission.Status.ACCEPTED.value, "eventKey": event.key},
        )
    submission = review.decline(submission_id, reason=reason or "", by=by, now=now)
    return f"Declined: “{submission.name}”.", {"status": Submission.Status.DECLINED.value, "eventKey": None}
