"""The page of a website's integration: its keys and lines, what arrived and what was refused, its newest events."""

import html
import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from accounts.clients import create_openpanel_client, create_widget_client, revoke
from accounts.tests.builders import make_account, make_root, make_user, make_website
from analytics import drops, retention
from analytics.integration.arrivals import arrivals
from analytics.models import RecentDrop
from analytics.tests.builders import GOOGLEBOT, load

pytestmark = pytest.mark.django_db


@pytest.fixture
def acme():
    return make_website(make_account("Acme"))


@pytest.fixture
def ann(acme):
    return make_user(acme.account, login="ann")


def opened(user, website):
    client = Client()
    client.force_login(user)
    return client.get(f"/admin/integration/{getattr(website, 'public_id', website)}")


def lines(page):
    return [
        html.unescape(line) for line in re.findall(r'<pre x-ref="text">(.*?)</pre>', page.content.decode(), re.DOTALL)
    ]


def test_it_works(acme, ann):
    load(acme, {"at": timezone.now() - timedelta(minutes=5), "path": "/shop", "url": "https://acme.example/shop"})
    drops.count("v1", "invalid_field", day=timezone.now().date(), website_id=acme.id, times=3)
    page = opened(ann, acme)
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.content.decode()))
    assert "Last hour 1 stored, 3 refused" in text
    assert "Tracker and API invalid_field 3 A field is missing or wrong" in text
    assert "page_view Tracker and API /shop" in text


def test_its_lines_hold_the_websites_own_id(acme, ann):
    identifier, snippet, _, curl = lines(opened(ann, acme))
    assert identifier == str(acme.public_id)
    assert snippet == f'<script defer data-id="{acme.public_id}" src="http://testserver/js/tracker.js"></script>'
    assert curl.startswith("curl http://testserver/api/v1/collect \\\n")
    assert str(acme.public_id) in curl


def test_every_live_client_has_its_lines_and_no_secret(acme, ann):
    token = create_widget_client(acme, name="Wall")
    panel, secret = create_openpanel_client(acme, name="App", origins=["https://app.acme.example"])
    gone = create_widget_client(acme, name="Old")
    revoke(gone, by=None, now=timezone.now())
    page = opened(ann, acme)
    found = "\n".join(lines(page))
    assert f"auth_token={token.token}" in html.unescape(found)
    assert f'clientId: "{panel.id}", apiUrl: "http://testserver"' in found
    assert "-H 'openpanel-client-secret: YOUR-SECRET'" in found
    assert "https://app.acme.example" in page.content.decode()
    assert secret not in page.content.decode()
    assert gone.token not in page.content.decode()


def test_nobody_opens_anothers_page(acme):
    globex = make_user(make_account("Globex"), login="globex")
    assert opened(globex, acme).status_code == 404
    assert opened(globex, uuid4()).status_code == 404
    assert opened(make_root(login="root"), acme).status_code == 200
    assert Client().get(f"/admin/integration/{acme.public_id}").status_code == 302


def test_the_last_hour_is_not_the_last_day(acme):
    now = timezone.now()
    load(acme, {"at": now - timedelta(hours=3)}, {"at": now - timedelta(minutes=3), "user_agent": GOOGLEBOT})
    drops.count("widgets", "invalid_pics", day=now.date(), website_id=acme.id)
    RecentDrop.objects.update(at=now - timedelta(hours=2))
    drops.count("widgets", "unknown_action", day=now.date(), website_id=acme.id)
    hour, day = arrivals(acme, now=now)
    assert [(row.dialect, row.count, row.flagged) for row in hour.stored] == [("Tracker and API", 1, 1)]
    assert [(row.dialect, row.count, row.flagged) for row in day.stored] == [("Tracker and API", 2, 1)]
    assert [(row.reason, row.count) for row in hour.refused] == [("unknown_action", 1)]
    assert [row.reason for row in day.refused] == ["invalid_pics", "unknown_action"]
    assert all(row.cause.endswith(".") for row in day.refused)


def test_refusals_of_others_are_not_in_it(acme):
    now = timezone.now()
    drops.count("v1", "invalid_field", day=now.date(), website_id=acme.id + 1)
    drops.count("v1", "unknown_website", day=now.date())
    assert [span.total_refused for span in arrivals(acme, now=now)] == [0, 0]


def test_what_was_counted_by_the_minute_is_forgotten_after_a_day(acme):
    now = timezone.now()
    drops.count("v1", "invalid_field", day=now.date(), website_id=acme.id)
    drops.count("v1", "invalid_field", day=now.date(), website_id=acme.id)
    assert RecentDrop.objects.get().count == 2
    retention.prune(now=now + timedelta(hours=23))
    assert RecentDrop.objects.count() == 1
    retention.prune(now=now + timedelta(hours=26))
    assert RecentDrop.objects.count() == 0


def test_the_newest_events_come_with_their_fields(acme, ann):
    now = timezone.now()
    hostile = {"event_name": "<script>x</script>", "plan": "pro"}
    load(acme, {"at": now - timedelta(minutes=2), "event_type": "custom", "properties": hostile})
    page = opened(ann, acme).content.decode()
    assert "<script>x</script>" not in page
    assert "&lt;script&gt;x&lt;/script&gt;" in page
    assert re.search(r"properties\.plan</dt><dd>pro</dd>", page)


def test_a_website_from_which_nothing_came_says_what_to_look_at(acme, ann):
    page = opened(ann, acme).content.decode()
    assert page.count("Nothing has come.") == 2
    assert "No event yet." in page
