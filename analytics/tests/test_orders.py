"""Orders: what checkouts become, once each, however they are repeated, mixed or late (contract 5.4, D-10, D-31)."""

import asyncio
import json
import tempfile
import threading
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
import redis
from django.conf import settings
from django.db import connection, connections
from django.test import Client as Browser

from accounts.clients import change_widget_client
from analytics import drops
from analytics.api.widgets.endpoints import checkout as endpoint
from analytics.ingest import background, outage, visitor
from analytics.ingest.batches import Batches
from analytics.ingest.grants import grants
from analytics.ingest.reading import Outcome
from analytics.ingest.storage import Storage
from analytics.models import Event, Order, OrderLine, Quarantine
from analytics.showing import show
from analytics.tests.builders import CHROME, GOOGLEBOT, make_website
from analytics.tests.proxy import Proxy
from analytics.tests.test_batches import until
from analytics.tests.widgets import address, ask, checkout, dropped, make_token
from tinytrail.web.call import Call

pytestmark = pytest.mark.django_db(transaction=True)

INVALID = b'[{"error":"Invalid params"}]'
CONFLICT = {"metadata": {"code": 409, "message": "Conflict", "version": "v1.0"}}


@pytest.fixture(autouse=True)
def _nothing_remembered():
    grants.forget()
    drops._waiting.clear()
    visitor.salts.__init__()
    yield
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.delete(outage.STREAM)


@pytest.fixture
def acme():
    return make_website()


@pytest.fixture
def token(acme):
    return make_token(acme)


def orders(website):
    return {order["transactionId"]: order for order in show("orders", website, 0)}


def test_it_works(acme, token):
    answer = checkout(token, "T-1", "shirt:120.50", "sku:with:colons:3", currency_code="EUR")
    assert answer.status_code == 200
    assert show("orders", acme, 0) == [
        {
            "transactionId": "T-1",
            "currency": "EUR",
            "total": "123.50",
            "lines": [{"product": "shirt", "amount": "120.50"}, {"product": "sku:with:colons", "amount": "3.00"}],
        }
    ]
    event = Event.objects.get()
    assert (event.name, event.client_session, event.properties["total"]) == ("checkout", "v1", "123.50")


def test_the_documents_own_example_is_taken_as_it_is_printed(acme, token):
    query = (
        "analytics_id=v1&products=products[]=product-123:120.50&segments=segments[]=country:US"
        "&segments[]=section:abc&currency_code=EUR&referrer=referrer=https:/domain.com/checkout"
    )
    answer = Browser().get(f"{address('/track/transaction/T-1/checkout.json', token)}&{query}")
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "text",
    [
        "products[]=a:1.50&products[]=b:2",
        "products%5B%5D=a%3A1.50&products%5B%5D=b:2",
        "products[0]=a:1.50&products[1]=b:2",
        "products=a:1.50&products=b:2",
        "products=products[]=a:1.50&products[]=b:2",
    ],
)
def test_products_are_read_in_every_spelling(acme, token, text):
    link = f"{address('/track/transaction/T-1/checkout', token, analytics_id='v1')}&{text}"
    assert Browser().get(link, headers={"user-agent": CHROME}).status_code == 200
    assert orders(acme)["T-1"]["lines"] == [{"product": "a", "amount": "1.50"}, {"product": "b", "amount": "2.00"}]


@pytest.mark.parametrize(
    ("amount", "total"),
    [
        ("0", "0.00"),
        ("0.0001", "0.0001"),
        ("999999999999.9999", "999999999999.9999"),
        ("007", "7.00"),
        ("1.10", "1.10"),
        ("1.125", "1.125"),
    ],
)
def test_amounts_are_exact(acme, token, amount, total):
    assert checkout(token, "T-1", f"a:{amount}").status_code == 200
    assert orders(acme)["T-1"]["total"] == total


def test_a_sum_of_many_amounts_is_exact(acme, token):
    checkout(token, "T-1", *(f"p{n}:0.1" for n in range(10)), "big:100000000000.0001")
    assert Order.objects.get().total == Decimal("100000000001.0001")


