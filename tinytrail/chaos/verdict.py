"""The verdict: what was accepted, refused and unknown against what is stored, counted and reported."""

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tinytrail.chaos.load import Fate, Ledger, is_bot

# The reasons under which a 503 is counted; everything else that was counted here is a 400.
REASONS_OF_503 = ("storage_unavailable", "overloaded")


@dataclass
class Verdict:
    """What a run has shown. Times are seconds."""

    requests: int = 0
    repeats: int = 0
    accepted: int = 0
    unknown: int = 0
    refused: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    stored: int = 0
    # Guarantee I0.
    lost: int = 0
    doubled: int = 0
    # Stored although the answer was a refusal, or never sent at all.
    uninvited: int = 0
    # Guarantee I1: answered with a refusal and not counted; counted more often than answered or unknown.
    uncounted: int = 0
    in_doubt: int = 0
    overcounted: int = 0
    wrong_answers: Counter[str] = field(default_factory=Counter)
    # Rows of roll-ups that differ from the events, and page views of the report that do.
    wrong_rows: int = 0
    wrong_pageviews: int = 0
    quarantined: int = 0
    kills: Counter[str] = field(default_factory=Counter)
    recoveries: dict[str, list[float]] = field(default_factory=dict)
    slowest_answer: float = 0.0
    drain_seconds: float = 0.0
    memory_mib: float = 0.0
    seconds: float = 0.0

    @property
    def is_kept(self) -> bool:
        """Whether every guarantee was kept. A count that dies in memory with PostgreSQL away is none."""
        return not self.is_caught and not (
            self.uninvited
            or self.uncounted > self.in_doubt
            or self.wrong_answers
            or self.wrong_rows
            or self.wrong_pageviews
        )

    @property
    def is_caught(self) -> bool:
        """Whether something was lost or doubled."""
        return bool(self.lost or self.doubled)

    def table(self) -> str:
        lines: list[tuple[str, object]] = [
            ("requests", self.requests),
            ("sent again under its name", self.repeats),
            ("accepted", self.accepted),
            ("unknown", self.unknown),
            ("refused", self.refused),
            *((f"answered with {status}", times) for status, times in sorted(self.statuses.items())),
            ("stored", self.stored),
            ("lost", self.lost),
            ("doubled", self.doubled),
            ("stored though refused", self.uninvited),
            ("refused and not counted", self.uncounted),
            ("refused while PostgreSQL was away", self.in_doubt),
            ("counted too often", self.overcounted),
            ("quarantined", self.quarantined),
            ("roll-up rows that differ", self.wrong_rows),
            ("page views that differ", self.wrong_pageviews),
            ("slowest answer", f"{self.slowest_answer:.2f} s"),
            ("outage stream drained in", f"{self.drain_seconds:.1f} s"),
            *([("most memory of a web worker", f"{self.memory_mib:.0f} MiB")] if self.memory_mib else []),
            *((f"wrong answer: {what}", times) for what, times in self.wrong_answers.items()),
            *((f"killed: {kind}", self.killed(kind)) for kind in self.kills),
            ("seconds", f"{self.seconds:.0f}"),
            ("verdict", "kept" if self.is_kept else "BROKEN"),
        ]
        return "\n".join(f"{name:32} {value}" for name, value in lines)

    def killed(self, kind: str) -> str:
        times = self.recoveries.get(kind, [])
        if not times:
            return f"{self.kills[kind]} times"
        return (
            f"{self.kills[kind]} times; accepts again after {statistics.median(times):.2f} s (median), "
            f"{max(times):.2f} s (worst)"
        )


def compare(verdict: Verdict, ledger: Ledger, stored: Iterable[str], counted: Mapping[str, int]) -> None:
    """Fills in what the ledger says, and how the stored paths and the counts of what was not stored differ from it."""
    verdict.requests, verdict.repeats = len(ledger.fates), len(ledger.first_fates)
    verdict.accepted, verdict.unknown = ledger.count(Fate.ACCEPTED), ledger.count(Fate.UNKNOWN)
    verdict.refused = ledger.count(Fate.REFUSED)
    verdict.in_doubt = ledger.in_doubt
    verdict.statuses = ledger.statuses
    verdict.wrong_answers = ledger.wrong
    verdict.slowest_answer = ledger.slowest_seconds
    times = times_stored(verdict, stored)
    for fate, count in zip(ledger.fates, times, strict=True):
        verdict.doubled += max(0, count - 1)
        verdict.lost += fate == Fate.ACCEPTED and not count
        verdict.uninvited += fate == Fate.REFUSED and count > 0
    compare_counts(verdict, ledger, counted)


def times_stored(verdict: Verdict, stored: Iterable[str]) -> bytearray:
    """How often each request is stored, up to 255 times."""
    times = bytearray(verdict.requests)
    for path in stored:
        verdict.stored += 1
        number = number_of(path)
        if number >= verdict.requests:
            verdict.uninvited += 1
        else:
            times[number] = min(255, times[number] + 1)
    return times


def number_of(path: str) -> int:
    return int(path.removeprefix("/e/"))


def compare_counts(verdict: Verdict, ledger: Ledger, counted: Mapping[str, int]) -> None:
    unavailable = sum(counted.get(reason, 0) for reason in REASONS_OF_503)
    malformed = sum(counted.values()) - unavailable
    for status, count in {503: unavailable, 400: malformed}.items():
        verdict.uncounted += max(0, ledger.statuses[status] - count)
        verdict.overcounted += max(0, count - ledger.statuses[status])


def expected_pageviews(stored: Iterable[str]) -> int:
    """Page views of the stored events that no bot has sent."""
    return sum(not is_bot(number_of(path)) for path in stored)
