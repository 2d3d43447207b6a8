"""sources: visits by channel, referrer domain or campaign."""

from collections.abc import Mapping
from typing import Any

from analytics.models.rollups import Dimension
from analytics.reports.base import PAGE, WHERE, BadQuestion, Question, Report, one_of, paginated
from analytics.reports.exemption import refusal

BY_LABEL = f"""
SELECT label AS "{{column}}", sum(visits)::bigint AS visits FROM analytics_dimensionday
WHERE {WHERE} AND dimension = {{dimension}}
GROUP BY label ORDER BY visits DESC, label {PAGE}
"""
BY_CAMPAIGN = f"""
SELECT nullif(label, '') AS "utmSource", nullif(utm_medium, '') AS "utmMedium",
    nullif(utm_campaign, '') AS "utmCampaign", sum(visits)::bigint AS visits
FROM analytics_dimensionday
WHERE {WHERE} AND dimension = {Dimension.UTM:d}
GROUP BY label, utm_medium, utm_campaign ORDER BY visits DESC, label, utm_medium, utm_campaign {PAGE}
"""
COLUMNS = {
    "channel": ("channel", "visits"),
    "domain": ("referrer", "visits"),
    "utm": ("utmSource", "utmMedium", "utmCampaign", "visits"),
}
STATEMENTS = {
    "channel": BY_LABEL.format(column="channel", dimension=int(Dimension.CHANNEL)),
    "domain": BY_LABEL.format(column="referrer", dimension=int(Dimension.REFERRER)),
    "utm": BY_CAMPAIGN,
}


class Sources(Report):
    """Visits by channel, referrer domain or campaign."""

    name = "sources"
    documented = (("group_by", "What the visits are counted by.", {"enum": tuple(STATEMENTS), "default": "channel"}),)

    def columns_for(self, question: Question) -> tuple[str, ...]:
        return COLUMNS[question.extra]

    def parameters(self, query: Mapping[str, list[str]]) -> str:
        return one_of(query, "group_by", tuple(STATEMENTS), "channel")

    def check(self, question: Question) -> None:
        if question.is_exempt and question.extra != "domain":
            raise BadQuestion(refusal("channels and campaigns, only group_by=domain"))

    def answer(self, question: Question) -> dict[str, Any]:
        return paginated(question, question.rows(STATEMENTS[question.extra]))