@pytest.mark.parametrize(
    "products",
    [
        [],
        [""],
        ["a"],
        [":1"],
        ["a:"],
        ["a:x"],
        ["a:-1"],
        ["a:+1"],
        ["a:1e3"],
        ["a:NaN"],
        ["a:Infinity"],
        ["a:1,50"],
        ["a:.5"],
        ["a:5."],
        ["a:1.23456"],
        ["a:1000000000000"],
        ["a:" + "9" * 400],
        ["a:0x10"],
        ["a:1_000"],
        ["a:٣"],
        ["a:1", "b:x"],
        ["x" * 256 + ":1"],
        ["a\0b:1"],
        [f"p{n}:1" for n in range(201)],
        [f"p{n}:1" for n in range(1000)],
    ],
)
def test_products_that_are_wrong_are_400(token, products):
    answer = checkout(token, "T-1", *products)
    assert (answer.status_code, answer.content) == (400, INVALID)
    assert (Event.objects.count(), Order.objects.count(), sum(dropped().values())) == (0, 0, 1)


@pytest.mark.parametrize(
    ("code", "stored"), [("EUR", "EUR"), ("eur", "EUR"), (" jpy ", "JPY"), ("", "USD"), (None, "USD")]
)
def test_a_currency_is_iso_4217_and_dollars_by_default(acme, token, code, stored):
    assert checkout(token, "T-1", "a:1", currency_code=code).status_code == 200
    assert orders(acme)["T-1"]["currency"] == stored


@pytest.mark.parametrize("code", ["XXY", "EURO", "E", "€", "840", "DEM1", "US\0"])
def test_any_other_currency_is_400(token, code):
    assert checkout(token, "T-1", "a:1", currency_code=code).content == INVALID


@pytest.mark.parametrize("wrong", [{"analytics_id": None}, {"analytics_id": ""}, {"referrer": "x" * 2001}])
def test_what_else_is_wrong_is_400(token, wrong):
    assert checkout(token, "T-1", "a:1", **wrong).content == INVALID


def test_the_page_of_a_purchase_is_kept_without_its_query(token):
    checkout(token, "T-1", "a:1", referrer="https://acme.example/thanks?email=canary@example.test#x")
    checkout(token, "T-2", "a:1", referrer="nothing of the kind")
    assert set(Order.objects.values_list("transaction", "referrer")) == {
        ("T-1", "https://acme.example/thanks"),
        ("T-2", ""),
    }
    assert set(Event.objects.values_list("path", flat=True)) == {"/thanks", ""}


# -- repeats (D-10, D-31) ---------------------------------------------------------------------------------------------


def test_a_repeat_in_any_order_and_spelling_is_answered_and_adds_nothing(acme, token):
    calls = [("a:1.50", "b:2"), ("b:2", "a:1.50"), ("b:2.00", "a:1.5"), ("a:1.5000", "b:2.0")]
    assert {checkout(token, "T-1", *products).status_code for products in calls} == {200}
    assert (orders(acme)["T-1"]["total"], OrderLine.objects.count(), Event.objects.count()) == ("3.50", 2, 1)


def test_two_of_one_product_are_two_lines(acme, token):
    checkout(token, "T-1", "a:10", "a:10")
    checkout(token, "T-1", "a:10", "a:10")
    assert (orders(acme)["T-1"]["total"], len(orders(acme)["T-1"]["lines"])) == ("20.00", 2)


def test_other_products_add_to_their_transaction(acme, token):
    checkout(token, "T-1", "a:1")
    checkout(token, "T-1", "b:2")
    checkout(token, "T-1", "a:1", "b:2")
    checkout(token, "T-1", "b:2")
    order = orders(acme)["T-1"]
    assert (order["total"], [line["product"] for line in order["lines"]]) == ("6.00", ["a", "b", "a", "b"])


