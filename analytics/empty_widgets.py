"""Widgets that are rendered without pictures: which, since when, how often. What the operator's pages warn of.

Read from the days that are built, which is at most a minute ago. A token is public, so anybody can make up widgets:
the list has an end, and bots are not in it.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

# Without another empty render for so long, it is over; and what comes after so long is a new case.
QUIET = timedelta(days=1)
# No case is followed further back.
LONGEST = timedelta(days=90)
MOST = 20

# The last run of days of each widget, without a gap of QUIET in it.
CASES = f"""
WITH told AS (
    SELECT empty.*, sum(CASE WHEN first_at - before <= %(quiet)s THEN 0 ELSE 1 END) OVER (
        PARTITION BY website_id, widget ORDER BY day
    ) AS run
    FROM (
        SELECT *, lag(last_at) OVER (PARTITION BY website_id, widget ORDER BY day) AS before
        FROM analytics_emptywidgetday
        WHERE website_id = ANY(%(websites)s) AND day >= %(earliest)s AND NOT is_bot
    ) AS empty
)
SELECT told.website_id, domain, public_id, widget, min(first_at) AS since, max(last_at) AS last_at,
    sum(count)::bigint AS count
FROM told JOIN accounts_website website ON website.id = told.website_id
GROUP BY told.website_id, domain, public_id, widget, run
HAVING max(last_at) > %(now)s - %(quiet)s
ORDER BY count DESC, domain, widget LIMIT {MOST}
"""


@dataclass(slots=True, frozen=True)
class EmptyWidget:
    """A widget that is rendered without its stream at present."""

    website_id: int
    domain: str
    public_id: UUID
    widget: str
    since: datetime
    last_at: datetime
    count: int


def empty_widgets(website_ids: list[int], *, now: datetime) -> list[EmptyWidget]:
    """The cases of these websites that are not over, the most frequent first."""
    parameters: dict[str, Any] = {
        "websites": website_ids,
        "earliest": (now - LONGEST).astimezone(UTC).date(),
        "now": now,
        "quiet": QUIET,
    }
    with connection.cursor() as cursor:
        cursor.execute(CASES, parameters)
        return [EmptyWidget(*row) for row in cursor.fetchall()]
