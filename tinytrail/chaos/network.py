"""Several hosts on one machine: network namespaces, joined by pairs of links and bridges.

Nobody outside sees or reaches any of it: the only addresses are inside, and no link leads out. A namespace lives as
long as a descriptor of it or a process in it, and its links with it, so that nothing can be left behind, however this
process ends.
"""

import contextlib
import ctypes
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence

from tinytrail.chaos.installation import ChaosError

CLONE_NEWNET = 0x4000_0000
# Where `ip` is on systems that keep it from everybody's PATH.
PROGRAMS = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
# What goes from a host to the others, each on a bridge of its own, so that each can be cut by itself.
ROADS = ("front", "postgres", "redis")
# The address that the crossing has on each of its bridges.
CROSSING = 254

libc = ctypes.CDLL(None, use_errno=True)


def refusal() -> str:
    """Why there can be no such network here, as a sentence; empty when there can be one."""
    if shutil.which("ip", path=PROGRAMS) is None:
        return "Several hosts on one machine need the program ip: install iproute2."
    unshare = subprocess.run(["unshare", "--net", "true"], capture_output=True, text=True, check=False)
    if unshare.returncode:
        return f"Several hosts on one machine need network namespaces, which root may make ({unshare.stderr.strip()})."
    try:
        with Network(1):
            return ""
    except ChaosError as error:
        return f"Several hosts on one machine need links between network namespaces ({error})"


def address(road: str, number: int = CROSSING) -> str:
    """Where the host of this number is to be found on a road; without a number the crossing itself."""
    return f"10.77.{ROADS.index(road)}.{number}"


class Network:
    """Used as a context: a crossing with a bridge for every road, and as many hosts, numbered from 1.

    Inside the block the calling thread is at the crossing, and so is every process that it starts.
    """

    def __init__(self, hosts: int) -> None:
        self.hosts = range(1, hosts + 1)
        self.crossing = -1
        # By the number of the host.
        self.namespaces: dict[int, int] = {}

    def __enter__(self) -> "Network":
        with contextlib.ExitStack() as stack:
            self.crossing = stack.enter_context(namespace())
            self.namespaces = {number: stack.enter_context(namespace()) for number in self.hosts}
            stack.enter_context(inside(self.crossing))
            self._build()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def cut(self, number: int, roads: Sequence[str] = ROADS) -> None:
        """Pull the host's cables: what is on its way is gone, and nobody is told."""
        ip(*(f"link set {port(number, road)} down" for road in roads))

    def mend(self, number: int, roads: Sequence[str] = ROADS) -> None:
        ip(*(f"link set {port(number, road)} up" for road in roads))

    def entering(self, number: int) -> Callable[[], None]:
        """For `preexec_fn`: the child is on the host of this number."""
        return lambda: enter(self.namespaces[number])

    def _build(self) -> None:
        bridges = [
            line
            for road in ROADS
            for line in (
                f"link add {road} type bridge",
                f"address add {address(road)}/24 dev {road}",
                f"link set {road} up",
            )
        ]
        ip("link set lo up", *bridges)
        for number in self.hosts:
            with inside(self.namespaces[number]):
                ip("link set lo up", *(line for road in ROADS for line in self._lay(number, road)))
            for road in ROADS:
                ip(f"link set {port(number, road)} master {road}", f"link set {port(number, road)} up")

    def _lay(self, number: int, road: str) -> Sequence[str]:
        far_end = f"{port(number, road)} netns /proc/{os.getpid()}/fd/{self.crossing}"
        return (
            f"link add {road} type veth peer name {far_end}",
            f"address add {address(road, number)}/24 dev {road}",
            f"link set {road} up",
        )


def port(number: int, road: str) -> str:
    """The crossing's end of a host's cable."""
    return f"{road}{number}"


@contextlib.contextmanager
def namespace() -> Iterator[int]:
    """A descriptor of a new one. Raises ChaosError."""
    made: list[int] = []
    thread = threading.Thread(target=lambda: made.append(new_namespace()))
    thread.start()
    thread.join()
    if not made or made[0] < 0:
        raise ChaosError("A network namespace could not be made: only root may do so.")
    try:
        yield made[0]
    finally:
        os.close(made[0])


def new_namespace() -> int:
    """Moves the calling thread there, which has to end with it. Negative when that is refused."""
    return own_namespace() if libc.unshare(CLONE_NEWNET) == 0 else -1


def own_namespace() -> int:
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


@contextlib.contextmanager
def inside(descriptor: int) -> Iterator[None]:
    """The calling thread, and what it starts, is in the namespace. Sockets stay where they were made."""
    own = own_namespace()
    try:
        enter(descriptor)
        yield
    finally:
        enter(own)
        os.close(own)


def enter(descriptor: int) -> None:
    if libc.setns(descriptor, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


def ip(*lines: str) -> None:
    """Runs these commands of `ip` in the calling thread's namespace. Raises ChaosError."""
    program = shutil.which("ip", path=PROGRAMS)
    if program is None:
        raise ChaosError("There is no program ip: install iproute2.")
    done = subprocess.run([program, "-batch", "-"], input="\n".join(lines), capture_output=True, text=True, check=False)
    if done.returncode:
        raise ChaosError(f"ip: {done.stderr.strip()}")
