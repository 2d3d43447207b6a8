"""Backup and restore: the same numbers afterwards (F37), and nobody back who was erased since (P21)."""

import contextlib
import io
import json
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis
import time_machine
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.db import connection, connections, transaction
from django.test import Client
from django.utils import timezone

from accounts import clients, erasures, keys, removal
from accounts.models import Account, Erasure, User, Website
from accounts.models import Client as Sender
from accounts.tests.builders import make_account, make_root, make_user, make_website
from analytics import profiles
from analytics.dashboard import links
from analytics.ingest import background
from analytics.ingest.grants import grants
from analytics.ingest.visitor import salts
from analytics.models import Event, IdempotencyKey, Profile, Salt, SharedLink
from analytics.reports import REPORTS
from analytics.tests.builders import GOOGLEBOT, IPHONE, data, load, noon
from analytics.tests.panel import Panel
from analytics.tests.widgets import BEST, ask, checkout, make_token
from submissions import mail
from submissions import retention as hosts
from submissions.models import Host, LimitCount, Mail, Submission
from submissions.tests.builders import make_calendar, make_submission
from tinytrail import backup, restoring, tasks
from tinytrail.tests.engines import ROOT

pytestmark = pytest.mark.django_db

DOCUMENT = (ROOT / "docs/operations.md").read_text()
ADDRESS = "canary@example.test"
PERSON = "canary-77"
# What a report cannot do without.
ASKED: dict[str, dict[str, Any]] = {
    "funnel": {"steps[]": ["/", "signup"]},
    "timeseries": {"metric": "visits"},
}


@pytest.fixture(autouse=True)
def _without_limit(settings: Any) -> None:
    settings.LIMITS = settings.LIMITS | {"API_KEY": None}


class Databases:
    """Databases of the suite's server besides its own, whose connection waits meanwhile, in its test's transaction.

    There are two of them for all tests: to make one, and to drop it, takes longer than to empty it.
    """

    def __init__(self) -> None:
        self.home = connections["default"]
        self.name = self.home.settings_dict["NAME"]
        self.spare = [f"{self.name}_{number}" for number in (1, 2)]

    def use(self, database: str) -> None:
        background.stop()
        if connections["default"] is not self.home:
            connections["default"].close()
        # Of all threads.
        self.home.settings_dict["NAME"] = database
        connections["default"] = self.home if database == self.name else connections.create_connection("default")
        # What this process remembers of the other one.
        grants.forget()
        salts.__init__()  # type: ignore[misc]

    def move(self) -> None:
        """To another one, without any table."""
        self.spare.reverse()
        self.use(self.spare[0])
        with connection.cursor() as cursor:
            cursor.execute(backup.CLEAR)

    def leave(self) -> None:
        self.use(self.name)

    def make(self) -> None:
        self.run("DROP DATABASE IF EXISTS {}", "CREATE DATABASE {} TEMPLATE template0")

    def drop(self) -> None:
        self.run("DROP DATABASE {}")

    def run(self, *statements: str) -> None:
        other = connections.create_connection("default")
        with contextlib.closing(other), other.cursor() as cursor:
            for name, statement in product(self.spare, statements):
                cursor.execute(statement.format(name))


@pytest.fixture(scope="module")
def spare(django_db_setup: None, django_db_blocker: Any) -> Iterator[Databases]:
    with django_db_blocker.unblock():
        databases = Databases()
        databases.make()
        yield databases
        databases.drop()


@pytest.fixture(scope="module")
def empty_tables(spare: Databases, tmp_path_factory: pytest.TempPathFactory) -> backup.Archive:
    file = tmp_path_factory.mktemp("empty") / "backup"
    backup.back_up(file)
    return backup.Archive(file)


@pytest.fixture
def empty(db: None, spare: Databases) -> Iterator[Databases]:
    """A database without any table."""
    spare.move()
    yield spare
    spare.leave()


@pytest.fixture
def installation(empty: Databases, empty_tables: backup.Archive) -> Databases:
    """A database with empty tables."""
    backup.load(empty_tables)
    return empty


