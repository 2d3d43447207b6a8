"""What an address of the dashboard asks for. Its parameters are those of the reports (contract 2.9), and some of the
page's own: which number is charted, which tab of a card is open."""

import calendar
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import quote, urlencode

from accounts.models import Website
from analytics.dashboard.totals import TOTALS, Total
from analytics.reports.asking import COMPARISONS, Parameters, day, parameters
from analytics.reports.base import BadQuestion, Question, Report, first, one_of
from analytics.reports.filters import ASKED
from analytics.reports.period import Period
from analytics.reports.summary import Summary
from analytics.reports.timeseries import INTERVALS, MOST_DAYS_BY_HOUR
from analytics.rollups.build import fresh

Query = Mapping[str, list[str]]

ALL_ROWS = 1_000_000_000
DEFAULT_PERIOD, DEFAULT_COMPARISON = "30d", "previous_period"
# Two that the reports do not know: the days of this month so far, and the last half hour.
MONTH, REALTIME = "month", "realtime"
NO_COMPARISON = "none"
# A chart of more days than this has more points than a screen has room for.
MOST_DAYS_BY_DAY = 731
# From here on an interval has at least two of its kind.
LEAST_DAYS = {"week": 8, "month": 32}

KEPT = ("period", "start_date", "end_date", "compare", "interval", "metric", "content_group", "include_bots")
TAB = "tab_"


class Address:
    """The part of a query that says what is shown; from it come the links of the page."""

    def __init__(self, query: Query) -> None:
        self.query = {name: [v for v in values if v] for name, values in query.items() if is_kept(name) and any(values)}

    def to(self, **changes: str | None) -> str:
        """The query of a link that differs in these parameters; None leaves one out."""
        return self.changed(changes)

    def changed(self, changes: Mapping[str, str | None]) -> str:
        found = {name: values for name, values in self.query.items() if name not in changes}
        found |= {name: [value] for name, value in changes.items() if value}
        return "?" + urlencode(found, doseq=True, quote_via=quote, safe="/[]:")

    def without(self, name: str, value: str) -> str:
        """The query of a link that takes one value of a parameter away."""
        rest = [other for other in self.query.get(name, []) if other != value]
        found = {key: values for key, values in self.query.items() if key != name} | ({name: rest} if rest else {})
        return "?" + urlencode(found, doseq=True, quote_via=quote, safe="/[]:")

    def within(self, period: Period) -> str:
        """The same of other days."""
        return self.changed({"period": None, "start_date": str(period.start), "end_date": str(period.end)})

    def unfiltered(self) -> str:
        return self.changed({name: None for name in self.query if is_filter(name)})

    @property
    def fields(self) -> list[tuple[str, str]]:
        """For the hidden fields of a form."""
        return [(name, value) for name, values in self.query.items() for value in values]

    def fields_without(self, *names: str) -> list[tuple[str, str]]:
        return [(name, value) for name, value in self.fields if name not in names]


def is_filter(name: str) -> bool:
    return ASKED.fullmatch(name) is not None or name in ("content_group", "include_bots")


def is_kept(name: str) -> bool:
    return name in KEPT or is_filter(name) or re.fullmatch(r"tab_[a-z]{1,20}", name) is not None


