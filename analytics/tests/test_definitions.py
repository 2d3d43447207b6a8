"""The answers of the nine reports against the oracle: over stories, over generated histories, and over the calendar.

History goes in through `import_hits`, questions through HTTP; both sides are given the same, and every `data` object
must be equal as a whole. Websites are fresh, so that nothing needs to be emptied in between.
"""

import csv
import io
import json
import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.db import connection, connections
from django.test import Client
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from accounts.models import Website
from analytics.models import Event
from analytics.tests import histories, oracle
from analytics.tests.builders import collect, make_account, make_key, make_website
from analytics.tests.histories import (
    ANN,
    BEN,
    CAMPAIGNS,
    CRAWLER,
    CYD,
    DAY,
    DOT,
    EXCLUDED_IPS,
    GROUPS,
    LAB,
    MAPPED,
    NAMELESS,
    OFFICE,
    OFFICE_CRAWLER,
    OTHER_TYPES,
    PATHS,
    PROPERTIES,
    REFERRERS,
    SCRIPT,
    WIDTHS,
    Asked,
    History,
    Load,
    Sender,
    Sent,
    at,
    crowd,
    custom,
    event,
    history,
    reader,
    view,
)
from analytics.tests.oracle import Hit

pytestmark = pytest.mark.django_db(transaction=True)

EVERYTHING = histories.everything()


@pytest.fixture(autouse=True)
def _unlimited(settings: Any) -> None:  # noqa: ANN401 (pytest-django's wrapper)
    settings.LIMITS = {**settings.LIMITS, "API_KEY": None, "COLLECT": None}


# -- a website, its history and its answers ---------------------------------------------------------------------------


@dataclass
class Site:
    """Acme's website and what was stored so far. `now` stands still while questions are asked."""

    website: Website
    now: datetime
    hits: list[Hit]
    # One for all questions: each new client would set up the middleware again.
    client: Client

    @property
    def today(self) -> date:
        return self.now.date()

    @property
    def id(self) -> str:
        return str(self.website.public_id)


def make_site(name: str = "Acme") -> Site:
    account = make_account(name)
    website = make_website(account, histories.DOMAIN, excluded_ips=EXCLUDED_IPS)
    return Site(website, datetime.now(UTC), [], Client(headers={"X-API-KEY": make_key(account)}))


def set_groups(site: Site, groups: Sequence[tuple[str, str]]) -> None:
    body = {"content_groups": [{"name": name, "pattern": pattern} for name, pattern in groups]}
    answer = site.client.patch(f"/api/v1/websites/{site.id}", body, content_type="application/json")
    assert answer.status_code == 200


def tell(site: Site, story: History) -> None:
    """Store a whole history, load after load."""
    for load in story.loads:
        store(site, load)


def store(site: Site, load: Load) -> None:
    """Load hits through `import_hits`, under the load's content groups. All is stored, and flagged as expected."""
    set_groups(site, load.groups)
    run = max((hit.run for hit in site.hits), default=0) + 1
    known = [replace(hit, run=run if hit.run else 0) for hit in histories.stored(History((load,)), today=site.today)]
    # A test that runs into midnight would have its today become yesterday.
    with time_machine.travel(site.now, tick=False):
        report = import_lines(histories.lines(load, website_id=site.id, today=site.today))
    assert {name: report[name] for name in ("stored", "flagged", "refused")} == {
        "stored": len(known),
        "flagged": sum(hit.is_bot or hit.is_excluded for hit in known),
        "refused": 0,
    }
    site.hits += known


def import_lines(lines: list[bytes]) -> dict[str, Any]:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "history.ndjson"
        file.write_bytes(b"\n".join(lines) + b"\n")
        return command("import_hits", str(file))


def aggregate(site: Site, day: date) -> None:
    command("aggregate", "--date", str(day), "--website", site.id)


def command(name: str, *arguments: str) -> dict[str, Any]:
    """What a command says with --json."""
    out = io.StringIO()
    call_command(name, *arguments, "--json", stdout=out, stderr=io.StringIO())
    return json.loads(out.getvalue())


def get(site: Site, report: str, query: histories.Query) -> Any:  # noqa: ANN401 (Django's test response)
    with time_machine.travel(site.now, tick=False):
        answer = site.client.get(f"/api/v1/reports/{report}", {"website_id": site.id, **query})
    assert answer.status_code == 200, answer.content
    return answer


