"""ROOM widgets: what a query says, in the document's spelling and the odd ones (contract 5.1, D-31, D-32)."""

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

import pycountry

from analytics.api.widgets.dialect import Refused
from analytics.api.widgets.paths import number

LONGEST_ID = 128
MOST_SEGMENTS = 50
LONGEST_KEY, LONGEST_VALUE = 64, 255
# A batch of 512 calls with so many each is stored in half a second, well within its time (ingest.storage).
MOST_PRODUCTS = 200
LONGEST_PRODUCT = 255
AMOUNT = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,4})?")
DEFAULT_CURRENCY = "USD"
LONGEST_REFERRER = 2000
# segments[], segments[0]
INDEXED = re.compile(r"(\w+)\[[0-9]*\]")

Fields = Mapping[str, list[str]]


class Product(NamedTuple):
    id: str
    amount: Decimal


def fields(query: str) -> dict[str, list[str]]:
    """The values of each parameter, in their order; `name[]` and `name[0]` are read as `name`."""
    found: dict[str, list[str]] = {}
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        if name:
            name = decoded(name)
            indexed = INDEXED.fullmatch(name)
            found.setdefault(indexed[1] if indexed else name, []).append(decoded(value))
    return found


def decoded(text: str) -> str:
    """Percent signs undone. What is no UTF-8 comes out with marks by which `clean` knows it."""
    return unquote_to_bytes(text.replace("+", " ").encode("latin-1", "replace")).decode(errors="replace")


def first(given: Fields, name: str) -> str:
    """A parameter's first value, trimmed; empty when it is absent. Raises Refused."""
    return clean((given.get(name) or [""])[0].strip())


def clean(text: str) -> str:
    """The text, unless it holds what nobody can read. Raises Refused."""
    if "\ufffd" in text or any(ord(letter) < 32 or ord(letter) == 127 for letter in text):
        raise Refused(400, "unreadable_parameter")
    return text


def analytics_id(given: Fields) -> str:
    found = first(given, "analytics_id")
    if not 0 < len(found) <= LONGEST_ID:
        raise Refused(400, "invalid_analytics_id")
    return found


def whole(given: Fields, name: str, *, is_required: bool = False) -> int | None:
    """A whole number; None when it is absent and may be."""
    found = first(given, name)
    if not found and not is_required:
        return None
    return number(found, f"invalid_{name}")


def segments(given: Fields) -> dict[str, str]:
    """Key and value of every segment. A key may come twice only with the same value."""
    found: dict[str, str] = {}
    pairs = listed(given, "segments", "segment")
    if len(pairs) > MOST_SEGMENTS:
        raise Refused(400, "too_many_segments")
    for pair in pairs:
        key, colon, value = (part.strip() for part in clean(pair).partition(":"))
        if not colon or not 0 < len(key) <= LONGEST_KEY or len(value) > LONGEST_VALUE:
            raise Refused(400, "invalid_segment")
        if found.setdefault(key, value) != value:
            raise Refused(400, "repeated_segment")
    return found


def products(given: Fields) -> list[Product]:
    """What was bought, in the order of the call. Ids may hold colons; the same product may be bought twice."""
    pairs = listed(given, "products")
    if not 0 < len(pairs) <= MOST_PRODUCTS:
        raise Refused(400, "no_products" if not pairs else "too_many_products")
    return [product(clean(pair)) for pair in pairs]


def product(pair: str) -> Product:
    id_, colon, amount = (part.strip() for part in pair.rpartition(":"))
    if not colon or not 0 < len(id_) <= LONGEST_PRODUCT or not AMOUNT.fullmatch(amount):
        raise Refused(400, "invalid_product")
    return Product(id_, Decimal(amount))


def currency(given: Fields) -> str:
    code = first(given, "currency_code").upper() or DEFAULT_CURRENCY
    if code not in currencies():
        raise Refused(400, "unknown_currency")
    return code


@cache
def currencies() -> frozenset[str]:
    """ISO 4217. Read once: a look-up in pycountry builds its index of every field."""
    return frozenset(found.alpha_3 for found in pycountry.currencies)


def referrer(given: Fields) -> str:
    found = first(given, "referrer").removeprefix("referrer=")
    if len(found) > LONGEST_REFERRER:
        raise Refused(400, "invalid_referrer")
    return found


def listed(given: Fields, *names: str) -> list[str]:
    """The values of an array under any of its names.

    The document prints `segments=segments[]=country:US`, and so do its readers.
    """
    values = (value.removeprefix(f"{names[0]}[]=") for name in names for value in given.get(name, []))
    return [value for value in values if value]