@dataclass(frozen=True)
class Asked:
    """A website and what of it is asked for, checked. `age` is that of its oldest day in seconds (definitions 24)."""

    website: Website
    address: Address
    question: Question
    total: Total
    interval: str
    period_name: str
    now: datetime
    age: int

    @property
    def period(self) -> Period:
        return self.question.period

    @property
    def today(self) -> date:
        return self.now.astimezone(UTC).date()

    @property
    def is_exempt(self) -> bool:
        return self.question.is_exempt

    @property
    def least_visitors(self) -> int:
        """How many visitors a number needs to be shown; 0 where every number is."""
        return self.question.least_visitors

    @cached_property
    def is_withheld(self) -> bool:
        """Whether too few visitors pass the filters for anything to be shown."""
        return self.question.is_withheld

    @property
    def is_realtime(self) -> bool:
        return self.period_name == REALTIME

    def answer(self, report: Report, query: Mapping[str, str], *, most: int = ALL_ROWS) -> dict[str, Any]:
        """What the report says of the same days and visits. Raises BadQuestion."""
        return report.answer(self.about(report, query, most=most))

    def about(self, report: Report, query: Mapping[str, str], *, most: int = ALL_ROWS) -> Question:
        extra = report.parameters({name: [value] for name, value in query.items()})
        question = replace(self.question, extra=extra, page=1, per_page=most)
        report.examine(question)
        return question

    @cached_property
    def summary(self) -> dict[str, dict[str, Any]]:
        """The totals by their names, once a page."""
        found: dict[str, dict[str, Any]] = Summary().answer(self.question)["metrics"]
        return found

    @cached_property
    def whole(self) -> dict[str, int]:
        """What shares are shares of, where a card needs nothing else of the summary."""
        return {name: self.summary[name]["value"] for name in ("visits", "pageviews")}

    @property
    def intervals(self) -> list[str]:
        return intervals(self.period)

    @property
    def before(self) -> Period:
        return stepped(self.period, -1, today=self.today)

    @property
    def after(self) -> Period | None:
        """None where it would begin in the future."""
        found = stepped(self.period, 1, today=self.today)
        return found if found.start <= self.today else None


def understood(website: Website, query: Query, *, now: datetime) -> Asked:
    """Raises BadQuestion, which names the parameter that is wrong."""
    address = Address(query)
    if any("\0" in value for _, value in address.fields):
        raise BadQuestion("The address holds a NUL character.")
    today = now.astimezone(UTC).date()
    name = first(address.query, "period") or DEFAULT_PERIOD
    question = as_parameters(address.query, today=today, now=now).question(website, now=now)
    Summary().examine(question)
    compared = [question.period] + ([question.comparison] if question.comparison else [])
    metrics = {total.metric: total for total in TOTALS}
    return Asked(
        website=website,
        address=address,
        question=question,
        total=metrics[one_of(address.query, "metric", tuple(metrics), TOTALS[0].metric)],
        interval=interval(first(address.query, "interval"), question.period),
        period_name="" if day(address.query, "start_date") else name,
        now=now,
        age=max(fresh(website.id, period.start, period.end, now=now) for period in compared),
    )


def as_parameters(query: Query, *, today: date, now: datetime) -> Parameters:
    """The page's parameters as the reports take them: they know no month, and their defaults are others."""
    asked = {name: values for name, values in query.items() if not name.startswith(TAB)}
    compare = first(asked, "compare") or DEFAULT_COMPARISON
    if compare not in (NO_COMPARISON, *COMPARISONS):
        raise BadQuestion(f"compare must be one of {', '.join((NO_COMPARISON, *COMPARISONS))}.")
    asked["compare"] = [] if compare == NO_COMPARISON else [compare]
    name = first(asked, "period") or DEFAULT_PERIOD
    if name == MONTH and not first(asked, "start_date"):
        asked |= {"start_date": [str(today.replace(day=1))], "end_date": [str(today)]}
    asked["period"] = ["today" if name == REALTIME else DEFAULT_PERIOD if name == MONTH else name]
    return parameters(Summary(), asked, now=now)


def interval(name: str, period: Period) -> str:
    """The one that is asked for where it suits the days, else hours of one day, and days of several."""
    allowed = intervals(period)
    if name in allowed:
        return name
    if period.length_days == 1:
        return "hour"
    return "day" if period.length_days <= MOST_DAYS_BY_DAY else "week"


def intervals(period: Period) -> list[str]:
    days = period.length_days
    least = {"hour": 1, "day": 2, **LEAST_DAYS}
    most = {"hour": MOST_DAYS_BY_HOUR}
    return [name for name in INTERVALS if least[name] <= days <= most.get(name, days)]


def stepped(period: Period, direction: int, *, today: date) -> Period:
    """The days before or after: a month's are a month, also of the one that has not ended."""
    start, end = period.start, period.end
    is_month = start.day == 1 and (start.year, start.month) == (end.year, end.month)
    if is_month and end in (today, last_of_month(start)):
        other = (start + timedelta(days=31 if direction > 0 else -1)).replace(day=1)
        return Period(other, last_of_month(other))
    distance = timedelta(days=period.length_days * direction)
    return Period(start + distance, end + distance)


def last_of_month(some: date) -> date:
    return some.replace(day=calendar.monthrange(some.year, some.month)[1])
