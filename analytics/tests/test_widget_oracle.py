"""Reports on widgets are equal to what a few lines of Python make of any history (definitions 29 to 32).

The acts go through the room as calls do, at moments in the past; the oracle knows the acts alone.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Client as Token
from accounts.models import Website
from analytics import money
from analytics.api.widgets.endpoints import checkout, widget
from analytics.api.widgets.tokens import Permit
from analytics.ingest import as_row
from analytics.ingest.hit import Hit
from analytics.ingest.website import websites
from analytics.ingest.writer import store_once
from analytics.tests.builders import CHROME, GOOGLEBOT, data, make_account, make_key, make_website
from analytics.tests.tracking import enriched
from analytics.tests.widgets import address, make_token
from tinytrail.web.call import Call

pytestmark = pytest.mark.django_db(transaction=True)

FIRST = datetime(2026, 3, 10, tzinfo=UTC)
DAYS = 3
PEOPLE = ("ann", "ann", "ben", "bot")
WINDOWS = {"30m": timedelta(minutes=30), "24h": timedelta(hours=24), "14d": timedelta(days=14)}


@dataclass(frozen=True)
class Act:
    """Something done with a widget or a medium; `place` is the path between the widget and the action."""

    at: datetime
    who: str
    widget: str
    place: str
    media: int | None
    action: str
    arm: int | None
    segments: tuple[tuple[str, str], ...]

    @property
    def is_impression(self) -> bool:
        return self.media is None and self.action == "render"

    @property
    def is_interaction(self) -> bool:
        return self.action != "render"


@dataclass(frozen=True)
class Sale:
    at: datetime
    who: str
    amount: Decimal
    currency: str


# Minutes at both ends of days and around the windows' ends.
MOMENTS = st.builds(
    lambda day, minute: FIRST + timedelta(days=day, minutes=minute),
    st.integers(0, DAYS - 1),
    st.sampled_from([0, 30, 31, 60, 1439]),
)
ACTS = st.builds(
    lambda at, who, widget, done, arm, segments: Act(at, who, widget, *done, arm, segments),
    MOMENTS,
    st.sampled_from(PEOPLE),
    st.sampled_from(["w1", "w2"]),
    st.one_of(
        st.tuples(
            st.sampled_from(["best", "stream/1", "category/1"]),
            st.none(),
            st.sampled_from(["render", "render", "move", "view_all"]),
        ),
        st.just(("stream/not_found", None, "render")),
        st.tuples(
            st.sampled_from(["best", "stream/1", "category/1"]),
            st.sampled_from([5, 6, 10]),
            st.sampled_from(["render", "view", "click", "shop", "shop"]),
        ),
    ),
    st.sampled_from([None, 1, 2]),
    st.sampled_from([(), (("country", "US"),), (("country", "FR"), ("a", "b:c"))]),
)
SALES = st.builds(
    Sale,
    MOMENTS,
    st.sampled_from(PEOPLE),
    st.sampled_from([Decimal("0"), Decimal("1.25"), Decimal("100"), Decimal("0.0001")]),
    st.sampled_from(["EUR", "EUR", "JPY"]),
)


# -- telling the product ----------------------------------------------------------------------------------------------


def tell(website: Website, token: Token, acts: Sequence[Act], sales: Sequence[Sale]) -> None:
    site = websites.find(website.public_id)
    assert site
    permit = Permit(site, token.id, frozenset())
    found = [read(widget, act.at, act.who, permit, *of_act(act)) for act in acts]
    found += [read(checkout, sale.at, sale.who, permit, *of_sale(sale, n)) for n, sale in enumerate(sales)]
    store_once([as_row(enriched(hit, site), site) for hit in found])


def read(endpoint: Any, at: datetime, who: str, permit: Permit, path: str, pairs: list[tuple[str, str]]) -> Hit:  # noqa: ANN401
    link = address(path, Token(token="t"), ("analytics_id", who), *pairs)
    headers = {"user-agent": GOOGLEBOT if who == "bot" else CHROME}
    call = Call("GET", path, link.partition("?")[2], headers, b"", "203.0.113.9")
    hit = endpoint.take(call, now=at).admit(permit)
    assert isinstance(hit, Hit), link
    return hit


def of_act(act: Act) -> tuple[str, list[tuple[str, str]]]:
    media = "" if act.media is None else f"/media/{act.media}"
    pairs = [("pics", "3"), *(("segments[]", f"{key}:{value}") for key, value in act.segments)]
    arm = [] if act.arm is None else [("ab_testing", str(act.arm))]
    return f"/track/widget/{act.widget}/{act.place}{media}/{act.action}", pairs + arm


def of_sale(sale: Sale, number: int) -> tuple[str, list[tuple[str, str]]]:
    pairs = [("products[]", f"p:{sale.amount}"), ("currency_code", sale.currency)]
    return f"/track/transaction/T-{number}/checkout", pairs


# -- the oracle -------------------------------------------------------------------------------------------------------

Labels = Callable[[Act], list[Any]]


def by_widget(act: Act) -> list[Any]:
    return [act.widget]


def by_stream(act: Act) -> list[Any]:
    kind, _, number = act.place.partition("/")
    return [int(number) if number.isdigit() else number] if kind == "stream" else []


def by_media(act: Act) -> list[Any]:
    return [] if act.media is None else [act.media]


def by_segment(act: Act) -> list[Any]:
    return [f"{key}:{value}" for key, value in act.segments]


def percent(part: int, whole: int) -> float:
    return float((Decimal(part) * 100 / whole).quantize(Decimal("0.01"), "ROUND_HALF_UP")) if whole else 0.0


def people(acts: Iterable[Act]) -> int:
    return len({act.who for act in acts})


def widgets(acts: list[Act], labels: Labels, name: str) -> list[dict[str, Any]]:
    rows = []
    for label in {label for act in acts for label in labels(act)}:
        own = [act for act in acts if label in labels(act)]
        impressions, interactions = (
            [act for act in own if act.is_impression],
            [act for act in own if act.is_interaction],
        )
        if impressions or interactions:
            rows.append(
                {
                    name: label,
                    "impressions": len(impressions),
                    "emptyRenders": sum(act.place == "stream/not_found" for act in own),
                    "interactions": len(interactions),
                    "viewers": people(impressions),
                    "interactors": people(interactions),
                    "interactionRate": percent(people(interactions), people(impressions)),
                    "shopClicks": sum(act.action == "shop" for act in own),
                }
            )
    return sorted(rows, key=lambda row: (-row["impressions"], str(row[name])))


def media(acts: list[Act]) -> list[dict[str, Any]]:
    rows = []
    for medium in {act.media for act in acts if act.media is not None}:
        count = {
            action: sum(act.media == medium and act.action == action for act in acts)
            for action in ("render", "view", "click", "shop")
        }
        rows.append(
            {
                "media": medium,
                "renders": count["render"],
                "views": count["view"],
                "clicks": count["click"],
                "shop": count["shop"],
                "clickThrough": percent(count["shop"], count["view"]),
            }
        )
    return sorted(rows, key=lambda row: (-row["shop"], -row["views"], str(row["media"])))


def revenue(acts: list[Act], sales: list[Sale], labels: Labels, name: str, window: timedelta) -> list[dict[str, Any]]:
    credit: dict[tuple[Any, str], list[tuple[Decimal, Decimal]]] = {}
    for sale in sales:
        before = [act for act in acts if act.who == sale.who and sale.at - window <= act.at <= sale.at]
        touched = {label for act in before for label in labels(act) if label != "not_found"}
        for label in touched:
            credit.setdefault((label, sale.currency), []).append((sale.amount, sale.amount / len(touched)))
    rows = [
        {
            name: label,
            "currency": currency,
            "orders": len(shares),
            "influenced": money.text(sum((whole for whole, _ in shares), Decimal())),
            "linear": money.text(sum((share for _, share in shares), Decimal())),
        }
        for (label, currency), shares in credit.items()
    ]
    return sorted(rows, key=lambda row: (-row["orders"], str(row[name]), row["currency"]))


def arms(acts: list[Act], sales: list[Sale]) -> tuple[list[tuple[int, int, int]], int]:
    """Each arm with its participants and conversions, and how many visitors were in two."""
    of: dict[str, set[int]] = {}
    first: dict[str, datetime] = {}
    for act in acts:
        if act.arm is not None:
            of.setdefault(act.who, set()).add(act.arm)
            first[act.who] = min(first.get(act.who, act.at), act.at)
    rows = []
    for arm in sorted({arm for found in of.values() if len(found) == 1 for arm in found}):
        members = [who for who, found in of.items() if found == {arm}]
        bought = [who for who in members if any(sale.who == who and sale.at >= first[who] for sale in sales)]
        rows.append((arm, len(members), len(bought)))
    return rows, sum(len(found) == 2 for found in of.values())


# -- both -------------------------------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    acts=st.lists(ACTS, min_size=5, max_size=30),
    sales=st.lists(SALES, max_size=6),
    days=st.sampled_from([(0, 2), (1, 1), (0, 0)]),
)
def test_every_report_is_what_the_history_says(
    client: Client, settings: Any, acts: list[Act], sales: list[Sale], days: tuple[int, int]
) -> None:
    settings.LIMITS = settings.LIMITS | {"API_KEY": None}
    website = make_website(make_account(), f"w{uuid4().hex}.example")
    tell(website, make_token(website), acts, sales)
    start, end = (FIRST.date() + timedelta(days=day) for day in days)
    key = make_key(website.account)

    def told(name: str, **more: str) -> dict[str, Any]:
        asked = {"start_date": str(start), "end_date": str(end), "per_page": "500"}
        found: dict[str, Any] = data(client, name, website, key, **asked | more)
        return found

    human = [act for act in acts if act.who != "bot"]
    seen = [act for act in human if is_within(act.at, start, end)]
    sold = [sale for sale in sales if is_within(sale.at, start, end) and sale.who != "bot"]
    assert told("widgets")["rows"] == widgets(seen, by_widget, "widget")
    assert told("widgets", by="stream")["rows"] == widgets(seen, by_stream, "stream")
    assert told("media")["rows"] == media(seen)
    for by, labels in (("widget", by_widget), ("stream", by_stream), ("media", by_media), ("segment", by_segment)):
        for window, length in WINDOWS.items():
            # Touches before the first day count, too.
            assert told("revenue", by=by, window=window)["rows"] == revenue(human, sold, labels, by, length)
    totals = told("revenue")["totals"]
    assert {row["currency"]: row["revenue"] for row in totals} == {
        currency: money.text(sum((s.amount for s in sold if s.currency == currency), Decimal()))
        for currency in {sale.currency for sale in sold}
    }
    experiment = told("experiments")
    found = [(arm["arm"], arm["participants"], arm["conversions"]) for arm in experiment["arms"]]
    assert (found, experiment["contaminated"]) == arms(seen, sold)
    rows = told("segments")["rows"]
    assert {f"{row['key']}:{row['value']}": row["impressions"] for row in rows} == {
        label: sum(act.is_impression and label in by_segment(act) for act in seen)
        for label in {label for act in seen for label in by_segment(act)}
    }


def is_within(moment: datetime, start: date, end: date) -> bool:
    return start <= moment.date() <= end