def json_data(answer: Any) -> Any:  # noqa: ANN401 (any JSON value)
    """The `data` of an envelope, numbers exactly as written."""
    assert answer["Content-Type"] == "application/json"
    body = json.loads(answer.content, parse_float=Decimal)
    assert body["status"] == "success"
    return body["data"]


def csv_table(answer: Any, name: str) -> list[list[str]]:  # noqa: ANN401
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == f'attachment; filename="{name}"'
    text = answer.content.decode()
    rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    assert text.endswith("\r\n")
    assert text.count("\r\n") == len(rows) + sum(cell.count("\r\n") for row in rows for cell in row)
    return rows


def check(site: Site, asked: Asked) -> None:
    """One question, two answers."""
    query = asked.query(site.today)
    first = oracle.first_day(site.hits, created=site.website.created_at.date())
    question = oracle.understood(asked.report, query, today=site.today, first=first)
    expected = oracle.REPORTS[asked.report](site.hits, question)
    answer = get(site, asked.report, query)
    if query.get("format") != "csv":
        assert json_data(answer) == expected, asked
        return
    rows = csv_table(answer, f"{asked.report}-{question.start}-{question.end}.csv")
    table = oracle.table(question, expected)
    assert [spelled_alike(row, like) for row, like in zip(rows, table, strict=True)] == table, asked


def spelled_alike(row: list[str], like: list[str | Decimal]) -> list[str | Decimal]:
    """The cells of a CSV line, numbers where the other line has numbers."""
    return [Decimal(cell) if isinstance(other, Decimal) else cell for cell, other in zip(row, like, strict=True)]


def check_all(site: Site, questions: Sequence[Asked]) -> None:
    for asked in questions:
        check(site, asked)


def answers(site: Site) -> list[bytes]:
    return [get(site, asked.report, asked.query(site.today)).content for asked in EVERYTHING]


# -- stories ----------------------------------------------------------------------------------------------------------


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


def in_turn(sender: Sender, moment: timedelta, *paths: str, gap: float = 10) -> list[Sent]:
    return [view(sender, moment + seconds(gap * number), path) for number, path in enumerate(paths)]


EVENING = at(-2, "23:50:00")
NOON = at(-2, "12:00:00")

