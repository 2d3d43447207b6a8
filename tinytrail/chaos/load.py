"""The load and its ledger: many connections, each with one request on its way, and what became of every request."""

import asyncio
import json
import time
from array import array
from collections import Counter, deque
from enum import IntEnum
from ipaddress import IPv6Address

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36"
)
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
# One in so many comes from a bot (stored, answered with 204), one is malformed (counted, answered with 400), and
# one has an Idempotency-Key and is sent again, whatever became of it.
BOT_EVERY, MALFORMED_EVERY, NAMED_EVERY = 40, 50, 25
# A request that has waited so long is given up: nothing is known of it.
PATIENCE_SECONDS = 40.0
RECONNECT_SECONDS = 0.02
# Where nobody answers at all the system would try for minutes.
CONNECT_SECONDS = 2.0
SUCCESSES = (202, 204)
# A network for documents; limits count by /64.
VISITORS = int(IPv6Address("2001:db8::"))


class Fate(IntEnum):
    """What became of a request. UNKNOWN: the connection ended without a status line."""

    NONE = 0
    UNKNOWN = 1
    ACCEPTED = 2
    REFUSED = 3


class Ledger:
    """Every request by its number. The events among them have the path /e/<number>."""

    def __init__(self) -> None:
        self.fates = bytearray()
        self.sent_at = array("d")
        # What had become of those that were sent again.
        self.first_fates: dict[int, Fate] = {}
        self.statuses: Counter[int] = Counter()
        # What no request may be answered with, in its own words.
        self.wrong: Counter[str] = Counter()
        self.slowest_seconds = 0.0
        # While PostgreSQL is away refusals are counted in the web processes' memory, and die with them.
        self.is_count_in_doubt = False
        self.in_doubt = 0

    def open(self) -> int:
        """The number of a new request."""
        self.fates.append(Fate.UNKNOWN)
        self.sent_at.append(time.monotonic())
        return len(self.fates) - 1

    def reopen(self, number: int) -> None:
        """The request is sent once more."""
        self.first_fates[number] = Fate(self.fates[number])
        if self.fates[number] == Fate.REFUSED:
            self.fates[number] = Fate.UNKNOWN
        self.sent_at[number] = time.monotonic()

    def close(self, number: int, status: int, head: bytes) -> bool:
        """Note an answer. Returns whether an event was accepted that was not before."""
        self.statuses[status] += 1
        self.slowest_seconds = max(self.slowest_seconds, time.monotonic() - self.sent_at[number])
        fate = Fate.ACCEPTED if status in SUCCESSES else Fate.REFUSED
        self.in_doubt += self.is_count_in_doubt and fate is Fate.REFUSED
        first = self.first_fates.get(number, Fate.NONE)
        # Of one that was sent twice one success is enough, and one unknown end leaves it unknown.
        self.fates[number] = Fate.ACCEPTED if Fate.ACCEPTED in (first, fate) else first or fate
        if status not in ((400, 503) if is_malformed(number) else (*SUCCESSES, 503)):
            self.wrong[f"{status} to {'a malformed request' if is_malformed(number) else 'an event'}"] += 1
        if status == 503 and b"\r\nretry-after: " not in head.lower():
            self.wrong["503 without Retry-After"] += 1
        return fate is Fate.ACCEPTED and first is not Fate.ACCEPTED

    def count(self, fate: Fate) -> int:
        return self.fates.count(fate)


def is_malformed(number: int) -> bool:
    return number % MALFORMED_EVERY == MALFORMED_EVERY - 1


def is_bot(number: int) -> bool:
    return number % BOT_EVERY == BOT_EVERY - 1


def is_named(number: int) -> bool:
    return number % NAMED_EVERY == NAMED_EVERY // 2


def visitor(number: int) -> str:
    """Whose request it is, for servers that believe it: everybody has their own address, and no limit is reached."""
    return str(IPv6Address(VISITORS + (number << 64)))


