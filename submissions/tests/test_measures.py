"""Waiting times, decisions per week, and the precision of automatic decline, against answers worked out by hand."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from submissions import measures, review
from submissions.models import Submission
from submissions.tests.builders import NOW, make_calendar, make_spam, make_submission

pytestmark = pytest.mark.django_db


@pytest.fixture
def calendar():
    return make_calendar()


def decided(calendar, *, waited, status="accepted", by="admin-panel", at=NOW):
    return make_submission(
        calendar, status=status, reviewed_by=by, reviewed_at=at, created_at=at - waited, review_reason=status
    )


def hours(*numbers):
    return [timedelta(hours=number) for number in numbers]


def everything():
    return Submission.objects.all()


def test_waiting_is_from_receipt_to_decision_with_its_median_and_90th_percentile(calendar):
    for waited in hours(1, 2, 3, 4, 11):
        decided(calendar, waited=waited)
    make_submission(calendar, created_at=NOW - timedelta(hours=9))
    found = measures.wait(everything(), now=NOW)
    # Of five, the 90th percentile lies at 3.6 steps of four: 4 h and 0.6 of the way to 11 h.
    assert found == measures.Wait(5, *hours(3, 8.2, 9))


def test_automatic_declines_and_withdrawals_are_left_out(calendar):
    make_spam(calendar)
    decided(calendar, waited=timedelta(days=3), status="declined", by="host")
    decided(calendar, waited=timedelta(hours=1), status="declined", by="some name")
    assert measures.wait(everything(), now=NOW).median == timedelta(hours=1)
    assert measures.wait(everything(), now=NOW).decided == 1


def test_only_decisions_of_the_last_30_days_tell_how_it_is_now(calendar):
    decided(calendar, waited=timedelta(hours=50), at=NOW - timedelta(days=31))
    decided(calendar, waited=timedelta(hours=1), at=NOW - timedelta(days=30))
    assert measures.wait(everything(), now=NOW).median == timedelta(hours=1)


def test_nothing_decided_is_no_median_and_nothing_pending_no_oldest():
    assert measures.wait(everything(), now=NOW) == measures.Wait(0, None, None, None)


def test_the_contracts_counters_are_by_review_time_with_automatic_declines(calendar):
    make_submission(calendar)
    decided(calendar, waited=timedelta(hours=1), at=NOW - timedelta(days=7))
    decided(calendar, waited=timedelta(hours=1), at=NOW - timedelta(days=7, seconds=1))
    decided(calendar, waited=timedelta(hours=1), status="declined")
    make_spam(calendar)
    assert measures.totals(everything(), now=NOW) == {
        "totalCount": 5,
        "pendingCount": 1,
        "acceptedLast7Days": 1,
        "declinedLast7Days": 2,
    }


def test_precision_is_one_minus_overturned_over_automatically_declined(calendar):
    spam = [make_spam(calendar) for _ in range(8)]
    assert measures.precision(everything()) == measures.Precision(8, 0, Decimal("1.0000"))
    review.reopen(spam[0].id, by="admin-panel", now=NOW)
    assert measures.precision(everything()) == measures.Precision(8, 1, Decimal("0.8750"))
    review.accept(spam[0].id, by="admin-panel", now=NOW)
    assert measures.precision(everything()).overturned == 1


def test_a_reopening_that_was_undone_overturned_nothing(calendar):
    spam = make_spam(calendar)
    review.reopen(spam.id, by="admin-panel", now=NOW)
    review.undo(spam.decisions.last().id, by="admin-panel", now=NOW)
    assert measures.precision(everything()) == measures.Precision(1, 0, Decimal("1.0000"))


def test_an_appeal_overturns_once_it_was_accepted(calendar):
    spam = make_spam(calendar)
    spam.status = "pending"
    spam.save()
    review.record(spam, "appeal", by="host", now=NOW)
    assert measures.precision(everything()).overturned == 0
    review.accept(spam.id, by="admin-panel", now=NOW)
    assert measures.precision(everything()).overturned == 1


def test_what_a_moderator_declined_is_no_automatic_decline(calendar):
    submission = make_submission(calendar)
    review.decline(submission.id, reason="spam_signal", by="admin-panel", now=NOW)
    assert measures.precision(everything()) == measures.Precision(0, 0, None)


def test_weeks_begin_on_monday_and_are_all_there(calendar):
    # 1 June 2026 is a Monday.
    decided(calendar, waited=timedelta(hours=1), at=datetime(2026, 6, 1, tzinfo=UTC))
    decided(calendar, waited=timedelta(hours=1), at=datetime(2026, 5, 31, 23, 59, tzinfo=UTC))
    decided(calendar, waited=timedelta(hours=1), status="declined")
    decided(calendar, waited=timedelta(hours=1), status="declined", by="host")
    make_spam(calendar)
    found = measures.weeks(everything(), now=NOW)
    assert [row["week"] for row in found][:3] == ["2026-06-01", "2026-05-25", "2026-05-18"]
    assert len(found) == 12
    assert found[0] == {"week": "2026-06-01", "accepted": 1, "declined": 1, "auto_declined": 1, "withdrawn": 1}
    assert found[1] == {"week": "2026-05-25", "accepted": 1, "declined": 0, "auto_declined": 0, "withdrawn": 0}


def test_reasons_are_counted_the_most_frequent_first(calendar):
    for reason in ("event_not_relevant", "spam_signal", "spam_signal"):
        submission = make_submission(calendar)
        review.decline(submission.id, reason=reason, by="admin-panel", now=NOW)
    assert measures.reasons(everything()) == [
        {"reason": "spam_signal", "count": 2},
        {"reason": "event_not_relevant", "count": 1},
    ]


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(), "0 min"),
        (timedelta(minutes=59), "59 min"),
        (timedelta(hours=2, minutes=10), "2 h 10"),
        (timedelta(hours=9), "9 h 00"),
        (timedelta(hours=47, minutes=59), "47 h 59"),
        (timedelta(days=3, hours=5), "3 days"),
        (None, "none yet"),
    ],
)
def test_durations_are_said_as_people_say_them(span, words):
    assert measures.in_words(span) == words


@pytest.mark.parametrize("name", ["waiting", "totals", "precision", "weeks", "reasons"])
def test_every_table_has_rows_under_its_columns(calendar, name):
    decided(calendar, waited=timedelta(hours=1), status="declined")
    columns, rows = measures.TABLES[name]
    assert {tuple(row) for row in rows(everything(), now=NOW)} == {columns}
