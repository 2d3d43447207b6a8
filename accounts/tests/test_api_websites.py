import threading
from uuid import uuid4

import pytest
from django.db import connections
from django.utils import timezone

from accounts.models import Website
from accounts.registration import change_website
from accounts.removal import remove_website
from accounts.tests.builders import call, make_account, make_root, make_user, make_website, refused

NOBODY = "550e8400-e29b-41d4-a716-446655440000"
pytestmark = pytest.mark.django_db

NOT_THERE = b'{"status":"error","error":{"code":"NOT_FOUND","message":"Not found."}}'
BLOG = {"name": "Blog", "pattern": "/blog/*"}


def test_it_works():
    acme = make_user()
    body = {"domain": "acme.example", "content_groups": [BLOG], "excluded_ips": ["203.0.113.7"]}
    response = call("POST", "/api/v1/websites", acme, body)
    assert response.status_code == 201
    website = Website.objects.get()
    expected = {
        "id": str(website.public_id),
        "accountId": str(acme.account_id),
        "domain": "acme.example",
        "contentGroups": [BLOG],
        "excludedIps": ["203.0.113.7"],
        "createdAt": response.json()["data"]["createdAt"],
    }
    assert response.json() == {"status": "success", "data": expected}
    assert call("GET", "/api/v1/websites", acme).json() == {"status": "success", "data": [expected]}


def test_lists_are_empty_by_default():
    data = call("POST", "/api/v1/websites", make_user(), {"domain": "acme.example"}).json()["data"]
    assert (data["contentGroups"], data["excludedIps"]) == ([], [])


def test_null_is_the_same_as_absent():
    body = {"domain": "acme.example", "content_groups": None, "excluded_ips": None, "account_id": None}
    assert call("POST", "/api/v1/websites", make_user(), body).status_code == 201
    assert call("POST", "/api/v1/websites", make_root(), body).status_code == 201


# -- who sees what ----------------------------------------------------------------------------------------------------


def test_users_see_their_accounts_websites_and_admins_all():
    acme, globex, root = make_user(make_account("Acme")), make_user(make_account("Globex")), make_root()
    make_website(acme.account, "acme.example")
    make_website(globex.account, "globex.example")
    make_website(acme.account, "shop.acme.example")

    def seen(user):
        return [website["domain"] for website in call("GET", "/api/v1/websites", user).json()["data"]]

    assert seen(acme) == ["acme.example", "shop.acme.example"]
    assert seen(globex) == ["globex.example"]
    assert seen(root) == ["acme.example", "globex.example", "shop.acme.example"]


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_anothers_a_removed_and_an_unknown_website_are_one_and_the_same_404(method):
    acme, globex = make_user(make_account("Acme")), make_user(make_account("Globex"))
    others, removed = make_website(globex.account), make_website(acme.account)
    remove_website(removed, by=None, now=timezone.now())
    answers = [
        call(method, f"/api/v1/websites/{id}", acme, {"domain": "new.example"})
        for id in (others.public_id, removed.public_id, uuid4())
    ]
    assert [(answer.status_code, answer.content) for answer in answers] == [(404, NOT_THERE)] * 3
    assert len({str(sorted(answer.headers.items())) for answer in answers}) == 1
    others.refresh_from_db()
    assert (others.domain, others.deleted_at) == ("acme.example", None)


def test_anothers_website_is_404_before_the_body_is_looked_at():
    acme, globex = make_user(), make_user()
    others = make_website(globex.account)
    assert call("PATCH", f"/api/v1/websites/{others.public_id}", acme, b"{").content == NOT_THERE


def test_admins_change_and_delete_any_website():
    root, acme = make_root(), make_user()
    website = make_website(acme.account)
    assert call("PATCH", f"/api/v1/websites/{website.public_id}", root, {"domain": "new.example"}).status_code == 200
    assert call("DELETE", f"/api/v1/websites/{website.public_id}", root).status_code == 200


@pytest.mark.parametrize("account_id", [None, "x", 5, "someone else's", "nobody's"])
def test_a_users_account_id_is_ignored_whatever_it_says(account_id):
    acme, globex = make_user(), make_user()
    given = {"someone else's": str(globex.account_id), "nobody's": str(uuid4())}.get(account_id, account_id)
    made = call("POST", "/api/v1/websites", acme, {"domain": "acme.example", "account_id": given})
    assert (made.status_code, made.json()["data"]["accountId"]) == (201, str(acme.account_id))


