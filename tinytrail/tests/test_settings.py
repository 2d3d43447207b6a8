"""The environment, read once: a wrong value is one sentence that names the variable and shows a right value."""

import ipaddress
import re
import subprocess
import sys
from pathlib import Path

import pytest
import redis
from django.conf import settings
from django.core.cache import caches
from kombu import Connection

from tinytrail import embedded
from tinytrail import settings as module
from tinytrail.tests.engines import ROOT, clean_environment, three_secrets


def start(**variables: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "tinytrail"],
        cwd=ROOT,
        env=clean_environment(**variables),
        capture_output=True,
        text=True,
        timeout=30,
    )


def test_it_works(tmp_path: Path) -> None:
    said = subprocess.run(
        [sys.executable, "-c", "from tinytrail import settings as s; print(s.HOST, s.PORT, s.WEB_WORKERS, s.DATA)"],
        cwd=ROOT,
        env=clean_environment(TINYTRAIL_DATA=tmp_path),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert said == f"127.0.0.1 8000 1 {tmp_path}\n"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PORT", "0"),
        ("PORT", "65536"),
        ("PORT", "http"),
        ("PORT", "8000.5"),
        ("HOST", "nowhere.invalid"),
        ("TINYTRAIL_WEB_WORKERS", "0"),
        ("TINYTRAIL_WEB_WORKERS", "-1"),
        ("TINYTRAIL_DEBUG", "yes"),
        ("TINYTRAIL_DATA", "/etc/passwd"),
        ("TINYTRAIL_DATA", "/etc/passwd/data"),
        ("TINYTRAIL_DATA", "/proc/nowhere"),
        ("TINYTRAIL_ALLOWED_HOSTS", "*"),
        ("TINYTRAIL_TRUSTED_PROXIES", "10.0.0.1/8"),
        ("TINYTRAIL_TRUSTED_PROXIES", "proxy.example.com"),
        ("TINYTRAIL_LIMIT_COLLECT", "ten"),
        ("TINYTRAIL_LIMIT_LOGIN", "10/0"),
        ("TINYTRAIL_RETENTION_DAYS", "1"),
        ("TINYTRAIL_RETENTION_DAYS", "761"),
        ("TINYTRAIL_BACKUP_DAYS", "0"),
        ("TINYTRAIL_LOG", "xml"),
        ("TINYTRAIL_PROFILE_RETENTION_DAYS", "761"),
        ("TINYTRAIL_SECRET_KEY", "short"),
        ("TINYTRAIL_PEPPER", "short"),
        ("TINYTRAIL_KEK", "short"),
        ("TINYTRAIL_KEK", f"short,{'k' * 40}"),
        ("DATABASE_URL", "mysql://db.example.com/tinytrail"),
        ("DATABASE_URL", "postgresql://db.example.com"),
        ("DATABASE_URL", "postgresql://db.example.com:port/tinytrail"),
        ("REDIS_URL", "http://cache.example.com"),
        ("REDIS_URL", "redis://cache.example.com:port/0"),
        ("EMAIL_URL", "ftp://mail.example.com"),
        ("EMAIL_URL", "smtp://mail.example.com:port"),
        ("TINYTRAIL_MAIL_FROM", "nobody"),
        ("TINYTRAIL_MAIL_FROM", "Acme <no body@acme.example>"),
        ("TINYTRAIL_METRICS_NETWORKS", "prometheus"),
        ("TINYTRAIL_METRICS_TOKEN", "short"),
        ("TINYTRAIL_PUBLIC_URL", "stats.example.com"),
        ("TINYTRAIL_PUBLIC_URL", "https://stats.example.com/tinytrail"),
    ],
)
def test_a_wrong_value_stops_the_start_with_one_sentence(tmp_path: Path, variable: str, value: str) -> None:
    done = start(**{"TINYTRAIL_DATA": str(tmp_path), **three_secrets(), variable: value})
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert variable in done.stderr
    # A right value is shown.
    assert re.search(rf"{variable}=\S|must be|from `openssl", done.stderr)


def test_reading_them_loads_little(tmp_path: Path) -> None:
    """The supervisor and beat read them too, and stay small."""
    program = (
        "import sys, tinytrail.supervisor\n"
        "print(*{'django.conf', 'django.urls', 'django.template', 'celery', 'asyncio'} & set(sys.modules))"
    )
    said = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=clean_environment(TINYTRAIL_DATA=tmp_path),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert said == "\n"


def test_secrets_are_required_beside_a_database_of_ones_own(tmp_path: Path) -> None:
    done = start(TINYTRAIL_DATA=str(tmp_path), DATABASE_URL="postgresql://acme@db.example.com/acme")
    assert done.stderr == (
        "TINYTRAIL_SECRET_KEY must be set when DATABASE_URL is set, for example from `openssl rand -hex 32`.\n"
    )


def test_a_database_url_is_taken_apart() -> None:
    assert module.database("postgresql://ac%40me:se%2Fcret@db.example.com:5433/acme?sslmode=require") == {
        "NAME": "acme",
        "USER": "ac@me",
        "PASSWORD": "se/cret",
        "HOST": "db.example.com",
        "PORT": "5433",
        "OPTIONS": {"sslmode": "require"},
    }
    assert module.database("postgres:///acme?host=/run/postgresql")["HOST"] == "/run/postgresql"


