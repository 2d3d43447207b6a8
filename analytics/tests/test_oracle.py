"""The oracle against numbers worked out by hand: whoever checks the product must be right first."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from analytics.tests import histories, oracle
from analytics.tests.histories import (
    ANN,
    BEN,
    CRAWLER,
    CYD,
    DOT,
    OFFICE,
    PROPERTIES,
    Campaign,
    History,
    Load,
    at,
    crowd,
    custom,
    event,
    history,
    view,
)
from analytics.tests.oracle import Hit, Question

TODAY = date(2026, 3, 20)
YESTERDAY = date(2026, 3, 19)


def hits(story: History) -> list[Hit]:
    return histories.stored(story, today=TODAY)


def ask(report: str, story: History, **more: object) -> oracle.Data:
    """The report on yesterday, unless told otherwise."""
    question = Question(report, **{"start": YESTERDAY, "end": YESTERDAY, **more})
    return oracle.REPORTS[report](hits(story), question)


def metrics(story: History, **more: object) -> dict[str, object]:
    return {name: numbers["value"] for name, numbers in ask("summary", story, **more)["metrics"].items()}


def visits_of(story: History) -> list[list[str]]:
    """Each visit as the types of its events."""
    return [[hit.event_type for hit in visit.events] for visit in oracle.visits(hits(story))]


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


def test_it_works() -> None:
    noon = at(-1)
    story = history(
        view(ANN, noon, "/"),
        view(ANN, noon + seconds(30), "/pricing"),
        event(ANN, noon + seconds(40), "close_tab", "/pricing"),
        view(BEN, noon, "/"),
    )

    assert metrics(story) == {
        "visits": 2,
        "unique_visitors": 2,
        "pageviews": 3,
        "bounce_rate": Decimal("50.0"),
        "avg_session_duration_sec": 20,
    }


def test_bots_count_when_asked_for_and_excluded_events_never() -> None:
    story = history(view(ANN, at(-1)), view(CRAWLER, at(-1)), view(OFFICE, at(-1)))

    assert metrics(story)["pageviews"] == 1
    assert metrics(story, include_bots=True)["pageviews"] == 2


def test_a_visit_is_cut_where_the_gap_exceeds_1800_seconds() -> None:
    for gap, count in ((1799, 1), (1800, 1), (1800.001, 2), (1801, 2)):
        assert len(visits_of(history(view(ANN, at(-1)), view(ANN, at(-1) + seconds(gap))))) == count


def test_passive_events_extend_a_visit_and_never_start_one() -> None:
    story = history(
        event(ANN, at(-1, "09:00:00"), "scroll_25"),
        view(ANN, at(-1, "09:10:00")),
        event(ANN, at(-1, "09:40:00"), "close_tab"),
        event(ANN, at(-1, "11:00:00"), "close_tab"),
        event(ANN, at(-1, "13:00:00"), "scroll_75"),
        event(ANN, at(-1, "13:10:00"), "outbound_link"),
    )

    assert visits_of(story) == [["page_view", "close_tab"], ["outbound_link"]]


def test_server_events_count_and_are_in_no_visit() -> None:
    story = hits(history(view(ANN, at(-1))))
    server = [Hit(**{**vars(story[0]), "is_server": True})]

    assert len(oracle.visits(server)) == 0
    assert oracle.pages(server, Question("pages", YESTERDAY, YESTERDAY))["rows"] == [
        {"path": "/", "contentGroup": None, "pageviews": 1, "uniquePageviews": 0}
    ]


def test_midnight_ends_a_visit_and_makes_a_new_visitor() -> None:
    story = history(view(ANN, at(-2, "23:59:59.999")), view(ANN, at(-1, "00:00:00")))

    assert len(visits_of(story)) == 2
    assert metrics(story, start=date(2026, 3, 18))["unique_visitors"] == 2
    assert metrics(story)["pageviews"] == 1


def test_each_load_of_a_past_day_has_visitors_of_its_own() -> None:
    load = Load((view(ANN, at(-1)),))

    assert metrics(History((load, load)))["unique_visitors"] == 2


def test_facts_are_those_of_the_first_page_view_else_of_the_first_event() -> None:
    shop = event(ANN, at(-1), "outbound_link", referrer="https://t.co/abc123")
    read = view(ANN, at(-1) + seconds(1), referrer="https://www.bing.com/search?q=acme")

    assert ask("sources", history(shop, read))["rows"] == [{"channel": "Organic Search", "visits": 1}]
    assert ask("sources", history(shop))["rows"] == [{"channel": "Social", "visits": 1}]


def test_a_bounce_has_one_page_view_and_nothing_interactive() -> None:
    bounce = [view(ANN, at(-1)), event(ANN, at(-1), "close_tab")]
    twice = [view(BEN, at(-1)), view(BEN, at(-1))]
    clicked = [view(CYD, at(-1)), custom(CYD, at(-1), "signup")]
    unread = [custom(DOT, at(-1), "signup")]

    assert metrics(history(bounce, twice, clicked, unread))["bounce_rate"] == Decimal("33.3")
    assert metrics(history(unread))["bounce_rate"] == 0


def test_duration_is_the_mean_over_all_visits_with_halves_away_from_zero() -> None:
    story = history(view(ANN, at(-1)), view(ANN, at(-1) + seconds(5)), view(BEN, at(-1)))

    assert metrics(story)["avg_session_duration_sec"] == 3
    assert metrics(History())["avg_session_duration_sec"] == 0


@pytest.mark.parametrize(
    ("value", "decimals", "expected"),
    [
        (Fraction(49, 4), 1, "12.3"),
        (Fraction(25, 8), 2, "3.13"),
        (Fraction(-25, 8), 2, "-3.13"),
        (Fraction(5, 2), 0, "3"),
        (Fraction(1, 3), 1, "0.3"),
        (Fraction(1, 20), 1, "0.1"),
        (Fraction(9999, 100), 1, "100.0"),
    ],
)
def test_halves_are_rounded_away_from_zero(value: Fraction, decimals: int, expected: str) -> None:
    assert str(oracle.rounded(value, decimals)) == expected


@pytest.mark.parametrize(
    ("value", "previous", "expected"),
    [
        (12450, 11200, "11.16"),
        (9870, 8930, "10.53"),
        (34200, 30100, "13.62"),
        (Decimal("42.3"), Decimal("44.1"), "-4.08"),
        (185, 172, "7.56"),
        (0, 4, "-100"),
    ],
)
def test_change_is_that_of_the_contracts_own_example(value: Decimal, previous: Decimal, expected: str) -> None:
    assert oracle.change(value, previous) == Decimal(expected)


def test_change_from_nothing_is_null_and_from_nothing_to_nothing_zero() -> None:
    assert oracle.change(3, 0) is None
    assert oracle.change(Decimal(0), Decimal(0)) == 0


def test_the_comparison_is_named_with_its_days() -> None:
    story = history(view(ANN, at(-1)))

    assert ask("summary", story)["comparison"] is None
    data = ask("summary", story, compare="previous_period")
    assert data["comparison"] == "2026-03-18 to 2026-03-18"
    assert data["metrics"]["visits"] == {"value": 1, "previous": 0, "change_pct": None}


def test_the_first_matching_group_wins_and_the_star_is_the_only_wildcard() -> None:
    assert [
        oracle.matches(pattern, path)
        for pattern, path in (
            ("/blog*", "/blog"),
            ("/blog/*", "/blog"),
            ("*", ""),
            ("/a*c*", "/abcd/c"),
            ("/?", "/a"),
            ("/[ab]", "/a"),
            ("/a", "/a/"),
            ("*/b", "/a\n/b"),
        )
    ] == [True, False, True, True, False, False, False, True]
    story = history(view(ANN, at(-1), "/blog/one"), groups=histories.GROUPS[1])
    assert ask("pages", story)["rows"][0]["contentGroup"] == "Blog"


def test_a_path_stored_under_two_groups_is_two_rows() -> None:
    before = Load((view(ANN, at(-1), "/blog/one"),), histories.GROUPS[1])
    after = Load((view(BEN, at(-1), "/blog/one"),), histories.GROUPS[2])

    assert ask("pages", History((before, after)))["rows"] == [
        {"path": "/blog/one", "contentGroup": "Articles", "pageviews": 1, "uniquePageviews": 1},
        {"path": "/blog/one", "contentGroup": "Blog", "pageviews": 1, "uniquePageviews": 1},
    ]


def test_a_content_group_keeps_its_page_views_and_the_visits_with_one() -> None:
    story = history(
        view(ANN, at(-1), "/"),
        view(ANN, at(-1) + seconds(10), "/blog"),
        custom(ANN, at(-1) + seconds(20), "signup"),
        view(BEN, at(-1), "/"),
        custom(BEN, at(-1), "signup"),
        groups=histories.GROUPS[1],
    )

    assert metrics(story, content_group="Blog") == {
        "visits": 1,
        "unique_visitors": 1,
        "pageviews": 1,
        "bounce_rate": 0,
        "avg_session_duration_sec": 20,
    }
    assert ask("custom-events", story, content_group="Blog")["rows"] == [{"name": "signup", "count": 1}]
    assert ask("flow", story, content_group="Blog")["landing_pages"] == [{"path": "/", "entries": 1}]
    assert ask("pages", story, content_group="Nowhere")["rows"] == []


def test_utm_comes_from_the_body_before_the_url_and_empty_is_absent() -> None:
    both = Campaign("?utm_source=query&utm_medium=ppc", {"utm_source": "body", "utm_campaign": ""})
    emptied = Campaign("?utm_source=query&utm_campaign=", {"utm_source": ""})

    assert [oracle.utm(hit) for hit in hits(history(view(ANN, at(-1), campaign=both)))] == [("body", "ppc", None)]
    assert [oracle.utm(hit) for hit in hits(history(view(ANN, at(-1), campaign=emptied)))] == [("query", None, None)]


@pytest.mark.parametrize(
    ("referrer", "medium", "channel"),
    [
        ("", "", "Direct"),
        ("", "cpc", "Direct"),
        ("", "EMAIL", "Email"),
        ("https://acme.example/pricing", "cpc", "Direct"),
        ("https://www.acme.example/", "email", "Email"),
        ("https://www.google.com/", "email", "Email"),
        ("https://www.google.com/", "CPC", "Paid Search"),
        ("https://www.google.com/", "unpaid", "Paid Search"),
        ("https://www.google.com/", "", "Organic Search"),
        ("https://mail.google.com/mail/u/0/", "cpc", "Email"),
        ("https://t.co/abc123", "ppc", "Social"),
        ("https://google.evil.com/", "cpc", "Referral"),
    ],
)
def test_the_channel_is_the_first_rule_that_fits(referrer: str, medium: str, channel: str) -> None:
    sent = view(ANN, at(-1), referrer=referrer, campaign=Campaign("", {"utm_medium": medium}))

    assert [oracle.channel(hit) for hit in hits(history(sent))] == [channel]


def test_domains_leave_out_visits_without_one_and_utm_those_without_any() -> None:
    story = history(
        view(ANN, at(-1), referrer="https://www.Facebook.com/"),
        view(BEN, at(-1), referrer="https://acme.example/pricing", campaign=Campaign("?utm_medium=email")),
        view(CYD, at(-1)),
    )

    assert ask("sources", story, group_by="domain")["rows"] == [{"referrer": "facebook.com", "visits": 1}]
    assert ask("sources", story, group_by="utm")["rows"] == [
        {"utmSource": None, "utmMedium": "email", "utmCampaign": None, "visits": 1}
    ]


def test_screens_are_rounded_down_into_their_buckets() -> None:
    widths = {
        None: "unknown",
        0: "unknown",
        319.9: "unknown",
        320: "320-375",
        375.9: "320-375",
        376: "376-768",
        768.5: "376-768",
        769: "769-1024",
        1024: "769-1024",
        1025: "1025-1440",
        1440.999: "1025-1440",
        1441: "1441+",
    }
    for width, bucket in widths.items():
        (hit,) = hits(history(view(ANN, at(-1), screen_width=width)))
        assert oracle.screen(hit) == bucket


def test_devices_count_visits_in_four_lists() -> None:
    assert ask("devices", history(view(ANN, at(-1)), view(DOT, at(-1)), view(BEN, at(-1)))) == {
        "period": {"start": "2026-03-19", "end": "2026-03-19"},
        "device_types": [{"deviceType": "desktop", "visits": 2}, {"deviceType": "mobile", "visits": 1}],
        "browsers": [
            {"browserFamily": "Chrome", "visits": 1},
            {"browserFamily": "Firefox", "visits": 1},
            {"browserFamily": "Safari", "visits": 1},
        ],
        "os_families": [
            {"osFamily": "Linux", "visits": 1},
            {"osFamily": "Windows", "visits": 1},
            {"osFamily": "iOS", "visits": 1},
        ],
        "screen_resolutions": [{"bucket": "unknown", "visits": 3}],
    }


def test_lists_are_ordered_by_count_then_by_bytes() -> None:
    paths = ("/😀", "/\uff01", "/é", "/a", "/Z", "/")
    story = history([view(ANN, at(-1) + seconds(n), path) for n, path in enumerate(paths)], view(BEN, at(-1), "/é"))

    assert [row["path"] for row in ask("pages", story)["rows"]] == ["/é", "/", "/Z", "/a", "/\uff01", "/😀"]
    assert [row["path"] for row in ask("pages", story, page=2, per_page=4)["rows"]] == ["/\uff01", "/😀"]


def test_unique_pageviews_are_visits_and_site_wide_their_sum_over_paths() -> None:
    story = history(
        view(ANN, at(-1), "/"),
        view(ANN, at(-1), "/"),
        view(ANN, at(-1), "/a"),
        view(BEN, at(-1), "/"),
    )

    assert ask("pages", story)["rows"] == [
        {"path": "/", "contentGroup": None, "pageviews": 3, "uniquePageviews": 2},
        {"path": "/a", "contentGroup": None, "pageviews": 1, "uniquePageviews": 1},
    ]
    assert ask("timeseries", story, metric="unique_pageviews")["series"] == [{"date": "2026-03-19", "value": 3}]


def test_landing_and_exit_are_the_first_and_last_page_view() -> None:
    story = history(
        custom(ANN, at(-1), "signup", "/nowhere"),
        view(ANN, at(-1) + seconds(1), "/a"),
        view(ANN, at(-1) + seconds(2), "/b"),
        event(ANN, at(-1) + seconds(3), "outbound_link", "/c"),
        custom(BEN, at(-1), "signup"),
    )

    assert ask("flow", story) == {
        "period": {"start": "2026-03-19", "end": "2026-03-19"},
        "landing_pages": [{"path": "/a", "entries": 1}],
        "exit_pages": [{"path": "/b", "exits": 1}],
    }


def test_the_funnel_takes_the_first_match_of_each_step_in_order() -> None:
    story = history(
        [view(ANN, at(-1) + seconds(n), path) for n, path in enumerate(("/a", "/x", "/b", "/a", "/c"))],
        [view(BEN, at(-1), "/a"), view(BEN, at(-1), "/b")],
        [view(CYD, at(-1), "/b"), view(CYD, at(-1), "/a")],
        [view(DOT, at(-1), "/a"), custom(DOT, at(-1), "signup"), event(DOT, at(-1), "close_tab")],
    )

    assert ask("funnel", story, steps=("/a", "/b", "/c"))["funnel"] == [
        {"step": "/a", "sessions": 4, "conversion_rate": 100},
        {"step": "/b", "sessions": 2, "conversion_rate": 50},
        {"step": "/c", "sessions": 1, "conversion_rate": 50},
    ]
    assert [row["sessions"] for row in ask("funnel", story, steps=("/a", "/a"))["funnel"]] == [4, 1]
    assert [row["sessions"] for row in ask("funnel", story, steps=("/a", "signup", "close_tab"))["funnel"]] == [4, 1, 1]
    assert ask("funnel", story, steps=("never", "/a"))["funnel"] == [
        {"step": "never", "sessions": 0, "conversion_rate": 100},
        {"step": "/a", "sessions": 0, "conversion_rate": 0},
    ]


def test_a_passive_event_before_the_visit_is_no_step() -> None:
    story = history(event(ANN, at(-1), "scroll_50"), view(ANN, at(-1), "/a"))

    assert [row["sessions"] for row in ask("funnel", story, steps=("scroll_50", "/a"))["funnel"]] == [0, 0]


def test_realtime_sees_thirty_minutes_of_people_passive_ones_too() -> None:
    now = histories.midnight(TODAY) + at(0, "12:00:00")
    story = hits(
        history(
            view(ANN, at(0, "11:29:59"), "/old"),
            view(ANN, at(0, "11:30:01"), "/"),
            view(ANN, at(0, "11:31:00"), "/"),
            event(BEN, at(0, "11:59:00"), "scroll_50"),
            event(CYD, at(0, "11:59:00"), "Page_View"),
            view(CRAWLER, at(0, "11:59:00")),
            view(OFFICE, at(0, "11:59:00")),
        )
    )

    assert oracle.realtime(story, now) == {
        "active_visitors": 3,
        "top_pages": [{"path": "/", "visitors": 1}],
        "events_by_type": [
            {"eventType": "page_view", "count": 2},
            {"eventType": "Page_View", "count": 1},
            {"eventType": "scroll_50", "count": 1},
        ],
    }


def test_realtime_shows_ten_pages() -> None:
    now = histories.midnight(TODAY) + at(0, "12:00:00")
    story = hits(history([view(ANN, at(0, "11:59:00"), f"/{number:02}") for number in range(12)]))

    assert [row["path"] for row in oracle.realtime(story, now)["top_pages"]] == [f"/{n:02}" for n in range(10)]


def test_the_name_of_a_custom_event_is_its_first_non_empty_string() -> None:
    story = hits(history([event(ANN, at(-1), "custom", properties=properties) for properties in PROPERTIES]))

    assert [oracle.custom_name(hit) for hit in story] == [
        "custom",
        "custom",
        "signup",
        "signup",
        "signup",
        "download",
        "download",
        "custom",
        "custom",
        "custom",
        "page_view",
        "/pricing",
        "a|b, c",
        'x"y;z\\',
        "=1+1",
        "Straße",
        "custom",
    ]


def test_other_types_are_custom_events_of_that_name_and_defaults_are_none() -> None:
    story = history(
        event(ANN, at(-1), "signup"),
        custom(ANN, at(-1), "signup"),
        event(ANN, at(-1), "outbound_link", properties={"event_name": "signup"}),
        view(ANN, at(-1), properties={"event_name": "signup"}),
        event(ANN, at(-1), "video.play"),
    )

    assert ask("custom-events", story)["rows"] == [{"name": "signup", "count": 2}, {"name": "video.play", "count": 1}]
    assert ask("custom-events", story, event_name="video.play")["rows"] == [{"name": "video.play", "count": 1}]


def test_a_path_narrows_the_series_to_it_and_to_visits_with_a_view_of_it() -> None:
    story = history(
        [view(ANN, at(-1) + seconds(n * 10), path) for n, path in enumerate(("/a", "/b", "/a"))],
        view(BEN, at(-1), "/a"),
        view(CYD, at(-1), "/b"),
    )
    values = {
        metric: ask("timeseries", story, metric=metric, path="/a")["series"][0]["value"] for metric in oracle.METRICS
    }

    assert values == {
        "visits": 2,
        "pageviews": 3,
        "unique_pageviews": 2,
        "bounce_rate": 50,
        "avg_session_duration": 10,
        "landing_page_entries": 2,
        "exit_page_exits": 2,
    }


def test_the_series_has_every_day_of_the_period() -> None:
    data = ask("timeseries", history(crowd(2, at(-1), "/")), start=date(2026, 3, 18), end=date(2026, 3, 20))

    assert data == {
        "period": {"start": "2026-03-18", "end": "2026-03-20"},
        "metric": "pageviews",
        "path": "*",
        "series": [
            {"date": "2026-03-18", "value": 0},
            {"date": "2026-03-19", "value": 2},
            {"date": "2026-03-20", "value": 0},
        ],
    }


def test_the_default_period_and_an_open_end_run_to_today() -> None:
    first = date(2025, 12, 1)
    for query, expected in (
        ({}, (date(2026, 3, 14), TODAY)),
        ({"start_date": "2026-03-18"}, (date(2026, 3, 18), TODAY)),
        ({"period": "all"}, (first, TODAY)),
        (
            {"period": "today", "start_date": "2026-03-01", "end_date": "2026-03-02"},
            (date(2026, 3, 1), date(2026, 3, 2)),
        ),
    ):
        question = oracle.understood("pages", query, today=TODAY, first=first)
        assert (question.start, question.end) == expected


def test_all_begins_with_the_first_stored_event_flagged_or_not() -> None:
    story = hits(history(view(ANN, at(-1)), view(OFFICE, at(-9))))

    assert oracle.first_day(story, created=TODAY) == date(2026, 3, 11)
    assert oracle.first_day([], created=TODAY) == TODAY


def test_csv_guards_text_and_leaves_numbers_alone() -> None:
    question = Question("summary", YESTERDAY, YESTERDAY)
    metrics = {"visits": {"value": 1, "previous": 2, "change_pct": Decimal("-50.00")}, "pageviews": {"value": 1}}
    assert oracle.table(question, {"metrics": metrics}) == [
        ["metric", "value", "previous", "change_pct"],
        ["visits", Decimal(1), Decimal(2), Decimal(-50)],
        ["pageviews", Decimal(1), "", ""],
    ]
    rows = [{"name": name, "count": 1} for name in ("=1+1", "+a", "-a", "@a", "\ta", "\ra", "\uff1da", "a=", "")]
    assert [row[0] for row in oracle.table(Question("custom-events", YESTERDAY, YESTERDAY), {"rows": rows})] == [
        "name",
        "'=1+1",
        "'+a",
        "'-a",
        "'@a",
        "'\ta",
        "'\ra",
        "'\uff1da",
        "a=",
        "",
    ]


@pytest.mark.parametrize("report", ["devices", "flow", "sources"])
def test_csv_has_the_columns_of_the_contract(report: str) -> None:
    question = Question(report, YESTERDAY, YESTERDAY, group_by="utm")
    sent = view(ANN, at(-1), campaign=Campaign("?utm_source=ads"))
    expected = {
        "devices": [["deviceType", "visits"], ["desktop", 1]],
        "flow": [["path", "entries"], ["/", 1]],
        "sources": [["utmSource", "utmMedium", "utmCampaign", "visits"], ["ads", "", "", 1]],
    }

    assert oracle.table(question, oracle.REPORTS[report](hits(history(sent)), question)) == expected[report]
