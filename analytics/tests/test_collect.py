"""POST /api/v1/collect and its preflight (contract 2.3, 2.4)."""

import json
import random

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from accounts.removal import remove_website
from analytics.models import Drop, Event
from analytics.tests.builders import CHROME, GOOGLEBOT, a_body, collect, data, make_key, make_website
from analytics.vocabulary import BROWSERS, SYSTEMS, Channel, Device, Screen, Type

pytestmark = pytest.mark.django_db(transaction=True)

NOBODY = "550e8400-e29b-41d4-a716-446655440000"
CORS = {
    "Access-Control-Allow-Methods": "POST, OPTIONS",
    "Access-Control-Allow-Headers": "Content-Type",
    "Access-Control-Allow-Credentials": "true",
    "Vary": "Origin",
}


@pytest.fixture
def acme():
    return make_website()


def drops() -> dict[str, int]:
    return dict(Drop.objects.values_list("reason", "count"))


def refused(answer, status=400, code="INVALID_PAYLOAD"):
    """The one shape of every refusal, stored nowhere and counted once."""
    envelope = answer.json()
    assert (answer.status_code, envelope["status"], envelope["error"]["code"]) == (status, "error", code)
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert (Event.objects.count(), sum(drops().values())) == (0, 1)
    return envelope["error"]["message"]


def test_a_page_view_is_stored_and_accepted(client, acme):
    answer = collect(
        client,
        a_body(
            acme,
            path="/blog/post-1",
            url="https://acme.example/blog/post-1?utm_source=twitter",
            referrer="https://t.co/abc123",
            screen_width=1920,
            screen_height=1080,
        ),
    )
    assert (answer.status_code, answer.content) == (202, b'{"status":"accepted"}')
    assert answer["Content-Type"] == "application/json"
    event = Event.objects.get()
    assert (event.website_id, event.type, event.path) == (acme.id, Type.PAGE_VIEW, "/blog/post-1")
    assert (event.channel, event.referrer, event.utm_source) == (Channel.SOCIAL, "t.co", "twitter")
    assert (BROWSERS[event.browser], SYSTEMS[event.os]) == ("Chrome", "Windows")
    assert (event.device, event.screen) == (Device.DESKTOP, Screen.W1441)
    assert (event.is_bot, event.is_excluded, event.is_server, event.properties) == (False, False, False, None)


@pytest.mark.django_db(transaction=True)
def test_an_accepted_event_is_committed_when_the_answer_comes(client, acme):
    collect(client, a_body(acme))
    parameters = connection.get_connection_params()
    with psycopg.connect(
        **{name: parameters[name] for name in ("dbname", "user", "host", "port") if parameters.get(name)}
    ) as other:
        assert other.execute("SELECT count(*) FROM analytics_event").fetchone() == (1,)


def test_both_spellings_of_the_route_are_served(client, acme):
    answer = client.post("/api/v1/collect/", a_body(acme), "application/json", HTTP_USER_AGENT=CHROME)
    assert answer.status_code == 202


@pytest.mark.parametrize("content_type", ["application/json; charset=UTF-8", "text/plain;charset=UTF-8", "TEXT/PLAIN"])
def test_json_and_plain_text_are_read_alike(client, acme, content_type):
    assert collect(client, a_body(acme), content_type=content_type).status_code == 202


@pytest.mark.parametrize(
    "content_type", ["application/x-www-form-urlencoded", "text/plain; charset=latin-1", "image/png"]
)
def test_other_content_types_are_refused(client, acme, content_type):
    refused(collect(client, json.dumps(a_body(acme)), content_type=content_type), 415)


def test_a_compressed_body_is_refused(client, acme):
    refused(collect(client, a_body(acme), HTTP_CONTENT_ENCODING="gzip"), 415)


def test_a_body_of_more_than_32_kib_is_refused(client, acme):
    refused(collect(client, a_body(acme, referrer="x" * 33_000)), 413)


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_other_methods_are_refused_in_the_envelope(client, method):
    answer = getattr(client, method)("/api/v1/collect")
    refused(answer, 405)
    assert answer["Allow"] == "POST, OPTIONS"


