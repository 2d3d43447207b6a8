"""The manners of API v1, for every protected route there is."""

import json
import os
import subprocess
import sys
from uuid import uuid4

import pytest
import time_machine
from django.conf import settings as configured
from django.db import connection
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from accounts.api.dialect import MOST_BODY_BYTES, V1View
from accounts.models import Account, AuditEntry
from accounts.removal import remove_account, remove_user
from accounts.tests.builders import call, make_account, make_root, make_user, make_website, refused

NOBODY = "550e8400-e29b-41d4-a716-446655440000"
pytestmark = pytest.mark.django_db


def protected_routes() -> list[tuple[str, str, bool]]:
    """Every (method, path, admin only) of the URLconf that is behind a key, both spellings."""
    found = []

    def walk(patterns, prefix):
        for pattern in patterns:
            if isinstance(pattern, URLResolver):
                walk(pattern.url_patterns, prefix + str(pattern.pattern))
            elif isinstance(pattern, URLPattern):
                view = getattr(pattern.callback, "cls", None)
                if view and issubclass(view, V1View):
                    path = "/" + (prefix + str(pattern.pattern)).replace("<str:id>", NOBODY)
                    methods = [name for name in view.http_method_names if hasattr(view, name)]
                    found.extend((method.upper(), path, view.admin_only) for method in methods)

    walk(get_resolver().url_patterns, "")
    return found


ROUTES = protected_routes()
ADMIN_ROUTES = [(method, path) for method, path, admin_only in ROUTES if admin_only]


def test_it_works():
    acme = make_user()
    response = call("GET", "/api/v1/websites", acme)
    assert (response.status_code, response.json()) == (200, {"status": "success", "data": []})
    assert response["Content-Type"] == "application/json"


def test_the_loop_over_the_urlconf_finds_the_routes():
    assert {("GET", "/api/v1/accounts"), ("POST", "/api/v1/websites/"), ("GET", "/api/v1/users")} <= {
        (method, path) for method, path, _ in ROUTES
    }
    assert len(ROUTES) >= 22


# -- the key ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "path", "_"), ROUTES)
def test_no_key_is_401_on_every_protected_route(method, path, _):
    response = call(method, path)
    assert refused(response, 401, "UNAUTHORIZED")
    assert response["WWW-Authenticate"] == "X-API-KEY"


@pytest.mark.parametrize("key", ["", " ", "x" * 10_000, "tt_\0", "tt_\xe9", "\U0001f600", "tt_" + "0" * 43])
def test_a_key_that_was_never_issued_is_401(key):
    assert refused(Client(headers={"X-API-KEY": key}).get("/api/v1/websites"), 401, "UNAUTHORIZED")


def test_two_keys_are_401_in_either_order_and_also_twice_the_same():
    key = make_user().key
    for both in (f"{key},tt_wrong", f"tt_wrong,{key}", f"{key}, {key}", f"{key},{key}"):
        assert refused(Client(headers={"X-API-KEY": both}).get("/api/v1/websites"), 401, "UNAUTHORIZED")


def test_a_key_anywhere_but_in_the_header_is_401():
    key = make_user().key
    client = Client()
    client.cookies["X-API-KEY"] = key
    for response in (
        client.get("/api/v1/websites"),
        Client().get("/api/v1/websites", {"api_key": key, "X-API-KEY": key}),
        Client(headers={"Authorization": f"Bearer {key}"}).get("/api/v1/websites"),
    ):
        assert refused(response, 401, "UNAUTHORIZED")


def test_the_keys_of_a_removed_user_and_of_a_removed_account_are_401_at_once():
    gone, member = make_user(), make_user()
    remove_user(gone, by=None)
    remove_account(member.account, by=None, now=timezone.now())
    assert refused(call("GET", "/api/v1/websites", gone), 401, "UNAUTHORIZED")
    assert refused(call("GET", "/api/v1/websites", member), 401, "UNAUTHORIZED")


def test_a_401_says_the_same_of_no_key_a_wrong_key_and_a_removed_key():
    gone, wrong = make_user(), make_user()
    remove_user(gone, by=None)
    wrong.key = "tt_wrong"
    answers = [call("GET", "/api/v1/websites", user) for user in (None, gone, wrong)]
    assert len({(answer.content, str(sorted(answer.headers.items()))) for answer in answers}) == 1


def test_a_session_of_the_back_office_opens_nothing():
    client = Client()
    client.force_login(make_root(login="root"))
    assert refused(client.get("/api/v1/accounts"), 401, "UNAUTHORIZED")


