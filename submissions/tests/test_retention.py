"""What is forgotten about hosts: after its time (P16), and when one asks for it (P20)."""

import json
from datetime import date, timedelta
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection

from accounts.models import AuditEntry
from accounts.tests.builders import make_account, make_root, make_user, make_website
from submissions import batches, catalog, intake, mail, retention, screening, tasks
from submissions.models import Calendar, Host, LimitCount, Mail, Message, Submission
from submissions.proposal import Proposal
from submissions.tests.builders import NOW, make_calendar, make_spam, make_submission
from submissions.tests.proposing import EXAMPLE

pytestmark = pytest.mark.django_db

CANARY = "canary@example.test"
DAY = timedelta(days=1)


@pytest.fixture
def acme() -> Calendar:
    return make_calendar()


def anywhere(text: str) -> list[str]:
    """The tables of ours in whose rows the text stands."""
    found = []
    with connection.cursor() as cursor:
        for model in (*apps.get_app_config("submissions").get_models(), AuditEntry):
            cursor.execute(f"SELECT count(*) FROM {model._meta.db_table} t WHERE t::text ILIKE %s", [f"%{text}%"])
            if cursor.fetchone()[0]:
                found.append(model._meta.model_name)
    return found


def everywhere(calendar: Calendar, **options: Any) -> Submission:
    """A submission whose host's address stands in every text that a host or a moderator writes, and in a mail."""
    submission = make_submission(
        calendar,
        f"Party of {CANARY}",
        email=CANARY,
        payload={"notes": f"Write to {CANARY.upper()}, please.", "location": f"Ask {CANARY}"},
        review_message=f"Dear {CANARY}",
        review_reason=f"not {CANARY}",
        flags=[{"signal": "links", "sentence": f"There is {CANARY}", "evidence": {"text": [CANARY]}}],
        **options,
    )
    submission.messages.create(at=NOW, author=Message.Author.HOST, text=f"I am {CANARY}.")
    submission.decisions.create(at=NOW, action="edit", by="host", before={"payload": {"notes": CANARY}})
    moderator = make_user(calendar.website.account)
    batch = batches.begin([], action="decline", reason=f"{CANARY}: no", message=CANARY, actor=moderator, now=NOW)
    submission.decisions.create(at=NOW, action="decline", by="admin-panel", reason=f"{CANARY}: no", batch=batch)
    mail.tell_host(submission, "received", now=NOW)
    return submission


@pytest.mark.parametrize("make", [make_spam, make_submission], ids=["spam", "declined"])
def test_the_address_of_what_was_declined_goes_within_30_days(acme: Calendar, make: Any) -> None:
    submission = make(acme, email=CANARY)
    Submission.objects.update(status="declined", reviewed_at=NOW)
    assert retention.prune(now=NOW + 29 * DAY) == 0
    assert retention.prune(now=NOW + 29 * DAY + timedelta(hours=1)) == 1
    submission.refresh_from_db()
    assert (submission.host_email, submission.status) == ("", "declined")
    assert anywhere(CANARY) == []


def test_the_address_of_what_was_accepted_goes_within_12_months_of_the_event(acme: Calendar) -> None:
    submission = make_submission(acme, email=CANARY, starts_on=date(2026, 6, 20))
    submission.accepted_event = catalog.publish(submission, now=NOW)
    submission.status, submission.reviewed_at = Submission.Status.ACCEPTED, NOW
    submission.save()
    type(submission.accepted_event).objects.update(ends_on=date(2026, 6, 22))
    last = NOW.replace(month=6, day=22) + 364 * DAY
    assert retention.prune(now=last) == 0
    assert retention.prune(now=last + DAY) == 1
    assert anywhere(CANARY) == []


def test_a_pending_one_of_long_ago_is_no_reason_to_remember_its_host(acme: Calendar) -> None:
    make_submission(acme, "Dated", email="a@example.test", starts_on=date(2026, 6, 20))
    make_submission(acme, "Undated", email="b@example.test", starts_on=None)
    make_submission(
        acme, "Undated and decided", email="c@example.test", starts_on=None, status="accepted", reviewed_at=NOW
    )
    assert retention.prune(now=NOW + 363 * DAY) == 0
    assert retention.prune(now=NOW + 400 * DAY) == 3
    assert not Host.objects.exists()


def test_with_the_address_goes_where_the_proposal_came_from(acme: Calendar) -> None:
    proposal = Proposal.read(EXAMPLE | {"hostEmail": CANARY})
    submission = intake.submit(acme, proposal, honeypot="", form_started_at="", address="203.0.113.77", now=NOW)
    assert len(anywhere(submission.source_ip_hash)) > 0
    retention.erase(CANARY, by=None, now=NOW)
    assert anywhere(submission.source_ip_hash) == []
    assert Submission.objects.values_list("source_ip_hash", "email_ip_hash").get() == ("", "")


def test_a_source_that_is_forgotten_is_nobody_elses(acme: Calendar) -> None:
    for number in range(4):
        make_submission(acme, str(number), email=f"h{number}@example.test")
    Submission.objects.update(source_ip_hash="")
    assert screening.addresses_of(acme, "", now=NOW, besides=None) == []


def test_what_was_declined_goes_with_the_retention_and_what_was_accepted_stays(acme: Calendar) -> None:
    later = NOW + timedelta(days=settings.RETENTION_DAYS)
    make_submission(acme, "Declined", status="declined", reviewed_at=NOW - DAY)
    accepted = make_submission(acme, "Accepted", status="accepted", reviewed_at=NOW - DAY)
    pending = make_submission(acme, "Pending", created_at=NOW - DAY)
    for submission in (accepted, pending):
        submission.messages.create(at=NOW - DAY, author=Message.Author.HOST, text="Hello")
    retention.prune(now=later)
    assert {submission.name for submission in Submission.objects.all()} == {"Accepted", "Pending"}
    assert {message.submission for message in Message.objects.all()} == {pending}


