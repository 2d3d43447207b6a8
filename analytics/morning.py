"""The operator's morning, of several websites at once: yesterday against the same weekday a week before, what moved it,
and what was searched for in vain. The numbers are those of the reports, by their own statements.

However many websites are looked at, they take the same few queries.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import OuterRef, QuerySet, Subquery, Sum

from accounts.models import Website
from analytics.models import BuiltDay, DirtyDay, Drop, SiteDay
from analytics.reports import calendar, pages, sources, summary
from analytics.reports.base import PAGE, Question, for_each
from analytics.reports.period import Period
from analytics.rollups.build import fresh
from analytics.vocabulary import Type

WEEK = timedelta(days=7)
MOST_WEBSITES = 6
MOST_GAPS = 5
# What could have moved a day; a change of something smaller is none that people would name.
MOST_ROWS = 500
# Fewer come and go by chance.
LEAST_CHANGE = 3

METRICS = (("visits", "Visits"), ("unique_visitors", "Daily visitors"), ("pageviews", "Page views"))
# What can have moved it: its statement, the column it is called by, and what is counted of it.
MOVERS = (
    ("channel", sources.STATEMENTS["channel"], "channel", "visits"),
    ("source", sources.STATEMENTS["domain"], "referrer", "visits"),
    ("campaign", sources.STATEMENTS["utm"], "utmCampaign", "visits"),
    ("page", pages.GROUPED + PAGE, "path", "pageviews"),
)

# A website is silent when so many page views should have come since its last one, and half a day has gone by: nights
# are quiet everywhere.
SILENT_VIEWS = 10
SILENT_FOR = timedelta(hours=12)
MOST_ALARMS = 5
SILENT = f"""
SELECT site.id, usual.a_day, last.at FROM unnest(%(websites)s::int[]) AS site(id)
CROSS JOIN LATERAL (
    SELECT sum(pageviews) / 7.0 AS a_day FROM analytics_siteday
    WHERE website_id = site.id AND day BETWEEN %(start)s AND %(end)s AND NOT is_bot AND content_group = ''
) AS usual
LEFT JOIN LATERAL (
    SELECT occurred_at AS at FROM analytics_event
    WHERE website_id = site.id AND occurred_at > %(since)s AND type = {Type.PAGE_VIEW:d} AND NOT is_bot
    ORDER BY occurred_at DESC LIMIT 1
) AS last ON true
WHERE coalesce(last.at, %(since)s) < %(now)s - %(patience)s
    AND usual.a_day * extract(epoch FROM %(now)s - coalesce(last.at, %(since)s)) / 86400 >= %(least)s
ORDER BY usual.a_day DESC, site.id LIMIT {MOST_ALARMS}
"""
# So many refused calls of a day, and so large a share of all, are a mistake somewhere and no noise.
REFUSED_LEAST, REFUSED_SHARE = 20, 0.05


@dataclass(slots=True, frozen=True)
class Metric:
    title: str
    value: float
    previous: float
    change_pct: float | None

    @property
    def is_up(self) -> bool:
        return self.value > self.previous

    @property
    def is_down(self) -> bool:
        return self.value < self.previous

    @property
    def change(self) -> str:
        """As people say it, of what stood there before."""
        if self.change_pct is None:
            return f"none before, +{self.value:,}"
        return f"{self.change_pct:+.0f} % of {self.previous:,}" if self.change_pct else f"as before, {self.previous:,}"


@dataclass(slots=True, frozen=True)
class Mover:
    """What changed most of its kind, in visits or page views."""

    kind: str
    label: str
    now: int
    before: int
    unit: str

    @property
    def change(self) -> int:
        return self.now - self.before


@dataclass(slots=True, frozen=True)
class Gap:
    query: str
    times: int


@dataclass(slots=True)
class Yesterday:
    """A website's day, beside the one a week before."""

    website: Website
    metrics: list[Metric]
    movers: list[Mover]
    gaps: list[Gap] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not any(metric.value or metric.previous for metric in self.metrics)


@dataclass(slots=True, frozen=True)
class Silence:
    website: Website
    a_day: int
    # None when there was nothing for a week.
    last_at: datetime | None


@dataclass(slots=True, frozen=True)
class Refusals:
    website: Website
    count: int
    reason: str


def busiest(websites: QuerySet[Website], *, day: date, most: int = MOST_WEBSITES) -> list[Website]:
    """Those with the most visits on the day, then the newest; one more than asked for tells that there are more."""
    visits = SiteDay.objects.filter(website_id=OuterRef("id"), day=day, is_bot=False, content_group="").values("visits")
    ordered = websites.order_by(Subquery(visits[:1]).desc(nulls_last=True), "-created_at", "-id")
    return list(ordered.select_related("account")[: most + 1])


