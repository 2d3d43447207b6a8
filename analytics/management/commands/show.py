"""show KIND: the newest stored rows."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from accounts.commands import live_website
from analytics.showing import KINDS, show
from tinytrail.command import TinyCommand


class Command(TinyCommand):
    help = "Show the newest stored rows."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("kind", choices=KINDS)
        parser.add_argument("--website", metavar="ID")
        parser.add_argument("--limit", type=int, default=20, help="0 for all")

    def run(self, **options: Any) -> tuple[str, dict[str, Any]]:  # noqa: ANN401
        kind, website, limit = options["kind"], options["website"], options["limit"]
        if limit < 0:
            raise CommandError("--limit must be 0 (all) or more.")
        rows = show(kind, live_website(website) if website else None, limit)
        if not options["json"]:
            for row in rows:
                self.stdout.write(json.dumps(row, ensure_ascii=False))
        return f"{len(rows)} {kind}.", {"rows": rows}
