"""POST /track: credentials, envelope, events, limits (contract 6.1 to 6.7)."""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
import redis
from django.conf import settings
from django.test import Client as HttpClient
from django.utils import timezone

from accounts.clients import change_openpanel_client, renew_secret, revoke
from accounts.removal import remove_website
from analytics.ingest import visitor
from analytics.ingest.grants import grants
from analytics.models import Drop, Event, Salt
from analytics.showing import kind
from analytics.tests.builders import CHROME, GOOGLEBOT, IPHONE, make_account, make_website
from analytics.tests.panel import ORIGIN, SERVER, Panel, post
from analytics.vocabulary import BROWSERS, SYSTEMS, Channel, Device, Dialect, Type

pytestmark = pytest.mark.django_db(transaction=True)

WRONG = {"error": "Invalid client credentials", "status": 401}
NOBODY = "550e8400-e29b-41d4-a716-446655440000"
HEX = re.compile("[0-9a-f]{32}")


@pytest.fixture(autouse=True)
def _nothing_remembered():
    grants.forget()


@pytest.fixture
def acme():
    return make_website()


@pytest.fixture
def panel(acme):
    return Panel(acme)


def drops() -> dict[str, int]:
    assert set(Drop.objects.values_list("dialect", flat=True)) <= {"openpanel"}
    return dict(Drop.objects.values_list("reason", "count"))


def refused(answer, status=400):
    """The shape of every refusal but that of credentials; nothing is stored, and it is counted."""
    found = answer.json()
    assert (answer.status_code, found["status"]) == (status, status)
    assert set(found) == {"error", "status", "message"}
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert (Event.objects.count(), sum(drops().values())) == (0, 1)
    return found["message"]


def test_an_event_is_stored_and_answered_with_device_and_session(panel):
    answer = panel.track("my_event", properties={"foo": "bar", "n": [1, None]}, profileId="123")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json"
    ids = answer.json()
    assert set(ids) == {"deviceId", "sessionId"}
    assert all(HEX.fullmatch(id_) for id_ in ids.values())
    event = Event.objects.get()
    assert (event.website_id, event.dialect, event.type) == (panel.website.id, Dialect.OPENPANEL, Type.OTHER)
    assert (event.name, event.properties, event.profile) == ("my_event", {"foo": "bar", "n": [1, None]}, "123")
    assert (event.is_server, event.is_bot, event.is_excluded) == (True, False, False)
    assert drops() == {}


# -- who may send -----------------------------------------------------------------------------------------------------


def test_an_allowed_origin_needs_no_secret(panel):
    assert panel.track(headers=panel.public).status_code == 200
    assert Event.objects.get().is_server is False


@pytest.mark.parametrize(
    "change",
    [
        {"openpanel-client-id": ""},
        {"openpanel-client-id": "x"},
        {"openpanel-client-id": NOBODY},
        {"openpanel-client-secret": "sec_wrong"},
        {"openpanel-client-secret": ""},
        {"openpanel-client-secret": "x" * 10_000},
    ],
)
def test_wrong_credentials_are_all_answered_alike(panel, change):
    answer = panel.track(headers=panel.trusted | change)
    assert (answer.status_code, answer.json()) == (401, WRONG)
    assert (Event.objects.count(), drops()) == (0, {"unauthorized": 1})


def test_the_id_must_be_in_lower_case(panel):
    headers = panel.trusted | {"openpanel-client-id": str(panel.client.id).upper().replace("0", "A")}
    assert panel.track(headers=headers).status_code == 401


@pytest.mark.parametrize("origin", ["https://app.acme.example.evil.net", "https://evil.example", "null", ""])
def test_another_origin_without_a_secret_is_refused(panel, origin):
    assert panel.track(headers=panel.public | {"origin": origin}).json() == WRONG


def test_a_wrong_secret_is_refused_although_the_origin_is_allowed(panel):
    answer = panel.track(headers=panel.public | {"openpanel-client-secret": "sec_wrong"})
    assert (answer.status_code, answer.json()) == (401, WRONG)


def test_a_secret_of_another_client_is_refused(acme, panel):
    headers = panel.trusted | {"openpanel-client-secret": Panel(acme).secret}
    assert panel.track(headers=headers).status_code == 401


