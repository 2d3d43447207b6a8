"""Import, build, size on disk and report latency, over one made-up history of a website."""

import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, timedelta
from typing import IO, Any
from urllib.parse import quote

from django.db import connection
from django.utils import timezone

from accounts import keys
from accounts.models import Account, User, Website
from analytics import retention
from analytics.history import import_hits
from analytics.models import BuiltDay
from analytics.rollups.aggregate import all_days
from analytics.rollups.build import build
from analytics.rollups.definitions import ROLLUPS
from analytics.traffic import hits
from tinytrail.bench import spending
from tinytrail.bench.figures import at_least, at_most, heading, percentile
from tinytrail.bench.server import Server

IMPORT_GOAL = 20_000
BUILD_GOAL = 100_000
BYTES_GOAL = 160
REPORT_GOAL_MS = 50
FUNNEL_GOAL_MS = 150
FILTERED_GOAL_MS = 300
ROUNDS = 40

REPORTS = [
    "summary?compare=previous_period",
    "pages",
    "pages?per_page=500&include_bots=true",
    "sources",
    "sources?group_by=domain",
    "sources?group_by=utm",
    "devices",
    "flow",
    "realtime",
    "custom-events",
    "timeseries?metric=bounce_rate",
    f"timeseries?metric=visits&path={quote('/pricing', safe='')}",
    "funnel?steps[]=/pricing&steps[]=/signup&steps[]=signup_complete",
    "funnel?steps[]=page_view&steps[]=/pricing&steps[]=/signup",
]
# Over the visits themselves, all million events of them.
FILTERED = [
    "summary?filter[channel]=Social&compare=previous_period",
    "pages?filter_not[channel]=Direct",
    "pages?filter[page]=/blog/*&filter[device]=desktop",
    "sources?filter[page]=/pricing",
    "timeseries?filter[event]=signup_complete&metric=visits",
]


def run(*, events: int, days: int) -> None:
    today = timezone.now().astimezone(UTC).date()
    with website() as (site, key), tempfile.TemporaryFile() as lines:
        stored = loaded(site, lines, today, events, days)
        built(site, stored)
        reports(site, key)
    with website() as (site, _):
        page_view_bytes(site, today)


@contextmanager
def website() -> Iterator[tuple[Website, str]]:
    """A website of its own, gone with all its rows at the end."""
    account = Account.objects.create(name="bench")
    site = Website.objects.create(account=account, domain="bench.example")
    user = User(account=account, role=User.Role.USER)
    key = keys.issue(user)
    try:
        yield site, key
    finally:
        Account.objects.filter(id=account.id).update(deleted_at=timezone.now())
        retention.purge_deleted()


def loaded(site: Website, lines: IO[bytes], today: date, events: int, days: int) -> int:
    heading(f"History: {events:,} events over {days} days")
    made = hits(str(site.public_id), site.domain, last=today, days=days, per_day=round(events / days * 1.17))
    for count, hit in enumerate(made):
        if count == events or hit["occurred_at"] > timezone.now().isoformat():
            break
        lines.write(json.dumps(hit).encode() + b"\n")
    lines.seek(0)
    began = time.perf_counter()
    tally = import_hits(lines, now=timezone.now())
    seconds = time.perf_counter() - began
    assert tally.refused == 0, tally.reasons
    at_least("import_hits", tally.stored / seconds, IMPORT_GOAL, "hits/s")
    return tally.stored


def built(site: Website, stored: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE analytics_event")
    days = [day for _, day in all_days(site.id)]
    for what in ("build, first", "build, from nothing", "build, nothing new"):
        if what == "build, from nothing":
            models: list[Any] = [*(rollup.model for rollup in ROLLUPS), BuiltDay]
            for model in models:
                model.objects.filter(website_id=site.id).delete()
        began, spent = time.perf_counter(), spending.postgresql_seconds() or 0.0
        for day in days:
            build(site.id, day, now=timezone.now())
        at_least(what, stored / (time.perf_counter() - began), BUILD_GOAL, "events/s")
        seconds = (spending.postgresql_seconds() or 0.0) - spent
        print(f"{'  CPU of PostgreSQL per million events':<44} {seconds / stored * 1e6:>20,.1f} s", flush=True)
        if what == "build, first":
            derived_bytes(stored, len(days))


def derived_bytes(stored: int, days: int) -> None:
    """What is kept beside the events, and for longer: visits by their number, roll-ups by days and labels."""
    tables = [rollup.table for rollup in ROLLUPS]
    with connection.cursor() as cursor:
        cursor.execute("SELECT sum(pg_total_relation_size(relid)) FROM pg_partition_tree('analytics_visit')")
        visits = int(cursor.fetchone()[0])
        cursor.execute("SELECT sum(pg_total_relation_size(name::regclass)) FROM unnest(%s::text[]) AS name", [tables])
        # Of a partitioned table, such as that of the visits, PostgreSQL says 0 here.
        rollups = int(cursor.fetchone()[0])
    print(f"{'visits, per event':<44} {visits / stored:>16,.0f} bytes")
    print(f"{'roll-ups, of a day of the website':<44} {rollups / days:>16,.0f} bytes", flush=True)


def reports(site: Website, key: str) -> None:
    heading("Reports over HTTP, 90 days, uncached, p95")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    with Server("tinytrail.asgi:application", "asgi") as server:
        for report in REPORTS + FILTERED:
            joint = "&" if "?" in report else "?"
            address = f"/api/v1/reports/{report}{joint}website_id={site.public_id}&period=90d"
            for _ in range(3):
                server.get(address, key)
            times = [server.get(address, key) for _ in range(ROUNDS)]
            at_most(report[:44], percentile(times, 95) * 1000, goal_ms(report), "ms")


def goal_ms(report: str) -> int:
    if "filter" in report:
        return FILTERED_GOAL_MS
    return FUNNEL_GOAL_MS if report.startswith("funnel") else REPORT_GOAL_MS


def page_view_bytes(site: Website, today: date) -> None:
    """The size of a month that holds nothing but page views."""
    heading("Size on disk")
    month = (today.replace(day=1) - timedelta(days=300)).replace(day=1)
    retention.ensure_partitions(today=month)
    made = hits(str(site.public_id), site.domain, last=month + timedelta(days=27), days=28, per_day=14_000)
    views = (json.dumps(hit).encode() for hit in made if hit["event_type"] == "page_view")
    partition = f"analytics_event_{month:%Y_%m}"
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {partition}")
        tally = import_hits(views, now=timezone.now())
        cursor.execute("SELECT pg_total_relation_size(%s::regclass)", [partition])
        size = cursor.fetchone()[0]
        cursor.execute(f"TRUNCATE {partition}")
    at_most("page view with its index", size / tally.stored, BYTES_GOAL, "bytes")
