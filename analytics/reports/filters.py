"""Filters: reports over the visits that pass them (`filter[channel]=Social`, `filter_not[page]=/blog/*`).

A filter chooses visits; every number is then one of those visits, by the same definitions. The statements of the
reports stay as they are: `over_visits` puts tables of the same names and columns before them, computed from the visits
that pass.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from analytics.models.rollups import Dimension
from analytics.rollups.definitions import LABELS
from analytics.rollups.visits import END, MARK, MARK_END, PAGE_VIEW, label
from analytics.vocabulary import BROWSERS, CHANNELS, DEVICES, SCREENS, SYSTEMS

# What stands for the visits that have no such value.
NONE = "(none)"
MOST_VALUES = 50
LONGEST_VALUE = 2048


class BadFilter(ValueError):
    """A filter that does not exist or has no sense; the message says what would be right."""


@dataclass(slots=True, frozen=True)
class Filter:
    """Visits with one of the values in a dimension, or with none of them."""

    dimension: str
    values: tuple[str, ...]
    is_not: bool = False


# What a condition is made of: the name of its parameter, and the values.
Condition = Callable[[str], str]


def number(column: str) -> Condition:
    return lambda name: f"{column} = ANY(%({name})s::smallint[])"


def text(column: str) -> Condition:
    return lambda name: f"coalesce({column}, '{NONE}') ~ ANY(%({name})s::text[])"


def words(names: Mapping[Any, str] | tuple[str, ...]) -> Callable[[str], int]:
    """The number of a word; -1, which no visit has, for others."""
    pairs = enumerate(names) if isinstance(names, tuple) else names.items()
    numbers = {word.lower(): int(key) for key, word in pairs}
    return lambda value: numbers.get(value.lower(), -1)


def whole(value: str) -> str:
    """The regular expression of a text, in which `*` is any run of characters."""
    return f"^{'.*'.join(map(re.escape, value.split('*')))}$"


def viewed(value: str) -> str:
    """The regular expression of the steps of a visit with a page_view of a path."""
    path = f"[^{END}{MARK_END}]*".join(map(re.escape, value.split("*")))
    return f"{PAGE_VIEW}{MARK_END}{MARK}{path}{MARK_END}"


def happened(value: str) -> str:
    """The regular expression of the steps of a visit with an event of a type or name."""
    return re.escape(label(value))


TEXTS = ("referrer", "utm_source", "utm_medium", "utm_campaign", "country", "entry", "exit")
# Dimension -> the condition, and what is made of each value.
DIMENSIONS: dict[str, tuple[Condition, Callable[[str], Any]]] = {
    "channel": (number("channel"), words(CHANNELS)),
    "device": (number("device"), words(DEVICES)),
    "browser": (number("browser"), words(BROWSERS)),
    "os": (number("os"), words(SYSTEMS)),
    "screen": (number("screen"), words(SCREENS)),
    **{column: (text(column), whole) for column in TEXTS},
    "page": (lambda name: f"steps ~ ANY(%({name})s::text[])", viewed),
    "event": (lambda name: f"steps ~ ANY(%({name})s::text[])", happened),
}

ASKED = re.compile(r"(filter|filter_not)\[([^\]]*)\](?:\[\])?")


def filters(query: Mapping[str, list[str]]) -> tuple[Filter, ...]:
    """The filters of a query string; empty values are absent ones. Raises BadFilter."""
    found = []
    for name, given in sorted(query.items()):
        match = ASKED.fullmatch(name)
        values = tuple(value for value in given if value)
        if match is None or not values:
            continue
        if match[2] not in DIMENSIONS:
            raise BadFilter(f"{name}: there is no such dimension; there are {', '.join(DIMENSIONS)}.")
        if len(values) > MOST_VALUES or max(map(len, values)) > LONGEST_VALUE:
            raise BadFilter(f"{name} takes at most {MOST_VALUES} values of {LONGEST_VALUE} characters.")
        found.append(Filter(match[2], values, is_not=match[1] == "filter_not"))
    return tuple(found)


def condition(chosen: tuple[Filter, ...], first: int = 0) -> str:
    """The SQL condition on a visit; its parameters are `values_of` the filters, of which these begin at `first`."""
    parts = []
    for place, one in enumerate(chosen, first):
        make, _ = DIMENSIONS[one.dimension]
        parts.append(f"{'NOT ' if one.is_not else ''}({make(f'filter_{place}')})")
    return " AND ".join(parts)


def values_of(chosen: tuple[Filter, ...]) -> dict[str, list[Any]]:
    return {
        f"filter_{place}": [DIMENSIONS[one.dimension][1](value) for value in one.values]
        for place, one in enumerate(chosen)
    }


def sides(chosen: tuple[Filter, ...]) -> str:
    """How many visitors pass the filters; and for each filter how many pass all others, and not it."""
    alone = [condition((one,), place) for place, one in enumerate(chosen)]
    counts = [" AND ".join(alone)] + [
        " AND ".join([*alone[:place], f"NOT ({one})", *alone[place + 1 :]]) for place, one in enumerate(alone)
    ]
    columns = ", ".join(
        f"count(DISTINCT (day, visitor)) FILTER (WHERE {one}) AS side_{number}" for number, one in enumerate(counts)
    )
    return f"""SELECT {columns} FROM analytics_visit
    WHERE website_id = %(website)s AND day BETWEEN %(start)s AND %(end)s AND is_bot = ANY(%(bots)s)
        AND (%(group)s = '' OR %(group)s = ANY(content_groups))"""


FACTS = """day, visitor, started_at, is_bot, duration_us, pageviews, pages, is_bounce, device, screen, channel, browser,
    os, referrer, utm_source, utm_medium, utm_campaign, country, entry, exit"""
LABELLED = " UNION ALL ".join(
    f"""SELECT day, is_bot, %(group)s, {dimension:d}, ({sql}) COLLATE "C", '', '', 1::bigint FROM chosen
    WHERE ({sql}) IS NOT NULL"""
    for dimension, sql in LABELS.items()
)

NOTHING = "0::bigint"
# The tables of the roll-ups as far as reports read them. A measure stands in one row only, since reports add rows up.
TABLES = f"""
WITH passing AS NOT MATERIALIZED (
    SELECT {FACTS}, steps, website_id, content_groups FROM analytics_visit
    WHERE website_id = %(website)s AND day BETWEEN %(start)s AND %(end)s AND is_bot = ANY(%(bots)s)
        AND (%(group)s = '' OR %(group)s = ANY(content_groups)) AND {{condition}}
), chosen AS MATERIALIZED (
    SELECT {FACTS} FROM passing
), shown AS MATERIALIZED (
    -- Page views by path and group, and in how many visits. What is in a step is read when there are few left.
    SELECT day, is_bot, split_part(split_part(step, E'\\x03', 2), E'\\x02', 2) COLLATE "C" AS path,
        split_part(step, E'\\x05P', 2) COLLATE "C" AS content_group, pageviews, visits
    FROM (
        SELECT day, is_bot, step, sum(times)::bigint AS pageviews, count(*) AS visits
        FROM passing CROSS JOIN LATERAL (
            SELECT step, count(*) AS times FROM unnest(string_to_array(steps, E'\\x01')) AS step
            WHERE step LIKE E'%%\\x05P%%' GROUP BY step
        ) AS views
        {{enough_of_step}}
        GROUP BY day, is_bot, step
    ) AS viewed
), analytics_visit AS (
    SELECT * FROM passing
), analytics_siteday AS (
    SELECT %(website)s AS website_id, day, is_bot, %(group)s AS content_group, count(DISTINCT visitor) AS visitors,
        count(*) AS visits, count(*) FILTER (WHERE pageviews > 0) AS page_visits,
        count(*) FILTER (WHERE is_bounce) AS bounces, sum(duration_us) AS duration_us,
        {{whole_site}}
    FROM chosen GROUP BY day, is_bot
    {{group_views}}
), {{pageday}} AS NOT MATERIALIZED (
    -- Of one type in every branch, or the conditions on this table would not reach the branches.
    SELECT %(website)s AS website_id, day, is_bot, content_group, path, pageviews, visits AS unique_pageviews,
        {NOTHING} AS ungrouped_pageviews, {NOTHING} AS ungrouped_unique_pageviews, {NOTHING} AS visits,
        {NOTHING} AS bounces, {NOTHING} AS duration_us, {NOTHING} AS entries, {NOTHING} AS exits
    FROM shown WHERE content_group <> ''
    UNION ALL
    SELECT %(website)s, day, is_bot, '' COLLATE "C", path, {NOTHING}, {NOTHING}, pageviews, visits,
        {", ".join([NOTHING] * 5)}
    FROM shown WHERE content_group = '' AND %(group)s = ''
    UNION ALL
    SELECT %(website)s, day, is_bot, '' COLLATE "C", path, pageviews, {", ".join([NOTHING] * 8)}
    FROM shown WHERE %(group)s = ''
    UNION ALL
    SELECT %(website)s, day, is_bot, %(group)s COLLATE "C", path, {NOTHING},
        (CASE %(group)s WHEN '' THEN 1 ELSE 0 END)::bigint, {NOTHING}, {NOTHING}, 1::bigint, is_bounce::int::bigint,
        duration_us, {NOTHING}, {NOTHING}
    FROM passing CROSS JOIN LATERAL (
        SELECT DISTINCT split_part(split_part(step, E'\\x03', 2), E'\\x02', 2) COLLATE "C" AS path
        FROM unnest(string_to_array(steps, E'\\x01')) AS step WHERE step LIKE E'%%\\x05P%%'
    ) AS paths
    UNION ALL
    SELECT %(website)s, day, is_bot, %(group)s COLLATE "C", entry, {", ".join([NOTHING] * 7)}, 1::bigint, {NOTHING}
    FROM chosen WHERE entry IS NOT NULL {{enough_of_entry}}
    UNION ALL
    SELECT %(website)s, day, is_bot, %(group)s COLLATE "C", exit, {", ".join([NOTHING] * 8)}, 1::bigint
    FROM chosen WHERE exit IS NOT NULL {{enough_of_exit}}
), labelled (day, is_bot, content_group, dimension, label, utm_medium, utm_campaign, visits) AS (
    {LABELLED}
    UNION ALL
    SELECT day, is_bot, %(group)s, {Dimension.UTM:d}, coalesce(utm_source, ''), coalesce(utm_medium, ''),
        coalesce(utm_campaign, ''), 1 FROM chosen
    WHERE utm_source IS NOT NULL OR utm_medium IS NOT NULL OR utm_campaign IS NOT NULL
), {{dimensionday}} AS (
    SELECT %(website)s AS website_id, labelled.* FROM labelled
), {{nameday}} AS (
    SELECT %(website)s AS website_id, day, is_bot, %(group)s AS content_group,
        split_part(step, E'\\x05N', 2) COLLATE "C" AS name, 1 AS count
    FROM passing, unnest(string_to_array(steps, E'\\x01')) AS step WHERE step LIKE E'%%\\x05N%%'
){{last}}
"""
# Where only rows of enough visitors are told, the tables of the roll-ups are those above without the others.
ENOUGH = "HAVING count(DISTINCT (day, visitor)) >= {least}"
EVERY = {name: f"analytics_{name}" for name in ("pageday", "dimensionday", "nameday")}
VISITOR_LABELS = " UNION ALL ".join(
    f"""SELECT {dimension:d} AS dimension, ({sql}) COLLATE "C" AS label, day, visitor FROM chosen"""
    for dimension, sql in LABELS.items()
)
ONLY_ENOUGH = f""", step_visitor AS MATERIALIZED (
    SELECT DISTINCT day, visitor, step FROM passing, unnest(string_to_array(steps, E'\\x01')) AS step
), analytics_pageday AS (
    SELECT * FROM every_pageday WHERE path IN (
        SELECT split_part(split_part(step, E'\\x03', 2), E'\\x02', 2) COLLATE "C" AS path
        FROM step_visitor WHERE step LIKE E'%%\\x05P%%' GROUP BY path {{enough}}
    )
), analytics_dimensionday AS (
    SELECT * FROM every_dimensionday WHERE (dimension, label) IN (
        SELECT dimension, label FROM ({VISITOR_LABELS}) AS labels GROUP BY dimension, label {{enough}}
    )
), analytics_nameday AS (
    SELECT * FROM every_nameday WHERE name IN (
        SELECT split_part(step, E'\\x05N', 2) COLLATE "C" AS name
        FROM step_visitor WHERE step LIKE E'%%\\x05N%%' GROUP BY name {{enough}}
    )
)
"""
OF_STEP = """WHERE step IN (
            SELECT step FROM passing, unnest(string_to_array(steps, E'\\x01')) AS step GROUP BY step {enough}
        )"""
OF_FACT = "AND {fact} IN (SELECT {fact} FROM chosen GROUP BY {fact} {enough})"
# All of a visit's page views count, unless the report is restricted to one group's.
ALL_VIEWS = "sum(pageviews) AS pageviews, sum(pages) AS unique_pageviews"
NO_VIEWS = "0 AS pageviews, 0 AS unique_pageviews"
GROUP_VIEWS = """UNION ALL
    SELECT %(website)s, day, is_bot, content_group, 0, 0, 0, 0, 0, pageviews, visits
    FROM shown WHERE content_group = %(group)s"""


def over_visits(chosen: tuple[Filter, ...], content_group: str, *, least: int = 0, is_empty: bool = False) -> str:
    """The beginning of a statement in which the names of the roll-ups mean those of the visits that pass.

    With `least` rows of fewer visitors are left out of all lists; with `is_empty` no visit passes.
    """
    enough = ENOUGH.format(least=least)
    return TABLES.format(
        condition="FALSE" if is_empty else condition(chosen),
        whole_site=NO_VIEWS if content_group else ALL_VIEWS,
        group_views=GROUP_VIEWS if content_group else "",
        enough_of_step=OF_STEP.format(enough=enough) if least else "",
        enough_of_entry=OF_FACT.format(fact="entry", enough=enough) if least else "",
        enough_of_exit=OF_FACT.format(fact="exit", enough=enough) if least else "",
        last=ONLY_ENOUGH.format(enough=enough) if least else "",
        **{name: f"every_{name}" if least else table for name, table in EVERY.items()},
    )
