"""The public calendar: its page and an event's page."""

import json
import logging
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone

from accounts.removal import remove_website
from submissions import calendars, catalog
from submissions.models import Calendar
from submissions.tests.catalogue import in_days, make_calendar, make_event

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\"'"


@pytest.fixture(autouse=True)
def june(monkeypatch):
    """The views' clock."""
    monkeypatch.setattr(timezone, "now", lambda: NOW)


@pytest.fixture
def acme():
    return make_calendar()


def page(client, path="/calendar", **query):
    answer = client.get(path, query)
    assert answer.status_code == 200
    return answer


def names(answer):
    """The events of the list, in its order."""
    listed = answer.content.decode().partition('role="status"')[2]
    return re.findall(r'<h3 dir="auto"><a href="[^"]*">([^<]*)</a>', listed)


def address(event):
    return f"/calendar/{event.calendar.website.public_id}/{event.key}/{event.slug}"


def test_it_works(client, acme):
    event = make_event(acme, genre="Jazz", price="15€", arrondissement="1st")
    answer = page(client)
    text = answer.content.decode()
    assert names(answer) == ["Jazz Night"]
    assert f'<a href="{address(event)}">Jazz Night</a>' in text
    assert '<time datetime="2026-06-20">Saturday 20 June 2026</time>' in text
    assert "1 upcoming event" in text


def test_it_counts_visits_with_the_tracker_of_its_website(client, acme):
    text = page(client).content.decode()
    assert f'<script defer data-id="{acme.website.public_id}" data-local src="/js/tracker.js"></script>' in text


def test_a_calendar_is_named_by_the_id_of_its_website_and_shows_its_own_events(client, acme):
    globex = make_calendar("globex.example")
    make_event(acme, "Ours")
    make_event(globex, "Theirs")
    assert names(page(client, f"/calendar/{globex.website.public_id}")) == ["Theirs"]
    assert names(page(client)) == ["Ours"]


@pytest.mark.parametrize("suffix", ["", ".json", ".ics", ".rss"])
def test_both_spellings_answer_alike(client, acme, suffix):
    own = f"/calendar/{acme.website.public_id}"
    for path in (f"/calendar{suffix}", f"{own}{suffix}"):
        assert client.get(path).status_code == client.get(f"{path}/").status_code == 200


def test_without_a_calendar_there_is_no_page(client):
    assert client.get("/calendar").status_code == 404
    assert client.get("/calendar.ics").status_code == 404


def test_the_calendar_of_a_deleted_website_is_gone(client, acme):
    event = make_event(acme)
    remove_website(acme.website, by=None, now=NOW)
    for path in ("/calendar", f"/calendar/{acme.website.public_id}", address(event)):
        assert client.get(path).status_code == 404


def test_events_stand_by_day_those_under_way_first_and_those_without_a_day_last(client, acme):
    make_event(acme, "Unread", date="soon")
    make_event(acme, "Tomorrow", date=in_days(1))
    make_event(acme, "Late", date=in_days(0), start_time="23:00")
    make_event(acme, "Early", date=in_days(0), start_time="9:00")
    make_event(acme, "Exhibition", date="30 May - 4 June 2026")
    make_event(acme, "Yesterday", date=in_days(-1))
    answer = page(client)
    assert names(answer) == ["Exhibition", "Early", "Late", "Tomorrow", "Unread"]
    headings = [re.sub(r"<.*?>", "", heading) for heading in re.findall(r"<h2>(.*?)</h2>", answer.content.decode())]
    assert headings == [
        "Already under way",
        "Today, Monday 1 June 2026",
        "Tomorrow, Tuesday 2 June 2026",
        "Day as announced",
    ]


def test_after_midnight_last_nights_party_is_still_on(client, acme, monkeypatch):
    make_event(acme, "Party", date=in_days(0), start_time="22:00")
    monkeypatch.setattr(timezone, "now", lambda: NOW.replace(hour=1) + timedelta(days=1))
    assert names(page(client)) == ["Party"]
    monkeypatch.setattr(timezone, "now", lambda: NOW.replace(hour=5) + timedelta(days=1))
    assert names(page(client)) == []


