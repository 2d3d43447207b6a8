"""Why calls are refused: the likely cause, in a sentence for who has to mend it, by the reason it is counted under."""

# The reasons of all rooms; those that mean the same have the same word.
CAUSES = {
    # Any room.
    "rate_limited": (
        "More calls from one address, session or client than the limit allows: a loop, or many visitors "
        "behind one proxy. TINYTRAIL_TRUSTED_PROXIES tells the server whose X-Forwarded-For to believe."
    ),
    "storage_unavailable": "The server could not store it: PostgreSQL and Redis were both away. See manage.py doctor.",
    "overloaded": "More calls at once than the server could take. More web processes help: TINYTRAIL_WEB_WORKERS.",
    "too_large": "The body is longer than this route takes.",
    "malformed_json": "The body is no JSON: often a form was sent, or the text was cut off.",
    "invalid_field": "A field is missing or wrong; the answer to the call names it and says what would be right.",
    "unsupported_media_type": (
        "The Content-Type is neither application/json nor text/plain, or the charset is not UTF-8."
    ),
    "wrong_method": "The route was called with another method than it takes.",
    "privacy_signal": (
        "The visitor's browser asks not to be tracked (Sec-GPC or DNT), and the website is set to drop such visits. "
        "Nothing to mend."
    ),
    "exempt_website": (
        "The website is exempt, and so keeps no profiles: what is told of people and groups is not stored. "
        "Leave identify, increment and group out of its pages."
    ),
    "conflict": "An order with this number is stored already, with another currency.",
    "impossible_change": "What was to be counted is no number, or would grow beyond what can be kept.",
    "day_is_final": "The day is past its retention: its numbers stay as they are.",
    # v1.
    "unknown_website": "No website has this id: a page carries an old or mistyped snippet, or the website was deleted.",
    "invalid_time": "occurred_at is no time, or lies in the future.",
    # Engagement and discovery.
    "unknown_event": "No published event has this key: it was cancelled or removed, or a page shows an old one.",
    "no_calendar": "There is no calendar yet that the search could belong to.",
    "short_search": "Searches of one letter are not stored. Send them once the visitor has typed two.",
    "unknown_filter": "filterGroup is none of the filters of the calendar.",
    "missing_filter_value": "A filter was applied without its value.",
    # Widgets.
    "no_token": "The address has no auth_token.",
    "unknown_token": "No widget token is like this one: it is mistyped, or was revoked.",
    "unknown_path": "The path is none of the documented ones; often a part between two slashes is empty.",
    "unknown_action": "The last part of the path is no action of widgets or media.",
    "unknown_format": "Only .gif and .json may stand at the end of the path.",
    "invalid_path": "A number or a name in the path is wrong.",
    "invalid_analytics_id": (
        "analytics_id is missing, or longer than 128 characters: the page sends none for its visitor."
    ),
    "invalid_pics": "pics, the number of pictures shown, is missing or no whole number.",
    "invalid_ab_testing": "ab_testing, the arm of the experiment, is no whole number.",
    "invalid_segment": "A segment is no key:value.",
    "repeated_segment": "A segment's key came twice, with different values.",
    "too_many_segments": "More segments than one call may have.",
    "invalid_product": "A product is no id:amount, with a point before the cents.",
    "no_products": "The purchase names no product: products[] is missing.",
    "too_many_products": "More products than one call may have.",
    "unknown_currency": "currency_code is none of ISO 4217, for example EUR.",
    "invalid_referrer": "The referrer is longer than it may be.",
    "unreadable_parameter": "A parameter is not UTF-8, or holds control characters.",
    "invalid_redirect": "redirect_url is no plain http or https address.",
    "foreign_redirect": "redirect_url leads to a host that is not on the token's list.",
    "prefetch": "A browser fetched it before anybody wanted to see it. Nothing to mend.",
    # OpenPanel.
    "unauthorized": "Client id and secret do not belong together, or the page's origin is not on the client's list.",
    "missing_user_agent": "The call has no User-Agent, from which the device is told.",
    "too_old": "The event says that it happened longer ago than is taken.",
    "unknown_type": "type is none of the types of calls.",
    "alias": "The clients' alias call is not supported: use identify with the final id.",
    "revenue_without_secret": "Revenue counts only from a client that shows its secret; the event itself was stored.",
    "replay": "Recordings of screens are not kept. Turn them off in the client to save their bandwidth.",
    "reserved_name": "The event has a name that the client keeps for itself.",
    "no_such_route": "There is nothing at this address; often the client's apiUrl is wrong.",
    "bot": "A robot without a secret: of those only events are stored, and never counted.",
    # Proposals.
    "closed": "The calendar was closed for proposals.",
    "limiter_unavailable": "Redis is away: proposals cannot be counted, so none is taken.",
    "rate_limited_ip": "One address proposed more often than the limit allows.",
    "rate_limited_email": "One host proposed more often than the limit allows.",
    "rate_limited_fingerprint": "The same event was proposed twice within a day.",
}
OTHER = "The answer to the call says what is wrong with it."


def cause(reason: str) -> str:
    return CAUSES.get(reason, OTHER)
