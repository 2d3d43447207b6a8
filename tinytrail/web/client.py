"""Who is calling: the client's address behind trusted proxies, and the keys under which its calls are counted."""

import hmac
import ipaddress
from collections.abc import Sequence
from functools import lru_cache

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# Networks that are somebody's own: their addresses say nothing about where somebody is.
PRIVATE: tuple[Network, ...] = tuple(
    ipaddress.ip_network(network)
    for network in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
)
# More hops than any real chain has; the rest of a longer header is not looked at.
MOST_HOPS = 32


def address(peer: str, forwarded_for: str, trusted: Sequence[Network]) -> str:
    """The client's address in canonical form, empty when there is none.

    `peer` is the socket's address. `X-Forwarded-For` counts only when the peer is a trusted proxy, and is walked from
    the right to the first hop that is not trusted; a hop that is no address ends the walk at the hop before it.
    """
    client = parsed(peer)
    if client is None:
        return ""
    if forwarded_for and trusted:
        for hop in reversed(forwarded_for.split(",")[-MOST_HOPS:]):
            if not any(client in network for network in trusted):
                break
            previous = parsed(hop)
            if previous is None:
                break
            client = previous
    return str(client)


@lru_cache(maxsize=4096)
def parsed(text: str) -> Address | None:
    """An address written with or without port, brackets, quotes or zone; IPv4-mapped IPv6 as IPv4; None for others."""
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
        return found.ipv4_mapped
    return found


@lru_cache(maxsize=4096)
def neighbourhood(text: str) -> str:
    """What one limit counts together: an IPv4 address, or the /64 of an IPv6 address."""
    found = parsed(text)
    if isinstance(found, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((found, 64), strict=False))
    return text


@lru_cache(maxsize=4096)
def limit_key(name: str, identifier: str, secret: bytes) -> str:
    """The key of a counter: an HMAC, so that the counters tell nobody whose calls they count."""
    return hmac.digest(secret, f"{name}|{identifier}".encode("utf-8", "surrogatepass"), "sha256").hex()
