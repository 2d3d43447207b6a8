"""What moderators do with submissions."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection, connections, transaction

from accounts.removal import remove_website
from accounts.tests.builders import make_user
from submissions import review
from submissions.models import CatalogEvent, Mail, Skip, Submission
from submissions.tests.builders import NOW, make_calendar, make_spam, make_submission

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


# -- accepting and declining ------------------------------------------------------------------------------------------


def test_accepting_publishes_and_says_who_decided(calendar, ann):
    submission = make_submission(calendar)
    event = review.accept(submission.id, by=Submission.ADMIN_PANEL, actor=ann, now=NOW)
    submission.refresh_from_db()
    assert (submission.status, submission.review_reason, submission.reviewed_by) == (
        "accepted",
        "accepted",
        "admin-panel",
    )
    assert (submission.reviewed_at, submission.accepted_event, submission.accepted_event_key) == (
        NOW,
        event,
        event.key,
    )
    assert list(CatalogEvent.objects.live()) == [event]
    assert steps(submission) == [("accept", "admin-panel", ann)]
    assert mails(submission) == ["accepted"]


@pytest.mark.parametrize(
    "reason",
    [
        "not_enough_information",
        "duplicate_submission",
        "event_not_relevant",
        "unable_to_verify",
        "spam_signal",
        "The hall is closed",
    ],
)
def test_declining_keeps_the_reason_and_the_message(calendar, ann, reason):
    submission = make_submission(calendar)
    review.decline(submission.id, reason=f" {reason} ", message=" Sorry. ", by="admin-panel", actor=ann, now=NOW)
    submission.refresh_from_db()
    assert (submission.status, submission.review_reason, submission.review_message) == ("declined", reason, "Sorry.")
    assert (submission.reviewed_by, submission.reviewed_at) == ("admin-panel", NOW)
    assert not CatalogEvent.objects.exists()
    assert steps(submission) == [("decline", "admin-panel", ann)]
    assert mails(submission) == ["declined"]


def test_the_offered_reasons_are_the_contracts_in_its_order():
    assert list(review.REASONS) == [
        "not_enough_information",
        "duplicate_submission",
        "event_not_relevant",
        "unable_to_verify",
        "spam_signal",
        "other",
    ]


@pytest.mark.parametrize("reason", ["", "  ", "other", " other ", "x" * 501])
def test_a_decline_without_a_proper_reason_is_refused(calendar, reason):
    submission = make_submission(calendar)
    with pytest.raises(review.Unsuitable):
        review.decline(submission.id, reason=reason, by="admin-panel", now=NOW)
    assert unchanged(submission)


def test_what_cannot_be_stored_of_a_text_is_left_out(calendar):
    submission = make_submission(calendar)
    review.ask(submission.id, text="Which\0 hall\ud83d?", by="admin-panel", now=NOW)
    review.decline(submission.id, reason="No\0pe\udcff", message="\0Sorry", by="admin-panel", now=NOW)
    submission.refresh_from_db()
    assert (submission.review_reason, submission.review_message) == ("Nope", "Sorry")
    assert submission.messages.get().text == "Which hall?"


def test_a_message_that_is_too_long_is_refused(calendar):
    submission = make_submission(calendar)
    with pytest.raises(review.Unsuitable, match="3000"):
        review.decline(submission.id, reason="spam_signal", message="x" * 3001, by="admin-panel", now=NOW)
    assert unchanged(submission)


def test_what_cannot_be_published_stays_pending(calendar):
    submission = make_submission(calendar, payload={"proofLink": "javascript:alert(1)"})
    with pytest.raises(review.Unsuitable, match="proofLink"):
        review.accept(submission.id, by="admin-panel", now=NOW)
    assert unchanged(submission)


@pytest.mark.parametrize("status", ["accepted", "declined"])
def test_what_is_decided_is_not_decided_again(calendar, status):
    submission = make_submission(calendar, status=status)
    sentence = f"^Submission already reviewed: Submission is already {status}$"
    with pytest.raises(review.AlreadyReviewed, match=sentence):
        review.accept(submission.id, by="admin-panel", now=NOW)
    with pytest.raises(review.AlreadyReviewed, match=sentence):
        review.decline(submission.id, reason="spam_signal", by="admin-panel", now=NOW)
    with pytest.raises(review.AlreadyReviewed, match=sentence):
        review.ask(submission.id, text="Where?", by="admin-panel", now=NOW)
    assert not submission.decisions.exists()


def test_what_is_not_there_is_not_decided():
    for verb in (review.accept, review.reopen):
        with pytest.raises(review.NotFound, match=r"^Submission not found$"):
            verb(uuid4(), by="admin-panel", now=NOW)


def test_submissions_of_a_deleted_website_are_not_there(calendar):
    submission = make_submission(calendar)
    remove_website(calendar.website, by=None, now=NOW)
    with pytest.raises(review.NotFound):
        review.accept(submission.id, by="admin-panel", now=NOW)


def test_what_the_host_has_changed_since_is_not_decided_unseen(calendar):
    submission = make_submission(calendar, edited_at=NOW)
    before, after = NOW - timedelta(seconds=1), NOW + timedelta(seconds=1)
    with pytest.raises(review.Conflict, match="has changed it since"):
        review.accept(submission.id, by="admin-panel", now=after, seen_at=before)
    with pytest.raises(review.Conflict, match="has changed it since"):
        review.decline(submission.id, reason="spam_signal", by="admin-panel", now=after, seen_at=before)
    assert unchanged(submission)
    review.accept(submission.id, by="admin-panel", now=after, seen_at=after)


def test_a_host_whose_address_was_removed_gets_no_mail(calendar):
    submission = make_submission(calendar, email=None)
    review.accept(submission.id, by="admin-panel", now=NOW)
    assert not Mail.objects.exists()


# -- two at once ------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_of_two_who_accept_at_once_one_publishes_and_the_other_hears_it():
    submission = make_submission(make_calendar())
    answers = at_once(lambda: review.accept(submission.id, by="admin-panel", now=NOW), times=4)
    assert CatalogEvent.objects.count() == 1
    assert steps(submission) == [("accept", "admin-panel", None)]
    assert mails(submission) == ["accepted"]
    told = [str(answer) for answer in answers if isinstance(answer, review.Refusal)]
    assert len(told) == 3
    assert set(told) <= {
        "Submission review conflict",
        "Submission already reviewed: Submission is already accepted",
    }


@pytest.mark.django_db(transaction=True)
def test_who_waited_for_another_moderators_decision_hears_of_a_conflict():
    submission = make_submission(make_calendar())
    with ThreadPoolExecutor(1) as other:
        with transaction.atomic():
            review.accept(submission.id, by="admin-panel", now=NOW)
            # The other one still sees it pending, and waits for this transaction.
            answer = other.submit(caught, lambda: review.decline(submission.id, reason="x", by="ann", now=NOW))
            wait_for_a_lock()
        told = answer.result(10)
    assert str(told) == "Submission review conflict"
    assert steps(submission) == [("accept", "admin-panel", None)]


@pytest.mark.django_db(transaction=True)
def test_of_an_accept_and_a_decline_at_once_one_counts():
    submission = make_submission(make_calendar())
    verbs = [
        lambda: review.accept(submission.id, by="admin-panel", now=NOW),
        lambda: review.decline(submission.id, reason="spam_signal", by="admin-panel", now=NOW),
    ]
    answers = at_once(*verbs)
    submission.refresh_from_db()
    assert sum(isinstance(answer, review.Refusal) for answer in answers) == 1
    assert CatalogEvent.objects.count() == (submission.status == "accepted")
    assert submission.decisions.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_who_undo_at_once_undo_once():
    submission = make_submission(make_calendar())
    review.accept(submission.id, by="admin-panel", now=NOW)
    decision = submission.decisions.get()
    answers = at_once(lambda: review.undo(decision.id, by="admin-panel", now=NOW), times=2)
    assert sum(isinstance(answer, review.Refusal) for answer in answers) == 1
    assert [step[0] for step in steps(submission)] == ["accept", "undo"]


# -- asking -----------------------------------------------------------------------------------------------------------


def test_a_question_goes_to_the_host_and_the_submission_waits(calendar, ann):
    submission = make_submission(calendar)
    review.ask(submission.id, text=" Which hall? ", by="admin-panel", actor=ann, now=NOW)
    submission.refresh_from_db()
    assert (submission.status, submission.awaits_answer) == ("pending", True)
    assert [(m.author, m.user, m.text, m.at) for m in submission.messages.all()] == [
        ("moderator", ann, "Which hall?", NOW)
    ]
    assert steps(submission) == [("ask", "admin-panel", ann)]
    assert mails(submission) == ["question"]


def test_a_question_needs_words_and_a_host(calendar):
    submission, orphan = make_submission(calendar), make_submission(calendar, "Other", email=None)
    for text in ("", "  ", "x" * 3001):
        with pytest.raises(review.Unsuitable):
            review.ask(submission.id, text=text, by="admin-panel", now=NOW)
    with pytest.raises(review.Unsuitable, match="no host"):
        review.ask(orphan.id, text="Who are you?", by="admin-panel", now=NOW)
    assert unchanged(submission)
    assert unchanged(orphan)


def test_what_waits_for_an_answer_may_be_decided_all_the_same(calendar):
    submission = make_submission(calendar)
    review.ask(submission.id, text="Which hall?", by="admin-panel", now=NOW)
    review.accept(submission.id, by="admin-panel", now=NOW)
    assert [step[0] for step in steps(submission)] == ["ask", "accept"]


# -- reopening --------------------------------------------------------------------------------------------------------


def test_what_the_system_declined_can_be_reopened_and_the_host_never_hears_of_the_decline(calendar, ann):
    submission = make_spam(calendar)
    review.reopen(submission.id, by="admin-panel", actor=ann, now=NOW)
    submission.refresh_from_db()
    assert (submission.status, submission.review_reason, submission.reviewed_by, submission.reviewed_at) == (
        "pending",
        "",
        "",
        None,
    )
    assert [step[0] for step in steps(submission)] == ["auto_decline", "reopen"]
    assert mails(submission) == []
    review.accept(submission.id, by="admin-panel", now=NOW)


def test_what_a_moderator_declined_can_be_reopened_and_the_host_is_told(calendar):
    submission = make_submission(calendar)
    review.decline(submission.id, reason="spam_signal", by="admin-panel", now=NOW)
    review.reopen(submission.id, by="admin-panel", now=NOW)
    assert mails(submission) == ["declined", "reopened"]


def test_what_is_pending_accepted_or_withdrawn_is_not_reopened(calendar):
    pending, accepted = make_submission(calendar), make_submission(calendar, status="accepted")
    withdrawn = make_submission(calendar, status="declined", review_reason="withdrawn", reviewed_by="host")
    for submission, sentence in ((pending, "pending"), (accepted, "accepted"), (withdrawn, "withdrawn")):
        with pytest.raises(review.Unsuitable, match=sentence):
            review.reopen(submission.id, by="admin-panel", now=NOW)


# -- undoing ----------------------------------------------------------------------------------------------------------


def test_undoing_an_accept_takes_the_event_off_the_calendar(calendar, ann):
    submission = make_submission(calendar)
    review.accept(submission.id, by="admin-panel", actor=ann, now=NOW)
    later = NOW + timedelta(minutes=1)
    review.undo(submission.decisions.get().id, by="admin-panel", actor=ann, now=later)
    submission.refresh_from_db()
    assert (submission.status, submission.reviewed_by, submission.reviewed_at) == ("pending", "", None)
    assert (submission.accepted_event, submission.accepted_event_key) == (None, "")
    assert not CatalogEvent.objects.exists()
    assert steps(submission) == [("accept", "admin-panel", ann), ("undo", "admin-panel", ann)]
    assert submission.decisions.first().undone_at == later


def test_accepted_again_it_is_the_same_event_again(calendar):
    submission = make_submission(calendar)
    first = review.accept(submission.id, by="admin-panel", now=NOW)
    review.undo(submission.decisions.get().id, by="admin-panel", now=NOW)
    assert review.accept(submission.id, by="admin-panel", now=NOW).key == first.key


def test_undoing_a_decline_makes_it_pending_again(calendar):
    submission = make_submission(calendar)
    review.decline(submission.id, reason="spam_signal", message="No.", by="admin-panel", now=NOW)
    review.undo(submission.decisions.get().id, by="admin-panel", now=NOW)
    submission.refresh_from_db()
    assert (submission.status, submission.review_reason, submission.review_message) == ("pending", "", "")


def test_undoing_a_reopening_brings_the_systems_decline_back(calendar):
    submission = make_spam(calendar)
    review.reopen(submission.id, by="admin-panel", now=NOW)
    review.undo(submission.decisions.last().id, by="admin-panel", now=NOW)
    submission.refresh_from_db()
    assert submission.is_auto_declined
    assert (submission.review_reason, submission.reviewed_at) == ("spam_signal", NOW)
    assert mails(submission) == []


def test_the_mail_of_an_undone_decision_does_not_leave(calendar):
    submission = make_submission(calendar)
    review.accept(submission.id, by="admin-panel", now=NOW)
    review.undo(submission.decisions.get().id, by="admin-panel", now=NOW)
    assert mails(submission) == []


def test_a_host_who_was_told_already_hears_the_news(calendar):
    submission = make_submission(calendar)
    review.accept(submission.id, by="admin-panel", now=NOW)
    Mail.objects.update(sent_at=NOW)
    review.undo(submission.decisions.get().id, by="admin-panel", now=NOW)
    assert mails(submission) == ["accepted", "reopened"]


def test_a_decision_is_undone_once(calendar):
    submission = make_submission(calendar)
    review.accept(submission.id, by="admin-panel", now=NOW)
    decision = submission.decisions.get()
    review.undo(decision.id, by="admin-panel", now=NOW)
    with pytest.raises(review.Conflict, match="undone already"):
        review.undo(decision.id, by="admin-panel", now=NOW)


def test_only_the_last_decision_is_undone(calendar):
    submission = make_submission(calendar)
    review.decline(submission.id, reason="spam_signal", by="admin-panel", now=NOW)
    first = submission.decisions.get()
    review.reopen(submission.id, by="admin-panel", now=NOW)
    with pytest.raises(review.Conflict, match="not the last decision"):
        review.undo(first.id, by="admin-panel", now=NOW)
    review.undo(submission.decisions.last().id, by="admin-panel", now=NOW)
    review.undo(first.id, by="admin-panel", now=NOW)
    submission.refresh_from_db()
    assert submission.is_pending


def test_what_the_host_appealed_against_is_not_undone(calendar):
    submission = make_submission(calendar)
    review.decline(submission.id, reason="spam_signal", by="admin-panel", now=NOW)
    decision = submission.decisions.get()
    review.record(submission, "appeal", by="host", now=NOW)
    with pytest.raises(review.Conflict, match="appealed"):
        review.undo(decision.id, by="admin-panel", now=NOW)


def test_only_decisions_are_undone(calendar):
    submission = make_submission(calendar)
    review.ask(submission.id, text="Where?", by="admin-panel", now=NOW)
    for decision_id in (submission.decisions.get().id, 987654321):
        with pytest.raises(review.Unsuitable, match="nothing to undo"):
            review.undo(decision_id, by="admin-panel", now=NOW)


def test_the_log_holds_no_address(calendar, ann):
    submission = make_submission(calendar, email="canary@example.test")
    review.ask(submission.id, text="Where?", by="admin-panel", actor=ann, now=NOW)
    review.decline(submission.id, reason="spam_signal", by="admin-panel", actor=ann, now=NOW)
    review.undo(submission.decisions.last().id, by="admin-panel", actor=ann, now=NOW)
    assert "canary" not in str(list(submission.decisions.values()))


def steps(submission):
    return [(decision.action, decision.by, decision.actor) for decision in submission.decisions.all()]


def mails(submission):
    return [mail.kind for mail in submission.mails.order_by("id")]


def unchanged(submission):
    submission.refresh_from_db()
    return (submission.is_pending, submission.reviewed_by, submission.decisions.count(), submission.mails.count()) == (
        True,
        "",
        0,
        0,
    ) and not CatalogEvent.objects.exists()


def caught(verb):
    """What the verb answers in a connection of its own, or the refusal it raises."""
    try:
        return verb()
    except review.Refusal as refusal:
        return refusal
    finally:
        connections.close_all()


def at_once(*verbs, times=1):
    verbs = verbs * times
    together = threading.Barrier(len(verbs))

    def start(verb):
        together.wait(10)
        return caught(verb)

    with ThreadPoolExecutor(len(verbs)) as threads:
        return list(threads.map(start, verbs))


def wait_for_a_lock():
    deadline = time.monotonic() + 10
    with connection.cursor() as cursor:
        while True:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
            assert time.monotonic() < deadline
