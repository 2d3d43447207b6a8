"""The front answers the widgets' routes as Django does, byte by byte, and stores the same rows."""

import re
import time

import pytest
from django.utils import timezone

from accounts.clients import revoke
from analytics.models import Order, OrderLine
from analytics.tests.builders import CHROME, GOOGLEBOT, make_website
from analytics.tests.test_front import asked, ports, raw, stored
from analytics.tests.test_redirects import HOSTILE
from analytics.tests.widgets import BEST, INSTANCE, address, make_token

pytestmark = pytest.mark.django_db(transaction=True)

__all__ = ["ports"]
W = f"/track/widget/{INSTANCE}"
TIME = re.compile(rb'"timestamp":"[^"]+"')


def answers(port, calls):
    """Each call's answer without the moment of it, and then the stored rows and orders."""
    found = []
    for call in calls:
        status, headers, content = asked(port, **({"method": "GET", "headers": {"User-Agent": CHROME}} | call))
        found.append((status, headers, TIME.sub(b"", content)))
    orders = list(Order.objects.order_by("transaction").values_list("transaction", "total", "currency", "segments"))
    lines = list(OrderLine.objects.order_by("transaction", "number").values_list("product", "amount"))
    Order.objects.all().delete()
    OrderLine.objects.all().delete()
    return found, stored(), orders, lines


def same(ports, calls):
    front, django = (answers(port, calls) for port in ports)
    for call, one, other in zip(calls, front[0], django[0], strict=True):
        assert one == other, call
    assert front[1:] == django[1:]
    return front


@pytest.fixture
def token():
    return make_token(make_website(excluded_ips=["198.51.100.7"]))


def paths(token):
    good = {"analytics_id": "v1", "pics": "3"}
    bought = ("products[]", "a:1.50")
    return [
        *(address(f"{BEST}/render{ending}", token, **good) for ending in ("", ".json", ".gif", "/", ".png", ".")),
        address(f"{W}/category/7/media/5/view", token, ("segments[]", "country:US"), ("segments[]", "é:ü"), **good),
        address(f"{W}/stream/not_found/render.gif", token, analytics_id="v1"),
        address(f"{W}/stream/not_found/move", token, **good),
        address(f"{W}/best/media", token, **good),
        address("/track/widget", token, **good),
        address("/track/widget/%00/best/render", token, **good),
        address("/track/widget/%C3%A9/best/render", token, **good),
        address("/track/widget/%ff/best/render", token, **good),
        address("/track/widget/a%2Fb/best/render", token, **good),
        address("/track/widget/a%0Ab/best/render", token, **good),
        address("/track/widget/../x/best/render", token, **good),
        address(f"{BEST}/render", None, **good),
        f"{BEST}/render?auth_token=unknown",
        f"{address(f'{BEST}/render', token)}&analytics_id=%ED%A0%80&pics=1",
        f"{address(f'{BEST}/render', token)}&analytics_id=%00&pics=1",
        f"{address(f'{BEST}/render', token)}&analytics_id=a%2Bb+c&pics=1&&=&x",
        address("/track/transaction/T-1/checkout", token, bought, analytics_id="v1"),
        address("/track/transaction/T-1/checkout.gif", token, bought, analytics_id="v1"),
        address("/track/transaction/T-1/checkout", token, bought, analytics_id="v2"),
        address("/track/transaction/T%C3%A9%20x/checkout", token, bought, analytics_id="v1", currency_code="eur"),
        address("/track/transaction/T-2/checkout", token, analytics_id="v1"),
        address("/track/transaction/T-2/refund", token, bought, analytics_id="v1"),
        address("/", token),
        address("/", token, analytics_id="v1"),
        "/?auth_token=",
        "/?auth_token=unknown",
        "/?a=b&auth%5Ftoken=x",
        address(f"{BEST}/media/5/shop.gif", token, redirect_url="https://www.acme.example/p?a=b#c", **good),
        address(f"{BEST}/media/5/shop", token, redirect_url="", **good),
    ]


def test_every_route_and_mistake_is_answered_alike(ports, token):
    found, (rows, drops), orders, lines = same(ports, [{"path": path} for path in paths(token)])
    assert {status for status, _, _ in found} == {200, 302, 400, 403, 404, 409}
    assert ([order[0] for order in orders], len(lines)) == (["T-1", "Té x"], 2)
    assert len(rows) == 11
    assert sum(count for *_, count in drops) >= 15


def test_hostile_redirects_are_answered_alike(ports, token):
    same(ports, [{"path": address(f"{BEST}/media/5/shop", token, analytics_id="v1", redirect_url=u)} for u in HOSTILE])


@pytest.mark.parametrize(
    "call",
    [
        {"method": "HEAD"},
        {"method": "OPTIONS"},
        {"method": "POST", "body": b"x" * 100_000},
        {"method": "PUT"},
        {"method": "TRACE"},
        {"method": "PROPFIND"},
        {"headers": {"User-Agent": GOOGLEBOT}},
        {"headers": {}},
        {"headers": {"Sec-Purpose": "prefetch"}},
        {"headers": {"X-Moz": "prefetch"}},
        {"headers": {"Accept": "image/avif"}},
        {"headers": {"If-None-Match": "*"}},
        {"headers": {"Origin": "https://acme.example"}},
        {"headers": {"Cookie": "session=x; __olapicU=y"}},
        {"headers": {"X-HTTP-Method-Override": "POST"}},
        {"headers": {"Host": "evil.example"}},
        {"body": b"{}", "headers": {"User-Agent": CHROME, "Content-Type": "application/json"}},
    ],
)
@pytest.mark.parametrize("path", [f"{BEST}/render.gif", f"{BEST}/media/5/shop", "/track/transaction/T/checkout", "/"])
def test_methods_and_headers_are_answered_alike(ports, token, call, path):
    query = {"analytics_id": "v1", "pics": "1"} | ({"products[]": "a:1"} if "transaction" in path else {})
    same(ports, [{"path": address(path, token, **query)} | call])


def test_an_absurdly_long_query_is_answered_alike(ports, token):
    link = address(f"{BEST}/render", token, analytics_id="v1", pics=1) + "&segments[]=" + "k:" + "v" * 20_000
    head = f"GET {link} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: {CHROME}\r\n\r\n".encode()
    assert [raw(port, head) for port in ports] == [400, 400]


def test_a_revoked_token_is_refused_by_every_process_within_a_second(ports, token):
    link = address(f"{BEST}/render", token, analytics_id="v1", pics=1)

    def statuses():
        return [asked(port, method="GET", path=link, headers={"User-Agent": CHROME})[0] for port in ports]

    assert statuses() == [200, 200]
    revoke(token, by=None, now=timezone.now())
    revoked_at = time.monotonic()
    while statuses() != [403, 403]:
        # A call that began within the second may still be answered after it.
        assert time.monotonic() - revoked_at < 2
    assert statuses() == [403, 403]
