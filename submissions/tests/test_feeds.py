"""The feeds of the public calendar: iCalendar, RSS, JSON."""

import json
from datetime import UTC, date, datetime, timedelta
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import icalendar
import pytest
from django.utils import timezone

from submissions import calendars, catalog, views_calendar
from submissions.tests.catalogue import in_days, make_calendar, make_event

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
HOSTILE = "]]></title><script>alert(1)</script>\"';,:\\n"


@pytest.fixture(autouse=True)
def june(monkeypatch):
    """The views' clock."""
    monkeypatch.setattr(timezone, "now", lambda: NOW)


@pytest.fixture
def acme():
    return make_calendar(name="Fête de la musique")


def ics(client, path="/calendar.ics", **query):
    answer = client.get(path, query)
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/calendar; charset=utf-8")
    document = icalendar.Calendar.from_ical(answer.content)
    assert document.errors == []
    return document


def entries(document):
    assert all(entry.errors == [] for entry in document.events)
    return document.events


def entry(client, event):
    (found,) = [found for found in entries(ics(client)) if found["uid"] == event.key]
    return found


# -- iCalendar --------------------------------------------------------------------------------------------------------


def test_it_works(client, acme):
    event = make_event(acme, end_time="23:30", genre="Jazz, Soul", notes="One\nTwo", price="15€")
    document = ics(client)
    (found,) = entries(document)
    assert (document["version"], document["method"], document["x-wr-calname"]) == (
        "2.0",
        "PUBLISH",
        "Fête de la musique",
    )
    assert (found["uid"], found["summary"], found["location"]) == (event.key, "Jazz Night", "Le Sunset, Paris")
    assert found["description"] == "One\nTwo\nPrice: 15€"
    assert found["status"] == "CONFIRMED"
    assert found["dtstamp"].dt == event.updated_at.replace(microsecond=0)
    assert found["url"] == f"http://testserver/calendar/{acme.website.public_id}/{event.key}/jazz-night"
    assert [str(category) for category in found["categories"].cats] == ["Jazz", "Soul"]


def test_without_a_zone_times_float(client, acme):
    found = entry(client, make_event(acme, end_time="23:30"))
    assert found["dtstart"].dt == datetime(2026, 6, 20, 20, 0)
    assert found["dtend"].dt == datetime(2026, 6, 20, 23, 30)


def test_with_a_zone_times_are_in_it_and_the_file_describes_it(client, acme):
    calendars.change(acme, time_zone="Europe/Paris")
    event = make_event(acme)
    document = ics(client)
    (found,) = entries(document)
    assert found["dtstart"].dt == datetime(2026, 6, 20, 20, 0, tzinfo=ZoneInfo("Europe/Paris"))
    assert found["dtstart"].params["TZID"] == "Europe/Paris"
    assert [str(zone["tzid"]) for zone in document.timezones] == ["Europe/Paris"]
    assert "dtend" not in found
    assert found["uid"] == event.key


def test_what_ends_before_it_begins_ends_the_next_morning(client, acme):
    found = entry(client, make_event(acme, start_time="22:00", end_time="04:00"))
    assert found["dtend"].dt == datetime(2026, 6, 21, 4, 0)


def test_several_days_with_both_times_last_to_the_end_of_the_last(client, acme):
    found = entry(client, make_event(acme, date="20-22 June 2026", start_time="14:00", end_time="18:00"))
    assert (found["dtstart"].dt, found["dtend"].dt) == (datetime(2026, 6, 20, 14), datetime(2026, 6, 22, 18))


@pytest.mark.parametrize("given", [{"start_time": "all day"}, {"date": "20-22 June 2026"}])
def test_without_a_time_it_is_whole_days(client, acme, given):
    found = entry(client, make_event(acme, **given))
    last = 22 if "date" in given else 20
    assert (found["dtstart"].dt, found["dtend"].dt) == (date(2026, 6, 20), date(2026, 6, last + 1))
    assert found["dtstart"].params["VALUE"] == "DATE"


def test_an_event_of_no_known_day_is_left_out(client, acme):
    make_event(acme, date="some day")
    assert entries(ics(client)) == []


def test_whoever_subscribed_learns_of_a_cancellation(client, acme):
    event = make_event(acme, genre="Jazz")
    catalog.cancel(event, now=NOW)
    assert entry(client, event)["status"] == "CANCELLED"
    assert len(entries(ics(client, genre="jazz"))) == 1
    assert entries(ics(client, genre="techno")) == []


def test_every_change_has_a_higher_sequence(client, acme):
    event = make_event(acme)
    before = entry(client, event)["sequence"]
    type(event).objects.update(created_at=event.created_at - timedelta(seconds=5))
    catalog.edit(event, price="5", now=NOW)
    assert entry(client, event)["sequence"] >= before + 5


def test_the_feed_takes_the_searches_and_filters_of_the_page(client, acme):
    make_event(acme, genre="Jazz")
    make_event(acme, "Techno", genre="Techno")
    make_event(acme, "Gone", date=in_days(-1))
    assert [found["summary"] for found in entries(ics(client))] == ["Jazz Night", "Techno"]
    assert [found["summary"] for found in entries(ics(client, q="techno"))] == ["Techno"]
    assert [found["summary"] for found in entries(ics(client, genre="jazz"))] == ["Jazz Night"]


def test_an_event_has_a_file_of_its_own(client, acme):
    event = make_event(acme)
    make_event(acme, "Another")
    path = f"/calendar/{acme.website.public_id}/{event.key}/event.ics"
    assert [found["uid"] for found in entries(ics(client, path))] == [event.key]
    assert client.get(path)["Content-Disposition"] == 'attachment; filename="jazz-night.ics"'


