"""What refuses a wrong installation, against servers that are really set up wrongly."""

import contextlib
import subprocess
import sys
from ipaddress import ip_network
from pathlib import Path

import pytest
import redis
from django.conf import LazySettings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from tinytrail import checks, connections, embedded
from tinytrail.chaos.installation import free_port
from tinytrail.tests.engines import ROOT, clean_environment, running

SECRETS = {"SECRET_KEY": "0123456789abcdef" * 2, "PEPPER": "123456789abcdef0" * 2, "KEKS": ["23456789abcdef01" * 2]}


@pytest.fixture(autouse=True)
def three_secrets(settings: LazySettings) -> None:
    for name, value in SECRETS.items():
        setattr(settings, name, value)


def postgres_with(data: Path, **options: str) -> embedded.Postgres:
    engine = embedded.Postgres(data)
    engine.options = {**embedded.Postgres.options, **options}
    return engine


def redis_with(data: Path, *lines: str) -> embedded.Redis:
    engine = embedded.Redis(data)
    engine.configuration = "\n".join([embedded.Redis.configuration, *lines])
    return engine


@pytest.mark.django_db
def test_it_works() -> None:
    checks.refuse_wrong_installation()


def test_debug_is_refused_where_others_can_reach_it(settings: LazySettings) -> None:
    settings.DEBUG = True
    for host in ("127.0.0.1", "::1", "localhost"):
        settings.HOST = host
        assert checks.settings_are_safe(None) == []
    for host in ("0.0.0.0", "::", "192.0.2.7", "stats.example.com"):
        settings.HOST = host
        assert [finding.id for finding in checks.settings_are_safe(None)] == ["tinytrail.E001"]
        with pytest.raises(ImproperlyConfigured, match=f"TINYTRAIL_DEBUG shows its insides .* {host}"):
            checks.refuse_wrong_installation()


def test_debug_is_refused_behind_a_proxy_wherever_the_server_listens(settings: LazySettings) -> None:
    settings.DEBUG, settings.HOST = True, "127.0.0.1"
    assert list(checks.wrong_settings()) == []
    settings.TRUSTED_PROXIES = [ip_network("127.0.0.1/32")]
    assert [finding.id for finding in checks.wrong_settings()] == ["tinytrail.E001"]


@pytest.mark.parametrize(("name", "value"), [("SECRET_KEY", "x" * 40), ("PEPPER", "change-me-to-something-else-0123")])
def test_a_secret_that_can_be_guessed_is_refused(settings: LazySettings, name: str, value: str) -> None:
    setattr(settings, name, value)
    findings = checks.settings_are_safe(None)
    assert [(finding.id, finding.msg) for finding in findings] == [
        ("tinytrail.E002", f"TINYTRAIL_{name} can be guessed.")
    ]


def test_one_value_for_two_secrets_is_refused(settings: LazySettings) -> None:
    settings.PEPPER = settings.SECRET_KEY
    assert [finding.id for finding in checks.settings_are_safe(None)] == ["tinytrail.E003"]


@pytest.mark.django_db
def test_an_old_postgresql_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "OLDEST_POSTGRESQL", 99)
    assert [finding.id for finding in checks.postgresql_is_durable(None)] == ["tinytrail.E004"]


@pytest.mark.django_db
def test_fsync_off_is_refused(tmp_path: Path) -> None:
    with running(postgres_with(tmp_path, fsync="off")):
        other = connection.copy()
        other.settings_dict = {**connection.settings_dict, **embedded.database(tmp_path)}
        with contextlib.closing(other):
            assert [(finding.id, finding.hint) for finding in checks.wrong_postgresql(other)] == [
                ("tinytrail.E005", "Set fsync=on.")
            ]


@pytest.mark.django_db
def test_synchronous_commit_off_is_refused() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit TO off")
    assert [(finding.id, finding.hint) for finding in checks.postgresql_is_durable(None)] == [
        ("tinytrail.E005", "Set synchronous_commit=on.")
    ]


@pytest.mark.django_db
def test_an_unlogged_event_table_is_refused() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE UNLOGGED TABLE analytics_event_1999_12 (LIKE analytics_event)")
    assert [(finding.id, finding.hint) for finding in checks.postgresql_is_durable(None)] == [
        ("tinytrail.E006", "Run ALTER TABLE analytics_event_1999_12 SET LOGGED.")
    ]


def test_an_old_redis_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "OLDEST_REDIS", (99, 0))
    assert [finding.id for finding in checks.redis_is_durable(None)] == ["tinytrail.E007"]


