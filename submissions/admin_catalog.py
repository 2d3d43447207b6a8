"""The catalogue and the calendars in the back office. What is done here is done by the verbs of catalog and calendars.

Who may do what: a group's rights within the own account's calendars; admins everywhere.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar
from zoneinfo import available_timezones

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminSelectWidget, UnfoldBooleanSwitchWidget

from accounts.admin import Refused, ScopedAdmin, current_user
from accounts.models import User, Website
from submissions import calendars, catalog
from submissions.catalog import DAY_ENDS, LENGTHS, Unpublishable
from submissions.importing import NotEvents, document_example, import_events
from submissions.models import Calendar, CatalogEvent
from submissions.occasion import occasion

# Some three thousand events, which take some ten seconds.
LARGEST_FILE = 500_000


class CatalogEventForm(forms.ModelForm):  # type: ignore[type-arg] # not subscriptable at run time
    class Meta:
        model = CatalogEvent
        fields: ClassVar = ["calendar", *LENGTHS, "is_featured"]
        labels: ClassVar = {"start_time": "Begins at", "end_time": "Ends at"}
        help_texts: ClassVar = {
            "date": "As people will read it: 2026-06-21, 21 June 2026, 20-22 June 2026.",
            "start_time": "As people will read it: 20:00, 8 pm, 20h30.",
            "genre": "Several of them parted by commas.",
            "setting": "Indoor, outdoor or both: the filter of the calendar understands these.",
            "url": "Where to read more or buy a ticket.",
            "is_featured": "Stands above the list, and in the filter for featured events.",
        }

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        for field in LENGTHS:
            if field in cleaned and field not in self.errors:
                try:
                    cleaned[field] = catalog.cleaned(field, cleaned[field])
                except Unpublishable as refusal:
                    self.add_error(field, str(refusal))
        return cleaned


class CalendarForm(forms.ModelForm):  # type: ignore[type-arg] # not subscriptable at run time
    time_zone = forms.ChoiceField(
        widget=UnfoldAdminSelectWidget,
        help_text="Of the events' dates and times. With UTC they are given without any zone, as they are written.",
    )

    class Meta:
        model = Calendar
        fields: ClassVar = ["website", "name", "time_zone", "is_open"]
        help_texts: ClassVar = {"is_open": "While closed, nobody can propose an event; what is published stays."}

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 (the form's own)
        super().__init__(*args, **options)
        if "time_zone" in self.fields:
            self.fields["time_zone"].choices = [(name, name) for name in zones()]  # type: ignore[attr-defined]
            self.fields["time_zone"].initial = "UTC"

    def clean_name(self) -> str:
        try:
            return calendars.checked_name(self.cleaned_data["name"])
        except ValueError as error:
            raise ValidationError(str(error)) from None


class ImportForm(forms.Form):
    calendar = forms.ModelChoiceField(Calendar.objects.none(), widget=UnfoldAdminSelectWidget)
    file = forms.FileField(widget=UnfoldAdminFileFieldWidget, help_text="A CSV file, at most 500 kB.")

    def clean_file(self) -> Any:  # noqa: ANN401 (an uploaded file)
        if self.cleaned_data["file"].size > LARGEST_FILE:
            raise ValidationError("The file has more than 500 kB: cut it, or use the command import_events.")
        return self.cleaned_data["file"]


class StateFilter(admin.SimpleListFilter):
    title = "when"
    parameter_name = "when"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ANN401
        return [("upcoming", "Upcoming"), ("past", "Past"), ("cancelled", "Cancelled")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[CatalogEvent]) -> QuerySet[CatalogEvent]:
        # In a list over calendars of several zones the day is that of UTC.
        today = (timezone.now() - DAY_ENDS).date()
        chosen = {
            "upcoming": Q(cancelled_at=None) & (Q(ends_on__gte=today) | Q(ends_on=None)),
            "past": Q(cancelled_at=None, ends_on__lt=today),
            "cancelled": Q(cancelled_at__isnull=False),
        }
        return queryset.filter(chosen.get(self.value() or "", Q()))


class CalendarFilter(admin.SimpleListFilter):
    """The calendars that the user may see, and nobody else's names."""

    title = "calendar"
    parameter_name = "calendar"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ANN401
        visible = Calendar.objects.visible_to(current_user(request))
        return [(str(calendar.pk), calendar.name) for calendar in visible[:100]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[CatalogEvent]) -> QuerySet[CatalogEvent]:
        chosen = self.value()
        if chosen is None:
            return queryset
        return queryset.filter(calendar=int(chosen)) if chosen in dict(self.lookup_choices) else queryset.none()


