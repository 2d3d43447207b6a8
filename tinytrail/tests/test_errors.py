"""Errors that no room answers (contract 2.1; guarantees A82, A85)."""

import pytest
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path

from tinytrail import urls

SECRET = "the secret of an exception"


def broken(request: HttpRequest) -> HttpResponse:
    raise RuntimeError(SECRET)


def away(request: HttpRequest) -> HttpResponse:
    raise OperationalError(SECRET)


# The site's own map, and four addresses that break.
AWAY = [path("away", away), path("api/v1/away", away)]
urlpatterns = [path("broken", broken), path("api/v1/broken", broken), *AWAY, *urls.urlpatterns]
handler400, handler403, handler404, handler500 = urls.handler400, urls.handler403, urls.handler404, urls.handler500


@pytest.fixture
def client():
    return Client(raise_request_exception=False)


def refusal(code, message):
    return {"status": "error", "error": {"code": code, "message": message}}


def test_it_works(client):
    answer = client.get("/nothing/here")
    assert (answer.status_code, answer["Content-Type"]) == (404, "text/html; charset=utf-8")
    assert "<h1>Not found</h1>" in answer.content.decode()


@pytest.mark.parametrize("address", ["/api/v1/nothing", "/api/v1/nothing/", "/api/v1", "/api/v1/", "/api/v1/a/b/c"])
@pytest.mark.parametrize("method", ["get", "post", "delete"])
def test_an_unknown_path_of_the_api_is_answered_in_the_envelope(client, address, method):
    answer = getattr(client, method)(address)
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/json")
    assert answer.json() == refusal("NOT_FOUND", "There is nothing at this address.")


@pytest.mark.parametrize("address", ["/api/v11/x", "/API/V1/x", "/apiv1", "/x/api/v1/"])
def test_what_only_looks_like_the_api_is_a_page(client, address):
    assert client.get(address)["Content-Type"] == "text/html; charset=utf-8"


def test_the_page_does_not_repeat_what_was_asked_for(client):
    answer = client.get("/<script>alert(1)</script>?<script>alert(1)</script>")
    assert (answer.status_code, b"alert" in answer.content) == (404, False)


@pytest.mark.parametrize("headers", [{"host": "evil.example"}, {"X-Forwarded-Host": "evil.example"}])
def test_a_foreign_host_is_400(client, headers):
    for address, kind in (("/", "text/html; charset=utf-8"), ("/api/v1/websites", "application/json")):
        answer = client.get(address, headers=headers)
        assert (answer.status_code, answer["Content-Type"]) == (400, kind)
        assert b"evil.example" not in answer.content
    assert answer.json() == refusal("INVALID_PAYLOAD", "The server does not understand this request.")


def test_a_form_without_its_token_is_403():
    answer = Client(enforce_csrf_checks=True).post("/admin/login/", {"username": "x", "password": "y"})
    assert answer.status_code == 403
    assert "<h1>Not allowed</h1>" in answer.content.decode()


@pytest.mark.urls("tinytrail.tests.test_errors")
def test_a_fault_of_the_server_tells_nothing(client, caplog):
    page = client.get("/broken")
    assert (page.status_code, page["Content-Type"]) == (500, "text/html; charset=utf-8")
    answer = client.get("/api/v1/broken")
    assert answer.status_code == 500
    assert answer.json() == refusal("INTERNAL_ERROR", "The error has been logged. Please try again later.")
    for content in (page.content, answer.content):
        assert SECRET.encode() not in content
        assert b"Traceback" not in content
    assert SECRET in caplog.text


@pytest.mark.urls("tinytrail.tests.test_errors")
def test_while_the_database_is_away_nothing_is_a_fault_of_the_server(client, caplog):
    page = client.get("/away")
    assert (page.status_code, page["Retry-After"], page["Content-Type"]) == (503, "5", "text/html; charset=utf-8")
    answer = client.get("/api/v1/away")
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert answer.json() == refusal("INTERNAL_ERROR", "The database does not answer just now.")
    assert SECRET not in caplog.text
    assert "The database does not answer: OperationalError" in caplog.text


@pytest.mark.parametrize("address", ["/nothing", "/api/v1/nothing"])
def test_an_error_has_no_version_and_sets_no_cookie(client, address):
    answer = client.get(address)
    assert (answer.cookies, answer.has_header("Server")) == ({}, False)
    assert b"0.1.0" not in answer.content


def test_nobody_keeps_an_error_page(client):
    assert client.get("/nothing")["Cache-Control"] == "no-store"
