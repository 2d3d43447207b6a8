"""Shared links: one website without an account, with a password, an end, and pages that may embed it."""

import re
from datetime import UTC, datetime, time, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEntry, User
from accounts.removal import remove_website
from accounts.tests.conftest import own_counters, quick_passwords  # noqa: F401
from analytics.dashboard import links
from analytics.models import SharedLink
from analytics.retention import purge_deleted
from analytics.tests.builders import load, make_account, make_website, noon
from analytics.tests.test_admin import signed_in
from analytics.tests.test_dashboard import text_of, totals
from tinytrail.web.logs import SECRET_PATHS

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse"


@pytest.fixture
def acme():
    website = make_website()
    load(website, {"at": noon(), "path": "/secret-plan"})
    return website


@pytest.fixture
def owner(client, acme):
    return signed_in(client, acme.account)


@pytest.fixture
def stranger():
    return Client()


def by(website):
    return User.objects.get_or_create(account=website.account, role="user", login="ann@example.test")[0]


def share(website, *, name="For Bob", password="", hosts=(), last_day=None):
    link = links.share(website, name=name, password=password, hosts=list(hosts), last_day=last_day, by=by(website))
    return link, f"/share/{links.token_of(link)}"


def manage(website, rest=""):
    return f"/dashboard/{website.public_id}/links{rest}"


def test_it_shows_the_dashboard_to_somebody_without_an_account(stranger, acme):
    _, address = share(acme)
    text = text_of(stranger.get(address))
    assert totals(text)["Visits"] == "1"
    assert "/secret-plan" in text


def test_every_link_on_it_stays_under_it(stranger, acme):
    _, address = share(acme)
    text = text_of(stranger.get(address))
    leading = {found for found in re.findall(r'(?:href|action)="(/[^"?]*)', text) if not found.startswith("/static/")}
    assert leading
    assert all(found.startswith(address) for found in leading)
    for found in leading:
        assert stranger.get(found).status_code == 200


def test_it_is_not_for_search_engines(stranger, acme):
    _, address = share(acme)
    answer = stranger.get(address)
    assert answer["X-Robots-Tag"] == "noindex, nofollow"
    assert '<meta name="robots" content="noindex, nofollow">' in text_of(answer)
    # No other host is told the address.
    assert answer["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize("rest", ["", "/list/pages", "/csv/pages", "?part=pages"])
def test_a_token_that_was_not_made_here_opens_nothing(stranger, acme, rest):
    link, address = share(acme)
    for token in (link.pk.hex, f"{link.pk.hex}.x", address.removeprefix("/share/")[:-1], "x", "%00"):
        assert stranger.get(f"/share/{token}{rest}").status_code == 404


def test_a_revoked_link_opens_nothing(stranger, acme):
    link, address = share(acme)
    links.revoke(link, by=by(acme), now=timezone.now())
    for rest in ("", "/list/pages", "/csv/pages"):
        assert stranger.get(f"{address}{rest}").status_code == 404


def test_a_link_opens_up_to_the_end_of_its_last_day(acme):
    day = noon(0).date()
    link, address = share(acme, last_day=day)
    token = address.removeprefix("/share/")
    midnight = datetime.combine(day + timedelta(days=1), time(), UTC)
    assert links.link_of(token, now=midnight - timedelta(seconds=1)) == link
    assert links.link_of(token, now=midnight) is None


def test_the_links_of_a_deleted_website_open_nothing_and_go_with_it(stranger, acme):
    _, address = share(acme)
    remove_website(acme, by=by(acme), now=timezone.now())
    assert stranger.get(address).status_code == 404
    purge_deleted()
    assert not SharedLink.objects.exists()


def test_it_shows_no_other_website(stranger, acme):
    other = make_website(acme.account, "second.example")
    _, address = share(acme)
    text = text_of(stranger.get(address))
    assert "second.example" not in text
    assert stranger.get(f"/dashboard/{other.public_id}").status_code == 302


def test_of_a_website_without_data_it_tells_no_more_than_that(stranger):
    newborn = make_website(domain="newborn.example")
    load(newborn, {"at": timezone.now(), "path": "/secret-plan", "user_agent": "Googlebot/2.1"})
    _, address = share(newborn)
    text = text_of(stranger.get(address))
    assert "Nothing has been counted yet." in text
    assert "secret-plan" not in text
    assert str(newborn.public_id) not in text
    assert stranger.get(f"{address}/arrival").status_code == 404


def test_it_changes_nothing(stranger, acme):
    _, address = share(acme)
    assert stranger.post(address).status_code == 405


# -- password --


def test_with_a_password_it_shows_nothing_before(stranger, acme):
    _, address = share(acme, password=PASSWORD)
    for rest in ("", "/list/pages", "/csv/pages", "?part=pages"):
        answer = stranger.get(f"{address}{rest}")
        assert "This page asks for a password" in text_of(answer)
        assert "secret-plan" not in text_of(answer)
        assert "acme.example" not in text_of(answer)


def test_the_right_password_opens_it_and_is_asked_once(stranger, acme):
    _, address = share(acme, password=PASSWORD)
    answer = stranger.post(address, {"password": PASSWORD})
    assert (answer.status_code, answer["Location"]) == (302, address)
    cookie = answer.cookies["share"]
    assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == (address, True, "Lax")
    assert "/secret-plan" in text_of(stranger.get(address))
    assert stranger.get(f"{address}/csv/pages").status_code == 200


def test_a_wrong_password_opens_nothing(stranger, acme):
    _, address = share(acme, password=PASSWORD)
    answer = stranger.post(address, {"password": "wrong"})
    assert (answer.status_code, "share" in answer.cookies) == (403, False)
    assert "This is not the password of this link." in text_of(answer)


def test_wrong_passwords_are_limited(stranger, acme, settings, monkeypatch):
    monkeypatch.setitem(settings.LIMITS, "LOGIN", (2, 900))
    _, address = share(acme, password=PASSWORD)
    for _ in range(2):
        stranger.post(address, {"password": "wrong"})
    answer = stranger.post(address, {"password": PASSWORD})
    assert (answer.status_code, "share" in answer.cookies) == (403, False)
    assert "Too many attempts." in text_of(answer)


def test_a_password_needs_the_form_it_was_asked_in(acme):
    """Guarantee A74."""
    _, address = share(acme, password=PASSWORD)
    assert Client(enforce_csrf_checks=True).post(address, {"password": PASSWORD}).status_code == 403


def test_the_note_of_one_link_opens_no_other(stranger, acme):
    _, address = share(acme, password=PASSWORD)
    _, other = share(acme, password=PASSWORD)
    given = stranger.post(address, {"password": PASSWORD}).cookies["share"].value
    stranger.cookies["share"] = given
    assert "secret-plan" not in text_of(stranger.get(other))


def test_a_note_made_up_opens_nothing(stranger, acme):
    link, address = share(acme, password=PASSWORD)
    stranger.cookies["share"] = link.pk.hex
    assert "secret-plan" not in text_of(stranger.get(address))


def test_neither_password_nor_token_can_be_read_from_the_database(acme):
    link, address = share(acme, password=PASSWORD)
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(stored)::text FROM analytics_sharedlink AS stored")
        (stored,) = cursor.fetchone()
    assert link.name in stored
    assert PASSWORD not in stored
    assert address.rpartition(".")[2] not in stored


def test_logs_do_not_keep_the_token():
    assert SECRET_PATHS.sub(r"\1…", "Not Found: /share/abc.def/csv/pages") == "Not Found: /share/…/csv/pages"


# -- frames --


def test_no_page_may_embed_it_unless_named(stranger, acme):
    _, address = share(acme)
    answer = stranger.get(address)
    assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]
    assert answer["X-Frame-Options"] == "DENY"


