"""What readers do with the events of a calendar, and what they look for (definitions 25, 26; contract 3.7).

The contract has no route for these: the back office shows them. Sessions are known for as long as raw events are kept.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from analytics.reports.base import PAGE, Question, Report, first, one_of, paginated, period_of, rows, share
from submissions.models import CatalogEvent

LONGEST_KEY = 220

WHERE = "website_id = %(website)s AND day BETWEEN %(start)s AND %(end)s AND is_bot = ANY(%(bots)s)"
OF_EVENT = f"{WHERE} AND (%(event)s = '' OR event_key = %(event)s)"
COUNTS = """coalesce(sum(count) FILTER (WHERE action = 'click'), 0)::bigint AS views,
    coalesce(sum(count) FILTER (WHERE action = 'outbound_click'), 0)::bigint AS "outboundClicks",
    coalesce(sum(count) FILTER (WHERE action = 'calendar_sync'), 0)::bigint AS "calendarAdds\""""
SESSIONS = """count(DISTINCT session) AS sessions,
    count(DISTINCT session) FILTER (WHERE clicks > 0) AS "viewingSessions",
    count(DISTINCT session) FILTER (WHERE outbound_clicks > 0) AS "outboundSessions",
    count(DISTINCT session) FILTER (WHERE calendar_syncs > 0) AS "calendarSessions\""""

TOTALS = f"""
SELECT * FROM (SELECT {COUNTS} FROM analytics_engagementday WHERE {OF_EVENT}) AS counts,
    (SELECT {SESSIONS} FROM analytics_engagementsession WHERE {OF_EVENT}) AS known
"""
EVENTS = f"""
SELECT event_key AS "eventKey", views, "outboundClicks", "calendarAdds", coalesce(sessions, 0) AS sessions,
    coalesce("viewingSessions", 0) AS "viewingSessions", coalesce("outboundSessions", 0) AS "outboundSessions",
    coalesce("calendarSessions", 0) AS "calendarSessions"
FROM (SELECT event_key, {COUNTS} FROM analytics_engagementday WHERE {WHERE} GROUP BY event_key) AS counts
LEFT JOIN (SELECT event_key, {SESSIONS} FROM analytics_engagementsession WHERE {WHERE} GROUP BY event_key) AS known
    USING (event_key)
ORDER BY {{sort}} DESC, event_key {PAGE}
"""
SOURCES = f"""
SELECT source, {COUNTS} FROM analytics_engagementday WHERE {OF_EVENT}
GROUP BY source ORDER BY sum(count) DESC, source {PAGE}
"""
DAYS = f"""
SELECT day, views, "outboundClicks", "calendarAdds", coalesce(sessions, 0) AS sessions
FROM (SELECT day, {COUNTS} FROM analytics_engagementday WHERE {OF_EVENT} GROUP BY day) AS counts
LEFT JOIN (
    SELECT day, count(DISTINCT session) AS sessions FROM analytics_engagementsession WHERE {OF_EVENT} GROUP BY day
) AS known USING (day)
"""
NUMBERS = ("views", "outboundClicks", "calendarAdds", "sessions")

OUTCOMES = """sum(count)::bigint AS count, sum(gaps)::bigint AS gaps, sum(thin)::bigint AS thin,
    min(least_matches) AS "leastMatches",
    (array_agg(last_matches ORDER BY last_at DESC) FILTER (WHERE last_matches IS NOT NULL))[1] AS "lastMatches\""""
SEARCHES = f"""
SELECT value AS query, {OUTCOMES} FROM analytics_discoveryday WHERE {WHERE} AND action = 'search'
GROUP BY value {{having}} ORDER BY {{order}} DESC, value {PAGE}
"""
FILTERS = f"""
SELECT action, filter_group AS group, value, {OUTCOMES} FROM analytics_discoveryday
WHERE {WHERE} AND action <> 'search'
GROUP BY action, filter_group, value {{having}} ORDER BY {{order}} DESC, filter_group, value, action {PAGE}
"""
# Which searches and filters are asked for -> what they are ordered by.
ORDERS = {"all": "count", "gaps": "gaps", "thin": "thin"}
# What the events may be led by.
LEADERS = ("views", "outboundClicks", "calendarAdds")