STORIES: dict[str, History] = {
    "nothing at all": History(),
    "a visit with everything": history(
        view(ANN, NOON, "/blog/one", referrer="https://t.co/abc123", campaign=CAMPAIGNS[0], screen_width=1920),
        event(ANN, NOON + seconds(5), "scroll_50", "/blog/one"),
        view(ANN, NOON + seconds(65), "/pricing"),
        custom(ANN, NOON + seconds(90), "signup", "/pricing"),
        event(ANN, NOON + seconds(91), "close_tab", "/pricing"),
        groups=GROUPS[1],
    ),
    "gaps of 1799, 1800 and 1801 seconds": history(
        in_turn(ANN, NOON, "/", "/pricing", gap=1799),
        in_turn(BEN, NOON, "/", "/pricing", gap=1800),
        in_turn(CYD, NOON, "/", "/pricing", gap=1801),
        in_turn(DOT, NOON, "/", "/pricing", gap=1800.001),
    ),
    "a long visit of exact gaps": history(in_turn(ANN, at(-2, "01:00:00"), *["/", "/blog/one"] * 15, gap=1800)),
    "a visit of two thousand events": history(
        in_turn(ANN, at(-2, "00:00:01"), *["/blog/one", "/a|b"] * 999, "/", "/pricing", gap=40),
        event(ANN, at(-2, "23:00:00"), "signup"),
        groups=GROUPS[1],
    ),
    "passive events around visits": history(
        event(ANN, NOON, "scroll_25"),
        event(ANN, NOON + seconds(1700), "scroll_50"),
        view(ANN, NOON + seconds(3400), "/blog/one"),
        event(ANN, NOON + seconds(5200), "close_tab"),
        event(ANN, NOON + seconds(9000), "scroll_75"),
        event(BEN, NOON, "scroll_25"),
        event(BEN, NOON, "close_tab"),
        # Kept alive by what cannot start a visit.
        view(CYD, NOON, "/blog/one"),
        event(CYD, NOON + seconds(1800), "scroll_25"),
        view(CYD, NOON + seconds(3600), "/pricing"),
    ),
    "visits without a page_view": history(
        custom(ANN, NOON, "signup", "/blog/one"),
        event(BEN, NOON, "outbound_link", "/blog/one", referrer="https://www.google.com/"),
        event(CYD, NOON, "video.play"),
        event(CYD, NOON + seconds(3), "close_tab"),
        groups=GROUPS[1],
    ),
    "midnight": history(
        in_turn(ANN, EVENING, "/", "/blog/one", "/pricing", gap=599.999),
        in_turn(BEN, at(-2, "23:59:59.999"), "/blog/one", "/", gap=0.001),
        view(CYD, at(-1, "00:00:00"), "/blog/one"),
        event(DOT, at(-2, "23:59:59"), "outbound_link"),
        event(DOT, at(-1, "00:00:00"), "close_tab"),
    ),
    "one instant, as stored": history(
        view(ANN, NOON, "/pricing", referrer="https://www.bing.com/search?q=acme"),
        view(ANN, NOON, "/", referrer="https://t.co/abc123"),
        custom(ANN, NOON, "signup"),
        custom(BEN, NOON, "signup"),
        view(BEN, NOON, "/pricing", screen_width=320),
        view(BEN, NOON, "/", screen_width=1441),
    ),
    "told backwards": history(
        list(reversed(in_turn(ANN, NOON, "/", "/pricing", "/blog/one", "/", gap=1000))),
        event(ANN, NOON + seconds(1), "close_tab"),
        event(ANN, NOON - seconds(1), "scroll_25"),
    ),
    "facts of the first page_view": history(
        custom(ANN, NOON, "signup"),
        view(ANN, NOON + seconds(1), referrer="https://mail.google.com/mail/u/0/", screen_width=400),
        view(ANN, NOON + seconds(2), referrer="https://t.co/abc123", campaign=CAMPAIGNS[0], screen_width=1000),
        event(BEN, NOON, "outbound_link", campaign=CAMPAIGNS[1], screen_width=500),
        event(BEN, NOON + seconds(1), "video.play", campaign=CAMPAIGNS[2], screen_width=800),
    ),
    "bots and the excluded": history(
        in_turn(ANN, NOON, "/", "/pricing"),
        in_turn(CRAWLER, NOON, *PATHS[:5]),
        in_turn(SCRIPT, NOON, "/"),
        in_turn(NAMELESS, NOON, "/blog/one"),
        in_turn(OFFICE, NOON, "/", "/blog/one"),
        in_turn(OFFICE_CRAWLER, NOON, "/"),
        in_turn(LAB, NOON, "/"),
        in_turn(MAPPED, NOON, "/"),
        custom(CRAWLER, NOON, "signup"),
        custom(OFFICE, NOON, "signup"),
        view(OFFICE, at(-7), "/"),
        groups=GROUPS[1],
    ),
    "every channel with every campaign": history(
        [
            view(reader(number), NOON, referrer=referrer, campaign=campaign)
            for number, (referrer, campaign) in enumerate(
                (referrer, campaign) for referrer in REFERRERS for campaign in (histories.NO_CAMPAIGN, *CAMPAIGNS)
            )
        ]
    ),
    "every device and width": history(
        [view(reader(number), NOON, screen_width=width) for number, width in enumerate(WIDTHS * 2)],
        [view(Sender("192.0.2.50", agent), NOON) for agent in sorted(histories.AGENTS)],
    ),
    "every name of a custom event": history(
        [event(ANN, NOON + seconds(n), "custom", properties=named) for n, named in enumerate(PROPERTIES)],
        [event(BEN, NOON + seconds(n), other, properties=PROPERTIES[2]) for n, other in enumerate(OTHER_TYPES)],
        [event(CYD, NOON, default, properties=PROPERTIES[2]) for default in oracle.DEFAULTS],
    ),
    "every path, in bytes": history(
        [view(ANN, NOON + seconds(number), path) for number, path in enumerate(PATHS)],
        in_turn(BEN, NOON, "/é", "/😀"),
        groups=GROUPS[3],
    ),
    "the first group wins": history(in_turn(ANN, NOON, *PATHS), in_turn(BEN, NOON, "/", "/pricing"), groups=GROUPS[2]),
    "groups changed between loads": History(
        (
            Load(tuple(in_turn(ANN, NOON, "/blog/one", "/pricing", "/blog/one")), GROUPS[1]),
            Load(tuple(in_turn(BEN, NOON, "/blog/one", "/blog")), GROUPS[2]),
            Load(tuple(in_turn(ANN, at(-3), "/blog/one"))),
        )
    ),
    "a bounce rate of 6.25": history(crowd(15, NOON, "/", "/pricing"), view(ANN, NOON, "/blog/one")),
    "a bounce rate of 12.25": history(
        crowd(49, NOON, "/blog/one", first=500), crowd(351, NOON, "/", "/blog/one", first=1000), groups=GROUPS[1]
    ),
    "a mean duration of half a second": history(in_turn(ANN, NOON, "/", "/", gap=1), view(BEN, NOON)),
    "a mean duration of two and a half seconds": history(in_turn(ANN, NOON, "/", "/", gap=5), view(BEN, NOON)),
    "durations of parts of seconds": history(
        in_turn(ANN, NOON, "/", "/blog/one", gap=0.4),
        in_turn(BEN, NOON, "/", "/blog/one", gap=0.7),
        in_turn(CYD, NOON, "/blog/one", "/", gap=0.4),
    ),
    "changes of 3.125 percent": history(
        crowd(32, at(-9), "/"), crowd(33, NOON, "/"), crowd(32, at(-370), "/"), crowd(1, at(-368), "/a", "/pricing")
    ),
    "a step taken by one in 32": history(
        crowd(32, NOON, "/"), view(reader(0), NOON + seconds(60), "/pricing"), custom(ANN, NOON, "signup")
    ),
    "ties": history(
        crowd(6, NOON, "/blog/one", "/pricing"),
        crowd(6, NOON, "/pricing", "/blog/one", first=20),
        [custom(reader(number), NOON, name) for number, name in enumerate(("b", "a", "B", "é", "a", "b"))],
    ),
    "steps in and out of order": history(
        in_turn(ANN, NOON, "/", "/pricing", "/", "/pricing"),
        custom(ANN, NOON + seconds(15), "signup"),
        in_turn(BEN, NOON, "/pricing", "/"),
        custom(BEN, NOON + seconds(60), "signup"),
        in_turn(CYD, NOON, "/", "/pricing", gap=1801),
        [view(DOT, NOON, "/"), view(DOT, NOON, "/pricing"), event(DOT, NOON, "signup")],
        [event(reader(1), NOON, "signup"), view(reader(1), NOON, "/pricing"), view(reader(1), NOON, "/")],
    ),
    "names that are like something else": history(
        [custom(ANN, NOON + seconds(n), name) for n, name in enumerate(("/pricing", "/", "page_view", "custom", "%"))],
        [custom(BEN, NOON, "signup"), event(BEN, NOON + seconds(1), "outbound_link", "/pricing")],
        [custom(CYD, NOON, "scroll_25"), view(CYD, NOON, "/_")],
    ),
    "two loads of one day": History(
        (Load(tuple(in_turn(ANN, NOON, "/", "/blog/one"))), Load(tuple(in_turn(ANN, NOON + seconds(100), "/"))))
    ),
    "the newest second and a year ago": history(
        view(ANN, at(-1, "23:59:59.999"), "/blog/one"), view(ANN, at(-366), "/"), view(ANN, at(-365, "00:00:00"), "/")
    ),
}

