"""Screening on the frozen labelled set, replayed in its order, and its time beside a long queue."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.models import Account, Website
from submissions import calendars, catalog, intake, screening
from submissions.models import Calendar, Host, Submission
from submissions.proposal import Proposal
from tinytrail.bench.figures import at_most, heading, line, percentile

SET = Path(__file__).resolve().parents[2] / "submissions" / "tests" / "labelled" / "submissions.ndjson"
PRECISION_GOAL = 0.98
RECALL_GOAL = 0.80
FLAGGED_GOAL = 0.01
QUEUE = 10_000
SCREENING_GOAL_MS = 100
ROUNDS = 40


@dataclass
class Figures:
    """What screening did with a part of the set, as numbers of submissions."""

    counts: Counter[str] = field(default_factory=Counter)

    def add(self, label: str, *, is_declined: bool, is_flagged: bool) -> None:
        self.counts.update([label, f"{label} declined"] if is_declined else [label])
        self.counts.update([f"{label} noticed"] if is_declined or is_flagged else [])

    @property
    def precision(self) -> float:
        """Of what was declined, the part that is spam."""
        spam, genuine = self.counts["spam declined"], self.counts["genuine declined"]
        return spam / (spam + genuine)

    @property
    def recall(self) -> float:
        """Of the spam, the part that was declined or flagged."""
        return self.counts["spam noticed"] / self.counts["spam"]

    @property
    def genuine_flagged(self) -> float:
        """Of the genuine ones, the part that was flagged or declined."""
        return self.counts["genuine noticed"] / self.counts["genuine"]


@dataclass(frozen=True)
class Verdict:
    """What screening made of one row of the set."""

    row: dict[str, Any]
    is_declined: bool
    signals: tuple[str, ...]


def run() -> None:
    heading("Screening: 600 labelled submissions")
    with transaction.atomic():
        verdicts = list(replay(bench_calendar()))
        transaction.set_rollback(True)
    show(figures(verdicts))
    # The rules were made with one half: the other tells whether they are about more than that.
    for name, remainder in (("even half", 0), ("odd half, held out", 1)):
        found = figures([verdict for verdict in verdicts if verdict.row["number"] % 2 == remainder])
        print(f"{name:<20} {found.precision:.3f} {found.recall:.3f} {found.genuine_flagged:.3f}", flush=True)
    with transaction.atomic():
        beside_a_long_queue(bench_calendar())
        transaction.set_rollback(True)


def figures(verdicts: list[Verdict]) -> Figures:
    found = Figures()
    for verdict in verdicts:
        found.add(verdict.row["label"], is_declined=verdict.is_declined, is_flagged=bool(verdict.signals))
    return found


def show(found: Figures) -> None:
    ratio = found.precision / PRECISION_GOAL
    line("precision of automatic decline", f"{found.precision:.4f}", f"at least {PRECISION_GOAL:.2f}", ratio)
    line("recall of flags", f"{found.recall:.4f}", f"at least {RECALL_GOAL:.2f}", found.recall / RECALL_GOAL)
    flagged = found.genuine_flagged
    ratio = FLAGGED_GOAL / flagged if flagged else float("inf")
    line("genuine ones flagged", f"{flagged:.4f}", f"at most {FLAGGED_GOAL:.2f}", ratio)


def replay(calendar: Calendar) -> Iterator[Verdict]:
    """Every row screened at its time, beside all that came before: half of the genuine ones are published by then."""
    for text in SET.read_text(encoding="utf-8").splitlines():
        row = json.loads(text)
        now = datetime.fromisoformat(row["at"])
        submission, proposal = arrived(calendar, row, now=now)
        yield Verdict(row, bool(submission.spam_signals["reasons"]), tuple(flag["signal"] for flag in submission.flags))
        if row["label"] == "genuine" and row["number"] % 4 < 2:
            submission.accepted_event = catalog.publish(submission, now=now)
            submission.status = Submission.Status.ACCEPTED
            submission.save()


def arrived(calendar: Calendar, row: dict[str, Any], *, now: datetime) -> tuple[Submission, Proposal]:
    """The submission as intake stores it, without limits and mail."""
    proposal = Proposal(**dict.fromkeys(Proposal.__dataclass_fields__, "") | row["proposal"])
    started = "" if row["seconds"] is None else (now - timedelta(seconds=row["seconds"])).isoformat()
    signals = screening.contract_signals(honeypot=row["honeypot"], form_started_at=started, now=now)
    submission = Submission(
        calendar=calendar,
        host=Host.objects.get_or_create(calendar=calendar, email=proposal.host_email)[0],
        source_ip_hash=row["source"],
        spam_signals=signals,
        created_at=now,
    )
    intake.fill_from(submission, proposal, intake.today_of(calendar, now))
    submission.flags = screening.flags(calendar, proposal, source_ip_hash=row["source"], now=now)
    submission.flag_count = len(submission.flags)
    if signals["reasons"]:
        submission.status, submission.review_reason = Submission.Status.DECLINED, Submission.SPAM_SIGNAL
    submission.save()
    return submission, proposal


def beside_a_long_queue(calendar: Calendar) -> None:
    """All waiting for the same day, which is the worst there is."""
    row = json.loads(SET.read_text(encoding="utf-8").splitlines()[1])
    now = timezone.now()
    submission, proposal = arrived(calendar, row, now=now)
    waiting = [
        Submission(
            calendar=calendar,
            host=submission.host,
            source_ip_hash=str(number),
            spam_signals=submission.spam_signals,
            payload=submission.payload,
            name=f"{submission.name} {number}",
            name_folded=f"{submission.name_folded} {number}",
            location_folded=submission.location_folded,
            starts_on=submission.starts_on,
            created_at=now,
        )
        for number in range(QUEUE)
    ]
    Submission.objects.bulk_create(waiting, batch_size=1000)
    spent = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        screening.flags(calendar, proposal, source_ip_hash="x", now=now)
        spent.append((time.perf_counter() - began) * 1000)
    at_most(f"one screened beside {QUEUE:,} of its day, p95", percentile(spent, 95), SCREENING_GOAL_MS, "ms")


def bench_calendar() -> Calendar:
    account = Account.objects.create(name="bench")
    return calendars.of_website(Website.objects.create(account=account, domain="bench.example"))
