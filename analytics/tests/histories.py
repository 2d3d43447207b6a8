"""Histories for the oracle: a cast of senders, referrers and paths with their facts, builders, and strategies.

What a document decides about a user agent, a referrer or a campaign stands here as data, worked out by hand; nothing is
asked of the product. A history is told relative to the midnight that begins today, so that it is always past.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple

from hypothesis import strategies as st
from hypothesis.vendor.pretty import RepresentationPrinter

from analytics.tests.oracle import METRICS, Hit

DOMAIN = "acme.example"
DAY = timedelta(days=1)
# So much of a history is shown when it fails: lines, and characters of each.
MOST_LINES = 100
WIDEST = 160


# -- who sends --------------------------------------------------------------------------------------------------------


class Agent(NamedTuple):
    """What definition 16 and D-2 make of a user agent. The documents give bots no browser and no system: `Other`."""

    browser: str
    os: str
    device: str
    is_bot: bool = False


CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36"
)
SAFARI = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.4 Safari/605.1.15"
)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:125.0) Gecko/20100101 Firefox/125.0"
EDGE = f"{CHROME} Edg/124.0.0.0"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.4 Mobile/15E148 Safari/604.1"
)
IPAD = (
    "Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/16.6 Mobile/15E148 Safari/604.1"
)
CHROME_IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "CriOS/124.0.6367.88 Mobile/15E148 Safari/604.1"
)
PIXEL = (
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/124.0.0.0 Mobile Safari/537.36"
)
GALAXY_TAB = (
    "Mozilla/5.0 (Linux; Android 13; SM-X700) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36"
)
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
CURL = "curl/8.5.0"
NO_AGENT = ""

AGENTS = {
    CHROME: Agent("Chrome", "Windows", "desktop"),
    SAFARI: Agent("Safari", "macOS", "desktop"),
    FIREFOX: Agent("Firefox", "Linux", "desktop"),
    EDGE: Agent("Edge", "Windows", "desktop"),
    IPHONE: Agent("Safari", "iOS", "mobile"),
    IPAD: Agent("Safari", "iOS", "tablet"),
    CHROME_IPHONE: Agent("Chrome", "iOS", "mobile"),
    PIXEL: Agent("Chrome", "Android", "mobile"),
    GALAXY_TAB: Agent("Chrome", "Android", "tablet"),
    GOOGLEBOT: Agent("Other", "Other", "unknown", is_bot=True),
    CURL: Agent("Other", "Other", "unknown", is_bot=True),
    NO_AGENT: Agent("Other", "Other", "unknown", is_bot=True),
}

EXCLUDED_IPS = ["198.51.100.0/24", "203.0.113.9", "192.0.2.10-192.0.2.20", "2001:db8:bad::/48"]


class Sender(NamedTuple):
    ip: str
    user_agent: str
    is_excluded: bool = False


ANN = Sender("192.0.2.1", CHROME)
# The same address as Ann with another browser, and her browser at another address: two more visitors.
BEN = Sender("192.0.2.1", FIREFOX)
CYD = Sender("192.0.2.2", CHROME)
DOT = Sender("2001:db8::7", IPHONE)
EVE = Sender("192.0.2.21", IPAD)
CRAWLER = Sender("192.0.2.3", GOOGLEBOT)
SCRIPT = Sender("192.0.2.1", CURL)
NAMELESS = Sender("192.0.2.4", NO_AGENT)
OFFICE = Sender("198.51.100.200", CHROME, is_excluded=True)
OWNER = Sender("203.0.113.9", SAFARI, is_excluded=True)
BRANCH = Sender("192.0.2.20", PIXEL, is_excluded=True)
LAB = Sender("2001:db8:bad::1", CHROME, is_excluded=True)
# An IPv4 address in its IPv6 form.
MAPPED = Sender("::ffff:198.51.100.7", EDGE, is_excluded=True)
OFFICE_CRAWLER = Sender("198.51.100.1", GOOGLEBOT, is_excluded=True)

READERS = (ANN, BEN, CYD, DOT, EVE)
OTHERS = (CRAWLER, SCRIPT, NAMELESS, OFFICE, OWNER, BRANCH, LAB, MAPPED, OFFICE_CRAWLER)


def reader(number: int) -> Sender:
    """One of a crowd: everybody has an address of their own, browsers repeat."""
    browsers = (CHROME, SAFARI, FIREFOX, EDGE, IPHONE, IPAD, CHROME_IPHONE, PIXEL, GALAXY_TAB)
    return Sender(f"10.7.{number // 250}.{number % 250 + 1}", browsers[number % len(browsers)])


# -- where from -------------------------------------------------------------------------------------------------------

# Referrer: its kind by definition 14 and its domain by definition 15, for a website on DOMAIN.
REFERRERS: dict[str, tuple[str, str | None]] = {
    "": ("none", None),
    f"https://{DOMAIN}/pricing": ("own", None),
    f"https://www.{DOMAIN}/": ("own", None),
    f"http://Shop.{DOMAIN.upper()}:8080/x?y=1": ("own", None),
    "https://mail.google.com/mail/u/0/": ("mail", "mail.google.com"),
    "https://outlook.live.com/": ("mail", "outlook.live.com"),
    "https://www.google.com/": ("search", "google.com"),
    "https://google.co.uk/search?q=acme": ("search", "google.co.uk"),
    "https://news.google.com/articles/1": ("search", "news.google.com"),
    "https://www.bing.com/search?q=acme": ("search", "bing.com"),
    "https://duckduckgo.com/": ("search", "duckduckgo.com"),
    "https://search.yahoo.com/": ("search", "search.yahoo.com"),
    "https://t.co/abc123": ("social", "t.co"),
    "https://l.facebook.com/l.php": ("social", "l.facebook.com"),
    "https://www.Facebook.com/": ("social", "facebook.com"),
    "https://www.linkedin.com/feed/": ("social", "linkedin.com"),
    "https://old.reddit.com/r/acme": ("social", "old.reddit.com"),
    "https://docs.google.com/document/d/1": ("other", "docs.google.com"),
    "https://google.evil.com/": ("other", "google.evil.com"),
    "https://notgoogle.com/": ("other", "notgoogle.com"),
    "https://netflix.com/": ("other", "netflix.com"),
    "https://mail.google.com.evil.example/": ("other", "mail.google.com.evil.example"),
    f"https://not{DOMAIN}/": ("other", f"not{DOMAIN}"),
    f"https://{DOMAIN}.evil.example/": ("other", f"{DOMAIN}.evil.example"),
    "https://WWW.Partner.example:8443/y?utm_medium=cpc": ("other", "partner.example"),
    "http://partner.example/z": ("other", "partner.example"),
}


class Campaign(NamedTuple):
    """UTM as sent: the query of the url, and fields of the body (2.4)."""

    query: str = ""
    body: Mapping[str, str | None] = {}


NO_CAMPAIGN = Campaign()
CAMPAIGNS = (
    Campaign("?utm_source=twitter&utm_medium=social&utm_campaign=launch"),
    Campaign("?utm_source=ads&utm_medium=CPC&gclid=1"),
    Campaign("?utm_source=ads&utm_medium=paid_search"),
    Campaign("?utm_medium=Email&utm_campaign=spring"),
    Campaign("?utm_medium=email-newsletter"),
    Campaign("?utm_source=caf%C3%A9+bar&utm_campaign=%3DSUM(A1)"),
    Campaign("?a=b", {"utm_source": "twitter"}),
    Campaign("?utm_source=query&utm_medium=ppc", {"utm_source": "body", "utm_campaign": ""}),
    Campaign("?utm_source=query&utm_campaign=kept", {"utm_source": "", "utm_medium": None}),
    Campaign("", {"utm_source": "long" * 75, "utm_medium": "EMAIL"}),
    Campaign("?utm_source=&utm_medium=&utm_campaign="),
)

# -- what -------------------------------------------------------------------------------------------------------------

# Bytes decide the order: capitals before small letters, the full-width form before the emoji (UTF-16 has it otherwise).
PATHS = (
    "/",
    "/pricing",
    "/blog",
    "/blog/one",
    "/blog/two",
    "/docs/api",
    "/Z",
    "/a",
    "/é",
    "/\uff01",
    "/😀",
    '/x,y"z',
    "/t/0a1b2c3d4e5f60718293a4b5c6d7e8f901234567",
    "/u/jane@example.org/edit",
    "/a|b",
    "/with space",
    "/100%25",
    "/long" * 500,
)

# What is kept of a path: the first 2048 characters (2.4), and nothing that could name a person (guarantee P11).
KEPT = {
    "/t/0a1b2c3d4e5f60718293a4b5c6d7e8f901234567": "/t/*",
    "/u/jane@example.org/edit": "/u/*@*/edit",
    "/long" * 500: ("/long" * 500)[:2048],
}

GROUPS = (
    (),
    # /blog/one fits two patterns, and a name stands twice; nothing is ever in Nowhere.
    (("Blog", "/blog*"), ("Articles", "/blog/*"), ("Docs", "/docs/*"), ("Nowhere", "/nowhere/*"), ("Blog", "/a")),
    (("Articles", "/blog/*"), ("Blog", "/blog*"), ("Shop", "*pricing"), ("=Odd", "/Z*")),
    # Everything but the star is literal.
    (("Question", "/?"), ("Set", "/[aZ]"), ("Dot", "/.*"), ("Star", "*/*/*"), ("Home", "/")),
)
GROUP_NAMES = ("Blog", "Blog", "Articles", "Docs", "Nowhere", "Shop", "=Odd", "Question", "Star", "Home", "Unheard of")

# Properties of a custom event; the name that D-5 finds in them stands in test_oracle.py.
PROPERTIES: tuple[Mapping[str, Any] | None, ...] = (
    None,
    {},
    {"event_name": "signup"},
    {"name": "signup", "plan": "pro"},
    {"event_name": "signup", "name": "download"},
    {"event_name": "", "name": "download"},
    {"event_name": 5, "name": "download"},
    {"event_name": None, "name": ["signup"]},
    {"event_name": {"name": "signup"}},
    {"name": True},
    {"name": "page_view"},
    {"name": "/pricing"},
    {"name": "a|b, c"},
    {"name": 'x"y;z\\'},
    {"event_name": "=1+1"},
    {"event_name": "Straße"},
    {"event_name": "custom"},
)
OTHER_TYPES = ("signup", "video.play", "Page_View", "scroll_100", "widget_render")
STEPS = (
    "page_view",
    *PATHS[:6],
    "/a|b",
    "custom",
    "signup",
    "download",
    "outbound_link",
    "scroll_50",
    "close_tab",
    "a|b, c",
    "Page_View",
    "never",
)
WIDTHS = (None, 0, 319.9, 320, 375, 375.9, 376, 768, 768.5, 769, 1024, 1025, 1440, 1440.999, 1441, 5000)


@dataclass(frozen=True)
class Sent:
    """One line of a history. `at` counts from the midnight that begins today."""

    at: timedelta
    sender: Sender
    event_type: str
    path: str = "/"
    referrer: str = ""
    campaign: Campaign = NO_CAMPAIGN
    screen_width: float | None = None
    properties: Mapping[str, Any] | None = None

    def __str__(self) -> str:
        more = [self.referrer, self.campaign.query, self.campaign.body, self.screen_width, self.properties]
        words = [self.at, self.sender.ip, AGENTS[self.sender.user_agent].browser, self.event_type, self.path, *more]
        return " ".join(str(word) for word in words if word)[:WIDEST]


@dataclass(frozen=True)
class Load:
    """Hits loaded in one run, in this order, while the website had these content groups."""

    hits: tuple[Sent, ...]
    groups: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class History:
    loads: tuple[Load, ...] = field(default=())

    def __repr__(self) -> str:
        """A failing example reads as the list of its hits; what nobody reads, because it is too long, is left out."""
        told: list[str] = []
        for load in self.loads:
            told += [f"groups {load.groups}", *map(str, load.hits)]
        return "\n".join(told[:MOST_LINES])

    def _repr_pretty_(self, printer: RepresentationPrinter, is_cycle: bool) -> None:
        """Hypothesis prints dataclasses field by field otherwise."""
        printer.text(repr(self))


def midnight(today: date) -> datetime:
    return datetime.combine(today, time(), UTC)


def stored(history: History, *, today: date) -> list[Hit]:
    """The history as the oracle takes it."""
    return [
        known(sent, load.groups, run, midnight(today))
        for run, load in enumerate(history.loads, start=1)
        for sent in load.hits
    ]


def known(sent: Sent, groups: tuple[tuple[str, str], ...], run: int, zero: datetime) -> Hit:
    agent = AGENTS[sent.sender.user_agent]
    kind, domain = REFERRERS[sent.referrer]
    occurred_at = zero + sent.at
    return Hit(
        occurred_at=occurred_at,
        ip=sent.sender.ip,
        user_agent=sent.sender.user_agent,
        event_type=sent.event_type,
        path=KEPT.get(sent.path, sent.path),
        url=url(sent),
        referrer_kind=kind,
        referrer_domain=domain,
        utm_source=sent.campaign.body.get("utm_source"),
        utm_medium=sent.campaign.body.get("utm_medium"),
        utm_campaign=sent.campaign.body.get("utm_campaign"),
        screen_width=sent.screen_width,
        properties=sent.properties,
        device=agent.device,
        browser=agent.browser,
        os=agent.os,
        groups=groups,
        is_bot=agent.is_bot,
        is_excluded=sent.sender.is_excluded,
        # Today has one salt, however many loads.
        run=run if occurred_at < zero else 0,
    )


def url(sent: Sent) -> str:
    return f"https://{DOMAIN}{sent.path}{sent.campaign.query}"


def lines(load: Load, *, website_id: str, today: date) -> list[bytes]:
    """The load as `import_hits` takes it: one collect body a line, and when, where from and with what."""
    return [json.dumps(line(sent, website_id, midnight(today))).encode() for sent in load.hits]


def line(sent: Sent, website_id: str, zero: datetime) -> dict[str, Any]:
    body: dict[str, Any] = {
        "website_id": website_id,
        "event_type": sent.event_type,
        "url": url(sent),
        "path": sent.path,
        "referrer": sent.referrer,
        **sent.campaign.body,
    }
    if sent.screen_width is not None:
        body["screen_width"] = sent.screen_width
    if sent.properties is not None:
        body["properties"] = sent.properties
    moment = (zero + sent.at).isoformat().replace("+00:00", "Z")
    return {**body, "occurred_at": moment, "ip": sent.sender.ip, "user_agent": sent.sender.user_agent}


# -- stories ----------------------------------------------------------------------------------------------------------


def at(days: int, clock: str = "12:00:00") -> timedelta:
    """A time of day, so many days from today: at(-1, "23:59:59.999")."""
    moment = time.fromisoformat(clock)
    seconds = timedelta(hours=moment.hour, minutes=moment.minute, seconds=moment.second)
    return days * DAY + seconds + timedelta(microseconds=moment.microsecond)


def view(sender: Sender, moment: timedelta, path: str = "/", **more: Any) -> Sent:  # noqa: ANN401 (fields of Sent)
    return Sent(moment, sender, "page_view", path, **more)


def event(sender: Sender, moment: timedelta, event_type: str, path: str = "/", **more: Any) -> Sent:  # noqa: ANN401
    return Sent(moment, sender, event_type, path, **more)


def custom(sender: Sender, moment: timedelta, name: str, path: str = "/") -> Sent:
    return Sent(moment, sender, "custom", path, properties={"event_name": name})


def crowd(count: int, moment: timedelta, *paths: str, first: int = 0, step: float = 10) -> list[Sent]:
    """So many readers, each viewing the paths one after another, `step` seconds apart."""
    return [
        view(reader(first + number), moment + timedelta(seconds=step * position), path)
        for number in range(count)
        for position, path in enumerate(paths)
    ]


def history(*hits: Sent | Sequence[Sent], groups: tuple[tuple[str, str], ...] = ()) -> History:
    """One load of hits and lists of hits."""
    flat: list[Sent] = []
    for hit in hits:
        flat += [hit] if isinstance(hit, Sent) else hit
    return History((Load(tuple(flat), groups),))


# -- strategies -------------------------------------------------------------------------------------------------------

# Around the cut of a visit, no gap at all, and the ordinary. Milliseconds: finer times are not promised to be kept.
GAPS = st.sampled_from([0, 0.001, 1, 7.5, 60, 600, 1799, 1799.999, 1800, 1800.001, 1801, 3600, 7000])
STARTS = st.sampled_from(
    ["00:00:00", "00:10:00", "09:30:00.250", "12:00:00", "23:29:59.999", "23:30:00", "23:59:59.999"]
)
# A week that ends the day before yesterday, so that what crosses midnight is still past, and its place a year ago.
DAYS = st.sampled_from([-6, -5, -4, -3, -2, -2, -3, -367])
SENDERS = st.sampled_from(READERS * 3 + OTHERS)
TYPES = st.sampled_from(
    ["page_view"] * 12
    + ["custom"] * 4
    + ["close_tab", "scroll_25", "scroll_50", "scroll_75", "outbound_link"]
    + list(OTHER_TYPES)
)


@st.composite
def events(draw: st.DrawFn, moment: timedelta, sender: Sender) -> Sent:
    event_type = draw(TYPES)
    is_plain = draw(st.booleans())
    return Sent(
        at=moment,
        sender=sender,
        event_type=event_type,
        path=draw(st.sampled_from(PATHS[:6] if is_plain else PATHS)),
        referrer="" if is_plain else draw(st.sampled_from(sorted(REFERRERS))),
        campaign=NO_CAMPAIGN if is_plain else draw(st.sampled_from(CAMPAIGNS)),
        screen_width=None if is_plain else draw(st.sampled_from(WIDTHS)),
        properties=draw(st.sampled_from(PROPERTIES)) if event_type == "custom" or not is_plain else None,
    )


@st.composite
def stretches(draw: st.DrawFn) -> list[Sent]:
    """One sender's doings: from a start on, event after event, cut or not."""
    sender = draw(SENDERS)
    moment = at(draw(DAYS), draw(STARTS))
    found: list[Sent] = []
    for _ in range(draw(st.integers(1, 7))):
        found.append(draw(events(moment, sender)))
        moment += timedelta(seconds=draw(GAPS))
    return found


