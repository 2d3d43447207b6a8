"""The page of a calendar's numbers in the back office, and its tables as CSV (contract 3.7; definitions 25, 26)."""

import csv
import io
import re
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from accounts.removal import remove_website
from analytics.tests.browser import Chromium, chromium  # noqa: F401
from analytics.tests.builders import make_account, make_website, noon
from analytics.tests.test_admin import signed_in
from analytics.tests.tracking import acted, make_calendar, make_event, tell
from submissions import catalog

pytestmark = pytest.mark.django_db(transaction=True)

ALL = "/admin/calendar-numbers"
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def acme():
    return make_calendar()


@pytest.fixture
def jazz(acme):
    event = make_event(acme)
    tell(
        acme.website,
        *(
            acted(noon(days), "click", event=event.key, session=name, source="list")
            for days, name in ((1, "a"), (2, "b"))
        ),
        acted(noon(1), "outbound_click", event=event.key, session="a"),
        acted(noon(1), "search", search="opera", matches=0),
        acted(noon(1), "search", search="jazz", matches=1),
        acted(noon(1), "filter_apply", group="oooc_pick", value="yes", matches=3),
    )
    return event


@pytest.fixture
def owner(client, acme):
    return signed_in(client, acme.website.account)


def address(calendar, rest=""):
    return f"{ALL}/{calendar.website.public_id}{rest}"


def tables(answer):
    """The page's tables by their titles, each as rows of texts."""
    found = {}
    for title, rest in re.findall(r'<h2 id="t-[a-z]+">([^<]*)</h2>(.*?)</section>', answer.content.decode(), re.DOTALL):
        rows = re.findall(r"<tr>(.*?)</tr>", rest, re.DOTALL)[1:]
        cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in rows]
        found[title] = [[re.sub(r"<[^>]*>", "", cell).strip() for cell in row] for row in cells]
    return found


def numbers(answer):
    """The cards by their titles."""
    return dict(re.findall(r'<dt>([^<]*)</dt><dd class="cn-value">([^<]*)</dd>', answer.content.decode()))


def exported(client, calendar, report, **query):
    answer = client.get(address(calendar, f"/{report}.csv"), query)
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/csv; charset=utf-8")
    return answer, list(csv.DictReader(io.StringIO(answer.content.decode(), newline="")))


def test_it_shows_what_readers_did_and_looked_for(owner, acme, jazz):
    answer = owner.get(address(acme))
    assert numbers(answer) == {
        "Event views": "2",
        "Outbound clicks": "1",
        "Calendar adds": "0",
        "Sessions": "2",
        "Outbound rate": "50.0 %",
        "Calendar rate": "0.0 %",
    }
    shown = tables(answer)
    assert shown["Events"] == [["Jazz Night", "2", "2", "1", "0", "50.0 %", "0.0 %"]]
    assert shown["Searches"] == [["jazz", "1", "0", "1", "1", "1"], ["opera", "1", "1", "0", "0", "0"]]
    assert shown["Searches without an answer"] == [["opera", "1", "0"]]
    assert shown["Thin searches"] == [["jazz", "1", "1"]]
    assert shown["Filters"] == [["applied", "featured", "yes", "1", "0", "0", "3", "3"]]
    assert shown["Where they did it"] == [["list", "2", "0", "0"], ["not named", "0", "1", "0"]]
    assert len(shown["Day by day"]) == 30
    assert shown["Day by day"][1] == [str(noon(1).date()), "1", "1", "0", "1"]


def test_an_event_has_numbers_of_its_own(owner, acme, jazz):
    rock = make_event(acme, "Rock Night")
    tell(acme.website, acted(noon(1), "click", event=rock.key, session="a"))
    answer = owner.get(address(acme), {"event": rock.key, "days": 7})
    assert "Rock Night" in answer.content.decode()
    assert numbers(answer)["Event views"] == "1"
    assert set(tables(answer)) == {"Day by day", "Where they did it"}
    assert len(tables(answer)["Day by day"]) == 7


