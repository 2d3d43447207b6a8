"""ROOM widgets: where a shop link may lead (contract 5.3, D-9, D-37).

Anybody can write a link on our host, so nothing of it is trusted: it is taken apart, every part is checked, and what is
sent is put together anew from the checked parts. Whatever a browser would read differently from us is refused.
"""

import re
from collections.abc import Collection
from urllib.parse import SplitResult, quote, urlsplit

from django.utils.http import url_has_allowed_host_and_scheme

from accounts import domains
from analytics.api.widgets.dialect import Refused

LONGEST = 2000
PORTS = {"http": 80, "https": 443}
# Control characters, which urlsplit and browsers drop silently, and backslashes, which browsers read as slashes.
FORBIDDEN = re.compile(r"[\x00-\x20\x7f-\x9f\\\ufffd]")
# What may stand in a path, a query and a fragment as it is; the rest is written in percent signs.
SAFE = "/%:@!$&'()*+,;=~?-._"


def location(url: str, *, domain: str, hosts: Collection[str]) -> str:
    """The address to send the visitor to: of the website's domain, a subdomain of it, or one of the hosts exactly.

    Raises Refused.
    """
    parts, host = taken_apart(url.strip(" "))
    if not (host in hosts or is_within(host, domain)):
        raise Refused(400, "foreign_redirect")
    path = quote(parts.path, SAFE) or "/"
    query = f"?{quote(parts.query, SAFE)}" if parts.query else ""
    fragment = f"#{quote(parts.fragment, SAFE)}" if parts.fragment else ""
    found = f"{parts.scheme}://{host}{path}{query}{fragment}"
    if not url_has_allowed_host_and_scheme(found, {host}):
        raise Refused(400, "invalid_redirect")
    return found


def taken_apart(url: str) -> tuple[SplitResult, str]:
    """The parts of an absolute address of the web, and its host. Raises Refused."""
    if not 0 < len(url) <= LONGEST or FORBIDDEN.search(url.replace(" ", "")):
        raise Refused(400, "invalid_redirect")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Refused(400, "invalid_redirect") from None
    host, colon, _ = parts.netloc.lower().partition(":")
    if parts.scheme not in PORTS or (colon and port != PORTS[parts.scheme]):
        raise Refused(400, "invalid_redirect")
    try:
        # A host name and nothing else: no user, no brackets, no trailing dot, no letters beyond ASCII.
        if domains.check(host) != host:
            raise Refused(400, "invalid_redirect")
    except ValueError:
        raise Refused(400, "invalid_redirect") from None
    return parts, host


def is_within(host: str, domain: str) -> bool:
    """Whether the host is the domain or a subdomain of it; an address of numbers has none."""
    return host == domain or (host.endswith(f".{domain}") and not domain.rpartition(".")[2].isdigit())