def test_a_client_that_only_reads_may_not_send(acme):
    assert Panel(acme, right="read").track().json() == WRONG
    assert Panel(acme, right="root").track().status_code == 200


def test_credentials_may_stand_in_the_body(panel):
    given = {"clientId": str(panel.client.id), "clientSecret": panel.secret}
    assert panel.send("track", {"name": "x"}, {"user-agent": SERVER}, **given).status_code == 200
    given["clientSecret"] = "sec_wrong"
    assert panel.send("track", {"name": "x"}, {"user-agent": SERVER}, **given).json() == WRONG


def test_headers_of_the_vendors_older_clients_are_known(panel):
    older = {name.replace("openpanel-client", "mixan-client"): value for name, value in panel.trusted.items()}
    assert panel.track(headers=older).status_code == 200


def test_what_is_revoked_or_deleted_is_refused_at_once(panel):
    assert panel.track().status_code == 200
    new = renew_secret(panel.client, by=None)
    assert panel.track().status_code == 401
    panel.secret = new
    assert panel.track().status_code == 200
    change_openpanel_client(panel.client, origins=[])
    assert panel.track(headers=panel.public).status_code == 401
    revoke(panel.client, by=None, now=timezone.now())
    assert panel.track().status_code == 401
    other = Panel(make_website(make_account("Globex"), "globex.example"))
    assert other.track().status_code == 200
    remove_website(other.website, by=None, now=timezone.now())
    assert other.track().status_code == 401


def test_credentials_come_before_the_payload(panel):
    wrong = panel.trusted | {"openpanel-client-secret": "sec_wrong"}
    assert panel.send("nonsense", None, wrong).json() == WRONG
    assert panel.send("nonsense", None).status_code == 400


def test_a_body_that_is_no_json_is_refused_whoever_sends_it(panel):
    assert post(b"{", {}).status_code == 400
    assert post(b"{", panel.trusted).status_code == 400
    assert post(b"{", panel.trusted | {"openpanel-client-secret": "sec_wrong"}).status_code == 401


# -- the envelope -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/track", "/track/", "//track", "//track/"])
def test_every_spelling_of_the_route_is_served(panel, path):
    answer = post({"type": "track", "payload": {"name": "x"}}, panel.trusted, path=path)
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"7",
        b'"x"',
        b"{}",
        b'{"type":"track"}',
        b'{"type":"track","payload":null}',
        b'{"type":"track","payload":[]}',
        b'{"type":"track","payload":{}}',
        b'{"type":7,"payload":{"name":"x"}}',
        b'{"type":"Track","payload":{"name":"x"}}',
        b'{"type":"unknown","payload":{"name":"x"}}',
        b'{"type":"track","payload":{"name":"a\\u0000b"}}',
        b'{"type":"track","payload":{"name":"x","properties":{"\\u0000":1}}}',
        b'{"type":"track","payload":{"name":"\\ud800"}}',
        b'{"type":"track","payload":{"name":"x","properties":{"n":NaN}}}',
        b'{"type":"track","payload":{"name":"x","properties":{"n":1e999}}}',
        b'{"type":"track","payload":{"name":"x","properties":{"n":9007199254740993}}}',
        b'{"type":"track","payload":{"name":"x","properties":{"n":' + b"9" * 5_000 + b"}}}",
        b'{"type":"track","payload":{"name":"x","properties":' + b'{"a":' * 32 + b"1" + b"}" * 32 + b"}}",
        b'{"type":"track","payload":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        '{"type":"track","payload":{"name":"x"}}'.encode("utf-16"),
    ],
)
def test_a_body_that_is_wrong_is_refused(panel, body):
    refused(post(body, panel.trusted))


@pytest.mark.parametrize(
    "call",
    [
        {"type": "track", "payload": {"name": "x", "properties": {"a": ["x"] * 9_998}}},
        {"type": "track", "payload": {"name": "x", "properties": {"__identify": {"a": [[]] * 9_998}}}},
        {"type": "identify", "payload": {"profileId": "1", **{str(n): n for n in range(10_000)}}},
    ],
    ids=["properties", "rider", "profile"],
)
def test_more_values_than_any_call_has_are_refused(panel, call):
    refused(post(call, panel.trusted))


