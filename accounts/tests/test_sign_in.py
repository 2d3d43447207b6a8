"""Signing in to the back office: the link that works once, and login and password (guarantees, A73)."""

import re
import threading
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core.signing import TimestampSigner
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import sign_in
from accounts.models import AuditEntry, User
from accounts.removal import remove_account, remove_user
from accounts.tests.authenticators import give_phone
from accounts.tests.builders import make_account, make_root, make_user

pytestmark = pytest.mark.django_db

BASE = "http://testserver"
NOON = datetime(2026, 3, 18, 12, tzinfo=UTC)
PASSWORD = "correct horse battery"
WRONG = "This login and password do not belong together."
LOCKED = "Too many attempts."


@pytest.fixture(autouse=True)
def testserver(settings):
    settings.ALLOWED_HOSTS = ["testserver"]


def link(user):
    return sign_in.sign_in_link(user, BASE).removeprefix(BASE)


def is_in(client):
    return client.get("/admin/").status_code == 200


def test_it_works(client):
    root = make_root(login="owner")
    answer = client.get(link(root))
    assert (answer.status_code, answer["Location"]) == (302, "/admin/")
    assert is_in(client)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.subject) == ("sign_in.link", root.id, str(root.id))


@pytest.mark.parametrize("base", ["http://127.0.0.1:8000", "http://127.0.0.1:8000/"])
def test_a_link_begins_with_the_address_of_the_installation(base):
    made = sign_in.sign_in_link(make_root(login="owner"), base)
    assert made.startswith("http://127.0.0.1:8000/sign-in/")
    assert made.endswith("/")


def test_both_spellings_work(client):
    assert client.get(link(make_root(login="owner")).removesuffix("/")).status_code == 302


def test_a_link_works_once():
    used = link(make_root(login="owner"))
    first, second = Client(), Client()
    first.get(used)
    answer = second.get(used)
    assert answer.status_code == 410
    assert "This sign-in link no longer works" in answer.content.decode()
    assert (is_in(first), is_in(second)) == (True, False)


def test_using_one_ends_the_older_ones(client):
    root = make_root(login="owner")
    older, newer = link(root), link(root)
    client.get(newer)
    assert Client().get(older).status_code == 410


@pytest.mark.parametrize(
    ("age", "status"), [(timedelta(hours=24), 302), (timedelta(hours=24, seconds=2), 410), (timedelta(days=400), 410)]
)
def test_a_link_works_for_24_hours(client, age, status):
    root = make_root(login="owner")
    with time_machine.travel(NOON, tick=False):
        made = link(root)
    with time_machine.travel(NOON + age, tick=False):
        assert client.get(made).status_code == status


def test_a_look_ahead_does_not_use_it_up(client):
    made = link(make_root(login="owner"))
    looks = [
        client.head(made),
        client.get(made, headers={"Sec-Purpose": "prefetch"}),
        client.get(made, headers={"Sec-Purpose": "prefetch;prerender"}),
    ]
    assert [look.status_code for look in looks] == [204, 204, 204]
    assert not is_in(client)
    assert client.get(made).status_code == 302


def test_a_post_is_refused_and_does_not_use_it_up(client):
    made = link(make_root(login="owner"))
    assert client.post(made).status_code == 405
    assert client.get(made).status_code == 302


def test_nobody_keeps_a_copy_of_the_answer(client):
    answer = client.get(link(make_root(login="owner")))
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize("token", ["x", "a.b.c", "%00", "é", "x" * 5000])
def test_what_was_never_printed_does_not_work(client, token):
    assert client.get(f"/sign-in/{token}/").status_code == 410


@pytest.mark.parametrize("place", [0, 10, -2])
def test_a_changed_link_does_not_work(client, place):
    token = link(make_root(login="owner")).split("/")[2]
    letters = list(token)
    letters[place] = "A" if letters[place] != "A" else "B"
    assert client.get(f"/sign-in/{''.join(letters)}/").status_code == 410


def test_a_link_of_another_installation_does_not_work(client):
    root = make_root(login="owner")
    theirs = TimestampSigner(key="the secret of another installation", salt="accounts.sign_in", sep=".")
    assert client.get(f"/sign-in/{theirs.sign_object([root.id.hex, ''])}/").status_code == 410


