"""The back office of accounts, users and websites: who sees what, and what a click does."""

import html
import re
import threading

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission
from django.contrib.sessions.models import Session
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import keys
from accounts.models import Account, AuditEntry, User, Website
from accounts.removal import remove_account, remove_website
from accounts.tests.builders import call, make_account, make_root, make_user, make_website

pytestmark = pytest.mark.django_db

WEBSITES, ACCOUNTS, USERS = "/admin/accounts/website/", "/admin/accounts/account/", "/admin/accounts/user/"
AUDIT, GROUPS = "/admin/accounts/auditentry/", "/admin/auth/group/"
KEY = re.compile(r"tt_[0-9A-Za-z]{43}")


@pytest.fixture
def acme():
    return make_user(make_account("Acme"), login="acme@example.test", email="acme@example.test")


@pytest.fixture
def globex():
    return make_user(make_account("Globex"), login="globex@example.test")


@pytest.fixture
def root():
    return make_root(login="root")


def office(user):
    """A browser in which the user is signed in."""
    client = Client()
    client.force_login(user)
    return client


def text(response):
    return html.unescape(response.content.decode())


def listed(response):
    return list(response.context["cl"].result_list)


def website_form(domain="acme.example", groups="", excluded="", **more):
    return {"domain": domain, "content_groups": groups, "excluded_ips": excluded, **more}


def errors(response):
    return {name: list(found) for name, found in response.context["adminform"].form.errors.items()}


def test_it_works(acme):
    browser = office(acme)
    form = website_form("Acme.Example", "Blog: /blog/*\nAll: *", "203.0.113.7\n10.0.0.0/8")
    page = browser.post(f"{WEBSITES}add/", form, follow=True)
    website = Website.objects.get()
    assert page.redirect_chain == [(f"{WEBSITES}{website.pk}/change/", 302)]
    assert (website.domain, website.account) == ("acme.example", acme.account)
    assert website.content_groups == [{"name": "Blog", "pattern": "/blog/*"}, {"name": "All", "pattern": "*"}]
    assert website.excluded_ips == ["203.0.113.7", "10.0.0.0/8"]
    assert listed(browser.get(WEBSITES)) == [website]


def test_privacy_is_chosen_in_the_form_and_stays_when_it_is_not_asked(acme):
    browser = office(acme)
    browser.post(f"{WEBSITES}add/", website_form(mode="exempt", privacy_signals="drop"))
    website = Website.objects.get()
    assert (website.mode, website.privacy_signals) == ("exempt", "drop")
    page = f"{WEBSITES}{website.pk}/change/"
    assert "what was stored before stays as it was" in text(browser.get(page))
    browser.post(page, website_form("other.example"))
    website.refresh_from_db()
    assert (website.domain, website.mode, website.privacy_signals) == ("other.example", "exempt", "drop")
    browser.post(page, website_form("other.example", mode="standard", privacy_signals="count"))
    website.refresh_from_db()
    assert (website.mode, website.privacy_signals) == ("standard", "count")
    assert set(errors(browser.post(page, website_form(mode="none")))) == {"mode"}


def test_a_website_shows_the_line_that_counts_it(acme):
    website = make_website(acme.account)
    page = office(acme).get(f"{WEBSITES}{website.pk}/change/", secure=True, headers={"host": "localhost"})
    source = "https://localhost/js/tracker.js"
    code = re.search(r'<code id="snippet"[^>]*>(.*?)</code>', page.content.decode())[1]
    assert html.unescape(code) == f'<script defer data-id="{website.public_id}" src="{source}"></script>'


# -- who sees what ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", ["", WEBSITES, ACCOUNTS, USERS, AUDIT, GROUPS])
def test_without_a_login_there_is_only_the_sign_in_page(client, page):
    answer = client.get(page or "/admin/")
    assert answer.status_code == 302
    assert answer["Location"].startswith("/admin/login/")


def test_a_user_without_a_login_does_not_get_in():
    assert office(make_user()).get("/admin/").status_code == 302


@pytest.mark.parametrize("page", ["/admin/", WEBSITES, f"{WEBSITES}add/", ACCOUNTS])
def test_a_user_may_open_their_pages(acme, page):
    assert office(acme).get(page).status_code == 200


