"""`make run`, started for real in a data folder of its own."""

import http.client
import json
import os
import pickle
import re
import signal
import socket
import subprocess
import sys
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from celery import Celery

from tinytrail import embedded
from tinytrail.chaos.installation import free_port
from tinytrail.tests.engines import ROOT, clean_environment, eventually, found, kill, processes

READY = "Ready. Ctrl-C stops everything."
# What an idle installation consists of, by words of the command lines.
PARTS = ("granian", "celery --quiet -A tinytrail worker", "celery --quiet -A tinytrail.beat beat")


class Installation:
    """`python -m tinytrail` or a command like it, what it has said so far, and its address."""

    def __init__(self, data: Path, *command: str, **variables: object) -> None:
        self.data = data
        self.port = free_port()
        self.said = data.with_name(f"{data.name}-{self.port}.out")
        with self.said.open("w") as out:
            self.process = subprocess.Popen(
                command or (sys.executable, "-m", "tinytrail"),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=ROOT,
                env=clean_environment(TINYTRAIL_DATA=data, **{"PORT": self.port, **variables}),
            )

    def __enter__(self) -> "Installation":
        assert eventually(lambda: READY in self.output() or self.process.poll() is not None, 120)
        assert READY in self.output(), self.output()
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        try:
            self.process.wait(15)
        finally:
            self.process.kill()
            self.process.wait()

    def output(self) -> str:
        return self.said.read_text()

    def line(self, start: str) -> str:
        return next(line for line in self.output().splitlines() if line.startswith(start)).removeprefix(start)

    def ask(self, path: str, **headers: str) -> tuple[int, dict[str, str], str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read().decode()
        finally:
            connection.close()

    def answers(self) -> bool:
        try:
            return self.ask("/health")[0] == 200
        except (OSError, http.client.HTTPException):
            return False


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    data = tmp_path_factory.mktemp("run") / "data"
    yield data
    assert processes(data) == {}


@pytest.fixture(scope="module")
def acme(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation for the tests that do not end it."""
    with Installation(tmp_path_factory.mktemp("acme") / "data") as installation:
        yield installation
    assert processes(installation.data) == {}


def test_it_works(acme: Installation) -> None:
    status, _, body = acme.ask("/health")
    assert (status, json.loads(body)) == (200, {"status": "ok", "db": "connected", "version": "0.1.0"})
    assert acme.line("TinyTrail runs at ") == f"http://127.0.0.1:{acme.port}"
    assert [len(found(acme.data, words)) > 0 for words in PARTS] == [True, True, True]


def test_it_prints_a_link_that_signs_the_owner_in_once(acme: Installation) -> None:
    link = acme.line("Sign in: ")
    assert link.startswith(f"http://127.0.0.1:{acme.port}/")
    path = urllib.parse.urlsplit(link).path
    status, headers, _ = acme.ask(path)
    cookie = headers["set-cookie"].partition(";")[0]
    assert status == 302
    assert acme.ask(headers["location"], Cookie=cookie)[0] == 200
    assert acme.ask(path)[0] == 410


def test_it_prints_the_snippet_of_a_first_website(acme: Installation) -> None:
    snippet = acme.line("Tracking snippet of localhost: ")
    assert re.fullmatch(
        rf'<script defer data-id="[0-9a-f-]{{36}}" src="http://127\.0\.0\.1:{acme.port}/js/tracker\.js"></script>',
        snippet,
    )
    assert acme.ask("/js/tracker.js")[0] == 200


def test_a_page_finds_its_static_files_by_names_that_change_with_their_content(acme: Installation) -> None:
    _, _, page = acme.ask("/admin/login/")
    paths = re.findall(r'(?:src|href)="(/static/[^"]+)"', page)
    assert paths
    for path in paths:
        assert re.search(r"\.[0-9a-f]{12}\.\w+$", path), path
        status, headers, _ = acme.ask(path)
        # So that a cache may keep them for good.
        assert (status, "immutable" in headers["cache-control"]) == (200, True), path


class Canary:
    """What touches a file when it is unpickled."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.file,)


def test_a_pickled_task_is_thrown_away_and_nothing_of_it_runs(acme: Installation, tmp_path: Path) -> None:
    socket_path = embedded.redis_url(acme.data).removeprefix("unix://")
    sender = Celery(broker=f"redis+socket://{socket_path}", set_as_current=False)
    sent, shown = tmp_path / "sent", tmp_path / "shown"
    with sender, redis.Redis(unix_socket_path=socket_path) as broker:
        sender.send_task("analytics.tasks.ensure_partitions", args=[Canary(sent)], serializer="pickle")
        sender.send_task("analytics.tasks.ensure_partitions")
        # Both are taken, and neither is left to be taken again.
        assert eventually(lambda: not broker.llen("celery") and not broker.hlen("unacked"), 30)
    assert eventually(lambda: "ContentDisallowed" in acme.output() or "Refusing to deserialize" in acme.output(), 10)
    assert not sent.exists()
    # The control: unpickled, it would have.
    pickle.loads(pickle.dumps(Canary(shown)))
    assert shown.exists()


def test_a_command_beside_it_shares_its_engines(acme: Installation) -> None:
    before = found(acme.data, "bin/postgres")
    command = [sys.executable, "manage.py", "create_website", "--account", "Globex", "--domain", "globex.example"]
    environment = clean_environment(TINYTRAIL_DATA=acme.data)
    done = subprocess.run(
        [*command, "--json"], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    assert len(json.loads(done.stdout)["websiteId"]) == 36
    assert found(acme.data, "bin/postgres") == before
    assert acme.answers()


def test_the_doctor_finds_nothing(acme: Installation) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "doctor", "--json"],
        cwd=ROOT,
        env=clean_environment(TINYTRAIL_DATA=acme.data),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, json.loads(done.stdout)["healthy"]) == (0, True), done.stderr


def test_a_second_one_is_refused(acme: Installation) -> None:
    second = Installation(acme.data)
    assert second.process.wait(20) == 1
    assert second.output() == (
        f"TinyTrail is already running on {acme.data}: stop it first, or set TINYTRAIL_DATA and PORT.\n"
    )
    assert acme.answers()


def test_a_port_that_is_taken_is_refused(acme: Installation, tmp_path: Path) -> None:
    other = Installation(tmp_path / "data", PORT=acme.port)
    assert other.process.wait(20) == 1
    assert other.output().startswith(f"127.0.0.1:{acme.port} is not free (Address already in use): ")
    assert other.output().count("\n") == 1
    assert processes(tmp_path / "data") == {}


@pytest.mark.parametrize("words", PARTS)
def test_a_process_that_is_killed_runs_again_within_two_seconds(acme: Installation, words: str) -> None:
    dead = kill(acme.data, words)
    assert eventually(lambda: set(found(acme.data, words)) - {dead} and dead not in found(acme.data, words), 2)
    assert eventually(acme.answers, 10)


def test_a_web_worker_that_is_killed_is_replaced(acme: Installation) -> None:
    worker = max(found(acme.data, "granian"))
    os.kill(worker, signal.SIGKILL)
    assert eventually(lambda: worker not in found(acme.data, "granian") and acme.answers(), 10)
    assert len(found(acme.data, "granian")) == 2


@pytest.mark.parametrize("words", ["bin/postgres", "redis-server", "embedded.py postgres", "embedded.py redis"])
def test_an_engine_that_is_killed_runs_again(acme: Installation, words: str) -> None:
    dead = kill(acme.data, words)
    assert eventually(lambda: set(found(acme.data, words)) - {dead} and dead not in found(acme.data, words), 5)
    assert eventually(acme.answers, 10)


def test_it_never_gives_up(acme: Installation) -> None:
    for _ in range(4):
        dead = kill(acme.data, PARTS[2])
        assert eventually(lambda dead=dead: set(found(acme.data, PARTS[2])) - {dead}, 10)
    assert "The beat was ended by SIGKILL; it is started again in" in acme.output()
    assert acme.process.poll() is None


def test_data_survive_a_restart(data: Path) -> None:
    snippets = []
    for _ in range(2):
        with Installation(data) as installation:
            snippets.append(installation.line("Tracking snippet of localhost: ").partition(" src=")[0])
    assert snippets[0] == snippets[1]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_everything(data: Path, number: int) -> None:
    with Installation(data) as installation:
        installation.process.send_signal(number)
        assert installation.process.wait(15) == 0
    assert processes(data) == {}
    assert installation.output().endswith("Stopped.\n")


def test_a_signal_during_the_start_ends_everything(tmp_path: Path) -> None:
    installation = Installation(tmp_path / "data")
    assert eventually(lambda: "Starting" in installation.output(), 20)
    installation.process.terminate()
    assert installation.process.wait(15) == 0
    assert processes(tmp_path / "data") == {}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_make_alone_ends_everything(data: Path, tmp_path: Path, number: int) -> None:
    with make(data, tmp_path) as installation:
        installation.process.send_signal(number)
        assert installation.process.wait(15) != 0
    assert processes(data) == {}


def test_when_make_is_killed_everything_ends(data: Path, tmp_path: Path) -> None:
    with make(data, tmp_path) as installation:
        installation.process.kill()
        assert eventually(lambda: processes(data) == {}, 15)


def make(data: Path, folder: Path) -> Installation:
    """`make run` with the environment that runs this test, as if it had installed it."""
    installed = folder / "installed"
    installed.touch()
    return Installation(data, "make", "run", f"VENV={Path(sys.executable).parent.parent}", f"RUNNABLE={installed}")


def test_a_supervisor_that_is_killed_leaves_nothing_behind(data: Path) -> None:
    with Installation(data) as installation:
        installation.process.kill()
        assert eventually(lambda: processes(data) == {}, 15)
    with Installation(data) as installation:
        assert installation.answers()


def test_a_start_ends_what_a_killed_one_has_left(data: Path) -> None:
    with Installation(data) as installation:
        # The web server's main process would end its worker, if it still could.
        worker = max(found(data, "granian"))
        os.kill(min(found(data, "granian")), signal.SIGSTOP)
        installation.process.kill()
        installation.process.wait()
        assert worker in processes(data)
        with Installation(data, PORT=installation.port) as next_one:
            next_one.port = installation.port
            assert next_one.answers()
            assert worker not in processes(data)


def test_it_listens_where_it_is_told(tmp_path: Path) -> None:
    with Installation(tmp_path / "data", HOST="::1", TINYTRAIL_WEB_WORKERS=2) as installation:
        assert installation.line("TinyTrail runs at ") == f"http://[::1]:{installation.port}"
        with socket.create_connection(("::1", installation.port), timeout=5):
            pass
        with pytest.raises(ConnectionRefusedError):
            installation.ask("/health")
        assert eventually(lambda: len(found(installation.data, "granian")) == 3, 5)


def test_what_it_says_is_seen_at_once(data: Path) -> None:
    port = free_port()
    with subprocess.Popen(
        [sys.executable, "-m", "tinytrail"],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=clean_environment(TINYTRAIL_DATA=data, PORT=port),
    ) as process:
        lines = []
        while not lines or lines[-1] != f"{READY}\n":
            lines.append(process.stdout.readline())
            assert lines[-1], lines
        # A reader that goes away is no reason to end.
        process.stdout.close()
        kill(data, PARTS[2])
        assert eventually(lambda: found(data, PARTS[2]), 5)
        process.terminate()
        assert process.wait(15) == 0