@pytest.mark.parametrize("other", [{"analytics_id": "v2"}, {"currency_code": "EUR"}])
@pytest.mark.parametrize("products", [("a:1",), ("b:2",)])
def test_another_visitor_or_currency_contradicts_it(acme, token, other, products):
    checkout(token, "T-1", "a:1")
    answer = checkout(token, "T-1", *products, **other)
    assert (answer.status_code, answer.json()) == (409, CONFLICT)
    # What the database refused is counted with the next batch, or at the end.
    background.stop()
    assert (orders(acme)["T-1"]["total"], Event.objects.count(), dropped()) == ("1.00", 1, {"conflict": 1})


def test_a_conflict_is_told_for_images_too(token):
    checkout(token, "T-1", "a:1")
    answer = ask("/track/transaction/T-1/checkout.gif", token, ("products[]", "a:1"), analytics_id="v2")
    assert (answer.status_code, answer.json()) == (409, CONFLICT)


def test_a_transaction_belongs_to_its_token(acme, token):
    other = make_token(acme)
    checkout(token, "T-1", "a:1")
    assert checkout(other, "T-1", "a:1", analytics_id="v2", currency_code="EUR").status_code == 200
    assert Order.objects.count() == 2


def test_transactions_differ_by_every_byte(acme, token):
    for transaction in ("T-1", "t-1", "T-1%20", "%C3%89"):
        checkout(token, transaction, "a:1")
    assert Order.objects.count() == 4


def test_an_order_has_a_bound(token):
    for call in range(50):
        assert checkout(token, "T-1", *(f"c{call}p{n}:1" for n in range(200))).status_code == 200
    assert checkout(token, "T-1", "one:1").status_code == 409
    background.stop()
    assert (OrderLine.objects.count(), dropped()) == (10_000, {"impossible_change": 1})


@pytest.mark.parametrize("who", ["bot", "excluded"])
def test_bots_and_excluded_addresses_leave_an_order_with_their_flag_until_somebody_else_says_the_same(acme, token, who):
    headers = {"user-agent": GOOGLEBOT} if who == "bot" else {}
    acme.excluded_ips = ["127.0.0.1"] if who == "excluded" else []
    acme.save()
    change_widget_client(token, name="new")
    assert checkout(token, "T-1", "a:1", headers=headers).status_code == 200
    assert Order.objects.values_list("is_bot", "is_excluded").get() == (who == "bot", who == "excluded")
    assert checkout(token, "T-1", "a:1", analytics_id="else", headers=headers).status_code == 409
    acme.excluded_ips = []
    acme.save()
    change_widget_client(token, name="newer")
    assert checkout(token, "T-1", "a:1").status_code == 200
    assert Order.objects.values_list("is_bot", "is_excluded", "total").get() == (False, False, 1)


# -- at once ----------------------------------------------------------------------------------------------------------


def at_once(count, work):
    """What `work(n)` returns for each n, all at the same time on threads of their own."""
    found = [None] * count
    start = threading.Barrier(count)

    def run(n):
        start.wait()
        try:
            found[n] = work(n)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=[n]) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_fifty_identical_checkouts_at_once_are_one_order(acme, token):
    background.running()
    assert at_once(50, lambda n: checkout(token, "T-1", "a:1.50", "b:2").status_code) == [200] * 50
    assert (orders(acme)["T-1"]["total"], OrderLine.objects.count(), Event.objects.count()) == ("3.50", 2, 1)


def test_fifty_parts_of_one_purchase_at_once_are_all_in_it(acme, token):
    background.running()
    assert at_once(50, lambda n: checkout(token, "T-1", f"p{n}:{n}.01").status_code) == [200] * 50
    assert (orders(acme)["T-1"]["total"], len(orders(acme)["T-1"]["lines"])) == ("1225.50", 50)


def test_of_two_visitors_with_one_transaction_exactly_one_has_it(token):
    background.running()
    found = at_once(20, lambda n: checkout(token, "T-1", "a:1", analytics_id=f"v{n}").status_code)
    assert sorted(found) == [200] + [409] * 19


def reading(token, transaction, *products, who="v1"):
    """What the endpoint makes of a call."""
    link = address(f"/track/transaction/{transaction}/checkout", token, *(("products[]", p) for p in products))
    path, _, query = link.partition("?")
    call = Call("GET", path, f"{query}&analytics_id={who}", {"user-agent": CHROME}, b"", "203.0.113.9")
    return endpoint.take(call, now=datetime.now(UTC))


