"""The dashboard in a real browser: what a script adds, what is there without one, and who can use it."""

import gzip
import json
import re
from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from accounts.models import User
from accounts.tests.conftest import own_counters, quick_passwords  # noqa: F401
from analytics.dashboard import links
from analytics.tests.browser import USER_AGENT
from analytics.tests.builders import IPHONE, load, make_account, make_website, noon
from analytics.tests.test_dashboard import HOSTILE, SOCIAL
from analytics.tests.tracking import acted, make_calendar, make_event, tell

pytestmark = pytest.mark.django_db(transaction=True)

AXE = (Path(__file__).parent / "axe/axe.min.js").read_text()
SCRIPT = Path(__file__).parent.parent / "static/board/board.js"
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}


@pytest.fixture
def acme():
    website = make_website(content_groups=[{"name": "Blog", "pattern": "/blog*"}])
    moment = noon()
    load(
        website,
        {"at": moment, "path": "/", "referrer": SOCIAL},
        {"at": moment + timedelta(seconds=30), "path": "/blog"},
        {"at": moment + timedelta(seconds=60), "event_type": "custom", "properties": {"event_name": "signup"}},
        {"at": moment, "path": "/", "ip": "203.0.113.10", "user_agent": IPHONE},
        {"at": timezone.now(), "path": "/now", "ip": "203.0.113.12", "utm_source": "mail"},
        {"at": moment - timedelta(days=40), "path": "/old", "ip": "203.0.113.11"},
    )
    return website


@pytest.fixture
def server(live_server):
    return live_server.url


def session_of(user):
    client = Client()
    client.force_login(user)
    return client.cookies[settings.SESSION_COOKIE_NAME].value


@pytest.fixture
def ann(acme):
    return session_of(User.objects.create(account=acme.account, role="user", login="ann@example.test"))


def with_session(page, session, server):
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": server}])
    return watched(page)


def watched(page):
    page.complaints, page.asked_for = [], []
    page.on("console", lambda message: message.type == "error" and page.complaints.append(message.text))
    page.on("dialog", lambda dialog: (page.complaints.append(dialog.message), dialog.dismiss()))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("request", lambda request: page.asked_for.append(request.url))
    return page


def address(website, rest=""):
    return f"/dashboard/{website.public_id}{rest}"


def totals(page):
    page.locator(".totals .value").first.wait_for()
    page.wait_for_load_state("domcontentloaded")
    names, values = page.locator(".totals .name"), page.locator(".totals .value")
    return dict(zip(names.all_inner_texts(), values.all_inner_texts(), strict=True))


def settled(page):
    """Waits until no part is being replaced."""
    page.locator("[aria-busy]").first.wait_for(state="detached")


def rows(page, card):
    return page.locator(f"[data-part={card}] tbody tr").all_inner_texts()


def query_of(page):
    return unquote(page.url.partition("?")[2])


def test_a_click_filters_every_part_and_the_back_button_takes_it_back(chromium, server, acme, ann):
    def story(page):
        with_session(page, ann, server).goto(server + address(acme))
        page.evaluate("window.stayed = true")
        before = totals(page)["Visits"]
        page.get_by_role("link", name="Social", exact=True).click()
        page.locator(".chips").wait_for()
        settled(page)
        filtered = totals(page)["Visits"], rows(page, "devices"), query_of(page), page.title()
        page.go_back()
        page.locator(".chips").wait_for(state="detached")
        settled(page)
        return before, filtered, totals(page)["Visits"], page.evaluate("window.stayed"), page.complaints

    before, filtered, after, stayed, complaints = chromium.browse(story)
    assert (before, after) == ("3", "3")
    assert filtered[0] == "1"
    assert [row.split()[:2] for row in filtered[1]] == [["desktop", "1"]]
    assert filtered[2] == "filter[channel]=Social"
    assert stayed is True
    assert complaints == []


def test_chips_are_taken_away_one_by_one_and_told_to_a_screen_reader(chromium, server, acme, ann):
    def story(page):
        with_session(page, ann, server).goto(f"{server}{address(acme)}?filter[channel]=Social&filter[device]=desktop")
        page.get_by_role("link", name="Take away: Device is desktop").click()
        page.locator(".chips li").nth(1).wait_for(state="detached")
        settled(page)
        return query_of(page), page.get_by_role("status").inner_text()

    query, told = chromium.browse(story)
    assert query == "filter[channel]=Social"
    assert told.endswith(", Channel is Social")


