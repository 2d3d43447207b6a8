"""What is stored of visits, of buyers and of the people whom products tell of, in words (docs/privacy.md)."""

from datetime import timedelta

from analytics.retention import KEYS_LIVE, RECENT_DROPS_LIVE
from tinytrail.records import Expires, Forever, Loses, Personal, Table, Until, Whom

KEY = "Number of the row."
WEBSITE = "The website."
DAY = "The UTC day."
BOT = "Whether robots or people are counted in this row."
GROUP = "The section of the website that is counted; empty for all of it."
NUMBERS = (Forever("it counts visits, and none of them can be told from another"),)
RAW = "RETENTION_DAYS"
VISITOR = Personal(
    "Eight bytes of an HMAC of address, user agent and website under the day's salt. It is another one on "
    "every day and on every website, and leads back to nobody once the salt is destroyed, within an hour of the day's "
    "end."
)
SCREEN = "Which of five ranges the width of the window lies in. The size itself is not stored."
DEVICE = "Desktop, mobile, tablet or unknown."
BROWSER = "The browser's family, out of a closed list. The user agent itself is not stored."
SYSTEM = "The operating system's family, out of a closed list."
REFERRER = "Host of the page that led here, without path and query."
CHANNEL = "How the visit came: direct, search, social, e-mail or another page. Empty of an exempt website."
COUNTRY = "Country of the address, where the operator has given a file of places. The address itself is not stored."
ANALYTICS_ID = "What the shop calls its visitor; an HMAC where that is an e-mail address. Empty of an exempt website."
UTM = {
    "utm_source": "The campaign's source, as the link says it. Empty of an exempt website.",
    "utm_medium": "The campaign's medium. Empty of an exempt website.",
    "utm_campaign": "The campaign's name. Empty of an exempt website.",
}

