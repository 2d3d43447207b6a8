"""What the processes of a web server have done since they started: plain counters, for its metrics.

Each process counts for itself and writes its figures down once a second, in a folder that they share; whichever of them
is asked adds up all. A process that was killed leaves its last figures there, so that no sum ever falls.
"""

import asyncio
import contextlib
import logging
import os
import shutil
import tempfile
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import msgspec

from analytics.ingest.reading import Outcome
from analytics.vocabulary import Dialect

log = logging.getLogger(__name__)

# Upper ends of the classes of a batch's size, and of the seconds from its first step to its last answer.
SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
WRITE_SECONDS = 1.0
PREFIX = "tinytrail-figures"


class Spread(msgspec.Struct):
    """How many were in each class, the last one without an end, and their sum."""

    counts: list[int]
    sum: float = 0.0

    def add(self, ends: Sequence[float], value: float) -> None:
        self.counts[bisect_left(ends, value)] += 1
        self.sum += value

    def include(self, other: "Spread") -> None:
        self.counts = [mine + theirs for mine, theirs in zip(self.counts, other.counts, strict=True)]
        self.sum += other.sum


def classes(ends: Sequence[float]) -> Spread:
    return Spread([0] * (len(ends) + 1))


class Figures(msgspec.Struct):
    # By dialect and outcome, as numbers and words.
    calls: dict[tuple[int, str], int] = {}
    # Calls that were over a limit, by the limit's name.
    limited: dict[str, int] = {}
    sizes: Spread = msgspec.field(default_factory=lambda: classes(SIZES))
    seconds: Spread = msgspec.field(default_factory=lambda: classes(SECONDS))
    commits: int = 0
    # Events that went into the outage stream.
    outages: int = 0
    # Just now: calls that wait for a batch, processes, and those of them that PostgreSQL answers.
    waiting: int = 0
    processes: int = 0
    connected: int = 0

    def note_batch(self, calls: Iterable[tuple[Dialect, Outcome]], size: int, seconds: float) -> None:
        for dialect, outcome in calls:
            self.note(dialect, outcome)
        self.sizes.add(SIZES, size)
        self.seconds.add(SECONDS, seconds)

    def note(self, dialect: Dialect, outcome: Outcome) -> None:
        # Neither the members, whose hashes Python computes, nor `.value`, which is a property: half the cost.
        key = (dialect._value_, outcome._value_)
        self.calls[key] = self.calls.get(key, 0) + 1

    def note_limits(self, names: Iterable[str]) -> None:
        for name in names:
            self.limited[name] = self.limited.get(name, 0) + 1

    def include(self, other: "Figures", *, is_alive: bool) -> None:
        self.calls = Counter(self.calls) + Counter(other.calls)
        self.limited = Counter(self.limited) + Counter(other.limited)
        self.sizes.include(other.sizes)
        self.seconds.include(other.seconds)
        self.commits += other.commits
        self.outages += other.outages
        if is_alive:
            self.waiting += other.waiting
            self.processes += other.processes
            self.connected += other.connected


DECODER = msgspec.msgpack.Decoder(Figures)


def folder(server: int | None = None) -> Path:
    """Where the processes of a web server write: those that one process has started, or this one's siblings."""
    number = server or os.getppid()
    return Path(tempfile.gettempdir(), f"{PREFIX}-{os.geteuid()}", f"{number}-{birth(number)}")


def birth(process: int) -> str:
    """What tells a process from others that have had its number, before this start of the machine among them."""
    try:
        began = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[19]
        return f"{Path('/proc/sys/kernel/random/boot_id').read_text()[:8]}-{began}"
    except OSError:
        return "unknown"


def write(figures: Figures, place: Path) -> None:
    """Replace this process's figures. Raises OSError."""
    draft = place / f"{os.getpid()}.draft"
    draft.write_bytes(msgspec.msgpack.encode(figures))
    draft.replace(place / f"{os.getpid()}.figures")


def read(place: Path) -> Figures:
    """The sum of what stands there; nothing at all where nobody writes."""
    total = Figures()
    for file in sorted(place.glob("*.figures")):
        with contextlib.suppress(OSError, msgspec.MsgspecError):
            total.include(DECODER.decode(file.read_bytes()), is_alive=is_alive(int(file.stem)))
    return total


def make(place: Path) -> None:
    """Make the folder, which is nobody else's, and clear away those of servers that are gone. Raises OSError."""
    place.parent.mkdir(mode=0o700, exist_ok=True)
    if place.parent.stat().st_uid != os.geteuid():
        raise PermissionError(f"{place.parent} is somebody else's")
    for other in place.parent.iterdir():
        number = other.name.partition("-")[0]
        if number.isdigit() and not (is_alive(int(number)) and other.name == folder(int(number)).name):
            shutil.rmtree(other, ignore_errors=True)
    place.mkdir(mode=0o700, exist_ok=True)


def is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


async def keep_writing(current: Callable[[], Figures]) -> None:
    """Write this process's figures down, for as long as it runs. What cannot be written costs the metrics alone."""
    place = folder()
    try:
        make(place)
    except OSError as error:
        log.warning("The metrics know nothing of this process: %s", error)
        return
    try:
        while True:
            with contextlib.suppress(OSError):
                write(current(), place)
            await asyncio.sleep(WRITE_SECONDS)
    finally:
        with contextlib.suppress(OSError):
            (place / f"{os.getpid()}.figures").unlink()
            place.rmdir()