class EventNumbers(Report):
    """Views, clicks out and calendar adds of each event, with the sessions behind them."""

    name = "calendar-events"
    columns = (
        "eventKey",
        "event",
        "views",
        "outboundClicks",
        "calendarAdds",
        "sessions",
        "viewingSessions",
        "outboundSessions",
        "calendarSessions",
        "outboundRate",
        "calendarRate",
    )
    documented = (("sort", "What the first of them leads in.", {"enum": LEADERS, "default": "views"}),)

    def parameters(self, query: Mapping[str, list[str]]) -> str:
        return one_of(query, "sort", LEADERS, "views")

    def answer(self, question: Question) -> dict[str, Any]:
        found = rows(EVENTS.format(sort=f'"{question.extra or LEADERS[0]}"'), question.sql)
        keys = [row["eventKey"] for row in found]
        names = dict(CatalogEvent.objects.filter(key__in=keys).values_list("key", "name"))
        # One that left the catalogue has numbers, but no name.
        shown = [row | rates(row) | {"event": names.get(row["eventKey"])} for row in found]
        return paginated(question, shown)


class EventParameter(Report):
    """A report on one event where `event` is given, else on all of the calendar."""

    documented = (("event", "The key of one event only.", {}),)

    def parameters(self, query: Mapping[str, list[str]]) -> str:
        return first(query, "event")[:LONGEST_KEY].lower()

    def sql(self, question: Question) -> dict[str, Any]:
        return question.sql | {"event": question.extra or ""}


class EventTotals(EventParameter):
    """The same numbers of all events together, or of one; a session that saw two events is one."""

    name = "calendar-totals"
    columns = EventNumbers.columns[2:]

    def answer(self, question: Question) -> dict[str, Any]:
        (total,) = rows(TOTALS, self.sql(question))
        return {"period": period_of(question), "rows": [total | rates(total)]}


class EventSources(EventParameter):
    """From where on the site readers did it."""

    name = "calendar-sources"
    columns = ("source", "views", "outboundClicks", "calendarAdds")

    def answer(self, question: Question) -> dict[str, Any]:
        return paginated(question, rows(SOURCES, self.sql(question)))


class EventDays(EventParameter):
    """The numbers of each day."""

    name = "calendar-days"
    columns = ("date", *NUMBERS)

    def answer(self, question: Question) -> dict[str, Any]:
        found = {row.pop("day"): row for row in rows(DAYS, self.sql(question))}
        nothing = dict.fromkeys(NUMBERS, 0)
        series = [{"date": str(day), **found.get(day, nothing)} for day in question.period.days]
        return {"period": period_of(question), "rows": series}


@dataclass(slots=True, frozen=True)
class Outcome:
    """Whether all searches or filters are asked for, or those that found nothing, or little."""

    only: str = "all"

    @property
    def clauses(self) -> dict[str, str]:
        order = ORDERS[self.only]
        return {"order": order, "having": "" if self.only == "all" else f"HAVING sum({order}) > 0"}


class OutcomeParameter(Report):
    documented = (("only", "Those that matched nothing, or one or two.", {"enum": tuple(ORDERS), "default": "all"}),)

    def parameters(self, query: Mapping[str, list[str]]) -> Outcome:
        return Outcome(one_of(query, "only", tuple(ORDERS), "all"))

    def clauses(self, question: Question) -> dict[str, str]:
        return (question.extra or Outcome()).clauses


class Searches(OutcomeParameter):
    """What was searched for, and how many live events it matched when it was received."""

    name = "calendar-searches"
    columns = ("query", "count", "gaps", "thin", "leastMatches", "lastMatches")

    def answer(self, question: Question) -> dict[str, Any]:
        return paginated(question, rows(SEARCHES.format(**self.clauses(question)), question.sql))


class Filters(OutcomeParameter):
    """Which filters were applied and cleared, and how many live events they matched."""

    name = "calendar-filters"
    columns = ("action", "group", "value", "count", "gaps", "thin", "leastMatches", "lastMatches")

    def answer(self, question: Question) -> dict[str, Any]:
        return paginated(question, rows(FILTERS.format(**self.clauses(question)), question.sql))


def rates(row: Mapping[str, Any]) -> dict[str, float]:
    """Per viewing session, in percent (definitions 25)."""
    return {
        "outboundRate": share(row["outboundSessions"], row["viewingSessions"], 1),
        "calendarRate": share(row["calendarSessions"], row["viewingSessions"], 1),
    }


CALENDAR_REPORTS: dict[str, Report] = {
    report.name: report
    for report in (EventNumbers(), EventTotals(), EventSources(), EventDays(), Searches(), Filters())
}
