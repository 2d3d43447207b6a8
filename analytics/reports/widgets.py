"""widgets, media, segments: what was shown, touched and clicked (definitions 29).

Content groups and filters are about visits and their pages, and do not restrict these.
"""

from collections.abc import Mapping
from typing import Any

from analytics import money
from analytics.models.widgets import Scope
from analytics.reports.base import PAGE, BadQuestion, Question, Report, first, one_of, paginated, rows, share
from analytics.reports.exemption import refusal

WHERE = "website_id = %(website)s AND day BETWEEN %(start)s AND %(end)s AND is_bot = ANY(%(bots)s)"
SCOPED = f"{WHERE} AND scope = %(scope)s"
LONGEST_KEY = 64
KEY = {"type": "string", "maxLength": LONGEST_KEY, "pattern": "^[^:\\u0000]*$"}
# What stands for the stream of a widget that was rendered without one.
NOT_FOUND = "not_found"

# What stands in a row under each grouping -> its scope.
GROUPINGS = {"widget": Scope.WIDGET, "stream": Scope.STREAM, "category": Scope.CATEGORY}

COUNTED = f"""
SELECT label, sum(impressions)::bigint AS impressions, sum(empty)::bigint AS empty,
    sum(interactions)::bigint AS interactions, sum(media_renders)::bigint AS media_renders,
    sum(media_views)::bigint AS media_views, sum(media_clicks)::bigint AS media_clicks,
    sum(shop_clicks)::bigint AS shop_clicks
FROM analytics_widgetday WHERE {SCOPED} GROUP BY label
"""
# Visitors of several days are one each.
REACHED = f"""
SELECT label, count(*) FILTER (WHERE saw) AS viewers, count(*) FILTER (WHERE interacted) AS interactors
FROM (
    SELECT label, person, bool_or(saw) AS saw, bool_or(interacted) AS interacted
    FROM analytics_widgetreach WHERE {SCOPED} GROUP BY label, person
) AS people GROUP BY label
"""
WIDGETS = f"""
SELECT counted.*, coalesce(viewers, 0) AS viewers, coalesce(interactors, 0) AS interactors
FROM ({COUNTED}) AS counted LEFT JOIN ({REACHED}) AS reached USING (label)
WHERE impressions + interactions > 0
ORDER BY impressions DESC, label {PAGE}
"""

LEADERS = {"renders": "media_renders", "views": "media_views", "clicks": "media_clicks", "shop": "shop_clicks"}
MEDIA = f"""
SELECT * FROM ({COUNTED}) AS counted ORDER BY {{leader}} DESC, shop_clicks DESC, media_views DESC, label {PAGE}
"""

# Segments of purchases are those of their checkouts.
BOUGHT = """
SELECT key || ':' || value AS label, {columns}
FROM analytics_order, LATERAL jsonb_each_text(segments)
WHERE website_id = %(website)s AND occurred_at >= %(start)s AND occurred_at < %(end)s + 1
    AND NOT is_excluded AND is_bot = ANY(%(bots)s)
GROUP BY {groups}
"""
SEGMENTS = f"""
SELECT label, coalesce(impressions, 0) AS impressions, coalesce(interactions, 0) AS interactions,
    coalesce(media_views, 0) AS media_views, coalesce(media_clicks, 0) AS media_clicks,
    coalesce(shop_clicks, 0) AS shop_clicks, coalesce(viewers, 0) AS viewers,
    coalesce(interactors, 0) AS interactors, coalesce(orders, 0) AS orders
FROM ({COUNTED}) AS counted LEFT JOIN ({REACHED}) AS reached USING (label)
FULL JOIN ({BOUGHT.format(columns="count(*) AS orders", groups="1")}) AS bought USING (label)
WHERE %(key)s = '' OR starts_with(label, %(key)s || ':')
ORDER BY {{metric}} DESC, label COLLATE "C" {PAGE}
"""
REVENUE = f"""
SELECT label, currency, orders, revenue FROM (
    {BOUGHT.format(columns="currency, count(*) AS orders, sum(total) AS revenue", groups="1, currency")}
) AS bought WHERE %(key)s = '' OR starts_with(label, %(key)s || ':')
ORDER BY orders DESC, label COLLATE "C", currency {PAGE}
"""
RATE = "interactors::numeric / nullif(viewers, 0)"
METRICS = {
    "impressions": "coalesce(impressions, 0)",
    "interactions": "coalesce(interactions, 0)",
    "interaction_rate": f"coalesce({RATE}, 0)",
    "media_views": "coalesce(media_views, 0)",
    "media_clicks": "coalesce(media_clicks, 0)",
    "shop_clicks": "coalesce(shop_clicks, 0)",
    "orders": "coalesce(orders, 0)",
    "revenue": "",
}


