"""import_hits: history through the same pipeline (running.md, Commands)."""

import io
import json
import sys
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from analytics.history import import_hits
from analytics.models import Drop, Event
from analytics.tests.builders import CHROME, GOOGLEBOT, line, load, make_website, noon

pytestmark = pytest.mark.django_db


@pytest.fixture
def acme():
    return make_website(excluded_ips=["198.51.100.0/24"])


def test_good_lines_are_stored_at_the_times_they_give(acme):
    times = [noon(40), noon(2), noon(0) - timedelta(days=1)]
    tally = load(acme, *({"at": at} for at in times))
    assert (tally.stored, tally.flagged, tally.refused) == (3, 0, 0)
    assert sorted(Event.objects.values_list("occurred_at", flat=True)) == sorted(times)


def test_flagged_lines_are_stored_and_counted_as_flagged(acme):
    tally = load(acme, {"at": noon()}, {"at": noon(), "user_agent": GOOGLEBOT}, {"at": noon(), "ip": "198.51.100.7"})
    assert (tally.stored, tally.flagged) == (3, 2)
    assert sorted(Event.objects.values_list("is_bot", "is_excluded")) == [(False, False), (False, True), (True, False)]


def test_refused_lines_are_counted_by_reason_and_stop_nothing(acme):
    good = line(acme, at=noon())
    bad = [
        b"{",
        b"[]",
        line(acme, at=noon(), path="no-slash"),
        line(make_website(acme.account, "x.example"), at=noon(), website_id="550e8400-e29b-41d4-a716-446655440000"),
        line(acme, at=noon(), occurred_at="yesterday"),
        line(acme, at=timezone.now() + timedelta(hours=1)),
        line(acme, at=noon(), occurred_at="0001-01-01T00:00:00"),
        line(acme, at=noon(), occurred_at="0001-01-01T00:00:00+23:00"),
        line(acme, at=noon(), ip="nowhere"),
        line(acme, at=noon(), referrer="x" * 70_000),
    ]
    tally = import_hits([good, *bad, good], now=timezone.now())
    reasons = {"malformed_json": 1, "invalid_field": 3, "unknown_website": 1, "invalid_time": 4, "too_large": 1}
    assert (tally.stored, dict(tally.reasons), tally.refused) == (2, reasons, 10)
    assert dict(Drop.objects.values_list("reason", "count")) == reasons


def test_blank_lines_are_skipped(acme):
    tally = import_hits([b"\n", b"  \n", line(acme, at=noon()) + b"\n"], now=timezone.now())
    assert (tally.stored, tally.refused) == (1, 0)


def test_a_time_without_offset_is_utc_and_one_with_is_converted(acme):
    for text in ("2026-03-18T09:30:00", "2026-03-18T10:30:00+01:00", "2026-03-18T09:30:00Z"):
        import_hits([line(acme, at=noon(), occurred_at=text)], now=timezone.now())
    assert set(Event.objects.values_list("occurred_at", flat=True)) == {datetime(2026, 3, 18, 9, 30, tzinfo=UTC)}


def test_no_limit_applies(acme):
    assert load(acme, *({"at": noon()} for _ in range(50))).stored == 50


def test_hits_of_one_instant_keep_the_order_of_their_lines(acme):
    load(acme, *({"at": noon(), "path": f"/{n}"} for n in range(20)))
    assert list(Event.objects.order_by("id").values_list("path", flat=True)) == [f"/{n}" for n in range(20)]


def test_a_missing_agent_is_a_bot_as_in_life(acme):
    assert load(acme, {"at": noon(), "user_agent": None}).flagged == 1


def test_one_visitor_in_one_run_is_one_and_in_two_runs_of_a_past_day_two(acme):
    load(acme, {"at": noon()}, {"at": noon()})
    load(acme, {"at": noon()})
    assert len(set(Event.objects.values_list("visitor", flat=True))) == 2


def test_several_chunks_are_stored_whole(acme, monkeypatch):
    monkeypatch.setattr("analytics.history.CHUNK_LINES", 3)
    told = []
    lines = [line(acme, at=noon()) for _ in range(8)]
    tally = import_hits(lines, now=timezone.now(), progress=told.append)
    assert (tally.stored, len(told), sum(told)) == (8, 3, sum(map(len, lines)))


def test_the_command_prints_a_sentence_and_with_json_exactly_one_object(acme, tmp_path):
    file = tmp_path / "hits.ndjson"
    file.write_bytes(line(acme, at=noon()) + b"\n\nnonsense\n" + line(acme, at=noon(), user_agent=GOOGLEBOT))
    out, err = io.StringIO(), io.StringIO()
    call_command("import_hits", str(file), json=True, stdout=out, stderr=err)
    answer = json.loads(out.getvalue())
    assert answer.pop("seconds") >= 0
    assert answer == {"stored": 2, "flagged": 1, "refused": 1, "reasons": {"malformed_json": 1}}
    assert err.getvalue().startswith("Stored 2 hits, 1 of them flagged as bots or excluded, and refused 1 (1 malformed")


def test_the_command_reads_standard_input(acme, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(line(acme, at=noon()))))
    call_command("import_hits", "-", stderr=io.StringIO())
    assert Event.objects.count() == 1


def test_an_agent_is_only_a_header_and_never_stored(acme):
    load(acme, {"at": noon(), "user_agent": CHROME + " CanaryUA/7.7"})
    assert "Canary" not in str(Event.objects.values().get())
