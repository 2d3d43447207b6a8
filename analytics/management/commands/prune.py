"""prune: retention now, instead of at its hour."""

from typing import Any

from django.conf import settings
from django.utils import timezone

from analytics import retention
from tinytrail.command import TinyCommand


class Command(TinyCommand):
    help = "Drop raw events older than the retention, and the rows of deleted websites."

    def run(self, **options: Any) -> tuple[str, dict[str, Any]]:  # noqa: ANN401
        partitions = retention.prune(now=timezone.now())
        rows = retention.purge_deleted()
        return (
            f"Dropped {partitions} partitions older than {settings.RETENTION_DAYS} days"
            f" and {rows:,} rows of what was deleted."
        ), {"partitions": partitions, "rows": rows}
