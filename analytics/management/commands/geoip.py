"""geoip: what the file of places holds, before it is relied on."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from analytics.places import holdings
from tinytrail.command import TinyCommand


class Command(TinyCommand):
    help = "Check the file of places (TINYTRAIL_GEOIP), and say what it holds."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--file", metavar="PATH", default=settings.GEOIP, help="another file than the configured")
        parser.add_argument("--address", action="append", default=[], help="where is it? May be repeated")

    def run(self, **options: Any) -> tuple[str, dict[str, Any]]:  # noqa: ANN401
        if not options["file"]:
            raise CommandError(
                "No file of places is configured. Set TINYTRAIL_GEOIP to the path of an MMDB file, for example of "
                "GeoLite2 City or DB-IP City Lite."
            )
        try:
            held = holdings(options["file"], options["address"])
        except ValueError as error:
            raise CommandError(str(error)) from None
        lines = [
            f"{held.path} is {held.kind} of {held.built_at:%Y-%m-%d} with about {held.networks:,} networks,"
            f" {'with' if held.has_cities else 'without'} cities.",
            *(
                f"{address}: {', '.join(part for part in reversed(place) if part) or 'not in it'}."
                for address, place in held.found.items()
            ),
        ]
        return "\n".join(lines), held.as_json()
