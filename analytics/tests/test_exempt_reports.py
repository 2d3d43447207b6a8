"""What is told of an exempt website: nothing that it does not keep, and nothing of a few (guarantee P14)."""

import re
from typing import Any

import jsonschema_rs
import pytest
from django.test import Client

from accounts.models import Website
from accounts.tests.builders import make_user
from analytics.api.v1.documentation import ANSWERS
from analytics.ingest.grants import grants
from analytics.models import Event
from analytics.reports.exemption import LEAST_VISITORS
from analytics.tests.builders import CHROME, IPHONE, data, load, make_key, make_website, noon, report
from analytics.tests.panel import Panel

pytestmark = pytest.mark.django_db


@pytest.fixture
def acme() -> Website:
    return make_website(mode=Website.Mode.EXEMPT)


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


@pytest.mark.parametrize("name", ["summary", "pages", "sources", "devices", "flow", "custom-events", "timeseries"])
def test_every_filtered_answer_is_one_that_the_document_knows(client: Client, acme: Website, name: str) -> None:
    key = make_key(acme.account)
    visits(acme, 9)
    query = {"compare": "previous_period"} | ({"group_by": "domain"} if name == "sources" else {})
    for device, is_withheld in (("desktop", False), ("mobile", True)):
        answer = data(client, name, acme, key, **query, **{"filter[device]": device})
        assert answer["suppressed"]["all"] == is_withheld
        jsonschema_rs.validate(ANSWERS[name], answer)


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


def test_a_page_that_many_see_and_few_begin_with_is_no_landing_page(client: Client, acme: Website) -> None:
    key = make_key(acme.account)
    seconds = (noon(), noon().replace(second=30))
    few = [{"at": at, "path": "/b", "ip": f"198.51.100.{n}"} for n in (100, 101) for at in seconds]
    many = [
        {"at": at, "path": path, "ip": f"198.51.100.{n}"}
        for n in range(1, 10)
        for at, path in zip(seconds, ("/a", "/b"), strict=True)
    ]
    load(acme, *many, *few)
    visits(acme, 9, path="/c", user_agent=IPHONE)
    desktop = {"filter[device]": "desktop"}
    flow = data(client, "flow", acme, key, **desktop)
    assert flow["landing_pages"] == [{"path": "/a", "entries": 9}]
    assert flow["exit_pages"] == [{"path": "/b", "exits": 11}]
    assert {row["path"] for row in data(client, "pages", acme, key, **desktop)["rows"]} == {"/a", "/b"}


def test_a_page_that_a_few_saw_under_another_group_is_one_row_only(client: Client, acme: Website) -> None:
    key = make_key(acme.account)
    for group, number in (("One", 9), ("Two", 2)):
        Website.objects.filter(pk=acme.pk).update(content_groups=[{"name": group, "pattern": "/a"}])
        grants.forget()
        visits(acme, number, path="/a")
    visits(acme, 9, path="/c", user_agent=IPHONE)
    rows = data(client, "pages", acme, key, **{"filter[device]": "desktop"})["rows"]
    assert [(row["contentGroup"], row["pageviews"]) for row in rows] == [("One", 9)]


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


def test_single_events_are_shown_without_what_tells_one_visitor_from_another(office: Client, acme: Website) -> None:
    load(acme, {"at": noon(), "path": "/a", "referrer": "https://www.google.com/"})
    Event.objects.update(country="FR")
    pages = {"integration": f"/admin/integration/{acme.public_id}/", "arrival": f"/dashboard/{acme.public_id}/arrival"}
    shown = {name: office.get(address).content.decode() for name, address in pages.items()}
    assert [("/a" in text, "FR" in text, "Chrome" in text) for text in shown.values()] == [(True, False, False)] * 2
    assert "exempt" in shown["integration"]
    assert f"{Event.objects.get().visitor & (2**64 - 1):016x}" not in shown["integration"]
    Website.objects.update(mode=Website.Mode.STANDARD)
    assert all("FR" in office.get(address).content.decode() for address in pages.values())


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


@pytest.mark.parametrize("tab", ["channels", "campaigns", "experiment", "outbound"])
def test_lists_and_files_of_what_is_not_kept_are_refused(office: Client, acme: Website, tab: str) -> None:
    visits(acme, 1)
    for kind in ("list", "csv"):
        answer = office.get(f"/dashboard/{acme.public_id}/{kind}/{tab}")
        assert (answer.status_code, b"This website is exempt" in answer.content) == (400, True)
