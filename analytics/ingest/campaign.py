"""Which campaign a hit came from: utm_source, utm_medium and utm_campaign."""

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from analytics.ingest import scrub
from analytics.ingest.hit import Hit

if TYPE_CHECKING:
    from analytics.ingest.website import Site

LONGEST, LONGEST_BYTES = 255, 600
NAMES = ("utm_source", "utm_medium", "utm_campaign")


def campaign(hit: Hit, site: "Site") -> dict[str, Any]:
    """The three columns, None where absent. What the caller states wins over the URL's query; empty is absent."""
    found = tagged(hit.url) if "utm_" in hit.url else {}
    return {
        "utm_source": label(hit.utm_source) or found.get("utm_source"),
        "utm_medium": label(hit.utm_medium) or found.get("utm_medium"),
        "utm_campaign": label(hit.utm_campaign) or found.get("utm_campaign"),
    }


def tagged(url: str) -> dict[str, str]:
    """The labels in the URL's query, decoded; of several of one name the first that says something."""
    found: dict[str, str] = {}
    for pair in url.partition("#")[0].partition("?")[2].split("&"):
        name, _, value = pair.partition("=")
        if name in NAMES and name not in found and (clean := label(unquote_plus(value))):
            found[name] = clean
    return found


def label(value: str) -> str | None:
    return scrub.clipped(scrub.text(value).strip(), LONGEST, LONGEST_BYTES) or None if value else None
