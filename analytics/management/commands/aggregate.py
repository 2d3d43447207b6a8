"""aggregate: builds a day, or all days, anew from their events."""

from argparse import ArgumentParser
from datetime import UTC, date, timedelta
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from accounts.commands import live_website
from analytics.rollups.aggregate import aggregate, all_days
from analytics.rollups.build import build
from tinytrail.command import TinyCommand
from tinytrail.progress import Progress


class Command(TinyCommand):
    help = "Rebuild the roll-ups of a day (yesterday in UTC when none is given), or of all days."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--date", metavar="YYYY-MM-DD")
        parser.add_argument("--website", metavar="ID")
        parser.add_argument("--all", action="store_true", help="every day that has events")

    def run(self, **options: Any) -> tuple[str, dict[str, Any]]:  # noqa: ANN401
        now = timezone.now()
        website = live_website(options["website"]).id if options["website"] else None
        if options["all"] and options["date"]:
            raise CommandError("Give either --date or --all.")
        if options["all"]:
            days = list(all_days(website))
            with Progress(len(days), "building", self.stderr) as progress:
                for website_id, day in days:
                    build(website_id, day, now=now)
                    progress.add(1)
            return f"Built {len(days)} days.", {"days": len(days)}
        chosen = asked_day(options["date"]) or now.astimezone(UTC).date() - timedelta(days=1)
        built = aggregate(chosen, now=now, website_id=website)
        websites = "1 website" if built == 1 else f"{built} websites"
        return f"Built {chosen} of {websites}.", {"date": str(chosen), "websites": built}


def asked_day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise CommandError("--date must be a date, for example --date 2026-03-18.") from None
