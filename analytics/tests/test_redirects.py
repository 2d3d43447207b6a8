"""Where a shop link may lead: to the website, its subdomains and the token's hosts (D-9, D-37, A52, A53)."""

import pytest
from django.test import Client as Browser
from hypothesis import example, given
from hypothesis import strategies as st

from analytics.api.widgets.dialect import Refused
from analytics.api.widgets.redirects import location
from analytics.models import Event
from analytics.tests.builders import CHROME, make_website
from analytics.tests.widgets import BEST, address, ask, dropped, make_token

SHOP = f"{BEST}/media/430889187/shop"
HOSTS = frozenset({"shop.partner.example", "xn--caf-dma.example"})

FRIENDLY = {
    "https://acme.example/": "https://acme.example/",
    "https://acme.example": "https://acme.example/",
    "http://acme.example/p?a=b&c=d#top": "http://acme.example/p?a=b&c=d#top",
    "HTTPS://WWW.Acme.Example/P": "https://www.acme.example/P",
    "https://a.b.acme.example/p": "https://a.b.acme.example/p",
    "https://acme.example:443/p": "https://acme.example/p",
    "http://acme.example:80/p": "http://acme.example/p",
    "https://shop.partner.example/p/1": "https://shop.partner.example/p/1",
    "https://xn--caf-dma.example/p": "https://xn--caf-dma.example/p",
    "https://acme.example//evil.example/": "https://acme.example//evil.example/",
    "https://acme.example?next=https://evil.example/": "https://acme.example/?next=https://evil.example/",
    "https://acme.example/a b": "https://acme.example/a%20b",
    "https://acme.example/café": "https://acme.example/caf%C3%A9",
    "https://acme.example/caf%C3%A9": "https://acme.example/caf%C3%A9",
    'https://acme.example/"><script>': "https://acme.example/%22%3E%3Cscript%3E",
    "  https://acme.example/p ": "https://acme.example/p",
    "https://acme.example/@evil.example": "https://acme.example/@evil.example",
    "https://acme.example#@evil.example": "https://acme.example/#@evil.example",
}

HOSTILE = [
    "javascript:alert(1)",
    "JaVaScRiPt://acme.example/%0aalert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:msgbox(1)",
    "file:///etc/passwd",
    "ftp://acme.example/p",
    "//evil.example/",
    "///evil.example/",
    "////acme.example/",
    "/\\evil.example/",
    "\\\\evil.example/",
    "https:\\\\acme.example/",
    "https://acme.example\\@evil.example/",
    "https://evil.example\\.acme.example/",
    "https:/evil.example/",
    "https:///evil.example/",
    "https:evil.example",
    "https:acme.example",
    "https://",
    "https://?acme.example",
    "https://#acme.example",
    "/p/1",
    "p/1",
    "acme.example/p",
    "?a=b",
    "https://evil.example/",
    "https://evil.example/?acme.example",
    "https://evil.example/#acme.example",
    "https://evil.example#@acme.example",
    "https://evil.example?@acme.example",
    "https://acme.example.evil.example/",
    "https://evilacme.example/",
    "https://acme.example-evil.example/",
    "https://acme-example/",
    "https://example/",
    "https://www.shop.partner.example/",
    "https://partner.example/",
    "https://user@acme.example/",
    "https://user:password@acme.example/",
    "https://acme.example@evil.example/",
    "https://acme.example:pw@evil.example/",
    "https://@acme.example/",
    "https://:@acme.example/",
    "https://acme.example:8443/",
    "https://acme.example:80/",
    "http://acme.example:443/",
    "https://acme.example:/",
    "https://acme.example:x/",
    "https://acme.example:99999/",
    "https://acme.example:-443/",
    "https://acme.example./",
    "https://.acme.example/",
    "https://evil..acme.example/",
    "https://ａcme.example/",
    "https://acme。example/",
    "https://acme．example/",
    "https://аcme.example/",
    "https://café.example/",
    "https://acme.example%2f@evil.example/",
    "https://evil.example%2f.acme.example/",
    "https://evil.example%00.acme.example/",
    "https://evil.example%23.acme.example/",
    "https://acme%2eexample/",
    "https://evil_x.acme.example/",
    "https://[::1]/",
    "https://[::ffff:7f00:1]/",
    "https://127.0.0.1/",
    "https://2130706433/",
    "https://0x7f.1/",
    "https://acme.example/\r\nSet-Cookie: a=b",
    "https://acme.example/\nLocation: https://evil.example/",
    "https://acme.example/\x00",
    "https://ac\tme.example/",
    "ht\ntps://evil.example/",
    "\x01https://acme.example/",
    "https://acme.example/\x85",
    "https://acme.example /",
    "https://acme.example/" + "a" * 2000,
    "https%3A%2F%2Facme.example%2F",
    "https://acme.example,evil.example/",
    "https://acme.example;evil.example/",
    "https://evil.example;acme.example/",
    "//acme.example@evil.example",
    "http://http://acme.example/",
    "x-https://acme.example/",
    "https\u2236//acme.example/",
    "https://acme.example\u2028.evil.example/",
]


