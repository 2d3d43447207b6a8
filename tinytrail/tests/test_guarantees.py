"""docs/guarantees.md names a test for every guarantee, and every test that a document names exists."""

import ast
import re
from functools import cache

import pytest

from tinytrail.tests.engines import ROOT

# Faults are numbered with gaps: the number of one that is gone is never given to another.
IDS = {
    *(f"F{number:02}" for number in (*range(1, 8), *range(9, 16), *range(18, 25), 26, 28, 29, 31, 33, 36, 37)),
    *(f"A{number}" for number in range(1, 97)),
    *(f"P{number:02}" for number in range(1, 26)),
}
ROW = re.compile(r"^\| ([FAP]\d+) \| (.*) \| (.*) \|$", re.M)
NAMED = re.compile(r"`([\w/]+\.py)?::(\w+)`")
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


@cache
def found_in(file: str) -> frozenset[str]:
    tree = ast.parse((ROOT / file).read_text())
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def named_in(text: str) -> list[tuple[str, str]]:
    """File and name of each test; `::name` is of the file before it."""
    named, last = [], ""
    for file, name in NAMED.findall(text):
        last = file or last
        named.append((last, name))
    return named


def rows() -> dict[str, str]:
    return {id: proof for id, _, proof in ROW.findall((ROOT / "docs/guarantees.md").read_text())}


def test_every_guarantee_has_one_row() -> None:
    ids = [id for id, _, _ in ROW.findall((ROOT / "docs/guarantees.md").read_text())]
    assert sorted(ids) == sorted(IDS)


def test_every_guarantee_has_a_test() -> None:
    assert {id for id, proof in rows().items() if not named_in(proof)} == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.stem)
def test_every_test_that_is_named_exists(document) -> None:
    assert [(file, name) for file, name in named_in(document.read_text()) if name not in found_in(file)] == []
