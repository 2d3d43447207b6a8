"""The operator's morning: yesterday beside the same weekday, what moved it, and what is not as it should be."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Website
from analytics import morning
from analytics.models import Drop, SiteDay
from analytics.tests.builders import GOOGLEBOT, load, make_account, make_website, noon

pytestmark = pytest.mark.django_db

NOW = noon(0)
YESTERDAY, BEFORE = noon(1), noon(8)


@pytest.fixture
def acme():
    return make_website(make_account("Acme"))


def visits(website, at, count, **fields):
    """So many visits of one page view each."""
    load(website, *({"at": at, "ip": f"203.0.113.{n}", **fields} for n in range(count)), now=NOW)


def of(website):
    (found,) = morning.yesterdays([website], now=NOW)
    return found


def test_yesterday_stands_beside_the_same_weekday_a_week_before(acme):
    visits(acme, YESTERDAY, 9)
    visits(acme, BEFORE, 6)
    visits(acme, noon(2), 40)
    found = of(acme)
    assert [(m.title, m.value, m.previous, m.change) for m in found.metrics] == [
        ("Visits", 9, 6, "+50 % of 6"),
        ("Daily visitors", 9, 6, "+50 % of 6"),
        ("Page views", 9, 6, "+50 % of 6"),
    ]
    assert not found.is_empty


def test_from_nothing_there_is_no_percentage(acme):
    visits(acme, YESTERDAY, 4)
    assert of(acme).metrics[0].change == "none before, +4"
    assert of(make_website(make_account("Globex"), domain="globex.example")).is_empty


def test_of_a_rise_the_greatest_rise_is_named(acme):
    visits(acme, BEFORE, 10, path="/old")
    visits(acme, YESTERDAY, 4, path="/old")
    visits(acme, YESTERDAY + timedelta(hours=1), 12, path="/new", referrer="https://www.google.com/")
    assert [(m.kind, m.label, m.before, m.now, m.change) for m in of(acme).movers] == [
        ("channel", "Organic Search", 0, 12, 12),
        ("source", "google.com", 0, 12, 12),
        ("page", "/new", 0, 12, 12),
    ]


def test_of_a_fall_the_greatest_fall_is_named(acme):
    visits(acme, BEFORE, 12, path="/a", url="https://acme.example/a?utm_source=x&utm_medium=email&utm_campaign=spring")
    visits(acme, YESTERDAY, 5, path="/b")
    assert {(m.kind, m.label, m.change) for m in of(acme).movers} == {
        ("channel", "Email", -12),
        ("campaign", "spring", -12),
        ("page", "/a", -12),
    }


def test_what_changes_by_chance_is_not_named(acme):
    visits(acme, BEFORE, 3)
    visits(acme, YESTERDAY, 5)
    assert of(acme).movers == []


def test_robots_move_nothing(acme):
    visits(acme, YESTERDAY, 9, user_agent=GOOGLEBOT)
    assert of(acme).is_empty


def test_the_busiest_come_first_and_one_more_tells_of_the_others(acme):
    globex = make_account("Globex")
    others = [make_website(globex, domain=f"w{n}.example") for n in range(3)]
    visits(others[1], YESTERDAY, 3)
    visits(acme, YESTERDAY, 2)
    morning.yesterdays([acme, others[1]], now=NOW)
    found = morning.busiest(Website.objects.all(), day=YESTERDAY.date(), most=2)
    assert [website.domain for website in found] == ["w1.example", "acme.example", "w2.example"]


def test_three_websites_take_as_many_queries_as_one(acme):
    others = [make_website(make_account(name), domain=f"{name}.example") for name in ("globex", "initech")]
    for website in (acme, *others):
        visits(website, YESTERDAY, 2)
        of(website)

    def queries(websites):
        with CaptureQueriesContext(connection) as captured:
            morning.yesterdays(websites, now=NOW)
        return len(captured)

    assert queries([acme]) == queries([acme, *others]) == 12


def traffic(website, *, views, days=range(2, 9)):
    """Page views of each of these days, as they were built."""
    for day in days:
        SiteDay.objects.create(
            website_id=website.id,
            day=noon(day).date(),
            is_bot=False,
            content_group="",
            visitors=1,
            visits=1,
            page_visits=1,
            bounces=0,
            duration_us=0,
            pageviews=views,
            unique_pageviews=1,
        )


def silent(websites=None):
    found = morning.silent(Website.objects.all() if websites is None else websites, now=NOW)
    return [(silence.website.domain, silence.a_day, silence.last_at) for silence in found]


def test_a_website_that_had_traffic_and_has_none_is_silent(acme):
    traffic(acme, views=50)
    assert silent() == [("acme.example", 50, None)]
    load(acme, {"at": NOW - timedelta(hours=13)}, now=NOW)
    assert silent() == [("acme.example", 50, NOW - timedelta(hours=13))]
    load(acme, {"at": NOW - timedelta(hours=11)}, now=NOW)
    assert silent() == []


def test_a_night_is_no_silence_and_a_small_website_may_be_quiet_for_long(acme):
    traffic(acme, views=9)
    load(acme, {"at": NOW - timedelta(hours=25)}, now=NOW)
    assert silent() == []
    load(make_website(make_account("Globex"), domain="new.example"), {"at": NOW - timedelta(days=3)}, now=NOW)
    assert silent() == []


def test_a_robot_does_not_end_the_silence(acme):
    traffic(acme, views=50)
    load(acme, {"at": NOW - timedelta(hours=1), "user_agent": GOOGLEBOT}, now=NOW)
    assert len(silent()) == 1


def test_only_the_websites_asked_for_are_told_of(acme):
    traffic(acme, views=50)
    assert silent(Website.objects.exclude(id=acme.id)) == []


def refuse(website, count, reason="unknown_event", day=YESTERDAY):
    Drop.objects.create(day=day.date(), dialect="engagement", reason=reason, website_id=website.id, count=count)


def test_many_refused_calls_are_told_with_their_main_reason(acme):
    refuse(acme, 15)
    refuse(acme, 30, "too_large")
    (found,) = morning.refused(Website.objects.all(), now=NOW)
    assert (found.website, found.count, found.reason) == (acme, 45, "too_large")
    assert morning.refused(Website.objects.exclude(id=acme.id), now=NOW) == []


def test_few_refused_calls_are_noise(acme):
    refuse(acme, 19)
    refuse(acme, 500, "older", day=noon(2))
    assert morning.refused(Website.objects.all(), now=NOW) == []
