"""demo: a website with three months of made-up but coherent visits, to look at reports with."""

import json
from collections.abc import Iterator
from datetime import UTC
from typing import Any

from django.utils import timezone

from accounts.models import Account, Website
from accounts.registration import register_account, register_website
from analytics.history import import_hits
from analytics.models import Event
from analytics.rollups.aggregate import all_days
from analytics.rollups.build import build
from analytics.traffic import hits
from tinytrail.command import TinyCommand
from tinytrail.progress import Progress

ACCOUNT, DOMAIN = "Demo", "demo.example"
DAYS, PER_DAY = 90, 900
GROUPS = [{"name": "Blog", "pattern": "/blog*"}, {"name": "Documentation", "pattern": "/docs*"}]


class Command(TinyCommand):
    help = "Make a website demo.example with three months of made-up visits, unless it has events already."

    def run(self, **options: Any) -> tuple[str, dict[str, Any]]:  # noqa: ANN401
        website = demo_website()
        if Event.objects.filter(website_id=website.id).exists():
            return f"{DOMAIN} has its demo data already.", {"websiteId": str(website.public_id), "stored": 0}
        now = timezone.now()
        lines = list(history(website, now.isoformat()))
        with Progress(sum(map(len, lines)), "loading", self.stderr) as progress:
            tally = import_hits(lines, now=now, progress=progress.add)
        days = list(all_days(website.id))
        with Progress(len(days), "building", self.stderr) as progress:
            for website_id, day in days:
                build(website_id, day, now=now)
                progress.add(1)
        sentence = f"Loaded {tally.stored:,} made-up hits of {DOMAIN}, website {website.public_id}."
        return sentence, {"websiteId": str(website.public_id), "stored": tally.stored}


def demo_website() -> Website:
    """The demo's website, made with its account when there is none."""
    found = Website.objects.live().filter(domain=DOMAIN, account__name=ACCOUNT).first()
    if found:
        return found
    account = Account.objects.live().filter(name=ACCOUNT).first() or register_account(ACCOUNT)
    return register_website(account, domain=DOMAIN, groups=GROUPS)


def history(website: Website, until: str) -> Iterator[bytes]:
    """Its visits up to now, as lines of import_hits."""
    today = timezone.now().astimezone(UTC).date()
    made = hits(str(website.public_id), DOMAIN, last=today, days=DAYS, per_day=PER_DAY)
    return (json.dumps(hit).encode() for hit in made if hit["occurred_at"] < until)
