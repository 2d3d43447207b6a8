"""The catalogue: publishing, editing and cancelling events, whoever does it.

Every change raises the calendar's version in its transaction, so that every process knows its copy to be old, and
sends `changed` after it. What a verb refuses it refuses with Unpublishable, which is a sentence.
"""

import unicodedata
from collections.abc import Mapping
from datetime import date, datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.dispatch import Signal
from psycopg.errors import UniqueViolation

from submissions import dates, eventkey, prooflink
from submissions.calendars import zone
from submissions.models import Calendar, CatalogEvent, RetiredKey, Submission
from submissions.text import collapsed, folded

# After the commit, with the `key` of the event: caches of this process, and the shared one, drop what they hold of it.
changed = Signal()

# The fields of an event with their lengths (contract 4.1), and the columns of the sheet they stand in (4.7).
LENGTHS: Mapping[str, tuple[int, int]] = {
    "name": (2, 180),
    "date": (1, 40),
    "start_time": (1, 40),
    "end_time": (0, 40),
    "location": (2, 240),
    "arrondissement": (0, 32),
    "genre": (0, 120),
    "price": (0, 80),
    "age": (0, 80),
    "setting": (0, 80),
    "notes": (0, 3000),
    "url": (0, 2000),
}
# What the contract calls them, for people who write files and for those who read our refusals.
CONTRACT_NAMES: Mapping[str, str] = {
    "name": "eventName",
    "date": "date",
    "start_time": "startTime",
    "end_time": "endTime",
    "location": "location",
    "arrondissement": "arrondissement",
    "genre": "genre",
    "price": "price",
    "age": "age",
    "setting": "indoorOutdoor",
    "notes": "notes",
    "url": "proofLink",
}
COLUMNS: Mapping[str, str] = {
    "name": "title",
    "date": "date",
    "start_time": "startTime",
    "end_time": "endTime",
    "location": "location",
    "arrondissement": "districtArea",
    "genre": "categories",
    "price": "price",
    "age": "ageGuidance",
    "setting": "setting",
    "notes": "notes",
    "url": "primaryUrl",
}
SEARCHED = ("name", "date", "location", "arrondissement", "genre", "price", "age", "setting", "notes")
WHEN = {"date", "start_time", "end_time"}
# Marks that turn the direction of all that follows them on the page. Joiners and simple marks of direction stay.
DIRECTIONS = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)])
UNSHOWN = {"Cc", "Cs"}
NO_XML = "\ufffe\uffff"
# A night belongs to the day it began: the calendar's day ends at five in the morning.
DAY_ENDS = timedelta(hours=5)


class Unpublishable(ValueError):
    """What cannot stand in the catalogue: the field, as in LENGTHS, or empty, and a sentence for people."""

    def __init__(self, sentence: str, field: str = "") -> None:
        super().__init__(sentence)
        self.field = field


class _Taken(Exception):
    pass


def today_of(calendar: Calendar, now: datetime) -> date:
    """The day that the calendar shows as the present one."""
    return (now.astimezone(zone(calendar)) - DAY_ENDS).date()


@transaction.atomic
def publish(submission: Submission, *, now: datetime) -> CatalogEvent:
    """The event of an accepted submission, in the same transaction as the acceptance.

    Published once more after it was taken off, it has its old key.
    """
    if not Calendar.objects.live().filter(pk=submission.calendar_id).exists():
        raise Unpublishable("The website of this calendar was deleted.")
    given = {field: submission.wrote(CONTRACT_NAMES[field]) for field in LENGTHS}
    # A date without a year was meant from the day it was written, however long the review took.
    written = submission.edited_at or submission.created_at
    event = _filled(CatalogEvent(calendar=submission.calendar), given, now=written)
    retired = RetiredKey.objects.filter(Q(submission=submission) | Q(key=submission.accepted_event_key)).first()
    if retired is None:
        return _inserted(event)
    retired.delete()
    event.key = retired.key
    event.save(force_insert=True)
    _announce(event)
    return event


@transaction.atomic
def unpublish(event: CatalogEvent, *, now: datetime) -> None:
    """The event leaves the catalogue as if it had never been in it. No other one gets its key."""
    submission = Submission.objects.filter(Q(accepted_event=event) | Q(accepted_event_key=event.key)).first()
    RetiredKey.objects.create(key=event.key, calendar_id=event.calendar_id, submission=submission, retired_at=now)
    _announce(event)
    event.delete()