def test_many_processes_with_the_same_purchases_in_other_orders_do_not_wait_for_each_other(acme, token):
    async def story():
        writers = [Batches(settings.REDIS_URL) for _ in range(4)]
        for writer in writers:
            await writer.start()
        calls = []
        for n, writer in enumerate(writers):
            for k in range(40):
                transaction = f"T-{k if n % 2 else 39 - k}"
                calls.append(writer.submit(reading(token, transaction, "a:1")))
        found = {verdict.outcome for verdict in await asyncio.gather(*calls)}
        for writer in writers:
            await writer.stop()
        return found

    assert asyncio.run(story()) == {Outcome.STORED}
    assert {order["total"] for order in show("orders", acme, 0)} == {"1.00"}
    assert (Order.objects.count(), Event.objects.count()) == (40, 40)


# -- PostgreSQL away --------------------------------------------------------------------------------------------------


def run_behind_proxy(story):
    """A story about batches and a proxy before PostgreSQL."""
    parameters = connection.get_connection_params()
    server = parameters["host"], int(parameters.get("port") or 5432)

    async def tell():
        with tempfile.TemporaryDirectory() as folder:
            async with Proxy(*server, Path(folder) / ".s.PGSQL.5432") as proxy:
                batches = Batches(settings.REDIS_URL, Storage(host=folder, port="5432"))
                await batches.start()
                try:
                    return await story(batches, proxy)
                finally:
                    await batches.stop()

    return asyncio.run(tell())


async def outcomes(batches, *readings):
    return [verdict.outcome for verdict in await asyncio.gather(*map(batches.submit, readings))]


def test_a_purchase_in_an_outage_is_taken_and_is_one_order_afterwards(acme, token):
    async def story(batches, proxy):
        await outcomes(batches, reading(token, "T-0", "a:1"))
        proxy.cut()
        away = await outcomes(batches, *(reading(token, "T-1", "a:1.50", "b:2") for _ in range(3)))
        proxy.restore()
        await until(lambda: batches.storage.is_up)
        return away

    assert run_behind_proxy(story) == [Outcome.STORED] * 3
    outage.drain()
    outage.drain()
    assert {name: order["total"] for name, order in orders(acme).items()} == {"T-0": "1.00", "T-1": "3.50"}
    assert Event.objects.count() == 2


def test_a_commit_whose_answer_is_lost_leaves_one_order(acme, token):
    async def story(batches, proxy):
        await outcomes(batches, reading(token, "T-0", "a:1"))
        proxy.cut_after(b"COMMIT")
        return await outcomes(batches, reading(token, "T-1", "a:1.50"))

    assert run_behind_proxy(story) == [Outcome.STORED]
    outage.drain()
    assert (orders(acme)["T-1"]["total"], Event.objects.count()) == ("1.50", 2)


def test_a_purchase_that_contradicts_another_after_an_outage_is_kept_apart(acme, token):
    async def story(batches, proxy):
        await outcomes(batches, reading(token, "T-0", "a:1"))
        proxy.cut()
        return await outcomes(batches, reading(token, "T-1", "a:1"), reading(token, "T-1", "b:2", who="v2"))

    assert run_behind_proxy(story) == [Outcome.STORED] * 2
    outage.drain()
    assert (orders(acme)["T-1"]["total"], Event.objects.count()) == ("1.00", 2)
    kept = Quarantine.objects.get()
    assert (kept.change_kind, json.loads(bytes(kept.change))["analytics_id"]) == ("order", "v2")


# -- show -------------------------------------------------------------------------------------------------------------


def test_show_has_the_newest_first_and_a_websites_own_only(acme, token):
    globex = make_website(domain="globex.example")
    checkout(make_token(globex), "G-1", "a:1")
    for n in range(3):
        checkout(token, f"T-{n}", "a:1")
    assert [order["transactionId"] for order in show("orders", acme, 2)] == ["T-2", "T-1"]
    assert len(show("orders", None, 0)) == 4
