"""The host's verbs: what is stored with a proposal, and what a host may still do with it."""

import hashlib
import hmac
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from statistics import median
from uuid import UUID

import pytest
from django.conf import LazySettings
from django.db import connections

from accounts.tests.builders import make_user
from submissions import intake, limits, review
from submissions.intake import NotPossible, TooMany
from submissions.limits import Keys
from submissions.models import Calendar, Host, LimitCount, Mail, Message, Submission
from submissions.proposal import Proposal
from submissions.tests.builders import NOW, make_calendar, make_spam, make_submission
from submissions.tests.proposing import EXAMPLE

pytestmark = pytest.mark.django_db

ADDRESS = "203.0.113.9"
LATER = NOW + timedelta(hours=1)


@pytest.fixture
def acme() -> Calendar:
    return make_calendar(is_default=True)


def proposal(**changes: str) -> Proposal:
    return Proposal.read(EXAMPLE | changes)


def submit(
    calendar: Calendar, *, honeypot: str = "", started: str = "", address: str = ADDRESS, **changes: str
) -> Submission:
    return intake.submit(
        calendar, proposal(**changes), honeypot=honeypot, form_started_at=started, address=address, now=NOW
    )


def steps(submission: Submission) -> list[tuple[str, str]]:
    return list(submission.decisions.values_list("action", "by"))


def test_it_works(acme: Calendar) -> None:
    submission = Submission.objects.get(pk=submit(acme).pk)
    assert (submission.status, submission.name, submission.host_email) == (
        "pending",
        "Jazz Night at Le Sunset",
        "contact@lesunset.com",
    )
    assert (submission.starts_on, str(submission.starts_at)) == (date(2026, 3, 15), "20:00:00")
    assert (submission.name_folded, submission.created_at) == ("jazz night at le sunset", NOW)
    assert Proposal.of(submission) == proposal()
    assert steps(submission) == [("receive", "host")]


def test_keys_are_the_contracts(settings: LazySettings) -> None:
    settings.PEPPER = "pepper"
    fingerprint = (
        "jazz night at le sunset|2026-03-15|20:00|le sunset, 60 rue des lombards, 75001 paris"
        "|https://www.lesunset.com/events/jazz-night-march"
    )

    def hashed(text: str) -> str:
        return hmac.new(b"pepper", text.encode(), hashlib.sha256).hexdigest()

    assert Keys.of(proposal(), ADDRESS) == Keys(
        ip=hashed(f"event_submit_ip|{ADDRESS}"),
        email_ip=hashed(f"event_submit_email_ip|contact@lesunset.com|{ADDRESS}"),
        fingerprint=hashed(f"event_submit_fingerprint|{fingerprint}"),
    )


def test_whoever_has_no_address_shares_one_bucket() -> None:
    assert limits.caller("") == "unknown"


def test_a_host_is_one_whatever_they_propose(acme: Calendar) -> None:
    submit(acme, eventName="One")
    submit(acme, eventName="Two", hostEmail="Contact@LeSunset.com")
    assert Host.objects.get().submissions.count() == 2


def test_letters_that_unfold_to_many_find_room(acme: Calendar) -> None:
    submission = submit(acme, eventName="\ufdfa" * 180, location="\ufdfa" * 240)
    assert (len(submission.name_folded), len(submission.location_folded)) == (400, 500)


def test_a_refused_repetition_still_counts_for_its_host(acme: Calendar) -> None:
    submit(acme)
    for _ in range(4):
        with pytest.raises(TooMany) as refused:
            submit(acme)
        assert refused.value.scope == "fingerprint"
    with pytest.raises(TooMany) as refused:
        submit(acme, eventName="Another night")
    assert (refused.value.scope, refused.value.retry_after) == ("email", 3600)


def test_a_window_that_has_ended_begins_anew(acme: Calendar) -> None:
    submit(acme)
    LimitCount.objects.update(ends_at=NOW)
    submit(acme)
    assert sorted(LimitCount.objects.values_list("scope", "count")) == [("email", 1), ("fingerprint", 1)]


def test_spam_has_no_mail_and_leaves_one_line(acme: Calendar) -> None:
    submission = submit(acme, honeypot="x")
    assert steps(submission) == [("auto_decline", "system")]
    assert not Mail.objects.exists()


def test_spam_and_a_clean_proposal_take_the_same_time(acme: Calendar, settings: LazySettings) -> None:
    settings.LIMITS = settings.LIMITS | {"SUBMISSION_EMAIL": (10**6, 1)}

    def seconds(number: int, honeypot: str) -> float:
        start = time.perf_counter()
        submit(
            acme, honeypot=honeypot, eventName=f"Night {number}{honeypot}", hostEmail=f"h{number}{honeypot}@example.com"
        )
        return time.perf_counter() - start

    # Side by side, so that whatever slows the machine slows both. The median of pairs forgets what happens once.
    ratios = [seconds(number, "x") / seconds(number, "") for number in range(40)]
    assert 0.8 < median(ratios) < 1.2


# -- changing it ------------------------------------------------------------------------------------------------------


