"""What is stored is said, and what is said is so: words, periods and the end of an account (P13, P19, P25)."""

import asyncio
import io
import json
import re
import uuid
from collections.abc import Collection
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.auth import SESSION_KEY
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import connection, models
from django.utils import timezone

from accounts import audit, erasures
from accounts import retention as of_accounts
from accounts.belonging import paths_to
from accounts.models import Account, AuditEntry, Client, Erasure, User, Website
from accounts.removal import remove_account
from analytics import retention as of_analytics
from analytics.ingest import as_row, outage
from analytics.ingest.row import Row
from analytics.ingest.visitor import rotate
from analytics.ingest.website import websites
from analytics.models import Event
from analytics.tests.tracking import acted, enriched
from submissions import retention as of_submissions
from submissions.models import CatalogEvent
from tinytrail import privacy
from tinytrail.records import SETTINGS, Expires, Forever, Loses, Personal, Rule, Table, Until, Whom
from tinytrail.tests.rows import Made, make_row

TABLES = list(privacy.TABLES.values())
RULES = [(table, rule) for table in TABLES for rule in table.kept if isinstance(rule, Expires | Loses)]
DATES = (models.DateField, models.DateTimeField)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def labels(value: object) -> str:
    if isinstance(value, Table):
        return value.model
    return f"{type(value).__name__}-{value.column}" if isinstance(value, Expires | Loses) else str(value)


# -- the words (P25) --------------------------------------------------------------------------------------------------


def test_the_committed_file_is_what_the_models_say() -> None:
    assert privacy.FILE.read_text() == privacy.document(), "Run: .venv/bin/python manage.py privacy > docs/privacy.md"


def test_the_command_prints_it() -> None:
    out, err = io.StringIO(), io.StringIO()
    call_command("privacy", stdout=out, stderr=err)
    assert out.getvalue() == privacy.document()
    assert err.getvalue().startswith(f"{len(TABLES)} tables")
    told = io.StringIO()
    call_command("privacy", "--json", stdout=told, stderr=err)
    assert json.loads(told.getvalue()) == {"document": privacy.document()}


def test_every_model_is_described_once_and_nothing_else_is() -> None:
    described = [table.model for tables in privacy.PARTS.values() for table in tables]
    assert sorted(described) == sorted(privacy.models())


@pytest.mark.django_db
def test_the_database_has_no_table_that_no_model_describes() -> None:
    known = {model._meta.db_table for model in privacy.models().values()} | {"django_migrations"}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition"
            " AND relnamespace = current_schema()::regnamespace"
        )
        assert {name for (name,) in cursor.fetchall()} == known


@pytest.mark.parametrize("table", TABLES, ids=labels)
def test_every_column_has_words_and_all_words_a_column(table: Table) -> None:
    assert set(table.columns) == set(privacy.columns_of(privacy.models()[table.model]))


@pytest.mark.parametrize("table", TABLES, ids=labels)
def test_words_are_sentences_that_a_cell_can_hold(table: Table) -> None:
    for words in (table.what, *table.columns.values()):
        assert re.fullmatch(r"[A-Z0-9][^|\n]+\.", words), words


@pytest.mark.parametrize("table", TABLES, ids=labels)
def test_a_table_about_people_says_which_column_is_personal_and_one_about_nobody_names_nobody(table: Table) -> None:
    has_personal = any(isinstance(words, Personal) for words in table.columns.values())
    if table.whom is not Whom.NOBODY and not table.model.startswith("accounts.User_"):
        assert has_personal
    reveals = {"email", "ip", "address", "visitor", "profile", "first_name", "last_name", "person", "session"}
    for column in reveals & set(table.columns):
        assert isinstance(table.columns[column], Personal)


def test_the_statement_about_consent_stands_in_it() -> None:
    text = " ".join(privacy.document().split())
    assert "**Cookie-less is not consent-free.**" in text
    assert "Guidelines 2/2023" in text
    assert "**only for websites in the mode `exempt`**" in text


# -- the periods (P13) ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", TABLES, ids=labels)
def test_every_table_with_a_date_ends_or_says_why_it_does_not(table: Table) -> None:
    assert table.kept
    dated = [field.name for field in privacy.models()[table.model]._meta.concrete_fields if isinstance(field, DATES)]
    reasons = [rule.words for rule in table.kept if isinstance(rule, Until | Forever)]
    assert all(len(reason.split()) >= 3 for reason in reasons)
    assert not dated or reasons or any(isinstance(rule, Expires) for rule in table.kept)


@pytest.mark.parametrize("table", TABLES, ids=labels)
def test_nothing_of_a_visitor_or_a_person_is_kept_for_good(table: Table) -> None:
    if table.whom in (Whom.VISITORS, Whom.PEOPLE):
        assert any(isinstance(rule, Expires) for rule in table.kept)
    assert not (table.whom is not Whom.NOBODY and all(isinstance(rule, Forever) for rule in table.kept))


