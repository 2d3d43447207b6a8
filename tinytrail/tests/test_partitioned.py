"""An index on each partition, made while the table is in use; and migrations that wait their turn."""

from collections.abc import Iterator
from contextlib import closing
from datetime import date
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection
from django.db.migrations.state import ProjectState

from tinytrail.management.commands import migrate
from tinytrail.partitioned import IndexEachPartition

pytestmark = pytest.mark.django_db(transaction=True)
TWO_ALIKE = """
INSERT INTO analytics_event (occurred_at, id, visitor, website_id, type, dialect, device, screen, channel, browser, os,
    is_bot, is_excluded, is_authenticated, is_server, path)
SELECT '2031-02-03', n, 1, 1, 1, 1, 1, 5, 1, 1, 1, false, false, false, false, '/' FROM generate_series(1, 2) AS n
"""
BY_COUNTRY = IndexEachPartition("analytics_event", "event_rehearsed", "website_id, country")


@pytest.fixture(autouse=True)
def _gone_afterwards() -> Iterator[None]:
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX IF EXISTS event_rehearsed, event_rehearsed_2031_02")
        for table in ("event", "visit"):
            for month in (1, 2, 3):
                cursor.execute("SELECT analytics_drop_partition(%s)", [f"analytics_{table}_2031_{month:02}"])


def ensure(*months: date) -> None:
    with connection.cursor() as cursor:
        for month in months:
            cursor.execute("SELECT analytics_ensure_month(%s)", [month])


def forwards() -> None:
    with connection.schema_editor(atomic=False) as editor:
        BY_COUNTRY.database_forwards("analytics", editor, ProjectState(), ProjectState())


def indexes() -> dict[str, bool]:
    """Those of our name, and whether they are valid."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexrelid::regclass::text, indisvalid FROM pg_index"
            " WHERE indexrelid::regclass::text LIKE 'event_rehearsed%'"
            " OR pg_get_indexdef(indexrelid) LIKE '%(website_id, country)'"
        )
        return dict(cursor.fetchall())


def test_it_works() -> None:
    ensure(date(2031, 1, 1), date(2031, 2, 1))
    forwards()
    made = indexes()
    assert {"event_rehearsed", "event_rehearsed_2031_01", "event_rehearsed_2031_02"} <= set(made)
    assert all(made.values())


def test_a_month_that_is_made_later_has_it_too() -> None:
    ensure(date(2031, 1, 1))
    forwards()
    before = len(indexes())
    ensure(date(2031, 3, 1))
    assert len(indexes()) == before + 1


def test_it_goes_on_after_an_attempt_that_was_stopped_and_what_that_has_left_is_made_anew() -> None:
    ensure(date(2031, 1, 1), date(2031, 2, 1))
    with connection.cursor() as cursor:
        cursor.execute("CREATE INDEX event_rehearsed ON ONLY analytics_event (website_id, country)")
        cursor.execute("CREATE INDEX event_rehearsed_2031_01 ON analytics_event_2031_01 (website_id, country)")
        cursor.execute("ALTER INDEX event_rehearsed ATTACH PARTITION event_rehearsed_2031_01")
        cursor.execute(TWO_ALIKE)
        # One that breaks off is left behind, valid for nobody.
        with pytest.raises(IntegrityError):
            cursor.execute(
                "CREATE UNIQUE INDEX CONCURRENTLY event_rehearsed_2031_02 ON analytics_event_2031_02 (visitor)"
            )
    assert indexes()["event_rehearsed_2031_02"] is False
    forwards()
    assert all(indexes().values())
    assert indexes()["event_rehearsed_2031_02"] is True


def test_it_can_be_taken_back() -> None:
    ensure(date(2031, 1, 1))
    forwards()
    with connection.schema_editor(atomic=False) as editor:
        BY_COUNTRY.database_backwards("analytics", editor, ProjectState(), ProjectState())
    assert indexes() == {}


def test_a_migration_that_finds_its_table_in_use_gives_up_after_an_hour_and_says_why(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(migrate, "PATIENCE_SECONDS", 0.0)
    call_command("migrate", "submissions", "0003", verbosity=0)
    said = StringIO()
    try:
        with closing(connection.copy()) as other, other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("LOCK TABLE auth_group IN ACCESS EXCLUSIVE MODE")
            with pytest.raises(CommandError, match="was in use for an hour"):
                call_command("migrate", "submissions", verbosity=0, stderr=said)
            cursor.execute("ROLLBACK")
        assert said.getvalue() == "A table is in use; trying again ...\n"
    finally:
        # With those of other apps, which went back with them.
        call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("0",)
