"""The public calendar: its page, an event's page, and the feeds (contract D-21: both spellings of every route).

No page touches a session. Every answer has a tag made of the calendar's version: whoever has it is not sent it again.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial, wraps
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.utils.html import format_html
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from submissions import calendars, feeds, links, live
from submissions.browsing import Asked, asked
from submissions.catalog import today_of
from submissions.feed_documentation import EVENT_FILE, feed
from submissions.filters import entry_of, filtering, searching
from submissions.models import Calendar, CatalogEvent
from submissions.text import folded
from submissions.views import outages_answered
from tinytrail.settings import VERSION
from tinytrail.web.openapi import described

PER_PAGE = 30
MOST_FEATURED = 3
MOST_NEWS = 100
# What a feed holds of a question at once, further ones by `page`: some thousand events take a second to write.
PER_FEED = 1_000
# Asked for every time, and answered with 304 while nothing has changed: what is published is there at once.
CACHING = "public, no-cache"
Make = Callable[[HttpRequest, Calendar, datetime], HttpResponse]
# As JSON, without what would end the element it stands in.
UNSAFE = {ord(char): f"\\u{ord(char):04X}" for char in "<>&\u2028\u2029"}


@dataclass(frozen=True)
class Day:
    """A heading of the page with its events."""

    title: str
    day: date | None
    events: list[CatalogEvent]


class DataBlock:
    """JSON inside a script element that is data: nothing of it can end the element, and no browser runs it."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self._data = data

    def __html__(self) -> str:
        return json.dumps(self._data, ensure_ascii=False).translate(UNSAFE)