@pytest.mark.parametrize(("name", "days"), SETTINGS.items())
def test_the_days_that_are_told_are_those_of_an_installation_without_settings(name: str, days: int) -> None:
    assert getattr(settings, name) == days


def days_of(rule: Expires | Loses) -> timedelta:
    return timedelta(days=getattr(settings, rule.after)) if isinstance(rule.after, str) else rule.after


def prune_everything(now: datetime) -> None:
    """What beat asks for, day by day and hour by hour."""
    of_accounts.prune(now=now)
    of_submissions.prune(now=now)
    of_analytics.prune(now=now)
    erasures.keep(now=now)
    rotate(now=now)


@pytest.mark.django_db
@pytest.mark.parametrize(("table", "rule"), RULES, ids=labels)
def test_what_is_said_to_end_ends_then_and_not_before(table: Table, rule: Rule) -> None:
    assert isinstance(rule, Expires | Loses)
    model = privacy.models()[table.model]
    row, began = a_row_under(rule, model)
    # What is thrown away once a day may stay for the rest of the day.
    slack = DAY if days_of(rule) > 3 * DAY else HOUR
    prune_everything(began + days_of(rule) - slack)
    assert is_whole(row, rule)
    prune_everything(began + days_of(rule) + slack)
    assert not is_whole(row, rule)
    assert model._base_manager.filter(pk=row.pk).exists() == isinstance(rule, Loses)


STAYING = [table for table in TABLES if any(isinstance(rule, Forever) for rule in table.kept)]


@pytest.mark.django_db
@pytest.mark.parametrize("table", STAYING, ids=labels)
def test_what_is_said_to_stay_stays(table: Table) -> None:
    """Aggregates, what was published and sold, and accepted submissions: as long as their website."""
    model = privacy.models()[table.model]
    row = make_row(model, **({"status": "accepted"} if table.model == "submissions.Submission" else {}))
    prune_everything(timezone.now() + timedelta(days=2_000))
    assert model._base_manager.filter(pk=row.pk).exists()


def a_row_under(rule: Expires | Loses, model: type[models.Model]) -> tuple[Any, datetime]:
    """A row of just now, and when the rule's time begins for it."""
    now = timezone.now()
    field = model._meta.get_field(rule.column)
    is_moment = isinstance(field, models.DateTimeField)
    given: dict[str, Any] = dict(rule.where) | {rule.column: now if is_moment else now.date()}
    if isinstance(rule, Loses):
        fields = {str(one.column): one for one in model._meta.concrete_fields}
        for column in rule.columns:
            related = fields[column].related_model
            given[fields[column].attname] = make_row(related).pk if related else "canary"
    return make_row(model, **given), now if is_moment else datetime.combine(now.date(), time(), UTC)


def is_whole(row: Any, rule: Expires | Loses) -> bool:
    """Whether the row is there, with everything that it is to lose one day."""
    found = type(row)._base_manager.filter(pk=row.pk)
    if isinstance(rule, Expires):
        return bool(found.exists())
    values = found.values_list(*rule.columns).get()
    assert len({bool(value) for value in values}) == 1
    return bool(values[0])


@pytest.mark.django_db(transaction=True)
def test_what_waited_in_the_outage_stream_ends_with_everything_else() -> None:
    acme = make_row(Website)
    long_ago = timezone.now() - timedelta(days=settings.RETENTION_DAYS + 2)
    keep_waiting(event_row(acme, long_ago))
    outage.drain()
    assert Event.objects.count() == 1
    of_analytics.prune(now=timezone.now())
    assert Event.objects.count() == 0


def event_row(website: Website, at: datetime) -> Row:
    site = websites.find(website.public_id)
    assert site
    return as_row(enriched(acted(at, "click", event="evt_canary"), site), site)


def keep_waiting(row: Row) -> None:
    """Leave an event in the outage stream, as it waits there while PostgreSQL is away."""

    async def put() -> None:
        stream = outage.Stream(settings.REDIS_URL)
        await stream.put([row], {})
        await stream.close()

    asyncio.run(put())


# -- the end of an account (P19) --------------------------------------------------------------------------------------


def populated(name: str) -> Made:
    """An account with a row in every table that belongs to one, and a line in every log."""
    account = Account.objects.create(name=name)
    made: Made = {Account: account, Website: Website.objects.create(account=account, domain=f"{name}.example")}
    for model in owned():
        if model not in made:
            made[model] = make_row(model, made)
    user, website = made[User], made[Website]
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session.create()
    for subject in (account.pk, user.pk, made[Client].pk, website.public_id):  # type: ignore[attr-defined]
        audit.record("test", subject, by=None)
    for what in (account, website, made[CatalogEvent]):
        kind = ContentType.objects.get_for_model(what)
        make_row(LogEntry, content_type=kind, object_id=str(what.pk), object_repr=name)
    return made


def owned() -> list[type[models.Model]]:
    """The models whose rows go with an account: by their keys, or by the number of its website."""
    by_number = [
        model for model in privacy.models().values() if "website_id" in {field.name for field in model._meta.fields}
    ]
    return [*paths_to(Account), *by_number]


