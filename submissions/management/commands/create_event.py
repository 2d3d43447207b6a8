"""create_event: a live catalogue event."""

import re
from argparse import ArgumentParser
from datetime import date, time
from typing import Any

from django.core.management.base import CommandError
from django.db import transaction
from django.utils import timezone

from accounts.commands import live_website
from submissions import calendars, catalog
from submissions.catalog import Unpublishable
from tinytrail.command import TinyCommand


class Command(TinyCommand):
    help = "Publish an event on a website's calendar, and make the calendar when there is none."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--website", required=True, metavar="ID")
        parser.add_argument("--name", required=True)
        parser.add_argument("--date", required=True, metavar="YYYY-MM-DD")
        parser.add_argument("--time", required=True, metavar="HH:MM")
        parser.add_argument("--location", required=True)

    @transaction.atomic
    def run(self, **options: Any) -> tuple[str, dict[str, Any]]:  # noqa: ANN401
        website = live_website(options["website"])
        day, clock = checked_day(options["date"]), checked_time(options["time"])
        try:
            event = catalog.create(
                calendars.of_website(website),
                name=options["name"],
                date=day,
                start_time=clock,
                location=options["location"],
                now=timezone.now(),
            )
        except Unpublishable as refusal:
            raise CommandError(str(refusal)) from None
        return f"Published {event.name} on {day} at {clock} as {event.key}.", {"eventKey": event.key}


def checked_day(text: str) -> str:
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
            return str(date.fromisoformat(text))
    except ValueError:
        pass
    raise CommandError("--date must be a date, for example --date 2026-06-21.")


def checked_time(text: str) -> str:
    try:
        if re.fullmatch(r"\d\d:\d\d", text, re.ASCII):
            return f"{time.fromisoformat(text):%H:%M}"
    except ValueError:
        pass
    raise CommandError("--time must be a time, for example --time 20:30.")
