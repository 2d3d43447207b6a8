"""`python -m tinytrail.chaos.recount WEBSITE`: builds its days, and counts the rows that differ from its events.

It says as well how many rows those builds have changed: none where everything was built before.

A program of its own, because the harness loads no Django.
"""

import json
import os
import sys

import django


def main(public_id: str) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tinytrail.settings")
    django.setup()
    from django.utils import timezone

    from accounts.models import Website
    from analytics.models import Quarantine
    from analytics.rollups import build
    from analytics.rollups.aggregate import all_days

    website = Website.objects.get(public_id=public_id).id
    days = [day for _, day in all_days(website)]
    changed = sum(build.build(website, day, now=timezone.now()) for day in days)
    wrong = sum(sum(build.wrong_rows(website, day).values()) for day in days)
    answer = {
        "days": [str(day) for day in days],
        "changedRows": changed,
        "wrongRows": wrong,
        "quarantined": Quarantine.objects.count(),
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main(sys.argv[1])
