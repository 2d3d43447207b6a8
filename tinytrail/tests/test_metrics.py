"""GET /metrics: what an operator watches, and who may."""

import asyncio
import json
import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import redis
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from analytics import drops
from analytics.ingest import figures
from analytics.ingest.figures import Figures
from analytics.ingest.reading import Outcome
from analytics.models import DirtyDay
from analytics.rollups.build import build
from analytics.tests.builders import load, make_website, noon
from analytics.vocabulary import Dialect
from submissions.models import Mail
from tinytrail import sending
from tinytrail.settings import networks

pytestmark = pytest.mark.django_db
SAMPLE = re.compile(r"^(tinytrail_\w+(?:\{[^}]*\})?) (\S+)$", re.M)


@pytest.fixture(autouse=True)
def place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where the processes of this web server write."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    figures.make(figures.folder())
    return figures.folder()


def scraped(client: Client) -> dict[str, float]:
    answer = client.get("/metrics")
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    return {name: float(value) for name, value in SAMPLE.findall(answer.text)}


def busy() -> Figures:
    """A process that has answered two batches."""
    process = Figures(processes=1, connected=1, waiting=3, commits=2, outages=5)
    process.note_batch([(Dialect.V1, Outcome.STORED)] * 3, 3, 0.004)
    process.note_batch([(Dialect.OPENPANEL, Outcome.LIMITED)], 1, 3.0)
    process.note_limits(["openpanel"])
    return process


def test_it_works(client: Client, place: Path) -> None:
    figures.write(busy(), place)
    found = scraped(client)
    assert found['tinytrail_calls_total{dialect="v1",outcome="stored"}'] == 3
    assert found['tinytrail_calls_total{dialect="openpanel",outcome="rate_limited"}'] == 1
    assert found['tinytrail_limited_total{limit="openpanel"}'] == 1
    assert (found['tinytrail_batch_calls_bucket{le="2"}'], found['tinytrail_batch_calls_bucket{le="4"}']) == (1, 2)
    assert (found["tinytrail_batch_calls_sum"], found["tinytrail_batch_calls_count"]) == (4, 2)
    assert (found['tinytrail_batch_seconds_bucket{le="0.005"}'], found["tinytrail_batch_seconds_sum"]) == (1, 3.004)
    assert (found["tinytrail_commits_total"], found["tinytrail_outage_events_total"]) == (2, 5)
    assert (found["tinytrail_calls_waiting"], found["tinytrail_web_processes_connected"]) == (3, 1)
    assert (found["tinytrail_postgresql_up"], found["tinytrail_redis_up"]) == (1, 1)
    assert 0 < found["tinytrail_postgresql_connections"] <= found["tinytrail_postgresql_connections_most"]


def test_all_processes_of_the_web_server_are_added_up_and_one_that_has_died_keeps_its_counts(
    client: Client, place: Path
) -> None:
    figures.write(busy(), place)
    # Of a process that is no more: numbers end well below this one.
    (place / f"{2**22 + 1}.figures").write_bytes(next(place.iterdir()).read_bytes())
    (place / "7.draft").write_bytes(b"torn")
    found = scraped(client)
    assert found['tinytrail_calls_total{dialect="v1",outcome="stored"}'] == 6
    assert found["tinytrail_batch_calls_count"] == 4
    assert (found["tinytrail_web_processes"], found["tinytrail_calls_waiting"]) == (1, 3)


def test_what_servers_that_are_gone_have_left_is_cleared_away_also_those_that_had_the_same_number(
    client: Client, place: Path
) -> None:
    gone = place.with_name(f"{2**22 + 1}-unknown")
    namesake = place.with_name(f"{os.getppid()}-before")
    for folder in (gone, namesake):
        folder.mkdir()
        figures.write(busy(), folder)
    other = figures.folder(1)
    other.mkdir()
    figures.make(place)
    assert set(place.parent.iterdir()) == {place, other}
    assert scraped(client)["tinytrail_batch_calls_count"] == 0


def test_a_folder_that_is_somebody_elses_costs_the_metrics_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
    asyncio.run(figures.keep_writing(busy))
    assert [record.getMessage().partition(":")[0] for record in caplog.records] == [
        "The metrics know nothing of this process"
    ]


def test_what_waits_is_measured_with_its_age(client: Client) -> None:
    now = timezone.now()
    DirtyDay.objects.create(website_id=1, day=now.date(), at=now - timedelta(minutes=5))
    at = now - timedelta(hours=1)
    Mail.objects.create(key="a", kind="received", to="x@example.com", created_at=at, due_at=at)
    found = scraped(client)
    assert found["tinytrail_mails_waiting"] == 1
    assert 3600 <= found["tinytrail_mails_oldest_seconds"] < 3700
    assert 300 <= found["tinytrail_unbuilt_oldest_seconds"] < 400
    assert (found["tinytrail_outage_batches"], found["tinytrail_outage_oldest_seconds"]) == (0, 0)
    assert (found["tinytrail_submissions_waiting"], found["tinytrail_removal_oldest_seconds"]) == (0, 0)


