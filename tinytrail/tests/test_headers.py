"""Security headers stand on every class of answers (guarantees, A84).

The front's own answers are Django's, byte by byte: analytics/tests/test_front.py.
"""

import re

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path

from accounts.clients import create_widget_client
from accounts.tests.builders import make_account, make_root, make_user, make_website
from analytics.dashboard import links
from analytics.tests.builders import CHROME, a_body
from analytics.tests.widgets import BEST, address
from submissions.tests.builders import make_calendar
from tinytrail import urls
from tinytrail.urls import handler400, handler403, handler404, handler500  # noqa: F401
from tinytrail.web.headers import ADMIN_POLICY, POLICY

# What is counted is committed by another connection.
pytestmark = pytest.mark.django_db(transaction=True)

ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": POLICY,
}
HSTS = "max-age=31536000"
# The small pages of errors name their one style by its hash.
SMALL = re.compile(
    r"default-src 'self'; style-src 'sha256-[\w+/=]+'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
# Where something else is needed, and why.
OFFICE = "the back office's Alpine compiles expressions and writes styles"
EMBEDDED = "hosts that are named with the link may frame it"
OTHERWISE = {
    "sign-in page": OFFICE,
    "second step": OFFICE,
    "redirect": OFFICE,
    "back office": OFFICE,
    "list": OFFICE,
    "wrong method in the back office": OFFICE,
    "embedded link": EMBEDDED,
}
PAGES_OF_ERRORS = {
    "not found",
    "bad host",
    "bad forwarded host",
    "server error",
    "link that does not work",
    "refused form",
    "forbidden",
}
# A token against forgery, or the note that a session is used.
WITH_COOKIES = {"sign-in page", "back office", "list", "form", "dashboard", "wrong method in the back office"}


def broken(request: HttpRequest) -> HttpResponse:
    raise RuntimeError


# The site with two routes that fail.
urlpatterns = [path("broken", broken), path("api/v1/broken", broken), *urls.urlpatterns]


def read(answer):
    """A file is closed once it has been read."""
    assert b"".join(answer.streaming_content)
    answer.close()
    return answer


def answers(**how):
    """Every class of answers of Django, by name, with the status that it has."""
    anybody, foreign = Client(raise_request_exception=False, **how), Client(enforce_csrf_checks=True, **how)
    root, ann = make_root(login="root"), make_user(make_account("Acme"), login="ann")
    office, staff = Client(**how), Client(**how)
    office.force_login(root)
    staff.force_login(ann)
    website = make_website(ann.account)
    calendar = f"/calendar/{make_calendar(website).website.public_id}"
    plain = links.token_of(links.share(website, name="a", password="", hosts=[], last_day=None, by=ann))
    framed = links.token_of(
        links.share(website, name="b", password="", hosts=["https://acme.example"], last_day=None, by=ann)
    )
    pixel = address(f"{BEST}/render.gif", create_widget_client(website), analytics_id="v1", pics="1")
    key, agent = {"X-API-KEY": root.key}, {"user-agent": CHROME}
    report = f"/api/v1/reports/summary?website_id={website.public_id}&period=7d"
    json = {"content_type": "application/json"}
    yield "page", 200, anybody.get("/")
    yield "json", 200, anybody.get("/health")
    yield "head", 200, anybody.head("/health")
    yield "static file", 200, read(anybody.get("/static/tinytrail/front.css"))
    yield "not found", 404, anybody.get("/nothing")
    yield "not found in the envelope", 404, anybody.get("/api/v1/nothing")
    yield "bad host", 400, anybody.get("/", headers={"host": "evil.example"})
    yield "bad forwarded host", 400, anybody.get("/", headers={"x-forwarded-host": "evil.example"})
    yield "wrong method", 405, anybody.post("/health")
    yield "wrong method in the envelope", 405, anybody.delete("/api/v1/websites", headers=key)
    yield "wrong method in the back office", 405, staff.put("/admin/security/")
    yield "server error", 500, anybody.get("/broken")
    yield "server error in the envelope", 500, anybody.get("/api/v1/broken")
    yield "without a key", 401, anybody.get("/api/v1/websites")
    yield "api", 200, anybody.get("/api/v1/websites", headers=key)
    yield "bad payload", 400, anybody.post("/api/v1/websites", b"{", headers=key, **json)
    yield "report", 200, anybody.get(report, headers=key)
    yield "csv", 200, anybody.get(f"{report}&format=csv", headers=key)
    yield "tracker", 200, anybody.get("/js/tracker.js")
    yield (
        "tracker that is known",
        304,
        anybody.get("/js/tracker.js", headers={"if-none-match": anybody.get("/js/tracker.js")["ETag"]}),
    )
    yield "preflight", 204, anybody.options("/api/v1/collect", headers={"origin": "https://acme.example"})
    yield "event", 202, anybody.post("/api/v1/collect", a_body(website), headers=agent, **json)
    yield "bad event", 400, anybody.post("/api/v1/collect", b"{", headers=agent, **json)
    yield "pixel", 200, anybody.get(pixel, headers=agent)
    yield "widget without a token", 403, anybody.get(f"{BEST}/render.gif")
    yield "panel without a client", 401, anybody.post("/track", b"{}", **json)
    yield "proposal", 400, anybody.post("/api/event-submissions", b"{}", **json)
    yield "schema", 200, anybody.get("/api/schema/")
    yield "documentation", 200, anybody.get("/api/schema/docs/")
    yield "calendar", 200, anybody.get(calendar)
    yield "calendar as json", 200, anybody.get(f"{calendar}.json")
    yield "calendar as file", 200, anybody.get(f"{calendar}.ics")
    yield "feed", 200, anybody.get(f"{calendar}.rss")
    yield "form", 200, anybody.get("/calendar/submit")
    yield "link that does not work", 410, anybody.get("/sign-in/x/")
    yield "look ahead", 204, anybody.head("/sign-in/x/")
    yield "shared link", 200, anybody.get(f"/share/{plain}")
    yield "embedded link", 200, anybody.get(f"/share/{framed}")
    yield "redirect", 302, anybody.get("/admin/")
    yield "sign-in page", 200, anybody.get("/admin/login/")
    yield "second step", 302, anybody.get("/admin/login/code/")
    yield "refused form", 403, foreign.post("/admin/login/")
    yield "forbidden", 403, staff.get("/admin/accounts/user/")
    yield "back office", 200, office.get("/admin/")
    yield "list", 200, office.get("/admin/accounts/website/")
    yield "dashboard", 200, staff.get(f"/dashboard/{website.public_id}")
    yield "dashboard as csv", 200, staff.get(f"/dashboard/{website.public_id}/csv/pages")


@pytest.fixture(autouse=True)
def site(settings):
    settings.ROOT_URLCONF = __name__
    # Static files are served without having been collected.
    settings.WHITENOISE_USE_FINDERS = settings.WHITENOISE_AUTOREFRESH = True


def test_it_works():
    """Without TLS, where nothing is promised about it."""
    for name, status, answer in answers():
        assert answer.status_code == status, name
        found = {header: answer.headers.get(header) for header in ALWAYS}
        policy = found["Content-Security-Policy"]
        if OTHERWISE.get(name) == OFFICE:
            assert found == ALWAYS | {"Content-Security-Policy": ADMIN_POLICY}, name
        elif OTHERWISE.get(name) == EMBEDDED:
            named = POLICY.replace("frame-ancestors 'none'", "frame-ancestors 'self' https://acme.example")
            assert found == ALWAYS | {"X-Frame-Options": None, "Content-Security-Policy": named}, name
        elif name in PAGES_OF_ERRORS:
            assert SMALL.fullmatch(policy), name
            assert found == ALWAYS | {"Content-Security-Policy": policy}, name
        else:
            assert found == ALWAYS, name
        assert "Strict-Transport-Security" not in answer.headers, name
        # Cookies are for people's pages, and not for scripts.
        assert all(cookie["httponly"] and cookie["samesite"] == "Lax" for cookie in answer.cookies.values()), name
        if name not in WITH_COOKIES:
            assert answer.cookies == {}, name
        if answer.status_code == 204:
            assert not answer.has_header("Content-Length"), name


def test_behind_tls_browsers_are_told_to_stay_there(settings):
    settings.SECURE_HSTS_SECONDS = 31_536_000
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    promised = {
        name: answer.headers.get("Strict-Transport-Security")
        for name, _, answer in answers(headers={"x-forwarded-proto": "https"})
    }
    assert promised == dict.fromkeys(promised, HSTS)


def test_no_policy_allows_a_script_inside_a_page():
    for policy in (POLICY, ADMIN_POLICY):
        scripts = re.search(r"script-src ([^;]*)", policy) or re.search(r"default-src ([^;]*)", policy)
        assert "'unsafe-inline'" not in scripts[1]
        assert ("default-src 'self'" in policy, "frame-ancestors 'none'" in policy) == (True, True)
    assert "unsafe" not in POLICY
