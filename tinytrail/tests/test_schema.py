"""The OpenAPI document and the page that shows it (product, Interfaces; what calls are answered: test_fuzz)."""

import io
import re
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from jsonschema import Draft202012Validator

from analytics.api.routes import ENDPOINTS
from analytics.tests.browser import Chromium, chromium  # noqa: F401
from tinytrail.tests.urlmap import EXPRESSIONS, Door, every_route
from tinytrail.web import openapi

# For people, as is the whole back office with its login, and what is behind its door.
PAGES = {
    "calendar",
    "calendar/<uuid:website>",
    "calendar/<uuid:website>/<str:key>",
    "calendar/<uuid:website>/<str:key>/<slug:slug>",
    "calendar/submit",
    "calendar/<uuid:website_id>/submit",
    "calendar/proposals/<str:token>",
    "calendar/proposals/<str:token>/edit",
    "calendar/proposals/<str:token>/withdraw",
    "calendar/proposals/<str:token>/answer",
    "calendar/proposals/<str:token>/appeal",
    "share/<str:token>",
    "share/<str:token>/list/<slug:tab>",
    "sign-in/<str:token>",
}
# The document itself, and its page.
ITSELF = {"api/schema", "api/schema/docs"}
# Open to everybody, or for who has the address.
KEYLESS = {
    "/",
    "/api/event-submissions",
    "/api/track",
    "/api/track/discovery",
    "/api/v1/collect",
    "/calendar.ics",
    "/calendar.json",
    "/calendar.rss",
    "/calendar/{website}.ics",
    "/calendar/{website}.json",
    "/calendar/{website}.rss",
    "/calendar/{website}/{key}/event.ics",
    "/health",
    "/js/tracker.js",
    "/metrics",
    "/share/{token}/csv/{tab}",
}
CONVERTER = re.compile(r"<(?:\w+:)?(\w+)>")


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    answer = Client().get("/api/schema/", headers={"accept": "application/json"})
    assert answer.status_code == 200
    document: dict[str, Any] = answer.json()
    return document


@pytest.fixture(scope="module")
def operations(found):
    return {f"{method.upper()} {path}": each for path, item in found["paths"].items() for method, each in item.items()}


def resolved(found, node):
    """What a reference stands for."""
    return found["components"]["schemas"][node["$ref"].rpartition("/")[2]] if "$ref" in node else node


def test_it_works():
    printed = io.StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=printed)
    assert printed.getvalue().startswith("openapi: 3.1")


def test_every_route_that_programs_use_stands_there(found):
    routes = [route for route in every_route() if route.door is not Door.SESSION and route.pattern not in EXPRESSIONS]
    routes = [route for route in routes if route.name not in PAGES | ITSELF and not route.name.startswith("admin")]
    assert len(routes) > 100
    missing = {CONVERTER.sub(r"{\1}", f"/{route.name}") for route in routes} - found["paths"].keys()
    assert missing == set()


def test_every_ingest_route_stands_there(found):
    paths = {path for path in ENDPOINTS if not path.startswith("//")}
    # Of the widgets' routes these are the beginnings.
    beginnings = {"/track/widget", "/track/transaction"}
    assert paths - beginnings <= found["paths"].keys()
    assert all(any(path.startswith(f"{beginning}/") for path in found["paths"]) for beginning in beginnings)


def test_what_is_for_people_is_still_there():
    assert {route.name for route in every_route()} >= PAGES | ITSELF


def test_a_route_stands_there_once(found):
    assert [path for path in found["paths"] if path.endswith("/") and path != "/"] == []


def test_every_operation_says_what_it_does_and_has_a_name_of_its_own(operations):
    assert [name for name, each in operations.items() if not each.get("summary")] == []
    names = [each["operationId"] for each in operations.values()]
    assert len(names) == len({*names})


def test_every_dialect_has_a_sentence(found, operations):
    told = {tag["name"]: tag["description"] for tag in found["tags"]}
    assert {tag for each in operations.values() for tag in each["tags"]} == told.keys()
    assert all(text.endswith(".") for text in told.values())


