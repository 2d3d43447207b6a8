"""The calendar's cast: Acme has one, Globex must never see it. Times are fixed: it is noon of 1 June 2026."""

from datetime import UTC, date, datetime, time
from typing import Any

from django.contrib.auth.models import Permission

from accounts.models import User, Website
from accounts.tests.builders import make_account, make_website
from submissions.models import Calendar, Host, Submission
from submissions.text import folded

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
TODAY = NOW.date()
CLEAN = {"honeypotFilled": False, "completedTooFast": False, "completionSeconds": 42.0, "reasons": []}


def make_calendar(website: Website | None = None, **options: Any) -> Calendar:
    website = website or make_website(make_account("Acme"))
    return Calendar.objects.create(website=website, name=options.pop("name", website.domain), **options)


def make_submission(
    calendar: Calendar,
    name: str = "Fête de la Musique",
    *,
    starts_on: date | None = date(2026, 6, 21),
    email: str | None = "host@example.test",
    created_at: datetime = NOW,
    flags: list[dict[str, Any]] | None = None,
    payload: dict[str, str] | None = None,
    **options: Any,
) -> Submission:
    """A pending submission as intake stores it. `payload` adds to what the host wrote, in the contract's spelling."""
    wrote = {
        "eventName": name,
        "date": starts_on.isoformat() if starts_on else "soon",
        "startTime": "20:00",
        "location": "12 rue Oberkampf, Paris",
        "hostEmail": email or "",
        "proofLink": "https://example.com/event",
        "submittedAt": created_at.isoformat(),
        **(payload or {}),
    }
    # Contract 4.6 keeps the address in a column of its own: here, the host.
    wrote.pop("hostEmail")
    return Submission.objects.create(
        calendar=calendar,
        host=Host.objects.get_or_create(calendar=calendar, email=email)[0] if email else None,
        payload=wrote,
        name=wrote["eventName"],
        starts_on=starts_on,
        starts_at=time(20),
        name_folded=folded(wrote["eventName"]),
        location_folded=folded(wrote["location"]),
        source_ip_hash="a" * 64,
        email_ip_hash="b" * 64,
        fingerprint_hash="c" * 64,
        spam_signals=CLEAN,
        flags=flags or [],
        flag_count=len(flags or []),
        created_at=created_at,
        **options,
    )


def make_spam(calendar: Calendar, name: str = "Cheap watches", **options: Any) -> Submission:
    """One that the system declined by itself (contract 4.6)."""
    submission = make_submission(
        calendar,
        name,
        status=Submission.Status.DECLINED,
        review_reason=Submission.SPAM_SIGNAL,
        reviewed_by=Submission.SYSTEM,
        reviewed_at=options.get("created_at", NOW),
        **options,
    )
    submission.decisions.create(at=submission.created_at, action="auto_decline", by=Submission.SYSTEM)
    return submission


def allow(user: User, *rights: str) -> User:
    """The user with these rights of the calendar's app."""
    user.user_permissions.add(*Permission.objects.filter(codename__in=rights, content_type__app_label="submissions"))
    return User.objects.get(pk=user.pk)
