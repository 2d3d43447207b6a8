"""docs/scaling.md: what it calculates follows from what was measured, and what it says of tables is so."""

import math
import re

import pytest
from django.db import connection

from tinytrail.tests.engines import ROOT

TEXT = (ROOT / "docs/scaling.md").read_text()
EVENTS = (100_000_000, 10_000_000_000)
FUNCTIONS = {"ceil": math.ceil, "max": max}
BENCH = "".join(path.read_text() for path in (ROOT / "tinytrail/bench").glob("*.py"))


def rows(of: str) -> list[list[str]]:
    """The rows of the table whose second column is called so."""
    table = re.search(rf"^\| Name \| \*{of}\* .*\n\|[-|]+\n((?:\|.*\n)+)", TEXT, re.M)
    return [[cell.strip().strip("`") for cell in line.strip("|").split(" | ")] for line in table[1].splitlines()]


def number(text: str) -> float:
    return float(text.replace(",", "").strip(" |"))


GIVEN = {name: number(value) for name, _, value, *_ in rows("Measured") + rows("Assumed")}
CALCULATED = rows("Calculated")


@pytest.mark.parametrize(("column", "events"), [(3, EVENTS[0]), (4, EVENTS[1])])
def test_every_calculated_figure_is_what_its_formula_makes_of_the_measured_ones(column, events):
    known = {**GIVEN, "events": events}
    for name, _, formula, *_ in CALCULATED:
        known[name] = eval(formula, {"__builtins__": {}}, FUNCTIONS | known)
    shown = {row[0]: row[column].strip(" |") for row in CALCULATED}
    decimals = {name: len(figure.partition(".")[2]) for name, figure in shown.items()}
    assert shown == {name: f"{known[name]:,.{decimals[name]}f}" for name in shown}


def test_every_figure_is_used_and_every_name_in_a_formula_is_one():
    formulas = " ".join(formula for _, _, formula, *_ in CALCULATED)
    names = set(re.findall(r"\b[a-z_]+\b", re.sub(r"\d[\d_.e]*", "", formulas))) - set(FUNCTIONS) - {"events"}
    assert set(GIVEN) <= names <= set(GIVEN) | {row[0] for row in CALCULATED}


def test_every_measured_figure_is_a_line_of_the_bench():
    for _, _, _, line in rows("Measured"):
        words = line.partition(": ")[2].strip(" |")
        # As the code says it, where a part's name or a size is filled in.
        spelled = re.sub(r"batches of \d+", "batches of {size}", re.sub(r"of (web|Redis) per", "of {part} per", words))
        assert words in BENCH or spelled in BENCH or words.replace("of PostgreSQL per", "of {part} per") in BENCH, words


@pytest.mark.django_db
def test_the_tables_to_be_distributed_have_the_website_in_front_of_every_unique_key():
    listed = re.search(r"which Citus demands:\n\n((?: +`.*\n)+)", TEXT)
    tables = re.findall(r"`(\w+)`", listed[1])
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indrelid::regclass::text, bool_and(attname = 'website_id') FROM pg_index"
            " JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0]"
            " WHERE indisunique AND indrelid::regclass::text = ANY(%s) GROUP BY 1",
            [tables],
        )
        assert dict(cursor.fetchall()) == dict.fromkeys(tables, True)
    assert {"analytics_event", "analytics_visit"} < set(tables)
