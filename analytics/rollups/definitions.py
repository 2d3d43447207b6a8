"""ROLLUPS: one declaration per derived table. From it come the stored rows, and the check that they are right.

A declaration's source is a SELECT over the tables of a day that `rollups.visits` describes. It yields the key's columns
without website and day, then the measures. To add a roll-up: a model, a migration, a declaration here.
"""

from dataclasses import dataclass

from django.db import models

from analytics.models import (
    DimensionDay,
    DiscoveryDay,
    EmptyWidgetDay,
    EngagementDay,
    EngagementSession,
    NameDay,
    PageDay,
    SiteDay,
    Visit,
    WidgetArm,
    WidgetDay,
    WidgetReach,
)
from analytics.models.rollups import Dimension
from analytics.rollups import widgets
from analytics.rollups.visits import NAMED_TYPES
from analytics.vocabulary import BROWSERS, CHANNELS, DEVICES, SCREENS, SYSTEMS, Dialect


@dataclass(slots=True, frozen=True)
class Rollup:
    """One derived table: its model, the key besides website and day, the measures, and where both come from."""

    model: type[models.Model]
    key: tuple[str, ...]
    measures: tuple[str, ...]
    source: str

    @property
    def table(self) -> str:
        return self.model._meta.db_table

    @property
    def columns(self) -> tuple[str, ...]:
        return ("website_id", "day", *self.key, *self.measures)

    @property
    def rows(self) -> str:
        """The rows of the day as they must be, in the order of `columns`."""
        chosen = ", ".join((*self.key, *self.measures))
        return f"SELECT %(website)s::int AS website_id, %(day)s::date AS day, {chosen} FROM ({self.source}) AS source"


def words(names: dict[int, str] | tuple[str, ...]) -> str:
    """An SQL array of the words of small integers that count from zero."""
    items = names if isinstance(names, tuple) else tuple(names.get(n, "") for n in range(max(names) + 1))
    return "(ARRAY[" + ", ".join("'" + item.replace("'", "''") + "'" for item in items) + "])"


def summed(key: tuple[str, ...], measures: tuple[str, ...], parts: list[str]) -> str:
    """Parts that give some of the measures each, by name, added up to one row per key.

    A part is a SELECT of the key's columns and of whichever measures it knows.
    """
    sums = ", ".join(f"sum({measure})::bigint AS {measure}" for measure in measures)
    keys = ", ".join(key)
    return f"SELECT {keys}, {sums} FROM ({' UNION ALL '.join(parts)}) AS parts GROUP BY {keys}"


def part(select: str, key: tuple[str, ...], measures: tuple[str, ...], known: dict[str, str]) -> str:
    """One part of a sum: the measures that it knows as expressions, zero for the others."""
    values = ", ".join(f"{known.get(measure, '0')} AS {measure}" for measure in measures)
    return f"SELECT {', '.join(key)}, {values} FROM {select} GROUP BY {', '.join(key)}"


VISIT_MEASURES = {
    "visits": "count(*)",
    "bounces": "count(*) FILTER (WHERE is_bounce)",
    "duration_us": "sum(duration_us)",
}

SITE_KEY = ("is_bot", "content_group")
SITE_MEASURES = (
    "visitors",
    "visits",
    "page_visits",
    "bounces",
    "duration_us",
    "pageviews",
    "unique_pageviews",
)
SITE_PARTS = [
    part(
        "scoped",
        SITE_KEY,
        SITE_MEASURES,
        VISIT_MEASURES
        | {"visitors": "count(DISTINCT visitor)", "page_visits": "count(*) FILTER (WHERE pageviews > 0)"},
    ),
    part(
        "(SELECT is_bot, '' AS content_group, pageviews FROM page) AS pages",
        SITE_KEY,
        SITE_MEASURES,
        {"pageviews": "sum(pageviews)"},
    ),
    part(
        "(SELECT is_bot, '' AS content_group FROM viewed) AS pages",
        SITE_KEY,
        SITE_MEASURES,
        {"unique_pageviews": "count(*)"},
    ),
    part(
        "(SELECT * FROM page WHERE content_group IS NOT NULL) AS pages",
        SITE_KEY,
        SITE_MEASURES,
        {"pageviews": "sum(pageviews)", "unique_pageviews": "count(visit)"},
    ),
]

