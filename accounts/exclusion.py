"""Whose visits a website does not count: addresses, networks in CIDR notation, and ranges (contract 2.4, A43, A44)."""

import ipaddress
from bisect import bisect_right
from collections.abc import Iterable

MOST_ENTRIES = 1000
LONGEST_ENTRY = 100
HIGHEST = {4: 2**32 - 1, 6: 2**128 - 1}
# So many bits of an IPv6 address say that the rest is an IPv4 address.
MAPPED_BITS = 96

Range = tuple[int, int, int]  # version 4 or 6, first and last address, both included


class Exclusions:
    """Entries that answer `address in exclusions` in logarithmic time. Raises ValueError for a wrong entry.

    An IPv4 address written in IPv6 (`::ffff:192.0.2.1`) is an IPv4 address, in entries as in what is asked for.
    """

    def __init__(self, entries: Iterable[str] = ()) -> None:
        merged: list[Range] = []
        for version, first, last in sorted(parse(entry) for entry in entries):
            if merged and merged[-1][0] == version and first <= merged[-1][2] + 1:
                merged[-1] = version, merged[-1][1], max(merged[-1][2], last)
            else:
                merged.append((version, first, last))
        self._starts = [(version, first) for version, first, _ in merged]
        self._ranges = merged

    def __contains__(self, address: str) -> bool:
        if not self._ranges:
            return False
        try:
            version, number = numbered(address)
        except ValueError:
            return False
        place = bisect_right(self._starts, (version, number)) - 1
        return place >= 0 and self._ranges[place][0] == version and number <= self._ranges[place][2]

    @property
    def covers_everybody(self) -> bool:
        """Whether every IPv4 or every IPv6 address is excluded: allowed, and worth a warning."""
        return any(first == 0 and last == HIGHEST[version] for version, first, last in self._ranges)


def check(entries: object) -> list[str]:
    """The entries as they are kept, trimmed. Raises ValueError with a sentence that names the wrong one."""
    if not isinstance(entries, list):
        raise ValueError('excluded_ips must be a list of strings, for example ["192.0.2.1", "10.0.0.0/8"].')
    if len(entries) > MOST_ENTRIES:
        raise ValueError(f"excluded_ips must have at most {MOST_ENTRIES} entries.")
    return [checked(entry, place) for place, entry in enumerate(entries)]


def checked(entry: object, place: int) -> str:
    if not isinstance(entry, str):
        raise ValueError(f'excluded_ips[{place}] must be a string, for example "192.0.2.1".')
    entry = entry.strip()
    try:
        parse(entry)
    except ValueError as error:
        raise ValueError(f"excluded_ips[{place}] {error}") from None
    return entry


def parse(entry: str) -> Range:
    """`192.0.2.1`, `2001:db8::/32` or `192.0.2.1-192.0.2.9` as numbers; `10.0.0.1/8` is its network, 10.0.0.0/8.

    Raises ValueError with the second half of a sentence whose first half is the entry's name.
    """
    text = entry.strip()
    try:
        if len(text) > LONGEST_ENTRY:
            raise ValueError
        if "/" in text:
            return network(text)
        first, dash, last = text.partition("-")
        return between(numbered(first.strip()), numbered(last.strip()) if dash else numbered(first.strip()))
    except ValueError:
        raise ValueError(
            "must be an address, a network, or a range with its lower end first, for example 192.0.2.1, 10.0.0.0/8 or "
            f"192.0.2.1-192.0.2.9: not {text[:LONGEST_ENTRY]!r}."
        ) from None


def between(first: tuple[int, int], last: tuple[int, int]) -> Range:
    if first[0] != last[0] or first[1] > last[1]:
        raise ValueError
    return *first, last[1]


def network(text: str) -> Range:
    address, _, bits = text.partition("/")
    # ipaddress takes net masks as well: /255.0.0.0, and /0.0.0.255 the other way round.
    if not bits.isascii() or not bits.isdigit() or "%" in address:
        raise ValueError
    found = ipaddress.ip_network(text, strict=False)
    first, last = found.network_address, found.broadcast_address
    if isinstance(first, ipaddress.IPv6Address) and found.prefixlen < MAPPED_BITS:
        # Wider than the IPv4 addresses in it: those are asked for as IPv4.
        return 6, int(first), int(last)
    return between(numbered(str(first)), numbered(str(last)))


def numbered(text: str) -> tuple[int, int]:
    """Version and number of an address. Raises ValueError, also for a zone (`fe80::1%eth0`) and for `01.2.3.4`."""
    if "%" in text:
        raise ValueError
    address = ipaddress.ip_address(text)
    if isinstance(address, ipaddress.IPv6Address):
        address = address.ipv4_mapped or address
    return address.version, int(address)
