"""A day's events as visits, in SQL: the tables that every roll-up is computed from (definitions 2 to 10).

The statement is a chain of common table expressions, one thought each:

    event    the counted events and bots of the day as they are stored
    engaged  those of the calendar's two dialects, with their properties
    hit      those events in order, each with the number of its visit: null for events that
             belong to none (those of servers, and passive ones before a visit's first page_view or interactive event)
    visit    one row per visit
    scoped   the visits that a restriction to a content group keeps: every visit in the scope '', and once more in the
             scope of every group it has a page_view in
    page     page_views by visit, path and group
    viewed   paths by visit

Bots are kept apart from the others throughout: a visit is all bot or all not.
"""

from analytics.rollups.widgets import WIDGETS
from analytics.vocabulary import NAMED, PASSIVE, Dialect, Type

GAP_SECONDS = 1800

# How a visit's events stand in its steps, one after the other: MARK label MARK_END for every name a funnel may call the
# event by; NOTE and what filtered reports count it as (a page view with its content group, an event with its name);
# then END. A step is found when its label and, after it, an END is: so no event serves two steps.
MARK, MARK_END, END, PAGE_VIEW, NOTE = "\x02", "\x03", "\x01", "\x04", "\x05"
MARKS = MARK + MARK_END + END + PAGE_VIEW + NOTE
VIEW_NOTE, NAME_NOTE = f"{NOTE}P", f"{NOTE}N"

PASSIVE_TYPES = ", ".join(str(int(type_)) for type_ in PASSIVE)
NAMED_TYPES = ", ".join(str(int(type_)) for type_ in NAMED)
TYPE_WORDS = ", ".join(f"'{type_.name.lower()}'" for type_ in Type)


def label(text: str) -> str:
    """The mark of one name in a visit's steps."""
    if text == Type.PAGE_VIEW.name.lower():
        return f"{MARK}{PAGE_VIEW}{MARK_END}"
    return f"{MARK}{text.translate(dict.fromkeys(map(ord, MARKS)))}{MARK_END}"


def literal(text: str) -> str:
    """The LIKE pattern of exactly this text."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def view_pattern(path: str) -> str:
    """The LIKE pattern of the steps of a visit with a page_view of the path."""
    return f"%{literal(label('page_view') + label(path))}%"


def funnel_patterns(steps: list[str]) -> list[str]:
    """For each step the LIKE pattern of the visits that got as far, in order, others between (definitions 20)."""
    pattern = ""
    patterns = []
    for step in steps:
        pattern += f"%{literal(label(step))}%{END}"
        patterns.append(pattern + "%")
    return patterns


def sql_text(expression: str) -> str:
    return f"translate({expression}, E'\\x01\\x02\\x03\\x04\\x05', '')"


def sql_label(expression: str) -> str:
    return f"E'\\x02' || {sql_text(expression)} || E'\\x03'"


# A step that begins with / is a path of a page_view, never a name (definitions 20). What is called as the type of a
# page view is found by that name, in whichever dialect it is called so.
NAME = f"""CASE WHEN starts_with(name, '/') THEN '' WHEN name = 'page_view' THEN E'\\x02\\x04\\x03'
    ELSE {sql_label("name")} END"""
NAMED_NOTE = f"E'\\x05N' || {sql_text('name')}"

STEP = f"""
CASE type
    WHEN {Type.PAGE_VIEW:d} THEN E'\\x02\\x04\\x03' || {sql_label("path")}
        || E'\\x05P' || {sql_text("coalesce(content_group, '')")}
    WHEN {Type.CUSTOM:d} THEN E'\\x02custom\\x03' || CASE name
        WHEN 'custom' THEN '' ELSE {NAME} END || {NAMED_NOTE}
    WHEN {Type.OTHER:d} THEN {NAME} || {NAMED_NOTE}
    WHEN {Type.RENDER:d} THEN {NAME} || {NAMED_NOTE}
    ELSE E'\\x02' || (ARRAY[{TYPE_WORDS}])[type] || E'\\x03'
