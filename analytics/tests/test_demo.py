"""The demo: everything there is to look at, by the verbs and the endpoints of the product, once."""

import io
import json
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from analytics.demo.load import load
from analytics.models import DirtyDay, Drop, Event, Group, Order, Profile
from analytics.reports import REPORTS
from analytics.reports.base import Question
from analytics.reports.calendar import CALENDAR_REPORTS
from analytics.reports.period import Period
from analytics.rollups.build import wrong_rows
from submissions import queue
from submissions.models import CatalogEvent, Mail, Submission

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def now():
    return timezone.now()


def asked(name, website, now, *, days=60, **query):
    report = (REPORTS | CALENDAR_REPORTS)[name]
    today = now.date()
    extra = report.parameters({key: [value] for key, value in query.items()})
    period = Period(today - timedelta(days=days), today)
    return report.answer(Question(website_id=website.id, period=period, now=now, extra=extra))


def test_there_is_something_of_everything_and_it_is_coherent(now):
    made = load(now=now, city_days=28, shop_days=60)
    assert made.stored == Event.objects.count() > 10_000
    assert set(Event.objects.values_list("dialect", flat=True)) == {1, 2, 3, 4, 5}
    assert not DirtyDay.objects.exists()
    assert set(wrong_rows(made.city.id, now.date() - timedelta(days=1)).values()) == {0}

    # Every event that readers opened is on the calendar.
    opened = asked("calendar-events", made.city, now)["rows"]
    assert opened[0]["event"].startswith("Night of the Museums")
    assert all(row["event"] for row in opened)
    assert {row["query"] for row in asked("calendar-searches", made.city, now, only="gaps")["rows"]} >= {
        "tango",
        "opera",
    }

    # Both arms of the experiment are as large as they should be, and one of them wins.
    verdict = asked("experiments", made.shop, now, widget="product-reel")
    assert (verdict["verdict"], verdict["sample_ratio"]["mismatch"]) == ({"arm": 1, "is": "better"}, False)
    assert Order.objects.filter(website_id=made.shop.id).count() > 100
    assert Profile.objects.filter(website_id=made.shop.id, email__endswith=".example").count() > 15

    assert Group.objects.filter(website_id=made.shop.id).count() == 3
    assert Profile.objects.exclude(groups=[]).exists()

    kinds = Submission.objects.values_list("status", "reviewed_by", "review_reason").distinct()
    assert {("declined", "system", "spam_signal"), ("declined", "host", "withdrawn"), ("pending", "", "")} <= set(kinds)
    waiting = queue.waiting(Submission.objects.all(), now=now, today=now.date())
    assert (waiting.total, waiting.starting_tomorrow, waiting.awaiting_hosts) == (10, 2, 1)
    assert waiting.flagged >= 3
    assert Submission.objects.filter(status="pending", appealed_at__isnull=False).count() == 1
    assert CatalogEvent.objects.live().filter(starts_on__gt=now.date()).count() > 15
    assert not Mail.objects.exists()
    assert set(Drop.objects.values_list("reason", flat=True)) >= {"unknown_event", "unknown_token", "unknown_website"}


def test_the_same_moment_makes_the_same_data(now):
    first = load(now=now, city_days=7, shop_days=3)
    told = list(Event.objects.order_by("occurred_at", "id").values_list("name", "path", "properties__eventKey"))
    first.city.account.delete()
    Event.objects.all().delete()
    load(now=now, city_days=7, shop_days=3)
    assert list(Event.objects.order_by("occurred_at", "id").values_list("name", "path", "properties__eventKey")) == told


def test_a_second_run_says_that_it_is_there_already(now):
    made = load(now=now, city_days=2, shop_days=1)
    stored = Event.objects.count()
    out, err = io.StringIO(), io.StringIO()
    call_command("demo", json=True, stdout=out, stderr=err)
    assert err.getvalue().strip() == "demo.example and shop.demo.example are there already."
    assert json.loads(out.getvalue()) == {
        "websiteId": str(made.city.public_id),
        "shopId": str(made.shop.public_id),
        "stored": 0,
    }
    assert Event.objects.count() == stored
