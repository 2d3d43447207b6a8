"""rotate_salt: the salts as they should be at this hour."""

from typing import Any

from django.utils import timezone

from analytics.ingest.visitor import rotate
from tinytrail.command import TinyCommand


class Command(TinyCommand):
    help = "Destroy the salts of days that are over; have today's, and tomorrow's in the last hour."

    def run(self, **options: Any) -> tuple[str, dict[str, Any]]:  # noqa: ANN401
        destroyed = rotate(now=timezone.now())
        return f"Destroyed {destroyed} salts.", {"destroyed": destroyed}
