"""Who sends, as far as address and user agent tell: a server or a device, a bot, and from where (contract 1.4, 6.7)."""

import re
from functools import lru_cache

from analytics.ingest import bot, device
from analytics.vocabulary import Device
from tinytrail.web import client
from tinytrail.web.call import Call

# In the order in which the real service asks them.
ADDRESS_HEADERS = (
    "openpanel-client-ip",
    "true-client-ip",
    "x-client-ip",
    "cf-connecting-ip",
    "x-forwarded-for",
    "x-real-ip",
    "fastly-client-ip",
    "x-cluster-client-ip",
    "x-appengine-user-ip",
    "do-connecting-ip",
    "x-nf-client-connection-ip",
    "x-forwarded",
    "forwarded",
)
FOR = re.compile(r"(?:^|[;,\s])for\s*=\s*(\"[^\"]*\"|[^;,\s]+)", re.IGNORECASE)
# Of a user agent the word that names a bot.
BOT_NAME = re.compile(r"[\w.-]*(?:bot|crawl|spider|slurp|preview|monitor|scan)[\w.-]*", re.IGNORECASE)
FIRST_WORD = re.compile(r"[\w.-]+")
LONGEST_NAME = 80
MOST_REMEMBERED = 8192


def forwarded_address(call: Call) -> str:
    """The visitor's address as a server's client states it; empty when no header holds a public one.

    Any caller can write these headers: ask only for who has shown the secret.
    """
    for name in ADDRESS_HEADERS:
        if value := call.headers.get(name):
            if name == "forwarded":
                match = FOR.search(value[:1024])
                value = match[1] if match else ""
            if found := public(value.partition(",")[0]):
                return found
    return ""


def public(text: str) -> str:
    """The address in canonical form; empty when it is none, or says nothing about where somebody is."""
    found = client.parsed(text[:100])
    if found is None or found.is_loopback or found.is_link_local or found.is_multicast or found.is_unspecified:
        return ""
    # Not `is_private`, which covers the networks of documentation, too.
    return (
        "" if any(found.version == network.version and found in network for network in client.PRIVATE) else str(found)
    )


@lru_cache(MOST_REMEMBERED)
def is_server(user_agent: str) -> bool:
    """Whether it is a program's on a server: `node`, `curl/8.5.0`, or nothing that has a system or a browser."""
    if bot.ONE_WORD.fullmatch(user_agent):
        return True
    return device.read(user_agent) == (device.OTHER, device.OTHER, Device.UNKNOWN)


def bot_name(user_agent: str) -> str:
    match = BOT_NAME.search(user_agent[: bot.LONGEST]) or FIRST_WORD.search(user_agent)
    return match[0][:LONGEST_NAME] if match else "unknown"
