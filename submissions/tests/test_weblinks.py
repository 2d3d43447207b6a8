"""Links in what a host writes."""

import time

import pytest

from submissions.weblinks import PLATFORMS, SHORTENERS, has_markup, is_disposable, links_in


def written(text: str) -> list[str]:
    return [link.text for link in links_in(text)]


def test_it_works():
    found = links_in("Tickets: https://www.Dice.fm/event/x, map on goo.gl/maps/y. See www.example.org!")
    assert [(link.text, link.host) for link in found] == [
        ("https://www.Dice.fm/event/x", "dice.fm"),
        ("goo.gl/maps/y", "goo.gl"),
        ("www.example.org", "example.org"),
    ]


@pytest.mark.parametrize(
    ("text", "links"),
    [
        (
            "سجل هنا https://example.org/a، ثم https://example.org/b؛ شكرا",
            ["https://example.org/a", "https://example.org/b"],
        ),
        (
            "Billets (https://example.org/a) et « https://example.org/b »",
            ["https://example.org/a", "https://example.org/b"],
        ),
        ("🎟️https://example.org/a 🎉", ["https://example.org/a"]),
        ("HTTP://EXAMPLE.ORG/A", ["HTTP://EXAMPLE.ORG/A"]),
    ],
)
def test_links_end_where_the_sentence_goes_on(text, links):
    assert written(text) == links


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Write to anna@example.org or anna@www.example.org/x",
        "C.R.E.A.M. from 8.30 p.m. to 2a.m.",
        "20h.Repas",
        "rock/pop/folk",
        "24/7, entre 18h/20h, 1.5/2",
        "Ouverture.Concert",
        "http://",
        "https://[",
        "https://intranet",
        "@acme on Instagram",
    ],
)
def test_what_only_resembles_one_is_none(text):
    assert written(text) == []


def test_one_address_is_one_link_however_it_is_spelled():
    assert written("https://www.example.org/a http://example.org/a/ example.org/A") == ["https://www.example.org/a"]


@pytest.mark.parametrize(
    "text", ["<a href='https://x.example'>x</a>", "< A class=b HREF=x>", "[url=https://x.example]x", "[/URL]"]
)
def test_markup_of_pages_and_forums(text):
    assert has_markup(text)


@pytest.mark.parametrize("text", ["<3 a lot", "[https://example.org]", "a < b", "[links]", "<a>"])
def test_brackets_alone_are_no_markup(text):
    assert not has_markup(text)


@pytest.mark.parametrize("link", ["https://bit.ly/x", "http://www.tinyurl.com/x", "cutt.ly/x"])
def test_shorteners_are_known(link):
    assert [found.leads_to(SHORTENERS) for found in links_in(link)] == [True]


@pytest.mark.parametrize(
    "link", ["https://youtu.be/x", "https://maps.app.goo.gl/x", "https://notbit.ly/x", "https://bit.ly.example/x"]
)
def test_a_services_own_short_links_and_other_hosts_are_no_shorteners(link):
    assert [found.leads_to(SHORTENERS) for found in links_in(link)] == [False]


@pytest.mark.parametrize("link", ["https://www.eventbrite.fr/e/x", "https://m.facebook.com/events/1"])
def test_platforms_are_known_with_all_that_is_below_them(link):
    assert [found.leads_to(PLATFORMS) for found in links_in(link)] == [True]


@pytest.mark.parametrize("email", ["a@mailinator.com", "a@YOPMAIL.com", "a@inbox.mailinator.com"])
def test_disposable_addresses(email):
    assert is_disposable(email)


@pytest.mark.parametrize(
    "email",
    ["", "a", "a@gmail.com", "a@laposte.net", "mailinator.com@example.org", "a@mailinator.com.example", "a@com"],
)
def test_other_addresses_are_kept(email):
    assert not is_disposable(email)


@pytest.mark.parametrize("piece", ["a", "a.", "a-", "www.", "https://", "a@", "[", "<a ", "a.b/", "http"])
def test_reading_takes_time_in_proportion_to_the_text(piece):
    text = piece * (3000 // len(piece))
    began = time.process_time()
    links_in(text)
    has_markup(text)
    assert time.process_time() - began < 0.1
