"""The first page of the back office: everybody's own websites, and for admins what concerns the installation."""

import html
import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.tests.builders import make_account, make_root, make_user, make_website
from analytics.models import DiscoveryDay, Drop, Quarantine, SiteDay
from analytics.retention import ensure_partitions
from analytics.tests.builders import load, noon
from submissions.models import Mail
from submissions.tests.builders import make_calendar, make_submission
from tinytrail.morning import morning

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def partitions():
    ensure_partitions(today=timezone.now().date())


@pytest.fixture
def acme():
    return make_website(make_account("Acme"))


@pytest.fixture
def ann(acme):
    return make_user(acme.account, login="ann")


@pytest.fixture
def globex():
    website = make_website(make_account("Globex"), "globex.example")
    load(website, *({"at": noon(1), "ip": f"203.0.113.{n}"} for n in range(7)))
    return website


@pytest.fixture
def root():
    return make_root(login="root")


def seen(user):
    """What the page says to the user, without its tags."""
    client = Client()
    client.force_login(user)
    page = client.get("/admin/")
    assert page.status_code == 200
    body = page.content.decode()
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body[body.index('id="content-main"') :])))


def test_it_works(acme, ann):
    load(acme, *({"at": noon(1), "ip": f"203.0.113.{n}", "path": "/new"} for n in range(5)))
    load(acme, {"at": noon(8)})
    page = seen(ann)
    for part in (
        "Yesterday",
        "acme.example",
        "Visits 5 +400 % of 1",
        "Channel Direct +4 visits 1 → 5",
        "Page /new +5 views",
    ):
        assert part in page, part


def test_without_a_website_it_says_what_to_do(root):
    assert "No website yet. Add one" in seen(root)


def test_a_website_without_any_visit_leads_to_its_line(acme, ann):
    assert "Nothing was counted on either day. The line for its pages is ready." in seen(ann)


def test_nobody_sees_anothers_website(acme, ann, globex, root):
    SiteDay.objects.filter(website_id=globex.id).update(day=noon(3).date(), pageviews=9000)
    Drop.objects.create(day=noon(1).date(), dialect="v1", reason="invalid_field", website_id=globex.id, count=99)
    Quarantine.objects.create(at=timezone.now(), reason="secret reason", data=b"")
    assert "globex" not in seen(ann)
    assert "refused" not in seen(ann)
    assert "99 calls were refused yesterday, most of them as invalid_field." in seen(root)


def test_a_moderator_sees_the_queue_and_no_trouble_of_the_installation(acme, ann):
    ann.groups.add(Group.objects.get(name="Moderators"))
    make_submission(make_calendar(acme), created_at=timezone.now() - timedelta(hours=9))
    Quarantine.objects.create(at=timezone.now(), reason="x", data=b"")
    page = seen(ann)
    assert "1 waiting , oldest 9 h 00" in page
    assert "Broken" not in page


def test_what_the_doctor_finds_is_told_to_admins(root):
    assert "Broken" not in seen(root)
    at = timezone.now() - timedelta(hours=2)
    told = {"key": "k", "kind": "received", "to": "host@example.test", "subject": "s", "body": "b"}
    Mail.objects.create(**told, created_at=at, due_at=at)
    Quarantine.objects.create(at=at, reason="x", data=b"")
    subjects = [trouble.subject for trouble in morning(root, now=timezone.now()).troubles]
    assert subjects == ["Mail", "Quarantine"]
    page = seen(root)
    assert "Mail: 1 mails wait" in page.replace(" :", ":")
    assert "host@example.test" not in page


def test_a_silent_website_is_told_to_those_who_may_see_it(acme, ann, globex):
    for website in (acme, globex):
        SiteDay.objects.create(
            website_id=website.id,
            day=noon(3).date(),
            is_bot=False,
            content_group="",
            visitors=1,
            visits=1,
            page_visits=1,
            bounces=0,
            duration_us=0,
            pageviews=700,
            unique_pageviews=1,
        )
    page = seen(ann)
    assert (
        "acme.example : Nothing has come from its pages for more than a week; a day used to bring 100 page views"
        in page
    )
    assert "globex" not in page


def test_searches_in_vain_stand_below_with_their_times(acme, ann):
    DiscoveryDay.objects.create(
        website_id=acme.id,
        day=noon(2).date(),
        is_bot=False,
        action="search",
        filter_group="",
        value="drag bingo",
        count=4,
        gaps=3,
        thin=0,
    )
    assert "Searches without an answer this week acme.example drag bingo 3 times" in seen(ann)


def test_more_websites_cost_no_more_queries(root):
    def cost():
        with CaptureQueriesContext(connection) as captured:
            morning(root, now=timezone.now())
        return len(captured)

    account = make_account("Acme")
    make_website(account)
    one = cost()
    for number in range(8):
        make_website(account, f"w{number}.example")
    assert cost() == one
    assert "The other websites had fewer visits." in seen(root)


def test_the_sidebar_is_not_repeated(ann):
    page = seen(ann)
    assert "Widget tokens" not in page
