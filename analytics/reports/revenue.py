"""revenue: what was sold, and to whom something was shown before (definitions 30, 31).

Read from the orders themselves and from the touches of their buyers, so it is never older than the last purchase. An
index of the widgets' events by visitor finds the touches: those of 1,000 orders among a million events of 30 days in
0.2 s.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from analytics import money
from analytics.reports.base import PAGE, Question, Report, one_of, paginated, rows
from analytics.vocabulary import Dialect

WINDOWS = {"30m": timedelta(minutes=30), "24h": timedelta(hours=24), "14d": timedelta(days=14)}
TOUCHES = {"any": "", "interaction": "AND name NOT IN ('widget_render', 'media_render')"}
# What each row is -> the name of the thing that a touch touched, and what more it is read from.
THINGS = {
    "widget": ("properties ->> 'instance'", ""),
    "stream": ("CASE properties ->> 'kind' WHEN 'stream' THEN properties ->> 'id' END", ""),
    "category": ("CASE properties ->> 'kind' WHEN 'category' THEN properties ->> 'id' END", ""),
    "media": ("properties ->> 'media'", ""),
    "segment": ("key || ':' || value", ", LATERAL jsonb_each_text(properties -> 'segments')"),
}

ORDERS = """
SELECT client_id, transaction, analytics_id, currency, total, occurred_at FROM analytics_order
WHERE website_id = %(website)s AND occurred_at >= %(start)s AND occurred_at < %(end)s + 1
    AND NOT is_excluded AND is_bot = ANY(%(bots)s)
"""
TOTALS = f"""
SELECT currency, count(*) AS orders, sum(total) AS revenue FROM ({ORDERS}) AS bought
GROUP BY currency ORDER BY orders DESC, currency
"""
ATTRIBUTED = f"""
WITH bought AS MATERIALIZED ({ORDERS} AND analytics_id <> ''),
touched AS (
    SELECT client_id, transaction, currency, total, label FROM bought, LATERAL (
        SELECT DISTINCT {{thing}} AS label
        FROM analytics_event {{more}}
        WHERE website_id = %(website)s AND dialect = {Dialect.WIDGETS:d} AND client_session = bought.analytics_id
            AND analytics_event.occurred_at BETWEEN bought.occurred_at - %(window)s AND bought.occurred_at
            AND is_bot = ANY(%(bots)s) AND NOT is_excluded AND properties ? 'instance' {{touch}}
    ) AS things WHERE label IS NOT NULL
), shared AS (
    SELECT *, count(*) OVER (PARTITION BY client_id, transaction) AS things FROM touched
)
SELECT label, currency, count(*) AS orders, sum(total) AS influenced, sum(total / things) AS linear
FROM shared GROUP BY label, currency
ORDER BY orders DESC, label COLLATE "C", currency {PAGE}
"""


class Revenue(Report):
    """Orders and revenue by currency; currencies are never added up. `influenced` gives each thing that the buyer
    touched within the window before the order the whole of it, so it does not add up; `linear` splits each order
    equally over the distinct things touched, so it does. Content groups and filters do not restrict it."""

    name = "revenue"
    from_rollups = False
    of_visits = False
    documented = (
        ("by", "What each row is.", {"enum": tuple(THINGS), "default": "widget"}),
        ("window", "How long before the order a touch counts.", {"enum": tuple(WINDOWS), "default": "30m"}),
        ("touch", "What is a touch: anything, or not what was only seen.", {"enum": tuple(TOUCHES), "default": "any"}),
    )

    def parameters(self, query: Mapping[str, list[str]]) -> tuple[str, str, str]:
        return (
            one_of(query, "by", tuple(THINGS), "widget"),
            one_of(query, "window", tuple(WINDOWS), "30m"),
            one_of(query, "touch", tuple(TOUCHES), "any"),
        )

    def answer(self, question: Question) -> dict[str, Any]:
        by, window, touch = question.extra
        thing, more = THINGS[by]
        statement = ATTRIBUTED.format(thing=thing, more=more, touch=TOUCHES[touch])
        found = rows(statement, question.sql | {"window": WINDOWS[window]})
        totals = [
            {"currency": row["currency"], "orders": row["orders"], "revenue": money.text(row["revenue"])}
            for row in rows(TOTALS, question.sql)
        ]
        answer = paginated(question, [attributed(row, by) for row in found])
        return answer | {"by": by, "window": window, "touch": touch, "totals": totals}

    def columns_for(self, question: Question) -> tuple[str, ...]:
        by, _, _ = question.extra
        return (by, "currency", "orders", "influenced", "linear")


def attributed(row: Mapping[str, Any], by: str) -> dict[str, Any]:
    label = row["label"]
    return {
        by: int(label) if by in ("stream", "category", "media") else label,
        "currency": row["currency"],
        "orders": row["orders"],
        "influenced": money.text(row["influenced"]),
        "linear": money.text(row["linear"]),
    }