MORE_QUESTIONS = [
    Asked("pages", more={"include_bots": "True", "compare": "yoy", "unheard": "of"}),
    Asked("timeseries", more={"metric": ""}),
    Asked("funnel", more={"steps[]": ["/", "/"]}),
    Asked("funnel", more={"steps[]": ["signup", "/"]}),
    Asked("funnel", more={"steps[]": ["page_view", "page_view", "custom"]}),
    Asked("funnel", more={"steps[]": ["scroll_25", "/blog/one"]}),
    Asked("funnel", more={"steps[]": ["custom", "/pricing"]}),
    Asked("funnel", more={"steps[]": ["/pricing", "page_view"]}),
    Asked("funnel", more={"steps[]": ["/pricing", "/"]}),
    Asked("funnel", more={"steps[]": ["page_view", "custom", "%"]}),
    Asked("funnel", more={"steps[]": ["scroll_25", "/%"]}),
    Asked("funnel", more={"steps[]": ["/blog/one", "close_tab"], "format": "csv"}),
    Asked("custom-events", more={"event_name": "signup"}),
    Asked("pages", more={"per_page": "2", "page": "2"}),
    Asked("flow", more={"per_page": "1", "page": "2"}),
    Asked("sources", more={"group_by": "utm", "per_page": "500", "format": "csv"}),
    *(Asked("pages", period, {"format": "csv"}) for period in histories.PERIODS),
    *(Asked("timeseries", span, {"metric": "visits"}) for span in histories.SPANS),
    *(Asked(report, more={"format": "csv", "content_group": "Blog"}) for report in ("summary", "devices", "flow")),
    Asked("summary", more={"format": "csv", "compare": "previous_period"}),
    Asked("custom-events", more={"format": "csv"}),
    Asked("timeseries", more={"format": "csv", "metric": "bounce_rate"}),
]


