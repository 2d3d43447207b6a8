"""The bars of screening on the frozen labelled set."""

import hashlib

import pytest

from submissions.tests.builders import make_calendar
from tinytrail.bench.screening import FLAGGED_GOAL, PRECISION_GOAL, RECALL_GOAL, SET, figures, replay


@pytest.fixture
def verdicts(db):
    return list(replay(make_calendar()))


def test_the_set_is_frozen():
    assert (
        hashlib.sha256(SET.read_bytes()).hexdigest()
        == "1b611aa850a5871ffc4adf0a86b0db77788c6cf02545260a3fc3a5dbb9b053c7"
    )


def test_the_bars_hold_on_all_of_it_and_on_the_half_that_was_held_out(verdicts):
    for rows in (verdicts, [verdict for verdict in verdicts if verdict.row["number"] % 2]):
        found = figures(rows)
        assert found.precision >= PRECISION_GOAL
        assert found.recall >= RECALL_GOAL
        assert found.genuine_flagged <= FLAGGED_GOAL
