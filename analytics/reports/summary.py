"""summary: the totals of a period, beside those of another."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from analytics.reports.base import Question, Report, mean_seconds, period_of, rounded, share

TOTALS = """
SELECT
    coalesce(sum(visits), 0) AS visits, coalesce(sum(visitors), 0) AS visitors,
    coalesce(sum(pageviews), 0) AS pageviews, coalesce(sum(bounces), 0) AS bounces,
    coalesce(sum(page_visits), 0) AS page_visits, coalesce(sum(duration_us), 0) AS duration_us
FROM analytics_siteday
WHERE website_id = %(website)s AND day BETWEEN %(start)s AND %(end)s
    AND is_bot = ANY(%(bots)s) AND content_group = %(group)s
"""

Number = int | float


class Summary(Report):
    """Totals of a period, with `compare` beside those of another."""

    name = "summary"
    columns = ("metric", "value", "previous", "change_pct")

    def answer(self, question: Question) -> dict[str, Any]:
        values = metrics(question)
        if question.comparison is None:
            shown: dict[str, dict[str, Any]] = {name: {"value": value} for name, value in values.items()}
        else:
            before = metrics(question.over(question.comparison))
            shown = {name: compared(values[name], previous) for name, previous in before.items()}
        return {
            "period": period_of(question),
            "comparison": str(question.comparison) if question.comparison else None,
            "metrics": shown,
        }

    def table(self, data: dict[str, Any]) -> list[dict[str, Any]]:
        return [{"metric": name, **numbers} for name, numbers in data["metrics"].items()]


def metrics(question: Question) -> Mapping[str, Number | None]:
    """None of those that are withheld."""
    (total,) = question.rows(TOTALS)
    found = shown(total)
    return dict.fromkeys(found) if question.is_withheld else found


def shown(total: Mapping[str, Any]) -> dict[str, Number]:
    """The metrics of a row of TOTALS."""
    return {
        "visits": int(total["visits"]),
        "unique_visitors": int(total["visitors"]),
        "pageviews": int(total["pageviews"]),
        "bounce_rate": share(total["bounces"], total["page_visits"], 1),
        "avg_session_duration_sec": mean_seconds(total["duration_us"], total["visits"]),
    }


def compared(value: Number | None, previous: Number | None) -> dict[str, Number | None]:
    changed = None if value is None or previous is None else change(value, previous)
    return {"value": value, "previous": previous, "change_pct": changed}


def change(value: Number, previous: Number) -> float | None:
    """The change in percent of the values as shown; null from nothing to something (definitions 19)."""
    if not previous:
        return None if value else 0.0
    # Through text: 42.3 as shown is meant, not its nearest binary fraction.
    now, before = Decimal(str(value)), Decimal(str(previous))
    return float(rounded((now - before) / before * 100, 2))
