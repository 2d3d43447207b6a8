"""Who asks not to be tracked: Global Privacy Control and Do Not Track, as each website wants it (guarantee P09)."""

from typing import Any

import pytest
import redis
from django.conf import settings
from django.test import Client

from accounts.models import Website
from analytics.ingest.grants import grants
from analytics.models import Drop, Event, Order, Profile
from analytics.tests.builders import CHROME, a_body, collect, make_website
from analytics.tests.panel import Panel, post
from analytics.tests.tracking import discover, engage, make_event
from analytics.tests.widgets import BEST, ask, checkout, make_token
from submissions import calendars

pytestmark = pytest.mark.django_db(transaction=True)

DROP = Website.PrivacySignals.DROP
GPC, DNT = {"HTTP_SEC_GPC": "1"}, {"HTTP_DNT": "1"}
SIGNALS = {"sec-gpc": "1"}


@pytest.fixture
def acme() -> Website:
    """A website that drops who asks for it."""
    return make_website(privacy_signals=DROP)


def dropped() -> dict[tuple[str, str], int]:
    """What was not stored, by dialect and reason; asserts that nothing else was stored either."""
    assert not Event.objects.exists()
    assert not Profile.objects.exists()
    assert not Order.objects.exists()
    return {(dialect, reason): n for dialect, reason, n in Drop.objects.values_list("dialect", "reason", "count")}


def test_a_website_counts_everybody_unless_it_is_told_otherwise(client: Client) -> None:
    website = make_website()
    for signal in (GPC, DNT):
        assert collect(client, a_body(website), **signal).status_code == 202
    assert (Event.objects.count(), Drop.objects.count()) == (2, 0)


def test_a_website_that_drops_them_stores_nothing_and_answers_204(client: Client, acme: Website) -> None:
    for signal in (GPC, DNT, GPC | DNT):
        answer = collect(client, a_body(acme), HTTP_ORIGIN="https://acme.example", **signal)
        assert (answer.status_code, answer.content) == (204, b"")
        assert answer["Access-Control-Allow-Origin"] == "https://acme.example"
    assert dropped() == {("v1", "privacy_signal"): 3}
    assert Drop.objects.get().website_id == acme.id


def test_who_says_nothing_or_anything_else_is_counted_there_too(client: Client, acme: Website) -> None:
    values = ["0", "", "null", "true", "unspecified"]
    for value in values:
        assert collect(client, a_body(acme), HTTP_SEC_GPC=value, HTTP_DNT=value).status_code == 202
    assert collect(client, a_body(acme)).status_code == 202
    assert (Event.objects.count(), Drop.objects.count()) == (len(values) + 1, 0)


def test_a_malformed_call_is_refused_as_ever(client: Client, acme: Website) -> None:
    assert collect(client, a_body(acme, path=""), **GPC).status_code == 400
    assert dropped() == {("v1", "invalid_field"): 1}


def test_a_changed_policy_is_in_force_at_once(client: Client) -> None:
    acme = make_website()
    assert collect(client, a_body(acme), **GPC).status_code == 202
    Website.objects.update(privacy_signals=DROP)
    grants.forget()
    assert collect(client, a_body(acme), **GPC).status_code == 204


def test_on_the_calendar_they_get_the_one_answer_there_is(client: Client, acme: Website) -> None:
    event = make_event(calendars.of_website(acme))
    origin = {"HTTP_ORIGIN": "https://acme.example"}
    for answer in (engage(client, event, **GPC), discover(client, "search", searchQuery="jazz", **GPC, **origin)):
        assert (answer.status_code, answer.content) == (202, b'{"success":true}')
    assert dropped() == {("engagement", "privacy_signal"): 1, ("discovery", "privacy_signal"): 1}


def test_a_widget_shows_its_pixel_and_leads_to_the_shop(acme: Website) -> None:
    token = make_token(acme)
    assert ask(f"{BEST}/render.gif", token, headers=SIGNALS)["Content-Type"] == "image/gif"
    shop = ask(f"{BEST}/media/7/shop", token, headers=SIGNALS, redirect_url="https://acme.example/p")
    assert (shop.status_code, shop["Location"]) == (302, "https://acme.example/p")
    assert checkout(token, "T-1", "a:1.50", headers=SIGNALS).json()["metadata"]["code"] == 200
    assert dropped() == {("widgets", "privacy_signal"): 3}


CALLS: dict[str, dict[str, Any]] = {
    "track": {"name": "signup", "profileId": "joe", "properties": {"a": 1}},
    "identify": {"profileId": "joe", "email": "canary@example.test"},
    "increment": {"profileId": "joe", "property": "visits"},
    "assign_group": {"groupIds": ["g"]},
}


def test_a_product_is_told_200_so_that_its_client_does_not_try_again(acme: Website) -> None:
    panel = Panel(acme)
    for type_, payload in CALLS.items():
        answer = panel.send(type_, payload, panel.public | SIGNALS)
        assert (answer.status_code, answer.json()) == (200, {"deviceId": "", "sessionId": ""})
    assert dropped() == {("openpanel", "privacy_signal"): len(CALLS)}


def test_a_product_gets_no_ids_and_nothing_is_remembered_of_the_visit(client: Client, acme: Website) -> None:
    panel = Panel(acme)
    for _ in range(3):
        panel.track("signup", panel.public | SIGNALS)
    answer = client.get("/track/device-id", headers=panel.public | SIGNALS | {"user-agent": CHROME})
    assert answer.json() == {"deviceId": "", "sessionId": "", "message": "No session exists for this device id"}
    assert remembered() == []
    for _ in range(2):
        panel.track("signup", panel.public)
    assert len(remembered()) == 1


def remembered() -> list[bytes]:
    """The sessions that Redis knows of."""
    with redis.Redis.from_url(settings.REDIS_URL) as memory:
        return list(memory.scan_iter("*session*"))


def test_a_wrong_secret_is_refused_as_ever(acme: Website) -> None:
    wrong = Panel(acme).trusted | {"openpanel-client-secret": "x"} | SIGNALS
    assert post({"type": "track", "payload": {"name": "a"}}, wrong).status_code == 401
