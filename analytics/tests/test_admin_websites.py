"""The list of websites: how each has been doing, at the cost of two queries."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.tests.builders import make_account, make_root, make_user, make_website
from analytics.rollups.build import build
from analytics.sparkline import sparkline
from analytics.tests.builders import load, noon

pytestmark = pytest.mark.django_db
LIST = "/admin/accounts/website/"


@pytest.fixture
def acme():
    return make_website(make_account("Acme"))


def office(user):
    client = Client()
    client.force_login(user)
    return client


def counted(website, at, count):
    load(website, *({"at": at, "ip": f"203.0.113.{n}"} for n in range(count)))
    build(website.id, at.date(), now=timezone.now())


def test_it_works(acme):
    counted(acme, noon(1), 3)
    counted(acme, noon(5), 7)
    counted(acme, timezone.now() - timedelta(seconds=1), 2)
    page = office(make_user(acme.account, login="ann")).get(LIST).content.decode()
    assert 'aria-label="Visits of 14 days: between 0 and 7 a day, 3 yesterday"' in page
    assert re.search(r"field-events_today[^>]*>\s*(?:<[^>]+>\s*)*2\b", page)
    assert f'href="/admin/integration/{acme.public_id}"' in page


def test_three_websites_take_as_many_queries_as_one(acme):
    browser = office(make_root(login="root"))
    browser.get(LIST)

    def cost():
        with CaptureQueriesContext(connection) as captured:
            assert browser.get(LIST).status_code == 200
        return len(captured)

    one = cost()
    for name in ("globex", "initech"):
        counted(make_website(make_account(name), f"{name}.example"), noon(1), 2)
    assert cost() == one


def test_an_empty_list_is_a_page(client):
    assert office(make_root(login="root")).get(LIST).status_code == 200


def test_a_picture_needs_no_style_and_no_script():
    drawn = sparkline([0, 5, 10], 'said "so"')
    assert 'points="0.0,27.0 56.0,14.5 112.0,2.0"' in drawn
    assert "said &quot;so&quot;" in drawn
    assert "style" not in drawn


def test_days_without_visits_are_a_line_on_the_ground():
    assert 'points="0.0,27.0 112.0,27.0"' in sparkline([0, 0], "")
    assert "polyline" in sparkline([], "")