def ids_of(made: Made) -> set[str]:
    """All ids of an account that stand for nobody else: those of its users, clients, website, submissions, links."""
    found = {str(row.pk) for row in made.values() if isinstance(row.pk, uuid.UUID)}
    return found | {str(made[Website].public_id)}


def tables_holding(texts: Collection[str]) -> dict[str, int]:
    """How many rows of each table of the database hold one of these texts."""
    found: dict[str, int] = {}
    with connection.cursor() as cursor:
        for table in tables():
            cursor.execute(f'SELECT count(*) FROM "{table}" t WHERE t::text ~ %s', ["|".join(texts)])
            if count := cursor.fetchone()[0]:
                found[table] = count
    return found


def tables() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition"
            " AND relnamespace = current_schema()::regnamespace ORDER BY 1"
        )
        return [name for (name,) in cursor.fetchall()]


def rows_of(made: Made) -> dict[str, int]:
    """How many rows each table has of an account, by its keys and by the number of its website."""
    found = {}
    for model, path in paths_to(Account).items():
        found[model._meta.db_table] = model._base_manager.filter(**{path: made[Account].pk}).count()
    with connection.cursor() as cursor:
        cursor.execute("SELECT attrelid::regclass::text FROM pg_attribute WHERE attname = 'website_id'")
        for table in {name for (name,) in cursor.fetchall()} & set(tables()):
            cursor.execute(f'SELECT count(*) FROM "{table}" WHERE website_id = %s', [made[Website].pk])
            found[table] = cursor.fetchone()[0]
    return found


@pytest.mark.django_db(transaction=True)
def test_of_a_deleted_account_no_row_remains_in_any_table_and_of_another_every_one() -> None:
    acme, globex = populated("acme"), populated("globex")
    theirs, named = rows_of(globex), tables_holding(ids_of(globex))
    assert min(rows_of(acme).values()) > 0
    assert {"accounts_auditentry", "django_session"} <= tables_holding(ids_of(acme)).keys() | sessions_of(acme)
    remove_account(Account.objects.get(pk=acme[Account].pk), by=None, now=timezone.now())
    of_analytics.purge_deleted()
    assert set(rows_of(acme).values()) == {0}
    assert (rows_of(globex), tables_holding(ids_of(globex))) == (theirs, named)
    assert (sessions_of(acme), sessions_of(globex)) == (set(), {"django_session"})
    # That it was deleted is known for a while: to who asks, and to a backup that is restored.
    assert tables_holding(ids_of(acme)) == {"accounts_auditentry": 1, "accounts_erasure": 1}
    (line,) = AuditEntry.objects.filter(action="account.remove")
    assert (line.subject, Erasure.objects.get().kind) == (str(acme[Account].pk), Erasure.Kind.ACCOUNT)
    assert tables_holding(["acme"]) == {}
    prune_everything(timezone.now() + timedelta(days=settings.RETENTION_DAYS + 1))
    assert tables_holding(ids_of(acme)) == {}


def sessions_of(made: Made) -> set[str]:
    """The table of sessions, if somebody of the account is signed in."""
    ids = [session.get_decoded().get(SESSION_KEY) for session in Session.objects.all()]
    return {"django_session"} if str(made[User].pk) in ids else set()


@pytest.mark.django_db(transaction=True)
def test_an_event_that_comes_in_after_its_account_has_gone_goes_too() -> None:
    website = make_row(Website)
    row = event_row(website, timezone.now())
    remove_account(Account.objects.get(), by=None, now=timezone.now())
    of_analytics.purge_deleted()
    keep_waiting(row)
    outage.drain()
    assert Event.objects.count() == 1
    of_analytics.prune(now=timezone.now())
    assert tables_with(website.pk) == []


def tables_with(website_id: int) -> list[str]:
    with_number = [model for model in of_analytics.facts() if website_id in of_analytics.websites_in(model)]
    return [model._meta.db_table for model in with_number]


# The shop's widget, which goes with the website's number beside it; and what is no key.
OF_OTHER_KEYS = {"analytics_order.client_id", "analytics_orderline.client_id", "analytics_event.client_session"}


def test_no_column_names_an_owner_in_a_way_that_the_purge_does_not_know() -> None:
    found = {
        f"{model._meta.db_table}.{field.column}"
        for model in privacy.models().values()
        for field in model._meta.concrete_fields
        if re.search(r"(account|website|site|user|client|owner|actor)(_|$)", str(field.column))
        and not isinstance(field, models.ForeignKey)
        and field.column != "website_id"
    }
    # The audit log's own rule is that of its lines about an account.
    assert found == OF_OTHER_KEYS | {"accounts_auditentry.actor"}


def test_every_table_with_the_number_of_a_website_is_purged() -> None:
    found = {
        model
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if field.column == "website_id" and not model._meta.proxy
    }
    assert found == {*of_analytics.facts(), *(model for model in paths_to(Website) if model in found)}
