"""replay_quarantine: rows that the table of events refused, tried again."""

from dataclasses import asdict
from typing import Any

from analytics.quarantine import replay
from tinytrail.command import TinyCommand


class Command(TinyCommand):
    help = "Store the rows in quarantine that the table of events takes by now."

    def run(self, **options: Any) -> tuple[str, dict[str, Any]]:  # noqa: ANN401
        replayed = replay()
        sentence = (
            f"Stored {replayed.stored} rows; {replayed.refused} are refused still, {replayed.unreadable} unreadable."
        )
        return sentence, asdict(replayed)