@pytest.mark.parametrize("page", [USERS, f"{USERS}add/", f"{ACCOUNTS}add/", AUDIT, GROUPS, f"{GROUPS}add/"])
def test_what_is_for_admins_is_not_for_users(acme, page):
    assert office(acme).get(page).status_code == 403


def test_not_even_when_a_group_says_so(acme):
    group = Group.objects.create(name="All rights")
    group.permissions.set(Permission.objects.all())
    acme.groups.add(group)
    for page in (USERS, f"{ACCOUNTS}add/", AUDIT, GROUPS):
        assert office(acme).get(page).status_code == 403


@pytest.mark.parametrize("page", ["/admin/", WEBSITES, ACCOUNTS, USERS, AUDIT, GROUPS, f"{USERS}add/", f"{GROUPS}add/"])
def test_an_admin_may_open_every_page(root, page):
    make_website(root.account)
    assert office(root).get(page).status_code == 200


def test_lists_hold_the_own_account_only_and_everything_for_an_admin(acme, globex, root):
    ours, theirs = make_website(acme.account), make_website(globex.account, "globex.example")
    assert listed(office(acme).get(WEBSITES)) == [ours]
    assert listed(office(acme).get(ACCOUNTS)) == [acme.account]
    assert listed(office(root).get(WEBSITES)) == [ours, theirs]
    assert listed(office(root).get(ACCOUNTS)) == [acme.account, globex.account, root.account]
    assert set(listed(office(root).get(USERS))) == {acme, globex, root}


def test_a_search_finds_nothing_of_another_account(acme, globex):
    make_website(globex.account, "globex.example")
    assert listed(office(acme).get(WEBSITES, {"q": "globex"})) == []


def test_the_pages_of_another_account_are_not_found(acme, globex):
    theirs = make_website(globex.account, "globex.example")
    browser = office(acme)
    pages = [f"{WEBSITES}{theirs.pk}/{page}/" for page in ("change", "delete", "history")]
    pages += [f"{ACCOUNTS}{globex.account_id}/change/"]
    answers = [browser.get(page) for page in pages]
    nowhere = browser.get(f"{WEBSITES}987654321/change/")
    assert [answer.status_code for answer in (*answers, nowhere)] == [404] * 5
    assert {answer.content for answer in answers} == {nowhere.content}
    assert browser.post(pages[0], website_form("taken.example")).status_code == 404
    assert browser.post(pages[1], {"post": "yes"}).status_code == 404
    assert Website.objects.live().get().domain == "globex.example"


def test_a_bulk_action_does_not_reach_another_account(acme, globex):
    theirs = make_website(globex.account, "globex.example")
    make_website(acme.account)
    chosen = {"action": "delete_selected", "_selected_action": [theirs.pk], "post": "yes"}
    office(acme).post(WEBSITES, chosen)
    assert Website.objects.live().count() == 2


def test_a_user_reads_their_account_and_changes_nothing_of_it(acme):
    page = f"{ACCOUNTS}{acme.account_id}/change/"
    assert "Acme" in text(office(acme).get(page))
    assert office(acme).post(page, {"name": "Mine"}).status_code == 403
    assert office(acme).get(f"{ACCOUNTS}{acme.account_id}/delete/").status_code == 403
    assert Account.objects.get().name == "Acme"


def test_a_users_website_is_their_accounts_whatever_the_form_says(acme, globex):
    office(acme).post(f"{WEBSITES}add/", website_form(account=str(globex.account_id)))
    assert Website.objects.get().account == acme.account


@pytest.mark.parametrize(
    ("excluded", "is_warned"),
    [("0.0.0.0/0", True), ("::/0", True), ("0.0.0.0/1\n128.0.0.0/1", True), ("10.0.0.1/8", False)],
)
def test_who_excludes_everybody_is_warned_and_may(acme, excluded, is_warned):
    answer = office(acme).post(f"{WEBSITES}add/", website_form(excluded=excluded), follow=True)
    assert Website.objects.get().excluded_ips == excluded.split()
    assert any("everybody" in str(message) for message in answer.context["messages"]) == is_warned


def test_an_admin_chooses_the_account_of_a_new_website(root, acme):
    office(root).post(f"{WEBSITES}add/", website_form(account=str(acme.account_id)))
    assert Website.objects.get().account == acme.account


