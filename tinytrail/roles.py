"""Roles of PostgreSQL with no more rights than their work needs (guarantee A92).

The owner of the tables migrates, and then is no longer needed. `<database>_web` and `<database>_worker` read and write
rows and can change no table; the partitions of a month are made and dropped by functions that run with their owner's
rights, and only the worker may drop one. `<database>_reporting` reads numbers: what is not named below, keys, sessions,
salts, mails, hosts and profiles among it, it cannot see.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.conf import settings
from django.db import connection, models, transaction
from psycopg import sql

from accounts.models import Account, Website
from analytics.models import (
    BuiltDay,
    DimensionDay,
    DiscoveryDay,
    Drop,
    EngagementDay,
    Event,
    NameDay,
    Order,
    OrderLine,
    PageDay,
    Salt,
    SiteDay,
    Visit,
    WidgetDay,
)
from submissions.models import CatalogEvent

# What a report may read, and of it the columns that it may not: ids that clients have for people, and addresses.
REPORTED: tuple[type[models.Model], ...] = (
    Account,
    BuiltDay,
    CatalogEvent,
    DimensionDay,
    DiscoveryDay,
    Drop,
    EngagementDay,
    Event,
    NameDay,
    Order,
    OrderLine,
    PageDay,
    SiteDay,
    Visit,
    Website,
    WidgetDay,
)
CLOSED: Mapping[type[models.Model], frozenset[str]] = {
    Event: frozenset({"profile", "client_session", "properties"}),
    Order: frozenset({"analytics_id", "referrer", "segments"}),
    Website: frozenset({"excluded_ips"}),
}

TABLES = """
SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace
AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY relname
"""
FUNCTIONS = """
SELECT oid::regprocedure::text FROM pg_proc WHERE pronamespace = current_schema()::regnamespace
AND pronargs > 0 AND proname LIKE 'analytics\\_%' ORDER BY 1
"""
DROPS_PARTITIONS = "analytics_drop_partition(text)"
# Only the owner notes what it has migrated.
READ_ONLY = "django_migrations"
ROWS = "SELECT, INSERT, UPDATE, DELETE"


@dataclass(frozen=True)
class Role:
    name: str
    # Empty when it is somebody else's to set.
    password: str

    @property
    def word(self) -> sql.Identifier:
        return sql.Identifier(self.name)


def roles() -> dict[str, Role]:
    """Of this database, by what they are for."""
    database = connection.settings_dict["NAME"]
    return {what: Role(f"{database}_{what}", password) for what, password in settings.ROLE_PASSWORDS.items()}


def statements() -> list[sql.Composed]:
    """What gives the roles their rights, and takes from them what they have beyond. May be run again at any time."""
    return [*created(), *granted()]


@transaction.atomic
def apply() -> list[str]:
    """Makes the roles that have a password in the settings, and grants all that exist what they may do.

    Returns their names. Raises DatabaseError, for example when a role has to be made by a user who may make none.
    """
    with connection.cursor() as cursor:
        for role in roles().values():
            if role.password:
                if not exists(role):
                    cursor.execute(sql.SQL("CREATE ROLE {} LOGIN").format(role.word))
                cursor.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(role.word, hashed(role)))
        there = {what: role for what, role in roles().items() if exists(role)}
        for statement in granted(there) if there else ():
            cursor.execute(statement)
    return [role.name for role in there.values()]


def exists(role: Role) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = %s)", [role.name])
        return bool(cursor.fetchone()[0])


def hashed(role: Role) -> sql.Literal:
    """As PostgreSQL keeps it, so that the password itself stands in no log of its."""
    connection.ensure_connection()
    secret = connection.connection.pgconn.encrypt_password(role.password.encode(), role.name.encode(), b"scram-sha-256")
    return sql.Literal(secret.decode())


def created() -> Iterator[sql.Composed]:
    for role in roles().values():
        yield sql.SQL("CREATE ROLE {} LOGIN").format(role.word)


def granted(which: Mapping[str, Role] | None = None) -> Iterator[sql.Composed]:
    """The rights of these roles, or of all."""
    there = which if which is not None else roles()
    yield sql.SQL("REVOKE CREATE ON SCHEMA {} FROM PUBLIC").format(schema())
    for function in functions():
        yield sql.SQL("REVOKE EXECUTE ON FUNCTION {} FROM PUBLIC").format(sql.SQL(function))
    for role in there.values():
        yield sql.SQL("REVOKE ALL ON ALL TABLES IN SCHEMA {} FROM {}").format(schema(), role.word)
        yield sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(schema(), role.word)
    for what in ("web", "worker"):
        if what in there:
            yield from of_rows(there[what], drops=what == "worker")
    if "reporting" in there:
        yield from of_reports(there["reporting"])


def of_rows(role: Role, *, drops: bool) -> Iterator[sql.Composed]:
    for table in tables():
        rights = sql.SQL("SELECT" if table == READ_ONLY else ROWS)
        yield sql.SQL("GRANT {} ON {} TO {}").format(rights, sql.Identifier(table), role.word)
    yield sql.SQL("GRANT USAGE ON ALL SEQUENCES IN SCHEMA {} TO {}").format(schema(), role.word)
    for function in functions():
        if drops or function != DROPS_PARTITIONS:
            yield sql.SQL("GRANT EXECUTE ON FUNCTION {} TO {}").format(sql.SQL(function), role.word)
    if drops:
        # A salt is gone for good only with the file that it stood in (analytics.ingest.visitor).
        yield sql.SQL("GRANT TRUNCATE ON {} TO {}").format(sql.Identifier(Salt._meta.db_table), role.word)


def of_reports(role: Role) -> Iterator[sql.Composed]:
    yield sql.SQL("ALTER ROLE {} SET default_transaction_read_only = on").format(role.word)
    for model in REPORTED:
        fields = [field for field in model._meta.concrete_fields if field.name not in CLOSED.get(model, ())]
        shown = sql.SQL(", ").join([sql.Identifier(field.attname) for field in fields])
        yield sql.SQL("GRANT SELECT ({}) ON {} TO {}").format(shown, sql.Identifier(model._meta.db_table), role.word)


def schema() -> sql.Identifier:
    return sql.Identifier(listed("SELECT current_schema()")[0])


def tables() -> list[str]:
    return listed(TABLES)


def functions() -> list[str]:
    return listed(FUNCTIONS)


def listed(question: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(question)
        return [word for (word,) in cursor.fetchall()]
