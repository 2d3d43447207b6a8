"""The log of what was done with secrets and rights. It holds ids, never an address, e-mail or key."""

from uuid import UUID

from accounts.models import AuditEntry, User

NOBODY = "an unknown login"


def record(action: str, subject: UUID | str, *, by: User | None) -> None:
    """`by` is None for what was done at the command line, and at the door by somebody who is not in yet."""
    AuditEntry.objects.create(actor=by.id if by else None, action=action, subject=str(subject))
