"""A tab's rows as they are shown: label, bar, share, and what a click does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analytics.dashboard.asked import ALL_ROWS, Asked
from analytics.dashboard.cards import Measure, Row, Tab
from analytics.dashboard.totals import written
from analytics.reports.base import share

MOST_IN_CARD = 9


@dataclass(slots=True, frozen=True)
class Item:
    label: str
    texts: list[str]
    # Of the highest row, in percent: how long the bar is.
    width: float
    share: str
    # The query that narrows the page to this row, or takes that back; empty where a row is no filter.
    link: str
    is_chosen: bool
    opens: str


@dataclass(slots=True, frozen=True)
class Listed:
    tab: Tab
    items: list[Item]
    has_more: bool
    has_share: bool
    found: int
    sentences: list[str]


def in_card(tab: Tab, asked: Asked) -> Listed:
    """The first rows, and whether there are more. Shares of all the rows need all of them."""
    needs_all = tab.whole == ""
    answer, rows = answered(tab, asked, most=ALL_ROWS if needs_all else MOST_IN_CARD + 1)
    return listed(tab, asked, answer, rows, rows[:MOST_IN_CARD])


def searched(tab: Tab, asked: Asked, *, search: str, page: int, per_page: int) -> Listed:
    """A page of the rows whose label holds the text, whatever its capitals."""
    answer, rows = answered(tab, asked, most=ALL_ROWS)
    wanted = search.casefold()
    found = [row for row in rows if wanted in tab.label(row).casefold()] if wanted else rows
    return listed(tab, asked, answer, rows, found[(page - 1) * per_page : page * per_page], found=len(found))


def answered(tab: Tab, asked: Asked, *, most: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The report's answer, and those of its rows that have any of what the tab is about."""
    answer = asked.answer(tab.report, tab.query, most=most)
    return answer, [row for row in answer[tab.rows] if row[tab.measures[0].name]]


def listed(
    tab: Tab,
    asked: Asked,
    answer: Mapping[str, Any],
    rows: Sequence[Row],
    chosen: Sequence[Row],
    *,
    found: int = 0,
) -> Listed:
    name = tab.measures[0].name
    most = max((row[name] for row in rows), default=0)
    whole = whole_of(tab, asked, rows)
    return Listed(
        tab=tab,
        items=[item(tab, asked, row, most, whole) for row in chosen],
        has_more=len(rows) > len(chosen),
        has_share=whole is not None,
        found=found,
        sentences=tab.tells(answer) if tab.tells else [],
    )


def whole_of(tab: Tab, asked: Asked, rows: Sequence[Row]) -> int | None:
    if tab.whole is None:
        return None
    return asked.whole[tab.whole] if tab.whole else sum(row[tab.measures[0].name] for row in rows)


def item(tab: Tab, asked: Asked, row: Row, most: int, whole: int | None) -> Item:
    value = row[tab.measures[0].name]
    changes = tab.narrows(row) if tab.narrows else {}
    is_chosen = bool(changes) and all(asked.address.query.get(name) == [text] for name, text in changes.items())
    return Item(
        label=tab.label(row),
        texts=[text_of(row, measure) for measure in tab.measures],
        width=round(value / most * 100, 2) if most else 0,
        share="" if whole is None else f"{share(value, whole, 1):.1f}%",
        link=asked.address.changed(dict.fromkeys(changes) if is_chosen else changes) if changes else "",
        is_chosen=is_chosen,
        opens=tab.opens(row, asked.website.domain) if tab.opens else "",
    )


def text_of(row: Mapping[str, Any], measure: Measure) -> str:
    if measure.text:
        return measure.text(row)
    value = row[measure.name]
    if value is None:
        return "–"
    return value if isinstance(value, str) else written(value, measure.unit)
