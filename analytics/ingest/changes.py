"""What changes beside events, in the transaction that stores them: by functions of the database, one for each kind.

A function is given the changes of a batch as one JSON array, in their order, and answers with an array of codes, one
for each. It takes its locks in one order whatever the order of the changes, or two processes could wait for each other.
"""

from collections.abc import Iterator, Sequence

from analytics.ingest.reading import Outcome
from analytics.ingest.row import Row

FUNCTIONS: dict[str, str] = {"order": "analytics_take_orders", "profile": "analytics_change_profiles"}

# The codes of the functions. A repeat is a change that was made before: its event is not stored again.
DONE, REPEATED, CONFLICT, IMPOSSIBLE = range(4)
REFUSED = {CONFLICT: Outcome.CONFLICT, IMPOSSIBLE: Outcome.IMPOSSIBLE}

Calls = Iterator[tuple[list[Row], str, str]]


def calls(rows: Sequence[Row]) -> Calls:
    """For each kind among the rows' changes, in a fixed order: its rows, the statement, and its one parameter."""
    for kind, function in sorted(FUNCTIONS.items()):
        changed = [row for row in rows if row.change and row.change.kind == kind]
        if changed:
            data = b",".join(row.change.data for row in changed if row.change)
            yield changed, f"SELECT {function}(%s::jsonb)", f"[{data.decode()}]"


def unmade(rows: Sequence[Row], codes: Sequence[int]) -> dict[bytes, Outcome | None]:
    """Of rows with their changes' codes the keys of those not made: why, or None if they were made before."""
    return {row.key: REFUSED.get(code) for row, code in zip(rows, codes, strict=True) if code != DONE}
