"""From a hit to a row, the same for every room: beyond this nobody knows which dialect was spoken."""

import hmac
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django.conf import settings

from analytics.ingest import bot, campaign, device, referrer, scrub, visitor, website
from analytics.ingest.hit import Hit
from analytics.ingest.reading import Outcome
from analytics.ingest.row import Row, packed
from analytics.ingest.website import Site


def page(hit: Hit, site: Site) -> dict[str, Any]:
    """What is stored of the hit itself, without what could name a person (guarantees P11, P12)."""
    return {
        "path": scrub.clipped(scrub.path(hit.path), 2048, 2048),
        # A name of nothing but invisible characters is none (D-5).
        "name": scrub.clipped(scrub.text(hit.name), 255, 1024) or "custom" if hit.name else None,
        "properties": scrub.properties(hit.properties) if hit.properties else None,
    }


# The outcomes of what was stored, by the numbers that stand beside idempotency keys.
CODES = (Outcome.STORED, Outcome.BOT, Outcome.EXCLUDED)

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


def enrich(hit: Hit, site: Site) -> None:
    for enricher in ENRICHERS:
        hit.columns.update(enricher(hit, site))


def as_row(hit: Hit, site: Site) -> Row:
    row = packed(
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
    if not hit.idempotency_key:
        return row
    return replace(row, key=digest(hit), code=CODES.index(outcome(hit)))


def digest(hit: Hit) -> bytes:
    """Of what the caller calls the event: a name counts within one dialect and website."""
    name = f"{hit.dialect.word}|{hit.website}|{hit.idempotency_key}"
    return hmac.digest(settings.SECRET_KEY.encode(), name.encode("utf-8", "surrogatepass"), "sha256")


def outcome(hit: Hit) -> Outcome:
    """What an enriched hit is answered with once it is stored."""
    if hit.columns["is_excluded"]:
        return Outcome.EXCLUDED
    return Outcome.BOT if hit.columns["is_bot"] else Outcome.STORED
