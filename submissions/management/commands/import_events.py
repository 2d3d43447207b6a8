"""import_events FILE: the events of a CSV file."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from accounts.commands import live_website
from submissions import calendars
from submissions.importing import NotEvents, import_events
from tinytrail.command import TinyCommand
from tinytrail.progress import Progress


class Command(TinyCommand):
    help = (
        "Publish the events of a CSV file on a website's calendar. The first line names the columns as the submissions "
        "API does: eventName, date, startTime, location and any of the others. - reads standard input."
    )

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file")
        parser.add_argument("--website", required=True, metavar="ID")

    def run(self, **options: Any) -> tuple[str, dict[str, Any]]:  # noqa: ANN401
        website = live_website(options["website"])
        data = contents(options["file"])
        with Progress(data.count(b"\n") + 1, "loading", self.stderr) as progress:
            try:
                tally = import_events(calendars.of_website(website), data, now=timezone.now(), progress=progress.add)
            except NotEvents as refusal:
                raise CommandError(str(refusal)) from None
        for line, reason in tally.refusals:
            self.stderr.write(f"Line {line}: {reason}", style_func=str)
        ignored = f" These columns mean nothing here: {', '.join(tally.ignored)}." if tally.ignored else ""
        sentence = (
            f"Created {tally.created:,} events, skipped {tally.skipped:,} that were there already, "
            f"refused {tally.refused:,} lines.{ignored}"
        )
        return sentence, {
            "created": tally.created,
            "skipped": tally.skipped,
            "refused": tally.refused,
            "refusals": [{"line": line, "reason": reason} for line, reason in tally.refusals],
            "ignored": tally.ignored,
        }


def contents(file: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise CommandError(f"Cannot read {file}: {error.strerror}.") from None
