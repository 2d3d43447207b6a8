"""How a figure is printed: what was measured, beside its goal, as a ratio."""

import statistics
from collections.abc import Sequence


def heading(text: str) -> None:
    print(f"\n{text}\n{'-' * len(text)}", flush=True)


def at_least(what: str, measured: float, goal: float, unit: str) -> None:
    line(what, f"{measured:,.0f} {unit}", f"at least {goal:,.0f}", measured / goal)


def at_most(what: str, measured: float, goal: float, unit: str) -> None:
    line(what, f"{measured:,.1f} {unit}", f"at most {goal:,.0f}", goal / measured if measured else float("inf"))


def line(what: str, measured: str, goal: str, ratio: float) -> None:
    """`ratio` is above 1 when the goal is reached, whichever way the goal points."""
    print(f"{what:<44} {measured:>22}   goal {goal:>16}   x{ratio:.2f} {'' if ratio >= 1 else '  MISSED'}", flush=True)


def percentile(values: Sequence[float], share: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[share - 1]
