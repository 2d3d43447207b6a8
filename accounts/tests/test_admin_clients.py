"""The back office of widget tokens: who sees which, and what a click does."""

import html
import re

import pytest
from django.test import Client as Browser

from accounts.clients import create_openpanel_client, create_widget_client
from accounts.models import AuditEntry, Client
from accounts.tests.builders import make_account, make_root, make_user, make_website

pytestmark = pytest.mark.django_db

TOKENS = "/admin/accounts/widgettoken/"


@pytest.fixture
def acme():
    return make_user(make_account("Acme"), login="acme@example.test")


@pytest.fixture
def globex():
    return make_user(make_account("Globex"), login="globex@example.test")


@pytest.fixture
def website(acme):
    return make_website(acme.account)


def office(user):
    browser = Browser()
    browser.force_login(user)
    return browser


def listed(page):
    return list(page.context["cl"].result_list.values_list("pk", flat=True))


def lines(page):
    """What the page shows to be copied."""
    return [html.unescape(line) for line in re.findall(r"<code [^>]*>(.*?)</code>", page.content.decode())]


def test_it_works(acme, website):
    form = {"website": website.pk, "name": "Shop", "redirect_hosts": "shop.example.com\npay.example.net"}
    page = office(acme).post(f"{TOKENS}add/", form, follow=True)
    token = Client.objects.get()
    assert page.redirect_chain == [(f"{TOKENS}{token.pk}/change/", 302)]
    assert (token.kind, token.name, token.website) == ("widget", "Shop", website)
    assert token.redirect_hosts == ["shop.example.com", "pay.example.net"]
    shown, *examples = lines(page)
    assert shown == token.token
    assert len(examples) == 3
    assert all(token.token in html.unescape(line) for line in examples)


def test_the_examples_name_this_server_and_its_routes(acme, website):
    token = create_widget_client(website)
    page = office(acme).get(f"{TOKENS}{token.pk}/change/", secure=True, headers={"host": "localhost"})
    addresses = [html.unescape(re.search(r'(?:src|href)="([^"]+)"', line)[1]) for line in lines(page)[1:]]
    assert [address.partition("?")[0] for address in addresses] == [
        "https://localhost/track/widget/YOUR-WIDGET/best/render.gif",
        "https://localhost/track/widget/YOUR-WIDGET/best/media/1/shop",
        "https://localhost/track/transaction/ORDER-NUMBER/checkout.gif",
    ]


def test_name_and_hosts_are_changed_and_the_token_stays(acme, website):
    token = create_widget_client(website, name="Shop")
    form = {"name": "Blog", "redirect_hosts": "a.example"}
    office(acme).post(f"{TOKENS}{token.pk}/change/", form)
    stored = Client.objects.get()
    assert (stored.name, stored.redirect_hosts, stored.token, stored.website) == (
        "Blog",
        ["a.example"],
        token.token,
        website,
    )


@pytest.mark.parametrize("hosts", ["https://a.example", "a.example:8080", "a.example.", "*.a.example", "café.example"])
def test_a_host_that_is_none_is_told_at_its_line(acme, website, hosts):
    page = office(acme).post(f"{TOKENS}add/", {"website": website.pk, "redirect_hosts": f"ok.example\n{hosts}"})
    (told,) = page.context["adminform"].form.errors["redirect_hosts"]
    assert told.startswith("Line 2: ")
    assert not Client.objects.exists()


def test_deleting_a_token_revokes_it_and_keeps_its_row(acme, website):
    token = create_widget_client(website)
    browser = office(acme)
    page = browser.get(f"{TOKENS}{token.pk}/delete/")
    assert "nothing is taken from it any more, at once" in html.unescape(page.content.decode())
    browser.post(f"{TOKENS}{token.pk}/delete/", {"post": "yes"})
    assert (Client.objects.count(), Client.objects.live().count()) == (1, 0)
    assert listed(browser.get(TOKENS)) == []
    assert AuditEntry.objects.filter(action="client.revoke", subject=token.pk, actor=acme.pk).exists()


def test_everybody_sees_the_tokens_of_their_own_account(acme, globex, website):
    ours = create_widget_client(website)
    theirs = create_widget_client(make_website(globex.account, "globex.example"))
    create_openpanel_client(website)
    root = make_root(login="root")
    assert listed(office(acme).get(TOKENS)) == [ours.pk]
    assert set(listed(office(root).get(TOKENS))) == {ours.pk, theirs.pk}
    for page in ("change", "delete", "history"):
        assert office(acme).get(f"{TOKENS}{theirs.pk}/{page}/").status_code == 404
    assert office(acme).post(f"{TOKENS}{theirs.pk}/delete/", {"post": "yes"}).status_code == 404
    assert Client.objects.live().count() == 3


def test_a_token_is_never_made_for_another_accounts_website(acme, globex):
    theirs = make_website(globex.account, "globex.example")
    page = office(acme).post(f"{TOKENS}add/", {"website": theirs.pk, "redirect_hosts": ""})
    assert "website" in page.context["adminform"].form.errors
    assert not Client.objects.exists()


def test_without_a_login_there_is_only_the_sign_in_page(client):
    assert client.get(TOKENS)["Location"].startswith("/admin/login/")


def test_the_list_takes_as_many_queries_for_three_as_for_one(acme, website, django_assert_max_num_queries):
    create_widget_client(website)
    browser = office(acme)
    with django_assert_max_num_queries(20) as one:
        browser.get(TOKENS)
    for _ in range(2):
        create_widget_client(website)
    with django_assert_max_num_queries(len(one)):
        browser.get(TOKENS)


def test_hostile_names_are_shown_and_do_nothing(acme, website):
    token = create_widget_client(website, name='"><script>alert(1)</script>')
    for page in (TOKENS, f"{TOKENS}{token.pk}/change/", f"{TOKENS}{token.pk}/delete/"):
        assert b"<script>alert(1)" not in office(acme).get(page).content
