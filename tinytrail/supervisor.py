"""`make run`: one process that starts everything an installation consists of, and keeps it running.

It prepares the database with `manage.py prepare`, starts the web server, a Celery worker and beat, and starts again
whatever dies; the keepers of the embedded engines (tinytrail.embedded) do the same for PostgreSQL and Redis. It ends
only when it is told to, and then nothing of it is left. In production a process manager stands in its place: see
Procfile. Neither Django nor Celery are loaded here, so that it stays small.
"""

import contextlib
import fcntl
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

from tinytrail import embedded, settings

# How often the processes are looked after. One that dies is running again well within two seconds.
LOOK_SECONDS = 0.2
# A process that lived this long was not in a crash loop.
SOUND_SECONDS = 10
LONGEST_PAUSE_SECONDS = 30
# For an orderly end of the web server, the worker and beat. With that of the engines it stays under 15 seconds.
STOP_SECONDS = 7
# In the environment of every process started here, so that a later start finds what a killed supervisor has left.
MARK = "TINYTRAIL_SUPERVISED"


class Told(BaseException):
    """Somebody has told us to end."""


class Refused(Exception):
    """The start is not possible; the text is one sentence for the person at the terminal."""


def main() -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, told)
    make = make_process()
    if make is not None:
        # Also when it is killed.
        embedded.dying_with_parent(signal.SIGTERM)()
    try:
        run(was_interrupted(make))
    except (embedded.EngineError, Refused) as error:
        sys.exit(str(error))
    except Told:
        say("Stopped.")


def told(*_: object) -> NoReturn:
    # Once is enough: a second Ctrl-C must not leave a half-stopped installation behind.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    raise Told


def run(is_told: Callable[[], bool]) -> None:
    embedded.make_folder(settings.DATA, 0o711)
    with the_only_one(), contextlib.ExitStack() as stack:
        end_leftovers()
        host = free_address()
        say("Starting ...")
        engines = stack.enter_context(held_engines())
        facts = prepare()
        processes = [Process(name, command) for name, command in commands(host).items()]
        stack.callback(end_leftovers)
        stack.callback(stop, processes)
        greeting = [
            f"TinyTrail runs at {base_url()}",
            f"Sign in: {facts['signIn']}",
            *([f"Tracking snippet of {facts['domain']}: {facts['snippet']}"] if facts["snippet"] else []),
            "Ready. Ctrl-C stops everything.",
        ]
        while True:
            engines.look_after()
            for process in processes:
                process.look_after()
            if greeting and is_healthy(host):
                say("\n".join(greeting))
                greeting = []
            select.select(engines.connections(), [], [], LOOK_SECONDS)
            if is_told():
                raise Told


def say(text: str) -> None:
    # Whoever reads our pipe sees it at once, and may have gone.
    with contextlib.suppress(BrokenPipeError):
        print(text, flush=True)


# -- before the start -------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def the_only_one() -> Iterator[None]:
    """Two supervisors of one data folder would start everything twice."""
    try:
        lock = (settings.DATA / "run.lock").open("a")
    except PermissionError:
        raise Refused(embedded.of_another_user(settings.DATA)) from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refused(
                f"TinyTrail is already running on {settings.DATA}: stop it first, or set TINYTRAIL_DATA and PORT."
            ) from None
        yield


def free_address() -> str:
    """The address to listen on, as a number. Raises Refused where nobody can listen there now."""
    try:
        family, _, _, _, address = socket.getaddrinfo(settings.HOST, settings.PORT, type=socket.SOCK_STREAM)[0]
    except OSError:
        raise Refused(
            f"HOST must be an address of this machine, for example HOST=127.0.0.1: not {settings.HOST!r}."
        ) from None
    with socket.socket(family) as probe:
        # The web server's processes share the port among each other, so it would not notice a stranger on it.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except PermissionError:
            raise Refused(
                f"PORT must be one that this user may open, for example PORT=8000: not {settings.PORT}."
            ) from None
        except OSError as error:
            raise Refused(
                f"{settings.HOST}:{settings.PORT} is not free ({error.strerror}): stop what listens there, "
                "or choose another PORT, for example PORT=8001."
            ) from None
    return str(address[0])


