"""POST /api/track/discovery: searches and filters, with what they matched when they came (contract 3.3)."""

import pytest

from analytics.models import Drop, Event
from analytics.tests.test_engagement import accepted, dropped, spend
from analytics.tests.tracking import discover, in_days, make_calendar, make_event, track, travelled
from analytics.vocabulary import Dialect, Type
from submissions import catalog

pytestmark = pytest.mark.django_db(transaction=True)

GROUPS = {
    "date_range": "any:any",
    "day_night": "night",
    "arrondissement": "11",
    "genre": "jazz",
    "nationality": "french",
    "venue_type": "bar",
    "venue_setting": "all",
    "oooc_pick": "no",
    "price_range": "0:20",
    "age_range": "18:any",
}


@pytest.fixture
def acme():
    return make_calendar()


@pytest.fixture
def globex(acme):
    return make_calendar("globex.example")


def stored():
    return Event.objects.get().properties


def test_a_search_is_stored_with_everything_it_says_and_what_it_matched(client, acme):
    make_event(acme)
    accepted(discover(client, "search", searchQuery="  Jazz NIGHT ", sessionId="s1", path="/events"))
    event = Event.objects.get()
    assert (event.website_id, event.type, event.name) == (acme.website_id, Type.OTHER, "search")
    assert event.dialect == Dialect.DISCOVERY
    assert event.properties == {"searchQuery": "jazz night", "matches": 1}
    assert (event.path, event.client_session, event.is_authenticated) == ("/events", "s1", False)


@pytest.mark.parametrize(("group", "value"), GROUPS.items())
def test_the_ten_filters_are_stored_with_what_they_matched(client, acme, group, value):
    accepted(discover(client, "filter_apply", filterGroup=group.upper(), filterValue=value.upper()))
    assert stored() == {"filterGroup": group, "filterValue": value, "matches": 0}


def test_filters_are_matched_against_what_is_live_and_not_over(client, acme):
    make_event(acme, genre="Jazz")
    make_event(acme, "Late jazz", genre="Jazz")
    make_event(acme, "Past jazz", genre="Jazz", date=in_days(-7))
    catalog.cancel(make_event(acme, "No jazz", genre="Jazz"), now=travelled(0))
    accepted(discover(client, "filter_apply", filterGroup="genre", filterValue="Jazz"))
    assert stored()["matches"] == 2


def test_matches_follow_the_catalogue_at_once(client, acme):
    discover(client, "search", searchQuery="jazz")
    event = make_event(acme)
    discover(client, "search", searchQuery="jazz")
    catalog.edit(event, name="Techno", now=travelled(0))
    discover(client, "search", searchQuery="jazz")
    assert [event.properties["matches"] for event in Event.objects.order_by("id")] == [0, 1, 0]


def test_a_cleared_filter_may_have_any_group_and_matches_nothing(client, acme):
    accepted(discover(client, "filter_clear", filterGroup="all", filterValue="reset"))
    assert stored() == {"filterGroup": "all", "filterValue": "reset"}


def test_a_cleared_filter_may_say_nothing_at_all(client, acme):
    accepted(discover(client, "filter_clear"))
    assert Event.objects.get().properties is None


@pytest.mark.parametrize("query", ["a", " a ", "", "  ", "\u200e\u200e", None])
def test_a_search_of_less_than_two_characters_is_dropped(client, acme, query):
    dropped(discover(client, "search", searchQuery=query), "short_search", "discovery")


def test_two_characters_are_enough_in_any_script(client, acme):
    accepted(discover(client, "search", searchQuery="جاز"))
    accepted(discover(client, "search", searchQuery="🎷🎶"))
    assert Event.objects.count() == 2


def test_only_a_search_has_a_shortest_query(client, acme):
    accepted(discover(client, "filter_apply", filterGroup="genre", filterValue="jazz", searchQuery="a"))
    assert stored()["searchQuery"] == "a"


BAD = {
    "an unknown group": ({"filterGroup": "mood", "filterValue": "x"}, "unknown_filter"),
    "a group of a later version": ({"filterGroup": "genre_include", "filterValue": "x"}, "unknown_filter"),
    "no group": ({"filterValue": "jazz"}, "unknown_filter"),
    "no value": ({"filterGroup": "genre"}, "missing_filter_value"),
    "an empty value": ({"filterGroup": "genre", "filterValue": "  "}, "missing_filter_value"),
    "a long group": ({"filterGroup": "g" * 81, "filterValue": "x"}, "invalid_field"),
    "a long value": ({"filterGroup": "genre", "filterValue": "x" * 121}, "invalid_field"),
    "a long query": ({"filterGroup": "genre", "filterValue": "x", "searchQuery": "q" * 281}, "invalid_field"),
    "a number for a value": ({"filterGroup": "genre", "filterValue": 7}, "invalid_field"),
    "an unknown action": ({"actionType": "sort"}, "invalid_field"),
    "an action of engagement": ({"actionType": "click"}, "invalid_field"),
}


