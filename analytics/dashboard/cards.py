"""CARDS: what stands below the chart. Each tab is one list of one report, with what its rows lead to.

To add a tab: a line here. Page, full list, CSV, filters and the sentence behind the numbers come from it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

import pycountry

from analytics.models import DimensionDay, DiscoveryDay, EngagementDay, Order
from analytics.models.rollups import Dimension
from analytics.models.widgets import WidgetDay
from analytics.reports import REPORTS
from analytics.reports.base import Question, Report
from analytics.reports.calendar import CALENDAR_REPORTS
from analytics.reports.countries import Countries
from analytics.reports.filters import NONE
from analytics.reports.groups import ContentGroups
from analytics.reports.outbound import Outbound

Row = Mapping[str, Any]

UTM = {"utmSource": "utm_source", "utmMedium": "utm_medium", "utmCampaign": "utm_campaign"}


@dataclass(slots=True, frozen=True)
class Measure:
    """One number of a row. The first of a tab has a bar; a share only where the rows add up to a whole."""

    name: str
    title: str
    unit: str = ""
    # Where a number alone would not say it: an amount with its currency.
    text: Callable[[Row], str] | None = None


@dataclass(slots=True, frozen=True)
class Tab:
    id: str
    title: str
    heading: str
    report: Report
    measures: tuple[Measure, ...]
    label: Callable[[Row], str]
    sentence: str
    query: Mapping[str, str] = field(default_factory=dict)
    # Under which name the answer has the rows.
    rows: str = "rows"
    # The total that a row's share is of; empty: of all the rows together; None: no share.
    whole: str | None = ""
    # What a click on a row sets in the address.
    narrows: Callable[[Row], dict[str, str]] | None = None
    # The address of the thing itself, given the website's domain; empty where there is none.
    opens: Callable[[Row, str], str] | None = None
    # Sentences above the rows, made of the answer.
    tells: Callable[[Mapping[str, Any]], list[str]] | None = None
    # For CSV: the columns; empty: those of the report.
    columns: tuple[str, ...] = ()
    # Whether an exempt website has it, too.
    is_exempt: bool = True

    def columns_for(self, question: Question) -> tuple[str, ...]:
        return self.columns or self.report.columns_for(question)


@dataclass(slots=True, frozen=True)
class Card:
    id: str
    title: str
    tabs: tuple[Tab, ...]
    # Whether there is anything to show of a website in these days.
    is_for: Callable[[Question], bool] = lambda question: True
    # Whether filters choose what is counted here, which are about visits.
    is_filtered: bool = True

    def tabs_for(self, question: Question) -> list[Tab]:
        return [tab for tab in self.tabs if tab.is_exempt or not question.is_exempt]

    def tab(self, name: str, question: Question) -> Tab:
        """The tab of that name, else the first."""
        tabs = self.tabs_for(question)
        return next((tab for tab in tabs if tab.id == name), tabs[0])


def of(name: str, nothing: str = NONE) -> Callable[[Row], str]:
    return lambda row: str(row[name] or nothing)


def filter_by(dimension: str, name: str) -> Callable[[Row], dict[str, str]]:
    return lambda row: {f"filter[{dimension}]": str(row[name] or NONE)}


def campaign(row: Row) -> str:
    return " / ".join(row[name] or "–" for name in UTM)


def by_campaign(row: Row) -> dict[str, str]:
    return {f"filter[{dimension}]": row[name] or NONE for name, dimension in UTM.items()}


def by_group(row: Row) -> dict[str, str]:
    return {"content_group": row["contentGroup"]}


def page_address(row: Row, domain: str) -> str:
    """A page of the website. A path is a sender's own text: it must not become another host."""
    path = row["path"]
    return f"https://{domain}{quote(path, safe='/:@!$&()*+,;=~-._%')}" if path.startswith("/") else ""


def host_address(row: Row, domain: str) -> str:
    return f"https://{quote(row['referrer'], safe='.-:[]')}/" if row["referrer"] else ""


def link_address(row: Row, domain: str) -> str:
    try:
        parts = urlsplit(row["href"])
    except ValueError:
        return ""
    return row["href"] if parts.scheme in ("http", "https") and parts.netloc else ""


def country(row: Row) -> str:
    found = pycountry.countries.get(alpha_2=row["country"])
    return getattr(found, "common_name", found.name) if found else str(row["country"])


def page(row: Row) -> str:
    return str(row["path"])


def calendar_event(row: Row) -> str:
    return row["event"] or str(row["eventKey"])


