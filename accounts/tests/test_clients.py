"""Clients: what a program sends with, made and ended by one set of verbs."""

import re

import pytest
from django.utils import timezone

from accounts import keys
from accounts.clients import (
    change_openpanel_client,
    change_widget_client,
    create_openpanel_client,
    create_widget_client,
    renew_secret,
    revoke,
)
from accounts.models import AuditEntry, Client
from accounts.removal import remove_website
from accounts.tests.builders import make_account, make_website
from accounts.tests.test_commands import refused, run

pytestmark = pytest.mark.django_db


@pytest.fixture
def acme():
    return make_website(make_account())


def test_create_client_makes_a_widgets_token(acme):
    hosts = ["--redirect-host", "Shop.example.com", "--redirect-host", "pay.example.net"]
    words = ["create_client", "--website", str(acme.public_id), "--kind", "widget", *hosts, "--json"]
    sentence, made = run(*words)
    client = Client.objects.get()
    assert made == {"authToken": client.token}
    assert re.fullmatch("[0-9a-f]{64}", client.token)
    assert (client.website, client.kind, client.right) == (acme, Client.Kind.WIDGET, Client.Right.WRITE)
    assert client.redirect_hosts == ["shop.example.com", "pay.example.net"]
    assert sentence.endswith(client.token)


def test_a_website_may_have_several_tokens(acme):
    first, second = create_widget_client(acme, name="Shop"), create_widget_client(acme, name="Blog")
    assert first.token != second.token
    assert list(Client.objects.live()) == [first, second]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--redirect-host", "https://shop.example.com"], "redirect_hosts[0] must be a bare host name such as"),
        (["--redirect-host", "shop.example.com."], "redirect_hosts[0] must be a bare host name such as"),
        (["--redirect-host", "shop.example.com:8443"], "redirect_hosts[0] must be a bare host name such as"),
        (["--redirect-host", "ａcme.example"], "redirect_hosts[0] must be written in its xn-- form"),
        (["--name", "x" * 121], "name must be one line of at most 120 characters."),
        (["--name", "a\nb"], "name must be one line of at most 120 characters."),
        (["--origin", "https://app.example.com"], "--origin belongs to --kind openpanel"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence_and_nothing_is_made(acme, words, sentence):
    told = refused("create_client", "--website", str(acme.public_id), "--kind", "widget", *words)
    assert told.startswith(sentence)
    assert not Client.objects.exists()


def test_a_website_that_is_not_there_has_no_clients(acme):
    remove_website(acme, by=None, now=timezone.now())
    told = refused("create_client", "--website", str(acme.public_id), "--kind", "widget")
    assert told == f"There is no website {acme.public_id}."


def test_too_many_hosts_are_refused(acme):
    with pytest.raises(ValueError, match="at most 50"):
        create_widget_client(acme, redirect_hosts=[f"h{n}.example" for n in range(51)])


def test_name_and_hosts_change_and_the_token_stays(acme):
    client = create_widget_client(acme, name="Shop", redirect_hosts=["shop.example.com"])
    change_widget_client(client, name="Blog")
    change_widget_client(client, redirect_hosts=["a.example", "a.example", "b.example"])
    stored = Client.objects.get()
    assert (stored.name, stored.redirect_hosts, stored.token) == ("Blog", ["a.example", "b.example"], client.token)


def test_a_revoked_client_is_no_longer_live_and_the_log_tells_its_life(acme):
    client = create_widget_client(acme)
    change_widget_client(client, name="Shop")
    revoke(client, by=None, now=timezone.now())
    assert not Client.objects.live().exists()
    told = AuditEntry.objects.filter(subject=client.id).values_list("action", flat=True)
    assert list(told)[::-1] == ["client.create", "client.change", "client.revoke"]


def test_create_client_makes_an_openpanel_client_and_shows_its_secret_once(acme):
    origins = ["--origin", "https://App.example.com/", "--origin", "https://*.example.net"]
    sentence, made = run("create_client", "--website", str(acme.public_id), "--kind", "openpanel", *origins, "--json")
    client = Client.objects.get()
    assert made == {"clientId": str(client.id), "clientSecret": made["clientSecret"]}
    assert re.fullmatch("sec_[0-9A-Za-z]{43}", made["clientSecret"])
    assert bytes(client.secret_hash) == keys.digest(made["clientSecret"])
    assert (client.website, client.kind, client.right) == (acme, Client.Kind.OPENPANEL, Client.Right.WRITE)
    assert client.origins == ["https://app.example.com", "https://*.example.net"]
    assert sentence.endswith(made["clientSecret"])


def test_a_client_that_reads_is_asked_for(acme):
    run("create_client", "--website", str(acme.public_id), "--kind", "openpanel", "--right", "read", "--json")
    assert Client.objects.get().right == Client.Right.READ


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--origin", "not an origin"], "origins[0] must be an origin such as https://app.example.com"),
        (["--redirect-host", "shop.example.com"], "--redirect-host belongs to --kind widget"),
        (["--right", "admin"], "argument --right: invalid choice: 'admin'"),
    ],
)
def test_what_is_wrong_about_an_openpanel_client_is_said_in_a_sentence(acme, words, sentence):
    told = refused("create_client", "--website", str(acme.public_id), "--kind", "openpanel", *words)
    assert told.lower().startswith(sentence.lower())
    assert not Client.objects.exists()


def test_a_new_secret_ends_the_old_one(acme):
    client, old = create_openpanel_client(acme)
    new = renew_secret(client, by=None)
    assert bytes(Client.objects.get().secret_hash) == keys.digest(new) != keys.digest(old)


def test_right_name_and_origins_change_and_the_secret_stays(acme):
    client, secret = create_openpanel_client(acme, origins=["*"])
    change_openpanel_client(client, name="App", right="root")
    change_openpanel_client(client, origins=["https://app.example.com"])
    stored = Client.objects.get()
    assert (stored.name, stored.right, stored.origins) == ("App", "root", ["https://app.example.com"])
    assert bytes(stored.secret_hash) == keys.digest(secret)


def test_a_right_that_does_not_exist_is_refused(acme):
    with pytest.raises(ValueError, match="right must be"):
        create_openpanel_client(acme, right="admin")