def test_ten_thousand_values_are_taken(panel):
    assert panel.track(properties={"a": ["x"] * 9_997}).status_code == 200


def test_a_byte_order_mark_and_repeated_keys_are_read_as_javascript_does(panel):
    body = b'\xef\xbb\xbf{"type":"identify","type":"track","payload":{"name":"a","name":"b"}}'
    assert post(body, panel.trusted).status_code == 200
    assert Event.objects.get().name == "b"


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "application/json; charset=latin-1"},
        {"content-encoding": "gzip"},
    ],
)
def test_only_json_in_utf_8_is_read(panel, headers):
    refused(post({"type": "track", "payload": {"name": "x"}}, panel.trusted | headers), 415)


def test_a_body_may_have_a_mebibyte_and_that_of_a_replay_three(panel):
    long = {"name": "x", "properties": {"text": "x" * (1024 * 1024)}}
    refused(panel.send("track", long), 413)
    Drop.objects.all().delete()
    assert panel.send("replay", {"payload": "x" * (2 * 1024 * 1024)}).status_code == 200
    assert panel.send("replay", {"payload": "x" * (3 * 1024 * 1024)}).status_code == 413


def test_a_replay_is_answered_and_not_kept(panel):
    chunk = {"chunk_index": 0, "events_count": 1, "is_full_snapshot": True, "payload": "[]"}
    answer = panel.send("replay", chunk)
    assert (answer.status_code, set(answer.json())) == (200, {"deviceId", "sessionId"})
    assert (Event.objects.count(), drops()) == (0, {"replay": 1})


def test_alias_is_not_supported(panel):
    answer = panel.send("alias", {"profileId": "1", "alias": "a1"})
    assert answer.json() == {"status": 400, "error": "Bad Request", "message": "Alias is not supported"}
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/track"), ("PUT", "/track"), ("DELETE", "/track/"), ("GET", "/track/x"), ("POST", "/track/x/y")],
)
def test_what_is_not_there_is_404_in_this_dialects_words(method, path):
    answer = HttpClient().generic(method, path)
    assert answer.json()["error"] == "Not Found"
    assert refused(answer, 404)
    assert answer["x-ratelimit-limit"] == "1000"


# -- preflights and limits --------------------------------------------------------------------------------------------


def test_a_preflight_allows_what_is_asked_for():
    asked = "content-type,openpanel-client-id,openpanel-sdk-name,openpanel-sdk-version"
    answer = HttpClient().options(
        "/track",
        headers={
            "origin": ORIGIN,
            "access-control-request-method": "POST",
            "access-control-request-headers": asked,
        },
    )
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert answer["Access-Control-Allow-Methods"] == "GET,HEAD,POST"
    assert answer["Access-Control-Allow-Headers"] == asked
    assert answer["Access-Control-Max-Age"] == "604800"


def test_a_preflight_that_asks_for_nothing_is_told_what_the_clients_send():
    allowed = HttpClient().options("/track/")["Access-Control-Allow-Headers"]
    assert {"content-type", "openpanel-client-id", "openpanel-client-secret"} <= set(allowed.split(", "))


def test_every_answer_tells_the_standing_of_the_limit_and_over_it_calls_are_refused(panel, monkeypatch):
    monkeypatch.setitem(settings.LIMITS, "OPENPANEL", (3, 10))
    wrong = panel.trusted | {"openpanel-client-secret": "sec_wrong"}
    answers = [panel.track(), panel.send("nonsense", None), panel.track(headers=wrong), panel.track()]
    assert [answer.status_code for answer in answers] == [200, 400, 401, 429]
    assert [answer["x-ratelimit-remaining"] for answer in answers] == ["2", "1", "0", "0"]
    assert {answer["x-ratelimit-limit"] for answer in answers} == {"3"}
    assert all(0 < int(answer["x-ratelimit-reset"]) <= 10 for answer in answers)
    assert answers[-1].json() == {
        "status": 429,
        "error": "Too Many Requests",
        "message": "You have exceeded the rate limit for this endpoint.",
    }
    assert 0 < int(answers[-1]["Retry-After"]) <= 10
    assert "x-ratelimit-remaining" in answers[0]["Access-Control-Expose-Headers"]
    assert drops() == {"unknown_type": 1, "unauthorized": 1, "rate_limited": 1}


