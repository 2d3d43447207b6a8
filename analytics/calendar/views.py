"""The numbers of a calendar in the back office: one page, and each of its tables as CSV (contract 3.7)."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.models import User
from analytics.calendar.sections import SECTIONS, Section, cards, table
from analytics.reports.asking import number
from analytics.reports.base import BadQuestion, Question, Report
from analytics.reports.calendar import CALENDAR_REPORTS
from analytics.reports.period import Period
from analytics.rollups.build import fresh
from submissions.models import Calendar, CatalogEvent
from tinytrail.web import csv

DEFAULT_DAYS, MOST_DAYS = 30, 365
CHOICES = (7, 30, 90, 365)
# As many rows as a page shows of a table; its CSV has all.
MOST_SHOWN = 50
ALL_ROWS = 1_000_000_000
MOST_CALENDARS = 100


@dataclass(slots=True, frozen=True)
class Asked:
    """What the address asks for: the last so many days of a calendar, of one event or of all."""

    calendar: Calendar
    days: int
    event: str
    now: datetime

    @property
    def period(self) -> Period:
        today = self.now.astimezone(UTC).date()
        return Period(today - timedelta(days=self.days - 1), today)

    def rows(self, report: Report, query: dict[str, list[str]], *, most: int) -> list[dict[str, Any]]:
        question = Question(
            website_id=self.calendar.website_id,
            period=self.period,
            now=self.now,
            per_page=most,
            extra=report.parameters(query),
        )
        return report.table(report.answer(question))

    def query(self, **more: str) -> str:
        given = {"days": str(self.days), "event": self.event} | more
        return urlencode({name: value for name, value in given.items() if value})


@require_safe
def calendars(request: HttpRequest) -> HttpResponse:
    """The calendars that the user may see; the page of the only one."""
    found = list(visible(request)[:MOST_CALENDARS])
    if len(found) == 1:
        return redirect(address(found[0]))
    listed = [(calendar, address(calendar)) for calendar in found]
    return page(request, "list", {"title": "Calendar numbers", "calendars": listed})


@require_safe
def numbers(request: HttpRequest, website: UUID) -> HttpResponse:
    query = dict(request.GET.lists())
    try:
        asked = understood(request, website, query)
    except BadQuestion as bad:
        return refused(bad)
    age = fresh(asked.calendar.website_id, asked.period.start, asked.period.end, now=asked.now)
    shown = [section for section in SECTIONS if section.is_of_event or not asked.event]
    (total,) = asked.rows(CALENDAR_REPORTS["calendar-totals"], {"event": [asked.event]}, most=1)
    event = CatalogEvent.objects.filter(calendar=asked.calendar, key=asked.event).first() if asked.event else None
    return page(
        request,
        "numbers",
        {
            "title": event.name if event else asked.event or f"Numbers of {asked.calendar}",
            "asked": asked,
            "whole": address(asked.calendar, days=asked.days),
            "choices": [(days, address(asked.calendar, days=days, event=asked.event)) for days in CHOICES],
            "most_days": MOST_DAYS,
            "cards": cards(total),
            "sections": [filled(section, asked) for section in shown],
            "age": age,
            "kept": settings.RETENTION_DAYS if asked.days > settings.RETENTION_DAYS else 0,
        },
    )


@require_safe
def export(request: HttpRequest, website: UUID, report: str) -> HttpResponse:
    """A report as CSV, with all its rows."""
    found = CALENDAR_REPORTS.get(report)
    if found is None:
        raise Http404
    query = dict(request.GET.lists())
    try:
        asked = understood(request, website, query)
        fresh(asked.calendar.website_id, asked.period.start, asked.period.end, now=asked.now)
        rows = asked.rows(found, query, most=ALL_ROWS)
    except BadQuestion as bad:
        return refused(bad)
    name = f"{found.name}-{asked.period.start}-{asked.period.end}.csv"
    return HttpResponse(
        csv.document(found.columns, rows),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )


def understood(request: HttpRequest, website: UUID, query: dict[str, list[str]]) -> Asked:
    """Raises BadQuestion, and Http404 of a calendar that the user may not see."""
    if any("\0" in value for values in query.values() for value in values):
        raise BadQuestion("The address holds a NUL character.")
    calendar = visible(request).filter(website__public_id=website).first()
    if calendar is None:
        raise Http404
    event = CALENDAR_REPORTS["calendar-totals"].parameters(query)
    return Asked(calendar, number(query, "days", DEFAULT_DAYS, MOST_DAYS), event, timezone.now())


def visible(request: HttpRequest) -> Any:  # noqa: ANN401 (a queryset of calendars)
    assert isinstance(request.user, User)  # the admin site lets nobody else pass
    return Calendar.objects.visible_to(request.user).select_related("website")


def filled(section: Section, asked: Asked) -> dict[str, Any]:
    report = CALENDAR_REPORTS[section.report]
    only = {"only": section.only} if section.only else {}
    query = {"event": [asked.event]} | {name: [value] for name, value in only.items()}
    # One more than is shown, to know of it; of days all.
    most = MOST_DAYS if section.id == "days" else MOST_SHOWN
    rows = asked.rows(report, query, most=most + 1)
    return {
        "section": section,
        "rows": table(section, rows[:most][::-1] if section.id == "days" else rows[:most]),
        "has_more": len(rows) > most,
        "csv": f"{reverse('calendar_numbers_csv', args=[asked.calendar.website.public_id, report.name])}"
        f"?{asked.query(**only)}",
    }


def address(calendar: Calendar, *, days: int = DEFAULT_DAYS, event: str = "") -> str:
    given = {"days": str(days)} | ({"event": event} if event else {})
    return f"{reverse('calendar_numbers', args=[calendar.website.public_id])}?{urlencode(given)}"


def page(request: HttpRequest, name: str, context: dict[str, Any]) -> HttpResponse:
    return TemplateResponse(request, f"admin/calendar_numbers/{name}.html", admin.site.each_context(request) | context)


def refused(bad: BadQuestion) -> HttpResponse:
    return HttpResponse(str(bad), status=400, content_type="text/plain; charset=utf-8")
