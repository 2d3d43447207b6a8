import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.exclusion import MOST_ENTRIES, Exclusions, check, parse

ACME_OFFICE = "203.0.113.77"
VISITOR = "198.51.100.4"


def test_it_works():
    excluded = Exclusions([ACME_OFFICE, "10.0.0.0/8", "2001:db8::/32", "192.0.2.10-192.0.2.20"])
    asked = [ACME_OFFICE, "10.1.2.3", "2001:db8::77", "192.0.2.10", "192.0.2.20", VISITOR, "192.0.2.21", "2001:db9::1"]
    assert [address in excluded for address in asked] == [True, True, True, True, True, False, False, False]


def test_without_entries_nobody_is_excluded():
    assert ACME_OFFICE not in Exclusions([])
    assert "nonsense" not in Exclusions([])


@pytest.mark.parametrize("entry", ["203.0.113.77", "::ffff:203.0.113.77", "::ffff:203.0.113.0/120", "203.0.113.70/28"])
@pytest.mark.parametrize("address", ["203.0.113.77", "::ffff:203.0.113.77", "::FFFF:cb00:714d"])
def test_an_ipv4_address_within_ipv6_is_an_ipv4_address(entry, address):
    assert address in Exclusions([entry])


def test_host_bits_of_a_network_do_not_matter():
    assert parse("10.0.0.1/8") == parse("10.0.0.0/8") == (4, 10 << 24, (11 << 24) - 1)


def test_a_range_includes_both_ends():
    excluded = Exclusions(["192.0.2.1 - 192.0.2.3", "2001:db8::1-2001:db8::3"])
    for first in ("192.0.2.", "2001:db8::"):
        assert [f"{first}{last}" in excluded for last in range(5)] == [False, True, True, True, False]


@pytest.mark.parametrize(("everybody", "somebody", "other"), [("0.0.0.0/0", VISITOR, "::1"), ("::/0", "::1", VISITOR)])
def test_all_addresses_of_a_family_can_be_excluded(everybody, somebody, other):
    excluded = Exclusions([everybody])
    assert (somebody in excluded, other in excluded) == (True, False)
    assert excluded.covers_everybody


def test_two_halves_are_everybody_too():
    assert Exclusions(["0.0.0.0/1", "128.0.0.0/1"]).covers_everybody
    assert not Exclusions(["0.0.0.0/1", "::/1"]).covers_everybody


@pytest.mark.parametrize(
    "address",
    [
        "",
        "unknown",
        "203.0.113",
        "203.0.113.077",
        "203.0.113.77:80",
        "[::1]",
        "fe80::1%eth0",
        "1.2.3.4\0",
        "\ud800",
        "٣",
    ],
)
def test_what_is_no_address_is_not_excluded(address):
    assert address not in Exclusions(["0.0.0.0/0", "::/0"])


@pytest.mark.parametrize(
    "entry",
    [
        "",
        "acme.example",
        "01.2.3.4",
        "1.2.3",
        "1.2.3.4.5",
        "256.1.1.1",
        "fe80::1%eth0",
        "fe80::1%eth0/64",
        "10.0.0.0/33",
        "10.0.0.0/-1",
        "10.0.0.0/255.0.0.0",
        "10.0.0.0/",
        "/8",
        "192.0.2.9-192.0.2.1",
        "192.0.2.1-2001:db8::1",
        "192.0.2.1-",
        "-192.0.2.1",
        "10.0.0.0/8-11.0.0.0/8",
        "1.2.3.4,5.6.7.8",
        "1.2.3.4\0",
        "1.2.3.٤",
        "\ud800",
        "1" * 10_000,
    ],
)
def test_what_is_no_entry_is_refused(entry):
    with pytest.raises(ValueError, match=r"^must be an address, a network, or a range with its lower end first"):
        parse(entry)


def test_entries_are_kept_trimmed_and_otherwise_as_they_came():
    assert check([" 10.0.0.1/8 ", "::ffff:192.0.2.1"]) == ["10.0.0.1/8", "::ffff:192.0.2.1"]
    assert check([]) == []


@pytest.mark.parametrize(
    ("entries", "sentence"),
    [
        (None, "excluded_ips must be a list of strings"),
        ("10.0.0.0/8", "excluded_ips must be a list of strings"),
        ({"10.0.0.0/8": True}, "excluded_ips must be a list of strings"),
        ([ACME_OFFICE, 10], r"excluded_ips\[1\] must be a string"),
        ([None], r"excluded_ips\[0\] must be a string"),
        ([ACME_OFFICE, "01.2.3.4"], r"excluded_ips\[1\] must be an address.*not '01\.2\.3\.4'"),
        ([ACME_OFFICE] * (MOST_ENTRIES + 1), "excluded_ips must have at most 1000 entries"),
    ],
)
def test_the_sentence_names_the_wrong_entry(entries, sentence):
    with pytest.raises(ValueError, match=sentence):
        check(entries)


def test_as_many_entries_as_are_allowed_are_accepted():
    assert len(check([f"10.0.{n // 250}.{n % 250}" for n in range(MOST_ENTRIES)])) == MOST_ENTRIES


def test_the_sentence_can_be_sent_as_json():
    with pytest.raises(ValueError, match="must be an address") as refusal:
        check(["\ud800\0"])
    str(refusal.value).encode()


small = st.integers(0, 300).map(lambda n: ipaddress.IPv4Address(n + (10 << 24)))
ranges = st.tuples(small, small).map(sorted)


@given(st.lists(ranges, max_size=8), small)
def test_it_answers_as_a_look_at_every_range_would(spans, address):
    entries = [f"{first}-{last}" for first, last in spans]
    assert (str(address) in Exclusions(entries)) == any(first <= address <= last for first, last in spans)


def refusal(entry: str) -> str:
    try:
        parse(entry)
    except ValueError as error:
        return str(error)
    return ""


@given(st.text("0123456789abcdef.:/-% \0\ud800", max_size=40) | st.text(max_size=40))
def test_whatever_is_written_is_accepted_or_refused_with_a_sentence(text):
    assert refusal(text)[:18] in ("", "must be an address")
    assert (text in Exclusions(["192.0.2.1"])) == (text == "192.0.2.1")
