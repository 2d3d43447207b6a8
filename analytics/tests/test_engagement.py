"""POST /api/track: what readers do with an event of the calendar (contract 3.1, 3.2, 3.4)."""

import json

import pytest

from accounts.registration import change_website
from accounts.removal import remove_website
from analytics.models import Drop, Event
from analytics.tests.builders import GOOGLEBOT, a_body, collect
from analytics.tests.tracking import engage, make_calendar, make_event, track, travelled
from analytics.vocabulary import Dialect, Type
from submissions import catalog

pytestmark = pytest.mark.django_db(transaction=True)

ACCEPTED = b'{"success":true}'
NO_STORE = {
    "Cache-Control": "private, no-store, no-cache, max-age=0, must-revalidate, proxy-revalidate",
    "Pragma": "no-cache",
    "Expires": "0",
}


@pytest.fixture
def acme():
    return make_calendar()


@pytest.fixture
def jazz(acme):
    return make_event(acme)


def accepted(answer):
    """The one answer there is."""
    assert (answer.status_code, answer.content) == (202, ACCEPTED)
    assert answer["Content-Type"] == "application/json"
    assert {name: answer[name] for name in NO_STORE} == NO_STORE
    assert not {"Retry-After", "Access-Control-Allow-Origin", "Set-Cookie"} & set(answer.headers)
    assert not answer.cookies


def dropped(answer, reason, dialect="engagement"):
    """Answered like any other, stored nowhere, and counted once under its reason."""
    accepted(answer)
    assert Event.objects.count() == 0
    assert list(Drop.objects.values_list("dialect", "reason", "count")) == [(dialect, reason, 1)]


def test_a_click_is_stored_with_everything_it_says(client, acme, jazz):
    accepted(
        track(
            client,
            {
                "eventKey": jazz.key,
                "actionType": "click",
                "sessionId": "c0ffee00-0000-4000-8000-000000000001",
                "source": "event_open",
                "path": "/events/jazz-night?from=mail",
                "isAuthenticated": True,
            },
        )
    )
    event = Event.objects.get()
    assert (event.website_id, event.type, event.name) == (acme.website_id, Type.OTHER, "click")
    assert event.dialect == Dialect.ENGAGEMENT
    assert event.properties == {"eventKey": jazz.key, "source": "event_open"}
    assert (event.path, event.client_session) == ("/events/jazz-night", "c0ffee00-0000-4000-8000-000000000001")
    assert (event.is_authenticated, event.is_bot, event.is_excluded, event.is_server) == (False, False, False, False)


@pytest.mark.parametrize("action", ["click", "outbound_click", "calendar_sync"])
def test_the_three_actions_are_stored_by_their_names(client, jazz, action):
    accepted(engage(client, jazz, action))
    assert Event.objects.get().name == action


def test_both_spellings_of_the_route_are_served(client, jazz):
    accepted(track(client, {"eventKey": jazz.key, "actionType": "click"}, path="/api/track/"))
    assert Event.objects.count() == 1


@pytest.mark.parametrize("content_type", ["text/plain", "", "application/x-www-form-urlencoded", "image/png"])
def test_json_is_read_whatever_the_content_type(client, jazz, content_type):
    accepted(track(client, {"eventKey": jazz.key, "actionType": "click"}, content_type=content_type))
    assert Event.objects.count() == 1


def test_a_body_may_begin_with_a_byte_order_mark(client, jazz):
    accepted(track(client, b"\xef\xbb\xbf" + json.dumps({"eventKey": jazz.key, "actionType": "click"}).encode()))
    assert Event.objects.count() == 1


