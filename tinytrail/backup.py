"""Backups: all that PostgreSQL holds in one file, written and read by PostgreSQL's own tools.

It is an archive as pg_dump makes it, so that it can be looked into, and restored, without TinyTrail, too. Not in it:
salts, without which no visitor key leads to anybody; sessions, with which somebody could go on; and the counts of
limits, which are hashes of addresses.
"""

import contextlib
import os
import re
import shutil
import subprocess
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property
from pathlib import Path
from typing import IO, Any
from uuid import UUID

import psycopg
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from accounts import erasures, vault
from accounts.models import Erasure, User
from submissions.models import LimitCount
from tinytrail import embedded

# Of pg_dump. Salts are in a table that is not logged.
OPTIONS = (
    *("--format=custom", "--no-owner", "--no-privileges", "--no-unlogged-table-data"),
    *(f"--exclude-table-data={model._meta.db_table}" for model in (Session, LimitCount)),
)
# Where Debian and Ubuntu keep the tools of each version.
SYSTEM_TOOLS = Path("/usr/lib/postgresql")
PIECE_BYTES = 1024 * 1024
# Tools say it that are newer than a server which does not know it.
NEW_SETTING = re.compile(rb"^SET transaction_timeout = 0;\n", re.MULTILINE)

# All of ours, and only what stands in our schema: others may have something beside it.
CLEAR = """
DO $$
DECLARE one text;
BEGIN
  FOREACH one IN ARRAY (
    SELECT coalesce(array_agg(format('DROP TABLE IF EXISTS %I.%I CASCADE', nspname, relname)), '{}') FROM pg_class
    JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE nspname = current_schema() AND relkind IN ('r', 'p'))
  LOOP EXECUTE one; END LOOP;
  FOREACH one IN ARRAY (
    SELECT coalesce(array_agg(format('DROP ROUTINE %s CASCADE', oid::regprocedure)), '{}') FROM pg_proc
    WHERE pronamespace = current_schema()::regnamespace)
  LOOP EXECUTE one; END LOOP;
END $$
"""
ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


class BackupError(Exception):
    """It cannot be done; the text is one sentence for the person at the terminal."""


# -- making one -------------------------------------------------------------------------------------------------------


def back_up(file: Path) -> int:
    """Write everything into a new file, readable by its owner only. Returns its size in bytes. Raises BackupError."""
    if file.exists():
        raise BackupError(f"{file} exists already: name a new file.")
    draft = file.with_name(f"{file.name}.draft")
    try:
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
    except OSError as error:
        raise BackupError(f"{file} cannot be written: {error.strerror}.") from None
    try:
        call("pg_dump", *OPTIONS, f"--file={draft}", f"--dbname={dsn()}")
        # It takes its name when it is complete; a file that came into being meanwhile stays.
        os.link(draft, file)
    except FileExistsError:
        raise BackupError(f"{file} exists already: name a new file.") from None
    finally:
        draft.unlink()
    return file.stat().st_size


# -- reading one ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Archive:
    """A backup. Everything it is asked raises BackupError when it is none."""

    file: Path

    @cached_property
    def contents(self) -> str:
        if not self.file.is_file():
            raise BackupError(f"There is no file {self.file}.")
        return call("pg_restore", "--list", str(self.file))

    @property
    def made_at(self) -> datetime:
        return datetime.strptime(self.fact("Archive created at"), "%Y-%m-%d %H:%M:%S %Z").replace(tzinfo=UTC)

    @property
    def server(self) -> int:
        """The version of the PostgreSQL that it was made of."""
        return int(self.fact("Dumped from database version").partition(".")[0])

    def fact(self, name: str) -> str:
        found = re.search(rf"^; *{re.escape(name)}:? (.+)$", self.contents, re.MULTILINE)
        if found is None:
            raise BackupError(f"{self.file} does not say: {name}.")
        return found[1]

    def rows(self, table: str) -> Iterator[dict[str, str | None]]:
        """The rows of one of its smaller tables, as texts."""
        said = call("pg_restore", "--data-only", f"--table={table}", "--file=-", str(self.file))
        lines = iter(said.split("\n"))
        for line in lines:
            if found := re.fullmatch(rf"COPY \S*{table} \((.+)\) FROM stdin;", line):
                names = [name.strip('"') for name in found[1].split(", ")]
                for row in lines:
                    if row == "\\.":
                        return
                    yield dict(zip(names, map(unescaped, row.split("\t")), strict=True))

    def migrations(self) -> set[tuple[str, str]]:
        return {(str(row["app"]), str(row["name"])) for row in self.rows("django_migrations")}

    def erasures(self) -> Iterator[erasures.Entry]:
        for row in self.rows(Erasure._meta.db_table):
            at = datetime.fromisoformat(str(row["at"]))
            yield erasures.Entry(UUID(row["id"]), at, str(row["kind"]), str(row["subject"]))


