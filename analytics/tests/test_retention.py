"""What is thrown away, and what stays (guarantees P13, P19, F31)."""

import threading
from contextlib import closing
from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from django.conf import settings
from django.db import connection, connections
from django.utils import timezone

from accounts.models import Account, Website
from accounts.removal import remove_account, remove_website
from analytics import retention
from analytics.alone import PURGE
from analytics.history import import_hits
from analytics.models import BuiltDay, Drop, Event, Order, SiteDay, Visit, WidgetArm, WidgetDay, WidgetReach
from analytics.models.widgets import Scope
from analytics.rollups.aggregate import aggregate
from analytics.rollups.build import build, fresh
from analytics.tests import widgets
from analytics.tests.builders import a_body, collect, data, line, load, make_key, make_website, noon
from submissions import calendars
from submissions.models import Host

pytestmark = pytest.mark.django_db(transaction=True)


def test_events_and_visits_past_their_retention_go_and_the_numbers_stay(client):
    acme = make_website()
    days = [settings.RETENTION_DAYS + 100, settings.RETENTION_DAYS + 1, settings.RETENTION_DAYS - 1, 1]
    load(acme, *({"at": noon(ago), "path": f"/{ago}"} for ago in days))
    key = make_key(acme.account)
    before = data(client, "pages", acme, key, period="all")
    retention.prune(now=timezone.now())
    assert set(Event.objects.values_list("path", flat=True)) == {f"/{ago}" for ago in days[2:]}
    assert Visit.objects.count() == 2
    assert data(client, "pages", acme, key, period="all") == before
    assert len(before["rows"]) == 4


def test_days_that_were_never_built_are_built_before_they_go():
    acme = make_website()
    load(acme, {"at": noon(settings.RETENTION_DAYS + 5)})
    retention.prune(now=timezone.now())
    assert (Event.objects.count(), SiteDay.objects.get().pageviews) == (0, 1)


def test_a_month_that_is_too_old_goes_as_a_whole_partition():
    acme = make_website()
    ago = settings.RETENTION_DAYS + 62
    load(acme, {"at": noon(ago)})
    name = f"analytics_event_{noon(ago):%Y_%m}"
    assert name in dict(retention.partitions())
    assert retention.prune(now=timezone.now()) >= 2
    assert name not in dict(retention.partitions())


def test_a_day_without_its_events_is_final_and_neither_a_build_nor_an_import_changes_it():
    acme = make_website()
    moment = noon(settings.RETENTION_DAYS + 5)
    load(acme, {"at": moment}, {"at": moment, "ip": "203.0.113.10"})
    retention.prune(now=timezone.now())
    aggregate(moment.date(), now=timezone.now())
    build(acme.id, moment.date(), now=timezone.now())
    tally = import_hits([line(acme, at=moment)], now=timezone.now())
    fresh(acme.id, moment.date(), moment.date(), now=timezone.now())
    assert (SiteDay.objects.get().visits, dict(tally.reasons)) == (2, {"day_is_final": 1})


def test_old_counts_of_drops_go_too():
    today = timezone.now().date()
    for ago in (settings.RETENTION_DAYS + 1, 1):
        Drop.objects.create(day=today - timedelta(days=ago), dialect="v1", reason="x", count=1)
    retention.prune(now=timezone.now())
    assert Drop.objects.count() == 1


def test_partitions_of_this_month_and_the_next_are_there_ahead_of_time():
    today = timezone.now().date()
    retention.ensure_partitions(today=today)
    first = today.replace(day=1)
    assert {first, retention.next_month(first)} <= {month for _, month in retention.partitions()}


def test_no_other_table_can_be_dropped_with_the_functions_rights():
    with connection.cursor() as cursor, pytest.raises(Exception, match="no partition"):
        cursor.execute("SELECT analytics_drop_partition('accounts_user')")


def test_a_month_is_made_once_by_many_at_once():
    def make():
        try:
            retention.ensure_partitions(today=noon(2_000).date())
        finally:
            connections.close_all()

    threads = [threading.Thread(target=make) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert noon(2_000).date().replace(day=1) in {month for _, month in retention.partitions()}


def rows_of(website_id: int) -> int:
    """The rows with this website's number in every table of the database that has such a column."""
    total = 0
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name FROM information_schema.columns"
            " WHERE column_name = 'website_id' AND table_schema = current_schema()"
        )
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT count(*) FROM "{table}" WHERE website_id = %s', [website_id])
            total += cursor.fetchone()[0]
    return total