def test_a_pending_one_can_be_changed(acme: Calendar) -> None:
    submission = submit(acme)
    submitted_at = submission.payload["submittedAt"]
    intake.edit(submission.pk, proposal(eventName="Soul Night", date="2026-03-16", genre=""), now=LATER)

    submission.refresh_from_db()
    assert (submission.name, submission.starts_on, submission.edited_at) == ("Soul Night", date(2026, 3, 16), LATER)
    assert (submission.name_folded, submission.payload["submittedAt"]) == ("soul night", submitted_at)
    assert "genre" not in submission.payload
    assert submission.fingerprint_hash == limits.fingerprint_hash(Proposal.of(submission))
    line = submission.decisions.last()
    assert line is not None
    assert (line.action, line.by, line.reason) == ("edit", "host", "eventName, date, genre")
    assert line.before == {
        "payload": {"eventName": "Jazz Night at Le Sunset", "date": "2026-03-15", "genre": "Jazz"},
    }


def test_a_change_of_nothing_changes_nothing(acme: Calendar) -> None:
    submission = submit(acme)
    intake.edit(submission.pk, proposal(), now=LATER)
    submission.refresh_from_db()
    assert submission.edited_at is None
    assert steps(submission) == [("receive", "host")]


def test_the_address_cannot_be_changed(acme: Calendar) -> None:
    submission = submit(acme)
    intake.edit(submission.pk, proposal(eventName="Soul Night", hostEmail="mallory@example.com"), now=LATER)
    submission.refresh_from_db()
    assert submission.host_email == "contact@lesunset.com"
    assert not Host.objects.filter(email="mallory@example.com").exists()


def test_what_is_decided_cannot_be_changed_or_withdrawn(acme: Calendar) -> None:
    submission = submit(acme)
    review.decline(submission.pk, reason="unable_to_verify", by="root", now=NOW)
    with pytest.raises(NotPossible, match="decided meanwhile"):
        intake.edit(submission.pk, replace(proposal(), event_name="Other"), now=LATER)
    with pytest.raises(NotPossible, match="decided meanwhile"):
        intake.withdraw(submission.pk, now=LATER)


def test_a_pending_one_can_be_withdrawn_and_that_is_final(acme: Calendar) -> None:
    submission = intake.withdraw(submit(acme).pk, now=LATER)
    assert (submission.status, submission.review_reason, submission.reviewed_by, submission.reviewed_at) == (
        "declined",
        "withdrawn",
        "host",
        LATER,
    )
    assert steps(submission) == [("receive", "host"), ("withdraw", "host")]
    with pytest.raises(NotPossible):
        intake.withdraw(submission.pk, now=LATER)
    with pytest.raises(NotPossible):
        intake.appeal(submission.pk, "I was wrong.", now=LATER)


# -- answering and appealing ------------------------------------------------------------------------------------------


def test_a_question_is_answered_once(acme: Calendar) -> None:
    submission = make_submission(acme)
    review.ask(submission.pk, text="Is there a lift?", by="admin-panel", actor=make_user(), now=NOW)
    message = intake.answer(submission.pk, "  Yes.\r\n\r\nTwo. ", now=LATER)
    assert (message.author, message.text) == (Message.Author.HOST, "Yes.\n\nTwo.")
    submission.refresh_from_db()
    assert not submission.awaits_answer
    with pytest.raises(NotPossible, match="no question"):
        intake.answer(submission.pk, "Really.", now=LATER)


@pytest.mark.parametrize("text", ["", "  \n", "\x07", "x" * 3001])
def test_an_answer_has_1_to_3000_characters(acme: Calendar, text: str) -> None:
    submission = make_submission(acme, asked_at=NOW)
    with pytest.raises(NotPossible):
        intake.answer(submission.pk, text, now=LATER)
    assert not Message.objects.exists()


def test_a_decline_can_be_appealed_once(acme: Calendar) -> None:
    submission = make_submission(acme)
    review.decline(submission.pk, reason="unable_to_verify", message="No page.", by="root", now=NOW)
    intake.appeal(submission.pk, "It is there now.", now=LATER)
    submission.refresh_from_db()
    assert (submission.status, submission.review_reason, submission.review_message, submission.reviewed_at) == (
        "pending",
        "",
        "",
        None,
    )
    line = submission.decisions.last()
    assert line is not None
    assert (line.action, line.before["review_reason"]) == ("appeal", "unable_to_verify")

    review.decline(submission.pk, reason="unable_to_verify", by="root", now=LATER)
    with pytest.raises(NotPossible, match="asked before"):
        intake.appeal(submission.pk, "But still.", now=LATER)


def test_the_systems_decline_can_be_appealed_too(acme: Calendar) -> None:
    submission = make_spam(acme)
    intake.appeal(submission.pk, "I am no robot.", now=LATER)
    submission.refresh_from_db()
    assert submission.is_pending


def test_what_is_not_there_is_said_so(acme: Calendar) -> None:
    with pytest.raises(NotPossible, match="not there"):
        intake.withdraw(UUID(int=1), now=NOW)


@pytest.mark.django_db(transaction=True)
def test_of_two_appeals_at_once_one_counts() -> None:
    submission = make_spam(make_calendar())
    ready = threading.Barrier(2)

    def appeal(_: int) -> bool:
        try:
            ready.wait(10)
            intake.appeal(submission.pk, "I am no robot.", now=LATER)
        except NotPossible:
            return False
        finally:
            connections.close_all()
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(appeal, range(2))) == [False, True]
    assert Message.objects.count() == 1
