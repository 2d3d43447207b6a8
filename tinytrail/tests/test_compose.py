"""compose.yaml and Dockerfile, tried without a container engine (guarantees A91, A92, A94, F13)."""

import contextlib
import http.client
import json
import re
import shlex
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis
import yaml
from django.conf import LazySettings

from tinytrail import checks
from tinytrail.chaos.load import CHROME
from tinytrail.connections import PER_WEB_PROCESS
from tinytrail.tests.composed import (
    PATIENCE_SECONDS,
    ROOT,
    VARIABLE,
    Composed,
    command_of,
    compose,
    instructions,
    interpolated,
    need_namespaces,
    new_names,
)
from tinytrail.tests.engines import eventually
from tinytrail.tests.test_documents import variables

MANAGE = ("python", "manage.py")
OURS = ("prepare", "web", "worker", "beat")


# -- the files ---------------------------------------------------------------------------------------------------------


def procfile() -> dict[str, str]:
    lines = (ROOT / "Procfile").read_text().splitlines()
    return dict(line.split(": ", 1) for line in lines if not line.startswith("#"))


def environment(service: str) -> dict[str, str]:
    found: dict[str, str] = compose()["services"][service]["environment"]
    return found


@pytest.mark.parametrize("service", ["web", "worker", "beat"])
def test_a_container_starts_what_the_procfile_says(service: str) -> None:
    own = {"${HOST:-127.0.0.1}": "0.0.0.0", "${PORT:-8000}": "8000", "${TMPDIR:-/tmp}": "/tmp"}
    line = procfile()[service]
    for variable, value in own.items():
        line = line.replace(variable, value)
    # granian reads their number from the environment: GRANIAN_WORKERS.
    line = line.replace("--workers ${TINYTRAIL_WEB_WORKERS:-1} ", "")
    assert command_of(service) == shlex.split(line)
    assert environment("web")["GRANIAN_WORKERS"] == environment("web")["TINYTRAIL_WEB_WORKERS"]


def test_everything_that_is_copied_into_the_image_is_there() -> None:
    admitted = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    assert [path for path in admitted if not (ROOT / path).exists()] == []
    copied = [rest.split()[:-1] for word, rest in instructions() if word == "COPY" and "--from" not in rest]
    assert [path for paths in copied for path in paths] == ["requirements.txt", "."]


def test_the_image_runs_as_nobody_in_particular_and_needs_no_shell() -> None:
    stated = dict(instructions())
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", stated["USER"])
    assert [word for word in ("CMD", "ENTRYPOINT") if not stated.get(word, "[").startswith("[")] == []
    for name, service in compose()["services"].items():
        assert isinstance(service.get("command", []), list), name
        assert service.get("healthcheck", {"test": ["CMD"]})["test"][0] == "CMD", name
    # The last stage runs nothing at all.
    words = [word for word, _ in instructions()]
    assert "RUN" not in words[len(words) - words[::-1].index("FROM") :]


@pytest.mark.parametrize("service", [*OURS, "proxy"])
def test_a_container_can_write_nothing_but_its_temporary_folder(service: str) -> None:
    stated = compose()["services"][service]
    assert (stated["read_only"], stated["cap_drop"]) == (True, ["ALL"])
    assert stated["security_opt"] == ["no-new-privileges:true"]
    assert "/tmp" in stated["tmpfs"]
    assert service == "proxy" or not {"volumes", "cap_add", "privileged"} & set(stated)


@pytest.mark.parametrize("service", OURS)
def test_only_settings_that_exist_are_given(service: str) -> None:
    of_others = {"GRANIAN_WORKERS"}
    assert set(environment(service)) - variables() - of_others == set()


def test_every_variable_but_a_few_can_stand_in_the_file_of_the_installation() -> None:
    of_files = {"TINYTRAIL_DATA", "TINYTRAIL_GEOIP"}
    of_others = {f"TINYTRAIL_{what}_ROLE_PASSWORD" for what in ("WEB", "WORKER", "REPORTING")}
    never = {"TINYTRAIL_DEBUG", "TINYTRAIL_METRICS_NETWORKS"}
    known = {name for name in variables() if not name.endswith("_")}
    assert known - set(environment("web")) == of_files | of_others | never


