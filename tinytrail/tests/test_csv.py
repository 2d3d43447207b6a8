"""CSV (contract 2.9, D-41; guarantee A78)."""

import pytest

from tinytrail.web.csv import cell, document


def test_a_document_has_a_header_and_a_line_per_row():
    rows = [{"path": "/a", "n": 2}, {"path": 'say "hi", all', "n": 1.5}]
    assert document(("path", "n"), rows) == 'path,n\r\n/a,2\r\n"say ""hi"", all",1.5\r\n'


def test_without_rows_the_header_stands_alone():
    assert document(("path", "n"), []) == "path,n\r\n"


def test_missing_and_null_values_are_empty_cells():
    assert document(("a", "b"), [{"a": None}]) == "a,b\r\n,\r\n"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "＝1", "＋1", "－1", "＠x"])
def test_text_that_a_spreadsheet_would_run_gets_an_apostrophe(text):
    assert cell(text) == f"'{text}"


@pytest.mark.parametrize("value", [-4.08, -1, 0, 12.5, "plain", "a=b", "/path"])
def test_numbers_and_plain_text_stay_as_they_are(value):
    assert cell(value) == value
