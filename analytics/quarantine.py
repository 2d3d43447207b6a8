"""Trying again what the table of events refused, once the reason is gone."""

from dataclasses import dataclass

from analytics.ingest.writer import kept_row, store_once
from analytics.models import Quarantine


@dataclass(slots=True)
class Replayed:
    stored: int = 0
    refused: int = 0
    unreadable: int = 0


def replay() -> Replayed:
    """Store every row in quarantine that the table takes by now; the others stay, with the reason they have now."""
    replayed = Replayed()
    for kept in list(Quarantine.objects.order_by("id")):
        row = kept_row(kept)
        if row is None:
            replayed.unreadable += 1
            continue
        refused = store_once([row])
        # What is refused again has been kept again.
        kept.delete()
        replayed.refused += refused
        replayed.stored += not refused
    return replayed