def test_it_works() -> None:
    site = make_site()
    tell(site, STORIES["a visit with everything"])

    assert json_data(get(site, "summary", {"period": "7d"}))["metrics"] == {
        "visits": {"value": 1},
        "unique_visitors": {"value": 1},
        "pageviews": {"value": 2},
        "bounce_rate": {"value": 0},
        "avg_session_duration_sec": {"value": 91},
    }
    check_all(site, EVERYTHING)


@pytest.mark.parametrize("name", sorted(STORIES))
def test_every_report_agrees_with_the_oracle_on_the_story_of(name: str) -> None:
    site = make_site()
    tell(site, STORIES[name])

    check_all(site, EVERYTHING + MORE_QUESTIONS)


def test_another_account_changes_nothing() -> None:
    acme, globex = make_site(), make_site("Globex")
    tell(acme, STORIES["midnight"])
    tell(globex, STORIES["a visit with everything"])

    check_all(acme, EVERYTHING)


# -- generated histories ----------------------------------------------------------------------------------------------

GENERATED = settings(
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)
# What happens between storing and asking must not be seen in any answer.
BUILDS = st.sampled_from(["none", "forwards", "backwards and twice"])


def build(site: Site, manner: str) -> None:
    days = sorted({hit.day for hit in site.hits})
    if manner == "forwards":
        for day in days:
            aggregate(site, day)
    if manner == "backwards and twice":
        for day in days[::-1] + days:
            aggregate(site, day)


@settings(GENERATED, max_examples=100)
@given(
    story=histories.past_histories(),
    builds=st.tuples(BUILDS, BUILDS),
    questions=st.lists(histories.questions(), min_size=12, max_size=12),
)
def test_every_report_agrees_with_the_oracle_on_any_history(
    story: History, builds: tuple[str, str], questions: list[Asked]
) -> None:
    note(story)
    site = make_site()
    for load, manner in zip(story.loads, builds, strict=False):
        store(site, load)
        build(site, manner)
        check_all(site, questions)


@settings(GENERATED, max_examples=25)
@given(data=st.data())
def test_realtime_agrees_with_the_oracle_on_any_half_hour(data: st.DataObject) -> None:
    site = make_site()
    hits = [
        data.draw(histories.events(moment(site, ago), sender))
        for ago, sender in data.draw(st.lists(st.tuples(AGO, histories.SENDERS), max_size=15))
    ]
    note(history(hits))
    store(site, Load(tuple(hits)))

    assert json_data(get(site, "realtime", {})) == oracle.realtime(site.hits, site.now)


AGO = st.sampled_from([0, 1, 30, 600, 1200, 1799, 1801, 2400, 3600])


def moment(site: Site, ago: float) -> timedelta:
    return site.now - histories.midnight(site.today) - seconds(ago)


# -- today ------------------------------------------------------------------------------------------------------------


def today_at(site: Site, ago: float) -> timedelta:
    """So many seconds ago, or as many as the day has."""
    return max(timedelta(0), moment(site, ago))


def test_realtime_shows_ten_pages_and_no_bots_whatever_is_asked() -> None:
    site = make_site()
    visited = [view(ANN, moment(site, 60), f"/{number:02}") for number in range(12)]
    store(site, Load((*visited, view(BEN, moment(site, 60), "/11"), view(CRAWLER, moment(site, 60), "/bots"))))

    expected = oracle.realtime(site.hits, site.now)
    assert [row["path"] for row in expected["top_pages"]][:2] == ["/11", "/00"]
    assert json_data(get(site, "realtime", {})) == expected
    assert json_data(get(site, "realtime", {"include_bots": "true", "format": "csv"})) == expected


def test_a_visit_of_today_may_see_its_website_change() -> None:
    site = make_site()
    store(site, Load((view(ANN, today_at(site, 90), "/blog/one"),), GROUPS[1]))
    check_all(site, today(EVERYTHING))
    store(site, Load((view(ANN, today_at(site, 60), "/blog/one"), view(ANN, today_at(site, 30), "/blog")), GROUPS[2]))

    assert len(oracle.visits(site.hits)) == 1
    check_all(site, today(EVERYTHING))


def test_hits_of_today_are_in_the_next_answer() -> None:
    site = make_site()
    for ago in (90, 60, 30):
        store(site, Load((view(ANN, today_at(site, ago), "/"), view(BEN, today_at(site, ago), "/blog/one"))))
        check_all(site, today(EVERYTHING))


