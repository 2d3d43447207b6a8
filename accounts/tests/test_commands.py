"""The commands of accounts: what they print, and how they end (running.md)."""

import io
import json

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from accounts import keys
from accounts.management.commands import create_api_user, create_website, sign_in_link
from accounts.models import Account, User, Website
from accounts.tests.builders import make_account, make_root, make_user, make_website

pytestmark = pytest.mark.django_db


def run(*words):
    """What a command prints: a sentence on stderr, and the object on stdout or None."""
    out, err = io.StringIO(), io.StringIO()
    call_command(*words, stdout=out, stderr=err)
    printed = out.getvalue()
    return err.getvalue().strip(), json.loads(printed) if printed else None


def refused(*words):
    """The sentence of a refusal."""
    with pytest.raises(CommandError) as refusal:
        run(*words)
    return str(refusal.value)


def test_create_api_user_makes_the_account_the_user_and_the_key():
    sentence, made = run(
        "create_api_user", "--account", "Acme", "--role", "user", "--email", "a@example.test", "--json"
    )
    user = User.objects.get()
    assert made == {"accountId": str(user.account_id), "userId": str(user.id), "apiKey": made["apiKey"]}
    assert keys.find(made["apiKey"]) == user
    assert (user.account.name, user.role, user.email, user.login) == ("Acme", "user", "a@example.test", None)
    assert sentence == f"Created a user of Acme with the role user. The API key is {made['apiKey']}"


def test_without_json_there_is_only_the_sentence():
    sentence, made = run("create_api_user", "--account", "Acme", "--role", "admin")
    assert sentence.startswith("Created a user of Acme with the role admin.")
    assert made is None


def test_an_account_of_that_name_is_used():
    account = make_account("Acme")
    assert run("create_api_user", "--account", " Acme ", "--role", "user", "--json")[1]["accountId"] == str(account.id)
    run("create_website", "--account", "Acme", "--domain", "acme.example")
    assert Account.objects.get() == account


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--role", "user"], "The following arguments are required: --account. See --help."),
        (["--account", "Acme"], "The following arguments are required: --role. See --help."),
        (
            ["--account", "Acme", "--role", "owner"],
            "Argument --role: invalid choice: 'owner' (choose from 'admin', 'user'). See --help.",
        ),
        (["--account", " ", "--role", "user"], "name must have 1 to 255 characters."),
        (["--account", "Acme", "--role", "user", "--email", "x" * 255], "email must have at most 254 characters."),
    ],
)
def test_create_api_user_refuses_in_a_sentence_and_leaves_nothing(words, sentence):
    refusal = refused("create_api_user", *words)
    # Later Pythons write choices without quotation marks.
    assert refusal.replace("'", "") == sentence.replace("'", "")
    assert (Account.objects.count(), User.objects.count()) == (0, 0)


def test_create_website():
    sentence, made = run("create_website", "--account", "Acme", "--domain", "Acme.Example", "--json")
    website = Website.objects.get()
    assert made == {"websiteId": str(website.public_id)}
    assert (website.account.name, website.domain) == ("Acme", "acme.example")
    assert sentence == f"Created the website acme.example of Acme with the id {website.public_id}."


def test_create_website_takes_its_privacy_along():
    words = ["--mode", "exempt", "--privacy-signals", "drop"]
    run("create_website", "--account", "Acme", "--domain", "acme.example", *words)
    assert Website.objects.values_list("mode", "privacy_signals").get() == ("exempt", "drop")


@pytest.mark.parametrize(
    ("domain", "sentence"),
    [
        ("", "domain is required, for example example.com."),
        (
            "https://acme.example",
            "domain must be a bare host name such as example.com: letters, digits, hyphens and dots, without scheme, "
            "port or path.",
        ),
    ],
)
def test_a_wrong_domain_is_refused_and_makes_no_account(domain, sentence):
    assert refused("create_website", "--account", "Acme", "--domain", domain) == sentence
    assert Account.objects.count() == 0


def test_a_domain_that_the_account_has_is_refused():
    make_website(make_account("Acme"))
    refusal = refused("create_website", "--account", "Acme", "--domain", "acme.example")
    assert refusal == "The account has a website acme.example already."


@pytest.mark.parametrize("by", [("--login", "owner"), ("--email", "root@example.test")])
def test_sign_in_link(client, by):
    make_root(login="owner", email="root@example.test")
    sentence, made = run("sign_in_link", *by, "--base-url", "http://testserver", "--json")
    assert sentence == f"Sign in: {made['link']}"
    assert [*made] == ["link"]
    assert client.get(made["link"].removeprefix("http://testserver")).status_code == 302


def test_the_link_leads_to_where_this_installation_listens(settings):
    make_root(login="owner")
    made = run("sign_in_link", "--login", "owner", "--json")[1]
    assert made["link"].startswith(f"http://{settings.HOST}:{settings.PORT}/sign-in/")


def test_who_cannot_sign_in_gets_no_link():
    make_user(email="api@example.test")
    assert refused("sign_in_link", "--login", "nobody") == "No user nobody with a login for the back office."
    refusal = refused("sign_in_link", "--email", "api@example.test")
    assert refusal == "No user api@example.test with a login for the back office."


def test_two_of_one_email_are_told_apart_by_login():
    for login in ("one", "two"):
        make_user(login=login, email="both@example.test")
    refusal = refused("sign_in_link", "--email", "both@example.test")
    assert refusal == "More than one user with the e-mail both@example.test: name one by --login."


def test_a_link_is_for_one():
    assert refused("sign_in_link") == "One of the arguments --login --email is required. See --help."


@pytest.mark.parametrize(
    ("command", "words", "status"),
    [
        (create_api_user, ["create_api_user"], 2),
        (create_api_user, ["create_api_user", "--account", " ", "--role", "user"], 1),
        (create_website, ["create_website", "--account", "Acme", "--domain", "a b"], 1),
        (sign_in_link, ["sign_in_link", "--login", "nobody"], 1),
    ],
)
def test_a_refusal_ends_with_a_status_and_one_sentence(capsys, monkeypatch, command, words, status):
    # Django closes the connections at the end of a command; the test has its transaction in one.
    monkeypatch.setattr("tinytrail.command.connections.close_all", lambda: None)
    with pytest.raises(SystemExit) as end:
        command.Command().run_from_argv(["manage.py", *words])
    printed = capsys.readouterr()
    assert (end.value.code, printed.out) == (status, "")
    assert len(printed.err.splitlines()) == 1
    assert printed.err.strip().endswith(".")
