"""Browser, system and kind of device by the user agent, and the bucket of the screen.

Package user-agents knows which devices are phones and tablets, but parses in pure Python: 1.1 ms a user agent. It is
given what ua-parser's compiled engine finds, in 10 microseconds, and the memo answers in a tenth of one.
"""

import re
from bisect import bisect_right
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from ua_parser import Parser, load_builtins
from ua_parser.regex import Resolver
from user_agents import parsers

from analytics.ingest.hit import Hit
from analytics.vocabulary import BROWSERS, SYSTEMS, Device, Screen

if TYPE_CHECKING:
    from analytics.ingest.website import Site

# In-app browsers reach 500 characters; the length bounds the memo as well, which holds user agents and not whose.
LONGEST = 1024
MOST_REMEMBERED = 8192

OTHER = 0
# Names that ua-parser gives to what is listed under another name. Whatever is on neither list is Other.
BROWSER_NAMES = {
    "115 Browser": "Chromium",
    "Android": "Android Browser",
    "Baidu Explorer": "Baidu Browser",
    "BlackBerry": "BlackBerry Browser",
    "BlackBerry WebKit": "BlackBerry Browser",
    "Bon Echo": "Firefox",
    "Camoufox": "Firefox",
    "Chrome Frame": "Chrome",
    "Chrome Mobile": "Chrome",
    "Chrome Mobile WebView": "Chrome",
    "Chrome Mobile iOS": "Chrome",
    "Chromium GOST Browser": "Chromium",
    "Dragon": "Comodo Dragon",
    "DuckDuckGo Mobile": "DuckDuckGo",
    "Ecosia Android": "Ecosia",
    "Ecosia iOS": "Ecosia",
    "Edge Mobile": "Edge",
    "Espial": "Smart TV Browser",
    "Facebook Messenger": "Messenger",
    "Fennec": "Firefox",
    "Firefox Alpha": "Firefox",
    "Firefox Beta": "Firefox",
    "Firefox Mobile": "Firefox",
    "Firefox iOS": "Firefox",
    "Google": "Google App",
    "GranParadiso": "Firefox",
    "HbbTV": "Smart TV Browser",
    "HeadlessChrome": "Chrome",
    "IE Large Screen": "IE",
    "IE Mobile": "IE",
    "IceCat": "Firefox",
    "Iceweasel": "Firefox",
    "IceWeasel": "Firefox",
    "Kindle": "Kindle Browser",
    "MiuiBrowser": "MIUI Browser",
    "Mobile Safari": "Safari",
    "Mobile Safari UI/WKWebView": "Safari",
    "MullvadBrowser": "Mullvad Browser",
    "NetCast Smart TV": "Smart TV Browser",
    "Nokia": "Nokia Browser",
    "Nokia OSS Browser": "Nokia Browser",
    "Nokia Services (WAP) Browser": "Nokia Browser",
    "Opera Coast": "Opera",
    "Opera GX": "Opera",
    "Opera Mobile": "Opera",
    "Opera Neon": "Opera",
    "Opera Tablet": "Opera",
    "Opera Touch": "Opera",
    "Ovi Browser": "Nokia Browser",
    "PaleMoon": "Pale Moon",
    "QQ Browser Mini": "QQ Browser",
    "QQ Browser Mobile": "QQ Browser",
    "Qt Web Engine": "Chromium",
    "Quark PC": "Quark",
    "QupZilla": "Falkon",
    "Seznam prohlížeč": "Seznam Browser",
    "Slack Desktop Client": "Slack",
    "SmartTV WebBrowser": "Smart TV Browser",
    "Steam Client": "Steam",
    "Steam Deck": "Steam",
    "Steam GameOverlay": "Steam",
    "Tizen Browser": "Smart TV Browser",
    "Vewd Browser": "Smart TV Browser",
    "VivoBrowser": "Vivo Browser",
    "WeChat Browser": "WeChat",
    "WebKit Nightly": "Safari",
    "webOS Browser": "Smart TV Browser",
}
SYSTEM_NAMES = {
    "ATV OS X": "tvOS",
    "Arch Linux": "Linux",
    "BSD": "FreeBSD",
    "BackTrack": "Linux",
    "BlackBerry Tablet OS": "BlackBerry OS",
    "CentOS": "Linux",
    "Chromecast Android": "Chromecast",
    "Chromecast Fuchsia": "Chromecast",
    "Chromecast Linux": "Chromecast",
    "Chromecast SmartSpeaker": "Chromecast",
    "Debian": "Linux",
    "Fedora": "Linux",
    "Gentoo": "Linux",
    "GoogleTV": "Google TV",
    "Kubuntu": "Linux",
    "Linux Mint": "Linux",
    "Lubuntu": "Linux",
    "Mac OS": "macOS",
    "Mac OS X": "macOS",
    "Maemo": "MeeGo",
    "Mageia": "Linux",
    "Mandriva": "Linux",
    "PCLinuxOS": "Linux",
    "Puppy": "Linux",
    "Red Hat": "Linux",
    "SUSE": "Linux",
    "Sailfish": "Sailfish OS",
    "Slackware": "Linux",
    "Symbian OS": "Symbian",
    "Symbian^3": "Symbian",
    "Symbian^3 Anna": "Symbian",
    "Symbian^3 Belle": "Symbian",
    "Ubuntu": "Linux",
    "WatchOS": "watchOS",
    "Web0S": "webOS",
    "Windows Mobile": "Windows Phone",
    "Windows Phone OS": "Windows Phone",
    "iPadOS": "iOS",
    "openSUSE": "Linux",
}
# Words in the user agent that say more than ua-parser sees in it.
BROWSER_WORDS = {"MicroMessenger/": "WeChat", "LinkedInApp": "LinkedIn", "Falkon/": "Falkon"}
SYSTEM_WORDS = {
    "HarmonyOS": "HarmonyOS",
    "OpenHarmony": "HarmonyOS",
    "Xbox": "Xbox",
    "PlayStation": "PlayStation",
    "Nintendo": "Nintendo",
}

