"""prune: retention now, instead of at its hour."""

from typing import Any

from django.conf import settings
from django.utils import timezone

from analytics import retention
from submissions import retention as hosts
from tinytrail.command import TinyCommand


class Command(TinyCommand):
    help = "Drop raw events older than the retention, the rows of deleted websites, and hosts' addresses in their time."

    def run(self, **options: Any) -> tuple[str, dict[str, Any]]:  # noqa: ANN401
        partitions = retention.prune(now=timezone.now())
        rows = retention.purge_deleted()
        addresses = hosts.prune(now=timezone.now())
        return (
            f"Dropped {partitions} partitions older than {settings.RETENTION_DAYS} days,"
            f" {rows:,} rows of what was deleted, and the addresses of hosts on {addresses:,} submissions."
        ), {"partitions": partitions, "rows": rows, "addresses": addresses}