def unescaped(field: str) -> str | None:
    """A field of COPY's text format."""
    if field == "\\N":
        return None
    return re.sub(r"\\(.)", lambda found: ESCAPES.get(found[1], found[1]), field)


# -- restoring one ----------------------------------------------------------------------------------------------------


def restore(archive: Archive, *, replace: bool, however_old: bool, journal: Archive | None, now: datetime) -> None:
    """Put the backup into the database, all of it or nothing, and bring it up to this version of TinyTrail.

    What was erased since is to be erased again by whoever calls this: the journals of the database that is replaced,
    and of another backup, are where tinytrail.restoring finds them. Raises BackupError and RedisError.
    """
    check_version(archive)
    check_age(archive, however_old=however_old, now=now)
    check_secrets(archive)
    check_place(replace=replace)
    erasures.copy_surely([*known_erasures(), *archive.erasures(), *(journal.erasures() if journal else ())])
    load(archive)
    connection.close()
    call_command("migrate", interactive=False, verbosity=0)
    with connection.cursor() as cursor:
        # Nothing is known yet of what the tables hold, and the first reports would be slow.
        cursor.execute("ANALYZE")


def check_version(archive: Archive) -> None:
    unknown = archive.migrations() - set(MigrationLoader(None).disk_migrations)
    if unknown:
        app, name = min(unknown)
        raise BackupError(
            f"{archive.file} was made by a newer version of TinyTrail, or another one ({app} {name}): restore it "
            "with that version."
        )
    if archive.server > server_version():
        raise BackupError(
            f"{archive.file} was made of PostgreSQL {archive.server}, and this is {server_version()}: restore it into "
            f"PostgreSQL {archive.server} or newer."
        )


def check_age(archive: Archive, *, however_old: bool, now: datetime) -> None:
    if archive.made_at < now - timedelta(days=settings.BACKUP_DAYS) and not however_old:
        raise BackupError(
            f"{archive.file} is of {archive.made_at:%Y-%m-%d}, longer ago than TINYTRAIL_BACKUP_DAYS "
            f"({settings.BACKUP_DAYS}), and nobody remembers any more what was erased since: with --however-old it is "
            "restored all the same."
        )


def check_secrets(archive: Archive) -> None:
    """API keys tell whether the backup's secrets are ours: without them nobody's key would be known."""
    sealed = [row for row in archive.rows(User._meta.db_table) if row["key_cipher"]]
    if sealed and not any(map(is_ours, sealed)):
        raise BackupError(
            f"{archive.file} was made with other secrets: set TINYTRAIL_SECRET_KEY, TINYTRAIL_PEPPER and "
            "TINYTRAIL_KEK to those of that installation."
        )


def is_ours(user: dict[str, str | None]) -> bool:
    cipher, key_hash = (bytes.fromhex(str(user[name]).removeprefix("\\x")) for name in ("key_cipher", "key_hash"))
    with contextlib.suppress(vault.Unreadable):
        return vault.digest(vault.unseal(cipher, bound_to=UUID(user["id"]).bytes).decode()) == key_hash
    return False


def check_place(*, replace: bool) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()")
        (tables,) = cursor.fetchone()
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND backend_type = 'client backend'"
        )
        (others,) = cursor.fetchone()
    if tables and not replace:
        raise BackupError(
            "The database is not empty: name an empty one in DATABASE_URL or TINYTRAIL_DATA, or replace with --replace "
            "everything in this one."
        )
    if others:
        raise BackupError(f"The database is in use by {others} others: stop web server, worker and beat first.")