def test_a_website_stays_with_its_account(root, acme):
    website = make_website(acme.account)
    page = f"{WEBSITES}{website.pk}/change/"
    office(root).post(page, website_form("new.example", account=str(root.account_id)))
    website.refresh_from_db()
    assert (website.domain, website.account) == ("new.example", acme.account)


def test_what_was_deleted_is_shown_nowhere(root, acme, globex):
    website = make_website(acme.account)
    remove_website(website, by=None, now=timezone.now())
    remove_account(globex.account, by=None, now=timezone.now())
    browser = office(root)
    assert listed(browser.get(WEBSITES)) == []
    assert listed(browser.get(ACCOUNTS)) == [acme.account, root.account]
    assert set(listed(browser.get(USERS))) == {acme, root}
    for page in (f"{WEBSITES}{website.pk}", f"{ACCOUNTS}{globex.account_id}", f"{USERS}{globex.pk}"):
        assert browser.get(f"{page}/change/").status_code == 404
    assert "Globex" not in text(browser.get(f"{WEBSITES}add/"))


@pytest.mark.parametrize("page", [WEBSITES, ACCOUNTS, USERS, AUDIT])
def test_a_list_takes_as_many_queries_for_three_rows_as_for_one(root, page):
    def queries():
        with CaptureQueriesContext(
            connection,
        ) as captured:
            browser.get(page)
        return len(captured)

    def one_more(number):
        user = make_user(make_account(f"Account {number}"), email=f"{number}@example.test")
        make_website(user.account, f"{number}.example")
        AuditEntry.objects.create(actor=user.id, action="test", subject=str(user.id))

    browser = office(root)
    one_more(1)
    browser.get(page)
    for_one = queries()
    one_more(2)
    one_more(3)
    assert queries() == for_one


# -- websites ---------------------------------------------------------------------------------------------------------


def test_lists_are_edited_as_lines(acme):
    website = make_website(acme.account, groups=[{"name": "Blog", "pattern": "/blog/*"}], excluded=["203.0.113.7"])
    page = office(acme).get(f"{WEBSITES}{website.pk}/change/")
    areas = re.findall(r"<textarea[^>]*>\s*(.*?)</textarea>", text(page), re.DOTALL)
    assert areas == ["Blog: /blog/*", "203.0.113.7"]
    form = website_form(groups="\nNews: /news/*\n\n  Shop: /shop ", excluded="2001:db8::/32")
    office(acme).post(f"{WEBSITES}{website.pk}/change/", form)
    website.refresh_from_db()
    assert website.content_groups == [
        {"name": "News", "pattern": "/news/*"},
        {"name": "Shop", "pattern": "/shop"},
    ]
    assert website.excluded_ips == ["2001:db8::/32"]


@pytest.mark.parametrize(
    ("field", "lines", "sentence"),
    [
        (
            "content_groups",
            "Blog: /blog/*\n/news/*",
            "Line 2: Each line needs a name, a colon and a path, for example Blog: /blog/*, not /news/*",
        ),
        ("content_groups", "Blog: " + "x" * 201, "Line 1: pattern must have at most 200 characters."),
        ("content_groups", "\n".join(["A: /a"] * 51), "content_groups must have at most 50 entries."),
        (
            "excluded_ips",
            "203.0.113.7\n\n300.1.1.1",
            "Line 3: must be an address, a network, or a range with its lower end first, for example 192.0.2.1, "
            "10.0.0.0/8 or 192.0.2.1-192.0.2.9: not '300.1.1.1'.",
        ),
    ],
)
def test_a_wrong_line_is_named_in_a_sentence_and_nothing_is_saved(acme, field, lines, sentence):
    website = make_website(acme.account)
    page = office(acme).post(f"{WEBSITES}{website.pk}/change/", website_form("new.example") | {field: lines})
    assert (page.status_code, errors(page)) == (200, {field: [sentence]})
    assert sentence in text(page)
    assert Website.objects.get().domain == "acme.example"


@pytest.mark.parametrize("domain", ["https://acme.example", "acme.example/path", "two words", "münchen.example"])
def test_a_wrong_domain_is_an_error_at_its_field(acme, domain):
    page = office(acme).post(f"{WEBSITES}add/", website_form(domain))
    assert [*errors(page)] == ["domain"]
    assert Website.objects.count() == 0


