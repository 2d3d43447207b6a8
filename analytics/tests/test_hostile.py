"""Hostile input in every dialect (guarantees, "Hostile input"; F26, A39, A41, A42): the dialect's own answer, never a
5xx, nothing accepted that reports cannot read, nothing refused that is not counted.

2,000 calls a dialect; `make hostile` sends 50,000, and other ones each time.
"""

from collections import Counter

import pytest
from django.db.models import Sum
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts.api.documentation import REFUSAL
from accounts.models import Account, User, Website
from accounts.tests.builders import make_root
from analytics import profiles, showing
from analytics.models import Drop, Event, Group, Order, Profile, Quarantine
from analytics.reports import REPORTS
from analytics.tests.builders import CHROME, a_body, make_key, make_website, report
from analytics.tests.hostile import (
    EXAMPLES,
    PLAYED,
    InProcess,
    fits,
    has_documented_form,
    posts,
    queries,
    together,
    wandering,
)
from analytics.tests.panel import Panel
from analytics.tests.test_admin import signed_in
from analytics.tests.tracking import make_calendar, make_event
from analytics.tests.widgets import BEST, INSTANCE, make_token
from submissions import calendars
from submissions.api.documentation import ANSWERS
from submissions.models import Submission
from submissions.tests.proposing import EXAMPLE

BROWSER = {"user-agent": CHROME}
# What is counted although the rest of its call was stored.
PARTS = ("revenue_without_secret", "replay")

# Of counts that grow with every call one transaction for all would keep each version, and read them all.
ingesting = pytest.mark.django_db(transaction=True)
managing = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _without_limits(settings):
    settings.LIMITS = dict.fromkeys(settings.LIMITS)


@pytest.fixture
def server():
    with InProcess().running() as server:
        yield server


@pytest.fixture
def acme():
    return make_website(content_groups=[{"name": "Blog", "pattern": "/blog/*"}], excluded_ips=["198.51.100.7"])


def play(server, calls):
    """Send calls to the front, and the first of each batch to plain Django as well. Answers by method and status."""
    statuses = Counter()

    @PLAYED
    @given(together(calls))
    def played(batch):
        answers = [*server.ask_front(batch), server.ask_django(batch[0])]
        for sent, answer in zip([*batch, batch[0]], answers, strict=True):
            has_documented_form(sent, answer)
            statuses[answer.status] += 1
        assert answers[-1].status == answers[0].status, batch[0]

    played()
    assert statuses.total() >= EXAMPLES
    return statuses


def counted(dialect):
    """How many calls were counted as refused."""
    found = Drop.objects.filter(dialect=dialect).exclude(reason__in=PARTS)
    assert not found.filter(reason="").exists()
    return found.aggregate(total=Sum("count"))["total"] or 0


def can_be_read(website):
    """Whatever was stored stands in the table of events and nowhere else, and every reader gets through it."""
    assert Quarantine.objects.count() == 0
    assert len(showing.events([website.id], None)) == Event.objects.count() > 0
    client, key = Client(), make_key(website.account)
    for name in REPORTS:
        more = {"steps[]": ["/", "signup"]} if name == "funnel" else {}
        for form in ("json", "csv"):
            answer = report(client, name, website, key, period="today", per_page=500, format=form, **more)
            assert answer.status_code == 200, (name, answer.content)
            answer.content.decode()
    signed_in(client, website.account)
    page = client.get(f"/dashboard/{website.public_id}?period=today")
    assert page.status_code == 200
    page.getvalue().decode()
    return client


# -- what is stored ---------------------------------------------------------------------------------------------------


@ingesting
def test_v1_takes_or_refuses_whatever_is_sent(server, acme):
    goods = [
        a_body(acme, referrer="https://www.google.com/", screen_width=1440, screen_height=900, utm_source="a"),
        a_body(acme, event_type="custom", properties={"event_name": "signup", "plan": {"price": 9.5, "tags": ["a"]}}),
        a_body(acme, event_type="video.play", properties={"n": 1}),
        a_body(acme, event_type="scroll_50", url="https://acme.example/?utm_source=x&utm_medium=cpc"),
        a_body(),
    ]
    callers = [BROWSER, BROWSER | {"origin": "https://acme.example"}, BROWSER | {"content-type": "text/plain"}]
    statuses = play(server, posts("/api/v1/collect", goods, 32 * 1024, callers))
    assert {202, 204, 400, 413, 415} <= set(statuses)
    assert Event.objects.count() + counted("v1") == statuses.total()
    can_be_read(acme)


@ingesting
def test_engagement_says_the_same_to_whatever_is_sent(server):
    jazz = make_event(make_calendar())
    goods = [
        {"eventKey": jazz.key, "actionType": "click", "sessionId": "s", "source": "event_open", "path": "/e"},
        {"eventKey": jazz.key.upper(), "actionType": "calendar_sync"},
        {"eventKey": jazz.key, "actionType": "outbound_click", "path": "/é"},
    ]
    statuses = play(server, posts("/api/track", goods, 16 * 1024, [BROWSER]))
    assert set(statuses) == {202}
    assert Event.objects.count() + counted("engagement") == statuses.total()
    calendar_can_be_read(jazz.calendar)


