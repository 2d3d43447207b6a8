"""Reports on widgets, media, revenue and segments, from calls to answers (definitions 29 to 31)."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
import time_machine

from analytics.models import Order
from analytics.rollups.build import build, wrong_rows
from analytics.tests.builders import GOOGLEBOT, a_body, collect, data, make_account, make_key, make_website, report
from analytics.tests.widgets import BEST, INSTANCE, ask, checkout, make_token

pytestmark = pytest.mark.django_db(transaction=True)

W = f"/track/widget/{INSTANCE}"
OTHER = "/track/widget/other-widget"
NOON = datetime(2026, 3, 18, 12, tzinfo=UTC)
DAY = "2026-03-18"


@pytest.fixture(autouse=True)
def _without_limit(settings):
    settings.LIMITS = settings.LIMITS | {"API_KEY": None}


@pytest.fixture
def acme():
    return make_website(make_account())


@pytest.fixture
def token(acme):
    return make_token(acme)


@pytest.fixture
def key(acme):
    return make_key(acme.account)


def at(moment, *calls):
    """Calls at a moment, `moment` being minutes after noon of the day."""
    with time_machine.travel(NOON + timedelta(minutes=moment), tick=False):
        for call in calls:
            assert call().status_code in (200, 302)


def act(token, path, who, *segments, **query):
    return lambda: ask(path, token, *(("segments[]", s) for s in segments), analytics_id=who, **query)


def buy(token, transaction, who, *products, **query):
    pairs = [("segments[]", s) for s in query.pop("segments", ())]
    path = f"/track/transaction/{transaction}/checkout"
    return lambda: ask(path, token, *(("products[]", p) for p in products), *pairs, analytics_id=who, **query)


def told(client, name, acme, key, **more):
    return data(client, name, acme, key, **({"start_date": DAY, "end_date": DAY} | more))


# -- widgets ----------------------------------------------------------------------------------------------------------


def test_it_works(client, acme, token, key):
    at(
        0,
        act(token, f"{BEST}/render", "ann"),
        act(token, f"{BEST}/render", "ann"),
        act(token, f"{BEST}/render", "ben"),
        act(token, f"{BEST}/move", "ann"),
        act(token, f"{BEST}/media/5/render", "ann"),
        act(token, f"{BEST}/media/5/view", "ann"),
        act(token, f"{BEST}/media/5/shop", "ann"),
        act(token, f"{OTHER}/best/render", "cyd"),
    )
    found = told(client, "widgets", acme, key)
    shown = {"emptyRenders": 0}
    assert found["rows"] == [
        {
            "widget": INSTANCE,
            "impressions": 3,
            "interactions": 3,
            "viewers": 2,
            "interactors": 1,
            "interactionRate": 50.0,
            "shopClicks": 1,
        }
        | shown,
        {
            "widget": "other-widget",
            "impressions": 1,
            "interactions": 0,
            "viewers": 1,
            "interactors": 0,
            "interactionRate": 0.0,
            "shopClicks": 0,
        }
        | shown,
    ]
    assert (found["totals"]["impressions"], found["totals"]["interactionRate"]) == (4, 33.33)
    assert (found["period"], found["page"], found["per_page"]) == ({"start": DAY, "end": DAY}, 1, 50)


def test_streams_and_categories_are_groups_of_their_own(client, acme, token, key):
    at(
        0,
        act(token, f"{W}/stream/34/render", "ann"),
        act(token, f"{W}/stream/34/media/5/shop", "ann"),
        act(token, f"{W}/stream/not_found/render", "ann", pics=None),
        act(token, f"{W}/category/34/render", "ann"),
        act(token, f"{BEST}/render", "ann"),
    )
    streams = told(client, "widgets", acme, key, by="stream")["rows"]
    assert [(row["stream"], row["impressions"], row["emptyRenders"], row["shopClicks"]) for row in streams] == [
        (34, 1, 0, 1),
        ("not_found", 1, 1, 0),
    ]
    categories = told(client, "widgets", acme, key, by="category")["rows"]
    assert [(row["category"], row["impressions"]) for row in categories] == [(34, 1)]
    widgets = told(client, "widgets", acme, key)["rows"]
    assert [(row["widget"], row["impressions"], row["emptyRenders"]) for row in widgets] == [(INSTANCE, 4, 1)]


def test_a_visitor_of_several_days_is_one(client, acme, token, key):
    for day in range(3):
        at(-1440 * day, act(token, f"{BEST}/render", "ann"), act(token, f"{BEST}/move", "ann"))
    at(0, act(token, f"{BEST}/render", "ben"))
    (row,) = told(client, "widgets", acme, key, start_date="2026-03-16")["rows"]
    assert (row["impressions"], row["viewers"], row["interactors"], row["interactionRate"]) == (4, 2, 1, 50.0)


def test_bots_count_when_asked_for(client, acme, token, key):
    bot = {"user-agent": GOOGLEBOT}
    at(0, act(token, f"{BEST}/render", "ann"), lambda: ask(f"{BEST}/render", token, headers=bot, analytics_id="bot"))
    assert told(client, "widgets", acme, key)["totals"]["impressions"] == 1
    assert told(client, "widgets", acme, key, include_bots="true")["totals"]["impressions"] == 2


def test_rows_are_ordered_by_impressions_then_name_and_come_in_pages(client, acme, token, key):
    for name, times in (("b", 1), ("a", 1), ("Z", 1), ("c", 2)):
        at(0, *(act(token, f"/track/widget/{name}/best/render", "ann") for _ in range(times)))
    assert [row["widget"] for row in told(client, "widgets", acme, key)["rows"]] == ["c", "Z", "a", "b"]
    second = told(client, "widgets", acme, key, per_page=2, page=2)
    assert [row["widget"] for row in second["rows"]] == ["a", "b"]
    assert second["totals"]["impressions"] == 5


# -- media ------------------------------------------------------------------------------------------------------------


def test_media_are_led_by_what_was_shopped(client, acme, token, key):
    many = [act(token, f"{BEST}/media/9/{action}", "ann") for action in ("render", "view", "view", "view", "shop")]
    few = [act(token, f"{BEST}/media/10/{action}", "ann") for action in ("view", "click", "shop", "shop", "close")]
    at(0, *many, *few)
    rows = told(client, "media", acme, key)["rows"]
    assert rows == [
        {"media": 10, "renders": 0, "views": 1, "clicks": 1, "shop": 2, "clickThrough": 200.0},
        {"media": 9, "renders": 1, "views": 3, "clicks": 0, "shop": 1, "clickThrough": 33.33},
    ]
    assert [row["media"] for row in told(client, "media", acme, key, sort="views")["rows"]] == [9, 10]


# -- revenue ----------------------------------------------------------------------------------------------------------


def test_an_order_counts_for_what_its_buyer_touched_before(client, acme, token, key):
    at(0, act(token, f"{BEST}/media/5/shop", "ann"), act(token, f"{OTHER}/best/render", "ann"))
    at(1, act(token, f"{BEST}/render", "ben"))
    at(10, buy(token, "T-1", "ann", "shirt:120.50", "hat:0.50", currency_code="EUR"))
    at(11, act(token, "/track/widget/too-late/best/render", "ann"))
    found = told(client, "revenue", acme, key)
    assert found["totals"] == [{"currency": "EUR", "orders": 1, "revenue": "121.00"}]
    assert found["rows"] == [
        {"widget": INSTANCE, "currency": "EUR", "orders": 1, "influenced": "121.00", "linear": "60.50"},
        {"widget": "other-widget", "currency": "EUR", "orders": 1, "influenced": "121.00", "linear": "60.50"},
    ]
    only_acts = told(client, "revenue", acme, key, touch="interaction")["rows"]
    assert [(row["widget"], row["linear"]) for row in only_acts] == [(INSTANCE, "121.00")]


@pytest.mark.parametrize(
    ("minutes", "windows"),
    [
        (30, ["30m", "24h", "14d"]),
        (30.001, ["24h", "14d"]),
        (1440, ["24h", "14d"]),
        (1440.001, ["14d"]),
        (14 * 1440, ["14d"]),
        (14 * 1440 + 0.001, []),
    ],
)
def test_a_touch_counts_within_its_window_to_the_end_of_it(client, acme, token, key, minutes, windows):
    at(-minutes, act(token, f"{BEST}/media/5/view", "ann"))
    at(0, buy(token, "T-1", "ann", "a:1"))
    assert [w for w in ("30m", "24h", "14d") if told(client, "revenue", acme, key, window=w)["rows"]] == windows


def test_the_default_window_is_half_an_hour(client, acme, token, key):
    at(-31, act(token, f"{BEST}/media/5/view", "ann"))
    at(0, buy(token, "T-1", "ann", "a:1"))
    found = told(client, "revenue", acme, key)
    assert (found["window"], found["by"], found["rows"]) == ("30m", "widget", [])
    assert found["totals"] == [{"currency": "USD", "orders": 1, "revenue": "1.00"}]


def test_currencies_are_never_added_up(client, acme, token, key):
    at(0, act(token, f"{BEST}/render", "ann"))
    at(
        1,
        buy(token, "T-1", "ann", "a:1"),
        buy(token, "T-2", "ann", "a:2"),
        buy(token, "T-3", "ann", "a:100", currency_code="JPY"),
    )
    found = told(client, "revenue", acme, key)
    assert found["totals"] == [
        {"currency": "USD", "orders": 2, "revenue": "3.00"},
        {"currency": "JPY", "orders": 1, "revenue": "100.00"},
    ]
    assert [(row["currency"], row["influenced"]) for row in found["rows"]] == [("USD", "3.00"), ("JPY", "100.00")]


def test_each_thing_is_touched_once_however_often_and_linear_adds_up(client, acme, token, key):
    at(0, *(act(token, f"{BEST}/media/{n}/view", "ann") for n in (1, 1, 2, 3)), act(token, f"{BEST}/render", "ann"))
    at(1, buy(token, "T-1", "ann", "a:100"))
    rows = told(client, "revenue", acme, key, by="media")["rows"]
    assert [(row["media"], row["influenced"], row["linear"]) for row in rows] == [
        (1, "100.00", "33.3333"),
        (2, "100.00", "33.3333"),
        (3, "100.00", "33.3333"),
    ]
    (widget,) = told(client, "revenue", acme, key)["rows"]
    assert widget["linear"] == "100.00"


def test_segments_streams_and_categories_are_touched_too(client, acme, token, key):
    at(
        0,
        act(token, f"{W}/stream/34/render", "ann", "country:US", "a:b:c"),
        act(token, f"{W}/category/7/render", "ann"),
    )
    at(1, buy(token, "T-1", "ann", "a:10"))
    assert [row["segment"] for row in told(client, "revenue", acme, key, by="segment")["rows"]] == [
        "a:b:c",
        "country:US",
    ]
    assert [row["stream"] for row in told(client, "revenue", acme, key, by="stream")["rows"]] == [34]
    assert [row["category"] for row in told(client, "revenue", acme, key, by="category")["rows"]] == [7]


def test_an_order_repeated_is_one(client, acme, token, key):
    at(0, act(token, f"{BEST}/media/5/shop", "ann"))
    at(1, *(buy(token, "T-1", "ann", "a:5", "b:1") for _ in range(3)), buy(token, "T-1", "ann", "c:4"))
    (row,) = told(client, "revenue", acme, key)["rows"]
    assert (row["orders"], row["influenced"]) == (1, "10.00")


def test_orders_of_bots_count_when_asked_for(client, acme, token, key):
    bot = {"user-agent": GOOGLEBOT}
    at(0, buy(token, "T-1", "ann", "a:5"), lambda: checkout(token, "T-2", "a:7", headers=bot, analytics_id="bot"))
    (total,) = told(client, "revenue", acme, key)["totals"]
    (with_bots,) = told(client, "revenue", acme, key, include_bots="true")["totals"]
    assert (total["revenue"], with_bots["revenue"]) == ("5.00", "12.00")


def test_revenue_is_never_another_websites(client, acme, token, key):
    globex = make_website(make_account("Globex"), "globex.example")
    at(0, act(make_token(globex), f"{BEST}/render", "ann"))
    at(1, buy(token, "T-1", "ann", "a:1"))
    assert told(client, "revenue", acme, key)["rows"] == []
    assert report(client, "revenue", globex, key).status_code == 404


# -- segments ---------------------------------------------------------------------------------------------------------


def test_every_number_is_told_by_segment(client, acme, token, key):
    at(
        0,
        act(token, f"{BEST}/render", "ann", "country:US", "section:home"),
        act(token, f"{BEST}/render", "ben", "country:US"),
        act(token, f"{BEST}/render", "cyd", "country:FR"),
        act(token, f"{BEST}/media/5/view", "ann", "country:US"),
        act(token, f"{BEST}/media/5/shop", "ann", "country:US"),
        buy(token, "T-1", "ann", "a:1.50", segments=["country:US"]),
        buy(token, "T-2", "dot", "a:2", segments=["country:BE"], currency_code="EUR"),
    )
    rows = told(client, "segments", acme, key)["rows"]
    assert [(row["key"], row["value"], row["impressions"], row["orders"]) for row in rows] == [
        ("country", "US", 2, 1),
        ("country", "FR", 1, 0),
        ("section", "home", 1, 0),
        ("country", "BE", 0, 1),
    ]
    us = rows[0]
    assert (us["interactions"], us["interactionRate"], us["mediaViews"], us["shopClicks"]) == (2, 50.0, 1, 1)
    assert [row["value"] for row in told(client, "segments", acme, key, segment="section")["rows"]] == ["home"]
    revenue = told(client, "segments", acme, key, metric="revenue")["rows"]
    assert [(row["value"], row["currency"], row["revenue"]) for row in revenue] == [
        ("BE", "EUR", "2.00"),
        ("US", "USD", "1.50"),
    ]


@pytest.mark.parametrize(
    "metric",
    ["impressions", "interactions", "interaction_rate", "media_views", "media_clicks", "shop_clicks", "orders"],
)
def test_segments_are_ordered_by_the_metric(client, acme, token, key, metric):
    at(
        0,
        act(token, f"{BEST}/render", "ann", "a:less"),
        act(token, f"{BEST}/render", "ann", "b:more"),
        act(token, f"{BEST}/render", "ann", "b:more"),
        *(act(token, f"{BEST}/media/5/{action}", "ann", "b:more") for action in ("view", "click", "shop")),
        buy(token, "T-1", "ann", "a:1", segments=["b:more"]),
    )
    rows = told(client, "segments", acme, key, metric=metric)["rows"]
    assert [row["value"] for row in rows] == ["more", "less"]


# -- what all of them share -------------------------------------------------------------------------------------------

NAMES = ["widgets", "media", "revenue", "segments", "experiments"]


@pytest.mark.parametrize("name", NAMES)
def test_nothing_stored_is_an_empty_answer(client, acme, key, name):
    found = told(client, name, acme, key)
    assert found["arms" if name == "experiments" else "rows"] == []


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("widgets", {"by": "planet"}),
        ("media", {"sort": "x"}),
        ("revenue", {"window": "1h"}),
        ("revenue", {"by": "planet"}),
        ("revenue", {"touch": "x"}),
        ("segments", {"metric": "x"}),
        ("segments", {"segment": "a:b"}),
        ("experiments", {"arms[]": "x"}),
        ("experiments", {"control": "-1"}),
        ("experiments", {"split": "50"}),
        ("experiments", {"split": "0,100"}),
        *((name, {"page": "0"}) for name in NAMES),
        *((name, {"period": "x"}) for name in NAMES),
    ],
)
def test_a_wrong_parameter_is_400_in_the_envelope(client, acme, key, name, wrong):
    answer = report(client, name, acme, key, **wrong)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "INVALID_PAYLOAD")


@pytest.mark.parametrize(
    ("name", "more", "header"),
    [
        ("widgets", {}, "widget,impressions,emptyRenders,interactions,viewers,interactors,interactionRate,shopClicks"),
        ("widgets", {"by": "stream"}, "stream,impressions,emptyRenders,"),
        ("media", {}, "media,renders,views,clicks,shop,clickThrough"),
        ("revenue", {}, "widget,currency,orders,influenced,linear"),
        ("revenue", {"by": "media"}, "media,currency,orders,influenced,linear"),
        ("segments", {}, "key,value,impressions,interactions,interactionRate,mediaViews,mediaClicks,shopClicks,orders"),
        ("segments", {"metric": "revenue"}, "key,value,currency,orders,revenue"),
        ("experiments", {}, "arm,isControl,participants,conversions,conversionRate,uplift,upliftLow,upliftHigh,"),
    ],
)
def test_csv_has_the_same_rows(client, acme, token, key, name, more, header):
    arm = {"ab_testing": "1"}
    at(0, act(token, f"{W}/stream/3/render", "ann", "=k:v", **arm), act(token, f"{W}/stream/3/media/5/view", "ann"))
    at(1, buy(token, "T-1", "ann", "a:1", segments=["=k:v"]))
    answer = report(client, name, acme, key, format="csv", start_date=DAY, end_date=DAY, **more)
    lines = answer.content.decode().splitlines()
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert lines[0].startswith(header)
    assert len(lines) == 2
    assert not lines[1].startswith("=")


def test_a_build_says_what_the_events_say_and_a_second_one_changes_nothing(acme, token):
    at(
        0,
        act(token, f"{W}/stream/3/render", "ann", "a:b", ab_testing="1"),
        act(token, f"{W}/stream/not_found/render", "ann", pics=None),
        act(token, f"{W}/category/3/media/5/shop", "ben", "a:b", "c:d", ab_testing="2"),
        buy(token, "T-1", "ann", "a:1"),
    )
    build(acme.id, NOON.date(), now=NOON)
    assert set(wrong_rows(acme.id, NOON.date()).values()) == {0}
    assert build(acme.id, NOON.date(), now=NOON) == 0


def test_amounts_add_up_exactly(client, acme, token, key):
    at(0, act(token, f"{BEST}/render", "ann"))
    at(1, *(buy(token, f"T-{n}", "ann", "a:0.1") for n in range(30)))
    (row,) = told(client, "revenue", acme, key)["rows"]
    assert row["influenced"] == row["linear"] == "3.00"
    assert sum(Order.objects.values_list("total", flat=True)) == Decimal("3")


def test_what_was_bought_just_now_is_in_the_report(client, acme, token, key):
    ask(f"{BEST}/render", token, analytics_id="ann")
    checkout(token, "T-1", "a:1", analytics_id="ann")
    assert data(client, "revenue", acme, key, period="today")["rows"][0]["orders"] == 1
    assert data(client, "widgets", acme, key, period="today")["totals"]["impressions"] == 1


# -- visits (definitions 2, 3, 6) -------------------------------------------------------------------------------------


def page_view(client, acme):
    return lambda: SimpleNamespace(status_code=200) if collect(client, a_body(acme)).status_code == 202 else None


def totals(client, acme, key):
    return {name: found["value"] for name, found in told(client, "summary", acme, key)["metrics"].items()}


def test_a_render_never_starts_a_visit(client, acme, token, key):
    at(0, act(token, f"{BEST}/render", "ann"), act(token, f"{BEST}/media/5/render", "ann"))
    assert (totals(client, acme, key)["visits"], totals(client, acme, key)["unique_visitors"]) == (0, 0)


def test_a_render_extends_the_visit_that_there_is_and_is_no_interaction(client, acme, token, key):
    at(-5, act(token, f"{BEST}/render", "ann"))
    at(0, page_view(client, acme))
    at(10, act(token, f"{BEST}/media/5/render", "ann"))
    assert totals(client, acme, key) == {
        "visits": 1,
        "unique_visitors": 1,
        "pageviews": 1,
        "bounce_rate": 100.0,
        "avg_session_duration_sec": 600,
    }


def test_any_other_action_is_an_interaction_and_starts_a_visit(client, acme, token, key):
    at(0, page_view(client, acme))
    at(10, act(token, f"{BEST}/media/5/view", "ann"))
    at(100, act(token, f"{BEST}/move", "ann"))
    found = totals(client, acme, key)
    assert (found["visits"], found["bounce_rate"], found["pageviews"]) == (2, 0.0, 1)


def test_actions_are_custom_events_by_their_own_names(client, acme, token, key):
    at(0, act(token, f"{BEST}/render", "ann"), act(token, f"{BEST}/media/5/shop", "ann"), buy(token, "T", "ann", "a:1"))
    rows = told(client, "custom-events", acme, key)["rows"]
    assert rows == [{"name": name, "count": 1} for name in ("checkout", "media_shop", "widget_render")]
