"""submissions --open|--closed: whether the calendar takes proposals."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from accounts.commands import live_website
from submissions import calendars
from submissions.models import Calendar
from tinytrail.command import TinyCommand

BY = "command"


class Command(TinyCommand):
    help = "Opens or closes the calendar of a website, else the default one, for proposals."

    def arguments(self, parser: ArgumentParser) -> None:
        wanted = parser.add_mutually_exclusive_group(required=True)
        wanted.add_argument("--open", action="store_true", help="take proposals")
        wanted.add_argument("--closed", action="store_true", help="take none")
        parser.add_argument("--website", metavar="ID")

    def run(self, **options: Any) -> tuple[str, dict[str, Any]]:  # noqa: ANN401
        calendar = calendars.of_website(live_website(options["website"])) if options["website"] else default()
        if options["open"]:
            calendars.open_for_proposals(calendar, by=BY, now=timezone.now())
        else:
            calendars.close_for_proposals(calendar, by=BY, now=timezone.now())
        state = "open" if options["open"] else "closed"
        return f"The calendar {calendar.name} is {state} for proposals.", {"open": options["open"]}


def default() -> Calendar:
    calendar = calendars.for_proposals("")
    if calendar is None:
        raise CommandError("There is no website yet: make one with create_website.")
    return calendar
