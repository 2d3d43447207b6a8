"""How a calendar's feeds stand in the OpenAPI document."""

from collections.abc import Mapping
from typing import Any

from submissions.browsing import ENDS, LABELS
from submissions.catalog import CONTRACT_NAMES
from submissions.filters import GROUPS
from tinytrail.web.openapi import HTML, SECONDS, Schema, placed, record, reply

TEXT: Schema = {"type": "string"}
TEXT_OR_NULL: Schema = {"type": ["string", "null"]}
DAY_OR_NULL: Schema = {"type": ["string", "null"], "format": "date"}
CLOCK_OR_NULL: Schema = {"type": ["string", "null"], "pattern": "^[0-9]{2}:[0-9]{2}$"}
EVENT = record(
    "CalendarEvent",
    eventKey=TEXT,
    **{name: TEXT for field, name in CONTRACT_NAMES.items() if field != "url"},
    link=TEXT,
    startsOn=DAY_OR_NULL,
    endsOn=DAY_OR_NULL,
    startsAt=CLOCK_OR_NULL,
    endsAt=CLOCK_OR_NULL,
    isFeatured={"type": "boolean"},
    url=TEXT | {"format": "uri", "description": "The event's own page."},
)
FEED = record(
    "CalendarFeed",
    calendar=record(
        "CalendarOfFeed",
        name=TEXT,
        website={"type": "string", "format": "uuid"},
        timeZone=TEXT,
        isOpen={"type": "boolean", "description": "Whether it takes proposals."},
    ),
    count={"type": "integer", "minimum": 0, "description": "Of all pages."},
    next=TEXT_OR_NULL | {"description": "Where the following page is."},
    events={"type": "array", "items": EVENT},
)
FORMATS: Mapping[str, tuple[str, tuple[str, Schema]]] = {
    "json": ("JSON", ("application/json", FEED)),
    "ics": ("iCalendar", ("text/calendar", TEXT)),
    "rss": ("RSS, the newest first", ("application/rss+xml", TEXT)),
}


def answers(text: str, content: tuple[str, Schema]) -> dict[str, Any]:
    return {
        "200": reply(text, content, ETag=TEXT, Cache_Control=TEXT),
        "304": reply("What the caller has is the newest", ETag=TEXT),
        "404": reply("There is no such calendar or event", HTML),
        "503": reply("The database does not answer", HTML, Retry_After=SECONDS),
    }


CALENDAR = placed("path", "website", "The id of the calendar's website.", {"type": "string", "format": "uuid"})
QUESTION = (
    placed("query", "q", "Words to search for.", TEXT),
    *(placed("query", group, f"{LABELS[group]}, as the calendar's page has it.", TEXT) for group in GROUPS),
    *(
        placed("query", name, f"The {end} end of `{group}`.", TEXT)
        for group, ends in ENDS.items()
        for name, end in zip(ends, ("lower", "upper"), strict=True)
    ),
    placed("query", "page", "Of at most 1,000 events.", {"type": "integer", "minimum": 1, "default": 1}),
)


def feed(format_: str, *, of_default: bool = False) -> dict[str, Any]:
    """The operation of a feed: the default calendar's, or that of the website in the path."""
    name, content = FORMATS[format_]
    return {
        "operationId": f"{'default_' if of_default else ''}calendar_{format_}",
        "summary": f"{'The default calendar' if of_default else 'A calendar'} as {name}",
        "description": (
            "What the calendar's page shows for the same question, without events that are over. Nothing in a question"
            " is wrong: what makes no sense finds nothing, or is as if it were absent."
        ),
        "tags": ["calendar"],
        "parameters": [*([] if of_default else [CALENDAR]), *QUESTION],
        "responses": answers("The events", content),
    }


EVENT_FILE = {
    "operationId": "calendar_event_ics",
    "summary": "An event as iCalendar",
    "tags": ["calendar"],
    "parameters": [
        CALENDAR,
        placed("path", "key", "The event's key.", {"type": "string", "pattern": "^evt_[0-9a-z]+$"}),
    ],
    "responses": answers("The event", FORMATS["ics"][1]),
}