class Load:
    """Connections to one address that send one event after the other, until `stop()`."""

    def __init__(
        self,
        port: int,
        website: str,
        ledger: Ledger,
        *,
        address: str = "127.0.0.1",
        repeats: deque[int] | None = None,
        pause_seconds: float = 0.0,
    ) -> None:
        """Loads that share a ledger may share `repeats`: then a request may be sent again to another address.

        With a pause each connection rests between two requests.
        """
        self.address = address
        self.pause_seconds = pause_seconds
        self.port = port
        self.website = website
        self.ledger = ledger
        self.is_over = False
        self.accepted = 0
        self.callers: set[Caller] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self._repeats: deque[int] = deque() if repeats is None else repeats
        # Who waits for a number of accepted events, and who for one that was sent after a moment.
        self._goals: list[tuple[int, asyncio.Future[None]]] = []
        self._afters: list[tuple[float, asyncio.Future[float]]] = []

    def start(self, connections: int) -> None:
        self._tasks = [asyncio.create_task(self._keep_calling()) for _ in range(connections)]
        self._watcher = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        """Sends nothing more, and waits for the answers to what was sent."""
        self.is_over = True
        for caller in list(self.callers):
            caller.leave_if_idle()
        await asyncio.gather(*self._tasks)
        self._watcher.cancel()

    async def reach(self, accepted: int) -> None:
        """Returns when so many have been accepted."""
        if self.accepted < accepted:
            goal = asyncio.get_running_loop().create_future()
            self._goals.append((accepted, goal))
            await goal

    async def accepted_after(self, moment: float) -> float:
        """When the first event was accepted that was sent after the moment, in monotonic seconds."""
        after: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._afters.append((moment, after))
        return await after

    def next(self) -> int:
        """The number of the request to be sent now."""
        if not self._repeats:
            return self.ledger.open()
        number = self._repeats.popleft()
        self.ledger.reopen(number)
        return number

    def end(self, number: int) -> None:
        """The request has been answered, or will never be."""
        if is_named(number) and number not in self.ledger.first_fates:
            self._repeats.append(number)

    def settle(self, number: int, status: int, head: bytes) -> None:
        if not self.ledger.close(number, status, head):
            return
        self.accepted += 1
        if self._goals:
            self._goals = [goal for goal in self._goals if not self._is_reached(*goal)]
        if self._afters:
            self._afters = [after for after in self._afters if not self._is_after(number, *after)]

    def request(self, number: int) -> bytes:
        path = f"/e/{number}"
        fields = {"website_id": self.website, "event_type": "page_view", "url": f"https://acme.example{path}"}
        body = json.dumps(fields if is_malformed(number) else fields | {"path": path}).encode()
        agent = GOOGLEBOT if is_bot(number) else CHROME
        name = f"Idempotency-Key: {number}\r\n" if is_named(number) else ""
        return (
            f"POST /api/v1/collect HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: {agent}\r\n{name}"
            f"X-Forwarded-For: {visitor(number)}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        ).encode() + body

    def _is_reached(self, accepted: int, goal: "asyncio.Future[None]") -> bool:
        if self.accepted >= accepted and not goal.done():
            goal.set_result(None)
        return goal.done()

    def _is_after(self, number: int, moment: float, after: "asyncio.Future[float]") -> bool:
        if self.ledger.sent_at[number] > moment and not after.done():
            after.set_result(time.monotonic())
        return after.done()

    async def _keep_calling(self) -> None:
        loop = asyncio.get_running_loop()
        while not self.is_over:
            try:
                async with asyncio.timeout(CONNECT_SECONDS):
                    _, caller = await loop.create_connection(lambda: Caller(self), self.address, self.port)
            except OSError:
                await asyncio.sleep(RECONNECT_SECONDS)
                continue
            await caller.gone

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(1)
            oldest = time.monotonic() - PATIENCE_SECONDS
            for caller in list(self.callers):
                caller.give_up_before(oldest)


class Caller(asyncio.Protocol):
    """One connection: the next request goes out when the last one has been answered."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.number: int | None = None
        self.buffer = b""
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.load.callers.add(self)
        self.send()

    def send(self) -> None:
        if self.transport.is_closing():
            return
        if self.load.is_over:
            self.transport.close()
            return
        self.number = self.load.next()
        self.transport.write(self.load.request(self.number))

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, separator, body = self.buffer.partition(b"\r\n\r\n")
        if separator and len(body) >= length(head):
            self.close_book(head)
            self.buffer = b""
            if b"\r\nconnection: close" in head.lower():
                self.transport.close()
            elif self.load.pause_seconds:
                asyncio.get_running_loop().call_later(self.load.pause_seconds, self.send)
            else:
                self.send()

    def connection_lost(self, error: Exception | None) -> None:
        # Half an answer is one, as soon as its status line is whole.
        if b"\r\n" in self.buffer:
            self.close_book(self.buffer)
        if self.number is not None:
            self.load.end(self.number)
        self.load.callers.discard(self)
        self.gone.set_result(None)

    def close_book(self, head: bytes) -> None:
        if self.number is not None:
            self.load.settle(self.number, int(head[9:12]), head)
            self.load.end(self.number)
            self.number = None

    def leave_if_idle(self) -> None:
        if self.number is None:
            self.transport.close()

    def give_up_before(self, moment: float) -> None:
        if self.number is not None and self.load.ledger.sent_at[self.number] < moment:
            self.transport.abort()


def length(head: bytes) -> int:
    """Bytes of the body that follows this head."""
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0
