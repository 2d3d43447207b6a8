"""The second factor: set up, asked for, lost, required (guarantees, decisions of abuse: TOTP for staff)."""

import re
import threading
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
import segno
import time_machine
from django.contrib import admin
from django.core.management import CommandError, call_command
from django.db import connection, connections
from django.test import Client

from accounts import audit, second_factor, sign_in
from accounts.models import AuditEntry, Authenticator, RecoveryCodes, User
from accounts.removal import remove_account, remove_user
from accounts.tests.authenticators import give_phone, phone_of
from accounts.tests.builders import make_account, make_root, make_user, make_website
from tinytrail.tests.urlmap import Door, behind
from tinytrail.web.headers import POLICY

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 18, 12, tzinfo=UTC)
PASSWORD = "correct horse battery"
SECURITY, CODE, SETUP = "/admin/security/", "/admin/login/code/", "/admin/login/setup/"
LOGIN = "/admin/login/"


@pytest.fixture(autouse=True)
def clock():
    """It stands still, and is moved by the test."""
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


@pytest.fixture
def ann():
    return make_user(make_account("Acme"), login="ann", password=PASSWORD)


@pytest.fixture
def phone(ann, clock):
    """Ann's, with a code that nobody has used yet."""
    phone, _ = give_phone(ann)
    clock.shift(60)
    return phone


def first_step(login="ann", page="/admin/"):
    """A browser after name and password, and where it was led."""
    client = Client()
    answer = client.post(f"{LOGIN}?next={page}", {"username": login, "password": PASSWORD})
    return client, answer


def signed_in(phone, login="ann"):
    client, _ = first_step(login)
    assert client.post(CODE, {"code": phone.code()}).status_code == 302
    return client


def is_in(client):
    return client.get("/admin/").status_code == 200


def text(answer):
    return unescape(answer.content.decode())


def shown_codes(answer):
    return re.findall(r"<li><code>([a-z2-9]{5}-[a-z2-9]{5})</code></li>", text(answer))


def done():
    return list(AuditEntry.objects.order_by("id").values_list("action", flat=True))


def test_it_works(ann, clock):
    client, answer = first_step()
    assert (answer["Location"], is_in(client)) == ("/admin/", True)
    assert "Second factor: off" in text(client.get(SECURITY))
    page = client.post(SECURITY, {"step": "begin"}, follow=True)
    phone = phone_of(Authenticator.objects.get(user=ann))
    assert second_factor.secret_text(Authenticator.objects.get(user=ann)) in text(page)
    page = client.post(SECURITY, {"step": "confirm", "code": phone.code()})
    codes = shown_codes(page)
    assert len(set(codes)) == 10
    assert "Second factor: on" in text(client.get(SECURITY))
    clock.shift(60)
    client, answer = first_step(page="/admin/accounts/website/")
    assert (answer["Location"], is_in(client)) == (CODE, False)
    answer = client.post(CODE, {"code": phone.code()})
    assert (answer["Location"], is_in(client)) == ("/admin/accounts/website/", True)
    assert done() == ["sign_in.password", "second_factor.on", "sign_in.code"]


# -- between the steps ------------------------------------------------------------------------------------------------


def test_no_page_is_open_between_the_steps(ann, phone):
    website = make_website(ann.account)
    client, _ = first_step()
    routes = behind(Door.SESSION)
    for route in routes:
        given = dict.fromkeys(route.parameters, "1")
        given |= {name: website.public_id for name in given if name in ("website", "link", "batch_id")}
        answer = client.get(route.address(**given))
        assert (answer.status_code, answer["Location"].partition("?")[0]) == (302, LOGIN), route
    assert {"admin/", "dashboard", "admin/security/"} <= {route.pattern for route in routes}


def test_half_a_sign_in_ends_after_ten_minutes(phone, clock):
    client, _ = first_step()
    clock.shift(timedelta(minutes=10))
    answer = client.post(CODE, {"code": phone.code()})
    assert (answer["Location"], is_in(client)) == (LOGIN, False)


def test_it_ends_with_the_password_it_began_with(ann, phone):
    client, _ = first_step()
    ann.set_password("another battery")
    ann.save()
    client.post(CODE, {"code": phone.code()})
    assert not is_in(client)


