"""realtime: the last 30 minutes, read from the events themselves (definitions 21)."""

from collections import Counter
from datetime import timedelta
from typing import Any

from analytics.reports.base import Question, Report, rows
from analytics.vocabulary import Type

WINDOW = timedelta(minutes=30)
MOST_PAGES = 10

EVENTS = """
FROM analytics_event
WHERE website_id = %(website)s AND occurred_at BETWEEN %(since)s AND %(now)s AND NOT is_bot AND NOT is_excluded
"""
ACTIVE = f"SELECT count(DISTINCT visitor) AS active_visitors {EVENTS}"
TOP_PAGES = f"""
SELECT path, count(DISTINCT visitor) AS visitors {EVENTS} AND type = {Type.PAGE_VIEW:d}
GROUP BY path ORDER BY visitors DESC, path LIMIT {MOST_PAGES}
"""
BY_TYPE = f"""
SELECT type, CASE WHEN type IN ({Type.OTHER:d}, {Type.RENDER:d}) THEN name END AS name, count(*) AS count {EVENTS}
GROUP BY 1, 2
"""


class Realtime(Report):
    """The last 30 minutes."""

    name = "realtime"
    from_rollups = False
    in_days = False

    def answer(self, question: Question) -> dict[str, Any]:
        moment = {"website": question.website_id, "since": question.now - WINDOW, "now": question.now}
        # Another dialect may call an event as a type is called.
        counts: Counter[str] = Counter()
        for row in rows(BY_TYPE, moment):
            counts[row["name"] or Type(row["type"]).name.lower()] += row["count"]
        types: list[dict[str, Any]] = [{"eventType": name, "count": count} for name, count in counts.items()]
        return {
            "active_visitors": rows(ACTIVE, moment)[0]["active_visitors"],
            "top_pages": rows(TOP_PAGES, moment),
            "events_by_type": sorted(types, key=lambda row: (-row["count"], row["eventType"].encode())),
        }
