"""What calls change about people and groups (contract 6.5; D-13, D-14, D-32; guarantees A48, A49, F14)."""

import asyncio
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from django.db import connection, connections
from django.utils import timezone

from analytics.api.openpanel.endpoints import track
from analytics.ingest import outage
from analytics.ingest.batches import Batches
from analytics.ingest.grants import grants
from analytics.ingest.hit import Change
from analytics.ingest.reading import Outcome
from analytics.ingest.row import Row
from analytics.ingest.writer import store_once
from analytics.models import Drop, Event, Group, Profile, Quarantine
from analytics.tests.builders import GOOGLEBOT, make_account, make_website
from analytics.tests.panel import Panel
from tinytrail.web.call import Call

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _nothing_remembered():
    grants.forget()


@pytest.fixture
def panel():
    return Panel(make_website())


def properties(profile_id="1"):
    return Profile.objects.get(profile_id=profile_id).properties


def identify(panel, headers=None, **payload):
    return panel.send("identify", {"profileId": "1"} | payload, headers)


def increment(panel, property="visits", value=1, type_="increment", profile="1"):
    return panel.send(type_, {"profileId": profile, "property": property, "value": value})


def test_a_person_is_made_of_what_is_told(panel):
    answer = identify(
        panel,
        firstName="Joe",
        lastName="Doe",
        email="joe@doe.com",
        avatar="https://doe.com/joe.png",
        properties={"tier": "premium"},
    )
    assert (answer.status_code, set(answer.json())) == (200, {"deviceId", "sessionId"})
    joe = Profile.objects.get()
    assert (joe.website_id, joe.profile_id, joe.first_name, joe.last_name) == (panel.website.id, "1", "Joe", "Doe")
    assert (joe.email, joe.avatar) == ("joe@doe.com", "https://doe.com/joe.png")
    assert joe.properties == {"tier": "premium"}
    assert joe.created_at == joe.first_seen_at or joe.first_seen_at < joe.created_at
    assert not Event.objects.exists()


def test_what_is_absent_or_empty_leaves_what_is_known(panel):
    identify(panel, firstName="Joe", lastName="Doe", email="joe@doe.com", properties={"a": 1, "b": "x"})
    identify(panel, firstName="", lastName=None, email="", properties={"a": None, "b": "", "c": 0, "d": False})
    joe = Profile.objects.get()
    assert (joe.first_name, joe.last_name, joe.email) == ("Joe", "Doe", "joe@doe.com")
    assert joe.properties == {"a": 1, "b": "x", "c": 0, "d": False}


def test_nested_properties_are_merged_and_others_replaced(panel):
    identify(panel, properties={"address": {"city": "Paris", "geo": {"lat": 1}}, "tags": [1, 2], "x": {"y": 1}})
    identify(panel, properties={"address": {"zip": "75001", "geo": {"lon": 2}}, "tags": [3], "x": 5})
    assert properties() == {
        "address": {"city": "Paris", "zip": "75001", "geo": {"lat": 1, "lon": 2}},
        "tags": [3],
        "x": 5,
    }


def test_unknown_keys_are_properties_and_nothing_reserved_is(panel):
    identify(panel, tier="premium", company={"name": "Doe"}, properties={"__referrer": "https://t.co", "__path": "/"})
    assert properties() == {"tier": "premium", "company": {"name": "Doe"}}


def test_groups_are_united(panel):
    identify(panel, groups=["b", "a"])
    identify(panel, groups=["c", "a"])
    assert Profile.objects.get().groups == ["a", "b", "c"]


def test_the_device_of_a_person_is_told_by_a_browser_and_not_by_a_server(panel):
    identify(panel, panel.public, properties={"device": "fridge"})
    assert properties() == {"browser": "Chrome", "os": "Windows", "device": "fridge"}
    identify(panel, panel.trusted, properties={"tier": "premium"})
    assert properties() == {"browser": "Chrome", "os": "Windows", "device": "fridge", "tier": "premium"}


