"""The reviewer's verbs from a shell."""

import io
import json

import pytest
from django.core.management import CommandError, call_command

from submissions.models import CatalogEvent
from submissions.tests.builders import make_calendar, make_submission

pytestmark = pytest.mark.django_db


@pytest.fixture
def submission():
    return make_submission(make_calendar())


def run(*arguments):
    """The JSON object and the sentence."""
    out, err = io.StringIO(), io.StringIO()
    call_command("review", *arguments, "--json", stdout=out, stderr=err)
    return json.loads(out.getvalue()), err.getvalue()


def test_accepting_prints_the_status_and_the_key(submission):
    found, sentence = run(str(submission.id), "--accept", "--by", "Marie")
    submission.refresh_from_db()
    assert found == {"status": "accepted", "eventKey": CatalogEvent.objects.get().key}
    assert found["eventKey"] in sentence
    assert (submission.status, submission.reviewed_by) == ("accepted", "Marie")
    assert [(d.action, d.by, d.actor) for d in submission.decisions.all()] == [("accept", "Marie", None)]


def test_declining_prints_the_status_and_no_key(submission):
    found, _ = run(str(submission.id), "--decline", "event_not_relevant", "--by", "Marie")
    submission.refresh_from_db()
    assert found == {"status": "declined", "eventKey": None}
    assert (submission.review_reason, submission.reviewed_by) == ("event_not_relevant", "Marie")


def test_what_is_decided_is_refused_with_a_sentence(submission):
    run(str(submission.id), "--accept", "--by", "Marie")
    with pytest.raises(
        CommandError, match=r"^Submission already reviewed: Submission is already accepted\.$"
    ) as refusal:
        run(str(submission.id), "--decline", "spam_signal", "--by", "Marie")
    assert refusal.value.returncode != 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["550e8400-e29b-41d4-a716-446655440000", "--accept", "--by", "Marie"], "Submission not found."),
        (["7", "--accept", "--by", "Marie"], "SUBMISSION must be an id"),
    ],
    ids=["unknown", "no id"],
)
def test_what_is_not_there_is_refused_with_a_sentence(arguments, sentence):
    with pytest.raises(CommandError, match=f"^{sentence}"):
        run(*arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--by", "Marie"],
        ["--accept"],
        ["--accept", "--decline", "spam_signal", "--by", "Marie"],
        ["--accept", "--by", " "],
        ["--accept", "--by", "Ma\udcffrie"],
        ["--decline", " ", "--by", "Marie"],
        ["--decline", "other", "--by", "Marie"],
    ],
    ids=["no decision", "nobody", "both", "blank name", "broken name", "blank reason", "other without a text"],
)
def test_a_decision_needs_one_verb_a_reason_and_a_name(submission, arguments):
    with pytest.raises(CommandError):
        run(str(submission.id), *arguments)
    submission.refresh_from_db()
    assert submission.is_pending
