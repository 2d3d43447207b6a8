"""What a search and each of the ten filter groups of contract 3.3 match, and how an event's free text is read for it.

Everything here is pure. An event of which a filter cannot know (no readable date, no price) is not matched by it. The
catalogue has no column for nationality and venue type: they match by whole words in the event's texts, except that the
venue types `indoor` and `outdoor` are the setting. A value no filter understands matches nothing.

Values: date_range, price_range and age_range are `from:to` with `any` for an open end; day_night is `day` (6:00 to
21:59) or `night`; venue_setting `all`, `indoor` or `outdoor`; oooc_pick `yes` or `no`, which is the catalogue's
featured; the others are names, several of them parted by commas, of which one has to fit.
"""

import math
import re
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, time
from functools import lru_cache

from submissions.models import CatalogEvent
from submissions.text import folded

Range = tuple[float, float]
DAY, NIGHT = time(6), time(22)
UNKNOWN = "unknown"
FREE = re.compile(r"\b(free|gratuit\w*|gratis|entree libre|prix libre|no fee)\b|مجان|دخول حر")
FROM = re.compile(r"\b(from|des|a partir)\b|\d\s*[€$£]?\s*\+|ابتداء|من\s*\d")
CLOCK = re.compile(r"\b\d{1,2}\s*(?:h\d{0,2}|:\d\d|am\b|pm\b)")
AMOUNT = re.compile(r"\d+(?:[.,]\d{1,2})?")
EVERYBODY = re.compile(
    r"\b(all ages|everyone|everybody|tout public|tous publics?|tous ages|any age)\b|للجميع|كل الأعمار"
)
UNDER = re.compile(r"\b(under|moins de|up to|jusqu)|(?<!\d)\s*-\s*\d+\s*(?:ans?)?$")
INDOOR = re.compile(r"\b(indoors?|inside|interieurs?|couvert)\b|داخل")
OUTDOOR = re.compile(
    r"\b(outdoors?|outside|exterieurs?|open[ -]?air|plein[ -]air|dehors|rooftop|terrasse)\b|خارج|هواء طلق"
)
BOTH = re.compile(r"\b(mixed|mixte|both|les deux)\b|مختلط")
WORD = re.compile(r"[\w&]+")
PARISIAN = re.compile(r"\b(?:75[01]?\s?)?0{0,2}([1-9]|1\d|20)(?:st|nd|rd|th|er|ere|e|eme|ieme)?\b")


@dataclass(frozen=True, slots=True)
class Entry:
    """An event as searches and filters see it."""

    id: int
    text: str
    words: str
    starts_on: date | None
    ends_on: date | None
    starts_at: time | None
    arrondissement: str
    genres: str
    is_indoor: bool
    is_outdoor: bool
    is_featured: bool
    prices: Range | None
    ages: Range | None


Predicate = Callable[[Entry], bool]
# The columns of an event that an entry is made from.
COLUMNS = (
    "id",
    "search_text",
    "starts_on",
    "ends_on",
    "starts_at",
    "arrondissement",
    "genre",
    "setting",
    "is_featured",
    "price",
    "age",
)


def entry_of(event: CatalogEvent) -> Entry:
    setting = folded(event.setting)
    is_both = bool(BOTH.search(setting))
    return Entry(
        id=event.id,
        text=event.search_text,
        words=as_words(event.search_text),
        starts_on=event.starts_on,
        ends_on=event.ends_on,
        starts_at=event.starts_at,
        arrondissement=arrondissement(event.arrondissement),
        genres=as_words(folded(event.genre)),
        is_indoor=is_both or bool(INDOOR.search(setting)),
        is_outdoor=is_both or bool(OUTDOOR.search(setting)),
        is_featured=event.is_featured,
        prices=prices(event.price),
        ages=ages(event.age),
    )


def searching(query: str) -> Predicate:
    """Every word of the query, in any order, as a part of the event's texts."""
    tokens = [token.strip(string.punctuation) or token for token in folded(query).split()]
    return lambda entry: bool(tokens) and all(token in entry.text for token in tokens)


def filtering(group: str, value: str) -> Predicate:
    make = GROUPS.get(folded(group))
    return make(folded(value)) if make else nothing


# -- the groups -------------------------------------------------------------------------------------------------------


def nothing(entry: Entry) -> bool:
    return False


def everything(entry: Entry) -> bool:
    return True