# -- the role ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "path"), ADMIN_ROUTES)
def test_a_users_key_is_403_on_every_admin_route(method, path):
    assert refused(call(method, path, make_user()), 403, "FORBIDDEN")


def test_a_method_override_is_ignored():
    acme = make_user()
    website = make_website(acme.account)
    response = call(
        "POST",
        f"/api/v1/websites/{website.public_id}",
        acme,
        **{"X-HTTP-Method-Override": "DELETE", "X-Method-Override": "DELETE"},
    )
    assert response.status_code == 405
    website.refresh_from_db()
    assert website.deleted_at is None


# -- methods and paths ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["PUT", "OPTIONS", "TRACE", "FOO", "DELETE"])
def test_another_method_is_405_in_the_envelope_with_allow(method):
    response = call(method, "/api/v1/websites", make_user())
    assert refused(response, 405, "INVALID_PAYLOAD")
    assert response["Allow"] == "GET, POST, HEAD"


@pytest.mark.parametrize("method", ["OPTIONS", "TRACE", "FOO", "HEAD"])
def test_another_method_without_a_key_is_401(method):
    response = call(method, "/api/v1/websites")
    assert response.status_code == 401
    assert b"acme" not in response.content


def test_head_answers_as_get_without_a_body():
    acme = make_user()
    make_website(acme.account)
    response = call("HEAD", "/api/v1/websites", acme)
    assert (response.status_code, response.content) == (200, b"")


@pytest.mark.parametrize(
    "path", ["//api/v1/accounts", "/api//v1/accounts", "/api/v1//accounts", "/API/v1/accounts", "/api/v1/Accounts"]
)
def test_other_spellings_of_a_path_are_404(path):
    assert call("GET", path, make_root()).status_code == 404


def test_an_encoded_path_needs_a_key_all_the_same():
    assert refused(call("GET", "/api/v1/%61ccounts"), 401, "UNAUTHORIZED")


@pytest.mark.parametrize("path", ["/api/v1", "/api/v1/", "/api/v1/nothing", "/api/v1/accounts/a/b", "/api/v1/%00"])
def test_an_unknown_path_is_404_in_the_envelope(path):
    assert refused(call("GET", path), 404, "NOT_FOUND")


def test_both_spellings_of_a_route_answer_without_a_redirect():
    root = make_root()
    for path in ("/api/v1/accounts", "/api/v1/users", "/api/v1/websites", f"/api/v1/users/{root.id}/api-key"):
        assert call("GET", path, root).status_code == 200
        assert call("GET", f"{path}/", root).status_code == 200
    assert call("POST", "/api/v1/accounts/", root, {"name": "Acme"}).status_code == 201


IDS = ["1", "x", "{550e8400-e29b-41d4-a716-446655440000}", "urn:uuid:550e8400-e29b-41d4-a716-446655440000"]
IDS += [
    "550e8400e29b41d4a716446655440000",
    "550e8400-e29b-41d4-a716-44665544000g",
    "%00",
    "%EF%BC%91",
    "%0A",
    "x" * 999,
]


@pytest.mark.parametrize("id", IDS)
def test_an_id_that_is_no_uuid_is_400(id):
    root = make_root()
    for method, path in (
        ("DELETE", "/api/v1/accounts/{}"),
        ("DELETE", "/api/v1/users/{}"),
        ("GET", "/api/v1/users/{}/api-key"),
        ("PATCH", "/api/v1/websites/{}"),
        ("DELETE", "/api/v1/websites/{}"),
    ):
        assert refused(call(method, path.format(id), root), 400, "INVALID_PAYLOAD")


def test_an_id_in_upper_case_is_the_same_id():
    acme = make_user()
    website = make_website(acme.account)
    assert call("DELETE", f"/api/v1/websites/{str(website.public_id).upper()}", acme).status_code == 200


def test_checks_run_in_the_contracts_order():
    acme, root = make_user(), make_root()
    assert call("PATCH", "/api/v1/accounts/x").status_code == 401
    assert call("DELETE", "/api/v1/accounts/x", acme).status_code == 403
    assert call("DELETE", "/api/v1/accounts/x", root).status_code == 400
    assert call("PATCH", f"/api/v1/websites/{uuid4()}", root, b"not json").status_code == 404
    assert call("PATCH", "/api/v1/websites/x", root, b"not json").status_code == 400


# -- the limit --------------------------------------------------------------------------------------------------------


def test_the_61st_call_in_a_window_is_429_with_retry_after():
    acme = make_user()
    with time_machine.travel("2026-03-21T10:00:00Z", tick=False):
        for _ in range(60):
            assert call("GET", "/api/v1/websites", acme).status_code == 200
        response = call("GET", "/api/v1/websites", acme)
    assert refused(response, 429, "RATE_LIMITED")
    assert 1 <= int(response["Retry-After"]) <= 60


