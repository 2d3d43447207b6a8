"""The outbox: what hosts and moderators are written, and that it goes out once."""

import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from celery import Celery
from django.conf import LazySettings
from django.core import mail as sent_mail
from django.db import connections, transaction
from kombu import Queue

from accounts.models import User
from accounts.tests.builders import make_account, make_root, make_user, make_website
from submissions import catalog, intake, mail, tasks
from submissions.models import Calendar, Mail, Submission
from submissions.proposal import Proposal
from submissions.tests.builders import NOW, allow, make_calendar, make_spam, make_submission
from submissions.tests.proposing import EXAMPLE
from submissions.tests.smtp import MailServer, mail_server
from tinytrail.beat import SCHEDULE

pytestmark = pytest.mark.django_db

HOST = "host@example.test"
HOUR = timedelta(hours=1)


@pytest.fixture
def acme() -> Calendar:
    return make_calendar(is_default=True)


@pytest.fixture
def smtp(settings: LazySettings) -> Iterator[MailServer]:
    """A mail server of one's own, to which settings lead."""
    with mail_server() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
        settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
        settings.EMAIL_TIMEOUT = 5
        yield server


def submit(calendar: Calendar, now: datetime = NOW, **changes: str) -> Submission:
    proposal = Proposal.read(EXAMPLE | changes)
    return intake.submit(calendar, proposal, honeypot="", form_started_at="", address="203.0.113.9", now=now)


def test_it_works(acme: Calendar, settings: LazySettings) -> None:
    settings.PUBLIC_URL, settings.DEFAULT_FROM_EMAIL = "https://acme.example", "Acme <hello@acme.example>"
    submission = submit(acme)
    assert sent_mail.outbox == []

    assert mail.send_due(now=NOW) == 1

    (message,) = sent_mail.outbox
    assert (message.to, message.from_email) == (["contact@lesunset.com"], "Acme <hello@acme.example>")
    assert message.subject == "We have your event: Jazz Night at Le Sunset"
    assert mail.status_url(submission) in message.body
    assert mail.status_url(submission).startswith("https://acme.example/calendar/proposals/")
    assert "Sunday 15 March 2026, 20:00" in message.body
    row = Mail.objects.get()
    assert (row.kind, row.submission, row.sent_at, row.attempts) == ("received", submission, NOW, 1)
    assert mail.send_due(now=NOW) == 0


def test_texts_are_plain_and_name_nothing_by_its_html(acme: Calendar) -> None:
    submit(acme, eventName="Rock & <Roll> 'n' \"Soul\"")
    mail.send_due(now=NOW)
    assert "Rock & <Roll> 'n' \"Soul\"" in sent_mail.outbox[0].body
    assert sent_mail.outbox[0].subject.endswith("Rock & <Roll> 'n' \"Soul\"")


@pytest.mark.parametrize(
    ("kind", "subject", "says"),
    [
        ("accepted", "Your event is in the calendar: Fête", "has published your event"),
        (
            "declined",
            "About your event: Fête",
            "we could not verify it with the link that you gave.\n\nThe page is gone.",
        ),
        ("question", "A question about your event: Fête", "Is there a lift?"),
        ("reopened", "Your event is looked at again: Fête", "once more"),
    ],
)
def test_each_kind_says_what_happened(acme: Calendar, kind: str, subject: str, says: str) -> None:
    submission = make_submission(acme, "Fête", review_reason="unable_to_verify", review_message="The page is gone.")
    mail.tell_host(submission, kind, now=NOW, text="Is there a lift?")
    mail.send_due(now=NOW)
    (message,) = sent_mail.outbox
    assert message.subject == subject
    assert says in message.body
    assert mail.status_url(submission) in message.body


def test_an_accepted_event_is_linked_where_it_stands(acme: Calendar, settings: LazySettings) -> None:
    settings.PUBLIC_URL = "https://acme.example"
    submission = make_submission(acme)
    submission.accepted_event = catalog.publish(submission, now=NOW)
    mail.tell_host(submission, "accepted", now=NOW)
    event = submission.accepted_event
    path = f"https://acme.example/calendar/{acme.website.public_id}/{event.key}/{event.slug}"
    assert path in Mail.objects.get().body