def known_erasures() -> Collection[erasures.Entry]:
    """Those of the database that is about to be replaced."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s)", [Erasure._meta.db_table])
        if cursor.fetchone() == (None,):
            return []
    return list(erasures.everything())


def load(archive: Archive) -> None:
    """In one transaction, with what was there before going in it: damage in the middle of the file changes nothing."""
    tools = tools_for(server_version())
    reading = [tools / "pg_restore", "--no-owner", "--no-privileges", "--file=-", str(archive.file)]
    writing = [
        *(tools / "psql", "--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1"),
        *("--output=/dev/null", f"--dbname={dsn()}", f"--command={CLEAR}", "--file=-"),
    ]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "env": environment()}
    with (
        subprocess.Popen(reading, **pipes) as reader,  # type: ignore[call-overload]
        subprocess.Popen(writing, stdin=subprocess.PIPE, **pipes) as writer,  # type: ignore[call-overload]
    ):
        is_taken = pump(reader.stdout, writer.stdin)
        if is_taken and reader.wait():
            # Its input must not end in good order: it would keep what it has got.
            writer.kill()
            raise BackupError(f"{archive.file} is damaged: {first_error(reader.stderr.read())}.")
        with contextlib.suppress(BrokenPipeError):
            writer.stdin.close()
        said = writer.stderr.read()
        if writer.wait():
            raise BackupError(f"The backup cannot be restored: {first_error(said)}.")


def pump(source: IO[bytes], target: IO[bytes]) -> bool:
    """Whether the target has taken everything."""
    try:
        target.write(NEW_SETTING.sub(b"", source.read(PIECE_BYTES)))
        shutil.copyfileobj(source, target, PIECE_BYTES)
        target.flush()
    except BrokenPipeError:
        return False
    finally:
        source.close()
    return True


# -- PostgreSQL's tools -----------------------------------------------------------------------------------------------


def call(tool: str, *arguments: str) -> str:
    """What a tool says on its standard output. Raises BackupError."""
    done = subprocess.run([tools_for(server_version()) / tool, *arguments], capture_output=True, env=environment())
    if done.returncode:
        raise BackupError(f"{tool} has failed: {first_error(done.stderr)}.")
    return done.stdout.decode()


@cache
def tools_for(server: int) -> Path:
    """The folder of the newest tools there are. Those older than the server refuse it. Raises BackupError."""
    newest = max(folders(), key=version_of, default=Path())
    if version_of(newest) < server:
        raise BackupError(
            f"Backups are made by PostgreSQL's own tools, and pg_dump of version {server} or newer is not on the PATH: "
            f"install postgresql-client-{server}."
        )
    return newest


def folders() -> Iterator[Path]:
    if found := shutil.which("pg_dump"):
        yield Path(found).parent
    yield from SYSTEM_TOOLS.glob("*/bin")
    with contextlib.suppress(embedded.EngineError):
        yield embedded.postgres_programs() / "bin"


def version_of(folder: Path) -> int:
    """0 where something of them is missing."""
    try:
        said = subprocess.run([folder / "pg_dump", "--version"], capture_output=True, text=True).stdout
    except OSError:
        return 0
    found = re.search(r"\) (\d+)", said)
    return int(found[1]) if found and (folder / "pg_restore").exists() and (folder / "psql").exists() else 0


def server_version() -> int:
    return int(raw_connection().info.server_version) // 10_000


def raw_connection() -> "psycopg.Connection[Any]":
    connection.ensure_connection()
    raw: psycopg.Connection[Any] = connection.connection
    return raw


def dsn() -> str:
    """How to reach the database, without the password."""
    return raw_connection().info.dsn


def environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LD_LIBRARY_PATH") if name in os.environ}
    # Times in an archive are local ones. What goes with a table is no news.
    options = {"TZ": "UTC", "LC_ALL": "C", "PGOPTIONS": "-c client_min_messages=warning"}
    return kept | options | {"PGPASSWORD": raw_connection().info.password}


def first_error(said: bytes) -> str:
    """What went wrong, without the row that it went wrong with."""
    lines = [line.strip() for line in said.decode(errors="replace").splitlines() if line.strip()]
    errors = [line for line in lines if "error:" in line.lower()]
    return (errors or lines or ["it said nothing"])[0].rstrip(".")