@st.composite
def crowds(draw: st.DrawFn) -> list[Sent]:
    """The boring bulk: many readers who do the same, and so the ties."""
    count = draw(st.integers(1, 20))
    paths = draw(st.lists(st.sampled_from(PATHS[:6]), min_size=1, max_size=3))
    sent = crowd(count, at(draw(DAYS), "10:00:00"), *paths, first=draw(st.sampled_from([0, 5])))
    return [replace(one, referrer=draw(st.sampled_from(sorted(REFERRERS)))) for one in sent]


def shuffled(hits: list[Sent], order: str) -> list[Sent]:
    """History need not come in the order of its times."""
    if order == "backwards":
        return hits[::-1]
    return sorted(hits, key=lambda sent: sent.at) if order == "by time" else hits


@st.composite
def loads(draw: st.DrawFn) -> Load:
    hits = [sent for stretch in draw(st.lists(stretches(), min_size=1, max_size=6)) for sent in stretch]
    for bulk in draw(st.lists(crowds(), max_size=2)):
        hits += bulk
    order = draw(st.sampled_from(["as told", "by time", "backwards"]))
    return Load(tuple(shuffled(hits, order)), draw(st.sampled_from(GROUPS)))


@st.composite
def past_histories(draw: st.DrawFn) -> History:
    """One or two loads, all before today."""
    return History(tuple(draw(st.lists(loads(), min_size=1, max_size=2))))


