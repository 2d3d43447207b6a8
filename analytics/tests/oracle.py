"""The oracle: every report computed a second time, from the documents alone, in the slowest and plainest way.

It imports nothing of the product. Numbers in the docstrings are those of definitions.md, `2.x` and `D-x` those of
contracts.md. Input is the list of a website's hits in the order in which they were stored; output is the `data` object
of the JSON contract, with `Decimal` for every number that is not a whole one. Channel, device, browser and system are
facts of the cast (histories.py): worked out by hand, given as data.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from urllib.parse import parse_qs, urlsplit

Data = dict[str, Any]
Row = dict[str, Any]

PASSIVE = ("close_tab", "scroll_25", "scroll_50", "scroll_75")
DEFAULTS = ("page_view", *PASSIVE, "outbound_link", "custom")
LONGEST_GAP = timedelta(seconds=1800)
REALTIME = timedelta(minutes=30)
METRICS = (
    "visits",
    "pageviews",
    "unique_pageviews",
    "bounce_rate",
    "avg_session_duration",
    "landing_page_entries",
    "exit_page_exits",
)


@dataclass(frozen=True)
class Hit:
    """One stored hit with what is known of its sender, its website and its referrer at that time.

    `run` numbers the loads of history: past days have salts of their own in each of them, so one sender in two loads
    is two visitors. `referrer_kind` is `none`, `own`, `mail`, `search`, `social` or `other`; `referrer_domain` is the
    host in lower case without `www.`. `groups` are the website's (name, pattern) pairs when the hit came in.
    """

    occurred_at: datetime
    ip: str
    user_agent: str
    event_type: str
    path: str
    url: str = ""
    referrer_kind: str = "none"
    referrer_domain: str | None = None
    utm_source: str | None = None
    utm_medium: str | None = None
    utm_campaign: str | None = None
    screen_width: float | None = None
    properties: Mapping[str, Any] | None = None
    device: str = "unknown"
    browser: str = "unknown"
    os: str = "unknown"
    groups: tuple[tuple[str, str], ...] = ()
    is_bot: bool = False
    is_excluded: bool = False
    is_server: bool = False
    run: int = 0
    # The room that took it, and what the client calls its session there.
    dialect: str = "v1"
    session: str = ""

    @property
    def day(self) -> date:
        return self.occurred_at.date()

    @property
    def visitor(self) -> tuple[date, int, str, str]:
        """5: one key a UTC day over address and user agent."""
        return (self.day, self.run, self.ip, self.user_agent)

    @property
    def is_page_view(self) -> bool:
        return self.event_type == "page_view"

    @property
    def is_interactive(self) -> bool:
        """2, 3: what is neither a page_view nor passive."""
        return not self.is_page_view and self.event_type not in PASSIVE


# -- facts of one hit -------------------------------------------------------------------------------------------------


def utm(hit: Hit) -> tuple[str | None, str | None, str | None]:
    """2.4: the body's field wins over the url's query, the empty string is absent, at most 255 characters."""
    query = parse_qs(urlsplit(hit.url).query)
    values: list[str | None] = []
    for name in ("utm_source", "utm_medium", "utm_campaign"):
        value = getattr(hit, name) or query.get(name, [""])[0]
        values.append(value[:255] if value else None)
    return (values[0], values[1], values[2])


def channel(hit: Hit) -> str:
    """14: first rule that fits; `utm_medium` compared without case."""
    medium = (utm(hit)[1] or "").lower()
    if hit.referrer_kind in ("none", "own"):
        return "Email" if medium == "email" else "Direct"
    if medium == "email" or hit.referrer_kind == "mail":
        return "Email"
    if hit.referrer_kind == "search":
        return "Paid Search" if "cpc" in medium or "ppc" in medium or "paid" in medium else "Organic Search"
    return "Social" if hit.referrer_kind == "social" else "Referral"


def referrer(hit: Hit) -> str | None:
    """15: host of the referrer, none for Direct and for the website's own hosts."""
    return None if hit.referrer_kind in ("none", "own") else hit.referrer_domain


