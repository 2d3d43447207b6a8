from typing import Any

from django.core.management.base import CommandError

from accounts.rotation import reseal
from tinytrail.command import TinyCommand


class Command(TinyCommand):
    help = "Encrypts every stored secret with the first key of TINYTRAIL_KEK, so that the older ones can go."

    def run(self, **options: Any) -> tuple[str, dict[str, Any]]:  # noqa: ANN401
        done = reseal()
        if done.unreadable:
            raise CommandError(
                f"{done.resealed} secrets were encrypted anew, but {done.unreadable} can be opened by no key of "
                "TINYTRAIL_KEK: add the key that they were encrypted with."
            )
        told = (
            f"{done.resealed} secrets were encrypted anew. All are now encrypted with the first key of TINYTRAIL_KEK."
        )
        return told, {"resealed": done.resealed}
