"""What `manage.py doctor` looks at: one function each, which yields what it found and what to do about it."""

import shutil
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path

import redis
from django.conf import settings
from django.core.checks import CheckMessage
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from kombu.exceptions import OperationalError as BrokerError

from analytics.ingest import outage
from analytics.models import DirtyDay, Quarantine, Salt
from analytics.retention import next_month, partitions, waiting_for_removal
from submissions.models import Mail
from tinytrail import checks, connections, sending
from tinytrail.celery import app

PATIENCE_SECONDS = 2
# A day with newer events than its build waits a minute for the next one.
BEHIND = timedelta(minutes=10)
# What waits in the outage stream is stored within half a minute of PostgreSQL's return.
STUCK = timedelta(minutes=2)
# Mail is sent within half a minute; a recipient whose server is away for a moment is no trouble yet.
UNSENT = timedelta(minutes=15)
# Yesterday's salt is destroyed within an hour of its day's end.
SALT_GRACE = timedelta(hours=1)
# Clocks of two hosts; more, and events land in wrong minutes and visits.
CLOCK_SECONDS = 5
# Beat sends a task every 20 seconds.
SILENT = timedelta(minutes=2)
# No task waits for long while a worker takes them: the longest leaves it another thread.
UNTAKEN = timedelta(minutes=5)
# Nothing that runs regularly takes so long; a large removal may.
LONG = timedelta(hours=1)
# Rows of what was deleted are gone within a quarter of an hour (F31).
UNREMOVED = timedelta(minutes=15)
# Of the connections that PostgreSQL allows.
NEARLY_ALL = 0.85
FULL_BYTES = 200 * 1024**2
NEARLY_FULL_BYTES = 1024**3


@dataclass(frozen=True)
class Finding:
    """`level` is `ok`, `warning` or `error`; `advice` says what to do, and is empty where all is well."""

    subject: str
    level: str
    sentence: str
    advice: str = ""

    def __str__(self) -> str:
        return f"{self.level:8}{self.subject}: {self.sentence} {self.advice}".rstrip()


def examine(*, now: datetime) -> list[Finding]:
    """Every finding once. An examination that a server has cut short says so, and the others go on."""
    return list(dict.fromkeys(finding for examination in EXAMINATIONS for finding in told(examination, now)))


def told(examination: "Examination", now: datetime) -> list[Finding]:
    try:
        return list(examination(now))
    except DatabaseError as error:
        advice = "See postgres.log in TINYTRAIL_DATA." if settings.EMBEDDED_DATABASE else "Start it; see DATABASE_URL."
        return [Finding("postgresql", "error", f"PostgreSQL does not answer: {first_line(error)}.", advice)]
    except (redis.RedisError, BrokerError) as error:
        advice = "See redis.log in TINYTRAIL_DATA." if settings.EMBEDDED_REDIS else "Start it; see REDIS_URL."
        return [Finding("redis", "error", f"Redis does not answer: {first_line(error)}.", advice)]


def first_line(error: Exception) -> str:
    return str(error).partition("\n")[0].rstrip(".")


def configuration(now: datetime) -> Iterator[Finding]:
    wrong = list(checks.wrong_settings())
    yield from refusals("configuration", wrong)
    if not wrong:
        yield Finding("configuration", "ok", "The settings are safe.")


def postgresql(now: datetime) -> Iterator[Finding]:
    wrong = list(checks.wrong_postgresql(connection))
    yield from refusals("postgresql", wrong)
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version'), clock_timestamp()")
        version, clock = cursor.fetchone()
    if not wrong:
        yield Finding("postgresql", "ok", f"PostgreSQL {version} answers, and keeps what it was given.")
    apart = abs((clock - datetime.now(UTC)).total_seconds())
    if apart > CLOCK_SECONDS:
        yield Finding(
            "postgresql",
            "warning",
            f"Its clock and this one are {apart:.0f} seconds apart.",
            "Let both hosts keep time by NTP.",
        )


def connections_left(now: datetime) -> Iterator[Finding]:
    wrong = list(checks.wrong_connections(connection))
    yield from refusals("connections", wrong)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE usename IS NOT NULL")
        (used,) = cursor.fetchone()
    allowed = connections.allowed(connection)
    sentence = f"{used} of {allowed} connections to PostgreSQL are taken."
    if used > allowed * NEARLY_ALL:
        yield Finding("connections", "warning", sentence, "See who has them in pg_stat_activity.")
    elif not wrong:
        yield Finding("connections", "ok", sentence)


