"""Runs every benchmark against engines and a data folder of its own, and prints one table."""

import os
import sys
from pathlib import Path

EVENTS = 1_000_000
DAYS = 90


def main() -> None:
    events = int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tinytrail.settings")
    os.environ.setdefault("TINYTRAIL_DATA", str(Path(__file__).resolve().parents[2] / ".data-bench"))
    os.environ |= {"TINYTRAIL_LIMIT_API_KEY": "off", "TINYTRAIL_LIMIT_COLLECT": "1000000000/10"}
    import django
    from django.conf import settings

    from tinytrail import embedded

    with embedded.servers(settings.DATA, *settings.EMBEDDED_ENGINES):
        django.setup()
        from django.core.management import call_command

        from tinytrail.bench import history, ingestion, screening

        call_command("migrate", verbosity=0)
        ingestion.run()
        screening.run()
        history.run(events=events, days=DAYS)


if __name__ == "__main__":
    main()