def test_a_tab_stays_open_when_something_else_changes(chromium, server, acme, ann):
    def story(page):
        with_session(page, ann, server).goto(server + address(acme))
        page.get_by_role("link", name="Browser", exact=True).click()
        page.get_by_role("link", name="Chrome", exact=True).wait_for()
        page.get_by_role("link", name="Social", exact=True).click()
        page.locator(".chips").wait_for()
        settled(page)
        return rows(page, "devices"), query_of(page)

    found, query = chromium.browse(story)
    assert found[0].startswith("Chrome")
    assert set(query.split("&")) == {"filter[channel]=Social", "tab_devices=browsers"}


def test_a_click_on_a_total_charts_it(chromium, server, acme, ann):
    def story(page):
        with_session(page, ann, server).goto(server + address(acme))
        page.locator(".totals a", has_text="Bounce rate").click()
        page.locator(".over h2", has_text="Bounce rate").wait_for()
        return page.evaluate("document.activeElement.textContent.includes('Bounce rate')"), query_of(page)

    focused, query = chromium.browse(story)
    assert (focused, query) == (True, "metric=bounce_rate")


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("d", "period=today"),
        ("e", "period=yesterday"),
        ("r", "period=realtime"),
        ("w", "period=7d"),
        ("t", "period=30d"),
        ("n", "period=90d"),
        ("m", "period=month"),
        ("y", "period=ytd"),
        ("l", "period=12m"),
        ("a", "period=all"),
        ("x", "compare=none"),
    ],
)
def test_each_key_chooses_what_it_says(chromium, server, acme, ann, key, expected):
    def story(page):
        with_session(page, ann, server).goto(server + address(acme))
        page.keyboard.press(key)
        page.wait_for_url(f"**?{expected}")
        return page.complaints

    assert chromium.browse(story) == []


def test_arrows_slash_escape_and_help(chromium, server, acme, ann):
    yesterday, before = noon(1).date(), noon(2).date()

    def story(page):
        with_session(page, ann, server).goto(f"{server}{address(acme)}?period=yesterday&filter[page]=/blog")
        page.keyboard.press("ArrowLeft")
        page.wait_for_url(f"**start_date={before}**")
        settled(page)
        page.keyboard.press("ArrowRight")
        page.wait_for_url(f"**start_date={yesterday}**")
        settled(page)
        page.keyboard.press("Escape")
        page.locator(".chips").wait_for(state="detached")
        settled(page)
        page.keyboard.press("/")
        page.keyboard.type("/dewx")
        typed = page.get_by_label("Value").input_value()
        page.keyboard.press("Escape")
        closed = page.get_by_label("Value").is_visible()
        page.keyboard.press("?")
        return typed, closed, page.locator("#help dl").is_visible(), query_of(page)

    typed, closed, helped, query = chromium.browse(story)
    assert (typed, closed, helped) == ("/dewx", False, True)
    assert query == f"start_date={yesterday}&end_date={yesterday}"


def test_keys_can_be_turned_off(chromium, server, acme, ann):
    def story(page):
        with_session(page, ann, server).goto(server + address(acme))
        page.keyboard.press("?")
        page.get_by_label("Keys are on").uncheck()
        page.reload()
        page.keyboard.press("d")
        page.keyboard.press("?")
        return query_of(page), page.get_by_label("Keys are on").is_checked()

    assert chromium.browse(story) == ("", False)


def test_the_filter_form_leads_to_the_filtered_page(chromium, server, acme, ann):
    def story(page):
        with_session(page, ann, server).goto(f"{server}{address(acme)}?period=7d")
        page.keyboard.press("/")
        page.get_by_label("Only visits whose").select_option("page")
        page.get_by_label("Value").fill("/bl*")
        page.keyboard.press("Enter")
        page.locator(".chips").wait_for()
        return totals(page)["Visits"], page.locator(".chips").inner_text()

    visits, chips = chromium.browse(story)
    assert visits == "1"
    assert chips.startswith("Page is /bl*")


