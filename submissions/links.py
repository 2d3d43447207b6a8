"""Addresses of the public pages: the form, the unguessable one of what became of a proposal, a published event."""

from uuid import UUID

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.urls import reverse

from submissions.models import Calendar, CatalogEvent, Submission

_signer = Signer(salt="submissions.status", sep=".")


def token_of(submission: Submission) -> str:
    """Names a submission to whoever proposed it. Nothing is stored, and nobody guesses one."""
    return _signer.sign(submission.pk.hex)


def submission_id(token: str) -> UUID | None:
    """The submission of a token, None for one that this installation has not made."""
    try:
        return UUID(_signer.unsign(token))
    except (BadSignature, ValueError):
        return None


def status_path(submission: Submission) -> str:
    return reverse("proposal_status", args=[token_of(submission)])


def form_path(calendar: Calendar) -> str:
    """Where proposals for the calendar are made."""
    if calendar.is_default:
        return reverse("proposal_form")
    return reverse("calendar_proposal_form", args=[calendar.website.public_id])


def calendar_path(calendar: Calendar) -> str:
    return reverse("calendar", args=[calendar.website.public_id])


def event_path(event: CatalogEvent) -> str:
    return reverse("calendar_event", args=[event.calendar.website.public_id, event.key, event.slug])


def absolute(path: str) -> str:
    """The address of a path for mails, under the configured name and never a request's (guarantee A82)."""
    return f"{settings.PUBLIC_URL}{path}"