def screen(hit: Hit) -> str:
    """17: from the width rounded down; outside every bucket it is unknown."""
    if hit.screen_width is None:
        return "unknown"
    width = int(hit.screen_width)
    buckets = {"320-375": (320, 375), "376-768": (376, 768), "769-1024": (769, 1024), "1025-1440": (1025, 1440)}
    for label, (low, high) in buckets.items():
        if low <= width <= high:
            return label
    return "1441+" if width >= 1441 else "unknown"


def matches(pattern: str, path: str) -> bool:
    """D-4, D-40: `*` is any run of characters, the empty one too; everything else is literal; the whole path."""
    if not pattern:
        return not path
    if pattern[0] == "*":
        return any(matches(pattern[1:], path[cut:]) for cut in range(len(path) + 1))
    return bool(path) and pattern[0] == path[0] and matches(pattern[1:], path[1:])


def group(hit: Hit) -> str | None:
    """13: the first matching pattern of the website at the time of the hit."""
    for name, pattern in hit.groups:
        if matches(pattern, hit.path):
            return name
    return None


def custom_name(hit: Hit) -> str | None:
    """22, D-5, D-6: the name of a custom event, None for the other default types."""
    if hit.event_type not in DEFAULTS:
        return hit.event_type
    if hit.event_type != "custom":
        return None
    for key in ("event_name", "name"):
        value = (hit.properties or {}).get(key)
        if isinstance(value, str) and value:
            return value
    return "custom"


# -- visits -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Visit:
    """6: some events of one visitor key in time order; the first of them is a page_view or interactive."""

    events: tuple[Hit, ...]

    @property
    def day(self) -> date:
        """6: the UTC day of its first event."""
        return self.events[0].day

    @property
    def visitor(self) -> tuple[date, int, str, str]:
        return self.events[0].visitor

    @property
    def page_views(self) -> list[Hit]:
        return [event for event in self.events if event.is_page_view]

    @property
    def facts(self) -> Hit:
        """7: those of the first page_view, else of the first event."""
        return (self.page_views or list(self.events))[0]

    @property
    def landing(self) -> str | None:
        """9: path of the first page_view; a visit without one has none."""
        return self.page_views[0].path if self.page_views else None

    @property
    def exit(self) -> str | None:
        """9: path of the last page_view; a visit without one has none."""
        return self.page_views[-1].path if self.page_views else None

    @property
    def is_bounce(self) -> bool:
        """10: exactly one page_view and no interactive event."""
        return len(self.page_views) == 1 and not any(event.is_interactive for event in self.events)

    @property
    def duration(self) -> timedelta:
        """11: last event minus first event."""
        return self.events[-1].occurred_at - self.events[0].occurred_at


def counted(hits: Iterable[Hit], include_bots: bool) -> list[Hit]:
    """1: not excluded, and bots only where they are asked for."""
    return [hit for hit in hits if not hit.is_excluded and (include_bots or not hit.is_bot)]


def visits(events: Iterable[Hit]) -> list[Visit]:
    """4, 6: each visitor's events in time order (as stored at one instant), cut where a gap exceeds 1800 seconds."""
    of_visitor: dict[Any, list[Hit]] = {}
    for event in events:
        if not event.is_server:
            of_visitor.setdefault(event.visitor, []).append(event)
    found: list[Visit] = []
    for own in of_visitor.values():
        run: list[Hit] = []
        for event in sorted(own, key=lambda hit: hit.occurred_at):
            if run and event.occurred_at - run[-1].occurred_at > LONGEST_GAP:
                found += visit_of(run)
                run = []
            run.append(event)
        found += visit_of(run)
    return found


def visit_of(run: Sequence[Hit]) -> list[Visit]:
    """6: passive events before the first other one are ignored; nothing but passive events is no visit."""
    for position, event in enumerate(run):
        if event.event_type not in PASSIVE:
            return [Visit(tuple(run[position:]))]
    return []