def test_a_user_of_a_deleted_account_is_refused(client):
    user = make_user(make_account("Acme"), login="acme")
    made = link(user)
    remove_account(user.account, by=None, now=timezone.now())
    assert client.get(made).status_code == 410
    assert not is_in(client)


def test_a_deleted_user_is_refused(client):
    user = make_user(make_account("Acme"), login="acme")
    made = link(user)
    remove_user(user, by=None)
    assert client.get(made).status_code == 410


def test_a_user_without_a_login_is_refused(client):
    assert client.get(link(make_user())).status_code == 410


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_one_gets_in():
    made = link(make_root(login="owner"))
    statuses, together = [], threading.Barrier(2)

    def follow():
        try:
            together.wait(10)
            statuses.append(Client().get(made).status_code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=follow) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [302, 410]


def test_a_session_begins_anew(client):
    root = make_root(login="owner")
    client.get(link(root))
    planted = client.session.session_key
    client.post("/admin/logout/")
    client.cookies["session"] = planted
    root.refresh_from_db()
    client.get(link(root))
    assert client.session.session_key != planted


# -- login and password -----------------------------------------------------------------------------------------------


def sign_in_as(login, password, address="203.0.113.7"):
    """The status and the page of an attempt."""
    answer = Client(REMOTE_ADDR=address).post("/admin/login/", {"username": login, "password": password})
    return answer.status_code, answer.content.decode()


def says(login, password, address="203.0.113.7"):
    status, page = sign_in_as(login, password, address)
    return "in" if status == 302 else "locked" if LOCKED in page else "wrong" if WRONG in page else page


@pytest.fixture
def owner():
    return make_root(login="owner", password=PASSWORD)


def test_login_and_password_let_in(owner):
    assert says("owner", PASSWORD) == "in"


def test_who_signed_in_is_led_to_the_overview(client, owner):
    answer = client.post("/admin/login/", {"username": "owner", "password": PASSWORD})
    assert answer["Location"] == "/admin/"


def test_the_eleventh_bad_password_is_locked_and_so_is_the_right_one(owner):
    assert [says("owner", f"wrong {number}") for number in range(11)] == ["wrong"] * 10 + ["locked"]
    assert says("owner", PASSWORD) == "locked"


@pytest.mark.django_db(transaction=True)
def test_of_thirty_at_once_ten_are_compared(owner, monkeypatch):
    compared, encode, told, begin = [], MD5PasswordHasher.encode, [], threading.Barrier(30)
    monkeypatch.setattr(MD5PasswordHasher, "encode", lambda *args: compared.append(1) or encode(*args))

    def attempt(number):
        try:
            begin.wait(30)
            told.append(says("owner", "wrong", f"203.0.113.{number}"))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=attempt, args=[number]) for number in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (told.count("wrong"), told.count("locked"), len(compared)) == (10, 20, 10)


def test_the_lock_holds_from_another_address(owner):
    attempts = [says("owner", f"wrong {number}", f"203.0.113.{number}") for number in range(11)]
    assert attempts == ["wrong"] * 10 + ["locked"]
    assert says("owner", PASSWORD, "198.51.100.1") == "locked"


def test_a_login_in_other_letters_is_the_same_to_the_lock(owner):
    for number in range(10):
        says("OWNER" if number % 2 else "Owner", "wrong", f"203.0.113.{number}")
    assert says("owner", PASSWORD, "198.51.100.1") == "locked"


def test_an_address_that_tries_many_logins_is_locked(owner):
    attempts = [says(f"guess {number}", "wrong") for number in range(11)]
    assert attempts == ["wrong"] * 10 + ["locked"]
    assert says("owner", PASSWORD) == "locked"


def test_addresses_of_one_neighbourhood_are_counted_together(owner):
    for number in range(10):
        says(f"guess {number}", "wrong", f"2001:db8::{number}")
    assert says("owner", PASSWORD, "2001:db8::ffff") == "locked"
    assert says("owner", PASSWORD, "2001:db8:0:1::1") == "in"


def test_another_user_from_another_address_still_gets_in(owner):
    make_user(make_account("Acme"), login="acme", password=PASSWORD)
    for number in range(11):
        says("owner", f"wrong {number}")
    assert says("acme", PASSWORD, "198.51.100.1") == "in"


