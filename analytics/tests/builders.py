"""The cast of the tests and what they do: Acme owns a website, Globex must never see it, root is the admin."""

import json
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.test import Client
from django.utils import timezone

from accounts import keys
from accounts.models import Account, User, Website
from analytics.history import Tally, import_hits

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36"
)
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 "
    "Mobile/15E148 Safari/604.1"
)
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


def make_account(name: str = "Acme") -> Account:
    return Account.objects.create(name=name)


def make_website(account: Account | None = None, domain: str = "acme.example", **fields: Any) -> Website:
    return Website.objects.create(account=account or make_account(), domain=domain, **fields)


def make_key(account: Account | None = None, role: str = User.Role.USER) -> str:
    user = User(account=account or make_account(), role=role)
    key = keys.issue(user)
    return key


def a_body(website: Website | None = None, **fields: Any) -> dict[str, Any]:
    """A page view of /, as the tracker sends it."""
    path = fields.get("path", "/")
    return {
        "website_id": str(website.public_id if website else uuid4()),
        "event_type": "page_view",
        "url": f"https://acme.example{path}",
        "path": path,
    } | fields


def collect(client: Client, body: Any, *, user_agent: str = CHROME, **options: Any) -> Any:
    """POST /api/v1/collect: `body` as JSON, or as it is when it is bytes or text."""
    raw = body if isinstance(body, bytes | str) else json.dumps(body, ensure_ascii=False)
    options = {"content_type": "application/json"} | options
    return client.post("/api/v1/collect", raw, HTTP_USER_AGENT=user_agent, **options)


def load(website: Website, *hits: dict[str, Any], now: datetime | None = None) -> Tally:
    """Hits as history: each a collect body's fields plus `at`, and `ip` or `user_agent` where they matter."""
    return import_hits([line(website, **hit) for hit in hits], now=now or timezone.now())


def line(website: Website, *, at: datetime, **fields: Any) -> bytes:
    who = {"ip": "203.0.113.9", "user_agent": CHROME}
    return json.dumps(a_body(website) | who | {"occurred_at": at.isoformat()} | fields).encode()


def noon(days_ago: int = 1) -> datetime:
    """Noon UTC of a day in the past, far from any midnight."""
    return timezone.now().replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=days_ago)


def report(client: Client, name: str, website: Website, key: str, **parameters: Any) -> Any:
    """GET /api/v1/reports/<name> of the website."""
    query = {"website_id": str(website.public_id)} | parameters
    return client.get(f"/api/v1/reports/{name}", query, HTTP_X_API_KEY=key)


def data(client: Client, name: str, website: Website, key: str, **parameters: Any) -> Any:
    answer = report(client, name, website, key, **parameters)
    assert answer.status_code == 200, answer.content
    return answer.json()["data"]
