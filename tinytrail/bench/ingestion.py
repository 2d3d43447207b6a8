"""Taking events: the front against the least that other ways cost, in interleaved rounds."""

import json
import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import redis
from django.conf import settings
from django.db import connection

from accounts.models import Website
from analytics.models import Event
from analytics.traffic import AGENTS
from tinytrail.bench import load
from tinytrail.bench.figures import at_most, heading, line, percentile
from tinytrail.bench.history import website
from tinytrail.bench.load import Load
from tinytrail.bench.server import Server

ROUNDS = 5
ROUND_SECONDS = 3.0
CONNECTIONS = 64
MANY_CONNECTIONS = 256
EMPTY_VIEW_GOAL = 1.2
RAW_GOAL = 0.40
LATENCY_GOAL_MS = 15
COMMITS_GOAL = 25
MEMORY_GOAL_MIB = 90
NEIGHBOUR_GOAL = 1.5
WEBSITES = 10
TABLE = """
CREATE TABLE IF NOT EXISTS bench_taken (id bigserial PRIMARY KEY, website_id uuid NOT NULL, event_type varchar(64)
NOT NULL, url text NOT NULL, path text NOT NULL, referrer text NOT NULL, screen_width double precision,
screen_height double precision, received_at timestamptz NOT NULL)
"""

WHAT = {
    "raw": "a raw ASGI answer",
    "empty": "an empty Django view",
    "startproject": "one with startproject's middleware",
    "drf": "DRF and the ORM",
    "durable": "durable collect",
}
RIVAL = {"TINYTRAIL_BENCH_RIVAL": "bare"}


def run() -> None:
    heading(f"Taking events, {CONNECTIONS} connections, {ROUNDS} interleaved rounds, one worker each")
    with website() as (site, _), rival_table(), ExitStack() as stack:
        servers = {
            "durable": stack.enter_context(Server("tinytrail.asgi:application", "asgi")),
            "raw": stack.enter_context(Server("tinytrail.bench.rivals:raw", "asgi")),
            "empty": stack.enter_context(Server("tinytrail.bench.rivals:django", "wsgi", **RIVAL)),
            "startproject": stack.enter_context(
                Server("tinytrail.bench.rivals:django", "wsgi", TINYTRAIL_BENCH_RIVAL="startproject")
            ),
            "drf": stack.enter_context(Server("tinytrail.bench.rivals:django", "wsgi", **RIVAL)),
        }
        paths = {"durable": "/api/v1/collect", "raw": "/", "drf": "/drf"}
        paths |= {"empty": "/empty", "startproject": "/empty"}
        calls = {name: call(site, path) for name, path in paths.items()}
        idle = memory_mib(servers["durable"].worker)
        for name, server in servers.items():
            load.run(server.port, calls[name], connections=CONNECTIONS, seconds=1.0)
        rates = throughput(site, servers, calls)
        latency(servers["durable"], calls["durable"], rates["durable"])
        neighbours(servers["durable"], site, rates["durable"])
        loaded = memory_mib(servers["durable"].worker)
        at_most("resident memory of the web process, idle", idle, MEMORY_GOAL_MIB, "MiB")
        at_most("resident memory of the web process, loaded", loaded, MEMORY_GOAL_MIB, "MiB")


@dataclass(slots=True)
class Spent:
    """What the durable server's rounds have cost."""

    answers: int = 0
    commits: int = 0
    redis_calls: int = 0
    cpu_seconds: float = 0.0


def throughput(site: Website, servers: dict[str, Server], calls: dict[str, bytes]) -> dict[str, float]:
    """The median rate of each server; the durable one's stored rows are counted against its answers."""
    found: dict[str, list[float]] = {name: [] for name in servers}
    before, spent = stored(site), Spent()
    for _ in range(ROUNDS):
        for name, server in servers.items():
            with counted(spent, server) if name == "durable" else nullcontext():
                made = load.run(server.port, calls[name], connections=CONNECTIONS, seconds=ROUND_SECONDS)
            found[name].append(made.rate)
            if set(made.statuses) != {"202"}:
                raise RuntimeError(f"{name} answered {made.statuses}.")
            spent.answers += made.answers if name == "durable" else 0
    rates = {name: statistics.median(values) for name, values in found.items()}
    for name, what in WHAT.items():
        print(f"{what:<44} {rates[name]:>14,.0f} calls/s", flush=True)
    for name, goal in (("empty", EMPTY_VIEW_GOAL), ("raw", RAW_GOAL)):
        ratio = rates["durable"] / rates[name]
        line(f"durable collect / {WHAT[name]}", f"{ratio:.2f}", f"at least {goal}", ratio / goal)
    for name in ("startproject", "drf"):
        print(f"{f'durable collect / {WHAT[name]}':<44} {rates['durable'] / rates[name]:>22.2f}")
    rows = stored(site) - before
    line("rows stored / events accepted", f"{rows:,} / {spent.answers:,}", "equal", rows / spent.answers)
    trips(spent, CONNECTIONS)
    crowd = Spent()
    with counted(crowd, servers["durable"]):
        made = load.run(servers["durable"].port, calls["durable"], connections=MANY_CONNECTIONS, seconds=ROUND_SECONDS)
    crowd.answers = made.answers
    trips(crowd, MANY_CONNECTIONS)
    print(f"{'CPU of the web process per event':<44} {spent.cpu_seconds / spent.answers * 1e6:>19,.0f} us")
    return rates


