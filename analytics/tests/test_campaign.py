import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.ingest.campaign import LONGEST, campaign
from analytics.tests.hits import a_hit, a_site

NOTHING = {"utm_source": None, "utm_medium": None, "utm_campaign": None}


def of(query: str = "", **fields: str) -> dict[str, str | None]:
    return campaign(a_hit(url=f"https://acme.example/{query}", **fields), a_site())


def source(value: str) -> str | None:
    return of(f"?utm_source={value}")["utm_source"]


def test_it_works():
    assert of("?a=1&utm_source=newsletter&utm_medium=email&utm_campaign=spring#top") == {
        "utm_source": "newsletter",
        "utm_medium": "email",
        "utm_campaign": "spring",
    }


@pytest.mark.parametrize(
    "query", ["", "?", "?a=1", "?utm_source", "?utm_source=&utm_medium=%20&utm_campaign=+", "?utm_=x"]
)
def test_what_is_absent_or_empty_is_none(query):
    assert of(query) == NOTHING


def test_a_stated_field_wins_over_the_query():
    assert of("?utm_source=query&utm_medium=cpc", utm_source="body", utm_campaign="spring") == {
        "utm_source": "body",
        "utm_medium": "cpc",
        "utm_campaign": "spring",
    }


def test_a_stated_field_that_is_empty_does_not():
    assert of("?utm_source=query", utm_source="", utm_medium="  ") == NOTHING | {"utm_source": "query"}


def test_a_stated_field_is_taken_literally():
    assert of(utm_source="a%20b+c")["utm_source"] == "a%20b+c"


def test_a_value_of_the_query_is_decoded():
    assert source("spring%20sale") == source("spring+sale") == "spring sale"
    assert source("caf%C3%A9%26more") == "café&more"
    assert source("100%") == "100%"


def test_of_several_the_first_that_says_something_wins():
    assert source("&utm_source=first&utm_source=second") == "first"


def test_only_the_query_counts():
    assert of("utm_source=path") == NOTHING
    assert of("#?utm_source=fragment") == NOTHING
    assert of("?next=/utm_source=nested") == NOTHING


def test_names_are_whole_and_in_lower_case():
    assert of("?xutm_source=a&utm_sources=b&UTM_SOURCE=c&utm_source_platform=d") == NOTHING


def test_a_long_value_is_cut():
    assert source("x" * 300) == "x" * LONGEST
    assert of(utm_source="é" * 300)["utm_source"] == "é" * LONGEST


def test_a_value_never_holds_what_postgresql_refuses():
    assert source("a%00b%0D%0Ac") == "abc"
    assert source("a%ED%A0%80") == "a\ufffd\ufffd\ufffd"
    assert of(utm_source="a\ud800b\0")["utm_source"] == "a\ufffdb"
    assert source("%00") is None


def test_an_email_address_is_not_kept():
    assert source("canary%40example.test") == source("canary@example.test") == "*@*"
    assert of(utm_campaign="to canary@example.test")["utm_campaign"] == "to *@*"


@given(st.text(max_size=300), st.text(max_size=300))
def test_every_value_can_be_stored(query, field):
    for value in of(f"?utm_source={query}", utm_medium=field).values():
        assert value is None or 0 < len(value.encode()) <= 4 * LONGEST
        assert value is None or "\0" not in value
