"""The demo's shop: a wall of pictures that sells, an experiment with it, orders, and customers by name."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from accounts.models import Website
from analytics.demo.saying import Browser, bought, page, told, widget_did
from analytics.replay import Past
from analytics.traffic import Chance

VISITORS_A_DAY = 100
WEEK = (0.9, 0.9, 0.95, 1.0, 1.1, 1.2, 1.05)
PATHS = [("/", 6), ("/prints", 4), ("/mugs", 3), ("/tote-bags", 3), ("/calendars", 2), ("/sale", 2)]
REFERRERS = [
    ("", 40),
    ("https://demo.example/", 25),
    ("https://www.google.com/", 22),
    ("https://www.instagram.com/", 13),
]
PRODUCTS = {
    "PRINT-QUAY": "24.00",
    "MUG-LION": "14.50",
    "TOTE-MAP": "19.90",
    "CALENDAR-26": "16.00",
    "POSTER-MUSEUM": "32.00",
}
BOUGHT = [("PRINT-QUAY", 5), ("MUG-LION", 6), ("TOTE-MAP", 7), ("CALENDAR-26", 3), ("POSTER-MUSEUM", 4)]
MEDIA = [(number, 40 // (number + 2)) for number in range(1, 13)]
COUNTRIES = [("FR", 12), ("DE", 4), ("BE", 3), ("GB", 3), ("US", 2)]
WIDGETS = [("home-wall/category/3", 3), ("product-reel/stream/12", 6), ("lookbook/best", 2)]
REEL = "product-reel/stream/12"
# Of those who saw the reel: with pictures of customers (1) more of them buy.
CONVERSIONS = {0: 0.042, 1: 0.078}
CONVERSION = 0.03
NAMES = (
    "Ada Moreau",
    "Ben Okafor",
    "Chloé Petit",
    "Dai Nguyen",
    "Elif Kaya",
    "Femi Ade",
    "Grace Lin",
    "Henri Roux",
    "Iris Weber",
    "Jonas Vogel",
    "Kaya Martin",
    "Lina Haddad",
    "Milo Costa",
    "Nour Saleh",
    "Omar Diallo",
    "Paula Reyes",
    "Quentin Dubois",
    "Rosa Bianchi",
    "Sami Laine",
    "Tara Singh",
    "Uma Rao",
    "Victor Blanc",
    "Wen Zhao",
    "Yara Nasser",
)
ACTIONS = [("product_viewed", 10), ("search", 4), ("added_to_cart", 4), ("wishlist_added", 3), ("order_tracked", 2)]
CLUBS = {"museum-friends": "Friends of the Museum", "cyclists": "Cyclists’ Club", "readers": "Readers’ Circle"}
PLANS = [("free", 3), ("friend", 1)]


@dataclass(slots=True, frozen=True)
class Shop:
    website: Website
    token: str
    client_id: str
    secret: str

    @property
    def domain(self) -> str:
        return self.website.domain

    @property
    def public_id(self) -> str:
        return str(self.website.public_id)


def calls(shop: Shop, *, days: int, now: datetime) -> Iterator[Past]:
    """So many days of visitors, and of what the customers' app says."""
    today = now.astimezone(UTC).date()
    chance = Chance(23)
    people = [Customer(shop, chance, number, name) for number, name in enumerate(NAMES, 1)]
    yield from clubs(shop, people[0].browser, now - timedelta(days=days))
    counter = 0
    for back in range(days, -1, -1):
        day = today - timedelta(days=back)
        made: list[Past] = []
        for _ in range(round(VISITORS_A_DAY * WEEK[day.weekday()])):
            counter += 1
            made.extend(visit(shop, chance, day, counter))
        for person in people:
            made.extend(person.uses_the_app(day))
        yield from sorted((call for call in made if call.at <= now), key=lambda call: call.at)


def visit(shop: Shop, chance: Chance, day: date, number: int) -> Iterator[Past]:
    """Somebody looks at the shop: a page, a widget on it, a picture in that, and perhaps the till."""
    draw, browser = chance.random.random, Browser.of(chance)
    at = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(hours=(draw() + draw()) * 11)
    path, where = chance.among(PATHS), chance.among(WIDGETS)
    yield page(at, browser, shop.public_id, shop.domain, path, referrer=chance.among(REFERRERS))
    query: dict[str, Any] = {
        "pics": 8,
        "segments[]": [f"country:{chance.among(COUNTRIES)}", f"customer:{'returning' if draw() < 0.3 else 'new'}"],
    }
    # One after the other, so that the arms are of one size.
    arm = number % 2 if where == REEL else None
    if arm is not None:
        query["ab_testing"] = arm
    if draw() < 0.004:
        yield widget_did(at, browser, shop.token, "sidebar/stream/not_found/render.gif")
    yield widget_did(at + timedelta(seconds=1), browser, shop.token, f"{where}/render.gif", **query)
    at += timedelta(seconds=9)
    for _ in range(int(draw() ** 2 * 4)):
        at += timedelta(seconds=6 + draw() * 40)
        yield page(at, browser, shop.public_id, shop.domain, chance.among(PATHS))
    if draw() < (0.34 if arm else 0.24):
        yield from look_at_pictures(shop, chance, browser, at, where, query)
        at += timedelta(seconds=40)
    if draw() < (CONVERSION if arm is None else CONVERSIONS[arm]):
        yield from buy(shop, chance, browser, at, number, query)