def test_retry_after_is_when_calls_pass_again():
    acme = make_user()
    with time_machine.travel("2026-03-21T10:00:00Z", tick=False) as clock:
        for _ in range(60):
            call("GET", "/api/v1/websites", acme)
        wait = int(call("GET", "/api/v1/websites", acme)["Retry-After"])
        clock.shift(wait + 1)
        assert call("GET", "/api/v1/websites", acme).status_code == 200


def test_the_limit_counts_all_protected_routes_together_and_each_key_alone():
    acme, globex = make_user(), make_user()
    with time_machine.travel("2026-03-21T10:00:00Z", tick=False):
        for number in range(60):
            call(
                *[("GET", "/api/v1/websites"), ("GET", "/api/v1/accounts"), ("PUT", "/api/v1/users")][number % 3], acme
            )
        assert call("GET", "/api/v1/accounts", acme).status_code == 429
        assert call("GET", "/api/v1/websites", globex).status_code == 200


def test_preflights_spend_no_limit(settings):
    settings.LIMITS = {**settings.LIMITS, "API_KEY": (2, 60)}
    acme = make_user()
    with time_machine.travel("2026-03-21T10:00:00Z", tick=False):
        for _ in range(5):
            assert call("OPTIONS", "/api/v1/websites", acme).status_code == 405
        assert call("GET", "/api/v1/websites", acme).status_code == 200


def test_a_wrong_key_is_401_however_often():
    for _ in range(70):
        assert Client(headers={"X-API-KEY": "tt_wrong"}).get("/api/v1/websites").status_code == 401


def test_a_limit_that_is_off_refuses_nobody(settings):
    settings.LIMITS = {**settings.LIMITS, "API_KEY": None}
    acme = make_user()
    assert {call("GET", "/api/v1/websites", acme).status_code for _ in range(70)} == {200}


def test_the_limit_is_shared_with_other_processes(settings):
    settings.LIMITS = {**settings.LIMITS, "API_KEY": (3, 60)}
    # The other process counts in the window of its own clock, so both need the real time, far from a window's end.
    settings.LIMITS["API_KEY"] = (3, 86_400)
    acme = make_user()
    count_there = (
        "import django; django.setup()\n"
        "from accounts import limits\n"
        f"for _ in range(3): limits.retry_after('API_KEY', {bytes(acme.key_hash).hex()!r})"
    )
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tinytrail.settings",
        "DATABASE_URL": "postgresql://nobody@nowhere/nothing",
        "REDIS_URL": configured.REDIS_URL,
        "TINYTRAIL_SECRET_KEY": "s" * 32,
        "TINYTRAIL_KEK": "k" * 32,
        "TINYTRAIL_PEPPER": settings.PEPPER,
        "TINYTRAIL_LIMIT_API_KEY": "3/86400",
    }
    subprocess.run([sys.executable, "-c", count_there], env=environment, check=True, cwd=configured.BASE_DIR)
    assert call("GET", "/api/v1/websites", acme).status_code == 429


# -- bodies -----------------------------------------------------------------------------------------------------------

