"""A shop with a widget, in a real browser: pixels, a shop link through its redirect, a purchase, and what the reports
say of it.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Page

from accounts.models import Client as Token
from accounts.models import Website
from analytics.models import Event
from analytics.showing import show
from analytics.tests.browser import EVERY_NAME, Chromium, Web, needs_chromium
from analytics.tests.builders import data, make_account, make_key, make_website
from analytics.tests.servers import ASGI, served
from analytics.tests.widgets import INSTANCE, make_token

pytestmark = pytest.mark.django_db(transaction=True)

SHOP = "http://www.acme.example"
# The shop knows its visitors by a cookie of its own, as the vendor's pages do. The tracking server sees no cookie.
VISITOR = """
let visitor = document.cookie.match(/__olapicU=(\\w+)/)?.[1];
if (!visitor) {
    visitor = Math.random().toString(36).slice(2);
    document.cookie = `__olapicU=${visitor}; max-age=2592000; path=/`;
}
const query = more => new URLSearchParams({auth_token: TOKEN, analytics_id: visitor, ...more});
const pixel = (path, more) => {
    const image = new Image(1, 1);
    image.src = `${SERVER}/track/${path}.gif?${query(more)}`;
    document.body.append(image);
};
"""
HOME = """
const stream = `widget/${INSTANCE}/stream/34`;
pixel(`${stream}/render`, {pics: 2, 'segments[]': 'country:US'});
for (const medium of [5, 6]) pixel(`${stream}/media/${medium}/render`, {pics: 2});
const link = document.createElement('a');
link.textContent = 'Shop this product';
link.href = `${SERVER}/track/${stream}/media/5/shop?${query({pics: 2, redirect_url: 'http://www.acme.example/product?id=1'})}`;
document.body.append(link);
"""
THANKS = """
pixel('transaction/A-1001/checkout', {
    'products[]': 'shirt:120.50', currency_code: 'EUR', 'segments[]': 'country:US', referrer: location.href,
});
"""


@pytest.fixture
def acme(settings: Any) -> Website:
    settings.LIMITS = settings.LIMITS | {"API_KEY": None}
    return make_website(make_account("Acme"))


@pytest.fixture
def visitor(web: Web) -> Iterator[Chromium]:
    """A browser for which the shop is the test's web, on the port that its addresses do not name."""
    needs_chromium()
    browser = Chromium(f"MAP *acme.example {web.url('127.0.0.1', '').removeprefix('http://')}, {EVERY_NAME}")
    yield browser
    browser.close()


def publish(web: Web, token: Token, server: str) -> None:
    known = f"const TOKEN = '{token.token}', SERVER = '{server}', INSTANCE = '{INSTANCE}';{VISITOR}"
    page = "<!doctype html><title>Acme</title><body><script>{}</script>"
    web.pages["/"] = page.format(known + HOME)
    web.pages["/product"] = '<!doctype html><title>Shirt</title><a href="/thanks?order=A-1001">Buy</a>'
    web.pages["/thanks"] = page.format(known + THANKS)


def shop(page: Page) -> list[Any]:
    """What a visitor does. Pages are loaded only when their pixels are."""
    page.goto(f"{SHOP}/", wait_until="load")
    widths = page.evaluate("[...document.images].map(image => image.naturalWidth)")
    page.get_by_role("link", name="Shop this product").click()
    page.wait_for_url(f"{SHOP}/product?id=1")
    page.get_by_role("link", name="Buy").click()
    page.wait_for_load_state("load")
    page.reload(wait_until="load")
    widths += page.evaluate("[...document.images].map(image => image.naturalWidth)")
    cookies = [(cookie["name"], cookie["domain"]) for cookie in page.context.cookies()]
    return [widths, cookies]


def test_a_purchase_stands_under_the_widget_that_led_to_it_once(
    visitor: Chromium, web: Web, acme: Website, client: Client
) -> None:
    token = make_token(acme)
    with served(*ASGI) as port:
        publish(web, token, f"http://127.0.0.1:{port}")
        widths, cookies = visitor.browse(shop)
    assert widths == [1, 1, 1, 1]
    assert cookies == [("__olapicU", "www.acme.example")]
    names = ["widget_render", "media_render", "media_render", "media_shop", "checkout"]
    assert sorted(Event.objects.values_list("name", flat=True)) == sorted(names)
    assert not Event.objects.filter(is_bot=True).exists()
    assert [(order["transactionId"], order["total"]) for order in show("orders", acme, 0)] == [("A-1001", "120.50")]

    key = make_key(acme.account)
    revenue = data(client, "revenue", acme, key, period="today")
    assert revenue["totals"] == [{"currency": "EUR", "orders": 1, "revenue": "120.50"}]
    sale = {"currency": "EUR", "orders": 1, "influenced": "120.50", "linear": "120.50"}
    assert revenue["rows"] == [{"widget": INSTANCE, **sale}]
    media = data(client, "revenue", acme, key, period="today", by="media", touch="interaction")
    assert media["rows"] == [{"media": 5, **sale}]
    (widget,) = data(client, "widgets", acme, key, period="today")["rows"]
    assert (widget["impressions"], widget["interactionRate"], widget["shopClicks"]) == (1, 100.0, 1)
