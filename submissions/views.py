"""The pages of hosts: the form, and what became of a proposal. Everything works without a script."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from submissions import calendars, failures, intake, limits, links, wording
from submissions.forms import ProposalForm, started, started_at
from submissions.intake import Closed, NotPossible, TooMany
from submissions.models import Calendar, Submission
from submissions.prooflink import normalised
from submissions.proposal import Proposal
from tinytrail.web import client
from tinytrail.web.errors import page

log = logging.getLogger(__name__)

View = Callable[..., HttpResponse]

RETRY_SECONDS = 5
# The page of one that was declined by the system says so after this time: no program learns from it what gave it away.
REVEALED_AFTER = timedelta(hours=1)
# What the page says once after each of the host's own steps.
DONE = {
    "sent": "Thank you. Your proposal has arrived.",
    "changed": "Your changes are saved.",
    "answered": "Thank you. Your answer has been passed on.",
    "appealed": "Somebody will look at it again.",
    "withdrawn": "Your proposal is withdrawn.",
}
UNSTORED = "Nothing could be stored just now. Your text is still here: please send it again in a moment."


# -- the form ---------------------------------------------------------------------------------------------------------


def outages_answered(view: View) -> View:
    """A page with 503 while the database is away."""

    @wraps(view)
    def answered(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except failures.STORAGE as error:
            failures.note(log, error, where=view.__name__)
            answer = page(503, "Please try again in a moment", "This page cannot be made just now.")
            answer["Retry-After"] = str(RETRY_SECONDS)
            return answer

    return answered


@outages_answered
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def proposal_form(request: HttpRequest, website_id: UUID | None = None) -> HttpResponse:
    calendar = calendars.named(website_id) if website_id else calendars.for_proposals("")
    if calendar is None:
        raise Http404
    if request.method == "POST":
        return propose(request, calendar)
    if not calendar.is_open:
        return shown_form(request, calendar, is_closed=True)
    return shown_form(request, calendar, ProposalForm(), token=started(timezone.now()))


def propose(request: HttpRequest, calendar: Calendar) -> HttpResponse:
    now, form, token = timezone.now(), ProposalForm(request.POST), request.POST.get("started", "")
    try:
        intake.admit(calendar, address=address_of(request))
        if not form.is_valid() or form.proposal is None:
            intake.count_refusal("invalid_field", calendar=calendar, now=now)
            return shown_form(request, calendar, form, token=token, status=400)
        submission = intake.submit(
            calendar,
            form.proposal,
            honeypot=request.POST.get("website", ""),
            form_started_at=started_at(token),
            address=address_of(request),
            now=now,
        )
    except Closed:
        intake.count_refusal("closed", calendar=calendar, now=now)
        return shown_form(request, calendar, form, token=token, is_closed=True, status=503)
    except TooMany as error:
        intake.count_refusal(error.reason, calendar=calendar, now=now)
        return shown_form(
            request, calendar, form, token=token, notice=too_many(error), status=429, wait=error.retry_after
        )
    except (limits.Unavailable, *failures.STORAGE) as error:
        reason = "limiter_unavailable"
        if not isinstance(error, limits.Unavailable):
            failures.note(log, error, where="propose")
            reason = "storage_unavailable"
        intake.count_refusal(reason, calendar=calendar, now=now)
        return shown_form(request, calendar, form, token=token, notice=UNSTORED, status=503, wait=RETRY_SECONDS)
    return redirect(f"{links.status_path(submission)}?done=sent")


def shown_form(
    request: HttpRequest,
    calendar: Calendar,
    form: ProposalForm | None = None,
    *,
    token: str = "",
    notice: str = "",
    is_closed: bool = False,
    status: int = 200,
    wait: int | None = None,
) -> HttpResponse:
    context = {
        "calendar": calendar,
        "calendar_path": links.calendar_path(calendar),
        "form": form,
        # A forged one is not handed back: it counts as unknown.
        "started": token if started_at(token) else "",
        "notice": notice,
        "is_closed": is_closed,
    }
    answer = render(request, "submissions/form.html", context, status=status)
    if wait is not None:
        answer["Retry-After"] = str(wait)
    return answer


def too_many(error: TooMany) -> str:
    wait = in_words(error.retry_after)
    if error.scope == "fingerprint":
        return (
            "This event has been proposed already, with the same name, date, time, place and link. If that was you, "
            f"the link to it is in your mail. It can be proposed again in {wait}."
        )
    return f"Too many proposals have come from you. Please try again in {wait}: your text is still here."


def in_words(seconds: int) -> str:
    """A waiting time, rounded up to what people say."""
    for size, word in ((3600, "hour"), (60, "minute")):
        if seconds >= size:
            count = -(-seconds // size)
            return f"{count} {word}{'s' if count > 1 else ''}"
    return f"{seconds} second{'s' if seconds > 1 else ''}"


# -- what became of it ------------------------------------------------------------------------------------------------


@outages_answered
@never_cache
@require_http_methods(["GET", "HEAD"])
def status(request: HttpRequest, token: str) -> HttpResponse:
    return shown_status(request, found(token), done=DONE.get(request.GET.get("done", ""), ""))


@outages_answered
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, token: str) -> HttpResponse:
    submission = found(token)
    if request.method != "POST":
        return shown_edit(request, submission, ProposalForm.of(Proposal.of(submission)))
    form = ProposalForm(request.POST).without_address()
    try:
        intake.count_caller(address_of(request))
        if not form.is_valid() or form.proposal is None:
            return shown_edit(request, submission, form, status=400)
        intake.edit(submission.pk, form.proposal, now=timezone.now())
    except NotPossible as error:
        return shown_status(request, found(token), notice=str(error), code=409)
    except TooMany as error:
        notice = f"Too many changes. Please try again in {in_words(error.retry_after)}: your text is still here."
        return waiting(shown_edit(request, submission, form, notice=notice, status=429), error.retry_after)
    except limits.Unavailable:
        return waiting(shown_edit(request, submission, form, notice=UNSTORED, status=503), RETRY_SECONDS)
    return redirect(f"{links.status_path(submission)}?done=changed")


def step(done: str, verb: Callable[[UUID, str, datetime], object]) -> View:
    """A view that has the host take one step and leads back to the page."""

    @outages_answered
    @never_cache
    @require_POST
    def view(request: HttpRequest, token: str) -> HttpResponse:
        submission, text = found(token), request.POST.get("text", "")
        try:
            intake.count_caller(address_of(request))
            verb(submission.pk, text, timezone.now())
        except NotPossible as error:
            return shown_status(request, found(token), notice=str(error), text=text, code=409)
        except TooMany as error:
            notice = f"That was too often. Please try again in {in_words(error.retry_after)}: your text is still here."
            answer = shown_status(request, submission, notice=notice, text=text, code=429)
            return waiting(answer, error.retry_after)
        except limits.Unavailable:
            answer = shown_status(request, submission, notice=UNSTORED, text=text, code=503)
            return waiting(answer, RETRY_SECONDS)
        return redirect(f"{links.status_path(submission)}?done={done}")

    return view


withdraw = step("withdrawn", lambda submission_id, text, now: intake.withdraw(submission_id, now=now))
answer = step("answered", lambda submission_id, text, now: intake.answer(submission_id, text, now=now))
appeal = step("appealed", lambda submission_id, text, now: intake.appeal(submission_id, text, now=now))


def found(token: str) -> Submission:
    submission_id = links.submission_id(token)
    if submission_id is None:
        raise Http404
    rows = Submission.objects.select_related("calendar__website", "host", "accepted_event__calendar__website")
    submission = rows.filter(pk=submission_id, calendar__in=Calendar.objects.live()).first()
    if submission is None:
        raise Http404
    return submission


def state_of(submission: Submission, now: datetime) -> str:
    """What a host is told: received, reviewing, question, accepted, declined or withdrawn."""
    if submission.status == Submission.Status.ACCEPTED:
        return "accepted"
    if submission.is_pending:
        if submission.awaits_answer:
            return "question"
        was_looked_at = submission.looked_at or submission.asked_at or submission.appealed_at
        return "reviewing" if was_looked_at else "received"
    if submission.is_auto_declined and submission.reviewed_at and submission.reviewed_at > now - REVEALED_AFTER:
        return "received"
    return "withdrawn" if submission.review_reason == Submission.WITHDRAWN else "declined"


def shown_status(
    request: HttpRequest,
    submission: Submission,
    *,
    done: str = "",
    notice: str = "",
    text: str = "",
    code: int = 200,
) -> HttpResponse:
    state = state_of(submission, timezone.now())
    event = submission.accepted_event
    is_shown = event is not None and event.is_live
    context = {
        "submission": submission,
        "calendar": submission.calendar,
        "proposal": Proposal.of(submission),
        "link": normalised(submission.wrote("proofLink")),
        "state": state,
        "may_change": state in ("received", "reviewing", "question"),
        "may_appeal": state == "declined" and intake.may_appeal(submission),
        "day": wording.day_in_words(submission),
        "reason": wording.reason_in_words(submission),
        "event_path": links.event_path(event) if event and is_shown else "",
        "messages": submission.messages.all(),
        "token": links.token_of(submission),
        "form_path": links.form_path(submission.calendar),
        "calendar_path": links.calendar_path(submission.calendar),
        "done": done,
        "notice": notice,
        "text": text,
    }
    return private(render(request, "submissions/status.html", context, status=code))


def shown_edit(
    request: HttpRequest, submission: Submission, form: ProposalForm, *, notice: str = "", status: int = 200
) -> HttpResponse:
    if state_of(submission, timezone.now()) not in ("received", "reviewing", "question"):
        decided = "It has been decided meanwhile, and cannot be changed any more."
        return shown_status(request, submission, notice=decided, code=409)
    context = {
        "submission": submission,
        "calendar": submission.calendar,
        "form": form,
        "notice": notice,
        "token": links.token_of(submission),
        "calendar_path": links.calendar_path(submission.calendar),
    }
    return private(render(request, "submissions/edit.html", context, status=status))


def private(answer: HttpResponse) -> HttpResponse:
    """For who has the link alone (guarantee P24)."""
    answer["X-Robots-Tag"] = "noindex"
    return answer


def waiting(answer: HttpResponse, seconds: int) -> HttpResponse:
    answer["Retry-After"] = str(seconds)
    return answer


def address_of(request: HttpRequest) -> str:
    return client.address(
        request.META.get("REMOTE_ADDR", ""), request.META.get("HTTP_X_FORWARDED_FOR", ""), settings.TRUSTED_PROXIES
    )