@ingesting
def test_discovery_says_the_same_to_whatever_is_sent(server):
    jazz = make_event(make_calendar())
    goods = [
        {"actionType": "search", "searchQuery": "Jazz", "sessionId": "s", "path": "/events"},
        {"actionType": "filter_apply", "filterGroup": "genre", "filterValue": "jazz"},
        {"actionType": "filter_clear", "filterGroup": "all", "filterValue": "reset", "searchQuery": None},
    ]
    callers = [BROWSER, BROWSER | {"origin": f"https://{jazz.calendar.website.domain}"}]
    statuses = play(server, posts("/api/track/discovery", goods, 16 * 1024, callers))
    assert set(statuses) == {202}
    assert Event.objects.count() + counted("discovery") == statuses.total()
    calendar_can_be_read(jazz.calendar)


def calendar_can_be_read(calendar):
    client = can_be_read(calendar.website)
    assert client.get(f"/admin/calendar-numbers/{calendar.website.public_id}").status_code == 200


@ingesting
def test_openpanel_takes_or_refuses_whatever_is_sent(server, acme):
    panel = Panel(acme)
    goods = [
        {"type": type_, "payload": payload}
        for type_, payload in (
            ("track", {"name": "signup", "properties": {"plan": "pro", "n": 9.5, "deep": {"a": [1, {"b": None}]}}}),
            ("track", {"name": "screen_view", "profileId": 7, "properties": {"__path": "https://acme.example/a?b=c"}}),
            ("track", {"name": "revenue", "properties": {"__revenue": 100, "__timestamp": "2026-01-01T00:00:00Z"}}),
            ("track", {"name": "x", "groups": ["g"], "properties": {"__identify": {"profileId": "1", "email": ""}}}),
            (
                "track",
                {"name": "x", "properties": {"__deviceId": "d", "__ip": "203.0.113.7", "__referrer": "https://a.b"}},
            ),
            ("identify", {"profileId": "1", "firstName": "A", "email": "a@acme.example", "properties": {"tier": "x"}}),
            ("identify", {"profileId": 2.5, "avatar": "https://acme.example/a.png", "groups": ["g"], "own": [1, 2]}),
            ("increment", {"profileId": "1", "property": "visits.all", "value": 2}),
            ("decrement", {"profileId": "1", "property": "credit"}),
            ("group", {"id": "g", "type": "company", "name": "Acme", "properties": {"size": 3}}),
            ("assign_group", {"profileId": "1", "groupIds": ["g"]}),
            ("replay", {"chunk": "x"}),
        )
    ]
    given = {"openpanel-client-id": str(panel.client.id)}
    goods.append(goods[0] | {"clientId": panel.secret, "clientSecret": panel.secret})
    callers = [panel.trusted, panel.trusted | BROWSER, panel.public, given | BROWSER]
    statuses = play(server, posts("/track", goods, 3 * 1024 * 1024, callers))
    assert {200, 400, 401, 413, 415} <= set(statuses)
    assert counted("openpanel") == statuses.total() - statuses[200] - Event.objects.filter(is_bot=True).count()
    assert (Profile.objects.exists(), Group.objects.exists()) == (True, True)
    people_can_be_read(panel)


def people_can_be_read(panel):
    reader = Panel(panel.website, right="read")
    pages = Client().get("/export/events", {"limit": 1}, headers=reader.trusted).json()["meta"]["pages"] // 1_000 + 1
    for page in range(1, pages + 1):
        answer = Client().get(
            "/export/events", {"limit": 1_000, "page": page, "includes": "profile"}, headers=reader.trusted
        )
        assert answer.status_code == 200
        assert answer.json()["data"]
    client = can_be_read(panel.website)
    assert client.get("/admin/analytics/profile/").status_code == 200
    assert {
        client.get(f"/admin/analytics/profile/{profile.pk}/change/").status_code
        for profile in Profile.objects.all()[:50]
    } == {200}
    assert len(profiles.shown([panel.website.id], None)) == Profile.objects.count()


@ingesting
def test_the_device_of_openpanel_is_told_or_refused_whoever_asks(server, acme):
    panel = Panel(acme)
    statuses = play(server, wandering("/track/device-id", [panel.trusted, panel.public]))
    assert {200, 400, 401} <= set(statuses)
    assert (counted("openpanel"), Event.objects.count()) == (statuses.total() - statuses[200], 0)