def test_an_address_may_be_excluded_from_now_on() -> None:
    site = make_site()
    store(site, Load((view(ANN, today_at(site, 90), "/"), view(BEN, today_at(site, 90), "/blog/one"))))
    answer = site.client.patch(
        f"/api/v1/websites/{site.id}", {"excluded_ips": [DOT.ip, CYD.ip]}, content_type="application/json"
    )
    assert answer.status_code == 200
    store(
        site, Load((view(CYD._replace(is_excluded=True), today_at(site, 60), "/"), view(ANN, today_at(site, 60), "/")))
    )

    check_all(site, today(EVERYTHING))


def test_hits_as_they_come_count_like_imported_ones_whatever_the_clock_does() -> None:
    site = make_site()
    # Stopped, five minutes ahead and back, five minutes behind and back (F18).
    for step in (0, 0, 300, 300, 0, -300, 0, 1):
        for sender, path in ((ANN, "/"), (BEN, "/pricing"), (CRAWLER, "/"), (OFFICE, "/"), (ANN, "/blog/one")):
            send(site, view(sender, moment(site, -step), path))
    site.now += seconds(301)

    check_all(site, [asked._replace(days=(-1, 1)) for asked in EVERYTHING])


def send(site: Site, sent: Sent) -> None:
    """One request to collect, at its time."""
    (hit,) = histories.stored(history(sent), today=site.today)
    body = histories.line(sent, site.id, histories.midnight(site.today))
    with time_machine.travel(hit.occurred_at, tick=False):
        answer = collect(site.client, body, user_agent=sent.sender.user_agent, REMOTE_ADDR=sent.sender.ip)
    assert answer.status_code == (204 if hit.is_bot or hit.is_excluded else 202)
    site.hits.append(replace(hit, run=0))


def today(questions: Sequence[Asked]) -> list[Asked]:
    return [asked._replace(days="today") for asked in questions]


def test_server_events_count_as_events_and_are_in_no_visit() -> None:
    site = make_site()
    tell(site, STORIES["a visit with everything"])
    before = len(site.hits)
    seen = set(Event.objects.filter(website_id=site.website.id).values_list("id", flat=True))
    store(site, Load(STORIES["steps in and out of order"].loads[0].hits, GROUPS[1]))
    # The dialects that servers speak are other rooms': here the second load is made theirs.
    Event.objects.filter(website_id=site.website.id).exclude(id__in=seen).update(is_server=True)
    site.hits[before:] = [replace(hit, is_server=True) for hit in site.hits[before:]]
    build(site, "forwards")

    check_all(site, EVERYTHING + MORE_QUESTIONS)


# -- building and asking (definition 24, F23) -------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["midnight", "bots and the excluded", "groups changed between loads"])
def test_aggregation_once_twice_or_backwards_changes_no_answer(name: str) -> None:
    site = make_site()
    tell(site, STORIES[name])
    before = answers(site)

    for manner in ("forwards", "backwards and twice"):
        build(site, manner)
        assert answers(site) == before


def test_aggregation_before_the_first_question_changes_no_answer() -> None:
    site = make_site()
    tell(site, STORIES["midnight"])
    build(site, "backwards and twice")

    check_all(site, EVERYTHING)


def test_the_admin_route_of_aggregation_changes_no_answer() -> None:
    site = make_site()
    tell(site, STORIES["midnight"])
    root = Client(headers={"X-API-KEY": make_key(site.website.account, role="admin")})
    before = answers(site)
    for body in ({}, {"date": str(site.today - 2 * DAY)}, {"date": str(site.today)}):
        answer = root.post("/api/v1/admin/aggregate", body, content_type="application/json")
        assert answer.status_code == 200

    assert answers(site) == before


def test_hits_that_come_after_a_build_are_in_the_next_answer() -> None:
    site = make_site()
    tell(site, STORIES["midnight"])
    build(site, "forwards")
    check_all(site, EVERYTHING)

    # The same days, days between and before, and only what is flagged.
    store(site, Load((view(CYD, NOON, "/blog/one"), view(CYD, at(-5), "/"), view(DOT, at(-1, "23:00:00"), "/pricing"))))
    check_all(site, EVERYTHING)
    store(site, Load((view(OFFICE, NOON, "/"), view(CRAWLER, NOON, "/blog/one"), view(OFFICE, at(-40), "/"))))
    check_all(site, EVERYTHING + MORE_QUESTIONS)