# -- questions --------------------------------------------------------------------------------------------------------

Query = Mapping[str, str | list[str]]

# First and last day, counted from today; an end may be in the future.
WHOLE = (-7, -1)
SPANS = (WHOLE, WHOLE, (-7, 0), (-6, -4), (-3, -3), (-2, -2), (-4, 2), (-370, -365), (-366, -1))
PERIODS = ("7d", "30d", "today", "yesterday", "90d", "12m", "ytd", "all")
PAGINATED = ("pages", "sources", "flow", "custom-events")


class Asked(NamedTuple):
    """One question: a report, a span of days or the name of a period, and the other parameters, spelled as in a URL."""

    report: str
    days: tuple[int, int] | str = WHOLE
    more: Query = {}

    def query(self, today: date) -> Query:
        if isinstance(self.days, str):
            return {"period": self.days, **self.more}
        start, end = (today + days * DAY for days in self.days)
        return {"start_date": str(start), "end_date": str(end), **self.more}


# The first of each is what a question shrinks to, and what most questions ask.
SCOPES = st.sampled_from([False] * 3 + [True])


@st.composite
def questions(draw: st.DrawFn) -> Asked:
    report = draw(st.sampled_from(sorted(OWN_PARAMETERS)))
    more: dict[str, str | list[str]] = {}
    if draw(SCOPES):
        more["include_bots"] = "true"
    if draw(SCOPES):
        more["content_group"] = draw(st.sampled_from(GROUP_NAMES))
    if report in PAGINATED and draw(SCOPES):
        more["per_page"] = str(draw(st.sampled_from([500, 3, 2, 1])))
        more["page"] = str(draw(st.sampled_from([1, 2, 3])))
    for _ in range(draw(st.sampled_from([0, 0, 1, 2]))):
        dimension = draw(st.sampled_from(sorted(FILTERS)))
        values = draw(st.lists(st.sampled_from(FILTERS[dimension]), min_size=1, max_size=2))
        more[f"{draw(st.sampled_from(['filter', 'filter', 'filter_not']))}[{dimension}]"] = values
    if draw(SCOPES):
        more["format"] = "csv"
    days: tuple[int, int] | str = draw(st.sampled_from(PERIODS)) if draw(SCOPES) else draw(st.sampled_from(SPANS))
    return Asked(report, days, {**more, **OWN_PARAMETERS[report](draw)})


