"""Who is calling (guarantees, Client address; A33 to A35)."""

import ipaddress

import pytest

from tinytrail.web import client

PROXIES = [ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("::1/128")]


def test_the_socket_is_the_client():
    assert client.address("203.0.113.9", "", PROXIES) == "203.0.113.9"


def test_an_untrusted_peer_cannot_name_another_client():
    assert client.address("203.0.113.9", "198.51.100.1", PROXIES) == "203.0.113.9"


def test_without_trusted_proxies_the_header_is_not_read():
    assert client.address("10.0.0.1", "198.51.100.1", []) == "10.0.0.1"


def test_behind_a_trusted_proxy_the_client_is_the_first_untrusted_hop_from_the_right():
    assert client.address("10.0.0.1", "1.1.1.1, 198.51.100.1, 10.2.3.4", PROXIES) == "198.51.100.1"


def test_a_chain_of_trusted_hops_only_ends_at_its_first():
    assert client.address("10.0.0.1", "10.1.1.1, 10.2.2.2", PROXIES) == "10.1.1.1"


@pytest.mark.parametrize("hop", ["unknown", "", "garbage", "256.1.1.1", "a" * 10_000, "\x00", '"'])
def test_a_hop_that_is_no_address_ends_the_walk_at_the_hop_before_it(hop):
    assert client.address("10.0.0.1", f"198.51.100.1, {hop}, 10.2.2.2", PROXIES) == "10.2.2.2"


def test_a_hundred_hops_are_no_trouble():
    assert client.address("10.0.0.1", ",".join(["198.51.100.1"] * 100), PROXIES) == "198.51.100.1"


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("198.51.100.1:4711", "198.51.100.1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("2001:DB8::1", "2001:db8::1"),
        ('"[2001:db8::1]"', "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("::ffff:198.51.100.1", "198.51.100.1"),
        (" 198.51.100.1 ", "198.51.100.1"),
    ],
)
def test_ports_brackets_quotes_zones_and_mapped_addresses_are_read(written, address):
    assert client.address("::1", written, PROXIES) == address


def test_no_address_at_all_is_empty():
    assert client.address("", "198.51.100.1", PROXIES) == ""


def test_limits_count_a_v6_network_of_64_bits_together():
    assert client.neighbourhood("2001:db8::1") == client.neighbourhood("2001:db8::ffff:1") == "2001:db8::/64"


def test_limits_count_each_v4_address_for_itself():
    assert client.neighbourhood("198.51.100.1") == "198.51.100.1"


def test_a_limit_key_tells_nothing_of_the_address_and_differs_by_limit():
    key = client.limit_key("collect", "198.51.100.1", b"secret")
    assert (len(key), "198" in key) == (64, False)
    assert key != client.limit_key("track", "198.51.100.1", b"secret")
    assert key != client.limit_key("collect", "198.51.100.1", b"other")