def test_a_body_that_is_not_json_is_refused(client):
    refused(collect(client, b"{"))
    assert drops() == {"malformed_json": 1}


@pytest.mark.parametrize("name", ["website_id", "event_type", "url", "path"])
@pytest.mark.parametrize("value", [None, "", 7, ["x"], True])
def test_a_required_field_must_be_a_text_that_is_not_empty(client, acme, name, value):
    assert name in refused(collect(client, a_body(acme, **{name: value})))


@pytest.mark.parametrize("name", ["website_id", "event_type", "url", "path"])
def test_a_required_field_must_be_there(client, acme, name):
    body = a_body(acme)
    del body[name]
    assert name in refused(collect(client, body))


@pytest.mark.parametrize(
    "fields",
    [
        {"event_type": "with space"},
        {"event_type": "1st"},
        {"event_type": "x" * 65},
        {"url": "/relative"},
        {"url": "ftp://acme.example/"},
        {"url": "https://"},
        {"url": "https://["},
        {"path": "no-slash"},
        {"referrer": 7},
        {"screen_width": "1920"},
        {"screen_width": True},
        {"screen_width": -1},
        {"screen_height": 100_001},
        {"properties": []},
        {"properties": {"text": "x" * 8_200}},
        {"properties": {"n": 2**53 + 1}},
        {"properties": {"a\0": 1}},
        {"utm_source": {}},
    ],
)
def test_a_field_out_of_bounds_is_refused_by_name(client, acme, fields):
    (name,) = fields
    refused(collect(client, a_body(acme, **fields)))


@pytest.mark.parametrize("name", ["referrer", "screen_width", "screen_height", "properties", "utm_source"])
def test_null_for_an_optional_field_is_absent(client, acme, name):
    assert collect(client, a_body(acme, **{name: None})).status_code == 202


def test_unknown_fields_are_ignored_and_none_of_ours_can_be_forged(client, acme):
    forged = {"is_bot": True, "is_excluded": True, "ip_hash": "x", "created_at": "2020-01-01", "account_id": 1}
    assert collect(client, a_body(acme, **forged)).status_code == 202
    assert Event.objects.filter(is_bot=False, is_excluded=False).count() == 1


@pytest.mark.parametrize("website_id", [NOBODY, "not-a-uuid", f"{{{NOBODY}}}"])
def test_an_unknown_website_is_dropped_silently_and_counted(client, website_id):
    answer = collect(client, a_body(website_id=website_id))
    assert (answer.status_code, answer.content, "Content-Type" in answer) == (204, b"", False)
    assert (Event.objects.count(), drops()) == (0, {"unknown_website": 1})


@pytest.mark.django_db(transaction=True)
def test_a_deleted_website_is_unknown(client, acme):
    collect(client, a_body(acme))
    remove_website(acme, by=None, now=timezone.now())
    Drop.objects.all().delete()
    assert (collect(client, a_body(acme)).status_code, drops()) == (204, {"unknown_website": 1})


@pytest.mark.parametrize("agent", [GOOGLEBOT, "curl/8.5.0", "python-requests/2.32", ""])
def test_bots_are_stored_with_the_flag_and_answered_204(client, acme, agent):
    answer = collect(client, a_body(acme), user_agent=agent)
    assert (answer.status_code, answer.content) == (204, b"")
    assert (Event.objects.get().is_bot, drops()) == (True, {})


@pytest.mark.parametrize("entry", ["203.0.113.9", "203.0.113.0/24", "203.0.113.1-203.0.113.20", "::ffff:203.0.113.9"])
def test_excluded_addresses_are_stored_with_the_flag_and_answered_204(client, entry):
    website = make_website(excluded_ips=[entry])
    answer = collect(client, a_body(website), REMOTE_ADDR="203.0.113.9")
    assert (answer.status_code, Event.objects.get().is_excluded) == (204, True)


