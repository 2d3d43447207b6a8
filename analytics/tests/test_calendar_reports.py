"""The calendar's reports (definitions 25, 26; contract 3.7), by hand and against the oracle on any history; and the
reports of v1, which know what readers of the calendar do by its name (definitions 20 to 22).
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Website
from analytics.reports.base import Question
from analytics.reports.calendar import CALENDAR_REPORTS, Outcome
from analytics.reports.period import Period
from analytics.rollups.build import fresh, wrong_rows
from analytics.tests import oracle
from analytics.tests.builders import CHROME, GOOGLEBOT, a_body, collect, data, make_key, make_website, noon
from analytics.tests.tracking import acted, discover, engage, make_calendar, make_event, tell

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def acme():
    return make_website()


def asked(website: Website, name: str, *, days: int = 7, **options: Any) -> list[dict[str, Any]]:  # noqa: ANN401
    """The rows of a report on the last days, today included, made fresh as a view does."""
    now = timezone.now()
    period = Period(now.date() - timedelta(days=days - 1), now.date())
    fresh(website.id, period.start, period.end, now=now)
    question = Question(website.id, period, now, per_page=options.pop("per_page", 50), **options)
    found: list[dict[str, Any]] = CALENDAR_REPORTS[name].answer(question)["rows"]
    return found


# -- by hand --


def test_an_event_has_its_views_its_sessions_and_rates_per_viewing_session(acme):
    tell(
        acme,
        *(acted(noon(1), "click", event="jazz", session=name) for name in ("a", "a", "b", "c")),
        acted(noon(2), "click", event="jazz", session="a"),
        acted(noon(1), "outbound_click", event="jazz", session="a"),
        acted(noon(2), "outbound_click", event="jazz", session="a"),
        acted(noon(1), "calendar_sync", event="jazz", session="a"),
        acted(noon(1), "calendar_sync", event="jazz", session="b"),
    )
    assert asked(acme, "calendar-events") == [
        {
            "eventKey": "jazz",
            "event": None,
            "views": 5,
            "outboundClicks": 2,
            "calendarAdds": 2,
            "sessions": 3,
            "viewingSessions": 3,
            "outboundSessions": 1,
            "calendarSessions": 2,
            "outboundRate": 33.3,
            "calendarRate": 66.7,
        }
    ]


def test_a_session_that_saw_two_events_is_one_of_the_calendars(acme):
    tell(acme, *(acted(noon(), "click", event=key, session="a") for key in ("jazz", "rock")))
    (total,) = asked(acme, "calendar-totals")
    assert (total["views"], total["sessions"], total["viewingSessions"]) == (2, 1, 1)


def test_without_a_session_of_the_client_a_visitor_is_one_of_each_day(acme):
    tell(acme, *(acted(noon(days), "click", event="jazz") for days in (1, 1, 2)))
    assert asked(acme, "calendar-totals")[0]["sessions"] == 2


def test_rates_are_zero_when_nobody_viewed(acme):
    tell(acme, acted(noon(), "outbound_click", event="jazz"))
    (row,) = asked(acme, "calendar-events")
    assert (row["views"], row["outboundSessions"], row["outboundRate"]) == (0, 1, 0.0)


def test_the_rows_name_events_of_the_catalogue(client):
    calendar = make_calendar()
    event = make_event(calendar, "Jazz Night")
    engage(client, event)
    assert [row["event"] for row in asked(calendar.website, "calendar-events")] == ["Jazz Night"]


def test_every_day_of_the_period_is_in_the_series(acme):
    tell(acme, acted(noon(2), "click", event="jazz", session="a"), acted(noon(2), "calendar_sync", event="rock"))
    days = asked(acme, "calendar-days", days=3)
    assert [day["views"] for day in days] == [1, 0, 0]
    assert [day["sessions"] for day in asked(acme, "calendar-days", days=3, extra="rock")] == [1, 0, 0]
    assert len(asked(acme, "calendar-days", days=365)) == 365


def test_sources_of_one_event_or_of_all(acme):
    tell(
        acme,
        *(acted(noon(), "click", event="jazz", source="event_open") for _ in range(2)),
        acted(noon(), "calendar_sync", event="rock", source="modal_calendar_sync"),
        acted(noon(), "click", event="jazz"),
    )
    assert [(row["source"], row["views"], row["calendarAdds"]) for row in asked(acme, "calendar-sources")] == [
        ("event_open", 2, 0),
        ("", 1, 0),
        ("modal_calendar_sync", 0, 1),
    ]
    assert [row["source"] for row in asked(acme, "calendar-sources", extra="rock")] == ["modal_calendar_sync"]


def test_searches_without_an_answer_and_thin_ones_are_lists_of_their_own(acme):
    matched = {"opera": [0, 0], "jazz": [0, 2], "techno": [5, 1, 9], "rock": [3]}
    for minutes, (query, counts) in enumerate(matched.items()):
        for days, matches in enumerate(reversed(counts), start=1):
            tell(acme, acted(noon(days) + timedelta(minutes=minutes), "search", search=query, matches=matches))
    searches = asked(acme, "calendar-searches")
    assert [(row["query"], row["count"], row["leastMatches"], row["lastMatches"]) for row in searches] == [
        ("techno", 3, 1, 9),
        ("jazz", 2, 0, 2),
        ("opera", 2, 0, 0),
        ("rock", 1, 3, 3),
    ]
    gaps = asked(acme, "calendar-searches", extra=Outcome("gaps"))
    assert [(row["query"], row["gaps"]) for row in gaps] == [("opera", 2), ("jazz", 1)]
    thin = asked(acme, "calendar-searches", extra=Outcome("thin"))
    assert [(row["query"], row["thin"]) for row in thin] == [("jazz", 1), ("techno", 1)]


def test_filters_are_listed_with_what_they_matched_and_cleared_ones_without(acme):
    tell(
        acme,
        *(acted(noon(), "filter_apply", group="genre", value="jazz", matches=0) for _ in range(2)),
        acted(noon(), "filter_clear", group="all", value="reset"),
    )
    assert [
        (row["action"], row["group"], row["value"], row["count"], row["gaps"], row["lastMatches"])
        for row in asked(acme, "calendar-filters")
    ] == [("filter_apply", "genre", "jazz", 2, 2, 0), ("filter_clear", "all", "reset", 1, 0, None)]


def test_bots_count_when_asked_for_and_another_website_never(acme):
    tell(acme, acted(noon(), "click", event="jazz"), acted(noon(), "click", event="jazz", user_agent=GOOGLEBOT))
    tell(make_website(domain="globex.example"), acted(noon(), "click", event="theirs"))
    assert [row["views"] for row in asked(acme, "calendar-events")] == [1]
    assert [row["views"] for row in asked(acme, "calendar-events", include_bots=True)] == [2]


def test_a_report_reads_no_event(acme, django_assert_num_queries):
    tell(acme, *(acted(noon(days), "click", event="jazz") for days in range(1, 30)))
    asked(acme, "calendar-events", days=30)
    from_rollups = ("calendar-totals", "calendar-days", "calendar-sources", "calendar-searches", "calendar-filters")
    now = timezone.now()
    question = Question(acme.id, Period(noon(30).date(), now.date()), now)
    for name in from_rollups:
        with django_assert_num_queries(1) as queries:
            CALENDAR_REPORTS[name].answer(question)
        assert "analytics_event " not in queries[0]["sql"]


# -- on any history, against the oracle --

MOMENT = datetime(2026, 3, 20, tzinfo=UTC)
SENDERS = [("192.0.2.1", CHROME), ("192.0.2.2", CHROME), ("192.0.2.3", GOOGLEBOT)]
KEYS, SOURCES, SESSIONS = ("jazz", "Rock", "été"), ("", "event_open", "=map"), ("", "a", "b", "😀")
WORDS, GROUPS = ("jazz", "opera", "a|b"), (("genre", "jazz"), ("all", "reset"), ("", ""))


class Doing(NamedTuple):
    """Something done: when, what, and the fields of `acted`."""

    at: datetime
    name: str
    fields: dict[str, Any]


@st.composite
def doings(draw: st.DrawFn) -> list[Doing]:
    found: list[Doing] = []
    for number in range(draw(st.integers(1, 25))):
        # No two at one instant: the last of a day is then the same for both.
        at = MOMENT - timedelta(days=draw(st.integers(0, 2)), minutes=-number, seconds=draw(st.integers(0, 50)))
        ip, agent = draw(st.sampled_from(SENDERS))
        fields: dict[str, Any] = {"ip": ip, "user_agent": agent, "session": draw(st.sampled_from(SESSIONS))}
        if draw(st.booleans()):
            name = draw(st.sampled_from(["click", "click", "outbound_click", "calendar_sync"]))
            fields |= {"event": draw(st.sampled_from(KEYS)), "source": draw(st.sampled_from(SOURCES)) or None}
        else:
            name = draw(st.sampled_from(["search", "filter_apply", "filter_clear"]))
            group, value = draw(st.sampled_from(GROUPS))
            matches = draw(st.integers(0, 4))
            fields |= {"search": draw(st.sampled_from(WORDS))} if name == "search" else {"group": group, "value": value}
            fields |= {} if name == "filter_clear" else {"matches": matches}
        found.append(Doing(at, name, fields))
    return found


def told_to(website: Website, doings: list[Doing]) -> list[oracle.Hit]:
    """Has the website store them. Returns them as the oracle takes them."""
    hits = [acted(doing.at, doing.name, **doing.fields) for doing in doings]
    tell(website, *hits)
    return [
        oracle.Hit(
            occurred_at=hit.occurred_at,
            ip=hit.address,
            user_agent=hit.user_agent,
            event_type=hit.name,
            path="",
            properties=hit.properties,
            is_bot=hit.user_agent == GOOGLEBOT,
            dialect=hit.dialect.word,
            session=hit.client_session,
        )
        for hit in hits
    ]


@settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(
    told=doings(),
    span=st.sampled_from([(2, 0), (1, 0), (0, 0), (2, 2)]),
    include_bots=st.booleans(),
    event=st.sampled_from(["", *KEYS]),
)
def test_every_report_agrees_with_the_oracle_on_any_history(
    told: list[Doing], span: tuple[int, int], include_bots: bool, event: str
) -> None:
    website = make_website()
    known = told_to(website, told)
    start, end = (MOMENT.date() - timedelta(days=days) for days in span)
    fresh(website.id, start, end, now=MOMENT)
    question = Question(website.id, Period(start, end), MOMENT, include_bots=include_bots)
    ask = oracle.Question("calendar", start, end, include_bots=include_bots)

    def rows(name: str, extra: object = None) -> list[dict[str, Any]]:
        more = Question(website.id, question.period, MOMENT, include_bots=include_bots, extra=extra)
        found: list[dict[str, Any]] = CALENDAR_REPORTS[name].answer(more)["rows"]
        return found

    assert same(rows("calendar-events"), oracle.calendar_events(known, ask))
    assert same(rows("calendar-totals", event), [oracle.calendar_totals(known, ask, event or None)])
    assert same(rows("calendar-days", event), oracle.calendar_days(known, ask, event or None))
    assert same(rows("calendar-sources", event), oracle.calendar_sources(known, ask, event or None))
    assert by_label(rows("calendar-searches"), "query") == oracle.looked_for(known, ask, oracle.searched)
    assert by_label(rows("calendar-filters"), "action", "group", "value") == oracle.looked_for(
        known, ask, oracle.filtered
    )
    for day in {hit.day for hit in known if start <= hit.day <= end}:
        assert set(wrong_rows(website.id, day).values()) == {0}


def same(found: Sequence[dict[str, Any]], expected: Sequence[dict[str, Any]]) -> bool:
    """Equal, but for the names of events, which the oracle does not know."""
    told = [{name: value for name, value in row.items() if name != "event"} for row in found]
    exact = [
        {name: float(value) if name.endswith("Rate") else value for name, value in row.items()} for row in expected
    ]
    assert told == exact
    return True


def by_label(found: Sequence[dict[str, Any]], *names: str) -> dict[str, dict[str, Any]]:
    counts = [row["count"] for row in found]
    assert counts == sorted(counts, reverse=True)
    return {
        "|".join(row[name] for name in names): {key: value for key, value in row.items() if key not in names}
        for row in found
    }


# -- the reports of v1 --


@pytest.fixture
def busy(client: Client):
    """A visit that reads a page, searches, opens an event and follows its link; beside it custom events so called."""
    calendar = make_calendar()
    event = make_event(calendar)
    collect(client, a_body(calendar.website, path="/events"))
    discover(client, "search", searchQuery="jazz")
    engage(client, event, path="/events/jazz")
    engage(client, event, "outbound_click")
    collect(client, a_body(calendar.website, event_type="custom", properties={"event_name": "click"}))
    return calendar.website


def test_custom_events_include_them_by_name(client, busy):
    key = make_key(busy.account)
    rows = data(client, "custom-events", busy, key, period="today")["rows"]
    assert {row["name"]: row["count"] for row in rows} == {"click": 2, "outbound_click": 1, "search": 1}
    # The calendar's own numbers know the dialect.
    assert asked(busy, "calendar-totals")[0]["views"] == 1


def test_a_funnel_mixes_them_with_page_views(client, busy):
    key = make_key(busy.account)
    steps = ["/events", "search", "click", "outbound_click"]
    funnel = data(client, "funnel", busy, key, period="today", **{"steps[]": steps})["funnel"]
    assert [step["sessions"] for step in funnel] == [1, 1, 1, 1]
    backwards = data(client, "funnel", busy, key, period="today", **{"steps[]": ["outbound_click", "/events"]})[
        "funnel"
    ]
    assert [step["sessions"] for step in backwards] == [1, 0]


def test_realtime_shows_them_by_name(client, busy):
    shown = data(client, "realtime", busy, make_key(busy.account))
    assert {row["eventType"]: row["count"] for row in shown["events_by_type"]} == {
        "click": 1,
        "custom": 1,
        "outbound_click": 1,
        "page_view": 1,
        "search": 1,
    }
    assert shown["active_visitors"] == 1


def test_they_are_interactive_and_so_a_visit_with_one_page_is_no_bounce(client, busy):
    metrics = data(client, "summary", busy, make_key(busy.account), period="today")["metrics"]
    assert (metrics["visits"]["value"], metrics["pageviews"]["value"], metrics["bounce_rate"]["value"]) == (1, 1, 0)
