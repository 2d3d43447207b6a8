"""countries: visits by country, where a file of places is configured. The contract has no route for it: the dashboard
shows it."""

from typing import Any

from analytics.models.rollups import Dimension
from analytics.reports.base import PAGE, WHERE, Question, Report, paginated

VISITS = f"""
SELECT label AS country, sum(visits)::bigint AS visits FROM analytics_dimensionday
WHERE {WHERE} AND dimension = {Dimension.COUNTRY:d}
GROUP BY label ORDER BY visits DESC, label {PAGE}
"""


class Countries(Report):
    """Visits by country, as ISO 3166 codes."""

    name = "countries"
    columns = ("country", "visits")

    def answer(self, question: Question) -> dict[str, Any]:
        return paginated(question, question.rows(VISITS))
