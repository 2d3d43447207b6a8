"""Keys and slugs of catalogue events (contract 4.8)."""

import hashlib
from itertools import islice

import pytest

from submissions import eventkey

ROW = {"title": "Jazz Night", "date": "2026-06-20", "startTime": "20:00", "location": "Le Sunset", "notes": "Été"}
PAIRS = (
    "ageGuidance:|audienceCountry:|categories:|curated:|date:2026-06-20|districtArea:|endTime:|hostCountry:|"
    "location:le sunset|notes:ete|price:|primaryUrl:|setting:|startTime:20:00|tags:|title:jazz night"
)


def sha(text):
    return "evt_" + hashlib.sha256(text.encode()).hexdigest()[:16]


def test_it_works():
    assert next(eventkey.keys(ROW)) == sha(PAIRS)


def test_a_taken_key_is_salted_from_1_on():
    assert list(islice(eventkey.keys(ROW), 3)) == [sha(PAIRS), sha(f"{PAIRS}|salt:1"), sha(f"{PAIRS}|salt:2")]


def test_columns_stand_in_alphabetical_order_and_the_key_is_none():
    assert list(eventkey.COLUMNS) == sorted(eventkey.COLUMNS, key=str.lower)
    assert "eventKey" not in eventkey.COLUMNS


@pytest.mark.parametrize("title", ["  JAZZ \t night ", "Jàzz Níght", "Jazz\nNight"])
def test_accents_case_and_space_make_no_other_key(title):
    assert next(eventkey.keys(ROW | {"title": title})) == sha(PAIRS)


@pytest.mark.parametrize("change", [{"title": "Jazz Nights"}, {"price": "5"}, {"tags": "x"}, {"curated": "yes"}])
def test_every_column_makes_another_key(change):
    assert next(eventkey.keys(ROW | change)) != sha(PAIRS)


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Jazz Night at Le Sunset", "jazz-night-at-le-sunset"),
        ("  Été -- à l'Île!  ", "ete-a-l-ile"),
        ("ليلة الجاز", "event"),
        ("🎷🎷", "event"),
        ("", "event"),
        ("x" * 200, "x" * 80),
        ("a" * 79 + " b", "a" * 79),
        ("../../etc/passwd", "etc-passwd"),
    ],
)
def test_slugs(name, slug):
    assert eventkey.slug(name) == slug
