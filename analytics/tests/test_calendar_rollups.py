"""The roll-ups of the calendar's two dialects, each by hand: what stands in them after which events."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.registration import change_website
from analytics import retention
from analytics.models import DiscoveryDay, EngagementDay, EngagementSession, Event
from analytics.rollups.build import build, wrong_rows
from analytics.tests.builders import GOOGLEBOT, a_body, collect
from analytics.tests.tracking import discover, engage, make_calendar, make_event, today

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def acme():
    return make_calendar()


@pytest.fixture
def jazz(acme):
    return make_event(acme)


def built(calendar):
    day = today()
    build(calendar.website_id, day, now=timezone.now())
    assert set(wrong_rows(calendar.website_id, day).values()) == {0}
    assert build(calendar.website_id, day, now=timezone.now()) == 0
    return day


def test_actions_are_counted_by_event_and_source(client, acme, jazz):
    for source in ("list", "list", "map", None):
        engage(client, jazz, source=source)
    engage(client, jazz, "calendar_sync", source="list")
    built(acme)
    assert list(
        EngagementDay.objects.order_by("action", "source").values_list("event_key", "action", "source", "count")
    ) == [
        (jazz.key, "calendar_sync", "list", 1),
        (jazz.key, "click", "", 1),
        (jazz.key, "click", "list", 2),
        (jazz.key, "click", "map", 1),
    ]


def test_a_session_is_the_clients_own_and_else_the_visitor(client, acme, jazz):
    engage(client, jazz, sessionId="a")
    engage(client, jazz, "outbound_click", sessionId="a", REMOTE_ADDR="203.0.113.1")
    engage(client, jazz, "calendar_sync")
    engage(client, jazz)
    engage(client, jazz, REMOTE_ADDR="203.0.113.1")
    built(acme)
    sessions = EngagementSession.objects.values_list("clicks", "outbound_clicks", "calendar_syncs")
    assert sorted(sessions) == [(1, 0, 0), (1, 0, 1), (1, 1, 0)]


def test_bots_are_rows_of_their_own_and_excluded_addresses_none(client, acme, jazz):
    engage(client, jazz)
    engage(client, jazz, HTTP_USER_AGENT=GOOGLEBOT)
    change_website(acme.website, excluded=["127.0.0.1"])
    engage(client, jazz, sessionId="excluded")
    built(acme)
    assert sorted(EngagementDay.objects.values_list("is_bot", "count")) == [(False, 1), (True, 1)]
    assert EngagementSession.objects.count() == 2


def test_a_custom_event_of_the_same_name_is_none_of_the_calendars(client, acme, jazz):
    collect(client, a_body(acme.website, event_type="click", properties={"eventKey": jazz.key}))
    collect(client, a_body(acme.website, event_type="custom", properties={"event_name": "search", "searchQuery": "x"}))
    built(acme)
    assert not EngagementDay.objects.exists()
    assert not DiscoveryDay.objects.exists()


def test_spellings_of_one_search_are_one_row_with_what_it_matched_last_and_at_least(client, acme, jazz):
    discover(client, "search", searchQuery="Fête  JAZZ")
    make_event(acme, "Fête jazz")
    discover(client, "search", searchQuery="fete jazz")
    built(acme)
    assert list(DiscoveryDay.objects.values_list("filter_group", "value", "count")) == [("", "fete jazz", 2)]
    assert list(DiscoveryDay.objects.values_list("gaps", "thin", "least_matches", "last_matches")) == [(1, 1, 0, 1)]


def test_filters_are_counted_by_group_and_value(client, acme, jazz):
    discover(client, "filter_apply", filterGroup="genre", filterValue="Jazz")
    discover(client, "filter_clear", filterGroup="all", filterValue="reset")
    built(acme)
    found = DiscoveryDay.objects.order_by("action").values_list(
        "action", "filter_group", "value", "count", "gaps", "last_matches"
    )
    assert list(found) == [("filter_apply", "genre", "jazz", 1, 1, 0), ("filter_clear", "all", "reset", 1, 0, None)]


@pytest.mark.parametrize("query", ["\ufdfa" * 280, "\U0001d160" * 280, "e" + "\u0301" * 279, "한" * 280, "İ" * 280])
def test_a_search_that_grows_when_it_is_taken_apart_is_cut(client, acme, query):
    discover(client, "search", searchQuery=query)
    assert Event.objects.count() == 1
    built(acme)
    assert DiscoveryDay.objects.get().count == 1


def test_sessions_go_with_the_raw_events_and_counts_stay(client, acme, jazz, settings):
    engage(client, jazz)
    built(acme)
    later = timezone.now() + timedelta(days=settings.RETENTION_DAYS + 2)
    retention.prune(now=later)
    assert not EngagementSession.objects.exists()
    assert EngagementDay.objects.get().count == 1
