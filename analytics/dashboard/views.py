"""The dashboard: the page of a website, the full lists behind its cards, and both as CSV.

The page is sent while it is computed: first what is seen first, then card by card. With a script the page asks for its
parts by themselves.
"""

import logging
from collections.abc import Iterator
from typing import Any

from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from accounts.models import User, Website
from analytics.dashboard import arrival, choices, totals
from analytics.dashboard.asked import TAB, Address, Asked, understood
from analytics.dashboard.cards import CARDS, TABS, Card, Tab
from analytics.dashboard.chart import chart
from analytics.dashboard.lists import in_card, searched
from analytics.dashboard.place import Place
from analytics.reports.asking import number
from analytics.reports.base import BadQuestion, Report, first
from analytics.reports.filters import DIMENSIONS, NONE
from analytics.reports.realtime import Realtime
from analytics.reports.summary import Summary
from analytics.reports.timeseries import Timeseries
from tinytrail.web import csv

log = logging.getLogger(__name__)

PER_PAGE = 100
MOST_PAGES = 1_000_000
LONGEST_SEARCH = 200
MOST_WEBSITES = 200
# Where the totals and the cards go; no text that is shown can hold a NUL.
SEAM = "\0"


def front(request: HttpRequest) -> HttpResponse:
    """The dashboard of the first website that the user may see."""
    assert isinstance(request.user, User)  # the admin site lets nobody else pass
    website = Website.objects.visible_to(request.user).order_by("domain", "id").first()
    if website is None:
        return redirect("admin:accounts_website_add")
    return redirect("dashboard", website.public_id)


def board(request: HttpRequest, place: Place) -> HttpResponseBase:
    """The page of a website, or with `part` one part of it."""
    if "dimension" in request.GET:
        return redirect(place.root + filtered(request))
    try:
        asked = asked_of(request, place)
    except BadQuestion as bad:
        return refused(request, place, bad)
    part = request.GET.get("part", "")
    if part:
        return HttpResponse(part_of(request, place, asked, part))
    if not arrival.has_data(place.website):
        return render(request, "dashboard/empty.html", waiting(request, place))
    if asked.is_realtime:
        return render(request, "dashboard/realtime.html", frame(place, asked) | now(asked))
    # What may fail as a whole, fails before the answer has begun.
    around = render_to_string("dashboard/board.html", frame(place, asked) | now(asked) | {"seam": SEAM}, request)
    cards = shown_cards(asked)
    return StreamingHttpResponse(sent(request, place, asked, around, cards), headers={"X-Accel-Buffering": "no"})


