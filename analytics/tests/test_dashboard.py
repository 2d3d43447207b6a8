"""The dashboard as a page: what stands on it, what its links lead to, who may see it (definitions; A63, A74)."""

import csv
import io
import re
from datetime import timedelta
from html.parser import HTMLParser
from uuid import uuid4

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone

from accounts.models import User
from accounts.removal import remove_website
from analytics.dashboard.cards import CARDS, TABS
from analytics.models import RecentDrop
from analytics.tests.builders import CHROME, IPHONE, data, load, make_account, make_key, make_website, noon
from analytics.tests.test_admin import signed_in
from analytics.tests.tracking import acted, make_calendar, make_event, tell

pytestmark = pytest.mark.django_db

HOSTILE = ['<script>alert("x")</script>', '"><img src=x onerror=alert(1)>', "javascript:alert(1)", "'}}{% now %}"]
SOCIAL = "https://www.facebook.com/"


@pytest.fixture
def acme():
    website = make_website(content_groups=[{"name": "Blog", "pattern": "/blog*"}])
    moment = noon()
    load(
        website,
        {"at": moment, "path": "/", "referrer": SOCIAL},
        {"at": moment + timedelta(seconds=30), "path": "/blog"},
        {"at": moment + timedelta(seconds=60), "event_type": "custom", "properties": {"event_name": "signup"}},
        {
            "at": moment + timedelta(seconds=90),
            "event_type": "outbound_link",
            "properties": {"href": "https://partner.example/"},
        },
        {"at": moment, "path": "/", "ip": "203.0.113.10", "user_agent": IPHONE},
        {"at": moment - timedelta(days=2), "path": "/blog/one", "utm_source": "mail", "ip": "203.0.113.11"},
    )
    return website


@pytest.fixture
def owner(client, acme):
    return signed_in(client, acme.account)


def address(website, rest=""):
    return f"/dashboard/{website.public_id}{rest}"


def text_of(answer):
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return content.decode()


def page(client, website, **query):
    answer = client.get(address(website), query)
    assert answer.status_code == 200
    return text_of(answer)


class Cells(HTMLParser):
    """The texts of table rows, and the links in them."""

    def __init__(self):
        super().__init__()
        self.rows, self.links, self.depth = [], [], 0

    def handle_starttag(self, tag, attributes):
        if tag == "tr":
            self.rows.append([])
        if tag in ("th", "td"):
            self.rows[-1].append("")
            self.depth += 1
        if tag == "a" and self.depth:
            self.links.append(dict(attributes)["href"])

    def handle_endtag(self, tag):
        if tag in ("th", "td"):
            self.depth -= 1

    def handle_data(self, found):
        if self.depth:
            self.rows[-1][-1] += found.strip()


def part(client, website, name, **query):
    """One part of the page: its rows without the heading, and their links."""
    answer = client.get(address(website), query | {"part": name})
    assert answer.status_code == 200
    cells = Cells()
    cells.feed(answer.content.decode())
    return cells


def rows(client, website, name, **query):
    return [[cell.removesuffix("↗") for cell in row] for row in part(client, website, name, **query).rows[1:]]


def totals(text):
    names = re.findall(r'<span class="name">([^<]*)</span>\s*<span class="value">([^<]*)</span>', text)
    return dict(names)


def exported(client, website, tab, **query):
    answer = client.get(address(website, f"/csv/{tab}"), query)
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/csv; charset=utf-8")
    assert answer["Cache-Control"].startswith("no-store")
    return list(csv.DictReader(io.StringIO(answer.content.decode(), newline="")))


def test_it_shows_the_totals_of_thirty_days(owner, acme):
    assert totals(page(owner, acme)) == {
        "Daily visitors": "3",
        "Visits": "3",
        "Pageviews": "4",
        "Pages per visit": "1.33",
        "Bounce rate": "66.7%",
        "Visit duration": "30s",
    }