def test_a_redis_that_evicts_is_refused(tmp_path: Path, settings: LazySettings) -> None:
    settings.REDIS_URL = embedded.redis_url(tmp_path)
    with running(redis_with(tmp_path, "maxmemory-policy allkeys-lru")):
        assert [finding.id for finding in checks.redis_is_durable(None)] == ["tinytrail.E008"]
    with running(redis_with(tmp_path)):
        assert checks.redis_is_durable(None) == []


@pytest.mark.django_db
def test_a_redis_that_asks_strangers_for_no_password_is_told_and_no_reason_not_to_start(
    tmp_path: Path, settings: LazySettings
) -> None:
    port = free_port()
    # Reaches this machine, and looks like any other address.
    settings.REDIS_URL = f"redis://0.0.0.0:{port}/0"
    with running(redis_with(tmp_path, f"port {port}", "bind 127.0.0.1", "protected-mode no")):
        assert [(finding.id, finding.msg) for finding in checks.redis_is_durable(None)] == [
            ("tinytrail.W001", "Redis asks nobody who reaches 0.0.0.0 for a password.")
        ]
        checks.refuse_wrong_installation()
        for own in (f"redis://127.0.0.1:{port}/0", embedded.redis_url(tmp_path)):
            settings.REDIS_URL = own
            assert checks.redis_is_durable(None) == []


@pytest.mark.django_db
def test_more_processes_than_postgresql_has_connections_for_are_refused(settings: LazySettings) -> None:
    assert checks.postgresql_is_durable(None) == []
    allowed, settings.WEB_WORKERS = connections.allowed(connection), 256
    finding = checks.postgresql_is_durable(None)[0]
    assert (finding.id, finding.msg) == (
        "tinytrail.E010",
        f"PostgreSQL allows {allowed} connections, and this installation with TINYTRAIL_WEB_WORKERS=256 takes up to "
        f"{connections.most(256)}.",
    )
    with pytest.raises(ImproperlyConfigured, match="Raise max_connections"):
        checks.refuse_wrong_installation()


@pytest.mark.django_db
def test_a_limit_of_the_user_or_the_database_counts_as_the_servers_own() -> None:
    assert connections.allowed(connection) > connections.most(1) > 9
    with connection.cursor() as cursor:
        cursor.execute(
            f"ALTER DATABASE {connection.ops.quote_name(connection.settings_dict['NAME'])} CONNECTION LIMIT 9"
        )
    assert connections.allowed(connection) == 9
    assert [finding.id for finding in checks.postgresql_is_durable(None)] == ["tinytrail.E010"]


def test_servers_that_are_away_are_no_wrong_installation(settings: LazySettings, tmp_path: Path) -> None:
    settings.REDIS_URL = f"unix://{tmp_path}/nobody"
    assert checks.redis_is_durable(None) == []
    with pytest.raises(redis.ConnectionError):
        list(checks.wrong_redis())


def test_a_web_server_and_a_migration_refuse_a_wrong_installation_in_one_sentence(tmp_path: Path) -> None:
    environment = clean_environment(TINYTRAIL_DATA=tmp_path, TINYTRAIL_DEBUG=1, HOST="0.0.0.0")
    sentence = (
        "TINYTRAIL_DEBUG shows its insides to everybody who reaches 0.0.0.0. Set TINYTRAIL_DEBUG=0, or HOST=127.0.0.1."
    )
    for command in (["-m", "tinytrail"], ["manage.py", "prepare"]):
        done = subprocess.run(
            [sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60
        )
        assert (done.returncode, done.stderr) == (1, f"{sentence}\n")


def web_server(data: Path, **variables: object) -> "subprocess.CompletedProcess[str]":
    """granian alone, as a process manager starts it, until it ends."""
    return subprocess.run(
        [
            *(sys.executable, "-m", "granian", "--interface", "asgi", "--port", str(free_port())),
            *("--respawn-failed-workers", "tinytrail.asgi:application"),
        ],
        cwd=ROOT,
        env=clean_environment(TINYTRAIL_DATA=data, **variables),
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_granian_alone_refuses_a_wrong_installation_too(tmp_path: Path) -> None:
    with running(redis_with(tmp_path)), running(postgres_with(tmp_path, synchronous_commit="off")):
        done = web_server(tmp_path)
    assert done.returncode == 1
    assert "PostgreSQL runs with synchronous_commit=off, and a crash would lose what was accepted." in done.stderr
    assert "Traceback" not in done.stderr + done.stdout


def test_granian_alone_refuses_a_redis_that_evicts(tmp_path: Path) -> None:
    with running(redis_with(tmp_path, "maxmemory-policy allkeys-lru")):
        done = web_server(tmp_path)
    assert (done.returncode, "Set maxmemory-policy noeviction." in done.stderr) == (1, True)