BAD = {
    "nothing": (b"", "malformed_json"),
    "half of it": (b'{"eventKey":', "malformed_json"),
    "no object": (b"[]", "invalid_field"),
    "null": (b"null", "invalid_field"),
    "UTF-16": (json.dumps({"eventKey": "KEY", "actionType": "click"}).encode("utf-16"), "malformed_json"),
    "no number": (b'{"eventKey":"KEY","actionType":"click","x":NaN}', "malformed_json"),
    "half a character": (b'{"eventKey":"KEY","actionType":"click","source":"\\ud800"}', "malformed_json"),
    "a NUL": (b'{"eventKey":"KEY","actionType":"click","source":"\\u0000"}', "invalid_field"),
    "nested deeply": (b'{"eventKey":' + b"[" * 5_000 + b"]" * 5_000 + b"}", "invalid_field"),
    "no key": (b'{"actionType":"click"}', "invalid_field"),
    "an empty key": (b'{"eventKey":" \\t","actionType":"click"}', "invalid_field"),
    "a null key": (b'{"eventKey":null,"actionType":"click"}', "invalid_field"),
    "a long key": (b'{"eventKey":"' + b"k" * 221 + b'","actionType":"click"}', "invalid_field"),
    "a number for a key": (b'{"eventKey":7,"actionType":"click"}', "invalid_field"),
    "no action": (b'{"eventKey":"KEY"}', "invalid_field"),
    "an unknown action": (b'{"eventKey":"KEY","actionType":"like"}', "invalid_field"),
    "an action in capitals": (b'{"eventKey":"KEY","actionType":"Click"}', "invalid_field"),
    "an action with a space": (b'{"eventKey":"KEY","actionType":" click"}', "invalid_field"),
    "a long session": (
        b'{"eventKey":"KEY","actionType":"click","sessionId":"' + b"s" * 121 + b'"}',
        "invalid_field",
    ),
    "a true session": (b'{"eventKey":"KEY","actionType":"click","sessionId":true}', "invalid_field"),
    "a long source": (b'{"eventKey":"KEY","actionType":"click","source":"' + b"s" * 81 + b'"}', "invalid_field"),
    "a long path": (b'{"eventKey":"KEY","actionType":"click","path":"/' + b"p" * 280 + b'"}', "invalid_field"),
    "a list of events": (b'{"events":[{"eventKey":"KEY","actionType":"click"}]}', "invalid_field"),
    "more than 16 KiB": (b'{"eventKey":"KEY","actionType":"click","x":"' + b"x" * 16_384 + b'"}', "too_large"),
    "an unknown event": (b'{"eventKey":"unheard-of","actionType":"click"}', "unknown_event"),
}


@pytest.mark.parametrize(("body", "reason"), BAD.values(), ids=BAD)
def test_bad_input_of_every_kind_has_the_same_answer_and_is_not_stored(client, jazz, body, reason):
    dropped(track(client, body.replace(b"KEY", jazz.key.encode())), reason)


def test_texts_are_trimmed_before_they_are_measured(client, jazz):
    accepted(engage(client, f"\ufeff {jazz.key}\u3000", source=" " * 90 + "event_open", path=" /a ", sessionId=" s "))
    event = Event.objects.get()
    assert event.properties == {"eventKey": jazz.key, "source": "event_open"}
    assert (event.path, event.client_session) == ("/a", "s")


def test_lengths_are_counted_in_characters(client, jazz):
    accepted(engage(client, jazz, sessionId="😀" * 120, source="é" * 80, path="/" + "ü" * 279))
    assert Event.objects.get().client_session == "😀" * 120


@pytest.mark.parametrize("nothing", [None, "", "  "])
def test_an_optional_field_may_be_null_or_empty(client, jazz, nothing):
    accepted(engage(client, jazz, sessionId=nothing, source=nothing, path=nothing))
    event = Event.objects.get()
    assert (event.client_session, event.properties, event.path) == (None, {"eventKey": jazz.key}, "")


def test_unknown_fields_are_ignored(client, jazz):
    accepted(engage(client, jazz, recordedAt="2026-01-01", clientContext={"a": [1]}, isAuthenticated=True))
    assert Event.objects.get().is_authenticated is False


def test_an_event_is_found_by_its_key_whatever_the_case(client, jazz):
    accepted(engage(client, jazz.key.upper()))
    assert Event.objects.get().properties["eventKey"] == jazz.key


def test_an_event_is_trackable_as_soon_as_it_is_published(client, acme):
    accepted(engage(client, "jazz-night"))
    event = make_event(acme)
    accepted(engage(client, event))
    assert Event.objects.count() == 1


def test_an_event_counts_no_more_once_it_is_cancelled_and_again_when_that_is_taken_back(client, jazz):
    accepted(engage(client, jazz))
    catalog.cancel(jazz, now=travelled(0))
    accepted(engage(client, jazz))
    assert Event.objects.count() == 1
    catalog.restore(jazz, now=travelled(0))
    accepted(engage(client, jazz))
    assert Event.objects.count() == 2


def test_an_event_that_left_the_catalogue_counts_no_more(client, jazz):
    key = jazz.key
    catalog.unpublish(jazz, now=travelled(0))
    dropped(engage(client, key), "unknown_event")


