"""A day's widgets, in SQL (definitions 29, 32): the tables that its roll-ups are computed from.

    widget   the actions on widgets and media, with what the call said of them; checkouts are none
    amount   how often each was done, by all that it counts for
    meeting  who saw an impression and who interacted, by widget, stream or category, and segments

Each is made smaller before it is counted once for everything it counts for: all, its widget, its stream or category,
its medium, and every segment.
"""

from analytics.models.widgets import Scope
from analytics.vocabulary import Dialect

# A visitor in the roll-ups: eight bytes stand for an analytics_id of any length.
PERSON = "hashtextextended({}, 0)"

MEASURES = {
    "impressions": "is_impression",
    "empty": "is_empty",
    "interactions": "is_interaction",
    "media_renders": "name = 'media_render'",
    "media_views": "name = 'media_view'",
    "media_clicks": "name = 'media_click'",
    "shop_clicks": "name = 'media_shop'",
}
AMOUNTS = ", ".join(f"count(*) FILTER (WHERE {condition}) AS {name}" for name, condition in MEASURES.items())

WIDGETS = f"""
widget AS MATERIALIZED (
    -- Of an exempt website nobody has a name, and the visitor of a day stands for them.
    SELECT is_bot, occurred_at, name, coalesce({PERSON.format("client_session")}, visitor) AS person,
        (properties ->> 'instance') COLLATE "C" AS widget, properties ->> 'kind' AS kind,
        (properties ->> 'id') COLLATE "C" AS source, (properties ->> 'media') COLLATE "C" AS media,
        (properties ->> 'ab_testing')::bigint AS arm, properties -> 'segments' AS segments,
        properties ? 'not_found' AS is_empty, name = 'widget_render' AS is_impression,
        name NOT IN ('widget_render', 'media_render') AS is_interaction
    FROM event WHERE dialect = {Dialect.WIDGETS:d} AND properties ? 'instance'
), amount AS MATERIALIZED (
    SELECT is_bot, widget, kind, source, media, segments, {AMOUNTS}
    FROM widget GROUP BY is_bot, widget, kind, source, media, segments
), meeting AS MATERIALIZED (
    SELECT is_bot, widget, kind, source, NULL AS media, segments, person,
        bool_or(is_impression) AS saw, bool_or(is_interaction) AS interacted
    FROM widget WHERE is_impression OR is_interaction
    GROUP BY is_bot, widget, kind, source, segments, person
)"""


def things(of: str) -> str:
    """The rows of a table once for everything they count for, with its scope and label."""
    return f"""
    SELECT {of}.*, labels.scope, labels.label FROM {of}, LATERAL (VALUES
        ({Scope.ALL:d}, '' COLLATE "C"),
        ({Scope.WIDGET:d}, widget),
        ({Scope.STREAM:d}, CASE kind WHEN 'stream' THEN coalesce(source, 'not_found') END),
        ({Scope.CATEGORY:d}, CASE kind WHEN 'category' THEN source END),
        ({Scope.MEDIA:d}, media)
    ) AS labels (scope, label) WHERE labels.label IS NOT NULL
    UNION ALL
    SELECT {of}.*, {Scope.SEGMENT:d}, (key || ':' || value) COLLATE "C"
    FROM {of}, LATERAL jsonb_each_text(segments) WHERE segments IS NOT NULL
    """


SUMS = ", ".join(f"sum({name})::bigint AS {name}" for name in MEASURES)
COUNTS = f"SELECT is_bot, scope, label, {SUMS} FROM ({things('amount')}) AS thing GROUP BY is_bot, scope, label"
REACH = f"""
SELECT is_bot, scope, label, person, bool_or(saw) AS saw, bool_or(interacted) AS interacted
FROM ({things("meeting")}) AS thing GROUP BY is_bot, scope, label, person
"""
ARMS = """
SELECT is_bot, widget, arm, person, min(occurred_at) AS first_at
FROM widget WHERE arm IS NOT NULL GROUP BY is_bot, widget, arm, person
"""
EMPTY = """
SELECT is_bot, widget, count(*) AS count, min(occurred_at) AS first_at, max(occurred_at) AS last_at
FROM widget WHERE is_empty GROUP BY is_bot, widget
"""
