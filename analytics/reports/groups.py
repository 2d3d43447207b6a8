"""content-groups: page_views by content group (definitions 13). The contract has no route for it: the dashboard shows
it."""

from typing import Any

from analytics.reports.base import PAGE, Question, Report, paginated

GROUPS = f"""
SELECT content_group AS "contentGroup", sum(pageviews)::bigint AS pageviews,
    sum(unique_pageviews)::bigint AS "uniquePageviews"
FROM analytics_pageday
WHERE website_id = %(website)s AND day BETWEEN %(start)s AND %(end)s AND is_bot = ANY(%(bots)s)
    AND content_group <> '' AND (%(group)s = '' OR content_group = %(group)s) AND pageviews > 0
GROUP BY content_group ORDER BY pageviews DESC, content_group {PAGE}
"""


class ContentGroups(Report):
    """Page views by content group. Unique pageviews are added up over the paths of the group."""

    name = "content-groups"
    columns = ("contentGroup", "pageviews", "uniquePageviews")

    def answer(self, question: Question) -> dict[str, Any]:
        return paginated(question, question.rows(GROUPS))