def test_the_first_comment_makes_every_secret_that_is_needed() -> None:
    text = (ROOT / "compose.yaml").read_text()
    needed = {found[1] for found in VARIABLE.finditer(text) if found[2] == "?"}
    assert set(new_names()) == needed


def test_only_the_proxy_is_reached_from_outside_and_the_web_server_believes_nobody_but_it() -> None:
    services, networks = compose()["services"], compose()["networks"]
    assert [name for name, service in services.items() if "ports" in service] == ["proxy"]
    assert [name for name, service in services.items() if "front" in service["networks"]] == ["proxy", "web"]
    assert networks["data"] == {"internal": True}
    assert {name: service["networks"] for name, service in services.items() if name in ("postgres", "redis")} == {
        "postgres": ["data"],
        "redis": ["data"],
    }
    (front,) = networks["front"]["ipam"]["config"]
    trusted = environment("web")["TINYTRAIL_TRUSTED_PROXIES"]
    assert front["subnet"] == trusted
    assert ip_network(interpolated(trusted, {})).is_private


@pytest.mark.parametrize(
    ("values", "public", "site", "ports"),
    [
        ({}, "http://localhost:8000", ":80 {", ["127.0.0.1:8000:80", "127.0.0.1:8443:443"]),
        (
            {"DOMAIN": "stats.example.com", "HTTP_PORT": "80", "HTTPS_PORT": "443"},
            "https://stats.example.com",
            "stats.example.com {",
            ["80:80", "443:443"],
        ),
    ],
)
def test_it_listens_on_this_machine_alone_until_it_is_given_a_domain(
    values: dict[str, str], public: str, site: str, ports: list[str]
) -> None:
    assert interpolated(environment("web")["TINYTRAIL_PUBLIC_URL"], values) == public
    assert site in interpolated(compose()["configs"]["caddyfile"]["content"], values).splitlines()
    assert [interpolated(port, values) for port in compose()["services"]["proxy"]["ports"]] == ports
    assert interpolated(command_of("prepare")[-1], values) == public


def test_a_proxy_of_ones_own_can_take_the_place_of_ours() -> None:
    text = (ROOT / "docs/operations.md").read_text()
    (block,) = (found for found in re.findall(r"^```\n(.*?)^```", text, re.M | re.S) if found.startswith("services:"))
    override = yaml.safe_load(block)["services"]
    # Nothing waits for the proxy, and what reaches the published port comes from the network that is trusted.
    waited_for = [name for service in compose()["services"].values() for name in service.get("depends_on", ())]
    assert (override["proxy"], "proxy" in waited_for) == ({"profiles": ["never"]}, False)
    assert override["web"] == {"ports": ["127.0.0.1:8001:8000"]}
    assert "front" in compose()["services"]["web"]["networks"]


# -- for real ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def acme() -> Iterator[Composed]:
    """All its containers run."""
    need_namespaces()
    data = Path(tempfile.mkdtemp(prefix="composed-"))
    data.chmod(0o711)
    with Composed(data) as composed:
        for service in ("web", "worker", "beat"):
            composed.start(service)
        assert eventually(lambda: is_healthy(composed), PATIENCE_SECONDS), composed.log("web")
        yield composed
    shutil.rmtree(data)


def is_healthy(composed: Composed) -> bool:
    with contextlib.suppress(OSError):
        return call(composed, "GET", "/health")[0] == 200
    return False


def call(composed: Composed, method: str, path: str, body: str = "", **headers: str) -> tuple[int, str, dict[str, str]]:
    connection = http.client.HTTPConnection("127.0.0.1", composed.web, timeout=PATIENCE_SECONDS)
    connection.request(method, path, body, {"User-Agent": CHROME, **headers})
    answer = connection.getresponse()
    found = answer.status, answer.read().decode(), dict(answer.getheaders())
    connection.close()
    return found


def collect(composed: Composed) -> int:
    website = composed.prepared["websiteId"]
    event = {"website_id": website, "event_type": "page_view", "url": "http://localhost/", "path": "/"}
    return call(composed, "POST", "/api/v1/collect", json.dumps(event), **{"Content-Type": "application/json"})[0]


