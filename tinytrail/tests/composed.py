"""compose.yaml and Dockerfile made real without a container engine.

PostgreSQL and Redis run as compose.yaml configures them, on ports of their own; what the image would hold is copied as
.dockerignore and COPY say; and each service runs its own command with its own environment, as a user without rights in
a read-only file system (readonly.py). Only names of hosts, and ports, are replaced.
"""

import contextlib
import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self

import psycopg
import pytest
import yaml

from tinytrail import embedded
from tinytrail.chaos.installation import free_port
from tinytrail.tests.engines import ROOT, eventually, running

VARIABLE = re.compile(r"\$\{(\w+)(?::([-+?])([^}]*))?\}")
NEW_VALUES = re.compile(r"for name in ([\w\s\\#]+); do")
STOP_SECONDS = 30.0
PATIENCE_SECONDS = 90.0


def compose() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
    return document


def instructions() -> list[tuple[str, str]]:
    """Those of the Dockerfile, each with what follows it on its lines."""
    text = re.sub(r"\\\n\s*", " ", (ROOT / "Dockerfile").read_text())
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in lines)]


def command_of(service: str) -> list[str]:
    """What a container of the service starts."""
    command = compose()["services"][service].get("command")
    return list(command) if command else list(json.loads(dict(instructions())["CMD"]))


def new_names() -> list[str]:
    """The secrets that the first comment of compose.yaml makes."""
    found = NEW_VALUES.search((ROOT / "compose.yaml").read_text())
    assert found is not None
    return re.findall(r"\w+", found[1])


def interpolated(text: str, values: Mapping[str, str]) -> str:
    """As Compose does it."""

    def replaced(found: "re.Match[str]") -> str:
        name, operator, word = found[1], found[2], found[3]
        value = values.get(name, "")
        if operator == "+":
            return word if value else ""
        if operator == "?" and not value:
            raise LookupError(name)
        return value or word or ""

    return VARIABLE.sub(replaced, text)