def test_an_event_that_left_the_catalogue_is_known_by_its_key(owner, acme, jazz):
    key = jazz.key
    catalog.unpublish(jazz, now=timezone.now())
    assert tables(owner.get(address(acme)))["Events"][0][0] == key
    assert owner.get(address(acme), {"event": key}).status_code == 200


def test_what_happened_just_now_is_in_it(owner, acme, jazz):
    assert numbers(owner.get(address(acme)))["Event views"] == "2"
    tell(acme.website, acted(timezone.now(), "click", event=jazz.key))
    assert numbers(owner.get(address(acme)))["Event views"] == "3"


def test_every_number_says_what_it_counts(owner, acme, jazz):
    text = owner.get(address(acme)).content.decode()
    assert "Sessions that clicked out, of those that viewed." in text
    assert "Searches that matched no live event when they were received." in text


@pytest.mark.parametrize("days", ["1", "365"])
def test_days_may_be_any_number_up_to_a_year(owner, acme, jazz, days):
    assert len(tables(owner.get(address(acme), {"days": days}))["Day by day"]) == int(days)


@pytest.mark.parametrize("query", [{"days": "0"}, {"days": "366"}, {"days": "x"}, {"days": "-1"}, {"event": "a\0b"}])
def test_a_wrong_parameter_is_refused_with_a_sentence(owner, acme, query):
    for rest in ("", "/calendar-events.csv"):
        answer = owner.get(address(acme, rest), query)
        assert (answer.status_code, answer["Content-Type"]) == (400, "text/plain; charset=utf-8")


def test_a_wrong_list_is_refused_with_a_sentence(owner, acme):
    answer = owner.get(address(acme, "/calendar-searches.csv"), {"only": "all of them"})
    assert (answer.status_code, answer.content) == (400, b"only must be one of all, gaps, thin.")


# -- CSV --


def test_each_table_comes_as_csv(owner, acme, jazz):
    answer, rows = exported(owner, acme, "calendar-events", days=7)
    assert rows == [
        {
            "eventKey": jazz.key,
            "event": "Jazz Night",
            "views": "2",
            "outboundClicks": "1",
            "calendarAdds": "0",
            "sessions": "2",
            "viewingSessions": "2",
            "outboundSessions": "1",
            "calendarSessions": "0",
            "outboundRate": "50.0",
            "calendarRate": "0.0",
        }
    ]
    today = timezone.now().date()
    name = f"calendar-events-{today - timedelta(days=6)}-{today}.csv"
    assert answer["Content-Disposition"] == f'attachment; filename="{name}"'
    assert "no-store" in answer["Cache-Control"]


def test_the_page_links_the_csv_of_each_of_its_tables(owner, acme, jazz):
    links = re.findall(r'href="([^"]*\.csv[^"]*)"', owner.get(address(acme)).content.decode())
    assert len(links) == len(tables(owner.get(address(acme))))
    for link in links:
        assert owner.get(link.replace("&amp;", "&")).status_code == 200


def test_a_csv_has_all_rows_where_the_page_shows_fifty(owner, acme, jazz):
    tell(acme.website, *(acted(noon(1), "search", search=f"search {n:03}", matches=0) for n in range(60)))
    answer = owner.get(address(acme))
    assert len(tables(answer)["Searches"]) == 50
    assert b"The CSV has the others." in answer.content
    assert len(exported(owner, acme, "calendar-searches")[1]) == 62
    assert len(exported(owner, acme, "calendar-searches", only="gaps")[1]) == 61


def test_a_cell_that_a_spreadsheet_would_run_is_text(owner, acme, jazz):
    tell(acme.website, acted(noon(1), "search", search="=cmd()", matches=0))
    assert "'=cmd()" in [row["query"] for row in exported(owner, acme, "calendar-searches")[1]]


