"""Mail, written in the transaction of what it tells and sent after it by Celery: the outbox.

A row is sent by whoever holds its lock, and marked before the lock goes. So nothing is lost and nothing is sent twice,
with one exception that SMTP leaves: when the server has taken a mail and this process, or PostgreSQL, ends before the
mark is committed, the mail goes out once more. It then carries the same Message-ID, by which mailboxes know it.
"""

import logging
import smtplib
import threading
from datetime import datetime, timedelta
from uuid import NAMESPACE_URL, uuid5

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.db.models import Max, Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.module_loading import import_string

from accounts.models import User
from submissions import links, wording
from submissions.models import Calendar, Mail, Submission
from submissions.proposal import is_address
from submissions.text import collapsed

log = logging.getLogger(__name__)

RECEIVED = "received"
DIGEST = "digest"
# A proposal may name anybody's address. Nobody is sent more receipts than this in a day.
MOST_RECEIPTS_A_DAY = 20
DIGEST_EVERY = timedelta(hours=1)
# After a failure, then twice as long each time.
FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=6)
LONGEST_SUBJECT = 150
TASK = "submissions.tasks.send_mail"
# What one recipient's server says about one mail; everything else is about the connection.
ABOUT_ONE_MAIL = (smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError, smtplib.SMTPSenderRefused, ValueError)

_waking = threading.Lock()


# -- writing ----------------------------------------------------------------------------------------------------------


def tell_host(submission: Submission, kind: str, *, now: datetime, **context: str) -> None:
    """Have the host be told, within the caller's transaction. `kind` names a text in templates/submissions/mail.

    Whose address was removed is told nothing.
    """
    address = submission.host_email
    if not is_address(address) or (kind == RECEIVED and has_enough_receipts(address, now)):
        return
    texts = {
        "submission": submission,
        "calendar": submission.calendar,
        "link": status_url(submission),
        "day": wording.day_in_words(submission),
        "reason": wording.reason_in_words(submission),
        "event_link": event_url(submission),
    }
    subject, body = written(kind, texts | context)
    occasion = "" if kind == RECEIVED else now.isoformat()
    put(f"{kind}|{submission.pk}|{occasion}", kind, address, subject, body, submission=submission, now=now)


def tell_moderators(*, now: datetime) -> int:
    """A digest for everybody who may review something that is new since their last one, at most one an hour.

    Returns how many were written.
    """
    waiting = Calendar.objects.live().filter(submissions__status=Submission.Status.PENDING).distinct()
    return sum(digest(user, now=now) for user in moderators(list(waiting)))


def has_enough_receipts(address: str, now: datetime) -> bool:
    since = now - timedelta(days=1)
    return Mail.objects.filter(to=address, kind=RECEIVED, created_at__gt=since).count() >= MOST_RECEIPTS_A_DAY


def moderators(calendars: list[Calendar]) -> list[User]:
    """Who may review submissions of one of these calendars, and can be written to."""
    accounts = {calendar.website.account_id for calendar in calendars}
    if not accounts:
        return []
    users = User.objects.live().filter(Q(account__in=accounts) | Q(role=User.Role.ADMIN))
    return [user for user in users if is_address(user.email or "") and user.has_perm("submissions.review_submission")]


def digest(user: User, *, now: datetime) -> bool:
    """Write the user's digest if one is due."""
    prefix = f"{DIGEST}|{user.pk}|"
    last = Mail.objects.filter(kind=DIGEST, key__startswith=prefix).aggregate(at=Max("created_at"))["at"]
    if last and last > now - DIGEST_EVERY:
        return False
    waiting = Submission.objects.visible_to(user).pending().select_related("calendar")
    news = Q(created_at__gt=last) | Q(answered_at__gt=last) | Q(appealed_at__gt=last) if last else Q()
    new = list(waiting.filter(news).order_by("starts_on", "created_at")[:11])
    if not new:
        return False
    subject, body = written(
        DIGEST,
        {
            "count": waiting.count(),
            "new": new[:10],
            "has_more": len(new) > 10,
            "link": links.absolute(reverse("admin:index")),
        },
    )
    # Named by the one before it, so that of two workers at once only one writes it.
    put(f"{prefix}{last.isoformat() if last else 'first'}", DIGEST, user.email or "", subject, body, now=now)
    return True


