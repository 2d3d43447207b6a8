"""An installation to be killed: engines of its own, web server, worker and beat, each started again when it dies.

It lives in a data folder of its own. The supervisor of `make run` does the same for people; here every process has to
be found, killed and started with another application by whoever writes the test.
"""

import contextlib
import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Container, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any, Self

import psycopg
import redis

from tinytrail import embedded

ROOT = Path(__file__).resolve().parents[2]
APPLICATION = "tinytrail.asgi:application"
PROCESSES = ("web", "worker", "beat")
START_SECONDS = 120.0
STOP_SECONDS = 30.0
# What somebody has set does not change what is tested.
FOREIGN = ("DATABASE_URL", "REDIS_URL", "HOST", "PORT", "EMAIL_URL", "DJANGO_SETTINGS_MODULE")
STREAM = "outage"


class ChaosError(Exception):
    """The harness itself cannot go on; says why."""


class Installation:
    """Used as a context. `application` is what granian serves; `names` those of the Procfile that run."""

    def __init__(self, data: Path, application: str = APPLICATION, names: Container[str] = PROCESSES) -> None:
        self.data = data.resolve()
        # Where people find it.
        self.address = "127.0.0.1"
        self.port = free_port()
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.restarts = 0
        self._is_stopping = False
        self._engines = contextlib.ExitStack()
        self.commands = {
            name: command.replace(APPLICATION, application) for name, command in procfile().items() if name in names
        }

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            embedded.make_folder(self.data, 0o711)
            self._engines = stack.enter_context(contextlib.ExitStack())
            self._engines.enter_context(embedded.servers(self.data, "postgres", "redis"))
            stack.callback(self.stop)
            self.manage("prepare")
            self.website: str = self.manage("create_website", "--account", "Acme", "--domain", "acme.example")[
                "websiteId"
            ]
            self.key: str = self.manage("create_api_user", "--account", "Acme", "--role", "user")["apiKey"]
            (self.website_id,) = self.ask("SELECT id FROM accounts_website WHERE public_id = %s", self.website)
            self.look_after()
            wait(self.is_healthy, START_SECONDS, "The web server does not answer")
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    # -- its life --

    def environment(self, name: str = "") -> dict[str, str]:
        """For the process of this name, and for commands."""
        del name
        kept = {name: value for name, value in os.environ.items() if name not in FOREIGN and "TINYTRAIL_" not in name}
        # Counted, and never reached.
        limits = dict.fromkeys(("TINYTRAIL_LIMIT_COLLECT", "TINYTRAIL_LIMIT_API_KEY"), "1000000000/60")
        path = f"{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}"
        own = {"PATH": path, "TMPDIR": str(self.data), "TINYTRAIL_DATA": str(self.data), "PORT": str(self.port)}
        return {**kept, **limits, **own}

    def look_after(self) -> None:
        """Starts whatever does not run. Called from the main thread only, whose end is the end of them all."""
        for name in self.commands:
            process = self.processes.get(name)
            if self._is_stopping or (process is not None and process.poll() is None) or not self.has_to_run(name):
                continue
            if process is not None:
                # What it has started itself goes with it, or it would hold the port.
                self.kill_group(name)
                self.restarts += 1
            self.start(name)

    def has_to_run(self, name: str) -> bool:
        del name
        return True

    def start(self, name: str) -> None:
        with (self.data / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                ("sh", "-c", f"exec {self.commands[name]}"),
                cwd=ROOT,
                env=self.environment(name),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=self.settling_in(name),
            )

    def settling_in(self, name: str) -> Callable[[], None]:
        """What the process of this name does before it becomes its program."""
        del name
        return embedded.dying_with_parent(signal.SIGTERM)

    def stop(self) -> None:
        self._is_stopping = True
        for process in self.processes.values():
            process.terminate()
        until = time.monotonic() + STOP_SECONDS
        for name, process in self.processes.items():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, until - time.monotonic()))
            self.kill_group(name)
            process.wait()

    def kill_group(self, name: str) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.processes[name].pid, signal.SIGKILL)

    # -- asking it --

    def manage(self, *words: str) -> dict[str, Any]:
        """The JSON answer of a command of manage.py."""
        return self.run("manage.py", *words, "--json")

    def run(self, *words: str) -> dict[str, Any]:
        """What a program of the project says on stdout, in the installation's environment."""
        done = subprocess.run(
            [sys.executable, *words], cwd=ROOT, env=self.environment(), capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise ChaosError(f"{' '.join(words)}: {done.stderr.strip() or done.stdout.strip()}")
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def connect(self) -> "psycopg.Connection[tuple[Any, ...]]":
        facts = embedded.database(self.data)
        return psycopg.connect(
            host=facts["HOST"],
            port=facts["PORT"],
            user=facts["USER"],
            dbname=facts["NAME"],
            autocommit=True,
            connect_timeout=5,
        )

    def ask(self, question: str, *arguments: object) -> tuple[Any, ...]:
        """The first row of the answer. Raises psycopg.Error."""
        with self.connect() as connection:
            row = connection.execute(question, arguments).fetchone()
            if row is None:
                raise ChaosError(f"No row: {question}")
            return row

    def redis(self) -> "redis.Redis":
        return redis.Redis.from_url(embedded.redis_url(self.data), socket_timeout=5)

    def get(self, path: str, headers: Mapping[str, str] | None = None, at: str = "") -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(at or self.address, self.port, timeout=60)
        try:
            connection.request("GET", path, headers=dict(headers or {}))
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def is_healthy(self) -> bool:
        self.look_after()
        with contextlib.suppress(OSError, http.client.HTTPException):
            return self.get("/health")[0] == 200
        return False

    def is_postgresql_there(self) -> bool:
        with contextlib.suppress(psycopg.Error):
            return self.ask("SELECT true") == (True,)
        return False

    def waiting(self) -> int | None:
        """How many entries wait in the outage stream; None when nobody can say."""
        try:
            with self.redis() as client:
                return int(client.xlen(STREAM))
        except redis.RedisError:
            return None

    def counted(self) -> dict[str, int]:
        """Requests that were not stored, by reason."""
        with self.connect() as connection:
            rows = connection.execute("SELECT reason, sum(count)::bigint FROM analytics_drop GROUP BY 1").fetchall()
        return dict(rows)

    def stored(self) -> Iterator[str]:
        """The path of every stored event, as often as it is stored."""
        question = f"COPY (SELECT path FROM analytics_event WHERE website_id = {self.website_id}) TO STDOUT"
        with self.connect() as connection, connection.cursor() as cursor, cursor.copy(question) as copy:
            for (path,) in copy.rows():
                yield str(path)

    def pageviews(self, first: date, last: date) -> int:
        """What the summary report says over HTTP."""
        query = f"website_id={self.website}&start_date={first}&end_date={last}"
        status, body = self.get(f"/api/v1/reports/summary?{query}", {"X-API-KEY": self.key})
        if status != 200:
            raise ChaosError(f"The report answers {status}: {body[:300]!r}")
        return int(json.loads(body)["data"]["metrics"]["pageviews"]["value"])

    # -- killing it --

    def web_worker(self) -> int | None:
        """The process that serves; its parent starts another when it dies."""
        for child in children(self.processes["web"].pid):
            if b"resource_tracker" not in command_line(child):
                return child
        return None

    def backend(self, choice: random.Random) -> int | None:
        """A process of PostgreSQL that serves a client."""
        with contextlib.suppress(psycopg.Error), self.connect() as connection:
            rows = connection.execute(
                "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
                " ORDER BY pid"
            ).fetchall()
            return int(choice.choice(rows)[0]) if rows else None
        return None

    def postmaster(self) -> int | None:
        with contextlib.suppress(OSError, ValueError):
            pid = int((self.data / "postgres/data/postmaster.pid").read_text().split("\n")[0])
            return pid if b"postgres" in command_line(pid) else None
        return None

    def redis_server(self) -> int | None:
        with contextlib.suppress(redis.RedisError), self.redis() as client:
            return int(client.info("server")["process_id"])
        return None

    def kill(self, kind: str, choice: random.Random) -> bool:
        """Kills one of a kind with SIGKILL; False when there is none just now. KINDS names them."""
        if kind in self.processes:
            if self.processes[kind].poll() is not None:
                return False
            self.kill_group(kind)
            return True
        victims: dict[str, Callable[[], int | None]] = {
            "web worker": self.web_worker,
            "redis": self.redis_server,
            "backend": lambda: self.backend(choice),
            "postmaster": self.postmaster,
        }
        victim = victims[kind]()
        if victim is None:
            return False
        try:
            os.kill(victim, signal.SIGKILL)
        except ProcessLookupError:
            return False
        return True


KINDS = ("web worker", "web", "worker", "redis", "backend", "postmaster")
# All processes of PostgreSQL end with one of its backends, and start again.
POSTGRESQL = ("backend", "postmaster")


def procfile() -> dict[str, str]:
    """What production starts, by its name."""
    lines = (line.partition(": ") for line in (ROOT / "Procfile").read_text().splitlines())
    return {name: command.strip() for name, colon, command in lines if colon}


def children(process: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    except OSError:
        return []


def command_line(process: int) -> bytes:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return b""


def memory_mib(process: int) -> float:
    """The most memory that the process has ever held, 0 when it is gone."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{process}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return 0.0


def free_port() -> int:
    """One that the system gives to nobody by itself: not to a connection either, while the server is down."""
    while True:
        port = random.randrange(20_000, 30_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def wait(condition: Callable[[], object], seconds: float, otherwise: str) -> None:
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise ChaosError(f"{otherwise} within {seconds:g} s.")
        time.sleep(0.05)
