"""The commands of running.md that are about what happened: a sentence for people, one JSON object for programs."""

import io
import json
from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.removal import remove_website
from analytics.ingest import visitor
from analytics.models import BuiltDay, SiteDay
from analytics.tests.builders import GOOGLEBOT, a_body, collect, load, make_website, noon

pytestmark = pytest.mark.django_db(transaction=True)


def ran(*arguments, **options):
    """The JSON object and the sentence of a command."""
    out, err = io.StringIO(), io.StringIO()
    call_command(*arguments, json=True, stdout=out, stderr=err, **options)
    return json.loads(out.getvalue()), err.getvalue().strip()


@pytest.fixture
def acme():
    return make_website(excluded_ips=["198.51.100.7"])


def test_show_events_gives_the_newest_rows_with_their_keys(client, acme):
    moment = noon()
    load(
        acme,
        {"at": moment, "path": "/"},
        {"at": moment + timedelta(seconds=1), "event_type": "scroll_25", "user_agent": GOOGLEBOT},
        {"at": moment + timedelta(seconds=2), "event_type": "custom", "properties": {"name": "signup", "plan": "pro"}},
        {"at": moment + timedelta(seconds=3), "event_type": "video", "ip": "198.51.100.7"},
    )
    answer, sentence = ran("show", "events", website=str(acme.public_id))
    rows = answer["rows"]
    assert [(row["name"], row["kind"], row["is_bot"], row["is_excluded"]) for row in rows] == [
        ("video", "interactive", False, True),
        ("signup", "interactive", False, False),
        ("scroll_25", "passive", True, False),
        ("page_view", "page_view", False, False),
    ]
    assert sentence == "4 events."
    visitor_key = rows[3].pop("visitor")
    assert (len(visitor_key), rows[1]["visitor"]) == (16, visitor_key)
    assert rows[3] == {
        "name": "page_view",
        "kind": "page_view",
        "path": "/",
        "properties": {},
        "client_session": None,
        "is_bot": False,
        "is_excluded": False,
        "is_authenticated": False,
        "profile": None,
        "occurred_at": f"{moment:%Y-%m-%dT%H:%M:%S}.000000Z",
        "dialect": "v1",
    }
    assert rows[1]["properties"] == {"name": "signup", "plan": "pro"}


def test_show_takes_a_limit_and_0_is_all(acme):
    load(acme, *({"at": noon(), "path": f"/{n}"} for n in range(30)))
    assert [len(ran("show", "events", limit=limit)[0]["rows"]) for limit in (5, 20, 0)] == [5, 20, 30]


def test_show_of_one_website_shows_no_other(acme):
    load(make_website(acme.account, "other.example"), {"at": noon()})
    assert ran("show", "events", website=str(acme.public_id))[0] == {"rows": []}


def test_show_knows_nothing_of_a_deleted_website(acme):
    load(acme, {"at": noon()})
    remove_website(acme, by=None, now=timezone.now())
    assert ran("show", "events")[0] == {"rows": []}
    with pytest.raises(CommandError, match="There is no website"):
        ran("show", "events", website=str(acme.public_id))


def test_show_drops_adds_up_by_dialect_and_reason(client, acme):
    collect(client, b"{")
    collect(client, b"}")
    collect(client, a_body(website_id=str(uuid4())))
    rows = ran("show", "drops")[0]["rows"]
    assert sorted(rows, key=lambda row: row["reason"]) == [
        {"dialect": "v1", "reason": "malformed_json", "count": 2},
        {"dialect": "v1", "reason": "unknown_website", "count": 1},
    ]


@pytest.mark.parametrize("website", ["x", "550e8400-e29b-41d4-a716-446655440000"])
def test_a_wrong_website_ends_with_a_sentence(website):
    with pytest.raises(CommandError, match="website"):
        ran("show", "events", website=website)


def test_aggregate_builds_yesterday_by_default_a_day_or_all(acme):
    load(acme, *({"at": noon(n)} for n in (1, 2, 3)))
    answer, sentence = ran("aggregate")
    assert (answer, sentence) == (
        {"date": str(noon().date()), "websites": 1},
        f"Built {noon().date()} of 1 website.",
    )
    assert ran("aggregate", date=str(noon(2).date()))[0]["websites"] == 1
    assert set(BuiltDay.objects.values_list("day", flat=True)) == {noon(1).date(), noon(2).date()}
    assert ran("aggregate", all=True) == ({"days": 3}, "Built 3 days.")
    assert SiteDay.objects.count() == 3


def test_aggregate_of_one_website_builds_no_other(acme):
    other = make_website(acme.account, "other.example")
    for website in (acme, other):
        load(website, {"at": noon()})
    assert ran("aggregate", website=str(other.public_id))[0]["websites"] == 1
    assert BuiltDay.objects.get().website_id == other.id


def test_aggregate_wants_a_date():
    with pytest.raises(CommandError, match="2026-03-18"):
        ran("aggregate", date="yesterday")


def test_prune_says_what_went(acme):
    load(acme, {"at": noon(900)})
    answer, sentence = ran("prune")
    assert (answer["partitions"] >= 2, "older than 400 days" in sentence) == (True, True)


def test_rotate_salt_destroys_those_of_days_that_are_over():
    today = timezone.now().date()
    visitor.salts.of(today - timedelta(days=3))
    assert ran("rotate_salt") == ({"destroyed": 1}, "Destroyed 1 salts.")
