import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from analytics.ingest import referrer_lists as lists
from analytics.ingest.referrer import referrer
from analytics.tests.hits import a_hit, a_site
from analytics.vocabulary import CHANNELS


def of(url: str, *, medium: str | None = None, domain: str = "acme.example") -> tuple[str, str | None]:
    """Channel and referrer's host of a hit of Acme's."""
    found = referrer(a_hit(referrer=url, columns={"utm_medium": medium}), a_site(domain))
    return CHANNELS[found["channel"]], found["referrer"]


def test_it_works():
    assert of("https://www.google.com/search?q=acme") == ("Organic Search", "google.com")
    assert of("https://blog.example/post") == ("Referral", "blog.example")
    assert of("") == ("Direct", None)


# -- the rules of definitions 14, in their order ----------------------------------------------------------------------


def test_without_a_referrer_it_is_direct_or_email():
    assert of("", medium="email") == ("Email", None)
    assert of("", medium="cpc") == ("Direct", None)


@pytest.mark.parametrize(
    "host", ["acme.example", "www.acme.example", "shop.acme.example", "ACME.example:8443", "acme.example."]
)
def test_the_websites_own_host_is_direct_or_email_and_no_referrer(host):
    assert of(f"https://{host}/page") == ("Direct", None)
    assert of(f"https://{host}/page", medium="email") == ("Email", None)
    assert of(f"https://{host}/page", medium="cpc") == ("Direct", None)


@pytest.mark.parametrize("host", ["notacme.example", "acme.example.evil.example", "acme", "example"])
def test_a_host_that_only_resembles_the_websites_is_not_its_own(host):
    assert of(f"https://{host}/page") == ("Referral", host)


def test_www_makes_no_other_website():
    assert of("https://acme.example/", domain="www.acme.example") == ("Direct", None)
    assert of("https://www.acme.example/", domain="www.acme.example") == ("Direct", None)


def test_medium_email_makes_any_referrer_email():
    assert of("https://www.google.com/", medium="email") == ("Email", "google.com")
    assert of("https://www.facebook.com/", medium="EMail") == ("Email", "facebook.com")
    assert of("https://blog.example/", medium="emails") == ("Referral", "blog.example")


@pytest.mark.parametrize(
    "host",
    [
        "mail.google.com",
        "outlook.live.com",
        "outlook.office.com",
        "mail.yahoo.com",
        "mail.proton.me",
        "e.mail.ru",
        "mail.yandex.ru",
        "mail.naver.com",
        "email.seznam.cz",
        "deref-gmx.net",
        "navigator.web.de",
    ],
)
def test_mail_providers_are_email_before_they_are_search_engines(host):
    assert of(f"https://{host}/mail/u/0/") == ("Email", host)
    assert of(f"https://{host}/mail/u/0/", medium="cpc") == ("Email", host)


def test_mail_providers_are_matched_by_full_host():
    assert of("https://evil.mail.proton.me/")[0] == "Referral"
    assert of("https://mail.google.com.evil.example/")[0] == "Referral"
    assert of("https://mail.google.de/")[0] == "Referral"


SEARCH = [
    "google.com",
    "google.de",
    "google.co.uk",
    "google.com.br",
    "google.co.jp",
    "google.cat",
    "m.google.com",
    "news.google.com",
    "images.google.fr",
    "bing.com",
    "cn.bing.com",
    "duckduckgo.com",
    "lite.duckduckgo.com",
    "yahoo.com",
    "search.yahoo.com",
    "de.search.yahoo.com",
    "search.yahoo.co.jp",
    "yandex.ru",
    "yandex.com",
    "yandex.com.tr",
    "ya.ru",
    "baidu.com",
    "m.baidu.com",
    "ecosia.org",
    "qwant.com",
    "startpage.com",
    "search.brave.com",
    "naver.com",
    "search.naver.com",
    "m.search.naver.com",
    "seznam.cz",
    "search.seznam.cz",
    "sogou.com",
    "so.com",
    "daum.net",
    "ask.com",
    "aol.com",
    "search.aol.com",
    "kagi.com",
    "mojeek.com",
    "swisscows.com",
    "suche.t-online.de",
    "go.mail.ru",
]


@pytest.mark.parametrize("host", SEARCH)
def test_search_engines_are_organic_search(host):
    assert of(f"https://{host}/") == of(f"http://www.{host}/search?q=a") == ("Organic Search", host)


@pytest.mark.parametrize("medium", ["cpc", "PPC", "paid", "paid-search", "google_cpc", "Paid Social"])
def test_search_engines_are_paid_search_by_the_medium(medium):
    assert of("https://www.google.com/", medium=medium) == ("Paid Search", "google.com")


@pytest.mark.parametrize("medium", [None, "organic", "display", "cp c"])
def test_other_media_pay_for_no_search(medium):
    assert of("https://www.google.com/", medium=medium) == ("Organic Search", "google.com")


