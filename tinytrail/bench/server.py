"""A web server of its own for a benchmark, as production runs it, with one worker."""

import http.client
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

START_SECONDS = 30


class Server:
    """Used as a context: the application under granian on a free loopback port, and one kept connection to it."""

    def __init__(self, application: str, interface: str, **environment: str) -> None:
        self._environment = os.environ | environment
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        # Each of Django's threads keeps a connection to the database.
        bounds = ("--blocking-threads", "4") if interface == "wsgi" else ("--backpressure", "2048")
        self._command = [
            *(sys.executable, "-m", "granian", "--interface", interface, "--workers", "1", "--no-ws", *bounds),
            *("--host", "127.0.0.1", "--port", str(self.port), "--log-level", "error", application),
        ]

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(self._command, env=self._environment)
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
                self.connection.connect()
                return self
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.connection.close()
        self._process.terminate()
        self._process.wait(30)

    @property
    def worker(self) -> int:
        """The process that answers: granian's only child."""
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        return max(map(int, children))

    def cpu_seconds(self) -> float:
        """What the worker has spent so far, in its own code and in the kernel."""
        fields = Path(f"/proc/{self.worker}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def get(self, address: str, key: str) -> float:
        """Seconds until the whole answer of a GET was read; anything but a 200 is an error."""
        began = time.perf_counter()
        self.connection.request("GET", address, headers={"X-API-KEY": key})
        answer = self.connection.getresponse()
        body = answer.read()
        seconds = time.perf_counter() - began
        if answer.status != 200:
            raise RuntimeError(f"{address}: {answer.status} {body[:200]!r}")
        return seconds