def in_dates(value: str) -> Predicate:
    first, last = (end.strip() for end in f"{value}:any".split(":")[:2])
    try:
        begin = date.min if first in ("", "any") else date.fromisoformat(first)
        end = date.max if last in ("", "any") else date.fromisoformat(last)
    except ValueError:
        return nothing
    if (begin, end) == (date.min, date.max):
        return everything
    return lambda entry: (
        entry.starts_on is not None and entry.starts_on <= end and (entry.ends_on or entry.starts_on) >= begin
    )


def by_day_or_night(value: str) -> Predicate:
    if value not in ("day", "night"):
        return nothing
    wanted = value == "day"
    return lambda entry: entry.starts_at is not None and (DAY <= entry.starts_at < NIGHT) == wanted


def in_arrondissement(value: str) -> Predicate:
    wanted = {"" if name == UNKNOWN else arrondissement(name) for name in names(value)}
    return lambda entry: entry.arrondissement in wanted


def of_genre(value: str) -> Predicate:
    wanted = phrases(value)
    return lambda entry: any(phrase in entry.genres for phrase in wanted)


def in_words(value: str) -> Predicate:
    wanted = phrases(value)
    return lambda entry: any(phrase in entry.words for phrase in wanted)


def in_venue(value: str) -> Predicate:
    return in_setting(value) if value in ("indoor", "outdoor") else in_words(value)


def in_setting(value: str) -> Predicate:
    settings: Mapping[str, Predicate] = {
        "all": everything,
        "indoor": lambda entry: entry.is_indoor,
        "outdoor": lambda entry: entry.is_outdoor,
    }
    return settings.get(value, nothing)


def picked(value: str) -> Predicate:
    if value not in ("yes", "no"):
        return nothing
    wanted = value == "yes"
    return lambda entry: entry.is_featured == wanted


def in_prices(value: str) -> Predicate:
    return overlapping(value, lambda entry: entry.prices)


def in_ages(value: str) -> Predicate:
    return overlapping(value, lambda entry: entry.ages)


def overlapping(value: str, of: Callable[[Entry], Range | None]) -> Predicate:
    first, last = (end.strip() for end in f"{value}:any".split(":")[:2])
    try:
        least = -math.inf if first in ("", "any") else float(first)
        most = math.inf if last in ("", "any") else float(last)
    except ValueError:
        return nothing
    if (least, most) == (-math.inf, math.inf):
        return everything
    return lambda entry: (own := of(entry)) is not None and own[0] <= most and own[1] >= least


GROUPS: Mapping[str, Callable[[str], Predicate]] = {
    "date_range": in_dates,
    "day_night": by_day_or_night,
    "arrondissement": in_arrondissement,
    "genre": of_genre,
    "nationality": in_words,
    "venue_type": in_venue,
    "venue_setting": in_setting,
    "oooc_pick": picked,
    "price_range": in_prices,
    "age_range": in_ages,
}

# -- reading free text ------------------------------------------------------------------------------------------------


def names(value: str) -> list[str]:
    return [name.strip() for name in value.split(",") if name.strip()]


def phrases(value: str) -> list[str]:
    return [phrase for name in names(value) if (phrase := as_words(name)).strip()]


def as_words(text: str) -> str:
    """Folded words with a space before, between and after, so that a phrase is found at the edges of words only."""
    return f" {' '.join(WORD.findall(text))} "


@lru_cache(maxsize=1024)
def arrondissement(text: str) -> str:
    """`11` for 11, 11e, 11th, 75011 and Paris 11; any other place as it is written."""
    text = folded(text)
    found = PARISIAN.search(text)
    return found[1] if found else text


@lru_cache(maxsize=1024)
def prices(text: str) -> Range | None:
    """The least and the most that getting in may cost, in whatever currency; None when that cannot be read."""
    text = CLOCK.sub(" ", folded(text))
    amounts = [float(amount.replace(",", ".")) for amount in AMOUNT.findall(text)]
    if FREE.search(text):
        amounts.append(0.0)
    if not amounts:
        return None
    return min(amounts), math.inf if FROM.search(text) else max(amounts)


@lru_cache(maxsize=1024)
def ages(text: str) -> Range | None:
    """The youngest and the oldest who are let in. A lone number is the youngest."""
    text = folded(text)
    if EVERYBODY.search(text):
        return 0.0, math.inf
    numbers = [float(number) for number in re.findall(r"\d{1,2}(?!\d)", text)]
    if not numbers:
        return None
    if UNDER.search(text) and len(numbers) == 1:
        return 0.0, numbers[0]
    return min(numbers), math.inf if len(numbers) == 1 or "+" in text else max(numbers)