VISITS = (Measure("visits", "Visits"),)
FACTS = "A visit counts by the facts of its first page view."
SOURCES = Card(
    "sources",
    "Sources",
    (
        Tab(
            "channels",
            "Channels",
            "Channel",
            REPORTS["sources"],
            VISITS,
            of("channel"),
            "Visits by how they came, told by the referrer and the campaign of their first page view: Direct without a"
            " referrer, Email, Organic or Paid Search, Social, else Referral.",
            {"group_by": "channel"},
            narrows=filter_by("channel", "channel"),
            is_exempt=False,
        ),
        Tab(
            "domains",
            "Domains",
            "Referrer",
            REPORTS["sources"],
            VISITS,
            of("referrer"),
            "Visits by the host of the referrer, without www; the website's own hosts and direct visits have none."
            " Shares are of all visits.",
            {"group_by": "domain"},
            whole="visits",
            narrows=filter_by("referrer", "referrer"),
            opens=host_address,
        ),
        Tab(
            "campaigns",
            "Campaigns",
            "Source / medium / campaign",
            REPORTS["sources"],
            VISITS,
            campaign,
            f"Visits by utm_source, utm_medium and utm_campaign. {FACTS} Shares are of all visits.",
            {"group_by": "utm"},
            whole="visits",
            narrows=by_campaign,
            is_exempt=False,
        ),
    ),
)
ENTRIES = "The page with which a visit"
PAGES = Card(
    "pages",
    "Pages",
    (
        Tab(
            "pages",
            "Top pages",
            "Page",
            REPORTS["pages"],
            (Measure("pageviews", "Pageviews"), Measure("uniquePageviews", "Unique")),
            page,
            "Pageviews of a path, and the distinct visits that saw it. A path that stood under two content groups is"
            " two rows. Shares are of all pageviews.",
            whole="pageviews",
            narrows=filter_by("page", "path"),
            opens=page_address,
        ),
        Tab(
            "landing",
            "Landing",
            "Landing page",
            REPORTS["flow"],
            (Measure("entries", "Visits"),),
            page,
            f"{ENTRIES} began: the path of its first page view. A visit without a page view has none.",
            rows="landing_pages",
            narrows=filter_by("entry", "path"),
            opens=page_address,
            columns=("path", "entries"),
        ),
        Tab(
            "exits",
            "Exit",
            "Exit page",
            REPORTS["flow"],
            (Measure("exits", "Visits"),),
            page,
            f"{ENTRIES} ended: the path of its last page view. A visit without a page view has none.",
            rows="exit_pages",
            narrows=filter_by("exit", "path"),
            opens=page_address,
            columns=("path", "exits"),
        ),
        Tab(
            "groups",
            "Groups",
            "Content group",
            ContentGroups(),
            (Measure("pageviews", "Pageviews"), Measure("uniquePageviews", "Unique")),
            of("contentGroup"),
            "Pageviews by the website's content groups, as they were at the time. Unique pageviews are added up over"
            " paths. Shares are of all pageviews.",
            whole="pageviews",
            narrows=by_group,
        ),
    ),
)


def devices(id_: str, title: str, heading: str, name: str, rows: str, dimension: str, sentence: str) -> Tab:
    return Tab(
        id_,
        title,
        heading,
        REPORTS["devices"],
        VISITS,
        of(name),
        f"{sentence} {FACTS}",
        rows=rows,
        narrows=filter_by(dimension, name),
        columns=(name, "visits"),
    )


DEVICES = Card(
    "devices",
    "Devices",
    (
        devices("types", "Type", "Device", "deviceType", "device_types", "device", "Desktop, mobile, tablet, unknown."),
        devices("browsers", "Browser", "Browser", "browserFamily", "browsers", "browser", "The browser's family."),
        devices("systems", "System", "Operating system", "osFamily", "os_families", "os", "The operating system."),
        devices(
            "screens",
            "Screen",
            "Screen width",
            "bucket",
            "screen_resolutions",
            "screen",
            "The width in pixels, by range.",
        ),
    ),
)


def has_countries(question: Question) -> bool:
    days = {"day__range": (question.period.start, question.period.end)}
    return DimensionDay.objects.filter(website_id=question.website_id, dimension=Dimension.COUNTRY, **days).exists()


COUNTRIES = Card(
    "countries",
    "Countries",
    (
        Tab(
            "countries",
            "Countries",
            "Country",
            Countries(),
            VISITS,
            country,
            f"The country of the visitor's address, which itself is never stored. {FACTS}",
            narrows=filter_by("country", "country"),
        ),
    ),
    has_countries,
)
EVENTS = Card(
    "events",
    "Events",
    (
        Tab(
            "events",
            "Custom",
            "Event",
            REPORTS["custom-events"],
            (Measure("count", "Times"),),
            of("name"),
            "Events by the name that they were given. A click on one shows the visits in which it happened.",
            narrows=filter_by("event", "name"),
        ),
        Tab(
            "outbound",
            "Outbound links",
            "Link",
            Outbound(),
            (Measure("clicks", "Clicks"),),
            of("href", "not named"),
            "Clicks on links to other hosts. Where they lead is known for as long as raw events are kept.",
            opens=link_address,
            is_exempt=False,
        ),
    ),
)


def has_calendar(question: Question) -> bool:
    of_website = {"website_id": question.website_id, "day__range": (question.period.start, question.period.end)}
    return EngagementDay.objects.filter(**of_website).exists() or DiscoveryDay.objects.filter(**of_website).exists()


