"""Deliberately wrong installations, each of which the harness must catch: if it does not, it proves nothing.

A control prepares an installation that runs already, and says which kills it is to be caught by.
"""

from collections.abc import Callable
from dataclasses import dataclass

from tinytrail.chaos.installation import APPLICATION, Installation


@dataclass(frozen=True)
class Control:
    kinds: tuple[str, ...]
    prepare: Callable[[Installation], None] = lambda installation: None
    application: str = APPLICATION


def asynchronous_commit(installation: Installation) -> None:
    """COMMIT returns before the write-ahead log is on disk."""
    with installation.connect() as connection:
        connection.execute("ALTER ROLE CURRENT_USER SET synchronous_commit = off")
        # A setting of a role is in force for its next connection.
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )


def unlogged(installation: Installation) -> None:
    """The events are not in the write-ahead log at all: a crash empties their table."""
    with installation.connect() as connection:
        for (table,) in connection.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'analytics_event'::regclass"
        ).fetchall():
            connection.execute(f"ALTER TABLE {table} SET UNLOGGED")


CONTROLS = {
    "asynchronous-commit": Control(("postmaster",), asynchronous_commit),
    "unlogged": Control(("backend", "postmaster"), unlogged),
    "memory-queue": Control(("web worker", "web"), application="tinytrail.chaos.memory_queue:application"),
}
