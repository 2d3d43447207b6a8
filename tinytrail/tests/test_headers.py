"""Security headers stand on every class of answers (guarantees, A84)."""

import re

import pytest
from django.test import Client

from accounts.tests.builders import make_account, make_root, make_user, make_website
from tinytrail.web.headers import ADMIN_POLICY, POLICY

pytestmark = pytest.mark.django_db

ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}


def answers():
    """Every class of answers of Django, by name."""
    anybody, foreign = Client(raise_request_exception=False), Client(enforce_csrf_checks=True)
    root = make_root(login="root")
    office = Client()
    office.force_login(root)
    website = make_website(make_user(make_account("Acme")).account)
    key = {"X-API-KEY": root.key}
    yield "page", anybody.get("/")
    yield "json", anybody.get("/health")
    yield "head", anybody.head("/health")
    yield "not found", anybody.get("/nothing")
    yield "envelope of not found", anybody.get("/api/v1/nothing")
    yield "bad host", anybody.get("/", headers={"host": "evil.example"})
    yield "wrong method", anybody.post("/health")
    yield "without a key", anybody.get("/api/v1/websites")
    yield "api", anybody.get("/api/v1/websites", headers=key)
    yield "bad payload", anybody.post("/api/v1/websites", b"{", content_type="application/json", headers=key)
    report = f"/api/v1/reports/summary?website_id={website.public_id}&period=7d"
    yield "report", anybody.get(report, headers=key)
    yield "csv", anybody.get(f"{report}&format=csv", headers=key)
    yield "tracker", anybody.get("/js/tracker.js")
    yield "preflight", anybody.options("/api/v1/collect", headers={"origin": "https://acme.example"})
    yield "schema", anybody.get("/api/schema/")
    yield "documentation", anybody.get("/api/schema/docs/")
    yield "link that does not work", anybody.get("/sign-in/x/")
    yield "look ahead", anybody.head("/sign-in/x/")
    yield "redirect", anybody.get("/admin/")
    yield "sign-in page", anybody.get("/admin/login/")
    yield "refused form", foreign.post("/admin/login/")
    yield "back office", office.get("/admin/")
    yield "list", office.get("/admin/accounts/website/")


def test_it_works():
    found = dict(answers())
    assert {name: headers(answer, ALWAYS) for name, answer in found.items()} == dict.fromkeys(found, ALWAYS)
    # The classes are what their names say.
    statuses = {name: answer.status_code for name, answer in found.items()}
    assert {name for name, status in statuses.items() if status >= 500} == set()
    assert [statuses[name] for name in ("not found", "bad host", "wrong method", "without a key", "bad payload")] == [
        404,
        400,
        405,
        401,
        400,
    ]
    assert [statuses[name] for name in ("page", "api", "report", "csv", "tracker", "back office", "list")] == [200] * 7


def headers(answer, names):
    return {name: answer.headers.get(name) for name in names}


def test_every_answer_has_a_policy_without_inline_script():
    for name, answer in answers():
        policy = answer["Content-Security-Policy"]
        scripts = re.search(r"script-src ([^;]*)", policy) or re.search(r"default-src ([^;]*)", policy)
        assert "'unsafe-inline'" not in scripts[1], name
        assert ("default-src 'self'" in policy, "frame-ancestors 'none'" in policy) == (True, True), name


def test_only_the_back_office_may_evaluate_and_style():
    policies = {name: answer["Content-Security-Policy"] for name, answer in answers()}
    office = {"redirect", "sign-in page", "back office", "list"}
    assert {name for name, policy in policies.items() if policy == ADMIN_POLICY} == office
    assert {name for name, policy in policies.items() if "unsafe" in policy} == office
    # The small pages of errors name their one style by its hash.
    small = {"not found", "bad host", "link that does not work", "refused form"}
    assert {name for name, policy in policies.items() if policy not in (POLICY, ADMIN_POLICY)} == small


def test_without_tls_nothing_is_promised_about_it():
    assert {answer.headers.get("Strict-Transport-Security") for _, answer in answers()} == {None}


def test_an_empty_answer_has_no_length():
    for _, answer in answers():
        if answer.status_code == 204:
            assert not answer.has_header("Content-Length")


def test_cookies_are_for_the_back_office_and_not_for_scripts():
    for name, answer in answers():
        assert all(cookie["httponly"] and cookie["samesite"] == "Lax" for cookie in answer.cookies.values()), name
        if name not in ("sign-in page", "back office", "list"):
            assert answer.cookies == {}, name


def test_behind_tls_browsers_are_told_to_stay_there(settings):
    settings.SECURE_HSTS_SECONDS = 31_536_000
    for address in ("/health", "/nothing", "/api/v1/nothing", "/admin/"):
        assert Client().get(address, secure=True)["Strict-Transport-Security"] == "max-age=31536000"