def calendar_tab(id_: str, title: str, measure: str, sentence: str) -> Tab:
    return Tab(
        id_,
        title,
        "Event",
        CALENDAR_REPORTS["calendar-events"],
        (Measure(measure, title),),
        calendar_event,
        sentence,
        {"sort": measure},
    )


MATCHES = "Matches are the live events of the calendar that a search matched when it was received."
CALENDAR = Card(
    "calendar",
    "Calendar",
    (
        calendar_tab("views", "Event views", "views", "Clicks that open an event of the calendar."),
        calendar_tab("clicks", "Outbound clicks", "outboundClicks", "Clicks on the link of an event."),
        calendar_tab("adds", "Calendar adds", "calendarAdds", "Times that an event was added to a calendar."),
        Tab(
            "searches",
            "Searches",
            "Search",
            CALENDAR_REPORTS["calendar-searches"],
            (Measure("count", "Times"), Measure("lastMatches", "Matches last time")),
            of("query"),
            MATCHES,
        ),
        Tab(
            "gaps",
            "Not found",
            "Search without an answer",
            CALENDAR_REPORTS["calendar-searches"],
            (Measure("gaps", "Times"), Measure("lastMatches", "Matches last time")),
            of("query"),
            f"Searches that matched no live event when they were received. {MATCHES}",
            {"only": "gaps"},
        ),
    ),
    has_calendar,
    is_filtered=False,
)


def has_widgets(question: Question) -> bool:
    start, end = question.period.start, question.period.end
    shown = WidgetDay.objects.filter(website_id=question.website_id, day__range=(start, end))
    sold = Order.objects.filter(website_id=question.website_id, occurred_at__date__range=(start, end))
    return shown.exists() or sold.exists()


def amount(name: str) -> Callable[[Row], str]:
    return lambda row: f"{row[name]} {row['currency']}"


def sold(answer: Mapping[str, Any]) -> list[str]:
    return [
        f"{total['revenue']} {total['currency']} in {total['orders']:,} order{'' if total['orders'] == 1 else 's'}."
        for total in answer["totals"]
    ]


def verdict(answer: Mapping[str, Any]) -> list[str]:
    """Whether the experiment was won, in a sentence."""
    won = answer["verdict"]
    sentence = f"Arm {won['arm']} is {won['is']} than arm {answer['control']}." if won else answer["reason"]
    left_out = answer["contaminated"]
    return [sentence, f"{left_out:,} visitors saw two arms and are left out."] if left_out else [sentence]


def arm(row: Row) -> str:
    return f"Arm {row['arm']}{' (control)' if row['isControl'] else ''}"


TOUCHED = (
    "Orders whose buyer saw or touched the widget within 30 minutes before. Influenced: each widget gets the whole"
    " order, so it does not add up. Linear: the order is split equally over the widgets touched. Currencies are never"
    " added up."
)
WIDGETS = Card(
    "widgets",
    "Widgets and revenue",
    (
        Tab(
            "widgets",
            "Widgets",
            "Widget",
            REPORTS["widgets"],
            (
                Measure("impressions", "Impressions"),
                Measure("interactionRate", "Interaction rate", "%"),
                Measure("shopClicks", "Shop clicks"),
            ),
            of("widget"),
            "An impression is a render of the widget. The interaction rate is that of visitors: those who interacted of"
            " those who saw an impression.",
        ),
        Tab(
            "media",
            "Media",
            "Medium",
            REPORTS["media"],
            (Measure("views", "Views"), Measure("shop", "Shop clicks"), Measure("clickThrough", "Click-through", "%")),
            of("media"),
            "Views of each medium, and shop clicks of its views in percent.",
            {"sort": "views"},
        ),
        Tab(
            "revenue",
            "Revenue",
            "Widget",
            REPORTS["revenue"],
            (
                Measure("orders", "Orders"),
                Measure("influenced", "Influenced", text=amount("influenced")),
                Measure("linear", "Linear", text=amount("linear")),
            ),
            of("widget"),
            TOUCHED,
            whole=None,
            tells=sold,
        ),
        Tab(
            "experiment",
            "Experiment",
            "Arm",
            REPORTS["experiments"],
            (
                Measure("participants", "Visitors"),
                Measure("conversions", "Buyers"),
                Measure("conversionRate", "Conversion", "%"),
                Measure("uplift", "Uplift", "%"),
            ),
            arm,
            "Each visitor counts for the first arm that they saw. A verdict needs a sound split and 100 conversions,"
            " and is right 95 times of 100 for a period that was chosen beforehand.",
            rows="arms",
            whole=None,
            tells=verdict,
            is_exempt=False,
        ),
    ),
    has_widgets,
    is_filtered=False,
)
CARDS = (SOURCES, PAGES, DEVICES, COUNTRIES, EVENTS, CALENDAR, WIDGETS)
TABS = {tab.id: (card, tab) for card in CARDS for tab in card.tabs}
