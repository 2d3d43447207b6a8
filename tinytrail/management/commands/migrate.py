"""migrate: as Django's, and patient with those who use the tables."""

import time
from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import OperationalError, connections
from psycopg.errors import LockNotAvailable

# Whoever comes after a statement that waits for a lock waits with it, so it waits for half of what a batch of events
# does, and lets everybody pass before it tries again.
LOCK_MILLISECONDS = 500
PAUSE_SECONDS = 1.0
# For the longest report or dump to end.
PATIENCE_SECONDS = 3600.0


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 (Django's signature)
        connection = connections[options["database"]]
        until = time.monotonic() + PATIENCE_SECONDS
        while not self.is_done(connection, *args, **options):
            if time.monotonic() > until:
                raise CommandError(
                    "A table that the migration has to change was in use for an hour: see pg_stat_activity."
                )
            time.sleep(PAUSE_SECONDS)

    def is_done(self, connection: Any, *args: Any, **options: Any) -> bool:  # noqa: ANN401
        """One attempt. What it has migrated stays so, and the next one goes on from there."""
        with connection.cursor() as cursor:
            cursor.execute(f"SET lock_timeout = {LOCK_MILLISECONDS}")
        try:
            super().handle(*args, **options)
        except OperationalError as error:
            if not isinstance(error.__cause__, LockNotAvailable):
                raise
            self.stderr.write("A table is in use; trying again ...")
            return False
        finally:
            if connection.connection is not None and not connection.in_atomic_block:
                with connection.cursor() as cursor:
                    cursor.execute("RESET lock_timeout")
        return True