def test_eight_builds_at_once_while_hits_arrive_equal_the_oracle() -> None:
    site = make_site()
    store(site, Load(tuple(crowd(40, NOON, "/", "/blog/one"))))
    day = site.today - 2 * DAY

    def build_apart() -> None:
        try:
            aggregate(site, day)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        builds = [pool.submit(build_apart) for _ in range(8)]
        store(site, Load(tuple(crowd(40, NOON, "/pricing", "/", first=100))))
        for done in builds:
            done.result()

    check_all(site, EVERYTHING)


def test_a_second_build_changes_no_row() -> None:
    site = make_site()
    tell(site, STORIES["bots and the excluded"])
    day = site.today - 2 * DAY
    aggregate(site, day)
    before = rollups(site)

    aggregate(site, day)
    assert rollups(site) == before
    assert all(before.values())


def rollups(site: Site) -> dict[str, list[str]]:
    """The rows of the website in every derived table, as text."""
    names = ("analytics_visit", "analytics_siteday", "analytics_pageday", "analytics_dimensionday", "analytics_nameday")
    found: dict[str, list[str]] = {}
    with connection.cursor() as cursor:
        for name in names:
            cursor.execute(f"SELECT t::text FROM {name} t WHERE website_id = %s ORDER BY 1", [site.website.id])
            found[name] = [row[0] for row in cursor.fetchall()]
    return found