def test_a_domain_is_there_once_in_an_account(acme, globex, root):
    make_website(acme.account)
    make_website(globex.account)
    sentence = {"domain": ["The account has a website with this domain already."]}
    assert errors(office(acme).post(f"{WEBSITES}add/", website_form("ACME.example"))) == sentence
    form = website_form(account=str(acme.account_id))
    assert errors(office(root).post(f"{WEBSITES}add/", form)) == sentence
    other = make_website(acme.account, "shop.acme.example")
    assert errors(office(acme).post(f"{WEBSITES}{other.pk}/change/", website_form())) == sentence


@pytest.mark.django_db(transaction=True)
def test_of_two_who_add_one_domain_at_once_one_is_told_in_a_sentence(acme):
    browsers, answers = [office(acme), office(acme)], []
    together = threading.Barrier(2)

    def add(browser):
        try:
            together.wait(10)
            answers.append(browser.post(f"{WEBSITES}add/", website_form(), follow=True))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=add, args=[browser]) for browser in browsers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status_code for answer in answers] == [200, 200]
    assert Website.objects.count() == 1
    assert sorted("already" in text(answer) for answer in answers) == [False, True]


def test_what_a_form_leaves_as_it_is_may_be_changed_by_another_meanwhile(acme):
    website = make_website(acme.account)
    browser = office(acme)
    browser.get(f"{WEBSITES}{website.pk}/change/")
    Website.objects.update(excluded_ips=["203.0.113.7"])
    form = website_form("new.example", excluded="203.0.113.7")
    browser.post(f"{WEBSITES}{website.pk}/change/", form)
    website.refresh_from_db()
    assert (website.domain, website.excluded_ips) == ("new.example", ["203.0.113.7"])


def test_deleting_leaves_a_tombstone_and_is_gone_from_the_api_at_once(acme):
    website = make_website(acme.account)
    page = office(acme).get(f"{WEBSITES}{website.pk}/delete/")
    assert "acme.example: with all its events and reports, for good." in text(page)
    assert office(acme).post(f"{WEBSITES}{website.pk}/delete/", {"post": "yes"}).status_code == 302
    website.refresh_from_db()
    assert website.deleted_at is not None
    assert call("GET", "/api/v1/websites", acme).json()["data"] == []
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.subject) == ("website.remove", acme.id, str(website.public_id))


def test_many_are_deleted_by_the_same_verb(acme):
    websites = [make_website(acme.account, f"{number}.example") for number in range(3)]
    chosen = {"action": "delete_selected", "_selected_action": [website.pk for website in websites[:2]]}
    assert "0.example: with all its events" in text(office(acme).post(WEBSITES, chosen))
    assert Website.objects.live().count() == 3
    office(acme).post(WEBSITES, chosen | {"post": "yes"})
    assert (Website.objects.live().get(), Website.objects.count()) == (websites[2], 3)
    assert AuditEntry.objects.filter(action="website.remove").count() == 2


def test_an_action_is_for_the_rows_that_were_ticked(acme):
    websites = [make_website(acme.account, f"{number}.example") for number in range(3)]
    chosen = {"action": "delete_selected", "_selected_action": [websites[0].pk], "select_across": "1", "post": "yes"}
    office(acme).post(WEBSITES, chosen)
    assert Website.objects.live().count() == 2


# -- accounts ---------------------------------------------------------------------------------------------------------


def test_an_admin_adds_and_renames_accounts(root):
    office(root).post(f"{ACCOUNTS}add/", {"name": " Acme "})
    account = Account.objects.get(name="Acme")
    office(root).post(f"{ACCOUNTS}{account.pk}/change/", {"name": "Acme Inc."})
    account.refresh_from_db()
    assert account.name == "Acme Inc."


def test_the_list_counts_what_is_live(root, acme):
    remove_website(make_website(acme.account, "old.example"), by=None, now=timezone.now())
    make_website(acme.account)
    account = listed(office(root).get(ACCOUNTS))[0]
    assert (account.name, account.live_websites, account.live_users) == ("Acme", 1, 1)


def test_deleting_an_account_stops_its_keys_and_sessions(root, acme):
    make_website(acme.account)
    browser = office(acme)
    office(root).post(f"{ACCOUNTS}{acme.account_id}/delete/", {"post": "yes"})
    assert Account.objects.get(pk=acme.account_id).deleted_at is not None
    assert call("GET", "/api/v1/websites", acme).status_code == 401
    assert browser.get(WEBSITES).status_code == 302
    assert Website.objects.live().count() == 0


