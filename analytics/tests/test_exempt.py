"""Exempt websites: no more is stored than audience measurement needs, and nothing is told of a few (guarantee P14)."""

import json
import re
from typing import Any

import pytest
from django.forms import model_to_dict
from django.test import Client

from accounts.models import Website
from accounts.tests.builders import make_user
from analytics.ingest.grants import grants
from analytics.models import DimensionDay, Drop, Event, Group, Order, Profile, Visit, WidgetReach
from analytics.models.rollups import Dimension
from analytics.reports.exemption import LEAST_VISITORS
from analytics.rollups.build import fresh
from analytics.tests.builders import (
    CHROME,
    IPHONE,
    a_body,
    collect,
    data,
    load,
    make_key,
    make_website,
    noon,
    report,
)
from analytics.tests.panel import Panel
from analytics.tests.places import write_places
from analytics.tests.tracking import discover, engage, make_event, today
from analytics.tests.widgets import BEST, ask, checkout, make_token
from analytics.vocabulary import NO_CHANNEL
from submissions import calendars

pytestmark = pytest.mark.django_db(transaction=True)

CAMPAIGN = {
    "url": "https://acme.example/?utm_source=news&utm_medium=email&utm_campaign=spring",
    "referrer": "https://www.google.com/search?q=canary",
    "properties": {"plan": "canary"},
}
COLUMNS = ("channel", "utm_source", "utm_medium", "utm_campaign", "properties", "client_session", "profile")


@pytest.fixture
def acme() -> Website:
    return make_website(mode=Website.Mode.EXEMPT)


def stored(*columns: str) -> list[dict[str, Any]]:
    return [model_to_dict(event, fields=columns) for event in Event.objects.order_by("id")]


# -- what is stored ---------------------------------------------------------------------------------------------------


def test_an_event_is_stored_without_campaign_channel_and_properties(client: Client, acme: Website) -> None:
    assert collect(client, a_body(acme, **CAMPAIGN)).status_code == 202
    assert collect(client, a_body(acme, event_type="custom", properties={"event_name": "signup"})).status_code == 202
    nothing = dict.fromkeys(COLUMNS) | {"channel": NO_CHANNEL}
    assert stored(*COLUMNS) == [nothing, nothing]
    assert [event.name for event in Event.objects.order_by("id")] == [None, "signup"]
    assert {event.referrer for event in Event.objects.all()} == {"google.com", None}
    assert not Drop.objects.exists()


def test_another_website_keeps_all_of_it(client: Client) -> None:
    collect(client, a_body(make_website(), **CAMPAIGN))
    (event,) = stored(*COLUMNS)
    assert (event["utm_source"], event["properties"], event["channel"]) == ("news", {"plan": "canary"}, 5)


def test_of_a_place_only_the_country_is_kept(client: Client, acme: Website, tmp_path: Any, settings: Any) -> None:
    settings.GEOIP = write_places(tmp_path / "places.mmdb")
    collect(client, a_body(acme), REMOTE_ADDR="203.0.113.9")
    collect(client, a_body(make_website(domain="other.example")), REMOTE_ADDR="203.0.113.9")
    exempt, standard = stored("country", "region", "city")
    assert standard["country"]
    assert standard["city"]
    assert exempt == {"country": standard["country"], "region": None, "city": None}


def test_a_visit_of_it_has_no_channel_in_any_roll_up(client: Client, acme: Website) -> None:
    collect(client, a_body(acme, **CAMPAIGN))
    fresh(acme.id, today(), today(), now=noon(-1))
    found = set(DimensionDay.objects.values_list("dimension", flat=True))
    assert Dimension.REFERRER in found
    assert not found & {Dimension.CHANNEL, Dimension.UTM}
    visit = Visit.objects.get()
    assert (visit.channel, visit.utm_source) == (NO_CHANNEL, None)


