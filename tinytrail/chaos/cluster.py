"""An installation on several hosts: web hosts, and hosts with a worker and a beat, each in a network of its own.

PostgreSQL and Redis are at the crossing of all roads, and so is whoever sends the load, who speaks to every web host
and is believed about whose request it is, as a load balancer would be. Every second host's clock is some minutes off.
"""

import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Self

from celery import Celery

from tinytrail import embedded
from tinytrail.chaos.installation import APPLICATION, ROOT, Installation, procfile
from tinytrail.chaos.network import Network, address

WEB_PORT, POSTGRES_PORT, REDIS_PORT = 8000, 5432, 6379
# The contract's ten calls, in a window that no slow machine gets out of.
LIMIT = 10
LIMIT_SECONDS = 3600
CLOCK_MINUTES = 5
ASK_SECONDS = 1.0
# What a web process says then (tinytrail.web.ratelimit).
ALONE = b"limits are counted per process"
MOVED_APPLICATION = "tinytrail.chaos.moved_clock.web:application"
MOVED_WORKER = "tinytrail.chaos.moved_clock.worker"


@dataclass(frozen=True)
class Host:
    """A machine by its number on the roads, with what runs on it, by the names of the Procfile."""

    name: str
    number: int
    runs: tuple[str, ...]
    clock_minutes: int = 0

    @property
    def processes(self) -> dict[str, str]:
        """Names of its processes in the installation, with those of the Procfile."""
        return {f"{self.name}: {program}": program for program in self.runs}