def ran(*words: object, **options: Any) -> dict[str, Any]:
    out = io.StringIO()
    call_command(*map(str, words), json=True, stdout=out, stderr=io.StringIO(), **options)
    answer: dict[str, Any] = json.loads(out.getvalue())
    return answer


def told(website: Website, key: str) -> dict[str, Any]:
    """What every report says of the last week."""
    days = {"start_date": str(noon(7).date()), "end_date": str(timezone.now().date())}
    # That of the last half hour knows no days.
    return {
        name: data(Client(), name, website, key, **(ASKED.get(name, {}) | ({} if name == "realtime" else days)))
        for name in REPORTS
    }


def a_week(website: Website) -> None:
    """Something of every dialect that reports count."""
    website.content_groups = [{"name": "Blog", "pattern": "/blog/*"}]
    website.save()
    visits = [
        {"at": noon(day) + timedelta(minutes=minute), "ip": f"192.0.2.{day}", **hit}
        for day in (1, 2, 3, 6)
        for minute, hit in enumerate(
            [
                {"path": "/", "referrer": "https://www.google.com/", "screen_width": 1440},
                {"path": "/blog/one", "user_agent": IPHONE, "utm_source": "letter", "utm_medium": "email"},
                {"path": "/", "event_type": "custom", "properties": {"name": "signup"}},
                {"path": "/", "event_type": "scroll_50"},
                {"path": "/bot", "user_agent": GOOGLEBOT},
            ]
        )
    ]
    load(website, *visits)
    token = make_token(website)
    ask(f"{BEST}/render", token, ab_testing="1")
    ask(f"{BEST}/media/5/shop", token, ("segments[]", "color:red"), ab_testing="1")
    checkout(token, "T-1", "5:19.90")
    Panel(website).track("signup", profileId="joe")


def test_every_report_is_the_same_in_the_database_that_a_backup_was_restored_into(
    tmp_path: Path, installation: Databases
) -> None:
    acme = make_user(make_account("Acme"))
    website = make_website(acme.account)
    a_week(website)
    before = told(website, acme.key)
    nothing = told(make_website(acme.account, "empty.example"), acme.key)
    assert [name for name in REPORTS if before[name] == nothing[name]] == []
    file = tmp_path / "backup"
    made = ran("backup", file)
    assert (made, stat.S_IMODE(file.stat().st_mode)) == ({"file": str(file), "bytes": file.stat().st_size}, 0o600)
    installation.move()
    restored = ran("restore", file)
    assert restored["erasedAgain"] == {}
    assert told(website, acme.key) == before
    # Ids go on where they were, and partitions are where events find them.
    other = Panel(make_website(acme.account, "other.example"))
    assert other.track("signup", profileId="joe").status_code == 200
    assert (other.website.id, Profile.objects.count()) == (website.id + 2, 2)


def test_salts_sessions_and_hashes_of_addresses_are_not_in_it(tmp_path: Path, installation: Databases) -> None:
    salts.of(timezone.now().date())
    client = Client()
    client.force_login(make_user(make_account(), login="acme"))
    LimitCount.objects.create(key="00" * 32, scope="ip", count=1, ends_at=timezone.now())
    IdempotencyKey.objects.create(key=b"k" * 32, outcome=0, at=timezone.now())
    assert (Salt.objects.count(), Session.objects.count()) == (1, 1)
    ran("backup", tmp_path / "backup")
    installation.move()
    ran("restore", tmp_path / "backup")
    assert [model.objects.count() for model in (Salt, Session, LimitCount)] == [0, 0, 0]
    # A request that is repeated after the restore is still the same request.
    assert IdempotencyKey.objects.count() == 1


def test_postgresqls_own_tools_are_told_the_same_by_the_documents() -> None:
    command = re.search(r"pg_dump (--.+?) tinytrail >", DOCUMENT, re.S)
    assert command is not None
    assert set(command[1].replace("\\\n", " ").split()) == {"--username=tinytrail", *backup.OPTIONS}


# -- what was erased since --------------------------------------------------------------------------------------------


