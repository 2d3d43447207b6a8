"""build(website, day) and fresh(website, period) (definitions 24; guarantees F04, F05, F18, F23, A81)."""

import threading
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import connection, connections
from django.db.models import F
from django.utils import timezone

from accounts.removal import remove_website
from accounts.tests.builders import call, make_root
from analytics import tasks
from analytics.models import BuiltDay, DirtyDay, PageDay, Salt, SiteDay, Visit
from analytics.rollups import build as building
from analytics.rollups.aggregate import aggregate, all_days, asked_for, build_due, due, rest
from analytics.rollups.build import build, dirty_days, fresh, lock_number, wrong_rows
from analytics.rollups.definitions import ROLLUPS
from analytics.tests import widgets
from analytics.tests.builders import GOOGLEBOT, load, make_website, noon
from analytics.tests.tracking import acted, tell
from tinytrail.beat import SCHEDULE
from tinytrail.celery import app
from tinytrail.tests.engines import eventually

pytestmark = pytest.mark.django_db(transaction=True)

PATIENCE_SECONDS = 60


@pytest.fixture
def acme():
    return make_website(content_groups=[{"name": "Blog", "pattern": "/blog*"}])


def a_day_of_hits(website, moment=None):
    moment = moment or noon()
    load(
        website,
        {"at": moment, "path": "/"},
        {"at": moment + timedelta(seconds=60), "path": "/blog"},
        {"at": moment + timedelta(seconds=90), "event_type": "custom", "properties": {"name": "signup"}},
        {"at": moment, "path": "/blog", "ip": "203.0.113.10", "referrer": "https://www.google.com/"},
        {"at": moment, "path": "/", "user_agent": GOOGLEBOT},
    )
    return moment.date()


@contextmanager
def elsewhere(*statements):
    """A transaction of somebody else's that has done this, and does not end."""
    other = connection.copy()
    other.set_autocommit(False)
    try:
        with other.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
        yield
    finally:
        other.close()


def stored_rows() -> dict[str, list]:
    """Every derived row, with the transaction that wrote it."""
    found = {}
    with connection.cursor() as cursor:
        for rollup in ROLLUPS:
            cursor.execute(f"SELECT xmin::text, ({rollup.table}.*)::text FROM {rollup.table} ORDER BY 2")
            found[rollup.table] = cursor.fetchall()
    return found


def test_a_day_is_built_from_its_events(acme):
    day = a_day_of_hits(acme)
    build(acme.id, day, now=timezone.now())
    total = SiteDay.objects.get(day=day, is_bot=False, content_group="")
    assert (total.visits, total.visitors, total.pageviews, total.unique_pageviews, total.bounces) == (2, 2, 3, 3, 1)
    assert total.duration_us == 90_000_000
    assert Visit.objects.filter(is_bot=False).count() == 2


def test_bots_and_groups_are_rows_of_their_own(acme):
    day = a_day_of_hits(acme)
    build(acme.id, day, now=timezone.now())
    rows = SiteDay.objects.order_by("is_bot", "content_group").values_list(
        "is_bot", "content_group", "visits", "pageviews", "bounces"
    )
    assert list(rows) == [(False, "", 2, 3, 1), (False, "Blog", 2, 2, 1), (True, "", 1, 1, 1)]


def test_a_second_build_changes_no_row(acme):
    day = a_day_of_hits(acme)
    assert build(acme.id, day, now=timezone.now()) > 0
    before = stored_rows()
    assert build(acme.id, day, now=timezone.now()) == 0
    assert stored_rows() == before


def test_a_build_repairs_rows_that_were_damaged(acme):
    day = a_day_of_hits(acme)
    build(acme.id, day, now=timezone.now())
    SiteDay.objects.filter(day=day, is_bot=False).update(visits=99)
    PageDay.objects.filter(day=day, path="/").delete()
    Visit.objects.filter(day=day, is_bot=True).update(visitor=1)
    assert any(wrong_rows(acme.id, day).values())
    build(acme.id, day, now=timezone.now())
    assert set(wrong_rows(acme.id, day).values()) == {0}


def test_only_the_rows_that_differ_are_written(acme):
    day = a_day_of_hits(acme)
    build(acme.id, day, now=timezone.now())
    before = stored_rows()
    load(acme, {"at": noon() + timedelta(hours=2), "path": "/new", "ip": "203.0.113.11"})
    build(acme.id, day, now=timezone.now())
    kept = set(before["analytics_pageday"]) & set(stored_rows()["analytics_pageday"])
    assert len(kept) == len(before["analytics_pageday"])


