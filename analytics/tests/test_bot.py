import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.ingest.bot import bot, is_bot
from analytics.tests.hits import a_hit, a_site

WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"
WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
CHROME = f"{WINDOWS} {WEBKIT} Chrome/130.0.0.0 Safari/537.36"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_6_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


def android(model: str, rest: str = "") -> str:
    return f"Mozilla/5.0 (Linux; Android 13; {model}) {WEBKIT} Chrome/130.0.0.0 Mobile Safari/537.36{rest}"


def test_it_works():
    assert bot(a_hit(user_agent=GOOGLEBOT), a_site()) == {"is_bot": True}
    assert bot(a_hit(user_agent=CHROME), a_site()) == {"is_bot": False}


def test_without_a_user_agent_it_is_a_bot():
    assert is_bot("")
    assert is_bot(" \t\n")


def test_a_server_that_reports_its_own_events_is_none():
    assert bot(a_hit(user_agent="python-requests/2.34.2", is_server=True), a_site()) == {"is_bot": False}


BROWSERS = f"""
{CHROME}
{CHROME} Edg/130.0.0.0
{CHROME} OPR/115.0.0.0
{CHROME} OPR/114.0.0.0 (Edition GX)
{CHROME} Vivaldi/7.0.3495.11
{WINDOWS} {WEBKIT} Chrome/126.0.0.0 YaBrowser/24.7.0.0 Safari/537.36
{WINDOWS} {WEBKIT} Chrome/120.0.0.0 Whale/3.24.223.18 Safari/537.36
{WINDOWS} {WEBKIT} coc_coc_browser/120.0.148 Chrome/114.0.5735.210 Safari/537.36
{WINDOWS} {WEBKIT} Chrome/64.0.3282.140 Safari/537.36 Edge/18.17763
Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:132.0) Gecko/20100101 Firefox/132.0
Mozilla/5.0 (Windows NT 10.0; WOW64) {WEBKIT} Chrome/94.0.4606.71 Safari/537.36 Core/1.94.197.400 QQBrowser/11.7.5287.400
Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko
Mozilla/5.0 (compatible; MSIE 10.0; Windows NT 6.2; Trident/6.0; Touch)
Mozilla/5.0 (compatible; MSIE 9.0; Windows NT 6.1; Trident/5.0)
Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1; WOW64; Trident/4.0; SLCC2; .NET CLR 2.0.50727; Media Center PC 6.0)
Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 6.0; Tablet PC 2.0; InfoPath.2; GTB7.4)
Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1; SV1; .NET CLR 1.1.4322)
Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15
Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15 Ddg/17.5
Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:132.0) Gecko/20100101 Firefox/132.0
Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {WEBKIT} Chrome/130.0.0.0 Safari/537.36
Mozilla/5.0 (X11; Linux x86_64) {WEBKIT} Chrome/130.0.0.0 Safari/537.36
Mozilla/5.0 (X11; Linux x86_64) {WEBKIT} Chrome/131.0.0.0 Ladybird/1.0 Safari/537.36
Mozilla/5.0 (X11; Linux x86_64) {WEBKIT} Chrome/130.0.0.0 Electron/33.0.0 Safari/537.36
Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0
Mozilla/5.0 (X11; FreeBSD amd64; rv:102.0) Gecko/20100101 Firefox/102.0
Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {WEBKIT} Chrome/130.0.0.0 Safari/537.36
Mozilla/5.0 (X11; GNU/Linux) {WEBKIT} Chromium/79.0.3945.130 Chrome/79.0.3945.130 Safari/537.36 Tesla/2020.16.2.1-e99c70fff409
{IPHONE} Version/17.6 Mobile/15E148 Safari/604.1
{IPHONE} CriOS/130.0.6723.37 Mobile/15E148 Safari/604.1
{IPHONE} FxiOS/131.0 Mobile/15E148 Safari/605.1.15
{IPHONE} Version/17.0 EdgiOS/129.0.2792.84 Mobile/15E148 Safari/605.1.15
{IPHONE} GSA/339.0.686041220 Mobile/15E148 Safari/604.1
{IPHONE} Version/17.5 Mobile/15E148 DuckDuckGo/7 Safari/605.1.15
{IPHONE} Mobile/15E148
{IPHONE} Mobile/21G93 [FBAN/FBIOS;FBAV/484.0.0.46.109;FBBV/647331733;FBDV/iPhone14,5;FBMD/iPhone;FBSN/iOS;FBSV/17.6.1;FBSS/3;FBID/phone;FBLC/en_US;FBOP/5]
{IPHONE} Mobile/21G93 Instagram 352.0.0.14.99 (iPhone14,5; iOS 17_6_1; en_US; en; scale=3.00; 1170x2532; 647760867)
{IPHONE} Mobile/15E148 [LinkedInApp]/9.29.8962
{IPHONE} Mobile/15E148 [Pinterest/iOS]
{IPHONE} Mobile/15E148 musical_ly_34.1.0 JsSdk/2.0 NetType/WIFI Channel/App Store ByteLocale/en Region/US
{IPHONE} Mobile/15E148 Snapchat/12.81.0.45 (like Safari/8617.2.4.10.8, panda)
{IPHONE} Mobile/15E148 Twitter for iPhone/10.42
{IPHONE} Mobile/15E148 MicroMessenger/8.0.44(0x18002c2f) NetType/WIFI Language/en
{IPHONE} Mobile/15E148 Safari Line/14.8.0
Mozilla/5.0 (iPad; CPU OS 17_6_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6 Mobile/15E148 Safari/604.1
Mozilla/5.0 (Linux; Android 10; K) {WEBKIT} Chrome/130.0.0.0 Mobile Safari/537.36
Mozilla/5.0 (Linux; Android 13; SAMSUNG SM-S918B) {WEBKIT} SamsungBrowser/21.0 Chrome/110.0.5481.154 Mobile Safari/537.36
Mozilla/5.0 (Linux; Android 13; SM-S901B Build/TP1A.220624.014; wv) {WEBKIT} Version/4.0 Chrome/111.0.5563.116 Mobile Safari/537.36 Instagram 276.0.0.18.119 Android (33/13; 420dpi; 1080x2115; samsung; SM-S901B; r0s; exynos2200; en_GB; 458229219)
Mozilla/5.0 (Android 14; Mobile; rv:132.0) Gecko/132.0 Firefox/132.0
Opera/9.80 (Android; Opera Mini/36.2.2254/119.132; U; id) Presto/2.12.423 Version/12.16
Opera/9.80 (J2ME/MIDP; Opera Mini/4.2.15066/28.2555; U; en) Presto/2.8.119 Version/11.10
Mozilla/5.0 (Linux; U; Android 13; zh-cn; 2211133C Build/TKQ1.220905.001) {WEBKIT} Version/4.0 Chrome/100.0.4896.127 Mobile Safari/537.36 XiaoMi/MiuiBrowser/17.4.60
Mozilla/5.0 (Linux; U; Android 12; en-US; RMX3265 Build/SP1A.210812.016) {WEBKIT} Version/4.0 Chrome/100.0.4896.58 UCBrowser/13.7.2.1636 Mobile Safari/537.36
Mozilla/5.0 (Linux; Android 9; KFMAWI) {WEBKIT} Silk/120.4.1 like Chrome/120.0.6099.230 Safari/537.36
Mozilla/5.0 (Phone; OpenHarmony 5.0) {WEBKIT} Chrome/114.0.0.0 Safari/537.36 ArkWeb/4.1.6.1 Mobile HuaweiBrowser/5.0.4.300
Mozilla/5.0 (Linux; Android 12; HarmonyOS; NOH-AN00; HMSCore 6.14.0.322) {WEBKIT} Chrome/114.0.5735.196 HuaweiBrowser/15.0.4.312 Mobile Safari/537.36
Mozilla/5.0 (Mobile; Nokia_8110_4G; rv:48.0) Gecko/48.0 Firefox/48.0 KAIOS/2.5
Mozilla/5.0 (BB10; Touch) AppleWebKit/537.10+ (KHTML, like Gecko) Version/10.0.9.2372 Mobile Safari/537.10+
Mozilla/5.0 (Windows Phone 10.0; Android 6.0.1; Microsoft; Lumia 950) {WEBKIT} Chrome/52.0.2743.116 Mobile Safari/537.36 Edge/15.15063
Mozilla/5.0 (SMART-TV; Linux; Tizen 6.0) {WEBKIT} 76.0.3809.146/6.0 TV Safari/537.36
Mozilla/5.0 (Web0S; Linux/SmartTV) {WEBKIT} Chrome/94.0.4606.128 Safari/537.36 WebAppManager
Mozilla/5.0 (PlayStation; PlayStation 5/6.00) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.5 Safari/605.1.15
Mozilla/5.0 (Nintendo Switch; WifiWebAuthApplet) AppleWebKit/609.4 (KHTML, like Gecko) NF/6.0.2.21.3 NintendoBrowser/5.1.0.22474
Mozilla/5.0 (X11; U; Linux armv7l like Android; en-us) AppleWebKit/531.2+ (KHTML, like Gecko) Version/5.0 Safari/533.2+ Kindle/3.0+
Mozilla/5.0 (Linux; U; Android 2.0; en-us;) AppleWebKit/538.1 (KHTML, like Gecko) Version/4.0 Mobile Safari/538.1 (Kobo Touch 0373/4.38.23171)
Acme/1 CFNetwork/1408.0.4 Darwin/22.5.0
Dalvik/2.1.0 (Linux; U; Android 9; SM-G960F Build/PPR1.180610.011)
""".strip().splitlines()


