"""What anybody may write comes to life on no page: every text that is stored, every page that there is, in a real
Chromium (guarantees A62, A63); and what these pages ask for while they are made and shown (A66, P22, P24).

The texts stand in every column that takes text; the pages come from the map of the site.
"""

import csv
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.apps import apps
from django.conf import LazySettings
from django.conf import settings as configured
from django.core.cache import close_caches
from django.db import connection, models
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from playwright.sync_api import ConsoleMessage, Error, Page
from pytest_django.live_server_helper import LiveServer

from accounts.models import OpenPanelClient
from accounts.tests.builders import make_account
from accounts.tests.conftest import own_counters, quick_passwords  # noqa: F401
from analytics.tests.browser import Chromium, chromium  # noqa: F401
from tinytrail.tests.holdings import Holdings, Words, check_models, make_holdings
from tinytrail.tests.pages import (
    files,
    pages_for_anybody,
    pages_of_lists,
    pages_of_numbers,
    pages_of_objects,
)

pytestmark = pytest.mark.django_db(transaction=True)

# Each breaks out of an attribute in either quotes or of an element, and then makes one of every kind.
HOSTILE = Words(
    (
        """'+(ran=1)+'"><script>ran=1</script><img src=x onerror=ran=1><a href=javascript:ran=1>""",
        """'"><script>ran=1</script><img src=x onerror=ran=1>""",
        """'"><script>ran=1</script>""",
        "<b>ran=1",
    ),
    """javascript:ran=1//'"><img src=x onerror=ran=1>""",
)
# What is left of them when they are more than text.
ALIVE = """() => [
  typeof ran === 'undefined' ? '' : 'something ran',
  ...[...document.querySelectorAll('script')]
    .filter(node => node.textContent.includes('ran=1') && !/json/.test(node.type)).map(() => 'a script'),
  ...[...document.querySelectorAll('img[src="x"], [onerror], b:not([class])')]
    .filter(node => node.matches('img, [onerror]') || node.textContent.startsWith('ran=1')).map(() => 'an element'),
  ...[...document.querySelectorAll('*')].flatMap(node => [...node.attributes])
    .filter(one => /^(href|src|action|formaction|data|xlink:href|srcdoc|ping|poster)$/.test(one.name))
    .filter(one => /^[\\s\\0-\\x20]*(javascript|data|vbscript):/i.test(one.value) && !/^data:image/.test(one.value))
    .map(one => `${one.name}=${one.value}`),
].filter(Boolean)"""

# Columns in which no word of a stranger can stand, and why. A new column is in this list, or is filled.
CLOSED = {
    "ids, keys and digests of our own": {
        "accounts.Client.token",
        "accounts.AuditEntry.action",
        "accounts.AuditEntry.subject",
        "accounts.Erasure.subject",
        "accounts.User.password",
        "submissions.CatalogEvent.key",
        "submissions.RetiredKey.key",
        "submissions.LimitCount.key",
        "submissions.LimitCount.scope",
        "submissions.Submission.source_ip_hash",
        "submissions.Submission.email_ip_hash",
        "submissions.Submission.fingerprint_hash",
        "submissions.Submission.accepted_event_key",
        "submissions.Batch.submissions",
        "submissions.Decision.before",
        "analytics.EngagementDay.event_key",
        "analytics.EngagementSession.event_key",
        "analytics.OrderLine.call",
        "analytics.SharedLink.password",
        "admin.LogEntry.object_id",
    },
    "words of our own": {
        "submissions.Submission.spam_signals",
        "analytics.EngagementDay.action",
        "analytics.DiscoveryDay.action",
        "analytics.DiscoveryDay.filter_group",
        "analytics.Drop.dialect",
        "analytics.RecentDrop.dialect",
        "analytics.RecentDrop.reason",
        "analytics.Quarantine.reason",
        "analytics.Quarantine.change_kind",
    },
    "letters, digits and hyphens only, whoever writes it": {
        "accounts.Website.domain",
        "accounts.Website.excluded_ips",
        "accounts.Client.origins",
        "accounts.Client.redirect_hosts",
        "analytics.SharedLink.hosts",
        "submissions.CatalogEvent.slug",
        "submissions.Calendar.time_zone",
        "analytics.Event.country",
        "analytics.Visit.country",
        "analytics.Order.currency",
        "analytics.Order.referrer",
        "analytics.WidgetArm.widget",
        "analytics.EmptyWidgetDay.widget",
    },
    "mail, which is plain text and has no page": {
        f"submissions.Mail.{name}" for name in ("key", "kind", "to", "subject", "body", "error")
    },
}