def test_it_works_as_a_user_without_rights_where_only_the_temporary_folder_can_be_written(acme: Composed) -> None:
    assert acme.run("web", *acme.healthcheck("web")).returncode == 0
    assert collect(acme) == 202
    made = acme.run("web", *MANAGE, "create_api_user", "--account", "Acme", "--role", "admin", "--json")
    key = json.loads(made.stdout)["apiKey"]
    path = f"/api/v1/reports/summary?website_id={acme.prepared['websiteId']}&period=today"
    status, body, _ = call(acme, "GET", path, **{"X-API-KEY": key})
    assert (status, json.loads(body)["data"]["metrics"]["pageviews"]["value"]) == (200, 1)


def test_the_back_office_works_too(acme: Composed) -> None:
    link = acme.prepared["signIn"].removeprefix("http://localhost:8000").removeprefix(f"http://localhost:{acme.web}")
    status, _, headers = call(acme, "GET", link)
    cookie = headers.get("set-cookie", "").partition(";")[0]
    assert (status, cookie.partition("=")[0]) == (302, "session")
    for path in ("/admin/", "/admin/accounts/website/", "/dashboard"):
        assert call(acme, "GET", path, Cookie=cookie)[0] in (200, 302), path


def test_the_doctor_finds_nothing_wrong(acme: Composed) -> None:
    findings: list[Any] = []

    def wrong() -> list[Any]:
        done = acme.run("web", *MANAGE, "doctor", "--json")
        findings[:] = [finding for finding in json.loads(done.stdout)["findings"] if finding["level"] != "ok"]
        return findings

    # It has heard of beat, and its tasks have been taken.
    assert eventually(lambda: not wrong(), PATIENCE_SECONDS), findings


def test_each_process_is_refused_what_it_need_not_write(acme: Composed) -> None:
    program = (
        "import pathlib, sys\n"
        "for path in sys.argv[1:]:\n"
        "    try:\n        pathlib.Path(path).write_text('')\n        print(path)\n"
        "    except OSError: pass\n"
    )
    places = [
        str(acme.image / "new"),
        str(acme.image / "manage.py"),
        "/etc/new",
        "/var/new",
        "/dev/shm/new",
        "/tmp/new",
    ]
    assert acme.run("web", "python", "-c", program, *places).stdout.split() == ["/tmp/new"]


# -- A92: roles of PostgreSQL ------------------------------------------------------------------------------------------

CHANGES_OF_TABLES = (
    "CREATE TABLE mine (id int)",
    "CREATE VIEW mine AS SELECT 1",
    "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE SCHEMA mine",
    "CREATE ROLE mine",
    "ALTER TABLE analytics_event ADD COLUMN mine int",
    "ALTER TABLE accounts_user DISABLE TRIGGER ALL",
    "CREATE INDEX mine ON analytics_event (visitor)",
    "DROP TABLE analytics_event",
    "TRUNCATE analytics_event",
    "DELETE FROM django_migrations",
    "COPY analytics_event TO PROGRAM 'true'",
)


@pytest.mark.parametrize("service", ["web", "worker"])
def test_neither_the_web_server_nor_the_worker_can_change_a_table(acme: Composed, service: str) -> None:
    with acme.connect(service) as connection:
        assert connection.execute("SELECT current_user").fetchone() == (f"tinytrail_{service}",)
        for statement in CHANGES_OF_TABLES:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)


def test_months_are_made_by_both_and_dropped_by_the_worker_alone(acme: Composed) -> None:
    with acme.connect("web") as web, acme.connect("worker") as worker:
        web.execute("SELECT analytics_ensure_month('1999-01-01')")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            web.execute("SELECT analytics_drop_partition('analytics_event_1999_01')")
        worker.execute("SELECT analytics_drop_partition('analytics_event_1999_01')")
        assert web.execute("SELECT to_regclass('analytics_event_1999_01')").fetchone() == (None,)


def test_the_worker_destroys_a_salt_with_the_file_that_it_stood_in(acme: Composed) -> None:
    with acme.connect("worker") as worker:
        file = "SELECT pg_relation_filenode('analytics_salt')"
        before = worker.execute(file).fetchone()
        worker.execute("INSERT INTO analytics_salt VALUES ('1999-01-01', '\\x00')")
        done = acme.run("worker", *MANAGE, "rotate_salt", "--json")
        assert json.loads(done.stdout) == {"destroyed": 1}
        assert worker.execute(file).fetchone() != before