def migrations(now: datetime) -> Iterator[Finding]:
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        yield Finding("migrations", "error", f"{len(missing)} migrations are not applied.", "Run `manage.py migrate`.")
    else:
        yield Finding("migrations", "ok", "All migrations are applied.")


def partitions_ahead(now: datetime) -> Iterator[Finding]:
    this = now.astimezone(UTC).date().replace(day=1)
    wanted = {f"analytics_{table}_{month:%Y_%m}" for table in ("event", "visit") for month in (this, next_month(this))}
    missing = sorted(wanted - {name for name, _ in partitions()})
    if missing:
        yield Finding(
            "partitions",
            "error",
            f"The partitions {', '.join(missing)} are missing.",
            "Run `manage.py prepare`, and see that beat runs.",
        )
    else:
        yield Finding("partitions", "ok", "The partitions of this month and the next are there.")


def builds(now: datetime) -> Iterator[Finding]:
    oldest = DirtyDay.objects.order_by("at").values_list("at", flat=True).first()
    if oldest is not None and now - oldest > BEHIND:
        yield Finding(
            "builds",
            "error",
            f"The oldest day that waits for its build has waited since {oldest:%Y-%m-%d %H:%M} UTC.",
            "See that a worker and beat run, or run `manage.py aggregate --all`.",
        )
    else:
        yield Finding("builds", "ok", "The roll-ups follow the events.")


def salts(now: datetime) -> Iterator[Finding]:
    oldest = Salt.objects.order_by("day").values_list("day", flat=True).first()
    if oldest is not None and oldest < (now.astimezone(UTC) - SALT_GRACE).date():
        yield Finding(
            "salts",
            "error",
            f"The salt of {oldest} is still there, and its visitor keys can be traced.",
            "Run `manage.py rotate_salt`, and see that beat runs.",
        )
    else:
        yield Finding("salts", "ok", "No salt is older than its day.")


def redis_server(now: datetime) -> Iterator[Finding]:
    wrong = list(checks.wrong_redis())
    yield from refusals("redis", wrong)
    with redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=PATIENCE_SECONDS, socket_connect_timeout=PATIENCE_SECONDS
    ) as client:
        facts = client.info()
    if not facts["aof_enabled"]:
        yield Finding(
            "redis",
            "warning",
            "Its append-only file is off: what it accepts while PostgreSQL is away would not survive its own crash.",
            "Set appendonly yes.",
        )
    elif not wrong:
        yield Finding("redis", "ok", f"Redis {facts['redis_version']} answers, and keeps what it was given.")


def outage_stream(now: datetime) -> Iterator[Finding]:
    with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=PATIENCE_SECONDS) as client:
        length, since = outage.length(client), outage.oldest_at(client)
    if since is None:
        yield Finding("outage stream", "ok", "Nothing waits for PostgreSQL.")
        return
    age = now - since
    level = "error" if age > STUCK else "warning"
    advice = "PostgreSQL is or was away; once it is back a web process or the Celery worker stores them."
    yield Finding("outage stream", level, f"{length} batches wait, the oldest for {age.total_seconds():.0f} s.", advice)


def quarantine(now: datetime) -> Iterator[Finding]:
    if kept := Quarantine.objects.count():
        advice = "See why in analytics_quarantine, then run manage.py replay_quarantine."
        yield Finding("quarantine", "warning", f"{kept} rows were refused by the table of events.", advice)
    else:
        yield Finding("quarantine", "ok", "No row was refused by the table of events.")


def mail(now: datetime) -> Iterator[Finding]:
    if settings.EMAIL_BACKEND.endswith("console.EmailBackend"):
        sentence = "Mail is printed by the Celery worker and reaches nobody. EMAIL_URL names a server that sends it."
        yield Finding("mail", "ok", sentence)
    waiting = Mail.objects.filter(sent_at=None, created_at__lt=now - UNSENT)
    oldest = waiting.order_by("created_at").first()
    if oldest is None:
        yield Finding("mail", "ok", "No mail waits.")
        return
    why = f" ({oldest.error})" if oldest.error else ""
    yield Finding(
        "mail",
        "error" if waiting.filter(attempts=0).exists() or waiting.count() > 1 else "warning",
        f"{waiting.count()} mails wait, the oldest since {oldest.created_at:%Y-%m-%d %H:%M} UTC{why}.",
        "See EMAIL_URL, and that a worker and beat run.",
    )