@ingesting
def test_widgets_take_or_refuse_whatever_is_asked(server, acme):
    token = make_token(acme).token
    paths = [
        f"{BEST}/render.json",
        f"/track/widget/{INSTANCE}/category/7/media/5/click.gif",
        f"/track/widget/{INSTANCE}/stream/9/media/5/shop",
        f"/track/widget/{INSTANCE}/stream/not_found/render",
        "/track/transaction/T-1/checkout",
        "/track/transaction/T-2/checkout.gif",
        "/",
    ]
    common = [("auth_token", token), ("analytics_id", "v1"), ("pics", "3")]
    goods = [
        [*common, ("ab_testing", "1"), ("segments[]", "country:US"), ("segments[]", "é:ü")],
        [*common, ("redirect_url", "https://www.acme.example/p?a=b#c")],
        [
            *common,
            ("products[]", "shoe:49.90"),
            ("products[]", "a:b:0.1"),
            ("currency_code", "EUR"),
            ("segments[]", "a:b"),
        ],
        [*common, ("products", "shoe:1"), ("referrer", "https://acme.example/cart?email=canary@example.test")],
    ]
    statuses = play(server, queries(paths, goods))
    assert {200, 302, 400, 403, 404, 409} <= set(statuses)
    assert Order.objects.exists()
    can_be_read(acme)
    assert len(showing.orders([acme.id], None)) == Order.objects.count()


# -- what is proposed and managed -------------------------------------------------------------------------------------


@ingesting
def test_a_proposal_is_taken_or_refused_whatever_is_sent(server):
    calendar = make_calendar()
    calendars.open_for_proposals(calendar, by="root", now=timezone.now())
    moderator = signed_in(Client(), calendar.website.account, User.Role.ADMIN)
    statuses = Counter()
    goods = [EXAMPLE, EXAMPLE | {"honeypot": "x"}, EXAMPLE | {"formStartedAt": "2026-01-01T00:00:00Z", "notes": None}]

    @PLAYED
    # One that is taken costs as much as ten that are refused.
    @given(together(posts("/api/event-submissions", goods, 64 * 1024, [BROWSER], breaks=(1, 2, 3, 3, 3, 0))))
    def played(batch):
        # Each is compared with all that wait for a moderator.
        Submission.objects.all().delete()
        answers = [server.ask_django(sent) for sent in batch]
        for sent, answer in zip(batch, answers, strict=True):
            fits(ANSWERS[answer.status][1], sent, answer)
        found = Counter(answer.status for answer in answers)
        assert len(showing.submissions([calendar.website_id], None)) == found[200]
        statuses.update(found)

    played()
    assert set(statuses) == {200, 400, 413, 415}
    assert counted("submissions") == statuses.total() - statuses[200]
    for page in ("", *(f"{submission.pk}/change/" for submission in Submission.objects.all())):
        assert moderator.get(f"/admin/submissions/submission/{page}").status_code == 200


@managing
def test_what_manages_is_done_or_refused_whatever_is_sent(server):
    root = make_root()
    acme = make_website()
    key = {"x-api-key": root.key}
    website = {
        "domain": "shop.acme.example",
        "content_groups": [{"name": "Blog", "pattern": "/blog/*"}],
        "excluded_ips": ["192.0.2.1", "10.0.0.0/8", "2001:db8::1-2001:db8::9"],
        "account_id": str(acme.account_id),
    }
    user = {"account_id": str(acme.account_id), "role": "user", "email": "a@acme.example"}
    routes = [
        ("POST", "/api/v1/accounts", [{"name": "Globex"}]),
        ("POST", "/api/v1/users", [user, user | {"role": "admin", "email": None}]),
        ("POST", "/api/v1/websites", [website, website | {"account_id": None}]),
        ("PATCH", f"/api/v1/websites/{acme.public_id}", [website, {"domain": "acme.example"}]),
        ("POST", "/api/v1/admin/aggregate", [{"date": "2026-03-18"}, {}]),
    ]
    calls = st.one_of(*(posts(path, goods, 256 * 1024, [key], method=method) for method, path, goods in routes))
    statuses = Counter()

    @PLAYED
    @given(together(calls))
    def played(batch):
        # A domain is an account's once.
        Website.objects.exclude(pk=acme.pk).delete()
        before = counts()
        answers = [server.ask_django(sent) for sent in batch]
        for sent, answer in zip(batch, answers, strict=True):
            fits(ENVELOPES[answer.status], sent, answer)
        found = Counter(answer.status for answer in answers)
        assert counts().total() - before.total() == found[201]
        statuses.update(found)

    played()
    assert set(statuses) == {200, 201, 400, 401, 413, 415}
    for path in ("accounts", "users", "websites"):
        answer = Client().get(f"/api/v1/{path}", headers=key)
        assert answer.status_code == 200
        assert answer.json()["data"]


def counts():
    return Counter({model: model.objects.count() for model in (Account, User, Website)})


# Every protected route answers in these (contract 2.1).
SUCCESS = {"type": "object", "properties": {"status": {"const": "success"}}, "required": ["status", "data"]}
ENVELOPES = {200: SUCCESS, 201: SUCCESS, **dict.fromkeys((400, 401, 413, 415), REFUSAL)}
