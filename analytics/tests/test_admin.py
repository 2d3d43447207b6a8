"""The back office page of drops (contract D-25; scoped by account)."""

from datetime import date

import pytest

from accounts.models import User
from analytics.models import Drop
from analytics.tests.builders import make_account, make_website

pytestmark = pytest.mark.django_db

PAGE = "/admin/analytics/drop/"


def signed_in(client, account, role=User.Role.USER):
    client.force_login(User.objects.create(account=account, role=role, login=f"{account.name}@example.test"))
    return client


@pytest.fixture
def acme():
    website = make_website()
    for website_id, reason in ((website.id, "rate_limited"), (None, "malformed_json")):
        Drop.objects.create(day=date(2026, 3, 18), dialect="v1", reason=reason, website_id=website_id, count=7)
    return website


def test_an_owner_sees_what_was_refused_of_their_own_website_only(client, acme):
    page = signed_in(client, acme.account).get(PAGE)
    assert (page.status_code, b"acme.example" in page.content) == (200, True)
    assert [drop.reason for drop in page.context["cl"].result_list] == ["rate_limited"]


def test_another_account_sees_nothing_of_it(client, acme):
    page = signed_in(client, make_account("Globex")).get(PAGE)
    assert list(page.context["cl"].result_list) == []


def test_an_admin_sees_all(client, acme):
    page = signed_in(client, make_account("root"), User.Role.ADMIN).get(PAGE)
    assert {drop.reason for drop in page.context["cl"].result_list} == {"rate_limited", "malformed_json"}


@pytest.mark.parametrize("path", [f"{PAGE}add/", f"{PAGE}1/delete/"])
def test_nobody_writes_there(client, acme, path):
    assert signed_in(client, make_account("root"), User.Role.ADMIN).get(path).status_code in (403, 302)


@pytest.mark.parametrize("rows", [1, 3])
def test_the_list_takes_as_many_queries_for_three_rows_as_for_one(client, acme, rows, django_assert_max_num_queries):
    for n in range(rows):
        Drop.objects.create(day=date(2026, 3, n + 1), dialect="v1", reason="x", website_id=acme.id, count=1)
    signed_in(client, acme.account)
    # The first request of a session notes that it is used.
    client.get(PAGE)
    with django_assert_max_num_queries(11):
        client.get(PAGE)