def public(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A page for everybody: read only, and without cookies: the session's middleware would answer a stale one.

    There is nothing to forge, so that a wrong method is 405 and not the 403 of a form.
    """

    @csrf_exempt
    @outages_answered
    @require_safe
    @wraps(view)
    def handle(request: HttpRequest, **path: Any) -> HttpResponse:  # noqa: ANN401 (the view's own)
        request.COOKIES = {}
        return view(request, **path)

    return handle


# -- pages ------------------------------------------------------------------------------------------------------------


@public
def calendar_page(request: HttpRequest, website: UUID | None = None) -> HttpResponse:
    calendar, now = calendar_of(website), timezone.now()
    is_past = request.GET.get("when") == "past"
    return answered(request, calendar, now, past_page if is_past else coming_page)


@public
def event_page(request: HttpRequest, website: UUID, key: str, slug: str = "") -> HttpResponse:
    calendar, now = calendar_of(website), timezone.now()
    event = event_of(calendar, key)
    if (key, slug) != (event.key, event.slug):
        # The name may change, and back: no browser must remember where it was sent.
        return HttpResponseRedirect(event_address(event))
    return answered(request, calendar, now, partial(_event_page, event=event))


def coming_page(request: HttpRequest, calendar: Calendar, now: datetime) -> HttpResponse:
    question, copy = asked(request.GET), live.of(calendar, now=now)
    pages = Paginator(copy.matching(question.query, question.filters), PER_PAGE)
    page = pages.get_page(question.page)
    picked = [entry for entry in copy.entries if entry.is_featured] if page.number == 1 else []
    featured = [] if question.is_anything else picked[:MOST_FEATURED]
    shown = [entry.id for entry in page.object_list]
    events = in_order(list(dict.fromkeys([*shown, *(entry.id for entry in featured)])))
    found = [event for event in events if event.id in shown]
    context = {
        "days": days(found, today_of(calendar, now), now.astimezone(calendars.zone(calendar)).date()),
        "featured": [event for event in events if event.id in {entry.id for entry in featured}],
        "copy": copy,
    }
    return listing(request, calendar, question, page, context)


def past_page(request: HttpRequest, calendar: Calendar, now: datetime) -> HttpResponse:
    question = asked(request.GET)
    past = CatalogEvent.objects.live().filter(calendar=calendar, ends_on__lt=today_of(calendar, now))
    for word in folded(question.query).split():
        past = past.filter(search_text__contains=word)
    page = Paginator(past.order_by("-starts_on", "-starts_at", "-id"), PER_PAGE).get_page(question.page)
    found = list(page.object_list)
    for event in found:
        event.calendar = calendar
    return listing(request, calendar, question, page, {"days": days(found, date.min, date.min)})


def listing(
    request: HttpRequest,
    calendar: Calendar,
    question: Asked,
    page: Any,  # noqa: ANN401 (a page of either kind of rows)
    context: Mapping[str, Any],
) -> HttpResponse:
    own = reverse("calendar", args=[calendar.website.public_id])
    query = question.address()
    return render(
        request,
        "calendar/list.html",
        {
            **context,
            "calendar": calendar,
            "asked": question,
            "page": page,
            "own": own,
            "feed_query": "" if query == "?" else query,
            "previous": question.address(page.number - 1) if page.has_previous() else "",
            "next": question.address(page.number + 1) if page.has_next() else "",
            "propose": links.form_path(calendar) if calendar.is_open else "",
            "canonical": request.build_absolute_uri(own),
        },
    )


def _event_page(request: HttpRequest, calendar: Calendar, now: datetime, *, event: CatalogEvent) -> HttpResponse:
    address = request.build_absolute_uri(event_address(event))
    data = DataBlock(feeds.structured(event, address))
    return render(
        request,
        "calendar/event.html",
        {
            "calendar": calendar,
            "event": event,
            "address": address,
            "own": reverse("calendar", args=[calendar.website.public_id]),
            "structured": format_html('<script type="application/ld+json">{}</script>', data),
            "link_host": host_shown(event.link),
            "is_over": event.ends_on is not None and event.ends_on < today_of(calendar, now),
        },
    )


# -- feeds ------------------------------------------------------------------------------------------------------------


@described(feed("json"), feed("json", of_default=True))
@public
def calendar_json(request: HttpRequest, website: UUID | None = None) -> HttpResponse:
    return answered(request, calendar_of(website), timezone.now(), _json)


@described(feed("ics"), feed("ics", of_default=True))
@public
def calendar_ics(request: HttpRequest, website: UUID | None = None) -> HttpResponse:
    return answered(request, calendar_of(website), timezone.now(), _ics)


@described(feed("rss"), feed("rss", of_default=True))
@public
def calendar_rss(request: HttpRequest, website: UUID | None = None) -> HttpResponse:
    return answered(request, calendar_of(website), timezone.now(), _rss)


@described(EVENT_FILE)
@public
def event_ics(request: HttpRequest, website: UUID, key: str) -> HttpResponse:
    calendar = calendar_of(website)
    return answered(request, calendar, timezone.now(), partial(_event_ics, event=event_of(calendar, key)))


def _json(request: HttpRequest, calendar: Calendar, now: datetime) -> HttpResponse:
    address, question, found = absolute(request), asked(request.GET), matching(request, calendar, now)
    has_more = found[question.page * PER_FEED :]
    following = request.build_absolute_uri(question.address(question.page + 1)) if has_more else None
    return JsonResponse(
        {
            "calendar": {
                "name": calendar.name,
                "website": str(calendar.website.public_id),
                "timeZone": calendar.time_zone,
                "isOpen": calendar.is_open,
            },
            "count": len(found),
            "next": following,
            "events": [feeds.as_json(event, address(event)) for event in in_order(part_of(found, question))],
        },
        json_dumps_params={"ensure_ascii": False},
    )


def _ics(request: HttpRequest, calendar: Calendar, now: datetime) -> HttpResponse:
    question = asked(request.GET)
    events = in_order(part_of(matching(request, calendar, now), question))
    if question.page == 1:
        events += cancelled(request, calendar, now)
    return calendar_file(calendar, events, request, "calendar")


def _event_ics(request: HttpRequest, calendar: Calendar, now: datetime, *, event: CatalogEvent) -> HttpResponse:
    if event.starts_on is None:
        raise Http404
    return calendar_file(calendar, [event], request, event.slug)


def calendar_file(calendar: Calendar, events: Iterable[CatalogEvent], request: HttpRequest, name: str) -> HttpResponse:
    return HttpResponse(
        feeds.ics(calendar, events, absolute(request)),
        content_type="text/calendar; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.ics"'},
    )


def _rss(request: HttpRequest, calendar: Calendar, now: datetime) -> HttpResponse:
    found = CatalogEvent.objects.filter(id__in=matching(request, calendar, now))
    events = found.select_related("calendar__website").order_by("-created_at", "-id")[:MOST_NEWS]
    page = reverse("calendar", args=[calendar.website.public_id])
    document = feeds.rss(
        calendar,
        events,
        absolute(request),
        page=request.build_absolute_uri(page),
        feed=request.build_absolute_uri(f"{page}.rss"),
    )
    return HttpResponse(document, content_type="application/rss+xml; charset=utf-8")


def matching(request: HttpRequest, calendar: Calendar, now: datetime) -> list[int]:
    """The ids of what the page would show for the same question, all of it."""
    question = asked(request.GET)
    return [entry.id for entry in live.of(calendar, now=now).matching(question.query, question.filters)]


def part_of(ids: list[int], question: Asked) -> list[int]:
    return ids[(question.page - 1) * PER_FEED : question.page * PER_FEED]


def cancelled(request: HttpRequest, calendar: Calendar, now: datetime) -> list[CatalogEvent]:
    """Those that whoever subscribed to the same question has to take out again."""
    question = asked(request.GET)
    tests = [filtering(group, value) for group, value in question.filters.items()]
    if question.query:
        tests.append(searching(question.query))
    events = CatalogEvent.objects.filter(calendar=calendar, ends_on__gte=today_of(calendar, now))
    events = events.exclude(cancelled_at=None).select_related("calendar__website")
    return [event for event in events[:PER_FEED] if all(test(entry_of(event)) for test in tests)]


# -- of all of them ---------------------------------------------------------------------------------------------------


def calendar_of(website: UUID | None) -> Calendar:
    calendar = calendars.named(website) if website else calendars.default()
    if calendar is None:
        raise Http404
    return calendar


def event_of(calendar: Calendar, key: str) -> CatalogEvent:
    """The event of a key in any case, also a cancelled or past one."""
    if "\0" in key:
        raise Http404
    event = CatalogEvent.objects.filter(calendar=calendar, key=key.lower()).first()
    if event is None:
        raise Http404
    event.calendar = calendar
    return event


def in_order(ids: list[int]) -> list[CatalogEvent]:
    """The events of the ids in their order; one that has just gone is left out."""
    events = CatalogEvent.objects.select_related("calendar__website").in_bulk(ids)
    return [events[id_] for id_ in ids if id_ in events]


def answered(request: HttpRequest, calendar: Calendar, now: datetime, make: Make) -> HttpResponse:
    """What `make` makes, unless who asks has it already."""
    tag = tag_of(request, calendar, now)
    known = get_conditional_response(request, etag=tag)
    response: HttpResponse = known or make(request, calendar, now)
    response["ETag"], response["Cache-Control"] = tag, CACHING
    return response


def tag_of(request: HttpRequest, calendar: Calendar, now: datetime) -> str:
    """Everything an answer depends on. Times beside dates change a page at midnight and when the day ends."""
    place = now.astimezone(calendars.zone(calendar)).date()
    parts = (
        VERSION,
        calendar.id,
        calendar.version,
        calendar.is_open,
        today_of(calendar, now),
        place,
        request.build_absolute_uri(),
    )
    return f'"{hashlib.sha256(repr(parts).encode()).hexdigest()[:32]}"'


def event_address(event: CatalogEvent) -> str:
    return links.event_path(event)


def host_shown(url: str) -> str:
    """The host of a link as it is looked up: names in other scripts as punycode, which imitates nothing (A65)."""
    host = urlsplit(url).hostname or ""
    try:
        return host.encode("idna").decode().removeprefix("www.")
    except UnicodeError:
        return "the link"


def absolute(request: HttpRequest) -> feeds.Address:
    return lambda event: request.build_absolute_uri(event_address(event))


def days(events: Iterable[CatalogEvent], today: date, local: date) -> list[Day]:
    """The events under the days they begin on, in their order. `local` is what people there call today."""
    found: list[Day] = []
    for event in events:
        heading = heading_of(event, today, local)
        if not found or (found[-1].title, found[-1].day) != heading:
            found.append(Day(*heading, []))
        found[-1].events.append(event)
    return found


def heading_of(event: CatalogEvent, today: date, local: date) -> tuple[str, date | None]:
    if event.starts_on is None:
        return "Day as announced", None
    if event.starts_on < today:
        return "Already under way", None
    near = {local: "Today", local + timedelta(days=1): "Tomorrow"} if local > date.min else {}
    return near.get(event.starts_on, ""), event.starts_on
