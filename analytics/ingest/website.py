"""The websites that hits belong to, as the ingestion needs them: compiled once, asked for a thousand times a second."""

import threading
import time
from collections import OrderedDict
from collections.abc import Iterable
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
        if public_id not in self.fresh({public_id}):
            try:
                self.learn({public_id}, load(public_id))
            except (DatabaseError, InterfaceError):
                if not self.known(public_id):
                    raise
        return self.known(public_id)

    def fresh(self, public_ids: set[UUID]) -> set[UUID]:
        """Those of the ids that were looked up just now, whether there is such a website or not."""
        oldest = time.monotonic() - FRESH_SECONDS
        return {id_ for id_ in public_ids if (entry := self._known.get(id_)) and entry[0] > oldest}

    def learn(self, asked: set[UUID], found: Iterable[tuple[Any, ...]]) -> None:
        """Remember what was found when these ids were looked up: FIELDS of each website there is."""
        now = time.monotonic()
        there = {fields[1]: as_site(*fields) for fields in found}
        with self._lock:
            for id_ in asked:
                self._known[id_] = (now, there.get(id_))
                self._known.move_to_end(id_)
            while len(self._known) > MOST_WEBSITES:
                self._known.popitem(last=False)

    def known(self, public_id: UUID) -> Site | None:
        """The website if it is remembered, however old the memory."""
        entry = self._known.get(public_id)
        return entry[1] if entry else None

    def forget(self) -> None:
        """Look everything up again: what this process changed is in force in it at once."""
        with self._lock:
            self._known.clear()


FIELDS = ("id", "public_id", "domain", "content_groups", "excluded_ips")


def load(public_id: UUID) -> list[tuple[Any, ...]]:
    """FIELDS of the live website, of which there is one or none."""
    return list(Website.objects.live().filter(public_id=public_id).values_list(*FIELDS))


def as_site(id_: int, public_id: UUID, domain: str, groups: list[dict[str, str]], excluded: list[str]) -> Site:
    """A website's FIELDS, compiled."""
    return Site(id_, public_id.bytes, domain, ContentGroups(groups), Exclusions(excluded))


sites = Sites()