def test_texts_of_strangers_are_inert(owner, acme, jazz):
    tell(
        acme.website,
        acted(noon(1), "search", search=HOSTILE, matches=0),
        acted(noon(1), "click", event=jazz.key, source=HOSTILE),
        acted(noon(1), "filter_clear", group=HOSTILE, value=HOSTILE),
    )
    catalog.edit(jazz, name=HOSTILE, now=timezone.now())
    for query in ({}, {"event": jazz.key}, {"event": HOSTILE}):
        text = owner.get(address(acme), query).content.decode()
        assert "alert(1)" in text
        assert HOSTILE not in text


# -- who --


def test_somebody_of_another_account_finds_nothing(client, acme, jazz):
    globex = signed_in(client, make_account("Globex"))
    for rest in ("", "/calendar-events.csv", "/nothing.csv"):
        assert globex.get(address(acme, rest)).status_code == 404
    page = globex.get(ALL)
    assert page.status_code == 200
    assert b"acme" not in page.content


def test_an_admin_finds_every_calendar(client, acme, jazz):
    make_calendar("globex.example", account=make_account("Globex"))
    root = signed_in(client, make_account("root"), User.Role.ADMIN)
    assert re.findall(r'text-sm">([a-z.]+)</span>', root.get(ALL).content.decode()) == [
        "acme.example",
        "globex.example",
    ]
    assert root.get(address(acme)).status_code == 200


def test_the_only_calendar_is_shown_at_once(owner, acme):
    assert owner.get(ALL)["Location"] == f"{address(acme)}?days=30"


def test_who_is_not_signed_in_is_asked_to(client, acme):
    for rest in ("", "/calendar-events.csv"):
        assert client.get(address(acme, rest))["Location"].startswith("/admin/login/")


def test_a_deleted_website_has_no_numbers(owner, acme, jazz):
    remove_website(acme.website, by=None, now=timezone.now())
    assert owner.get(address(acme)).status_code == 404


def test_an_unknown_website_or_report_is_not_found(owner, acme):
    other = make_website(domain="other.example")
    assert owner.get(f"{ALL}/{other.public_id}").status_code == 404
    assert owner.get(address(acme, "/summary.csv")).status_code == 404


def test_nobody_writes_there(owner, acme):
    assert owner.post(address(acme)).status_code == 405


@pytest.mark.parametrize("events", [1, 3])
def test_three_events_take_as_many_queries_as_one(owner, acme, events, django_assert_max_num_queries):
    for n in range(events):
        tell(acme.website, acted(noon(1), "click", event=make_event(acme, f"Night {n}").key))
    owner.get(address(acme))
    with django_assert_max_num_queries(20):
        owner.get(address(acme))


def test_it_stands_in_the_sidebar_and_beside_each_event(client, acme, jazz):
    root = signed_in(client, make_account("root"), User.Role.ADMIN)
    assert f'href="{ALL}"' in root.get("/admin/").content.decode()
    change = root.get(f"/admin/submissions/catalogevent/{jazz.pk}/change/").content.decode()
    assert f'href="{address(acme)}?event={jazz.key}"' in change


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_browser_shows_it_under_the_policy_on_a_phone(chromium: Chromium, live_server, client, acme, jazz, scheme):  # noqa: F811
    signed_in(client, acme.website.account)
    problems, hosts = [], set()

    def story(page):
        page.context.add_cookies(
            [{"name": "session", "value": client.cookies["session"].value, "url": live_server.url}]
        )
        page.on("console", lambda message: message.type == "error" and problems.append(message.text))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("request", lambda request: hosts.add(re.match(r"https?://([^/]*)", request.url)[1]))
        page.goto(f"{live_server.url}{address(acme)}")
        page.wait_for_selector("#t-filters")
        page.get_by_role("link", name="7 days").click()
        page.get_by_role("link", name="Jazz Night").click()
        page.wait_for_selector("#t-sources")
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        return page.url, page.locator("#t-events").count(), wide

    url, others, wide = chromium.browse(story, viewport={"width": 390, "height": 800}, color_scheme=scheme)
    assert url == f"{live_server.url}{address(acme)}?days=7&event={jazz.key}"
    assert (others, problems, len(hosts)) == (0, [], 1)
    assert wide <= 0
