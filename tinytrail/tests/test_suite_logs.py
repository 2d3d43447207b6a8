"""The log of the suite is listened to, and read at the end of the run (guarantee A88)."""

import logging
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import django
import pytest

import conftest
from tinytrail.tests import suite_logs
from tinytrail.tests.canaries import AGENT, EMAIL, IPV4, IPV6

WORKER = os.environ.get("PYTEST_XDIST_WORKER", "main")


@pytest.mark.parametrize("before", [lambda: None, django.setup], ids=["as it is", "set up anew"])
def test_whatever_is_logged_from_info_on_stands_in_the_file(before: Callable[[], None]) -> None:
    before()
    suite_logs.listen(conftest.log)
    logging.getLogger("analytics.ingest").info("A line of %s", before)
    assert f" INFO analytics.ingest: A line of {before}\n" in (conftest.DATA / f"suite-{WORKER}.log").read_text()


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("a key or a secret", "tt_" + "a1" * 20),
        ("a key or a secret", "sec_" + "a1" * 20),
        ("a token", "0f" * 32),
        ("a token", "eyJhbGciOiJIUzI1NiJ9.e30.x-y_z"),
        ("an address of mail", EMAIL),
        ("an address of the network", IPV4),
        ("an address of the network", IPV6),
        ("a browser", AGENT),
        ("a browser", "Mozilla/5.0 (X11)"),
        ("a cookie", "oooc_user_session=0123456789"),
        ("a query", "GET /track/widget?auth_token=x"),
    ],
)
def test_a_line_with_what_none_may_hold_fails_the_run(
    kind: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "suite-gw1.log").write_text(f"2026-11-21 10:30:00 INFO a: fine\nINFO b: {words}\n")
    monkeypatch.setattr(conftest, "DATA", tmp_path)
    monkeypatch.setattr(conftest, "WORKER", "")
    run = SimpleNamespace(exitstatus=pytest.ExitCode.OK)
    conftest.pytest_sessionfinish(run)
    assert run.exitstatus == pytest.ExitCode.TESTS_FAILED
    assert next(suite_logs.leaks(tmp_path)).startswith(f"suite-gw1.log:2 holds {kind}: ")


def test_a_log_without_it_fails_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "suite-main.log").write_text("INFO a: The API key of user 0193a1c2-0000-7000 cannot be decrypted.\n")
    monkeypatch.setattr(conftest, "DATA", tmp_path)
    run = SimpleNamespace(exitstatus=pytest.ExitCode.OK)
    conftest.pytest_sessionfinish(run)
    assert run.exitstatus == pytest.ExitCode.OK