@admin.register(CatalogEvent)
class CatalogEventAdmin(ScopedAdmin):
    """What is published, with what could be read of its day and time."""

    form = CatalogEventForm
    list_display = ("name", "when", "location", "state", "featured", "calendar", "page")
    list_filter = (StateFilter, "is_featured", CalendarFilter)
    search_fields = ("name", "location", "genre", "key")
    search_help_text = "Name, place, genre or key"
    readonly_fields = ("read_as", "state", "key", "page", "created_at", "updated_at")
    readonly_on_change = ("calendar",)
    ordering: ClassVar = ["-starts_on", "-id"]
    actions: ClassVar = ["cancel", "restore", "feature", "unfeature"]
    actions_list: ClassVar = ["import_file"]

    def visible(self, user: User) -> QuerySet[CatalogEvent]:
        return CatalogEvent.objects.visible_to(user).select_related("calendar__website")

    def get_fieldsets(
        self, request: HttpRequest, obj: CatalogEvent | None = None
    ) -> list[tuple[str | None, dict[str, Any]]]:
        when = ("date", "start_time", "end_time", *(("read_as",) if obj else ()))
        about = ("arrondissement", "genre", "price", "age", "setting", "notes", "url")
        own: list[tuple[str | None, dict[str, Any]]] = [
            (None, {"fields": ("calendar", "name", "location", "is_featured")}),
            ("When", {"fields": when}),
            ("What people want to know", {"fields": about}),
        ]
        return (
            [*own, ("In the catalogue", {"fields": ("state", "page", "key", "created_at", "updated_at")})]
            if obj
            else own
        )

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:  # noqa: ANN401
        if db_field.name == "calendar":
            visible = Calendar.objects.visible_to(current_user(request))
            kwargs |= {"queryset": visible, "initial": visible.order_by("-is_default", "id").first()}
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_form(self, request: HttpRequest, form: CatalogEventForm, change: bool) -> CatalogEvent:
        event: CatalogEvent = super().save_form(request, form, change)
        given, now = form.cleaned_data, timezone.now()
        try:
            if not change:
                texts = {field: given[field] for field in LENGTHS}
                return catalog.create(given["calendar"], is_featured=given["is_featured"], now=now, **texts)
            if changed := {field: given[field] for field in LENGTHS if field in form.changed_data}:
                event = catalog.edit(event, now=now, **changed)
            return catalog.feature(event, given["is_featured"], now=now)
        except Unpublishable as refusal:
            raise Refused(str(refusal)) from None
        except CatalogEvent.DoesNotExist:
            raise Refused("Somebody else has just deleted this event.") from None

    def save_model(self, request: HttpRequest, obj: CatalogEvent, form: CatalogEventForm, change: bool) -> None:
        """Saved in save_form, by the verbs."""

    def remove(self, row: CatalogEvent, *, by: User) -> None:
        catalog.unpublish(row, now=timezone.now())

    def consequence(self, row: CatalogEvent) -> str:
        return (
            "gone from the calendar as if it had never been on it. To say that it does not happen, cancel it instead."
        )

    # -- actions: a verb a row, and a sentence --

    @action(description="Cancel", permissions=["change"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[CatalogEvent]) -> None:
        self._each(request, queryset, catalog.cancel, "cancelled")

    @action(description="Take the cancellation back", permissions=["change"])
    def restore(self, request: HttpRequest, queryset: QuerySet[CatalogEvent]) -> None:
        self._each(request, queryset, catalog.restore, "on again")

    @action(description="Feature", permissions=["change"])
    def feature(self, request: HttpRequest, queryset: QuerySet[CatalogEvent]) -> None:
        self._each(request, queryset, featured_as(True), "featured")

    @action(description="Feature no more", permissions=["change"])
    def unfeature(self, request: HttpRequest, queryset: QuerySet[CatalogEvent]) -> None:
        self._each(request, queryset, featured_as(False), "featured no more")

    def _each(
        self,
        request: HttpRequest,
        queryset: QuerySet[CatalogEvent],
        verb: Callable[..., CatalogEvent],
        done: str,
    ) -> None:
        rows = list(queryset)
        for event in rows:
            try:
                self.log_change(request, verb(event, now=timezone.now()), done)
            except CatalogEvent.DoesNotExist:
                self.message_user(request, f"{event.name} is gone already.", messages.WARNING)
        events = "1 event is" if len(rows) == 1 else f"{len(rows)} events are"
        self.message_user(request, f"{events} {done}.", messages.SUCCESS)

    @action(description="Import a file", url_path="import", permissions=["add"])
    def import_file(self, request: HttpRequest) -> HttpResponse:
        visible = Calendar.objects.visible_to(current_user(request))
        form = ImportForm(request.POST or None, request.FILES or None)
        form.fields["calendar"].queryset = visible  # type: ignore[attr-defined]
        form.fields["calendar"].initial = visible.order_by("-is_default", "id").first()
        tally = None
        if request.method == "POST" and form.is_valid():
            try:
                data = form.cleaned_data["file"].read()
                tally = import_events(form.cleaned_data["calendar"], data, now=timezone.now())
            except NotEvents as refusal:
                form.add_error("file", str(refusal))
        context = {
            **self.admin_site.each_context(request),
            "title": "Import events",
            "opts": self.opts,
            "form": form,
            "tally": tally,
            "example": document_example(),
        }
        return TemplateResponse(request, "admin/submissions/catalogevent/import.html", context)

    # -- columns --

    @admin.display(description="when", ordering="starts_on")
    def when(self, event: CatalogEvent) -> str:
        return f"{event.date}, {event.start_time}"

    @admin.display(description="understood as")
    def read_as(self, event: CatalogEvent) -> str:
        """So that nobody wonders why an event is not where they look for it."""
        when = occasion(event)
        if when is None:
            return (
                "No day was understood: it stands at the end of the list, in no calendar file, until you write another."
            )
        said = " to ".join(said_moment(end) for end in (when.begin, when.end) if end is not None)
        return f"{said}, all day: no time was understood" if event.starts_at is None else said

    @display(description="state", label={"live": "success", "cancelled": "danger", "over": "info"})
    def state(self, event: CatalogEvent) -> str:
        if not event.is_live:
            return "cancelled"
        is_over = event.ends_on is not None and event.ends_on < catalog.today_of(event.calendar, timezone.now())
        return "over" if is_over else "live"

    @admin.display(description="featured", ordering="is_featured")
    def featured(self, event: CatalogEvent) -> str:
        return "featured" if event.is_featured else ""

    @admin.display(description="page")
    def page(self, event: CatalogEvent) -> str:
        address = reverse("calendar_event", args=[event.calendar.website.public_id, event.key, event.slug])
        return format_html('<a class="underline" href="{}">Open</a>', address)


@admin.register(Calendar)
class CalendarAdmin(ScopedAdmin):
    """A website's calendar: its name and zone, and whether hosts may propose. It goes with its website."""

    form = CalendarForm
    list_display = ("name", "website", "open", "events", "time_zone", "page")
    search_fields = ("name", "website__domain")
    search_help_text = "Name or domain"
    readonly_fields = ("is_default", "toggled_at", "toggled_by", "page")
    readonly_on_change = ("website",)
    ordering: ClassVar = ["name", "id"]

    def visible(self, user: User) -> QuerySet[Calendar]:
        return Calendar.objects.visible_to(user).select_related("website").annotate(published=Count("events"))

    def has_delete_permission(self, request: HttpRequest, obj: Calendar | None = None) -> bool:
        return False

    def get_fieldsets(
        self, request: HttpRequest, obj: Calendar | None = None
    ) -> list[tuple[str | None, dict[str, Any]]]:
        known = ("is_default", "toggled_at", "toggled_by", "page") if obj else ()
        return [(None, {"fields": ("website", "name", "time_zone", "is_open", *known)})]

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:  # noqa: ANN401
        if db_field.name == "website":
            kwargs |= {"queryset": Website.objects.visible_to(current_user(request)).filter(calendar=None)}
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:  # noqa: ANN401
        if db_field.name == "is_open":
            kwargs["widget"] = UnfoldBooleanSwitchWidget
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def save_form(self, request: HttpRequest, form: CalendarForm, change: bool) -> Calendar:
        calendar: Calendar = super().save_form(request, form, change)
        given = form.cleaned_data
        was_open = form.initial.get("is_open", True) if change else True
        calendar = calendar if change else calendars.of_website(given["website"])
        calendar = calendars.change(calendar, name=given["name"], time_zone=given["time_zone"])
        if given["is_open"] != was_open:
            toggle = calendars.open_for_proposals if given["is_open"] else calendars.close_for_proposals
            toggle(calendar, by=str(current_user(request)), now=timezone.now())
        return calendar

    def save_model(self, request: HttpRequest, obj: Calendar, form: CalendarForm, change: bool) -> None:
        """Saved in save_form, by the verbs."""

    @admin.display(description="open for proposals", boolean=True, ordering="is_open")
    def open(self, calendar: Calendar) -> bool:
        return calendar.is_open

    @admin.display(ordering="published")
    def events(self, calendar: Calendar) -> str:
        page = reverse("admin:submissions_catalogevent_changelist")
        count = calendar.published  # type: ignore[attr-defined]
        return format_html('<a href="{}?calendar={}">{}</a>', page, calendar.pk, count)

    @admin.display(description="page")
    def page(self, calendar: Calendar) -> str:
        return format_html(
            '<a class="underline" href="{}">Open</a>', reverse("calendar", args=[calendar.website.public_id])
        )


def featured_as(is_featured: bool) -> Callable[..., CatalogEvent]:
    def verb(event: CatalogEvent, *, now: datetime) -> CatalogEvent:
        return catalog.feature(event, is_featured, now=now)

    return verb


def said_moment(moment: Any) -> str:  # noqa: ANN401 (a date or a datetime)
    return date_format(moment, "l j F Y, H:i" if isinstance(moment, datetime) else "l j F Y", use_l10n=False)


def zones() -> list[str]:
    return ["UTC", *sorted(name for name in available_timezones() if "/" in name and not name.startswith("Etc/"))]
