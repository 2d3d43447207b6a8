"""POST /api/event-submissions: a host's proposal, from a program or the calendar's own site (contract 4)."""

from typing import Any

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from submissions import calendars, intake
from submissions.api.dialect import (
    RECEIVED,
    SubmissionApiView,
    address_of,
    check_media_type,
    fields_of,
    unavailable,
)
from submissions.api.documentation import documented
from submissions.proposal import NO_TEXT, Invalid, Proposal


class SubmissionsView(SubmissionApiView):
    @documented
    def post(self, request: Request) -> Response:
        http, now = request._request, timezone.now()
        check_media_type(http)
        self.calendar = calendars.for_proposals(http.headers.get("Origin", ""))
        if self.calendar is None:
            raise unavailable("no_calendar")
        address = address_of(http)
        intake.admit(self.calendar, address=address)
        fields = fields_of(http)
        proposal, honeypot = read(fields)
        started = fields.get("formStartedAt")
        intake.submit(
            self.calendar,
            proposal,
            honeypot=honeypot,
            # Never an error, whatever it is (contract 4.1).
            form_started_at=started if isinstance(started, str) else "",
            address=address,
            now=now,
        )
        return Response({"success": True, "message": RECEIVED})


def read(fields: dict[str, Any]) -> tuple[Proposal, str]:
    """The proposal, and what stands in the field that people do not see. Raises Invalid."""
    issues: dict[str, str] = {}
    proposal = None
    try:
        proposal = Proposal.read(fields)
    except Invalid as error:
        issues.update(error.issues)
    honeypot = fields.get("honeypot")
    if honeypot is not None and not isinstance(honeypot, str):
        issues["honeypot"] = NO_TEXT
    if issues or proposal is None:
        raise Invalid(issues)
    return proposal, honeypot or ""