def test_a_build_of_one_website_or_day_touches_no_other(acme):
    other = make_website(acme.account, "other.example")
    day = a_day_of_hits(acme)
    a_day_of_hits(other)
    a_day_of_hits(acme, noon(2))
    build(acme.id, day, now=timezone.now())
    assert set(SiteDay.objects.values_list("website_id", "day")) == {(acme.id, day)}


def test_eight_builds_at_once_while_events_arrive_end_in_the_truth(acme):
    day = a_day_of_hits(acme)

    def run(verb):
        try:
            verb()
        finally:
            connections.close_all()

    def arrive():
        for n in range(10):
            load(acme, {"at": noon() + timedelta(minutes=n), "path": f"/{n}", "ip": f"203.0.113.{n + 20}"})

    verbs = [lambda: build(acme.id, day, now=timezone.now())] * 8 + [arrive]
    threads = [threading.Thread(target=run, args=(verb,)) for verb in verbs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    fresh(acme.id, day, day, now=timezone.now())
    assert (set(wrong_rows(acme.id, day).values()), dirty_days(acme.id, day, day)) == ({0}, [])
    assert SiteDay.objects.get(day=day, is_bot=False, content_group="").pageviews == 13


@contextmanager
def being_built(website, day):
    """As if somebody else were at it."""
    key = [lock_number(website.id, day)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", key)
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", key)


def waiting_for_the_day() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        return cursor.fetchone()[0]


def test_of_fifty_calls_for_one_day_at_once_a_single_one_builds_it(acme, settings):
    """Guarantee A81, over the API: all of them come while the day is being built."""
    day, root = a_day_of_hits(acme), make_root()
    builds, statuses = [], []
    settings.LIMITS = {**settings.LIMITS, "API_KEY": None}

    def counting(execute, sql, params, many, context):
        if sql == building.BUILD:
            builds.append(params)
        return execute(sql, params, many, context)

    def answered():
        answer = call("POST", "/api/v1/admin/aggregate", root, {"date": str(day)})
        # Where a test beside this one has the server's last connections, until it gives them back.
        return answer.status_code != 503 and not statuses.append(answer.status_code)

    def ask():
        try:
            with connection.execute_wrapper(counting):
                eventually(answered, PATIENCE_SECONDS)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=ask) for _ in range(50)]
    with being_built(acme, day):
        for thread in threads:
            thread.start()
        assert eventually(lambda: waiting_for_the_day() == len(threads), PATIENCE_SECONDS)
    for thread in threads:
        thread.join()
    assert (statuses, len(builds)) == ([200] * 50, 1)
    assert (set(wrong_rows(acme.id, day).values()), dirty_days(acme.id, day, day)) == ({0}, [])


def test_who_waits_for_a_build_that_fails_builds_the_day(acme):
    """No rows are taken for built because somebody tried."""
    day = a_day_of_hits(acme)
    build(acme.id, day, now=timezone.now())
    PageDay.objects.update(pageviews=F("pageviews") + 1)

    def repair():
        try:
            build(acme.id, day, now=timezone.now())
        finally:
            connections.close_all()

    thread = threading.Thread(target=repair)
    with being_built(acme, day):
        thread.start()
        assert eventually(lambda: waiting_for_the_day() == 1, PATIENCE_SECONDS)
    thread.join()
    assert set(wrong_rows(acme.id, day).values()) == {0}


def test_a_build_that_fails_leaves_the_last_one_and_its_notes(acme, monkeypatch):
    day = a_day_of_hits(acme)
    build(acme.id, day, now=timezone.now())
    before = stored_rows()
    load(acme, {"at": noon() + timedelta(hours=1), "ip": "203.0.113.11"})
    monkeypatch.setattr(building, "BUILD", building.BUILD + " / 0")
    with pytest.raises(Exception, match="division by zero"):
        build(acme.id, day, now=timezone.now())
    assert (stored_rows(), dirty_days(acme.id, day, day)) == (before, [day])


def test_storing_events_notes_their_days_and_a_build_removes_the_notes(acme):
    day = a_day_of_hits(acme)
    load(acme, {"at": noon(3)})
    assert dirty_days(acme.id, noon(9).date(), day) == [noon(3).date(), day]
    build(acme.id, day, now=timezone.now())
    assert dirty_days(acme.id, noon(9).date(), day) == [noon(3).date()]


