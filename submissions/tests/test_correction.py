"""What a moderator puts right before accepting."""

from datetime import date, time

import pytest

from accounts.tests.builders import make_user
from submissions import review
from submissions.correction import correct
from submissions.tests.builders import NOW, make_calendar, make_submission

pytestmark = pytest.mark.django_db


@pytest.fixture
def calendar():
    return make_calendar()


@pytest.fixture
def ann(calendar):
    return make_user(calendar.website.account, login="ann")


def test_a_day_that_could_not_be_read_is_put_right_and_the_log_keeps_what_was_written(calendar, ann):
    submission = make_submission(calendar, starts_on=None, payload={"date": "le jour de la fête"})
    assert correct(submission.id, {"date": " 2026-06-21 ", "startTime": "21:30"}, actor=ann, now=NOW) == [
        "date",
        "startTime",
    ]
    submission.refresh_from_db()
    assert (submission.payload["date"], submission.starts_on, submission.starts_at) == (
        "2026-06-21",
        date(2026, 6, 21),
        time(21, 30),
    )
    [step] = submission.decisions.all()
    assert (step.action, step.by, step.actor, step.reason) == ("edit", "admin-panel", ann, "date, startTime")
    assert step.before == {"payload": {"date": "le jour de la fête", "startTime": "20:00"}}


def test_what_is_published_is_what_was_corrected(calendar, ann):
    submission = make_submission(calendar)
    correct(submission.id, {"eventName": "Fête du Vélo"}, actor=ann, now=NOW)
    assert review.accept(submission.id, by="admin-panel", actor=ann, now=NOW).name == "Fête du Vélo"


def test_what_stays_as_it_was_is_no_correction(calendar, ann):
    submission = make_submission(calendar)
    assert correct(submission.id, {"date": "2026-06-21", "genre": ""}, actor=ann, now=NOW) == []
    assert not submission.decisions.exists()


def test_the_hosts_address_and_unknown_fields_stay(calendar, ann):
    submission = make_submission(calendar)
    given = {"hostEmail": "other@example.test", "status": "accepted", "submittedAt": "1970", "id": "7"}
    assert correct(submission.id, given, actor=ann, now=NOW) == []
    submission.refresh_from_db()
    assert (submission.host.email, submission.status) == ("host@example.test", "pending")


def test_a_correction_keeps_to_the_contract(calendar, ann):
    submission = make_submission(calendar)
    with pytest.raises(review.Unsuitable, match="proofLink: "):
        correct(submission.id, {"proofLink": "javascript:alert(1)"}, actor=ann, now=NOW)
    with pytest.raises(review.Unsuitable, match="eventName: "):
        correct(submission.id, {"eventName": " "}, actor=ann, now=NOW)


def test_a_submission_whose_address_was_removed_can_be_corrected(calendar, ann):
    submission = make_submission(calendar, email=None)
    assert correct(submission.id, {"genre": "Jazz"}, actor=ann, now=NOW) == ["genre"]
    submission.refresh_from_db()
    assert (submission.host, submission.payload["genre"]) == (None, "Jazz")
    assert "nobody@" not in str(submission.payload)


def test_what_is_decided_is_not_corrected(calendar, ann):
    submission = make_submission(calendar, status="accepted")
    with pytest.raises(review.AlreadyReviewed):
        correct(submission.id, {"genre": "Jazz"}, actor=ann, now=NOW)