def test_links_never_come_from_a_request(acme: Calendar, settings: LazySettings, client: object) -> None:
    settings.PUBLIC_URL = "https://acme.example"
    submit(acme)
    assert "https://acme.example/calendar/proposals/" in Mail.objects.get().body


def test_the_same_thing_is_told_once_and_each_decision_anew(acme: Calendar) -> None:
    submission = make_submission(acme)
    for now in (NOW, NOW, NOW + HOUR):
        mail.tell_host(submission, "accepted", now=now)
        mail.tell_host(submission, "received", now=now)
    assert sorted(Mail.objects.values_list("kind", "created_at")) == [
        ("accepted", NOW),
        ("accepted", NOW + HOUR),
        ("received", NOW),
    ]


def test_whoever_was_forgotten_is_told_nothing(acme: Calendar) -> None:
    mail.tell_host(make_submission(acme, email=None), "accepted", now=NOW)
    assert not Mail.objects.exists()


def test_nobody_is_sent_more_than_twenty_receipts_a_day(acme: Calendar) -> None:
    for number in range(21):
        mail.tell_host(make_submission(acme, str(number)), "received", now=NOW)
    assert Mail.objects.count() == 20
    mail.tell_host(make_submission(acme, "21"), "received", now=NOW + timedelta(days=1))
    assert Mail.objects.count() == 21


def test_what_is_rolled_back_is_not_told(acme: Calendar) -> None:
    with transaction.atomic():
        mail.tell_host(make_submission(acme), "accepted", now=NOW)
        transaction.set_rollback(True)
    assert not Mail.objects.exists()


# -- headers (A67) ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["Jazz\nBcc: victim@example.com", "Jazz\r\nBcc: victim@example.com\r\n\r\nHello", "J\u2028Bcc: x"]
)
def test_a_line_break_in_a_name_makes_no_header(acme: Calendar, smtp: MailServer, name: str) -> None:
    submit(acme, eventName=name)
    mail.send_due(now=NOW)
    (message,) = smtp.mails
    assert message["Bcc"] is None
    assert message["To"] == "contact@lesunset.com"
    assert message["Subject"].startswith("We have your event: J")


def test_a_line_break_that_came_into_the_outbox_stays_there(acme: Calendar, smtp: MailServer) -> None:
    submit(acme)
    Mail.objects.update(subject="Jazz\nBcc: victim@example.com")
    submit(acme, eventName="Other")
    assert mail.send_due(now=NOW) == 1
    assert [message["Subject"] for message in smtp.mails] == ["We have your event: Other"]
    assert Mail.objects.get(sent_at=None).error == "BadHeaderError"


def test_a_long_subject_is_cut(acme: Calendar, smtp: MailServer) -> None:
    submit(acme, eventName="é" * 180)
    mail.send_due(now=NOW)
    subject = smtp.mails[0]["Subject"].strip()
    assert (len(subject), subject[-2:]) == (150, "é…")


def test_mails_say_that_a_program_wrote_them(acme: Calendar, smtp: MailServer) -> None:
    submit(acme)
    mail.send_due(now=NOW)
    assert smtp.mails[0]["Auto-Submitted"] == "auto-generated"


# -- never lost, never twice ------------------------------------------------------------------------------------------


def test_while_the_server_is_away_mail_waits_longer_each_time(acme: Calendar, settings: LazySettings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_HOST_USER = "127.0.0.1", 1, ""
    settings.EMAIL_USE_TLS = False
    submit(acme)
    now, waits = NOW, []
    for _ in range(12):
        assert mail.send_due(now=now) == 0
        row = Mail.objects.get()
        waits.append((row.due_at - now) / timedelta(minutes=1))
        assert mail.send_due(now=row.due_at - timedelta(seconds=1)) == 0
        now = row.due_at
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 360, 360, 360]
    assert (row.attempts, row.error, row.sent_at) == (12, "ConnectionRefusedError", None)


