"""The demo's city: what is on in it, and what hosts propose and moderators decide, by their own verbs."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

from django.db import transaction

from accounts.models import Website
from analytics.traffic import Chance
from submissions import calendars, catalog, intake, review, screening
from submissions.limits import Keys
from submissions.models import Calendar, CatalogEvent, Mail, Submission
from submissions.proposal import Proposal

NAME, ZONE = "What’s on in Lumenville", "Europe/Paris"
COMING_WEEKS = 5
MODERATOR = Submission.ADMIN_PANEL
# The one that brings more people than any other, and the newsletter's subject.
STAR = "Night of the Museums"


@dataclass(slots=True, frozen=True)
class Series:
    """Something that is on again and again. `every` is in weeks, `pull` how much readers care."""

    name: str
    genre: str
    location: str
    arrondissement: str
    weekday: int
    hours: tuple[str, str]
    price: str
    setting: str
    pull: int
    editions: tuple[str, ...]
    every: int = 2
    # The week, from this one on, that it is on in.
    week: int = 0
    age: str = "All ages"


@dataclass(slots=True, frozen=True)
class Listed:
    """A published event, as readers come across it."""

    key: str
    slug: str
    genre: str
    day: date
    pull: int


@dataclass(slots=True)
class City:
    calendar: Calendar
    events: list[Listed] = field(default_factory=list)


SERIES = (
    Series(
        "Jazz on the Quay",
        "Jazz",
        "Boathouse Ambre, 4 Quai des Lilas",
        "4",
        4,
        ("20:30", "23:00"),
        "12 €",
        "Outdoor",
        9,
        ("Trio Amande", "Nora Vell Quartet", "Late Session", "Brass and Bridges"),
        every=1,
    ),
    Series(
        "Sunday Flea Market",
        "Market",
        "Place du Marais Vert",
        "11",
        6,
        ("09:00", "17:00"),
        "Free",
        "Outdoor",
        8,
        ("Books and Maps", "Lamps and Chairs", "Vinyl Day", "Toys"),
        every=2,
    ),
    Series(
        "Open Studio",
        "Art",
        "Atelier Cobalt, 18 Rue de la Craie",
        "20",
        5,
        ("14:00", "19:00"),
        "Free",
        "Indoor",
        5,
        ("Ceramics", "Etching", "Textiles", "Screen Printing"),
        week=1,
    ),
    Series(
        "Chamber Music at Noon",
        "Classical",
        "Église Sainte-Rose, 2 Rue du Cloître",
        "6",
        2,
        ("12:30", "13:30"),
        "8 €",
        "Indoor",
        4,
        ("Schubert Trios", "Cello Alone", "Ravel and Friends"),
    ),
    Series(
        "Cinema under the Stars",
        "Film",
        "Parc des Buttes, east lawn",
        "19",
        5,
        ("21:00", "23:30"),
        "Free",
        "Outdoor",
        10,
        ("Silent Comedies", "A Long Weekend", "The Lighthouse Keeper", "Shorts from the North"),
        every=2,
    ),
    Series(
        "Kitchen of the World",
        "Food",
        "Halle Mercier, 30 Rue des Forges",
        "10",
        5,
        ("12:00", "22:00"),
        "From 6 €",
        "Indoor",
        7,
        ("Lebanon", "Vietnam", "Georgia", "Senegal"),
        every=3,
        week=1,
    ),
    Series(
        "Swing Night",
        "Dance",
        "Le Grand Parquet, 9 Rue Lafont",
        "18",
        3,
        ("20:00", "23:30"),
        "10 €",
        "Indoor",
        6,
        ("Beginners Welcome", "Live Band", "Charleston Evening"),
        every=2,
        age="16+",
        week=1,
    ),
    Series(
        "Poetry Aloud",
        "Literature",
        "Librairie du Port, 7 Quai Nord",
        "5",
        1,
        ("19:00", "21:00"),
        "Free",
        "Indoor",
        3,
        ("New Voices", "Translations", "City Poems"),
        week=1,
    ),
    Series(
        "Family Workshop",
        "Kids",
        "Maison des Sciences, 1 Allée Curie",
        "13",
        2,
        ("14:30", "16:30"),
        "5 €",
        "Indoor",
        5,
        ("Robots from Cardboard", "Stars and Planets", "Bees", "Paper Rockets"),
        age="6-12",
    ),
    Series(
        "Stand-up Basement",
        "Comedy",
        "La Cave Rouge, 22 Rue Obscure",
        "2",
        4,
        ("20:00", "22:00"),
        "15 €",
        "Indoor",
        6,
        ("Open Mic", "English Night", "Best Of"),
        age="18+",
    ),
    Series(
        "Electronic Garden",
        "Electronic",
        "La Serre, 40 Boulevard des Docks",
        "19",
        5,
        ("22:00", "04:00"),
        "18 €",
        "Mixed",
        8,
        ("Opening", "Modular Night", "Slow Disco"),
        every=3,
        age="18+",
        week=2,
    ),
    Series(
        STAR,
        "Museum",
        "Musée de la Ville, 1 Place Haute",
        "3",
        5,
        ("18:00", "01:00"),
        "Free",
        "Indoor",
        22,
        ("Painting", "Photography", "Machines"),
        every=8,
        week=1,
    ),
)
TITLES = {(series.name, edition): f"{series.name}: {edition}" for series in SERIES for edition in series.editions}
HOSTS = ("ines", "malik", "sophie", "tomas", "yuki", "leila", "paul", "greta", "amadou", "clara", "hugo", "nina")
# What moderators say no to, and why.
DECLINED = (
    ("Crypto Wealth Evening", "event_not_relevant", ""),
    ("Birthday of Marc", "event_not_relevant", "Private parties have no place on the public calendar, sorry."),
    ("Yoga (details follow)", "not_enough_information", "Please send it again once place and time are settled."),
    ("Concert at our place", "unable_to_verify", "We could not find the event on the page you linked."),
    ("Jazz on the Quay", "duplicate_submission", ""),
    ("Timeshare Brunch", "event_not_relevant", ""),
    ("Secret Rooftop", "unable_to_verify", ""),
    ("Garage Sale Rue Lafont", "not_enough_information", ""),
)
SPAM = ("Cheap watches online", "Win a phone today", "Loans within an hour", "Best betting tips", "Luxury bags -80 %")


def build_city(website: Website, *, weeks: int, today: date, now: datetime) -> City:
    """What was published, proposed and decided in so many weeks up to now; nobody is sent a mail about it."""
    with transaction.atomic():
        calendar = calendars.make(website)
        calendar = calendars.change(calendar, name=NAME, time_zone=ZONE)
        city, chance = City(calendar), Chance(7)
        steps = sorted(
            [*programme(city, chance, weeks, today), *stories(city, chance, today, now)], key=lambda step: step[0]
        )
        for at, do in steps:
            if now - timedelta(weeks=weeks + 4) <= at <= now:
                do(at)
        # Its hosts are made up, and their addresses lead nowhere.
        Mail.objects.filter(submission__calendar=calendar).delete()
    return city


Step = tuple[datetime, Callable[[datetime], Any]]


# -- what is on -------------------------------------------------------------------------------------------------------


def programme(city: City, chance: Chance, weeks: int, today: date) -> Iterator[Step]:
    """Each event as it comes onto the calendar: two of three were proposed, the others are the operator's own."""
    monday = today - timedelta(days=today.weekday())
    for place, series in enumerate(SERIES):
        for week in range(-weeks, COMING_WEEKS):
            if (week - series.week) % series.every:
                continue
            day = monday + timedelta(weeks=week, days=series.weekday)
            edition = edition_in(series, week)
            early = datetime(day.year, day.month, day.day, 9, tzinfo=UTC) - timedelta(days=30 + place % 4)
            at = early + timedelta(minutes=int(chance.random.random() * 600))
            if (place + week) % 3 == 0:
                yield at, partial(create, city, series, edition, day)
            else:
                wait = timedelta(minutes=int(20 + chance.random.random() ** 2 * 900))
                yield at, partial(propose_and_accept, city, series, edition, day, chance.among(PICKS), wait)


