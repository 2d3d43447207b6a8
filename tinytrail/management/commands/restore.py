"""restore: a backup becomes the database, without what was erased since."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import redis
from django.core.management.base import CommandError
from django.utils import timezone

from accounts import retention as records
from analytics import retention as events
from submissions import retention as hosts
from tinytrail import restoring
from tinytrail.backup import Archive, BackupError, restore
from tinytrail.command import TinyCommand


class Command(TinyCommand):
    help = "Puts a backup into an empty database, migrates it, and erases again what was erased since."
    # They look at tables that may not be there yet.
    requires_system_checks = ()

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path)
        parser.add_argument("--replace", action="store_true", help="delete everything in the database first")
        parser.add_argument(
            "--journal",
            metavar="FILE",
            type=Path,
            help="a newer backup: what it knows to be erased is erased, too, should Redis have been lost as well",
        )
        parser.add_argument("--however-old", action="store_true", help="also if nobody remembers what was erased since")

    def run(self, **options: Any) -> tuple[str, dict[str, Any]]:  # noqa: ANN401
        now = timezone.now()
        archive = Archive(options["file"])
        journal = Archive(options["journal"]) if options["journal"] else None
        try:
            made_at = archive.made_at
            restore(archive, replace=options["replace"], however_old=options["however_old"], journal=journal, now=now)
            erased = restoring.make_good(now=now)
        except BackupError as error:
            raise CommandError(str(error)) from None
        except redis.RedisError as error:
            raise CommandError(
                f"Redis does not answer ({error}), and knows what was erased: start it, and restore again."
            ) from None
        # What has had its time since.
        events.prune(now=now)
        events.purge_deleted()
        hosts.prune(now=now)
        records.prune(now=now)
        again = f"erased again: {counted(erased)}" if erased else "nothing was erased since"
        return (f"Restored the backup of {made_at:%Y-%m-%d %H:%M} UTC; {again}."), {
            "madeAt": made_at.isoformat(),
            "erasedAgain": dict(erased),
        }


def counted(erased: dict[str, int]) -> str:
    return ", ".join(f"{count} {kind.replace('_', ' ')}{'s' * (count != 1)}" for kind, count in erased.items())
