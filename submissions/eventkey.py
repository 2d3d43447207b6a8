"""Keys and slugs of catalogue events (contract 4.8)."""

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Mapping
from itertools import count

# Every column of the calendar's sheet but the key, in alphabetical order. What the catalogue does not hold is blank.
COLUMNS = (
    "ageGuidance",
    "audienceCountry",
    "categories",
    "curated",
    "date",
    "districtArea",
    "endTime",
    "hostCountry",
    "location",
    "notes",
    "price",
    "primaryUrl",
    "setting",
    "startTime",
    "tags",
    "title",
)
DIGITS = 16
LONGEST_SLUG = 80
ACCENT = re.compile("[\u0300-\u036f]")
NOT_SLUG = re.compile(r"[^a-z0-9]+")


def keys(row: Mapping[str, str]) -> Iterator[str]:
    """The key of a row of the sheet, and the ones it gets instead when that is taken, without end."""
    pairs = "|".join(f"{column}:{normalised(row.get(column, ''))}" for column in COLUMNS)
    yield digest(pairs)
    for salt in count(1):
        yield digest(f"{pairs}|salt:{salt}")


def digest(text: str) -> str:
    return f"evt_{hashlib.sha256(text.encode()).hexdigest()[:DIGITS]}"


def slug(name: str) -> str:
    plain = NOT_SLUG.sub("-", normalised(name)).strip("-")
    return plain[:LONGEST_SLUG].rstrip("-") or "event"


def normalised(text: str) -> str:
    """As the contract's keys see it: NFKD without accents, in lower case, trimmed, white space collapsed.

    Not `text.folded`, which knows more scripts: a key must come out as it does elsewhere.
    """
    return " ".join(ACCENT.sub("", unicodedata.normalize("NFKD", text)).lower().split())
