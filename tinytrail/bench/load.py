"""A load generator: keep-alive connections on one epoll loop, in a process of its own."""

import json
import re
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from itertools import cycle
from typing import Any

LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


@dataclass(slots=True)
class Load:
    """What came of a run: answers by status, and the seconds that each took, those of each request by themselves."""

    seconds: float = 0.0
    statuses: dict[str, int] = field(default_factory=dict)
    took: list[list[float]] = field(default_factory=list)

    @property
    def latencies(self) -> list[float]:
        return [seconds for each in self.took for seconds in each]

    @property
    def answers(self) -> int:
        return sum(self.statuses.values())

    @property
    def rate(self) -> float:
        return self.answers / self.seconds


def run(port: int, *requests: bytes, connections: int, seconds: float, rate: float = 0.0) -> Load:
    """A run from a process of its own, of these requests in turn.

    With a `rate` calls are sent at that pace, and wait for a free connection.
    """
    command = [sys.executable, "-m", "tinytrail.bench.load"]
    arguments = {
        "port": port,
        "requests": [request.decode() for request in requests],
        "connections": connections,
        "seconds": seconds,
        "rate": rate,
    }
    made = subprocess.run(command, input=json.dumps(arguments), stdout=subprocess.PIPE, text=True, check=True)
    return Load(**json.loads(made.stdout))


def drive(port: int, requests: Sequence[bytes], *, connections: int, seconds: float, rate: float) -> Load:
    load = Load(took=[[] for _ in requests])
    turns = cycle(range(len(requests)))
    with selectors.EpollSelector() as selector:
        lines = [socket.create_connection(("127.0.0.1", port)) for _ in range(connections)]
        for line in lines:
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(line, selectors.EVENT_READ)
        begun: dict[socket.socket, bytes] = {}
        free, sent_at, sent, began = (
            list(lines),
            dict.fromkeys(lines, 0.0),
            dict.fromkeys(lines, 0),
            time.perf_counter(),
        )
        end, due = began + seconds, began
        while (now := time.perf_counter()) < end or len(free) < connections:
            while free and now < end and (not rate or due <= now):
                line = free.pop()
                # At a pace, the time a call had to wait for a connection counts as well.
                sent_at[line] = due if rate else now
                due += 1 / rate if rate else 0
                sent[line] = next(turns)
                line.sendall(requests[sent[line]])
            for key, _ in selector.select(max(0.0, due - now) if rate and free else 1.0):
                line = key.fileobj  # type: ignore[assignment] # sockets are all there is
                data = line.recv(65_536)
                if not data:
                    raise ConnectionError("The server has closed a connection.")
                answer = begun.pop(line, b"") + data
                if not is_whole(answer):
                    begun[line] = answer
                    continue
                status = answer[9:12].decode()
                load.statuses[status] = load.statuses.get(status, 0) + 1
                load.took[sent[line]].append(time.perf_counter() - sent_at[line])
                free.append(line)
        load.seconds = time.perf_counter() - began
        for line in lines:
            line.close()
    return load


def is_whole(answer: bytes) -> bool:
    head, end, body = answer.partition(b"\r\n\r\n")
    length = LENGTH.search(head)
    return bool(end) and len(body) >= (int(length[1]) if length else 0)


def main() -> None:
    arguments: dict[str, Any] = json.load(sys.stdin)
    requests = [request.encode() for request in arguments.pop("requests")]
    load = drive(arguments.pop("port"), requests, **arguments)
    json.dump(asdict(load), sys.stdout)


if __name__ == "__main__":
    main()
