"""How a session of the back office begins and ends, and what its cookie is like (guarantees, A76)."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.conf import settings as django_settings
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from accounts import sessions
from accounts.tests.builders import make_account, make_root, make_user, make_website
from tinytrail.tests.engines import ROOT, clean_environment

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 18, 12, tzinfo=UTC)
PASSWORD = "correct horse battery"
IDLE = timedelta(seconds=django_settings.SESSION_COOKIE_AGE)
WHOLE = timedelta(days=django_settings.SESSION_DAYS)


@pytest.fixture(autouse=True)
def clock():
    """It stands still, and is moved by the test."""
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


@pytest.fixture
def ann():
    return make_user(make_account("Acme"), login="ann", password=PASSWORD)


def sign_in(client=None):
    client = client or Client()
    assert client.post("/admin/login/", {"username": "ann", "password": PASSWORD}).status_code == 302
    return client


def is_in(client):
    return client.get("/admin/").status_code == 200


def test_it_works(ann):
    assert is_in(sign_in())


def test_a_planted_session_is_not_continued(ann):
    make_user(make_account("Mallory"), login="mallory", password=PASSWORD)
    planted = Client()
    planted.post("/admin/login/", {"username": "mallory", "password": PASSWORD})
    planted.session["mark"] = "planted"
    before = planted.session.session_key
    victim = Client()
    victim.cookies["session"] = before
    sign_in(victim)
    assert victim.session.session_key != before
    assert "mark" not in victim.session
    # Who planted it is not in as the victim, and not in at all.
    assert not Session.objects.filter(pk=before).exists()


def test_signing_out_ends_the_session_on_the_server(ann):
    client = sign_in()
    stolen = Client()
    stolen.cookies["session"] = client.cookies["session"].value
    assert is_in(stolen)
    answer = client.post("/admin/logout/")
    assert answer.cookies["session"]["max-age"] == 0
    assert (is_in(client), is_in(stolen), Session.objects.count()) == (False, False, 0)


def test_signing_out_takes_a_click_and_no_address(ann):
    client = sign_in()
    assert client.get("/admin/logout/").status_code == 405
    assert is_in(client)


def test_a_changed_password_ends_every_other_session(ann):
    here, elsewhere = sign_in(), sign_in()
    new = "another battery"
    here.post("/admin/password_change/", {"old_password": PASSWORD, "new_password1": new, "new_password2": new})
    assert (is_in(here), is_in(elsewhere)) == (True, False)


def test_so_does_one_that_an_admin_has_set(ann):
    client = sign_in()
    office = Client()
    office.force_login(make_root(login="root"))
    form = {
        "account": str(ann.account_id),
        "role": "user",
        "email": "",
        "login": "ann",
        "new_password": "another battery",
    }
    assert office.post(f"/admin/accounts/user/{ann.pk}/change/", form).status_code == 302
    assert not is_in(client)


def test_a_session_that_is_not_used_ends(ann, clock):
    client = sign_in()
    clock.shift(IDLE - timedelta(seconds=1))
    assert is_in(client)
    clock.shift(IDLE + timedelta(seconds=1))
    assert not is_in(client)


def test_one_that_is_used_goes_on_and_ends_at_the_latest_some_days_after_the_sign_in(ann, clock):
    client = sign_in()
    for _ in range(int(WHOLE / IDLE)):
        clock.shift(IDLE * 0.98)
        assert is_in(client)
    clock.shift(IDLE * 0.98)
    assert not is_in(client)
    assert is_in(sign_in(client))


def test_the_page_that_is_asked_for_every_few_seconds_does_not_write_every_time(ann, clock):
    client = sign_in()
    key = client.session.session_key
    ends = Session.objects.get(pk=key).expire_date
    clock.shift(IDLE / sessions.NOTES / 2)
    is_in(client)
    assert Session.objects.get(pk=key).expire_date == ends
    clock.shift(IDLE / sessions.NOTES / 2)
    is_in(client)
    assert Session.objects.get(pk=key).expire_date == timezone.now() + IDLE


def test_one_from_before_there_was_an_end_gets_one(ann, clock):
    client = sign_in()
    session = client.session
    del session[sessions.SINCE], session[sessions.USED]
    session.save()
    assert is_in(client)
    clock.shift(IDLE * 0.98)
    assert is_in(client)
    assert client.session[sessions.SINCE] == NOON.timestamp()


def test_what_has_ended_is_thrown_away(ann, clock):
    sign_in()
    clock.shift(IDLE * 2)
    sign_in()
    sessions.forget_ended(now=timezone.now())
    assert Session.objects.count() == 1


# -- cookies ----------------------------------------------------------------------------------------------------------

COOKIES = [name for name in dir(django_settings) if name.startswith(("SESSION_COOKIE", "CSRF_COOKIE"))]


@pytest.fixture
def behind_tls(tmp_path, settings):
    """The settings of an installation behind a proxy, as that installation has them."""
    names = [*COOKIES, "BEHIND_TLS", "SECURE_PROXY_SSL_HEADER"]
    values = f"{{n: getattr(s, n) for n in {names!r} if hasattr(s, n)}}"
    read = f"import json; from tinytrail import settings as s; print(json.dumps({values}))"
    said = subprocess.run(
        [sys.executable, "-c", read],
        cwd=ROOT,
        env=clean_environment(TINYTRAIL_DATA=tmp_path, TINYTRAIL_TRUSTED_PROXIES="127.0.0.1/32"),
        capture_output=True,
        check=True,
    ).stdout
    for name, value in json.loads(said).items():
        setattr(settings, name, value)


def test_behind_tls_every_cookie_is_secure_and_no_script_or_other_site_gets_it(ann, behind_tls):
    website = make_website(ann.account)
    client = Client(headers={"x-forwarded-proto": "https"})
    page = f"/dashboard/{website.public_id}/links"
    answers = [
        client.get("/admin/login/"),
        client.post("/admin/login/", {"username": "ann", "password": PASSWORD}),
        # Its message is a cookie.
        client.post(page, {"name": "Press", "password": "a password"}),
    ]
    link = website.shared_links.get()
    share = client.get(page).content.decode().partition("/share/")[2].partition('"')[0].partition("<")[0]
    answers.append(client.post(f"/share/{share}", {"password": "a password"}))
    assert link.name == "Press"
    cookies = {name: cookie for answer in answers for name, cookie in answer.cookies.items()}
    assert set(cookies) == {"__Host-session", "__Host-csrf", "messages", "share"}
    for name, cookie in cookies.items():
        assert (cookie["secure"], cookie["httponly"], cookie["samesite"]) == (True, True, "Lax"), name
        assert cookie["domain"] == "", name
        # Browsers take the prefix only with this path; a shared link's cookie is for that link alone.
        assert cookie["path"] == (f"/share/{share}" if name == "share" else "/"), name
