"""pages: page_views by path and content group."""

from typing import Any

from analytics.reports.base import PAGE, Question, Report, paginated

# Without a restriction each path stands once per group it was stored under, and once for no group.
GROUPED = """
SELECT path, nullif(content_group, '') AS "contentGroup",
    sum(pageviews)::bigint AS pageviews, sum(unique_pageviews)::bigint AS "uniquePageviews"
FROM (
    SELECT path, content_group, pageviews, unique_pageviews FROM analytics_pageday
    WHERE website_id = %(website)s AND day BETWEEN %(start)s AND %(end)s AND is_bot = ANY(%(bots)s)
        AND content_group <> '' AND (%(group)s = '' OR content_group = %(group)s) AND pageviews > 0
    UNION ALL
    SELECT path, '', ungrouped_pageviews, ungrouped_unique_pageviews FROM analytics_pageday
    WHERE website_id = %(website)s AND day BETWEEN %(start)s AND %(end)s AND is_bot = ANY(%(bots)s)
        AND content_group = '' AND %(group)s = '' AND ungrouped_pageviews > 0
) AS pages
GROUP BY path, content_group
ORDER BY pageviews DESC, path, content_group
"""


class Pages(Report):
    """Page views by path and content group."""

    name = "pages"
    columns = ("path", "contentGroup", "pageviews", "uniquePageviews")

    def answer(self, question: Question) -> dict[str, Any]:
        return paginated(question, question.rows(GROUPED + PAGE))
