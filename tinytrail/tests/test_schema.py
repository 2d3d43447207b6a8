"""The OpenAPI document and the page that shows it (product, Interfaces)."""

import io

import pytest
from django.core.management import call_command
from django.test import Client

from analytics.tests.browser import Chromium, chromium  # noqa: F401

OPERATIONS = {
    ("/api/v1/accounts", "get"),
    ("/api/v1/accounts", "post"),
    ("/api/v1/accounts/{id}", "delete"),
    ("/api/v1/users", "get"),
    ("/api/v1/users", "post"),
    ("/api/v1/users/{id}", "delete"),
    ("/api/v1/users/{id}/api-key", "get"),
    ("/api/v1/websites", "get"),
    ("/api/v1/websites", "post"),
    ("/api/v1/websites/{id}", "patch"),
    ("/api/v1/websites/{id}", "delete"),
    ("/api/v1/collect", "post"),
    ("/api/v1/reports/summary", "get"),
    ("/js/tracker.js", "get"),
}


def document(client):
    answer = client.get("/api/schema/", headers={"accept": "application/json"})
    assert answer.status_code == 200
    return answer.json()


def operations(found):
    methods = ("get", "post", "put", "patch", "delete")
    return {(path, method) for path, item in found["paths"].items() for method in item if method in methods}


def test_it_works():
    printed = io.StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=printed)
    assert printed.getvalue().startswith("openapi: 3.1")


def test_it_names_the_operations(client: Client):
    assert operations(document(client)) >= OPERATIONS


def test_a_route_stands_there_once(client: Client):
    paths = [*document(client)["paths"]]
    assert [path for path in paths if path.endswith("/") and path[:-1] in paths] == []


def test_every_operation_says_what_it_does(client: Client):
    found = document(client)
    nameless = [(path, method) for path, method in operations(found) if not found["paths"][path][method].get("summary")]
    assert nameless == []


@pytest.mark.django_db(transaction=True)
def test_a_browser_shows_it_under_the_policy(chromium: Chromium, live_server):  # noqa: F811
    problems = []

    def story(page):
        page.on("console", lambda message: message.type == "error" and problems.append(message.text))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("requestfailed", lambda request: problems.append(request.url))
        page.goto(f"{live_server.url}/api/schema/docs/")
        page.wait_for_selector(".opblock")
        return page.locator(".opblock-summary-path").evaluate_all("all => all.map(one => one.dataset.path)")

    shown = chromium.browse(story)
    assert {path for path, _ in OPERATIONS} <= set(shown)
    assert problems == []