def trips(spent: Spent, connections: int) -> None:
    """Half of the callers are in the batch that is on its way, and half in the next one."""
    for what, count in (("COMMITs", spent.commits), ("Redis calls", spent.redis_calls)):
        at_most(f"{what} per 1,000 events, {connections} connections", count / spent.answers * 1000, COMMITS_GOAL, "")


@contextmanager
def counted(spent: Spent, server: Server) -> Iterator[None]:
    commits, calls, cpu = commits_so_far(), redis_calls(), server.cpu_seconds()
    yield
    spent.cpu_seconds += server.cpu_seconds() - cpu
    spent.commits += commits_so_far() - commits
    spent.redis_calls += redis_calls() - calls


def latency(server: Server, request: bytes, saturation: float) -> None:
    for connections in (16, 64):
        made = load.run(server.port, request, connections=connections, seconds=ROUND_SECONDS)
        print(f"{f'saturated, {connections} connections: p50, p99':<44} {milliseconds(made)}", flush=True)
    half = load.run(server.port, request, connections=64, seconds=2 * ROUND_SECONDS, rate=saturation / 2)
    at_most("p99 at half of saturation", percentile(half.latencies, 99) * 1000, LATENCY_GOAL_MS, "ms")


def neighbours(server: Server, site: Website, saturation: float) -> None:
    """What others feel of a website that has nine tenths of the calls, beside as many calls evenly spread (F29)."""
    others = [Website.objects.create(account=site.account, domain=f"{n}.example") for n in range(1, WEBSITES)]
    small = [call(other, "/api/v1/collect") for other in others]
    big = call(site, "/api/v1/collect")
    # One call in ten, of each of the nine in turn; and the same calls with the big website's spread over the nine.
    uneven = [request for other in small for request in (*[big] * (WEBSITES - 1), other)]
    even = [request for other in small for request in (*small, other)]
    found: dict[str, list[float]] = {"even": [], "uneven": []}
    for _ in range(ROUNDS):
        for name, requests in (("even", even), ("uneven", uneven)):
            made = load.run(server.port, *requests, connections=CONNECTIONS, seconds=ROUND_SECONDS, rate=saturation / 2)
            quiet = [seconds for took in made.took[WEBSITES - 1 :: WEBSITES] for seconds in took]
            found[name].append(percentile(quiet, 99))
    ratio = statistics.median(found["uneven"]) / statistics.median(found["even"])
    line(
        "p99 beside one with 90 % / with all alike", f"{ratio:.2f}", f"at most {NEIGHBOUR_GOAL}", NEIGHBOUR_GOAL / ratio
    )


def milliseconds(made: Load) -> str:
    return f"{percentile(made.latencies, 50) * 1000:>8.1f} ms {percentile(made.latencies, 99) * 1000:>8.1f} ms"


def call(site: Website, path: str) -> bytes:
    """A page view of the website as the bytes of a request."""
    body = json.dumps(
        {
            "website_id": str(site.public_id),
            "event_type": "page_view",
            "url": "https://bench.example/blog/post-1?utm_source=news",
            "path": "/blog/post-1",
            "referrer": "https://www.google.com/",
            "screen_width": 1920,
            "screen_height": 1080,
        }
    )
    return (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nUser-Agent: {AGENTS[0][0]}\r\n"
        f"Origin: https://bench.example\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


@contextmanager
def rival_table() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute(TABLE)
        yield
        cursor.execute("DROP TABLE bench_taken")


def stored(site: Website) -> int:
    return Event.objects.filter(website_id=site.id).count()


def commits_so_far() -> int:
    with connection.cursor() as cursor:
        # Sessions report their counts with a delay of up to a second.
        time.sleep(1.1)
        cursor.execute("SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])


def redis_calls() -> int:
    """Calls over the wire: what a script does inside Redis is counted by Redis too, and costs no round trip."""
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        stats: dict[str, dict[str, int]] = client.info("commandstats")
    return sum(stats.get(f"cmdstat_{name}", {}).get("calls", 0) for name in ("evalsha", "xadd", "xlen"))


def memory_mib(process: int) -> float:
    for row in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
        if row.startswith("Rss:"):
            return int(row.split()[1]) / 1024
    return 0.0
