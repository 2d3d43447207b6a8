"""What hosts propose and moderators publish: calendars, submissions, hosts, catalogue events.

A verb module changes them: intake (hosts), review (moderators), catalog (what is published).
"""

import uuid
from datetime import date
from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from accounts.models import User, Website
from submissions.prooflink import normalised


class CalendarQuerySet(models.QuerySet["Calendar"]):
    def live(self) -> "CalendarQuerySet":
        """Calendars whose website was not deleted."""
        return self.filter(website__deleted_at=None, website__account__deleted_at=None)

    def visible_to(self, user: User) -> "CalendarQuerySet":
        return self.live() if user.is_admin else self.live().filter(website__account=user.account_id)


class Calendar(models.Model):
    """The event calendar of a website: takes proposals while it is open, and shows what was published."""

    website = models.OneToOneField(Website, models.CASCADE, related_name="calendar")
    name = models.CharField(max_length=120)
    # Where proposals and discovery calls go that name no calendar (contract D-23). The first one made is it.
    is_default = models.BooleanField(default=False)
    is_open = models.BooleanField("open for proposals", default=True)
    # When and by whom it was last opened or closed (contract 4.7).
    toggled_at = models.DateTimeField(null=True, editable=False)
    toggled_by = models.CharField(max_length=254, blank=True, editable=False)
    # The zone of the events' dates and times.
    time_zone = models.CharField(max_length=64, default="UTC")
    # Raised with every change of what is published, so that every process knows its copy to be old.
    version = models.PositiveBigIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = CalendarQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["name", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint("is_default", name="calendar_one_default", condition=Q(is_default=True)),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def domain(self) -> str:
        """The domain of its website."""
        return self.website.domain


class Host(models.Model):
    """Somebody who proposes events, known by an e-mail address until retention removes it."""

    calendar = models.ForeignKey(Calendar, models.CASCADE, related_name="hosts")
    email = models.CharField(max_length=254)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["email", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint("calendar", Lower("email"), name="host_once"),
        ]

    def __str__(self) -> str:
        return self.email


class CatalogEventQuerySet(models.QuerySet["CatalogEvent"]):
    def live(self) -> "CatalogEventQuerySet":
        """Published and not cancelled: shown on the calendar and trackable, past ones included."""
        return self.filter(
            cancelled_at=None,
            calendar__website__deleted_at=None,
            calendar__website__account__deleted_at=None,
        )

    def upcoming(self, today: date) -> "CatalogEventQuerySet":
        """Live ones that are not over, and those whose date nobody could read."""
        return self.live().filter(Q(ends_on__gte=today) | Q(ends_on=None))

    def visible_to(self, user: User) -> "CatalogEventQuerySet":
        found = self.filter(calendar__in=Calendar.objects.visible_to(user))
        return found


class CatalogEvent(models.Model):
    """A published event. Its key never changes, whatever is edited (contract 4.8)."""

    calendar = models.ForeignKey(Calendar, models.CASCADE, related_name="events")
    # In lower case, unique over all calendars: tracking finds the website by it (contract D-23).
    key = models.CharField(max_length=220, unique=True, editable=False)
    slug = models.CharField(max_length=80, editable=False)
    name = models.CharField(max_length=180)
    # As the host wrote them; what could be read of them stands in starts_on, ends_on and starts_at.
    date = models.CharField(max_length=40)
    start_time = models.CharField(max_length=40)
    end_time = models.CharField(max_length=40, blank=True)
    starts_on = models.DateField(null=True, blank=True)
    ends_on = models.DateField(null=True, blank=True)
    starts_at = models.TimeField(null=True, blank=True)
    ends_at = models.TimeField(null=True, blank=True)
    location = models.CharField(max_length=240)
    arrondissement = models.CharField(max_length=32, blank=True)
    genre = models.CharField(max_length=120, blank=True)
    price = models.CharField(max_length=80, blank=True)
    age = models.CharField(max_length=80, blank=True)
    setting = models.CharField("indoor or outdoor", max_length=80, blank=True)
    notes = models.TextField(max_length=3000, blank=True)
    url = models.CharField("link", max_length=2000, blank=True)
    is_featured = models.BooleanField("featured", default=False)
    cancelled_at = models.DateTimeField(null=True, blank=True, editable=False)
    # What a search is matched against: every shown text, folded (submissions.text).
    search_text = models.TextField(editable=False, default="")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = CatalogEventQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["starts_on", "starts_at", "id"]
        indexes: ClassVar = [
            # The calendar page and the feeds: what is not over, in order.
            models.Index(fields=["calendar", "ends_on", "starts_on"], name="catalog_upcoming"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_live(self) -> bool:
        return self.cancelled_at is None

    @property
    def link(self) -> str:
        """Where its page leads; empty where that may not be followed, by whatever rule it once was stored."""
        return normalised(self.url) or ""


class SubmissionQuerySet(models.QuerySet["Submission"]):
    def pending(self) -> "SubmissionQuerySet":
        return self.filter(status=Submission.Status.PENDING)

    def visible_to(self, user: User) -> "SubmissionQuerySet":
        return self.filter(calendar__in=Calendar.objects.visible_to(user))


class Submission(models.Model):
    """A stored proposal. What a host wrote stands in `payload` as contract 4.6 names it."""

    class Status(models.TextChoices):
        PENDING = "pending"
        ACCEPTED = "accepted"
        DECLINED = "declined"

    # Reasons that are not chosen by a moderator.
    SPAM_SIGNAL = "spam_signal"
    WITHDRAWN = "withdrawn"
    SYSTEM = "system"
    HOST = "host"
    ADMIN_PANEL = "admin-panel"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    calendar = models.ForeignKey(Calendar, models.CASCADE, related_name="submissions")
    # Null once retention has removed the address.
    host = models.ForeignKey(Host, models.SET_NULL, null=True, blank=True, related_name="submissions")
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.PENDING)
    # The normalised fields and submittedAt; empty optional ones are left out.
    payload = models.JSONField()
    # Read from the payload, for the queue: its order, its search and its duplicates.
    name = models.CharField(max_length=180)
    starts_on = models.DateField(null=True)
    starts_at = models.TimeField(null=True)
    # Folded name, place and day (submissions.text), for near duplicates.
    name_folded = models.CharField(max_length=400, default="")
    location_folded = models.CharField(max_length=500, default="")
    # HMACs in hex; the address itself is stored nowhere. Empty once retention has removed the host's.
    source_ip_hash = models.CharField(max_length=64)
    email_ip_hash = models.CharField(max_length=64)
    fingerprint_hash = models.CharField(max_length=64)
    # Contract 4.5, nothing else in it.
    spam_signals = models.JSONField()
    # What screening noticed: [{"signal": ..., "sentence": ..., "evidence": {...}}]; they decide nothing.
    flags = models.JSONField(default=list)
    # How urgently flags want a look: their number, for order and filter.
    flag_count = models.PositiveSmallIntegerField(default=0)
    review_reason = models.CharField(max_length=500, blank=True)
    # What the moderator tells the host beside the reason.
    review_message = models.TextField(max_length=3000, blank=True)
    reviewed_at = models.DateTimeField(null=True)
    # `system`, `host`, `admin-panel`, or the name given to the command; the person stands in the decision.
    reviewed_by = models.CharField(max_length=254, blank=True)
    accepted_event = models.OneToOneField(
        CatalogEvent, models.SET_NULL, null=True, blank=True, related_name="submission"
    )
    accepted_event_key = models.CharField(max_length=220, blank=True)
    # A moderator's question that waits for the host's answer.
    asked_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    edited_at = models.DateTimeField(null=True)
    # Once after a decline.
    appealed_at = models.DateTimeField(null=True)
    # Who has it open now, and when that was last heard of.
    looked_at_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    looked_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField(auto_now=True)

    objects = SubmissionQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-created_at", "id"]
        permissions: ClassVar = [
            ("review_submission", "Can accept, decline and ask about submissions"),
            ("see_host", "Can read the e-mail addresses of hosts"),
            ("export_submission", "Can export submissions"),
        ]
        indexes: ClassVar = [
            # The queue: the pending ones by urgency; and the newest of every status.
            models.Index(fields=["calendar", "status", "starts_on", "created_at"], name="submission_queue"),
            models.Index(fields=["status", "-created_at"], name="submission_newest"),
            # Screening: recent ones of the same day, source and fingerprint.
            models.Index(fields=["calendar", "starts_on"], name="submission_day"),
            models.Index(fields=["source_ip_hash", "created_at"], name="submission_source"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_pending(self) -> bool:
        return self.status == self.Status.PENDING

    @property
    def awaits_answer(self) -> bool:
        """Whether the host has not yet answered the last question."""
        return self.asked_at is not None and (self.answered_at is None or self.answered_at < self.asked_at)

    @property
    def is_auto_declined(self) -> bool:
        return self.status == self.Status.DECLINED and self.reviewed_by == self.SYSTEM

    @property
    def host_email(self) -> str:
        return self.host.email if self.host else ""

    def wrote(self, field: str) -> str:
        """What the host wrote in a field of the contract, empty when nothing."""
        value: Any = self.payload.get(field, "")
        return str(value)


class Message(models.Model):
    """A line between moderator and host about a submission."""

    class Author(models.TextChoices):
        MODERATOR = "moderator"
        HOST = "host"

    submission = models.ForeignKey(Submission, models.CASCADE, related_name="messages")
    at = models.DateTimeField()
    author = models.CharField(max_length=9, choices=Author.choices)
    # The moderator, for the audit; the host sees no name.
    user = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    text = models.TextField(max_length=3000)

    class Meta:
        ordering: ClassVar = ["at", "id"]

    def __str__(self) -> str:
        return f"{self.author}: {self.text[:60]}"


class Batch(models.Model):
    """Many submissions decided with one click, a few at a time: which they are is settled at the click (A77)."""

    class Action(models.TextChoices):
        ACCEPT = "accept"
        DECLINE = "decline"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    actor = models.ForeignKey(User, models.CASCADE, related_name="+")
    action = models.CharField(max_length=8, choices=Action.choices)
    reason = models.CharField(max_length=500, blank=True)
    message = models.TextField(max_length=3000, blank=True)
    # Ids in the order of the work, and how many of them are behind: decided, and, when it is undone, undone.
    submissions = models.JSONField()
    done = models.PositiveIntegerField(default=0)
    undone = models.PositiveIntegerField(null=True)
    # {"<sentence>": how many}: those that were not decided, or not undone, and why.
    refused = models.JSONField(default=dict)
    created_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["-created_at"]
        verbose_name_plural = "batches"

    def __str__(self) -> str:
        return f"{self.action} {len(self.submissions)}"


class Decision(models.Model):
    """The audit log of a submission: every step, by whom, when. Holds no e-mail address."""

    class Action(models.TextChoices):
        RECEIVE = "receive"
        AUTO_DECLINE = "auto_decline"
        ACCEPT = "accept"
        DECLINE = "decline"
        ASK = "ask"
        ANSWER = "answer"
        EDIT = "edit"
        WITHDRAW = "withdraw"
        APPEAL = "appeal"
        REOPEN = "reopen"
        UNDO = "undo"
        ERASE = "erase"

    submission = models.ForeignKey(Submission, models.CASCADE, related_name="decisions")
    at = models.DateTimeField()
    action = models.CharField(max_length=12, choices=Action.choices)
    actor = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    # Who it was for people who are no users: `system`, `host`, a name given to a command.
    by = models.CharField(max_length=254)
    reason = models.CharField(max_length=500, blank=True)
    # What stood before, as far as undoing needs it.
    before = models.JSONField(default=dict)
    undone_at = models.DateTimeField(null=True)
    # Decided with others at one click.
    batch = models.ForeignKey(Batch, models.SET_NULL, null=True, blank=True, related_name="decisions")

    class Meta:
        ordering: ClassVar = ["at", "id"]
        indexes: ClassVar = [
            # The measures: what was decided when.
            models.Index(fields=["action", "at"], name="decision_action"),
        ]

    def __str__(self) -> str:
        return f"{self.action} by {self.by}"


class Skip(models.Model):
    """A moderator's "not now": the submission goes to the end of their own queue."""

    submission = models.ForeignKey(Submission, models.CASCADE, related_name="skips")
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint("submission", "user", name="skip_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user} skipped {self.submission}"


class LimitCount(models.Model):
    """A window of a submission limit, in PostgreSQL so that no restart of Redis forgets it (guarantee F07)."""

    # HMAC in hex of the scope and whom it counts (contract 4.4).
    key = models.CharField(max_length=64, primary_key=True)
    scope = models.CharField(max_length=16)
    count = models.PositiveIntegerField()
    ends_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [
            # Removing what has ended.
            models.Index(fields=["ends_at"], name="limit_ends"),
        ]

    def __str__(self) -> str:
        return f"{self.scope} {self.count}"


class Mail(models.Model):
    """A mail to be sent: written in the transaction of what it tells, sent by Celery after it."""

    # What it is about, once: `<kind>|<submission>|<occasion>`.
    key = models.CharField(max_length=200, unique=True)
    kind = models.CharField(max_length=24)
    submission = models.ForeignKey(Submission, models.CASCADE, null=True, blank=True, related_name="mails")
    to = models.CharField(max_length=254)
    subject = models.CharField(max_length=255)
    body = models.TextField()
    created_at = models.DateTimeField()
    # Not before: later after each failure.
    due_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    # The class of the last error and never its text, which may hold an address.
    error = models.CharField(max_length=120, blank=True)

    class Meta:
        ordering: ClassVar = ["-created_at", "-id"]
        indexes: ClassVar = [
            # What is due.
            models.Index(fields=["due_at"], name="mail_due", condition=Q(sent_at=None)),
        ]

    def __str__(self) -> str:
        return self.kind


class RetiredKey(models.Model):
    """The key of an event that was taken off the catalogue: nothing else ever gets it (contract 4.8)."""

    key = models.CharField(max_length=220, unique=True)
    calendar = models.ForeignKey(Calendar, models.CASCADE, related_name="retired_keys")
    # Published once more, it is the same event again, under its old key.
    submission = models.ForeignKey(Submission, models.SET_NULL, null=True, related_name="retired_keys")
    retired_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["key"]

    def __str__(self) -> str:
        return self.key