class Composed:
    """Used as a context: PostgreSQL and Redis run, and `prepare` has ended well."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.image = data / "app"
        self.values = {name: secrets.token_hex(32) for name in new_names()} | {"TINYTRAIL_WEB_WORKERS": "2"}
        self.postgres, self.redis, self.web = free_port(), free_port(), free_port()
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            stack.enter_context(self.postgresql())
            stack.enter_context(self.redis_server())
            stack.callback(self.stop)
            self.build()
            done = self.run("prepare", *self.command("prepare"), "--json")
            assert done.returncode == 0, done.stderr
            self.prepared: dict[str, Any] = json.loads(done.stdout)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    # -- the servers --

    @contextlib.contextmanager
    def postgresql(self) -> Iterator[None]:
        """With passwords, and with an owner that may make roles and is no superuser, as that of the image would be."""
        engine = embedded.Postgres(self.data)
        engine.options = {**engine.options, "listen_addresses": "127.0.0.1", "port": str(self.postgres)}
        engine.prepare()
        hba = engine.cluster / "pg_hba.conf"
        hba.write_text(re.sub(r"^(host\s.*\s)trust$", r"\1scram-sha-256", hba.read_text(), flags=re.M))
        with running(engine):
            facts = {"host": str(engine.folder), "port": self.postgres, "user": "postgres", "dbname": "tinytrail"}
            with psycopg.connect(**facts) as connection:  # type: ignore[arg-type]
                password = self.values["POSTGRES_PASSWORD"]
                connection.execute(f"ALTER ROLE tinytrail CREATEROLE PASSWORD '{password}'")
            yield

    @contextlib.contextmanager
    def redis_server(self) -> Iterator[None]:
        _, *options = self.command("redis")
        here = ["--port", str(self.redis), "--bind", "127.0.0.1", "--dir", str(self.data), "--logfile", "redis.log"]
        process = subprocess.Popen([embedded.redis_program(), *options, *here], stdout=subprocess.DEVNULL)
        try:
            assert eventually(self.is_redis_healthy, PATIENCE_SECONDS)
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(STOP_SECONDS)

    def is_redis_healthy(self) -> bool:
        program, *words = self.healthcheck("redis")
        cli = Path(embedded.redis_program()).with_name(program)
        environment = {**os.environ, **self.environment("redis")}
        asked = [str(cli), "-p", str(self.redis), *words]
        return subprocess.run(asked, env=environment, capture_output=True, text=True).stdout == "PONG\n"

    # -- the image --

    def build(self) -> None:
        """COPY . . of what .dockerignore admits, then the command that collects static files."""
        self.image.mkdir()
        for line in (ROOT / ".dockerignore").read_text().splitlines():
            if line.startswith("!"):
                source, target = ROOT / line[1:], self.image / line[1:]
                if source.is_dir():
                    shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "tests"))
                else:
                    shutil.copy2(source, target)
        (collect,) = (rest for word, rest in instructions() if word == "RUN" and "collectstatic" in rest)
        words = collect.partition("&&")[0].replace("/tmp/build", str(self.data / "build"))
        shell = words.replace("/venv/bin/python", sys.executable)
        subprocess.run(["sh", "-c", shell], cwd=self.image, env=bare_environment(), check=True)

    # -- its containers --

    def environment(self, service: str) -> dict[str, str]:
        values = compose()["services"][service]["environment"]
        return {name: self.here(interpolated(str(value), self.values)) for name, value in values.items()}

    def command(self, service: str) -> list[str]:
        words = [interpolated(word, self.values) for word in command_of(service)]
        return [self.here(word) for word in words] if service != "redis" else words

    def healthcheck(self, service: str) -> list[str]:
        kind, *words = compose()["services"][service]["healthcheck"]["test"]
        assert kind == "CMD"
        return [self.here(word) for word in words]

    def here(self, text: str) -> str:
        text = text.replace("@postgres:5432", f"@127.0.0.1:{self.postgres}")
        text = text.replace("@redis:6379", f"@127.0.0.1:{self.redis}")
        return text.replace("0.0.0.0", "127.0.0.1").replace("8000", str(self.web))

    def words(self, *command: str) -> list[str]:
        """The command within a read-only file system."""
        folders = [str(self.image), sys.prefix, sys.base_prefix]
        launcher = [sys.executable, str(ROOT / "tinytrail/tests/readonly.py")]
        return ["unshare", "--mount", *launcher, *folders, "--", *command]

    def start(self, service: str) -> None:
        with (self.data / f"{service}.log").open("ab") as log:
            self.processes[service] = subprocess.Popen(
                self.words(*self.command(service)),
                env={**bare_environment(), **self.environment(service)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=embedded.dying_with_parent(signal.SIGKILL),
            )

    def run(self, service: str, *command: str) -> "subprocess.CompletedProcess[str]":
        """As `docker compose exec SERVICE COMMAND`."""
        return subprocess.run(
            self.words(*command),
            env={**bare_environment(), **self.environment(service)},
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
        )

    def log(self, service: str) -> str:
        return (self.data / f"{service}.log").read_text()

    def stop(self) -> None:
        """At once: nothing of them is wanted any more."""
        for process in self.processes.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def connect(self, service: str) -> "psycopg.Connection[tuple[Any, ...]]":
        """To PostgreSQL, as the service does."""
        return psycopg.connect(self.environment(service)["DATABASE_URL"], autocommit=True)


def bare_environment() -> dict[str, str]:
    """What the Dockerfile sets, and nothing of this process but where programs are."""
    stated = dict(pair.partition("=")[::2] for word, rest in instructions() if word == "ENV" for pair in rest.split())
    path = f"{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}"
    return {**stated, "PATH": path}


def need_namespaces() -> None:
    """Containers are made of namespaces, which take root here."""
    if os.geteuid() or subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode:
        pytest.skip("Only root can make a file system read-only, and here it cannot either.")
