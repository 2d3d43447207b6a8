"""The first start of an installation."""

import threading

import pytest
from django.db import connections
from django.utils import timezone

from accounts import keys
from accounts.bootstrap import first_start
from accounts.models import Account, User, Website
from accounts.removal import remove_account, remove_website
from accounts.tests.builders import make_account, make_root, make_user

pytestmark = pytest.mark.django_db


def test_it_works():
    owner = first_start()
    assert (owner.is_new, owner.user.login, owner.user.role) == (True, "owner", "admin")
    assert keys.find(owner.api_key) == owner.user
    assert (owner.website.domain, owner.website.account) == ("localhost", owner.user.account)
    assert not owner.user.has_usable_password()


def test_it_happens_once():
    first, second = first_start(), first_start()
    assert (second.user, second.website, second.is_new, second.api_key) == (first.user, first.website, False, None)
    assert (Account.objects.count(), User.objects.count(), Website.objects.count()) == (1, 1, 1)
    assert keys.find(first.api_key) == first.user


@pytest.mark.django_db(transaction=True)
def test_of_several_processes_that_start_at_once_one_creates():
    owners, together = [], threading.Barrier(4)

    def start():
        try:
            together.wait(10)
            owners.append(first_start())
        finally:
            connections.close_all()

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(owner.is_new for owner in owners) == [False, False, False, True]
    assert (Account.objects.count(), User.objects.count(), Website.objects.count()) == (1, 1, 1)


def test_an_admin_under_another_name_is_the_owner_too():
    root = make_root(login="root")
    owner = first_start()
    assert (owner.user, owner.website, owner.is_new) == (root, None, False)


def test_an_admin_without_a_login_could_not_sign_in():
    make_root()
    assert first_start().is_new


def test_a_user_is_no_owner():
    make_user(make_account("Acme"), login="acme")
    assert first_start().is_new


def test_a_deleted_website_does_not_come_back():
    remove_website(first_start().website, by=None, now=timezone.now())
    assert first_start().website is None


def test_there_is_a_new_owner_after_the_account_was_deleted():
    first = first_start()
    remove_account(first.user.account, by=None, now=timezone.now())
    second = first_start()
    assert (second.is_new, second.user.login) == (True, "owner")
    assert second.user != first.user
