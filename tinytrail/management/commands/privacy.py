"""privacy: what this installation stores of whom, and for how long, as docs/privacy.md says it."""

from typing import Any

from tinytrail.command import TinyCommand
from tinytrail.privacy import TABLES, document


class Command(TinyCommand):
    help = "Prints what is stored of whom, and for how long: docs/privacy.md, made anew of the models."

    def run(self, **options: Any) -> tuple[str, dict[str, Any]]:  # noqa: ANN401
        text = document()
        if not options["json"]:
            self.stdout.write(text, ending="")
        return f"{len(TABLES)} tables, each with its columns and how long it is kept.", {"document": text}