def test_a_search_and_filters_are_asked_by_the_address_and_shown_as_chips(client, acme):
    make_event(acme, "Jazz", genre="Jazz", price="10€")
    make_event(acme, "Techno", genre="Techno", price="40€", setting="outdoor")
    assert names(page(client, q="jazz")) == ["Jazz"]
    assert names(page(client, genre="techno")) == ["Techno"]
    assert names(page(client, price_to="20")) == ["Jazz"]
    assert names(page(client, venue_setting="outdoor", price_from="30")) == ["Techno"]
    assert names(page(client, **{"from": "2026-06-21"})) == []
    assert names(page(client, date_range="2026-06-20:2026-06-20")) == ["Jazz", "Techno"]
    text = page(client, q="jazz", genre="jazz").content.decode()
    own = f"/calendar/{acme.website.public_id}"
    assert f'<a href="{own}?genre=jazz" data-clear="q" data-value="jazz">' in text
    assert f'<a href="{own}?q=jazz" data-clear="genre" data-value="jazz">' in text


def test_the_form_shows_what_was_asked(client, acme):
    make_event(acme, genre="Jazz", arrondissement="11e")
    asked = {
        "q": "night",
        "from": "2026-06-01",
        "genre": "jazz",
        "arrondissement": "11",
        "oooc_pick": "yes",
        "age": "20",
    }
    text = page(client, **asked).content.decode()
    assert 'name="q" value="night"' in text
    assert 'name="from" value="2026-06-01"' in text
    assert '<option value="jazz" selected>Jazz</option>' in text
    assert '<option value="11" selected>11e</option>' in text
    assert 'value="yes" checked' in text


def test_what_matches_nothing_says_so_and_leads_back(client, acme):
    make_event(acme)
    text = page(client, q="opera").content.decode()
    assert "No event matches." in text
    assert "Show all events" in text


@pytest.mark.parametrize(
    "query",
    [
        "q=%00",
        "q=%ED%A0%80",
        "page=0",
        "page=-1",
        "page=999999999999999999999",
        "page=x",
        "page=%D9%A3",
        "from=x&to=%00",
        "price_to=1e999",
        "when=past&q=%25%00_%5C",
        "q=" + "x" * 5000,
        "genre=a&genre=b",
        "date_range=::::",
        "age=nan",
        "when=past&page=7",
    ],
)
def test_nothing_in_an_address_breaks_the_page(client, acme, query):
    make_event(acme, price="5", age="18")
    for path in ("/calendar", "/calendar.json", "/calendar.ics", "/calendar.rss"):
        assert client.get(f"{path}?{query}").status_code == 200


def test_a_long_list_has_pages_that_keep_the_question(client, acme):
    for number in range(35):
        make_event(acme, f"Night {number:02}", start_time=f"{number // 2:02}:00")
    first, second = page(client, q="night"), page(client, q="night", page=2)
    assert (len(names(first)), len(names(second))) == (30, 5)
    assert f'<a rel="next" href="/calendar/{acme.website.public_id}?q=night&amp;page=2">' in first.content.decode()
    assert f'<a rel="prev" href="/calendar/{acme.website.public_id}?q=night">' in second.content.decode()
    assert "35 upcoming events, page 2 of 2" in second.content.decode()


def test_past_events_stand_newest_first_and_can_be_searched(client, acme):
    make_event(acme, "Old", date=in_days(-20))
    make_event(acme, "Older", date=in_days(-30))
    make_event(acme, "Coming", date=in_days(2))
    catalog.cancel(make_event(acme, "Cancelled", date=in_days(-3)), now=NOW)
    assert names(page(client, when="past")) == ["Old", "Older"]
    assert names(page(client, when="past", q="OLDER")) == ["Older"]


def test_featured_events_stand_above_the_first_page_of_everything(client, acme):
    make_event(acme, "Plain")
    make_event(acme, "Picked", is_featured=True)
    assert '<h2 id="featured">' in page(client).content.decode()
    assert '<h2 id="featured">' not in page(client, q="picked").content.decode()
    assert names(page(client, oooc_pick="yes")) == ["Picked"]