def status_url(submission: Submission) -> str:
    """Absolute, for mails."""
    return links.absolute(links.status_path(submission))


def event_url(submission: Submission) -> str:
    """Of the published event; where none is, of the status page."""
    event = submission.accepted_event
    return links.absolute(links.event_path(event)) if event else status_url(submission)


def written(kind: str, context: dict[str, object]) -> tuple[str, str]:
    """Subject and body: the first line of the text, and what stands below it."""
    text = render_to_string(f"submissions/mail/{kind}.txt", context)
    subject, _, body = text.strip().partition("\n")
    subject = collapsed(subject)
    if len(subject) > LONGEST_SUBJECT:
        subject = f"{subject[: LONGEST_SUBJECT - 1]}…"
    return subject, f"{body.strip()}\n"


def put(
    key: str, kind: str, to: str, subject: str, body: str, *, submission: Submission | None = None, now: datetime
) -> None:
    """Into the outbox, once per key."""
    mail = Mail(
        key=key, kind=kind, submission=submission, to=to, subject=subject, body=body, created_at=now, due_at=now
    )
    Mail.objects.bulk_create([mail], ignore_conflicts=True)
    transaction.on_commit(wake)


# -- sending ----------------------------------------------------------------------------------------------------------


def wake() -> None:
    """Have a worker look at the outbox now. Without one, or without Redis, beat does it within half a minute."""
    if _waking.acquire(blocking=False):
        threading.Thread(target=_wake, name="wake-mail", daemon=True).start()


def _wake() -> None:
    # In a thread, for a Redis that hangs would hold up the answer. Celery is loaded by who needs it.
    try:
        import_string("tinytrail.beat.app").send_task(TASK, retry=False)
    except Exception as error:
        log.warning("No worker could be woken to send mail: %s", type(error).__name__)
    finally:
        _waking.release()


def send_due(*, now: datetime) -> int:
    """Send what is due, the oldest first. Returns how many were sent.

    What cannot be delivered waits, longer each time; when the server does not answer the rest waits for the next call.
    """
    sent = 0
    connection = get_connection()
    try:
        while (outcome := send_next(connection, now=now)) is not None:
            sent += outcome
    except OSError:  # SMTPException is one
        pass
    finally:
        close(connection)
    return sent


@transaction.atomic
def claimed(now: datetime) -> Mail | None:
    due = Mail.objects.select_for_update(skip_locked=True).filter(sent_at=None, due_at__lte=now)
    return due.order_by("due_at", "id").first()


def send_next(connection: BaseEmailBackend, *, now: datetime) -> bool | None:
    """Send one mail: whether it went, None when none is due. Raises OSError when nothing can be sent now."""
    with transaction.atomic():
        mail = claimed(now)
        if mail is None:
            return None
        failure = attempt(mail, connection)
        if failure is None:
            mail.sent_at, mail.error = now, ""
        else:
            mail.error = type(failure).__name__[:120]
            mail.due_at = now + min(FIRST_WAIT * 2 ** min(mail.attempts, 10), LONGEST_WAIT)
        mail.attempts = min(mail.attempts + 1, 32_767)
        mail.save(update_fields=["sent_at", "error", "due_at", "attempts"])
    if failure is not None:
        log.warning("A mail (%s) could not be sent: %s", mail.kind, type(failure).__name__)
        if not isinstance(failure, ABOUT_ONE_MAIL):
            raise OSError from failure
    return failure is None


def attempt(mail: Mail, connection: BaseEmailBackend) -> Exception | None:
    try:
        # Once for all of them; Django would else make a connection for each.
        connection.open()
        connection.send_messages([message_of(mail)])
    except (OSError, ValueError) as error:
        return error
    return None


def message_of(mail: Mail) -> EmailMessage:
    domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].rstrip(">")
    headers = {
        "Message-ID": f"<{uuid5(NAMESPACE_URL, f'{settings.PUBLIC_URL}|{mail.key}')}@{domain}>",
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
    }
    # Django refuses a header with a line break once more (guarantee A67).
    return EmailMessage(mail.subject, mail.body, settings.DEFAULT_FROM_EMAIL, [mail.to], headers=headers)


def close(connection: BaseEmailBackend) -> None:
    try:
        connection.close()
    except OSError as error:
        log.warning("The mail server did not say goodbye: %s", type(error).__name__)
