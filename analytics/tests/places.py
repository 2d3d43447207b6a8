"""A small file of places for tests."""

from pathlib import Path

from mmdb_writer import MMDBWriter
from netaddr import IPSet

PARIS = {
    "country": {"iso_code": "FR", "names": {"en": "France"}},
    "subdivisions": [{"iso_code": "IDF", "names": {"en": "Île-de-France"}}],
    "city": {"names": {"en": "Paris", "de": "Paris"}},
}
OSLO = {"country": {"iso_code": "NO", "names": {"en": "Norway"}}, "city": {"names": {"no": "Oslo"}}}
LIMA = {"country": "PE", "region": "Lima Province", "city": "Lima"}
ENTRIES = {"203.0.113.0/24": PARIS, "198.51.100.0/24": OSLO, "2001:db8::/32": LIMA, "192.0.2.0/24": {"odd": 1}}


def write_places(path: Path, entries: dict[str, dict] = ENTRIES, *, ip_version: int = 6) -> str:
    writer = MMDBWriter(
        ip_version=ip_version, ipv4_compatible=ip_version == 6, database_type="Test-City", description="Places of tests"
    )
    for network, record in entries.items():
        writer.insert_network(IPSet([network]), record)
    writer.to_db_file(str(path))
    return str(path)