# -- what a report is about -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Selection:
    """The counted events and the visits of a period that a report may use, and the page_views it counts."""

    events: list[Hit]
    visits: list[Visit]
    content_group: str | None

    def views(self, visit: Visit) -> list[Hit]:
        return [view for view in visit.page_views if self.content_group in (None, group(view))]

    @property
    def page_views(self) -> list[Hit]:
        """12, 13: counted page_views, with a content group only those in it."""
        return [hit for hit in self.events if hit.is_page_view and self.content_group in (None, group(hit))]


def select(hits: Iterable[Hit], start: date, end: date, include_bots: bool, content_group: str | None) -> Selection:
    """13, 18: days inclusive; a content group keeps the visits that contain at least one page_view in it."""
    events = [hit for hit in counted(hits, include_bots) if start <= hit.day <= end]
    kept = [
        visit
        for visit in visits(events)
        if content_group is None or any(group(view) == content_group for view in visit.page_views)
    ]
    return Selection(events, kept, content_group)


# -- filters ----------------------------------------------------------------------------------------------------------

# Dimension, values, whether it is those that have none of the values.
Filter = tuple[str, tuple[str, ...], bool]


def in_dimension(visit: Visit, dimension: str) -> set[str]:
    """What a visit has in a dimension; `(none)` where it has nothing."""
    fact = visit.facts
    source, medium, campaign = utm(fact)
    if dimension == "page":
        return {view.path for view in visit.page_views}
    if dimension == "event":
        return {name for event in visit.events for name in (event.event_type, custom_name(event)) if name}
    value = {
        "channel": channel(fact),
        "referrer": referrer(fact),
        "utm_source": source,
        "utm_medium": medium,
        "utm_campaign": campaign,
        "device": fact.device,
        "browser": fact.browser,
        "os": fact.os,
        "screen": screen(fact),
        "country": None,
        "entry": visit.landing,
        "exit": visit.exit,
    }[dimension]
    return {"(none)" if value is None else value}


def passes(visit: Visit, chosen: Filter) -> bool:
    """Whether a visit has one of the values, in which `*` is any run of characters; or has none, if so asked."""
    dimension, values, is_not = chosen
    has = in_dimension(visit, dimension)
    found = any(
        (matches(value, own) if "*" in value and dimension not in ("event", "channel") else value == own)
        for value in values
        for own in has
    )
    return found != is_not


def filters(query: Mapping[str, Any]) -> tuple[Filter, ...]:
    found: list[Filter] = []
    for name, values in query.items():
        kind, _, dimension = name.partition("[")
        if kind in ("filter", "filter_not"):
            listed = [values] if isinstance(values, str) else list(values)
            found.append((dimension.rstrip("]"), tuple(listed), kind == "filter_not"))
    return tuple(found)


def rounded(value: Fraction, decimals: int) -> Decimal:
    """23: halves away from zero, on exact numbers."""
    digits = int(abs(value) * 10**decimals + Fraction(1, 2))
    return Decimal(digits if value >= 0 else -digits).scaleb(-decimals)


def bounce_rate(of: Sequence[Visit]) -> Decimal:
    """10: bounces / visits with at least one page_view, in percent, one decimal; 0 when there are none."""
    with_view = [visit for visit in of if visit.page_views]
    bounces = [visit for visit in with_view if visit.is_bounce]
    return rounded(Fraction(len(bounces) * 100, len(with_view)), 1) if with_view else Decimal(0)


