"""The link that proves an event: one spelling, and nothing that could harm who follows it (contract 4.3, A65)."""

import pytest

from submissions.prooflink import normalised


def test_it_works() -> None:
    assert normalised("https://www.lesunset.com/events/jazz-night-march") == (
        "https://www.lesunset.com/events/jazz-night-march"
    )


@pytest.mark.parametrize(
    ("given", "link"),
    [
        ("instagram.com/x", "https://instagram.com/x"),
        ("//example.com", "https://example.com/"),
        ("http://example.com", "http://example.com/"),
        ("HTTPS://EXAMPLE.com/Path", "https://example.com/Path"),
        ("example.com:8080/x", "https://example.com:8080/x"),
        ("https://example.com:443/", "https://example.com/"),
        ("http://example.com:80", "http://example.com/"),
        ("http://example.com:443/", "http://example.com:443/"),
        ("localhost:3000/e", "https://localhost:3000/e"),
        ("192.0.2.1/e", "https://192.0.2.1/e"),
        ("https://[2001:DB8::1]/e", "https://[2001:db8::1]/e"),
        ("https://example.com/e?a=1&b=%20#top", "https://example.com/e?a=1&b=%20#top"),
        ("https://example.com/fête", "https://example.com/f%C3%AAte"),
        ('https://example.com/"><script>', "https://example.com/%22%3E%3Cscript%3E"),
        ("https://fête.example/", "https://xn--fte-fma.example/"),
        ("https://пример.рф/", "https://xn--e1afmkfd.xn--p1ai/"),
        ("https://example。com/", "https://example.com/"),
    ],
)
def test_it_has_one_spelling(given: str, link: str) -> None:
    assert normalised(given) == link
    assert normalised(link) == link


@pytest.mark.parametrize(
    "given",
    [
        "ftp://example.com",
        "javascript:alert(1)",
        "javascript://example.com/%0aalert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "vbscript:x",
        "file:///etc/passwd",
        "mailto:x@y.com",
        "user:pw@host.com",
        "https://user@host.com/",
        "https://example.com@evil.example/",
        "https://example.com:pw@evil.example/",
        "https://evil.example\\@example.com",
        "https:\\\\example.com",
        "some text with spaces",
        "https://example.com/a b",
        "https://exam\nple.com",
        "https://example.com/\u202egnp.exe",
        "999.1.1.1",
        "1.2.3",
        "https://0x7f.1/",
        "https://2130706433/",
        "https://intranet",
        "https://intranet/page.html",
        "https://",
        "//",
        "https://.com",
        "https://a..b/",
        "https://-.example/",
        "https://exa%6dple.com/",
        "https://example.com:99999/",
        "https://example.com:port/",
        "https://[::1",
        "https://[fe80::1%25eth0]/",
        "https://straße.example/",
        "https://" + "a" * 64 + ".example/",
        "https://" + "a." * 130 + "example/",
        "?",
        "#",
        "/path",
    ],
)
def test_what_leads_elsewhere_or_nowhere_is_none(given: str) -> None:
    assert normalised(given) is None
