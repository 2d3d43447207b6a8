"""timeseries: one number a day, for the whole website or for one path (definitions 23)."""

from collections.abc import Callable, Mapping
from typing import Any

from analytics.reports.base import WHERE, Question, Report, first, mean_seconds, one_of, period_of, rows, share

# Of a path every visit has a page_view; of the site the bounce rate is a share of those that have.
SITE = f"""
SELECT day, sum(visits)::bigint AS visits, sum(page_visits)::bigint AS page_visits, sum(bounces)::bigint AS bounces,
    sum(duration_us)::bigint AS duration_us, sum(pageviews)::bigint AS pageviews,
    sum(unique_pageviews)::bigint AS unique_pageviews, sum(page_visits)::bigint AS entries,
    sum(page_visits)::bigint AS exits
FROM analytics_siteday WHERE {WHERE} GROUP BY day
"""
PATH = f"""
SELECT day, sum(visits)::bigint AS visits, sum(visits)::bigint AS page_visits, sum(bounces)::bigint AS bounces,
    sum(duration_us)::bigint AS duration_us, sum(pageviews)::bigint AS pageviews,
    sum(unique_pageviews)::bigint AS unique_pageviews, sum(entries)::bigint AS entries, sum(exits)::bigint AS exits
FROM analytics_pageday WHERE {WHERE} AND path = %(path)s GROUP BY day
"""
METRICS: dict[str, Callable[[dict[str, Any]], int | float]] = {
    "visits": lambda row: row["visits"],
    "pageviews": lambda row: row["pageviews"],
    "unique_pageviews": lambda row: row["unique_pageviews"],
    "bounce_rate": lambda row: share(row["bounces"], row["page_visits"], 1),
    "avg_session_duration": lambda row: mean_seconds(row["duration_us"], row["visits"]),
    "landing_page_entries": lambda row: row["entries"],
    "exit_page_exits": lambda row: row["exits"],
}


class Timeseries(Report):
    """One number a day."""

    name = "timeseries"
    documented = (
        ("metric", "The number.", {"enum": tuple(METRICS), "default": "pageviews"}),
        ("path", "One path only.", {}),
    )
    columns = ("date", "value")

    def parameters(self, query: Mapping[str, list[str]]) -> tuple[str, str]:
        return one_of(query, "metric", tuple(METRICS), "pageviews"), first(query, "path")

    def answer(self, question: Question) -> dict[str, Any]:
        metric, path = question.extra
        found = rows(PATH if path else SITE, question.sql | {"path": path})
        values = {row["day"]: METRICS[metric](row) for row in found}
        return {
            "period": period_of(question),
            "metric": metric,
            "path": path or "*",
            "series": [{"date": str(day), "value": values.get(day, 0)} for day in question.period.days],
        }

    def table(self, data: dict[str, Any]) -> list[dict[str, Any]]:
        return list(data["series"])