def mean_duration(of: Sequence[Visit]) -> Decimal:
    """11: mean over all visits, zeros included, a whole number of seconds; 0 when there are none."""
    microseconds = sum(visit.duration // timedelta(microseconds=1) for visit in of)
    return rounded(Fraction(microseconds, len(of) * 1_000_000), 0) if of else Decimal(0)


def unique_visitors(of: Sequence[Visit]) -> int:
    """8: distinct visitor keys with at least one visit, summed over the days (a key is of one day)."""
    return len({visit.visitor for visit in of})


def ordered(counts: Mapping[tuple[str | None, ...], int], keys: Sequence[str], count: str) -> list[Row]:
    """23: the count descending, then the label ascending, byte by byte, null as the empty string."""

    def place(label: tuple[str | None, ...]) -> tuple[int, list[bytes]]:
        return (-counts[label], [(part or "").encode() for part in label])

    return [dict(zip(keys, label, strict=True)) | {count: counts[label]} for label in sorted(counts, key=place)]


def tally(labels: Iterable[tuple[str | None, ...]]) -> dict[tuple[str | None, ...], int]:
    counts: dict[tuple[str | None, ...], int] = {}
    for label in labels:
        counts[label] = counts.get(label, 0) + 1
    return counts


def sliced(rows: list[Row], page: int, per_page: int) -> list[Row]:
    return rows[(page - 1) * per_page : page * per_page]


def span(start: date, end: date) -> Data:
    return {"start": start.isoformat(), "end": end.isoformat()}


# -- periods ----------------------------------------------------------------------------------------------------------


def year_before(day: date) -> date:
    """18: the same date one year earlier, 29 February becomes 28 February."""
    if (day.month, day.day) == (2, 29):
        return date(day.year - 1, 2, 28)
    return date(day.year - 1, day.month, day.day)


def period(name: str, *, today: date, first: date) -> tuple[date, date]:
    """18. `first` is the day of the website's first stored event, else the day it was created."""
    days = {"7d": 7, "30d": 30, "90d": 90}
    if name == "today":
        return (today, today)
    if name == "yesterday":
        return (today - timedelta(days=1), today - timedelta(days=1))
    if name in days:
        return (today - timedelta(days=days[name] - 1), today)
    if name == "12m":
        return (year_before(today) + timedelta(days=1), today)
    if name == "ytd":
        return (date(today.year, 1, 1), today)
    if name == "all":
        return (first, today)
    raise ValueError(name)


def compared(name: str, start: date, end: date) -> tuple[date, date]:
    """18: `previous_period` is as many days, immediately before; `yoy` the same dates one year earlier."""
    if name == "previous_period":
        return (start - (end - start) - timedelta(days=1), start - timedelta(days=1))
    if name == "yoy":
        return (year_before(start), year_before(end))
    raise ValueError(name)


# -- the nine reports -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Question:
    """The parameters of 2.9 and 2.10, understood. `start` and `end` are the days of the period asked for."""

    report: str
    start: date
    end: date
    include_bots: bool = False
    content_group: str | None = None
    page: int = 1
    per_page: int = 50
    compare: str | None = None
    group_by: str = "channel"
    event_name: str | None = None
    metric: str = "pageviews"
    path: str | None = None
    steps: tuple[str, ...] = ()
    interval: str = "day"
    filters: tuple[Filter, ...] = ()

    def selection(self, hits: Iterable[Hit], start: date | None = None, end: date | None = None) -> Selection:
        """What the report is about; in other days than asked for when they are given."""
        of = select(hits, start or self.start, end or self.end, self.include_bots, self.content_group)
        if not self.filters:
            return of
        kept = [visit for visit in of.visits if all(passes(visit, chosen) for chosen in self.filters)]
        return Selection([event for visit in kept for event in visit.events], kept, self.content_group)

    def paginated(self, rows: list[Row]) -> Data:
        return {
            "period": span(self.start, self.end),
            "page": self.page,
            "per_page": self.per_page,
            "rows": sliced(rows, self.page, self.per_page),
        }


def understood(report: str, query: Mapping[str, Any], *, today: date, first: date) -> Question:
    """2.9: dates override `period`, a start without an end runs to today; `7d`, page 1, 50 a page are the defaults.

    D-39: unknown parameters are ignored, an empty `metric` is absent. `compare` is the summary's alone.
    """
    if "start_date" in query:
        start = date.fromisoformat(query["start_date"])
        end = date.fromisoformat(query["end_date"]) if "end_date" in query else today
    else:
        start, end = period(query.get("period", "7d"), today=today, first=first)
    return Question(
        report=report,
        start=start,
        end=end,
        include_bots=query.get("include_bots") == "true",
        content_group=query.get("content_group"),
        page=int(query.get("page", 1)),
        per_page=int(query.get("per_page", 50)),
        compare=query.get("compare"),
        group_by=query.get("group_by", "channel"),
        event_name=query.get("event_name"),
        metric=query.get("metric") or "pageviews",
        path=query.get("path"),
        steps=tuple(query.get("steps[]", ())),
        interval=query.get("interval", "day"),
        filters=filters(query),
    )


def first_day(hits: Sequence[Hit], created: date) -> date:
    """18, `all`: the day of the first stored event, flagged ones included; the creation day if there is none."""
    return min((hit.day for hit in hits), default=created)


def totals(selection: Selection) -> Data:
    return {
        "visits": len(selection.visits),
        "unique_visitors": unique_visitors(selection.visits),
        "pageviews": len(selection.page_views),
        "bounce_rate": bounce_rate(selection.visits),
        "avg_session_duration_sec": mean_duration(selection.visits),
    }


def change(value: Decimal | int, previous: Decimal | int) -> Decimal | int | None:
    """19: percent of the values as shown, two decimals; null from nothing to something, 0 from nothing to nothing."""
    if previous == 0:
        return 0 if value == 0 else None
    return rounded((Fraction(value) - Fraction(previous)) / Fraction(previous) * 100, 2)


def summary(hits: Sequence[Hit], ask: Question) -> Data:
    """2.10 summary."""
    now = totals(ask.selection(hits))
    if ask.compare is None:
        metrics = {name: {"value": value} for name, value in now.items()}
        return {"period": span(ask.start, ask.end), "comparison": None, "metrics": metrics}
    start, end = compared(ask.compare, ask.start, ask.end)
    before = totals(ask.selection(hits, start, end))
    metrics = {
        name: {"value": value, "previous": before[name], "change_pct": change(value, before[name])}
        for name, value in now.items()
    }
    return {"period": span(ask.start, ask.end), "comparison": f"{start} to {end}", "metrics": metrics}


def pages(hits: Sequence[Hit], ask: Question) -> Data:
    """2.10 pages; 12: unique pageviews are distinct visits; 13: a path under two groups is two rows."""
    selection = ask.selection(hits)
    counts = tally((view.path, group(view)) for view in selection.page_views)
    unique = tally(
        label for visit in selection.visits for label in {(view.path, group(view)) for view in selection.views(visit)}
    )
    rows = ordered(counts, ("path", "contentGroup"), "pageviews")
    for row in rows:
        row["uniquePageviews"] = unique.get((row["path"], row["contentGroup"]), 0)
    return ask.paginated(rows)


def sources(hits: Sequence[Hit], ask: Question) -> Data:
    """2.10 sources; 7: a visit's facts; `domain` omits visits without one, `utm` those without any UTM value."""
    facts = [visit.facts for visit in ask.selection(hits).visits]
    if ask.group_by == "channel":
        rows = ordered(tally((channel(fact),) for fact in facts), ("channel",), "visits")
    elif ask.group_by == "domain":
        rows = ordered(tally((referrer(fact),) for fact in facts if referrer(fact)), ("referrer",), "visits")
    else:
        campaigns = tally(utm(fact) for fact in facts if any(utm(fact)))
        rows = ordered(campaigns, ("utmSource", "utmMedium", "utmCampaign"), "visits")
    return ask.paginated(rows)


def devices(hits: Sequence[Hit], ask: Question) -> Data:
    """2.10 devices; 7, 16, 17."""
    facts = [visit.facts for visit in ask.selection(hits).visits]
    return {
        "period": span(ask.start, ask.end),
        "device_types": ordered(tally((fact.device,) for fact in facts), ("deviceType",), "visits"),
        "browsers": ordered(tally((fact.browser,) for fact in facts), ("browserFamily",), "visits"),
        "os_families": ordered(tally((fact.os,) for fact in facts), ("osFamily",), "visits"),
        "screen_resolutions": ordered(tally((screen(fact),) for fact in facts), ("bucket",), "visits"),
    }


def flow(hits: Sequence[Hit], ask: Question) -> Data:
    """2.10 flow; 9. The page cuts both lists."""
    of = ask.selection(hits).visits
    landings = ordered(tally((visit.landing,) for visit in of if visit.landing), ("path",), "entries")
    exits = ordered(tally((visit.exit,) for visit in of if visit.exit), ("path",), "exits")
    return {
        "period": span(ask.start, ask.end),
        "landing_pages": sliced(landings, ask.page, ask.per_page),
        "exit_pages": sliced(exits, ask.page, ask.per_page),
    }


def is_step(event: Hit, step: str) -> bool:
    """20: what begins with `/` is a path of a page_view, anything else an event type or a custom event's name."""
    if step.startswith("/"):
        return event.is_page_view and event.path == step
    return step in (event.event_type, custom_name(event))


def depth(visit: Visit, steps: Sequence[str]) -> int:
    """20: how many of the steps the visit takes, in order, each strictly after the one before."""
    taken = 0
    for event in visit.events:
        if taken < len(steps) and is_step(event, steps[taken]):
            taken += 1
    return taken


def funnel(hits: Sequence[Hit], ask: Question) -> Data:
    """2.10 funnel: the first step is 100, the others percent of the one before, 0 where that has none."""
    depths = [depth(visit, ask.steps) for visit in ask.selection(hits).visits]
    rows: list[Row] = []
    for number, step in enumerate(ask.steps):
        sessions = sum(1 for reached in depths if reached > number)
        rate: Decimal | int = 100
        if rows:
            before = rows[-1]["sessions"]
            rate = rounded(Fraction(sessions * 100, before), 2) if before else 0
        rows.append({"step": step, "sessions": sessions, "conversion_rate": rate})
    return {"period": span(ask.start, ask.end), "funnel": rows}


def realtime(hits: Sequence[Hit], now: datetime) -> Data:
    """21: counted events of the last 30 minutes, bots and excluded ones out whatever else is asked for."""
    events = [hit for hit in counted(hits, False) if now - REALTIME <= hit.occurred_at <= now]
    readers = {(hit.path, hit.visitor) for hit in events if hit.is_page_view}
    return {
        "active_visitors": len({hit.visitor for hit in events}),
        "top_pages": ordered(tally((path,) for path, _ in readers), ("path",), "visitors")[:10],
        "events_by_type": ordered(tally((hit.event_type,) for hit in events), ("eventType",), "count"),
    }


def custom_events(hits: Sequence[Hit], ask: Question) -> Data:
    """2.10 custom-events; 22; 13: with a content group, those of visits that contain a page_view in it."""
    selection = ask.selection(hits)
    events = selection.events
    if ask.content_group is not None or ask.filters:
        events = [event for visit in selection.visits for event in visit.events]
    names = [custom_name(event) for event in events]
    wanted = tally((name,) for name in names if name is not None and ask.event_name in (None, name))
    return ask.paginated(ordered(wanted, ("name",), "count"))


def measured(selection: Selection, metric: str, path: str | None) -> Decimal | int:
    """12, 23: one metric of one day. With a path: its page_views, the visits with one of it, landing and exit on it."""
    of = [visit for visit in selection.visits if path is None or any(view.path == path for view in visit.page_views)]
    if metric == "visits":
        return len(of)
    if metric == "pageviews":
        return sum(1 for view in selection.page_views if path in (None, view.path))
    if metric == "unique_pageviews":
        # Site-wide it is the sum over paths.
        return sum(len({view.path for view in selection.views(visit) if path in (None, view.path)}) for visit in of)
    if metric == "bounce_rate":
        return bounce_rate(of)
    if metric == "avg_session_duration":
        return mean_duration(of)
    if metric == "landing_page_entries":
        return sum(1 for visit in of if visit.landing and path in (None, visit.landing))
    if metric == "exit_page_exits":
        return sum(1 for visit in of if visit.exit and path in (None, visit.exit))
    raise ValueError(metric)


def spans(ask: Question) -> list[tuple[date, date]]:
    """First and last day of each interval: a day, a week from Monday, a month; cut by the period."""
    days = [ask.start + timedelta(days=n) for n in range((ask.end - ask.start).days + 1)]
    begins = {
        "day": lambda day: True,
        "week": lambda day: day.isoweekday() == 1,
        "month": lambda day: day.day == 1,
    }[ask.interval]
    firsts = [day for day in days if day == ask.start or begins(day)]
    return list(zip(firsts, [first - timedelta(days=1) for first in firsts[1:]] + [ask.end], strict=True))


def timeseries(hits: Sequence[Hit], ask: Question) -> Data:
    """2.10 timeseries: one value for every interval of the period."""
    series = [
        {"date": first.isoformat(), "value": measured(ask.selection(hits, first, last), ask.metric, ask.path)}
        for first, last in spans(ask)
    ]
    return {"period": span(ask.start, ask.end), "metric": ask.metric, "path": ask.path or "*", "series": series}


# -- the calendar -----------------------------------------------------------------------------------------------------

# 25: what an action is called as a number, and its sessions.
ACTIONS = {
    "click": ("views", "viewingSessions"),
    "outbound_click": ("outboundClicks", "outboundSessions"),
    "calendar_sync": ("calendarAdds", "calendarSessions"),
}


def engaged(hits: Iterable[Hit], ask: Question, event: str | None) -> list[Hit]:
    """What readers did with an event, or with any, in the period."""
    return [
        hit
        for hit in counted(hits, ask.include_bots)
        if hit.dialect == "engagement"
        and ask.start <= hit.day <= ask.end
        and event in (None, (hit.properties or {})["eventKey"])
    ]


def session(hit: Hit) -> Any:  # noqa: ANN401 (whatever tells sessions apart)
    """25: what the client calls its session, else the visitor key."""
    return hit.session or hit.visitor


def numbers(of: Sequence[Hit]) -> Row:
    """25: how often each action, by how many sessions; rates are per viewing session, in percent, one decimal."""
    row: Row = {count: sum(hit.event_type == action for hit in of) for action, (count, _) in ACTIONS.items()}
    row["sessions"] = len({session(hit) for hit in of})
    for action, (_, sessions) in ACTIONS.items():
        row[sessions] = len({session(hit) for hit in of if hit.event_type == action})
    for rate, sessions in (("outboundRate", "outboundSessions"), ("calendarRate", "calendarSessions")):
        viewing = row["viewingSessions"]
        row[rate] = rounded(Fraction(row[sessions] * 100, viewing), 1) if viewing else Decimal(0)
    return row


def calendar_events(hits: Sequence[Hit], ask: Question) -> list[Row]:
    """Every event with its numbers: the most viewed first, then by key."""
    keys = {(hit.properties or {})["eventKey"] for hit in engaged(hits, ask, None)}
    rows = [{"eventKey": key, **numbers(engaged(hits, ask, key))} for key in keys]
    return sorted(rows, key=lambda row: (-row["views"], row["eventKey"].encode()))


def calendar_totals(hits: Sequence[Hit], ask: Question, event: str | None) -> Row:
    return numbers(engaged(hits, ask, event))


def calendar_days(hits: Sequence[Hit], ask: Question, event: str | None) -> list[Row]:
    found: list[Row] = []
    day = ask.start
    while day <= ask.end:
        own = numbers([hit for hit in engaged(hits, ask, event) if hit.day == day])
        found.append(
            {"date": str(day), **{name: own[name] for name in ("views", "outboundClicks", "calendarAdds", "sessions")}}
        )
        day += timedelta(days=1)
    return found


def calendar_sources(hits: Sequence[Hit], ask: Question, event: str | None) -> list[Row]:
    """By source, where none is the empty one: all three actions together decide the order."""
    of: dict[str, list[Hit]] = {}
    for hit in engaged(hits, ask, event):
        of.setdefault((hit.properties or {}).get("source", ""), []).append(hit)
    labels = sorted(of, key=lambda label: (-len(of[label]), label.encode()))
    return [{"source": label, **{name: numbers(of[label])[name] for name, _ in ACTIONS.values()}} for label in labels]


def looked_for(hits: Sequence[Hit], ask: Question, label: Callable[[Hit], tuple[str, ...] | None]) -> Data:
    """26: by label how often, how often nothing and one or two were matched, the least and the last that was."""
    of: dict[tuple[str, ...], list[int | None]] = {}
    found = [
        hit for hit in counted(hits, ask.include_bots) if hit.dialect == "discovery" and ask.start <= hit.day <= ask.end
    ]
    for hit in sorted(found, key=lambda hit: hit.occurred_at):
        named = label(hit)
        if named is not None:
            of.setdefault(named, []).append((hit.properties or {}).get("matches"))
    rows: Data = {}
    for named, matches in of.items():
        known = [count for count in matches if count is not None]
        rows["|".join(named)] = {
            "count": len(matches),
            "gaps": sum(count == 0 for count in known),
            "thin": sum(count in (1, 2) for count in known),
            "leastMatches": min(known, default=None),
            "lastMatches": known[-1] if known else None,
        }
    return rows


def searched(hit: Hit) -> tuple[str, ...] | None:
    return ((hit.properties or {})["searchQuery"],) if hit.event_type == "search" else None


def filtered(hit: Hit) -> tuple[str, ...] | None:
    properties = hit.properties or {}
    if hit.event_type == "search":
        return None
    return (hit.event_type, properties.get("filterGroup", ""), properties.get("filterValue", ""))


REPORTS: dict[str, Callable[[Sequence[Hit], Question], Data]] = {
    "summary": summary,
    "pages": pages,
    "sources": sources,
    "devices": devices,
    "flow": flow,
    "funnel": funnel,
    "custom-events": custom_events,
    "timeseries": timeseries,
}


# -- CSV --------------------------------------------------------------------------------------------------------------

COLUMNS: dict[str, tuple[str, ...]] = {
    "summary": ("metric", "value", "previous", "change_pct"),
    "pages": ("path", "contentGroup", "pageviews", "uniquePageviews"),
    "devices": ("deviceType", "visits"),
    "flow": ("path", "entries"),
    "funnel": ("step", "sessions", "conversion_rate"),
    "custom-events": ("name", "count"),
    "timeseries": ("date", "value"),
}
SOURCE_COLUMNS = {
    "channel": ("channel", "visits"),
    "domain": ("referrer", "visits"),
    "utm": ("utmSource", "utmMedium", "utmCampaign", "visits"),
}
LISTS = {"devices": "device_types", "flow": "landing_pages", "funnel": "funnel", "timeseries": "series"}
# The last four are the full-width forms.
CALCULATED = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def cell(value: Any) -> str | Decimal:  # noqa: ANN401 (any JSON value)
    """D-41, guarantee A78: text that a spreadsheet would calculate gets an apostrophe, numbers never do."""
    if value is None:
        return ""
    if isinstance(value, str):
        return f"'{value}" if value[:1] in CALCULATED else value
    return Decimal(value)


def table(ask: Question, data: Data) -> list[list[str | Decimal]]:
    """2.9, 2.10: the header, then the rows of the JSON page; numbers as `Decimal`, whatever their spelling."""
    columns = SOURCE_COLUMNS[ask.group_by] if ask.report == "sources" else COLUMNS[ask.report]
    if ask.report == "summary":
        rows = [{"metric": name, **numbers} for name, numbers in data["metrics"].items()]
    else:
        rows = data[LISTS.get(ask.report, "rows")]
    return [list(columns), *([cell(row.get(column)) for column in columns] for row in rows)]