def test_every_parameter_and_every_answer_is_explained(operations):
    parameters = [(name, given["name"]) for name, each in operations.items() for given in each.get("parameters", [])]
    assert len(parameters) > 100
    assert [
        (name, given["name"])
        for name, each in operations.items()
        for given in each.get("parameters", [])
        if not given.get("description")
    ] == []
    assert [
        (name, status)
        for name, each in operations.items()
        for status, answer in each["responses"].items()
        if not answer["description"]
    ] == []


def test_every_answer_with_a_body_has_its_schema(operations):
    without_body = {
        (name, status)
        for name, each in operations.items()
        for status, answer in each["responses"].items()
        if not answer.get("content")
    }
    assert {status for _, status in without_body} == {"204", "304"}
    assert all(
        kind["schema"]
        for each in operations.values()
        for answer in each["responses"].values()
        for kind in answer.get("content", {}).values()
    )


def test_who_is_to_wait_is_told_for_how_long(operations):
    for name, each in operations.items():
        for status in {"429", "503"} & each["responses"].keys():
            if name != "GET /health":
                assert each["responses"][status]["headers"]["Retry-After"]["schema"]["minimum"] == 1, (name, status)


def test_every_refusal_of_api_v1_is_the_envelope(operations):
    refusals = [
        kind["schema"]
        for name, each in operations.items()
        if " /api/v1/" in name
        for status, answer in each["responses"].items()
        if status >= "400"
        for kind in answer["content"].values()
    ]
    assert len(refusals) > 100
    assert {schema["$ref"] for schema in refusals} == {"#/components/schemas/Refusal"}


def test_every_route_that_needs_a_key_says_which(found, operations):
    schemes = found["components"]["securitySchemes"].keys()
    assert {"ApiKey", "OpenPanelClientId", "OpenPanelClientSecret", "WidgetToken"} <= schemes
    keyless = set()
    for name, each in operations.items():
        requirements = each.get("security", [])
        assert {scheme for requirement in requirements for scheme in requirement} <= schemes
        # A preflight comes without a key, from the browser itself.
        if (not requirements or {} in requirements) and not name.startswith("OPTIONS"):
            keyless.add(name.partition(" ")[2])
    assert keyless == KEYLESS


def test_every_body_has_examples_and_they_are_right(found, operations):
    bodies = {name: each["requestBody"] for name, each in operations.items() if "requestBody" in each}
    assert len(bodies) == 10
    for name, body in bodies.items():
        kind = body["content"]["application/json"]
        check = Draft202012Validator({"components": found["components"], **kind["schema"]})
        assert kind["examples"], name
        for example in kind["examples"].values():
            assert [error.message for error in check.iter_errors(example["value"])] == [], name


def test_schemas_are_components_with_names_and_no_two_share_one(found):
    assert {"AccountObject", "OpenPanelCall", "Proposal", "Refusal", "Summary", "WidgetAnswer"} <= found["components"][
        "schemas"
    ].keys()
    paths = {
        "/a": {"get": {"schema": {"title": "A", "type": "string"}}},
        "/b": {"get": {"schema": {"title": "A", "type": "integer"}}},
    }
    with pytest.raises(ValueError, match="Two schemas are called A"):
        openapi.with_named_schemas({"paths": paths, "components": {"schemas": {}}})


@pytest.mark.django_db(transaction=True)
def test_a_browser_shows_it_under_the_policy(found, chromium: Chromium, live_server):  # noqa: F811
    problems = []

    def story(page):
        page.on("console", lambda message: message.type == "error" and problems.append(message.text))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("requestfailed", lambda request: problems.append(request.url))
        page.goto(f"{live_server.url}/api/schema/docs/")
        page.wait_for_selector(".opblock")
        page.locator("#operations-v1-create_website .opblock-summary-control").click()
        page.wait_for_selector("#operations-v1-create_website .opblock-body")
        return page.locator(".opblock-summary-path").evaluate_all("all => all.map(one => one.dataset.path)")

    shown = chromium.browse(story)
    assert {*shown} == found["paths"].keys()
    assert problems == []