PAGE_KEY = ("is_bot", "content_group", "path")
PAGE_MEASURES = (
    "pageviews",
    "unique_pageviews",
    "ungrouped_pageviews",
    "ungrouped_unique_pageviews",
    "visits",
    "bounces",
    "duration_us",
    "entries",
    "exits",
)
PAGE_PARTS = [
    part(
        "(SELECT is_bot, '' AS content_group, path, pageviews, visit, content_group IS NULL AS ungrouped FROM page)"
        " AS pages",
        PAGE_KEY,
        PAGE_MEASURES,
        {
            "pageviews": "sum(pageviews)",
            "ungrouped_pageviews": "coalesce(sum(pageviews) FILTER (WHERE ungrouped), 0)",
            "ungrouped_unique_pageviews": "count(visit) FILTER (WHERE ungrouped)",
        },
    ),
    part(
        "(SELECT * FROM page WHERE content_group IS NOT NULL) AS pages",
        PAGE_KEY,
        PAGE_MEASURES,
        {"pageviews": "sum(pageviews)", "unique_pageviews": "count(visit)"},
    ),
    part(
        "(SELECT scoped.is_bot, content_group, path, is_bounce, duration_us FROM viewed JOIN scoped USING (visit))"
        " AS pages",
        PAGE_KEY,
        PAGE_MEASURES,
        # In the scope of all visits, every visit that viewed the path is one unique pageview of it.
        VISIT_MEASURES | {"unique_pageviews": "count(*) FILTER (WHERE content_group = '')"},
    ),
    part(
        "(SELECT is_bot, content_group, entry AS path FROM scoped WHERE entry IS NOT NULL) AS pages",
        PAGE_KEY,
        PAGE_MEASURES,
        {"entries": "count(*)"},
    ),
    part(
        "(SELECT is_bot, content_group, exit AS path FROM scoped WHERE exit IS NOT NULL) AS pages",
        PAGE_KEY,
        PAGE_MEASURES,
        {"exits": "count(*)"},
    ),
]

# Dimension -> the label as SQL over a visit; a null label leaves the visit out.
LABELS = {
    # Of an exempt website a visit has none.
    Dimension.CHANNEL: f"nullif({words({int(key): word for key, word in CHANNELS.items()})}[channel + 1], '')",
    Dimension.REFERRER: "referrer",
    Dimension.DEVICE: f"{words({int(key): word for key, word in DEVICES.items()})}[device + 1]",
    Dimension.BROWSER: f"{words(BROWSERS)}[browser + 1]",
    Dimension.OS: f"{words(SYSTEMS)}[os + 1]",
    Dimension.SCREEN: f"{words({int(key): word for key, word in SCREENS.items()})}[screen + 1]",
    Dimension.COUNTRY: "country",
}
DIMENSION_KEY = ("is_bot", "content_group", "dimension", "label", "utm_medium", "utm_campaign")
DIMENSION_PARTS = [
    f'SELECT is_bot, content_group, {dimension:d} AS dimension, ({label}) COLLATE "C" AS label,'
    f" '' AS utm_medium, '' AS utm_campaign, count(*) AS visits"
    f" FROM scoped WHERE ({label}) IS NOT NULL GROUP BY 1, 2, 4"
    for dimension, label in LABELS.items()
] + [
    f"SELECT is_bot, content_group, {Dimension.UTM:d}, coalesce(utm_source, ''), coalesce(utm_medium, ''),"
    f" coalesce(utm_campaign, ''), count(*) FROM scoped"
    " WHERE utm_source IS NOT NULL OR utm_medium IS NOT NULL OR utm_campaign IS NOT NULL GROUP BY 1, 2, 4, 5, 6"
]

# What a client calls its session is its own text, and long: a digest tells it from others just as well.
SESSION = (
    "CASE WHEN client_session IS NULL THEN visitor ELSE"
    " ('x' || left(encode(sha256(convert_to(client_session, 'UTF8')), 'hex'), 16))::bit(64)::bigint END"
)
ENGAGED = f"FROM engaged WHERE dialect = {Dialect.ENGAGEMENT:d}"


def text_of(name: str) -> str:
    return f"coalesce(properties ->> '{name}', '') COLLATE \"C\""