def look_at_pictures(
    shop: Shop, chance: Chance, browser: Browser, at: datetime, where: str, query: dict[str, Any]
) -> Iterator[Past]:
    draw, medium = chance.random.random, f"{where}/media/{chance.among(MEDIA)}"
    yield widget_did(at, browser, shop.token, f"{medium}/render.gif", **query)
    yield widget_did(at + timedelta(seconds=2), browser, shop.token, f"{medium}/view.gif", **query)
    if draw() < 0.6:
        yield widget_did(at + timedelta(seconds=5), browser, shop.token, f"{medium}/click.gif", **query)
    if draw() < 0.3:
        yield widget_did(at + timedelta(seconds=9), browser, shop.token, f"{medium}/shop", **query)


def buy(
    shop: Shop, chance: Chance, browser: Browser, at: datetime, number: int, query: dict[str, Any]
) -> Iterator[Past]:
    ids = {chance.among(BOUGHT) for _ in range(1 + int(chance.random.random() * 2.4))}
    yield page(at, browser, shop.public_id, shop.domain, "/checkout")
    yield bought(
        at + timedelta(seconds=50),
        browser,
        shop.token,
        f"LV-{10_000 + number}",
        **{
            "products[]": [f"{product}:{PRODUCTS[product]}" for product in sorted(ids)],
            "segments[]": query["segments[]"],
            "currency_code": "EUR",
            "referrer": f"https://{shop.domain}/checkout",
        },
    )


def clubs(shop: Shop, browser: Browser, at: datetime) -> Iterator[Past]:
    """Whom customers belong to: what the vendor's clients call groups."""
    for id_, name in CLUBS.items():
        payload = {"id": id_, "type": "club", "name": name, "properties": {"since": 2020 + len(id_)}}
        yield told(at, browser, shop.client_id, shop.secret, "group", payload)


class Customer:
    """Somebody with an account in the shop's app, which speaks through an OpenPanel client."""

    def __init__(self, shop: Shop, chance: Chance, number: int, name: str) -> None:
        self.shop, self.chance, self.id = shop, chance, f"customer-{number:03}"
        self.first, self.last = name.split()
        self.browser = Browser.of(chance)
        self.is_known = False
        self.keenness = 0.08 + 0.5 * chance.random.random() ** 2

    def says(self, at: datetime, kind: str, **payload: Any) -> Past:  # noqa: ANN401 (any payload)
        payload |= {"profileId": self.id}
        return told(at, self.browser, self.shop.client_id, self.shop.secret, kind, payload)

    def uses_the_app(self, day: date) -> Iterator[Past]:
        draw = self.chance.random.random
        if draw() > self.keenness:
            return
        at = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(hours=6 + draw() * 16)
        if not self.is_known:
            self.is_known = True
            yield self.says(at, "identify", **self.facts())
            yield self.says(at, "assign_group", groupIds=[list(CLUBS)[len(self.last) % len(CLUBS)]])
        yield self.says(at, "increment", property="visits", value=1)
        yield self.tracked(at, "app_opened", version="4.2")
        for _ in range(int(draw() * 6)):
            at += timedelta(seconds=10 + draw() * 120)
            yield self.tracked(at, self.chance.among(ACTIONS), product=self.chance.among(BOUGHT))
        if draw() < 0.07:
            yield self.tracked(at + timedelta(seconds=30), "revenue", __revenue=1990, product="TOTE-MAP")

    def tracked(self, at: datetime, name: str, **properties: Any) -> Past:  # noqa: ANN401 (any property)
        return self.says(at, "track", name=name, properties=properties)

    def facts(self) -> dict[str, Any]:
        plain = self.first.lower().replace("é", "e")
        return {
            "firstName": self.first,
            "lastName": self.last,
            "email": f"{plain}@customers.example",
            "properties": {"plan": self.chance.among(PLANS), "city": "Lumenville"},
        }
