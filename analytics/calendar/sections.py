"""What stands on the page of a calendar's numbers: each table with the sentence that says what it counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(slots=True, frozen=True)
class Column:
    """One column: its name in the report, its heading, and how a value is shown."""

    name: str
    label: str
    unit: str = ""
    # What stands for nothing: a source that nobody named, matches of what is matched against nothing.
    nothing: str = "–"
    has_bar: bool = False
    is_number: bool = True


@dataclass(slots=True, frozen=True)
class Section:
    """One table. `only` is given to the report; some are of one event as well as of all, others of the calendar."""

    id: str
    report: str
    title: str
    sentence: str
    columns: tuple[Column, ...]
    only: str = ""
    is_of_event: bool = False
    is_of_calendar: bool = True


@dataclass(slots=True, frozen=True)
class Cell:
    text: str
    is_number: bool
    # Of a column with bars: this value and the greatest.
    value: int | float = 0
    most: int | float = 0
    event: str = ""
    is_label: bool = False


@dataclass(slots=True, frozen=True)
class Card:
    """One number of all the period, with the sentence behind it."""

    title: str
    text: str
    sentence: str


# What the contract's words are called here.
WORDS = {
    "filter_apply": "applied",
    "filter_clear": "cleared",
    "date_range": "date",
    "day_night": "day or night",
    "venue_type": "venue",
    "venue_setting": "indoor or outdoor",
    "oooc_pick": "featured",
    "price_range": "price",
    "age_range": "age",
}

VIEWS = Column("views", "Views", has_bar=True)
OUTBOUND = Column("outboundClicks", "Outbound clicks")
ADDS = Column("calendarAdds", "Calendar adds")
OUTCOMES = (
    Column("count", "Times", has_bar=True),
    Column("gaps", "Without an answer"),
    Column("thin", "Thin"),
    Column("leastMatches", "Fewest matches"),
    Column("lastMatches", "Matches last time"),
)
QUERY = Column("query", "Search", is_number=False)
VIEWING = "Rates are per viewing session: sessions that clicked out, or added to a calendar, of those that viewed."
MATCHED = "Matches are the live events of the calendar that a search or filter matched when it was received."

SECTIONS = (
    Section(
        "events",
        "calendar-events",
        "Events",
        f"Views are clicks that open an event. A session is what the client calls so, else a visitor's day. {VIEWING}",
        (
            Column("event", "Event", is_number=False),
            VIEWS,
            Column("viewingSessions", "Viewing sessions"),
            OUTBOUND,
            ADDS,
            Column("outboundRate", "Outbound rate", unit=" %"),
            Column("calendarRate", "Calendar rate", unit=" %"),
        ),
    ),
    Section(
        "days",
        "calendar-days",
        "Day by day",
        "Days are those of UTC. Sessions of a day are distinct; a client's session may come back on another day.",
        (Column("date", "Day", is_number=False), VIEWS, OUTBOUND, ADDS, Column("sessions", "Sessions")),
        is_of_event=True,
    ),
    Section(
        "sources",
        "calendar-sources",
        "Where they did it",
        "The source is what the page says of the place: a list, a map, the label of a link.",
        (Column("source", "Source", nothing="not named", is_number=False), VIEWS, OUTBOUND, ADDS),
        is_of_event=True,
    ),
    Section("searches", "calendar-searches", "Searches", MATCHED, (QUERY, *OUTCOMES)),
    Section(
        "gaps",
        "calendar-searches",
        "Searches without an answer",
        "Searches that matched no live event when they were received.",
        (QUERY, Column("gaps", "Without an answer", has_bar=True), Column("lastMatches", "Matches last time")),
        only="gaps",
    ),
    Section(
        "thin",
        "calendar-searches",
        "Thin searches",
        "Searches that matched one or two live events when they were received.",
        (QUERY, Column("thin", "Thin", has_bar=True), Column("lastMatches", "Matches last time")),
        only="thin",
    ),
    Section(
        "filters",
        "calendar-filters",
        "Filters",
        f"{MATCHED} A filter that was cleared is matched against nothing.",
        (
            Column("action", "Action", is_number=False),
            Column("group", "Filter", is_number=False),
            Column("value", "Value", is_number=False),
            *OUTCOMES,
        ),
    ),
)
CARDS = (
    (Column("views", "Event views"), "Clicks that open an event."),
    (OUTBOUND, "Clicks on the link of an event."),
    (ADDS, "Times that an event was added to a calendar."),
    (Column("sessions", "Sessions"), "Distinct sessions that did any of it."),
    (Column("outboundRate", "Outbound rate", unit=" %"), "Sessions that clicked out, of those that viewed."),
    (Column("calendarRate", "Calendar rate", unit=" %"), "Sessions that added to a calendar, of those that viewed."),
)


def cards(total: Mapping[str, Any]) -> list[Card]:
    return [Card(column.label, shown(column, total[column.name]), sentence) for column, sentence in CARDS]


def table(section: Section, rows: Sequence[Mapping[str, Any]]) -> list[list[Cell]]:
    most = {
        column.name: max((row[column.name] for row in rows), default=0) for column in section.columns if column.has_bar
    }
    return [[cell(section, column, row, most) for column in section.columns] for row in rows]


def cell(section: Section, column: Column, row: Mapping[str, Any], most: Mapping[str, int]) -> Cell:
    value = row[column.name]
    return Cell(
        # An event that left the catalogue is known by its key.
        text=row["eventKey"] if column.name == "event" and value is None else shown(column, value),
        is_number=column.is_number,
        value=value if column.has_bar else 0,
        most=most.get(column.name, 0),
        event=row["eventKey"] if column.name == "event" else "",
        is_label=column is section.columns[0],
    )


def shown(column: Column, value: Any) -> str:  # noqa: ANN401 (a number or a text)
    if value is None or value == "":
        return column.nothing
    if isinstance(value, str):
        return WORDS.get(value, value) if column.name in ("action", "group") else value
    return f"{value:,}{column.unit}"