def test_a_mapped_address_is_excluded_as_the_one_it_maps(client):
    website = make_website(excluded_ips=["203.0.113.9"])
    assert collect(client, a_body(website), REMOTE_ADDR="::ffff:203.0.113.9").status_code == 204


def test_the_first_matching_content_group_is_stored(client):
    groups = [{"name": "Blog", "pattern": "/blog/*"}, {"name": "All", "pattern": "*"}]
    website = make_website(content_groups=groups)
    for path in ("/blog/x", "/other"):
        collect(client, a_body(website, path=path))
    assert list(Event.objects.values_list("path", "content_group")) == [("/blog/x", "Blog"), ("/other", "All")]


@pytest.mark.parametrize(
    ("properties", "name"),
    [
        ({"event_name": "signup", "name": "other"}, "signup"),
        ({"name": "other"}, "other"),
        ({"event_name": "", "name": "other"}, "other"),
        ({"event_name": 7}, "custom"),
        ({"event_name": "\n\u200f"}, "custom"),
        ({}, "custom"),
        (None, "custom"),
    ],
)
def test_a_custom_event_has_the_name_of_its_properties(client, acme, properties, name):
    collect(client, a_body(acme, event_type="custom", properties=properties))
    event = Event.objects.get()
    assert (event.type, event.name) == (Type.CUSTOM, name)


def test_another_event_type_is_a_custom_event_of_that_name(client, acme):
    collect(client, a_body(acme, event_type="video.play"))
    event = Event.objects.get()
    assert (event.type, event.name) == (Type.OTHER, "video.play")


def test_no_address_agent_or_query_is_stored(client, acme):
    url = "https://acme.example/x?token=secret"
    collect(client, a_body(acme, path="/mail/canary@example.test", url=url), REMOTE_ADDR="203.0.113.77")
    with connection.cursor() as cursor:
        cursor.execute("SELECT e::text FROM analytics_event e")
        (row,) = cursor.fetchone()
    assert [word in row for word in ("203.0.113.77", "Mozilla", "secret", "canary", "/mail/*@*")] == [False] * 4 + [
        True
    ]


def test_long_texts_are_cut(client, acme):
    collect(
        client,
        a_body(
            acme,
            path="/" + "p" * 3_000,
            url="https://acme.example/" + "u" * 5_000,
            referrer="https://partner.example/" + "r" * 3_000,
            utm_source="s" * 400,
        ),
    )
    event = Event.objects.get()
    assert (len(event.path), event.referrer, len(event.utm_source)) == (2048, "partner.example", 255)


@pytest.mark.parametrize("first", ["A", "À", "一", "😀"])
def test_long_texts_of_any_script_are_stored_and_reported(client, first):
    # Drawn at random: an index row of repeated characters would be packed.
    draw = random.Random(first)

    def text(length):
        return "".join(chr(ord(first) + draw.randrange(20)) for _ in range(length))

    name = text(100)
    website = make_website(content_groups=[{"name": name, "pattern": "*"}])
    texts = {"utm_source": text(300), "utm_medium": text(300), "utm_campaign": text(300)}
    properties = {"event_name": text(900)}
    for fields in ({}, {"event_type": "custom", "properties": properties}):
        answer = collect(client, a_body(website, path=f"/{text(2_100)}", **texts, **fields))
        assert answer.status_code == 202
    key = make_key(website.account)
    (row,) = data(client, "pages", website, key, period="today")["rows"]
    assert (row["contentGroup"], row["pageviews"]) == (name, 1)
    assert len(data(client, "sources", website, key, period="today", group_by="utm")["rows"]) == 1


def test_the_eleventh_event_of_an_address_in_ten_seconds_is_refused_with_a_wait(client, acme):
    answers = [collect(client, a_body(acme)) for _ in range(11)]
    assert [answer.status_code for answer in answers] == [202] * 10 + [429]
    assert answers[-1].json()["error"]["code"] == "RATE_LIMITED"
    assert 1 <= int(answers[-1]["Retry-After"]) <= 10
    assert (answers[-1]["Access-Control-Allow-Origin"], drops()) == ("*", {"rate_limited": 1})


