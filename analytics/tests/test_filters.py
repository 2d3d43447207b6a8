"""Filters and intervals of the reports. That filtered numbers are right is shown against the oracle."""

from datetime import timedelta

import pytest
from django.test import Client

from analytics.tests.builders import CHROME, IPHONE, data, load, make_account, make_key, make_website, noon, report

pytestmark = pytest.mark.django_db


@pytest.fixture
def acme():
    return make_account()


@pytest.fixture
def site(acme):
    """Yesterday: somebody came from a social network on a desktop and signed up, another directly on a telephone."""
    site = make_website(acme)
    load(
        site,
        {"at": noon(), "path": "/", "referrer": "https://t.co/abc", "user_agent": CHROME},
        {"at": noon() + timedelta(minutes=1), "path": "/pricing", "user_agent": CHROME},
        {
            "at": noon() + timedelta(minutes=2),
            "path": "/pricing",
            "user_agent": CHROME,
            "event_type": "custom",
            "properties": {"event_name": "signup"},
        },
        {"at": noon() + timedelta(hours=2, minutes=40), "path": "/blog/one", "user_agent": IPHONE},
    )
    return site


@pytest.fixture
def key(acme):
    return make_key(acme)


def visits(site, key, **filters):
    return data(Client(), "summary", site, key, **filters)["metrics"]["visits"]["value"]


def test_a_filter_keeps_the_visits_that_have_the_value(site, key):
    assert visits(site, key) == 2
    assert visits(site, key, **{"filter[channel]": "Social"}) == 1


@pytest.mark.parametrize(
    ("dimension", "value"),
    [
        ("channel", "Social"),
        ("referrer", "t.co"),
        ("device", "desktop"),
        ("browser", "Chrome"),
        ("os", "Windows"),
        ("entry", "/"),
        ("exit", "/pricing"),
        ("page", "/pricing"),
        ("event", "signup"),
    ],
)
def test_every_dimension_filters(site, key, dimension, value):
    assert data(Client(), "flow", site, key, **{f"filter[{dimension}]": value})["landing_pages"] == [
        {"path": "/", "entries": 1}
    ]
    assert data(Client(), "flow", site, key, **{f"filter_not[{dimension}]": value})["landing_pages"] == [
        {"path": "/blog/one", "entries": 1}
    ]


def test_several_values_are_any_of_them_and_several_filters_all_of_them(site, key):
    assert visits(site, key, **{"filter[page]": ["/", "/blog/one"]}) == 2
    assert visits(site, key, **{"filter[page]": ["/", "/blog/one"], "filter[device]": "mobile"}) == 1
    assert visits(site, key, **{"filter[page]": "/", "filter[device]": "mobile"}) == 0


def test_a_star_is_any_run_of_characters(site, key):
    assert visits(site, key, **{"filter[page]": "/blog/*"}) == 1
    assert visits(site, key, **{"filter[page]": "*"}) == 2
    assert visits(site, key, **{"filter[page]": "/b.*"}) == 0


def test_none_is_the_visits_without_a_value(site, key):
    assert visits(site, key, **{"filter[referrer]": "(none)"}) == 1


def test_words_are_compared_without_case_and_unknown_ones_are_nobodys(site, key):
    assert visits(site, key, **{"filter[channel]": "social"}) == 1
    assert visits(site, key, **{"filter[channel]": "Pigeon"}) == 0


def test_an_empty_filter_is_an_absent_one(site, key):
    assert visits(site, key, **{"filter[channel]": ""}) == 2


@pytest.mark.parametrize(
    ("name", "value"),
    [("filter[colour]", "red"), ("filter[]", "red"), ("filter[page]", "/" * 3000), ("filter[page]", ["/"] * 51)],
)
def test_a_filter_without_sense_is_400_and_says_why(site, key, name, value):
    answer = report(Client(), "summary", site, key, **{name: value})
    assert answer.status_code == 400
    assert name in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "hostile", ["'; DROP TABLE x; --", "%", "\\", "(((", "[", "*" * 500, "a{99999}", "\u202e", "{0}"]
)
@pytest.mark.parametrize("dimension", ["page", "event", "referrer", "entry", "channel"])
def test_nothing_in_a_value_is_a_pattern_or_a_statement(site, key, dimension, hostile):
    assert visits(site, key, **{f"filter[{dimension}]": hostile}) in (0, 2)


def series(site, key, **asked):
    found = data(Client(), "timeseries", site, key, **asked)["series"]
    return {row["date"]: row["value"] for row in found if row["value"]}


def test_by_the_hour_views_count_in_their_hour_and_visits_in_the_one_they_begin_in(site, key):
    day = noon().date()
    asked = {"start_date": str(day), "end_date": str(day), "interval": "hour"}
    assert series(site, key, **asked) == {f"{day}T12:00Z": 2, f"{day}T14:00Z": 1}
    assert series(site, key, **asked, metric="visits") == {f"{day}T12:00Z": 1, f"{day}T14:00Z": 1}
    assert series(site, key, **asked, metric="visits", path="/pricing") == {f"{day}T12:00Z": 1}
    assert series(site, key, **asked, metric="unique_pageviews") == {f"{day}T12:00Z": 2, f"{day}T14:00Z": 1}
    assert series(site, key, **asked, **{"filter[device]": "mobile"}) == {f"{day}T14:00Z": 1}
    assert len(data(Client(), "timeseries", site, key, **asked)["series"]) == 24


def test_hours_of_more_than_a_week_are_not_told(site, key):
    assert report(Client(), "timeseries", site, key, period="30d", interval="hour").status_code == 400


def test_weeks_begin_on_monday_and_months_on_the_first_both_cut_by_the_period(site, key):
    asked = {"start_date": "2026-02-25", "end_date": "2026-03-10"}
    weeks = data(Client(), "timeseries", site, key, **asked, interval="week")["series"]
    months = data(Client(), "timeseries", site, key, **asked, interval="month")["series"]
    assert [row["date"] for row in weeks] == ["2026-02-25", "2026-03-02", "2026-03-09"]
    assert [row["date"] for row in months] == ["2026-02-25", "2026-03-01"]


def test_visitors_by_day_but_not_by_path(site, key):
    assert list(series(site, key, metric="unique_visitors").values()) == [2]
    assert report(Client(), "timeseries", site, key, metric="unique_visitors", path="/").status_code == 400


def test_an_interval_that_is_none_is_400(site, key):
    assert report(Client(), "timeseries", site, key, interval="decade").status_code == 400