def test_its_numbers_are_those_of_the_api(owner, acme):
    metrics = data(Client(), "summary", acme, make_key(acme.account), period="30d")["metrics"]
    shown = totals(page(owner, acme))
    assert shown["Visits"] == str(metrics["visits"]["value"])
    assert shown["Daily visitors"] == str(metrics["unique_visitors"]["value"])
    assert shown["Bounce rate"] == f"{metrics['bounce_rate']['value']}%"


def test_of_one_day_they_are_visitors(owner, acme):
    shown = totals(page(owner, acme, period="yesterday"))
    assert (shown["Visitors"], "Daily visitors" in shown) == ("2", False)


@pytest.mark.parametrize(
    ("card", "tab", "expected"),
    [
        ("sources", "channels", [["Direct", "2", "66.7%"], ["Social", "1", "33.3%"]]),
        ("sources", "domains", [["facebook.com", "1", "33.3%"]]),
        (
            "pages",
            "pages",
            [["/", "2", "2", "50.0%"], ["/blog", "1", "1", "25.0%"]],
        ),
        ("pages", "groups", [["Blog", "2", "2", "50.0%"]]),
        ("devices", "types", [["desktop", "2", "66.7%"], ["mobile", "1", "33.3%"]]),
        ("devices", "browsers", [["Chrome", "2", "66.7%"], ["Safari", "1", "33.3%"]]),
        ("events", "events", [["signup", "1", "100.0%"]]),
        ("events", "outbound", [["https://partner.example/", "1", "100.0%"]]),
    ],
)
def test_each_tab_lists_its_rows_with_their_shares(owner, acme, card, tab, expected):
    assert rows(owner, acme, card, **{f"tab_{card}": tab})[: len(expected)] == expected


def test_a_click_on_a_row_filters_the_whole_page(owner, acme):
    link = next(link for link in part(owner, acme, "sources").links if "Social" in link)
    assert link == f"{address(acme)}?filter[channel]=Social"
    text = text_of(owner.get(link))
    assert (totals(text)["Visits"], totals(text)["Pageviews"]) == ("1", "2")
    assert rows(owner, acme, "devices", **{"filter[channel]": "Social"}) == [["desktop", "1", "100.0%"]]


def test_a_second_click_on_the_row_takes_the_filter_back(owner, acme):
    (link,) = part(owner, acme, "sources", **{"filter[channel]": "Social"}).links
    assert link == f"{address(acme)}?"


def test_filters_are_chips_that_each_lead_to_the_page_without_it(owner, acme):
    query = {"filter[channel]": "Social", "filter_not[page]": "/pricing", "content_group": "Blog", "period": "90d"}
    chips = re.findall(r'<li><a href="([^"]*)" aria-label="Take away: ([^"]*)"', page(owner, acme, **query))
    assert [text for _, text in chips] == ["Channel is Social", "Page is not /pricing", "Content group is Blog"]
    link = chips[0][0].replace("&amp;", "&")
    assert link == f"{address(acme)}?filter_not[page]=/pricing&content_group=Blog&period=90d"


def test_of_several_values_each_has_a_chip(owner, acme):
    text = text_of(owner.get(f"{address(acme)}?filter[channel]=Social&filter[channel]=Email"))
    assert totals(text)["Visits"] == "1"
    chips = re.findall(r'<li><a href="[^"]*[?]([^"]*)" aria-label="Take away: ([^"]*)"', text)
    assert chips == [
        ("filter[channel]=Email", "Channel is Social"),
        ("filter[channel]=Social", "Channel is Email"),
    ]


@pytest.mark.parametrize(
    ("query", "leads_to"),
    [
        ({"dimension": "page", "is": "is", "value": "/blog*"}, "?period=90d&filter[page]=/blog%2A"),
        ({"dimension": "country", "is": "not", "value": ""}, "?period=90d&filter_not[country]=%28none%29"),
        ({"dimension": "nothing", "value": "x"}, "?period=90d"),
    ],
)
def test_the_filter_form_leads_to_an_address_that_can_be_kept(owner, acme, query, leads_to):
    answer = owner.get(address(acme), query | {"period": "90d"})
    assert (answer.status_code, answer["Location"]) == (302, address(acme) + leads_to)


