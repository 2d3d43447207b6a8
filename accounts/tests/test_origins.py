"""Which origins may send without a secret (contract 6.1, D-12)."""

import pytest

from accounts import origins
from accounts.origins import Origins


def test_an_origin_on_the_list_may_send():
    assert "https://app.example.com" in Origins(["https://app.example.com"])


@pytest.mark.parametrize("entry", ["https://example.com", "http://example.com/", "www.example.com", "EXAMPLE.com"])
@pytest.mark.parametrize("origin", ["https://example.com", "http://www.example.com", "https://Example.Com"])
def test_scheme_www_case_and_a_slash_at_the_end_make_no_difference(entry, origin):
    assert origin in Origins([entry])


@pytest.mark.parametrize(
    "origin",
    [
        "https://example.com.evil.net",
        "https://evilexample.com",
        "https://app.example.com",
        "https://example.com:8443",
        "https://user@example.com",
        "null",
        "",
    ],
)
def test_others_may_not(origin):
    assert origin not in Origins(["https://example.com"])


@pytest.mark.parametrize("origin", ["https://a.example.com", "https://a.b.example.com", "https://www.example.com"])
def test_a_wildcard_stands_for_every_host_under_the_domain(origin):
    assert origin in Origins(["https://*.example.com"])


@pytest.mark.parametrize(
    "origin",
    [
        "https://example.com",
        "https://a.example.com.evil.net",
        "https://evilexample.com",
        "https://a.example.com:8443",
        "https://evil.net/.example.com/",
    ],
)
def test_a_wildcard_is_anchored_at_both_ends(origin):
    assert origin not in Origins(["*.example.com"])


def test_a_port_belongs_to_the_origin():
    assert "http://localhost:3000" in Origins(["http://localhost:3000"])
    assert "http://localhost" not in Origins(["http://localhost:3000"])


def test_a_star_is_any_origin_but_there_must_be_one():
    assert "https://anything.example" in Origins(["*"])
    assert "" not in Origins(["*"])


@pytest.mark.parametrize("origin", ["", "https://example.com"])
def test_an_empty_list_or_entry_lets_nobody_in(origin):
    assert origin not in Origins([])
    assert origin not in Origins([""])


def test_entries_are_kept_in_lower_case_each_once():
    assert origins.check([" https://App.example.com/ ", "https://app.example.com", "*", "https://*.example.com"]) == [
        "https://app.example.com",
        "*",
        "https://*.example.com",
    ]


@pytest.mark.parametrize(
    "entry",
    [
        "",
        " ",
        "https://",
        "https://a b.example",
        "https://example.com/path",
        "ftp://example.com",
        "https://a.*.example.com",
        "**",
        "*example.com",
        "https://user@example.com",
        "https://ex\u00e4mple.com",
        "x" * 256,
        7,
        None,
    ],
)
def test_what_is_no_origin_is_refused(entry):
    with pytest.raises(ValueError, match=r"origins\[0\] must be"):
        origins.check([entry])


@pytest.mark.parametrize("entries", ["https://example.com", None, {"a": 1}, ["https://example.com"] * 101])
def test_a_list_of_at_most_a_hundred_is_wanted(entries):
    with pytest.raises(ValueError, match="origins must"):
        origins.check(entries)
