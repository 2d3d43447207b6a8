"""A host in a real browser: with and without scripts, with a keyboard alone, and when something is wrong."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from analytics.tests.browser import Chromium
from submissions import links, review
from submissions.forms import started
from submissions.models import Calendar, Submission
from submissions.tests.builders import NOW, make_calendar, make_submission

pytestmark = pytest.mark.django_db(transaction=True)

FILLED = {
    "Name of the event": "Jazz Night at Le Sunset",
    "Date": "2026-12-15",
    "Starts at": "20:00",
    "Where": "Le Sunset, Paris",
    "A link that proves it": "lesunset.com/jazz",
    "Your e-mail address": "contact@lesunset.com",
}
PHONE = {"viewport": {"width": 375, "height": 700}, "has_touch": True}
LEAST_CONTRAST = 4.5

# The contrast of every visible text with what lies behind it, by WCAG's formula: the texts that fall short.
FAINT = """least => {
  const parts = colour => colour.match(/[\\d.]+/g).map(Number)
  const light = colour => {
    const [r, g, b] = parts(colour).map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const ground = node => {
    for (; node; node = node.parentElement) {
      const colour = getComputedStyle(node).backgroundColor
      if ((parts(colour)[3] ?? 1) > 0) return colour
    }
    return 'rgb(255, 255, 255)'
  }
  const faint = []
  for (const node of document.querySelectorAll('body *')) {
    const says = [...node.childNodes].some(child => child.nodeType === 3 && child.data.trim())
    if (!says || !node.checkVisibility() || node.closest('.elsewhere')) continue
    const [one, two] = [light(getComputedStyle(node).color), light(ground(node))]
    const contrast = (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05)
    if (contrast < least) faint.push(`${contrast.toFixed(2)} ${node.textContent.trim()}`)
  }
  return faint
}"""


@pytest.fixture
def acme() -> Calendar:
    return make_calendar(is_default=True)


def fill(page: Page, **changes: str) -> None:
    for label, value in (FILLED | changes).items():
        page.get_by_label(label, exact=True).fill(value)


def send(page: Page) -> None:
    page.get_by_role("button", name="Send the proposal").click()


def said(page: Page) -> str:
    return page.locator("main").inner_text()


@pytest.mark.parametrize("options", [{}, {"java_script_enabled": False}, PHONE], ids=["desktop", "no scripts", "phone"])
def test_a_host_proposes_an_event_and_sees_that_it_has_arrived(
    chromium: Chromium, live_server: Any, acme: Calendar, options: dict[str, Any]
) -> None:
    a_minute_ago = started(timezone.now() - timedelta(minutes=1))

    def story(page: Page) -> tuple[str, str]:
        page.goto(f"{live_server.url}/calendar/submit")
        # As if the host had taken a minute.
        page.locator("[name=started]").evaluate("(field, token) => field.value = token", a_minute_ago)
        fill(page)
        page.get_by_label("Indoor or outdoor").select_option("Outdoor")
        send(page)
        page.wait_for_url("**/calendar/proposals/*")
        return said(page), page.get_by_role("heading", level=1).inner_text()

    words, heading = chromium.browse(story, **options)
    assert heading == "Jazz Night at Le Sunset"
    assert "Your proposal has arrived." in words
    assert "Tuesday 15 December 2026, 20:00" in words
    submission = Submission.objects.get()
    assert (submission.status, submission.payload["proofLink"]) == ("pending", "https://lesunset.com/jazz")
    assert submission.payload["indoorOutdoor"] == "Outdoor"
    assert submission.spam_signals["reasons"] == []
    assert submission.spam_signals["completionSeconds"] >= 60


def test_a_keyboard_is_enough(chromium: Chromium, live_server: Any, acme: Calendar) -> None:
    def story(page: Page) -> tuple[list[str], str]:
        page.goto(f"{live_server.url}/calendar/submit")
        visited = []
        # A date field is three places to type in, a time field three, one picker each.
        typed = {
            "event_name": "Jazz Night",
            "date": "12152026",
            "start_time": "0800PM",
            "location": "Le Sunset, Paris",
            "proof_link": "lesunset.com/jazz",
            "host_email": "contact@lesunset.com",
            "notes": "Bring friends.",
        }
        for _ in range(40):
            page.keyboard.press("Tab")
            where = page.evaluate("document.activeElement.id || document.activeElement.tagName.toLowerCase()")
            if visited and visited[-1] == where:
                continue
            visited.append(where)
            page.keyboard.type(typed.get(where, ""))
            if where == "button":
                page.keyboard.press("Enter")
                break
        page.wait_for_url("**/calendar/proposals/*")
        return visited, said(page)

    visited, words = chromium.browse(story)
    # In the order in which it is read, and never in the field that people do not see.
    assert visited == [
        "a",
        "event_name",
        "date",
        "last_day",
        "start_time",
        "end_time",
        "location",
        "proof_link",
        "host_email",
        "arrondissement",
        "genre",
        "price",
        "age",
        "indoor_outdoor",
        "notes",
        "button",
    ]
    assert "Your proposal has arrived." in words
    submission = Submission.objects.get()
    assert (submission.payload["date"], submission.payload["startTime"]) == ("2026-12-15", "20:00")


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_what_is_wrong_is_said_at_the_top_with_the_focus_and_beside_each_field(
    chromium: Chromium, live_server: Any, acme: Calendar, scripts: bool
) -> None:
    def story(page: Page) -> None:
        page.goto(f"{live_server.url}/calendar/submit")
        fill(page, **{"Your e-mail address": "nobody", "A link that proves it": "ftp://example.com"})
        page.get_by_label("Notes").fill("One\nTwo")
        send(page)
        problems = page.get_by_role("alert")
        expect(problems).to_be_focused()
        expect(problems).to_contain_text("Please look at 2 fields again")
        expect(page).to_have_title("Problem: Propose an event – acme.example")
        address = page.get_by_role("textbox", name="Your e-mail address")
        expect(address).to_have_accessible_description(
            "For the answer and for questions. It is not published. "
            "Must be an e-mail address, for example host@example.com."
        )
        # Nothing that was typed is gone.
        expect(address).to_have_value("nobody")
        expect(page.get_by_label("Date", exact=True)).to_have_value("2026-12-15")
        expect(page.get_by_label("Notes")).to_have_value("One\nTwo")
        # The summary leads to the field.
        problems.get_by_role("link", name="Your e-mail address").click()
        expect(address).to_be_focused()
        address.fill("contact@lesunset.com")
        page.get_by_label("A link that proves it").fill("example.com")
        send(page)
        page.wait_for_url("**/calendar/proposals/*")

    chromium.browse(story, java_script_enabled=scripts)
    assert Submission.objects.get().host_email == "contact@lesunset.com"


def test_over_the_limit_the_page_says_so_and_keeps_the_text(
    chromium: Chromium, live_server: Any, acme: Calendar, settings: Any
) -> None:
    settings.LIMITS = settings.LIMITS | {"SUBMISSION_EMAIL": (1, 3600)}

    def story(page: Page) -> None:
        for name in ("One", "Two"):
            page.goto(f"{live_server.url}/calendar/submit")
            # When it was opened is then unknown, and nobody takes it for a robot's.
            page.locator("[name=started]").evaluate("field => field.value = ''")
            fill(page, **{"Name of the event": name})
            send(page)
        alert = page.get_by_role("alert")
        expect(alert).to_be_focused()
        expect(alert).to_contain_text("Too many proposals have come from you. Please try again in 1 hour")
        expect(page.get_by_label("Name of the event")).to_have_value("Two")

    chromium.browse(story)
    assert [submission.name for submission in Submission.objects.all()] == ["One"]


def test_a_robot_that_fills_every_field_is_declined_and_sees_no_difference(
    chromium: Chromium, live_server: Any, acme: Calendar
) -> None:
    def story(page: Page) -> str:
        page.goto(f"{live_server.url}/calendar/submit")
        for field in page.locator("form input:not([type=hidden])").all():
            field.evaluate("field => field.type = 'text'")
            field.fill(
                {"host_email": "x@example.com"}.get(field.get_attribute("name") or "", "example.com"), force=True
            )
        send(page)
        page.wait_for_url("**/calendar/proposals/*")
        return said(page)

    assert "Your proposal has arrived." in chromium.browse(story)
    assert Submission.objects.get().spam_signals["honeypotFilled"]
    assert Submission.objects.get().status == "declined"


def test_people_neither_see_nor_hear_of_the_field_that_is_for_robots(
    chromium: Chromium, live_server: Any, acme: Calendar
) -> None:
    def story(page: Page) -> tuple[dict[str, float], str, str]:
        page.goto(f"{live_server.url}/calendar/submit")
        box = page.locator("#website").bounding_box()
        assert box is not None
        field = page.locator("input#website[name=website]")
        return dict(box), field.get_attribute("tabindex") or "", page.locator("form").aria_snapshot()

    box, tabindex, heard = chromium.browse(story)
    assert box["x"] + box["width"] < 0
    assert tabindex == "-1"
    assert "Leave this empty" not in heard
    assert "Name of the event" in heard


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_a_host_changes_answers_withdraws(chromium: Chromium, live_server: Any, acme: Calendar, scripts: bool) -> None:
    submission = make_submission(acme, "Bal populaire")
    review.ask(submission.pk, text="Is there a lift?", by="root", now=NOW)
    path = links.status_path(submission)

    def story(page: Page) -> str:
        page.goto(f"{live_server.url}{path}")
        page.get_by_label("Your answer").fill("Yes, two.")
        page.get_by_role("button", name="Send the answer").click()
        expect(page.get_by_role("status")).to_have_text("Thank you. Your answer has been passed on.")
        page.get_by_role("link", name="Change it").click()
        page.get_by_label("Name of the event").fill("Grand bal populaire")
        page.get_by_role("button", name="Save the changes").click()
        expect(page.get_by_role("status")).to_have_text("Your changes are saved.")
        expect(page.get_by_role("heading", level=1)).to_have_text("Grand bal populaire")
        page.get_by_text("Withdraw it").click()
        page.get_by_role("button", name="Withdraw the proposal").click()
        expect(page.get_by_role("heading", name="Withdrawn")).to_be_visible()
        return said(page)

    words = chromium.browse(story, java_script_enabled=scripts)
    assert "Yes, two." in words
    submission.refresh_from_db()
    assert (submission.name, submission.review_reason) == ("Grand bal populaire", "withdrawn")


def test_a_host_appeals_once(chromium: Chromium, live_server: Any, acme: Calendar) -> None:
    submission = make_submission(acme)
    review.decline(submission.pk, reason="unable_to_verify", by="root", now=NOW)
    path = links.status_path(submission)

    def story(page: Page) -> str:
        page.goto(f"{live_server.url}{path}")
        page.get_by_label("Is this a mistake?").fill("The page is there now.")
        page.get_by_role("button", name="Ask for another look").click()
        expect(page.get_by_role("status")).to_have_text("Somebody will look at it again.")
        return said(page)

    words = chromium.browse(story)
    assert "In review" in words
    assert "Ask for another look" not in words


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_is_easy_to_read(chromium: Chromium, live_server: Any, acme: Calendar, scheme: str) -> None:
    submission = make_submission(acme)
    review.ask(submission.pk, text="Is there a lift?", by="root", now=NOW)
    path = links.status_path(submission)

    def story(page: Page) -> list[str]:
        page.goto(f"{live_server.url}/calendar/submit")
        send(page)
        faint = page.evaluate(FAINT, LEAST_CONTRAST)
        page.goto(f"{live_server.url}{path}")
        return [*faint, *page.evaluate(FAINT, LEAST_CONTRAST)]

    assert chromium.browse(story, color_scheme=scheme) == []


@pytest.mark.parametrize("width", [320, 375, 1280])
def test_no_page_is_wider_than_the_screen(chromium: Chromium, live_server: Any, acme: Calendar, width: int) -> None:
    submission = make_submission(acme, "W" * 180, payload={"proofLink": f"https://example.com/{'x' * 500}"})
    path = links.status_path(submission)

    def story(page: Page) -> list[bool]:
        found = []
        for address in ("/calendar/submit", path, f"{path}/edit"):
            page.goto(f"{live_server.url}{address}")
            found.append(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))
        return found

    assert chromium.browse(story, viewport={"width": width, "height": 700}) == [True, True, True]


def test_pages_ask_nobody_else_and_break_no_rule_of_their_policy(
    chromium: Chromium, live_server: Any, acme: Calendar
) -> None:
    def story(page: Page) -> tuple[set[str], list[str]]:
        hosts: set[str] = set()
        complaints: list[str] = []
        page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.goto(f"{live_server.url}/calendar/submit")
        fill(page)
        send(page)
        page.wait_for_url("**/calendar/proposals/*")
        return hosts, complaints

    hosts, complaints = chromium.browse(story)
    assert hosts == {live_server.url.split("/")[2]}
    assert complaints == []
