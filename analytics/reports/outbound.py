"""outbound: clicks on links that lead away, by where to. The contract has no route for it: the dashboard shows it.

Where to is told by the events alone, so it is known for as long as raw events are kept.
"""

from typing import Any

from analytics.reports.base import PAGE, BadQuestion, Question, Report, paginated
from analytics.reports.exemption import refusal
from analytics.reports.timeseries import JOINED
from analytics.vocabulary import Type

CLICKS = f"""
SELECT coalesce(properties ->> 'href', '') COLLATE "C" AS href, count(*) AS clicks
FROM analytics_event event {{visits}}
WHERE event.website_id = %(website)s AND occurred_at >= %(start)s::date::timestamp AT TIME ZONE 'UTC'
    AND occurred_at < (%(end)s::date + 1)::timestamp AT TIME ZONE 'UTC' AND NOT is_excluded
    AND event.is_bot = ANY(%(bots)s) AND type = {Type.OUTBOUND_LINK:d} {{group}}
GROUP BY 1 ORDER BY clicks DESC, href {PAGE}
"""
OF_ALL = CLICKS.format(visits="", group="")
OF_VISITS = CLICKS.format(
    visits=JOINED.format(join="JOIN"), group="AND (%(group)s = '' OR %(group)s = ANY(visit.content_groups))"
)


class Outbound(Report):
    """Clicks on links to other hosts. Restricted to filters or a content group: those of the visits that pass."""

    name = "outbound"
    columns = ("href", "clicks")

    def check(self, question: Question) -> None:
        if question.is_exempt:
            raise BadQuestion(refusal("addresses of links"))

    def answer(self, question: Question) -> dict[str, Any]:
        statement = OF_VISITS if question.filters or question.content_group else OF_ALL
        return paginated(question, question.rows(statement))