@transaction.atomic
def create(
    calendar: Calendar,
    *,
    name: str,
    date: str,
    start_time: str,
    location: str,
    now: datetime,
    is_featured: bool = False,
    **more: str,
) -> CatalogEvent:
    """A live event that nobody proposed. `more` are further fields of LENGTHS."""
    given = {"name": name, "date": date, "start_time": start_time, "location": location, **more}
    return _inserted(_filled(CatalogEvent(calendar=calendar, is_featured=is_featured), given, now=now))


@transaction.atomic
def edit(event: CatalogEvent, *, now: datetime, **given: str) -> CatalogEvent:
    """Set these fields of LENGTHS. Its key stays; its address follows the name."""
    event = _locked(event)
    _save(_filled(event, given, now=now))
    return event


@transaction.atomic
def cancel(event: CatalogEvent, *, now: datetime) -> CatalogEvent:
    """It says so where it stands, and counts no more; calendars that subscribed learn it. Twice is once."""
    event = _locked(event)
    if event.cancelled_at is None:
        event.cancelled_at = now
        _save(event)
    return event


@transaction.atomic
def restore(event: CatalogEvent, *, now: datetime) -> CatalogEvent:
    """Takes a cancellation back."""
    event = _locked(event)
    if event.cancelled_at is not None:
        event.cancelled_at = None
        _save(event)
    return event


@transaction.atomic
def feature(event: CatalogEvent, is_featured: bool, *, now: datetime) -> CatalogEvent:
    event = _locked(event)
    if event.is_featured != is_featured:
        event.is_featured = is_featured
        _save(event)
    return event


def cleaned(field: str, text: str) -> str:
    """A field as the catalogue holds it. Raises Unpublishable."""
    text = text.translate(DIRECTIONS)
    text = "\n".join(map(collapsed, text.splitlines())).strip() if field == "notes" else collapsed(text)
    called = CONTRACT_NAMES[field]
    if any((unicodedata.category(char) in UNSHOWN and char != "\n") or char in NO_XML for char in text):
        raise Unpublishable(f"{called} holds characters that cannot be shown.", field)
    least, most = LENGTHS[field]
    if len(text) < least:
        raise Unpublishable(f"{called} is required." if least == 1 or not text else f"{called} is too short.", field)
    if len(text) > most:
        raise Unpublishable(f"{called} must have at most {most:,} characters.", field)
    return checked_link(text) if field == "url" and text else text


def checked_link(text: str) -> str:
    """A link that may stand on a public page, in its one spelling (contract 4.3, guarantee A65)."""
    link = prooflink.normalised(text)
    if link is None:
        raise Unpublishable("proofLink must be an http or https address, for example https://example.com/event.", "url")
    return link


def _filled(event: CatalogEvent, given: Mapping[str, str], *, now: datetime) -> CatalogEvent:
    for field, text in given.items():
        setattr(event, field, cleaned(field, text))
    if event._state.adding:
        for field in LENGTHS:
            cleaned(field, getattr(event, field))
    if event._state.adding or WHEN & given.keys():
        _read_times(event, today=now.astimezone(zone(event.calendar)).date())
    event.slug = eventkey.slug(event.name)
    event.search_text = folded(" ".join(getattr(event, field) for field in SEARCHED))
    return event


def _read_times(event: CatalogEvent, *, today: date) -> None:
    """What can be read of the host's free text. A single day starts and ends on it."""
    day = dates.day_of(event.date, today=today)
    event.starts_on, event.ends_on = dates.days_of(event.date, today=today) or (day, day)
    event.starts_at = dates.time_of(event.start_time)
    event.ends_at = dates.time_of(event.end_time) if event.end_time else None


def _inserted(event: CatalogEvent) -> CatalogEvent:
    """Saved under the first of its keys that nothing has or had; the database decides, for two may publish at once."""
    row = {column: getattr(event, field) for field, column in COLUMNS.items()}
    for key in eventkey.keys(row):
        event.key = key
        try:
            with transaction.atomic():
                event.save(force_insert=True)
                if RetiredKey.objects.filter(key=key).exists():
                    raise _Taken
        except _Taken:
            event.pk = None
        except IntegrityError as error:
            if not isinstance(error.__cause__, UniqueViolation):
                raise
            event.pk = None
        else:
            break
    _announce(event)
    return event


def _locked(event: CatalogEvent) -> CatalogEvent:
    return CatalogEvent.objects.select_for_update(of=("self",)).select_related("calendar").get(pk=event.pk)


def _save(event: CatalogEvent) -> None:
    event.save()
    _announce(event)


def _announce(event: CatalogEvent) -> None:
    Calendar.objects.filter(pk=event.calendar_id).update(version=F("version") + 1)
    key = event.key
    transaction.on_commit(lambda: changed.send(None, key=key))
