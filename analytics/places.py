"""What a file of places holds, for people (command `geoip`)."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import maxminddb

from analytics.ingest.geography import NOWHERE, Place, open_file, place


@dataclass(frozen=True, slots=True)
class Holdings:
    """`networks` is the number of nodes of the file's tree, which is about that of its networks."""

    path: str
    kind: str
    built_at: datetime
    networks: int
    has_cities: bool
    found: dict[str, Place]

    def as_json(self) -> dict[str, Any]:
        return {
            "path": self.path,
            "kind": self.kind,
            "builtAt": self.built_at.isoformat().replace("+00:00", "Z"),
            "networks": self.networks,
            "hasCities": self.has_cities,
            "addresses": {address: place._asdict() for address, place in self.found.items()},
        }


def holdings(path: str, addresses: list[str]) -> Holdings:
    """What the file says of itself and of these addresses. Raises ValueError with a sentence."""
    if not Path(path).is_file():
        raise ValueError(f"There is no file {path}.")
    try:
        with open_file(path) as reader:
            about = reader.metadata()
            return Holdings(
                path,
                about.database_type,
                datetime.fromtimestamp(about.build_epoch, UTC),
                about.node_count,
                any(place(record).city for _, record in sample(reader)),
                {address: found(reader, address) for address in addresses},
            )
    except (maxminddb.InvalidDatabaseError, OSError, UnicodeDecodeError):
        raise ValueError(f"{path} is no MMDB file, or a damaged one.") from None


def sample(reader: maxminddb.Reader) -> list[tuple[Any, Any]]:
    """The first thousand entries: a file of cities has some among them."""
    return [entry for entry, _ in zip(reader, range(1_000), strict=False)]


def found(reader: maxminddb.Reader, address: str) -> Place:
    try:
        return place(reader.get(address))
    except ValueError as error:
        if "IPv6" in str(error) and ":" in address:
            return NOWHERE
        raise ValueError(f"{address} is no IP address.") from None
