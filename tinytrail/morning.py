"""The first page of the back office: how yesterday was, and what is not as it should be (product.md, Who).

Whoever looks sees their own websites; what concerns the installation as a whole is for admins.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.urls import reverse

from accounts.models import User, Website
from analytics import morning as numbers
from analytics.morning import Yesterday
from analytics.reasons import cause
from tinytrail import doctor

# Those of doctor's examinations that cost a query or a few: a page cannot wait for a worker's answer.
CHEAP = (
    doctor.outage_stream,
    doctor.mail,
    doctor.builds,
    doctor.partitions_ahead,
    doctor.quarantine,
    doctor.salts,
    doctor.disk,
)


@dataclass(slots=True, frozen=True)
class Trouble:
    """Something that is broken: where, what, and what to do about it."""

    subject: str
    sentence: str
    advice: str
    link: str = ""
    is_error: bool = True


@dataclass(slots=True, frozen=True)
class Morning:
    day: date
    websites: list[Yesterday]
    # Whether there are more than are shown.
    has_more: bool
    troubles: list[Trouble]

    @property
    def has_gaps(self) -> bool:
        return any(site.gaps for site in self.websites)

    @property
    def before(self) -> date:
        return self.day - numbers.WEEK


def morning(user: User, *, now: datetime) -> Morning:
    websites = Website.objects.visible_to(user)
    day = now.astimezone(UTC).date() - timedelta(days=1)
    shown = numbers.busiest(websites, day=day)
    return Morning(
        day,
        numbers.yesterdays(shown[: numbers.MOST_WEBSITES], now=now),
        len(shown) > numbers.MOST_WEBSITES,
        [*silences(user, now=now), *refusals(user, now=now), *(findings(now=now) if user.is_admin else [])],
    )


def silences(user: User, *, now: datetime) -> Iterator[Trouble]:
    for silence in numbers.silent(Website.objects.visible_to(user), now=now):
        since = f"since {silence.last_at:%-d %B, %H:%M} UTC" if silence.last_at else "for more than a week"
        yield Trouble(
            silence.website.domain,
            f"Nothing has come from its pages {since}; a day used to bring {silence.a_day} page views.",
            "Is the snippet still in the pages?",
            integration(silence.website),
        )


def refusals(user: User, *, now: datetime) -> Iterator[Trouble]:
    for refused in numbers.refused(Website.objects.visible_to(user), now=now):
        yield Trouble(
            refused.website.domain,
            f"{refused.count} calls were refused yesterday, most of them as {refused.reason}.",
            cause(refused.reason),
            integration(refused.website),
            is_error=False,
        )


def findings(*, now: datetime) -> Iterator[Trouble]:
    for examination in CHEAP:
        for finding in doctor.told(examination, now):
            if finding.level != "ok":
                is_error = finding.level == "error"
                yield Trouble(finding.subject.capitalize(), finding.sentence, finding.advice, is_error=is_error)


def integration(website: Website) -> str:
    return reverse("integration", args=[website.public_id])
