import re
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts.models import Account, AuditEntry
from accounts.removal import remove_account
from accounts.tests.builders import call, make_account, make_root, make_user, make_website, refused

pytestmark = pytest.mark.django_db

NOT_THERE = b'{"status":"error","error":{"code":"NOT_FOUND","message":"Not found."}}'


def test_it_works():
    root = make_root()
    created = call("POST", "/api/v1/accounts", root, {"name": "Acme Corp"})
    assert created.status_code == 201
    account = Account.objects.get(name="Acme Corp")
    assert created.json() == {
        "status": "success",
        "data": {"id": str(account.id), "name": "Acme Corp", "createdAt": created.json()["data"]["createdAt"]},
    }
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", created.json()["data"]["createdAt"])


def test_created_at_has_milliseconds_also_when_there_are_none():
    root = make_root()
    Account.objects.update(created_at="2026-01-15T10:30:00Z")
    assert call("GET", "/api/v1/accounts", root).json()["data"][0]["createdAt"] == "2026-01-15T10:30:00.000Z"


def test_the_list_is_in_order_of_creation():
    root = make_root()
    for name in ("Globex", "Acme", "Acme"):
        make_account(name)
    listed = call("GET", "/api/v1/accounts", root).json()["data"]
    assert [account["name"] for account in listed] == ["Root", "Globex", "Acme", "Acme"]
    assert [sorted(account) for account in listed] == [["createdAt", "id", "name"]] * 4


@pytest.mark.parametrize(
    "body", [{}, {"name": None}, {"name": ""}, {"name": " \t "}, {"name": "x" * 256}, {"name": {}}]
)
def test_a_missing_or_invalid_name_is_400(body):
    assert refused(call("POST", "/api/v1/accounts", make_root(), body), 400, "INVALID_PAYLOAD")


def test_no_body_at_all_is_400():
    assert refused(call("POST", "/api/v1/accounts", make_root()), 400, "INVALID_PAYLOAD")


def test_a_name_of_255_characters_of_any_script_is_kept():
    name = "é" * 200 + "\U0001f600" * 55
    response = call("POST", "/api/v1/accounts", make_root(), {"name": name})
    assert (response.status_code, response.json()["data"]["name"]) == (201, name)


def test_id_and_created_at_in_the_body_are_ignored():
    wanted = str(uuid4())
    body = {"name": "Acme", "id": wanted, "created_at": "2001-01-01T00:00:00Z", "deleted_at": "2001-01-01T00:00:00Z"}
    made = call("POST", "/api/v1/accounts", make_root(), body).json()["data"]
    assert made["id"] != wanted
    assert made["createdAt"] > "2026"
    assert Account.objects.live().filter(pk=made["id"]).exists()


def test_deleting_answers_with_the_account_and_it_is_gone_from_every_answer():
    root, acme = make_root(), make_user(make_account("Acme"))
    website = make_website(acme.account)
    shown = next(row for row in call("GET", "/api/v1/accounts", root).json()["data"] if row["name"] == "Acme")
    response = call("DELETE", f"/api/v1/accounts/{acme.account_id}", root)
    assert (response.status_code, response.json()) == (200, {"status": "success", "data": shown})
    assert [row["name"] for row in call("GET", "/api/v1/accounts", root).json()["data"]] == ["Root"]
    assert [row["id"] for row in call("GET", "/api/v1/users", root).json()["data"]] == [str(root.id)]
    assert call("GET", "/api/v1/websites", root).json()["data"] == []
    assert call("GET", "/api/v1/websites", acme).status_code == 401
    for method, path in (
        ("DELETE", f"/api/v1/accounts/{acme.account_id}"),
        ("DELETE", f"/api/v1/users/{acme.id}"),
        ("GET", f"/api/v1/users/{acme.id}/api-key"),
        ("PATCH", f"/api/v1/websites/{website.public_id}"),
        ("DELETE", f"/api/v1/websites/{website.public_id}"),
    ):
        response = call(method, path, root, {"domain": "acme.example"})
        assert (response.status_code, response.content) == (404, NOT_THERE)


def test_deleting_leaves_other_accounts_alone_and_is_audited():
    root, acme, globex = make_root(), make_user(make_account("Acme")), make_user(make_account("Globex"))
    make_website(globex.account)
    call("DELETE", f"/api/v1/accounts/{acme.account_id}", root)
    assert len(call("GET", "/api/v1/websites", globex).json()["data"]) == 1
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.subject, entry.actor) == ("account.remove", str(acme.account_id), root.id)


def test_deleting_ones_own_account_ends_ones_key():
    root = make_root()
    assert call("DELETE", f"/api/v1/accounts/{root.account_id}", root).status_code == 200
    assert call("GET", "/api/v1/accounts", root).status_code == 401


def test_an_account_that_never_was_and_one_that_was_removed_are_the_same_404():
    root, gone = make_root(), make_account("Gone")
    remove_account(gone, by=None, now=timezone.now())
    for id in (uuid4(), gone.id):
        response = call("DELETE", f"/api/v1/accounts/{id}", root)
        assert (response.status_code, response.content) == (404, NOT_THERE)
