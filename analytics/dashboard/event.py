"""What a shared link of one event shows: its numbers, for its host, and nothing else of the website."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from analytics.dashboard.chart import HEIGHT, WIDTH, height, line, scale
from analytics.dashboard.choices import days as days_of
from analytics.dashboard.place import Place
from analytics.reports.asking import parameters
from analytics.reports.base import BadQuestion, Question, Report
from analytics.reports.calendar import EventDays, EventSources, EventTotals
from analytics.rollups.build import fresh
from tinytrail.web import csv

PERIODS = {"7d": "7 days", "30d": "30 days", "90d": "90 days", "12m": "12 months", "all": "All time"}
USUAL = "30d"
# What is read from the totals: its name, the sentence behind it, and whether it is a rate.
TOTALS = (
    ("views", "Event views", "How often its page was opened.", False),
    ("viewingSessions", "Viewing sessions", "Distinct sessions in which its page was opened.", False),
    ("outboundClicks", "Outbound clicks", "How often somebody followed its link.", False),
    ("calendarAdds", "Calendar adds", "How often it was added to a calendar.", False),
    ("outboundRate", "Outbound rate", "Sessions that followed its link, of those that viewed it.", True),
    ("calendarRate", "Calendar rate", "Sessions that added it to a calendar, of those that viewed it.", True),
)


@dataclass(slots=True, frozen=True)
class Curve:
    """The views of each day, in percent of the plot."""

    line: str
    area: str
    top: str


def page(request: HttpRequest, place: Place) -> HttpResponse:
    assert place.link
    event = place.link.event
    assert event
    try:
        chosen, now = period(request), timezone.now()
        question = asked(place, EventTotals(), chosen, now=now)
        fresh(question.website_id, question.period.start, question.period.end, now=now)
        (total,) = EventTotals().answer(question)["rows"]
        days = EventDays().answer(question)["rows"]
        sources = EventSources().answer(asked(place, EventSources(), chosen, now=now))["rows"]
    except BadQuestion as bad:
        return render(request, "dashboard/problem.html", {"place": place, "problem": str(bad)}, status=400)
    return render(
        request,
        "dashboard/event.html",
        {
            "place": place,
            "event": event,
            "chosen": chosen,
            "periods": PERIODS.items(),
            "days_in_words": days_of(question.period),
            "totals": [
                (name, f"{total[key]}%" if is_rate else f"{total[key]:,}", why) for key, name, why, is_rate in TOTALS
            ],
            "days": [day | {"day": date.fromisoformat(day["date"])} for day in days],
            "curve": curve([day["views"] for day in days]),
            "sources": sources,
        },
    )


def exported(request: HttpRequest, place: Place, tab: str) -> HttpResponse:
    """The numbers of each day as CSV."""
    if tab != "days":
        raise Http404
    report, now = EventDays(), timezone.now()
    try:
        question = asked(place, report, period(request), now=now)
    except BadQuestion as bad:
        return render(request, "dashboard/problem.html", {"place": place, "problem": str(bad)}, status=400)
    fresh(question.website_id, question.period.start, question.period.end, now=now)
    name = f"event-{question.period.start}-{question.period.end}.csv"
    return HttpResponse(
        csv.document(report.columns, report.table(report.answer(question))),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )


def period(request: HttpRequest) -> str:
    chosen = request.GET.get("period") or USUAL
    if chosen not in PERIODS:
        raise BadQuestion(f"period must be one of {', '.join(PERIODS)}.")
    return chosen


def asked(place: Place, report: Report, chosen: str, *, now: datetime) -> Question:
    """The report on the link's event. Its first day is the day it was published, where all time is asked for."""
    assert place.link
    event = place.link.event
    assert event
    query = {"event": [event.key], "period": [chosen], "per_page": ["100"]}
    if chosen == "all":
        query |= {"start_date": [str(event.created_at.astimezone(UTC).date())]}
    return parameters(report, query, now=now).question(place.website, now=now)


def curve(values: list[int]) -> Curve | None:
    """None of a single day, which is no line."""
    if len(values) < 2:
        return None
    top, _ = scale(values, "")
    points: list[Any] = [(WIDTH * n / (len(values) - 1), height(value, top)) for n, value in enumerate(values)]
    return Curve(line(points), line([(0, HEIGHT), *points, (WIDTH, HEIGHT)]), f"{top:,.0f}")