def removals(now: datetime) -> Iterator[Finding]:
    since = waiting_for_removal()
    if since is None or now - since < UNREMOVED:
        yield Finding("removals", "ok", "Of what was deleted no rows wait for long.")
        return
    sentence = f"Rows of an account or website that was deleted at {since:%Y-%m-%d %H:%M} UTC are still there."
    yield Finding("removals", "error", sentence, "See that a worker and beat run, or run `manage.py prune`.")


def tasks(now: datetime) -> Iterator[Finding]:
    """A worker that answers may take nothing all the same."""
    with redis.Redis.from_url(settings.REDIS_URL, **sending.PATIENCE) as client:
        waiting, since = sending.tasks(client)
    if since is None or now - since < UNTAKEN:
        yield Finding("tasks", "ok", f"{waiting} tasks wait for a worker.")
        return
    yield Finding(
        "tasks",
        "error",
        f"{waiting} tasks wait for a worker, the oldest since {since:%Y-%m-%d %H:%M} UTC.",
        "If a worker runs, it takes none: see its log, and what holds it up in pg_stat_activity, and start it again.",
    )


def beat(now: datetime) -> Iterator[Finding]:
    with redis.Redis.from_url(settings.REDIS_URL, **sending.PATIENCE) as client:
        at = sending.beat_at(client)
    advice = "Start it, or start it again: `make run`, or see Procfile."
    if at is None:
        yield Finding("beat", "error", "Beat has never sent a task.", advice)
    elif now - at > SILENT:
        yield Finding("beat", "error", f"Beat has sent no task since {at:%Y-%m-%d %H:%M} UTC.", advice)
    else:
        yield Finding("beat", "ok", "Beat sends what is due.")


def worker(now: datetime) -> Iterator[Finding]:
    with app.connection_for_write() as broker:
        # A question alone would try again and again.
        broker.ensure_connection(max_retries=1, timeout=PATIENCE_SECONDS)
        answers = app.control.inspect(timeout=PATIENCE_SECONDS, connection=broker).active()
    if not answers:
        yield Finding("worker", "error", "No Celery worker answers.", "Start one: `make run`, or see Procfile.")
        return
    yield Finding("worker", "ok", f"{len(answers)} Celery worker{'s answer' if len(answers) > 1 else ' answers'}.")
    for name, since in sorted((task["name"], task["time_start"]) for task in chain(*answers.values())):
        begun = datetime.fromtimestamp(since, UTC)
        if now - begun > LONG:
            sentence = f"{name} has run since {begun:%Y-%m-%d %H:%M} UTC."
            yield Finding("worker", "warning", sentence, "See what holds it up in pg_stat_activity.")


def disk(now: datetime) -> Iterator[Finding]:
    if not settings.EMBEDDED_ENGINES:
        return
    free = shutil.disk_usage(settings.DATA).free
    sentence = f"{free / 1024**3:.1f} GiB are free at {settings.DATA}."
    if free < NEARLY_FULL_BYTES:
        level = "error" if free < FULL_BYTES else "warning"
        yield Finding("disk", level, sentence, "Make room, or lower TINYTRAIL_RETENTION_DAYS.")
    else:
        yield Finding("disk", "ok", sentence)


def secret_files(now: datetime) -> Iterator[Finding]:
    files = sorted(path for path in Path(settings.DATA, "secrets").glob("*") if path.is_file())
    open_ones = [path for path in files if stat.S_IMODE(path.stat().st_mode) & 0o077]
    for path in open_ones:
        yield Finding("secrets", "error", f"Others can read {path}.", f"Run `chmod 600 {path}`.")
    if files and not open_ones:
        yield Finding("secrets", "ok", "Only their owner can read them.")


def refusals(subject: str, wrong: list[CheckMessage]) -> Iterator[Finding]:
    for message in wrong:
        yield Finding(subject, "error" if message.is_serious() else "warning", message.msg, message.hint or "")


Examination = Callable[[datetime], Iterator[Finding]]
EXAMINATIONS: tuple[Examination, ...] = (
    configuration,
    secret_files,
    disk,
    postgresql,
    connections_left,
    migrations,
    partitions_ahead,
    salts,
    builds,
    quarantine,
    redis_server,
    outage_stream,
    removals,
    mail,
    worker,
    tasks,
    beat,
)
