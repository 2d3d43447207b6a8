"""The websites that hits belong to, as the ingestion needs them: compiled once, asked for a thousand times a second."""

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import DatabaseError, InterfaceError

from accounts.content_groups import ContentGroups
from accounts.exclusion import Exclusions
from accounts.models import Website
from analytics.ingest.hit import Hit

# A deleted website or changed rule is in force within a second in every process (D-43).
FRESH_SECONDS = 0.9
MOST_WEBSITES = 10_000


@dataclass(slots=True, frozen=True)
class Site:
    """A website as the enrichers see it."""

    id: int
    public_id: bytes
    domain: str
    groups: ContentGroups
    exclusions: Exclusions


def exclusion(hit: Hit, site: Site) -> dict[str, Any]:
    return {"is_excluded": hit.address in site.exclusions}


def content_group(hit: Hit, site: Site) -> dict[str, Any]:
    """The first group whose pattern matches the stored path; later edits do not relabel history (definitions 13)."""
    return {"content_group": site.groups.match(hit.columns["path"])}


class Sites:
    """Websites by public id, remembered for less than a second, or for as long as the database is away."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[UUID, tuple[float, Site | None]] = OrderedDict()

    def find(self, public_id: UUID) -> Site | None:
        """The live website, None when there is none. Raises DatabaseError when that cannot be known."""
        now = time.monotonic()
        entry = self._known.get(public_id)
        if entry and now - entry[0] < FRESH_SECONDS:
            return entry[1]
        try:
            site = load(public_id)
        except (DatabaseError, InterfaceError):
            if entry and entry[1]:
                return entry[1]
            raise
        with self._lock:
            self._known[public_id] = (now, site)
            self._known.move_to_end(public_id)
            if len(self._known) > MOST_WEBSITES:
                self._known.popitem(last=False)
        return site

    def known(self, public_id: UUID) -> Site | None:
        """The website if it is remembered, however old the memory."""
        entry = self._known.get(public_id)
        return entry[1] if entry else None

    def forget(self) -> None:
        """Look everything up again: what this process changed is in force in it at once."""
        with self._lock:
            self._known.clear()


def load(public_id: UUID) -> Site | None:
    website = Website.objects.live().filter(public_id=public_id).first()
    if website is None:
        return None
    return Site(
        id=website.id,
        public_id=website.public_id.bytes,
        domain=website.domain,
        groups=ContentGroups(website.content_groups),
        exclusions=Exclusions(website.excluded_ips),
    )


sites = Sites()