@pytest.mark.parametrize(
    "payload",
    [
        {"profileId": None},
        {"profileId": ""},
        {"firstName": 7},
        {"firstName": "x" * 256},
        {"email": "no address"},
        {"email": f"{'x' * 250}@doe.com"},
        {"avatar": "javascript:alert(1)"},
        {"avatar": f"https://doe.com/{'x' * 2048}"},
        {"properties": []},
        {"properties": {"n": 2**60}},
        {"surplus": {"n": 2**60}},
        {"groups": [""]},
    ],
)
def test_what_is_wrong_about_a_person_is_refused(panel, payload):
    assert identify(panel, **payload).status_code == 400
    assert (Profile.objects.count(), sum(Drop.objects.values_list("count", flat=True))) == (0, 1)


def test_an_identify_may_ride_on_an_event(panel):
    panel.track(properties={"__identify": {"profileId": "7", "firstName": "Ann"}, "a": 1})
    assert (Profile.objects.get().profile_id, Profile.objects.get().first_name) == ("7", "Ann")
    assert (Event.objects.get().profile, Event.objects.get().properties) == ("7", {"a": 1})
    assert panel.track(properties={"__identify": {"firstName": "Ann"}}).status_code == 400


def test_whoever_does_something_is_known_with_first_and_last_time(panel):
    past = timezone.now() - timedelta(days=3)
    panel.track(profileId="1")
    panel.track(profileId="1", properties={"__timestamp": past.isoformat()})
    known = Profile.objects.get()
    assert (known.first_seen_at, known.properties) == (past, {})
    assert timezone.now() - known.last_seen_at < timedelta(minutes=1)


def test_the_time_of_the_last_event_is_kept_to_the_minute(panel):
    panel.track(profileId="1")
    then = timezone.now() - timedelta(hours=2)
    Profile.objects.update(last_seen_at=then, first_seen_at=then)
    panel.track(profileId="1")
    assert timezone.now() - Profile.objects.get().last_seen_at < timedelta(minutes=1)


def test_a_person_is_only_ever_of_the_callers_own_website(panel):
    globex = Panel(make_website(make_account("Globex"), "globex.example"))
    increment(panel, value=5)
    increment(globex, value=7)
    assert dict(Profile.objects.values_list("website_id", "properties__visits")) == {
        panel.website.id: 5,
        globex.website.id: 7,
    }


# -- counting ---------------------------------------------------------------------------------------------------------


def test_a_number_grows_and_shrinks_from_zero(panel):
    assert increment(panel).status_code == 200
    increment(panel, value=None)
    increment(panel, value=5)
    increment(panel, value=3, type_="decrement")
    assert properties() == {"visits": 4}
    increment(panel, profile="new", type_="decrement")
    assert properties("new") == {"visits": -1}


def test_decimals_add_up_exactly(panel):
    for _ in range(10):
        increment(panel, "balance", 0.1)
    increment(panel, "balance", 0.7, "decrement")
    with connection.cursor() as cursor:
        cursor.execute("SELECT properties ->> 'balance' FROM analytics_profile")
        assert cursor.fetchone() == ("0.3",)


@pytest.mark.parametrize(("held", "total"), [("5", 6), ("1.5", 2.5), (" -2 ", -1), ("1e2", 101), (2.5, 3.5), (None, 1)])
def test_a_number_in_a_text_is_counted_on_from(panel, held, total):
    identify(panel, properties={"visits": held})
    increment(panel)
    assert properties() == {"visits": total}


@pytest.mark.parametrize("held", ["abc", "", "0x10", "1 2", True, [1], {"a": 1}, "9" * 50, 1e16, 2**53])
def test_what_is_no_number_or_grows_too_large_is_left_alone(panel, held):
    identify(panel, properties={"visits": held, "a": 1})
    answer = increment(panel)
    if held == "":
        # Empty says nothing, so there was none.
        assert properties() == {"a": 1, "visits": 1}
        return
    assert answer.json() == {"status": 400, "error": "Bad Request", "message": "Property value is not a number"}
    assert properties() == {"a": 1, "visits": held}
    assert list(Drop.objects.values_list("reason", "count")) == [("impossible_change", 1)]


