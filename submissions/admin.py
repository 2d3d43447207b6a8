"""The review queue in the back office, its audit log, its measures, and the hosts who may be forgotten.

What is done here is done by the verbs of review, correction, batches and retention. Who may do what: a group's rights
(`Moderators` has all of these) within the own account's calendars; admins everywhere.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.views.main import ORDER_VAR
from django.core.exceptions import PermissionDenied
from django.db.models import BooleanField, Count, Model, Q, QuerySet, Value
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.views.decorators.http import require_GET, require_POST
from unfold.decorators import action
from unfold.views import ChangeList

from accounts.admin import FewAtOnce, ScopedAdmin, current_user
from accounts.models import User
from submissions import batches, desk, export, measures, queue, review
from submissions.catalog import today_of
from submissions.models import Batch, Calendar, Decision, Host, Submission, SubmissionQuerySet
from submissions.retention import erase
from submissions.text import folded
from tinytrail.web import csv

Answer = TypeVar("Answer", bound=HttpResponseBase)


@dataclass(frozen=True)
class State:
    """A tab above the list: which submissions, in which order."""

    name: str
    title: str
    chosen: Q
    is_by_urgency: bool = False


STATES = {
    state.name: state
    for state in (
        State("pending", "Pending", Q(status=Submission.Status.PENDING), is_by_urgency=True),
        State("flagged", "Flagged", Q(status=Submission.Status.PENDING, flag_count__gt=0), is_by_urgency=True),
        State("waiting", "Waiting for host", Q(status=Submission.Status.PENDING) & queue.AWAITS_ANSWER),
        State("auto", "Declined by system", queue.AUTO_DECLINED),
        State("accepted", "Accepted", Q(status=Submission.Status.ACCEPTED)),
        State("declined", "Declined", Q(status=Submission.Status.DECLINED) & ~Q(reviewed_by=Submission.SYSTEM)),
    )
}
STATE_PARAMETER = "state"


class QueueList(ChangeList):
    """The list of one state. Its tabs are links and no drawer of filters, which needs a script to be closed."""

    result_list: list[Submission]

    def get_filters_params(self, params: dict[str, Any] | None = None) -> dict[str, Any]:
        found: dict[str, Any] = super().get_filters_params(params)
        found.pop(STATE_PARAMETER, None)
        return found

    def get_ordering_field_columns(self) -> dict[int, str]:
        """No column says that the list is sorted by it, unless somebody chose one: urgency is no column."""
        found: dict[int, str] = super().get_ordering_field_columns() if ORDER_VAR in self.params else {}
        return found

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = list(self.result_list)
        told = track_records(self.result_list)
        for submission in self.result_list:
            submission.track_record = told[submission.pk]  # type: ignore[attr-defined]

    def get_queryset(self, request: HttpRequest, *args: Any, **kwargs: Any) -> QuerySet[Submission]:  # noqa: ANN401
        self.search_help_text = "Name, place or e-mail" if sees_hosts(request) else "Name or place"
        everything: QuerySet[Submission] = self.model_admin.get_queryset(request)
        self.root_queryset = everything.filter(state_of(request).chosen)
        found: QuerySet[Submission] = super().get_queryset(request, *args, **kwargs)
        return found


def state_of(request: HttpRequest) -> State:
    return STATES.get(request.GET.get(STATE_PARAMETER, ""), STATES["pending"])


@admin.register(Submission)
class SubmissionAdmin(ScopedAdmin):
    """The queue. What hosts wrote is evidence: it is shown as text, and corrected by a step that the log keeps."""

    list_display = ("event", "when", "place", "proposer", "signals", "waits", "looked_at_now")
    list_display_links = ("event",)
    list_per_page = 50
    # What is chosen across all pages is settled at the click, and decided in steps (A77).
    list_disable_select_all = False
    list_before_template = "admin/submissions/submission/tabs.html"
    search_fields = ("name_folded", "location_folded", "host__email")
    date_hierarchy = "starts_on"
    actions: ClassVar = ["accept_chosen", "decline_chosen"]

    class Media:
        css: ClassVar = {"all": ("submissions/queue.css",)}
        js = ("submissions/queue.js",)

    # -- who may what --

    def has_review_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return may(request, "review_submission")

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.has_review_permission(request) or may(request, "view_submission")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def visible(self, user: User) -> SubmissionQuerySet:
        return Submission.objects.visible_to(user)

    # -- the list --

    def get_changelist(self, request: HttpRequest, **kwargs: object) -> type[QueueList]:
        return QueueList

    def get_queryset(self, request: HttpRequest) -> QuerySet[Submission]:
        user = current_user(request)
        found = self.visible(user).select_related("calendar", "host", "looked_at_by")
        # Columns know no request: what they need of it comes with the row.
        found = found.annotate(
            shows_host=Value(sees_hosts(request), output_field=BooleanField()), viewer=Value(str(user.pk))
        )
        return queue.with_urgency(found, user, today=timezone.now().date())

    def get_ordering(self, request: HttpRequest) -> tuple[Any, ...]:
        return queue.URGENCY if state_of(request).is_by_urgency else ("-created_at", "id")

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        return tuple(name for name in self.search_fields if name != "host__email" or sees_hosts(request))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        found: tuple[QuerySet[Any], bool] = super().get_search_results(request, queryset, folded(search_term))
        return found

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        found: dict[str, Any] = super().get_actions(request)
        # Nothing is deleted here: retention does that.
        found.pop("delete_selected", None)
        return found if state_of(request).is_by_urgency or state_of(request).name == "waiting" else {}

    def response_action(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponseBase:
        # What is chosen across all pages may be many: a batch is done in steps, unlike what FewAtOnce guards against.
        answer: HttpResponseBase = super(FewAtOnce, self).response_action(request, queryset)
        return answer

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:
        context = {
            "title": "Submissions",
            "states": list(STATES.values()),
            "state": state_of(request),
            "may_review": self.has_review_permission(request),
            "may_export": may_export(request),
            "last_told": desk.last_told(request),
            "seen_at": timezone.now().isoformat(),
        }
        answer: HttpResponseBase = super().changelist_view(request, context | (extra_context or {}))
        return answer

    @admin.display(description="event", ordering="name")
    def event(self, submission: Submission) -> str:
        return submission.name

    @admin.display(description="when", ordering="starts_on")
    def when(self, submission: Submission) -> str:
        if submission.starts_on is None:
            return cell(submission.wrote("date"), "day not read", "q-warn")
        day = f"{submission.starts_on:%a} {submission.starts_on.day} {submission.starts_on:%b %Y}"
        at = f", {submission.starts_at:%H:%M}" if submission.starts_at else ""
        return cell(f"{day}{at}", desk.distance(submission.starts_on, today_of(submission.calendar, timezone.now())))

    @admin.display(description="place")
    def place(self, submission: Submission) -> str:
        return cell(submission.wrote("location"), submission.wrote("arrondissement"))

    @admin.display(description="host")
    def proposer(self, submission: Submission) -> str:
        shows_host: bool = submission.shows_host  # type: ignore[attr-defined]
        told: str = submission.track_record  # type: ignore[attr-defined]
        return cell(submission.host_email if shows_host else "", told)

    @admin.display(description="signals", ordering="flag_count")
    def signals(self, submission: Submission) -> str:
        told = format_html_join("", "<span class='q-signal'>{}</span>", ((one,) for one in desk.signals(submission)))
        return format_html("<div class='q-cell'>{}</div>", told)

    @admin.display(description="waiting", ordering="created_at")
    def waits(self, submission: Submission) -> str:
        told = desk.waited(submission, timezone.now())
        if submission.is_pending and submission.awaits_answer:
            return f"{told}, for the host's answer"
        if submission.is_pending and submission.appealed_at:
            return f"{told}, appealed"
        return told

    @admin.display(description="looked at by")
    def looked_at_now(self, submission: Submission) -> str:
        viewer: str = submission.viewer  # type: ignore[attr-defined]
        other = review.looking(submission, now=timezone.now())
        if other is not None and str(other.pk) == viewer:
            other = None
        return format_html("<span data-looking='{}'>{}</span>", submission.pk, str(other) if other else "")

    # -- deciding many --

    @action(description="Accept…", permissions=["review"])
    def accept_chosen(self, request: HttpRequest, chosen: QuerySet[Submission]) -> HttpResponse:
        return self.confirm(request, chosen, Batch.Action.ACCEPT)

    @action(description="Decline…", permissions=["review"])
    def decline_chosen(self, request: HttpRequest, chosen: QuerySet[Submission]) -> HttpResponse:
        return self.confirm(request, chosen, Batch.Action.DECLINE)

    def confirm(self, request: HttpRequest, chosen: QuerySet[Submission], verb: Batch.Action) -> HttpResponse:
        """Asks first. The page holds what was chosen: what arrives meanwhile is not among it."""
        ids = [str(pk) for pk in chosen.values_list("pk", flat=True)[: batches.MOST + 1]]
        if len(ids) > batches.MOST:
            self.message_user(request, f"At most {batches.MOST:,} at once: choose fewer.", messages.ERROR)
            return redirect(LIST)
        context = self.context(request, f"{verb.label} {len(ids):,} submissions")
        context |= {"verb": verb.value, "ids": ",".join(ids), "count": len(ids), "first": list(chosen[:20])}
        context |= {"reasons": review.REASONS}
        return TemplateResponse(request, f"{TEMPLATES}/confirm.html", context)

    def begin_batch_view(self, request: HttpRequest) -> HttpResponse:
        self.must(self.has_review_permission(request))
        user, now = current_user(request), timezone.now()
        asked = [pk for pk in map(uuid_of, request.POST.get("ids", "").split(",")) if pk]
        verb = request.POST.get("verb", "")
        if verb not in Batch.Action.values or not asked:
            raise Http404
        reason = request.POST.get("reason", "")
        reason = request.POST.get("other", "") if reason == review.OTHER else reason
        # In the order that was shown; others' are not there.
        mine = set(self.visible(user).filter(pk__in=asked[: batches.MOST]).values_list("pk", flat=True))
        try:
            batch = batches.begin(
                [pk for pk in asked if pk in mine],
                action=verb,
                reason=reason,
                message=request.POST.get("message", ""),
                actor=user,
                now=now,
            )
        except review.Refusal as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
            return redirect(LIST)
        done = {"accept": "accepted", "decline": "declined"}[verb]
        desk.remember(request, "batch", batch.id, f"{len(batch.submissions):,} {done}")
        return self.advance(request, batch.id)

    def batch_view(self, request: HttpRequest, batch_id: UUID) -> HttpResponse:
        """How far it got; a click, or the script, does the next few."""
        self.must(self.has_review_permission(request))
        batch = Batch.objects.filter(pk=batch_id, actor=current_user(request)).first()
        if batch is None:
            raise Http404
        if request.method == "POST":
            return self.advance(request, batch.id)
        total = len(batch.submissions) if batch.undone is None else batch.done
        context = self.context(request, "Undoing" if batch.undone is not None else f"{batch.get_action_display()}ing")
        context |= {"batch": batch, "total": total, "done": total - batches.left(batch), "left": batches.left(batch)}
        return TemplateResponse(request, f"{TEMPLATES}/batch.html", context)

    def undo_batch_view(self, request: HttpRequest, batch_id: UUID) -> HttpResponse:
        self.must(self.has_review_permission(request))
        batch = Batch.objects.filter(pk=batch_id, actor=current_user(request)).first()
        if batch is None:
            raise Http404
        try:
            batches.begin_undoing(batch)
        except review.Refusal as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
            return redirect(LIST)
        return self.advance(request, batch.id)

    def advance(self, request: HttpRequest, batch_id: UUID) -> HttpResponse:
        batch = batches.step(batch_id, actor=current_user(request), now=timezone.now())
        if batches.left(batch):
            return redirect("admin:submissions_submission_batch", batch.id)
        self.message_user(request, told_of(batch), messages.WARNING if batch.refused else messages.SUCCESS)
        return redirect(LIST)

    # -- one after the other --

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The desk: everything that a decision needs, and the buttons."""
        self.must(self.has_view_permission(request))
        user, now = current_user(request), timezone.now()
        submission = self.wanted(request, object_id)
        may_review = self.has_review_permission(request)
        rivals = desk.rivals(submission, now=now)
        other = review.look(submission.pk, actor=user, now=now) if may_review and submission.is_pending else None
        context = self.context(request, submission.name) | {
            "original": submission,
            "object": submission,
            "lines": desk.lines(submission),
            "soon": desk.distance(submission.starts_on, today_of(submission.calendar, now)),
            "waited": desk.waited(submission, now),
            "signals": desk.evidence(submission),
            "host": submission.host_email if sees_hosts(request) else "",
            "track_record": track_records([submission])[submission.pk],
            "rivals": rivals,
            "compared": desk.compared(submission, rivals),
            "messages_with_host": submission.messages.select_related("user"),
            "decisions": submission.decisions.select_related("actor"),
            "reason": review.in_words(submission.review_reason),
            "may_review": may_review,
            "may_reopen": may_review and desk.may_reopen(submission),
            "other": other,
            "reasons": review.REASONS,
            "corrections": desk.corrections(submission),
            "seen_at": now.isoformat(),
            "last_told": desk.last_told(request),
        }
        return TemplateResponse(request, f"{TEMPLATES}/desk.html", context | (extra_context or {}))

    def step_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """One step, then the next submission. A refused one leads back to the page, with the sentence."""
        self.must(self.has_review_permission(request))
        submission = self.wanted(request, object_id)
        verb = desk.STEPS.get(request.POST.get("step", ""))
        if verb is None:
            raise Http404
        try:
            taken = verb(request, submission, actor=current_user(request), now=timezone.now())
        except review.Refusal as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
            return redirect(CHANGE, submission.pk)
        self.message_user(request, taken.sentence, messages.SUCCESS)
        return self.next(request) if taken.goes_on else redirect(CHANGE, submission.pk)

    def next_view(self, request: HttpRequest) -> HttpResponse:
        """The most urgent one; with `after` or `before` the neighbour of another."""
        self.must(self.has_review_permission(request))
        for parameter, back in (("after", False), ("before", True)):
            if beside := uuid_of(request.GET.get(parameter, "")):
                return self.neighbour(request, beside, back=back)
        return self.next(request)

    def neighbour(self, request: HttpRequest, beside: UUID, *, back: bool) -> HttpResponse:
        user, now = current_user(request), timezone.now()
        found = queue.neighbour(beside, user, back=back, now=now, today=now.date())
        if found is not None:
            return redirect(CHANGE, found)
        if not queue.decidable(user, now=now).filter(pk=beside).exists():
            return self.next(request)
        self.message_user(request, f"This is the {'first' if back else 'last'} one in your queue.", messages.INFO)
        return redirect(CHANGE, beside)

    def next(self, request: HttpRequest) -> HttpResponse:
        user, now = current_user(request), timezone.now()
        upcoming = queue.upcoming(user, now=now, today=now.date())
        if upcoming is not None:
            return redirect(CHANGE, upcoming.pk)
        self.message_user(request, desk.sentence_of_the_end(user, now=now), messages.SUCCESS)
        return redirect(LIST)

    def undo_view(self, request: HttpRequest) -> HttpResponse:
        self.must(self.has_review_permission(request))
        try:
            undone = desk.undo(request, actor=current_user(request), now=timezone.now())
        except review.Refusal as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
            return redirect(LIST)
        if undone.batch:
            return self.advance(request, undone.batch)
        self.message_user(request, undone.sentence, messages.SUCCESS)
        return redirect(CHANGE, undone.submission)

    def look_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The heartbeat of an open page; its answer is who else has it open."""
        self.must(self.has_review_permission(request))
        submission = self.wanted(request, object_id)
        other = review.look(submission.pk, actor=current_user(request), now=timezone.now())
        return JsonResponse({"looking": str(other) if other else "", "status": submission.status})

    def looking_view(self, request: HttpRequest) -> HttpResponse:
        """Who has which submissions open now, for the list."""
        self.must(self.has_view_permission(request))
        since = timezone.now() - review.LOOKED_LATELY
        open_now = self.visible(current_user(request)).filter(looked_at__gte=since).exclude(looked_at_by=None)
        open_now = open_now.exclude(looked_at_by=current_user(request))
        found = open_now.select_related("looked_at_by")[:500]
        return JsonResponse({str(submission.pk): str(submission.looked_at_by) for submission in found})

    # -- figures and files --

    def measures_view(self, request: HttpRequest) -> HttpResponse:
        self.must(self.has_view_permission(request))
        mine, now = self.visible(current_user(request)), timezone.now()
        context = self.context(request, "How the queue is doing") | {
            "wait": {name: measures.in_words(span) for name, span in measures.spans(mine, now=now).items()},
            "decided": measures.wait(mine, now=now).decided,
            "totals": measures.totals(mine, now=now),
            "precision": measures.precision(mine),
            "weeks": measures.weeks(mine, now=now),
            "reasons": [row | {"label": review.in_words(row["reason"])} for row in measures.reasons(mine)],
            "may_export": may_export(request),
        }
        return TemplateResponse(request, f"{TEMPLATES}/measures.html", context)

    def measure_file_view(self, request: HttpRequest, name: str) -> HttpResponse:
        self.must(self.has_view_permission(request) and may_export(request))
        if name not in measures.TABLES:
            raise Http404
        columns, rows = measures.TABLES[name]
        found = rows(self.visible(current_user(request)), now=timezone.now())
        return as_file(HttpResponse(csv.document(columns, found), content_type=CSV), f"submissions-{name}.csv")

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """The submissions of a tab as CSV, as many as there are; addresses for those who may see them."""
        self.must(self.has_view_permission(request) and may_export(request))
        state = state_of(request)
        chosen = self.visible(current_user(request)).filter(state.chosen).order_by("-created_at", "id")
        lines = export.lines(chosen, with_hosts=sees_hosts(request))
        return as_file(StreamingHttpResponse(lines, content_type=CSV), f"submissions-{state.name}.csv")

    # -- the frame --

    def get_urls(self) -> list[Any]:
        posted, read = require_POST, require_GET
        pages: list[tuple[str, Callable[..., HttpResponseBase], str]] = [
            ("next/", read(self.next_view), "next"),
            ("undo/", posted(self.undo_view), "undo"),
            ("looking/", read(self.looking_view), "looking"),
            ("measures/", read(self.measures_view), "measures"),
            ("measures/<slug:name>.csv", read(self.measure_file_view), "measure_file"),
            ("export.csv", read(self.export_view), "export"),
            ("batch/", posted(self.begin_batch_view), "begin_batch"),
            ("batch/<uuid:batch_id>/", self.batch_view, "batch"),
            ("batch/<uuid:batch_id>/undo/", posted(self.undo_batch_view), "undo_batch"),
            ("<str:object_id>/step/", posted(self.step_view), "step"),
            ("<str:object_id>/look/", posted(self.look_view), "look"),
        ]
        own = [
            path(route, self.admin_site.admin_view(view), name=f"submissions_submission_{name}")
            for route, view, name in pages
        ]
        return [*own, *super().get_urls()]

    def context(self, request: HttpRequest, title: str) -> dict[str, Any]:
        return {**self.admin_site.each_context(request), "opts": self.opts, "title": title, "media": self.media}

    def wanted(self, request: HttpRequest, object_id: str) -> Submission:
        pk = uuid_of(object_id)
        found = self.visible(current_user(request)).select_related("calendar__website", "host")
        submission = found.filter(pk=pk).first() if pk else None
        if submission is None:
            raise Http404
        return submission

    def must(self, is_allowed: bool) -> None:
        if not is_allowed:
            raise PermissionDenied


LIST = "admin:submissions_submission_changelist"
CHANGE = "admin:submissions_submission_change"
TEMPLATES = "admin/submissions/submission"
CSV = "text/csv; charset=utf-8"


def may(request: HttpRequest, right: str) -> bool:
    """Whoever asks, the sign-in page's visitor included."""
    return request.user.has_perm(f"submissions.{right}")