def test_fresh_builds_what_is_new_in_the_period_and_nothing_else(acme):
    a_day_of_hits(acme)
    load(acme, {"at": noon(9)})
    assert fresh(acme.id, noon(3).date(), noon(0).date(), now=timezone.now()) == 0
    assert list(BuiltDay.objects.values_list("day", flat=True)) == [noon().date()]


def test_a_busy_day_is_answered_as_it_was_for_a_minute_and_says_its_age(acme, monkeypatch):
    now = timezone.now()
    day = a_day_of_hits(acme)
    build(acme.id, day, now=now)
    BuiltDay.objects.update(milliseconds=5_000)
    load(acme, {"at": noon() + timedelta(hours=1), "ip": "203.0.113.11"})
    assert fresh(acme.id, day, day, now=now + timedelta(seconds=40)) == 40
    assert SiteDay.objects.get(day=day, is_bot=False, content_group="").visits == 2
    assert fresh(acme.id, day, day, now=now + timedelta(seconds=60)) == 0
    assert SiteDay.objects.get(day=day, is_bot=False, content_group="").visits == 3


def test_a_day_that_cannot_be_built_now_is_answered_as_it_was_and_says_its_age(acme):
    now = timezone.now()
    day = a_day_of_hits(acme)
    build(acme.id, day, now=now)
    load(acme, {"at": noon() + timedelta(hours=1), "ip": "203.0.113.11"}, {"at": noon(3)})
    other = connection.copy()
    other.set_autocommit(False)
    try:
        with other.cursor() as cursor:
            cursor.execute("LOCK TABLE analytics_pageday IN EXCLUSIVE MODE")
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '50ms'")
        assert fresh(acme.id, day, day, now=now + timedelta(hours=2)) == 7_200
        assert 7_190 < fresh(acme.id, noon(3).date(), noon(3).date(), now=now + timedelta(hours=2)) <= 7_200
        assert SiteDay.objects.get(is_bot=False, content_group="").visits == 2
    finally:
        other.close()
        with connection.cursor() as cursor:
            cursor.execute("RESET lock_timeout")
    assert fresh(acme.id, noon(3).date(), day, now=now + timedelta(hours=2)) == 0
    assert SiteDay.objects.get(day=day, is_bot=False, content_group="").visits == 3


def test_celery_is_due_for_days_with_notes_oldest_first_unless_they_rest(acme):
    now = timezone.now()
    other = make_website(acme.account, "other.example")
    load(acme, {"at": noon(3)})
    load(other, {"at": noon(1)})
    assert due(now=now) == [(acme.id, noon(3).date()), (other.id, noon(1).date())]
    build(acme.id, noon(3).date(), now=now)
    BuiltDay.objects.update(milliseconds=1_000)
    load(acme, {"at": noon(3)})
    assert due(now=now + timedelta(seconds=19)) == [(other.id, noon(1).date())]
    assert due(now=now + timedelta(seconds=21)) == [(other.id, noon(1).date()), (acme.id, noon(3).date())]


def test_no_day_rests_as_long_as_a_minute():
    assert rest(BuiltDay(milliseconds=60_000)) == timedelta(seconds=45)


# -- clocks that are apart, hosts that are gone (F05, F18) -------------------------------------------------------------


@pytest.mark.parametrize("minutes", [5, -5])
def test_a_build_by_a_host_whose_clock_is_off_makes_no_day_rest_and_no_answer_older_than_it_is(acme, minutes):
    day, now = a_day_of_hits(acme), timezone.now()
    build(acme.id, day, now=now + timedelta(minutes=minutes))
    BuiltDay.objects.update(milliseconds=1_000)
    load(acme, {"at": noon() + timedelta(hours=1)})
    assert due(now=now) == [(acme.id, day)]
    assert fresh(acme.id, day, day, now=now) == 0
    assert SiteDay.objects.get(day=day, is_bot=False, content_group="").visits == 3


def test_a_day_that_cannot_be_built_has_no_age_below_zero(acme):
    day, now = a_day_of_hits(acme), timezone.now()
    build(acme.id, day, now=now + timedelta(minutes=5))
    load(acme, {"at": noon() + timedelta(hours=1)})
    with connection.cursor() as cursor, elsewhere("LOCK TABLE analytics_pageday IN EXCLUSIVE MODE"):
        cursor.execute("SET lock_timeout = '50ms'")
        assert fresh(acme.id, day, day, now=now) == 0
        cursor.execute("RESET lock_timeout")
    assert SiteDay.objects.get(day=day, is_bot=False, content_group="").visits == 2


