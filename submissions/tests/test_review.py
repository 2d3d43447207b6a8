"""What moderators do with submissions."""

from datetime import timedelta
from uuid import uuid4

import pytest

from accounts.tests.builders import make_user
from submissions import review
from submissions.models import Skip
from submissions.tests.builders import NOW, make_calendar, make_submission

pytestmark = pytest.mark.django_db


@pytest.fixture
def calendar():
    return make_calendar()


@pytest.fixture
def ann(calendar):
    return make_user(calendar.website.account, login="ann")


@pytest.fixture
def bob(calendar):
    return make_user(calendar.website.account, login="bob")


# -- looking and skipping ---------------------------------------------------------------------------------------------


def test_who_opens_a_submission_first_has_it_open_and_the_next_one_hears_it(calendar, ann, bob):
    submission = make_submission(calendar)
    assert review.look(submission.id, actor=ann, now=NOW) is None
    assert review.look(submission.id, actor=bob, now=NOW + timedelta(seconds=5)) == ann
    assert review.look(submission.id, actor=ann, now=NOW + timedelta(seconds=6)) is None


def test_who_was_not_heard_of_for_30_seconds_has_it_open_no_more(calendar, ann, bob):
    submission = make_submission(calendar)
    review.look(submission.id, actor=ann, now=NOW)
    submission.refresh_from_db()
    assert review.looking(submission, besides=bob, now=NOW + timedelta(seconds=30)) == ann
    assert review.looking(submission, besides=bob, now=NOW + timedelta(seconds=31)) is None
    assert review.look(submission.id, actor=bob, now=NOW + timedelta(seconds=31)) is None
    assert review.look(submission.id, actor=ann, now=NOW + timedelta(seconds=32)) == bob


def test_looking_is_no_change_of_the_submission(calendar, ann):
    submission = make_submission(calendar)
    review.look(submission.id, actor=ann, now=NOW)
    before = submission.updated_at
    submission.refresh_from_db()
    assert (submission.updated_at, submission.looked_at_by) == (before, ann)


def test_a_skip_is_the_moderators_own_and_its_time_is_the_last_one(calendar, ann):
    submission = make_submission(calendar)
    review.look(submission.id, actor=ann, now=NOW)
    review.skip(submission.id, actor=ann, now=NOW)
    review.skip(submission.id, actor=ann, now=NOW + timedelta(hours=1))
    assert [(skip.user, skip.at) for skip in Skip.objects.all()] == [(ann, NOW + timedelta(hours=1))]
    submission.refresh_from_db()
    assert submission.looked_at_by is None
    review.unskip(submission.id, actor=ann)
    assert not Skip.objects.exists()


def test_what_is_not_there_is_not_found(ann):
    with pytest.raises(review.NotFound, match=r"^Submission not found$"):
        review.skip(uuid4(), actor=ann, now=NOW)
    assert review.look(uuid4(), actor=ann, now=NOW) is None


def test_the_log_keeps_who_did_what_when_and_what_stood_before(calendar, ann):
    submission = make_submission(calendar)
    review.record(submission, "edit", by="admin-panel", actor=ann, reason="date", before={"date": "soon"}, now=NOW)
    review.record(submission, "withdraw", by="host", now=NOW)
    assert [(d.action, d.by, d.actor, d.reason, d.before, d.at) for d in submission.decisions.all()] == [
        ("edit", "admin-panel", ann, "date", {"date": "soon"}, NOW),
        ("withdraw", "host", None, "", {}, NOW),
    ]