@pytest.fixture
def token(db):
    return make_token(make_website(), redirect_hosts=sorted(HOSTS))


@pytest.mark.parametrize(("url", "expected"), FRIENDLY.items())
def test_what_is_checked_is_put_together_anew_and_sent(url, expected):
    assert location(url, domain="acme.example", hosts=HOSTS) == expected


@pytest.mark.parametrize("url", HOSTILE)
def test_anything_else_is_refused(url):
    with pytest.raises(Refused) as refused:
        location(url, domain="acme.example", hosts=HOSTS)
    assert refused.value.status == 400


@given(st.text(max_size=60))
@example("https://acme.example/")
def test_whatever_is_sent_begins_with_a_host_that_is_allowed(text):
    for url in (text, f"https://acme.example{text}", f"https://{text}acme.example/", f"https://{text}"):
        try:
            found = location(url, domain="acme.example", hosts=HOSTS)
        except Refused:
            continue
        scheme, _, rest = found.partition("://")
        host = rest.partition("/")[0]
        assert scheme in ("http", "https")
        assert host in HOSTS | {"acme.example"} or host.endswith(".acme.example")
        assert found.isascii()
        assert not set(found) & set('\\ \t\r\n"<>')


def test_a_website_at_an_address_of_numbers_has_no_subdomains():
    assert location("http://127.0.0.1/p", domain="127.0.0.1", hosts=()) == "http://127.0.0.1/p"
    with pytest.raises(Refused):
        location("http://9.127.0.0.1/p", domain="127.0.0.1", hosts=())


# -- from outside -----------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("ending", ["", ".json", ".gif"])
def test_a_shop_link_stores_the_click_and_leads_on(token, ending):
    answer = ask(SHOP + ending, token, redirect_url="http://www.acme.example/myproduct")
    assert (answer.status_code, answer["Location"]) == (302, "http://www.acme.example/myproduct")
    assert answer["Content-Type"] == "application/json"
    assert answer.json()["metadata"] == {"code": 302, "message": "Found", "version": "v1.0"}
    assert answer["Cache-Control"] == "no-store, no-cache, must-revalidate"
    assert Event.objects.get().name == "media_shop"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("query", [{}, {"redirect_url": ""}, {"redirect_url": None}])
@pytest.mark.parametrize("pics", ["1", None])
def test_without_an_address_it_is_200(token, query, pics):
    assert ask(SHOP, token, pics=pics, **query).status_code == 200
    assert Event.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_pics_are_checked_where_they_are_given(token):
    assert ask(SHOP, token, pics="x").status_code == 400


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("url", HOSTILE)
def test_a_hostile_address_is_400_redirects_nowhere_and_stores_nothing(token, url):
    for ending in ("", ".gif"):
        answer = ask(SHOP + ending, token, redirect_url=url)
        assert (answer.status_code, answer.content) == (400, b'[{"error":"Invalid params"}]')
        assert not {"Location", "Refresh", "Set-Cookie"} & set(answer.headers)
    assert (Event.objects.count(), sum(dropped().values())) == (0, 2)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "raw", ["https://evil.example/", "%2F%2Fevil.example", "https%3A%5C%5Cevil.example", "%09//evil.example"]
)
def test_no_encoding_of_the_query_helps(token, raw):
    link = f"{address(SHOP, token, analytics_id='v1', pics=1)}&redirect_url={raw}&redirect_url=https://acme.example/"
    answer = Browser().get(link, headers={"user-agent": CHROME})
    assert (answer.status_code, answer.get("Location")) == (400, None)


@pytest.mark.django_db(transaction=True)
def test_another_action_leads_nowhere(token):
    answer = ask(f"{BEST}/media/5/click", token, redirect_url="https://acme.example/")
    assert (answer.status_code, answer.get("Location")) == (200, None)


@pytest.mark.django_db(transaction=True)
def test_nothing_of_a_query_becomes_a_header(token):
    answer = ask(SHOP, token, ("segments[]", "a:b\r\nX-Evil: 1"), redirect_url="https://acme.example/?a=%0d%0aX-Evil:1")
    assert answer.status_code == 400
    answer = ask(SHOP, token, redirect_url="https://acme.example/?a=%0d%0aX-Evil:1")
    assert answer["Location"] == "https://acme.example/?a=%0d%0aX-Evil:1"
