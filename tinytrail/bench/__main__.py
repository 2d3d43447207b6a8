"""Runs every benchmark against engines and a data folder of its own, and prints one table."""

import argparse
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

EVENTS = 1_000_000
DAYS = 90


# In the order in which they run.
PARTS = ("ingestion", "growth", "screening", "history")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tinytrail.bench", description=__doc__)
    parser.add_argument("events", type=int, nargs="?", default=EVENTS, help="of the history (default: %(default)s)")
    parser.add_argument("--only", choices=PARTS, action="append", help="this part alone; may be repeated")
    options = parser.parse_args()
    parts = options.only or PARTS
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tinytrail.settings")
    os.environ.setdefault("TINYTRAIL_DATA", str(Path(__file__).resolve().parents[2] / ".data-bench"))
    os.environ |= {"TINYTRAIL_LIMIT_API_KEY": "off", "TINYTRAIL_LIMIT_COLLECT": "1000000000/10"}
    import django
    from django.conf import settings

    from tinytrail import embedded

    with embedded.servers(settings.DATA, *settings.EMBEDDED_ENGINES):
        django.setup()
        from django.core.management import call_command

        from tinytrail.bench import growth, history, ingestion, screening

        call_command("migrate", verbosity=0)
        run: dict[str, Callable[[], None]] = {
            "ingestion": ingestion.run,
            "growth": growth.run,
            "screening": screening.run,
            "history": partial(history.run, events=options.events, days=DAYS),
        }
        for part in PARTS:
            if part in parts:
                run[part]()


if __name__ == "__main__":
    main()
