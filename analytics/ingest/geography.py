"""Country, region and city of a hit's address, from a file of places where one is configured (TINYTRAIL_GEOIP).

The file is an MMDB as of MaxMind (GeoLite2), DB-IP or IPinfo. It is looked at again every minute, since it is replaced
by newer ones while the server runs. Without a file, or without an entry, there is no place, and nothing fails.
"""

import logging
import os
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import maxminddb
from django.conf import settings

from analytics.ingest.hit import Hit

if TYPE_CHECKING:
    from analytics.ingest.website import Site

log = logging.getLogger(__name__)

LOOK_AGAIN_SECONDS = 60.0
LONGEST = 255


class Place(NamedTuple):
    """ISO 3166 code of the country; names in English. None where the file does not say."""

    country: str | None = None
    region: str | None = None
    city: str | None = None


NOWHERE = Place()


def geography(hit: Hit, site: "Site") -> dict[str, Any]:
    return places.of(hit.address)._asdict() if settings.GEOIP and hit.address else NOWHERE._asdict()


@dataclass(slots=True)
class Places:
    """The configured file, open."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _reader: maxminddb.Reader | None = None
    # Of the file that is open: where it is, and when it was written.
    _version: tuple[str, float] | None = None
    # Which file was looked at last, and when.
    _looked_for: str = ""
    _looked_at: float = 0.0

    def of(self, address: str) -> Place:
        reader = self._current()
        try:
            return place(reader.get(address)) if reader else NOWHERE
        except ValueError:
            # An IPv6 address and a file of IPv4 networks only.
            return NOWHERE

    def _current(self) -> maxminddb.Reader | None:
        if time.monotonic() - self._looked_at < LOOK_AGAIN_SECONDS and self._looked_for == settings.GEOIP:
            return self._reader
        with self._lock:
            self._looked_for, self._looked_at = settings.GEOIP, time.monotonic()
            try:
                version = (settings.GEOIP, os.stat(settings.GEOIP).st_mtime)
                if version != self._version:
                    # The older reader is let go, not closed: another thread may be asking it.
                    self._reader = open_file(settings.GEOIP)
                    self._version = version
            except (OSError, maxminddb.InvalidDatabaseError) as error:
                # What was read before is still better than nothing; the check of the next start will say what is wrong.
                log.warning("The file of places cannot be read: %s", type(error).__name__)
        return self._reader


def open_file(path: str) -> maxminddb.Reader:
    """Raises OSError and maxminddb.InvalidDatabaseError."""
    return maxminddb.open_database(path)


def place(found: object) -> Place:
    """What a file's record says. GeoLite2 and DB-IP nest names by language, IPinfo writes them out."""
    if not isinstance(found, dict):
        return NOWHERE
    country = found.get("country")
    code = country.get("iso_code") if isinstance(country, dict) else found.get("country_code", country)
    subdivisions = found.get("subdivisions")
    region = subdivisions[0] if isinstance(subdivisions, list) and subdivisions else found.get("region")
    return Place(
        code.upper() if isinstance(code, str) and len(code) == 2 else None, name(region), name(found.get("city"))
    )


def name(value: object) -> str | None:
    if isinstance(value, dict):
        names = value.get("names")
        value = names.get("en") or next(iter(names.values()), None) if isinstance(names, dict) else None
    return value[:LONGEST] if isinstance(value, str) and value else None


places = Places()
