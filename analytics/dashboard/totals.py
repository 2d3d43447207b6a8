"""The row of totals: each number with its name, how it is written, and the sentence of definitions.md behind it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from analytics.reports.base import mean
from analytics.reports.summary import change

Number = int | float


@dataclass(slots=True, frozen=True)
class Total:
    """One number. `metric` is its name in timeseries, `name` in summary."""

    metric: str
    name: str
    title: str
    sentence: str
    unit: str = ""
    # Whether more of it is better; of a bounce rate less is.
    is_good_up: bool = True


@dataclass(slots=True, frozen=True)
class Shown:
    """A total of the period beside that of the comparison, where there is one."""

    total: Total
    value: Number
    previous: Number | None
    change: float | None

    @property
    def text(self) -> str:
        return written(self.value, self.total.unit)

    @property
    def before(self) -> str:
        return "" if self.previous is None else written(self.previous, self.total.unit)

    @property
    def change_text(self) -> str:
        """As in “12.5%”, without its sign; empty where nothing can be said."""
        return "" if self.change is None else f"{abs(self.change):,.{0 if abs(self.change) >= 100 else 1}f}%"

    @property
    def direction(self) -> str:
        if not self.change:
            return "same"
        return "up" if self.change > 0 else "down"

    @property
    def judgement(self) -> str:
        if not self.change:
            return "same"
        return "good" if (self.change > 0) == self.total.is_good_up else "bad"


PAGES_PER_VISIT = "pages_per_visit"
TOTALS = (
    Total(
        "unique_visitors",
        "unique_visitors",
        "Daily visitors",
        "For each UTC day the number of distinct visitors with at least one visit, added up over the days: visitors are"
        " not recognised on another day, so one who comes on three days counts three times.",
    ),
    Total(
        "visits",
        "visits",
        "Visits",
        "The events of one visitor without a gap of more than 30 minutes, with at least one page view or interaction."
        " A visit belongs to the UTC day of its first event and ends at midnight UTC.",
    ),
    Total("pageviews", "pageviews", "Pageviews", "Counted page views: without bots and excluded addresses."),
    Total(PAGES_PER_VISIT, PAGES_PER_VISIT, "Pages per visit", "Pageviews divided by visits.", unit="ratio"),
    Total(
        "bounce_rate",
        "bounce_rate",
        "Bounce rate",
        "Visits with exactly one page view and no interaction, of all visits with at least one page view, in percent.",
        unit="%",
        is_good_up=False,
    ),
    Total(
        "avg_session_duration",
        "avg_session_duration_sec",
        "Visit duration",
        "Last event minus first event of a visit; the mean over all visits, those of no length included.",
        unit="seconds",
    ),
)
COMPARED = "The change is (value − previous) ÷ previous of the values as shown."


def shown(summary: Mapping[str, Mapping[str, Any]]) -> list[Shown]:
    """The totals of a summary; pages per visit are made of two of its numbers."""
    found = []
    for total in TOTALS:
        value, previous = of(summary, total, "value"), of(summary, total, "previous")
        assert value is not None
        found.append(Shown(total, value, previous, None if previous is None else change(value, previous)))
    return found


def of(summary: Mapping[str, Mapping[str, Any]], total: Total, which: str) -> Number | None:
    if total.name != PAGES_PER_VISIT:
        value: Number | None = summary[total.name].get(which)
        return value
    views, visits = (summary[name].get(which) for name in ("pageviews", "visits"))
    return None if views is None or visits is None else mean(views, visits, 2)


def written(value: Number, unit: str) -> str:
    if unit == "seconds":
        minutes, seconds = divmod(int(value), 60)
        return f"{minutes}m {seconds:02}s" if minutes else f"{seconds}s"
    if unit == "%":
        return f"{value:.1f}%"
    if unit == "ratio":
        return f"{value:.2f}"
    return f"{value:,}"


def brief(value: Number, unit: str) -> str:
    """Short, for an axis: 12.5k."""
    if unit == "seconds":
        return written(value, unit)
    if unit == "%":
        return f"{value:g}%"
    for size, letter in ((1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")):
        if value >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"
