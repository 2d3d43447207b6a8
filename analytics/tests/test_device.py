import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.ingest.device import BROWSER_NAMES, SYSTEM_NAMES, browser_number, device, read, screen, system_number
from analytics.tests.hits import a_hit, a_site
from analytics.vocabulary import BROWSERS, DEVICES, SCREENS, SYSTEMS, Device, Screen

WINDOWS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"
)
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_6_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
ANDROID = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0"


def words(user_agent: str) -> tuple[str, str, str]:
    agent = read(user_agent)
    return BROWSERS[agent.browser], SYSTEMS[agent.os], DEVICES[agent.device]


def test_it_works():
    columns = device(a_hit(user_agent=WINDOWS, screen_width=1920), a_site())
    assert columns == {
        "browser": BROWSERS.index("Chrome"),
        "os": SYSTEMS.index("Windows"),
        "device": Device.DESKTOP,
        "screen": Screen.W1441,
    }


def test_without_a_user_agent_nothing_is_known():
    assert words("") == words("   ") == words("nonsense") == ("Other", "Other", "unknown")


@pytest.mark.parametrize(
    ("expected", "user_agent"),
    [
        (("Chrome", "Windows", "desktop"), WINDOWS),
        (("Edge", "Windows", "desktop"), f"{WINDOWS} Edg/130.0.0.0"),
        (("Opera", "Windows", "desktop"), f"{WINDOWS} OPR/115.0.0.0"),
        (("Vivaldi", "Windows", "desktop"), f"{WINDOWS} Vivaldi/7.0.3495.11"),
        (
            ("Yandex Browser", "Windows", "desktop"),
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 "
            "YaBrowser/24.7.0.0 Safari/537.36",
        ),
        (
            ("Firefox", "Windows", "desktop"),
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:132.0) Gecko/20100101 Firefox/132.0",
        ),
        (("IE", "Windows", "desktop"), "Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko"),
        (("IE", "Windows", "desktop"), "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 6.0; Tablet PC 2.0; SLCC1)"),
        (("IE", "Windows", "tablet"), "Mozilla/5.0 (Windows NT 6.3; ARM; Trident/7.0; Touch; rv:11.0) like Gecko"),
        (("IE", "Windows", "desktop"), "Mozilla/4.0 (compatible; MSIE 5.5; Windows 98; Win 9x 4.90)"),
        (
            ("Safari", "macOS", "desktop"),
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 "
            "Safari/605.1.15",
        ),
        (
            ("Chrome", "Linux", "desktop"),
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36",
        ),
        (
            ("Firefox", "Linux", "desktop"),
            "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0",
        ),
        (
            ("Firefox", "Linux", "desktop"),
            "Mozilla/5.0 (X11; Fedora; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0",
        ),
        (("Firefox", "FreeBSD", "desktop"), "Mozilla/5.0 (X11; FreeBSD amd64; rv:102.0) Gecko/20100101 Firefox/102.0"),
        (
            ("Chrome", "Chrome OS", "desktop"),
            "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 "
            "Safari/537.36",
        ),
        (("Safari", "iOS", "mobile"), f"{IPHONE} Version/17.6 Mobile/15E148 Safari/604.1"),
        (("Safari", "iOS", "mobile"), f"{IPHONE} Mobile/15E148"),
        (("Chrome", "iOS", "mobile"), f"{IPHONE} CriOS/130.0.6723.37 Mobile/15E148 Safari/604.1"),
        (("Firefox", "iOS", "mobile"), f"{IPHONE} FxiOS/131.0 Mobile/15E148 Safari/605.1.15"),
        (("Edge", "iOS", "mobile"), f"{IPHONE} Version/17.0 EdgiOS/129.0.2792.84 Mobile/15E148 Safari/605.1.15"),
        (("Google App", "iOS", "mobile"), f"{IPHONE} GSA/339.0.686041220 Mobile/15E148 Safari/604.1"),
        (("Facebook", "iOS", "mobile"), f"{IPHONE} Mobile/21G93 [FBAN/FBIOS;FBAV/484.0.0.46.109;FBDV/iPhone14,5]"),
        (("Instagram", "iOS", "mobile"), f"{IPHONE} Mobile/21G93 Instagram 352.0.0.14.99 (iPhone14,5; iOS 17_6_1)"),
        (("LinkedIn", "iOS", "mobile"), f"{IPHONE} Mobile/15E148 [LinkedInApp]/9.29.8962"),
        (("DuckDuckGo", "iOS", "mobile"), f"{IPHONE} Version/17.5 Mobile/15E148 DuckDuckGo/7 Safari/605.1.15"),
        (
            ("Safari", "iOS", "tablet"),
            "Mozilla/5.0 (iPad; CPU OS 17_6_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6 "
            "Mobile/15E148 Safari/604.1",
        ),
        (("Chrome", "Android", "mobile"), f"Mozilla/5.0 (Linux; Android 10; K) {ANDROID} Mobile Safari/537.36"),
        (("Chrome", "Android", "tablet"), f"Mozilla/5.0 (Linux; Android 10; K) {ANDROID} Safari/537.36"),
        (("Chrome", "Android", "tablet"), f"Mozilla/5.0 (Linux; Android 14; SM-X710) {ANDROID} Safari/537.36"),
        (
            ("DuckDuckGo", "Android", "mobile"),
            "Mozilla/5.0 (Linux; Android 13) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/130.0.0.0 "
            "Mobile DuckDuckGo/5 Safari/537.36",
        ),
        (
            ("Samsung Internet", "Android", "mobile"),
            "Mozilla/5.0 (Linux; Android 13; SAMSUNG SM-S918B) AppleWebKit/537.36 (KHTML, like Gecko) "
            "SamsungBrowser/21.0 Chrome/110.0.5481.154 Mobile Safari/537.36",
        ),
        (
            ("WeChat", "Android", "mobile"),
            "Mozilla/5.0 (Linux; Android 13; M2101K6G Build/TKQ1; wv) AppleWebKit/537.36 (KHTML, like Gecko) "
            "Version/4.0 Chrome/116.0.0.0 Mobile Safari/537.36 MicroMessenger/8.0.42.2460(0x28002A3F) WeChat/arm64",
        ),
        (("Firefox", "Android", "mobile"), "Mozilla/5.0 (Android 14; Mobile; rv:132.0) Gecko/132.0 Firefox/132.0"),
        (("Firefox", "Android", "tablet"), "Mozilla/5.0 (Android 14; Tablet; rv:132.0) Gecko/132.0 Firefox/132.0"),
        (
            ("Opera Mini", "Android", "mobile"),
            "Opera/9.80 (Android; Opera Mini/36.2.2254/119.132; U; id) Presto/2.12.423 Version/12.16",
        ),
        (
            ("Android Browser", "Android", "mobile"),
            "Dalvik/2.1.0 (Linux; U; Android 9; SM-G960F Build/PPR1.180610.011)",
        ),
        (
            ("Amazon Silk", "Android", "tablet"),
            "Mozilla/5.0 (Linux; Android 9; KFMAWI) AppleWebKit/537.36 (KHTML, like Gecko) Silk/120.4.1 like "
            "Chrome/120.0.6099.230 Safari/537.36",
        ),
        (
            ("Kindle Browser", "Kindle", "tablet"),
            "Mozilla/5.0 (X11; U; Linux armv7l like Android; en-us) AppleWebKit/531.2+ (KHTML, like Gecko) Version/5.0 "
            "Safari/533.2+ Kindle/3.0+",
        ),
        (
            ("Huawei Browser", "HarmonyOS", "mobile"),
            "Mozilla/5.0 (Phone; OpenHarmony 5.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/114.0.0.0 Safari/537.36 "
            "ArkWeb/4.1.6.1 Mobile HuaweiBrowser/5.0.4.300",
        ),
        (
            ("Chrome", "HarmonyOS", "tablet"),
            "Mozilla/5.0 (Tablet; OpenHarmony 5.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/114.0.0.0 "
            "Safari/537.36 ArkWeb/4.1.6.1",
        ),
        (
            ("Firefox", "KaiOS", "mobile"),
            "Mozilla/5.0 (Mobile; Nokia_8110_4G; rv:48.0) Gecko/48.0 Firefox/48.0 KAIOS/2.5",
        ),
        (
            ("Edge", "Windows Phone", "mobile"),
            "Mozilla/5.0 (Windows Phone 10.0; Android 6.0.1; Microsoft; Lumia 950) AppleWebKit/537.36 (KHTML, like "
            "Gecko) Chrome/52.0.2743.116 Mobile Safari/537.36 Edge/15.15063",
        ),
    ],
)
def test_families_and_kinds_are_those_of_the_contract(expected, user_agent):
    assert words(user_agent) == expected