# Television sets, consoles and glasses: one neither sits at them as at a desktop nor carries them along.
NEITHER = re.compile(
    r"SMART-TV|Smart-?TV|\b(?:Google|Android|Apple|Hbb)?TV\b|BRAVIA|VIERA|NetCast|Web0S|CrKey|\bRoku|\bAFT[A-Z]"
    r"|\bXbox|PlayStation (?!Vita|Portable)|\bNintendo|OculusBrowser"
)
# `Tablet PC` is a service pack of Windows. Of the rest only Samsung once called its tablets mobile.
TABLET = re.compile(r"\bTablet\b(?! PC)|iPad|\b(?:SM-[TX]|GT-P)\d")
MOBILE = re.compile(r"\bMobile\b|\(Phone;")
DESKTOP = re.compile(r"X11|Macintosh|Mac_PowerPC|Windows|\(PC;")

BROWSER_NUMBERS = {name: number for number, name in enumerate(BROWSERS)}
SYSTEM_NUMBERS = {name: number for number, name in enumerate(SYSTEMS)}
# The least width of each bucket but the first, which is unknown.
EDGES = (320, 376, 769, 1025, 1441)
BUCKETS = tuple(Screen)


class Agent(NamedTuple):
    """What a user agent says: numbers of vocabulary.BROWSERS and SYSTEMS, and the kind of device."""

    browser: int
    os: int
    device: Device


def device(hit: Hit, site: "Site") -> dict[str, Any]:
    browser, os, kind = read(hit.user_agent)
    return {"browser": browser, "os": os, "device": kind, "screen": screen(hit.screen_width)}


def read(user_agent: str) -> Agent:
    """Never fails: what cannot be read is Other, Other, unknown."""
    return _read(user_agent[:LONGEST])


@lru_cache(MOST_REMEMBERED)
def _read(user_agent: str) -> Agent:
    # The engine takes no lone surrogates.
    parsed = Parsed(user_agent.encode(errors="replace").decode())
    return Agent(
        browser_number(worded(BROWSER_WORDS, parsed.ua_string) or parsed.browser.family),
        system_number(worded(SYSTEM_WORDS, parsed.ua_string) or parsed.os.family),
        kind_of(parsed),
    )


def browser_number(name: str) -> int:
    """The place in BROWSERS of a name from there or from ua-parser, else that of Other."""
    return BROWSER_NUMBERS.get(BROWSER_NAMES.get(name, name), OTHER)


def system_number(name: str) -> int:
    """The place in SYSTEMS of a name from there or from ua-parser, else that of Other."""
    return SYSTEM_NUMBERS.get(SYSTEM_NAMES.get(name, name), OTHER)


def screen(width: float | None) -> Screen:
    """The bucket of a width in pixels, rounded down (definitions 17)."""
    # Not a number is equal to nothing, itself included.
    return Screen.UNKNOWN if width is None or width != width else BUCKETS[bisect_right(EDGES, width)]


class Parsed(parsers.UserAgent):  # type: ignore[misc]
    """A user agent as package user-agents sees it, parsed by the compiled engine."""

    def __init__(self, user_agent: str) -> None:
        result = parser().parse(user_agent).with_defaults()
        os = result.os
        self.ua_string = user_agent
        self.browser = parsers.parse_browser(result.user_agent.family)
        self.os = parsers.parse_operating_system(os.family, os.major, os.minor, os.patch, os.patch_minor)
        self.device = parsers.parse_device(result.device.family, result.device.brand, result.device.model)


@cache
def parser() -> Parser:
    """Made on first use: it takes 0.15 seconds, and not every command reads user agents."""
    return Parser(Resolver(load_builtins()))


def worded(words: dict[str, str], user_agent: str) -> str | None:
    return next((name for word, name in words.items() if word in user_agent), None)


def kind_of(agent: Parsed) -> Device:
    text = agent.ua_string
    if NEITHER.search(text):
        return Device.UNKNOWN
    if TABLET.search(text) or agent.device.family in parsers.TABLET_DEVICE_FAMILIES:
        return Device.TABLET
    if agent.os.family == "Android":
        # The rule of its makers: a phone's browser says `Mobile`. The package asks for `Mobile Safari`, which some
        # phones do not say, and so does no app's own HTTP client.
        return Device.TABLET if text.startswith("Mozilla/") and not MOBILE.search(text) else Device.MOBILE
    if agent.is_tablet:
        return Device.TABLET
    if agent.is_mobile or MOBILE.search(text):
        return Device.MOBILE
    return Device.DESKTOP if agent.is_pc or DESKTOP.search(text) else Device.UNKNOWN