def end_leftovers() -> None:
    """Ends processes of this data folder that no supervisor looks after, and waits until they are gone.

    Nobody else starts any while the lock is ours. There are some after a supervisor was killed.
    """
    while processes := leftovers():
        for process in processes:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        # One that ends gives its memory back before its port.
        while not all(map(has_ended, processes)):
            time.sleep(0.02)


def has_ended(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return True
    return state in "ZX"


def leftovers() -> list[int]:
    mark = f"{MARK}={settings.DATA}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mark in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
    return found


def prepare() -> dict[str, Any]:
    """Migrations, static files and, once, the owner; returns what a person needs to know to begin."""
    command = [sys.executable, "manage.py", "prepare", "--base-url", base_url(), "--json"]
    with start(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            out, err = process.communicate()
        finally:
            process.kill()
    if process.returncode:
        raise Refused(err.strip() or "The database could not be prepared.")
    facts: dict[str, Any] = json.loads(out)
    return facts


def base_url() -> str:
    """The address as a browser on this machine, or behind the proxy, spells it."""
    name = settings.ALLOWED_HOSTS[0].lstrip(".") if settings.ALLOWED_HOSTS else "localhost"
    if settings.BEHIND_TLS:
        return f"https://{name}"
    host = name if settings.HOST in ("0.0.0.0", "::") else settings.HOST
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.PORT}"


# -- what runs --------------------------------------------------------------------------------------------------------


def commands(host: str) -> dict[str, list[str]]:
    """What is started, by the name a person reads. Procfile has the same for production."""
    # It warns every root, who has been told by us what runs as somebody else.
    celery = [sys.executable, "-W", "ignore:You're running the worker", "-m", "celery", "--quiet"]
    return {
        "web server": [
            *(sys.executable, "-m", "granian", "--interface", "asgi", "--no-ws", "--log-level", "error"),
            *("--host", host, "--port", str(settings.PORT), "--workers", str(settings.WEB_WORKERS)),
            *("--backpressure", "2048", "--respawn-failed-workers", "--workers-kill-timeout", str(STOP_SECONDS - 1)),
            "tinytrail.asgi:application",
        ],
        # Threads, because tasks wait for PostgreSQL: one process, and it answers a ping while it works.
        "worker": [
            *(*celery, "-A", "tinytrail", "worker", "--pool", "threads", "--concurrency", "2"),
            *("--loglevel", "WARNING", "--without-gossip", "--without-mingle"),
        ],
        "beat": [
            *(*celery, "-A", "tinytrail.beat", "beat", "--loglevel", "WARNING", "--pidfile", ""),
            *("--schedule", str(settings.DATA / "beat-schedule")),
        ],
    }


class Process:
    """One of the processes, started again whenever it has died."""

    def __init__(self, name: str, command: list[str]) -> None:
        self.name = name
        self.command = command
        self.process: subprocess.Popen[str] | None = None
        self.started_at = 0.0
        self.start_at = 0.0
        self.deaths = 0

    def look_after(self) -> None:
        now = time.monotonic()
        if self.process is not None and self.process.poll() is not None:
            self.mourn(now)
        if self.process is None and now >= self.start_at:
            self.started_at = now
            try:
                self.process = start(self.command)
            except OSError as error:
                self.pause(now, f"cannot be started ({error.strerror})")

    def mourn(self, now: float) -> None:
        assert self.process is not None
        # What it has started itself goes with it, or it would hold the port.
        kill(self.process)
        code = self.process.returncode
        self.process = None
        self.pause(now, f"was ended by {signal.Signals(-code).name}" if code < 0 else f"has ended with status {code}")

    def pause(self, now: float, what: str) -> None:
        """At once again, unless it keeps dying; never giving up."""
        if now - self.started_at > SOUND_SECONDS:
            self.deaths = 0
        seconds = min(0.25 * 2**self.deaths, LONGEST_PAUSE_SECONDS)
        self.deaths += 1
        self.start_at = now + seconds
        say(f"The {self.name} {what}; it is started again in {seconds:g} s.")


def start(command: list[str], **options: Any) -> "subprocess.Popen[str]":  # noqa: ANN401 (Popen's own)
    """Starts a process that ends with this one, also when this one is killed.

    It has a session of its own: a Ctrl-C in the terminal reaches the supervisor alone, which ends all in good order.
    """
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        cwd=settings.BASE_DIR,
        # A buffered line is one that nobody sees after a crash.
        env={**os.environ, MARK: str(settings.DATA), "PYTHONUNBUFFERED": "1"},
        start_new_session=True,
        preexec_fn=embedded.dying_with_parent(signal.SIGTERM),
        **options,
    )


