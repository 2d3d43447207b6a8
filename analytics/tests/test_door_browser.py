"""Setting up the second factor and signing in with it, in a real browser."""

import pytest

from accounts.tests.authenticators import Phone
from accounts.tests.builders import make_account, make_user
from analytics.tests.test_backoffice_browser import FAINT, WIDER

pytestmark = pytest.mark.django_db(transaction=True)

PHONE = {"width": 390, "height": 844}
PASSWORD = "correct horse battery"
DRAWN = "node => node.complete && node.naturalWidth > 0"


@pytest.mark.parametrize(
    ("required", "options"),
    [(False, {"color_scheme": "dark", "viewport": PHONE}), (True, {"color_scheme": "light"})],
    ids=["chosen, on a dark phone", "required, at a desk"],
)
def test_from_the_password_to_the_code(chromium, live_server, settings, options, required):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.REQUIRE_TOTP = required
    make_user(make_account("Acme"), login="ann", password=PASSWORD)
    server = live_server.url
    complaints, looks = [], []

    def sign_in(page):
        page.goto(f"{server}/admin/")
        page.get_by_label("Login").fill("ann")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()

    def look(page):
        looks.append((page.evaluate(WIDER), page.evaluate(FAINT)))

    def story(page):
        page.on("console", lambda message: message.type == "error" and complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: request.url.startswith(server) or complaints.append(request.url))
        sign_in(page)
        if not required:
            page.goto(f"{server}/admin/security/")
            look(page)
            page.get_by_role("button", name="Set up").click()
        picture = page.get_by_alt_text("QR code of the secret below")
        picture.wait_for()
        page.wait_for_function(DRAWN, arg=picture.element_handle())
        look(page)
        phone = Phone(page.locator("#secret").inner_text())
        page.get_by_label("Code").fill(phone.code())
        page.get_by_role("button", name="Turn on").click()
        page.get_by_role("list", name="Recovery codes").wait_for()
        codes = page.get_by_role("list", name="Recovery codes").locator("code").all_inner_texts()
        look(page)
        page.get_by_role("link", name="I have kept them").click()
        page.context.clear_cookies()
        sign_in(page)
        page.get_by_label("Code").fill("nonsense")
        page.get_by_role("button", name="Sign in").click()
        page.get_by_text("This code is wrong").wait_for()
        look(page)
        page.get_by_label("Code").fill(phone.code(1))
        page.get_by_role("button", name="Sign in").click()
        page.locator("#content-main").wait_for()
        page.goto(f"{server}/admin/security/")
        page.get_by_text("10 recovery codes").wait_for()
        look(page)
        return len(set(codes))

    assert chromium.browse(story, **options) == 10
    assert complaints == []
    assert looks == [(0, [])] * (4 if required else 5)
