"""GET /export/events (contract 6.8)."""

import logging
from datetime import timedelta
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import OperationalError, connection
from django.test import Client as HttpClient
from django.utils import timezone

from accounts.clients import revoke
from analytics.ingest.grants import grants
from analytics.tests.builders import GOOGLEBOT, make_account, make_website
from analytics.tests.panel import Panel

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _fresh(settings):
    grants.forget()
    settings.PEPPER = uuid4().hex


@pytest.fixture
def writer():
    return Panel(make_website())


@pytest.fixture
def reading(writer):
    return Panel(writer.website, right="read")


def export(panel, **parameters):
    return HttpClient().get("/export/events", parameters, headers=panel.trusted)


def names(answer):
    assert answer.status_code == 200, answer.content
    return [event["name"] for event in answer.json()["data"]]


def test_the_events_are_told_newest_first(writer, reading):
    ids = writer.track("first", writer.public, properties={"a": 1}).json()
    writer.track("second", profileId="1")
    answer = export(reading)
    assert answer["Cache-Control"] == "no-store"
    assert answer.json()["meta"] == {"count": 2, "totalCount": 2, "pages": 1, "current": 1}
    assert names(answer) == ["second", "first"]
    second, first = answer.json()["data"]
    assert first == {
        "id": first["id"],
        "name": "first",
        "projectId": str(writer.website.public_id),
        "profileId": None,
        "deviceId": ids["deviceId"],
        "createdAt": first["createdAt"],
        "properties": {"a": 1},
        "path": "",
        "referrer": None,
        "country": None,
        "region": None,
        "city": None,
        "browser": "Chrome",
        "os": "Windows",
        "device": "desktop",
    }
    assert (second["profileId"], second["device"], second["browser"]) == ("1", "server", None)


def test_both_spellings_of_the_route_are_served(reading):
    assert HttpClient().get("/export/events/", headers=reading.trusted).status_code == 200


def test_bots_and_excluded_events_are_left_out(writer, reading):
    writer.track("bot", writer.public | {"user-agent": GOOGLEBOT})
    assert names(export(reading)) == []


def test_what_is_asked_for_is_told(writer, reading):
    past = timezone.now() - timedelta(days=2)
    writer.track("a", profileId="1")
    writer.track("b", profileId="2")
    writer.track("c", profileId="2", properties={"__timestamp": past.isoformat()})
    assert names(export(reading, event="a")) == ["a"]
    assert names(export(reading, event=["a", "c"])) == ["a", "c"]
    assert names(export(reading, profileId="2")) == ["b", "c"]
    day = past.date().isoformat()
    assert names(export(reading, start=day, end=day)) == ["c"]
    assert names(export(reading, start=(past + timedelta(seconds=1)).isoformat())) == ["b", "a"]
    assert names(export(reading, end=past.isoformat())) == []


def test_pages_are_slices_of_one_order(writer, reading):
    for name in "abcde":
        writer.track(name)
    answers = [export(reading, limit=2, page=page) for page in (1, 2, 3, 4)]
    assert [names(answer) for answer in answers] == [["e", "d"], ["c", "b"], ["a"], []]
    assert answers[2].json()["meta"] == {"count": 1, "totalCount": 5, "pages": 3, "current": 3}


def test_the_person_is_told_when_asked_for(writer, reading):
    writer.send("identify", {"profileId": "1", "firstName": "Ann", "properties": {"tier": "pro"}})
    writer.track("a", profileId="1")
    writer.track("b")
    nobody, ann = export(reading, includes="profile").json()["data"]
    assert nobody["profile"] is None
    assert (ann["profile"]["firstName"], ann["profile"]["properties"]) == ("Ann", {"tier": "pro"})


@pytest.mark.parametrize(
    "parameters",
    [
        {"page": "0"},
        {"page": "x"},
        {"page": "99999999999"},
        {"limit": "1001"},
        {"limit": "-1"},
        {"start": "yesterday"},
        {"end": "2026-02-30"},
        {"includes": "everything"},
        {"projectId": "x"},
        {"event": "a\0b"},
        {"profileId": "\0"},
    ],
)
def test_what_is_wrong_is_told(reading, parameters):
    answer = export(reading, **parameters)
    assert (answer.status_code, answer.json()["error"]) == (400, "Bad Request")


def test_only_clients_that_read_are_told_anything(writer, reading):
    for headers in (
        {},
        writer.trusted,
        writer.public,
        reading.public,
        reading.trusted | {"openpanel-client-secret": "sec_wrong"},
        reading.trusted | {"openpanel-client-id": "x"},
    ):
        answer = HttpClient().get("/export/events", headers=headers)
        assert (answer.status_code, answer.json()["error"]) == (401, "Unauthorized")
    revoke(reading.client, by=None, now=timezone.now())
    assert export(reading).status_code == 401


def test_a_client_reads_its_own_project_and_a_root_client_those_of_its_account(writer, reading):
    other = make_website(writer.website.account, "other.example")
    foreign = make_website(make_account("Globex"), "globex.example")
    root = Panel(writer.website, right="root")
    Panel(other).track("elsewhere")
    asked = [str(website.public_id) for website in (writer.website, other, foreign)] + [str(uuid4())]
    assert [export(reading, projectId=id_).status_code for id_ in asked] == [200, 403, 403, 403]
    assert [export(root, projectId=id_).status_code for id_ in asked] == [200, 200, 404, 404]
    assert names(export(root, projectId=asked[1])) == ["elsewhere"]
    answers = [export(root, projectId=id_).content for id_ in asked[2:]]
    assert answers[0] == answers[1]


def test_while_the_database_is_away_it_says_so(reading, caplog):
    def broken(execute, sql, *rest):
        raise OperationalError("gone")

    with caplog.at_level(logging.CRITICAL), connection.execute_wrapper(broken):
        answer = export(reading)
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert answer.json()["error"] == "Service Unavailable"


def test_over_its_limit_a_client_is_told_to_wait(reading, monkeypatch):
    monkeypatch.setitem(settings.LIMITS, "OPENPANEL_EXPORT", (2, 10))
    answers = [export(reading) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert 0 < int(answers[-1]["Retry-After"]) <= 10
