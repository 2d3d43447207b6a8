"""demo: a city's calendar and a shop with a year behind them, to look at every page with."""

from contextlib import ExitStack
from typing import Any

from django.utils import timezone

from analytics.demo.load import load
from tinytrail.command import TinyCommand
from tinytrail.progress import Progress


class Command(TinyCommand):
    help = "Make demo.example, a city's calendar with a year of visits, and its shop, unless they are there already."

    def run(self, **options: Any) -> tuple[str, dict[str, Any]]:  # noqa: ANN401
        with ExitStack() as stack:
            bars: dict[str, Progress] = {}

            def watch(what: str, done: int, total: int) -> None:
                if what not in bars:
                    stack.close()
                    bars[what] = stack.enter_context(Progress(total, what, self.stderr))
                bars[what].add(done)

            made = load(now=timezone.now(), watch=watch)
        data = {"websiteId": str(made.city.public_id), "shopId": str(made.shop.public_id), "stored": made.stored}
        if not made.stored:
            return f"{made.city} and {made.shop} are there already.", data
        return (
            f"Loaded {made.stored:,} events of a made-up city calendar, {made.city}, and its shop, {made.shop}.",
            data,
        )