def test_each_client_has_a_limit_of_its_own_whatever_address_it_states(acme, panel, monkeypatch):
    monkeypatch.setitem(settings.LIMITS, "OPENPANEL", (1, 10))
    assert panel.track().status_code == 200
    assert Panel(acme).track().status_code == 200
    assert panel.track(headers=panel.trusted | {"x-client-ip": "198.51.100.9"}).status_code == 429


# -- events -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["", " ", "x" * 256, "a\nb", "session_start", "session_end"])
def test_a_name_is_one_line_of_1_to_255_characters_and_not_reserved(panel, name):
    refused(panel.track(name))


@pytest.mark.parametrize("name", ["x" * 255, "😀" * 255, "page_view", "Cart: added"])
def test_any_other_name_will_do(panel, name):
    assert panel.track(name).status_code == 200
    assert Event.objects.get().name == name


@pytest.mark.parametrize(
    "payload",
    [
        {"name": 7},
        {"name": None},
        {"name": True},
        {"name": "x", "properties": []},
        {"name": "x", "properties": "x"},
        {"name": "x", "profileId": ""},
        {"name": "x", "profileId": True},
        {"name": "x", "profileId": ["1"]},
        {"name": "x", "profileId": "x" * 256},
        {"name": "x", "profileId": 2**60},
        {"name": "x", "groups": "org1"},
        {"name": "x", "groups": [""]},
        {"name": "x", "groups": [7]},
        {"name": "x", "groups": ["g"] * 101},
    ],
)
def test_a_field_that_is_wrong_is_refused(panel, payload):
    refused(panel.send("track", payload))


@pytest.mark.parametrize(("sent", "stored"), [(123, "123"), (1.5, "1.5"), (12.0, "12"), ("007", "007")])
def test_the_id_of_a_profile_may_be_a_number_and_is_kept_as_text(panel, sent, stored):
    panel.track(profileId=sent)
    assert Event.objects.get().profile == stored


def test_null_is_the_same_as_absent(panel):
    assert panel.track("anon", properties=None, profileId=None, groups=None).status_code == 200
    event = Event.objects.get()
    assert (event.properties, event.profile) == (None, None)


def test_unknown_keys_are_ignored_and_groups_are_kept(panel):
    assert panel.track(groups=["org1", "org2"], surplus={"a": 1}).status_code == 200
    assert Event.objects.get().properties == {"__groups": ["org1", "org2"]}


def test_an_event_with_a_name_of_its_own_is_stored_once(panel):
    named = panel.trusted | {"idempotency-key": "order-1"}
    first, second = panel.track(headers=named), panel.track(headers=named)
    assert (first.status_code, first.json()) == (second.status_code, second.json())
    assert Event.objects.count() == 1
    assert panel.track(headers=panel.trusted | {"idempotency-key": "x" * 256}).status_code == 400


def test_two_calls_alike_within_a_moment_are_two_events(panel):
    assert panel.track(headers=panel.public).json() == panel.track(headers=panel.public).json()
    assert Event.objects.count() == 2


# -- reserved properties ----------------------------------------------------------------------------------------------


def test_a_screen_view_with_a_path_is_a_page_view(panel):
    properties = {
        "__path": "https://acme.example/pricing?utm_source=ad&utm_medium=cpc&token=secret#top",
        "__title": "Pricing",
        "__referrer": "https://www.google.com/",
    }
    panel.track("screen_view", panel.public, properties=properties)
    event = Event.objects.get()
    assert (event.type, event.name, event.path) == (Type.PAGE_VIEW, "screen_view", "/pricing")
    assert (event.utm_source, event.channel, event.referrer) == ("ad", Channel.PAID_SEARCH, "google.com")
    assert event.properties == {"__title": "Pricing"}
    assert (BROWSERS[event.browser], SYSTEMS[event.os], event.device) == ("Chrome", "Windows", Device.DESKTOP)
    assert kind(event) == "page_view"


