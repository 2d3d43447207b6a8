"""The review queue in a real browser: keys, two moderators at once, what hosts write stays text."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from accounts.tests.builders import make_user
from submissions import review
from submissions.models import CatalogEvent, Decision, Submission
from submissions.tests.builders import allow, make_calendar, make_spam, make_submission

pytestmark = pytest.mark.django_db(transaction=True)

QUEUE = "/admin/submissions/submission/"
RIGHTS = ("view_submission", "review_submission", "see_host", "export_submission", "view_decision")
HOSTILE = ['<script>alert("x")</script>', '"><img src=x onerror=alert(1)>', "javascript:alert(1)", "'}}{% now %}"]

LEAST_CONTRAST = 4.5
# The texts of ours whose contrast with what lies behind them falls short (WCAG 2.2, 1.4.3). Colours are drawn to be
# read, for browsers give back those of other colour spaces as they were written.
FAINT = """least => {
  const context = document.createElement('canvas').getContext('2d', { willReadFrequently: true })
  const drawn = layers => {
    context.clearRect(0, 0, 1, 1)
    for (const layer of layers) { context.fillStyle = layer; context.fillRect(0, 0, 1, 1) }
    return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3)
  }
  const light = rgb => {
    const [r, g, b] = rgb.map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const grounds = node => {
    const found = ['white']
    for (; node; node = node.parentElement) found.splice(1, 0, getComputedStyle(node).backgroundColor)
    return found
  }
  const faint = []
  for (const node of document.querySelectorAll('#content-main *')) {
    const says = [...node.childNodes].some(child => child.nodeType === 3 && child.data.trim())
    const icon = node.classList.contains('material-symbols-outlined')
    if (!says || icon || !node.checkVisibility() || !node.closest('[class*=q-], #result_list')) continue
    const behind = grounds(node)
    const [one, two] = [light(drawn([...behind, getComputedStyle(node).color])), light(drawn(behind))]
    const contrast = (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05)
    if (contrast < least) faint.push(`${contrast.toFixed(2)} ${node.textContent.trim()}`)
  }
  return faint
}"""


@pytest.fixture
def calendar():
    return make_calendar()


@pytest.fixture
def ann(calendar):
    return moderator(calendar, "ann")


@pytest.fixture
def server(live_server):
    return live_server.url


def moderator(calendar, login):
    # A test with transactions of its own finds no group: what migrations made is emptied away.
    user = allow(make_user(calendar.website.account, login=login), *RIGHTS)
    client = Client()
    client.force_login(user)
    user.session = client.cookies[settings.SESSION_COOKIE_NAME].value
    return user


def signed_in(page, user, server):
    """The page of somebody who has signed in; what its console complains of is kept in `page.complaints`."""
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": user.session, "url": server}])
    page.complaints = []
    page.on("console", lambda message: message.type == "error" and page.complaints.append(message.text))
    page.on("dialog", lambda dialog: (page.complaints.append(dialog.message), dialog.dismiss()))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    return page


def soon(days):
    return timezone.now().date() + timedelta(days=days)


def test_two_keys_decide_from_the_list(chromium, server, calendar, ann):
    make_submission(calendar, "First", starts_on=soon(1))
    make_submission(calendar, "Second", starts_on=soon(2))

    def story(page):
        signed_in(page, ann, server).goto(f"{server}{QUEUE}")
        page.keyboard.press("j")
        page.keyboard.press("a")
        page.get_by_text("“First” is on the calendar.").wait_for()
        return page.locator("#t-event").inner_text(), page.complaints

    heading, complaints = chromium.browse(story)
    assert heading.startswith("Second")
    assert complaints == []
    assert [event.name for event in CatalogEvent.objects.all()] == ["First"]


def test_every_key_does_what_its_button_does(chromium, server, calendar, ann):
    for number in range(1, 6):
        make_submission(calendar, f"Event {number}", starts_on=soon(number))

    def story(page):
        told = []

        def press(*keys, until):
            for key in keys:
                page.keyboard.press(key)
            page.get_by_text(until, exact=True).wait_for()
            told.append(
                page.locator("#t-event").inner_text().split("\n")[0][:7] if page.locator("#t-event").count() else ""
            )

        signed_in(page, ann, server).goto(f"{server}{QUEUE}next/")
        page.keyboard.press("j")
        page.wait_for_function("document.querySelector('#t-event').textContent.startsWith('Event 2')")
        page.keyboard.press("k")
        page.wait_for_function("document.querySelector('#t-event').textContent.startsWith('Event 1')")
        press("a", until="“Event 1” is on the calendar.")
        press("d", "Enter", until="“Event 2” is declined.")
        press("s", until="“Event 3” is skipped: it comes last in your queue.")
        page.keyboard.press("n")
        page.keyboard.type("Which hall? JKADSNU")
        page.keyboard.press("Tab")
        press("Enter", until="The host of “Event 4” is asked.")
        press("u", until="Undone: “Event 3” skipped.")
        press("u", until="Undone: “Event 2” declined.")
        return told, page.complaints

    told, complaints = chromium.browse(story)
    assert told == ["Event 2", "Event 3", "Event 4", "Event 5", "Event 3", "Event 2"]
    assert complaints == []
    found = {submission.name: submission.status for submission in Submission.objects.all()}
    assert (found["Event 1"], found["Event 2"], found["Event 3"]) == ("accepted", "pending", "pending")
    assert Submission.objects.get(name="Event 4").messages.get().text == "Which hall? JKADSNU"


def test_the_keys_are_shown_on_the_page_and_by_a_key(chromium, server, calendar, ann):
    make_submission(calendar)

    def story(page):
        signed_in(page, ann, server).goto(f"{server}{QUEUE}next/")
        buttons = [page.get_by_role("button", name=name).count() for name in ("Accept and publish A", "Skip S")]
        hidden = page.locator("#keys dl").is_visible()
        page.keyboard.press("?")
        return buttons, hidden, page.locator("#keys dl").is_visible(), page.locator("#keys").inner_text()

    buttons, before, after, text = chromium.browse(story)
    assert (buttons, before, after) == ([1, 1], False, True)
    for meaning in ("next, previous", "accept", "decline", "ask the host", "skip", "undo"):
        assert meaning in text


def test_without_scripts_every_button_works(chromium, server, calendar, ann):
    make_submission(calendar, "First", starts_on=soon(1))
    make_submission(calendar, "Second", starts_on=soon(2))

    def story(page):
        signed_in(page, ann, server).goto(f"{server}{QUEUE}")
        page.get_by_role("link", name="Review the next one").click()
        page.get_by_role("button", name="Accept and publish").click()
        page.get_by_text("Decline…").click()
        page.get_by_label("Reason", exact=True).select_option("event_not_relevant")
        page.get_by_role("button", name="Decline", exact=True).click()
        page.get_by_text("Queue empty, median wait").wait_for()
        page.get_by_role("button", name="Undo").click()
        return page.locator("#t-event").inner_text()

    assert chromium.browse(story, java_script_enabled=False).startswith("Second")
    assert [decision.action for decision in Decision.objects.order_by("id")] == ["accept", "decline", "undo"]


def test_without_scripts_one_can_sign_in(chromium, server):
    def story(page):
        page.goto(f"{server}/admin/login/")
        return page.locator("input[name=username]").is_visible()

    assert chromium.browse(story, java_script_enabled=False)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read_and_every_field_has_a_name(chromium, server, calendar, ann, scheme):
    flag = {"signal": "links", "sentence": "Two links in the notes.", "evidence": {"links": ["a.example"]}}
    submission = make_submission(calendar, starts_on=None, flags=[flag], created_at=timezone.now())
    make_submission(calendar, starts_on=None, created_at=timezone.now())
    submission.messages.create(at=timezone.now(), author="host", text="Hello")
    spam = make_spam(calendar)
    paths = [QUEUE, f"{QUEUE}measures/"] + [f"{QUEUE}{one.pk}/change/" for one in (submission, spam)]
    nameless = "[...document.querySelectorAll('#content-main :is(input:not([type=hidden]), select, textarea)')]"
    nameless += (
        ".filter(f => !f.labels.length && !f.ariaLabel && !f.placeholder && f.id != 'action-toggle').map(f => f.name)"
    )

    def story(page):
        signed_in(page, ann, server)
        found = []
        for path in paths:
            page.goto(f"{server}{path}")
            page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
            found += page.evaluate(FAINT, LEAST_CONTRAST) + page.evaluate(nameless)
        assert page.locator("html.dark").count() == (scheme == "dark")
        return found

    assert chromium.browse(story, color_scheme=scheme) == []


def test_two_moderators_see_each_other_and_only_one_decides(chromium, server, calendar, ann):
    submission = make_submission(calendar, "Wanted")
    bob = moderator(calendar, "bob")
    url = f"{server}{QUEUE}{submission.pk}/change/"

    def story(page):
        signed_in(page, ann, server).goto(url)
        other = page.context.browser.new_context()
        second = signed_in(other.new_page(), bob, server)
        second.goto(url)
        warning = second.locator("#looking").inner_text()
        page.keyboard.press("a")
        page.get_by_text("“Wanted” is on the calendar.").wait_for()
        second.keyboard.press("a")
        second.get_by_text("Submission is already accepted").first.wait_for()
        other.close()
        return warning

    assert chromium.browse(story) == "ann has this open now."
    assert CatalogEvent.objects.count() == 1
    assert [(decision.action, decision.actor) for decision in Decision.objects.all()] == [("accept", ann)]


def test_a_large_batch_goes_on_by_itself(chromium, server, calendar, ann):
    for number in range(250):
        make_submission(calendar, f"Event {number}")

    def story(page):
        page = signed_in(page, ann, server)
        page.goto(f"{server}{QUEUE}")
        page.locator("#action-toggle").check()
        page.get_by_text("Select all 250 submissions").click()
        page.locator("select[name=action]").select_option("decline_chosen")
        page.get_by_role("button", name="Run").click()
        page.get_by_role("button", name="Decline 250 submissions").click()
        page.get_by_text("250 declined.", exact=True).wait_for(timeout=60_000)
        return page.complaints

    assert chromium.browse(story) == []
    assert not Submission.objects.pending().exists()


def test_what_hosts_write_stays_text_on_every_page(chromium, server, calendar, ann):
    """Guarantee A62: list, search, page, duplicates, confirmation, history, log, hosts and file."""
    for hostile in HOSTILE:
        fields = (
            "eventName",
            "date",
            "startTime",
            "location",
            "genre",
            "price",
            "age",
            "notes",
            "proofLink",
            "endTime",
        )
        flag = {"signal": hostile, "sentence": hostile, "evidence": {hostile: [hostile]}}
        submission = make_submission(
            calendar, hostile, email=f"{hostile}@x", payload=dict.fromkeys(fields, hostile), flags=[flag]
        )
        submission.messages.create(at=timezone.now(), author="host", text=hostile)
        make_submission(calendar, hostile, email=None, payload=dict.fromkeys(fields, hostile), flags=[flag])
    declined = Submission.objects.first()
    review.decline(declined.pk, reason=HOSTILE[1], message=HOSTILE[0], by=HOSTILE[0], actor=ann, now=timezone.now())
    make_spam(calendar, HOSTILE[0])
    pages = [f"{QUEUE}{submission.pk}/change/" for submission in Submission.objects.all()]
    pages += [QUEUE, f"{QUEUE}?q=%3Cscript%3E", f"{QUEUE}?q=%22%3E%3Cimg+src%3Dx", f"{QUEUE}?state=declined"]
    pages += [f"{QUEUE}{submission.pk}/history/" for submission in Submission.objects.all()]
    pages += ["/admin/", "/admin/submissions/decision/", "/admin/submissions/host/", f"{QUEUE}measures/"]

    def story(page):
        signed_in(page, ann, server)
        intruders = []
        for path in pages:
            page.goto(f"{server}{path}")
            if page.locator("img[src=x], a[href^=javascript]").count():
                intruders.append(path)
        page.goto(f"{server}{QUEUE}")
        page.locator("#action-toggle").check()
        page.locator("select[name=action]").select_option("decline_chosen")
        page.get_by_role("button", name="Run").click()
        page.get_by_role("button", name="Decline 7 submissions").wait_for()
        intruders += ["confirm"] * page.locator("img[src=x], a[href^=javascript]").count()
        return intruders, page.complaints

    intruders, complaints = chromium.browse(story)
    assert intruders == []
    assert complaints == []


def test_the_file_opens_without_running_anything(calendar, ann):
    make_submission(calendar, "=HYPERLINK(1)", payload={"location": "@SUM(1)", "notes": "+1", "genre": "<script>"})
    client = Client()
    client.force_login(ann)
    content = b"".join(client.get(f"{QUEUE}export.csv").streaming_content).decode()
    for cell in ("'=HYPERLINK(1)", "'@SUM(1)", "'+1"):
        assert cell in content
