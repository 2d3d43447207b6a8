"""Deciding many with one click."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections

from accounts.tests.builders import make_user
from submissions import batches, review
from submissions.models import CatalogEvent, Decision, Submission
from submissions.tests.builders import NOW, make_calendar, make_submission

pytestmark = pytest.mark.django_db


@pytest.fixture
def calendar():
    return make_calendar()


@pytest.fixture
def ann(calendar):
    return make_user(calendar.website.account, login="ann")


def some(calendar, count=3):
    return [make_submission(calendar, f"Event {number}").id for number in range(count)]


def statuses():
    return [submission.status for submission in Submission.objects.order_by("name")]


def test_a_batch_declines_all_with_one_reason_and_one_number(calendar, ann):
    ids = some(calendar)
    batch = batches.begin(ids, action="decline", reason="spam_signal", message="No.", actor=ann, now=NOW)
    assert statuses() == ["pending"] * 3
    batch = batches.step(batch.id, actor=ann, now=NOW)
    assert (statuses(), batches.left(batch), batch.refused) == (["declined"] * 3, 0, {})
    assert {(d.action, d.actor, d.batch, d.reason) for d in Decision.objects.all()} == {
        ("decline", ann, batch, "spam_signal")
    }
    assert set(Submission.objects.values_list("review_message", "reviewed_by")) == {("No.", "admin-panel")}


def test_a_step_is_bounded_and_the_next_goes_on_where_it_ended(calendar, ann):
    batch = batches.begin(some(calendar, 5), action="accept", actor=ann, now=NOW)
    found = []
    while not found or found[-1]:
        found.append(batches.left(batches.step(batch.id, actor=ann, now=NOW, most=2)))
    assert found == [3, 1, 0]
    assert CatalogEvent.objects.count() == 5


def test_a_batch_is_undone_in_steps_and_what_was_not_done_stays_undone(calendar, ann):
    batch = batches.begin(some(calendar, 5), action="accept", actor=ann, now=NOW)
    batches.step(batch.id, actor=ann, now=NOW, most=3)
    batches.begin_undoing(batch)
    batches.step(batch.id, actor=ann, now=NOW, most=2)
    assert CatalogEvent.objects.count() == 1
    batch = batches.step(batch.id, actor=ann, now=NOW, most=2)
    assert (batches.left(batch), statuses(), CatalogEvent.objects.count()) == (0, ["pending"] * 5, 0)
    with pytest.raises(review.Conflict, match="undone already"):
        batches.begin_undoing(batch)


def test_what_was_decided_meanwhile_is_left_and_counted(calendar, ann):
    ids = some(calendar)
    batch = batches.begin(ids, action="accept", actor=ann, now=NOW)
    review.decline(ids[1], reason="spam_signal", by="admin-panel", now=NOW)
    batch = batches.step(batch.id, actor=ann, now=NOW)
    assert statuses() == ["accepted", "declined", "accepted"]
    assert batch.refused == {"Submission already reviewed: Submission is already declined": 1}


def test_what_somebody_decided_since_is_not_undone(calendar, ann):
    ids = some(calendar, 2)
    batch = batches.begin(ids, action="decline", reason="spam_signal", actor=ann, now=NOW)
    batches.step(batch.id, actor=ann, now=NOW)
    review.reopen(ids[0], by="admin-panel", now=NOW)
    review.accept(ids[0], by="admin-panel", now=NOW)
    batches.begin_undoing(batch)
    batch = batches.step(batch.id, actor=ann, now=NOW)
    assert statuses() == ["accepted", "pending"]
    assert list(batch.refused.values()) == [1]


def test_a_batch_holds_ten_thousand_and_no_more(calendar, ann):
    ids = [make_submission(calendar).id] * (batches.MOST + 1)
    with pytest.raises(review.Unsuitable, match="10,000"):
        batches.begin(ids, action="accept", actor=ann, now=NOW)
    assert batches.left(batches.begin(ids[:-1], action="accept", actor=ann, now=NOW)) == 10_000


@pytest.mark.parametrize("reason", ["", " "])
def test_a_decline_of_many_needs_a_reason(calendar, ann, reason):
    with pytest.raises(review.Unsuitable, match="reason"):
        batches.begin(some(calendar), action="decline", reason=reason, actor=ann, now=NOW)


@pytest.mark.django_db(transaction=True)
def test_two_steps_at_once_do_nothing_twice():
    calendar = make_calendar()
    ann = make_user(calendar.website.account)
    batch = batches.begin(some(calendar, 6), action="accept", actor=ann, now=NOW)

    def take(_):
        try:
            return batches.step(batch.id, actor=ann, now=NOW, most=3)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as threads:
        done = list(threads.map(take, range(2)))
    assert max(found.done for found in done) == 6
    assert CatalogEvent.objects.count() == 6
    assert all(not found.refused for found in done)