# Two spellings of one search are one row: without accents, capitals and superfluous space. Some characters decompose
# into eighteen, and an index row has little room.
BARE = f"regexp_replace(normalize({text_of('searchQuery')}, NFKD), '[\u0300-\u036f]', '', 'g')"
FOLDED = f"left(btrim(regexp_replace(lower(normalize({BARE}, NFC)), '\\s+', ' ', 'g')), 280)"
DISCOVERED = f"""
SELECT is_bot, name AS action, occurred_at, id, (properties ->> 'matches')::bigint AS matches,
    CASE name WHEN 'search' THEN '' ELSE {text_of("filterGroup")} END AS filter_group,
    CASE name WHEN 'search' THEN {FOLDED} ELSE {text_of("filterValue")} END AS value
FROM engaged WHERE dialect = {Dialect.DISCOVERY:d}
"""

ROLLUPS = [
    Rollup(
        Visit,
        ("visitor", "started_at", "is_bot"),
        (
            "duration_us",
            "pageviews",
            "pages",
            "events",
            "device",
            "screen",
            "channel",
            "browser",
            "os",
            "is_bounce",
            "referrer",
            "utm_source",
            "utm_medium",
            "utm_campaign",
            "country",
            "entry",
            "exit",
            "content_groups",
            "steps",
        ),
        "SELECT * FROM visit",
    ),
    Rollup(SiteDay, SITE_KEY, SITE_MEASURES, summed(SITE_KEY, SITE_MEASURES, SITE_PARTS)),
    Rollup(PageDay, PAGE_KEY, PAGE_MEASURES, summed(PAGE_KEY, PAGE_MEASURES, PAGE_PARTS)),
    Rollup(DimensionDay, DIMENSION_KEY, ("visits",), " UNION ALL ".join(DIMENSION_PARTS)),
    Rollup(
        NameDay,
        ("is_bot", "content_group", "name"),
        ("count",),
        "SELECT is_bot, '' AS content_group, name, count(*) AS count FROM hit"
        f" WHERE type IN ({NAMED_TYPES}) GROUP BY is_bot, name"
        " UNION ALL SELECT hit.is_bot, grouped.content_group, name, count(*) FROM hit JOIN grouped USING (visit)"
        f" WHERE type IN ({NAMED_TYPES}) GROUP BY hit.is_bot, grouped.content_group, name",
    ),
    Rollup(
        EngagementDay,
        ("is_bot", "event_key", "action", "source"),
        ("count",),
        f"SELECT is_bot, {text_of('eventKey')} AS event_key, name AS action, {text_of('source')} AS source,"
        f" count(*) AS count {ENGAGED} GROUP BY 1, 2, 3, 4",
    ),
    Rollup(
        EngagementSession,
        ("is_bot", "event_key", "session"),
        ("clicks", "outbound_clicks", "calendar_syncs"),
        f"SELECT is_bot, {text_of('eventKey')} AS event_key, {SESSION} AS session,"
        " count(*) FILTER (WHERE name = 'click')::int AS clicks,"
        " count(*) FILTER (WHERE name = 'outbound_click')::int AS outbound_clicks,"
        f" count(*) FILTER (WHERE name = 'calendar_sync')::int AS calendar_syncs {ENGAGED} GROUP BY 1, 2, 3",
    ),
    Rollup(
        DiscoveryDay,
        ("is_bot", "action", "filter_group", "value"),
        ("count", "gaps", "thin", "least_matches", "last_matches", "last_at"),
        "SELECT is_bot, action, filter_group, value, count(*) AS count,"
        " count(*) FILTER (WHERE matches = 0) AS gaps, count(*) FILTER (WHERE matches IN (1, 2)) AS thin,"
        " min(matches) AS least_matches, (array_agg(matches ORDER BY occurred_at DESC, id DESC))[1] AS last_matches,"
        " max(occurred_at) AS last_at"
        f" FROM ({DISCOVERED}) AS discovered GROUP BY 1, 2, 3, 4",
    ),
    Rollup(WidgetDay, ("is_bot", "scope", "label"), tuple(widgets.MEASURES), widgets.COUNTS),
    Rollup(WidgetReach, ("is_bot", "scope", "label", "person"), ("saw", "interacted"), widgets.REACH),
    Rollup(WidgetArm, ("is_bot", "widget", "arm", "person"), ("first_at",), widgets.ARMS),
    Rollup(EmptyWidgetDay, ("is_bot", "widget"), ("count", "first_at", "last_at"), widgets.EMPTY),
]