@pytest.mark.parametrize("removal", ["user", "account"])
def test_it_ends_with_the_user(ann, phone, removal):
    client, _ = first_step()
    code = phone.code()
    if removal == "user":
        remove_user(ann, by=None)
    else:
        remove_account(ann.account, by=None, now=NOON)
    client.post(CODE, {"code": code})
    assert not is_in(client)
    assert not Authenticator.objects.exists()
    assert not RecoveryCodes.objects.exists()


def test_without_a_first_step_a_code_is_worth_nothing(phone):
    client = Client()
    answer = client.post(CODE, {"code": phone.code()})
    assert (answer["Location"], is_in(client)) == (LOGIN, False)
    assert client.get(f"{SETUP}qr.svg").status_code == 404


def test_a_planted_session_is_continued_in_neither_step(ann, phone):
    planted = Client()
    planted.get("/admin/")
    planted.session["mark"] = 1
    planted.session.save()
    client = Client()
    client.cookies["session"] = planted.session.session_key or "x"
    client.post(LOGIN, {"username": "ann", "password": PASSWORD})
    halfway = client.session.session_key
    assert halfway != planted.session.session_key
    client.post(CODE, {"code": phone.code()})
    assert is_in(client)
    assert client.session.session_key != halfway


@pytest.mark.parametrize("leads_to", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
def test_both_steps_lead_to_pages_of_this_server_only(phone, leads_to):
    client, _ = first_step(page=leads_to)
    assert client.post(CODE, {"code": phone.code()})["Location"] == "/admin/"


# -- codes ------------------------------------------------------------------------------------------------------------


def test_a_code_works_once(phone):
    code = phone.code()
    first, _ = first_step()
    second, _ = first_step()
    first.post(CODE, {"code": code})
    answer = second.post(CODE, {"code": code})
    assert (is_in(first), is_in(second)) == (True, False)
    assert "This code is wrong, or was used already." in text(answer)


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_with_one_code_one_gets_in(phone):
    browsers, code = [first_step()[0] for _ in range(2)], phone.code()
    together = threading.Barrier(2)

    def enter(browser):
        try:
            together.wait(10)
            browser.post(CODE, {"code": code})
        finally:
            connections.close_all()

    threads = [threading.Thread(target=enter, args=[browser]) for browser in browsers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(is_in(browser) for browser in browsers) == [False, True]


@pytest.mark.parametrize(("steps", "is_taken"), [(-2, False), (-1, True), (1, True), (2, False)])
def test_clocks_may_differ_by_half_a_minute(phone, clock, steps, is_taken):
    clock.shift(60)
    client, _ = first_step()
    client.post(CODE, {"code": phone.code(steps)})
    assert is_in(client) == is_taken


@pytest.mark.parametrize("code", ["", "12345", "abcdef", "１２３４５６", "1" * 40, "-12345", "1e5000"])  # noqa: RUF001
def test_what_is_no_code_is_refused(phone, code):
    client, _ = first_step()
    answer = client.post(CODE, {"code": code})
    assert (answer.status_code, is_in(client)) == (200, False)


def test_who_guesses_waits_twice_as_long_every_time_and_is_told_until_when(phone, clock):
    client, _ = first_step()
    for wait in (1, 2, 4, 8):
        assert "This code is wrong" in text(client.post(CODE, {"code": phone.wrong_code()}))
        clock.shift(wait - 0.5)
        said = text(client.post(CODE, {"code": phone.code()}))
        assert re.search(r"Too many wrong codes. The next one is taken at 12:\d\d:\d\d UTC\.", said)
        clock.shift(0.6)
    client.post(CODE, {"code": phone.code()})
    assert is_in(client)
    assert done().count("sign_in.wrong_code") == 4


def test_nobody_is_locked_out_for_days(ann, phone, clock):
    for _ in range(20):
        clock.shift(timedelta(days=1))
        with pytest.raises(second_factor.WrongCode):
            second_factor.check(ann, phone.wrong_code())
    clock.shift(timedelta(minutes=68))
    with pytest.raises(second_factor.Refusal, match="Too many wrong codes"):
        second_factor.check(ann, phone.code())
    clock.shift(timedelta(minutes=1))
    assert second_factor.check(ann, phone.code()) == Authenticator.objects.get()


def test_the_wait_holds_in_every_browser_and_after_another_first_step(phone):
    client, _ = first_step()
    client.post(CODE, {"code": phone.wrong_code()})
    other, _ = first_step()
    assert "Too many wrong codes" in text(other.post(CODE, {"code": phone.code()}))


def test_a_recovery_code_opens_once_however_it_is_typed(ann, clock):
    _, codes = give_phone(ann)
    client, _ = first_step()
    client.post(CODE, {"code": f" {codes[0].upper().replace('-', ' ')} "})
    assert is_in(client)
    assert "one of 9 recovery codes" in text(client.get(SECURITY))
    again, _ = first_step()
    again.post(CODE, {"code": codes[0]})
    assert not is_in(again)
    assert done()[-2:] == ["sign_in.recovery_code", "sign_in.wrong_code"]


def test_new_recovery_codes_need_a_code_and_end_the_old_ones(ann, phone, clock):
    client = signed_in(phone)
    clock.shift(60)
    assert shown_codes(client.post(SECURITY, {"step": "renew", "code": phone.wrong_code()})) == []
    clock.shift(60)
    new = shown_codes(client.post(SECURITY, {"step": "renew", "code": phone.code()}))
    assert (len(new), second_factor.recovery_codes_left(ann)) == (10, 10)
    other, _ = first_step()
    other.post(CODE, {"code": new[3]})
    assert is_in(other)
    assert done()[-3:] == ["second_factor.wrong_code", "second_factor.new_codes", "sign_in.recovery_code"]


def test_codes_are_shown_once(ann):
    client, _ = first_step()
    client.post(SECURITY, {"step": "begin"})
    code = phone_of(Authenticator.objects.get(user=ann)).code()
    answer = client.post(SECURITY, {"step": "confirm", "code": code})
    assert "no-store" in answer["Cache-Control"]
    codes = shown_codes(answer)
    again = client.post(SECURITY, {"step": "confirm", "code": code})
    assert (len(codes), shown_codes(again), shown_codes(client.get(SECURITY))) == (10, [], [])
    assert client.get(f"{SECURITY}qr.svg").status_code == 404


# -- on, off, lost ----------------------------------------------------------------------------------------------------


def test_turning_it_on_ends_sessions_that_were_begun_without(ann):
    elsewhere, _ = first_step()
    client, _ = first_step()
    client.post(SECURITY, {"step": "begin"})
    client.post(SECURITY, {"step": "confirm", "code": phone_of(Authenticator.objects.get(user=ann)).code()})
    assert (is_in(client), is_in(elsewhere)) == (True, False)
    # They are asked for a code, and not for the password again.
    assert elsewhere.get("/admin/", follow=True).redirect_chain[-1] == (CODE, 302)


def test_a_code_has_to_confirm_it_first(ann):
    client, _ = first_step()
    client.post(SECURITY, {"step": "begin"})
    phone = phone_of(Authenticator.objects.get(user=ann))
    client.post(SECURITY, {"step": "confirm", "code": phone.wrong_code()})
    assert is_in(first_step()[0])
    client.post(SECURITY, {"step": "abandon"})
    assert not Authenticator.objects.exists()


def test_turning_it_off_needs_a_code(ann, phone, clock):
    client = signed_in(phone)
    clock.shift(60)
    client.post(SECURITY, {"step": "off", "code": phone.wrong_code()})
    assert ann.has_second_factor
    clock.shift(60)
    answer = client.post(SECURITY, {"step": "off", "code": phone.code()}, follow=True)
    assert "Signing in asks for no code any more." in text(answer)
    assert is_in(first_step()[0])
    assert done()[-2:] == ["second_factor.off", "sign_in.password"]


@pytest.mark.parametrize("step", ["", "explode"])
def test_there_is_no_other_step(ann, step):
    client, _ = first_step()
    assert client.post(SECURITY, {"step": step, "code": "123456"}).status_code == 404


def test_it_is_not_begun_anew_while_it_is_on(ann, phone):
    client = signed_in(phone)
    client.post(SECURITY, {"step": "begin"})
    assert Authenticator.objects.get().confirmed


def test_a_link_made_on_the_server_needs_no_code(ann, phone):
    client = Client()
    answer = client.get(sign_in.sign_in_link(ann, "http://testserver"))
    assert (answer["Location"], is_in(client)) == ("/admin/", True)
    # It vouches for the app that there was: another one is not known to it.
    second_factor.reset(ann, by=None)
    give_phone(ann)
    assert not is_in(client)


def test_an_admin_resets_anothers_and_nobody_else_does(ann, phone):
    root = make_root(login="root", password=PASSWORD)
    office, _ = first_step("root")
    page = f"/admin/accounts/user/{ann.pk}/reset-second-factor/"
    client = signed_in(phone)
    assert client.post(page).status_code == 403
    assert "signs in without a code from now on" in text(office.get(page))
    assert Authenticator.objects.count() == 1
    assert "ann signs in without a code now." in text(office.post(page, follow=True))
    assert "ann has no second factor." in text(office.post(page, follow=True))
    assert is_in(first_step()[0])
    entry = AuditEntry.objects.get(action="second_factor.reset")
    assert (entry.actor, entry.subject) == (root.id, str(ann.id))


def test_ones_own_is_turned_off_with_a_code_and_not_reset(clock):
    root = make_root(login="root", password=PASSWORD)
    phone, _ = give_phone(root)
    clock.shift(60)
    answer = signed_in(phone, "root").post(f"/admin/accounts/user/{root.pk}/reset-second-factor/")
    assert (answer["Location"], Authenticator.objects.count()) == (SECURITY, 1)


def test_the_command_line_resets_it(ann, phone, capsys):
    call_command("reset_second_factor", login="ann")
    assert "ann signs in without a code now." in capsys.readouterr().err
    assert is_in(first_step()[0])
    entry = AuditEntry.objects.get(action="second_factor.reset")
    assert (entry.actor, entry.subject) == (None, str(ann.id))
    for login in ("ann", "nobody"):
        with pytest.raises(CommandError):
            call_command("reset_second_factor", login=login)


def test_the_list_of_users_shows_who_has_one(ann, phone):
    make_root(login="root", password=PASSWORD)
    office, _ = first_step("root")
    users = {user.login: user.has_app for user in office.get("/admin/accounts/user/").context["cl"].result_list}
    assert users == {"ann": True, "root": False}


# -- everybody needs one ----------------------------------------------------------------------------------------------


@pytest.fixture
def required(settings):
    settings.REQUIRE_TOTP = True


def test_where_it_is_required_signing_in_leads_to_setting_it_up(ann, required, clock):
    client, answer = first_step(page="/admin/accounts/website/")
    assert (answer["Location"], is_in(client)) == (SETUP, False)
    app = Authenticator.objects.get(user=ann)
    assert second_factor.secret_text(app) in text(client.get(SETUP))
    assert client.get(f"{SETUP}qr.svg").status_code == 200
    assert "This code is wrong" in text(client.post(SETUP, {"code": phone_of(app).wrong_code()}))
    clock.shift(60)
    answer = client.post(SETUP, {"code": phone_of(app).code()})
    assert (len(shown_codes(answer)), is_in(client)) == (10, True)
    assert 'href="/admin/accounts/website/"' in text(answer)
    assert client.get(SETUP)["Location"] == LOGIN


def test_it_is_for_who_follows_a_link_too(ann, required):
    client = Client()
    answer = client.get(sign_in.sign_in_link(ann, "http://testserver"))
    assert (answer["Location"], is_in(client)) == (SETUP, False)


def test_who_was_signed_in_before_is_led_to_set_it_up(ann, settings):
    client, _ = first_step()
    settings.REQUIRE_TOTP = True
    assert client.get("/dashboard", follow=True).redirect_chain[-1] == (SETUP, 302)
    assert not is_in(client)


def test_who_has_one_goes_on_as_before_and_may_change_to_another(ann, phone, required, clock):
    client = signed_in(phone)
    assert is_in(client)
    clock.shift(60)
    answer = client.post(SECURITY, {"step": "off", "code": phone.code()}, follow=True)
    assert answer.redirect_chain[-1] == (SETUP, 302)


# -- at rest ----------------------------------------------------------------------------------------------------------


def test_no_table_holds_a_secret_or_a_recovery_code_in_clear(ann):
    phone, codes = give_phone(ann)
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(t::text, '|') FROM otp_totp_totpdevice t")
        apps = cursor.fetchone()[0]
        cursor.execute("SELECT string_agg(t::text, '|') FROM otp_static_statictoken t")
        papers = cursor.fetchone()[0]
    text = second_factor.secret_text(Authenticator.objects.get())
    assert phone.secret.hex() not in apps.lower()
    assert text.replace(" ", "") not in apps
    assert papers.count("|") == 9
    assert not any(code.replace("-", "") in papers for code in codes)


def test_a_secret_moved_to_another_user_is_worth_nothing(ann, phone):
    root = make_root(login="root", password=PASSWORD)
    give_phone(root)
    Authenticator.objects.filter(user=root).update(key=Authenticator.objects.get(user=ann).key, last_t=-1)
    client, _ = first_step("root")
    answer = client.post(CODE, {"code": phone.code()})
    assert "The server cannot read the secret of your app." in text(answer)
    assert not is_in(client)
    assert "second_factor.unreadable" in done()


def test_with_another_key_encryption_key_recovery_codes_still_open(ann, settings):
    _, codes = give_phone(ann)
    settings.KEKS = ["another-key-encryption-key-of-some-length"]
    client, _ = first_step()
    assert "The server cannot read" in text(client.post(CODE, {"code": "123456"}))
    client.post(CODE, {"code": codes[0]})
    assert is_in(client)


def test_a_secret_outlives_the_rotation_of_the_key_encryption_key(phone, settings):
    settings.KEKS = ["a-new-key-encryption-key-of-some-length", *settings.KEKS]
    assert is_in(signed_in(phone))


def test_the_picture_is_the_secret_and_nothing_else_may_be_kept_of_it(ann):
    client, _ = first_step()
    client.post(SECURITY, {"step": "begin"})
    answer = client.get(f"{SECURITY}qr.svg")
    secret = second_factor.secret_text(Authenticator.objects.get(user=ann)).replace(" ", "")
    uri = f"otpauth://totp/TinyTrail%3Aann?secret={secret}&algorithm=SHA1&digits=6&period=30&issuer=TinyTrail"
    drawn = re.search(r' d="([^"]+)"', segno.make(uri).svg_inline(scale=5))[1]
    assert re.search(r'stroke="#000"[^>]* d="([^"]+)"', text(answer))[1] == drawn
    assert (answer["Content-Type"], answer["Content-Security-Policy"]) == ("image/svg+xml", POLICY)
    assert "no-store" in answer["Cache-Control"]
    assert not re.search(r"style|script|class|http://(?!www\.w3\.org/2000/svg)", text(answer))


def test_a_secret_that_cannot_be_read_any_more_is_begun_anew(ann, settings):
    client, _ = first_step()
    client.post(SECURITY, {"step": "begin"})
    settings.KEKS = ["another-key-encryption-key-of-some-length"]
    assert "Second factor: off" in text(client.get(SECURITY))
    assert client.get(f"{SECURITY}qr.svg").status_code == 404


def test_the_back_office_has_no_page_that_shows_a_secret():
    registered = {model._meta.label for model in admin.site._registry}
    assert {label for label in registered if label.startswith("otp")} == set()
    assert "accounts.AuditEntry" in registered


# -- the log ----------------------------------------------------------------------------------------------------------


def test_the_log_says_who_came_in_and_who_did_not(ann):
    Client().post(LOGIN, {"username": "ann", "password": "wrong"})
    Client().post(LOGIN, {"username": "nobody", "password": "wrong"})
    first_step()
    told = list(AuditEntry.objects.order_by("id").values_list("action", "actor", "subject"))
    assert told == [
        ("sign_in.failed", None, str(ann.id)),
        ("sign_in.failed", None, audit.NOBODY),
        ("sign_in.password", ann.id, str(ann.id)),
    ]
    make_root(login="root", password=PASSWORD)
    page = first_step("root")[0].get("/admin/accounts/auditentry/")
    assert ("nobody signed in" in text(page), "wrong" in text(page)) == (True, False)
    about = [(entry.action, entry.subject_login) for entry in page.context["cl"].result_list]
    assert about == [
        ("sign_in.password", "root"),
        ("sign_in.password", "ann"),
        ("sign_in.failed", None),
        ("sign_in.failed", "ann"),
    ]


def test_changing_ones_password_is_in_the_log_and_guesses_of_the_old_one_are_limited(ann, settings):
    client, _ = first_step()
    page, new = "/admin/password_change/", "another battery"
    form = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    for _ in range(10):
        client.post(page, form | {"old_password": "guess"})
    assert "Too many attempts." in text(client.post(page, form))
    settings.LIMITS = {**settings.LIMITS, "LOGIN": None}
    assert client.post(page, form).status_code == 302
    assert User.objects.get(pk=ann.pk).check_password(new)
    assert done() == ["sign_in.password", "password.change"]