class Cast:
    """One of each kind that can be erased or revoked, and beside each one that is not."""

    def __init__(self) -> None:
        self.root = make_root()
        self.acme, self.gone = make_user(make_account("Acme")), make_user(make_account("Gone"))
        self.leaver = make_user(self.acme.account, login="leaver")
        self.website = make_website(self.acme.account)
        self.left = make_website(self.acme.account, "left.example")
        self.panel, self.renewed = Panel(self.website), Panel(self.website)
        self.panel.send("identify", {"profileId": PERSON, "email": ADDRESS})
        for who in (PERSON, "ann"):
            self.panel.track("signup", profileId=who)
        self.token = make_token(self.website)
        self.link = links.share(self.website, name="", password="", hosts=[], last_day=None, by=self.root)
        calendar = make_calendar(self.website)
        today = timezone.now()
        for name, email in (("Jazz Night", ADDRESS), ("Market", "other@example.test")):
            mail.tell_host(make_submission(calendar, name, email=email, created_at=today), "received", now=today)

    def erase(self) -> None:
        now, root = timezone.now(), self.root
        removal.remove_account(self.gone.account, by=root, now=now)
        removal.remove_website(self.left, by=root, now=now)
        removal.remove_user(self.leaver, by=root)
        keys.renew(self.acme, by=root)
        clients.revoke(self.token, by=root, now=now)
        clients.renew_secret(self.renewed.client, by=root)
        links.revoke(self.link, by=root, now=now)
        profiles.erase(Profile.objects.get(profile_id=PERSON), by=root)
        hosts.erase(ADDRESS, by=root, now=now)

    def is_back(self) -> dict[str, bool]:
        """By kind, whether what was erased is there."""
        client = Sender.objects.get(pk=self.renewed.client.pk)
        return {
            "account": Account.objects.live().filter(name="Gone").exists(),
            "website": Website.objects.live().filter(domain="left.example").exists(),
            "user": User.objects.filter(pk=self.leaver.pk).exists(),
            "api_key": keys.find(self.acme.key) is not None,
            "client": Sender.objects.live().filter(pk=self.token.pk).exists(),
            "client_secret": client.secret_hash is not None
            and bytes(client.secret_hash) == keys.digest(self.renewed.secret),
            "shared_link": SharedLink.objects.filter(pk=self.link.pk, revoked_at=None).exists(),
            "profile": Profile.objects.filter(profile_id=PERSON).exists()
            or Event.objects.filter(profile=PERSON).exists(),
            "host": Host.objects.filter(email=ADDRESS).exists() or Mail.objects.filter(to=ADDRESS).exists(),
        }

    def others(self) -> dict[str, int]:
        """What nobody has erased."""
        return {
            "accounts": Account.objects.live().count(),
            "websites": Website.objects.live().count(),
            "clients": Sender.objects.live().count(),
            "events": Event.objects.count(),
            "hosts": Host.objects.count(),
            "mails": Mail.objects.count(),
            "submissions": Submission.objects.count(),
        }


NOBODY = dict.fromkeys(Erasure.Kind.values, False)
EVERYBODY = dict.fromkeys(Erasure.Kind.values, True)
OTHERS = {"accounts": 2, "websites": 1, "clients": 2, "events": 1, "hosts": 1, "mails": 1, "submissions": 2}


@dataclass(frozen=True)
class Story:
    """Told once: a backup, then the erasures, then another backup."""

    cast: Cast
    before: Path
    after: Path
    journal: list[erasures.Entry]


@pytest.fixture(scope="module")
def story(spare: Databases, empty_tables: backup.Archive, tmp_path_factory: pytest.TempPathFactory) -> Story:
    folder = tmp_path_factory.mktemp("story")
    try:
        spare.move()
        backup.load(empty_tables)
        cast = Cast()
        ran("backup", folder / "before")
        assert cast.is_back() == EVERYBODY
        cast.erase()
        assert cast.is_back() == NOBODY
        ran("backup", folder / "after")
        return Story(cast, folder / "before", folder / "after", list(erasures.everything()))
    finally:
        spare.leave()


@pytest.fixture
def _copied(story: Story) -> None:
    """Redis has its copy of the journal."""
    erasures.copy_surely(story.journal)


@pytest.mark.usefixtures("_copied", "empty")
def test_a_restore_erases_again_what_was_erased_since(story: Story) -> None:
    answer = ran("restore", story.before)
    assert answer["erasedAgain"] == dict.fromkeys(Erasure.Kind.values, 1)
    assert (story.cast.is_back(), story.cast.others()) == (NOBODY, OTHERS)
    assert restoring.make_good(now=timezone.now()) == {}


