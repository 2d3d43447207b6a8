"""GET /metrics, for Prometheus: internal, and for everybody else a page that does not exist.

What has happened comes from the counters of this host's web processes (analytics.ingest.figures), what waits and how
long it has waited from PostgreSQL and Redis. Nothing here names a website, an account or a person.
"""

import hmac
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import redis
from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, connection, transaction
from django.db.models import Count, Min, QuerySet, Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from analytics.ingest import figures, outage
from analytics.ingest.figures import Figures, Spread
from analytics.models import DirtyDay, Drop, Quarantine
from analytics.retention import waiting_for_removal
from analytics.rollups.build import BUILD_MILLISECONDS, BUILDS
from analytics.vocabulary import Dialect
from submissions.models import Mail, Submission
from tinytrail import sending
from tinytrail.health import probe
from tinytrail.web import client
from tinytrail.web.openapi import HTML, described, reply

# A scrape must not add to the trouble it shows.
STATEMENT_MILLISECONDS = 2_000

Metrics = Iterator[Metric]


OPERATION = {
    "operationId": "metrics",
    "summary": "What Prometheus collects",
    "description": "For networks of `TINYTRAIL_METRICS_NETWORKS`, and for who brings `TINYTRAIL_METRICS_TOKEN`.",
    "tags": ["operations"],
    "security": [{"MetricsToken": []}, {}],
    "responses": {
        "200": reply("The figures of this host", ("text/plain", {"type": "string"})),
        "404": reply("Not for who asks", HTML),
    },
}


# Nothing can be forged of what is only read; without this a wrong method would be a form's 403.
@described(OPERATION)
@csrf_exempt
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    if not may_read(request):
        raise Http404
    registry = CollectorRegistry()
    registry.register(Collected(now=timezone.now()))
    answer = HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_PLAIN_0_0_4)
    answer["Cache-Control"] = "no-store"
    return answer


