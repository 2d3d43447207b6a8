"""Salts and visitor keys (definitions 5; guarantees P04 to P06, F20)."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest
from django.db import connection

from analytics.ingest import visitor
from analytics.ingest.visitor import RunSalts, Salts, has_remains, rotate
from analytics.models import Salt
from analytics.tests.hits import a_hit, a_site

pytestmark = pytest.mark.django_db

DAY = date(2026, 3, 18)


def days() -> list[date]:
    return list(Salt.objects.order_by("day").values_list("day", flat=True))


@pytest.fixture(autouse=True)
def _no_salts():
    visitor.salts.__init__()
    yield
    visitor.salts.__init__()


def test_a_day_has_one_random_salt_that_all_processes_share():
    first, second = Salts().of(DAY), Salts().of(DAY)
    assert (first == second, len(first), days()) == (True, 32, [DAY])


def test_another_day_has_another_salt():
    assert Salts().of(DAY) != Salts().of(DAY + timedelta(days=1))


def test_another_installation_with_the_same_secrets_has_another_salt():
    here = Salts().of(DAY)
    # Nothing of it is left, as in a database that was just made; secrets and day are the same.
    Salt.objects.all().delete()
    assert Salts().of(DAY) != here


def key(salt: bytes, website: int = 1, **fields: object) -> int:
    hit = a_hit(user_agent="CanaryUA/7.7", **fields)
    hit.salt = salt
    return visitor.visitor(hit, replace(a_site(), public_id=bytes([website]) * 16))["visitor"]


def test_a_visitor_is_the_same_all_day_and_nobody_known_on_another_website_or_day():
    today, tomorrow = Salts().of(DAY), Salts().of(DAY + timedelta(days=1))
    assert key(today) == key(today, occurred_at=datetime(2026, 1, 15, 23, 59, tzinfo=UTC), path="/other")
    others = [key(today, website=2), key(tomorrow), key(today, address="203.0.113.10"), key(tomorrow, website=2)]
    assert len({key(today), *others}) == 5


def test_a_process_forgets_a_salt_that_it_has_no_use_for(monkeypatch):
    salts = Salts()
    salts.of(DAY)
    salts.of(DAY + timedelta(days=1))
    assert salts.known(DAY) is not None
    monkeypatch.setattr(visitor, "FORGET_SECONDS", 0.0)
    salts.of(DAY + timedelta(days=2))
    assert (salts.known(DAY), salts.known(DAY + timedelta(days=1))) == (None, None)
    assert salts.known(DAY + timedelta(days=2)) is not None


@pytest.mark.django_db(transaction=True)
def test_while_a_backup_is_written_a_salt_goes_and_its_bytes_go_when_that_is_done():
    night = datetime(2026, 3, 19, 0, 31, tzinfo=UTC)
    visitor.salts.of(DAY)
    visitor.salts.of(night.date())
    with psycopg.connect(**plain(connection.get_connection_params())) as dumping:
        dumping.execute("LOCK TABLE analytics_salt IN ACCESS SHARE MODE")
        assert rotate(now=night) == 1
        assert (days(), has_remains()) == ([night.date()], True)
    kept = visitor.salts.of(night.date())
    assert rotate(now=night + timedelta(minutes=10)) == 0
    assert (days(), has_remains()) == ([night.date()], False)
    assert Salts().of(night.date()) == kept


def plain(parameters: dict[str, object]) -> dict[str, object]:
    """Those that PostgreSQL knows, without Django's."""
    return {name: parameters[name] for name in ("dbname", "user", "password", "host", "port") if name in parameters}


def test_a_process_puts_its_salt_back_when_a_crash_has_emptied_the_table(monkeypatch):
    salts = Salts()
    before = salts.of(DAY)
    Salt.objects.all().delete()
    monkeypatch.setattr(visitor, "ASSERT_SECONDS", 0.0)
    assert (salts.of(DAY), Salts().of(DAY)) == (before, before)


def test_the_table_leaves_no_trace_in_the_write_ahead_log():
    with connection.cursor() as cursor:
        cursor.execute("SELECT relpersistence FROM pg_class WHERE relname = 'analytics_salt'")
        assert cursor.fetchone() == ("u",)


@pytest.mark.parametrize(
    ("hour", "minute", "kept"),
    [(0, 29, [-1, 0]), (0, 31, [0]), (12, 0, [0]), (22, 59, [0]), (23, 1, [0, 1])],
)
def test_a_salt_goes_half_an_hour_after_its_day_and_comes_an_hour_before(hour, minute, kept):
    for back in (2, 1):
        visitor.salts.of(DAY - timedelta(days=back))
    rotate(now=datetime(DAY.year, DAY.month, DAY.day, hour, minute, tzinfo=UTC))
    assert days() == [DAY + timedelta(days=n) for n in kept]


def test_the_key_changes_exactly_once_at_midnight():
    midnight = datetime(2026, 3, 19, tzinfo=UTC)
    keys = []
    for minutes in (-70, -50, -1, 1, 29, 31, 600):
        now = midnight + timedelta(minutes=minutes)
        rotate(now=now)
        keys.append(visitor.salts.of(now.date()))
    assert keys == [keys[0]] * 3 + [keys[3]] * 4
    assert keys[0] != keys[3]


@pytest.mark.parametrize("minutes", [0, 31])
def test_a_clock_that_is_five_minutes_off_or_steps_back_changes_no_salt_and_brings_none_back(minutes):
    """Around midnight, and around the time at which the salt of the day that ended is destroyed (F18)."""
    around = datetime(2026, 3, 19, tzinfo=UTC) + timedelta(minutes=minutes)
    seen, gone = {}, set()
    # Two hosts that take turns, and one of them steps; both remember what they have seen.
    hosts = Salts(), Salts()
    hosts[1].of(DAY)
    for step, offset in enumerate((-10, -5, -10, 0, -5, 0, 5, 0, 5, 10, 5, 15)):
        now = around + timedelta(minutes=offset)
        before = set(days())
        rotate(now=now)
        gone |= before - set(days())
        hosts[step % 2]._known.clear()
        value = hosts[step % 2].of(now.date())
        assert seen.setdefault(now.date(), value) == value
        assert hosts[1 - step % 2].of(now.date()) == value
        assert not gone & set(days())
    assert (len(gone), len(seen)) == ((0, 2) if minutes == 0 else (1, 1))


def test_an_import_has_salts_of_its_own_for_past_days_and_shares_todays():
    first, second = RunSalts(DAY), RunSalts(DAY)
    yesterday = DAY - timedelta(days=1)
    assert first.of(yesterday) == first.of(yesterday) != second.of(yesterday)
    assert first.of(DAY) == second.of(DAY) == visitor.salts.of(DAY)
    assert days() == [DAY]
