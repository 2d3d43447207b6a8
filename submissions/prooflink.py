"""The link with which a host proves an event, in one spelling (contract 4.3)."""

import ipaddress
import re
from urllib.parse import quote, urlsplit

SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
HOST = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.?", re.ASCII)
DEFAULT_PORTS = {"http": 80, "https": 443}
# Letters that older and newer rules of domain names read differently: such a host is taken in its xn-- form only.
AMBIGUOUS = frozenset("ßς\u200c\u200d")
PATH_CHARACTERS = "/%:@!$&'()*+,;=~[]|"
QUERY_CHARACTERS = f"{PATH_CHARACTERS}?"


def normalised(text: str) -> str | None:
    """The link in one spelling, https where it has no scheme; None when it is none that may be shown to people.

    Only http and https, no user or password in it, and a host that is a name with a dot, localhost or an address.
    Names in other scripts come out as punycode (guarantee A65). It is never fetched.
    """
    if "\\" in text or any(char.isspace() or not char.isprintable() for char in text):
        return None
    if not SCHEME.match(text):
        text = f"https:{text}" if text.startswith("//") else f"https://{text}"
    try:
        parts = urlsplit(text)
        name, port = parts.hostname or "", parts.port
    except ValueError:
        return None
    host = host_of(name)
    if parts.scheme not in DEFAULT_PORTS or not host or "@" in parts.netloc:
        return None
    netloc = host if port in (None, DEFAULT_PORTS[parts.scheme]) else f"{host}:{port}"
    query = f"?{quote(parts.query, QUERY_CHARACTERS)}" if parts.query else ""
    fragment = f"#{quote(parts.fragment, QUERY_CHARACTERS)}" if parts.fragment else ""
    return f"{parts.scheme}://{netloc}{quote(parts.path, PATH_CHARACTERS) or '/'}{query}{fragment}"


def host_of(name: str) -> str:
    """The host as it stands in a link, empty when it is none that the public could reach."""
    if ":" in name:
        return f"[{ipaddress.IPv6Address(name)}]" if is_ipv6(name) else ""
    if not name.isascii():
        if AMBIGUOUS & set(name):
            return ""
        try:
            name = name.encode("idna").decode()
        except UnicodeError:
            return ""
    name = name.lower()
    if not HOST.fullmatch(name) or len(name) > 253:
        return ""
    labels = name.removesuffix(".").split(".")
    if labels[-1][0].isdigit():
        # A browser takes whatever ends in a number for an IPv4 address.
        return name if is_ipv4(name) else ""
    return name if len(labels) > 1 or name == "localhost" else ""


def is_ipv6(name: str) -> bool:
    try:
        # A zone means something on one machine only.
        return ipaddress.IPv6Address(name).scope_id is None
    except ValueError:
        return False


def is_ipv4(name: str) -> bool:
    try:
        ipaddress.IPv4Address(name)
    except ValueError:
        return False
    return True
