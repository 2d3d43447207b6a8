import pytest

from accounts import domains


def test_it_works():
    assert domains.check(" Www.Example.COM ") == "www.example.com"


@pytest.mark.parametrize(
    "domain",
    ["example.com", "a.b.c.example", "xn--bcher-kva.example", "localhost", "intranet", "127.0.0.1", "1.example"]
    + ["a" * 63 + ".example", "a--b.example", ".".join(["a" * 63] * 3 + ["b" * 63])],
)
def test_host_names_are_domains(domain):
    assert domains.check(domain) == domain


@pytest.mark.parametrize(
    "domain",
    ["http://example.com", "example.com:8000", "example.com/", "example.com/path", "ex ample.com", "a_b.example"]
    + ["-a.example", "a-.example", ".example", "example.", "a..b", "user@example.com", "*.example.com", "[::1]", "::1"]
    + ["a" * 64 + ".example", ".".join(["a" * 63] * 4) + ".b", "exam\tple.com", "example.com\nx", "a,b", "<b>"],
)
def test_what_is_more_or_less_than_a_host_name_is_refused(domain):
    with pytest.raises(ValueError, match="domain must"):
        domains.check(domain)


@pytest.mark.parametrize("domain", ["bücher.example", "ехample.com", "example。com", "ｅxample.com"])
def test_other_scripts_are_told_their_xn_form(domain):
    with pytest.raises(ValueError, match="xn--"):
        domains.check(domain)


@pytest.mark.parametrize("domain", ["", "  ", None, 5, True, ["example.com"], {}])
def test_nothing_and_other_types_are_refused(domain):
    with pytest.raises(ValueError, match="domain"):
        domains.check(domain)