FILTERS = {
    "channel": ["Direct", "Social", "Email", "Organic Search", "Nothing"],
    "referrer": ["(none)", "t.co", "google.com", "*o*"],
    "utm_source": ["(none)", "newsletter", "*"],
    "utm_medium": ["(none)", "email", "cpc"],
    "utm_campaign": ["(none)", "*a*"],
    "device": ["desktop", "mobile", "unknown"],
    "browser": ["Chrome", "Safari", "Other"],
    "os": ["Windows", "iOS"],
    "screen": ["1441+", "320-375", "unknown"],
    "country": ["(none)", "FR"],
    "entry": ["/", "/blog/*", "(none)"],
    "exit": ["/pricing", "(none)", "*"],
    "page": ["/", "/blog/one", "/blog/*", "/never", "/%", "/a|b"],
    "event": ["signup", "custom", "page_view", "outbound_link", "close_tab", "never"],
}


def of_summary(draw: st.DrawFn) -> Query:
    compare = draw(st.sampled_from(["", "previous_period", "yoy"]))
    return {"compare": compare} if compare else {}


def of_sources(draw: st.DrawFn) -> Query:
    group_by = draw(st.sampled_from(["", "channel", "domain", "utm"]))
    return {"group_by": group_by} if group_by else {}


def of_funnel(draw: st.DrawFn) -> Query:
    return {"steps[]": draw(st.lists(st.sampled_from(STEPS[:2] * 5 + STEPS), min_size=2, max_size=4))}


