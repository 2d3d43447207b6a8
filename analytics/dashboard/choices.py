"""What can be chosen at the top of the page, as links: periods, comparisons, intervals, filters that are set."""

from collections.abc import Iterator
from dataclasses import dataclass

from analytics.dashboard.asked import MONTH, NO_COMPARISON, REALTIME, Asked
from analytics.reports.exemption import UNKNOWN
from analytics.reports.filters import ASKED, DIMENSIONS
from analytics.reports.period import Period


@dataclass(slots=True, frozen=True)
class Choice:
    name: str
    link: str
    is_chosen: bool = False
    # Its key on the keyboard.
    key: str = ""


@dataclass(slots=True, frozen=True)
class Chip:
    """A filter that is set. The link takes it away."""

    text: str
    link: str


# Name in the address -> what it is called, its key.
PERIODS = {
    "today": ("Today", "d"),
    "yesterday": ("Yesterday", "e"),
    REALTIME: ("Realtime", "r"),
    "7d": ("Last 7 days", "w"),
    "30d": ("Last 30 days", "t"),
    "90d": ("Last 90 days", "n"),
    MONTH: ("This month", "m"),
    "ytd": ("This year", "y"),
    "12m": ("Last 12 months", "l"),
    "all": ("All time", "a"),
}
COMPARISONS = {NO_COMPARISON: "No comparison", "previous_period": "Previous period", "yoy": "Year before"}
TITLES = {
    "channel": "Channel",
    "device": "Device",
    "browser": "Browser",
    "os": "Operating system",
    "screen": "Screen width",
    "referrer": "Referrer",
    "utm_source": "UTM source",
    "utm_medium": "UTM medium",
    "utm_campaign": "UTM campaign",
    "country": "Country",
    "entry": "Landing page",
    "exit": "Exit page",
    "page": "Page",
    "event": "Event",
}
DIMENSION_CHOICES = [(name, TITLES.get(name, name.replace("_", " ").capitalize())) for name in DIMENSIONS]


def dimensions(asked: Asked) -> list[tuple[str, str]]:
    """What there is to filter by."""
    return [(name, title) for name, title in DIMENSION_CHOICES if not asked.is_exempt or name not in UNKNOWN]


def periods(asked: Asked) -> list[Choice]:
    cleared: dict[str, str | None] = {"start_date": None, "end_date": None}
    return [
        Choice(title, asked.address.changed(cleared | {"period": name}), asked.period_name == name, key)
        for name, (title, key) in PERIODS.items()
    ]


def period_title(asked: Asked) -> str:
    return PERIODS[asked.period_name][0] if asked.period_name else days(asked.period)


def days(period: Period) -> str:
    """The days of a period as people write them."""
    start, end = period.start, period.end
    if start == end:
        return f"{start.day} {start:%b %Y}"
    year = "" if start.year == end.year else f" {start.year}"
    return f"{start.day} {start:%b}{year} – {end.day} {end:%b %Y}"


def comparisons(asked: Asked) -> list[Choice]:
    chosen = comparison(asked)
    return [Choice(title, asked.address.to(compare=name), name == chosen) for name, title in COMPARISONS.items()]


def comparison(asked: Asked) -> str:
    if asked.question.comparison is None:
        return NO_COMPARISON
    return (asked.address.query.get("compare") or ["previous_period"])[0]


def turned(asked: Asked) -> str:
    """The link that takes the comparison away, or brings it back."""
    return asked.address.to(compare=NO_COMPARISON if asked.question.comparison else None)


def intervals(asked: Asked) -> list[Choice]:
    return [
        Choice(name.capitalize(), asked.address.to(interval=name), name == asked.interval) for name in asked.intervals
    ]


def chips(asked: Asked) -> list[Chip]:
    return list(set_filters(asked))


def set_filters(asked: Asked) -> Iterator[Chip]:
    for name, values in asked.address.query.items():
        found = ASKED.fullmatch(name)
        if found:
            word = "is not" if found[1] == "filter_not" else "is"
            title = TITLES.get(found[2], found[2])
            for value in values:
                yield Chip(f"{title} {word} {value}", asked.address.without(name, value))
        elif name == "content_group":
            yield Chip(f"Content group is {values[0]}", asked.address.to(content_group=None))
        elif name == "include_bots" and values[0] == "true":
            yield Chip("Bots included", asked.address.to(include_bots=None))