class Cluster(Installation):
    """Used as a context, inside of which the calling thread is at the crossing."""

    def __init__(self, data: Path, pairs: int) -> None:
        """So many web hosts, and as many hosts with a worker and a beat."""
        super().__init__(data)
        off = minutes_off(datetime.now(UTC))
        self.webs = [Host(f"web host {n}", n, ("web",), off if n % 2 == 0 else 0) for n in range(1, pairs + 1)]
        self.workers = [
            Host(f"worker host {n}", pairs + n, ("worker", "beat"), off if n % 2 == 0 else 0)
            for n in range(1, pairs + 1)
        ]
        self.hosts = [*self.webs, *self.workers]
        self.network = Network(2 * pairs)
        self.address, self.port = address("front", self.webs[0].number), WEB_PORT
        self.commands = {
            name: command_on(host, program) for host in self.hosts for name, program in host.processes.items()
        }
        self.host_of = {name: host for host in self.hosts for name in host.processes}
        # Those whose processes stay as they are: nobody starts them again.
        self.left_alone: set[str] = set()
        self._asked_at = float("-inf")
        self._relay: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            stack.enter_context(self.network)
            stack.callback(self.end_relay)
            super().__enter__()
            stack.callback(self._stack.close)
            self._cluster_stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._cluster_stack.close()

    # -- its life --

    def environment(self, name: str = "") -> dict[str, str]:
        environment = super().environment()
        host = self.host_of.get(name)
        if host is None:
            return environment
        secrets = {
            f"TINYTRAIL_{secret.upper()}": embedded.generated_secret(self.data, secret)
            for secret in ("secret_key", "pepper", "kek")
        }
        return {
            **environment,
            **secrets,
            "DATABASE_URL": f"postgresql://tinytrail@{address('postgres')}:{POSTGRES_PORT}/tinytrail",
            "REDIS_URL": f"redis://{address('redis')}:{REDIS_PORT}/0",
            "HOST": address("front", host.number),
            "PORT": str(WEB_PORT),
            "TMPDIR": str(self.disk(host)),
            "TINYTRAIL_DATA": str(self.disk(host)),
            "TINYTRAIL_ALLOWED_HOSTS": f"127.0.0.1,{address('front', host.number)}",
            "TINYTRAIL_TRUSTED_PROXIES": f"{address('front')}/32",
            "TINYTRAIL_LIMIT_COLLECT": f"{LIMIT}/{LIMIT_SECONDS}",
            "TINYTRAIL_CHAOS_CLOCK": str(host.clock_minutes),
        }

    def disk(self, host: Host) -> Path:
        """What the host has of its own."""
        return embedded.make_folder(self.data / host.name.replace(" ", "-"), 0o700)

    def look_after(self) -> None:
        if self._relay is None or self._relay.poll() is not None:
            self._start_relay()
        super().look_after()

    def has_to_run(self, name: str) -> bool:
        return self.host_of[name].name not in self.left_alone

    def settling_in(self, name: str) -> Callable[[], None]:
        ask = embedded.dying_with_parent(signal.SIGTERM)
        enter = self.network.entering(self.host_of[name].number)

        def settle_in() -> None:
            ask()
            enter()

        return settle_in

    def _start_relay(self) -> None:
        sockets = {
            (address("postgres"), POSTGRES_PORT): f"{embedded.database(self.data)['HOST']}/.s.PGSQL.{POSTGRES_PORT}",
            (address("redis"), REDIS_PORT): embedded.redis_url(self.data).removeprefix("unix://"),
        }
        words = [str(word) for (where, port), path in sockets.items() for word in (where, port, path)]
        self._relay = subprocess.Popen(
            [sys.executable, "-m", "tinytrail.chaos.relay", *words],
            cwd=ROOT,
            env=super().environment(),
            stdin=subprocess.DEVNULL,
            preexec_fn=embedded.dying_with_parent(signal.SIGKILL),
        )

    def end_relay(self) -> None:
        if self._relay is not None:
            self._relay.kill()
            self._relay.wait()

    # -- asking it --

    def is_healthy(self) -> bool:
        """Whether every web host that has to run says so."""
        return super().is_healthy() and all(
            self.is_host_healthy(host) for host in self.webs if host.name not in self.left_alone
        )

    def is_host_healthy(self, host: Host) -> bool:
        with contextlib.suppress(OSError):
            return self.get("/health", at=address("front", host.number))[0] == 200
        return False

    def times_alone(self, host: Host) -> int:
        """How often a web host has said that it counts limits for itself."""
        return (self.data / f"{host.name}: web.log").read_bytes().count(ALONE)

    def shown(self, host: Host) -> tuple[int, int]:
        """What a web host answers to questions for its health and for a report."""
        at = address("front", host.number)
        report = f"/api/v1/reports/pages?website_id={self.website}&period=today"
        return self.get("/health", at=at)[0], self.get(report, {"X-API-KEY": self.key}, at=at)[0]

    def ask_for_builds(self) -> None:
        """What becomes of it when beat has asked; not more often than somebody can be done with it."""
        if time.monotonic() - self._asked_at < ASK_SECONDS:
            return
        self._asked_at = time.monotonic()
        with Celery(broker=f"redis://{address('redis')}:{REDIS_PORT}/0", set_as_current=False) as broker:
            for website, day in self.dirty_days():
                broker.send_task("analytics.tasks.build_day", (website, str(day)), ignore_result=True)

    def dirty_days(self) -> list[tuple[int, date]]:
        """Websites and days with newer events than their builds."""
        with self.connect() as connection:
            return connection.execute("SELECT DISTINCT website_id, day FROM analytics_dirtyday").fetchall()

    # -- killing it --

    def kill_host(self, host: Host, *, stays_down: bool = False) -> None:
        """Every process of the host at once, with SIGKILL."""
        if stays_down:
            self.left_alone.add(host.name)
        for name in host.processes:
            self.kill_group(name)
            self.processes[name].wait()

    def bring_back(self, host: Host) -> None:
        self.left_alone.discard(host.name)
        self.look_after()


def command_on(host: Host, program: str) -> str:
    """How the Procfile starts it, with the host's clock."""
    command = procfile()[program]
    if not host.clock_minutes:
        return command
    return command.replace(APPLICATION, MOVED_APPLICATION).replace("-A tinytrail worker", f"-A {MOVED_WORKER} worker")


def minutes_off(now: datetime) -> int:
    """Ahead, unless that would be another day: this is about clocks, and midnight is a matter of its own."""
    later = now + timedelta(hours=1)
    return CLOCK_MINUTES if later.date() == now.date() else -CLOCK_MINUTES
