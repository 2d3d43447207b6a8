"""timeseries: one number a day, hour, week or month, for the whole website or for one path (definitions 23)."""

from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from analytics.reports.base import (
    WHERE,
    BadQuestion,
    Question,
    Report,
    first,
    mean,
    mean_seconds,
    one_of,
    period_of,
    share,
)
from analytics.reports.period import Period
from analytics.rollups.visits import view_pattern
from analytics.vocabulary import Type

MEASURES = (
    "visitors",
    "visits",
    "page_visits",
    "bounces",
    "duration_us",
    "pageviews",
    "unique_pageviews",
    "entries",
    "exits",
)
# Of a path every visit has a page_view; of the site the bounce rate is a share of those that have.
SITE = f"""
SELECT day AS at, visitors, visits, page_visits, bounces, duration_us, pageviews, unique_pageviews,
    page_visits AS entries, page_visits AS exits
FROM analytics_siteday WHERE {WHERE}
"""
PATH = f"""
SELECT day AS at, 0 AS visitors, visits, visits AS page_visits, bounces, duration_us, pageviews, unique_pageviews,
    entries, exits
FROM analytics_pageday WHERE {WHERE} AND path = %(path)s
"""
# By the hour nothing is rolled up: visits count in the hour they begin, page views in their own.
OF_VISITS = """
    website_id = %(website)s AND day BETWEEN %(start)s AND %(end)s AND is_bot = ANY(%(bots)s)
    AND (%(group)s = '' OR %(group)s = ANY(content_groups)) AND (%(path)s = '' OR steps LIKE %(viewed)s)
"""
OF_VIEWS = f"""
    event.website_id = %(website)s AND occurred_at >= %(start)s::date::timestamp AT TIME ZONE 'UTC'
    AND occurred_at < (%(end)s::date + 1)::timestamp AT TIME ZONE 'UTC' AND NOT is_excluded
    AND event.is_bot = ANY(%(bots)s) AND type = {Type.PAGE_VIEW:d}
    AND (%(group)s = '' OR content_group = %(group)s) AND (%(path)s = '' OR path = %(path)s)
"""
# The page views of the visits, and those of no visit where all are asked for.
JOINED = """
{join} (SELECT * FROM analytics_visit WHERE website_id = %(website)s AND day BETWEEN %(start)s AND %(end)s) AS visit
    ON visit.visitor = event.visitor AND visit.is_bot = event.is_bot AND NOT is_server
    AND occurred_at BETWEEN visit.started_at AND visit.started_at + visit.duration_us * interval '1 microsecond'
"""
HOURLY = f"""
SELECT date_trunc('hour', started_at AT TIME ZONE 'UTC') AS at, count(DISTINCT visitor) AS visitors,
    count(*) AS visits, count(*) FILTER (WHERE pageviews > 0) AS page_visits,
    count(*) FILTER (WHERE is_bounce) AS bounces, sum(duration_us) AS duration_us,
    0 AS pageviews, 0 AS unique_pageviews,
    count(*) FILTER (WHERE entry = CASE %(path)s WHEN '' THEN entry ELSE %(path)s END) AS entries,
    count(*) FILTER (WHERE exit = CASE %(path)s WHEN '' THEN exit ELSE %(path)s END) AS exits
FROM analytics_visit WHERE {OF_VISITS} GROUP BY 1
UNION ALL
SELECT date_trunc('hour', occurred_at AT TIME ZONE 'UTC'), 0, 0, 0, 0, 0, count(*),
    count(DISTINCT (visit.visitor, visit.is_bot, visit.started_at, path)) FILTER (WHERE visit.visitor IS NOT NULL), 0, 0
FROM analytics_event event {JOINED} WHERE {OF_VIEWS} GROUP BY 1
"""
METRICS: dict[str, Callable[[dict[str, Any]], int | float]] = {
    "visits": lambda row: row["visits"],
    "unique_visitors": lambda row: row["visitors"],
    "pageviews": lambda row: row["pageviews"],
    "unique_pageviews": lambda row: row["unique_pageviews"],
    "pages_per_visit": lambda row: mean(row["pageviews"], row["visits"], 2),
    "bounce_rate": lambda row: share(row["bounces"], row["page_visits"], 1),
    "avg_session_duration": lambda row: mean_seconds(row["duration_us"], row["visits"]),
    "landing_page_entries": lambda row: row["entries"],
    "exit_page_exits": lambda row: row["exits"],
}
INTERVALS = ("hour", "day", "week", "month")
MOST_DAYS_BY_HOUR = 7
HOUR = timedelta(hours=1)