@pytest.mark.usefixtures("_copied", "empty")
def test_of_a_backup_that_knows_of_the_erasures_nothing_is_erased_again(story: Story) -> None:
    assert ran("restore", story.after)["erasedAgain"] == {}
    assert (story.cast.is_back(), story.cast.others()) == (NOBODY, OTHERS)


@pytest.mark.usefixtures("empty")
def test_with_redis_lost_as_well_a_newer_backup_tells(story: Story) -> None:
    answer = ran("restore", story.before, "--journal", story.after)
    assert (answer["erasedAgain"], story.cast.is_back()) == (dict.fromkeys(Erasure.Kind.values, 1), NOBODY)


@pytest.mark.usefixtures("empty")
def test_the_database_that_is_replaced_tells_too(story: Story) -> None:
    backup.load(backup.Archive(story.after))
    ran("restore", story.before, "--replace")
    assert story.cast.is_back() == NOBODY


@pytest.mark.usefixtures("_copied", "empty")
@pytest.mark.parametrize("by", ["a start", "the hourly task"])
def test_whoever_has_restored_it_and_with_what_people_are_erased_again(story: Story, by: str) -> None:
    # As the documents say for a server in a container.
    options = ("--no-owner", "--no-privileges", "--single-transaction")
    assert f"pg_restore --username=tinytrail {' '.join(options)}" in DOCUMENT
    backup.call("pg_restore", *options, f"--dbname={backup.dsn()}", str(story.before))
    assert story.cast.is_back() == EVERYBODY
    if by == "a start":
        call_command("prepare", stdout=io.StringIO(), stderr=io.StringIO())
    else:
        tasks.keep_journal()
    assert story.cast.is_back() == NOBODY


@pytest.mark.usefixtures("_copied")
def test_the_journal_holds_nobodys_name_or_address(story: Story) -> None:
    copy = shared().zrange(erasures.COPY, 0, -1)
    assert len(story.journal) == len(copy) == len(Erasure.Kind.values)
    for word in (PERSON, ADDRESS, ADDRESS.partition("@")[0]):
        assert word not in f"{story.journal} {copy}"


@pytest.mark.usefixtures("installation")
def test_an_erasure_that_did_not_happen_is_not_in_the_journal() -> None:
    website = make_website(make_account())
    with transaction.atomic():
        removal.remove_website(website, by=None, now=timezone.now())
        transaction.set_rollback(True)
    assert (Erasure.objects.count(), shared().exists(erasures.COPY)) == (0, 0)


def test_who_comes_back_after_an_erasure_is_known_to_a_later_backup(tmp_path: Path, installation: Databases) -> None:
    panel = Panel(make_website(make_account()))
    panel.track("signup", profileId=PERSON)
    profiles.erase(Profile.objects.get(), by=None)
    panel.track("signup", profileId=PERSON)
    ran("backup", tmp_path / "backup")
    installation.move()
    assert ran("restore", tmp_path / "backup")["erasedAgain"] == {}
    assert Profile.objects.get().profile_id == PERSON


@pytest.mark.usefixtures("installation")
def test_the_journal_is_copied_within_the_hour_and_forgets_what_no_backup_holds_any_more(settings: Any) -> None:
    now, away, there = timezone.now(), "redis://127.0.0.1:1/0", settings.REDIS_URL
    settings.REDIS_URL = away
    removal.remove_website(make_website(make_account()), by=None, now=now)
    settings.REDIS_URL = there
    assert shared().zcard(erasures.COPY) == 0
    tasks.keep_journal()
    assert (shared().zcard(erasures.COPY), Erasure.objects.count()) == (1, 1)
    later = now + timedelta(days=settings.BACKUP_DAYS, minutes=1)
    assert erasures.keep(now=later) == 1
    assert (shared().zcard(erasures.COPY), Erasure.objects.count()) == (0, 0)


def shared() -> "redis.Redis":
    return redis.Redis.from_url(settings.REDIS_URL)


# -- what is refused --------------------------------------------------------------------------------------------------


