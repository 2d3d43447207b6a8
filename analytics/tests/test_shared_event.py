"""A shared link of one event: its numbers for its host, and nothing else of the website."""

import csv
import io

import pytest
from django.test import Client

from accounts.models import User
from accounts.tests.conftest import own_counters, quick_passwords  # noqa: F401
from analytics.dashboard import links
from analytics.tests.builders import load, noon
from analytics.tests.test_admin import signed_in
from analytics.tests.test_dashboard import text_of
from analytics.tests.tracking import engage, make_calendar, make_event

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def calendar():
    calendar = make_calendar()
    load(calendar.website, {"at": noon(), "path": "/secret-plan"})
    return calendar


@pytest.fixture
def jazz(calendar):
    return make_event(calendar, "Jazz <b>Night</b>")


@pytest.fixture
def address(calendar, jazz):
    ann = User.objects.create(account=calendar.website.account, role="user", login="ann@example.test")
    link = links.share(calendar.website, name="Host", password="", hosts=[], last_day=None, by=ann, event=jazz)
    return f"/share/{links.token_of(link)}"


@pytest.fixture
def stranger():
    return Client()


def test_it_shows_what_readers_did_with_the_event(stranger, calendar, jazz, address):
    other = make_event(calendar, "Tango")
    for session, action in [("a", "click"), ("b", "click"), ("a", "outbound_click"), ("a", "calendar_sync")]:
        engage(stranger, jazz, action, sessionId=session, source="event_open")
    engage(stranger, other, "click", sessionId="a")
    text = text_of(stranger.get(address))
    assert "Jazz &lt;b&gt;Night&lt;/b&gt;" in text
    for name, number in [("Event views", "2"), ("Calendar adds", "1"), ("Outbound rate", "50.0%")]:
        assert f'<span class="name">{name}</span> <span class="value">{number}</span>' in text
    assert "event_open" in text


def test_it_shows_nothing_else_of_the_website(stranger, address):
    text = text_of(stranger.get(address))
    assert "/secret-plan" not in text
    for rest in ("/list/pages", "/csv/pages", "/csv/chart", "/csv/totals"):
        assert stranger.get(address + rest).status_code == 404
    assert "/secret-plan" not in text_of(stranger.get(address, {"part": "pages"}))


def test_its_days_come_as_csv_and_are_kept_nowhere(stranger, jazz, address):
    engage(stranger, jazz, "click")
    answer = stranger.get(f"{address}/csv/days", {"period": "7d"})
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert (len(rows), rows[-1]["views"]) == (7, "1")
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize("period", ["7d", "30d", "90d", "12m", "all"])
def test_every_period_is_shown(stranger, address, period):
    assert stranger.get(address, {"period": period}).status_code == 200


def test_a_period_that_is_none_is_said(stranger, address):
    assert stranger.get(address, {"period": "x"}).status_code == 400
    assert stranger.get(f"{address}/csv/days", {"period": "x"}).status_code == 400


def test_an_owner_makes_one_for_an_event_of_the_website_only(client, stranger, calendar, jazz):
    signed_in(client, calendar.website.account)
    foreign = make_event(make_calendar("globex.example"), "Theirs")
    manage = f"/dashboard/{calendar.website.public_id}/links"
    assert foreign.key not in client.get(manage).content.decode()
    assert client.post(manage, {"name": "Bob", "event": foreign.key}).status_code == 400
    assert client.post(manage, {"name": "Bob", "event": jazz.key}).status_code == 302
    link = calendar.website.shared_links.get()
    assert link.event == jazz
    assert "Jazz" in text_of(stranger.get(f"/share/{links.token_of(link)}"))