def may_read(request: HttpRequest) -> bool:
    """Whether it comes from a network of TINYTRAIL_METRICS_NETWORKS, or brings TINYTRAIL_METRICS_TOKEN."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if settings.METRICS_TOKEN and scheme.lower() == "bearer":
        return hmac.compare_digest(token.strip().encode(), settings.METRICS_TOKEN.encode())
    if {"X-Forwarded-For", "Forwarded", "X-Real-Ip"} & set(request.headers):
        # It came through a proxy, whose own address, which may well be loopback, says nothing of who asks.
        return False
    peer = client.parsed(request.META.get("REMOTE_ADDR", ""))
    return peer is not None and any(peer in network for network in settings.METRICS_NETWORKS)


class Collected:
    """What one scrape is answered. A part whose server does not answer is left out, and its `up` says so."""

    def __init__(self, *, now: datetime) -> None:
        self.now = now

    def collect(self) -> Metrics:
        yield from of_processes(figures.read(figures.folder()))
        yield from part("postgresql", lambda: list(of_postgresql(self.now)))
        yield from part("redis", lambda: list(of_redis(self.now)))


def part(server: str, collect: Callable[[], Sequence[Metric]]) -> Metrics:
    found: Sequence[Metric] = ()
    is_up = True
    try:
        found = collect()
    except (DatabaseError, redis.RedisError):
        is_up = False
    yield gauge(f"{server}_up", f"Whether {server} answers this process", is_up)
    yield from found


# -- this host's web processes -----------------------------------------------------------------------------------------


def of_processes(now: Figures) -> Metrics:
    calls = counter("calls", "Calls of ingest routes, by dialect and what became of them", ["dialect", "outcome"])
    for (dialect, outcome), count in sorted(now.calls.items()):
        calls.add_metric([Dialect(dialect).word, outcome], count)
    yield calls
    limited = counter("limited", "Calls of ingest routes over a limit, by the limit's name", ["limit"])
    for name, count in sorted(now.limited.items()):
        limited.add_metric([name], count)
    yield limited
    yield histogram("batch_calls", "Calls that were answered together", figures.SIZES, now.sizes)
    yield histogram("batch_seconds", "From a batch's first step to its answers", figures.SECONDS, now.seconds)
    yield counter("commits", "Transactions that stored a batch", value=now.commits)
    yield counter("outage_events", "Events that went into the outage stream", value=now.outages)
    yield gauge("calls_waiting", "Calls that wait for a batch", now.waiting)
    yield gauge("web_processes", "Web processes of this host", now.processes)
    yield gauge("web_processes_connected", "Those of them that PostgreSQL answers", now.connected)


# -- PostgreSQL --------------------------------------------------------------------------------------------------------


def of_postgresql(now: datetime) -> Metrics:
    if not probe.answers(now=time.monotonic()):
        raise DatabaseError
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL statement_timeout = {STATEMENT_MILLISECONDS}")
        yield from of_connections(cursor)
        yield from waiting("mails", "Mails that were not sent yet", Mail.objects.filter(sent_at=None), now)
        pending = Submission.objects.filter(status=Submission.Status.PENDING)
        yield from waiting("submissions", "Proposals that nobody has decided on", pending, now)
        yield from waiting("quarantined", "Rows that the table of events refused", Quarantine.objects.all(), now, "at")
        yield age("unbuilt", "that waits for its build, of a day's roll-ups", oldest_unbuilt(), now)
        yield age(
            "removal", "that was deleted and still has rows, of accounts and websites", waiting_for_removal(), now
        )
        yield of_drops(now)


def of_connections(cursor: Any) -> Metrics:  # noqa: ANN401 (Django's wrapper of psycopg's cursor)
    cursor.execute(
        "SELECT (SELECT count(*) FROM pg_stat_activity WHERE usename IS NOT NULL),"
        " current_setting('max_connections')::int"
    )
    used, most = cursor.fetchone()
    yield gauge("postgresql_connections", "Connections that PostgreSQL has, whoever's", used)
    yield gauge("postgresql_connections_most", "Connections that PostgreSQL allows", most)


def waiting(name: str, what: str, rows: "QuerySet[Any]", now: datetime, since: str = "created_at") -> Metrics:
    facts = rows.aggregate(count=Count("pk"), oldest=Min(since))
    yield gauge(f"{name}_waiting", what, facts["count"])
    yield age(name, f"of {name}", facts["oldest"], now)


def oldest_unbuilt() -> datetime | None:
    oldest: datetime | None = DirtyDay.objects.aggregate(at=Min("at"))["at"]
    return oldest


def of_drops(now: datetime) -> Metric:
    """A counter that starts anew with each day (UTC), as `rate` expects of a counter at times."""
    drops = counter("drops", "Requests refused or not recorded today, of the whole installation", ["dialect", "reason"])
    today = Drop.objects.filter(day=now.astimezone(UTC).date())
    for dialect, reason, count in today.values_list("dialect", "reason").annotate(Sum("count")).order_by():
        drops.add_metric([dialect, reason], count)
    return drops


# -- Redis -------------------------------------------------------------------------------------------------------------


def of_redis(now: datetime) -> Metrics:
    with redis.Redis.from_url(settings.REDIS_URL, **sending.PATIENCE) as server:
        yield gauge("outage_batches", "Batches that wait for PostgreSQL", outage.length(server))
        yield age("outage", "of the batches that wait for PostgreSQL", outage.oldest_at(server), now)
        waiting_tasks, sent_at = sending.tasks(server)
        yield gauge("tasks_waiting", "Tasks that no worker has taken", waiting_tasks)
        yield age("tasks", "of the tasks that no worker has taken", sent_at, now)
        beat_at = sending.beat_at(server)
        if beat_at is not None:
            yield gauge("beat_silent_seconds", "Since beat last sent a task", (now - beat_at).total_seconds())
    yield counter("builds", "Days that were built, by all processes", value=cache.get(BUILDS, 0))
    seconds = cache.get(BUILD_MILLISECONDS, 0) / 1000
    yield counter("build_seconds", "How long those builds took", value=seconds)


# -- their kinds -------------------------------------------------------------------------------------------------------


def gauge(name: str, what: str, value: float) -> Metric:
    return GaugeMetricFamily(f"tinytrail_{name}", f"{what}.", value=float(value))


def age(name: str, what: str, since: datetime | None, now: datetime) -> Metric:
    """Seconds, 0 when nothing waits."""
    seconds = max(0.0, (now - since).total_seconds()) if since else 0.0
    return gauge(f"{name}_oldest_seconds", f"Age of the oldest {what}", seconds)


def counter(name: str, what: str, labels: Sequence[str] = (), value: float | None = None) -> CounterMetricFamily:
    return CounterMetricFamily(f"tinytrail_{name}", f"{what}.", labels=labels or None, value=value)


def histogram(name: str, what: str, ends: Sequence[float], spread: Spread) -> Metric:
    buckets, total = [], 0
    for end, count in zip((*map(str, ends), "+Inf"), spread.counts, strict=True):
        total += count
        buckets.append((end, total))
    return HistogramMetricFamily(f"tinytrail_{name}", f"{what}.", buckets=buckets, sum_value=spread.sum)