def sees_hosts(request: HttpRequest) -> bool:
    return may(request, "see_host")


def may_export(request: HttpRequest) -> bool:
    return may(request, "export_submission")


def cell(first: str, second: str, css_class: str = "q-note") -> str:
    """Two lines of a cell, either of which may be empty."""
    line = format_html("<span class='{}'>{}</span>", css_class, second) if second else ""
    return format_html("<div class='q-cell'>{} {}</div>", first, line)


def track_records(submissions: Iterable[Submission]) -> dict[UUID, str]:
    """What became of the other proposals of each submission's host, counted once per host: some have thousands."""
    rows = list(submissions)
    decided = [Submission.Status.ACCEPTED, Submission.Status.DECLINED]
    same = Submission.objects.filter(host__in={row.host_id for row in rows if row.host_id}, status__in=decided)
    counted = same.order_by().values_list("host", "status").annotate(count=Count("pk"))
    counts = {(host, status): count for host, status, count in counted}
    return {
        row.pk: track_record(
            row, *(counts.get((row.host_id, status), 0) - (row.status == status) for status in decided)
        )
        for row in rows
    }


def track_record(submission: Submission, accepted: int, declined: int) -> str:
    if submission.host_id is None:
        return "host not known any more"
    return f"{accepted} accepted, {declined} declined before" if accepted or declined else "first proposal"