def test_a_limit_is_a_pair_or_off(monkeypatch: pytest.MonkeyPatch) -> None:
    assert module.limit("COLLECT", "10/10") == (10, 10)
    monkeypatch.setenv("TINYTRAIL_LIMIT_COLLECT", "5/60")
    assert module.limit("COLLECT", "10/10") == (5, 60)
    monkeypatch.setenv("TINYTRAIL_LIMIT_COLLECT", "off")
    assert module.limit("COLLECT", "10/10") is None


def test_networks_are_read_from_a_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYTRAIL_TRUSTED_PROXIES", " 10.0.0.0/8, ::1/128 ,")
    assert module.networks("TINYTRAIL_TRUSTED_PROXIES") == [
        ipaddress.ip_network("10.0.0.0/8"),
        ipaddress.ip_network("::1/128"),
    ]


@pytest.mark.parametrize(
    ("given", "is_known_as"),
    [
        ({}, "http://127.0.0.1:8000 noreply@localhost"),
        ({"HOST": "::1", "PORT": "81"}, "http://[::1]:81 noreply@localhost"),
        ({"HOST": "0.0.0.0"}, "http://localhost:8000 noreply@localhost"),
        ({"TINYTRAIL_ALLOWED_HOSTS": ".acme.example"}, "http://acme.example:8000 noreply@acme.example"),
        (
            {"TINYTRAIL_ALLOWED_HOSTS": "acme.example,localhost", "TINYTRAIL_TRUSTED_PROXIES": "10.0.0.0/8"},
            "https://acme.example noreply@acme.example",
        ),
        (
            {"TINYTRAIL_PUBLIC_URL": "https://acme.example/", "TINYTRAIL_MAIL_FROM": "Acme <hello@acme.example>"},
            "https://acme.example Acme <hello@acme.example>",
        ),
    ],
)
def test_what_mails_say_of_this_server_comes_from_the_settings(
    tmp_path: Path, given: dict[str, str], is_known_as: str
) -> None:
    said = subprocess.run(
        [sys.executable, "-c", "from tinytrail import settings as s; print(s.PUBLIC_URL, s.DEFAULT_FROM_EMAIL)"],
        cwd=ROOT,
        env=clean_environment(TINYTRAIL_DATA=tmp_path, **given),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert said == f"{is_known_as}\n"


PROXIES = {"TINYTRAIL_TRUSTED_PROXIES": "10.0.0.0/8"}


@pytest.mark.parametrize(
    ("given", "hosts", "is_behind_tls"),
    [
        ({}, "localhost,127.0.0.1,[::1]", False),
        ({"TINYTRAIL_PUBLIC_URL": "https://acme.example"}, "acme.example,localhost,127.0.0.1,[::1]", False),
        ({"TINYTRAIL_PUBLIC_URL": "http://[2001:db8::1]:81"}, "[2001:db8::1],localhost,127.0.0.1,[::1]", False),
        ({"TINYTRAIL_PUBLIC_URL": "https://acme.example", "TINYTRAIL_ALLOWED_HOSTS": "a.example"}, "a.example", False),
        ({"TINYTRAIL_ALLOWED_HOSTS": "acme.example", **PROXIES}, "acme.example", True),
        (
            {"TINYTRAIL_PUBLIC_URL": "https://acme.example", **PROXIES},
            "acme.example,localhost,127.0.0.1,[::1]",
            True,
        ),
        # A proxy on one's own machine, without TLS: cookies marked Secure would not come back in every browser.
        ({"TINYTRAIL_PUBLIC_URL": "http://localhost:8000", **PROXIES}, "localhost,localhost,127.0.0.1,[::1]", False),
    ],
)
def test_its_public_address_says_which_host_it_is_and_whether_there_is_tls_before_it(
    tmp_path: Path, given: dict[str, str], hosts: str, is_behind_tls: bool
) -> None:
    said = subprocess.run(
        [sys.executable, "-c", "from tinytrail import settings as s; print(','.join(s.ALLOWED_HOSTS), s.BEHIND_TLS)"],
        cwd=ROOT,
        env=clean_environment(TINYTRAIL_DATA=tmp_path, **given),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert said == f"{hosts} {is_behind_tls}\n"


def test_an_empty_variable_is_none_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", " ")
    assert module.number("PORT", 8000) == 8000


def test_cache_broker_and_client_speak_to_one_redis_database() -> None:
    with redis.Redis.from_url(settings.REDIS_URL) as client, Connection(settings.CELERY_BROKER_URL) as broker:
        caches["default"].set("acme", 1)
        with broker.SimpleQueue("globex") as queue:
            queue.put("hello")
        assert client.keys("tinytrail:*acme") == [b"tinytrail:1:acme"]
        assert client.llen("globex") == 1


def test_the_number_of_a_redis_database_reaches_the_broker(tmp_path: Path) -> None:
    program = "from tinytrail import settings as s; print(s.CELERY_BROKER_URL)"
    url = f"{embedded.redis_url(tmp_path)}?db=7"
    said = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=clean_environment(TINYTRAIL_DATA=tmp_path, REDIS_URL=url),
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    assert said == f"redis+socket://{embedded.reachable(tmp_path)}/redis/redis.sock?virtual_host=7"