class Timeseries(Report):
    """One number a day, hour, week or month."""

    name = "timeseries"
    documented = (
        ("metric", "The number.", {"enum": tuple(METRICS), "default": "pageviews"}),
        ("path", "One path only.", {}),
        ("interval", "Of the numbers; weeks begin on Monday.", {"enum": INTERVALS, "default": "day"}),
    )
    columns = ("date", "value")

    def parameters(self, query: Mapping[str, list[str]]) -> tuple[str, str, str]:
        metric = one_of(query, "metric", tuple(METRICS), "pageviews")
        return metric, first(query, "path"), one_of(query, "interval", INTERVALS, "day")

    def check(self, question: Question) -> None:
        metric, path, interval = question.extra
        if interval == "hour" and question.period.length_days > MOST_DAYS_BY_HOUR:
            raise BadQuestion(f"interval=hour takes at most {MOST_DAYS_BY_HOUR} days.")
        if metric == "unique_visitors" and path:
            raise BadQuestion("unique_visitors are not counted by path: filter[page] counts those of one.")
        if path and question.least_visitors:
            # How many visitors there are behind a number is not counted by path either.
            raise BadQuestion("This website is exempt: with a filter, filter[page] takes the place of path.")

    def answer(self, question: Question) -> dict[str, Any]:
        metric, path, interval = question.extra
        rows = measured(question, path, interval)
        values = {at: None if is_few(row, question) else METRICS[metric](row) for at, row in rows.items()}
        nothing = None if question.is_withheld else 0
        return {
            "period": period_of(question),
            "metric": metric,
            "path": path or "*",
            "series": [
                {"date": spelled(at), "value": values.get(at, nothing)} for at in beginnings(question.period, interval)
            ],
        }

    def table(self, data: dict[str, Any]) -> list[dict[str, Any]]:
        return list(data["series"])


def is_few(row: Mapping[str, Any], question: Question) -> bool:
    """Whether an interval has too few visitors for its number to be told."""
    return bool(row["visitors"] < question.least_visitors)


def measured(question: Question, path: str, interval: str) -> dict[date, dict[str, Any]]:
    """The measures of each interval in which there is anything, by its beginning."""
    if interval == "hour":
        statement = HOURLY.replace("{join}", "JOIN" if question.filters else "LEFT JOIN")
        at = "at"
    else:
        statement = PATH if path else SITE
        at = f"greatest(date_trunc('{interval}', at)::date, %(start)s::date)"
    sums = ", ".join(f"sum({measure})::bigint AS {measure}" for measure in MEASURES)
    found = question.rows(
        f"SELECT {at} AS at, {sums} FROM ({statement}) AS measures GROUP BY 1", path=path, viewed=view_pattern(path)
    )
    return {row["at"]: row for row in found}


def beginnings(period: Period, interval: str) -> list[date]:
    """Where the intervals of a period begin; the first with the period."""
    if interval == "hour":
        midnight = datetime.combine(period.start, time())
        return [midnight + n * HOUR for n in range(24 * period.length_days)]
    if interval == "week":
        return [day for day in period.days if day == period.start or day.weekday() == 0]
    if interval == "month":
        return [day for day in period.days if day == period.start or day.day == 1]
    return period.days


def spelled(at: date) -> str:
    """A day as 2026-03-18, an hour as 2026-03-18T09:00Z."""
    return f"{at:%Y-%m-%dT%H:%M}Z" if isinstance(at, datetime) else str(at)
