"""POST /api/event-submissions from outside (contract 4 and its acceptance checklist)."""

import json
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis
import time_machine
from django.conf import LazySettings
from django.db import DatabaseError, connection, connections, transaction
from django.test import Client

from accounts.tests.builders import make_account, make_website
from analytics.models import Drop
from submissions import calendars, limits
from submissions.models import Calendar, Decision, Host, LimitCount, Submission
from submissions.tests.catalogue import make_calendar
from submissions.tests.proposing import (
    EXAMPLE,
    NO_STORE,
    NOON,
    RECEIVED,
    REQUIRED,
    TOO_MANY,
    UNAVAILABLE,
    example,
    send,
)
from tinytrail.web import cache

pytestmark = pytest.mark.django_db


@pytest.fixture
def acme() -> Calendar:
    return make_calendar()


def drops() -> dict[str, int]:
    return {drop.reason: drop.count for drop in Drop.objects.filter(dialect="submissions")}


def without_header(answer: Any, name: str) -> dict[str, str]:
    return {key: value for key, value in answer.headers.items() if key != name}


def test_it_works(acme: Calendar) -> None:
    answer = send()

    assert (answer.status_code, answer.json()) == (200, RECEIVED)
    submission = Submission.objects.get()
    assert (submission.status, submission.calendar, submission.host_email) == ("pending", acme, "contact@lesunset.com")
    assert submission.payload.pop("submittedAt") == f"{submission.created_at:%Y-%m-%dT%H:%M:%S}Z"
    stored = {name: value for name, value in EXAMPLE.items() if name not in ("hostEmail", "honeypot")}
    assert submission.payload == stored
    assert submission.spam_signals["reasons"] == []
    assert list(submission.decisions.values_list("action", "by")) == [("receive", "host")]
    assert drops() == {}


def test_the_body_and_the_headers_of_success_are_exact(acme: Calendar) -> None:
    answer = send()
    assert answer.content == (
        b'{"success":true,"message":"Thanks, your event submission has been received for review."}'
    )
    assert answer["Content-Type"] == "application/json"
    assert {name: answer[name] for name in NO_STORE} == NO_STORE
    assert not answer.cookies


def test_both_spellings_are_served_without_a_redirect(acme: Calendar) -> None:
    assert send(path="/api/event-submissions/").status_code == 200


# -- the order of checks ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete", "head", "options"])
def test_other_methods_are_405(acme: Calendar, method: str) -> None:
    answer = getattr(Client(), method)("/api/event-submissions")
    assert (answer.status_code, answer["Allow"]) == (405, "POST")
    assert {name: answer[name] for name in NO_STORE} == NO_STORE
    if method != "head":
        assert answer.json() == {"success": False, "error": "Method not allowed"}
    assert drops() == {"wrong_method": 1}


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "", "application/jsonp"])
def test_what_is_not_sent_as_json_is_415(acme: Calendar, media_type: str) -> None:
    answer = send(content_type=media_type)
    if media_type == "application/jsonp":
        # It contains application/json, which is all that is asked for.
        assert answer.status_code == 200
        return
    assert (answer.status_code, answer.json()) == (415, {"success": False, "error": "Unsupported media type"})
    assert drops() == {"unsupported_media_type": 1}


@pytest.mark.parametrize("media_type", ["Application/JSON", "application/json; charset=utf-8"])
def test_the_content_type_is_read_in_any_case_and_with_parameters(acme: Calendar, media_type: str) -> None:
    assert send(content_type=media_type).status_code == 200


def test_without_any_calendar_the_service_is_unavailable() -> None:
    answer = send()
    assert (answer.status_code, answer.json()) == (503, UNAVAILABLE)
    assert int(answer["Retry-After"]) > 0
    assert drops() == {"no_calendar": 1}


@pytest.mark.parametrize("body", [None, b"garbage", b"{}"])
def test_while_closed_everything_is_503_with_the_exact_body_and_nothing_is_counted(
    acme: Calendar, settings: LazySettings, body: bytes | None
) -> None:
    settings.LIMITS = settings.LIMITS | {"SUBMISSION_IP": (1, 600)}
    calendars.close_for_proposals(acme, by="root", now=NOON)
    for _ in range(3):
        answer = send(body)
        assert answer.status_code == 503
        assert answer.content == b'{"success":false,"error":"Event submissions are temporarily closed."}'
    assert not Submission.objects.exists()
    assert not LimitCount.objects.exists()
    assert drops() == {"closed": 3}
    assert Drop.objects.get().website_id == acme.website_id

    calendars.open_for_proposals(acme, by="root", now=NOON)
    assert send().status_code == 200


