"""Widgets without pictures raise an alert on the operator's pages, until a day after the last of them."""

import html
import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import Client as Browser

from accounts.models import User
from analytics.empty_widgets import empty_widgets
from analytics.rollups.build import fresh
from analytics.tests.builders import GOOGLEBOT, make_account, make_website
from analytics.tests.widgets import ask, make_token

pytestmark = pytest.mark.django_db(transaction=True)

NOON = datetime(2026, 3, 18, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def acme():
    return make_website(make_account())


@pytest.fixture
def token(acme):
    return make_token(acme)


def render(token, at, *, widget="w1", **headers):
    path = f"/track/widget/{widget}/stream/not_found/render"
    with time_machine.travel(at, tick=False):
        assert ask(path, token, pics=None, headers=headers).status_code == 200


def cases(acme, now=NOON):
    fresh(acme.id, (now - 90 * DAY).date(), now.date(), now=now)
    return [(case.widget, case.since, case.last_at, case.count) for case in empty_widgets([acme.id], now=now)]


def test_it_works(acme, token):
    for at in (NOON - 30 * HOUR, NOON - 20 * HOUR, NOON - HOUR):
        render(token, at)
    render(token, NOON - HOUR, widget="w2")
    assert cases(acme) == [
        ("w1", NOON - 30 * HOUR, NOON - HOUR, 3),
        ("w2", NOON - HOUR, NOON - HOUR, 1),
    ]


def test_a_day_after_the_last_one_it_is_over(acme, token):
    render(token, NOON)
    assert len(cases(acme, NOON + DAY - timedelta(seconds=1))) == 1
    assert cases(acme, NOON + DAY) == []


def test_what_comes_after_a_quiet_day_is_a_new_case(acme, token):
    for at in (NOON - 10 * DAY, NOON - 2 * DAY, NOON - HOUR):
        render(token, at)
    assert cases(acme) == [("w1", NOON - HOUR, NOON - HOUR, 1)]


def test_widgets_with_pictures_and_bots_raise_none(acme, token):
    with time_machine.travel(NOON, tick=False):
        ask("/track/widget/w1/stream/5/render", token)
    render(token, NOON, **{"user-agent": GOOGLEBOT})
    assert cases(acme) == []


def test_the_list_has_an_end(acme, token):
    for n in range(25):
        render(token, NOON - HOUR, widget=f"w{n}")
    assert len(cases(acme)) == 20


# -- the operator's pages ---------------------------------------------------------------------------------------------


def office(account, role=User.Role.USER):
    user = User(account=account, role=role, login=f"{role}@example.test")
    user.set_unusable_password()
    user.save()
    browser = Browser()
    browser.force_login(user)
    return browser


def alerts(page):
    found = re.findall(r"<li><a [^>]*>([^<]+)</a>: widget <code[^>]*>([^<]+)</code>, (\d+) time", page.content.decode())
    return [(domain, html.unescape(widget), int(count)) for domain, widget, count in found]


def now_empty(token, widget="w1"):
    assert ask(f"/track/widget/{widget}/stream/not_found/render", token, pics=None).status_code == 200


def test_the_website_page_tells_it_at_once_and_the_overview_once_it_is_built(acme, token):
    now_empty(token)
    browser = office(acme.account)
    assert alerts(browser.get(f"/admin/accounts/website/{acme.pk}/change/")) == [("acme.example", "w1", 1)]
    assert alerts(browser.get("/admin/")) == [("acme.example", "w1", 1)]


def test_nobody_is_told_of_another_accounts_widgets(acme, token):
    now_empty(token)
    fresh(acme.id, NOON.date(), datetime.now(UTC).date(), now=datetime.now(UTC))
    assert alerts(office(make_account("Globex")).get("/admin/")) == []
    assert len(alerts(office(make_account("Root"), User.Role.ADMIN).get("/admin/"))) == 1


def test_without_a_case_the_pages_are_silent(acme, token):
    browser = office(acme.account)
    for page in ("/admin/", f"/admin/accounts/website/{acme.pk}/change/", "/admin/accounts/website/add/"):
        assert b"Widgets without pictures" not in browser.get(page).content