@pytest.mark.parametrize(
    ("period", "title"),
    [
        ("today", "Today"),
        ("7d", "Last 7 days"),
        ("month", "This month"),
        ("12m", "Last 12 months"),
        ("all", "All time"),
    ],
)
def test_every_period_can_be_asked_for(owner, acme, period, title):
    assert f"acme.example · {title}" in page(owner, acme, period=period)


def test_any_days_can_be_asked_for(owner, acme):
    day = noon().date()
    text = page(owner, acme, start_date=str(day), end_date=str(day))
    assert totals(text)["Visits"] == "2"


def test_arrows_lead_to_the_days_before_and_never_into_the_future(owner, acme):
    text = page(owner, acme, period="7d")
    today = timezone.now().date()
    before = f"start_date={today - timedelta(days=13)}&amp;end_date={today - timedelta(days=7)}"
    assert f'{before}" data-key="arrowleft"' in text
    assert 'data-key="arrowright"' not in text
    assert 'data-key="arrowright"' in page(owner, acme, period="yesterday")


def test_totals_are_compared_with_the_period_before_unless_that_is_unwanted(owner, acme):
    assert "compared with" in page(owner, acme)
    assert "compared with" not in page(owner, acme, compare="none")


def test_a_change_says_whether_it_is_good(owner, acme):
    text = page(owner, acme, start_date=str(noon(1).date()), end_date=str(noon(1).date()))
    load(acme, {"at": noon(2), "path": "/", "ip": "203.0.113.12"})
    text = page(owner, acme, start_date=str(noon(1).date()), end_date=str(noon(1).date()))
    changes = re.findall(r'<span class="change (\w+)">', text)
    # Twice the visits, more pages, a lower bounce rate.
    assert changes[:5] == ["good", "good", "good", "good", "good"]


def test_the_chart_is_a_table_too(owner, acme):
    cells = part(owner, acme, "totals", period="7d", metric="pageviews", compare="none")
    assert len(cells.rows[1:]) == 7
    assert [row[1] for row in cells.rows[1:]] == ["0", "0", "0", "1", "0", "3", "0"]
    assert cells.rows[-1][0].endswith("(so far)")


def test_one_day_is_charted_by_the_hour_and_no_hour_that_has_not_begun(owner, acme):
    rows_ = part(owner, acme, "totals", period="today", compare="none").rows[1:]
    hour = timezone.now().hour
    assert len(rows_) == 24
    assert [row[1] != "–" for row in rows_] == [n <= hour for n in range(24)]


@pytest.mark.parametrize(("interval", "points"), [("day", 90), ("month", None), ("hour", 90)])
def test_an_interval_that_does_not_suit_the_days_is_passed_over(owner, acme, interval, points):
    found = len(part(owner, acme, "totals", period="90d", interval=interval).rows[1:])
    assert found == points if points else 3 <= found <= 4


def test_a_day_of_the_chart_leads_to_that_day(owner, acme):
    links = part(owner, acme, "totals", period="7d").links
    day = timezone.now().date()
    assert links[-1] == f"{address(acme)}?start_date={day}&end_date={day}"


def test_bots_are_counted_where_that_is_wanted(owner, acme):
    load(acme, {"at": noon(), "path": "/", "ip": "203.0.113.40", "user_agent": "Googlebot/2.1"})
    assert totals(page(owner, acme))["Visits"] == "3"
    text = page(owner, acme, include_bots="true")
    assert totals(text)["Visits"] == "4"
    assert "Bots included" in text


def test_the_full_list_is_searched_without_regard_to_capitals(owner, acme):
    text = text_of(owner.get(address(acme, "/list/pages"), {"search": "BLOG"}))
    assert "/blog" in text
    assert text.count('<th scope="row">') == 2
    assert "No row holds “nowhere”." in text_of(owner.get(address(acme, "/list/pages"), {"search": "nowhere"})).replace(
        "<bdi>", ""
    ).replace("</bdi>", "")