HOSTILE = {
    "not json": b"{",
    "empty string": b'""',
    "array": b"[]",
    "number": b"1",
    "null": b"null",
    "nul in a value": b'{"name": "a\\u0000b"}',
    "nul in a key": b'{"name": "Acme", "a\\u0000": 1}',
    "nul in a list": b'{"name": "Acme", "x": ["\\u0000"]}',
    "raw nul": b'{"name": "a\0b"}',
    "lone surrogate": b'{"name": "\\ud800"}',
    "lone surrogate in utf-8": b'{"name": "\xed\xa0\x80"}',
    "NaN": b'{"name": "Acme", "x": NaN}',
    "Infinity": b'{"name": "Acme", "x": Infinity}',
    "1e999": b'{"name": "Acme", "x": 1e999}',
    "5000 digits": b'{"name": "Acme", "x": ' + b"9" * 5000 + b"}",
    "beyond 2^53": b'{"name": "Acme", "x": 9007199254740993}',
    "33 levels": b'{"name": "Acme", "x": ' + b"[" * 32 + b"]" * 32 + b"}",
    "1000 levels": b'{"name": "Acme", "x": ' + b'{"a":' * 1000 + b"1" + b"}" * 1000 + b"}",
    "100000 levels": b"[" * 100_000,
    "utf-16": '{"name": "Acme"}'.encode("utf-16"),
    "latin-1": '{"name": "é"}'.encode("latin-1"),
    "two values": b'{"name": "Acme"}{"name": "Acme"}',
    "true for a name": b'{"name": true}',
    "number for a name": b'{"name": 5}',
    "array for a name": b'{"name": ["Acme"]}',
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_bodies_are_400(body):
    root = make_root()
    assert refused(call("POST", "/api/v1/accounts", root, body), 400, "INVALID_PAYLOAD")
    assert Account.objects.count() == 1


WELCOME = {
    "byte order mark": b'\xef\xbb\xbf{"name": "Acme"}',
    "last of two": b'{"name": "Other", "name": "Acme"}',
    "escaped backslash u0000": b'{"name": "Acme", "x": "\\\\u0000"}',
    "32 levels": b'{"name": "Acme", "x": ' + b"[" * 31 + b"]" * 31 + b"}",
    "many keys": json.dumps({"name": "Acme", **{str(number): 0 for number in range(20_000)}}).encode(),
    "white space": b' {"name": "  Acme "} ',
}


@pytest.mark.parametrize("body", WELCOME.values(), ids=WELCOME.keys())
def test_unusual_bodies_are_read(body):
    response = call("POST", "/api/v1/accounts", make_root(), body)
    assert (response.status_code, response.json()["data"]["name"]) == (201, "Acme")


def test_a_body_over_256_kib_is_413():
    root = make_root()
    body = b'{"name": "Acme", "x": "' + b"x" * (MOST_BODY_BYTES - 25) + b'"}'
    assert len(body) == MOST_BODY_BYTES
    assert call("POST", "/api/v1/accounts", root, body).status_code == 201
    assert refused(call("POST", "/api/v1/accounts", root, body + b" "), 413, "INVALID_PAYLOAD")


@pytest.mark.parametrize(
    "kind", ["application/json", "application/json; charset=utf-8", "APPLICATION/JSON; Charset=UTF-8", ""]
)
def test_json_in_utf8_is_read_however_its_type_is_written(kind):
    assert call("POST", "/api/v1/accounts", make_root(), {"name": "Acme"}, **{"Content-Type": kind}).status_code == 201


@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/json", "json", "*/*"]
    + ["application/json; charset=utf-16", "application/json; charset=latin1", "application/json; charset=nonsense"],
)
def test_another_content_type_is_415(kind):
    response = call("POST", "/api/v1/accounts", make_root(), {"name": "Acme"}, **{"Content-Type": kind})
    assert refused(response, 415, "INVALID_PAYLOAD")


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate", "nonsense"])
def test_a_compressed_body_is_415(encoding):
    response = call("POST", "/api/v1/accounts", make_root(), {"name": "Acme"}, **{"Content-Encoding": encoding})
    assert refused(response, 415, "INVALID_PAYLOAD")


@pytest.mark.parametrize(
    "accept", ["text/html", "image/avif,image/webp", "application/xml", "application/json; indent=8", "nonsense", ""]
)
def test_accept_and_format_change_nothing(accept):
    acme = make_user()
    plain = call("GET", "/api/v1/websites", acme)
    for query in ("", "?format=xml", "?format=api"):
        other = call("GET", f"/api/v1/websites{query}", acme, Accept=accept)
        assert (other.status_code, other.content, other["Content-Type"]) == (200, plain.content, "application/json")


# -- when something breaks --------------------------------------------------------------------------------------------


def test_an_error_nobody_foresaw_is_500_without_detail(settings):
    acme, root = make_user(), make_root()
    settings.KEKS = ["another-key-encryption-key-of-some-length"]
    response = call("GET", f"/api/v1/users/{acme.id}/api-key", root)
    assert refused(response, 500, "INTERNAL_ERROR")
    assert response.json()["error"]["message"] == "Something went wrong."
    assert AuditEntry.objects.filter(action="api_key.unreadable", subject=str(acme.id)).count() == 1
    # The way in does not depend on that key.
    assert call("GET", "/api/v1/accounts", root).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_away_is_503_with_retry_after(settings):
    acme = make_user()
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_database()")
        name = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = "there_is_no_such_database"
    try:
        response = call("GET", "/api/v1/websites", acme)
    finally:
        connection.settings_dict["NAME"] = name
    assert refused(response, 503, "INTERNAL_ERROR")
    assert int(response["Retry-After"]) >= 1


def test_no_answer_with_a_wrong_key_names_the_key():
    user = make_user(make_account())
    user.key = "tt_secret_but_wrong"
    assert b"secret_but" not in call("GET", "/api/v1/websites", user).content
