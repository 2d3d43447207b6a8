"""Building many days: what Celery, the command and the API ask for."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from django.core.cache import cache
from django.db.models import Exists, Min, OuterRef, Q

from accounts.models import Website
from analytics.models import BuiltDay, DirtyDay, Event
from analytics.rollups.build import EARLIEST, LATEST, build, of_day

# A build takes at most one part in so many of the time.
REST_PER_BUILD = 20
LONGEST_WAIT = timedelta(seconds=45)
# A build that was not begun by then is asked for again; until then it is not, however many beats ask.
ASKED_SECONDS = 40
# What nobody has begun by then nobody has to. By the clock of another host: much longer than clocks are apart.
EXPIRES_SECONDS = 1_800


def aggregate(day: date, *, now: datetime, website_id: int | None = None) -> int:
    """Build the day of every website that has events of it, or of one. Returns how many were built."""
    if not EARLIEST <= day <= LATEST:
        return 0
    built = 0
    for website in websites_with_events(day, website_id):
        build(website, day, now=now)
        built += 1
    return built


def websites_with_events(day: date, website_id: int | None = None) -> list[int]:
    """The live websites with stored events of the day, or with rows built of it."""
    moment = of_day(0, day)
    events = Event.objects.filter(
        website_id=OuterRef("id"), occurred_at__gte=moment["start"], occurred_at__lt=moment["end"]
    )
    built = BuiltDay.objects.filter(website_id=OuterRef("id"), day=day)
    websites = Website.objects.live().filter(Exists(events) | Exists(built))
    if website_id is not None:
        websites = websites.filter(id=website_id)
    return list(websites.order_by("id").values_list("id", flat=True))


def all_days(website_id: int | None = None) -> Iterator[tuple[int, date]]:
    """Every website and day that was built once or is to be."""
    which = Q() if website_id is None else Q(website_id=website_id)
    live = set(Website.objects.live().values_list("id", flat=True))
    known = set(BuiltDay.objects.filter(which).values_list("website_id", "day"))
    known |= set(DirtyDay.objects.filter(which).values_list("website_id", "day").distinct())
    return iter(sorted((website, day) for website, day in known if website in live))


def asked_for(*, now: datetime) -> list[tuple[int, date]]:
    """What is due and was not asked for just now: a queue that is long already gets no longer."""
    return [pair for pair in due(now=now) if cache.add(asking(*pair), 1, ASKED_SECONDS)]


def build_due(website_id: int, day: date, *, now: datetime) -> None:
    """Build the day, unless that was done since it was asked for."""
    cache.delete(asking(website_id, day))
    if due(now=now, website_id=website_id, day=day):
        build(website_id, day, now=now)


def asking(website_id: int, day: date) -> str:
    return f"build:{website_id}:{day}"


def due(*, now: datetime, website_id: int | None = None, day: date | None = None) -> list[tuple[int, date]]:
    """The live websites and days with newer events than their builds, the oldest note first; or one of them.

    A slow build waits before it is run again, so that builds of one website take a twentieth of a worker's time; but
    never a minute, which is the greatest age an answer may have (definitions 24).
    """
    which = Q() if website_id is None else Q(website_id=website_id, day=day)
    notes = DirtyDay.objects.filter(which).values_list("website_id", "day").annotate(oldest=Min("at"))
    # A build of the future was made by a host whose clock is ahead: nobody rests until then.
    recent = BuiltDay.objects.filter(which, built_at__gt=now - LONGEST_WAIT, built_at__lte=now)
    resting = {(built.website_id, built.day) for built in recent if now - built.built_at < rest(built)}
    live = set(Website.objects.live().values_list("id", flat=True))
    return [
        (website, day)
        for website, day, _ in notes.order_by("oldest")
        if website in live and (website, day) not in resting
    ]


def rest(built: BuiltDay) -> timedelta:
    """How long a day is left alone after its last build."""
    return min(LONGEST_WAIT, timedelta(milliseconds=built.milliseconds) * REST_PER_BUILD)