def test_malformed_calls_count_against_the_limit_too(client):
    answers = [collect(client, b"{") for _ in range(11)]
    assert [answer.status_code for answer in answers] == [400] * 10 + [429]


def test_each_address_has_its_own_limit_and_the_header_of_a_stranger_gives_no_other(client, acme):
    for _ in range(10):
        collect(client, a_body(acme))
    assert collect(client, a_body(acme), HTTP_X_FORWARDED_FOR="198.51.100.7").status_code == 429
    assert collect(client, a_body(acme), REMOTE_ADDR="198.51.100.7").status_code == 202


def test_the_limit_can_be_switched_off(client, acme, monkeypatch):
    monkeypatch.setitem(settings.LIMITS, "COLLECT", None)
    assert {collect(client, a_body(acme)).status_code for _ in range(12)} == {202}


def test_the_preflight_is_answered_without_body_limit_or_count(client):
    answers = [client.options("/api/v1/collect", HTTP_ORIGIN="https://acme.example") for _ in range(12)]
    assert {answer.status_code for answer in answers} == {204}
    assert (answers[0].content, drops()) == (b"", {})
    assert {name: answers[0][name] for name in CORS} == CORS
    assert answers[0]["Access-Control-Allow-Origin"] == "https://acme.example"


@pytest.mark.parametrize(("origin", "echo"), [("null", "null"), ("http://x.example:81", "http://x.example:81")])
def test_the_origin_is_echoed_on_every_answer(client, acme, origin, echo):
    for answer in (
        collect(client, a_body(acme), HTTP_ORIGIN=origin),
        collect(client, a_body(acme), user_agent="", HTTP_ORIGIN=origin),
        collect(client, b"{", HTTP_ORIGIN=origin),
    ):
        assert {name: answer[name] for name in CORS} == CORS
        assert answer["Access-Control-Allow-Origin"] == echo


def test_no_cookie_is_read_or_set(client, acme):
    client.cookies["session"] = "x"
    assert collect(client, a_body(acme)).cookies == {}


def test_one_visitor_has_one_key_a_day_and_website_and_others_have_another(client, acme):
    other = make_website(acme.account, "other.example")
    for website, address, agent in (
        (acme, "203.0.113.1", CHROME),
        (acme, "203.0.113.1", CHROME),
        (acme, "203.0.113.2", CHROME),
        (acme, "203.0.113.1", CHROME + " "),
        (acme, "203.0.113.1", CHROME + "x"),
        (other, "203.0.113.1", CHROME),
    ):
        collect(client, a_body(website), REMOTE_ADDR=address, user_agent=agent)
    first, *rest = Event.objects.order_by("id").values_list("visitor", flat=True)
    assert [key == first for key in rest] == [True, False, True, False, False]


def test_a_call_with_the_same_idempotency_key_is_stored_once_and_answered_alike(client, acme):
    answers = [collect(client, a_body(acme, path=f"/{n}"), HTTP_IDEMPOTENCY_KEY="order-7") for n in range(3)]
    assert [answer.status_code for answer in answers] == [202] * 3
    assert list(Event.objects.values_list("path", flat=True)) == ["/0"]


def test_an_idempotency_key_has_its_bounds(client, acme):
    refused(collect(client, a_body(acme), HTTP_IDEMPOTENCY_KEY="x" * 256))


def test_what_a_websites_page_sends_wrong_is_counted_as_its_own(client, acme):
    assert collect(client, a_body(acme, url="nowhere")).status_code == 400
    assert collect(client, b"{").status_code == 400
    assert set(Drop.objects.values_list("reason", "website_id")) == {
        ("invalid_field", acme.id),
        ("malformed_json", None),
    }


def test_calls_over_the_limit_are_counted_as_those_of_their_website(client, acme, settings):
    settings.LIMITS = settings.LIMITS | {"COLLECT": (1, 10)}
    assert [collect(client, a_body(acme)).status_code for _ in range(3)] == [202, 429, 429]
    assert Drop.objects.values_list("reason", "website_id", "count").get() == ("rate_limited", acme.id, 2)