def test_control_click_opens_the_page_itself(chromium, server, acme, ann):
    def story(page):
        with_session(page, ann, server).goto(server + address(acme))
        with page.context.expect_page() as opened:
            page.get_by_role("link", name="/blog", exact=True).click(modifiers=["Control"])
        return opened.value.evaluate("window.opener"), opened.value.url, query_of(page)

    opener, opened, query = chromium.browse(story)
    assert (opener, query) == (None, "")
    assert opened in ("https://acme.example/blog", "about:blank", "chrome-error://chromewebdata/")


def test_a_pointer_reads_the_chart_and_a_click_leads_to_the_day(chromium, server, acme, ann):
    def story(page):
        with_session(page, ann, server).goto(f"{server}{address(acme)}?period=7d")
        box = page.locator(".lines").bounding_box()
        x, y = box["x"] + box["width"] * 5 / 6, box["y"] + box["height"] / 2
        page.mouse.move(x, y)
        page.locator("#tip").wait_for()
        tip = page.locator("#tip").inner_text()
        page.mouse.click(x, y)
        page.wait_for_url("**start_date=**")
        return tip, query_of(page), page.complaints

    tip, query, complaints = chromium.browse(story)
    day = noon(1).date()
    assert re.match(rf"{day:%a} {day.day} {day:%b %Y}\n?2\n", tip)
    assert query == f"start_date={day}&end_date={day}"
    assert complaints == []


def test_people_here_now_keep_up_by_themselves(chromium, server, acme, ann):
    body = {"website_id": str(acme.public_id), "event_type": "page_view", "url": "https://acme.example/x", "path": "/x"}

    def story(page):
        page.clock.install()
        with_session(page, ann, server).goto(server + address(acme))
        before = page.locator(".now").inner_text()
        page.request.post(f"{server}/api/v1/collect", data=body, headers={"User-Agent": USER_AGENT})
        page.clock.run_for(31_000)
        page.locator(".now", has_text="2 people").wait_for()
        return before, page.complaints

    assert chromium.browse(story) == ("1 person here now", [])


def test_the_listener_shows_the_first_hit_as_it_arrives(chromium, server, acme, ann):
    newborn = make_website(acme.account, "newborn.example")
    body = {"website_id": str(newborn.public_id), "event_type": "page_view", "url": "https://x.example/", "path": "/hi"}

    def story(page):
        with_session(page, ann, server).goto(server + address(newborn))
        title, snippet = page.locator("h2").inner_text(), page.locator("#snippet").inner_text()
        page.request.post(f"{server}/api/v1/collect", data=body, headers={"User-Agent": USER_AGENT})
        page.get_by_text("The first hit has arrived").wait_for()
        fields = page.locator(".fields").inner_text()
        page.get_by_role("link", name="Open the dashboard").click()
        return title, snippet, fields, totals(page)["Visits"], page.complaints

    title, snippet, fields, visits, complaints = chromium.browse(story)
    assert title == "Listening…"
    assert snippet == f'<script defer data-id="{newborn.public_id}" src="{server}/js/tracker.js"></script>'
    assert "/hi" in fields
    assert "Chrome" in fields
    assert (visits, complaints) == ("1", [])


def test_the_line_is_copied_with_a_button(chromium, server, acme, ann):
    newborn = make_website(acme.account, "newborn.example")

    def story(page):
        page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=server)
        with_session(page, ann, server).goto(server + address(newborn))
        page.get_by_role("button", name="Copy").click()
        page.get_by_role("button", name="Copied").wait_for()
        return page.evaluate("navigator.clipboard.readText()")

    assert str(newborn.public_id) in chromium.browse(story)