def test_of_a_deleted_website_no_row_remains_and_of_others_all(monkeypatch):
    monkeypatch.setattr(retention, "STEP_ROWS", 2)
    acme = make_website(content_groups=[{"name": "All", "pattern": "*"}])
    other = make_website(acme.account, "other.example")
    for website in (acme, other):
        load(website, *({"at": noon(n), "path": f"/{n}"} for n in range(1, 6)))
        fresh(website.id, noon(9).date(), noon(2).date(), now=timezone.now())
    Drop.objects.create(day=noon().date(), dialect="v1", reason="x", website_id=acme.id, count=1)
    kept = rows_of(other.id)
    remove_website(acme, by=None, now=timezone.now())
    assert rows_of(acme.id) > 0
    retention.purge_deleted()
    assert (rows_of(acme.id), rows_of(other.id)) == (0, kept)
    assert list(Website.objects.values_list("domain", flat=True)) == ["other.example"]


def test_of_a_deleted_account_nothing_remains(client):
    acme = make_website()
    make_key(acme.account)
    collect(client, a_body(acme))
    remove_account(acme.account, by=None, now=timezone.now())
    retention.purge_deleted()
    assert (rows_of(acme.id), Account.objects.count(), Website.objects.count()) == (0, 0, 0)


def test_purging_goes_on_where_it_was_stopped(monkeypatch):
    acme = make_website()
    monkeypatch.setattr(retention, "STEP_ROWS", 2)
    load(acme, *({"at": noon(n)} for n in range(1, 6)))
    remove_website(acme, by=None, now=timezone.now())
    removals = retention.removals()
    assert (next(removals), Event.objects.count()) == (2, 3)
    removals.close()
    retention.purge_deleted()
    assert (rows_of(acme.id), BuiltDay.objects.count()) == (0, 0)


def test_no_step_takes_more_than_its_share_and_what_hangs_on_the_website_goes_in_steps_too(monkeypatch):
    monkeypatch.setattr(retention, "STEP_ROWS", 2)
    monkeypatch.setattr(retention, "STEP_OBJECTS", 2)
    acme = make_website()
    load(acme, *({"at": noon(n)} for n in range(1, 6)))
    calendar = calendars.spare(acme)
    for number in range(5):
        Host.objects.create(calendar=calendar, email=f"{number}@example.com")
    remove_account(acme.account, by=None, now=timezone.now())
    assert {steps: size for steps, size in enumerate(retention.removals()) if size > 2} == {}
    assert (rows_of(acme.id), Host.objects.count(), Account.objects.count()) == (0, 0, 0)


def test_only_one_process_purges_and_another_returns_at_once():
    acme = make_website()
    load(acme, {"at": noon()})
    remove_website(acme, by=None, now=timezone.now())
    with closing(connection.copy()) as other, other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [PURGE])
        assert (retention.purge_deleted(), Event.objects.count()) == (0, 1)
        cursor.execute("SELECT pg_advisory_unlock(%s)", [PURGE])
    assert retention.purge_deleted() > 0
    assert Event.objects.count() == 0


def test_a_website_that_waits_for_its_removal_is_known_with_its_time():
    acme, now = make_website(), timezone.now()
    make_website(acme.account, "other.example")
    assert retention.waiting_for_removal() is None
    remove_account(acme.account, by=None, now=now)
    assert retention.waiting_for_removal() == now
    retention.purge_deleted()
    assert retention.waiting_for_removal() is None


def test_orders_outlive_whose_they_were_and_who_saw_what_does_not():
    acme = make_website()
    token = widgets.make_token(acme)
    for ago in (settings.RETENTION_DAYS + 5, 1):
        with time_machine.travel(noon(ago), tick=False):
            widgets.ask(f"{widgets.BEST}/render", token, ab_testing="1")
            widgets.checkout(token, f"T-{ago}", "a:1.50", referrer="https://acme.example/thanks")
    retention.prune(now=timezone.now())
    assert list(Order.objects.order_by("occurred_at").values_list("total", "analytics_id", "referrer")) == [
        (Decimal("1.5"), "", ""),
        (Decimal("1.5"), "v1", "https://acme.example/thanks"),
    ]
    fresh(acme.id, noon(1).date(), noon(1).date(), now=timezone.now())
    assert {reach.day for reach in WidgetReach.objects.all()} == {noon(1).date()}
    assert {arm.day for arm in WidgetArm.objects.all()} == {noon(1).date()}
    shown = WidgetDay.objects.filter(scope=Scope.WIDGET).order_by("day").values_list("impressions", flat=True)
    assert list(shown) == [1, 1]
