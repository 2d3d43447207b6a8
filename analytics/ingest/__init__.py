"""ingest(hit): the one sentence in which every ingesting room ends. Beyond it nobody knows which dialect was spoken."""

from collections.abc import Callable
from enum import Enum
from typing import Any

from django.db import DatabaseError, InterfaceError

from analytics import drops
from analytics.ingest import bot, campaign, device, referrer, scrub, visitor, website
from analytics.ingest.hit import Hit
from analytics.ingest.row import Row, packed
from analytics.ingest.visitor import salts
from analytics.ingest.website import Site, sites
from analytics.ingest.writer import store


class Outcome(Enum):
    """What became of a hit."""

    STORED = "stored"
    BOT = "bot"  # stored with the flag
    EXCLUDED = "excluded"  # stored with the flag
    UNKNOWN_WEBSITE = "unknown_website"
    UNAVAILABLE = "storage_unavailable"


def page(hit: Hit, site: Site) -> dict[str, Any]:
    """What is stored of the hit itself, without what could name a person (guarantees P11, P12)."""
    return {
        "path": scrub.clipped(scrub.path(hit.path), 2048, 2048),
        "name": scrub.clipped(scrub.text(hit.name), 255, 1024) if hit.name else None,
        "properties": scrub.properties(hit.properties) if hit.properties else None,
    }


# In the documents' order (seed 002, server-side processing pipeline).
ENRICHERS: list[Callable[[Hit, Site], dict[str, Any]]] = [
    page,
    device.device,
    campaign.campaign,
    referrer.referrer,
    visitor.visitor,
    website.exclusion,
    bot.bot,
    website.content_group,
]


def ingest(hit: Hit) -> Outcome:
    """Enrich and store one hit. Returns after the COMMIT; what was not stored is counted."""
    try:
        site = sites.find(hit.website)
        if site is None:
            drops.count(hit.dialect.word, Outcome.UNKNOWN_WEBSITE.value, day=hit.occurred_at.date())
            return Outcome.UNKNOWN_WEBSITE
        hit.salt = salts.of(hit.occurred_at.date())
        enrich(hit, site)
        store([as_row(hit, site)])
    except (DatabaseError, InterfaceError):
        drops.count(hit.dialect.word, Outcome.UNAVAILABLE.value, day=hit.occurred_at.date())
        return Outcome.UNAVAILABLE
    return outcome(hit)


def enrich(hit: Hit, site: Site) -> None:
    for enricher in ENRICHERS:
        hit.columns.update(enricher(hit, site))


def as_row(hit: Hit, site: Site) -> Row:
    return packed(
        hit.columns
        | {
            "occurred_at": hit.occurred_at,
            "id": hit.id,
            "website_id": site.id,
            "type": hit.type,
            "dialect": hit.dialect,
            "is_authenticated": False,
            "is_server": hit.is_server,
        }
    )


def outcome(hit: Hit) -> Outcome:
    """What an enriched hit is answered with once it is stored."""
    if hit.columns["is_excluded"]:
        return Outcome.EXCLUDED
    return Outcome.BOT if hit.columns["is_bot"] else Outcome.STORED