@pytest.mark.parametrize(
    ("page", "path"),
    [
        ("https://acme.example", "/"),
        ("/app/home?x=1", "/app/home"),
        ("Home", "Home"),
        ("app://acme/settings", "/settings"),
        ("https://[", "/"),
    ],
)
def test_a_path_is_an_address_or_a_route(panel, page, path):
    panel.track("screen_view", panel.public, properties={"__path": page})
    assert (Event.objects.get().type, Event.objects.get().path) == (Type.PAGE_VIEW, path)


def test_a_screen_view_without_a_path_is_an_event_of_that_name(panel):
    panel.track("screen_view", panel.public, properties={"__path": ""})
    assert (Event.objects.get().type, Event.objects.get().name) == (Type.OTHER, "screen_view")


def test_a_referrer_on_the_pages_own_host_is_none(panel):
    given = {"__path": "https://shop.example/a", "__referrer": "https://www.shop.example/b"}
    panel.track("screen_view", panel.public, properties=given)
    assert (Event.objects.get().referrer, Event.objects.get().channel) == (None, Channel.DIRECT)


def test_old_clients_had_no_underscores(panel):
    given = {"path": "/old", "referrer": "https://t.co/x"}
    panel.track("screen_view", panel.public, properties=given)
    event = Event.objects.get()
    assert (event.type, event.path, event.referrer) == (Type.PAGE_VIEW, "/old", "t.co")
    assert event.properties == given


def test_a_property_that_only_looks_reserved_is_kept_and_verdicts_are_not(panel):
    given = {"__bot": True, "__bot_reasons": ["x"], "__hash": "h", "__query": {"a": 1}, "__bounce": 1, "__own": 1}
    panel.track(properties=given)
    assert Event.objects.get().properties == {"__own": 1}
    assert Event.objects.get().is_bot is False


def test_the_caller_may_know_the_device_better_than_the_user_agent(panel):
    given = {"__os": "iOS", "__osVersion": "18", "__browser": "Firefox", "__device": "Mobile", "__brand": "Apple"}
    panel.track(headers=panel.public, properties=given)
    event = Event.objects.get()
    assert (SYSTEMS[event.os], BROWSERS[event.browser], event.device) == ("iOS", "Firefox", Device.MOBILE)
    assert event.properties == given


def test_a_device_of_the_callers_choice_is_one_visitor(panel):
    chosen = {"__deviceId": " dev-1 "}
    one = panel.track(properties=chosen)
    two = panel.track(headers=panel.public, properties=chosen)
    other = panel.track(properties={"__deviceId": "x" * 65})
    assert one.json()["deviceId"] == two.json()["deviceId"] != other.json()["deviceId"]
    visitors = list(Event.objects.order_by("id").values_list("visitor", flat=True))
    assert visitors[0] == visitors[1] != visitors[2]
    assert not Event.objects.exclude(properties=None).exists()


@pytest.mark.parametrize("text", ["2026-01-01T10:00:00.123Z", "2026-01-01 11:00:00.123+01:00", 1767261600123])
def test_a_time_of_the_past_is_the_time_of_the_event_and_makes_no_visit(panel, text, time_machine_now):
    panel.track(headers=panel.public, properties={"__timestamp": text})
    event = Event.objects.get()
    assert event.occurred_at == datetime(2026, 1, 1, 10, 0, 0, 123000, UTC)
    assert (event.is_server, event.properties) == (True, None)


@pytest.fixture
def time_machine_now(monkeypatch):
    """A clock shortly after New Year, whatever the day of the test."""
    monkeypatch.setattr("django.utils.timezone.now", lambda: datetime(2026, 1, 2, 9, 0, tzinfo=UTC))


def at(moment: datetime) -> dict[str, str]:
    return {"__timestamp": moment.isoformat()}


def test_a_quarter_of_an_hour_late_is_not_the_past(panel):
    moment = timezone.now() - timedelta(minutes=14)
    panel.track(headers=panel.public, properties=at(moment))
    event = Event.objects.get()
    assert (event.occurred_at, event.is_server) == (moment, False)


