"""The order of the queue, and what comes next."""

from datetime import date, timedelta

import pytest
from django.db import connection

from accounts.tests.builders import make_account, make_root, make_user, make_website
from submissions import queue, review
from submissions.models import Submission
from submissions.tests.builders import NOW, TODAY, make_calendar, make_spam, make_submission

pytestmark = pytest.mark.django_db
FLAG = {"signal": "links", "sentence": "Two links in the notes.", "evidence": {}}


@pytest.fixture
def calendar():
    return make_calendar()


@pytest.fixture
def ann(calendar):
    return make_user(calendar.website.account, login="ann")


@pytest.fixture
def bob(calendar):
    return make_user(calendar.website.account, login="bob")


def names(user):
    found = queue.by_urgency(Submission.objects.visible_to(user).pending(), user, today=TODAY)
    return [submission.name for submission in found]


def in_days(days):
    return TODAY + timedelta(days=days)


def test_the_sooner_event_then_the_more_flagged_then_the_older_comes_first(calendar, ann):
    make_submission(calendar, "next month", starts_on=in_days(30), flags=[FLAG])
    make_submission(calendar, "tomorrow, newer", starts_on=in_days(1), created_at=NOW)
    make_submission(calendar, "tomorrow, older", starts_on=in_days(1), created_at=NOW - timedelta(hours=1))
    make_submission(calendar, "tomorrow, flagged", starts_on=in_days(1), flags=[FLAG])
    make_submission(calendar, "today", starts_on=TODAY)
    assert names(ann) == ["today", "tomorrow, flagged", "tomorrow, older", "tomorrow, newer", "next month"]


def test_a_day_that_could_not_be_read_stands_where_those_in_a_week_stand(calendar, ann):
    make_submission(calendar, "in 8 days", starts_on=in_days(8))
    make_submission(calendar, "some day", starts_on=None)
    make_submission(calendar, "in 6 days", starts_on=in_days(6))
    assert names(ann) == ["in 6 days", "some day", "in 8 days"]


def test_what_is_over_and_what_waits_for_its_host_comes_last(calendar, ann):
    asked = make_submission(calendar, "asked", starts_on=TODAY)
    make_submission(calendar, "over", starts_on=in_days(-1))
    make_submission(calendar, "next year", starts_on=date(2027, 6, 1))
    review.ask(asked.id, text="Where?", by="admin-panel", now=NOW)
    assert names(ann) == ["next year", "over", "asked"]
    Submission.objects.filter(pk=asked.pk).update(answered_at=NOW + timedelta(hours=1))
    assert names(ann) == ["asked", "next year", "over"]


def test_what_a_moderator_skipped_comes_last_for_them_alone_the_longest_skipped_first(calendar, ann, bob):
    first, second = make_submission(calendar, "first", starts_on=TODAY), make_submission(calendar, "second")
    make_submission(calendar, "third", starts_on=in_days(90))
    review.skip(second.id, actor=ann, now=NOW)
    review.skip(first.id, actor=ann, now=NOW + timedelta(minutes=1))
    assert names(ann) == ["third", "second", "first"]
    assert names(bob) == ["first", "second", "third"]


def test_a_skipped_one_comes_back_when_its_host_adds_to_it(calendar, ann):
    skipped = make_submission(calendar, "skipped", starts_on=TODAY)
    make_submission(calendar, "other")
    review.skip(skipped.id, actor=ann, now=NOW)
    assert names(ann) == ["other", "skipped"]
    Submission.objects.filter(pk=skipped.pk).update(edited_at=NOW + timedelta(minutes=1))
    assert names(ann) == ["skipped", "other"]


def test_next_is_the_most_urgent_that_nobody_else_has_open_and_that_waits_for_no_host(calendar, ann, bob):
    asked = make_submission(calendar, "asked", starts_on=TODAY)
    first, second = make_submission(calendar, "first"), make_submission(calendar, "second", starts_on=in_days(90))
    review.ask(asked.id, text="Where?", by="admin-panel", now=NOW)
    assert queue.upcoming(bob, now=NOW, today=TODAY) == first
    review.look(first.id, actor=bob, now=NOW)
    assert queue.upcoming(bob, now=NOW, today=TODAY) == first
    assert queue.upcoming(ann, now=NOW, today=TODAY) == second
    assert queue.upcoming(ann, now=NOW + timedelta(seconds=31), today=TODAY) == first


def test_at_the_end_there_is_no_next(calendar, ann):
    make_spam(calendar)
    assert queue.upcoming(ann, now=NOW, today=TODAY) is None


def test_neighbours_follow_the_moderators_own_order(calendar, ann, bob):
    first, second, third = (make_submission(calendar, str(days), starts_on=in_days(days)) for days in (1, 2, 3))
    review.look(second.id, actor=bob, now=NOW)
    told = {"now": NOW, "today": TODAY}
    assert queue.neighbour(first.id, ann, back=False, **told) == third.id
    assert queue.neighbour(third.id, ann, back=True, **told) == first.id
    assert queue.neighbour(first.id, bob, back=False, **told) == second.id
    assert queue.neighbour(first.id, ann, back=True, **told) is None
    assert queue.neighbour(third.id, ann, back=False, **told) is None
    assert queue.neighbour(second.id, ann, back=False, **told) is None


def test_nobodys_queue_holds_another_accounts_submissions(calendar, ann):
    theirs = make_calendar(make_website(make_account("Globex"), "globex.example"))
    make_submission(theirs, "theirs", starts_on=TODAY)
    ours = make_submission(calendar, "ours")
    assert names(ann) == ["ours"]
    assert queue.upcoming(ann, now=NOW, today=TODAY) == ours
    assert names(make_root()) == ["theirs", "ours"]


def test_what_waits_is_counted(calendar, ann):
    make_submission(calendar, "oldest", created_at=NOW - timedelta(hours=9))
    make_submission(calendar, "tomorrow", starts_on=in_days(1), flags=[FLAG])
    asked = make_submission(calendar, "asked")
    review.ask(asked.id, text="Where?", by="admin-panel", now=NOW)
    make_spam(calendar)
    make_spam(calendar, created_at=NOW - timedelta(days=8))
    reopened = make_spam(calendar, created_at=NOW)
    review.reopen(reopened.id, by="admin-panel", now=NOW)
    review.decline(reopened.id, reason="spam_signal", by="admin-panel", now=NOW)
    found = queue.waiting(Submission.objects.visible_to(ann), now=NOW, today=TODAY)
    assert found == queue.Waiting(
        total=3,
        oldest_at=NOW - timedelta(hours=9),
        starting_tomorrow=1,
        flagged=1,
        awaiting_hosts=1,
        auto_declined_this_week=1,
    )


def test_ten_thousand_pending_are_reached_by_the_index_and_not_by_reading_everything(calendar, ann):
    model = make_submission(calendar, "pending")
    decided = make_spam(calendar)
    clone(model, 2_000)
    clone(decided, 20_000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE submissions_submission")
    plan = queue.by_urgency(Submission.objects.visible_to(ann).pending(), ann, today=TODAY)[:100].explain()
    assert "Seq Scan on submissions_submission" not in plan
    assert "submission_queue" in plan or "submission_newest" in plan


def clone(submission, times):
    """The same row many times, made in the database."""
    columns = [field.column for field in Submission._meta.concrete_fields if field.column != "id"]
    listed = ", ".join(f'"{column}"' for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO submissions_submission (id, {listed}) SELECT gen_random_uuid(), {listed}"
            " FROM submissions_submission, generate_series(1, %s) WHERE id = %s",
            [times, submission.pk],
        )