def told_of(batch: Batch) -> str:
    refused = sum(batch.refused.values())
    done = (batch.done if batch.undone is None else batch.undone) - refused
    verb = {"accept": "accepted", "decline": "declined"}[batch.action] if batch.undone is None else "undone"
    why = "".join(f" {count:,} not: {sentence.rstrip('.')}." for sentence, count in batch.refused.items())
    return f"{done:,} {verb}.{why}"


def uuid_of(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def as_file(response: Answer, name: str) -> Answer:
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response


class ReadOnly:
    """Nobody writes here by hand."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Decision)
class DecisionAdmin(ReadOnly, ScopedAdmin):
    """The audit log of submissions: every step, by whom, when."""

    list_display = ("at", "action", "of", "who", "reason", "undone_at")
    list_display_links = None
    # Named: Django would else make a form first, and ask for the submissions in the order of the queue.
    fields = ("at", "action", "of", "who", "reason", "undone_at")
    readonly_fields = ("of", "who")
    search_fields = ("submission__name_folded", "by", "actor__login")
    search_help_text = "Name, or who"
    date_hierarchy = "at"
    ordering: ClassVar = ["-at", "-id"]
    list_filter = ("action",)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return may(request, "view_decision")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def visible(self, user: User) -> QuerySet[Decision]:
        return Decision.objects.filter(submission__in=Submission.objects.visible_to(user)).select_related(
            "submission", "actor"
        )

    @admin.display(description="submission", ordering="submission__name")
    def of(self, decision: Decision) -> str:
        return format_html('<a href="{}">{}</a>', reverse(CHANGE, args=[decision.submission_id]), decision.submission)

    @admin.display(description="by", ordering="by")
    def who(self, decision: Decision) -> str:
        return f"{decision.actor} ({decision.by})" if decision.actor else decision.by


@admin.register(Host)
class HostAdmin(ReadOnly, ScopedAdmin):
    """Who proposed events, and may ask to be forgotten (P20)."""

    list_display = ("email", "accepted", "declined", "created_at")
    list_display_links = None
    search_fields = ("email",)
    search_help_text = "E-mail"
    ordering: ClassVar = ["email", "id"]
    actions: ClassVar = ["erase_chosen"]

    def has_see_permission(self, request: HttpRequest) -> bool:
        return sees_hosts(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return sees_hosts(request)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return sees_hosts(request)

    def visible(self, user: User) -> QuerySet[Host]:
        status = Submission.Status
        return Host.objects.filter(calendar__in=Calendar.objects.visible_to(user)).annotate(
            accepted_count=Count("submissions", filter=Q(submissions__status=status.ACCEPTED)),
            declined_count=Count("submissions", filter=Q(submissions__status=status.DECLINED)),
        )

    @admin.display(ordering="accepted_count")
    def accepted(self, host: Host) -> int:
        return host.accepted_count  # type: ignore[attr-defined, no-any-return]

    @admin.display(ordering="declined_count")
    def declined(self, host: Host) -> int:
        return host.declined_count  # type: ignore[attr-defined, no-any-return]

    @action(description="Erase the address…", permissions=["see"])
    def erase_chosen(self, request: HttpRequest, chosen: QuerySet[Host]) -> HttpResponse | None:
        """Asks first, for it cannot be undone."""
        hosts = list(chosen)
        if request.POST.get("sure"):
            count = sum(erase(host.email, by=current_user(request), now=timezone.now()) for host in hosts)
            self.message_user(request, f"{len(hosts)} erased, with the address on {count} submissions.")
            return None
        context = {**self.admin_site.each_context(request), "opts": self.opts, "title": "Erase hosts", "hosts": hosts}
        return TemplateResponse(request, "admin/submissions/host/erase.html", context)