def test_the_calendars_calls_keep_what_they_are_about_and_no_session(client: Client, acme: Website) -> None:
    event = make_event(calendars.of_website(acme))
    engage(client, event, sessionId="canary", source="list")
    discover(client, "search", searchQuery="jazz", sessionId="canary", HTTP_ORIGIN="https://acme.example")
    assert [row["properties"] for row in stored("properties")] == [
        {"eventKey": event.key, "source": "list"},
        {"searchQuery": "jazz", "matches": 1},
    ]
    assert {row["client_session"] for row in stored("client_session")} == {None}
    fresh(acme.id, today(), today(), now=noon(-1))


def test_a_widget_counts_without_knowing_its_visitor(acme: Website) -> None:
    token = make_token(acme)
    for who in ("canary", "canary", "other"):
        ask(f"{BEST}/render", token, ("segments[]", "tier:canary"), analytics_id=who, ab_testing="1")
    for who in ("canary", "other"):
        bought = checkout(token, "T-1", "a:1.50", analytics_id=who, referrer="https://acme.example/thanks")
        assert bought.status_code == 200
    assert "canary" not in json.dumps(stored("properties", "client_session", "path"))
    order = Order.objects.get()
    assert (str(order.total), order.analytics_id, order.referrer, order.segments) == ("1.5000", "", "", {})
    fresh(acme.id, today(), today(), now=noon(-1))
    # All three came from one address and browser.
    assert {reach.person for reach in WidgetReach.objects.all()} == {Event.objects.first().visitor}


@pytest.mark.parametrize(
    ("type_", "payload"),
    [
        ("identify", {"profileId": "joe", "email": "canary@example.test"}),
        ("increment", {"profileId": "joe", "property": "visits"}),
        ("group", {"id": "g", "type": "company", "name": "Canary"}),
        ("assign_group", {"profileId": "joe", "groupIds": ["g"]}),
    ],
)
def test_no_person_and_no_group_is_known_and_the_call_is_answered_and_counted(
    acme: Website, type_: str, payload: dict[str, Any]
) -> None:
    answer = Panel(acme).send(type_, payload)
    assert (answer.status_code, set(answer.json())) == (200, {"deviceId", "sessionId"})
    assert (Profile.objects.count(), Group.objects.count(), Event.objects.count()) == (0, 0, 0)
    assert list(Drop.objects.values_list("dialect", "reason", "website_id")) == [
        ("openpanel", "exempt_website", acme.id)
    ]


def test_an_event_of_a_product_names_nobody(acme: Website) -> None:
    rider = {"profileId": "joe", "email": "canary@example.test"}
    answer = Panel(acme).track("signup", profileId="joe", properties={"plan": "pro", "__identify": rider})
    assert answer.status_code == 200
    assert stored("name", "profile", "properties") == [{"name": "signup", "profile": None, "properties": None}]
    assert (Profile.objects.count(), Drop.objects.count()) == (0, 0)


def test_what_was_stored_before_stays_and_what_comes_from_then_on_is_exempt(client: Client) -> None:
    acme = make_website()
    collect(client, a_body(acme, **CAMPAIGN))
    Website.objects.update(mode=Website.Mode.EXEMPT)
    grants.forget()
    collect(client, a_body(acme, **CAMPAIGN))
    assert [row["utm_source"] for row in stored("utm_source")] == ["news", None]


# -- what is told -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("funnel", {"steps[]": ["/", "/a"]}),
        ("sources", {}),
        ("sources", {"group_by": "utm"}),
        ("experiments", {}),
        ("segments", {}),
        ("summary", {"filter[channel]": "Direct"}),
        ("pages", {"filter_not[utm_source]": "news"}),
    ],
)
def test_reports_of_what_is_not_kept_are_refused_with_a_sentence(
    client: Client, acme: Website, name: str, query: dict[str, Any]
) -> None:
    key = make_key(acme.account)
    answer = report(client, name, acme, key, **query)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "INVALID_PAYLOAD")
    assert answer.json()["error"]["message"].startswith("This website is exempt")
    assert report(client, name, make_website(acme.account, "standard.example"), key, **query).status_code == 200


def test_referrers_are_told_by_host(client: Client, acme: Website) -> None:
    load(acme, {"at": noon(), "referrer": "https://www.google.com/"})
    rows = data(client, "sources", acme, make_key(acme.account), group_by="domain")["rows"]
    assert rows == [{"referrer": "google.com", "visits": 1}]