def test_the_media_type_is_looked_at_before_the_calendar_is(acme: Calendar) -> None:
    calendars.close_for_proposals(acme, by="root", now=NOON)
    assert send(content_type="text/plain").status_code == 415


@time_machine.travel(NOON, tick=False)
def test_the_21st_call_in_ten_minutes_is_429_whatever_it_holds(acme: Calendar) -> None:
    for _ in range(20):
        assert send(b"{").status_code == 400
    answer = send()
    assert (answer.status_code, answer.json()) == (429, TOO_MANY)
    assert 1 <= int(answer["Retry-After"]) <= 600
    assert {name: answer[name] for name in NO_STORE} == NO_STORE
    assert drops() == {"malformed_json": 20, "rate_limited_ip": 1}
    assert send(REMOTE_ADDR="203.0.113.8").status_code == 200


def test_a_forwarded_address_of_a_stranger_does_not_evade_the_limit(acme: Calendar, settings: LazySettings) -> None:
    settings.LIMITS = settings.LIMITS | {"SUBMISSION_IP": (1, 600)}
    assert send(HTTP_X_FORWARDED_FOR="198.51.100.1").status_code == 200
    assert send(HTTP_X_FORWARDED_FOR="198.51.100.2").status_code == 429


def test_addresses_of_one_ipv6_network_count_together(acme: Calendar, settings: LazySettings) -> None:
    settings.LIMITS = settings.LIMITS | {"SUBMISSION_IP": (1, 600)}
    assert send(REMOTE_ADDR="2001:db8::1").status_code == 200
    assert send(REMOTE_ADDR="2001:db8::2").status_code == 429
    assert send(example(eventName="Other"), REMOTE_ADDR="2001:db8:0:1::2").status_code == 200


