"""Hits and sites as the enrichers get them, without a database."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from accounts.content_groups import ContentGroups
from accounts.exclusion import Exclusions
from analytics.ingest.hit import Hit
from analytics.ingest.website import Site
from analytics.vocabulary import Dialect, Type

ACME = UUID("0193a1c2-0000-7000-8000-000000000001")


def a_hit(**fields: Any) -> Hit:
    """A page view of Acme's front page, by nobody in particular."""
    return Hit(
        **{
            "dialect": Dialect.V1,
            "id": 1,
            "occurred_at": datetime(2026, 1, 15, 10, 30, tzinfo=UTC),
            "address": "203.0.113.9",
            "user_agent": "",
            "type": Type.PAGE_VIEW,
            "url": "https://acme.example/",
            "path": "/",
        }
        | fields
    )


def a_site(domain: str = "acme.example") -> Site:
    return Site(id=1, public_id=ACME.bytes, domain=domain, groups=ContentGroups(), exclusions=Exclusions())
