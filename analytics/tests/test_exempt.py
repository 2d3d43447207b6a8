"""Exempt websites: no more is stored than audience measurement needs (guarantee P14)."""

import json
from typing import Any

import pytest
from django.forms import model_to_dict
from django.test import Client

from accounts.models import Website
from analytics.ingest.grants import grants
from analytics.models import DimensionDay, Drop, Event, Group, Order, Profile, Visit, WidgetReach
from analytics.models.rollups import Dimension
from analytics.rollups.build import fresh
from analytics.tests.builders import (
    a_body,
    collect,
    make_website,
    noon,
)
from analytics.tests.panel import Panel
from analytics.tests.places import write_places
from analytics.tests.tracking import discover, engage, make_event, today
from analytics.tests.widgets import BEST, ask, checkout, make_token
from analytics.vocabulary import NO_CHANNEL
from submissions import calendars

pytestmark = pytest.mark.django_db(transaction=True)

CAMPAIGN = {
    "url": "https://acme.example/?utm_source=news&utm_medium=email&utm_campaign=spring",
    "referrer": "https://www.google.com/search?q=canary",
    "properties": {"plan": "canary"},
}
COLUMNS = ("channel", "utm_source", "utm_medium", "utm_campaign", "properties", "client_session", "profile")


@pytest.fixture
def acme() -> Website:
    return make_website(mode=Website.Mode.EXEMPT)


def stored(*columns: str) -> list[dict[str, Any]]:
    return [model_to_dict(event, fields=columns) for event in Event.objects.order_by("id")]


# -- what is stored ---------------------------------------------------------------------------------------------------


def test_an_event_is_stored_without_campaign_channel_and_properties(client: Client, acme: Website) -> None:
    assert collect(client, a_body(acme, **CAMPAIGN)).status_code == 202
    assert collect(client, a_body(acme, event_type="custom", properties={"event_name": "signup"})).status_code == 202
    nothing = dict.fromkeys(COLUMNS) | {"channel": NO_CHANNEL}
    assert stored(*COLUMNS) == [nothing, nothing]
    assert [event.name for event in Event.objects.order_by("id")] == [None, "signup"]
    assert {event.referrer for event in Event.objects.all()} == {"google.com", None}
    assert not Drop.objects.exists()


def test_another_website_keeps_all_of_it(client: Client) -> None:
    collect(client, a_body(make_website(), **CAMPAIGN))
    (event,) = stored(*COLUMNS)
    assert (event["utm_source"], event["properties"], event["channel"]) == ("news", {"plan": "canary"}, 5)


def test_of_a_place_only_the_country_is_kept(client: Client, acme: Website, tmp_path: Any, settings: Any) -> None:
    settings.GEOIP = write_places(tmp_path / "places.mmdb")
    collect(client, a_body(acme), REMOTE_ADDR="203.0.113.9")
    collect(client, a_body(make_website(domain="other.example")), REMOTE_ADDR="203.0.113.9")
    exempt, standard = stored("country", "region", "city")
    assert standard["country"]
    assert standard["city"]
    assert exempt == {"country": standard["country"], "region": None, "city": None}


def test_a_visit_of_it_has_no_channel_in_any_roll_up(client: Client, acme: Website) -> None:
    collect(client, a_body(acme, **CAMPAIGN))
    fresh(acme.id, today(), today(), now=noon(-1))
    found = set(DimensionDay.objects.values_list("dimension", flat=True))
    assert Dimension.REFERRER in found
    assert not found & {Dimension.CHANNEL, Dimension.UTM}
    visit = Visit.objects.get()
    assert (visit.channel, visit.utm_source) == (NO_CHANNEL, None)


def test_the_calendars_calls_keep_what_they_are_about_and_no_session(client: Client, acme: Website) -> None:
    event = make_event(calendars.of_website(acme))
    engage(client, event, sessionId="canary", source="list")
    discover(client, "search", searchQuery="jazz", sessionId="canary", HTTP_ORIGIN="https://acme.example")
    assert [row["properties"] for row in stored("properties")] == [
        {"eventKey": event.key, "source": "list"},
        {"searchQuery": "jazz", "matches": 1},
    ]
    assert {row["client_session"] for row in stored("client_session")} == {None}
    fresh(acme.id, today(), today(), now=noon(-1))


def test_a_widget_counts_without_knowing_its_visitor(acme: Website) -> None:
    token = make_token(acme)
    for who in ("canary", "canary", "other"):
        ask(f"{BEST}/render", token, ("segments[]", "tier:canary"), analytics_id=who, ab_testing="1")
    for who in ("canary", "other"):
        bought = checkout(token, "T-1", "a:1.50", analytics_id=who, referrer="https://acme.example/thanks")
        assert bought.status_code == 200
    assert "canary" not in json.dumps(stored("properties", "client_session", "path"))
    order = Order.objects.get()
    assert (str(order.total), order.analytics_id, order.referrer, order.segments) == ("1.5000", "", "", {})
    fresh(acme.id, today(), today(), now=noon(-1))
    # All three came from one address and browser.
    assert {reach.person for reach in WidgetReach.objects.all()} == {Event.objects.first().visitor}


PEOPLE: dict[str, dict[str, Any]] = {
    "identify": {"profileId": "joe", "email": "canary@example.test"},
    "increment": {"profileId": "joe", "property": "visits"},
    "decrement": {"profileId": "joe", "property": "visits"},
    "group": {"id": "g", "type": "company", "name": "Canary"},
    "assign_group": {"profileId": "joe", "groupIds": ["g"]},
}


def test_no_person_and_no_group_is_known_and_the_calls_are_answered_and_counted(acme: Website) -> None:
    panel = Panel(acme)
    for type_, payload in PEOPLE.items():
        answer = panel.send(type_, payload)
        assert (answer.status_code, set(answer.json())) == (200, {"deviceId", "sessionId"})
    assert (Profile.objects.count(), Group.objects.count(), Event.objects.count()) == (0, 0, 0)
    counted = Drop.objects.values_list("dialect", "reason", "website_id", "count")
    assert list(counted) == [("openpanel", "exempt_website", acme.id, len(PEOPLE))]


def test_an_event_of_a_product_names_nobody(acme: Website) -> None:
    rider = {"profileId": "joe", "email": "canary@example.test"}
    answer = Panel(acme).track("signup", profileId="joe", properties={"plan": "pro", "__identify": rider})
    assert answer.status_code == 200
    assert stored("name", "profile", "properties") == [{"name": "signup", "profile": None, "properties": None}]
    assert (Profile.objects.count(), Drop.objects.count()) == (0, 0)


def test_what_was_stored_before_stays_and_what_comes_from_then_on_is_exempt(client: Client) -> None:
    acme = make_website()
    collect(client, a_body(acme, **CAMPAIGN))
    Website.objects.update(mode=Website.Mode.EXEMPT)
    grants.forget()
    collect(client, a_body(acme, **CAMPAIGN))
    assert [row["utm_source"] for row in stored("utm_source")] == ["news", None]
