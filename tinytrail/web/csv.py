"""CSV that a spreadsheet opens without running anything in it."""

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

# What a spreadsheet takes for the beginning of a formula, full-width forms included (contract D-41, guarantee A78).
FORMULA = re.compile(r"[=+\-@\t\r＝＋－＠]")


def document(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """The header and one line per row, with CRLF; a missing or null value is an empty cell."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([cell(row.get(column)) for column in columns])
    return out.getvalue()


def cell(value: Any) -> Any:  # noqa: ANN401 (any scalar)
    """The value as it may stand in a cell: text that would be a formula gets a leading apostrophe, numbers never."""
    if isinstance(value, str) and FORMULA.match(value):
        return "'" + value
    return "" if value is None else value