def test_a_long_list_comes_in_pages(owner, acme):
    load(acme, *({"at": noon() + timedelta(seconds=n), "path": f"/p{n:03}"} for n in range(150)))
    first = text_of(owner.get(address(acme, "/list/pages"), {"search": "/p"}))
    second = text_of(owner.get(address(acme, "/list/pages"), {"search": "/p", "page": 2}))
    assert (first.count('<th scope="row">'), second.count('<th scope="row">')) == (100, 50)
    assert "Rows 101 to 150 of 150" in second
    assert "search=/p&amp;page=2" in first.replace("%2F", "/")


def test_every_list_is_there_as_a_page_and_as_csv(owner, acme):
    for tab in TABS:
        assert owner.get(address(acme, f"/list/{tab}")).status_code == 200, tab
        exported(owner, acme, tab)


def test_the_csv_has_the_rows_of_the_page(owner, acme):
    assert exported(owner, acme, "channels") == [
        {"channel": "Direct", "visits": "2"},
        {"channel": "Social", "visits": "1"},
    ]
    assert exported(owner, acme, "exits", **{"filter[channel]": "Social"}) == [{"path": "/blog", "exits": "1"}]
    assert [row["metric"] for row in exported(owner, acme, "totals")][0] == "visits"
    assert len(exported(owner, acme, "chart", period="7d")) == 7


def test_a_csv_opens_without_running_anything(owner, acme):
    load(acme, {"at": noon(), "event_type": "custom", "properties": {"event_name": "=HYPERLINK(1)"}})
    assert exported(owner, acme, "events")[0]["name"] == "'=HYPERLINK(1)"


def test_every_number_says_what_it_means(owner, acme):
    text = page(owner, acme)
    cards = [card for card in CARDS if card.id in ("sources", "pages", "devices", "events")]
    for sentence in ("Counted page views: without bots", *(card.tabs[0].sentence[:40] for card in cards)):
        assert sentence in text.replace("&#x27;", "'")


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ("analytics_nameday", "This list could not be read just now."),
        ("analytics_siteday", "The totals could not be read just now."),
    ],
)
def test_what_cannot_be_read_says_so_and_the_rest_is_there(owner, acme, table, sentence):
    before = page(owner, acme)

    def broken(execute, sql, *rest):
        if table in sql:
            raise OperationalError("canceling statement due to statement timeout")
        return execute(sql, *rest)

    with connection.execute_wrapper(broken):
        text = page(owner, acme)
    assert sentence in text
    assert ("Visit duration" in text, "signup" in text) == (table != "analytics_siteday", table != "analytics_nameday")
    assert "filter[channel]=Social" in text
    assert ("Visit duration" in before, "signup" in before) == (True, True)


def test_there_is_no_card_for_what_a_website_does_not_have(owner, acme):
    text = page(owner, acme)
    found = re.findall(r'<section class="card" data-part="(\w+)"', text)
    assert found == ["sources", "pages", "devices", "events"]


def test_a_calendar_has_a_card_of_its_own(client):
    calendar = make_calendar()
    event = make_event(calendar)
    tell(
        calendar.website,
        acted(noon(1), "click", event=event.key, session="a"),
        acted(noon(1), "calendar_sync", event=event.key, session="a"),
        acted(noon(1), "search", search="opera", matches=0),
    )
    owner = signed_in(client, calendar.website.account)
    assert rows(owner, calendar.website, "calendar") == [["Jazz Night", "1", "100.0%"]]
    assert rows(owner, calendar.website, "calendar", tab_calendar="adds") == [["Jazz Night", "1", "100.0%"]]
    assert rows(owner, calendar.website, "calendar", tab_calendar="gaps") == [["opera", "1", "0", "100.0%"]]
    text = page(owner, calendar.website, **{"filter[channel]": "Direct"})
    assert f'href="/admin/calendar-numbers/{calendar.website.public_id}"' in text
    assert "Filters are about visits, and do not restrict these numbers." in text


def test_realtime_shows_the_last_half_hour(owner, acme):
    load(acme, {"at": timezone.now() - timedelta(minutes=2), "path": "/live"})
    text = page(owner, acme, period="realtime")
    assert "<strong>1</strong> person is here now" in text
    assert "/live" in text


# -- nothing yet, and nothing right --