def test_when_the_server_is_away_the_others_wait_for_the_next_time_without_a_try(
    acme: Calendar, smtp: MailServer
) -> None:
    for name in ("One", "Two", "Three"):
        submit(acme, eventName=name)
    smtp.hangs_up = True
    assert mail.send_due(now=NOW) == 0
    assert smtp.connections == 1
    smtp.hangs_up = False
    assert mail.send_due(now=NOW) == 2
    assert mail.send_due(now=NOW + HOUR) == 1
    assert len(smtp.mails) == 3


def test_one_recipient_who_is_refused_holds_up_nobody(acme: Calendar, smtp: MailServer) -> None:
    for name in ("a", "b", "c"):
        submit(acme, hostEmail=f"{name}@example.com", eventName=f"{name}{name}")
    smtp.refused = {"a@example.com"}
    assert mail.send_due(now=NOW) == 2
    assert smtp.connections == 1
    assert Mail.objects.get(sent_at=None).error == "SMTPRecipientsRefused"


def test_a_mail_keeps_its_message_id_and_has_it_alone(acme: Calendar, smtp: MailServer) -> None:
    submit(acme)
    submit(acme, eventName="Other")
    mail.send_due(now=NOW)
    # The one window: the server has taken it, and nobody could note so.
    Mail.objects.update(sent_at=None)
    mail.send_due(now=NOW)
    names = [message["Message-ID"] for message in smtp.mails]
    assert names[:2] == names[2:]
    assert len(set(names)) == 2
    assert names[0].endswith("@localhost>")


def test_errors_are_kept_and_logged_without_the_address(
    acme: Calendar, smtp: MailServer, caplog: pytest.LogCaptureFixture
) -> None:
    submit(acme, hostEmail="canary@example.test")
    smtp.refused = {"canary@example.test"}
    with caplog.at_level(logging.DEBUG):
        mail.send_due(now=NOW)
    assert caplog.messages
    assert "canary" not in caplog.text
    assert "canary" not in Mail.objects.get().error


@pytest.mark.django_db(transaction=True)
def test_of_many_workers_each_mail_is_sent_by_one(smtp: MailServer) -> None:
    calendar = make_calendar()
    for number in range(20):
        mail.tell_host(make_submission(calendar, str(number), email=f"h{number}@example.com"), "accepted", now=NOW)
    ready = threading.Barrier(4)

    def work(_: int) -> int:
        try:
            ready.wait(10)
            return mail.send_due(now=NOW)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(work, range(4))) == 20
    assert sorted(message["To"] for message in smtp.mails) == sorted(f"h{number}@example.com" for number in range(20))


@pytest.mark.django_db(transaction=True)
def test_a_commit_wakes_a_worker(settings: LazySettings) -> None:
    mail.tell_host(make_submission(make_calendar()), "accepted", now=NOW)
    with mail._waking:  # the one who wakes is done
        pass
    with Celery(broker=settings.CELERY_BROKER_URL) as app, app.connection_for_read() as broker:
        message = broker.SimpleQueue(Queue("celery", channel=broker)).get(timeout=5)
    assert message.headers["task"] == mail.TASK


