"""What a wrong installation looks like: found before it serves, told in one sentence each.

Django runs these checks with `manage.py check --database default` and with every `migrate`; a web server
(tinytrail.asgi, whoever starts it) and `manage.py prepare` refuse to start with `refuse_wrong_installation`. There is
no switch to turn that off. A server that does not answer is no finding here: the outage of one is survived, and
`manage.py doctor` reports it.
"""

import ipaddress
import logging
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import maxminddb
import redis
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError, connection
from django.db.backends.base.base import BaseDatabaseWrapper

from tinytrail import connections

log = logging.getLogger(__name__)

OLDEST_POSTGRESQL = 15
OLDEST_REDIS = (6, 2)
# A value that somebody has typed repeats itself; one of 32 random characters, also hexadecimal ones, does not.
FEWEST_CHARACTERS = 8
PATIENCE_SECONDS = 2


def refuse_wrong_installation() -> None:
    """Raises ImproperlyConfigured with the first error's sentence; warnings are logged."""
    for check in (settings_are_safe, places_are_readable, postgresql_is_durable, redis_is_durable):
        for finding in check(None):
            if finding.is_serious():
                raise ImproperlyConfigured(f"{finding.msg} {finding.hint}")
            log.warning("%s %s", finding.msg, finding.hint)


@register(Tags.security)
def settings_are_safe(app_configs: Any, **options: Any) -> list[CheckMessage]:  # noqa: ANN401 (Django's own)
    return list(wrong_settings())


@register(Tags.compatibility)
def places_are_readable(app_configs: Any, **options: Any) -> list[CheckMessage]:  # noqa: ANN401
    return list(wrong_places())


@register(Tags.database)
def postgresql_is_durable(app_configs: Any, **options: Any) -> list[CheckMessage]:  # noqa: ANN401
    try:
        return [*wrong_postgresql(connection), *wrong_connections(connection)]
    except OperationalError:
        return []


@register(Tags.database)
def redis_is_durable(app_configs: Any, **options: Any) -> list[CheckMessage]:  # noqa: ANN401
    try:
        return list(wrong_redis())
    except redis.RedisError:
        return []


def wrong_settings() -> Iterator[CheckMessage]:
    if settings.DEBUG and not is_loopback(settings.HOST):
        yield Error(
            f"TINYTRAIL_DEBUG shows its insides to everybody who reaches {settings.HOST}.",
            hint="Set TINYTRAIL_DEBUG=0, or HOST=127.0.0.1.",
            id="tinytrail.E001",
        )
    elif settings.DEBUG and settings.TRUSTED_PROXIES:
        yield Error(
            "TINYTRAIL_DEBUG shows its insides to everybody who reaches the proxies of TINYTRAIL_TRUSTED_PROXIES.",
            hint="Set TINYTRAIL_DEBUG=0.",
            id="tinytrail.E001",
        )
    secrets = {"SECRET_KEY": settings.SECRET_KEY, "PEPPER": settings.PEPPER, "KEK": settings.KEKS[0]}
    for name, value in secrets.items():
        if len(set(value)) < FEWEST_CHARACTERS or "change" in value.lower():
            yield Error(
                f"TINYTRAIL_{name} can be guessed.",
                hint="Make one with `openssl rand -hex 32`.",
                id="tinytrail.E002",
            )
    if len(set(secrets.values())) < len(secrets):
        yield Error(
            "TINYTRAIL_SECRET_KEY, TINYTRAIL_PEPPER and TINYTRAIL_KEK are not three different values.",
            hint="Make each with `openssl rand -hex 32`.",
            id="tinytrail.E003",
        )


def wrong_places() -> Iterator[CheckMessage]:
    if not settings.GEOIP:
        return
    try:
        maxminddb.open_database(settings.GEOIP).close()
    except (OSError, maxminddb.InvalidDatabaseError):
        yield Error(
            f"TINYTRAIL_GEOIP names a file that is no MMDB: {settings.GEOIP}.",
            hint="Get one of GeoLite2 City or DB-IP City Lite, or leave it empty; `manage.py geoip --file PATH` looks.",
            id="tinytrail.E009",
        )


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def wrong_postgresql(connection: BaseDatabaseWrapper) -> Iterator[CheckMessage]:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version_num")
        version = int(cursor.fetchone()[0]) // 10_000
        if version < OLDEST_POSTGRESQL:
            yield Error(
                f"PostgreSQL {version} is too old.",
                hint=f"Use version {OLDEST_POSTGRESQL} or newer.",
                id="tinytrail.E004",
            )
        for name in ("fsync", "synchronous_commit"):
            cursor.execute(f"SHOW {name}")
            if cursor.fetchone()[0] == "off":
                yield Error(
                    f"PostgreSQL runs with {name}=off, and a crash would lose what was accepted.",
                    hint=f"Set {name}=on.",
                    id="tinytrail.E005",
                )
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relpersistence = 'u' AND relkind IN ('r', 'p')"
            " AND relname ~ '^analytics_event(_\\d{4}_\\d{2})?$' AND pg_table_is_visible(oid) ORDER BY relname LIMIT 1"
        )
        for (table,) in cursor.fetchall():
            yield Error(
                f"The table {table} is unlogged, and a crash would empty it.",
                hint=f"Run ALTER TABLE {table} SET LOGGED.",
                id="tinytrail.E006",
            )


def wrong_connections(connection: BaseDatabaseWrapper) -> Iterator[CheckMessage]:
    allowed, most = connections.allowed(connection), connections.most(settings.WEB_WORKERS)
    if allowed < most:
        yield Error(
            f"PostgreSQL allows {allowed} connections, and this installation with TINYTRAIL_WEB_WORKERS="
            f"{settings.WEB_WORKERS} takes up to {most}.",
            hint="Raise max_connections (or this user's limit), or lower TINYTRAIL_WEB_WORKERS.",
            id="tinytrail.E010",
        )


def wrong_redis() -> Iterator[CheckMessage]:
    with redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=PATIENCE_SECONDS, socket_connect_timeout=PATIENCE_SECONDS
    ) as client:
        facts = client.info()
    version = tuple(int(part) for part in str(facts["redis_version"]).split(".")[:2])
    if version < OLDEST_REDIS:
        yield Error(
            f"Redis {facts['redis_version']} is too old.",
            hint=f"Use version {'.'.join(map(str, OLDEST_REDIS))} or newer, or Valkey.",
            id="tinytrail.E007",
        )
    if facts["maxmemory_policy"] != "noeviction":
        yield Error(
            f"Redis runs with maxmemory-policy {facts['maxmemory_policy']}, and would drop what was accepted while "
            "PostgreSQL was away.",
            hint="Set maxmemory-policy noeviction.",
            id="tinytrail.E008",
        )
    if is_open_to_others():
        yield Warning(
            f"Redis asks nobody who reaches {urlsplit(settings.REDIS_URL).hostname} for a password.",
            hint="Set one there (requirepass), and in REDIS_URL.",
            id="tinytrail.W001",
        )


def is_open_to_others() -> bool:
    """Whether Redis answers somebody without a password, who need not be on this machine."""
    parts = urlsplit(settings.REDIS_URL)
    if parts.scheme == "unix" or parts.hostname is None or is_loopback(parts.hostname):
        return False
    nameless = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    # Without a second attempt: being turned away is the answer.
    with redis.Redis.from_url(
        nameless, socket_timeout=PATIENCE_SECONDS, socket_connect_timeout=PATIENCE_SECONDS, retry=None
    ) as stranger:
        try:
            return bool(stranger.ping())
        except (redis.AuthenticationError, redis.ResponseError):
            return False