def test_without_a_script_everything_can_be_read_and_chosen(chromium, server, acme, ann):
    def story(page):
        def follow(name):
            page.get_by_role("link", name=name, exact=True).click()
            page.wait_for_load_state()

        with_session(page, ann, server).goto(server + address(acme))
        cards = page.locator(".cards h2").all_inner_texts()
        follow("Social")
        page.wait_for_url("**Social")
        filtered = totals(page)["Visits"]
        page.get_by_text("Last 30 days", exact=True).first.click()
        follow("Yesterday")
        page.wait_for_url("**yesterday")
        follow("Landing")
        page.wait_for_url("**landing")
        landing = rows(page, "pages")
        page.get_by_role("link", name="Details of Landing").click()
        page.get_by_role("searchbox").fill("nowhere")
        page.get_by_role("button", name="Search").click()
        return cards, filtered, landing, page.locator(".nothing").inner_text(), page.locator("button[hidden]").count()

    cards, filtered, landing, nothing, hidden = chromium.browse(story, java_script_enabled=False)
    assert cards == ["Sources", "Pages", "Devices", "Events"]
    assert filtered == "1"
    assert [row.split()[0].removesuffix("↗") for row in landing] == ["/"]
    assert nothing == "No row holds “nowhere”."


def test_a_shared_link_opens_with_its_password(chromium, server, acme, ann):
    link = links.share(
        acme, name="Bob", password="correct horse", hosts=[], last_day=None, by=User.objects.get(login__isnull=False)
    )
    path = f"/share/{links.token_of(link)}"

    def story(page):
        watched(page).goto(server + path)
        page.get_by_label("Password").fill("correct horse")
        page.get_by_role("button", name="Open").click()
        page.locator(".totals").wait_for()
        page.get_by_role("link", name="Social", exact=True).click()
        page.locator(".chips").wait_for()
        settled(page)
        return totals(page)["Visits"], page.complaints, page.get_by_role("link", name="Settings").count()

    visits, complaints, settings_links = chromium.browse(story)
    assert (visits, settings_links) == ("1", 0)
    assert complaints == []


def test_pages_of_named_hosts_embed_it_and_others_do_not(chromium, server, web, acme, ann):
    by = User.objects.get(login__isnull=False)
    origin = web.url("partner.example", "").rstrip("/")
    named = links.share(acme, name="Partner", password="", hosts=[origin], last_day=None, by=by)
    other = links.share(acme, name="Other", password="", hosts=[], last_day=None, by=by)
    for name, link in (("named", named), ("other", other)):
        web.pages[f"/{name}"] = f'<iframe src="{server}/share/{links.token_of(link)}"></iframe>'

    def story(page):
        page.goto(web.url("partner.example", "/named"))
        page.frame_locator("iframe").locator(".totals").wait_for()
        with page.expect_console_message(lambda message: "frame-ancestors" in message.text):
            page.goto(web.url("partner.example", "/other"))
        return page.frame_locator("iframe").locator(".totals").count()

    assert chromium.browse(story) == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_screen(chromium, server, acme, ann, width, scheme):
    newborn = make_website(acme.account, "newborn.example")
    by = User.objects.get(login__isnull=False)
    open_link = links.share(acme, name="Bob", password="", hosts=[], last_day=None, by=by)
    locked = links.share(acme, name="Eve", password="correct horse", hosts=[], last_day=None, by=by)
    pages = [
        address(acme),
        address(acme, "?period=all&filter[channel]=Social&filter[page]=/blog&metric=bounce_rate"),
        address(acme, "?period=realtime"),
        address(acme, "?period=nope"),
        address(acme, "/list/pages"),
        address(acme, "/links"),
        address(newborn),
        f"/share/{links.token_of(open_link)}",
        f"/share/{links.token_of(locked)}",
    ]

    def story(page):
        with_session(page, ann, server)
        found = {}
        for path in pages:
            page.goto(server + path)
            page.evaluate("document.querySelectorAll('details:not(.menu)').forEach((one) => (one.open = true))")
            if page.locator(".menu").count():
                page.locator(".menu").last.evaluate("(menu) => (menu.open = true)")
            # Through the debugger, which the page's policy does not concern.
            page.evaluate(f"{AXE}; undefined")
            result = page.evaluate("axe.run({resultTypes: ['violations']})")
            problems = [(one["id"], [node["html"][:200] for node in one["nodes"][:3]]) for one in result["violations"]]
            if page.evaluate("document.documentElement.scrollWidth") > width:
                problems.append("too wide")
            if problems:
                found[path] = problems
        return found

    options = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme}
    found = chromium.browse(story, **options)
    assert found == {}, json.dumps(found, indent=1)