@pytest.mark.parametrize(
    "host",
    [
        "google.evil.com",
        "notgoogle.com",
        "google.com.evil.com",
        "evil-google.com",
        "google.co",
        "google.comm",
        "google.co.uk.evil",
        "xgoogle.de",
        "news.google.evil.com",
        "google.evil",
        "google-com.example",
        "docs.google.com",
        "drive.google.com",
        "www.google.com.evil.example",
        "news.google.com.evil.example",
        "bing.evil.com",
        "bing.com.evil.com",
        "xbing.com",
        "search.brave.com.evil.com",
        "brave.com",
        "blog.naver.com",
        "finance.yahoo.com",
        "search.yahoo.evil.com",
        "yandex.evil.com",
        "support.mozilla.org",
        "search.yahoo.com.evil.example",
    ],
)
def test_what_only_resembles_a_search_engine_is_a_referral(host):
    assert of(f"https://{host}/search?q=google.com")[0] == ("Organic Search" if host == "google.co" else "Referral")


SOCIAL = [
    "t.co",
    "facebook.com",
    "l.facebook.com",
    "m.facebook.com",
    "lm.facebook.com",
    "fb.me",
    "instagram.com",
    "l.instagram.com",
    "linkedin.com",
    "de.linkedin.com",
    "lnkd.in",
    "reddit.com",
    "old.reddit.com",
    "out.reddit.com",
    "youtube.com",
    "m.youtube.com",
    "youtu.be",
    "x.com",
    "twitter.com",
    "mobile.twitter.com",
    "pinterest.com",
    "pinterest.de",
    "pinterest.co.uk",
    "br.pinterest.com",
    "tiktok.com",
    "threads.net",
    "threads.com",
    "bsky.app",
    "go.bsky.app",
    "mastodon.social",
    "vk.com",
    "m.vk.com",
    "away.vk.com",
    "weibo.com",
    "t.me",
    "web.telegram.org",
    "web.whatsapp.com",
    "discord.com",
    "snapchat.com",
    "quora.com",
    "news.ycombinator.com",
    "tumblr.com",
    "acme.tumblr.com",
    "xing.com",
]


@pytest.mark.parametrize("host", SOCIAL)
def test_social_networks_are_social_by_registered_domain(host):
    assert of(f"https://{host}/") == of(f"https://{host}/", medium="cpc") == ("Social", host)


@pytest.mark.parametrize(
    "host",
    [
        "facebook.com.evil.com",
        "notfacebook.com",
        "xt.co",
        "t.co.evil.com",
        "ax.com",
        "pinterest.evil.com",
        "pinterest.com.evil.com",
        "facebook.evil",
        "xn--facebook-c4a.com",
        "ycombinator.com",
        "youtube.com-evil.example",
    ],
)
def test_what_only_resembles_a_social_network_is_a_referral(host):
    assert of(f"https://{host}/") == ("Referral", host)


# -- how a host is read -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://Blog.Example/", "blog.example"),
        ("HTTPS://BLOG.EXAMPLE", "blog.example"),
        ("https://blog.example:8443/a:b@c", "blog.example"),
        ("https://blog.example.", "blog.example"),
        ("https://blog.example..:443/", "blog.example"),
        ("https://www.blog.example/", "blog.example"),
        ("https://www.www.blog.example/", "www.blog.example"),
        ("https://www.example/", "www.example"),
        ("https://www2.blog.example/", "www2.blog.example"),
        ("https://google.com@evil.example/", "evil.example"),
        ("https://google.com:443@evil.example/", "evil.example"),
        ("https://a@google.com@evil.example/", "evil.example"),
        ("https://evil.example\\@google.com/", "evil.example"),
        ("https://evil.example/@google.com", "evil.example"),
        ("https://evil.example?@google.com", "evil.example"),
        ("https://evil.example#@google.com", "evil.example"),
        ("https:\\\\evil.example\\google.com", "evil.example"),
        ("https://ev\til.exam\nple/", "evil.example"),
        (" https://blog.example/ ", "blog.example"),
        ("//blog.example/a", "blog.example"),
        ("blog.example", "blog.example"),
        ("blog.example:8443/a?b", "blog.example"),
        ("https://bücher.example/", "xn--bcher-kva.example"),
        ("https://XN--BCHER-KVA.example/", "xn--bcher-kva.example"),
        ("https://blog。example/", "blog.example"),
        ("https://192.0.2.1:80/", "192.0.2.1"),
        ("https://[2001:DB8::1]:443/", "2001:db8::1"),
        ("https://[2001:db8:0:0:0:0:0:1]/", "2001:db8::1"),
        ("http://localhost:3000/", "localhost"),
        ("http://intranet/", "intranet"),
        ("https://my_blog.example/", "my_blog.example"),
    ],
)
def test_the_host_is_read_as_browsers_read_it(url, host):
    assert of(url) == ("Referral", host)