END || E'\\x01'
"""

COLUMNS = """occurred_at, id, visitor, is_bot, type, path, name, content_group, device, screen, channel, browser, os,
        referrer, utm_source, utm_medium, utm_campaign, country"""

# Whose properties the roll-ups look into.
KNOWN_DIALECTS = f"{Dialect.ENGAGEMENT:d}, {Dialect.DISCOVERY:d}, {Dialect.WIDGETS:d}"

HITS = f"""
event AS MATERIALIZED (
    SELECT {COLUMNS}, is_server, dialect, client_session,
        CASE WHEN dialect IN ({KNOWN_DIALECTS}) THEN properties END AS properties
    FROM analytics_event
    WHERE website_id = %(website)s AND occurred_at >= %(start)s AND occurred_at < %(end)s AND NOT is_excluded
), engaged AS MATERIALIZED (
    SELECT is_bot, dialect, name, occurred_at, id, visitor, client_session, properties FROM event
    WHERE dialect IN ({Dialect.ENGAGEMENT:d}, {Dialect.DISCOVERY:d})
), ordered AS (
    SELECT {COLUMNS},
        row_number() OVER in_order AS seq,
        CASE WHEN visitor = lag(visitor) OVER in_order AND is_bot = lag(is_bot) OVER in_order
            AND occurred_at - lag(occurred_at) OVER in_order <= interval '{GAP_SECONDS} s' THEN 0 ELSE 1 END AS starts,
        CASE WHEN type IN ({PASSIVE_TYPES}) THEN 0 ELSE 1 END AS active
    FROM event WHERE NOT is_server
    WINDOW in_order AS (ORDER BY visitor, is_bot, occurred_at, id)
), counted AS (
    SELECT *,
        sum(starts) OVER in_order AS run,
        sum(active) OVER in_order AS active_so_far
    FROM ordered
    WINDOW in_order AS (ORDER BY visitor, is_bot, occurred_at, id ROWS UNBOUNDED PRECEDING)
), based AS (
    SELECT *,
        max(CASE WHEN starts = 1 THEN active_so_far - active END) OVER in_order AS active_before
    FROM counted
    WINDOW in_order AS (ORDER BY visitor, is_bot, occurred_at, id ROWS UNBOUNDED PRECEDING)
), hit AS MATERIALIZED (
    SELECT {COLUMNS}, seq, CASE WHEN active_so_far > active_before THEN run END AS visit FROM based
    UNION ALL
    SELECT {COLUMNS}, NULL, NULL FROM event WHERE is_server
)"""

FACTS = """visit, visitor, is_bot, duration_us, pageviews, is_bounce, device, screen, channel, browser, os,
        referrer, utm_source, utm_medium, utm_campaign, country, entry, exit"""

VISITS = f"""
grouped AS MATERIALIZED (
    SELECT DISTINCT visit, content_group FROM hit
    WHERE visit IS NOT NULL AND type = {Type.PAGE_VIEW:d} AND content_group IS NOT NULL
), counts AS (
    SELECT visit, visitor, is_bot,
        min(occurred_at) AS started_at,
        max(occurred_at) AS ended_at,
        count(*) AS events,
        count(*) FILTER (WHERE type = {Type.PAGE_VIEW:d}) AS pageviews,
        count(DISTINCT path) FILTER (WHERE type = {Type.PAGE_VIEW:d}) AS pages,
        count(*) FILTER (WHERE type NOT IN ({Type.PAGE_VIEW:d}, {PASSIVE_TYPES})) AS interactions,
        min(seq) FILTER (WHERE type = {Type.PAGE_VIEW:d}) AS entry_seq,
        max(seq) FILTER (WHERE type = {Type.PAGE_VIEW:d}) AS exit_seq,
        min(seq) AS first_seq,
        string_agg({STEP}, '' ORDER BY seq) AS steps
    FROM hit WHERE visit IS NOT NULL
    GROUP BY visit, visitor, is_bot
), visit AS MATERIALIZED (
    SELECT counts.visit, counts.visitor, counts.is_bot, started_at,
        (extract(epoch FROM ended_at - started_at) * 1000000)::bigint AS duration_us,
        events, pageviews, pages, pageviews = 1 AND interactions = 0 AS is_bounce, steps,
        facts.device, facts.screen, facts.channel, facts.browser, facts.os,
        facts.referrer, facts.utm_source, facts.utm_medium, facts.utm_campaign, facts.country,
        CASE WHEN entry_seq IS NOT NULL THEN facts.path END AS entry,
        last.path AS exit,
        content_groups
    FROM counts
    JOIN hit facts ON facts.seq = coalesce(entry_seq, first_seq)
    LEFT JOIN hit last ON last.seq = exit_seq
    LEFT JOIN (
        SELECT visit, array_agg(content_group ORDER BY content_group) AS content_groups FROM grouped GROUP BY visit
    ) groups ON groups.visit = counts.visit
), scoped AS MATERIALIZED (
    SELECT '' COLLATE "C" AS content_group, {FACTS} FROM visit
    UNION ALL
    SELECT grouped.content_group, {FACTS} FROM grouped JOIN visit USING (visit)
), page AS MATERIALIZED (
    SELECT is_bot, visit, path, content_group, count(*) AS pageviews
    FROM hit WHERE type = {Type.PAGE_VIEW:d}
    GROUP BY is_bot, visit, path, content_group
), viewed AS MATERIALIZED (
    SELECT DISTINCT is_bot, visit, path FROM page WHERE visit IS NOT NULL
)"""

DAY = f"WITH {HITS}, {VISITS}, {WIDGETS}"
