"""The websites that hits belong to, as the ingestion needs them: compiled once, asked for a thousand times a second."""

from collections.abc import Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from django.db.models import QuerySet

from accounts.content_groups import ContentGroups
from accounts.exclusion import Exclusions
from accounts.models import Website
from analytics.ingest.grants import Grant, Kind, Source, grants
from analytics.ingest.hit import Hit

FIELDS = ("id", "public_id", "domain", "content_groups", "excluded_ips", "mode", "privacy_signals")


@dataclass(slots=True, frozen=True)
class Site:
    """A website as the enrichers see it."""

    id: int
    public_id: bytes
    domain: str
    groups: ContentGroups
    exclusions: Exclusions
    # Keeps no more than audience measurement needs (analytics.ingest.exemption).
    is_exempt: bool = False
    # Stores nothing of who asks not to be tracked.
    drops_signalled: bool = False


def exclusion(hit: Hit, site: Site) -> dict[str, Any]:
    return {"is_excluded": hit.address in site.exclusions}


def content_group(hit: Hit, site: Site) -> dict[str, Any]:
    """The first group whose pattern matches the stored path; later edits do not relabel history (definitions 13)."""
    return {"content_group": site.groups.match(hit.columns["path"])}


class Websites(Kind):
    """Calls that name a website by its public id."""

    async def load(
        self, connection: psycopg.AsyncConnection[Any], keys: Collection[Hashable]
    ) -> Mapping[Hashable, Grant]:
        return {fields[1]: Grant(as_site(*fields)) for fields in await rows(connection, asked_for(keys))}

    def find(self, public_id: UUID) -> Site | None:
        """The live website, None when there is none. Raises DatabaseError when that cannot be known."""
        if grants.stale([Source(self, public_id)]):
            grants.learn(self, [public_id], {f[1]: Grant(as_site(*f)) for f in asked_for([public_id])})
        grant = grants.known(Source(self, public_id))
        return grant.site if grant else None


def asked_for(public_ids: Iterable[Any]) -> "QuerySet[Website, tuple[Any, ...]]":
    return Website.objects.live().filter(public_id__in=public_ids).values_list(*FIELDS)


async def rows(connection: psycopg.AsyncConnection[Any], query: "QuerySet[Any, Any]") -> list[tuple[Any, ...]]:
    """What Django's query finds, asked over the writer's own connection."""
    statement, parameters = query.query.sql_with_params()
    return await (await connection.execute(statement, parameters)).fetchall()


def as_site(
    id_: int,
    public_id: UUID,
    domain: str,
    groups: list[dict[str, str]],
    excluded: list[str],
    mode: str,
    signals: str,
) -> Site:
    """A website's FIELDS, compiled."""
    return Site(
        id_,
        public_id.bytes,
        domain,
        ContentGroups(groups),
        Exclusions(excluded),
        is_exempt=mode == Website.Mode.EXEMPT,
        drops_signalled=signals == Website.PrivacySignals.DROP,
    )


websites = Websites()
