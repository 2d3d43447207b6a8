"""The first page, the list of websites and the page of a website's integration in a real browser."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from accounts.clients import create_openpanel_client, create_widget_client
from accounts.tests.builders import make_account, make_user, make_website
from analytics import drops
from analytics.rollups.build import build
from analytics.tests.builders import load, noon

pytestmark = pytest.mark.django_db(transaction=True)

PHONE = {"width": 390, "height": 844}
HOME, LIST = "/admin/", "/admin/accounts/website/"
# Texts of ours that cannot be told from what lies behind them well enough (WCAG 2.2, 1.4.3), and controls without a
# name.
FAINT = """() => {
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
  for (const node of document.querySelectorAll('.mo *')) {
    const says = [...node.childNodes].some(child => child.nodeType === 3 && child.data.trim())
    if (!says || !node.checkVisibility() || node.closest('.mo-unseen')) continue
    const behind = grounds(node)
    const [one, two] = [light(drawn([...behind, getComputedStyle(node).color])), light(drawn(behind))]
    const contrast = (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05)
    if (contrast < 4.5) faint.push(`${contrast.toFixed(2)} ${node.textContent.trim()}`)
  }
  return faint
}"""
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture
def acme():
    website = make_website(make_account("Acme"))
    load(website, *({"at": noon(1), "ip": f"203.0.113.{n}", "path": "/a-rather-long-path/of-a-page"} for n in range(9)))
    load(website, {"at": noon(8)}, {"at": timezone.now() - timedelta(minutes=2)})
    for days in (1, 8, 0):
        build(website.id, noon(days).date(), now=timezone.now())
    drops.count("v1", "invalid_field", day=noon(1).date(), website_id=website.id, times=60)
    create_widget_client(website, name="Wall")
    create_openpanel_client(website, name="App")
    return website


@pytest.fixture
def ann(acme):
    user = make_user(acme.account, login="ann")
    client = Client()
    client.force_login(user)
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def seen(chromium, server, session, story, **options):
    """What the story returns of a page that Ann has signed in to; nothing of it may complain in the console."""

    def played(page):
        page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": server}])
        complaints = []
        page.on("console", lambda message: message.type == "error" and complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: request.url.startswith(server) or complaints.append(request.url))
        return story(page), complaints

    found, complaints = chromium.browse(played, **options)
    assert complaints == []
    return found


def test_from_the_first_page_to_the_line_that_is_copied(chromium, live_server, acme, ann):
    server = live_server.url

    def story(page):
        page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=server)
        page.goto(f"{server}{HOME}")
        page.get_by_role("link", name="Integration of acme.example").first.click()
        page.get_by_role("button", name="Tracking snippet").click()
        page.get_by_text("Copied").first.wait_for()
        return page.evaluate("navigator.clipboard.readText()")

    copied = seen(chromium, server, ann, story)
    assert copied == f'<script defer data-id="{acme.public_id}" src="{server}/js/tracker.js"></script>'


def test_the_rise_and_its_cause_can_be_read_at_a_glance(chromium, live_server, acme, ann):
    def story(page):
        page.goto(f"{live_server.url}{HOME}")
        return page.locator("article").inner_text(), page.get_by_role("heading", name="Broken").count()

    text, broken = seen(chromium, live_server.url, ann, story)
    assert "+800 % of 1" in text
    assert "/a-rather-long-path/of-a-page" in text
    assert broken == 1


def test_the_picture_of_the_visits_is_drawn(chromium, live_server, acme, ann):
    def story(page):
        page.goto(f"{live_server.url}{LIST}")
        drawn = page.locator(".mo-spark polyline")
        return drawn.bounding_box()["width"], drawn.evaluate("node => getComputedStyle(node).fill")

    width, fill = seen(chromium, live_server.url, ann, story)
    assert (width > 80, fill) == (True, "none")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [PHONE, None], ids=["phone", "desk"])
def test_the_pages_fit_and_can_be_read(chromium, live_server, acme, ann, scheme, viewport):
    options = {"color_scheme": scheme} | ({"viewport": viewport} if viewport else {})

    def story(page):
        found = []
        for path in (HOME, f"/admin/integration/{acme.public_id}", LIST):
            page.goto(f"{live_server.url}{path}")
            page.locator("#content-main, #changelist").first.wait_for()
            found.append((page.evaluate(WIDER), page.evaluate(FAINT)))
        return found

    assert seen(chromium, live_server.url, ann, story, **options) == [(0, [])] * 3


def test_without_a_script_the_pages_can_be_read(chromium, live_server, acme, ann):
    def story(page):
        page.goto(f"{live_server.url}/admin/integration/{acme.public_id}")
        return page.locator("pre").first.is_visible(), page.get_by_role("button", name="Copy").count()

    assert seen(chromium, live_server.url, ann, story, java_script_enabled=False) == (True, 0)
