"""What is stored of a hit of an exempt website: no more than audience measurement needs (guarantees, Privacy).

No campaign, no channel, no custom property, no name for a session or a person, no place but the country. What is not to
be kept is not stored.
"""

from typing import Any

from analytics.ingest.hit import Hit
from analytics.vocabulary import NO_CHANNEL, Dialect

# The reason under which calls are counted of which nothing is left.
REASON = "exempt_website"
NOTHING: dict[str, Any] = {
    "utm_source": None,
    "utm_medium": None,
    "utm_campaign": None,
    "channel": NO_CHANNEL,
    "client_session": None,
    "profile": None,
    "region": None,
    "city": None,
}
# Properties that are no website's own: the contracts of these dialects define them, and what is counted is in them.
KEPT = {
    Dialect.ENGAGEMENT: frozenset({"eventKey", "source"}),
    Dialect.DISCOVERY: frozenset({"filterGroup", "filterValue", "searchQuery", "matches"}),
    Dialect.WIDGETS: frozenset(
        {"instance", "kind", "id", "media", "pics", "not_found", "transaction", "currency", "total", "products"}
    ),
}


def reduce(hit: Hit) -> None:
    """Take out of an enriched hit what an exempt website does not keep."""
    hit.columns |= NOTHING
    properties = hit.columns["properties"] or {}
    allowed = KEPT.get(hit.dialect, frozenset())
    hit.columns["properties"] = {name: properties[name] for name in properties if name in allowed} or None
    hit.is_authenticated = False
    if hit.dialect is Dialect.OPENPANEL and (hit.change or hit.change_of):
        # All that these change is people and their groups.
        hit.change = hit.change_of = None
        if hit.type is None:
            hit.left_out = REASON