def test_builds_are_counted_whichever_process_builds(client: Client) -> None:
    acme = make_website()
    load(acme, {"at": noon()})
    before = scraped(client)["tinytrail_builds_total"]
    build(acme.id, noon().date(), now=timezone.now())
    found = scraped(client)
    assert found["tinytrail_builds_total"] == before + 1
    assert found["tinytrail_build_seconds_total"] > 0


def test_what_was_refused_today_is_shown_by_reason_and_of_no_website(client: Client) -> None:
    today = datetime.now(UTC).date()
    for website in (1, 2):
        drops.count("v1", "invalid_payload", day=today, website_id=website)
    drops.count("v1", "invalid_payload", day=today - timedelta(days=1))
    found = scraped(client)
    assert {name: value for name, value in found.items() if "drops" in name} == {
        'tinytrail_drops_total{dialect="v1",reason="invalid_payload"}': 2
    }


def test_tasks_that_nobody_takes_are_measured(client: Client, settings: LazySettings) -> None:
    with redis.Redis.from_url(settings.REDIS_URL) as broker:
        sent_at = timezone.now().timestamp() - 600
        broker.lpush(sending.QUEUE, json.dumps({"headers": {"sent_at": sent_at}}), '{"headers": {}}')
        broker.set(sending.MARK, sent_at)
    found = scraped(client)
    assert found["tinytrail_tasks_waiting"] == 2
    assert 600 <= found["tinytrail_tasks_oldest_seconds"] < 700
    assert 600 <= found["tinytrail_beat_silent_seconds"] < 700


def test_a_redis_that_is_away_is_told_and_the_rest_is_there(
    client: Client, settings: LazySettings, place: Path
) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    figures.write(busy(), place)
    found = scraped(client)
    assert (found["tinytrail_redis_up"], found["tinytrail_postgresql_up"]) == (0, 1)
    assert found["tinytrail_commits_total"] == 2


@pytest.mark.parametrize(
    "who",
    [
        {"REMOTE_ADDR": "203.0.113.9"},
        {"REMOTE_ADDR": "10.1.2.3"},
        {"REMOTE_ADDR": "::ffff:203.0.113.9"},
        {"REMOTE_ADDR": ""},
        # Through a proxy on the same machine.
        {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "203.0.113.9"},
        {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "127.0.0.1"},
        {"REMOTE_ADDR": "127.0.0.1", "HTTP_FORWARDED": "for=127.0.0.1"},
        {"REMOTE_ADDR": "203.0.113.9", "HTTP_AUTHORIZATION": "Bearer "},
        {"REMOTE_ADDR": "127.0.0.1", "HTTP_AUTHORIZATION": "Bearer guessed"},
        {"REMOTE_ADDR": "203.0.113.9", "HTTP_AUTHORIZATION": "Basic 0123456789abcdef"},
    ],
)
def test_for_others_it_does_not_exist(client: Client, settings: LazySettings, who: dict[str, str]) -> None:
    settings.METRICS_TOKEN = "0123456789abcdef"
    answer = client.get("/metrics", **who)
    nowhere = client.get("/metric", **who)
    assert (answer.status_code, answer.content) == (404, nowhere.content.replace(b"/metric", b"/metrics"))


def test_a_network_that_is_named_may_read_it_and_so_may_who_brings_the_token(
    client: Client, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TINYTRAIL_METRICS_NETWORKS", "10.0.0.0/8, fd00::/8")
    settings.METRICS_NETWORKS = networks("TINYTRAIL_METRICS_NETWORKS")
    settings.METRICS_TOKEN = "0123456789abcdef"
    for address in ("10.1.2.3", "::ffff:10.1.2.3", "fd00::1"):
        assert client.get("/metrics", REMOTE_ADDR=address).status_code == 200
    assert client.get("/metrics/", REMOTE_ADDR="127.0.0.1").status_code == 404
    token = {"REMOTE_ADDR": "203.0.113.9", "HTTP_AUTHORIZATION": "Bearer 0123456789abcdef"}
    assert client.get("/metrics", **token).status_code == 200


def test_without_a_token_none_opens_it(client: Client, settings: LazySettings) -> None:
    settings.METRICS_TOKEN = ""
    assert client.get("/metrics", REMOTE_ADDR="203.0.113.9", HTTP_AUTHORIZATION="Bearer ").status_code == 404
