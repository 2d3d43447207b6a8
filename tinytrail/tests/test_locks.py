"""What a migration may do to tables that are in use: the rule, and every migration that has been written since."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from tinytrail.locks import long_locks

# Before the rule, when nobody had rows yet.
BEFORE = {"accounts": "0008", "analytics": "0017", "submissions": "0004"}
# Migrations that break it, and may: each with a reason that somebody has looked at.
REVIEWED: dict[tuple[str, str], str] = {}


def since() -> list[tuple[str, str]]:
    known = MigrationLoader(connection).disk_migrations
    return sorted((app, name) for app, name in known if app in BEFORE and name[:4] > BEFORE[app])


@pytest.mark.django_db
def test_no_migration_takes_a_long_lock_or_breaks_what_runs() -> None:
    found = {}
    for app, name in since():
        out = StringIO()
        call_command("sqlmigrate", app, name, stdout=out, no_color=True)
        if wrong := list(long_locks(out.getvalue())):
            found[app, name] = wrong
    assert {which: wrong for which, wrong in found.items() if which not in REVIEWED} == {}
    assert set(REVIEWED) <= set(found)


@pytest.mark.parametrize(
    "sql",
    [
        'CREATE TABLE "analytics_new" ("id" integer NOT NULL); CREATE INDEX "n" ON "analytics_new" ("id")',
        'ALTER TABLE "analytics_event" ADD COLUMN "x" text NULL',
        'ALTER TABLE "analytics_event" ADD COLUMN "x" integer DEFAULT 0 NOT NULL',
        'ALTER TABLE "analytics_event" ADD COLUMN "x" varchar(9) DEFAULT \'none\' NOT NULL',
        'ALTER TABLE "analytics_event" ADD COLUMN "x" boolean DEFAULT false NOT NULL',
        'ALTER TABLE "analytics_event" ADD COLUMN "at" timestamptz DEFAULT (STATEMENT_TIMESTAMP()) NOT NULL',
        'ALTER TABLE "analytics_event" ALTER COLUMN "x" SET DEFAULT 3',
        'ALTER TABLE "a" ADD CONSTRAINT "c" CHECK (x > 0) NOT VALID',
        'ALTER TABLE "a" VALIDATE CONSTRAINT "c"',
        'ALTER TABLE "a" ADD CONSTRAINT "c" UNIQUE USING INDEX "i"',
        'CREATE UNIQUE INDEX CONCURRENTLY "i" ON "analytics_order" ("x")',
        'CREATE INDEX IF NOT EXISTS i ON ONLY "analytics_event" ("x")',
        'DROP INDEX CONCURRENTLY "i"',
        "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN UPDATE a SET x = 1; LOCK TABLE a; END $$",
        "-- ALTER TABLE a DROP COLUMN x;\nSELECT 1",
        "/* TRUNCATE a; */ CREATE TABLE b (id int); UPDATE b SET id = 1; ALTER TABLE b DROP COLUMN id",
    ],
)
def test_what_is_over_at_once_is_allowed(sql: str) -> None:
    assert list(long_locks(sql)) == []


@pytest.mark.parametrize(
    "sql",
    [
        'CREATE INDEX "i" ON "analytics_event" ("x")',
        'CREATE UNIQUE INDEX i ON public_table USING btree ("x")',
        'ALTER TABLE "a" ADD COLUMN "x" uuid DEFAULT gen_random_uuid() NOT NULL',
        'ALTER TABLE "a" ADD COLUMN "x" integer NOT NULL',
        'ALTER TABLE "a" ADD COLUMN "x" bigint GENERATED ALWAYS AS IDENTITY',
        'ALTER TABLE "a" ADD COLUMN "x" text NULL UNIQUE',
        'ALTER TABLE "a" ALTER COLUMN "x" TYPE bigint USING "x"::bigint',
        'ALTER TABLE "a" ALTER COLUMN "x" SET NOT NULL',
        'ALTER TABLE "a" ADD CONSTRAINT "c" CHECK (x > 0)',
        'ALTER TABLE "a" ADD CONSTRAINT "c" UNIQUE ("x")',
        'ALTER TABLE "a" ADD CONSTRAINT "c" FOREIGN KEY ("x") REFERENCES "b" ("id") DEFERRABLE INITIALLY DEFERRED',
        'ALTER TABLE "a" ADD CONSTRAINT "c" CHECK (x > 0) NOT VALID; ALTER TABLE "a" VALIDATE CONSTRAINT "c"',
        'ALTER TABLE "a" DROP COLUMN "x" CASCADE',
        'ALTER TABLE "a" RENAME COLUMN "x" TO "y"',
        'ALTER TABLE "a" SET UNLOGGED',
        'UPDATE "a" SET "x" = 1',
        "DELETE FROM a",
        "DROP TABLE a CASCADE",
        "DROP INDEX i",
        "TRUNCATE a",
        "LOCK TABLE a",
        "VACUUM FULL a",
        "REINDEX TABLE a",
        "CREATE TABLE b (id int); CREATE INDEX i ON a (x)",
        "create index i on a (x)",
    ],
)
def test_what_keeps_others_from_a_table_is_not(sql: str) -> None:
    (wrong,) = long_locks(sql)
    assert wrong.partition(": ")[2]
