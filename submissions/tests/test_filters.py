"""What searches and the ten filter groups match, and what is read of prices, ages and places (contract 3.3)."""

import math
from datetime import date, time

import pytest

from submissions import filters
from submissions.filters import filtering, searching
from submissions.models import CatalogEvent
from submissions.text import folded


def entry(**given):
    event = CatalogEvent(id=1, **({"name": "Fête Électro", "location": "Le Sunset, Paris"} | given))
    event.search_text = folded(" ".join((event.name, event.location, event.genre, event.notes)))
    return filters.entry_of(event)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("fete", True),
        ("FÊTE", True),
        ("electro sunset", True),
        ("sunset elec", True),
        ("elec,", True),
        ("techno", False),
        ("fete techno", False),
        ("", False),
        ("?!", False),
        ("🎷", True),
        ("جاز", True),
    ],
)
def test_a_search_finds_every_word_as_a_part_of_the_texts(query, found):
    assert searching(query)(entry(notes="🎷 ليلة الجاز")) is found


JUNE_20_TO_22 = {"starts_on": date(2026, 6, 20), "ends_on": date(2026, 6, 22), "starts_at": time(22)}


@pytest.mark.parametrize(
    ("given", "group", "value", "found"),
    [
        (JUNE_20_TO_22, "date_range", "2026-06-22:2026-06-30", True),
        (JUNE_20_TO_22, "date_range", "2026-06-01:2026-06-20", True),
        (JUNE_20_TO_22, "date_range", "2026-06-23:any", False),
        (JUNE_20_TO_22, "date_range", "any:2026-06-19", False),
        (JUNE_20_TO_22, "date_range", "any:any", True),
        (JUNE_20_TO_22, "date_range", "2026-06-21", True),
        (JUNE_20_TO_22, "date_range", "tomorrow:any", False),
        ({}, "date_range", "2026-06-01:any", False),
        ({}, "date_range", "any:any", True),
        ({"starts_at": time(6)}, "day_night", "day", True),
        ({"starts_at": time(21, 59)}, "day_night", "night", False),
        ({"starts_at": time(22)}, "day_night", "night", True),
        ({"starts_at": time(5, 59)}, "day_night", "Night", True),
        ({}, "day_night", "day", False),
        ({}, "day_night", "night", False),
        ({"starts_at": time(6)}, "day_night", "noon", False),
        ({"arrondissement": "11e"}, "arrondissement", "11", True),
        ({"arrondissement": "75011"}, "arrondissement", "11th", True),
        ({"arrondissement": "Paris 1er"}, "arrondissement", "11", False),
        ({"arrondissement": "1st"}, "arrondissement", "3, 1", True),
        ({"arrondissement": "Montreuil"}, "arrondissement", "MONTREUIL", True),
        ({"arrondissement": ""}, "arrondissement", "unknown", True),
        ({"arrondissement": "1st"}, "arrondissement", "unknown", False),
        ({"genre": "Deep House, Techno"}, "genre", "house", True),
        ({"genre": "Deep House, Techno"}, "genre", "deep house", True),
        ({"genre": "Deep House, Techno"}, "genre", "tech", False),
        ({"genre": "R&B"}, "genre", "r&b", True),
        ({"genre": "Coupé-Décalé"}, "genre", "coupé décalé", True),
        ({"genre": ""}, "genre", "house", False),
        ({"notes": "Artists from Mali and France"}, "nationality", "mali", True),
        ({"notes": "Artists from Mali"}, "nationality", "fr", False),
        ({"notes": "On a boat"}, "venue_type", "boat", True),
        ({"notes": "On a boat"}, "venue_type", "club", False),
        ({"setting": "Outdoor"}, "venue_type", "outdoor", True),
        ({"notes": "outdoor"}, "venue_type", "outdoor", False),
        ({"setting": "Indoor/Outdoor"}, "venue_setting", "indoor", True),
        ({"setting": "Indoor/Outdoor"}, "venue_setting", "outdoor", True),
        ({"setting": "mixed"}, "venue_setting", "outdoor", True),
        ({"setting": "Intérieur"}, "venue_setting", "outdoor", False),
        ({"setting": "plein air"}, "venue_setting", "outdoor", True),
        ({"setting": ""}, "venue_setting", "all", True),
        ({"setting": ""}, "venue_setting", "indoor", False),
        ({"is_featured": True}, "oooc_pick", "yes", True),
        ({"is_featured": True}, "oooc_pick", "no", False),
        ({}, "oooc_pick", "no", True),
        ({}, "oooc_pick", "maybe", False),
        ({"price": "15€"}, "price_range", "0:20", True),
        ({"price": "15€"}, "price_range", "any:10", False),
        ({"price": "from 10€"}, "price_range", "50:any", True),
        ({"price": "gratuit"}, "price_range", "0:0", True),
        ({"price": "see link"}, "price_range", "0:20", False),
        ({"price": "see link"}, "price_range", "any:any", True),
        ({"price": "15€"}, "price_range", "cheap:any", False),
        ({"age": "18+"}, "age_range", "18:25", True),
        ({"age": "21+"}, "age_range", "any:20", False),
        ({"age": ""}, "age_range", "18:25", False),
        ({"price": "15€"}, "no_such_group", "15", False),
        ({"genre": "House"}, " GENRE ", " HOUSE ", True),
    ],
)
def test_a_filter_matches(given, group, value, found):
    assert filtering(group, value)(entry(**given)) is found


def test_every_group_of_the_contract_is_known():
    assert set(filters.GROUPS) == {
        "date_range",
        "day_night",
        "arrondissement",
        "genre",
        "nationality",
        "venue_type",
        "venue_setting",
        "oooc_pick",
        "price_range",
        "age_range",
    }


@pytest.mark.parametrize("group", sorted(filters.GROUPS))
@pytest.mark.parametrize("value", ["", ":", "::::", "nan:nan", "inf:-inf", "(", "9" * 120, ",,,", "\u0660:\u0661"])
def test_no_value_fails(group, value):
    assert filtering(group, value)(entry(price="5", age="18", **JUNE_20_TO_22)) in (True, False)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("15€", (15, 15)),
        ("10-20 €", (10, 20)),
        ("12,50 €", (12.5, 12.5)),
        ("Free", (0, 0)),
        ("Entrée libre", (0, 0)),
        ("مجانا", (0, 0)),
        ("Free before 23h, then 10€", (0, 10)),
        ("Free before 11:30 pm then £5", (0, 5)),
        ("from 8€", (8, math.inf)),
        ("à partir de 8 euros", (8, math.inf)),
        ("10€+", (10, math.inf)),
        ("", None),
        ("TBC", None),
    ],
)
def test_prices(text, read):
    assert filters.prices(text) == read


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("18+", (18, math.inf)),
        ("18", (18, math.inf)),
        ("18-25", (18, 25)),
        ("tout public", (0, math.inf)),
        ("All ages", (0, math.inf)),
        ("under 12", (0, 12)),
        ("moins de 12 ans", (0, 12)),
        ("-12 ans", (0, 12)),
        ("", None),
        ("adults", None),
    ],
)
def test_ages(text, read):
    assert filters.ages(text) == read


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("1st", "1"),
        ("1er", "1"),
        ("2ème", "2"),
        ("20e", "20"),
        ("75001", "1"),
        ("75 020", "20"),
        ("Paris 18ème", "18"),
        ("21", "21"),
        ("Saint-Ouen", "saint-ouen"),
        ("", ""),
    ],
)
def test_arrondissements(text, read):
    assert filters.arrondissement(text) == read
