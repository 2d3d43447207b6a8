"""Accounts, users and websites leave."""

import pytest
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from accounts import keys
from accounts.changes import changed
from accounts.models import Account, AuditEntry, User, Website
from accounts.removal import remove_account, remove_user, remove_website
from accounts.tests.builders import make_account, make_root, make_user, make_website

pytestmark = pytest.mark.django_db


@pytest.fixture
def told():
    """How often caches were told."""
    calls = []

    def listen(*args, **more):
        calls.append(1)

    changed.connect(listen)
    yield calls
    changed.disconnect(listen)


def audited():
    return [(entry.action, entry.actor, entry.subject) for entry in AuditEntry.objects.order_by("id")]


def test_it_works():
    root, website, now = make_root(), make_website(make_account("Acme")), timezone.now()
    remove_website(website, by=root, now=now)
    website.refresh_from_db()
    assert (website.deleted_at, Website.objects.live().count()) == (now, 0)
    assert audited() == [("website.remove", root.id, str(website.public_id))]


def test_an_account_takes_its_users_and_websites_along():
    root, acme, now = make_root(), make_user(make_account("Acme"), login="acme"), timezone.now()
    make_website(acme.account)
    remove_account(acme.account, by=root, now=now)
    assert Account.objects.live().get() == root.account
    assert User.objects.live().get() == root
    assert Website.objects.get().deleted_at == now
    assert keys.find(acme.key) is None
    assert audited() == [("account.remove", root.id, str(acme.account_id))]


def test_another_account_stays_as_it_was():
    acme, globex = make_user(make_account("Acme")), make_user(make_account("Globex"), login="globex")
    website = make_website(globex.account)
    remove_account(acme.account, by=None, now=timezone.now())
    globex.refresh_from_db()
    assert (keys.find(globex.key), globex.login) == (globex, "globex")
    assert Website.objects.live().get() == website


def test_what_was_deleted_before_keeps_its_time():
    account, earlier = make_account("Acme"), timezone.now()
    remove_website(make_website(account), by=None, now=earlier)
    remove_account(account, by=None, now=timezone.now())
    assert Website.objects.get().deleted_at == earlier


def test_a_domain_and_a_login_are_free_again():
    acme = make_user(make_account("Acme"), login="acme")
    remove_website(make_website(acme.account), by=None, now=timezone.now())
    make_website(acme.account)
    remove_account(acme.account, by=None, now=timezone.now())
    assert make_user(make_account("Acme"), login="acme").login == "acme"


def test_a_user_leaves_no_row():
    root, acme = make_root(), make_user()
    remove_user(acme, by=root)
    assert User.objects.get() == root
    assert acme.id is not None
    assert audited() == [("user.remove", root.id, str(acme.id))]


def test_a_user_leaves_no_session():
    acme, globex = make_user(login="acme"), make_user(make_account("Globex"), login="globex")
    for user in (acme, globex):
        Client().force_login(user)
    assert Session.objects.count() == 2
    remove_user(acme, by=None)
    assert [session.get_decoded()[SESSION_KEY] for session in Session.objects.all()] == [str(globex.id)]


def test_at_the_command_line_nobody_is_named():
    remove_user(make_user(), by=None)
    assert AuditEntry.objects.get().actor is None


def test_caches_are_told_after_the_commit(told, django_capture_on_commit_callbacks):
    acme = make_user()
    website = make_website(acme.account)
    with django_capture_on_commit_callbacks(execute=True):
        remove_website(website, by=None, now=timezone.now())
        remove_user(acme, by=None)
        remove_account(acme.account, by=None, now=timezone.now())
        assert told == []
    assert told == [1, 1, 1]