@pytest.fixture
def acme(settings: LazySettings) -> Holdings:
    settings.LIMITS = {**settings.LIMITS, "API_KEY": None}
    return make_holdings(make_account(HOSTILE(255)), "acme.example", HOSTILE, now=timezone.now(), role="admin")


def columns_of_text() -> Iterator[tuple[str, str, str]]:
    """Name, table and column of whatever may hold a text that is not one of a list."""
    kinds = (models.CharField, models.TextField, models.JSONField)
    for model in apps.get_models():
        if model._meta.app_label in ("accounts", "analytics", "submissions", "admin") and not model._meta.proxy:
            for one in model._meta.concrete_fields:
                if isinstance(one, kinds) and not one.choices:
                    yield f"{model._meta.label}.{one.name}", model._meta.db_table, one.column


def test_every_column_that_takes_text_has_a_hostile_one(acme: Holdings) -> None:
    """So that the pages below show all that could be shown; whoever adds a column says what may stand in it."""
    check_models(acme)
    closed = set().union(*CLOSED.values())
    filled = set()
    with connection.cursor() as cursor:
        for name, table, column in columns_of_text():
            cursor.execute(f'SELECT count(*) FROM {table} WHERE "{column}"::text LIKE %s', ["%ran=1%"])
            if cursor.fetchone()[0]:
                filled.add(name)
    every = {name for name, _, _ in columns_of_text()}
    assert sorted(every - filled - closed) == []
    assert sorted(closed - every) == []


# -- every page -------------------------------------------------------------------------------------------------------


def pages(of: Holdings) -> list[str]:
    found = (*pages_of_objects(of), *pages_of_lists(of), *pages_of_numbers(of), *pages_for_anybody(of))
    return list(dict.fromkeys(found))


def signed_in(of: Holdings) -> Client:
    office = Client(raise_request_exception=False)
    office.force_login(of.user)
    return office


def body_of(answer: HttpResponse) -> str:
    return (b"".join(answer.streaming_content) if answer.streaming else answer.content).decode()