def kill(process: "subprocess.Popen[str]") -> None:
    """Ends the process and all it has started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def stop(processes: list[Process]) -> None:
    running = [process.process for process in processes if process.process is not None]
    for process in running:
        process.terminate()
    until = time.monotonic() + STOP_SECONDS
    for process in running:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(max(0.0, until - time.monotonic()))
        kill(process)
        process.wait()


class Engines:
    """The embedded engines in use. Their keepers start them again; a keeper that was killed is replaced here."""

    def __init__(self) -> None:
        self.held: dict[str, socket.socket] = {}
        self.try_at = 0.0

    def hold(self) -> None:
        for name in settings.EMBEDDED_ENGINES:
            if name not in self.held:
                self.held[name] = embedded.hold(settings.DATA, name)

    def connections(self) -> list[socket.socket]:
        return list(self.held.values())

    def look_after(self) -> None:
        gone, _, _ = select.select(self.connections(), [], [], 0)
        for name, connection in list(self.held.items()):
            if connection in gone:
                connection.close()
                del self.held[name]
        if len(self.held) < len(settings.EMBEDDED_ENGINES) and time.monotonic() >= self.try_at:
            try:
                self.hold()
            except (embedded.EngineError, OSError) as error:
                say(str(error))
                self.try_at = time.monotonic() + 2


@contextlib.contextmanager
def held_engines() -> Iterator[Engines]:
    engines = Engines()
    try:
        engines.hold()
        yield engines
    finally:
        embedded.leave(engines.connections())


def is_healthy(host: str) -> bool:
    """Whether the web server answers, and the database behind it."""
    local = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    name = settings.ALLOWED_HOSTS[0].lstrip(".") if settings.ALLOWED_HOSTS else "localhost"
    try:
        with socket.create_connection((local, settings.PORT), timeout=2) as connection:
            connection.sendall(f"GET /health HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode())
            return connection.makefile("rb").readline().split()[1:2] == [b"200"]
    except OSError:
        return False


# -- make -------------------------------------------------------------------------------------------------------------


def make_process() -> Path | None:
    """The folder in /proc of the `make` that has started us, if it was one."""
    parent = Path("/proc", str(os.getppid()))
    with contextlib.suppress(OSError):
        if (parent / "comm").read_text().strip() in ("make", "gmake"):
            return parent
    return None


def catches_sigint(process: Path) -> bool:
    with contextlib.suppress(OSError):
        for line in (process / "status").read_text().splitlines():
            if line.startswith("SigCgt:"):
                return bool(int(line.split()[1], 16) & 1 << (signal.SIGINT - 1))
    return False


def was_interrupted(make: Path | None) -> Callable[[], bool]:
    """A question that is answered by True once this `make` has got a SIGINT of its own.

    A terminal sends Ctrl-C to everybody, and make passes a SIGTERM on. A SIGINT to make alone it keeps to itself: it
    restores the signal's default and waits for us to end. That we can see.
    """
    if make is None or not catches_sigint(make):
        return lambda: False
    return lambda: not catches_sigint(make)