def test_nobody_deletes_the_account_they_work_with(root):
    assert office(root).post(f"{ACCOUNTS}{root.account_id}/delete/", {"post": "yes"}).status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": [str(root.account_id)], "post": "yes"}
    office(root).post(ACCOUNTS, chosen)
    assert Account.objects.live().get() == root.account


# -- users and their keys ---------------------------------------------------------------------------------------------


def user_form(account, role="user", **more):
    return {"account": str(account.pk), "role": role, "email": "", "login": "", "new_password": "", **more}


def test_a_new_users_key_is_shown_once(root, acme):
    browser = office(root)
    page = browser.post(f"{USERS}add/", user_form(acme.account, email="shop"), follow=True)
    (key,) = KEY.findall(page.content.decode())
    user = User.objects.get(email="shop")
    assert keys.find(key) == user
    assert (user.account, user.role, user.login, user.has_usable_password()) == (acme.account, "user", None, False)
    for address in (USERS, f"{USERS}{user.pk}/change/", AUDIT, "/admin/"):
        assert not KEY.search(browser.get(address).content.decode())
    recorded = AuditEntry.objects.filter(subject=str(user.id)).values_list("action", "actor")
    assert set(recorded) == {("api_key.issue", root.id), ("user.add", root.id)}


def test_a_key_is_never_at_rest_in_clear(root, acme):
    browser = office(root)
    answer = browser.post(f"{USERS}add/", user_form(acme.account))
    (key,) = KEY.findall(text(browser.get(answer["Location"])))
    assert [entry for session in Session.objects.all() for entry in session.get_decoded() if "message" in entry] == []
    assert key.encode() not in bytes(User.objects.latest("created_at").key_cipher)
    assert "no-store" in browser.get(USERS)["Cache-Control"]


def test_a_new_key_ends_the_old_one_at_once(root, acme):
    browser, page = office(root), f"{USERS}{acme.pk}/new-key/"
    assert page in text(browser.get(f"{USERS}{acme.pk}/change/"))
    assert "stops working at once" in text(browser.get(page))
    assert keys.find(acme.key) == acme
    answer = browser.post(page, follow=True)
    (key,) = KEY.findall(answer.content.decode())
    assert (keys.find(key), keys.find(acme.key)) == (acme, None)
    assert call("GET", "/api/v1/websites", acme).status_code == 401
    assert not KEY.search(browser.get(f"{USERS}{acme.pk}/change/").content.decode())
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.subject) == ("api_key.issue", root.id, str(acme.id))


def test_a_new_key_needs_a_token_against_forgery(root, acme):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(root)
    assert browser.post(f"{USERS}{acme.pk}/new-key/").status_code == 403
    assert keys.find(acme.key) == acme


@pytest.mark.parametrize("who", ["x", "00000000-0000-4000-8000-000000000000"])
def test_a_new_key_for_nobody_is_not_found(root, who):
    assert office(root).post(f"{USERS}{who}/new-key/").status_code == 404


def test_only_admins_issue_keys(acme):
    assert office(acme).post(f"{USERS}{acme.pk}/new-key/").status_code == 403
    assert keys.find(acme.key) == acme


def test_a_password_lets_in_and_is_taken_away_again(root, acme):
    browser, page = office(root), f"{USERS}{acme.pk}/change/"
    credentials = {"username": "acme", "password": "a long enough secret"}
    browser.post(page, user_form(acme.account, login="acme", new_password=credentials["password"]))
    assert Client().post("/admin/login/", credentials).status_code == 302
    browser.post(page, user_form(acme.account, login="acme", remove_password="on"))
    assert Client().post("/admin/login/", credentials).status_code == 200
    assert keys.find(acme.key) == acme


