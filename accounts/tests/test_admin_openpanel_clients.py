"""OpenPanel clients in the back office: made with a secret shown once, changed, renewed, revoked; only one's own."""

import html
import re

import pytest
from django.test import Client as Browser

from accounts import keys
from accounts.clients import create_openpanel_client, create_widget_client
from accounts.models import AuditEntry, Client
from accounts.tests.builders import make_account, make_user, make_website

pytestmark = pytest.mark.django_db

CLIENTS = "/admin/accounts/openpanelclient/"
SECRET = re.compile(r"sec_[0-9A-Za-z]{43}")


@pytest.fixture
def acme():
    return make_user(make_account("Acme"), login="acme")


@pytest.fixture
def website(acme):
    return make_website(acme.account)


@pytest.fixture
def globex():
    return make_user(make_account("Globex"), login="globex")


def office(user):
    browser = Browser()
    browser.force_login(user)
    return browser


def form(website, **fields):
    return {"website": website.pk, "name": "", "right": "write", "origins": ""} | fields


def text(answer):
    return html.unescape(answer.content.decode())


def test_an_openpanel_client_is_made_and_its_secret_shown_once(acme, website):
    browser = office(acme)
    origins = "https://app.example.com\n*"
    shown = text(browser.post(f"{CLIENTS}add/", form(website, name="App", origins=origins), follow=True))
    client = Client.objects.get()
    (secret,) = set(SECRET.findall(shown))
    assert bytes(client.secret_hash) == keys.digest(secret)
    assert (client.website, client.name, client.right) == (website, "App", "write")
    assert client.origins == ["https://app.example.com", "*"]
    assert not SECRET.search(text(browser.get(f"{CLIENTS}{client.pk}/change/")))
    assert AuditEntry.objects.get(action="client.create").actor == acme.id


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"origins": "*\nno origin"}, "Line 2: must be an origin such as https://app.example.com"),
        ({"right": "admin"}, "Select a valid choice."),
        ({"name": "x" * 121}, "120 characters"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(acme, website, fields, sentence):
    answer = office(acme).post(f"{CLIENTS}add/", form(website, **fields))
    assert sentence in text(answer)
    assert not Client.objects.exists()


def test_origins_and_right_change_and_the_secret_stays(acme, website):
    client, secret = create_openpanel_client(website)
    changed = {"name": "App", "right": "root", "origins": "https://*.example.com"}
    office(acme).post(f"{CLIENTS}{client.pk}/change/", changed)
    stored = Client.objects.get()
    assert (stored.name, stored.right, stored.origins) == ("App", "root", ["https://*.example.com"])
    assert bytes(stored.secret_hash) == keys.digest(secret)


def test_a_new_secret_is_asked_for_and_ends_the_old_one(acme, website):
    client, old = create_openpanel_client(website)
    browser = office(acme)
    page = f"{CLIENTS}{client.pk}/new-secret/"
    assert "stops working" in text(browser.get(page))
    assert bytes(Client.objects.get().secret_hash) == keys.digest(old)
    (new,) = set(SECRET.findall(text(browser.post(page, follow=True))))
    assert bytes(Client.objects.get().secret_hash) == keys.digest(new)


def test_a_widgets_token_is_not_there(acme, website):
    client = create_widget_client(website)
    assert office(acme).post(f"{CLIENTS}{client.pk}/new-secret/").status_code == 404
    assert list(office(acme).get(CLIENTS).context["cl"].result_list) == []


def test_deleting_revokes_and_the_row_stays(acme, website):
    client, _ = create_openpanel_client(website, name="App")
    browser = office(acme)
    assert "nothing is taken from it any more" in text(browser.get(f"{CLIENTS}{client.pk}/delete/"))
    browser.post(f"{CLIENTS}{client.pk}/delete/", {"post": "yes"})
    assert Client.objects.get().revoked_at is not None
    assert list(browser.get(CLIENTS).context["cl"].result_list) == []


def test_another_accounts_clients_are_not_there(globex, website):
    client, _ = create_openpanel_client(website)
    browser = office(globex)
    assert list(browser.get(CLIENTS).context["cl"].result_list) == []
    for path in ("change/", "delete/", "new-secret/"):
        assert browser.get(f"{CLIENTS}{client.pk}/{path}").status_code == 404
    assert browser.post(f"{CLIENTS}{client.pk}/new-secret/").status_code == 404


def test_nobody_makes_a_client_of_another_accounts_website(globex, website):
    answer = office(globex).post(f"{CLIENTS}add/", form(website))
    assert answer.status_code == 200
    assert not Client.objects.exists()
