"""From a hit to a row, the same for every room: beyond this nobody knows which dialect was spoken."""

import hmac
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django.conf import settings

from analytics.ingest import bot, campaign, device, exemption, geography, referrer, scrub, visitor, website
from analytics.ingest.hit import Change, Hit
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
        "client_session": scrub.clipped(hit.client_session, 255, 1024) or None,
        "profile": hit.profile or None,
    }


# The outcomes of what was taken, by the numbers that stand beside idempotency keys.
CODES = (Outcome.STORED, Outcome.BOT, Outcome.EXCLUDED, Outcome.CONFLICT, Outcome.IMPOSSIBLE)

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
    geography.geography,
]


def enrich(hit: Hit, site: Site) -> None:
    for enricher in ENRICHERS:
        hit.columns.update(enricher(hit, site))
    hit.columns.update(hit.given)
    if site.is_exempt:
        exemption.reduce(hit)


def as_row(hit: Hit, site: Site) -> Row:
    """The row of an enriched hit, which has no bytes when no event is to be stored."""
    row = Row(site.id, hit.occurred_at, b"") if hit.type is None else packed_hit(hit, site)
    change = change_of(hit)
    if hit.idempotency_key:
        return replace(row, key=digest(hit, site), code=CODES.index(outcome(hit)), change=change)
    if change and not change.is_repeatable:
        # A change is named even when its caller does not, so that it is never made twice.
        return replace(row, key=hit.id.to_bytes(8), code=CODES.index(outcome(hit)), change=change)
    return replace(row, change=change) if change else row


def change_of(hit: Hit) -> Change | None:
    """What changes with an enriched hit."""
    return hit.change_of(hit) if hit.change_of else hit.change


def packed_hit(hit: Hit, site: Site) -> Row:
    return packed(
        hit.columns
        | {
            "occurred_at": hit.occurred_at,
            "id": hit.id,
            "website_id": site.id,
            "type": hit.type,
            "dialect": hit.dialect,
            "is_authenticated": hit.is_authenticated,
            "is_server": hit.is_server,
        }
    )


def digest(hit: Hit, site: Site) -> bytes:
    """Of what the caller calls the event: a name counts within one dialect and website."""
    name = f"{hit.dialect.word}|{site.id}|{hit.idempotency_key}"
    return hmac.digest(settings.SECRET_KEY.encode(), name.encode("utf-8", "surrogatepass"), "sha256")


def outcome(hit: Hit) -> Outcome:
    """What an enriched hit is answered with once it is stored."""
    if hit.columns["is_excluded"]:
        return Outcome.EXCLUDED
    return Outcome.BOT if hit.columns["is_bot"] else Outcome.STORED