def test_a_host_with_something_young_is_still_known_there(acme: Calendar) -> None:
    make_spam(acme, "Old", email=CANARY)
    young = make_submission(acme, "Young", email=CANARY, created_at=NOW + 29 * DAY)
    retention.prune(now=NOW + 30 * DAY)
    assert [submission.name for submission in Submission.objects.exclude(host=None)] == ["Young"]
    young.refresh_from_db()
    assert young.host_email == CANARY


def test_more_than_one_step_is_forgotten_step_by_step(acme: Calendar, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "STEP_ROWS", 2)
    for number in range(5):
        make_spam(acme, str(number), email=f"h{number}@example.test")
    assert retention.prune(now=NOW + 30 * DAY) == 5


def test_the_address_goes_from_every_text_that_it_stood_in(acme: Calendar) -> None:
    submission = everywhere(acme, status="declined", reviewed_at=NOW)
    assert {"host", "submission", "message", "decision", "mail"} <= set(anywhere(CANARY))
    retention.prune(now=NOW + 30 * DAY)
    assert anywhere(CANARY) == []
    submission.refresh_from_db()
    assert submission.payload["notes"] == "Write to […], please."
    assert submission.messages.get().text == "I am […]."


def test_counts_of_limits_go_a_day_after_their_end(acme: Calendar) -> None:
    for hours, key in ((23, "young"), (25, "old")):
        LimitCount.objects.create(key=key, scope="email", count=1, ends_at=NOW - timedelta(hours=hours))
    retention.prune(now=NOW)
    assert [row.key for row in LimitCount.objects.all()] == ["young"]


def test_mails_go_within_30_days_sent_or_not(acme: Calendar) -> None:
    mail.tell_host(make_submission(acme), "received", now=NOW)
    retention.prune(now=NOW + 29 * DAY)
    assert Mail.objects.count() == 1
    retention.prune(now=NOW + 29 * DAY + timedelta(hours=1))
    assert not Mail.objects.exists()


def test_it_runs_by_itself(acme: Calendar) -> None:
    make_spam(acme, email=CANARY)
    Submission.objects.update(reviewed_at=NOW - 10_000 * DAY)
    tasks.prune()
    assert anywhere(CANARY) == []


# -- when a host asks -------------------------------------------------------------------------------------------------


def test_an_erased_host_is_nowhere_and_what_they_proposed_stays(acme: Calendar) -> None:
    root = make_root(login="root")
    submission = everywhere(acme)
    other = make_submission(acme, "Other", email="other@example.test")
    assert retention.erase(f" {CANARY.upper()} ", by=root, now=NOW) == 1
    assert anywhere(CANARY) == []
    submission.refresh_from_db()
    other.refresh_from_db()
    assert (submission.status, submission.host_email, other.host_email) == ("pending", "", "other@example.test")


def test_an_erased_host_leaves_a_line_without_the_address(acme: Calendar) -> None:
    root = make_root(login="root")
    submission = make_submission(acme, email=CANARY)
    retention.erase(CANARY, by=root, now=NOW)
    line = submission.decisions.get()
    assert (line.action, line.actor, line.by) == ("erase", root, "admin-panel")
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.subject) == ("host.erase", root.id, str(submission.id))


def test_a_published_event_loses_the_address_too(acme: Calendar) -> None:
    submission = make_submission(acme, email=CANARY, payload={"notes": f"Book at {CANARY}"})
    event = catalog.publish(submission, now=NOW)
    submission.accepted_event = event
    submission.save()
    retention.erase(CANARY, by=None, now=NOW)
    event.refresh_from_db()
    assert (event.notes, event.name) == ("Book at […]", submission.name)
    assert "canary" not in event.search_text


def test_the_same_address_on_every_calendar_is_erased(acme: Calendar) -> None:
    globex = make_calendar(make_website(make_account("Globex"), "globex.example"))
    make_submission(acme, email=CANARY)
    make_submission(globex, email=CANARY)
    assert retention.erase(CANARY, by=None, now=NOW) == 2
    assert anywhere(CANARY) == []


@pytest.mark.parametrize("unknown", ["nobody@example.test", "", "%", "canary"])
def test_an_unknown_address_erases_nothing(acme: Calendar, unknown: str) -> None:
    make_submission(acme, email=CANARY)
    assert retention.erase(unknown, by=None, now=NOW) == 0
    assert anywhere(CANARY) == ["host"]


def test_limits_that_count_the_address_hold_hashes_only(acme: Calendar) -> None:
    proposal = Proposal.read(EXAMPLE | {"hostEmail": CANARY})
    intake.submit(acme, proposal, honeypot="", form_started_at="", address="203.0.113.77", now=NOW)
    assert "limitcount" not in anywhere(CANARY)
    assert anywhere("203.0.113.77") == []
    assert json.dumps(Submission.objects.get().payload).count("canary") == 0


def test_what_was_decided_together_is_a_list_for_29_days_and_the_decisions_stay(acme: Calendar) -> None:
    submission, moderator = make_submission(acme), make_user(acme.website.account)
    batch = batches.begin([submission.id], action="accept", actor=moderator, now=NOW)
    batches.step(batch.id, actor=moderator, now=NOW)
    retention.prune(now=NOW + 29 * DAY)
    assert submission.decisions.get().batch == batch
    retention.prune(now=NOW + 29 * DAY + timedelta(seconds=1))
    assert submission.decisions.get().batch is None