def edition_in(series: Series, week: int) -> str:
    return series.editions[week // series.every % len(series.editions)]


PICKS = [(name, 1) for name in HOSTS]


def fields_of(series: Series, edition: str, day: date) -> dict[str, str]:
    return {
        "date": day.isoformat(),
        "start_time": series.hours[0],
        "end_time": series.hours[1],
        "location": series.location,
        "genre": series.genre,
        "price": series.price,
        "age": series.age,
        "notes": f"{edition}, as part of {series.name}. Come early, places are few.",
        "arrondissement": series.arrondissement,
    }


def create(city: City, series: Series, edition: str, day: date, at: datetime) -> None:
    event = catalog.create(
        city.calendar,
        name=TITLES[series.name, edition],
        setting=series.setting,
        url=link(series.name),
        is_featured=series.name == STAR,
        now=at,
        **fields_of(series, edition, day),
    )
    listed(city, event, series, day)


def propose_and_accept(
    city: City, series: Series, edition: str, day: date, host: str, wait: timedelta, at: datetime
) -> None:
    submission = propose(city, proposal(series, edition, day, host), at=at)
    event = review.accept(submission.pk, by=MODERATOR, now=at + wait)
    listed(city, event, series, day)


def listed(city: City, event: CatalogEvent, series: Series, day: date) -> None:
    city.events.append(Listed(event.key, event.slug, series.genre, day, series.pull))


def proposal(series: Series, edition: str, day: date, host: str, **more: str) -> Proposal:
    given = fields_of(series, edition, day) | {
        "event_name": TITLES.get((series.name, edition), edition),
        "host_email": f"{host}@hosts.example",
        "proof_link": link(series.name),
        "indoor_outdoor": series.setting,
    }
    return Proposal(**given | more)


def link(name: str) -> str:
    return f"https://venues.example/{name.lower().replace(' ', '-')}"


def propose(city: City, wanted: Proposal, *, at: datetime, honeypot: str = "", seconds: int = 95) -> Submission:
    """As intake.submit, but for its limits: they are for callers, and would refuse a demo that is made again."""
    started = (at - timedelta(seconds=seconds)).isoformat()
    signals = screening.contract_signals(honeypot=honeypot, form_started_at=started, now=at)
    keys = Keys.of(wanted, f"198.51.{sum(wanted.host_email.encode()) % 256}.{at.minute}")
    return intake.stored(city.calendar, wanted, signals=signals, keys=keys, now=at)


# -- what became of the rest ------------------------------------------------------------------------------------------


def stories(city: City, chance: Chance, today: date, now: datetime) -> Iterator[Step]:
    """Submissions of every kind that never reached the calendar, or have not yet."""
    for number, (name, reason, message) in enumerate(DECLINED * 2):
        at = now - timedelta(days=9 + number * 21, hours=3 + number % 5)
        yield at, partial(decline, city, name, reason, message, HOSTS[number % len(HOSTS)])
    for number, name in enumerate(SPAM * 2):
        at = now - timedelta(days=1 + number * 11, hours=5)
        yield at, partial(spam, city, name, number, overturned=number == 6)
    yield now - timedelta(days=40), partial(withdraw, city)
    yield now - timedelta(days=75), partial(accept_after_appeal, city)
    yield from waiting(city, today, now)


def one_off(name: str, day: date, host: str, **more: str) -> Proposal:
    """Something that is on once."""
    given = {
        "event_name": name,
        "date": day.isoformat(),
        "start_time": "19:30",
        "location": f"Salle {name.split()[0]}, {len(name)} Rue de la Paix",
        "host_email": f"{host}@hosts.example",
        "proof_link": link(name),
        "genre": "Community",
        "price": "Free",
    }
    return Proposal(**given | more)


def decline(city: City, name: str, reason: str, message: str, host: str, at: datetime) -> None:
    submission = propose(city, one_off(name, at.date() + timedelta(days=12), host), at=at)
    review.decline(submission.pk, reason=reason, message=message, by=MODERATOR, now=at + timedelta(hours=4, minutes=10))


def spam(city: City, name: str, number: int, at: datetime, *, overturned: bool) -> None:
    """What the system declines by itself; once it was wrong."""
    wanted = one_off(name, at.date() + timedelta(days=3), f"offer{number}")
    submission = propose(city, wanted, at=at, honeypot="yes" if number % 2 else "", seconds=2)
    if overturned:
        review.reopen(submission.pk, by=MODERATOR, now=at + timedelta(hours=20))
        review.decline(submission.pk, reason="event_not_relevant", by=MODERATOR, now=at + timedelta(hours=21))


def withdraw(city: City, at: datetime) -> None:
    submission = propose(city, one_off("Balcony Concert", at.date() + timedelta(days=9), "nina"), at=at)
    intake.withdraw(submission.pk, now=at + timedelta(hours=2))


def accept_after_appeal(city: City, at: datetime) -> None:
    submission = propose(city, one_off("Chess in the Park", at.date() + timedelta(days=20), "hugo"), at=at)
    review.decline(submission.pk, reason="unable_to_verify", by=MODERATOR, now=at + timedelta(hours=5))
    intake.appeal(submission.pk, "The park has confirmed it on its page now.", now=at + timedelta(hours=9))
    review.accept(submission.pk, by=MODERATOR, now=at + timedelta(hours=12))


def waiting(city: City, today: date, now: datetime) -> Iterator[Step]:
    """The queue of this morning."""
    tomorrow = today + timedelta(days=1)
    quay, market = SERIES[0], SERIES[1]
    friday = today + timedelta(days=(4 - today.weekday()) % 7 or 7)
    same = edition_in(quay, (friday - today + timedelta(days=today.weekday())).days // 7)
    plain = (
        (
            9.2,
            one_off("Lantern Walk", tomorrow, "greta", genre="Walk", notes="Bring a lantern. We start at the bridge."),
        ),
        (6.5, one_off("Choir Rehearsal Open to All", tomorrow, "amadou", genre="Music")),
        (5.1, one_off("Repair Café", today + timedelta(days=6), "clara", price="Donation")),
        (2.4, one_off("Accordion Matinee", today + timedelta(days=16), "yuki", genre="Music", price="9 €")),
    )
    flagged = (
        (4.2, proposal(quay, same, friday, "malik", event_name=f"Jazz on the Quai – {same}")),
        (
            3.3,
            one_off(
                "Rooftop Party",
                today + timedelta(days=8),
                "vip",
                notes="Tickets https://bit.ly/rooftop-vip and https://t.ly/vip2",
                host_email="vip@mailinator.com",
            ),
        ),
        (1.1, proposal(market, "Vinyl Day", today - timedelta(days=3), "leila", event_name="Vinyl Fair on the Square")),
    )
    for hours, wanted in (*plain, *flagged):
        yield now - timedelta(hours=hours), partial(only_propose, city, wanted)
    yield now - timedelta(hours=30), partial(ask, city, today, is_answered=False)
    yield now - timedelta(hours=26), partial(ask, city, today, is_answered=True)
    yield now - timedelta(hours=50), partial(appeal, city, today)


def only_propose(city: City, wanted: Proposal, at: datetime) -> None:
    propose(city, wanted, at=at)


def ask(city: City, today: date, at: datetime, *, is_answered: bool) -> None:
    name, host = ("Night Swim", "paul") if is_answered else ("Dance Marathon", "tomas")
    submission = propose(city, one_off(name, today + timedelta(days=11), host), at=at)
    review.ask(
        submission.pk, text="Who is responsible for safety on the day?", by=MODERATOR, now=at + timedelta(hours=2)
    )
    if is_answered:
        text = "The city’s own lifeguards; their number is on the page I linked."
        intake.answer(submission.pk, text, now=at + timedelta(hours=20))


def appeal(city: City, today: date, at: datetime) -> None:
    submission = propose(city, one_off("Street Piano Day", today + timedelta(days=14), "sophie"), at=at)
    review.decline(submission.pk, reason="unable_to_verify", by=MODERATOR, now=at + timedelta(hours=3))
    intake.appeal(submission.pk, "The town hall’s permit is on the page now.", now=at + timedelta(hours=44))