def test_while_a_page_is_made_nothing_is_connected_to_but_our_own_engines(
    acme: Holdings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A66; and of each page P22, that a policy forbids other hosts, and P24, that no search engine keeps a private one.

    PostgreSQL is connected to by libpq, which does not come by here.
    """
    connected: set[str] = set()
    looked_up: set[object] = set()
    connect, look_up = socket.socket.connect, socket.getaddrinfo

    def connecting(self: socket.socket, to: Any) -> None:
        connected.add(str(to))
        connect(self, to)

    def looking_up(host: Any, *rest: Any, **more: Any) -> Any:
        looked_up.add(host)
        return look_up(host, *rest, **more)

    monkeypatch.setattr(socket.socket, "connect", connecting)
    monkeypatch.setattr(socket, "getaddrinfo", looking_up)
    office, anybody = signed_in(acme), Client()
    kept, made = set(), 0
    for address in (*pages(acme), *files(acme)):
        close_caches()
        answer = office.get(address)
        body = body_of(answer)
        # What has no page is to be named in ONLY_POSTED.
        assert answer.status_code in (200, 302, 400, 403, 404, 409, 410), address
        if answer.status_code == 200 and answer["Content-Type"].startswith("text/html"):
            made += 1
            policy = answer["Content-Security-Policy"]
            assert "default-src 'self'" in policy, address
            assert not re.search(r"https?:|\*|script-src[^;]*'unsafe-inline'", policy), address
            if not is_noindex(answer, body):
                kept.add(address)
    assert made > 120
    # What may be found is what is there for everybody who comes by.
    assert all(anybody.get(address).status_code == 200 for address in kept), kept
    assert {address.split("/")[1].partition("?")[0] for address in kept} == {"", "calendar", "api"}
    assert not any(token in address for address in kept for token in acme.tokens.values())
    redis = urlsplit(configured.REDIS_URL)
    own = {redis.path} if redis.scheme == "unix" else {str((redis.hostname, redis.port))}
    assert (connected, looked_up - {redis.hostname}) == (own, set())


def is_noindex(answer: HttpResponse, body: str) -> bool:
    meta = re.search(r'<meta name="robots" content="([^"]*)"', body)
    return "noindex" in answer.headers.get("X-Robots-Tag", "") or bool(meta and re.search("noindex|NONE", meta[1]))


@dataclass
class Visit:
    """What was seen on the way through all pages."""

    alive: dict[str, list[str]] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)
    elsewhere: set[str] = field(default_factory=set)
    no_pages: dict[str, str] = field(default_factory=dict)
    pages: int = 0
    with_words: int = 0

    def listen(self, page: Page, server: str) -> None:
        page.on("dialog", lambda dialog: (self.complaints.append(dialog.message), dialog.dismiss()))
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url} {error}"))
        page.on("console", self.complain)
        page.on("request", lambda request: self.asked(request.url, server))

    def asked(self, url: str, server: str) -> None:
        if not url.startswith((f"{server}/", "data:", "blob:")):
            self.elsewhere.add(url)

    def complain(self, line: ConsoleMessage) -> None:
        # A page that says by its status what is wrong is no error of the page; a part of it that is missing is one.
        is_status = line.text.startswith("Failed to load resource: the server responded with a status of 4")
        if line.type == "error" and not (is_status and "/static/" not in line.location["url"]):
            self.complaints.append(f"{line.location['url']} {line.text}")

    def look(self, page: Page) -> None:
        self.pages += 1
        self.with_words += "ran=1" in page.content()
        if found := page.evaluate(ALIVE):
            self.alive[page.url] = found


def test_hostile_texts_come_to_life_on_no_page_and_no_page_asks_another_host(
    chromium: Chromium,  # noqa: F811
    live_server: LiveServer,
    acme: Holdings,
) -> None:
    """A62, A63, P22: no script, no element, no link, no dialog, no violation of the policy, no foreign request."""
    cookie = signed_in(acme).cookies[configured.SESSION_COOKIE_NAME]
    addresses = pages(acme)

    def story(page: Page) -> Visit:
        visit = Visit()
        visit.listen(page, live_server.url)
        page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": live_server.url}])
        # What a page of the calendar would tell the server is no part of this.
        page.add_init_script("window.tinytrailOff = true")
        for address in addresses:
            try:
                page.goto(live_server.url + address)
            except Error as error:
                visit.no_pages[address] = error.message
            else:
                visit.look(page)
        return visit

    visit = chromium.browse(story)
    assert (visit.alive, visit.complaints, visit.elsewhere) == ({}, [], set())
    # A file is no page.
    assert {address: said for address, said in visit.no_pages.items() if "Download is starting" not in said} == {}
    assert visit.with_words > 120, (visit.pages, visit.with_words)


MARKUP = re.compile("<script>ran=1|<img src=x|<b>ran=1")


def test_what_is_asked_and_said_about_many_shows_texts_as_texts(acme: Holdings) -> None:
    """Every action of every list, and what is said after a new key or secret: pages that only a form leads to."""
    office, with_words = signed_in(acme), 0
    forms = [
        (f"/admin/accounts/user/{acme.user.pk}/new-key/", {}),
        (f"/admin/accounts/openpanelclient/{acme.rows[OpenPanelClient].pk}/new-secret/", {}),
    ]
    for model, row in acme.rows.items():
        path = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        select = re.search(r'<select name="action".*?</select>', body_of(office.get(path)), re.DOTALL)
        for action in re.findall(r'<option value="(\w+)"', select[0]) if select else ():
            forms.append((path, {"action": action, "_selected_action": [str(row.pk)], "index": "0"}))
    assert len(forms) > 12
    for path, given in forms:
        answer = office.post(path, given, follow=True)
        body = body_of(answer)
        assert (answer.status_code, MARKUP.findall(body)) == (200, []), (path, given)
        with_words += "ran=1" in body
    assert with_words == len(forms)


def test_hostile_texts_in_files_start_no_formula(acme: Holdings) -> None:
    """CSV is text: what is in it is what was written, and no cell of it is run by a spreadsheet."""
    office, with_words = signed_in(acme), 0
    for address in files(acme):
        answer = office.get(address)
        assert answer["Content-Type"].startswith("text/csv"), address
        assert answer["Content-Disposition"].startswith("attachment"), address
        assert answer["X-Content-Type-Options"] == "nosniff", address
        rows = list(csv.reader(body_of(answer).splitlines()))
        with_words += any("ran=1" in cell for row in rows for cell in row)
        assert not [cell for row in rows for cell in row if re.match(r"[=+@\t\r]|-(?!\d)", cell)], address
    assert with_words > 20