def test_dots_lead_into_nested_properties(panel):
    increment(panel, "stats.visits", 2)
    increment(panel, "stats.visits", 3)
    increment(panel, "stats.a.b.c", 1)
    assert properties() == {"stats": {"visits": 5, "a": {"b": {"c": 1}}}}
    assert increment(panel, "stats.visits.deeper").status_code == 400
    assert properties() == {"stats": {"visits": 5, "a": {"b": {"c": 1}}}}


def test_a_property_may_have_dots_in_its_own_name(panel):
    identify(panel, properties={"stats.visits": 5})
    increment(panel, "stats.visits")
    assert properties() == {"stats.visits": 6}


@pytest.mark.parametrize("name", ["__proto__", "constructor", "a'; DROP TABLE x; --", "{a,b}", "0", "ключ"])
def test_a_property_may_be_called_anything(panel, name):
    increment(panel, name)
    assert properties() == {name: 1}


@pytest.mark.parametrize("value", [0, -1, "1", True, [1], 1e308, 2**53 + 2, 1e-300])
def test_what_is_added_is_a_positive_number(panel, value):
    assert increment(panel, value=value).status_code == 400
    assert not Profile.objects.exists()


@pytest.mark.parametrize("name", ["", ".", "a.", ".a", "a..b", ".".join("a" * 32), "x" * 1025, None, 7])
def test_a_property_has_a_name(panel, name):
    assert increment(panel, name).status_code == 400


@pytest.mark.parametrize("profile", [None, "", True])
def test_a_number_is_somebodys(panel, profile):
    assert increment(panel, profile=profile).status_code == 400


def test_a_repeated_call_with_a_name_of_its_own_counts_once(panel):
    named = panel.trusted | {"idempotency-key": "k"}
    payload = {"profileId": "1", "property": "visits"}
    first = panel.send("increment", payload, named)
    assert (first.status_code, panel.send("increment", payload, named).json()) == (200, first.json())
    assert properties() == {"visits": 1}


