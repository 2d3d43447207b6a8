"""Very many events at once, made by PostgreSQL itself: for rehearsals on loaded tables, where each event's story counts
for nothing.
"""

from datetime import UTC, datetime, timedelta

from tinytrail.chaos.installation import Installation

FILL = """
INSERT INTO analytics_event (occurred_at, id, visitor, website_id, type, dialect, device, screen, channel, browser, os,
    is_bot, is_excluded, is_authenticated, is_server, path, referrer)
SELECT %(first)s::timestamptz + n * %(every)s::interval, n, n / 5, %(website)s, 1, 1, 1, 5, 1, 1, 1,
    false, false, false, false, '/page-' || n %% 500, CASE WHEN n %% 3 = 0 THEN 'news.example' END
FROM generate_series(%(start)s::bigint, %(end)s::bigint) AS n
"""
# So many in a transaction.
AT_ONCE = 500_000


def fill(installation: Installation, website_id: int, events: int, *, days: int, now: datetime) -> None:
    """Give the website so many page views, evenly over the days until now; five of a visitor, of 500 paths."""
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    first = midnight - timedelta(days=days - 1)
    every = (now - first) / events
    with installation.connect() as connection:
        for month in sorted({(first + timedelta(days=day)).date().replace(day=1) for day in range(days)}):
            connection.execute("SELECT analytics_ensure_month(%s)", [month])
        for start in range(0, events, AT_ONCE):
            numbers = {"start": start, "end": min(start + AT_ONCE, events) - 1}
            connection.execute(FILL, {"first": first, "every": every, "website": website_id, **numbers})
        connection.execute("ANALYZE analytics_event")
