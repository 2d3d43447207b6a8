"""Who reads the demo's calendar: a year of visits, and what they do with its events."""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from analytics.demo.city import STAR, City, Listed
from analytics.demo.saying import Browser, engaged, looked, page
from analytics.replay import Past
from analytics.traffic import Chance
from submissions.eventkey import slug

# Visits of a day, a year ago and now.
YEAR = 365
FIRST, LAST = 38, 74
# From Monday on: people look for something to do before the weekend.
WEEK = (0.8, 0.8, 0.9, 1.1, 1.4, 1.35, 0.9)
AHEAD_DAYS = 24
REFERRERS = [
    ("", 34),
    ("https://www.google.com/", 30),
    ("https://www.instagram.com/", 9),
    ("https://www.facebook.com/", 6),
    ("https://t.co/x1y2z3", 3),
    ("https://duckduckgo.com/", 5),
    ("https://www.bing.com/search", 4),
    ("https://lumenville.example/leisure", 6),
    ("https://venues.example/", 3),
]
CAMPAIGNS = [
    ("", 93),
    ("utm_source=instagram&utm_medium=paid_social&utm_campaign=summer", 4),
    ("utm_source=google&utm_medium=cpc&utm_campaign=tonight", 3),
]
NEWSLETTER = "utm_source=newsletter&utm_medium=email&utm_campaign=museums"
# Letters that went out so many days ago, and the visits each brought.
LETTERS = {1: 48, 57: 26, 113: 24}
PATHS = [("/", 12), ("/map", 3), ("/venues", 2), ("/about", 1), ("/blog/what-is-free", 2), ("/blog/with-children", 2)]
SOURCES = [("list", 6), ("map", 2), ("featured", 2), ("search", 2)]
SEARCHES = [
    *[
        ("jazz", 9),
        ("market", 7),
        ("kids workshop", 4),
        ("museum", 6),
        ("cinema", 5),
        ("free concert", 3),
        ("swing", 3),
    ],
    # Nothing of the kind is on.
    *[
        ("drag bingo", 6),
        ("techno sunrise", 5),
        ("wheelchair theatre", 3),
        ("tango", 4),
        ("craft beer", 3),
        ("opera", 2),
    ],
]
FILTERS = [
    *[
        ("genre", "jazz", 5),
        ("genre", "food", 3),
        ("genre", "opera", 2),
        ("price_range", "0:0", 5),
        ("day_night", "night", 3),
    ],
    *[
        ("venue_setting", "outdoor", 4),
        ("arrondissement", "11", 3),
        ("arrondissement", "16", 3),
        ("oooc_pick", "yes", 2),
    ],
]
CHOSEN = [((group, value), weight) for group, value, weight in FILTERS]


class Programme:
    """The events in the order of their days, to find those that are near."""

    def __init__(self, events: list[Listed]) -> None:
        self.events = sorted(events, key=lambda event: (event.day, event.key))
        self._days = [event.day for event in self.events]

    def near(self, day: date) -> list[tuple[Listed, int]]:
        """What is on soon, and how much it draws then."""
        first, end = bisect_left(self._days, day), bisect_left(self._days, day + timedelta(days=AHEAD_DAYS))
        return [(event, max(1, event.pull * 12 // ((event.day - day).days + 3))) for event in self.events[first:end]]


def visits(city: City, *, days: int, now: datetime) -> Iterator[Past]:
    """Every call of so many days of visits, day by day in order of time."""
    chance, programme = Chance(11), Programme(city.events)
    website, domain = str(city.calendar.website.public_id), city.calendar.website.domain
    today = now.astimezone(UTC).date()
    for back in range(days, -1, -1):
        day = today - timedelta(days=back)
        near = programme.near(day)
        reader = Reader(chance, website, domain, near)
        wanted = round((LAST - (LAST - FIRST) * back / YEAR) * WEEK[day.weekday()] * (0.9 + chance.random.random() / 5))
        made = [call for _ in range(wanted) for call in reader.visit(day)]
        made += [call for _ in range(LETTERS.get(back, 0)) for call in reader.visit(day, NEWSLETTER)]
        if not back:
            made += [call for minutes in (4, 3, 2, 1) for call in reader.visit_at(now - timedelta(minutes=minutes))]
        yield from sorted((call for call in made if call.at <= now), key=lambda call: call.at)


@dataclass(slots=True)
class Reader:
    """Somebody who reads the calendar on a day."""

    chance: Chance
    website: str
    domain: str
    near: list[tuple[Listed, int]]

    def visit(self, day: date, campaign: str = "") -> Iterator[Past]:
        draw = self.chance.random.random
        hour = (draw() + draw() + draw()) / 3 * 22 + 1
        yield from self.visit_at(datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(hours=hour), campaign)

    def visit_at(self, at: datetime, campaign: str = "") -> Iterator[Past]:
        """Pages, what was looked for, the events that were opened, and the closing tab."""
        draw, browser = self.chance.random.random, Browser.of(self.chance)
        referrer = "" if campaign else self.chance.among(REFERRERS)
        query = campaign or ("" if referrer else self.chance.among(CAMPAIGNS))
        path = "/blog/museums-by-night" if campaign else self.chance.among(PATHS)
        yield page(at, browser, self.website, self.domain, path, query=query, referrer=referrer)
        at += timedelta(seconds=8 + draw() * 40)
        if draw() < 0.4:
            yield page(at, browser, self.website, self.domain, path, "scroll_50")
        if not campaign and draw() < 0.3:
            yield self.look(at, browser)
            at += timedelta(seconds=5 + draw() * 20)
        for _ in range(int(draw() ** 1.6 * 4) if self.near else 0):
            event = self.star() if campaign and draw() < 0.8 else self.some_event()
            for call in self.open(at, browser, event):
                at = call.at + timedelta(seconds=4 + draw() * 60)
                yield call
        if draw() < 0.03:
            properties = {"event_name": "newsletter_signup", "place": "footer"}
            yield page(at, browser, self.website, self.domain, path, "custom", properties=properties)
        if draw() < 0.5:
            yield page(at, browser, self.website, self.domain, path, "close_tab")

    def look(self, at: datetime, browser: Browser) -> Past:
        if self.chance.random.random() < 0.6:
            return looked(at, browser, self.domain, actionType="search", searchQuery=self.chance.among(SEARCHES))
        group, value = self.chance.among(CHOSEN)
        return looked(at, browser, self.domain, actionType="filter_apply", filterGroup=group, filterValue=value)

    def some_event(self) -> Listed:
        events, weights = zip(*self.near, strict=True)
        found: Listed = self.chance.random.choices(events, weights)[0]
        return found

    def star(self) -> Listed:
        stars = [event for event, _ in self.near if event.slug.startswith(slug(STAR))]
        return stars[0] if stars else self.some_event()

    def open(self, at: datetime, browser: Browser, event: Listed) -> Iterator[Past]:
        """An event's page, and what is done there."""
        draw, source, path = self.chance.random.random, self.chance.among(SOURCES), f"/events/{event.slug}"
        yield engaged(at, browser, event.key, "click", source, path)
        yield page(at + timedelta(seconds=1), browser, self.website, self.domain, path)
        if draw() < 0.22:
            yield engaged(at + timedelta(seconds=20), browser, event.key, "outbound_click", source, path)
        if draw() < 0.05 + event.pull * 0.008:
            yield engaged(at + timedelta(seconds=30), browser, event.key, "calendar_sync", source, path)
