"""Every reason under which a call is refused has a likely cause in words."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from analytics.ingest.reading import Outcome
from analytics.reasons import CAUSES, OTHER, cause

ROOT = Path(__file__).parents[2]
# Where the reason stands among the arguments of what refuses.
PLACES = {"BadBody": 0, "refused": 0, "count_refusal": 0, "unavailable": 0, "Refused": 1, "Refusal": 1}
# What is stored, and what has a reason of its own.
NO_REASONS = (Outcome.STORED, Outcome.EXCLUDED, Outcome.REFUSED)
REASON = re.compile(r"[a-z_0-9]+")
FOLDERS = ("analytics/api", "analytics/ingest", "tinytrail/web", "submissions")


def test_a_cause_is_a_sentence_and_an_unknown_reason_has_one_too() -> None:
    assert cause("unknown_event").startswith("No published event")
    assert cause("made_up") == OTHER
    assert all(sentence.endswith(".") for sentence in CAUSES.values())


def test_no_reason_in_the_code_is_without_its_cause() -> None:
    found = set(reasons())
    assert {"malformed_json", "unknown_event", "invalid_product", "unauthorized", "closed"} <= found
    assert found - CAUSES.keys() == set()


def reasons() -> Iterator[str]:
    yield from (outcome.value for outcome in Outcome if outcome not in NO_REASONS)
    yield from ("invalid_pics", "invalid_ab_testing", "rate_limited_ip", "rate_limited_email")
    for folder in FOLDERS:
        for file in (ROOT / folder).rglob("*.py"):
            if "tests" not in file.parts and "migrations" not in file.parts:
                yield from reasons_in(ast.parse(file.read_text()))


def reasons_in(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        place = PLACES.get(name)
        given = node.args[place] if place is not None and len(node.args) > place else None
        if isinstance(given, ast.Constant) and isinstance(given.value, str) and REASON.fullmatch(given.value):
            yield given.value
