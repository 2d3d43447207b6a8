"""import_hits FILE: history from NDJSON, through the same pipeline, at the times it gives."""

import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from analytics.history import import_hits
from tinytrail.command import TinyCommand
from tinytrail.progress import Progress


class Command(TinyCommand):
    help = "Load history: one collect body a line, plus occurred_at, ip and user_agent. - reads standard input."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file")

    def run(self, **options: Any) -> tuple[str, dict[str, Any]]:  # noqa: ANN401
        file: str = options["file"]
        began = time.perf_counter()
        try:
            source = sys.stdin.buffer if file == "-" else Path(file).open("rb")  # noqa: SIM115 (closed below)
        except OSError as error:
            raise CommandError(f"Cannot read {file}: {error.strerror}.") from None
        with source, Progress(0 if file == "-" else Path(file).stat().st_size, "loading", self.stderr) as progress:
            tally = import_hits(source, now=timezone.now(), progress=progress.add)
        seconds = time.perf_counter() - began
        reasons = ", ".join(f"{count} {reason}" for reason, count in tally.reasons.most_common())
        sentence = (
            f"Stored {tally.stored:,} hits, {tally.flagged:,} of them flagged as bots or excluded, and refused "
            f"{tally.refused:,}{f' ({reasons})' if reasons else ''}, in {seconds:.1f} s."
        )
        return sentence, {
            "stored": tally.stored,
            "flagged": tally.flagged,
            "refused": tally.refused,
            "reasons": dict(tally.reasons),
            "seconds": round(seconds, 3),
        }