def listed(request: HttpRequest, place: Place, tab: str) -> HttpResponse:
    """All rows of a tab, searched and in pages."""
    card, found = tab_of(tab)
    try:
        asked = asked_of(request, place)
        page = number(dict(request.GET.lists()), "page", 1, MOST_PAGES)
        asked.about(found.report, found.query)
    except BadQuestion as bad:
        return refused(request, place, bad)
    search = request.GET.get("search", "")[:LONGEST_SEARCH].replace("\0", "")
    rows = searched(found, asked, search=search, page=page, per_page=PER_PAGE)
    pages = max(1, -(-rows.found // PER_PAGE))
    return render(
        request,
        "dashboard/list.html",
        frame(place, asked)
        | {"card": card, "listed": rows, "search": search, "page": page, "pages": pages}
        | {"first": (page - 1) * PER_PAGE + 1, "before": page - 1, "after": page + 1 if page < pages else 0},
    )


def exported(request: HttpRequest, place: Place, tab: str) -> HttpResponse:
    """A list, the totals or the chart as CSV: the same rows as on the page, all of them."""
    try:
        asked = asked_of(request, place)
        if tab == "totals":
            return as_csv(Summary(), asked, {}, tab)
        if tab == "chart":
            return as_csv(Timeseries(), asked, {"metric": asked.total.metric, "interval": asked.interval}, tab)
        _, found = tab_of(tab)
        rows = asked.answer(found.report, found.query)[found.rows]
    except BadQuestion as bad:
        return refused(request, place, bad)
    return document(found.columns_for(asked.about(found.report, found.query)), rows, tab, asked)


def arrived(request: HttpRequest, place: Place) -> HttpResponse:
    """What a website without data is waiting for: asked for again and again."""
    return render(request, "dashboard/_arrival.html", waiting(request, place))


# -- what the views are made of --


def asked_of(request: HttpRequest, place: Place) -> Asked:
    return understood(place.website, dict(request.GET.lists()), now=timezone.now())


def filtered(request: HttpRequest) -> str:
    """What the filter's form asks for, as the address of the page that it leads to."""
    address = Address(dict(request.GET.lists()))
    dimension, value = request.GET.get("dimension", ""), request.GET.get("value", "").strip()
    if dimension not in DIMENSIONS:
        return address.to()
    kind = "filter_not" if request.GET.get("is") == "not" else "filter"
    return address.changed({f"{kind}[{dimension}]": value or NONE})


def sent(request: HttpRequest, place: Place, asked: Asked, around: str, cards: list[Card]) -> Iterator[str]:
    """The page in the order in which it is seen."""
    head, between, foot = around.split(SEAM)
    yield head
    yield totals_of(request, place, asked)
    yield between
    for card in cards:
        yield rendered(request, place, asked, card)
    yield foot


def totals_of(request: HttpRequest, place: Place, asked: Asked) -> str:
    """The totals and the chart, or that they cannot be read."""
    context = frame(place, asked)
    try:
        context |= charted(asked)
    except DatabaseError as error:
        log.warning("The totals of the dashboard could not be read: %s", type(error).__name__)
    return render_to_string("dashboard/_totals.html", context, request)


def shown_cards(asked: Asked) -> list[Card]:
    return [card for card in CARDS if card.is_for(asked.question)]


def part_of(request: HttpRequest, place: Place, asked: Asked, part: str) -> str:
    context = {"place": place, "asked": asked}
    if part == "now":
        return render_to_string("dashboard/_now.html", context | now(asked), request)
    if part == "realtime":
        return render_to_string("dashboard/_realtime.html", context | now(asked), request)
    if part == "top":
        return render_to_string("dashboard/_top.html", frame(place, asked) | now(asked), request)
    if part == "totals":
        return totals_of(request, place, asked)
    if part == "cards":
        return render_to_string("dashboard/_cards.html", {"cards": shown_cards(asked)}, request)
    card = next((card for card in CARDS if card.id == part), None)
    if card is None:
        raise Http404
    return rendered(request, place, asked, card)


def rendered(request: HttpRequest, place: Place, asked: Asked, card: Card) -> str:
    """A card with its open tab. One that cannot be read says so, and the others are there."""
    tab = card.tab(first(asked.address.query, f"{TAB}{card.id}"), asked.question)
    context: dict[str, Any] = {"place": place, "asked": asked, "card": card, "tab": tab}
    context["tabs"] = [
        (other, asked.address.changed({f"{TAB}{card.id}": other.id})) for other in card.tabs_for(asked.question)
    ]
    context["is_unfiltered"] = not card.is_filtered and bool(choices.chips(asked))
    context["is_thinned"] = card.is_filtered and bool(asked.least_visitors)
    try:
        context["listed"] = in_card(tab, asked)
    except DatabaseError as error:
        log.warning("A list of the dashboard could not be read: %s", type(error).__name__)
    return render_to_string("dashboard/_card.html", context, request)


def frame(place: Place, asked: Asked) -> dict[str, Any]:
    """What stands around every page: the website, the periods, the filters."""
    return {
        "place": place,
        "asked": asked,
        "websites": websites(place, asked),
        "periods": choices.periods(asked),
        "period_title": choices.period_title(asked),
        "days": choices.days(asked.period),
        "days_before": choices.days(asked.question.comparison) if asked.question.comparison else "",
        "comparisons": choices.comparisons(asked),
        "comparison_title": choices.COMPARISONS[choices.comparison(asked)],
        "turned": choices.turned(asked),
        "chips": choices.chips(asked),
        "dimensions": choices.dimensions(asked),
        "before": asked.address.within(asked.before),
        "after": asked.address.within(asked.after) if asked.after else "",
        "unfiltered": asked.address.unfiltered(),
        "with_bots": "" if asked.question.include_bots else asked.address.to(include_bots="true"),
        "hidden": asked.address.fields,
        "hidden_without_days": asked.address.fields_without("period", "start_date", "end_date"),
    }


def websites(place: Place, asked: Asked) -> list[tuple[Website, str]]:
    """Where the switcher leads: the same days of another website, without filters, which may mean nothing there."""
    if place.user is None:
        return []
    found = Website.objects.visible_to(place.user).order_by("domain", "id")[:MOST_WEBSITES]
    return [(website, reverse("dashboard", args=[website.public_id]) + asked.address.unfiltered()) for website in found]


def charted(asked: Asked) -> dict[str, Any]:
    if asked.is_withheld:
        return {}
    shown = totals.shown(asked.summary)
    return {
        "totals": [
            (one, title(one.total, asked), asked.address.to(metric=one.total.metric), one.total is asked.total)
            for one in shown
        ],
        "chart": chart(asked),
        "chart_title": title(asked.total, asked),
        "intervals": choices.intervals(asked),
        "compared": totals.COMPARED,
    }


def title(total: totals.Total, asked: Asked) -> str:
    """Of one day they are simply visitors (definitions 8)."""
    is_one_day = asked.period.length_days == 1
    return "Visitors" if is_one_day and total.metric == "unique_visitors" else total.title


def now(asked: Asked) -> dict[str, Any]:
    return {"now": asked.answer(Realtime(), {})}


def waiting(request: HttpRequest, place: Place) -> dict[str, Any]:
    """Who has only a shared link is not told what arrives."""
    if place.user is None:
        return {"place": place}
    return {
        "place": place,
        "tracker": request.build_absolute_uri(reverse("tracker")),
        "arrival": arrival.newest(place.website),
        "has_data": arrival.has_data(place.website),
        "refusals": arrival.refusals(place.website, place.user, now=timezone.now()),
    }


def tab_of(name: str) -> tuple[Card, Tab]:
    if name not in TABS:
        raise Http404
    return TABS[name]


def as_csv(report: Report, asked: Asked, query: dict[str, str], name: str) -> HttpResponse:
    question = asked.about(report, query)
    return document(report.columns_for(question), report.table(report.answer(question)), name, asked)


def document(columns: tuple[str, ...], rows: list[dict[str, Any]], name: str, asked: Asked) -> HttpResponse:
    file = f"{name}-{asked.period.start}-{asked.period.end}.csv"
    return HttpResponse(
        csv.document(columns, rows),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{file}"', "Cache-Control": "no-store"},
    )


def refused(request: HttpRequest, place: Place, bad: BadQuestion) -> HttpResponse:
    return render(request, "dashboard/problem.html", {"place": place, "problem": str(bad)}, status=400)