def test_without_redis_nothing_fails(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr("tinytrail.beat.app", Celery(broker="redis://127.0.0.1:1/0", set_as_current=False))
    with caplog.at_level(logging.WARNING):
        mail.wake()
        with mail._waking:
            pass
    assert "No worker could be woken to send mail" in caplog.text


def test_beat_looks_at_the_outbox_by_itself(acme: Calendar) -> None:
    assert {"task": "submissions.tasks.send_mail", "schedule": 30.0} in SCHEDULE.values()
    submit(acme)
    tasks.send_mail()
    assert [message.to for message in sent_mail.outbox] == [["contact@lesunset.com"]]


# -- the moderators' digest -------------------------------------------------------------------------------------------


@pytest.fixture
def moderator(acme: Calendar) -> User:
    user = make_user(acme.website.account, login="mod", email="mod@acme.example")
    return allow(user, "review_submission")


def digests() -> list[Mail]:
    return list(Mail.objects.filter(kind="digest").order_by("id"))


def test_moderators_are_told_what_waits(acme: Calendar, moderator: User, settings: LazySettings) -> None:
    settings.PUBLIC_URL = "https://acme.example"
    make_submission(acme, "Fête de la Musique")
    make_submission(acme, "Bal <populaire>")
    assert mail.tell_moderators(now=NOW) == 1
    (digest,) = digests()
    assert (digest.to, digest.subject) == ("mod@acme.example", "2 events wait for review")
    assert "Fête de la Musique (2026-06-21)" in digest.body
    assert "Bal <populaire>" in digest.body
    assert "https://acme.example/admin/" in digest.body
    assert HOST not in digest.body


def test_one_event_is_told_of_in_the_singular(acme: Calendar, moderator: User) -> None:
    make_submission(acme)
    mail.tell_moderators(now=NOW)
    assert digests()[0].subject == "1 event waits for review"


def test_a_digest_comes_at_most_once_an_hour_and_only_with_something_new(acme: Calendar, moderator: User) -> None:
    make_submission(acme, "One", created_at=NOW)
    mail.tell_moderators(now=NOW)
    make_submission(acme, "Two", created_at=NOW + HOUR / 2)
    mail.tell_moderators(now=NOW + HOUR / 2)
    assert len(digests()) == 1
    mail.tell_moderators(now=NOW + HOUR)
    assert ["Two" in digest.body for digest in digests()] == [False, True]
    assert "One" not in digests()[1].body
    mail.tell_moderators(now=NOW + 2 * HOUR)
    assert len(digests()) == 2


@pytest.mark.parametrize("what", ["answered_at", "appealed_at"])
def test_an_answer_and_an_appeal_are_news(acme: Calendar, moderator: User, what: str) -> None:
    submission = make_submission(acme)
    mail.tell_moderators(now=NOW)
    Submission.objects.filter(pk=submission.pk).update(**{what: NOW + HOUR / 2})
    mail.tell_moderators(now=NOW + HOUR)
    assert len(digests()) == 2


def test_what_is_decided_is_no_news(acme: Calendar, moderator: User) -> None:
    make_spam(acme)
    make_submission(acme, status="accepted")
    assert mail.tell_moderators(now=NOW) == 0


def test_only_who_may_review_and_can_be_reached_is_told(acme: Calendar, moderator: User) -> None:
    account = acme.website.account
    make_user(account, login="no-right", email="no-right@acme.example")
    allow(make_user(account, login="no-mail"), "review_submission")
    allow(make_user(account, login="odd", email="odd@acme.example\nBcc: x@example.com"), "review_submission")
    gone = allow(make_user(account, login="gone", email="gone@acme.example"), "review_submission")
    User.objects.filter(pk=gone.pk).update(is_active=False)
    globex = make_website(make_account("Globex"), "globex.example")
    make_calendar(globex)
    allow(make_user(globex.account, login="globex", email="mod@globex.example"), "review_submission")
    make_root(login="root", email="root@root.example")
    make_submission(acme)
    mail.tell_moderators(now=NOW)
    assert sorted(digest.to for digest in digests()) == ["mod@acme.example", "root@root.example"]


def test_nobody_is_told_of_another_accounts_events(acme: Calendar, moderator: User) -> None:
    globex = make_calendar(make_website(make_account("Globex"), "globex.example"))
    make_submission(globex, "Secret")
    make_submission(acme, "Open")
    mail.tell_moderators(now=NOW)
    assert "Secret" not in digests()[0].body
    assert digests()[0].subject == "1 event waits for review"


def test_many_new_ones_are_not_all_listed(acme: Calendar, moderator: User) -> None:
    for number in range(12):
        make_submission(acme, f"Event {number:02}")
    mail.tell_moderators(now=NOW)
    (digest,) = digests()
    assert digest.subject == "12 events wait for review"
    assert digest.body.count("Event ") == 10
    assert "and more" in digest.body


@pytest.mark.django_db(transaction=True)
def test_of_two_workers_at_once_one_writes_the_digest() -> None:
    acme = make_calendar()
    allow(make_user(acme.website.account, login="mod", email="mod@acme.example"), "review_submission")
    make_submission(acme)
    ready = threading.Barrier(2)

    def work(_: int) -> None:
        try:
            ready.wait(10)
            mail.tell_moderators(now=NOW)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, range(2)))
    assert len(digests()) == 1