def test_events_of_a_deleted_website_are_unknown(client, acme, jazz):
    remove_website(acme.website, by=None, now=travelled(0))
    dropped(engage(client, jazz), "unknown_event")


def test_each_event_counts_for_the_website_of_its_own_calendar(client, acme, jazz):
    globex = make_calendar("globex.example")
    party = make_event(globex, "Globex party")
    accepted(engage(client, jazz))
    accepted(engage(client, party, HTTP_ORIGIN="https://acme.example"))
    assert list(Event.objects.order_by("id").values_list("website_id", flat=True)) == [
        acme.website_id,
        globex.website_id,
    ]


def test_a_reader_of_pages_and_events_is_one_visitor(client, acme, jazz):
    collect(client, a_body(acme.website))
    accepted(engage(client, jazz))
    assert Event.objects.values("visitor").distinct().count() == 1


def test_a_bot_has_the_same_answer_and_is_flagged(client, jazz):
    accepted(engage(client, jazz, HTTP_USER_AGENT=GOOGLEBOT))
    assert Event.objects.get().is_bot


def test_an_excluded_address_has_the_same_answer_and_is_flagged(client, acme, jazz):
    change_website(acme.website, excluded=["127.0.0.1"])
    accepted(engage(client, jazz))
    assert Event.objects.get().is_excluded


def test_what_could_name_a_person_is_not_stored(client, jazz):
    accepted(
        engage(
            client, jazz, source="by canary@example.test", sessionId="canary@example.test", path="/canary@example.test"
        )
    )
    event = Event.objects.get()
    assert event.properties["source"] == "by *@*"
    assert event.path == "/*@*"
    assert event.client_session
    assert "canary" not in event.client_session


# -- limits --


def spend(settings, **limits):
    settings.LIMITS = {**settings.LIMITS, **{name: (count, 60) for name, count in limits.items()}}


def test_the_241st_call_of_a_minute_from_an_address_is_not_stored(client, jazz):
    for _ in range(240):
        engage(client, jazz)
    assert Event.objects.count() == 240
    accepted(engage(client, jazz))
    assert Event.objects.count() == 240
    assert dict(Drop.objects.values_list("reason", "count")) == {"rate_limited": 1}


def test_the_limit_of_a_session_holds_whatever_the_address(client, jazz, settings):
    spend(settings, TRACK_SESSION=2)
    for number in range(4):
        accepted(engage(client, jazz, sessionId="s", REMOTE_ADDR=f"203.0.113.{number}"))
    accepted(engage(client, jazz, sessionId="other", REMOTE_ADDR="203.0.113.0"))
    accepted(engage(client, jazz, REMOTE_ADDR="203.0.113.0"))
    assert Event.objects.count() == 4


def test_malformed_and_unknown_calls_count_against_the_limit_of_their_address(client, jazz, settings):
    spend(settings, TRACK_IP=2)
    track(client, b"{")
    engage(client, "unheard-of")
    engage(client, jazz)
    assert Event.objects.count() == 0


def test_addresses_of_one_network_share_a_limit_and_the_forwarded_header_of_strangers_is_ignored(
    client, jazz, settings
):
    spend(settings, TRACK_IP=2)
    for number in range(4):
        engage(client, jazz, REMOTE_ADDR=f"2001:db8::{number}", HTTP_X_FORWARDED_FOR=f"198.51.100.{number}")
    assert Event.objects.count() == 2


def test_the_two_routes_have_limits_of_their_own(client, jazz, settings):
    spend(settings, TRACK_IP=1, DISCOVERY_IP=1)
    engage(client, jazz)
    track(client, {"actionType": "filter_clear"}, path="/api/track/discovery")
    assert Event.objects.count() == 2


# -- methods --


@pytest.mark.parametrize("path", ["/api/track", "/api/track/", "/api/track/discovery", "/api/track/discovery/"])
@pytest.mark.parametrize("method", ["get", "head", "put", "patch", "delete", "trace"])
def test_other_methods_are_refused_with_an_empty_body(client, path, method):
    answer = getattr(client, method)(path)
    assert (answer.status_code, answer.content, answer["Allow"]) == (405, b"", "POST, OPTIONS")


@pytest.mark.parametrize("path", ["/api/track", "/api/track/discovery/"])
def test_options_are_answered_without_cors(client, path):
    answer = client.options(path, HTTP_ORIGIN="https://acme.example")
    assert (answer.status_code, answer.content, answer["Allow"]) == (204, b"", "POST, OPTIONS")
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]
