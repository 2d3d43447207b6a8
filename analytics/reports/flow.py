"""flow: where visits begin and where they end."""

from typing import Any

from analytics.reports.base import PAGE, WHERE, Question, Report, period_of

LIST = f"""
SELECT path, sum({{column}})::bigint AS {{column}} FROM analytics_pageday
WHERE {WHERE} AND {{column}} > 0
GROUP BY path ORDER BY {{column}} DESC, path {PAGE}
"""


class Flow(Report):
    """Pages that visits begin and end with."""

    name = "flow"
    columns = ("path", "entries")

    def answer(self, question: Question) -> dict[str, Any]:
        return {
            "period": period_of(question),
            "landing_pages": question.rows(LIST.format(column="entries")),
            "exit_pages": question.rows(LIST.format(column="exits")),
        }

    def table(self, data: dict[str, Any]) -> list[dict[str, Any]]:
        return list(data["landing_pages"])
