"""The signals that decline (contract 4.5)."""

from datetime import UTC, datetime, timedelta

import pytest

from submissions.screening import contract_signals

NOW = datetime(2026, 6, 1, 12, 0, 0, tzinfo=UTC)


def signals(started: str = "", honeypot: str = "") -> dict:
    return contract_signals(honeypot=honeypot, form_started_at=started, now=NOW)


def ago(seconds: float) -> str:
    return (NOW - timedelta(seconds=seconds)).isoformat()


def test_a_person_is_clean():
    assert signals("2026-06-01T11:58:30.250Z") == {
        "honeypotFilled": False,
        "completedTooFast": False,
        "completionSeconds": 89.75,
        "reasons": [],
    }


@pytest.mark.parametrize("honeypot", ["https://spam.example", " ", "\n", "0"])
def test_any_text_fills_the_honeypot_a_space_included(honeypot):
    assert signals(ago(60), honeypot) == {
        "honeypotFilled": True,
        "completedTooFast": False,
        "completionSeconds": 60.0,
        "reasons": ["honeypot_filled"],
    }


@pytest.mark.parametrize(("seconds", "stored"), [(0, 0.0), (1.234, 1.23), (3.99, 3.99), (3.994, 3.99)])
def test_less_than_four_seconds_is_too_fast(seconds, stored):
    assert signals(ago(seconds)) == {
        "honeypotFilled": False,
        "completedTooFast": True,
        "completionSeconds": stored,
        "reasons": ["completed_too_fast"],
    }


@pytest.mark.parametrize(("seconds", "stored"), [(4, 4.0), (3.995, 4.0), (3.996, 4.0), (86400, 86400.0)])
def test_four_seconds_rounded_are_enough(seconds, stored):
    found = signals(ago(seconds))
    assert (found["completionSeconds"], found["completedTooFast"], found["reasons"]) == (stored, False, [])


def test_both_are_named_in_this_order():
    assert signals(ago(1), "x")["reasons"] == ["honeypot_filled", "completed_too_fast"]


@pytest.mark.parametrize(
    "started",
    [
        "",
        "yesterday",
        "1780000000",
        "2026-06-01T12:00:01Z",
        "2027-01-01T00:00:00Z",
        "1970-01-01T00:00:00Z",
        "1969-12-31T23:59:59Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "2026-02-30T00:00:00Z",
        "\x00",
        "\ud800",
    ],
)
def test_absent_unreadable_or_future_times_are_unknown_and_not_flagged(started):
    assert signals(started) == {
        "honeypotFilled": False,
        "completedTooFast": False,
        "completionSeconds": None,
        "reasons": [],
    }


@pytest.mark.parametrize("started", ["2026-06-01T11:59:58", "2026-06-01T11:59:58Z", "2026-06-01T13:59:58+02:00"])
def test_without_an_offset_it_is_utc(started):
    assert signals(started)["completionSeconds"] == 2.0
