"""The copy in memory of what is upcoming and live (definitions 26)."""

from datetime import timedelta

import pytest

from submissions import calendars, catalog, live
from submissions.models import Calendar
from submissions.tests.catalogue import NOW, in_days, make_calendar, make_event

pytestmark = pytest.mark.django_db


@pytest.fixture
def acme():
    return make_calendar()


def now_live(calendar, now=NOW):
    return live.of(Calendar.objects.get(pk=calendar.pk), now=now)


def test_it_works(acme):
    make_event(acme, genre="Jazz")
    make_event(acme, "Techno in the park", genre="Techno")
    copy = now_live(acme)
    assert copy.count_matching("jazz") == 1
    assert copy.count_matching("le sunset") == 2
    assert copy.count_matching("opera") == 0
    assert copy.count_filtered("genre", "techno") == 1
    assert copy.count_filtered("date_range", "2026-06-20:any") == 2


def test_only_what_is_upcoming_and_live_in_this_calendar_counts(acme):
    kept = [
        make_event(acme, "Today", date=in_days(0)),
        make_event(acme, "Soon", date=in_days(3)),
        make_event(acme, "Unread", date="some day"),
    ]
    make_event(acme, "Yesterday", date=in_days(-1))
    catalog.cancel(make_event(acme, "Cancelled"), now=NOW)
    make_event(make_calendar("globex.example"), "Theirs")
    assert [entry.id for entry in now_live(acme).entries] == [event.id for event in kept]


def test_it_stands_in_the_order_of_the_page(acme):
    names = {
        "Unread": {"date": "soon"},
        "Late": {"start_time": "23:00"},
        "All day": {"start_time": "all day"},
        "Early": {"start_time": "10:00"},
        "Before": {"date": in_days(1)},
    }
    ids = {make_event(acme, name, **given).id: name for name, given in names.items()}
    assert [ids[entry.id] for entry in now_live(acme).entries] == ["Before", "Early", "Late", "All day", "Unread"]


def test_search_and_filters_have_to_match_together(acme):
    make_event(acme, genre="Jazz", price="10€")
    make_event(acme, genre="Jazz", price="50€")
    filters = {"genre": "jazz", "price_range": "any:20"}
    assert len(now_live(acme).matching("night", filters)) == 1
    assert now_live(acme).matching("opera", filters) == []


def test_a_change_is_seen_at_once_and_an_unchanged_calendar_is_not_read_again(acme, django_assert_num_queries):
    event = make_event(acme)
    assert len(now_live(acme).entries) == 1
    calendar = Calendar.objects.get(pk=acme.pk)
    with django_assert_num_queries(0):
        live.of(calendar, now=NOW)
    catalog.cancel(event, now=NOW)
    assert now_live(acme).entries == ()


def test_what_was_yesterday_is_gone_when_the_day_ends_at_five(acme):
    calendars.change(acme, time_zone="UTC")
    make_event(acme, date=in_days(0))
    assert len(now_live(acme, NOW.replace(hour=4) + timedelta(days=1)).entries) == 1
    assert len(now_live(acme, NOW.replace(hour=5) + timedelta(days=1)).entries) == 0