def test_a_named_call_that_could_not_be_made_is_refused_again(panel):
    identify(panel, properties={"visits": "abc"})
    named = panel.trusted | {"idempotency-key": "k"}
    payload = {"profileId": "1", "property": "visits"}
    answers = [panel.send("increment", payload, named) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [400, 400]


def test_a_profile_does_not_grow_without_end(panel):
    text = "x" * 100_000
    assert [identify(panel, properties={name: text}).status_code for name in "abc"] == [200, 200, 400]
    assert set(properties()) == {"a", "b"}


def test_bots_change_nobody(panel):
    crawler = panel.public | {"user-agent": GOOGLEBOT}
    assert identify(panel, crawler, firstName="Bot").status_code == 202
    assert panel.track(headers=crawler, profileId="1").status_code == 202
    assert not Profile.objects.exists()
    assert list(Drop.objects.values_list("reason", "count")) == [("bot", 1)]


# -- groups -----------------------------------------------------------------------------------------------------------


def test_a_group_is_made_and_changed(panel):
    assert panel.send("group", {"id": "org1", "type": "company", "name": "Acme", "properties": {"a": {"b": 1}}})
    panel.send("group", {"id": "org1", "type": "team", "name": "Acme Inc", "properties": {"a": {"c": 2}}})
    group = Group.objects.get()
    assert (group.website_id, group.group_id, group.type, group.name) == (
        panel.website.id,
        "org1",
        "team",
        "Acme Inc",
    )
    assert group.properties == {"a": {"b": 1, "c": 2}}


@pytest.mark.parametrize("field", ["id", "type", "name"])
@pytest.mark.parametrize("value", ["", None, 7, "x" * 256])
def test_a_group_has_an_id_a_type_and_a_name(panel, field, value):
    payload = {"id": "org1", "type": "company", "name": "Acme"} | {field: value}
    assert panel.send("group", payload).status_code == 400


def test_a_person_is_put_into_groups_that_need_not_exist(panel):
    panel.send("assign_group", {"groupIds": ["org1"], "profileId": "1"})
    panel.send("assign_group", {"groupIds": ["org2", "org1"], "profileId": "1"})
    assert Profile.objects.get().groups == ["org1", "org2"]


def test_without_a_profile_the_device_is_put_into_groups(panel):
    answer = panel.send("assign_group", {"groupIds": ["org1"], "profileId": None}, panel.public)
    assert (Profile.objects.get().profile_id, Profile.objects.get().groups) == (answer.json()["deviceId"], ["org1"])


@pytest.mark.parametrize("ids", [[], None, "org1", [""], [7], ["x"] * 101])
def test_groups_are_named(panel, ids):
    assert panel.send("assign_group", {"groupIds": ids, "profileId": "1"}).status_code == 400


# -- together ---------------------------------------------------------------------------------------------------------


def changes(calls):
    """What the database's function says to these changes."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT analytics_change_profiles(%s::jsonb)", [json.dumps(calls)])
        return cursor.fetchone()[0]


def add(profile, property="n", value=1):
    at = datetime.now(UTC).isoformat()
    return {"does": "add", "website": 1, "id": profile, "at": at, "property": property, "value": value}


def test_of_a_batch_each_change_is_made_in_its_order_or_says_why_not():
    at = datetime.now(UTC).isoformat()
    text = {"does": "identify", "website": 1, "id": "b", "at": at, "properties": {"n": "abc"}, "groups": []}
    assert changes([add("b"), add("a"), text, add("b"), add("b", "m"), add("a")]) == [0, 0, 0, 3, 0, 0]
    assert dict(Profile.objects.values_list("profile_id", "properties")) == {"a": {"n": 2}, "b": {"n": "abc", "m": 1}}


def test_a_profile_that_only_impossible_changes_would_make_is_not_made():
    assert changes([add("a", value=2**60)]) == [3]
    assert not Profile.objects.exists()


def test_a_thousand_at_once_are_a_thousand(panel):
    """Through two writers with a connection each, as two web processes have them."""
    body = {"type": "increment", "payload": {"profileId": "1", "property": "visits"}}
    headers = panel.trusted | {"content-type": "application/json"}
    call = Call("POST", "/track", "", headers, json.dumps(body).encode(), "203.0.113.9")

    async def tell():
        writers = [Batches(settings.REDIS_URL), Batches(settings.REDIS_URL)]
        for writer in writers:
            await writer.start()
        try:
            readings = [track.take(call, now=timezone.now()) for _ in range(1_000)]
            return await asyncio.gather(*(writers[n % 2].submit(reading) for n, reading in enumerate(readings)))
        finally:
            for writer in writers:
                await writer.stop()

    assert {verdict.outcome for verdict in asyncio.run(tell())} == {Outcome.STORED}
    assert properties() == {"visits": 1_000}


def test_batches_that_cross_never_wait_for_each_other():
    """Eight connections, each changing the same twenty people in an order of its own."""
    start = threading.Barrier(8)
    people = [str(number) for number in range(20)]

    def work(number):
        try:
            mixed = people[number:] + people[:number]
            start.wait()
            for _ in range(25):
                changes([add(profile) for profile in (mixed if number % 2 else mixed[::-1])])
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, range(8)))
    assert set(Profile.objects.values_list("properties__n", flat=True)) == {200}
    assert Profile.objects.count() == 20


def test_what_waited_in_the_outage_stream_is_changed_once(panel):
    row = Row(
        panel.website.id,
        timezone.now(),
        b"",
        key=b"12345678",
        change=Change("profile", json.dumps(add("1") | {"website": panel.website.id}).encode()),
    )
    waiting = outage.Waiting.of(row).row()
    assert waiting == row
    assert (store_once([waiting]), store_once([waiting])) == (0, 0)
    assert properties() == {"n": 1}


def test_what_cannot_be_changed_after_an_outage_is_kept_apart(panel):
    identify(panel, properties={"n": "abc"})
    change = Change("profile", json.dumps(add("1") | {"website": panel.website.id}).encode())
    assert store_once([Row(panel.website.id, timezone.now(), b"", key=b"12345678", change=change)]) == 1
    assert Quarantine.objects.get().reason == "change refused: impossible_change"