@pytest.mark.parametrize(
    ("system", "user_agent"),
    [
        ("Tizen", "Mozilla/5.0 (SMART-TV; Linux; Tizen 6.0) AppleWebKit/537.36 (KHTML, like Gecko) TV Safari/537.36"),
        ("webOS", f"Mozilla/5.0 (Web0S; Linux/SmartTV) {ANDROID} Safari/537.36 WebAppManager"),
        ("Android", f"Mozilla/5.0 (Linux; Android 11; BRAVIA 4K UR3) {ANDROID} Safari/537.36"),
        ("Android", f"Mozilla/5.0 (Linux; Android 9; AFTKA Build/PS7285) {ANDROID} Safari/537.36"),
        (
            "PlayStation",
            "Mozilla/5.0 (PlayStation; PlayStation 5/6.00) AppleWebKit/605.1.15 Version/16.5 Safari/605.1.15",
        ),
        ("Nintendo", "Mozilla/5.0 (Nintendo Switch; WifiWebAuthApplet) AppleWebKit/609.4 NintendoBrowser/5.1.0.22474"),
        (
            "Xbox",
            f"Mozilla/5.0 (Windows NT 10.0; Win64; x64; Xbox; Xbox One) {ANDROID} Safari/537.36 Edge/44.18363.8131",
        ),
    ],
)
def test_television_sets_and_consoles_are_none_of_the_three_kinds(system, user_agent):
    assert words(user_agent)[1:] == (system, "unknown")


