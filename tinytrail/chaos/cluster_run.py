"""One run on several hosts: a load on every web host, one fault after the other, then silence, and the verdict."""

import asyncio
import contextlib
import json
import random
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from tinytrail.chaos.cluster import LIMIT, Cluster, Host
from tinytrail.chaos.installation import ChaosError, wait
from tinytrail.chaos.load import CHROME, Ledger, Load
from tinytrail.chaos.network import ROADS, address
from tinytrail.chaos.run import DRAIN_SECONDS, FLUSH_SECONDS, LOOK_SECONDS, recount
from tinytrail.chaos.verdict import Verdict, compare

CONNECTIONS_PER_HOST = 8
# How long a cable is pulled: longer than any patience of a process with PostgreSQL, Redis and its callers.
CUT_SECONDS = 12.0
# For one fault and its recovery. Generous: the machine may be busy with something else.
PATIENCE_SECONDS = 300.0
BURST = 100
# For so long a host that has waited for Redis in vain does without it, and a little longer.
ALONE_SECONDS = 5.5
T = TypeVar("T")
Fault = Callable[[Host], Coroutine[Any, Any, None]]
LIMITED = "rate_limited"
# One visitor's hits, to web hosts in turn, below the limit of one address.
SHARED_HITS = 8


@dataclass(frozen=True)
class ClusterPlan:
    """How many hosts of each kind, how many events are to be accepted at least, and how often every fault happens.

    The same seed, the same order.
    """

    hosts: int
    accepted: int
    rounds: int = 1
    seed: int = 1
    cut_seconds: float = CUT_SECONDS
    # Also when it is not time for it yet: beat asks every twenty seconds.
    asks_for_builds: bool = False
    kills_engines: bool = True
    # Between two requests of a connection: leaves the machine to those who are started again.
    pause_seconds: float = 0.0


@dataclass
class ClusterVerdict(Verdict):
    """What the hosts have shown beside what every installation has to."""

    # Of BURST calls of one address at all web hosts at once: how many were taken. With a host that is cut off from
    # Redis, which counts for itself: at that host, and at the others.
    bursts: list[int] = field(default_factory=list)
    bursts_apart: list[tuple[int, int]] = field(default_factory=list)
    limited: int = 0
    limited_counted: int = 0
    # Events accepted by the other hosts while one was away.
    accepted_meanwhile: int = 0
    # Of one visitor who was seen by hosts whose clocks differ.
    visits_of_one: int = 0
    events_of_one: int = 0
    negative_durations: int = 0
    salts: int = 0
    # Days that no worker had built although somebody was there to do it.
    unbuilt: int = 0

    @property
    def is_kept(self) -> bool:
        return (
            super().is_kept
            and all(taken == LIMIT for taken in self.bursts)
            and all(taken == (LIMIT, LIMIT) for taken in self.bursts_apart)
            and self.limited == self.limited_counted
            and (self.visits_of_one, self.events_of_one) == (1, SHARED_HITS)
            and not self.negative_durations
            and not self.unbuilt
            # Today's, and tomorrow's from eleven on.
            and 1 <= self.salts <= 2
        )

    def table(self) -> str:
        lines: list[tuple[str, object]] = [
            (f"taken of {BURST} at all hosts at once", self.bursts),
            ("where one counts for itself", self.bursts_apart),
            ("answered with 429, and counted", f"{self.limited}, {self.limited_counted}"),
            ("accepted by others meanwhile", self.accepted_meanwhile),
            ("visits and events of one visitor", f"{self.visits_of_one}, {self.events_of_one}"),
            ("negative durations", self.negative_durations),
            ("salts", self.salts),
            ("days that no worker built", self.unbuilt),
        ]
        return "\n".join([*(f"{name:32} {value}" for name, value in lines), super().table()])


def run(plan: ClusterPlan, data: Path, say: Callable[[str], None] = print) -> ClusterVerdict:
    began = time.monotonic()
    verdict = ClusterVerdict()
    ledger = Ledger()
    with Cluster(data, plan.hosts) as cluster:
        run = ClusterRun(plan, cluster, ledger, verdict, say)
        asyncio.run(run.play())
        settle(verdict, cluster, plan)
        counted = cluster.counted()
        verdict.limited_counted = counted.pop(LIMITED, 0)
        compare(verdict, ledger, cluster.stored(), counted)
        look_at_visits(verdict, cluster, run.shared_website)
        recount(verdict, cluster)
    verdict.seconds = time.monotonic() - began
    return verdict


