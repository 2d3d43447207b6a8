"""Real web servers for tests: granian as production runs it, on the test's own database and Redis."""

import http.client
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import connection

from tinytrail.chaos.installation import free_port

PROJECT = Path(settings.BASE_DIR)
START_SECONDS = 60
ASGI = ("asgi", "tinytrail.asgi:application")
WSGI = ("wsgi", "tinytrail.wsgi:application")


@contextmanager
def served(interface: str, application: str, **environment: str) -> Iterator[int]:
    """The port of a server that answers."""
    port = free_port()
    command = [
        *(sys.executable, "-m", "granian", "--interface", interface, "--workers", "1", "--no-ws"),
        *("--host", "127.0.0.1", "--port", str(port), "--log-level", "error", application),
    ]
    process = subprocess.Popen(command, cwd=PROJECT, env=os.environ | database() | environment)
    try:
        wait_for(port, process)
        yield port
    finally:
        process.terminate()
        process.wait(30)


def database() -> dict[str, str]:
    """The environment of a process that is to use the test's database."""
    parameters = connection.get_connection_params()
    host = parameters.get("host", "")
    port = parameters.get("port") or ""
    user, password = parameters.get("user", ""), parameters.get("password", "")
    address = f"?host={host}" if host.startswith("/") else ""
    network = "" if host.startswith("/") else f"{host}{f':{port}' if port else ''}"
    who = f"{user}{f':{password}' if password else ''}@" if user else ""
    return {
        "DATABASE_URL": f"postgresql://{who}{network}/{parameters['dbname']}{address}",
        "REDIS_URL": settings.REDIS_URL,
    }


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/health")
            if connection.getresponse().status == 200:
                connection.close()
                return
        except OSError:
            pass
        assert process.poll() is None, "The server has ended."
        assert time.monotonic() < deadline, "The server does not answer."
        time.sleep(0.05)
