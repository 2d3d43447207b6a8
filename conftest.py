"""The suite's servers: PostgreSQL and Redis of its own in `.data-test`, never those of an installation beside it.

This file sets the environment and loads Django's settings, which is why pytest.ini does not name them: a worker of
pytest-xdist has to choose its own Redis database first. DATABASE_URL and REDIS_URL are respected, so that the suite
can be run against other versions; of that PostgreSQL only a test database is touched.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import django
import pytest
import redis
from django.conf import LazySettings, settings

from tinytrail import embedded

SECRETS = ("TINYTRAIL_SECRET_KEY", "TINYTRAIL_PEPPER", "TINYTRAIL_KEK")
# In a Redis that is not ours: this database holds what a test run has left, and may be emptied.
MARK = "tinytrail-test-suite"
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")


def suite_environment() -> None:
    """What a developer or an installation has set does not change what the tests see."""
    data = Path(os.environ.get("TINYTRAIL_DATA", Path(__file__).parent / ".data")).resolve()
    for name in [name for name in os.environ if name.startswith("TINYTRAIL_")]:
        del os.environ[name]
    for name in ("HOST", "PORT", "EMAIL_URL"):
        os.environ.pop(name, None)
    data = data.with_name(f"{data.name}-test")
    os.environ["TINYTRAIL_DATA"] = str(data)
    os.environ["TINYTRAIL_TEST_ENGINES"] = " ".join(
        engine
        for engine, variable in (("postgres", "DATABASE_URL"), ("redis", "REDIS_URL"))
        if not os.environ.get(variable)
    )
    for name in SECRETS:
        os.environ[name] = embedded.generated_secret(data, name.removeprefix("TINYTRAIL_").lower())
    if not os.environ.get("REDIS_URL"):
        os.environ["REDIS_URL"] = embedded.redis_url(data)


def numbered(url: str, number: int) -> str:
    """The URL of another database of the same Redis."""
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return f"{url.partition('?')[0]}?db={number}"
    return parts._replace(path=f"/{int(parts.path.strip('/') or 0) + number}").geturl()


if WORKER:
    os.environ["REDIS_URL"] = numbered(os.environ["REDIS_URL"], int(WORKER.removeprefix("gw")))
else:
    suite_environment()
DATA = Path(os.environ["TINYTRAIL_DATA"])
ENGINES = os.environ["TINYTRAIL_TEST_ENGINES"].split()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tinytrail.settings")
django.setup()
# A worker that inherits it would load the settings before it has come here.
del os.environ["DJANGO_SETTINGS_MODULE"]

# Imported once Django is set up.
from analytics.ingest import background  # noqa: E402
from analytics.ingest.grants import grants  # noqa: E402
from tinytrail.tests import suite_logs  # noqa: E402

# Static files are collected at the start of a server. WhiteNoise warns where there is no folder for them, and reads all
# of it for each client of a test: so it is none in which a server has collected any.
settings.STATIC_ROOT = DATA / "static"
settings.STATIC_ROOT.mkdir(exist_ok=True)

stack = contextlib.ExitStack()
client = redis.Redis.from_url(os.environ["REDIS_URL"])
log = suite_logs.listener(DATA, WORKER)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fuzz", type=int, default=0, help="how many calls to make up for each operation of the API")


@pytest.hookimpl(tryfirst=True)
def pytest_configure() -> None:
    # The workers of pytest-xdist live within the life of the process that starts them, and so within this block.
    if ENGINES and not WORKER:
        lock = stack.enter_context((DATA / "suite.lock").open("w"))
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pytest.exit(f"Another test run uses {DATA}: wait for it, or set TINYTRAIL_DATA.", returncode=3)
        try:
            stack.enter_context(embedded.servers(DATA, *ENGINES))
        except embedded.EngineError as error:
            pytest.exit(str(error), returncode=3)
    if not WORKER:
        suite_logs.forget(DATA)
    stack.enter_context(client)
    if "redis" not in ENGINES and client.dbsize() and not client.exists(MARK):
        pytest.exit("REDIS_URL names a database that holds data, and tests would empty it.", returncode=3)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """The workers have ended before the process that started them: it reads what all of them have logged."""
    if not WORKER and any(suite_logs.leaks(DATA)):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if leaks := list(suite_logs.leaks(DATA)):
        terminalreporter.section("logs hold what they must not (A88)", sep="=", red=True, bold=True)
        for leak in leaks:
            terminalreporter.write_line(leak)


def pytest_unconfigure() -> None:
    stack.close()


@pytest.fixture(autouse=True)
def empty_redis() -> None:
    """Every test starts with an empty Redis database, its worker's own."""
    client.flushdb()
    if "redis" not in ENGINES:
        client.set(MARK, 1)


@pytest.fixture(autouse=True)
def _log_is_listened_to() -> None:
    """By who reads it at the end of the run (guarantee A88)."""
    suite_logs.listen(log)


@pytest.fixture(autouse=True)
def plain_static_files(settings: LazySettings) -> None:
    """Fingerprinted names exist only after collectstatic."""
    backend = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": backend}


@pytest.fixture(scope="session", autouse=True)
def _batches_end_first(django_db_setup: None) -> Iterator[None]:
    """The batches of the test process end before its database does."""
    yield
    background.stop()


@pytest.fixture(autouse=True)
def _nobody_is_remembered() -> None:
    """What a host or a key stood for in the test before."""
    grants.forget()