def test_full_width_letters_are_the_letters_they_stand_for():
    assert of("https://ｇｏｏｇｌｅ.com/") == ("Organic Search", "google.com")


@pytest.mark.parametrize(
    "url",
    [
        "about:blank",
        "about:client",
        "data:text/html,google.com",
        "javascript:alert('google.com')",
        "file:///home/acme/google.com",
        "chrome-extension://cfhdojbkjhnklbpkdaibdccddilifddb/google.com",
        "mailto:canary@example.test",
        "canary@example.test",
        "newsletter",
        "my page",
        "1.2",
        "/path/google.com",
        "?google.com",
        "https://",
        "https:///google.com",
        "http://[::1",
        "http://[fe80::1%25eth0]/",
        "http://[google.com]/",
        "http://a..b/",
        "http://.example/",
        "http://exa mple/",
        "http://exa<mple>/",
        "http://google.com:port/",
        "http://google.com:999999/",
        "http://%67oogle.com/",
        "http://" + "a" * 64 + ".example/",
        "http://" + "a." * 200 + "example/",
        "https://google.com:" + "0" * 2000 + "@evil.example/",
        "\0",
        "\ud800",
        "http://\ud800.example/",
        "http://\u200b/",
    ],
)
def test_what_names_no_host_is_no_referrer(url):
    assert of(url) == ("Direct", None)
    assert of(url, medium="email") == ("Email", None)


@pytest.mark.parametrize(
    ("app", "channel"),
    [
        ("com.google.android.gm", "Email"),
        ("com.microsoft.office.outlook", "Email"),
        ("com.google.android.googlequicksearchbox", "Organic Search"),
        ("com.linkedin.android", "Social"),
        ("org.telegram.messenger", "Social"),
        ("com.example.news", "Referral"),
        ("com.google.android.gm.evil", "Referral"),
    ],
)
def test_android_names_its_apps(app, channel):
    assert of(f"android-app://{app}/") == of(f"android-app://{app}/https/acme.example/") == (channel, app)


def test_a_search_app_can_be_paid_for():
    url = "android-app://com.google.android.googlequicksearchbox/"
    assert of(url, medium="cpc") == ("Paid Search", "com.google.android.googlequicksearchbox")


def test_an_apps_name_on_the_web_is_an_ordinary_host():
    assert of("https://com.google.android.gm/") == ("Referral", "com.google.android.gm")


# -- the lists --------------------------------------------------------------------------------------------------------


def test_the_lists_do_not_contradict_each_other():
    search = lists.SEARCH_HOSTS | lists.SEARCH_DOMAINS
    assert not lists.MAIL_HOSTS & (search | lists.SOCIAL_DOMAINS)
    assert not search & lists.SOCIAL_DOMAINS
    assert not lists.MAIL_APPS & lists.SEARCH_APPS
    assert not (lists.MAIL_APPS | lists.SEARCH_APPS) & lists.SOCIAL_APPS


@pytest.mark.parametrize(
    ("names", "channel"),
    [
        (lists.MAIL_HOSTS, "Email"),
        (lists.SEARCH_HOSTS, "Organic Search"),
        (lists.SEARCH_DOMAINS, "Organic Search"),
        (lists.SOCIAL_DOMAINS, "Social"),
    ],
)
def test_every_listed_host_is_found_and_none_under_a_strangers_domain(names, channel):
    assert {name for name in names if of(f"https://www.{name}/") != (channel, name)} == set()
    assert {name for name in names if of(f"https://{name}.evil.example/")[0] != "Referral"} == set()
    assert {name for name in names if of(f"https://evil{name}.example/")[0] != "Referral"} == set()


label = st.from_regex(r"[a-z]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True)
famous = st.sampled_from(sorted(SEARCH + SOCIAL + ["mail.google.com"]))


@given(famous, label, st.sampled_from(["{0}.{1}.example", "{1}{0}.example", "{1}.example/{0}", "{0}@{1}.example"]))
def test_a_strangers_domain_is_never_a_famous_one(name, word, shape):
    assert of(f"https://{shape.format(name, word)}")[0] == "Referral"


@given(st.text(max_size=100) | st.text("htps:/\\@[]%.#?www0 \0\ud800ß。", max_size=30))
@example("http://[")
@example("//[\ud800]")
def test_no_referrer_fails(text):
    for url in (text, f"http://{text}", f"android-app://{text}"):
        channel, host = of(url)
        assert (host is None) == (channel == "Direct")
        assert host is None or (0 < len(host) <= 253 and host.isascii() and host == host.lower())


@pytest.mark.parametrize("hostile", ["a.", "a", "/", "\\", "@", ":", "[", "www.", "é。", "0.", ":0"])
def test_a_hostile_referrer_takes_no_time(hostile):
    begun = time.process_time()
    for number in range(10):
        of(f"https://{number}" + hostile * 100_000)
        of(f"{number}" + hostile * 100_000)
    assert time.process_time() - begun < 1