def test_a_time_of_the_future_or_none_is_that_of_the_server(panel):
    before = timezone.now()
    panel.track(properties=at(before + timedelta(minutes=2)))
    panel.track(properties={"__timestamp": "nonsense"})
    panel.track(properties={"__timestamp": [1]})
    panel.track(properties={"__timestamp": 1e300})
    assert [before <= event.occurred_at <= timezone.now() for event in Event.objects.all()] == [True] * 4


def test_a_clock_may_run_ahead_a_little(panel):
    moment = timezone.now() + timedelta(seconds=30)
    panel.track(properties=at(moment))
    assert Event.objects.get().occurred_at == moment


@pytest.mark.parametrize("days", [400, 4_000])
def test_what_is_older_than_events_are_kept_is_refused(panel, days):
    assert "400 days" in refused(panel.track(properties=at(timezone.now() - timedelta(days=days))))


def test_events_of_the_past_make_no_salts_of_the_past(panel):
    today = timezone.now().date()
    visitor.salts.__init__()
    panel.track(headers=panel.public, properties=at(timezone.now() - timedelta(days=3)))
    assert Event.objects.count() == 1
    assert set(Salt.objects.values_list("day", flat=True)) == {today}


def test_revenue_is_kept_from_who_has_the_secret(panel):
    panel.track("revenue", properties={"__revenue": 1000, "product": "a"})
    assert Event.objects.get().properties == {"__revenue": 1000, "product": "a"}
    assert drops() == {}


def test_revenue_without_the_secret_is_stored_without_its_amount_and_counted(panel):
    answer = panel.track("revenue", panel.public, properties={"__revenue": 1000, "product": "a"})
    assert answer.status_code == 200
    assert Event.objects.get().properties == {"product": "a"}
    assert drops() == {"revenue_without_secret": 1}


@pytest.mark.parametrize("amount", ["1000", 10.5, -1, True, 2**60, [1]])
def test_revenue_is_a_whole_number_from_zero(panel, amount):
    refused(panel.track("revenue", properties={"__revenue": amount}))


def test_other_events_have_no_revenue(panel):
    panel.track("purchase", properties={"__revenue": "much", "a": 1})
    assert Event.objects.get().properties == {"a": 1}


# -- who sends --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "agent", ["node", "curl/8.5.0", SERVER, "undici", "Go-http-client/2.0", "Dart/3.1 (dart:io)", ""]
)
def test_a_server_with_the_secret_is_no_bot_and_starts_no_visit(panel, agent):
    assert panel.track(headers=panel.trusted | {"user-agent": agent}).status_code == 200
    event = Event.objects.get()
    assert (event.is_server, event.is_bot, kind(event)) == (True, False, "server")


@pytest.mark.parametrize("agent", [CHROME, IPHONE, "MyApp/1.0 CFNetwork/1408.0.4 Darwin/22.5.0"])
def test_a_server_that_passes_its_visitors_user_agent_on_is_a_device(panel, agent):
    panel.track(headers=panel.trusted | {"user-agent": agent})
    assert Event.objects.get().is_server is False


@pytest.mark.parametrize("agent", [GOOGLEBOT, "curl/8.5.0", ""])
def test_a_bot_without_the_secret_is_told_so_and_stored_with_the_flag(panel, agent):
    answer = panel.track(headers=panel.public | {"user-agent": agent}, profileId="1")
    assert (answer.status_code, set(answer.json()["bot"])) == (202, {"name", "type"})
    assert Event.objects.get().is_bot is True


def test_a_bot_is_one_also_when_it_speaks_of_the_past(panel):
    properties = at(timezone.now() - timedelta(hours=3))
    answer = panel.track(headers=panel.public | {"user-agent": GOOGLEBOT}, properties=properties)
    assert (answer.status_code, answer.json()["bot"]["name"]) == (202, "Googlebot")
    assert (Event.objects.get().is_bot, Event.objects.get().is_server) == (True, True)


def test_an_excluded_address_is_answered_as_any_other(panel):
    panel.website.excluded_ips = ["127.0.0.1"]
    panel.website.save()
    grants.forget()
    assert panel.track(headers=panel.public).status_code == 200
    assert Event.objects.get().is_excluded is True