def test_nobody_can_invent_a_family():
    assert words("EvilBrowser/1.0 (EvilOS 6.6; <script>alert(1)</script>)") == ("Other", "Other", "unknown")
    assert words("<b>Nice</b>/1.0 CFNetwork/1408.0.4 Darwin/22.5.0")[0] == "Other"


def test_every_other_name_leads_to_a_listed_one():
    assert set(BROWSER_NAMES.values()) <= set(BROWSERS)
    assert set(SYSTEM_NAMES.values()) <= set(SYSTEMS)
    assert not set(BROWSER_NAMES) & set(BROWSERS)
    assert not set(SYSTEM_NAMES) & set(SYSTEMS)


def test_the_lists_name_each_family_once():
    assert (len(set(BROWSERS)), len(set(SYSTEMS))) == (len(BROWSERS), len(SYSTEMS))
    assert (BROWSERS[0], SYSTEMS[0]) == ("Other", "Other")


def test_the_first_numbers_never_change():
    # They are stored. This test may grow, and nothing else.
    assert BROWSERS[:8] == ("Other", "Chrome", "Safari", "Firefox", "Edge", "Opera", "Samsung Internet", "IE")
    assert SYSTEMS[:7] == ("Other", "Windows", "macOS", "iOS", "Android", "Linux", "Chrome OS")


def test_a_name_that_a_caller_states_has_a_number_too():
    assert browser_number("Safari") == browser_number("Mobile Safari") == BROWSERS.index("Safari")
    assert system_number("Mac OS X") == system_number("macOS") == SYSTEMS.index("macOS")
    assert (browser_number("EvilBrowser"), system_number("")) == (0, 0)


@pytest.mark.parametrize(
    ("width", "bucket"),
    [
        (None, "unknown"),
        (0, "unknown"),
        (319.99, "unknown"),
        (320, "320-375"),
        (375.99, "320-375"),
        (376, "376-768"),
        (768.5, "376-768"),
        (769, "769-1024"),
        (1024, "769-1024"),
        (1025, "1025-1440"),
        (1440.9, "1025-1440"),
        (1441, "1441+"),
        (100_000, "1441+"),
        (float("inf"), "1441+"),
        (float("nan"), "unknown"),
        (-1, "unknown"),
    ],
)
def test_a_width_is_rounded_down_into_its_bucket(width, bucket):
    assert SCREENS[screen(width)] == bucket


def test_a_user_agent_is_read_as_far_as_any_browser_goes():
    assert words(f"{WINDOWS} {'x' * 1_000_000} iPad") == ("Chrome", "Windows", "desktop")


@given(st.text(max_size=80) | st.text("\ud800\0 ", max_size=8))
def test_no_user_agent_fails(text):
    assert {"Other"}.isdisjoint(words(f"{WINDOWS} {text}")[1:])
    assert words(text)[2] in DEVICES.values()