class Widgets(Report):
    """Impressions, interactions and shop clicks of widgets. The interaction rate is that of visitors: those who
    interacted of those who saw an impression, in percent. Content groups and filters do not restrict it."""

    name = "widgets"
    of_visits = False
    documented = (("by", "What each row is.", {"enum": tuple(GROUPINGS), "default": "widget"}),)
    measures = (
        *("impressions", "emptyRenders", "interactions", "viewers", "interactors", "interactionRate", "shopClicks"),
    )

    def parameters(self, query: Mapping[str, list[str]]) -> str:
        return one_of(query, "by", tuple(GROUPINGS), "widget")

    def answer(self, question: Question) -> dict[str, Any]:
        by: str = question.extra
        found = rows(WIDGETS, question.sql | {"scope": GROUPINGS[by]})
        (total,) = rows(WIDGETS, question.sql | {"scope": Scope.ALL, "offset": 0}) or [{}]
        answer = paginated(question, [{by: name(row["label"], by), **numbers(row)} for row in found])
        return answer | {"by": by, "totals": numbers(total)}

    def columns_for(self, question: Question) -> tuple[str, ...]:
        return (question.extra, *self.measures)


class Media(Report):
    """Media by what visitors did with them. Click-through: shop clicks of views, in percent. Content groups and filters
    do not restrict it."""

    name = "media"
    of_visits = False
    documented = (("sort", "What the first of them leads in.", {"enum": tuple(LEADERS), "default": "shop"}),)
    columns = ("media", "renders", "views", "clicks", "shop", "clickThrough")

    def parameters(self, query: Mapping[str, list[str]]) -> str:
        return one_of(query, "sort", tuple(LEADERS), "shop")

    def answer(self, question: Question) -> dict[str, Any]:
        statement = MEDIA.format(leader=LEADERS[question.extra])
        return paginated(
            question,
            [
                {
                    "media": int(row["label"]),
                    "renders": row["media_renders"],
                    "views": row["media_views"],
                    "clicks": row["media_clicks"],
                    "shop": row["shop_clicks"],
                    "clickThrough": share(row["shop_clicks"], row["media_views"], 2),
                }
                for row in rows(statement, question.sql | {"scope": Scope.MEDIA})
            ],
        )


class Segments(Report):
    """Every number by segment: of widgets and media by the segments of their calls, of orders by those of their
    checkouts. Revenue is one row for each currency. Content groups and filters do not restrict it."""

    name = "segments"
    of_visits = False
    documented = (
        ("metric", "What the rows are ordered by.", {"enum": tuple(METRICS), "default": "impressions"}),
        ("segment", "Segments with this key only.", {"type": KEY}),
    )
    columns = (
        *("key", "value", "impressions", "interactions", "interactionRate"),
        *("mediaViews", "mediaClicks", "shopClicks", "orders"),
    )

    def parameters(self, query: Mapping[str, list[str]]) -> tuple[str, str]:
        key = first(query, "segment")
        if ":" in key or len(key) > LONGEST_KEY:
            raise BadQuestion(f"segment must have at most {LONGEST_KEY} characters and no colon.")
        return one_of(query, "metric", tuple(METRICS), "impressions"), key

    def check(self, question: Question) -> None:
        if question.is_exempt:
            raise BadQuestion(refusal("segments"))

    def answer(self, question: Question) -> dict[str, Any]:
        metric, key = question.extra
        statement = REVENUE if metric == "revenue" else SEGMENTS.format(metric=METRICS[metric])
        found = rows(statement, question.sql | {"scope": Scope.SEGMENT, "key": key})
        as_row = sold if metric == "revenue" else segment
        return paginated(question, [as_row(row) for row in found]) | {"metric": metric}

    def columns_for(self, question: Question) -> tuple[str, ...]:
        metric, _ = question.extra
        return ("key", "value", "currency", "orders", "revenue") if metric == "revenue" else self.columns


def numbers(row: Mapping[str, Any]) -> dict[str, Any]:
    viewers, interactors = row.get("viewers", 0), row.get("interactors", 0)
    return {
        "impressions": row.get("impressions", 0),
        "emptyRenders": row.get("empty", 0),
        "interactions": row.get("interactions", 0),
        "viewers": viewers,
        "interactors": interactors,
        "interactionRate": share(interactors, viewers, 2),
        "shopClicks": row.get("shop_clicks", 0),
    }


def segment(row: Mapping[str, Any]) -> dict[str, Any]:
    return pair(row["label"]) | {
        "impressions": row["impressions"],
        "interactions": row["interactions"],
        "interactionRate": share(row["interactors"], row["viewers"], 2),
        "mediaViews": row["media_views"],
        "mediaClicks": row["media_clicks"],
        "shopClicks": row["shop_clicks"],
        "orders": row["orders"],
    }


def sold(row: Mapping[str, Any]) -> dict[str, Any]:
    return pair(row["label"]) | {
        "currency": row["currency"],
        "orders": row["orders"],
        "revenue": money.text(row["revenue"]),
    }


def pair(label: str) -> dict[str, str]:
    """A segment's label as key and value; a key has no colon."""
    key, _, value = label.partition(":")
    return {"key": key, "value": value}


def name(label: str, by: str) -> str | int:
    """What a row is about: streams and categories are numbers, as in the paths that name them; widgets are texts."""
    return int(label) if by != "widget" and label != NOT_FOUND else label
