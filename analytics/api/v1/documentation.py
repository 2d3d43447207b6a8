"""What each report answers, for the OpenAPI document: the `data` of the envelope, as the contract has it (2.10)."""

from collections.abc import Iterable

from analytics.reports.exemption import LEAST_VISITORS
from analytics.reports.revenue import THINGS, TOUCHES, WINDOWS
from analytics.reports.timeseries import METRICS
from analytics.reports.widgets import GROUPINGS
from analytics.reports.widgets import METRICS as SEGMENT_METRICS
from analytics.vocabulary import SCREENS
from tinytrail.web.openapi import Schema, record, reply

SUMMARY_METRICS = ("visits", "unique_visitors", "pageviews", "bounce_rate", "avg_session_duration_sec")
COUNT: Schema = {"type": "integer", "minimum": 0}
NUMBER: Schema = {"type": "number"}
NUMBER_OR_NULL: Schema = {"type": ["number", "null"]}
PERCENT: Schema = {"type": "number", "minimum": 0}
TEXT: Schema = {"type": "string"}
TEXT_OR_NULL: Schema = {"type": ["string", "null"]}
DAY: Schema = {"type": "string", "format": "date"}
# Of money: no float holds it.
DECIMAL: Schema = {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?$"}
PERIOD = record("Period", start=DAY, end=DAY)


def words(names: Iterable[str]) -> Schema:
    return {"type": "string", "enum": list(names)}


def listed(row: Schema) -> Schema:
    return {"type": "array", "items": row}


def paged(title: str, row: Schema, *optional: str, **more: Schema) -> Schema:
    """The paginated shape, with what a report tells besides."""
    paging = {"page": {"type": "integer"}, "per_page": {"type": "integer"}}
    return record(title, *optional, period=PERIOD, **paging, rows=listed(row), **more)


# What reports of visits say of an exempt website when they are filtered, under this name.
WITHHELD = "suppressed"
SUPPRESSED = {
    WITHHELD: record(
        "Suppressed",
        least_visitors={"const": LEAST_VISITORS},
        all={"type": "boolean", "description": "Whether all numbers are withheld, or rows of fewer visitors only."},
    )
    | {"description": "Of an exempt website, with filters."}
}
IF_EXEMPT = "; null where an exempt website withholds it"


# Asked by browsers before a page of another site may send.
PREFLIGHT = {
    "operationId": "collect_preflight",
    "summary": "May a page of this origin send?",
    "tags": ["v1"],
    "responses": {
        "204": reply(
            "It may",
            Access_Control_Allow_Origin=TEXT | {"description": "The `Origin` that asks, `*` without one."},
            Access_Control_Allow_Methods={"const": "POST, OPTIONS"},
            Access_Control_Allow_Headers={"const": "Content-Type"},
            Access_Control_Allow_Credentials={"type": "string", "enum": ["true"]},
            Vary={"const": "Origin"},
        )
    },
}
METRIC = record(
    "Metric",
    "previous",
    "change_pct",
    value=NUMBER_OR_NULL | {"description": f"The number{IF_EXEMPT}."},
    previous=NUMBER_OR_NULL | {"description": f"With `compare`{IF_EXEMPT}."},
    change_pct=NUMBER_OR_NULL | {"description": "With `compare`; null from nothing to something."},
)
WIDGET_NUMBERS = {
    **dict.fromkeys(("impressions", "emptyRenders", "interactions", "viewers", "interactors"), COUNT),
    "interactionRate": PERCENT,
    "shopClicks": COUNT,
}
# A row names what it is about by the word that was asked for.
THING = {"type": ["string", "integer"]}

ANSWERS: dict[str, Schema] = {
    "summary": record(
        "Summary",
        WITHHELD,
        period=PERIOD,
        comparison=TEXT_OR_NULL | {"examples": ["2026-02-16 to 2026-02-22"]},
        metrics=record("Metrics", **dict.fromkeys(SUMMARY_METRICS, METRIC)),
        **SUPPRESSED,
    ),
    "pages": paged(
        "Pages",
        record("PageRow", path=TEXT, contentGroup=TEXT_OR_NULL, pageviews=COUNT, uniquePageviews=COUNT),
        WITHHELD,
        **SUPPRESSED,
    ),
    "sources": paged(
        "Sources",
        {
            "anyOf": [
                record("ChannelRow", channel=TEXT, visits=COUNT),
                record("ReferrerRow", referrer=TEXT, visits=COUNT),
                record(
                    "CampaignRow",
                    utmSource=TEXT_OR_NULL,
                    utmMedium=TEXT_OR_NULL,
                    utmCampaign=TEXT_OR_NULL,
                    visits=COUNT,
                ),
            ]
        },
        WITHHELD,
        **SUPPRESSED,
    ),
    "devices": record(
        "Devices",
        WITHHELD,
        period=PERIOD,
        device_types=listed(record("DeviceRow", deviceType=TEXT, visits=COUNT)),
        browsers=listed(record("BrowserRow", browserFamily=TEXT, visits=COUNT)),
        os_families=listed(record("SystemRow", osFamily=TEXT, visits=COUNT)),
        screen_resolutions=listed(record("ScreenRow", bucket=words(SCREENS.values()), visits=COUNT)),
        **SUPPRESSED,
    ),
    "flow": record(
        "Flow",
        WITHHELD,
        period=PERIOD,
        landing_pages=listed(record("LandingRow", path=TEXT, entries=COUNT)),
        exit_pages=listed(record("ExitRow", path=TEXT, exits=COUNT)),
        **SUPPRESSED,
    ),
    "funnel": record(
        "Funnel",
        period=PERIOD,
        funnel=listed(record("FunnelStep", step=TEXT, sessions=COUNT, conversion_rate=PERCENT)),
    ),
    "realtime": record(
        "Realtime",
        active_visitors=COUNT,
        top_pages=listed(record("RealtimePage", path=TEXT, visitors=COUNT)),
        events_by_type=listed(record("RealtimeType", eventType=TEXT, count=COUNT)),
    ),
    "custom-events": paged("CustomEvents", record("CustomEventRow", name=TEXT, count=COUNT), WITHHELD, **SUPPRESSED),
    "timeseries": record(
        "Timeseries",
        WITHHELD,
        period=PERIOD,
        metric=words(METRICS),
        path=TEXT | {"description": "`*` for all."},
        series=listed(
            record(
                "TimeseriesPoint",
                date=TEXT | {"description": "A day, or by `interval=hour` the hour: 2026-03-18T09:00Z."},
                value=NUMBER_OR_NULL | {"description": f"The number{IF_EXEMPT}."},
            )
        ),
        **SUPPRESSED,
    ),
    "widgets": paged(
        "Widgets",
        record("WidgetRow", *GROUPINGS, **dict.fromkeys(GROUPINGS, THING), **WIDGET_NUMBERS),
        by=words(GROUPINGS),
        totals=record("WidgetTotals", **WIDGET_NUMBERS),
    ),
    "media": paged(
        "Media",
        record(
            "MediaRow",
            media={"type": "integer"},
            renders=COUNT,
            views=COUNT,
            clicks=COUNT,
            shop=COUNT,
            clickThrough=PERCENT,
        ),
    ),
    "revenue": paged(
        "Revenue",
        record(
            "RevenueRow",
            *THINGS,
            **dict.fromkeys(THINGS, THING),
            currency=TEXT,
            orders=COUNT,
            influenced=DECIMAL,
            linear=DECIMAL,
        ),
        by=words(THINGS),
        window=words(WINDOWS),
        touch=words(TOUCHES),
        totals=listed(record("RevenueTotal", currency=TEXT, orders=COUNT, revenue=DECIMAL)),
    ),
    "segments": paged(
        "Segments",
        {
            "anyOf": [
                record(
                    "SegmentRow",
                    key=TEXT,
                    value=TEXT,
                    impressions=COUNT,
                    interactions=COUNT,
                    interactionRate=PERCENT,
                    mediaViews=COUNT,
                    mediaClicks=COUNT,
                    shopClicks=COUNT,
                    orders=COUNT,
                ),
                record("SegmentRevenueRow", key=TEXT, value=TEXT, currency=TEXT, orders=COUNT, revenue=DECIMAL),
            ]
        },
        metric=words(SEGMENT_METRICS),
    ),
    "experiments": record(
        "Experiments",
        period=PERIOD,
        widget=TEXT | {"description": "`*` for all."},
        control={"type": ["integer", "null"]},
        arms=listed(
            record(
                "Arm",
                arm={"type": "integer"},
                isControl={"type": "boolean"},
                participants=COUNT,
                conversions=COUNT,
                conversionRate=PERCENT,
                uplift=NUMBER_OR_NULL,
                upliftLow=NUMBER_OR_NULL,
                upliftHigh=NUMBER_OR_NULL,
                probabilityBetter=NUMBER_OR_NULL,
            )
        ),
        contaminated=COUNT | {"description": "Visitors who saw more than one arm; they are left out."},
        sample_ratio=record("SampleRatio", p=NUMBER, mismatch={"type": "boolean"}),
        verdict={
            "anyOf": [
                record("Verdict", arm={"type": "integer"}, **{"is": {"type": "string", "enum": ["better", "worse"]}}),
                {"type": "null"},
            ]
        },
        reason=TEXT_OR_NULL | {"description": "Why there is no verdict."},
    ),
}