@pytest.fixture(params=["Europe/Paris", "America/New_York", "Pacific/Apia"])
def _elsewhere(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A process in another time zone."""
    with monkeypatch.context() as patched:
        patched.setitem(os.environ, "TZ", request.param)
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("_elsewhere")
@pytest.mark.parametrize("name", ["midnight", "the newest second and a year ago"])
def test_the_process_time_zone_changes_no_answer(name: str) -> None:
    site = make_site()
    tell(site, STORIES[name])
    build(site, "forwards")

    check_all(site, EVERYTHING)


# -- the calendar (definition 18, F21) --------------------------------------------------------------------------------

# Today, what is asked, the period, the period compared with.
PERIODS: list[tuple[str, dict[str, str], str, str | None]] = [
    ("2026-03-19", {}, "2026-03-13 2026-03-19", None),
    ("2026-03-19", {"period": "today"}, "2026-03-19 2026-03-19", None),
    ("2026-03-19", {"period": "yesterday"}, "2026-03-18 2026-03-18", None),
    ("2026-03-01", {"period": "yesterday"}, "2026-02-28 2026-02-28", None),
    ("2028-03-01", {"period": "yesterday"}, "2028-02-29 2028-02-29", None),
    ("2027-01-01", {"period": "yesterday"}, "2026-12-31 2026-12-31", None),
    ("2026-03-01", {"period": "7d", "compare": "previous_period"}, "2026-02-23 2026-03-01", "2026-02-16 2026-02-22"),
    ("2028-03-03", {"period": "7d", "compare": "previous_period"}, "2028-02-26 2028-03-03", "2028-02-19 2028-02-25"),
    ("2027-01-03", {"period": "7d", "compare": "previous_period"}, "2026-12-28 2027-01-03", "2026-12-21 2026-12-27"),
    ("2026-03-01", {"period": "30d"}, "2026-01-31 2026-03-01", None),
    ("2028-03-01", {"period": "30d"}, "2028-02-01 2028-03-01", None),
    ("2026-03-19", {"period": "90d"}, "2025-12-20 2026-03-19", None),
    # 365 days, or 366 where a leap day lies among them.
    ("2026-03-19", {"period": "12m"}, "2025-03-20 2026-03-19", None),
    ("2028-02-28", {"period": "12m"}, "2027-03-01 2028-02-28", None),
    ("2028-02-29", {"period": "12m"}, "2027-03-01 2028-02-29", None),
    ("2028-03-01", {"period": "12m"}, "2027-03-02 2028-03-01", None),
    ("2029-02-28", {"period": "12m"}, "2028-02-29 2029-02-28", None),
    ("2026-12-31", {"period": "12m"}, "2026-01-01 2026-12-31", None),
    ("2027-01-01", {"period": "12m"}, "2026-01-02 2027-01-01", None),
    ("2028-12-31", {"period": "12m", "compare": "previous_period"}, "2028-01-01 2028-12-31", "2026-12-31 2027-12-31"),
    ("2028-02-29", {"period": "12m", "compare": "yoy"}, "2027-03-01 2028-02-29", "2026-03-01 2027-02-28"),
    ("2026-01-01", {"period": "ytd"}, "2026-01-01 2026-01-01", None),
    ("2026-12-31", {"period": "ytd"}, "2026-01-01 2026-12-31", None),
    ("2026-01-01", {"period": "ytd", "compare": "previous_period"}, "2026-01-01 2026-01-01", "2025-12-31 2025-12-31"),
    ("2028-02-29", {"period": "ytd", "compare": "yoy"}, "2028-01-01 2028-02-29", "2027-01-01 2027-02-28"),
    ("2028-02-29", {"period": "today", "compare": "yoy"}, "2028-02-29 2028-02-29", "2027-02-28 2027-02-28"),
    ("2028-02-29", {"period": "today", "compare": "previous_period"}, "2028-02-29 2028-02-29", "2028-02-28 2028-02-28"),
    ("2029-02-28", {"period": "today", "compare": "yoy"}, "2029-02-28 2029-02-28", "2028-02-28 2028-02-28"),
    ("2029-03-03", {"period": "7d", "compare": "yoy"}, "2029-02-25 2029-03-03", "2028-02-25 2028-03-03"),
    # The website of this table was made on 5 January 2026.
    ("2026-03-19", {"period": "all"}, "2026-01-05 2026-03-19", None),
    ("2026-01-05", {"period": "all", "compare": "previous_period"}, "2026-01-05 2026-01-05", "2026-01-04 2026-01-04"),
    ("2026-03-19", {"start_date": "2026-03-10"}, "2026-03-10 2026-03-19", None),
    ("2026-03-19", {"start_date": "2026-03-19", "period": "90d"}, "2026-03-19 2026-03-19", None),
    ("2026-03-19", {"start_date": "2026-02-01", "end_date": "2026-02-10"}, "2026-02-01 2026-02-10", None),
    ("2026-03-19", {"start_date": "2026-03-18", "end_date": "2026-04-02"}, "2026-03-18 2026-04-02", None),
    ("2026-03-19", {"start_date": "2026-04-01", "end_date": "2026-04-02"}, "2026-04-01 2026-04-02", None),
    (
        "2026-03-19",
        {"start_date": "2028-02-29", "end_date": "2028-02-29", "compare": "yoy"},
        "2028-02-29 2028-02-29",
        "2027-02-28 2027-02-28",
    ),
    (
        "2026-03-19",
        {"start_date": "2026-01-01", "end_date": "2026-03-31", "compare": "previous_period"},
        "2026-01-01 2026-03-31",
        "2025-10-03 2025-12-31",
    ),
]


@pytest.mark.parametrize("clock", ["00:00:00", "23:59:59.999"])
def test_periods_are_those_of_the_calendar(clock: str) -> None:
    site = make_site()
    Website.objects.filter(id=site.website.id).update(created_at=datetime(2026, 1, 5, 23, 30, tzinfo=UTC))
    for today, query, period, comparison in PERIODS:
        site.now = datetime.fromisoformat(f"{today}T{clock}+00:00")
        data = json_data(get(site, "summary", query))

        start, end = period.split()
        assert data["period"] == {"start": start, "end": end}, (today, query)
        assert data["comparison"] == (comparison and comparison.replace(" ", " to ")), (today, query)


def test_every_report_names_its_period_and_has_zeros_for_days_to_come() -> None:
    site = make_site()
    tell(site, STORIES["midnight"])

    check_all(site, [asked._replace(days=(-1, 5)) for asked in EVERYTHING])
    check_all(site, [asked._replace(days=(3, 5)) for asked in EVERYTHING])


def test_all_begins_with_the_first_stored_event_even_a_flagged_one() -> None:
    site = make_site()
    tell(site, STORIES["bots and the excluded"])

    period = json_data(get(site, "pages", {"period": "all"}))["period"]
    assert period == {"start": str(site.today - 7 * DAY), "end": str(site.today)}


@pytest.mark.parametrize(
    "query",
    [
        {"end_date": "2026-03-01"},
        {"start_date": "2026-03-02", "end_date": "2026-03-01"},
        {"start_date": "2999-01-01"},
        {"start_date": "2026-02-29"},
        {"start_date": "2026-3-1"},
        {"start_date": "20260301"},
        {"period": "8d"},
        {"compare": "year"},
    ],
)
def test_a_period_that_is_none_is_refused(query: dict[str, str]) -> None:
    site = make_site()
    answer = site.client.get("/api/v1/reports/summary", {"website_id": site.id, **query})

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "INVALID_PAYLOAD"
