"""Where a hit came from: channel and host of the referrer (definitions 14, 15)."""

import ipaddress
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from analytics.ingest import referrer_lists as lists
from analytics.ingest.hit import Hit
from analytics.vocabulary import Channel

if TYPE_CHECKING:
    from analytics.ingest.website import Site

MOST_REMEMBERED = 16384
LONGEST_HOST = 253
PAID = ("cpc", "ppc", "paid")

# A referrer as far as its host; browsers take backslashes for slashes. Nothing of this length has a host.
ORIGIN = re.compile(r"[^/\\?#]{0,400}(?:[/\\]{2}[^/\\?#]{0,400})?")
WEB = re.compile(r"(?:https?:)?[/\\]{2}(.*)", re.DOTALL)
APP = re.compile(r"(?:android|ios)-app:[/\\]{2}(.*)", re.DOTALL)
# `google.com`, as other analytics tools export referrers; not `user@google.com`, `1.2` or `about:blank`.
BARE = re.compile(r"(?:[^:@\s]+\.[^\W\d][^:@\s]*|localhost)(?::\d*)?")
PORT = re.compile(r":\d{0,5}$")
NAME = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")
# Browsers drop these wherever they stand in a URL.
DROPPED = str.maketrans("", "", "\t\n\r\0")


class Source(NamedTuple):
    """A referrer's host, None when it names none, and its channel before the campaign and the website have a say."""

    host: str | None
    channel: Channel


NOWHERE = Source(None, Channel.DIRECT)


def referrer(hit: Hit, site: "Site") -> dict[str, Any]:
    """Needs the campaign's columns. What names no host (`about:blank`, nonsense) is no referrer."""
    medium = (hit.columns["utm_medium"] or "").lower()
    host, channel = source(origin_of(hit.referrer)) if hit.referrer else NOWHERE
    if host is None or is_own(host, site.domain):
        return {"channel": Channel.EMAIL if medium == "email" else Channel.DIRECT, "referrer": None}
    if medium == "email":
        channel = Channel.EMAIL
    elif channel is Channel.ORGANIC_SEARCH and any(word in medium for word in PAID):
        channel = Channel.PAID_SEARCH
    return {"channel": channel, "referrer": host}


def is_own(host: str, domain: str) -> bool:
    """Whether the host is the website's domain or under it. `www.` tells no website from another (definitions 15)."""
    domain = domain.removeprefix("www.")
    return host == domain or host.endswith(f".{domain}")


def origin_of(url: str) -> str:
    match = ORIGIN.match(url)
    return match.group() if match else ""


@lru_cache(MOST_REMEMBERED)
def source(origin: str) -> Source:
    """What a referrer, cut off after its host, says by itself."""
    origin = origin.translate(DROPPED).strip().lower()
    if app := APP.fullmatch(origin):
        return known(hostname(app[1]), of_app)
    if web := WEB.fullmatch(origin):
        return known(hostname(web[1]), of_host)
    return known(hostname(origin), of_host) if BARE.fullmatch(origin) else NOWHERE


def known(host: str | None, channel_of: Callable[[str], Channel]) -> Source:
    return Source(host, channel_of(host)) if host else NOWHERE


def of_host(host: str) -> Channel:
    if host in lists.MAIL_HOSTS:
        return Channel.EMAIL
    if host in lists.SEARCH_HOSTS or host.removeprefix("m.") in lists.SEARCH_DOMAINS:
        return Channel.ORGANIC_SEARCH
    if lists.NATIONAL_SEARCH.fullmatch(host):
        return Channel.ORGANIC_SEARCH
    if lists.NATIONAL_SOCIAL.fullmatch(host) or any(name in lists.SOCIAL_DOMAINS for name in ends(host)):
        return Channel.SOCIAL
    return Channel.REFERRAL


def of_app(app: str) -> Channel:
    """Google's mail app is a mail provider, its search app a search engine: what else could they be."""
    if app in lists.MAIL_APPS:
        return Channel.EMAIL
    if app in lists.SEARCH_APPS:
        return Channel.ORGANIC_SEARCH
    return Channel.SOCIAL if app in lists.SOCIAL_APPS else Channel.REFERRAL


def ends(host: str) -> Iterator[str]:
    """The host and what stands behind each of its dots: `a.b.c`, `b.c`, `c`."""
    while host:
        yield host
        host = host.partition(".")[2]


def hostname(authority: str) -> str | None:
    """The host of `user:password@host:port` without `www.`, None when it is none. International names become xn--."""
    host = authority.rpartition("@")[2]
    host = PORT.sub("", host)
    if host.startswith("["):
        return ip_literal(host)
    host = host.rstrip(".")
    if len(host) > LONGEST_HOST:
        return None
    try:
        # Browsers send xn-- themselves. This also reads full-width letters and dots as they would.
        host = host if host.isascii() else host.encode("idna").decode().lower()
    except UnicodeError:
        return None
    if not NAME.fullmatch(host):
        return None
    bare = host.removeprefix("www.")
    return bare if "." in bare else host


def ip_literal(host: str) -> str | None:
    """An IPv6 address without its brackets, in its shortest form."""
    try:
        return ipaddress.IPv6Address(host[1:-1]).compressed if host.endswith("]") and "%" not in host else None
    except ValueError:
        return None