def test_a_page_takes_as_many_queries_for_one_event_as_for_thirty(client, acme, django_assert_num_queries):
    make_event(acme)
    page(client)
    with django_assert_num_queries(2):
        page(client)
    for number in range(29):
        make_event(acme, f"Night {number}")
    page(client)
    with django_assert_num_queries(2):
        page(client)


# -- caching, headers -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/calendar", "/calendar.json", "/calendar.ics", "/calendar.rss"])
def test_who_has_it_is_not_sent_it_again_until_something_changes(client, acme, path):
    event = make_event(acme)
    first = client.get(path)
    known = {"if-none-match": first["ETag"]}
    assert client.get(path, headers=known).status_code == 304
    assert client.get(path, {"q": "x"}, headers=known).status_code == 200
    catalog.edit(event, name="Another", now=NOW)
    changed = client.get(path, headers=known)
    assert changed.status_code == 200
    assert b"Another" in changed.content


def test_a_closed_calendar_is_another_page(client, acme):
    first = client.get("/calendar")
    calendars.close_for_proposals(Calendar.objects.get(), by="root", now=NOW)
    assert client.get("/calendar", headers={"if-none-match": first["ETag"]}).status_code == 200


def test_the_next_day_it_is_another_page(client, acme, monkeypatch):
    first = client.get("/calendar")
    monkeypatch.setattr(timezone, "now", lambda: NOW + timedelta(days=1))
    assert client.get("/calendar", headers={"if-none-match": first["ETag"]}).status_code == 200


@pytest.mark.parametrize("suffix", ["", ".json", ".ics", ".rss"])
def test_no_answer_sets_or_varies_on_a_cookie(acme, suffix):
    make_event(acme)
    client = Client()
    client.cookies["session"] = "stale"
    answer = client.get(f"/calendar{suffix}")
    assert not answer.cookies
    assert "Cookie" not in answer.headers.get("Vary", "")
    assert answer["Cache-Control"] == "public, no-cache"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'self'" in answer["Content-Security-Policy"]


@pytest.mark.parametrize("suffix", ["", ".json", ".ics", ".rss"])
def test_nothing_but_reading_is_allowed(client, acme, suffix):
    # As from who has no form of ours to send a token from.
    assert Client(enforce_csrf_checks=True).post(f"/calendar{suffix}").status_code == 405
    assert client.head(f"/calendar{suffix}").status_code == 200


def test_search_engines_may_keep_the_page_but_no_list_of_answers(client, acme):
    assert "noindex" not in page(client).content.decode()
    assert '<meta name="robots" content="noindex, follow">' in page(client, q="jazz").content.decode()
    canonical = f'<link rel="canonical" href="http://testserver/calendar/{acme.website.public_id}">'
    assert canonical in page(client).content.decode()


def test_while_the_database_is_away_it_says_so(client, acme, caplog):
    def broken(execute, sql, *rest):
        raise OperationalError("gone")

    with caplog.at_level(logging.CRITICAL), connection.execute_wrapper(broken):
        for path in ("/calendar", "/calendar.json", "/calendar.ics", f"/calendar/{acme.website.public_id}/evt_1/x"):
            answer = client.get(path)
            assert (answer.status_code, answer["Retry-After"]) == (503, "5")


# -- an event's page --------------------------------------------------------------------------------------------------


def structured(answer):
    block = re.search(r'<script type="application/ld\+json">(.*?)</script>', answer.content.decode(), re.DOTALL)
    return json.loads(block[1])


def test_an_event_has_a_page(client, acme):
    event = make_event(
        acme,
        end_time="23:30",
        genre="Jazz",
        price="15€",
        age="18+",
        notes="One\n\nTwo",
        url="https://www.lesunset.example/x?a=1&b=2",
    )
    answer = page(client, address(event))
    text = answer.content.decode()
    assert "<title>Jazz Night · acme.example</title>" in text
    assert '<main id="main" class="event" data-event="' + event.key in text
    link = '<a class="first" href="https://www.lesunset.example/x?a=1&amp;b=2" rel="nofollow noopener" data-outbound>'
    assert link + "Visit lesunset.example</a>" in text
    assert "<p>One</p>" in text
    assert structured(answer) == {
        "@context": "https://schema.org",
        "@type": "Event",
        "name": "Jazz Night",
        "url": f"http://testserver{address(event)}",
        "startDate": "2026-06-20T20:00:00",
        "endDate": "2026-06-20T23:30:00",
        "eventStatus": "https://schema.org/EventScheduled",
        "eventAttendanceMode": "https://schema.org/OfflineEventAttendanceMode",
        "location": {"@type": "Place", "name": "Le Sunset, Paris", "address": "Le Sunset, Paris"},
        "description": "One\n\nTwo",
        "keywords": "Jazz",
        "typicalAgeRange": "18+",
        "sameAs": "https://www.lesunset.example/x?a=1&b=2",
    }