def test_on_a_phone_a_row_is_tapped_like_clicked(chromium, server, acme, ann):
    def story(page):
        with_session(page, ann, server).goto(server + address(acme))
        page.get_by_role("link", name="Social", exact=True).tap()
        page.locator(".chips").wait_for()
        settled(page)
        return totals(page)["Visits"], page.evaluate("document.documentElement.scrollWidth")

    assert chromium.browse(story, **PHONE) == ("1", 390)


def test_what_senders_write_stays_text_in_rows_titles_chips_and_tooltips(chromium, server, acme, ann):
    """Guarantee A63."""
    for place, hostile in enumerate(HOSTILE):
        who = {"ip": f"198.51.100.{place + 1}"}
        load(
            acme,
            {"at": noon(), "path": f"/{hostile}", "utm_source": hostile, "utm_campaign": hostile} | who,
            {"at": noon(), "path": hostile, "referrer": f"https://{hostile}/"} | who,
            {"at": noon(), "event_type": "custom", "properties": {"event_name": hostile}} | who,
            {"at": noon(), "event_type": "outbound_link", "properties": {"href": hostile}} | who,
        )

    def story(page):
        with_session(page, ann, server)
        intruders = []

        def check(what):
            if page.locator("img[src=x], a[href^=javascript], [data-opens^=javascript], #board script").count():
                intruders.append(what)

        page.goto(f"{server}{address(acme)}?tab_sources=campaigns&tab_events=outbound")
        check("page")
        page.get_by_role("link", name="Custom", exact=True).click()
        page.locator("[data-part=events] .label").first.wait_for()
        settled(page)
        for number in range(page.locator("[data-part=events] .label").count()):
            page.locator("[data-part=events] .label").nth(number).click()
            page.locator(".chips").wait_for()
            settled(page)
            box = page.locator(".lines").bounding_box()
            page.mouse.move(box["x"] + 200, box["y"] + 50)
            check(f"event {number}")
            page.go_back()
            page.locator(".chips").wait_for(state="detached")
            settled(page)
        for tab in ("pages", "campaigns", "domains", "events", "outbound"):
            page.goto(f"{server}{address(acme, f'/list/{tab}')}?search=%3C")
            check(tab)
        return intruders, page.complaints

    intruders, complaints = chromium.browse(story)
    assert intruders == []
    assert complaints == []


def test_nothing_is_asked_of_another_host(chromium, server, acme, ann):
    """Guarantee P22."""

    def story(page):
        with_session(page, ann, server).goto(server + address(acme))
        page.keyboard.press("w")
        page.wait_for_url("**?period=7d")
        settled(page)
        return page.asked_for, page.complaints

    asked_for, complaints = chromium.browse(story)
    assert len(asked_for) > 5
    assert {url.partition("?")[0].removeprefix(server)[:1] for url in asked_for} == {"/"}
    assert complaints == []


def test_all_cards_answer_filters_in_the_browser_too(chromium, server, ann):
    calendar = make_calendar()
    event = make_event(calendar)
    tell(calendar.website, acted(noon(1), "calendar_sync", event=event.key, session="a"))
    User.objects.filter(login="ann@example.test").update(account=calendar.website.account)

    def story(page):
        with_session(page, ann, server).goto(server + address(calendar.website))
        page.get_by_role("link", name="Calendar adds", exact=True).click()
        page.locator("[data-part=calendar] .label").wait_for()
        page.keyboard.press("d")
        page.locator("[data-part=calendar]").wait_for(state="detached")
        settled(page)
        return page.complaints

    assert chromium.browse(story) == []


def test_the_script_is_small():
    """At most 100 KB, packed, is the goal of the whole page."""
    assert len(gzip.compress(SCRIPT.read_bytes())) < 6_000


def test_a_fresh_account_is_led_to_its_first_website(chromium, server, ann):
    nobody = session_of(User.objects.create(account=make_account("New"), role="user", login="new@example.test"))

    def story(page):
        with_session(page, nobody, server).goto(f"{server}/dashboard")
        return page.url.removeprefix(server)

    assert chromium.browse(story) == "/admin/accounts/website/add/"
