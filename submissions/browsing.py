"""What somebody asked of a public calendar: the search and the filters of an address.

A filter's parameter has the name of its group (contract 3.3), and a range's two ends may be given by themselves, as the
page's form does: from and to, price_from and price_to, age_from and age_to; `age` is both ends of the latter.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field

from django.http import QueryDict

from submissions.filters import GROUPS

LONGEST_QUERY = 280
LONGEST_VALUE = 120
OPEN = "any"
ENDS: Mapping[str, tuple[str, str]] = {
    "date_range": ("from", "to"),
    "price_range": ("price_from", "price_to"),
    "age_range": ("age_from", "age_to"),
}
LABELS: Mapping[str, str] = {
    "date_range": "Date",
    "day_night": "Time",
    "arrondissement": "Arrondissement",
    "genre": "Genre",
    "nationality": "Nationality",
    "venue_type": "Venue",
    "venue_setting": "Setting",
    "oooc_pick": "Featured",
    "price_range": "Price",
    "age_range": "Age",
}


@dataclass(frozen=True)
class Chip:
    """A filter that is on, and the address without it."""

    group: str
    label: str
    value: str
    without: str


@dataclass(frozen=True)
class Asked:
    query: str = ""
    filters: Mapping[str, str] = field(default_factory=dict)
    # As the form has them, to show what was typed.
    fields: Mapping[str, str] = field(default_factory=dict)
    page: int = 1
    is_past: bool = False

    @property
    def is_anything(self) -> bool:
        return bool(self.query or self.filters)

    def address(self, page: int = 1, without: str = "") -> str:
        """The query string of the same question, of another page or without a filter (`q` is the search)."""
        asked = QueryDict(mutable=True)
        if self.is_past:
            asked["when"] = "past"
        dropped = {without, *ENDS.get(without, ()), *(("age",) if without == "age_range" else ())}
        asked.update({name: value for name, value in self.fields.items() if name not in dropped})
        if page > 1:
            asked["page"] = str(page)
        return f"?{asked.urlencode()}" if asked else "?"

    def chips(self) -> list[Chip]:
        chips = [
            Chip(group, LABELS[group], spoken(group, self.filters[group]), self.address(without=group))
            for group in self.filters
        ]
        if self.query:
            chips.insert(0, Chip("q", "Search", self.query, self.address(without="q")))
        return chips


def asked(given: QueryDict) -> Asked:
    """Anything may stand in an address: what is too long is cut, what cannot be shown dropped."""
    names = ("q", *GROUPS, *(name for ends in ENDS.values() for name in ends), "age")
    fields = {name: value for name in names if (value := shown(",".join(given.getlist(name)))[:LONGEST_QUERY])}
    page = given.get("page", "1")
    return Asked(
        query=fields.get("q", ""),
        filters={group: value for group in GROUPS if (value := value_of(group, fields)[:LONGEST_VALUE])},
        fields=fields,
        page=max(1, int(page)) if page.isascii() and page.isdigit() and len(page) < 7 else 1,
        is_past=given.get("when") == "past",
    )


def value_of(group: str, fields: Mapping[str, str]) -> str:
    """The filter's value as the contract writes it, empty when it is off."""
    if group in fields or group not in ENDS:
        value = fields.get(group, "")
        return "" if group == "venue_setting" and value == "all" else value
    first, last = (fields.get(name, "") for name in ENDS[group])
    if group == "age_range" and "age" in fields:
        first = last = fields["age"]
    return f"{first or OPEN}:{last or OPEN}" if first or last else ""


def spoken(group: str, value: str) -> str:
    """A filter's value for people."""
    if group == "oooc_pick":
        return {"yes": "only", "no": "not"}.get(value, value)
    if group not in ENDS:
        return value
    first, _, last = value.partition(":")
    if first == last:
        return first
    if first in ("", OPEN):
        return f"up to {last}"
    return f"from {first}" if last in ("", OPEN) else f"{first} to {last}"


def shown(text: str) -> str:
    return "".join(char for char in text if unicodedata.category(char) not in ("Cc", "Cs")).strip()
