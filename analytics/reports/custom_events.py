"""custom-events: events by the name they were given (definitions 22)."""

from collections.abc import Mapping
from typing import Any

from analytics.reports.base import PAGE, WHERE, Question, Report, first, paginated

COUNTS = f"""
SELECT name, sum(count)::bigint AS count FROM analytics_nameday
WHERE {WHERE} AND (%(name)s = '' OR name = %(name)s)
GROUP BY name ORDER BY count DESC, name {PAGE}
"""


class CustomEvents(Report):
    """Custom events by name."""

    name = "custom-events"
    documented = (("event_name", "One name only.", {}),)
    columns = ("name", "count")

    def parameters(self, query: Mapping[str, list[str]]) -> str:
        return first(query, "event_name")

    def answer(self, question: Question) -> dict[str, Any]:
        return paginated(question, question.rows(COUNTS, name=question.extra))
