"""What a moderator puts right in a proposal before accepting it, for example a day that could not be read."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts.models import User
from submissions import limits
from submissions.intake import fill_from, flag, today_of
from submissions.models import Decision, Submission
from submissions.proposal import FIELDS, OUTSIDE, Invalid, Proposal
from submissions.review import Unsuitable, locked_pending, record

# Stands in for an address that was removed: reading a proposal asks for one, and nothing keeps this.
NOBODY = "nobody@example.com"


@transaction.atomic
def correct(
    submission_id: UUID,
    given: Mapping[str, str],
    *,
    actor: User,
    by: str = Submission.ADMIN_PANEL,
    now: datetime,
    seen_at: datetime | None = None,
) -> list[str]:
    """Sets fields of a pending submission, under the contract's names. Returns the names of those that changed.

    What the host wrote stays in the log. The host's address cannot be changed. Raises a Refusal.
    """
    submission = locked_pending(submission_id, seen_at)
    before = Proposal.of(submission)
    old = {field.name: getattr(before, attribute) for attribute, field in FIELDS.items()}
    allowed = {name: text for name, text in given.items() if name in old and name != FIELDS[OUTSIDE].name}
    try:
        proposal = Proposal.read({**old, FIELDS[OUTSIDE].name: submission.host_email or NOBODY, **allowed})
    except Invalid as invalid:
        raise Unsuitable(" ".join(f"{name}: {issue}" for name, issue in invalid.issues.items())) from None
    changed = [
        field.name
        for attribute, field in FIELDS.items()
        if attribute != OUTSIDE and getattr(proposal, attribute) != getattr(before, attribute)
    ]
    if not changed:
        return []
    fill_from(submission, proposal, today_of(submission.calendar, now))
    submission.fingerprint_hash = limits.fingerprint_hash(proposal)
    flag(submission, proposal, now=now)
    submission.save()
    record(
        submission,
        Decision.Action.EDIT,
        by=by,
        actor=actor,
        reason=", ".join(changed),
        before={"payload": {name: old[name] for name in changed}},
        now=now,
    )
    return changed