@pytest.fixture
def _tasks_run_when_they_are_sent():
    app.conf.task_always_eager = True
    yield
    app.conf.task_always_eager = False


@pytest.mark.usefixtures("_tasks_run_when_they_are_sent")
def test_after_midnights_without_beat_its_first_round_builds_every_day_that_was_missed(acme):
    missed = [a_day_of_hits(acme, noon(ago)) for ago in (4, 3, 1)]
    tasks.build_dirty_days()
    assert sorted(BuiltDay.objects.values_list("day", flat=True)) == missed
    assert [set(wrong_rows(acme.id, day).values()) for day in missed] == [{0}] * 3
    # The bar is ten minutes, for the first round and its builds.
    (round_of,) = [entry for entry in SCHEDULE.values() if entry["task"] == "analytics.tasks.build_dirty_days"]
    assert round_of["schedule"] <= 60


@pytest.mark.usefixtures("_tasks_run_when_they_are_sent")
def test_what_two_beats_ask_for_is_what_one_would_have(acme):
    app.loader.import_default_modules()
    missed = [a_day_of_hits(acme, noon(ago)) for ago in (3, 1)]
    for entry in SCHEDULE.values():
        app.tasks[entry["task"]]()
    rows, salts = stored_rows(), list(Salt.objects.values_list("day", "value"))
    for entry in SCHEDULE.values():
        app.tasks[entry["task"]]()
    assert (stored_rows(), list(Salt.objects.values_list("day", "value"))) == (rows, salts)
    assert len(rows["analytics_siteday"]) == len(missed) * 3


def test_what_beat_has_asked_for_it_asks_for_again_only_when_nobody_has_begun(acme):
    day, now = a_day_of_hits(acme), timezone.now()
    assert (asked_for(now=now), asked_for(now=now), due(now=now)) == ([(acme.id, day)], [], [(acme.id, day)])
    build_due(acme.id, day, now=now)
    load(acme, {"at": noon() + timedelta(hours=1)})
    assert asked_for(now=now + timedelta(minutes=1)) == [(acme.id, day)]


def test_a_build_that_was_asked_for_twice_is_made_once(acme):
    day, now = a_day_of_hits(acme), timezone.now()
    build_due(acme.id, day, now=now)
    rows = stored_rows()
    built_at = BuiltDay.objects.get().built_at
    build_due(acme.id, day, now=now + timedelta(hours=1))
    assert (BuiltDay.objects.get().built_at, stored_rows()) == (built_at, rows)


def test_a_host_that_is_gone_in_the_middle_of_a_build_does_not_keep_others_from_it(acme):
    day = a_day_of_hits(acme)
    soon = building.SETTINGS.replace("'10s'", "'50ms'")
    assert soon != building.SETTINGS
    # It says nothing any more, and has what a build has by then.
    with elsewhere(soon, f"SELECT pg_advisory_xact_lock({building.lock_number(acme.id, day)})"):
        assert build(acme.id, day, now=timezone.now()) > 0
    assert set(wrong_rows(acme.id, day).values()) == {0}


def test_a_deleted_website_is_neither_due_nor_aggregated(acme):
    day = a_day_of_hits(acme)
    remove_website(acme, by=None, now=timezone.now())
    assert (due(now=timezone.now()), aggregate(day, now=timezone.now()), list(all_days())) == ([], 0, [])


def test_aggregating_builds_the_day_of_every_website_that_has_events_of_it(acme):
    other = make_website(acme.account, "other.example")
    make_website(acme.account, "empty.example")
    day = a_day_of_hits(acme)
    a_day_of_hits(other)
    assert aggregate(day, now=timezone.now()) == 2
    assert list(all_days()) == [(acme.id, day), (other.id, day)]


def test_every_roll_up_is_checked_by_the_declaration_it_is_made_from(acme):
    day = a_day_of_hits(acme)
    tell(acme, acted(noon(), "click", event="jazz-night"), acted(noon(), "search", search="jazz", matches=1))
    widgets.show_one(acme, noon())
    assert all(count > 0 for count in wrong_rows(acme.id, day).values())
    build(acme.id, day, now=timezone.now())
    assert wrong_rows(acme.id, day) == {rollup.table: 0 for rollup in ROLLUPS}


def test_notes_of_other_days_are_left_alone(acme):
    load(acme, {"at": noon(3)}, {"at": noon(1)})
    build(acme.id, noon(1).date(), now=timezone.now())
    assert list(DirtyDay.objects.values_list("day", flat=True)) == [noon(3).date()]
