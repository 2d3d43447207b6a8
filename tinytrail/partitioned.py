"""An index on a table with partitions, made while the table is in use.

PostgreSQL makes none concurrently on the parent. So the parent gets one that holds nothing and is not valid yet, each
partition gets its own concurrently, and the parent's becomes valid when all of them are attached.
"""

from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

PARTITIONS = (
    "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass AND NOT EXISTS ("
    " SELECT FROM pg_inherits attached JOIN pg_index ON indexrelid = attached.inhrelid"
    " WHERE attached.inhparent = %s::regclass AND indrelid = pg_inherits.inhrelid) ORDER BY 1"
)
IS_BROKEN = "SELECT EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass(%s) AND NOT indisvalid)"


class IndexEachPartition(Operation):
    """For migrations with `atomic = False`. May be stopped at any time, and run again."""

    reversible = True
    reduces_to_sql = False

    def __init__(self, table: str, name: str, columns: str) -> None:
        """`columns` as they stand in the statement, `website_id, country` for example."""
        self.table = table
        self.name = name
        self.columns = columns

    def describe(self) -> str:
        return f"Index {self.name} on each partition of {self.table}"

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Django does not know partitions, nor what they have."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        with schema_editor.connection.cursor() as cursor:
            cursor.execute(f"CREATE INDEX IF NOT EXISTS {self.name} ON ONLY {self.table} ({self.columns})")
            cursor.execute(PARTITIONS, [self.table, self.name])
            for (partition,) in cursor.fetchall():
                self.index(cursor, partition)

    def index(self, cursor: Any, partition: str) -> None:  # noqa: ANN401 (Django's wrapper of psycopg's cursor)
        name = f"{self.name}{partition.removeprefix(self.table)}"
        cursor.execute(IS_BROKEN, [name])
        if cursor.fetchone()[0]:
            # What an attempt that was stopped has left.
            cursor.execute(f"DROP INDEX CONCURRENTLY {name}")
        cursor.execute(f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} ON {partition} ({self.columns})")
        cursor.execute(f"ALTER INDEX {self.name} ATTACH PARTITION {name}")

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        schema_editor.execute(f"DROP INDEX IF EXISTS {self.name}")
