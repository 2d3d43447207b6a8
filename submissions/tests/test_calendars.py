"""Which calendar a request belongs to (contract D-23), and opening and closing one."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections

from accounts.removal import remove_website
from accounts.tests.builders import make_account, make_website
from submissions import calendars
from submissions.models import Calendar
from submissions.tests.catalogue import NOW, make_calendar

pytestmark = pytest.mark.django_db


@pytest.fixture
def acme():
    return make_calendar("acme.example")


@pytest.fixture
def globex(acme):
    return make_calendar("globex.example")


def test_it_works(acme, globex):
    assert calendars.for_origin("https://globex.example") == globex
    assert calendars.for_origin("https://elsewhere.example") == acme


def test_the_first_calendar_is_the_default_one(acme, globex):
    assert (acme.is_default, globex.is_default) == (True, False)
    assert calendars.default() == acme


def test_before_anybody_has_made_a_calendar_the_first_website_takes_proposals_and_leaves_when_one_is_made():
    assert calendars.for_proposals("") is None
    websites = [make_website(make_account(), domain) for domain in ("acme.example", "globex.example")]
    stand_in = calendars.for_proposals("https://elsewhere.example")
    assert (stand_in.website, calendars.default()) == (websites[0], stand_in)
    assert calendars.of_website(websites[1]) == calendars.default() == calendars.for_proposals("")
    assert calendars.of_website(websites[0]) == stand_in


def test_without_a_calendar_there_is_no_default_one():
    assert calendars.default() is None
    assert calendars.for_origin("https://acme.example") is None


def test_a_website_has_one_calendar_however_often_it_is_asked_for():
    website = make_website(make_account())
    assert calendars.of_website(website) == calendars.of_website(website)
    assert (Calendar.objects.get().name, Calendar.objects.get().time_zone) == ("acme.example", "UTC")


@pytest.mark.parametrize(
    "origin",
    [
        "https://globex.example",
        "http://globex.example:8080",
        "https://GLOBEX.example",
        "https://globex.example.",
        "https://www.globex.example",
        "https://tickets.paris.globex.example",
    ],
)
def test_an_origin_belongs_to_the_website_of_its_host_or_of_a_domain_above_it(globex, origin):
    assert calendars.for_origin(origin) == globex


@pytest.mark.parametrize(
    "origin",
    ["", "null", "https://", "https://notglobex.example", "https://globex.example.evil.test", "http://[", "\0", "é"],
)
def test_any_other_origin_is_the_default_ones(acme, globex, origin):
    assert calendars.for_origin(origin) == acme


def test_the_nearest_domain_wins(acme, globex):
    tickets = make_calendar("tickets.globex.example")
    assert calendars.for_origin("https://www.tickets.globex.example") == tickets
    assert calendars.for_origin("https://www.globex.example") == globex


def test_of_two_websites_with_one_domain_the_first_calendar_wins(acme, globex):
    make_calendar("globex.example", account=make_account("Initech"))
    assert calendars.for_origin("https://globex.example") == globex


def test_the_calendar_of_a_deleted_website_is_gone(acme, globex):
    remove_website(globex.website, by=None, now=NOW)
    assert calendars.for_origin("https://globex.example") == acme
    assert calendars.named(globex.website.public_id) is None


def test_when_the_default_ones_website_is_deleted_the_oldest_left_takes_its_place(acme, globex):
    make_calendar("initech.example")
    remove_website(acme.website, by=None, now=NOW)
    assert calendars.default() == globex


def test_a_calendar_is_named_by_the_id_of_its_website(acme, globex):
    assert calendars.named(globex.website.public_id) == globex


def test_closing_and_opening_say_when_and_by_whom(acme):
    calendars.close_for_proposals(acme, by="root", now=NOW)
    acme.refresh_from_db()
    assert (acme.is_open, acme.toggled_at, acme.toggled_by) == (False, NOW, "root")
    calendars.open_for_proposals(acme, by="x" * 300, now=NOW)
    acme.refresh_from_db()
    assert (acme.is_open, acme.toggled_by) == (True, "x" * 254)


def test_a_change_makes_every_copy_of_the_calendar_old(acme):
    changed = calendars.change(acme, name="  Fête  de la musique ", time_zone="Europe/Paris")
    acme.refresh_from_db()
    assert (acme.name, acme.time_zone, acme.version) == ("Fête de la musique", "Europe/Paris", 2)
    assert changed.version == 2


@pytest.mark.parametrize(
    "wrong", [{"name": " "}, {"name": "x" * 121}, {"name": "a\0b"}, {"time_zone": "Paris"}, {"time_zone": "../UTC"}]
)
def test_what_cannot_be_is_refused_with_a_sentence(acme, wrong):
    with pytest.raises(ValueError, match=r"\.$"):
        calendars.change(acme, **wrong)
    acme.refresh_from_db()
    assert acme.version == 1


def test_a_zone_that_this_machine_does_not_know_is_utc(acme):
    acme.time_zone = "Mars/Olympus"
    assert str(calendars.zone(acme)) == "UTC"


@pytest.mark.django_db(transaction=True)
def test_two_first_calendars_at_once_make_one_default():
    account = make_account()
    websites = [make_website(account, f"{name}.example") for name in ("one", "two", "three", "four")]

    def made(website):
        try:
            return calendars.of_website(website)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(made, websites))
    assert sorted(calendar.is_default for calendar in found) == [False, False, False, True]