def test_pages_of_the_hosts_named_with_it_may_embed_it(stranger, acme):
    _, address = share(acme, hosts=["https://www.partner.example", "https://*.partner.example"])
    answer = stranger.get(address)
    assert answer["Content-Security-Policy"].endswith(
        "frame-ancestors 'self' https://www.partner.example https://*.partner.example"
    )
    assert "X-Frame-Options" not in answer
    assert "script-src" not in answer["Content-Security-Policy"]


# -- making and revoking --


def test_an_owner_makes_one_and_copies_its_address(owner, stranger, acme):
    answer = owner.post(manage(acme), {"name": "For Bob"}, follow=True)
    text = text_of(answer)
    assert "The link for For Bob is ready." in text
    address = re.search(r"http://testserver(/share/[^<]+)<", text)[1]
    assert totals(text_of(stranger.get(address)))["Visits"] == "1"


def test_making_and_revoking_is_audited(owner, acme):
    owner.post(manage(acme), {"name": "For Bob"})
    link = SharedLink.objects.get()
    for _ in range(2):
        owner.post(manage(acme, f"/{link.pk}/revoke"))
    assert list(AuditEntry.objects.order_by("id").values_list("action", "subject")) == [
        ("shared_link.create", str(link.pk)),
        ("shared_link.revoke", str(link.pk)),
    ]
    assert "For Bob</strong>" not in text_of(owner.get(manage(acme)))


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"name": ""}, "This field is required."),
        ({"password": "short"}, "at least 8 characters"),
        ({"last_day": "2020-01-01"}, "The last day must not be over."),
        ({"last_day": "9999-12-31"}, "The last day must not be over."),
        ({"last_day": "nope"}, "Enter a valid date."),
        ({"hosts": "https://a b"}, "must be an origin"),
        ({"hosts": "https://a.example; script-src *"}, "must be an origin"),
        ({"hosts": "*"}, "Name the origins"),
        ({"hosts": "https://a.example", "password": PASSWORD}, "cannot ask for a password"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_made(owner, acme, fields, sentence):
    answer = owner.post(manage(acme), {"name": "For Bob"} | fields)
    assert answer.status_code == 400
    assert sentence in text_of(answer)
    assert not SharedLink.objects.exists()


def test_nobody_else_makes_or_revokes_one(acme):
    link, address = share(acme)
    globex = signed_in(Client(), make_account("Globex"))
    assert globex.post(manage(acme), {"name": "x"}).status_code == 404
    assert globex.post(manage(acme, f"/{link.pk}/revoke")).status_code == 404
    own = make_website(make_account("Initech"), "initech.example")
    initech = signed_in(Client(), own.account)
    assert initech.post(manage(own, f"/{link.pk}/revoke")).status_code == 404
    assert SharedLink.objects.live(timezone.now()).get() == link


def test_a_forged_form_makes_and_revokes_nothing(acme):
    """Guarantee A74."""
    link, _ = share(acme)
    owner = signed_in(Client(enforce_csrf_checks=True), acme.account)
    assert owner.post(manage(acme), {"name": "x"}).status_code == 403
    assert owner.post(manage(acme, f"/{link.pk}/revoke")).status_code == 403
    assert SharedLink.objects.live(timezone.now()).get() == link


def test_a_link_revokes_nothing(owner, acme):
    link, _ = share(acme)
    assert owner.get(manage(acme, f"/{link.pk}/revoke")).status_code == 405


def test_names_stay_text(owner, acme):
    share(acme, name="<script>alert(1)</script>")
    assert "<script>alert" not in text_of(owner.get(manage(acme)))
