"""The small integers that stand in the tables, and the words they stand for.

Numbers are stored: never change or reuse one, only append.
"""

from enum import IntEnum


class Dialect(IntEnum):
    V1 = 1
    ENGAGEMENT = 2
    DISCOVERY = 3
    WIDGETS = 4
    OPENPANEL = 5

    @property
    def word(self) -> str:
        return self.name.lower()


class Type(IntEnum):
    """What an event is: the seven of v1, or one whose word stands in the event's name."""

    PAGE_VIEW = 1
    CLOSE_TAB = 2
    SCROLL_25 = 3
    SCROLL_50 = 4
    SCROLL_75 = 5
    OUTBOUND_LINK = 6
    CUSTOM = 7
    OTHER = 8
    # A widget or a medium was shown; which, stands in the event's name.
    RENDER = 9


PASSIVE = (Type.CLOSE_TAB, Type.SCROLL_25, Type.SCROLL_50, Type.SCROLL_75, Type.RENDER)
# Those that have a name of their own.
NAMED = (Type.CUSTOM, Type.OTHER, Type.RENDER)


class Channel(IntEnum):
    DIRECT = 1
    ORGANIC_SEARCH = 2
    PAID_SEARCH = 3
    SOCIAL = 4
    EMAIL = 5
    REFERRAL = 6


# Of an exempt website, which keeps none.
NO_CHANNEL = 0


class Device(IntEnum):
    UNKNOWN = 0
    DESKTOP = 1
    MOBILE = 2
    TABLET = 3


class Screen(IntEnum):
    """Width buckets of definitions 17."""

    UNKNOWN = 0
    W320 = 1
    W376 = 2
    W769 = 3
    W1025 = 4
    W1441 = 5


CHANNELS = {
    Channel.DIRECT: "Direct",
    Channel.ORGANIC_SEARCH: "Organic Search",
    Channel.PAID_SEARCH: "Paid Search",
    Channel.SOCIAL: "Social",
    Channel.EMAIL: "Email",
    Channel.REFERRAL: "Referral",
}
DEVICES = {Device.UNKNOWN: "unknown", Device.DESKTOP: "desktop", Device.MOBILE: "mobile", Device.TABLET: "tablet"}
SCREENS = {
    Screen.UNKNOWN: "unknown",
    Screen.W320: "320-375",
    Screen.W376: "376-768",
    Screen.W769: "769-1024",
    Screen.W1025: "1025-1440",
    Screen.W1441: "1441+",
}
TYPES = {type_: type_.name.lower() for type_ in Type}

# Families as reports show them. The number stored with an event is the place in the list, so they grow at the end only.
# They are closed lists because a user agent is the caller's own text: no one invents a label in somebody's report.
BROWSERS: tuple[str, ...] = (
    "Other",
    "Chrome",
    "Safari",
    "Firefox",
    "Edge",
    "Opera",
    "Samsung Internet",
    "IE",
    "Chromium",
    "Brave",
    "Vivaldi",
    "DuckDuckGo",
    "Yandex Browser",
    "UC Browser",
    "Opera Mini",
    "MIUI Browser",
    "Huawei Browser",
    "Amazon Silk",
    "QQ Browser",
    "WeChat",
    "Facebook",
    "Messenger",
    "Instagram",
    "TikTok",
    "Snapchat",
    "Pinterest",
    "LinkedIn",
    "Twitter",
    "LINE",
    "KakaoTalk",
    "Telegram",
    "Weibo",
    "Google App",
    "Android Browser",
    "Whale",
    "Coc Coc",
    "Ecosia",
    "Aloha Browser",
    "Puffin",
    "Maxthon",
    "Sogou Explorer",
    "360 Secure Browser",
    "Baidu Browser",
    "Quark",
    "Vivo Browser",
    "HeyTap Browser",
    "Honor Browser",
    "Phoenix Browser",
    "Mint Browser",
    "Sber Browser",
    "Seznam Browser",
    "Avast Secure Browser",
    "Comodo Dragon",
    "Iron",
    "Pale Moon",
    "Waterfox",
    "SeaMonkey",
    "Mullvad Browser",
    "Epiphany",
    "Falkon",
    "Konqueror",
    "Ladybird",
    "Oculus Browser",
    "Sailfish Browser",
    "Nokia Browser",
    "BlackBerry Browser",
    "Kindle Browser",
    "Netscape",
    "Electron",
    "Smart TV Browser",
    "Slack",
    "Microsoft Teams",
    "Steam",
)
SYSTEMS: tuple[str, ...] = (
    "Other",
    "Windows",
    "macOS",
    "iOS",
    "Android",
    "Linux",
    "Chrome OS",
    "Windows Phone",
    "HarmonyOS",
    "KaiOS",
    "Tizen",
    "webOS",
    "tvOS",
    "watchOS",
    "visionOS",
    "Chromecast",
    "Roku",
    "PlayStation",
    "Nintendo",
    "Xbox",
    "FreeBSD",
    "OpenBSD",
    "NetBSD",
    "Solaris",
    "Firefox OS",
    "BlackBerry OS",
    "Symbian",
    "Bada",
    "MeeGo",
    "Sailfish OS",
    "Kindle",
    "Google TV",
)