def test_single_events_are_not_exported(client: Client, acme: Website) -> None:
    panel = Panel(acme, right="root")
    panel.track("signup")
    answer = client.get("/export/events", headers=panel.trusted)
    assert (answer.status_code, "exempt" in answer.json()["message"]) == (403, True)


def visits(website: Website, number: int, *, path: str = "/", user_agent: str = CHROME, first: int = 1) -> None:
    """So many visitors of one page on one day, each from an address of their own."""
    load(
        website,
        *(
            {"at": noon(), "path": path, "ip": f"198.51.100.{first + n}", "user_agent": user_agent}
            for n in range(number)
        ),
    )


MOBILE = {"filter[device]": "mobile"}


def test_filtered_numbers_of_fewer_than_five_visitors_are_withheld_and_it_is_said(
    client: Client, acme: Website
) -> None:
    key = make_key(acme.account)
    visits(acme, 9, path="/a")
    visits(acme, LEAST_VISITORS - 1, path="/b", user_agent=IPHONE, first=100)
    summary = data(client, "summary", acme, key, compare="previous_period", **MOBILE)
    assert {number["value"] for number in summary["metrics"].values()} == {None}
    pages = data(client, "pages", acme, key, **MOBILE)
    series = data(client, "timeseries", acme, key, **MOBILE)["series"]
    assert (pages["rows"], {point["value"] for point in series}) == ([], {None})
    assert pages["suppressed"] == summary["suppressed"] == {"least_visitors": LEAST_VISITORS, "all": True}
    csv = report(client, "summary", acme, key, format="csv", **MOBILE).content.decode()
    assert "visits,," in csv


def test_with_the_fifth_visitor_they_are_told(client: Client, acme: Website) -> None:
    key = make_key(acme.account)
    visits(acme, 9, path="/a")
    visits(acme, LEAST_VISITORS, path="/b", user_agent=IPHONE, first=100)
    pages = data(client, "pages", acme, key, **MOBILE)
    assert [(row["path"], row["pageviews"]) for row in pages["rows"]] == [("/b", LEAST_VISITORS)]
    assert pages["suppressed"] == {"least_visitors": LEAST_VISITORS, "all": False}
    assert data(client, "summary", acme, key, **MOBILE)["metrics"]["visits"]["value"] == LEAST_VISITORS


def test_one_visitor_who_comes_often_is_one(client: Client, acme: Website) -> None:
    key = make_key(acme.account)
    visits(acme, 9, path="/a")
    load(acme, *({"at": noon().replace(hour=hour), "path": "/b", "user_agent": IPHONE} for hour in range(2, 12)))
    assert data(client, "summary", acme, key)["metrics"]["visits"]["value"] == 19
    assert data(client, "pages", acme, key, **MOBILE)["suppressed"]["all"] is True


@pytest.mark.parametrize("query", [{"filter_not[device]": "mobile"}, {"filter[device]": "desktop"}])
def test_a_few_are_not_told_by_leaving_them_out(client: Client, acme: Website, query: dict[str, str]) -> None:
    key = make_key(acme.account)
    visits(acme, 9, path="/a")
    visits(acme, 2, path="/b", user_agent=IPHONE, first=100)
    assert data(client, "pages", acme, key, **query)["suppressed"]["all"] is True


def test_rows_of_a_few_are_left_out_of_every_filtered_list(client: Client, acme: Website) -> None:
    key = make_key(acme.account)
    visits(acme, 9, path="/a")
    visits(acme, 2, path="/rare")
    visits(acme, 9, path="/a", user_agent=IPHONE, first=100)
    rare = {"event_type": "custom", "path": "/a", "properties": {"name": "rare"}}
    load(acme, {"at": noon(), "ip": "198.51.100.1", **rare})
    desktop = {"filter[device]": "desktop"}
    pages = data(client, "pages", acme, key, **desktop)["rows"]
    flow = data(client, "flow", acme, key, **desktop)
    assert [row["path"] for row in pages] == ["/a"]
    assert [row["path"] for row in flow["landing_pages"]] == [row["path"] for row in flow["exit_pages"]] == ["/a"]
    assert data(client, "custom-events", acme, key, **desktop)["rows"] == []


