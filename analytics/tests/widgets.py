"""What widgets of the cast send: calls as a page makes them, and what came of them."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import time_machine
from django.test import Client as Browser

from accounts.clients import create_widget_client
from accounts.models import Client, Website
from analytics.models import Drop
from analytics.tests.builders import CHROME

INSTANCE = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
BEST = f"/track/widget/{INSTANCE}/best"


def make_token(website: Website, **options: Any) -> Client:
    return create_widget_client(website, **options)


def address(path: str, token: Client | None, *pairs: tuple[str, str], **query: Any) -> str:
    """The address of a call. `pairs` are parameters that come several times."""
    auth = [("auth_token", token.token)] if token else []
    return f"{path}?{urlencode([*auth, *query.items(), *pairs])}"


def ask(path: str, token: Client | None, *pairs: tuple[str, str], headers: Any = None, **query: Any) -> Any:
    """GET of a widgets route by visitor v1 with one medium in view, unless told otherwise; None leaves one out."""
    known = {"analytics_id": "v1"} | ({} if "transaction" in path else {"pics": "1"}) | query
    given = {name: value for name, value in known.items() if value is not None}
    return Browser().get(address(path, token, *pairs, **given), headers={"user-agent": CHROME} | (headers or {}))


def checkout(token: Client | None, transaction: str, *products: str, headers: Any = None, **query: Any) -> Any:
    """GET of a purchase; products as `id:amount`."""
    pairs = [("products[]", product) for product in products]
    return ask(f"/track/transaction/{transaction}/checkout", token, *pairs, headers=headers, **query)


def dropped() -> dict[str, int]:
    """What was not stored, by reason."""
    return dict(Drop.objects.filter(dialect="widgets").values_list("reason", "count"))


def show_one(website: Website, moment: datetime) -> None:
    """A widget in an experiment that is shown at that moment, and one whose stream is not there."""
    token = make_token(website)
    with time_machine.travel(moment, tick=False):
        ask(f"{BEST}/render", token, ab_testing="1")
        ask(f"/track/widget/{INSTANCE}/stream/not_found/render", token, pics=None)
