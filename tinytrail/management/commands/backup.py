"""backup: all that PostgreSQL holds in one file."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.template.defaultfilters import filesizeformat

from tinytrail.backup import BackupError, back_up
from tinytrail.command import TinyCommand


class Command(TinyCommand):
    help = "Writes everything but salts and sessions into one file, while the installation runs."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path, help="a new file")

    def run(self, **options: Any) -> tuple[str, dict[str, Any]]:  # noqa: ANN401
        file = options["file"].resolve()
        try:
            size = back_up(file)
        except BackupError as error:
            raise CommandError(str(error)) from None
        shown = filesizeformat(size).replace("\N{NO-BREAK SPACE}", " ")
        return (
            f"Wrote {shown} to {file}. It is worth nothing without this installation's secrets, which are not in it; "
            f"delete it after {settings.BACKUP_DAYS} days."
        ), {"file": str(file), "bytes": size}
