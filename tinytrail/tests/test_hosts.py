"""Several hosts, in short: `python -m tinytrail.chaos --hosts 2` is the same for longer (F06, F10, F18, I0, I1)."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tinytrail.chaos import network
from tinytrail.chaos.cluster import LIMIT
from tinytrail.chaos.cluster_run import SHARED_HITS, ClusterPlan, ClusterVerdict, run
from tinytrail.tests.engines import processes

REFUSAL = network.refusal()
FAULTS = {
    "web host killed",
    "web host cut off",
    "web host cut from PostgreSQL",
    "web host cut from Redis",
    "worker host killed",
    "worker host cut off",
}


@pytest.fixture
def data() -> Iterator[Path]:
    """A short name: the sockets of the engines stand below it."""
    data = Path(tempfile.mkdtemp(prefix="hosts-"))
    yield data
    shutil.rmtree(data)


def here() -> str:
    return os.readlink("/proc/thread-self/ns/net")


@pytest.mark.parametrize(
    "wrong",
    [
        {"bursts": [LIMIT, LIMIT + 1]},
        {"bursts_apart": [(LIMIT, 2 * LIMIT)]},
        {"limited": 90},
        {"visits_of_one": 2},
        {"negative_durations": 1},
        {"salts": 3},
        {"unbuilt": 1},
        {"lost": 1},
        {"uninvited": 1},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_a_run_in_which_anything_is_wrong_is_broken(wrong):
    good = {"bursts": [LIMIT], "bursts_apart": [(LIMIT, LIMIT)], "visits_of_one": 1, "events_of_one": SHARED_HITS}
    assert ClusterVerdict(**good, salts=1).is_kept
    assert not ClusterVerdict(**{**good, "salts": 1, **wrong}).is_kept


@pytest.mark.skipif(bool(REFUSAL), reason=REFUSAL)
def test_on_two_web_and_two_worker_hosts_limits_are_exact_and_nothing_is_lost_whichever_is_killed_or_cut_off(data):
    before = here()
    plan = ClusterPlan(2, 2_000, cut_seconds=3, asks_for_builds=True, kills_engines=False, pause_seconds=0.03)
    verdict = run(plan, data)
    assert (verdict.lost, verdict.doubled, verdict.uninvited) == (0, 0, 0), verdict.table()
    assert verdict.is_kept, verdict.table()
    assert set(verdict.kills) == FAULTS
    # Of a hundred calls at both at once; and of those to one that cannot ask Redis, and to the other.
    assert (verdict.bursts, verdict.bursts_apart) == ([LIMIT, LIMIT], [(LIMIT, LIMIT)])
    assert verdict.limited == verdict.limited_counted > 0
    # Clocks that are five minutes apart: one visitor, one visit.
    assert (verdict.visits_of_one, verdict.events_of_one, verdict.negative_durations) == (1, SHARED_HITS, 0)
    assert verdict.accepted_meanwhile > 0
    assert verdict.unbuilt == 0
    assert (here(), processes(data)) == (before, {})