def test_when_redis_cannot_count_nobody_passes(
    acme: Calendar, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:1/0"}}
    monkeypatch.setattr(cache, "_closed_until", 0.0)
    for _ in range(2):
        answer = send()
        assert (answer.status_code, answer.json()) == (503, UNAVAILABLE)
        assert int(answer["Retry-After"]) > 0
    assert not Submission.objects.exists()
    assert drops() == {"limiter_unavailable": 2}


def test_a_limit_that_is_off_needs_nobody_to_count(
    acme: Calendar, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.LIMITS = dict.fromkeys(settings.LIMITS)
    monkeypatch.setattr(cache, "_closed_until", float("inf"))
    assert [send().status_code for _ in range(7)] == [200] * 7
    assert not LimitCount.objects.exists()


# -- the body ---------------------------------------------------------------------------------------------------------

PAYLOAD = {"success": False, "error": "Invalid request payload"}
HOSTILE = {
    "empty": b"",
    "cut off": b'{"eventName":',
    "nan": b'{"eventName":NaN}',
    "infinity": b'{"eventName":-Infinity}',
    "utf-16": json.dumps(EXAMPLE).encode("utf-16"),
    "latin-1": '{"eventName":"Fête"}'.encode("latin-1"),
    "gzip": b"\x1f\x8b\x08\x00\x00\x00\x00\x00",
    "a NUL": json.dumps(EXAMPLE | {"notes": "a\0b"}).encode(),
    "a NUL in a key": json.dumps(EXAMPLE | {"a\0b": 1}).encode(),
    "a NUL in a key that nobody reads": json.dumps(EXAMPLE | {"x": {"y\0": [1]}}).encode(),
    "a lone surrogate": json.dumps(EXAMPLE).encode().replace(b"Jazz Night", b"\\ud800"),
    "a deep nest": b'{"x":' + b"[" * 1000 + b"]" * 1000 + b"}",
    "a nest just too deep": b'{"x":' + b"[" * 32 + b"]" * 32 + b"}",
    "a bare word": b"nothing",
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_what_is_no_json_that_can_be_stored_is_400(acme: Calendar, body: bytes) -> None:
    answer = send(body)
    assert (answer.status_code, answer.json()) == (400, PAYLOAD)
    assert {name: answer[name] for name in NO_STORE} == NO_STORE
    assert drops() == {"malformed_json": 1}
    assert not Submission.objects.exists()


@pytest.mark.parametrize("body", [b"[]", b'"text"', b"1", b"null", b"true"])
def test_json_that_is_no_object_has_an_issue(acme: Calendar, body: bytes) -> None:
    answer = send(body)
    assert (answer.status_code, answer.json()) == (
        400,
        {"success": False, "error": "Invalid submission details", "issues": ["body: Must be a JSON object."]},
    )


@pytest.mark.parametrize(
    "value",
    [b"1e999", b"9" * 5000, b"18446744073709551616", b"true", b"{}", b"[]", b"1", b"0.5"],
    ids=["1e999", "5000 digits", "2^64", "true", "object", "array", "integer", "fraction"],
)
def test_what_is_no_string_is_400_and_never_worse(acme: Calendar, value: bytes) -> None:
    body = json.dumps(EXAMPLE).encode().replace(b'"Jazz"', value)
    answer = send(body)
    assert answer.status_code == 400
    if answer.json() != PAYLOAD:
        assert answer.json()["issues"] == ["genre: Must be a string."]


def test_a_byte_order_mark_is_no_part_of_the_text(acme: Calendar) -> None:
    assert send(b"\xef\xbb\xbf" + json.dumps(example()).encode()).status_code == 200


def test_of_a_key_that_comes_twice_the_last_counts(acme: Calendar) -> None:
    assert send(json.dumps(example()).encode()[:-1] + b',"genre":"Rock"}').status_code == 200
    assert Submission.objects.get().payload["genre"] == "Rock"


@pytest.mark.parametrize("surplus", [{"admin": True}, {"status": "accepted"}, {"x": {"y": [1, None]}}])
def test_unknown_fields_are_ignored(acme: Calendar, surplus: dict[str, Any]) -> None:
    assert send(example(**surplus)).status_code == 200
    assert Submission.objects.get().status == "pending"
    assert surplus.keys().isdisjoint(Submission.objects.get().payload)


def test_200_000_keys_are_too_large(acme: Calendar) -> None:
    answer = send(json.dumps({str(number): 1 for number in range(200_000)}).encode())
    assert (answer.status_code, answer.json()) == (413, {"success": False, "error": "Request body too large"})


def test_64_kib_are_taken_and_a_byte_more_is_not(acme: Calendar) -> None:
    body = json.dumps(example()).encode()
    assert send(body + b" " * (65_536 - len(body))).status_code == 200
    answer = send(body + b" " * (65_537 - len(body)))
    assert (answer.status_code, answer.content) == (413, b'{"success":false,"error":"Request body too large"}')
    assert drops() == {"too_large": 1}


# -- the fields -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", REQUIRED)
@pytest.mark.parametrize("value", ["absent", None, "", " \t\n "], ids=["absent", "null", "empty", "blank"])
def test_each_required_field_that_is_missing_is_an_issue(acme: Calendar, name: str, value: str | None) -> None:
    body = example(**{name: value})
    if value == "absent":
        del body[name]
    answer = send(body)
    assert (answer.status_code, answer.json()) == (
        400,
        {
            "success": False,
            "error": "Invalid submission details",
            "issues": [f"{name}: This field is required."],
        },
    )
    assert drops() == {"invalid_field": 1}
    assert not LimitCount.objects.exists()


def test_every_issue_is_told_in_the_order_of_the_fields(acme: Calendar) -> None:
    answer = send({"honeypot": 1, "notes": "n" * 3001, "eventName": "A", "proofLink": "ftp://example.com"})
    assert answer.json()["issues"] == [
        "eventName: Must have at least 2 characters.",
        "date: This field is required.",
        "startTime: This field is required.",
        "location: This field is required.",
        "hostEmail: This field is required.",
        "proofLink: Must be an HTTP(S) URL, for example https://example.com/event.",
        "notes: Must have at most 3000 characters.",
        "honeypot: Must be a string.",
    ]


@pytest.mark.parametrize("name", ["endTime", "genre", "notes", "arrondissement", "formStartedAt", "honeypot"])
def test_null_in_an_optional_field_is_absent(acme: Calendar, name: str) -> None:
    assert send(example(**{name: None})).status_code == 200
    assert name not in Submission.objects.get().payload


# -- limits of the submission -----------------------------------------------------------------------------------------


@time_machine.travel(NOON, tick=False)
def test_the_same_event_once_more_is_429_until_a_day_has_passed(acme: Calendar) -> None:
    assert send().status_code == 200
    with time_machine.travel(NOON + timedelta(hours=1), tick=False):
        again = send()
        other_host = send(example(hostEmail="somebody@else.example"))
    assert (again.status_code, again.json(), again["Retry-After"]) == (429, TOO_MANY, "82800")
    assert (other_host.status_code, other_host["Retry-After"]) == (429, "82800")
    assert drops() == {"rate_limited_fingerprint": 2}
    with time_machine.travel(NOON + timedelta(days=1), tick=False):
        assert send().status_code == 200


def test_the_same_event_is_known_in_other_case_and_spacing(acme: Calendar) -> None:
    assert send().status_code == 200
    again = example(
        eventName=" jazz  NIGHT at le sunset ", proofLink="HTTPS://WWW.lesunset.com/events/jazz-night-march"
    )
    assert send(again).status_code == 429


@pytest.mark.parametrize(
    "change", [{"eventName": "Soul Night"}, {"date": "2026-03-16"}, {"startTime": "21:00"}, {"location": "Paris"}]
)
def test_another_event_of_the_same_host_is_taken(acme: Calendar, change: dict[str, str]) -> None:
    assert [send().status_code, send(example(**change)).status_code] == [200, 200]


@time_machine.travel(NOON, tick=False)
def test_the_6th_of_one_host_in_an_hour_is_429(acme: Calendar) -> None:
    for number in range(5):
        assert send(example(eventName=f"Night {number}")).status_code == 200
    answer = send(example(eventName="Night 6", hostEmail="CONTACT@lesunset.com"))
    assert (answer.status_code, answer["Retry-After"]) == (429, "3600")
    assert send(example(eventName="Night 7", hostEmail="other@lesunset.com")).status_code == 200
    assert send(example(eventName="Night 8"), REMOTE_ADDR="203.0.113.8").status_code == 200
    assert drops() == {"rate_limited_email": 1}


def test_limits_survive_a_flushed_redis(acme: Calendar, settings: LazySettings) -> None:
    assert send().status_code == 200
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.flushdb()
    assert send().status_code == 429


def test_a_wrong_proposal_uses_up_neither_limit(acme: Calendar) -> None:
    for _ in range(7):
        assert send(example(genre=1)).status_code == 400
    assert send().status_code == 200


@pytest.fixture
def failing_insert(acme: Calendar) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "ALTER TABLE submissions_submission ADD CONSTRAINT out_of_order CHECK (name <> 'Broken') NOT VALID"
        )


def test_a_failed_insert_is_503_and_uses_up_nothing(failing_insert: None, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.CRITICAL):
        answer = send(example(eventName="Broken"))
    assert (answer.status_code, answer.json()) == (503, UNAVAILABLE)
    assert not LimitCount.objects.exists()
    assert not Host.objects.exists()
    assert drops() == {"storage_unavailable": 1}
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE submissions_submission DROP CONSTRAINT out_of_order")
    assert send(example(eventName="Broken")).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_of_parallel_identical_ones_exactly_one_is_stored() -> None:
    make_calendar()
    ready = threading.Barrier(4)

    def propose(_: int) -> int:
        try:
            ready.wait(10)
            return send().status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        statuses = sorted(pool.map(propose, range(4)))
    assert statuses == [200, 429, 429, 429]
    assert Submission.objects.count() == 1
    assert Host.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_locked_table_is_503_soon(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    make_calendar()
    monkeypatch.setattr(limits, "LOCK_WAIT", "50ms")
    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLE submissions_submission IN SHARE MODE")
        with caplog.at_level(logging.CRITICAL):
            answer = pool.submit(send_and_close).result(10)
    assert (answer.status_code, answer.json()) == (503, UNAVAILABLE)
    assert send().status_code == 200


def send_and_close() -> Any:
    try:
        return send()
    finally:
        connections.close_all()


# -- spam -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("honeypot", ["http://spam.example", " ", "\n", "0"])
def test_a_filled_honeypot_is_declined_and_answered_no_differently(acme: Calendar, honeypot: str) -> None:
    clean, spam = send(), send(example(eventName="Cheap watches", honeypot=honeypot))
    assert (spam.status_code, spam.content, dict(spam.headers)) == (200, clean.content, dict(clean.headers))
    submission = Submission.objects.get(name="Cheap watches")
    assert (submission.status, submission.review_reason, submission.reviewed_by) == (
        "declined",
        "spam_signal",
        "system",
    )
    assert submission.reviewed_at == submission.created_at
    assert submission.spam_signals["reasons"] == ["honeypot_filled"]
    assert list(submission.decisions.values_list("action", "by", "reason")) == [
        ("auto_decline", "system", "honeypot_filled")
    ]
    assert not {"honeypot", "formStartedAt"} & submission.payload.keys()


@pytest.mark.parametrize(
    ("seconds", "status"), [(0, "declined"), (3.9, "declined"), (3.994, "declined"), (4, "pending"), (4.1, "pending")]
)
@time_machine.travel(NOON, tick=False)
def test_less_than_four_seconds_are_too_fast(acme: Calendar, seconds: float, status: str) -> None:
    started = (NOON - timedelta(seconds=seconds)).isoformat()
    assert send(example(formStartedAt=started)).json() == RECEIVED
    assert Submission.objects.get().status == status


@pytest.mark.parametrize(
    "started",
    [None, "", "soon", "2999-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "1969-07-20", 5, True, ["2026-03-01"], {}],
)
def test_an_unknown_start_is_no_signal_and_no_error(acme: Calendar, started: object) -> None:
    assert send(example(formStartedAt=started)).status_code == 200
    assert Submission.objects.get().status == "pending"


def test_spam_uses_up_neither_the_limit_of_the_event_nor_that_of_the_host(acme: Calendar) -> None:
    for _ in range(6):
        assert send(example(honeypot="x")).status_code == 200
    assert not LimitCount.objects.exists()
    assert send().status_code == 200
    assert Submission.objects.pending().count() == 1


def test_spam_after_the_event_itself_is_refused_like_everybody(acme: Calendar) -> None:
    assert send().status_code == 200
    answer = send(example(honeypot="x"))
    assert (answer.status_code, answer.json()) == (429, TOO_MANY)
    assert Submission.objects.count() == 1


# -- which calendar ---------------------------------------------------------------------------------------------------


def test_the_origin_says_which_calendar_and_else_it_is_the_default_one(acme: Calendar) -> None:
    globex = make_calendar("globex.example", account=make_account("Globex"))
    send(example(eventName="One"), HTTP_ORIGIN="https://globex.example")
    send(example(eventName="Two"), HTTP_ORIGIN="https://elsewhere.example")
    send(example(eventName="Three"))
    found = {submission.name: submission.calendar for submission in Submission.objects.select_related("calendar")}
    assert found == {"One": globex, "Two": acme, "Three": acme}


@pytest.mark.parametrize(
    "origin", ["null", "https://" + "a." * 30_000 + "example", "https://a\0b", "https://[", "\xff", "//"]
)
def test_an_origin_that_names_nobody_is_no_origin(acme: Calendar, origin: str) -> None:
    assert send(HTTP_ORIGIN=origin).status_code == 200
    assert Submission.objects.get().calendar == acme


def test_a_deleted_website_takes_no_proposals(acme: Calendar) -> None:
    acme.website.deleted_at = datetime.now(UTC)
    acme.website.save()
    assert send().json() == UNAVAILABLE


def test_no_answer_lets_other_origins_read_it(acme: Calendar) -> None:
    answer = send(HTTP_ORIGIN="https://globex.example")
    assert not [name for name in answer.headers if name.startswith("Access-Control-")]


# -- what is kept -----------------------------------------------------------------------------------------------------


def test_of_the_caller_only_hashes_are_kept(acme: Calendar) -> None:
    send(REMOTE_ADDR="203.0.113.77", HTTP_USER_AGENT="CanaryUA/7.7")
    with connection.cursor() as cursor:
        for model in (Submission, Host, LimitCount, Decision, Drop):
            cursor.execute(f"SELECT row_to_json(t)::text FROM {model._meta.db_table} t")
            for (row,) in cursor.fetchall():
                assert "203.0.113.77" not in row
                assert "CanaryUA" not in row
    submission = Submission.objects.get()
    assert [len(key) for key in (submission.source_ip_hash, submission.email_ip_hash, submission.fingerprint_hash)] == [
        64,
        64,
        64,
    ]


def test_no_address_is_logged(acme: Calendar, caplog: pytest.LogCaptureFixture) -> None:
    with connection.cursor() as cursor:
        # PostgreSQL tells the whole row that it refuses.
        cursor.execute("ALTER TABLE submissions_host ADD CONSTRAINT out_of_order CHECK (email = '')")
    with caplog.at_level(logging.INFO):
        send(example(hostEmail="canary@example.test"))
        send(example(eventName="A", hostEmail="canary@example.test"))
    assert "IntegrityError 23514 in SubmissionsView" in caplog.text
    assert "canary@example.test" not in caplog.text


def test_a_database_that_is_away_is_503(
    acme: Calendar, settings: LazySettings, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(execute: Any, sql: str, *rest: Any) -> Any:
        if "submissions_" in sql:
            raise DatabaseError("gone")
        return execute(sql, *rest)

    with caplog.at_level(logging.CRITICAL), connection.execute_wrapper(broken):
        answer = send()
    assert (answer.status_code, answer.json()) == (503, UNAVAILABLE)
    assert int(answer["Retry-After"]) > 0


def test_the_calendar_of_another_website_is_not_shown_by_a_website_that_has_none(acme: Calendar) -> None:
    globex = make_website(make_account("Globex"), "globex.example")
    send(HTTP_ORIGIN=f"https://{globex.domain}")
    assert Submission.objects.get().calendar == acme