@pytest.mark.parametrize("user_agent", BROWSERS)
def test_no_browser_is_a_bot(user_agent):
    assert not is_bot(user_agent)


@pytest.mark.parametrize(
    "model",
    ["CUBOT X19 S", "CUBOT_POWER", "OPPO A33", "iBuddy Connect", "Bot", "ROBOT 5", "Spider-Man Edition", "curl"],
)
def test_no_phone_is_a_bot_by_its_models_name(model):
    assert not is_bot(android(model))
    assert not is_bot(android(f"{model} Build/TP1A.220624.014; wv"))
    assert not is_bot(android("K").replace("Android 13; ", f"Android 13; de-de; {model} Build/LMY47V; "))


BOTS = f"""
Mozilla/5.0
node
-
{GOOGLEBOT}
Googlebot-Image/1.0
AdsBot-Google (+http://www.google.com/adsbot.html)
Mozilla/5.0 (compatible; Google-Read-Aloud)
Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)
Mozilla/5.0 (compatible; Yahoo! Slurp; http://help.yahoo.com/help/us/ysearch/slurp)
Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)
Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)
Sogou web spider/4.0(+http://www.sogou.com/docs/help/webmasters.htm#07)
DuckDuckBot/1.1; (+http://duckduckgo.com/duckduckbot.html)
Mozilla/5.0 (compatible; SeznamBot/4.0; +http://napoveda.seznam.cz/seznambot-intro/)
Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)
Mozilla/5.0 (compatible; SemrushBot/7~bl; +http://www.semrush.com/bot.html)
Mozilla/5.0 (compatible; MJ12bot/v1.4.8; http://mj12bot.com/)
Mozilla/5.0 (compatible; DotBot/1.2; +https://opensiteexplorer.org/dotbot; help@moz.com)
Mozilla/5.0 (compatible; archive.org_bot +http://archive.org/details/archive.org_bot)
{IPHONE} Version/8.0 Mobile/12F70 Safari/600.1.4 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)
{android("Nexus 5X Build/MMB29P", " (compatible; Googlebot/2.1; +http://www.google.com/bot.html)")}
{android("K", " (compatible; PetalBot;+https://webmaster.petalsearch.com/site/petalbot)")}
Mozilla/5.0 {WEBKIT[:-1]}; compatible; GPTBot/1.2; +https://openai.com/gptbot)
Mozilla/5.0 {WEBKIT}; compatible; ChatGPT-User/1.0; +https://openai.com/bot
Mozilla/5.0 {WEBKIT[:-1]}; compatible; OAI-SearchBot/1.0; +https://openai.com/searchbot)
Mozilla/5.0 {WEBKIT[:-1]}; compatible; ClaudeBot/1.0; +claudebot@anthropic.com)
Mozilla/5.0 {WEBKIT[:-1]}; compatible; Claude-User/1.0; +Claude-User@anthropic.com)
Mozilla/5.0 {WEBKIT[:-1]}; compatible; PerplexityBot/1.0; +https://perplexity.ai/perplexitybot)
Mozilla/5.0 {WEBKIT[:-1]}; compatible; Perplexity-User/1.0; +https://perplexity.ai/perplexity-user)
Mozilla/5.0 {WEBKIT[:-1]}; compatible; MistralAI-User/1.0; +https://docs.mistral.ai/robots)
CCBot/2.0 (https://commoncrawl.org/faq/)
Mozilla/5.0 (Linux; Android 5.0) {WEBKIT} Mobile Safari/537.36 (compatible; Bytespider; spider-feedback@bytedance.com)
meta-externalagent/1.1 (+https://developers.facebook.com/docs/sharing/webmasters/crawler)
Mozilla/5.0 (compatible; Amazonbot/0.1; +https://developer.amazon.com/support/amazonbot)
facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)
Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)
WhatsApp/2.23.20.0 A
TelegramBot (like TwitterBot)
Twitterbot/1.0
Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)
LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)
Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5
Pinterest/0.2 (+https://www.pinterest.com/bot.html)
Mastodon/4.2 (http.rb/5.1.1; +https://mastodon.social/)
Bluesky Cardyb/1.1; +mailto:support@bsky.app
Iframely/1.3.1 (+https://iframely.com/docs/about)
Mozilla/5.0 (compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)
Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)
Pingdom.com_bot_version_1.4_(http://www.pingdom.com/)
{CHROME} (StatusCake)
{android("moto g power (2022)", " Chrome-Lighthouse")}
Mozilla/5.0 (X11; Linux x86_64) {WEBKIT} HeadlessChrome/130.0.0.0 Safari/537.36
Mozilla/5.0 (Unknown; Linux x86_64) AppleWebKit/538.1 (KHTML, like Gecko) PhantomJS/2.1.1 Safari/538.1
{CHROME} Puppeteer
Playwright/1.40.0 (x64; ubuntu 22.04) node/18
{CHROME} Cypress/13.6.0
curl/8.5.0
Wget/1.21.4 (linux-gnu)
python-requests/2.34.2
python-urllib3/2.0
Python-urllib/3.11
python-httpx/0.27.0
Python/3.11 aiohttp/3.9.1
urllib3/2.0.7
Go-http-client/2.0
go-resty/2.7.0 (https://github.com/go-resty/resty)
okhttp/4.12.0
Java/17.0.2
Java-http-client/17.0.2
Apache-HttpClient/4.5.14 (Java/17.0.2)
axios/1.6.0
node-fetch/1.0 (+https://github.com/bitinn/node-fetch)
undici
Deno/1.40
Bun/1.1.0
got (https://github.com/sindresorhus/got)
libwww-perl/6.72
GuzzleHttp/7
Ruby
Faraday v2.7
Dart/3.2 (dart:io)
reqwest/0.11
PostmanRuntime/7.36.0
insomnia/8.4.5
Thunder Client (https://www.thunderclient.com)
HTTPie/3.2
k6/0.49.0 (https://k6.io/)
Scrapy/2.11 (+https://scrapy.org)
Mozilla/5.0 (Windows NT; Windows NT 10.0; en-US) WindowsPowerShell/5.1.19041.3803
Mozilla/5.0 (Windows NT 10.0; Microsoft Windows 10.0.19045; en-US) PowerShell/7.4.0
""".strip().splitlines()


@pytest.mark.parametrize("user_agent", BOTS)
def test_every_program_is_a_bot(user_agent):
    assert is_bot(user_agent)
    assert is_bot(user_agent.lower())


def test_a_user_agent_is_read_as_far_as_any_browser_goes():
    assert not is_bot(f"{CHROME} {'x' * 1_000_000} Googlebot/2.1")


@pytest.mark.parametrize("hostile", ["a", "a ", "bo", "-_", "Android 1; ", "Mozilla/5.0 (", "(", "\0", "é"])
def test_a_hostile_user_agent_takes_no_time(hostile):
    is_bot(CHROME)  # the patterns are compiled on first use
    begun = time.process_time()
    for number in range(10):
        is_bot(f"{number} " + hostile * 1_000_000)
    assert time.process_time() - begun < 1


@given(st.text(max_size=80) | st.text("\ud800\0 (", max_size=8))
def test_no_user_agent_fails(text):
    assert is_bot(text) in (True, False)
    assert is_bot(f"{GOOGLEBOT} {text}")