def test_devices_of_a_few_are_left_out_of_a_pages_list(client: Client, acme: Website) -> None:
    key = make_key(acme.account)
    visits(acme, 9, path="/a")
    visits(acme, 9, path="/a", user_agent=IPHONE, first=100)
    on_page = {"filter[page]": "/a"}
    visits(acme, 1, path="/a", user_agent=CHROME.replace("Windows NT 10.0; Win64; x64", "X11; Linux x86_64"), first=200)
    systems = data(client, "devices", acme, key, **on_page)["os_families"]
    assert {row["osFamily"] for row in systems} == {"Windows", "iOS"}


def test_without_a_filter_and_of_other_websites_everything_is_told(client: Client, acme: Website) -> None:
    key = make_key(acme.account)
    standard = make_website(acme.account, "standard.example")
    for website in (acme, standard):
        visits(website, 9, path="/a")
        visits(website, 1, path="/b", user_agent=IPHONE, first=100)
    pages = data(client, "pages", acme, key)
    assert [row["path"] for row in pages["rows"]] == ["/a", "/b"]
    filtered = data(client, "pages", standard, key, **MOBILE)
    assert [row["path"] for row in filtered["rows"]] == ["/b"]
    assert "suppressed" not in pages.keys() | filtered.keys()


def test_an_hour_or_day_of_a_few_is_a_gap_in_the_series(client: Client, acme: Website) -> None:
    key = make_key(acme.account)
    visits(acme, 9, path="/a")
    visits(acme, 9, path="/a", user_agent=IPHONE, first=100)
    load(acme, {"at": noon(2), "path": "/a", "user_agent": IPHONE})
    series = data(client, "timeseries", acme, key, metric="visits", **MOBILE)["series"]
    values = {point["date"]: point["value"] for point in series}
    assert (values[str(noon(2).date())], values[str(noon(1).date())], values[str(noon(3).date())]) == (None, 9, 0)
    assert report(client, "timeseries", acme, key, path="/a", **MOBILE).status_code == 400


# -- the dashboard ----------------------------------------------------------------------------------------------------


@pytest.fixture
def office(acme: Website) -> Client:
    browser = Client()
    browser.force_login(make_user(acme.account, login="acme"))
    return browser


def page(office: Client, website: Website, **query: str) -> str:
    answer = office.get(f"/dashboard/{website.public_id}", query)
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return re.sub(r"\s+", " ", content.decode())


def test_the_dashboard_leaves_out_what_is_not_kept_and_says_why(office: Client, acme: Website) -> None:
    visits(acme, 9)
    shown = page(office, acme)
    assert "it keeps no channels and no campaigns" in shown
    assert "tab_sources=channels" not in shown
    assert '<option value="utm_source">' not in shown
    assert '<option value="country">' in shown
    standard = page(office, make_website(acme.account, "standard.example"))
    assert "exempt" not in standard


def test_the_dashboard_says_that_numbers_are_withheld(office: Client, acme: Website) -> None:
    visits(acme, 9, path="/a")
    visits(acme, 2, path="/rare", user_agent=IPHONE, first=100)
    few = page(office, acme, **MOBILE)
    assert "Withheld: fewer than 5 visitors" in few
    assert "Withheld: too few visitors." in few
    assert "/rare" not in few
    visits(acme, 9, path="/a", user_agent=IPHONE, first=120)
    more = page(office, acme, **MOBILE)
    assert "Rows of fewer than 5 visitors are withheld." in more
    assert "/rare" not in more
    assert "/a" in more
    listed = page(office, acme, **{"filter[channel]": "Direct"})
    assert "exempt" in listed


@pytest.mark.parametrize("tab", ["channels", "campaigns", "experiment"])
def test_lists_and_files_of_what_is_not_kept_are_refused(office: Client, acme: Website, tab: str) -> None:
    visits(acme, 1)
    for kind in ("list", "csv"):
        answer = office.get(f"/dashboard/{acme.public_id}/{kind}/{tab}")
        assert (answer.status_code, b"This website is exempt" in answer.content) == (400, True)