def new_website(cluster: Cluster, domain: str) -> str:
    return str(cluster.manage("create_website", "--account", "Acme", "--domain", domain)["websiteId"])


class ClusterRun:
    """The loud part of a run."""

    def __init__(
        self, plan: ClusterPlan, cluster: Cluster, ledger: Ledger, verdict: ClusterVerdict, say: Callable[[str], None]
    ) -> None:
        self.plan = plan
        self.cluster = cluster
        self.ledger = ledger
        self.verdict = verdict
        self.say = say
        self.choice = random.Random(plan.seed)
        # Of those who are limited, and of the one whom all hosts see.
        self.limited_website = new_website(cluster, "limited.example")
        self.shared_website = new_website(cluster, "shared.example")
        self.visitors = 0
        # When a host has begun to count for itself, and how often it has.
        self.alone_since = {host.name: float("-inf") for host in cluster.webs}
        self.times_alone = dict.fromkeys(self.alone_since, 0)

    async def play(self) -> None:
        # What is sent again under its name may go to another host than the first time.
        repeats: deque[int] = deque()
        self.loads = {
            host.name: Load(
                self.cluster.port,
                self.cluster.website,
                self.ledger,
                address=address("front", host.number),
                repeats=repeats,
                pause_seconds=self.plan.pause_seconds,
            )
            for host in self.cluster.webs
        }
        keeper = asyncio.create_task(self.look_after())
        for load in self.loads.values():
            load.start(CONNECTIONS_PER_HOST)
        try:
            await self.unless(keeper, self.visit())
            await self.unless(keeper, self.burst())
            for fault, host in self.schedule():
                await self.unless(keeper, fault(host))
            await self.unless(keeper, self.burst())
            before = -1
            while not await self.unless(keeper, self.reach(self.plan.accepted)):
                if self.accepted() == before:
                    raise ChaosError("Nothing is accepted any more.")
                before = self.accepted()
            for load in self.loads.values():
                load.is_over = True
            for load in self.loads.values():
                await load.stop()
        finally:
            keeper.cancel()

    def schedule(self) -> list[tuple[Fault, Host]]:
        """Every fault for a host of its kind, in any order."""
        on_webs: list[Fault] = [self.kill_web, self.cut_off, self.cut_from_postgresql, self.cut_from_redis]
        if self.plan.kills_engines:
            on_webs += [self.kill_redis, self.kill_postgresql]
        on_workers: list[Fault] = [self.lose_workers]
        faults: list[tuple[Fault, Host]] = [
            (fault, hosts[(n + turn) % len(hosts)])
            for n in range(self.plan.rounds)
            for some, hosts in ((on_webs, self.cluster.webs), (on_workers, self.cluster.workers))
            for turn, fault in enumerate(some)
        ]
        self.choice.shuffle(faults)
        return faults

    async def unless(self, keeper: "asyncio.Task[None]", work: Awaitable[T]) -> T:
        """Does the work, as long as the keeper keeps, and in time."""
        task = asyncio.ensure_future(work)
        await asyncio.wait({task, keeper}, return_when=asyncio.FIRST_COMPLETED, timeout=PATIENCE_SECONDS)
        if not task.done():
            task.cancel()
            if keeper.done():
                await keeper
            raise ChaosError(f"A fault was not over after {PATIENCE_SECONDS:g} s.")
        return await task

    async def look_after(self) -> None:
        while True:
            self.cluster.look_after()
            self.notice_who_is_alone()
            await asyncio.sleep(LOOK_SECONDS)

    async def reach(self, accepted: int) -> bool:
        """Sends on for a while. Returns whether so many have been accepted."""
        until = time.monotonic() + PATIENCE_SECONDS / 2
        while self.accepted() < accepted and time.monotonic() < until:
            await asyncio.sleep(LOOK_SECONDS)
        return self.accepted() >= accepted

    def accepted(self) -> int:
        return sum(load.accepted for load in self.loads.values())

    # -- faults --

    async def kill_web(self, host: Host) -> None:
        killed_at = time.monotonic()
        self.cluster.kill_host(host, stays_down=True)
        await self.others_go_on(host, killed_at)
        self.cluster.bring_back(host)
        await self.is_back("web host killed", host, killed_at)

    async def cut_off(self, host: Host) -> None:
        """Nobody reaches it, and it reaches nobody."""
        cut_at = time.monotonic()
        with self.counts_in_doubt(), self.pulled(host, ROADS):
            await asyncio.gather(self.others_go_on(host, cut_at), asyncio.sleep(self.plan.cut_seconds))
        await self.is_back("web host cut off", host, time.monotonic())
        await self.be_sure()

    async def cut_from_postgresql(self, host: Host) -> None:
        """What it takes waits in the outage stream, from which the others store it; what it shows has to wait."""
        await self.is_shown(host, 200)
        cut_at = time.monotonic()
        with self.counts_in_doubt(), self.pulled(host, ["postgres"]):
            await self.is_back("web host cut from PostgreSQL", host, cut_at)
            await asyncio.gather(self.others_go_on(host, cut_at), self.is_shown(host, 503))
        await self.is_shown(host, 200)
        await self.be_sure()

    async def cut_from_redis(self, host: Host) -> None:
        """It counts limits for itself, and the others together."""
        cut_at = time.monotonic()
        with self.pulled(host, ["redis"]):
            await self.is_back("web host cut from Redis", host, cut_at)
            others = [other for other in self.cluster.webs if other is not host]
            who = self.somebody()
            await self.is_shown(host, 200)
            alone, together = await asyncio.gather(self.taken(who, [host]), self.taken(who, others))
            self.verdict.bursts_apart.append((alone, together))

    async def lose_workers(self, host: Host) -> None:
        """First it is cut off, and the others build; then they are killed, and it builds for all."""
        others = [other for other in self.cluster.workers if other is not host]
        with self.pulled(host, ROADS):
            await self.somebody_builds("worker host cut off")
        for other in others:
            self.cluster.kill_host(other, stays_down=True)
        await self.somebody_builds("worker host killed")
        for other in others:
            self.cluster.bring_back(other)

    async def kill_redis(self, _: Host) -> None:
        await self.kill_engine("redis")

    async def kill_postgresql(self, _: Host) -> None:
        with self.counts_in_doubt():
            await self.kill_engine("postmaster")
            await asyncio.to_thread(wait, self.cluster.is_postgresql_there, PATIENCE_SECONDS, "PostgreSQL is not back")
        await self.be_sure()

    async def kill_engine(self, kind: str) -> None:
        while not await asyncio.to_thread(self.cluster.kill, kind, self.choice):
            await asyncio.sleep(LOOK_SECONDS)
        killed_at = time.monotonic()
        await asyncio.gather(*(self.is_back(f"{kind}, for {host.name}", host, killed_at) for host in self.cluster.webs))

    # -- what is to be seen of them --

    @contextlib.contextmanager
    def pulled(self, host: Host, roads: Sequence[str]) -> Iterator[None]:
        """With these cables of the host pulled."""
        self.cluster.network.cut(host.number, roads)
        try:
            yield
        finally:
            self.cluster.network.mend(host.number, roads)

    async def others_go_on(self, host: Host, since: float) -> None:
        others = [load for name, load in self.loads.items() if name != host.name]
        before = sum(load.accepted for load in others)
        await asyncio.gather(*(load.accepted_after(since) for load in others))
        self.verdict.accepted_meanwhile += sum(load.accepted for load in others) - before

    async def is_back(self, fault: str, host: Host, since: float) -> None:
        """Returns when the host has accepted what was sent to it after a moment."""
        seconds = await self.loads[host.name].accepted_after(since) - since
        self.note(fault, seconds, f"{host.name} accepts")

    async def is_shown(self, host: Host, status: int) -> None:
        """Returns when the host's health and a report say so; neither has to be waited for."""
        while await asyncio.to_thread(self.cluster.shown, host) != (status, status):
            await asyncio.sleep(LOOK_SECONDS)

    async def somebody_builds(self, fault: str) -> None:
        """Returns when a day shows more events than when this was asked."""
        began, before = time.monotonic(), await asyncio.to_thread(self.built)
        while await asyncio.to_thread(self.built) <= before:
            if self.plan.asks_for_builds:
                await asyncio.to_thread(self.cluster.ask_for_builds)
            await asyncio.sleep(LOOK_SECONDS)
        self.note(fault, time.monotonic() - began, "builds go on")

    def note(self, fault: str, seconds: float, what: str) -> None:
        self.verdict.kills[fault] += 1
        self.verdict.recoveries.setdefault(fault, []).append(seconds)
        self.say(
            f"{sum(load.accepted for load in self.loads.values())} accepted; {fault}: {what} after {seconds:.2f} s"
        )

    def built(self) -> int:
        """How many events of the load have been in a build."""
        question = "SELECT coalesce(sum(events), 0)::bigint FROM analytics_builtday WHERE website_id = %s"
        return int(self.cluster.ask(question, self.cluster.website_id)[0])

    @contextlib.contextmanager
    def counts_in_doubt(self) -> Iterator[None]:
        """Inside, and until be_sure(), counts of refusals may be with a process that cannot store them."""
        self.ledger.is_count_in_doubt = True
        yield

    async def be_sure(self) -> None:
        await asyncio.sleep(FLUSH_SECONDS)
        self.ledger.is_count_in_doubt = False

    # -- one visitor --

    def somebody(self) -> str:
        """An address of its own, with limits that nobody has used yet."""
        self.visitors += 1
        return f"198.51.100.{self.visitors}"

    async def burst(self) -> None:
        """Of many calls of one visitor to all web hosts at once as many pass as the limit says."""
        webs = self.cluster.webs
        self.verdict.bursts.append(await self.in_company(webs, lambda who: self.taken(who, webs)))

    async def in_company(self, hosts: Sequence[Host], count: Callable[[str], Awaitable[T]]) -> T:
        """What is counted while these hosts count together.

        One that waits for Redis for a tenth of a second, as it may on a busy machine, counts for itself for a while
        (F06): then it is counted once more.
        """
        while True:
            while any(time.monotonic() - self.alone_since[host.name] < ALONE_SECONDS for host in hosts):
                await asyncio.sleep(LOOK_SECONDS)
            before = dict(self.alone_since)
            counted = await count(self.somebody())
            self.notice_who_is_alone()
            if all(self.alone_since[host.name] == before[host.name] for host in hosts):
                return counted

    def notice_who_is_alone(self) -> None:
        for host in self.cluster.webs:
            if (times := self.cluster.times_alone(host)) != self.times_alone[host.name]:
                self.times_alone[host.name] = times
                self.alone_since[host.name] = time.monotonic()

    async def taken(self, who: str, hosts: Sequence[Host]) -> int:
        """How many of BURST calls of one visitor are taken, by these hosts in turn."""
        statuses = Counter(await asyncio.gather(*(self.call(who, hosts[n % len(hosts)]) for n in range(BURST))))
        self.verdict.limited += statuses[429]
        if set(statuses) - {202, 429}:
            raise ChaosError(f"A call of somebody with a limit was answered with {sorted(statuses)}.")
        return statuses[202]

    async def visit(self) -> None:
        """One visitor, seen by every web host in turn."""
        who = self.somebody()
        for n in range(SHARED_HITS):
            status = await self.call(who, self.cluster.webs[n % len(self.cluster.webs)], self.shared_website)
            if status != 202:
                raise ChaosError(f"A page view was answered with {status}.")

    async def call(self, who: str, host: Host, website: str = "") -> int:
        """The status of one page view."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            reader, writer = await asyncio.open_connection(address("front", host.number), self.cluster.port)
            writer.write(page_view(website or self.limited_website, who))
            status = int((await reader.readline())[9:12])
        writer.close()
        return status


def page_view(website: str, who: str) -> bytes:
    url = "https://shared.example/"
    fields = {"website_id": website, "event_type": "page_view", "url": url, "path": "/"}
    body = json.dumps(fields).encode()
    return (
        f"POST /api/v1/collect HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: {CHROME}\r\nX-Forwarded-For: {who}\r\n"
        f"Connection: close\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def settle(verdict: ClusterVerdict, cluster: Cluster, plan: ClusterPlan) -> None:
    """Waits until everything runs, nothing waits any more, and the workers have built what there is."""
    began = time.monotonic()
    wait(lambda: cluster.is_healthy() and cluster.waiting() == 0, DRAIN_SECONDS, "The stream is not drained")
    verdict.drain_seconds = time.monotonic() - began

    def is_built() -> bool:
        cluster.look_after()
        if plan.asks_for_builds:
            cluster.ask_for_builds()
        return not cluster.dirty_days()

    with contextlib.suppress(ChaosError):
        wait(is_built, PATIENCE_SECONDS, "Not every day is built")
    verdict.unbuilt = len(cluster.dirty_days())


def look_at_visits(verdict: ClusterVerdict, cluster: Cluster, website: str) -> None:
    verdict.visits_of_one, verdict.events_of_one = cluster.ask(
        "SELECT count(*), coalesce(sum(events), 0)::bigint FROM analytics_visit JOIN accounts_website AS website"
        " ON website.id = website_id WHERE public_id = %s",
        website,
    )
    (verdict.negative_durations,) = cluster.ask("SELECT count(*) FROM analytics_visit WHERE duration_us < 0")
    (verdict.salts,) = cluster.ask("SELECT count(*) FROM analytics_salt")