def test_a_new_website_shows_the_line_and_listens(client):
    website = make_website()
    text = text_of(signed_in(client, website.account).get(address(website)))
    assert f"data-id=&quot;{website.public_id}&quot;" in text or f'data-id="{website.public_id}"' in text
    assert "Listening…" in text
    assert "nothing has reached this server" in text


def test_the_listener_tells_the_first_hit_with_its_fields(client):
    website = make_website()
    owner = signed_in(client, website.account)
    load(website, {"at": timezone.now(), "path": "/hello", "referrer": SOCIAL, "user_agent": CHROME})
    text = text_of(owner.get(address(website, "/arrival")))
    found = dict(re.findall(r"<dt>([^<]*)</dt><dd[^>]*>([^<]*)</dd>", text))
    assert found["Page"] == "/hello"
    assert (found["Event"], found["Channel"], found["Browser"]) == ("page_view", "Social", "Chrome")
    assert "Open the dashboard" in text


@pytest.mark.parametrize(
    ("hit", "sentence"),
    [
        ({"user_agent": "Googlebot/2.1"}, "It came from a bot"),
        ({"ip": "198.51.100.7"}, "It came from an excluded address"),
    ],
)
def test_a_hit_that_is_not_counted_says_why(client, hit, sentence):
    website = make_website(excluded_ips=["198.51.100.0/24"])
    owner = signed_in(client, website.account)
    load(website, {"at": timezone.now(), "path": "/"} | hit)
    text = text_of(owner.get(address(website)))
    assert f"It is not counted: {sentence}" in text
    assert "Open the dashboard" not in text


def test_refusals_of_the_last_hour_are_told_with_their_cause(client):
    website, other = make_website(), make_website(make_account("Globex"), "globex.example")
    now = timezone.now()
    for site, reason, at in (
        (website.id, "rate_limited", now),
        (website.id, "too_large", now - timedelta(hours=2)),
        (other.id, "malformed_json", now),
        (None, "unknown_website", now),
    ):
        RecentDrop.objects.create(at=at, dialect="v1", reason=reason, website_id=site, count=7)
    owner = text_of(signed_in(client, website.account).get(address(website)))
    root = text_of(signed_in(Client(), make_account("root"), User.Role.ADMIN).get(address(website)))
    reasons = [re.findall(r"<strong>7 × (\w+)</strong> [A-Z]", text) for text in (owner, root)]
    assert reasons == [["rate_limited"], ["rate_limited", "unknown_website"]]


@pytest.mark.parametrize(
    "query",
    [
        {"period": "nope"},
        {"compare": "nope"},
        {"metric": "nope"},
        {"start_date": "2026-02-30"},
        {"end_date": "2026-02-03"},
        {"start_date": "2026-03-02", "end_date": "2026-03-01"},
        {"filter[nope]": "x"},
        {"filter[page]": "a\0b"},
        {"tab_sources": "a\0b"},
    ],
)
def test_a_wrong_parameter_is_a_sentence(owner, acme, query):
    for rest in ("", "/list/pages", "/csv/pages"):
        answer = owner.get(address(acme, rest), query)
        assert answer.status_code == 400
        assert re.search(r'<p class="why-not">[^<]+\.</p>', answer.content.decode())


def test_what_is_no_parameter_is_passed_over(owner, acme):
    assert "nonsense" not in page(owner, acme, nonsense="x", tab_sources="nope", interval="nope")


@pytest.mark.parametrize("rest", ["/list/nope", "/csv/nope", "?part=nope"])
def test_what_is_not_there_is_not_found(owner, acme, rest):
    assert owner.get(address(acme, rest)).status_code == 404


# -- who --


def test_nobody_sees_it_without_signing_in(client, acme):
    for rest in ("", "/list/pages", "/csv/pages", "/arrival", "/links"):
        answer = client.get(address(acme, rest))
        assert answer.status_code == 302
        assert answer["Location"].startswith("/admin/login/?next=/dashboard/")