def of_custom_events(draw: st.DrawFn) -> Query:
    name = draw(st.sampled_from(["", "", "", "", "signup", "custom", "a|b, c", "never"]))
    return {"event_name": name} if name else {}


def of_timeseries(draw: st.DrawFn) -> Query:
    metric = draw(st.sampled_from(["", *METRICS]))
    path = draw(st.sampled_from([*[""] * 8, *PATHS[:6], "/a|b", "/never"]))
    interval = draw(st.sampled_from(["", "", "week", "month"]))
    return {name: value for name, value in (("metric", metric), ("path", path), ("interval", interval)) if value}


OWN_PARAMETERS: dict[str, Callable[[st.DrawFn], Query]] = {
    "summary": of_summary,
    "pages": lambda draw: {},
    "sources": of_sources,
    "devices": lambda draw: {},
    "flow": lambda draw: {},
    "funnel": of_funnel,
    "custom-events": of_custom_events,
    "timeseries": of_timeseries,
}


def everything() -> list[Asked]:
    """Every report, grouping, metric and comparison; each for everybody, with bots, and within content groups."""
    kinds: list[tuple[str, Query]] = [
        ("summary", {}),
        ("summary", {"compare": "previous_period"}),
        ("summary", {"compare": "yoy"}),
        ("pages", {}),
        *(("sources", {"group_by": group_by}) for group_by in ("channel", "domain", "utm")),
        ("devices", {}),
        ("flow", {}),
        ("funnel", {"steps[]": ["/", "/pricing", "signup"]}),
        ("custom-events", {}),
        *(("timeseries", {"metric": metric}) for metric in METRICS),
        *(("timeseries", {"metric": metric, "path": "/blog/one"}) for metric in METRICS),
    ]
    scopes: list[Query] = [
        {},
        {"include_bots": "true"},
        {"content_group": "Blog"},
        {"content_group": "Nowhere"},
        {"filter[page]": ["/blog/*"]},
        {"filter_not[channel]": ["Direct"], "content_group": "Blog"},
    ]
    return [Asked(report, WHOLE, {**kind, **scope}) for report, kind in kinds for scope in scopes]