def test_an_event_of_no_known_day_has_none(client, acme):
    event = make_event(acme, date="some day")
    assert client.get(f"/calendar/{acme.website.public_id}/{event.key}/event.ics").status_code == 404


@pytest.mark.parametrize("text", [HOSTILE, "BEGIN:VEVENT", "a" * 170, "🎷" * 80, "ليلة الجاز في باريس " * 5])
def test_no_text_breaks_the_file(client, acme, text):
    event = make_event(acme, text.strip(), location=text, notes=f"{text}\nEND:VCALENDAR\nX:1")
    found = entry(client, event)
    assert (found["summary"], found["location"]) == (event.name, event.location)
    assert found["description"] == event.notes


def test_lines_are_folded_and_end_as_the_standard_says(client, acme):
    make_event(acme, "Fête " * 30)
    lines = client.get("/calendar.ics").content.split(b"\r\n")
    assert all(len(line) <= 75 and b"\n" not in line for line in lines)


# -- RSS --------------------------------------------------------------------------------------------------------------


def rss(client, **query):
    answer = client.get("/calendar.rss", query)
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/rss+xml; charset=utf-8")
    return ElementTree.fromstring(answer.content).find("channel")


def test_rss_has_the_newest_first(client, acme):
    first, second = make_event(acme), make_event(acme, "Techno", date=in_days(1))
    channel = rss(client)
    assert channel.findtext("title") == "Fête de la musique"
    assert [item.findtext("title") for item in channel.iter("item")] == ["Techno", "Jazz Night"]
    item = next(channel.iter("item"))
    assert item.find("guid").attrib == {"isPermaLink": "false"}
    assert (item.findtext("guid"), item.findtext("link")) == (
        second.key,
        f"http://testserver/calendar/{acme.website.public_id}/{second.key}/techno",
    )
    assert item.findtext("description") == "2026-06-02 · 20:00 · Le Sunset, Paris"
    assert first.key != second.key


def test_rss_takes_filters_and_holds_nothing_cancelled(client, acme):
    make_event(acme, genre="Jazz")
    catalog.cancel(make_event(acme, "Techno"), now=NOW)
    assert len(list(rss(client).iter("item"))) == 1
    assert list(rss(client, genre="techno").iter("item")) == []


def test_markup_in_rss_is_text_also_for_readers_that_show_html(client, acme):
    event = make_event(acme, HOSTILE, location=HOSTILE)
    item = next(rss(client).iter("item"))
    assert item.findtext("title") == event.name
    assert "<script>" not in item.findtext("description")
    assert "&lt;script&gt;" in item.findtext("description")


@pytest.mark.parametrize("char", ["\ufffe", "\uffff"])
def test_what_xml_cannot_say_is_not_published(acme, char):
    with pytest.raises(catalog.Unpublishable):
        make_event(acme, f"Jazz {char}")


# -- JSON -------------------------------------------------------------------------------------------------------------


def test_json_names_things_as_the_contract_does(client, acme):
    event = make_event(acme, end_time="late", url="https://a.example/", is_featured=True, setting="indoor")
    answer = client.get("/calendar.json")
    assert answer["Content-Type"] == "application/json"
    assert json.loads(answer.content) == {
        "calendar": {
            "name": "Fête de la musique",
            "website": str(acme.website.public_id),
            "timeZone": "UTC",
            "isOpen": True,
        },
        "count": 1,
        "next": None,
        "events": [
            {
                "eventKey": event.key,
                "eventName": "Jazz Night",
                "date": "2026-06-20",
                "startTime": "20:00",
                "endTime": "late",
                "location": "Le Sunset, Paris",
                "arrondissement": "",
                "genre": "",
                "price": "",
                "age": "",
                "indoorOutdoor": "indoor",
                "notes": "",
                "link": "https://a.example/",
                "startsOn": "2026-06-20",
                "endsOn": "2026-06-20",
                "startsAt": "20:00",
                "endsAt": None,
                "isFeatured": True,
                "url": f"http://testserver/calendar/{acme.website.public_id}/{event.key}/jazz-night",
            }
        ],
    }


def test_json_holds_what_the_page_shows(client, acme):
    make_event(acme, genre="Jazz")
    make_event(acme, "Gone", date=in_days(-1), genre="Jazz")
    catalog.cancel(make_event(acme, "Cancelled", genre="Jazz"), now=NOW)
    make_event(acme, "Techno", genre="Techno")
    found = client.get("/calendar.json", {"genre": "jazz"}).json()["events"]
    assert [event["eventName"] for event in found] == ["Jazz Night"]


def test_a_long_feed_comes_in_parts(client, acme, monkeypatch):
    monkeypatch.setattr(views_calendar, "PER_FEED", 2)
    for number in range(5):
        make_event(acme, f"Night {number}", start_time=f"1{number}:00")
    catalog.cancel(make_event(acme, "Cancelled"), now=NOW)
    found, path = [], "/calendar.json?q=night"
    while path:
        answer = client.get(path).json()
        assert answer["count"] == 5
        found += [event["eventName"] for event in answer["events"]]
        path = answer["next"]
    assert found == [f"Night {number}" for number in range(5)]
    assert [entry["summary"] for entry in entries(ics(client, page=3))] == ["Night 4"]


def test_feeds_take_as_many_queries_for_one_event_as_for_thirty(client, acme, django_assert_num_queries):
    for path, queries in (("/calendar.json", 2), ("/calendar.rss", 2), ("/calendar.ics", 3)):
        make_event(acme, path)
        client.get(path)
        with django_assert_num_queries(queries):
            client.get(path)