def test_an_admin_may_name_the_account_and_means_their_own_otherwise():
    root, account = make_root(), make_account("Acme")
    body = {"domain": "acme.example"}
    named = call("POST", "/api/v1/websites", root, {**body, "account_id": str(account.id)}).json()["data"]
    own = call("POST", "/api/v1/websites", root, body).json()["data"]
    assert (named["accountId"], own["accountId"]) == (str(account.id), str(root.account_id))


@pytest.mark.parametrize("account_id", ["", "x", 5, [], "550e8400-e29b-41d4-a716-446655440000"])
def test_an_admin_who_names_no_account_there_is_is_refused(account_id):
    body = {"domain": "acme.example", "account_id": account_id}
    assert refused(call("POST", "/api/v1/websites", make_root(), body), 400, "INVALID_PAYLOAD")


# -- domains ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [{}, {"domain": None}, {"domain": ""}, {"domain": 5}, {"domain": ["a.example"]}])
def test_a_missing_domain_is_400(body):
    assert refused(call("POST", "/api/v1/websites", make_user(), body), 400, "INVALID_PAYLOAD")


def test_a_domain_is_trimmed_and_in_lower_case():
    response = call("POST", "/api/v1/websites", make_user(), {"domain": " Www.ACME.Example "})
    assert response.json()["data"]["domain"] == "www.acme.example"


def test_a_domain_is_once_in_an_account_in_whatever_case():
    acme, globex = make_user(), make_user()
    make_website(acme.account, "acme.example")
    assert refused(call("POST", "/api/v1/websites", acme, {"domain": "ACME.example"}), 400, "INVALID_PAYLOAD")
    assert call("POST", "/api/v1/websites", globex, {"domain": "acme.example"}).status_code == 201


def test_a_domain_of_another_script_has_one_spelling():
    acme = make_user()
    make_website(acme.account, "xn--mnchen-3ya.example")
    for spelling in ("XN--MNCHEN-3YA.example", "münchen.example", "MÜNCHEN.EXAMPLE", "xn--mnchen-3ya。example"):
        assert refused(call("POST", "/api/v1/websites", acme, {"domain": spelling}), 400, "INVALID_PAYLOAD"), spelling
    assert Website.objects.count() == 1


def test_the_domain_of_a_removed_website_is_free_again():
    acme = make_user()
    remove_website(make_website(acme.account, "acme.example"), by=None, now=timezone.now())
    assert call("POST", "/api/v1/websites", acme, {"domain": "acme.example"}).status_code == 201


@pytest.mark.django_db(transaction=True)
def test_two_creations_of_a_domain_at_once_are_one_201_and_one_400():
    acme = make_user()
    statuses: list[int] = []
    together = threading.Barrier(4)

    def create() -> None:
        together.wait()
        statuses.append(call("POST", "/api/v1/websites", acme, {"domain": "acme.example"}).status_code)
        connections.close_all()

    threads = [threading.Thread(target=create) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [201, 400, 400, 400]
    assert Website.objects.count() == 1


# -- lists ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "groups",
    ["x", {}, 5, [5], [{}], [{"name": "Blog"}], [{"pattern": "/*"}], [{"name": "", "pattern": "/*"}]]
    + [[{"name": "Blog", "pattern": ""}], [{"name": 5, "pattern": "/*"}], [BLOG] * 51]
    + [[{"name": "Blog", "pattern": "/" * 201}]],
)
def test_content_groups_that_are_none_are_400(groups):
    body = {"domain": "acme.example", "content_groups": groups}
    assert refused(call("POST", "/api/v1/websites", make_user(), body), 400, "INVALID_PAYLOAD")


@pytest.mark.parametrize(
    "entries", ["203.0.113.7", {}, 5, ["x"], [""], [5], [None], ["203.0.113.300"], ["10.0.0.0/33"]]
)
def test_excluded_ips_that_are_none_are_400(entries):
    body = {"domain": "acme.example", "excluded_ips": entries}
    assert refused(call("POST", "/api/v1/websites", make_user(), body), 400, "INVALID_PAYLOAD")