def test_a_changed_password_ends_sessions_but_not_ones_own(root, acme):
    theirs, mine = office(acme), office(root)
    mine.post(f"{USERS}{acme.pk}/change/", user_form(acme.account, login="acme", new_password="a long enough secret"))
    assert theirs.get(WEBSITES).status_code == 302
    mine.post(f"{USERS}{root.pk}/change/", user_form(root.account, login="root", new_password="another long secret"))
    assert mine.get(WEBSITES).status_code == 200
    assert Client().login(username="root", password="another long secret")


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"new_password": "a long enough secret"}, "login"),
        ({"login": "acme", "new_password": "short"}, "new_password"),
        ({"login": "globex@example.test"}, "login"),
        ({"role": "owner"}, "role"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(root, acme, globex, given, field):
    page = office(root).post(f"{USERS}{acme.pk}/change/", user_form(acme.account, **given))
    assert [*errors(page)] == [field]


def test_groups_are_ticked(root, acme):
    page = f"{USERS}{acme.pk}/change/"
    Group.objects.all().delete()
    assert "groups" not in office(root).get(page).context["adminform"].form.fields
    moderators = Group.objects.create(name="Moderators")
    office(root).post(page, user_form(acme.account, login="acme", groups=[moderators.pk]))
    assert acme.groups.get() == moderators


def test_an_admin_keeps_their_own_role_and_row(root):
    browser = office(root)
    browser.post(f"{USERS}{root.pk}/change/", user_form(root.account, "user", login="root"))
    assert browser.post(f"{USERS}{root.pk}/delete/", {"post": "yes"}).status_code == 403
    root.refresh_from_db()
    assert root.role == "admin"


def test_a_deleted_user_is_out_at_once(root, acme):
    browser = office(acme)
    office(root).post(f"{USERS}{acme.pk}/delete/", {"post": "yes"})
    assert not User.objects.filter(pk=acme.pk).exists()
    assert call("GET", "/api/v1/websites", acme).status_code == 401
    assert browser.get(WEBSITES).status_code == 302
    assert [entry.action for entry in AuditEntry.objects.all()] == ["user.remove"]


def test_no_log_keeps_the_email_of_a_deleted_user(root, acme):
    browser = office(root)
    browser.post(f"{USERS}{acme.pk}/change/", user_form(acme.account, email="acme@example.test", login="acme"))
    browser.post(f"{USERS}{acme.pk}/delete/", {"post": "yes"})
    assert [entry for entry in LogEntry.objects.all() if "acme" in f"{entry.object_repr} {entry.change_message}"] == []
    assert [entry.action for entry in AuditEntry.objects.order_by("id")] == ["user.change", "user.remove"]


# -- the audit log ----------------------------------------------------------------------------------------------------


def test_the_audit_log_says_who_did_what_and_cannot_be_changed(root, acme):
    keys.reveal(acme, by=root)
    remove_website(make_website(acme.account), by=None, now=timezone.now())
    page = office(root).get(AUDIT)
    found = [(entry.action, page.context["cl"].model_admin.who(entry)) for entry in listed(page)]
    assert found == [("website.remove", "the command line"), ("api_key.reveal", "root")]
    entry = listed(page)[0]
    assert office(root).get(f"{AUDIT}add/").status_code == 403
    assert office(root).post(f"{AUDIT}{entry.pk}/delete/", {"post": "yes"}).status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": [entry.pk], "post": "yes"}
    office(root).post(AUDIT, chosen)
    assert AuditEntry.objects.count() == 2


def test_a_users_history_is_in_the_audit_log(root, acme, globex):
    keys.reveal(acme, by=root)
    keys.reveal(globex, by=root)
    page = office(root).get(f"{USERS}{acme.pk}/history/", follow=True)
    assert [entry.subject for entry in listed(page)] == [str(acme.pk)]


# -- what users write is text -----------------------------------------------------------------------------------------


def test_what_users_write_is_inert(root):
    hostile = "<script>alert(1)</script>"
    account = make_account(hostile)
    make_website(account, groups=[{"name": hostile, "pattern": "/a"}])
    user = make_user(account, email=hostile)
    pages = [WEBSITES, ACCOUNTS, USERS, f"{USERS}{user.pk}/change/", f"{USERS}{user.pk}/delete/"]
    pages += [f"{ACCOUNTS}{account.pk}/change/", f"{ACCOUNTS}{account.pk}/delete/", f"{USERS}{user.pk}/new-key/"]
    pages += [f"{WEBSITES}{Website.objects.get().pk}/change/", "/admin/"]
    for page in pages:
        answer = office(root).get(page)
        assert (answer.status_code, b"<script>alert" in answer.content) == (200, False), page
    issued = office(root).post(f"{USERS}{user.pk}/new-key/", follow=True)
    assert b"<script>alert" not in issued.content
    assert b"&lt;script&gt;alert" in issued.content
