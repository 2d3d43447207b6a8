"""Calls that schemathesis makes up from the OpenAPI document are answered as it says (guarantees A10, A85).

`make test` makes a few hundred, `make fuzz` more than ten thousand.
"""

from types import ModuleType
from typing import Any

import pytest
from django.db import OperationalError, connection

pytestmark = pytest.mark.django_db(transaction=True)

# Of each operation, in `make test`.
FEW, FEWEST_CALLS = 4, 300
MANY_CALLS = 10_000
# What a limit is for, with the answer of who exceeds it.
LIMITED = {
    ("GET /api/v1/websites", 429),
    ("GET /export/events", 429),
    ("POST /api/event-submissions", 429),
    ("POST /api/track", 202),
    ("POST /api/v1/collect", 429),
    ("POST /track", 429),
}
AWAY = {
    ("GET /api/v1/websites", 503),
    ("GET /calendar.json", 503),
    ("GET /export/events", 503),
    ("POST /api/event-submissions", 503),
    ("POST /api/track", 202),
}


@pytest.fixture
def fuzzing(settings: Any) -> ModuleType:
    # Not at the top: every worker of the suite would load schemathesis, which takes a second (measured).
    from tinytrail.tests import fuzzing

    settings.ALLOWED_HOSTS = ["testserver"]
    settings.METRICS_TOKEN = fuzzing.METRICS_TOKEN
    return fuzzing


@pytest.fixture
def unlimited(settings: Any) -> None:
    settings.LIMITS = dict.fromkeys(settings.LIMITS)


def is_faultless(run: Any) -> bool:
    """Fails with every finding, and a call that shows it."""
    if run.errors or run.findings:
        pytest.fail("\n\n".join([*run.errors, *map(str, run.findings.values())]), pytrace=False)
    return True


def broken(execute: Any, sql: str, *rest: Any) -> None:
    raise OperationalError("gone")


@pytest.mark.usefixtures("unlimited")
def test_what_is_answered_stands_in_the_document(fuzzing, pytestconfig, capsys):
    world, many = fuzzing.World(), pytestconfig.getoption("fuzz")
    with fuzzing.application() as application:
        run = fuzzing.fuzz(application, world, "examples", "fuzzing", examples=many or FEW)
        if many:
            run.join(fuzzing.fuzz(application, world, "coverage", examples=1))
            run.join(fuzzing.fuzz(application, world, "stateful", examples=many))
    assert is_faultless(run)
    assert run.operations == fuzzing.operations()
    assert world.is_standing()
    assert run.calls.total() > (MANY_CALLS if many else FEWEST_CALLS)
    if many:
        assert run.succeeded == fuzzing.operations()
        with capsys.disabled():
            print(f"{run.calls.total()} calls of {len(run.calls)} operations, by status: {run.by_status}")


def test_over_a_limit_the_answer_stands_in_the_document(fuzzing, settings):
    settings.LIMITS = dict.fromkeys(settings.LIMITS, (1, 3600))
    world = fuzzing.World()
    with fuzzing.application() as application:
        run = fuzzing.fuzz(application, world, "fuzzing", examples=2)
    assert is_faultless(run)
    assert run.statuses.keys() >= LIMITED


@pytest.mark.usefixtures("unlimited")
def test_while_the_database_is_away_the_answer_stands_in_the_document(fuzzing):
    world = fuzzing.World()
    with fuzzing.application() as application:
        application.within(lambda: connection.execute_wrappers.append(broken))
        run = fuzzing.fuzz(application, world, "fuzzing", examples=1, is_outage=True)
    assert is_faultless(run)
    assert run.statuses.keys() >= AWAY