def yesterdays(websites: Sequence[Website], *, now: datetime) -> list[Yesterday]:
    """Yesterday of each website, and its searches in vain of the last seven days."""
    ids = [website.id for website in websites]
    day = now.astimezone(UTC).date() - timedelta(days=1)
    make_fresh(ids, (day, day - WEEK), now=now)
    totals, before = of(ids, summary.TOTALS, day, now=now), of(ids, summary.TOTALS, day - WEEK, now=now)
    moved = {
        kind: (of(ids, statement, day, now=now), of(ids, statement, day - WEEK, now=now))
        for kind, statement, _, _ in MOVERS
    }
    gaps = for_each(
        ids, calendar.SEARCHES.format(**calendar.Outcome("gaps").clauses), week_of(now.astimezone(UTC).date(), now)
    )
    return [
        one_yesterday(
            website,
            [*compared(totals[website.id], before[website.id])],
            {kind: (now_[website.id], before_[website.id]) for kind, (now_, before_) in moved.items()},
            gaps[website.id],
        )
        for website in websites
    ]


Rows = list[dict[str, Any]]


def one_yesterday(
    website: Website, metrics: list[Metric], moved: dict[str, tuple[Rows, Rows]], gaps: Rows
) -> Yesterday:
    wholes = {metric.title: int(metric.value - metric.previous) for metric in metrics}
    movers = [
        most_moved(kind, column, unit, *moved[kind], wholes["Visits" if unit == "visits" else "Page views"])
        for kind, _, column, unit in MOVERS
    ]
    found = [Gap(row["query"], row["gaps"]) for row in gaps]
    return Yesterday(website, metrics, [mover for mover in movers if mover], found)


def of(ids: list[int], statement: str, day: date, *, now: datetime) -> dict[int, list[dict[str, Any]]]:
    question = Question(website_id=0, period=Period(day, day), now=now, per_page=MOST_ROWS)
    return for_each(ids, statement, question.sql)


def week_of(today: date, now: datetime) -> dict[str, Any]:
    period = Period(today - WEEK + timedelta(days=1), today)
    return Question(website_id=0, period=period, now=now, per_page=MOST_GAPS).sql


def make_fresh(ids: list[int], days: Iterable[date], *, now: datetime) -> None:
    """Have these days built where they have newer events: days that are over seldom have."""
    dirty = DirtyDay.objects.filter(website_id__in=ids, day__in=list(days)).values_list("website_id", "day").distinct()
    for website_id, day in dirty:
        fresh(website_id, day, day, now=now)


def compared(now: list[dict[str, Any]], before: list[dict[str, Any]]) -> Iterable[Metric]:
    values, previous = summary.shown(now[0]), summary.shown(before[0])
    for name, title in METRICS:
        change = summary.change(values[name], previous[name])
        yield Metric(title, values[name], previous[name], change)


def most_moved(kind: str, column: str, unit: str, now: Rows, before: Rows, whole: int) -> Mover | None:
    """What changed most in the direction in which the whole went: of a rise the greatest rise."""
    value, previous = counted(now, column, unit), counted(before, column, unit)
    changes = {label: value[label] - previous[label] for label in value.keys() | previous.keys()}
    alike = {label: change for label, change in changes.items() if not whole or change * whole > 0}
    label = max(alike, key=lambda label: (abs(alike[label]), label), default=None)
    if label is None or abs(alike[label]) < LEAST_CHANGE:
        return None
    return Mover(kind, label, value[label], previous[label], "visits" if unit == "visits" else "views")


def counted(rows: list[dict[str, Any]], column: str, unit: str) -> Counter[str]:
    found: Counter[str] = Counter()
    for row in rows:
        found[row[column] or "(none)"] += row[unit]
    return found


# -- what is not as it should be --------------------------------------------------------------------------------------


def silent(websites: QuerySet[Website], *, now: datetime) -> list[Silence]:
    """Websites that had traffic, and from which nothing comes any more; those with the most first."""
    today = now.astimezone(UTC).date()
    parameters: dict[str, Any] = {
        "websites": list(websites.values_list("id", flat=True)),
        "start": today - timedelta(days=8),
        "end": today - timedelta(days=2),
        "since": now - timedelta(days=8),
        "now": now,
        "patience": SILENT_FOR,
        "least": SILENT_VIEWS,
    }
    with connection.cursor() as cursor:
        cursor.execute(SILENT, parameters)
        found = cursor.fetchall()
    known = Website.objects.in_bulk([website_id for website_id, _, _ in found])
    return [Silence(known[website_id], round(a_day), last_at) for website_id, a_day, last_at in found]


def refused(websites: QuerySet[Website], *, now: datetime) -> list[Refusals]:
    """Websites of which a large part of yesterday's calls was refused, with the reason that most were refused for."""
    day = now.astimezone(UTC).date() - timedelta(days=1)
    drops = Drop.objects.filter(day=day, website_id__in=websites.values("id"))
    totals = drops.order_by().values_list("website_id").annotate(times=Sum("count")).filter(times__gte=REFUSED_LEAST)
    counts = {int(website_id or 0): times for website_id, times in totals.order_by("-times", "website_id")[:100]}
    events = dict(BuiltDay.objects.filter(website_id__in=list(counts), day=day).values_list("website_id", "events"))
    bad = [id_ for id_, times in counts.items() if times > REFUSED_SHARE * (times + events.get(id_, 0))][:MOST_ALARMS]
    # The most frequent one comes last, and stays.
    reasons = dict(drops.filter(website_id__in=bad).order_by("count").values_list("website_id", "reason"))
    known = Website.objects.in_bulk(bad)
    return [Refusals(known[id_], counts[id_], reasons[id_]) for id_ in bad]
