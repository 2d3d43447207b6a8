"""Events from a CSV file, each on its own: a line that is refused never stops the rest, and a file may be loaded twice.

The header names fields as the contract does (4.1), or as the calendar's sheet does (4.7).
"""

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from submissions import catalog
from submissions.catalog import COLUMNS, CONTRACT_NAMES, LENGTHS, Unpublishable
from submissions.models import Calendar, CatalogEvent
from tinytrail.web.csv import FORMULA

REQUIRED = ("name", "date", "start_time", "location")
NAMES: Mapping[str, str] = {name.lower(): known for names in (COLUMNS, CONTRACT_NAMES) for known, name in names.items()}
# A quote that is never closed would take the rest of the file for one cell: longer cells have more lines than notes.
MOST_LINES_OF_A_RECORD = 200
MOST_REFUSALS_TOLD = 100
Cells = Sequence[str]


class NotEvents(ValueError):
    """A file that is refused as a whole, with a sentence."""


@dataclass
class Tally:
    """What came of a file. Lines are counted from 1, the header included."""

    created: int = 0
    skipped: int = 0
    refused: int = 0
    # The first refusals, with their line.
    refusals: list[tuple[int, str]] = field(default_factory=list)
    # Columns that mean nothing here.
    ignored: list[str] = field(default_factory=list)

    def refuse(self, line: int, reason: str) -> None:
        self.refused += 1
        if len(self.refusals) < MOST_REFUSALS_TOLD:
            self.refusals.append((line, reason))


def import_events(
    calendar: Calendar, data: bytes, *, now: datetime, progress: Callable[[int], object] = lambda lines: None
) -> Tally:
    """Create what is new in the file. `progress` is told of lines. Raises NotEvents."""
    # What is not UTF-8 is refused where it stands.
    lines = list(io.StringIO(data.decode("utf-8-sig", "surrogateescape"), newline=""))
    if not lines:
        raise NotEvents("The file is empty.")
    delimiter = max(",;\t", key=lines[0].count)
    try:
        header = next(csv.reader(lines[:1], delimiter=delimiter))
    except csv.Error as error:
        raise NotEvents(f"The first line is no CSV: {error}.") from None
    fields = fields_of(header)
    tally = Tally(ignored=[name for name, known in zip(header, fields, strict=True) if known is None])
    seen = known_events(calendar)
    for number, line, cells in records(lines, delimiter):
        progress(line)
        try:
            given = row(fields, cells)
            if given is None:
                continue
            if (fingerprint := tuple(given[name] for name in LENGTHS)) in seen:
                tally.skipped += 1
                continue
            catalog.create(calendar, now=now, is_featured=False, **given)
            seen.add(fingerprint)
            tally.created += 1
        except Unpublishable as refusal:
            tally.refuse(number, str(refusal))
    return tally


def fields_of(header: Cells) -> list[str | None]:
    """The field of each column. Raises NotEvents when one is missing or there twice."""
    fields = [NAMES.get(re.sub(r"[\s_/-]", "", name).lower()) for name in header]
    missing = [CONTRACT_NAMES[name] for name in REQUIRED if name not in fields]
    if missing:
        raise NotEvents(
            f"The first line must name the columns; missing: {', '.join(missing)}. "
            f"Known are {', '.join(CONTRACT_NAMES.values())}."
        )
    twice = {name for name in fields if name and fields.count(name) > 1}
    if twice:
        raise NotEvents(f"These columns are there twice: {', '.join(CONTRACT_NAMES[name] for name in sorted(twice))}.")
    return fields


def records(lines: list[str], delimiter: str) -> Iterator[tuple[int, int, Cells | str]]:
    """After the header: the line a record begins at, how many lines it takes, and its cells or why it has none."""
    at = 1
    while at < len(lines):
        reader = csv.reader(islice(lines, at, at + MOST_LINES_OF_A_RECORD), delimiter=delimiter, strict=True)
        try:
            cells: Cells | str = next(reader)
            taken = reader.line_num
        except csv.Error as error:
            # What follows is read anew, also when a quote had swallowed it.
            cells, taken = f"The line is no CSV: {error}.", 1
        yield at + 1, taken, cells
        at += taken


def row(fields: Sequence[str | None], cells: Cells | str) -> dict[str, str] | None:
    """Every field of an event, None for a blank line. Raises Unpublishable."""
    if isinstance(cells, str):
        raise Unpublishable(cells)
    if not any(cell.strip() for cell in cells):
        return None
    if len(cells) > len(fields):
        raise Unpublishable(f"The line has {len(cells)} cells, the first line {len(fields)}.")
    # Files that we write have an apostrophe before what a spreadsheet would run.
    plain = [cell[1:] if cell[:1] == "'" and FORMULA.match(cell[1:]) else cell for cell in cells]
    given = dict.fromkeys(LENGTHS, "") | {name: cell for name, cell in zip(fields, plain, strict=False) if name}
    return {name: catalog.cleaned(name, text) for name, text in given.items()}


def known_events(calendar: Calendar) -> set[tuple[str, ...]]:
    return set(CatalogEvent.objects.filter(calendar=calendar).values_list(*LENGTHS))


def document_example() -> str:
    """The first line of a file, for people who make one."""
    out = io.StringIO()
    csv.writer(out).writerow(CONTRACT_NAMES.values())
    return out.getvalue().strip()
