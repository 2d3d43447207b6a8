"""The chart's geometry, and the days that its links lead to."""

from datetime import UTC, date, datetime, timedelta

import pytest

from analytics.dashboard.asked import Asked, interval, intervals, stepped, understood
from analytics.dashboard.chart import GRID_LINES, chart, scale
from analytics.dashboard.totals import TOTALS, brief, shown, written
from analytics.reports.period import Period
from analytics.tests.builders import load, make_website

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 18, 12, 30, tzinfo=UTC)
TODAY = NOON.date()


def asked(website=None, **query) -> Asked:
    site = website or make_website()
    return understood(site, {name: [value] for name, value in query.items()}, now=NOON)


def drawn(**query):
    """The chart of a website with one visit at ten o'clock today, two yesterday and one the day before."""
    website = make_website()
    hits = [(0, 1), (1, 1), (1, 2), (2, 1)]
    load(
        website,
        *({"at": NOON - timedelta(days=days, hours=2), "path": "/", "ip": f"192.0.2.{n}"} for days, n in hits),
        now=NOON,
    )
    return chart(asked(website, **query))


def test_it_draws_a_line_from_the_first_interval_to_the_last():
    found = drawn(start_date="2026-03-16", end_date="2026-03-17", compare="none")
    assert found.line == "0.00,75.00 1000.00,50.00"
    assert found.area == "0.00,100.00 0.00,75.00 1000.00,50.00 1000.00,100.00"
    assert (found.dashed, found.comparison, found.dots) == ("", "", [])


def test_the_interval_that_still_runs_is_dashed():
    found = drawn(start_date="2026-03-16", end_date="2026-03-18", compare="none")
    assert found.line == "0.00,75.00 500.00,50.00"
    assert found.dashed == "500.00,50.00 1000.00,75.00"
    assert [point.is_unfinished for point in found.points] == [False, False, True]


def test_hours_that_have_not_begun_are_not_drawn():
    found = drawn(period="today", compare="none")
    assert [point.text for point in found.points[9:14]] == ["0", "1", "0", "0", ""]
    assert len(found.line.split()) == 12
    assert len(found.dashed.split()) == 2


def test_the_comparison_is_drawn_whole():
    found = drawn(period="today")
    assert len(found.comparison.split()) == 24
    assert (found.points[10].before_text, found.points[20].before_text) == ("2", "0")


def test_one_interval_alone_is_a_dot():
    found = drawn(period="month", interval="month", compare="none", start_date="2026-03-01", end_date="2026-03-31")
    assert len(found.points) == 31
    week = drawn(start_date="2026-03-18", end_date="2026-03-19", compare="none")
    assert (week.line, week.dashed, week.dots) == ("", "", [(0.0, 75.0)])


def test_a_day_leads_to_itself_and_a_week_to_its_days():
    days = drawn(start_date="2026-03-16", end_date="2026-03-18").points
    assert days[1].link == "?start_date=2026-03-17&end_date=2026-03-17"
    weeks = drawn(start_date="2026-03-01", end_date="2026-03-18", interval="week").points
    assert [point.link.rpartition("?")[2] for point in weeks[1:3]] == [
        "interval=week&start_date=2026-03-02&end_date=2026-03-08",
        "interval=week&start_date=2026-03-09&end_date=2026-03-15",
    ]


def test_days_of_the_future_lead_nowhere():
    found = drawn(start_date="2026-03-18", end_date="2026-03-20").points
    assert [bool(point.link) for point in found] == [True, False, False]


@pytest.mark.parametrize(
    ("most", "unit", "top"),
    [
        (0, "", 4),
        (3, "", 4),
        (5, "", 8),
        (9, "", 20),
        (81, "", 100),
        (101, "", 200),
        (4001, "", 8000),
        (123_456, "", 200_000),
        (2.4, "ratio", 4.0),
        (0.9, "ratio", 1.0),
        (45.5, "%", 80),
        (100.0, "%", 100.0),
        (119, "seconds", 120),
        (100_000, "seconds", 86_400),
    ],
)
def test_the_scale_has_round_numbers(most, unit, top):
    assert scale([most], unit) == (top, top / GRID_LINES)


@pytest.mark.parametrize(
    ("value", "unit", "text", "short"),
    [
        (1234, "", "1,234", "1.234k"),
        (2_500_000, "", "2,500,000", "2.5M"),
        (59, "seconds", "59s", "59s"),
        (125, "seconds", "2m 05s", "2m 05s"),
        (43.8, "%", "43.8%", "43.8%"),
        (2.5, "ratio", "2.50", "2.5"),
    ],
)
def test_numbers_are_written_for_people(value, unit, text, short):
    assert (written(value, unit), brief(value, unit)) == (text, short)


@pytest.mark.parametrize(
    ("start", "end", "allowed", "usual"),
    [
        ("2026-03-18", "2026-03-18", ["hour"], "hour"),
        ("2026-03-12", "2026-03-18", ["hour", "day"], "day"),
        ("2026-03-11", "2026-03-18", ["day", "week"], "day"),
        ("2026-02-01", "2026-03-18", ["day", "week", "month"], "day"),
        ("2023-02-01", "2026-03-18", ["day", "week", "month"], "week"),
    ],
)
def test_intervals_suit_the_days(start, end, allowed, usual):
    period = Period(date.fromisoformat(start), date.fromisoformat(end))
    assert (intervals(period), interval("", period), interval("nope", period)) == (allowed, usual, usual)


@pytest.mark.parametrize(
    ("start", "end", "before", "after"),
    [
        ("2026-03-18", "2026-03-18", "2026-03-17 to 2026-03-17", "2026-03-19 to 2026-03-19"),
        ("2026-03-12", "2026-03-18", "2026-03-05 to 2026-03-11", "2026-03-19 to 2026-03-25"),
        ("2026-03-01", "2026-03-18", "2026-02-01 to 2026-02-28", "2026-04-01 to 2026-04-30"),
        ("2026-01-01", "2026-01-31", "2025-12-01 to 2025-12-31", "2026-02-01 to 2026-02-28"),
        ("2026-01-01", "2026-01-10", "2025-12-22 to 2025-12-31", "2026-01-11 to 2026-01-20"),
    ],
)
def test_steps_are_as_many_days_or_a_month(start, end, before, after):
    period = Period(date.fromisoformat(start), date.fromisoformat(end))
    assert [str(stepped(period, direction, today=TODAY)) for direction in (-1, 1)] == [before, after]


def test_this_month_is_its_days_so_far():
    assert str(asked(period="month").period) == "2026-03-01 to 2026-03-18"


def test_pages_per_visit_come_of_the_two_numbers_beside_them():
    names = [total.name for total in TOTALS if total.name != "pages_per_visit"]
    summary = dict.fromkeys(names, {"value": 0, "previous": 0}) | {
        "pageviews": {"value": 10, "previous": 8},
        "visits": {"value": 3, "previous": 4},
    }
    (found,) = [one for one in shown(summary) if one.total.name == "pages_per_visit"]
    # 3.33 against 2.00, of the values as shown (definitions 19).
    assert (found.value, found.previous, found.change) == (3.33, 2.0, 66.5)