TABLES = (
    Table(
        "analytics.Event",
        Whom.VISITORS,
        "One thing that happened: a page was seen, a link clicked, a widget shown, something bought. The raw data from "
        "which everything else is computed. It holds no address, no user agent, no cookie and no full web address.",
        {
            "occurred_at": "When it happened.",
            "id": "A number in the order of arrival.",
            "visitor": VISITOR,
            "website_id": WEBSITE,
            "type": "What kind of thing it was.",
            "dialect": "By which of the five interfaces it came.",
            "device": DEVICE,
            "screen": SCREEN,
            "channel": CHANNEL,
            "browser": BROWSER,
            "os": SYSTEM,
            "is_bot": "Whether a robot did it.",
            "is_excluded": "Whether the address is one that is never counted.",
            "is_authenticated": "Whether somebody was signed in to the calendar, not who. Never of an exempt website.",
            "is_server": "Whether a server reported it.",
            "path": "Path of the page, without query; e-mail addresses in it as *@*, what looks like a token as *.",
            "referrer": REFERRER,
            "name": "The event's name.",
            "content_group": "The section of the website that the page belongs to.",
            **UTM,
            "properties": Personal(
                "What the website says of the event beside that. What is called email, phone, token or password is not "
                "kept, nor are e-mail addresses. Of an exempt website only what the interfaces for calendars and "
                "widgets themselves define."
            ),
            "client_session": Personal(
                "What the page calls its session, where the interface has such a word; of widgets, what the shop calls "
                "its visitor. Empty of an exempt website."
            ),
            "profile": Personal(
                "Whose it is, where a product names its signed-in users. Empty elsewhere, and of exempt websites."
            ),
            "country": COUNTRY,
            "region": "Region of the address. Empty of an exempt website.",
            "city": "City of the address. Empty of an exempt website.",
        },
        (Expires("occurred_at", RAW), Until("the person in `profile` is erased")),
    ),
    Table(
        "analytics.Visit",
        Whom.VISITORS,
        "The events of one visitor without a pause of half an hour, on one day: computed from them.",
        {
            "started_at": "When it began.",
            "visitor": VISITOR,
            "duration_us": "How long it took.",
            "website_id": WEBSITE,
            "day": DAY,
            "pageviews": "How many pages were seen.",
            "pages": "How many different ones.",
            "events": "How many things happened.",
            "device": DEVICE,
            "screen": SCREEN,
            "channel": CHANNEL,
            "browser": BROWSER,
            "os": SYSTEM,
            "is_bot": "Whether a robot made it.",
            "is_bounce": "Whether it ended with its first page.",
            "referrer": REFERRER,
            **UTM,
            "country": COUNTRY,
            "entry": "Path of the first page.",
            "exit": "Path of the last page.",
            "content_groups": "Sections of the website that were seen.",
            "steps": "Paths and names of its events, in order.",
        },
        (Expires("day", RAW),),
    ),
    Table(
        "analytics.SiteDay",
        Whom.NOBODY,
        "The numbers of a day.",
        {
            "website_id": WEBSITE,
            "day": DAY,
            "is_bot": BOT,
            "content_group": GROUP,
            "visitors": "How many visitors.",
            "visits": "How many visits.",
            "page_visits": "How many of them saw a page.",
            "bounces": "How many ended with their first page.",
            "duration_us": "How long all of them took together.",
            "pageviews": "How many pages were seen.",
            "unique_pageviews": "How many, each counted once a visit.",
        },
        NUMBERS,
    ),
    Table(
        "analytics.PageDay",
        Whom.NOBODY,
        "The numbers of a page on a day.",
        {
            "website_id": WEBSITE,
            "day": DAY,
            "is_bot": BOT,
            "content_group": GROUP,
            "path": "Path of the page.",
            "pageviews": "How often it was seen.",
            "unique_pageviews": "In how many visits.",
            "ungrouped_pageviews": "How often outside every section.",
            "ungrouped_unique_pageviews": "In how many visits outside every section.",
            "visits": "How many visits saw it.",
            "bounces": "How many of those ended with their first page.",
            "duration_us": "How long those took together.",
            "entries": "How many visits began there.",
            "exits": "How many ended there.",
        },
        NUMBERS,
    ),
    Table(
        "analytics.DimensionDay",
        Whom.NOBODY,
        "Visits of a day by channel, referrer, campaign, device, browser, system, screen or country.",
        {
            "website_id": WEBSITE,
            "day": DAY,
            "is_bot": BOT,
            "content_group": GROUP,
            "dimension": "By which of them.",
            "label": "For example a country.",
            "utm_medium": "Of campaigns, the medium.",
            "utm_campaign": "Of campaigns, the name.",
            "visits": "How many visits.",
        },
        NUMBERS,
    ),
    Table(
        "analytics.NameDay",
        Whom.NOBODY,
        "How often events of a name happened on a day.",
        {
            "website_id": WEBSITE,
            "day": DAY,
            "is_bot": BOT,
            "content_group": GROUP,
            "name": "The name.",
            "count": "How often.",
        },
        NUMBERS,
    ),
    Table(
        "analytics.EngagementDay",
        Whom.NOBODY,
        "How often readers did something with an event of the calendar on a day.",
        {
            "website_id": WEBSITE,
            "day": DAY,
            "is_bot": BOT,
            "event_key": "The event.",
            "action": "What they did.",
            "source": "Where on the page.",
            "count": "How often.",
        },
        NUMBERS,
    ),
    Table(
        "analytics.EngagementSession",
        Whom.VISITORS,
        "What one session did with an event of the calendar on a day.",
        {
            "session": Personal("Eight bytes of a digest of what the page calls its session, else the visitor's key."),
            "website_id": WEBSITE,
            "day": DAY,
            "is_bot": BOT,
            "event_key": "The event.",
            "clicks": "How often it opened the event.",
            "outbound_clicks": "How often it followed its link.",
            "calendar_syncs": "How often it added it to a calendar.",
        },
        (Expires("day", RAW),),
    ),
    Table(
        "analytics.DiscoveryDay",
        Whom.NOBODY,
        "What readers searched and filtered the calendar for on a day.",
        {
            "website_id": WEBSITE,
            "day": DAY,
            "is_bot": BOT,
            "action": "Search or filter.",
            "filter_group": "Which filter.",
            "value": "What was looked for, without capitals, accents, e-mail addresses and what looks like a token.",
            "count": "How often.",
            "gaps": "How often it found nothing.",
            "thin": "How often it found one or two events.",
            "least_matches": "The fewest events it found.",
            "last_matches": "How many it found last.",
            "last_at": "When that was.",
        },
        (Forever("it counts searches, and says of none who made it"),),
    ),
    Table(
        "analytics.WidgetDay",
        Whom.NOBODY,
        "What was done with widgets and media on a day.",
        {
            "website_id": WEBSITE,
            "day": DAY,
            "is_bot": BOT,
            "scope": "What is counted: all, a widget, a stream, a category, a medium, a segment.",
            "label": "Which one.",
            "impressions": "How often it was shown.",
            "empty": "How often there was nothing to show.",
            "interactions": "How often it was used.",
            "media_renders": "How often a medium was shown.",
            "media_views": "How often one was opened.",
            "media_clicks": "How often one was clicked.",
            "shop_clicks": "How often one led to the shop.",
        },
        NUMBERS,
    ),
    Table(
        "analytics.WidgetReach",
        Whom.VISITORS,
        "Who saw a widget and who used it, so that nobody is counted twice.",
        {
            "website_id": WEBSITE,
            "day": DAY,
            "is_bot": BOT,
            "scope": "What is counted.",
            "label": "Which one.",
            "person": Personal("Eight bytes of a digest of what the shop calls its visitor; else the visitor's key."),
            "saw": "Whether it was shown to them.",
            "interacted": "Whether they used it.",
        },
        (Expires("day", RAW),),
    ),
    Table(
        "analytics.WidgetArm",
        Whom.VISITORS,
        "Who was shown which version in an experiment. Nobody of an exempt website.",
        {
            "website_id": WEBSITE,
            "day": DAY,
            "is_bot": BOT,
            "widget": "The widget.",
            "arm": "The version.",
            "person": Personal("Eight bytes of a digest of what the shop calls its visitor."),
            "first_at": "Since when.",
        },
        (Expires("day", RAW),),
    ),
    Table(
        "analytics.EmptyWidgetDay",
        Whom.NOBODY,
        "Widgets that had nothing to show on a day.",
        {
            "website_id": WEBSITE,
            "day": DAY,
            "is_bot": BOT,
            "widget": "The widget.",
            "count": "How often.",
            "first_at": "When first.",
            "last_at": "When last.",
        },
        NUMBERS,
    ),
    Table(
        "analytics.Order",
        Whom.BUYERS,
        "What one purchase brought.",
        {
            "website_id": WEBSITE,
            "client_id": "The shop's widget that reported it.",
            "transaction": "The shop's own number of the order; an HMAC where that is an e-mail address.",
            "analytics_id": Personal(ANALYTICS_ID),
            "currency": "The currency.",
            "occurred_at": "When it was bought.",
            "total": "The amount.",
            "line_count": "How many products.",
            "referrer": Personal("The page of the purchase, without its query."),
            "segments": "What the shop says of the kind of buyer, for example a country. Empty of an exempt website.",
            "is_bot": "Whether a robot reported it.",
            "is_excluded": "Whether the address is one that is never counted.",
        },
        (
            Loses(("analytics_id", "referrer"), "occurred_at", RAW),
            Forever("what was sold is the shop's own bookkeeping; it no longer says to whom"),
        ),
    ),
    Table(
        "analytics.OrderLine",
        Whom.NOBODY,
        "A product of a purchase.",
        {
            "website_id": WEBSITE,
            "client_id": "The shop's widget that reported it.",
            "transaction": "The order.",
            "number": "Which line of it.",
            "call": "Digest of the products, to notice a repeat.",
            "product": "The product's number.",
            "amount": "What it cost.",
        },
        (Forever("what was sold is the shop's own bookkeeping"),),
    ),
    Table(
        "analytics.Profile",
        Whom.PEOPLE,
        "A user of a product, as the product itself tells of them. There are none unless it does, and none of an "
        "exempt website.",
        {
            "id": KEY,
            "website_id": WEBSITE,
            "profile_id": Personal("What the product calls them."),
            "first_name": Personal("First name."),
            "last_name": Personal("Last name."),
            "email": Personal("E-mail address."),
            "avatar": Personal("Address of a picture."),
            "properties": Personal("Whatever else the product tells, with browser, system and place of the call."),
            "groups": Personal("Groups they belong to, for example a company."),
            "created_at": "When the row was made.",
            "first_seen_at": Personal("When they first did something."),
            "last_seen_at": Personal("When they last did something."),
        },
        (Expires("last_seen_at", "PROFILE_RETENTION_DAYS"), Until("the person is erased")),
    ),
    Table(
        "analytics.Group",
        Whom.NOBODY,
        "A company, a team or the like that users of a product belong to.",
        {
            "id": KEY,
            "website_id": WEBSITE,
            "group_id": "What the product calls it.",
            "type": "What kind of group.",
            "name": "Its name.",
            "properties": "Whatever else the product tells of it.",
            "created_at": "When the row was made.",
            "changed_at": "When the product last told of it.",
        },
        (
            Expires(
                "changed_at",
                "PROFILE_RETENTION_DAYS",
                words="TINYTRAIL_PROFILE_RETENTION_DAYS (400) days after it was last told of, if nobody belongs to it",
            ),
        ),
    ),
    Table(
        "analytics.Quarantine",
        Whom.VISITORS,
        "Events that the table of events refused, so that nothing is lost. Packed, and as poor in what it says of a "
        "visitor as the event would have been.",
        {
            "id": KEY,
            "at": "When it was refused.",
            "website_id": WEBSITE,
            "occurred_at": "When it happened.",
            "reason": "Why it was refused.",
            "data": Personal("The columns of analytics.Event."),
            "change_kind": "What was to change with it: an order, or a person.",
            "change": Personal("The change: the columns of analytics.Order or analytics.Profile."),
        },
        (Expires("at", RAW), Until("it is stored after all, or the person in it is erased")),
    ),
    Table(
        "analytics.IdempotencyKey",
        Whom.VISITORS,
        "Names that callers gave to events, so that each is stored once however often it is sent.",
        {
            "key": Personal("HMAC of the name."),
            "outcome": "What the first call was answered with.",
            "at": "When it came.",
        },
        (Expires("at", KEYS_LIVE),),
    ),
    Table(
        "analytics.Drop",
        Whom.NOBODY,
        "How many calls were not stored on a day, and why.",
        {
            "id": KEY,
            "day": DAY,
            "dialect": "By which interface they came.",
            "reason": "Why.",
            "website_id": "The website, where it is known.",
            "count": "How many.",
        },
        (Expires("day", RAW),),
    ),
    Table(
        "analytics.RecentDrop",
        Whom.NOBODY,
        "The same of five minutes, for who is looking for a mistake.",
        {
            "id": KEY,
            "at": "When the five minutes began.",
            "dialect": "By which interface they came.",
            "reason": "Why.",
            "website_id": "The website, where it is known.",
            "count": "How many.",
        },
        (Expires("at", RECENT_DROPS_LIVE),),
    ),
    Table(
        "analytics.Salt",
        Whom.NOBODY,
        "The secret of a day, without which a visitor's key says nothing. At most two: today's and a neighbour's. In a "
        "table that is not in the write-ahead log, and that backups leave out.",
        {"day": DAY, "value": "32 random bytes."},
        (Expires("day", timedelta(hours=25), words="destroyed within an hour of the day's end"),),
    ),
    Table(
        "analytics.SharedLink",
        Whom.NOBODY,
        "A link by which somebody without a login sees a website's dashboard.",
        {
            "id": "Random id.",
            "website_id": WEBSITE,
            "event_id": "The one event it shows, where it shows only that.",
            "name": Personal("Whom it is for, as its maker wrote it."),
            "password": "Hash of its password, as Django keeps it.",
            "hosts": "Web pages that may show it in a frame.",
            "created_at": "When it was made.",
            "expires_at": "When it ends.",
            "revoked_at": "When it was revoked.",
        },
        (
            Expires("revoked_at", RAW),
            Expires("expires_at", RAW),
            Until("the website or its account is deleted"),
        ),
    ),
    Table(
        "analytics.BuiltDay",
        Whom.NOBODY,
        "When the numbers of a day were computed.",
        {
            "website_id": WEBSITE,
            "day": DAY,
            "built_at": "When.",
            "events": "From how many events.",
            "milliseconds": "How long that took.",
            "is_final": "Whether the events have gone, and the numbers stay as they are.",
        },
        (Forever("without it nobody would know that a day's numbers are final"),),
    ),
    Table(
        "analytics.DirtyDay",
        Whom.NOBODY,
        "A note that a day has newer events than its numbers.",
        {"id": KEY, "website_id": WEBSITE, "day": DAY, "at": "When it was written."},
        (Until("the day's numbers are computed, which is within a minute"),),
    ),
)