def test_signing_in_is_not_counted(owner):
    assert [says("owner", PASSWORD) for _ in range(12)] == ["in"] * 12


def test_a_forged_forwarded_address_changes_nothing(owner):
    form = {"username": "x", "password": "wrong"}
    for number in range(10):
        Client(REMOTE_ADDR="203.0.113.7").post(
            "/admin/login/", form | {"username": f"guess {number}"}, headers={"X-Forwarded-For": f"198.51.100.{number}"}
        )
    assert says("owner", PASSWORD) == "locked"


def test_the_limit_is_a_setting(owner, settings):
    settings.LIMITS = {**settings.LIMITS, "LOGIN": (1, 900)}
    assert [says("owner", "wrong"), says("owner", PASSWORD)] == ["wrong", "locked"]
    settings.LIMITS = {**settings.LIMITS, "LOGIN": None}
    assert says("owner", PASSWORD) == "in"


def test_whether_a_login_exists_is_not_told(owner):
    make_user(make_account("Acme"), password=PASSWORD)
    make_user(make_account("Globex"), login="link-only")
    gone = make_user(make_account("Gone"), login="gone", password=PASSWORD)
    remove_account(gone.account, by=None, now=timezone.now())
    pages = set()
    for number, login in enumerate(("owner", "nobody", "link-only", "gone")):
        _, page = sign_in_as(login, PASSWORD if login != "owner" else "wrong", f"203.0.113.{number}")
        assert WRONG in page
        pages.add(without_its_own(page, login))
    assert len(pages) == 1


def test_an_unknown_login_is_locked_like_a_known_one():
    assert [says("nobody", "wrong", f"203.0.113.{n}") for n in range(11)] == ["wrong"] * 10 + ["locked"]


def test_whoever_it_is_a_refusal_takes_the_same_work(owner, monkeypatch):
    """Time, structurally: as many password hashes, and the same statements in the same order."""
    make_user(make_account("Acme"), login="link-only")
    idle = make_user(make_account("Idle"), login="idle", password=PASSWORD)
    User.objects.filter(pk=idle.pk).update(is_active=False)
    with_app = make_user(make_account("Globex"), login="with-app", password=PASSWORD)
    give_phone(with_app)
    hashed, encode = [], MD5PasswordHasher.encode
    monkeypatch.setattr(MD5PasswordHasher, "encode", lambda *args: hashed.append(1) or encode(*args))
    works = set()
    for number, login in enumerate(("owner", "nobody", "link-only", "idle", "with-app", "")):
        hashed.clear()
        with CaptureQueriesContext(connection) as asked:
            status, _ = sign_in_as(login or "x" * 254, "wrong", f"203.0.113.{number}")
        statements = tuple(re.sub(r"'[^']*'|\"s\d+_x\d+\"|NULL", "?", query["sql"]) for query in asked.captured_queries)
        works.add((status, len(hashed), statements))
    ((status, hashes, statements),) = works
    assert (status, hashes) == (200, 1)
    assert statements


def test_a_lock_ends_by_itself_and_says_when(owner, settings):
    settings.LIMITS = {**settings.LIMITS, "LOGIN": (10, 900)}
    with time_machine.travel(NOON, tick=False) as clock:
        for number in range(10):
            says("owner", f"wrong {number}", f"203.0.113.{number}")
        _, page = sign_in_as("owner", PASSWORD, "198.51.100.1")
        minutes, moment = re.search(
            r"The next one is taken in (a minute|\d+ minutes), at (\d\d:\d\d) UTC", page
        ).groups()
        wait = timedelta(minutes=1 if minutes == "a minute" else int(minutes.split()[0]))
        assert timedelta(0) < wait <= timedelta(minutes=15)
        assert f"{NOON + wait:%H:%M}" == moment
        # Trying again and again does not make it longer.
        clock.shift(wait - timedelta(minutes=1, seconds=1))
        for _ in range(3):
            assert says("owner", PASSWORD, "198.51.100.1") == "locked"
        clock.shift(timedelta(minutes=1, seconds=1))
        assert says("owner", PASSWORD, "198.51.100.1") == "in"


def without_its_own(page, login):
    """The page without what differs between any two: the token against forgery, and what was typed."""
    page = page.replace(f'value="{login}"', "")
    start = page.index("csrfmiddlewaretoken")
    return page[:start] + page[page.index(">", start) :]
