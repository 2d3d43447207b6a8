"""`python -m tinytrail.chaos`: the crash harness. Ends with status 1 when a guarantee was not kept."""

import argparse
import contextlib
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tinytrail.chaos import cluster_run
from tinytrail.chaos.cluster_run import ClusterPlan
from tinytrail.chaos.controls import CONTROLS, Control
from tinytrail.chaos.installation import ChaosError
from tinytrail.chaos.run import Plan, run

# What a control gets to be caught by; most are caught by their first kill.
CONTROL_ACCEPTED, CONTROL_KILLS = 6_000, 6


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tinytrail.chaos", description=__doc__)
    parser.add_argument("--accepted", type=int, default=100_000, help="events to be accepted (default: %(default)s)")
    parser.add_argument("--kills", type=int, default=24, help="processes to kill meanwhile (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed kills in the same order (default: 1)")
    parser.add_argument("--overload", type=float, default=30.0, help="seconds of ten times the load (default: 30)")
    parser.add_argument("--hosts", type=int, default=0, help="so many web hosts and worker hosts, with root's rights")
    parser.add_argument("--rounds", type=int, default=2, help="how often every fault of --hosts happens (default: 2)")
    parser.add_argument("--control", choices=CONTROLS, help="run this wrong installation alone, which must be caught")
    parser.add_argument("--no-controls", action="store_true", help="leave the wrong installations out")
    options = parser.parse_args()
    controls = [options.control] if options.control else [] if options.no_controls else list(CONTROLS)
    try:
        if options.hosts:
            sys.exit(not is_kept_by_hosts(ClusterPlan(options.hosts, options.accepted, options.rounds, options.seed)))
        is_good = bool(options.control) or is_kept(
            Plan(options.accepted, options.kills, options.seed, options.overload)
        )
        for name in controls:
            is_good &= is_caught(name, CONTROLS[name], options.seed)
    except ChaosError as error:
        sys.exit(str(error))
    sys.exit(0 if is_good else 1)


def is_kept(plan: Plan) -> bool:
    with folder() as data:
        verdict = run(plan, data, say=say)
    say(f"\n{verdict.table()}\n")
    return verdict.is_kept


def is_kept_by_hosts(plan: ClusterPlan) -> bool:
    with folder() as data:
        verdict = cluster_run.run(plan, data, say=say)
    say(f"\n{verdict.table()}\n")
    return verdict.is_kept


def is_caught(name: str, control: Control, seed: int) -> bool:
    plan = Plan(CONTROL_ACCEPTED, CONTROL_KILLS, seed, kinds=control.kinds)
    with folder() as data:
        verdict = run(plan, data, control, say=say)
    say(f"control {name}: {verdict.lost} lost, {'caught' if verdict.is_caught else 'NOT CAUGHT'}")
    return verdict.is_caught


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """A data folder that is gone afterwards."""
    data = Path(tempfile.mkdtemp(prefix="tinytrail-chaos-"))
    try:
        yield data
    finally:
        shutil.rmtree(data, ignore_errors=True)


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    main()
