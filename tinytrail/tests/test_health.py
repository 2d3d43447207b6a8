"""GET /health (contract 2.2; guarantees F10, A86)."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tinytrail.health import Probe

pytestmark = pytest.mark.django_db

ASK = """
import json, time, django
django.setup()
from django.test import Client
begun = time.monotonic()
answer = Client().get("/health", headers={"host": "localhost"})
print(json.dumps([answer.status_code, answer.json(), answer["Cache-Control"], time.monotonic() - begun]))
"""


def test_it_works(client):
    answer = client.get("/health")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    assert answer.json() == {"status": "ok", "db": "connected", "version": "0.1.0"}


def test_it_is_asked_for_in_both_spellings(client):
    assert client.get("/health/").json() == client.get("/health").json()


def test_nobody_keeps_it(client):
    assert client.get("/health")["Cache-Control"] == "no-store"


def test_head_has_no_body(client):
    answer = client.head("/health")
    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize("method", ["post", "put", "delete", "patch"])
def test_other_methods_are_refused(method):
    # As for who has no form of ours to send a token from.
    answer = getattr(Client(enforce_csrf_checks=True), method)("/health")
    assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD")


def test_it_needs_no_key_and_sets_no_cookie(client):
    answer = client.get("/health", headers={"X-API-KEY": "tt_wrong"})
    assert (answer.status_code, answer.cookies) == (200, {})


def test_it_has_no_limit(client):
    assert {client.get("/health").status_code for _ in range(200)} == {200}


def test_requests_ask_the_database_nothing_themselves(client):
    with CaptureQueriesContext(connection) as captured:
        client.get("/health")
    assert len(captured) == 0


def test_one_question_a_second_serves_all():
    asked = Probe()
    assert asked.answers(now=100.0)
    first = asked._answer
    assert asked.answers(now=100.9)
    assert asked._answer is first
    assert asked.answers(now=101.0)
    assert asked._answer is not first


def test_many_at_once_wait_for_one_question():
    asked, answers = Probe(), []
    threads = [threading.Thread(target=lambda: answers.append(asked.answers(now=100.0))) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [True] * 20


def ask(address):
    """What a process says whose database should be at this address, and in how many seconds."""
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "tinytrail.settings",
        "DATABASE_URL": f"postgresql://nobody@{address}/nothing",
        "TINYTRAIL_SECRET_KEY": "s" * 32,
        "TINYTRAIL_PEPPER": "p" * 32,
        "TINYTRAIL_KEK": "k" * 32,
    }
    command = [sys.executable, "-c", ASK]
    ended = subprocess.run(
        command, env=environment, cwd=Path(settings.BASE_DIR), capture_output=True, text=True, timeout=60, check=True
    )
    return json.loads(ended.stdout.splitlines()[-1]), ended.stderr


DEGRADED = [503, {"status": "degraded", "db": "disconnected"}, "no-store"]


def test_without_a_database_it_says_so():
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        found, log = ask(f"127.0.0.1:{closed.getsockname()[1]}")
    assert found[:3] == DEGRADED
    assert "The database does not answer: OperationalError" in log


def test_a_database_that_hangs_holds_nobody():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        found, _ = ask(f"127.0.0.1:{silent.getsockname()[1]}")
    assert found[:3] == DEGRADED
    # Two seconds on a machine that has time for it; without an end of its own it would be minutes.
    assert found[3] < 20


def test_it_finds_the_database_again():
    asked = Probe()
    database = connection.settings_dict["HOST"], connection.settings_dict["PORT"]
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        connection.settings_dict |= {"HOST": "127.0.0.1", "PORT": str(closed.getsockname()[1])}
        try:
            begun = time.monotonic()
            assert not asked.answers(now=begun)
        finally:
            connection.settings_dict |= {"HOST": database[0], "PORT": database[1]}
    assert asked.answers(now=begun + 1)