@pytest.mark.parametrize("change", ["slug", "no slug", "case"])
def test_another_spelling_of_the_address_leads_to_the_right_one(client, acme, change):
    event = make_event(acme)
    base = f"/calendar/{acme.website.public_id}"
    path = {
        "slug": f"{base}/{event.key}/old-name",
        "no slug": f"{base}/{event.key}",
        "case": f"{base}/{event.key.upper()}/{event.slug}",
    }
    answer = client.get(path[change])
    assert (answer.status_code, answer["Location"]) == (302, address(event))


def test_a_trailing_slash_is_no_other_address(client, acme):
    assert client.get(f"{address(make_event(acme))}/").status_code == 200


def test_an_edited_name_leads_from_the_old_address_to_the_new(client, acme):
    event = make_event(acme)
    edited = catalog.edit(event, name="Another Night", now=NOW)
    assert client.get(address(event))["Location"] == address(edited)


@pytest.mark.parametrize("key", ["evt_0000000000000000", "x", "%00", "%F0%9F%8E%B7", "a" * 500])
def test_an_unknown_event_is_not_found(client, acme, key):
    assert client.get(f"/calendar/{acme.website.public_id}/{key}/x").status_code == 404
    assert client.get(f"/calendar/{acme.website.public_id}/{key}/event.ics").status_code == 404


def test_an_event_is_found_in_its_own_calendar_only(client, acme):
    event = make_event(make_calendar("globex.example"))
    assert client.get(f"/calendar/{acme.website.public_id}/{event.key}/{event.slug}").status_code == 404


def test_a_cancelled_event_says_so_and_stays(client, acme):
    event = catalog.cancel(make_event(acme), now=NOW)
    answer = page(client, address(event))
    assert b"This event is cancelled." in answer.content
    assert b"Add to calendar" not in answer.content
    assert structured(answer)["eventStatus"] == "https://schema.org/EventCancelled"
    assert names(page(client)) == []


def test_a_past_event_says_so(client, acme):
    assert b"This event is over." in page(client, address(make_event(acme, date=in_days(-2)))).content


def test_an_event_of_no_known_day_shows_it_as_written(client, acme):
    event = make_event(acme, date="some day", start_time="late")
    answer = page(client, address(event))
    assert b"<bdi>some day</bdi>" in answer.content
    assert b"Add to calendar" not in answer.content
    assert "startDate" not in structured(answer)


def test_a_time_that_says_more_than_the_hour_is_shown_as_written(client, acme):
    event = make_event(acme, start_time="from 5 pm until late")
    assert b"(<bdi>from 5 pm until late</bdi>)" in page(client, address(event)).content


def test_hostile_texts_stay_texts(client, acme):
    texts = dict.fromkeys(("name", "location", "genre", "price", "age", "notes", "arrondissement", "setting"), HOSTILE)
    texts["arrondissement"], texts["age"], texts["price"] = HOSTILE[:32], HOSTILE[:80], HOSTILE[:80]
    event = make_event(acme, **texts)
    answer = page(client, address(event))
    assert structured(answer)["name"] == HOSTILE
    for text in (answer.content.decode(), page(client, q=HOSTILE).content.decode()):
        assert "<img" not in text
        assert "alert(1)</script>" not in text


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://www.example.com/", "example.com"),
        ("https://exämple.com/", "xn--exmple-cua.com"),
        ("https://аpple.com/", "xn--pple-43d.com"),
    ],
)
def test_a_link_shows_the_host_it_leads_to(client, acme, url, shown):
    event = make_event(acme, url=url)
    assert f"Visit {shown}</a>" in page(client, address(event)).content.decode()
