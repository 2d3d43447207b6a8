"""ROOM engagement: POST /api/track and POST /api/track/discovery (contract 3)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Literal
from uuid import UUID

import msgspec

from accounts.api.documentation import body_of
from analytics.api.engagement.dialect import LONGEST_PATH, LONGEST_SESSION, TrackEndpoint, bounded, refused, whole
from analytics.ids import next_id
from analytics.ingest import scrub
from analytics.ingest.calendar import CalendarGrant, calendars, catalog_events
from analytics.ingest.grants import Grant, Source
from analytics.ingest.hit import Hit
from analytics.ingest.reading import Reading
from analytics.vocabulary import Dialect, Type
from submissions.calendars import host_of, shown_at
from submissions.filters import GROUPS
from tinytrail.web import body
from tinytrail.web.body import BadBody
from tinytrail.web.call import Call, Refusal

LONGEST_KEY = 220
LONGEST_SOURCE = 80
LONGEST_GROUP = 80
LONGEST_VALUE = 120
LONGEST_SEARCH = 280
SHORTEST_SEARCH = 2


class EngagementBody(msgspec.Struct, rename="camel"):
    """The body of an engagement call. A null optional is an absent one (D-16); unknown fields are ignored."""

    event_key: str
    action_type: Literal["click", "outbound_click", "calendar_sync"]
    session_id: str | None = None
    source: str | None = None
    path: str | None = None


class DiscoveryBody(msgspec.Struct, rename="camel"):
    """The body of a discovery call."""

    action_type: Literal["search", "filter_apply", "filter_clear"]
    session_id: str | None = None
    filter_group: str | None = None
    filter_value: str | None = None
    search_query: str | None = None
    path: str | None = None


def optional(most: int, text: str = "") -> dict[str, Any]:
    """The schema of an optional field; its length counts without the white space around it."""
    return {"type": ["string", "null"], "maxLength": most} | ({"description": text} if text else {})


ENGAGEMENT_BODY = body_of(
    EngagementBody,
    eventKey={
        **{"type": "string", "minLength": 1, "maxLength": LONGEST_KEY, "pattern": r"[^\s\u0000]"},
        "description": "The key of an event in the catalogue, in any case; others are not recorded.",
    },
    sessionId=optional(LONGEST_SESSION, "What the page calls the visitor's session."),
    source=optional(LONGEST_SOURCE, "Where on the page it happened."),
    path=optional(LONGEST_PATH),
)
DISCOVERY_BODY = body_of(
    DiscoveryBody,
    sessionId=optional(LONGEST_SESSION, "What the page calls the visitor's session."),
    filterGroup=optional(LONGEST_GROUP, f"One of {', '.join(GROUPS)}; `filter_apply` needs it."),
    filterValue=optional(LONGEST_VALUE, "`filter_apply` needs it."),
    searchQuery=optional(LONGEST_SEARCH, f"`search` needs it, of at least {SHORTEST_SEARCH} characters."),
    path=optional(LONGEST_PATH),
)
ENGAGEMENT = msgspec.json.Decoder(EngagementBody)
DISCOVERY = msgspec.json.Decoder(DiscoveryBody)


class Engagement(TrackEndpoint):
    name = "track"
    summary = "Somebody viewed an event, followed its link, or added it to a calendar"
    description = "Of events in the catalogue. What is wrong or over a limit is not recorded, and answered alike."
    bodies: ClassVar = {"application/json": ENGAGEMENT_BODY}
    examples: ClassVar = {
        "Somebody opened an event": {
            "eventKey": "evt_3f8a1c90b2d4e5f6",
            "actionType": "click",
            "sessionId": "0b9f6c1e-5d1c-4a55-9a52-0c8a1df6e3b7",
            "source": "event_open",
            "path": "/",
        }
    }
    dialect = Dialect.ENGAGEMENT
    limit_names = (("TRACK_IP", "track_event_ip"), ("TRACK_SESSION", "track_event_session"))

    def read(self, call: Call, *, now: datetime) -> Reading:
        try:
            fields = body.decode(ENGAGEMENT, whole(call.body))
            key = bounded("eventKey", fields.event_key, LONGEST_KEY, least=1).lower()
            source = scrub.text(bounded("source", fields.source, LONGEST_SOURCE))
            properties = {"eventKey": key, "source": source} if source else {"eventKey": key}
            hit = as_hit(self, call, fields, properties, now=now)
        except BadBody as bad:
            return Reading(self.dialect, self.limits(call), refusal=refused(bad.reason))

        def admit(grant: Grant | None) -> Hit | Refusal:
            return hit if grant else refused("unknown_event")

        return Reading(
            self.dialect, self.limits(call, hit.client_session), source=Source(catalog_events, key), admit=admit
        )


class Discovery(TrackEndpoint):
    name = "track_discovery"
    summary = "Somebody searched or filtered the calendar"
    description = (
        "Which calendar: that of the website which `Origin` names, else the default one. What is wrong or over a limit"
        " is not recorded, and answered alike."
    )
    bodies: ClassVar = {"application/json": DISCOVERY_BODY}
    examples: ClassVar = {
        "A search": {"actionType": "search", "searchQuery": "jazz", "path": "/"},
        "A filter": {"actionType": "filter_apply", "filterGroup": "day_night", "filterValue": "night", "path": "/"},
    }
    dialect = Dialect.DISCOVERY
    limit_names = (("DISCOVERY_IP", "track_discovery_ip"), ("DISCOVERY_SESSION", "track_discovery_session"))

    def read(self, call: Call, *, now: datetime) -> Reading:
        try:
            fields = body.decode(DISCOVERY, whole(call.body))
            asked = Asked.of(fields)
            hit = as_hit(self, call, fields, asked.properties, now=now)
            asked.check()
        except BadBody as bad:
            return Reading(self.dialect, self.limits(call), refusal=refused(bad.reason))

        def admit(grant: Grant | None) -> Hit | Refusal:
            if not isinstance(grant, CalendarGrant):
                return refused("no_calendar")
            matches = asked.matches(grant)
            if matches is not None:
                hit.properties = asked.properties | {"matches": matches}
            return hit

        source = Source(calendars, place(call, fields.path or ""))
        return Reading(self.dialect, self.limits(call, hit.client_session), source=source, admit=admit)


@dataclass(slots=True, frozen=True)
class Asked:
    """What somebody looked for, as it is stored: trimmed, in lower case, without what could name a person (P12)."""

    action: str
    group: str
    value: str
    search: str

    @classmethod
    def of(cls, fields: DiscoveryBody) -> "Asked":
        return cls(
            fields.action_type,
            plain("filterGroup", fields.filter_group, LONGEST_GROUP),
            plain("filterValue", fields.filter_value, LONGEST_VALUE),
            plain("searchQuery", fields.search_query, LONGEST_SEARCH),
        )

    def check(self) -> None:
        """What the action needs (contract 3.3); nothing of a filter that was cleared. Raises BadBody."""
        if self.action == "search" and len(self.search) < SHORTEST_SEARCH:
            raise BadBody("short_search", f"searchQuery must have at least {SHORTEST_SEARCH} characters.")
        if self.action == "filter_apply" and self.group not in GROUPS:
            raise BadBody("unknown_filter", f"filterGroup must be one of {', '.join(GROUPS)}.")
        if self.action == "filter_apply" and not self.value:
            raise BadBody("missing_filter_value", "filterValue must not be empty.")

    @property
    def properties(self) -> dict[str, Any]:
        given = {"filterGroup": self.group, "filterValue": self.value, "searchQuery": self.search}
        return {name: text for name, text in given.items() if text}

    def matches(self, grant: CalendarGrant) -> int | None:
        """How many live events the search or filter matches now (definitions 26); None of what is neither."""
        if self.action == "search":
            return grant.copy.count("", self.search)
        return grant.copy.count(self.group, self.value) if self.action == "filter_apply" else None


def place(call: Call, path: str) -> str | UUID:
    """What says the calendar: the host of the Origin (D-23). On a page of this server, where every calendar has the
    same origin, the website whose calendar the page shows.
    """
    host = host_of(call.headers.get("origin", ""))
    website = shown_at(path)
    return website if website and host == host_of(f"//{call.headers.get('host', '')}") else host


def plain(name: str, text: str | None, most: int) -> str:
    return scrub.search(bounded(name, text, most)).strip().lower()


def as_hit(
    room: TrackEndpoint,
    call: Call,
    fields: EngagementBody | DiscoveryBody,
    properties: dict[str, Any],
    *,
    now: datetime,
) -> Hit:
    """Raises BadBody."""
    return Hit(
        dialect=room.dialect,
        id=next_id(),
        occurred_at=now,
        address=call.address,
        user_agent=call.headers.get("user-agent", "").strip(),
        type=Type.OTHER,
        name=fields.action_type,
        path=bounded("path", fields.path, LONGEST_PATH),
        properties=properties,
        client_session=room.session(fields.session_id),
        is_authenticated=room.is_authenticated(call),
    )


engagement = Engagement()
discovery = Discovery()