@pytest.mark.parametrize(("fields", "reason"), BAD.values(), ids=BAD)
def test_bad_input_has_the_same_answer_and_is_not_stored(client, acme, fields, reason):
    body = {"actionType": "filter_apply"} | fields
    dropped(track(client, body, path="/api/track/discovery"), reason, "discovery")


def test_a_call_belongs_to_the_calendar_whose_website_its_origin_names(client, acme, globex):
    make_event(globex, "Globex jazz")
    for origin in ("https://globex.example", "https://www.globex.example:8443", "https://elsewhere.example", "null"):
        accepted(discover(client, "search", searchQuery="jazz", HTTP_ORIGIN=origin))
    found = Event.objects.order_by("id").values_list("website_id", "properties__matches")
    assert list(found) == [(globex.website_id, 1)] * 2 + [(acme.website_id, 0)] * 2


def test_without_an_origin_it_belongs_to_the_default_calendar(client, acme, globex):
    accepted(discover(client, "search", searchQuery="jazz"))
    assert Event.objects.get().website_id == acme.website_id


def test_on_a_page_of_this_server_it_belongs_to_the_calendar_that_the_page_shows(client, acme, globex):
    own = {"HTTP_ORIGIN": "http://testserver", "HTTP_HOST": "testserver"}
    page = f"/calendar/{globex.website.public_id}"
    for path in (page, f"{page}/evt_1/jazz", "/calendar", f"/other{page}", f"{page}0"):
        accepted(discover(client, "search", searchQuery="jazz", path=path, **own))
    # Elsewhere a path says nothing.
    accepted(discover(client, "search", searchQuery="jazz", path=page, HTTP_ORIGIN="https://elsewhere.example"))
    found = Event.objects.order_by("id").values_list("website_id", flat=True)
    assert list(found) == [globex.website_id] * 2 + [acme.website_id] * 4


def test_on_the_page_of_a_calendar_that_is_gone_it_is_dropped(client, acme):
    page = "/calendar/550e8400-e29b-41d4-a716-446655440000"
    own = {"HTTP_ORIGIN": "http://testserver", "HTTP_HOST": "testserver"}
    dropped(discover(client, "search", searchQuery="jazz", path=page, **own), "no_calendar", "discovery")


def test_without_any_calendar_it_is_dropped(client):
    dropped(discover(client, "search", searchQuery="jazz"), "no_calendar", "discovery")


@pytest.mark.parametrize("origin", ["a." * 4_000 + "example", "https://[", "https://\ud800", "🎷" * 300])
def test_an_origin_of_any_kind_is_survived(client, acme, origin):
    accepted(
        discover(client, "search", searchQuery="jazz", HTTP_ORIGIN=origin.encode("utf-8", "replace").decode("latin-1"))
    )
    assert Event.objects.get().website_id == acme.website_id


def test_what_could_name_a_person_is_not_stored(client, acme):
    token = "a1" * 20
    accepted(discover(client, "search", searchQuery=f"canary@example.test {token}"))
    assert stored()["searchQuery"] == "*@* *"


def test_the_181st_call_of_a_minute_from_an_address_is_not_stored(client, acme):
    for _ in range(181):
        accepted(discover(client, "search", searchQuery="jazz"))
    assert Event.objects.count() == 180
    assert list(Drop.objects.values_list("dialect", "reason", "count")) == [("discovery", "rate_limited", 1)]


def test_what_is_not_recorded_for_its_meaning_spends_the_limit_of_the_address_but_not_of_the_session(
    client, acme, settings
):
    spend(settings, DISCOVERY_IP=3, DISCOVERY_SESSION=1)
    discover(client, "search", searchQuery="a", sessionId="s")
    discover(client, "search", searchQuery="jazz", sessionId="s")
    discover(client, "search", searchQuery="jazz", sessionId="s")
    discover(client, "search", searchQuery="jazz", sessionId="t")
    assert Event.objects.count() == 1


def test_a_copy_holds_at_most_so_many_events(client, acme, monkeypatch):
    monkeypatch.setattr("analytics.ingest.calendar.MOST_EVENTS", 2)
    for name in ("Jazz one", "Jazz two", "Jazz three"):
        make_event(acme, name)
    accepted(discover(client, "search", searchQuery="jazz"))
    assert stored()["matches"] == 2
