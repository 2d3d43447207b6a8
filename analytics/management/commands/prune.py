"""prune: retention now, instead of at its hour."""

from typing import Any

from django.conf import settings
from django.utils import timezone

from accounts import retention as users
from analytics import retention
from submissions import retention as hosts
from tinytrail.command import TinyCommand


class Command(TinyCommand):
    help = "Remove what is past its retention, and the rows of deleted websites. docs/privacy.md says what that is."

    def run(self, **options: Any) -> tuple[str, dict[str, Any]]:  # noqa: ANN401
        partitions = retention.prune(now=timezone.now())
        rows = retention.purge_deleted()
        addresses = hosts.prune(now=timezone.now())
        users.prune(now=timezone.now())
        return (
            f"Dropped {partitions} partitions older than {settings.RETENTION_DAYS} days,"
            f" {rows:,} rows of what was deleted, and the addresses of hosts on {addresses:,} submissions."
        ), {"partitions": partitions, "rows": rows, "addresses": addresses}