def refusal(*words: object) -> str:
    with pytest.raises(CommandError) as refused:
        ran(*words)
    return str(refused.value)


@pytest.fixture
def restored(story: Story, empty: Databases) -> Path:
    """A backup, and a database that was restored from it."""
    backup.load(backup.Archive(story.after))
    return story.after


def test_a_database_that_is_not_empty_is_replaced_only_when_told(restored: Path) -> None:
    make_account("Since")
    assert refusal("restore", restored).startswith("The database is not empty: ")
    assert Account.objects.filter(name="Since").exists()
    ran("restore", restored, "--replace")
    assert not Account.objects.filter(name="Since").exists()
    assert Account.objects.live().count() == OTHERS["accounts"]


@pytest.mark.usefixtures("empty")
def test_a_database_in_use_is_left_alone(story: Story) -> None:
    with psycopg.connect(backup.dsn()):
        assert refusal("restore", story.after).startswith("The database is in use by 1 others: ")


def test_a_damaged_backup_changes_nothing(restored: Path, tmp_path: Path) -> None:
    whole, damaged = restored.read_bytes(), tmp_path / "damaged"
    # Its list of contents is whole, and so are the first of its tables.
    damaged.write_bytes(whole[:-300])
    assert "TABLE DATA" in backup.Archive(damaged).contents
    make_account("Since")
    with pytest.raises(backup.BackupError, match="is damaged: "):
        backup.load(backup.Archive(damaged))
    assert Account.objects.filter(name="Since").exists()


def test_a_backup_of_a_newer_version_is_refused(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    known = backup.Archive.migrations
    monkeypatch.setattr(backup.Archive, "migrations", lambda archive: known(archive) | {("accounts", "9999_new")})
    assert "made by a newer version of TinyTrail, or another one (accounts 9999_new)" in refusal("restore", story.after)


def test_a_backup_made_with_other_secrets_is_refused(story: Story, settings: Any) -> None:
    for name, other in (("KEKS", ["x" * 64]), ("PEPPER", "x" * 64)):
        before = getattr(settings, name)
        setattr(settings, name, other)
        assert "was made with other secrets: " in refusal("restore", story.after)
        setattr(settings, name, before)


@pytest.mark.usefixtures("empty")
def test_a_backup_that_is_older_than_the_journal_is_restored_only_when_told(story: Story) -> None:
    with time_machine.travel(timezone.now() + timedelta(days=settings.BACKUP_DAYS, hours=1)):
        assert "nobody remembers any more what was erased since" in refusal("restore", story.after)
        ran("restore", story.after, "--however-old")
    # What has had its time since is gone at once.
    assert (Account.objects.live().count(), Mail.objects.count()) == (OTHERS["accounts"], 0)


@pytest.mark.usefixtures("empty")
def test_while_redis_is_away_nothing_is_restored(story: Story, settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    assert refusal("restore", story.after).startswith("Redis does not answer (")
    assert connection.introspection.table_names() == []


def test_a_file_that_is_there_is_not_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "backup"
    file.write_bytes(b"yesterday's")
    assert refusal("backup", file) == f"{file} exists already: name a new file."
    assert (file.read_bytes(), list(tmp_path.iterdir())) == (b"yesterday's", [file])


@pytest.mark.parametrize("content", [None, b"", b"not a backup"])
def test_what_is_no_backup_is_refused(content: bytes | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "file").write_bytes(content)
    assert refusal("restore", tmp_path / "file").startswith(
        "There is no file " if content is None else "pg_restore has failed: "
    )


def test_without_postgresqls_tools_it_says_which_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backup, "folders", lambda: iter(()))
    backup.tools_for.cache_clear()
    try:
        version = backup.server_version()
        assert refusal("backup", tmp_path / "backup").endswith(f"install postgresql-client-{version}.")
    finally:
        backup.tools_for.cache_clear()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("field", "meant"), [("\\N", None), ("a\\tb\\\\x\\n", "a\tb\\x\n"), ("\\\\x00ff", "\\x00ff"), ("", "")]
)
def test_a_field_of_copy_is_read(field: str, meant: str | None) -> None:
    assert backup.unescaped(field) == meant
