from uuid import uuid4

import pytest
from django.utils import timezone

from accounts import keys
from accounts.models import AuditEntry, User
from accounts.removal import remove_account
from accounts.tests.builders import call, make_account, make_root, make_user, refused

pytestmark = pytest.mark.django_db


def test_it_works():
    root, account = make_root(), make_account("Acme")
    body = {"account_id": str(account.id), "role": "user", "email": "user@example.com"}
    response = call("POST", "/api/v1/users", root, body)
    assert response.status_code == 201
    user = User.objects.get(account=account)
    data = response.json()["data"]
    assert data == {
        "id": str(user.id),
        "accountId": str(account.id),
        "email": "user@example.com",
        "role": "user",
        "apiKey": data["apiKey"],
        "createdAt": data["createdAt"],
    }
    assert list(data) == ["id", "accountId", "email", "role", "apiKey", "createdAt"]
    assert keys.find(data["apiKey"]) == user
    assert response["Cache-Control"] == "no-store"


def test_the_new_key_works():
    root, account = make_root(), make_account("Acme")
    made = call("POST", "/api/v1/users", root, {"account_id": str(account.id), "role": "admin"}).json()["data"]
    user = User.objects.get(pk=made["id"])
    user.key = made["apiKey"]
    assert call("GET", "/api/v1/accounts", user).status_code == 200


def test_the_list_shows_five_keys_and_never_an_api_key():
    root = make_root()
    acme = make_user(make_account("Acme"), email="a@example.com")
    response = call("GET", "/api/v1/users", root)
    assert [user["id"] for user in response.json()["data"]] == [str(root.id), str(acme.id)]
    assert [sorted(user) for user in response.json()["data"]] == [["accountId", "createdAt", "email", "id", "role"]] * 2
    assert acme.key.encode() not in response.content


@pytest.mark.parametrize("email", [None, "", "not an address", "x" * 254])
def test_the_email_is_a_label_and_optional(email):
    root = make_root()
    body = {"account_id": str(root.account_id), "role": "user", "email": email}
    assert call("POST", "/api/v1/users", root, body).json()["data"]["email"] == email
    assert call("POST", "/api/v1/users", root, body).status_code == 201


def test_without_an_email_it_is_null():
    root = make_root()
    body = {"account_id": str(root.account_id), "role": "user"}
    assert call("POST", "/api/v1/users", root, body).json()["data"]["email"] is None


@pytest.mark.parametrize(
    "role", [None, "", "ADMIN", "Admin", "xadmin", "adminx", "admin\n", " admin", ["admin"], 1, {}]
)
def test_another_role_is_400(role):
    root = make_root()
    body = {"account_id": str(root.account_id), "role": role}
    assert refused(call("POST", "/api/v1/users", root, body), 400, "INVALID_PAYLOAD")
    assert User.objects.count() == 1


@pytest.mark.parametrize("account_id", [None, "", "x", 1, [], "550e8400-e29b-41d4-a716-446655440000"])
def test_an_account_that_is_missing_malformed_or_not_there_is_400(account_id):
    body = {"account_id": account_id, "role": "user"}
    assert refused(call("POST", "/api/v1/users", make_root(), body), 400, "INVALID_PAYLOAD")


def test_a_removed_account_is_400():
    gone = make_account("Gone")
    remove_account(gone, by=None, now=timezone.now())
    body = {"account_id": str(gone.id), "role": "user"}
    assert refused(call("POST", "/api/v1/users", make_root(), body), 400, "INVALID_PAYLOAD")


@pytest.mark.parametrize("email", [5, True, ["a@example.com"], "x" * 255])
def test_an_email_that_is_no_string_or_too_long_is_400(email):
    root = make_root()
    body = {"account_id": str(root.account_id), "role": "user", "email": email}
    assert refused(call("POST", "/api/v1/users", root, body), 400, "INVALID_PAYLOAD")


def test_rights_and_keys_in_the_body_are_ignored():
    root = make_root()
    body = {"account_id": str(root.account_id), "role": "user", "apiKey": "tt_mine", "api_key": "tt_mine"}
    body |= {"is_staff": True, "is_superuser": True, "login": "mallory", "password": "secret", "id": str(uuid4())}
    made = call("POST", "/api/v1/users", root, body).json()["data"]
    user = User.objects.get(pk=made["id"])
    assert made["apiKey"] != "tt_mine"
    assert keys.find("tt_mine") is None
    assert (user.is_staff, user.is_superuser, user.login, user.has_usable_password()) == (False, False, None, False)


def test_the_api_key_can_be_read_again():
    root, acme = make_root(), make_user()
    response = call("GET", f"/api/v1/users/{acme.id}/api-key", root)
    assert response.json() == {"status": "success", "data": {"id": str(acme.id), "apiKey": acme.key}}
    assert response["Cache-Control"] == "no-store"
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.subject, entry.actor) == ("api_key.reveal", str(acme.id), root.id)


def test_the_api_key_of_nobody_is_404():
    assert refused(call("GET", f"/api/v1/users/{uuid4()}/api-key", make_root()), 404, "NOT_FOUND")


def test_deleting_answers_with_the_user_whose_key_stops_at_once():
    root, acme = make_root(), make_user(email="a@example.com")
    shown = call("GET", "/api/v1/users", root).json()["data"][1]
    response = call("DELETE", f"/api/v1/users/{acme.id}", root)
    assert (response.status_code, response.json()) == (200, {"status": "success", "data": shown})
    assert call("GET", "/api/v1/websites", acme).status_code == 401
    assert refused(call("DELETE", f"/api/v1/users/{acme.id}", root), 404, "NOT_FOUND")
    assert [entry.action for entry in AuditEntry.objects.all()] == ["user.remove"]