def test_for_another_account_it_is_not_there(client, acme):
    globex = signed_in(client, make_account("Globex"))
    for rest in ("", "?part=pages", "/list/pages", "/csv/pages", "/arrival", "/links"):
        assert globex.get(address(acme, rest)).status_code == 404
    assert globex.get(f"/dashboard/{uuid4()}").status_code == 404


def test_an_admin_sees_all(client, acme):
    root = signed_in(client, make_account("root"), User.Role.ADMIN)
    assert totals(page(root, acme))["Visits"] == "3"


def test_a_deleted_website_is_gone(owner, acme):
    remove_website(acme, by=User.objects.get(login="Acme@example.test"), now=timezone.now())
    assert owner.get(address(acme)).status_code == 404


def test_the_switcher_names_the_own_websites_only(owner, acme):
    make_website(acme.account, "second.example")
    make_website(make_account("Globex"), "globex.example")
    text = page(owner, acme, **{"period": "7d", "filter[page]": "/"})
    assert 'period=7d" data-leaves>second.example' in text
    assert "globex.example" not in text


def test_the_front_leads_to_the_first_website_or_to_making_one(client, acme):
    assert signed_in(client, acme.account).get("/dashboard")["Location"] == address(acme)
    newcomer = signed_in(Client(), make_account("Newcomer"))
    assert newcomer.get("/dashboard")["Location"] == "/admin/accounts/website/add/"


def test_the_back_office_leads_to_it(owner, acme):
    pages = ("/admin/", "/admin/accounts/website/", f"/admin/accounts/website/{acme.pk}/change/")
    for path in pages:
        assert address(acme) in owner.get(path).content.decode(), path
    assert 'href="/dashboard"' in owner.get("/admin/").content.decode()


# -- safe --


def test_the_policy_is_the_strict_one_and_nothing_is_kept(owner, acme):
    answer = owner.get(address(acme))
    text_of(answer)
    assert "unsafe" not in answer["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]
    assert answer["X-Frame-Options"] == "DENY"
    assert "no-store" in answer["Cache-Control"]


def test_no_address_on_the_page_is_one_that_blockers_dislike(owner, acme):
    text = page(owner, acme)
    assert not re.findall(r'(?:src|href)="/static/[^"]*(?:analytics|track|collect|stats|pixel)[^"]*"', text)
    assert "<style" not in text
    assert " style=" not in text
    assert re.findall(r"<script(?![^>]* src=)", text) == []


@pytest.mark.parametrize("hostile", HOSTILE)
def test_what_senders_write_stays_text(owner, acme, hostile):
    load(
        acme,
        {"at": noon(), "path": f"/{hostile}", "ip": "203.0.113.30"},
        {"at": noon(), "event_type": "custom", "properties": {"event_name": hostile}, "ip": "203.0.113.30"},
        {
            "at": noon(),
            "event_type": "outbound_link",
            "properties": {"href": hostile},
            "ip": "203.0.113.30",
        },
        {"at": noon(), "path": "/x", "utm_source": hostile, "utm_campaign": hostile, "ip": "203.0.113.31"},
    )
    query = {"tab_sources": "campaigns", "tab_events": "outbound", "filter[utm_source]": hostile}
    for text in (page(owner, acme), page(owner, acme, tab_events="outbound"), page(owner, acme, **query)):
        assert "<script>alert" not in text
        assert "<img src=x" not in text
        assert 'href="javascript:' not in text


@pytest.mark.parametrize("path", ["@evil.example", "//evil.example", "https://evil.example/"])
def test_no_row_leads_to_a_host_that_a_sender_chose(owner, acme, path):
    load(acme, {"at": noon(), "path": path, "ip": "203.0.113.30"})
    opened = re.findall(r'data-opens="([^"]*)"', page(owner, acme))
    assert {found[:21] for found in opened} == {"https://acme.example/"}


def test_many_rows_take_as_many_queries_as_few(owner, acme, django_assert_max_num_queries):
    load(acme, *({"at": noon() + timedelta(seconds=n), "path": f"/p{n}", "referrer": SOCIAL} for n in range(40)))
    page(owner, acme)
    with django_assert_max_num_queries(40):
        page(owner, acme)
