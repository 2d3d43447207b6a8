"""Grants: what the ingestion must know before it takes a call, looked up by whatever the call names.

A v1 call names a website, an engagement call an event of the catalogue, a widget a token. Each is a kind of source with
a query of its own. What was found is remembered for less than a second, so that what is deleted or revoked is gone
within a second in every process (D-43), or for as long as the database is away.
"""

import threading
import time
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import psycopg

    from analytics.ingest.website import Site

FRESH_SECONDS = 0.9
MOST_REMEMBERED = 10_000


@dataclass(slots=True, frozen=True)
class Grant:
    """The website that a call's events belong to. Rooms extend it by what else decides about a call."""

    site: "Site"


class Kind(ABC):
    """One way of naming whom a call is for."""

    @abstractmethod
    async def load(
        self, connection: "psycopg.AsyncConnection[Any]", keys: Collection[Hashable]
    ) -> Mapping[Hashable, Grant]:
        """The grants of those keys that have one. Raises what psycopg raises."""


class Source(NamedTuple):
    """Whom a call is for, as the call says it."""

    kind: Kind
    key: Hashable


class Grants:
    """Grants by source, of one process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[Source, tuple[float, Grant | None]] = OrderedDict()

    def stale(self, sources: Collection[Source]) -> list[Source]:
        """Those of the sources that were not looked up just now."""
        oldest = time.monotonic() - FRESH_SECONDS
        return [source for source in sources if (entry := self._known.get(source)) is None or entry[0] <= oldest]

    def learn(self, kind: Kind, asked: Collection[Hashable], found: Mapping[Hashable, Grant]) -> None:
        """Remember what was found when these keys were looked up."""
        now = time.monotonic()
        with self._lock:
            for key in asked:
                source = Source(kind, key)
                self._known[source] = (now, found.get(key))
                self._known.move_to_end(source)
            while len(self._known) > MOST_REMEMBERED:
                self._known.popitem(last=False)

    def known(self, source: Source) -> Grant | None:
        """The grant if it is remembered, however old the memory."""
        entry = self._known.get(source)
        return entry[1] if entry else None

    def forget(self) -> None:
        """Look everything up again: what this process changed is in force in it at once."""
        with self._lock:
            self._known.clear()


grants = Grants()