@pytest.mark.parametrize(
    "headers",
    [
        {"x-client-ip": "203.0.113.7"},
        {"openpanel-client-ip": "203.0.113.7", "x-client-ip": "198.51.100.1"},
        {"x-client-ip": "10.0.0.1", "x-real-ip": "203.0.113.7"},
        {"x-forwarded-for": "203.0.113.7, 10.0.0.1"},
        {"forwarded": 'proto=https;for="203.0.113.7:4711", for=10.0.0.1'},
        {"true-client-ip": "nonsense", "fastly-client-ip": "::ffff:203.0.113.7"},
        {"x-client-ip": "192.168.0.1", "cf-connecting-ip": "127.0.0.1", "x-cluster-client-ip": "203.0.113.7"},
    ],
)
def test_who_has_the_secret_may_say_whose_address_it_is(panel, headers):
    panel.website.excluded_ips = ["203.0.113.7"]
    panel.website.save()
    grants.forget()
    panel.track(headers=panel.trusted | headers)
    panel.track(headers=panel.public | headers)
    assert list(Event.objects.order_by("id").values_list("is_excluded", flat=True)) == [True, False]


def test_the_address_among_the_properties_beats_all_headers(panel):
    panel.website.excluded_ips = ["203.0.113.7"]
    panel.website.save()
    grants.forget()
    given = {"__ip": "203.0.113.7"}
    panel.track(headers=panel.trusted | {"x-client-ip": "198.51.100.1"}, properties=given)
    panel.track(headers=panel.public, properties=given)
    assert list(Event.objects.order_by("id").values_list("is_excluded", flat=True)) == [True, False]
    assert not Event.objects.exclude(properties=None).exists()


# -- device and session -----------------------------------------------------------------------------------------------


def device_id(headers):
    return HttpClient().get("/track/device-id", headers=headers)


def test_the_device_is_the_visitors_and_the_session_the_visits(panel):
    first = panel.track(headers=panel.public).json()
    again = panel.send("identify", {"profileId": "1", "firstName": "Ann"}, panel.public).json()
    other = panel.track(headers=panel.public | {"user-agent": IPHONE}).json()
    assert first == again
    assert first["deviceId"] != other["deviceId"]
    assert first["sessionId"] != other["sessionId"]


def test_the_session_is_kept_as_long_as_a_visit_may_pause(panel):
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        panel.send("increment", {"profileId": "1", "property": "n"}, panel.public)
        assert client.keys("memo:*") == []
        panel.track(headers=panel.public)
        (key,) = client.keys("memo:*")
        assert 1_790_000 < client.pttl(key) <= 1_800_000
        client.set(key, "f" * 32, px=5_000)
        assert panel.track(headers=panel.public).json()["sessionId"] == "f" * 32
        assert client.pttl(key) > 1_790_000
        assert b"127.0.0.1" not in client.dump(key) + key


def test_of_a_made_up_client_nothing_is_remembered(panel):
    for _ in range(2):
        assert panel.track(headers=panel.public | {"openpanel-client-id": NOBODY}).status_code == 401
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        assert client.keys("memo:*") == []


def test_the_device_can_be_asked_for_before_and_in_a_visit(panel):
    before = device_id(panel.public).json()
    assert before == {
        "deviceId": before["deviceId"],
        "sessionId": "",
        "message": "No session exists for this device id",
    }
    tracked = panel.track(headers=panel.public).json()
    after = device_id(panel.public)
    assert after.json() == tracked | {"message": "current session exists for this device id"}
    assert after["Cache-Control"] == "no-store"
    assert before["deviceId"] == tracked["deviceId"]
    assert Event.objects.count() == 1


def test_asking_for_the_device_needs_credentials_and_a_user_agent(panel):
    assert device_id({}).json() == WRONG
    assert device_id(panel.public | {"origin": "https://evil.example"}).json() == WRONG
    answer = device_id(panel.trusted | {"user-agent": ""})
    assert answer.json() == {"status": 400, "error": "Bad Request", "message": "Missing user agent"}
    assert answer["x-ratelimit-limit"] == "1000"


def test_the_answer_reveals_nothing_that_is_stored(panel):
    answer = json.dumps(panel.track(headers=panel.public).json())
    event = Event.objects.get()
    assert f"{event.visitor & (2**64 - 1):016x}" not in answer
