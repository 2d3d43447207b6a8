"""The reports that only the dashboard asks: content groups, countries, outbound links. Pages per visit by the day."""

from datetime import timedelta

import pytest
from django.utils import timezone

from analytics.dashboard.asked import understood
from analytics.models import DimensionDay
from analytics.models.rollups import Dimension
from analytics.reports.calendar import EventNumbers
from analytics.reports.countries import Countries
from analytics.reports.groups import ContentGroups
from analytics.reports.outbound import Outbound
from analytics.reports.timeseries import Timeseries
from analytics.tests.builders import GOOGLEBOT, load, make_account, make_website, noon
from analytics.tests.tracking import acted, make_calendar, make_event, tell

pytestmark = pytest.mark.django_db

GROUPS = [{"name": "Blog", "pattern": "/blog*"}, {"name": "Docs", "pattern": "/docs*"}]
SOCIAL = "https://www.facebook.com/"


@pytest.fixture
def acme():
    website = make_website(content_groups=GROUPS)
    moment = noon()
    link = {"event_type": "outbound_link", "properties": {"href": "https://partner.example/"}}
    load(
        website,
        {"at": moment, "path": "/blog/one", "referrer": SOCIAL},
        {"at": moment + timedelta(seconds=10), "path": "/blog/one"},
        {"at": moment + timedelta(seconds=20), "path": "/docs"},
        {"at": moment + timedelta(seconds=30), "path": "/docs"} | link,
        {"at": moment, "path": "/", "ip": "203.0.113.10"},
        {"at": moment + timedelta(seconds=5), "path": "/", "ip": "203.0.113.10"} | link,
        {"at": moment + timedelta(seconds=6), "path": "/", "ip": "203.0.113.10"} | link,
        {"at": moment + timedelta(seconds=7), "path": "/", "ip": "203.0.113.10", "event_type": "outbound_link"},
        {"at": moment, "path": "/blog/one", "ip": "203.0.113.11", "user_agent": GOOGLEBOT} | link,
    )
    other = make_website(make_account("Globex"), "globex.example")
    load(other, {"at": moment, "path": "/blog"} | link)
    return website


def answer(report, website, *, extra=None, **query):
    asked = understood(website, {name: [value] for name, value in query.items()}, now=timezone.now())
    return asked.answer(report, extra or {})


def pairs(report, website, name, count, **query):
    return [(row[name], row[count]) for row in answer(report, website, **query)["rows"]]


def test_content_groups_count_their_pageviews(acme):
    assert answer(ContentGroups(), acme)["rows"] == [
        {"contentGroup": "Blog", "pageviews": 2, "uniquePageviews": 1},
        {"contentGroup": "Docs", "pageviews": 1, "uniquePageviews": 1},
    ]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"content_group": "Docs"}, [("Docs", 1)]),
        ({"filter[channel]": "Social"}, [("Blog", 2), ("Docs", 1)]),
        ({"filter[channel]": "Direct"}, []),
        ({"include_bots": "true"}, [("Blog", 2), ("Docs", 1)]),
        ({"period": "today"}, []),
    ],
)
def test_content_groups_keep_to_what_is_asked(acme, query, expected):
    assert pairs(ContentGroups(), acme, "contentGroup", "pageviews", **query) == expected


def test_outbound_links_are_counted_by_where_they_lead(acme):
    assert pairs(Outbound(), acme, "href", "clicks") == [("https://partner.example/", 3), ("", 1)]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"filter[channel]": "Social"}, [("https://partner.example/", 1)]),
        ({"filter_not[channel]": "Social"}, [("https://partner.example/", 2), ("", 1)]),
        ({"content_group": "Docs"}, [("https://partner.example/", 1)]),
        ({"include_bots": "true"}, [("https://partner.example/", 4), ("", 1)]),
        ({"period": "today"}, []),
    ],
)
def test_outbound_links_keep_to_what_is_asked(acme, query, expected):
    assert pairs(Outbound(), acme, "href", "clicks", **query) == expected


def test_countries_are_counted_where_places_are_known(acme):
    assert answer(Countries(), acme)["rows"] == []
    for country, visits in (("FR", 2), ("DE", 3)):
        DimensionDay.objects.create(
            website_id=acme.id,
            day=noon().date(),
            is_bot=False,
            content_group="",
            dimension=Dimension.COUNTRY,
            label=country,
            utm_medium="",
            utm_campaign="",
            visits=visits,
        )
    assert pairs(Countries(), acme, "country", "visits") == [("DE", 3), ("FR", 2)]


def test_pages_per_visit_by_the_day(acme):
    series = answer(Timeseries(), acme, extra={"metric": "pages_per_visit"}, period="7d")["series"]
    assert [point["value"] for point in series] == [0, 0, 0, 0, 0, 2.0, 0]


def test_events_of_a_calendar_are_led_by_any_of_their_numbers():
    calendar = make_calendar()
    jazz, rock = make_event(calendar), make_event(calendar, "Rock Night")
    tell(
        calendar.website,
        acted(noon(), "click", event=jazz.key, session="a"),
        acted(noon(), "click", event=jazz.key, session="b"),
        acted(noon(), "calendar_sync", event=rock.key, session="a"),
    )
    for leader, first in (("views", "Jazz Night"), ("calendarAdds", "Rock Night")):
        rows = answer(EventNumbers(), calendar.website, extra={"sort": leader})["rows"]
        assert rows[0]["event"] == first
