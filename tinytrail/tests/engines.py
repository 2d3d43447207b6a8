"""Builders for tests that start servers and processes for real, in folders of their own."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg

from tinytrail import embedded

ROOT = Path(__file__).resolve().parent.parent.parent


def eventually(condition: Callable[[], object], seconds: float) -> bool:
    """Whether the condition came true in time."""
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def clean_environment(**variables: object) -> dict[str, str]:
    """As on a machine where nobody has set anything of TinyTrail's."""
    ours = ("TINYTRAIL_", "COVERAGE_")
    names = ("DATABASE_URL", "REDIS_URL", "HOST", "PORT", "EMAIL_URL", "DJANGO_SETTINGS_MODULE")
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in names and (not name.startswith(ours) or name == "COVERAGE_PROCESS_CONFIG")
    }
    return {**kept, **{name: str(value) for name, value in variables.items()}}


def three_secrets() -> dict[str, str]:
    """What has to be set beside a DATABASE_URL."""
    return {f"TINYTRAIL_{name}": os.urandom(32).hex() for name in ("SECRET_KEY", "PEPPER", "KEK")}


def connect(data: Path, **options: object) -> "psycopg.Connection[tuple[object, ...]]":
    facts = embedded.database(data)
    return psycopg.connect(host=facts["HOST"], port=facts["PORT"], user=facts["USER"], dbname=facts["NAME"], **options)


def ask(data: Path, question: str) -> object:
    with connect(data) as connection:
        return connection.execute(question).fetchone()[0]


def processes(data: Path) -> dict[int, str]:
    """Every process of an installation that is not a zombie, with its command line: engines, keepers, everything."""
    return {process: line for process, line in every_process() if belongs(process, line, data)}


def every_process() -> Iterator[tuple[int, str]]:
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        except OSError:
            continue
        if line:
            yield int(folder.name), line


def belongs(process: int, line: str, data: Path) -> bool:
    try:
        if os.readlink(f"/proc/{process}/cwd").startswith(f"{data}/"):
            return True
        environment = Path(f"/proc/{process}/environ").read_bytes().split(b"\0")
    except OSError:
        return False
    if f"embedded.py postgres {data} " in line or f"embedded.py redis {data} " in line:
        return True
    return f"TINYTRAIL_DATA={data}".encode() in environment


@contextlib.contextmanager
def running(engine: embedded.Engine) -> Iterator[None]:
    """An engine without its keeper, so that it can be one that nobody should run."""
    engine.prepare()
    with open(os.devnull, "w") as log:
        process = engine.start(log.fileno(), log.fileno())
    try:
        assert eventually(lambda: engine.is_ready(process.pid), 20)
        yield
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(10)


def kill(data: Path, words: str) -> int:
    """Kills the oldest process of the installation whose command line holds these words; returns its number."""
    process = min(found(data, words))
    os.kill(process, signal.SIGKILL)
    return process


def found(data: Path, words: str) -> list[int]:
    return sorted(process for process, line in processes(data).items() if words in line)


def python(data: Path, program: str) -> "subprocess.Popen[str]":
    """A process of its own that runs this program, and can be talked to."""
    return subprocess.Popen(
        [sys.executable, "-c", program, str(data)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=clean_environment(TINYTRAIL_DATA=data),
    )
