"""The cast: Acme owns a website, Globex must never see it, root is the admin."""

import json
from typing import Any

from django.http import HttpResponse
from django.test import Client

from accounts.models import Account, User, Website
from accounts.registration import register_account, register_user, register_website


def make_account(name: str = "Acme") -> Account:
    return register_account(name)


def make_user(
    account: Account | None = None,
    *,
    role: str = "user",
    login: str | None = None,
    password: str | None = None,
    email: str | None = None,
) -> User:
    """A user with their key in `.key`."""
    user, key = register_user(account or make_account(), role=role, email=email)
    user.login = login
    user.set_password(password)
    user.save()
    user.key = key
    return user


def make_root(**options: Any) -> User:
    return make_user(make_account("Root"), role="admin", **options)


def make_website(account: Account, domain: str = "acme.example", **options: Any) -> Website:
    return register_website(account, domain=domain, **options)


def call(method: str, path: str, user: User | None = None, body: object = None, **headers: str) -> HttpResponse:
    """One request to the API as this user. `body` is sent as it is when bytes, else as JSON."""
    if user is not None:
        headers["X-API-KEY"] = user.key
    raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    headers.setdefault("Content-Type", "application/json")
    # An exception is an answer like any other here: that of the server.
    client = Client(raise_request_exception=False)
    return client.generic(method, path, raw, content_type=headers.pop("Content-Type"), headers=headers)


def refused(response: HttpResponse, status: int, code: str) -> bool:
    """Whether this is that refusal, in the envelope."""
    found = response.json()
    message = found.get("error", {}).get("message")
    assert (response.status_code, found) == (
        status,
        {"status": "error", "error": {"code": code, "message": message}},
    )
    assert message
    return True
