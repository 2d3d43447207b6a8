"""From a query string to a question: every parameter of contract 2.9, checked in one place."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from django.db.models import Min

from accounts.models import Website
from analytics.models import BuiltDay, Event
from analytics.reports.base import BadQuestion, Question, Report, first, one_of
from analytics.reports.filters import BadFilter, Filter, filters
from analytics.reports.period import LONGEST_DAYS, NAMES, Period
from analytics.rollups.build import EARLIEST, LATEST

COMPARISONS = ("previous_period", "yoy")
FORMATS = ("json", "csv")
MOST_PER_PAGE = 500
MOST_PAGES = 1_000_000_000
LONGEST_GROUP = 400


@dataclass(slots=True, frozen=True)
class Parameters:
    """The parameters of a report, checked, but not yet of a website: `all` begins with its first event."""

    period_name: str
    start: date | None
    end: date | None
    compare: str
    include_bots: bool
    content_group: str
    page: int
    per_page: int
    filters: tuple[Filter, ...]
    format: str
    extra: Any

    def question(self, website: Website, *, now: datetime) -> Question:
        period = self.period(website, today=now.astimezone(UTC).date())
        comparison = None
        if self.compare:
            comparison = period.previous() if self.compare == "previous_period" else period.year_before()
        return Question(
            website_id=website.id,
            period=period,
            now=now,
            comparison=comparison,
            include_bots=self.include_bots,
            content_group=self.content_group,
            page=self.page,
            per_page=self.per_page,
            filters=self.filters,
            is_exempt=website.mode == Website.Mode.EXEMPT,
            extra=self.extra,
        )

    def period(self, website: Website, *, today: date) -> Period:
        if self.start is None:
            oldest = first_day(website) if self.period_name == "all" else today
            return Period.named(self.period_name, today=today, first=oldest)
        return Period(self.start, self.end or today)


def parameters(report: Report, query: Mapping[str, list[str]], *, now: datetime) -> Parameters:
    """The parameters as the report wants them. Raises BadQuestion, which names the wrong one."""
    for name, values in query.items():
        if any("\0" in value for value in values):
            raise BadQuestion(f"{name} holds a NUL character.")
    start, end = day(query, "start_date"), day(query, "end_date")
    if end and not start:
        raise BadQuestion("end_date needs a start_date.")
    if start:
        check_range(start, end or now.astimezone(UTC).date())
    return Parameters(
        period_name=one_of(query, "period", NAMES, "7d"),
        start=start,
        end=end,
        compare=one_of(query, "compare", ("", *COMPARISONS), ""),
        include_bots=first(query, "include_bots") == "true",
        content_group=first(query, "content_group")[:LONGEST_GROUP],
        page=number(query, "page", 1, MOST_PAGES),
        per_page=number(query, "per_page", 50, MOST_PER_PAGE),
        filters=filters_of(query),
        format=one_of(query, "format", FORMATS, "json"),
        extra=report.parameters(query),
    )


def filters_of(query: Mapping[str, list[str]]) -> tuple[Filter, ...]:
    try:
        return filters(query)
    except BadFilter as bad:
        raise BadQuestion(str(bad)) from None


def check_range(start: date, end: date) -> None:
    if end < start:
        raise BadQuestion("start_date must not be after end_date.")
    if start < EARLIEST or end > LATEST or (end - start).days >= LONGEST_DAYS:
        raise BadQuestion(f"The dates must lie between {EARLIEST} and {LATEST}, at most {LONGEST_DAYS} days apart.")


def day(query: Mapping[str, list[str]], name: str) -> date | None:
    value = first(query, name)
    if not value:
        return None
    try:
        found = date.fromisoformat(value)
    except ValueError:
        found = None
    # fromisoformat takes other spellings of a date too.
    if found is None or str(found) != value:
        raise BadQuestion(f"{name} must be a date, for example {name}=2026-03-18.")
    return found


def number(query: Mapping[str, list[str]], name: str, default: int, most: int) -> int:
    value = first(query, name) or str(default)
    if not (value.isascii() and value.isdigit() and len(value) <= 12 and 1 <= int(value) <= most):
        raise BadQuestion(f"{name} must be a whole number between 1 and {most}.")
    return int(value)


def first_day(website: Website) -> date:
    """The day of the website's first stored event, which its roll-ups outlive; its creation day when there is none."""
    event = Event.objects.filter(website_id=website.id).aggregate(oldest=Min("occurred_at"))["oldest"]
    built = BuiltDay.objects.filter(website_id=website.id, events__gt=0).aggregate(oldest=Min("day"))["oldest"]
    days = [found for found in (event and event.astimezone(UTC).date(), built) if found]
    return min(days, default=website.created_at.astimezone(UTC).date())
