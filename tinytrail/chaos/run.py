"""One run: an installation under load, kills at random moments, then silence, and the verdict."""

import asyncio
import random
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from tinytrail.chaos.controls import Control
from tinytrail.chaos.installation import (
    KINDS,
    POSTGRESQL,
    ChaosError,
    Installation,
    memory_mib,
    wait,
)
from tinytrail.chaos.load import Ledger, Load
from tinytrail.chaos.verdict import Verdict, compare, expected_pageviews

CONNECTIONS = 64
# More than ten times the load: with fewer connections nobody would have to be turned away.
OVERLOAD = 28
# For one kill and its recovery. Generous: the machine may be busy with something else.
DEADLINE_SECONDS = 120.0
DRAIN_SECONDS = 180.0
LOOK_SECONDS = 0.1
# After most kills of PostgreSQL it is waited for. Else what is killed next finds it away, and the stream in its place.
OFTEN = 0.7
# A web process that has found it again by then has also counted what it could not.
FLUSH_SECONDS = 4.0


@dataclass(frozen=True)
class Plan:
    """How many events are to be accepted, and how many processes killed meanwhile; the same seed, the same order."""

    accepted: int
    kills: int
    seed: int = 1
    overload_seconds: float = 0.0
    kinds: Sequence[str] = KINDS

    def schedule(self, choice: random.Random) -> list[tuple[int, str]]:
        """After how many accepted events what is killed: every kind equally often, in any order."""
        kinds = [self.kinds[n % len(self.kinds)] for n in range(self.kills)]
        choice.shuffle(kinds)
        moments = sorted(choice.randint(self.accepted // 20, self.accepted * 19 // 20) for _ in kinds)
        return list(zip(moments, kinds, strict=True))


def run(plan: Plan, data: Path, control: Control | None = None, say: Callable[[str], None] = print) -> Verdict:
    began = time.monotonic()
    verdict = Verdict()
    ledger = Ledger()
    # A control shows what the web server loses: the others only make it slower.
    wrong = Installation(data, control.application, names=("web",)) if control else None
    with wrong or Installation(data) as installation:
        if control:
            control.prepare(installation)
        asyncio.run(Run(plan, installation, ledger, verdict, say).play())
        settle(verdict, installation)
        compare(verdict, ledger, installation.stored(), installation.counted())
        recount(verdict, installation)
    verdict.seconds = time.monotonic() - began
    return verdict


class Run:
    """The loud part of a run."""

    def __init__(
        self, plan: Plan, installation: Installation, ledger: Ledger, verdict: Verdict, say: Callable[[str], None]
    ) -> None:
        self.plan = plan
        self.installation = installation
        self.ledger = ledger
        self.verdict = verdict
        self.say = say
        self.choice = random.Random(plan.seed)

    async def play(self) -> None:
        self.load = Load(self.installation.port, self.installation.website, self.ledger)
        keeper = asyncio.create_task(self.look_after())
        self.load.start(CONNECTIONS)
        try:
            for moment, kind in self.plan.schedule(self.choice):
                await self.unless(keeper, self.load.reach(moment))
                await self.unless(keeper, self.kill(kind))
            if self.plan.overload_seconds:
                await self.unless(keeper, self.overload())
            await self.unless(keeper, self.load.reach(self.plan.accepted))
            await self.load.stop()
        finally:
            keeper.cancel()

    async def unless(self, keeper: "asyncio.Task[None]", work: Coroutine[Any, Any, None]) -> None:
        """Does the work, as long as the keeper keeps."""
        task = asyncio.ensure_future(work)
        await asyncio.wait({task, keeper}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            task.cancel()
            await keeper
        await task

    async def look_after(self) -> None:
        accepted, since = 0, time.monotonic()
        while True:
            self.installation.look_after()
            if worker := self.installation.web_worker():
                self.verdict.memory_mib = max(self.verdict.memory_mib, memory_mib(worker))
            if self.load.accepted > accepted:
                accepted, since = self.load.accepted, time.monotonic()
            elif time.monotonic() - since > DEADLINE_SECONDS:
                raise ChaosError(f"Nothing was accepted for {DEADLINE_SECONDS:g} s.")
            await asyncio.sleep(LOOK_SECONDS)

    async def kill(self, kind: str) -> None:
        while not await asyncio.to_thread(self.installation.kill, kind, self.choice):
            await asyncio.sleep(LOOK_SECONDS)
        killed_at = time.monotonic()
        self.installation.look_after()
        self.verdict.kills[kind] += 1
        seconds = await self.load.accepted_after(killed_at) - killed_at
        self.verdict.recoveries.setdefault(kind, []).append(seconds)
        if kind in POSTGRESQL:
            self.ledger.is_count_in_doubt = True
            self.back = asyncio.create_task(self.come_back())
            if self.choice.random() < OFTEN:
                await self.back
        self.say(f"{self.load.accepted} accepted; killed: {kind}, accepts again after {seconds:.2f} s")

    async def come_back(self) -> None:
        """Returns when PostgreSQL answers again."""
        kills = self.kills_of_postgresql()
        while not await asyncio.to_thread(self.installation.is_postgresql_there):
            await asyncio.sleep(LOOK_SECONDS)
        asyncio.get_running_loop().call_later(FLUSH_SECONDS, self.be_sure, kills)

    def be_sure(self, kills: int) -> None:
        if kills == self.kills_of_postgresql():
            self.ledger.is_count_in_doubt = False

    def kills_of_postgresql(self) -> int:
        return sum(self.verdict.kills[kind] for kind in POSTGRESQL)

    async def overload(self) -> None:
        """Many times the connections, each with its next request at once."""
        crowd = Load(self.installation.port, self.installation.website, self.ledger)
        crowd.start(CONNECTIONS * (OVERLOAD - 1))
        await asyncio.sleep(self.plan.overload_seconds)
        await crowd.stop()
        ended_at = time.monotonic()
        seconds = await self.load.accepted_after(ended_at) - ended_at
        self.verdict.recoveries["overload"] = [seconds]
        self.say(f"{crowd.accepted} accepted during the overload; as before after {seconds:.2f} s")


def settle(verdict: Verdict, installation: Installation) -> None:
    """Waits until everything runs and nothing waits any more."""
    began = time.monotonic()
    wait(lambda: installation.is_healthy() and installation.waiting() == 0, DRAIN_SECONDS, "The stream is not drained")
    verdict.drain_seconds = time.monotonic() - began


def recount(verdict: Verdict, installation: Installation) -> None:
    answer = installation.run("-m", "tinytrail.chaos.recount", installation.website)
    verdict.wrong_rows = answer["wrongRows"]
    verdict.quarantined = answer["quarantined"]
    days = [date.fromisoformat(day) for day in answer["days"]]
    if days:
        shown = installation.pageviews(min(days), max(days))
        verdict.wrong_pageviews = abs(shown - expected_pageviews(installation.stored()))