def reporting(acme: Composed) -> "psycopg.Connection[tuple[Any, ...]]":
    url = acme.environment("prepare")["DATABASE_URL"]
    return psycopg.connect(url, user="tinytrail_reporting", password=acme.values["REPORTING_PASSWORD"], autocommit=True)


def test_reports_are_read_with_a_role_that_reads_no_secret_and_writes_nothing(acme: Composed) -> None:
    with reporting(acme) as connection:
        assert connection.execute("SELECT count(*) FROM accounts_website").fetchone() == (1,)
        connection.execute("SELECT pageviews FROM analytics_siteday")
        connection.execute("SELECT website_id, path, occurred_at FROM analytics_event")
        for column in ("key_hash", "key_cipher", "password", "login", "email", "*"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"SELECT {column} FROM accounts_user")
        for table in ("analytics_salt", "django_session", "submissions_host", "submissions_mail", "analytics_profile"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"SELECT FROM {table}")
        for statement in (*CHANGES_OF_TABLES, "DELETE FROM analytics_siteday", "SELECT profile FROM analytics_event"):
            with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction)):
                connection.execute(statement)
        connection.execute("SET default_transaction_read_only = off")
        for statement in ("DELETE FROM analytics_siteday", "SELECT analytics_ensure_month('1999-01-01')"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)


def test_the_same_statements_can_be_read_before_they_are_run(acme: Composed) -> None:
    statements = acme.run("prepare", *MANAGE, "roles").stdout.rstrip(";\n").split(";\n")
    assert 'CREATE ROLE "tinytrail_web" LOGIN' in statements
    with psycopg.connect(acme.environment("prepare")["DATABASE_URL"]) as owner:
        for statement in statements:
            if not statement.startswith("CREATE ROLE"):
                owner.execute(statement)
        owner.rollback()
    assert not any("PASSWORD" in statement for statement in statements)


# -- A94: Redis --------------------------------------------------------------------------------------------------------


def test_redis_wants_a_password_and_keeps_from_everybody_what_is_the_operators(
    acme: Composed, settings: LazySettings
) -> None:
    with redis.Redis(port=acme.redis, retry=None) as stranger, pytest.raises(redis.AuthenticationError):
        stranger.ping()
    with redis.Redis.from_url(acme.environment("web")["REDIS_URL"]) as client:
        assert client.ping()
        for command in (
            "FLUSHALL",
            "FLUSHDB",
            "KEYS *",
            "CONFIG GET *",
            "SHUTDOWN",
            "ACL LIST",
            "SAVE",
        ):
            with pytest.raises(redis.exceptions.NoPermissionError):
                client.execute_command(*command.split())
    # Reaches this machine, and looks like any other address.
    settings.REDIS_URL = acme.environment("web")["REDIS_URL"].replace("127.0.0.1", "0.0.0.0")
    assert not checks.is_open_to_others()


# -- F13: connections --------------------------------------------------------------------------------------------------


def test_a_web_process_has_no_more_connections_than_it_says_however_many_ask(acme: Composed) -> None:
    def ask(number: int) -> int:
        return collect(acme) if number % 2 else call(acme, "GET", "/admin/login/")[0]

    with ThreadPoolExecutor(24) as crowd:
        assert set(crowd.map(ask, range(200))) <= {200, 202, 429}
    with acme.connect("worker") as connection:
        question = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'tinytrail_web'"
        ((web,),) = connection.execute(question).fetchall()
    assert 2 < web <= 2 * PER_WEB_PROCESS


# -- metrics -----------------------------------------------------------------------------------------------------------


def test_the_metrics_of_a_running_server_are_there_for_its_own_network_alone(acme: Composed) -> None:
    collect(acme)
    shown = re.compile(r'^tinytrail_calls_total\{dialect="v1",outcome="stored"\} (\S+)$', re.M)
    assert eventually(lambda: shown.search(call(acme, "GET", "/metrics")[1]), PATIENCE_SECONDS)
    text = call(acme, "GET", "/metrics")[1]
    for line in (
        "tinytrail_web_processes 2.0",
        "tinytrail_web_processes_connected 2.0",
        "tinytrail_postgresql_up 1.0",
        "tinytrail_redis_up 1.0",
    ):
        assert line in text.splitlines()
    assert call(acme, "GET", "/metrics", **{"X-Forwarded-For": "127.0.0.1"})[0] == 404