# -- PATCH ------------------------------------------------------------------------------------------------------------


def test_patch_changes_what_is_given_and_nothing_else():
    acme = make_user()
    website = make_website(acme.account, groups=[BLOG], excluded=["203.0.113.7"])
    path = f"/api/v1/websites/{website.public_id}"
    changed = call("PATCH", path, acme, {"domain": "New.example"}).json()["data"]
    assert (changed["domain"], changed["contentGroups"], changed["excludedIps"]) == (
        "new.example",
        [BLOG],
        ["203.0.113.7"],
    )
    assert call("GET", "/api/v1/websites", acme).json()["data"] == [changed]


def test_patch_replaces_lists_whole():
    acme = make_user()
    website = make_website(acme.account, groups=[BLOG], excluded=["203.0.113.7"])
    body = {"content_groups": [], "excluded_ips": ["198.51.100.0/24"]}
    changed = call("PATCH", f"/api/v1/websites/{website.public_id}", acme, body).json()["data"]
    assert (changed["contentGroups"], changed["excludedIps"]) == ([], ["198.51.100.0/24"])


@pytest.mark.parametrize(
    "body",
    [{}, {"domain": None}, {"account_id": NOBODY}, {"id": "x"}, {"created_at": "2001-01-01"}, {"Domain": "x"}],
)
def test_patch_of_nothing_is_400(body):
    acme = make_user()
    website = make_website(acme.account)
    assert refused(call("PATCH", f"/api/v1/websites/{website.public_id}", acme, body), 400, "INVALID_PAYLOAD")


def test_patch_without_a_body_is_400():
    acme = make_user()
    website = make_website(acme.account)
    assert refused(call("PATCH", f"/api/v1/websites/{website.public_id}", acme), 400, "INVALID_PAYLOAD")


def test_patch_never_moves_a_website():
    acme, globex = make_user(), make_user()
    website = make_website(acme.account)
    body = {"domain": "new.example", "account_id": str(globex.account_id), "id": str(uuid4())}
    body |= {"created_at": "2001-01-01T00:00:00Z", "deleted_at": "2001-01-01T00:00:00Z"}
    changed = call("PATCH", f"/api/v1/websites/{website.public_id}", acme, body).json()["data"]
    assert (changed["id"], changed["accountId"]) == (str(website.public_id), str(acme.account_id))
    assert Website.objects.live().get().created_at == website.created_at


@pytest.mark.parametrize(
    "body", [{"domain": "http://x"}, {"domain": 5}, {"content_groups": 5}, {"excluded_ips": ["x"]}]
)
def test_patch_with_a_wrong_value_is_400_and_changes_nothing(body):
    acme = make_user()
    website = make_website(acme.account)
    assert refused(call("PATCH", f"/api/v1/websites/{website.public_id}", acme, body), 400, "INVALID_PAYLOAD")
    assert Website.objects.get().domain == "acme.example"


def test_patch_to_a_domain_the_account_has_is_400_and_to_its_own_is_fine():
    acme = make_user()
    website, _ = make_website(acme.account, "one.example"), make_website(acme.account, "two.example")
    path = f"/api/v1/websites/{website.public_id}"
    assert refused(call("PATCH", path, acme, {"domain": "two.example"}), 400, "INVALID_PAYLOAD")
    assert call("PATCH", path, acme, {"domain": "one.example"}).status_code == 200


def test_a_patch_that_overlaps_a_deletion_does_not_bring_the_website_back():
    acme = make_user()
    website = make_website(acme.account)
    stale = Website.objects.get()
    remove_website(website, by=None, now=timezone.now())
    change_website(stale, domain="new.example")
    assert not Website.objects.live().exists()


# -- DELETE -----------------------------------------------------------------------------------------------------------


def test_deleting_answers_with_the_website_which_is_gone_at_once():
    acme = make_user()
    website = make_website(acme.account)
    shown = call("GET", "/api/v1/websites", acme).json()["data"][0]
    response = call("DELETE", f"/api/v1/websites/{website.public_id}", acme)
    assert (response.status_code, response.json()) == (200, {"status": "success", "data": shown})
    assert call("GET", "/api/v1/websites", acme).json()["data"] == []
    assert call("DELETE", f"/api/v1/websites/{website.public_id}", acme).content == NOT_THERE
