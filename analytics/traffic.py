"""Made-up but coherent traffic: what `demo` loads and `make bench` measures. The same seed gives the same visits."""

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

MOZILLA, WEBKIT = "Mozilla/5.0", "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0"
APPLE = "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6"
AGENTS = [
    (f"{MOZILLA} (Windows NT 10.0; Win64; x64) {WEBKIT} Safari/537.36", 34),
    (f"{MOZILLA} (iPhone; CPU iPhone OS 18_6 like Mac OS X) {APPLE} Mobile/15E148 Safari/604.1", 22),
    (f"{MOZILLA} (Linux; Android 10; K) {WEBKIT} Mobile Safari/537.36", 18),
    (f"{MOZILLA} (Macintosh; Intel Mac OS X 10_15_7) {APPLE} Safari/605.1.15", 10),
    (f"{MOZILLA} (Windows NT 10.0; Win64; x64; rv:144.0) Gecko/20100101 Firefox/144.0", 6),
    (f"{MOZILLA} (Windows NT 10.0; Win64; x64) {WEBKIT} Safari/537.36 Edg/141.0.0.0", 5),
    (f"{MOZILLA} (iPad; CPU OS 18_6 like Mac OS X) {APPLE} Mobile/15E148 Safari/604.1", 3),
    (f"{MOZILLA} (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", 2),
]
REFERRERS = [
    ("", 40),
    ("https://www.google.com/", 26),
    ("https://t.co/x1y2z3", 8),
    ("https://www.facebook.com/", 7),
    ("https://duckduckgo.com/", 4),
    ("https://www.bing.com/search", 4),
    ("https://news.ycombinator.com/item", 3),
    ("https://mail.google.com/", 3),
    ("https://www.reddit.com/r/selfhosted/", 3),
    ("https://partner.example.org/links", 2),
]
CAMPAIGNS = [
    ("", 88),
    ("utm_source=newsletter&utm_medium=email", 6),
    ("utm_source=google&utm_medium=cpc&utm_campaign=autumn", 6),
]
PATHS = (
    [("/", 20), ("/pricing", 9), ("/signup", 5), ("/blog", 8), ("/docs", 7), ("/about", 3), ("/contact", 2)]
    + [(f"/blog/post-{n}", 60 // (n + 3)) for n in range(1, 40)]
    + [(f"/docs/chapter-{n}", 30 // (n + 3)) for n in range(1, 25)]
)
NAMES = [("signup_complete", 3), ("video_play", 5), ("download", 4), ("search", 6)]
WIDTHS = [(1920, 30), (1440, 15), (390, 30), (360, 15), (820, 5), (1280, 5)]


class Chance:
    """A random source with weighted choices made cheap: a benchmark draws millions of them."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self._pools: dict[int, list[Any]] = {}

    def among(self, weighted: list[tuple[Any, int]]) -> Any:  # noqa: ANN401 (whatever the choices are)
        pool = self._pools.get(id(weighted))
        if pool is None:
            pool = self._pools[id(weighted)] = [choice for choice, weight in weighted for _ in range(max(1, weight))]
        return pool[int(self.random.random() * len(pool))]


def hits(
    website_id: str, domain: str, *, last: date, days: int, per_day: int, seed: int = 1
) -> Iterator[dict[str, Any]]:
    """About `per_day` hits a day for `days` days ending with `last`, as lines of import_hits, in order of time."""
    chance = Chance(seed)
    for back in range(days - 1, -1, -1):
        day = last - timedelta(days=back)
        # Weekends are quieter, and the site grows a little.
        share = (0.6 if day.weekday() >= 5 else 1.15) * (1 - 0.3 * back / max(days, 1))
        wanted = int(per_day * share)
        made: list[dict[str, Any]] = []
        while len(made) < wanted:
            made.extend(visit(chance, website_id, domain, day))
        yield from sorted(made, key=lambda hit: str(hit["occurred_at"]))


def visit(chance: Chance, website_id: str, domain: str, day: date) -> Iterator[dict[str, Any]]:
    """One visit: page views with their scrolling, perhaps a custom event or an outbound click, the closing tab."""
    draw = chance.random.random
    hour = (draw() + draw() + draw()) / 3 * 24
    moment = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(hours=hour)
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1, seconds=-1)
    common = {
        "website_id": website_id,
        "ip": f"{20 + int(draw() * 180)}.{int(draw() * 256)}.{int(draw() * 256)}.{int(draw() * 256)}",
        "user_agent": chance.among(AGENTS),
        "screen_width": chance.among(WIDTHS),
    }
    referrer, campaign = chance.among(REFERRERS), chance.among(CAMPAIGNS)
    for number in range(1 + int(draw() ** 3 * 9)):
        path = chance.among(PATHS)
        query = f"?{campaign}" if campaign and not number else ""
        at = common | {"path": path, "url": f"https://{domain}{path}{query}", "referrer": "" if number else referrer}
        kinds = ["page_view"]
        kinds += [
            mark for mark, share in (("scroll_25", 0.45), ("scroll_50", 0.3), ("scroll_75", 0.2)) if draw() < share
        ]
        for kind in kinds:
            if moment < midnight:
                yield at | {"event_type": kind, "occurred_at": moment.isoformat()}
            moment += timedelta(seconds=draw() * 45)
        if draw() < 0.08 and moment < midnight:
            properties = {"event_name": chance.among(NAMES)}
            yield at | {"event_type": "custom", "occurred_at": moment.isoformat(), "properties": properties}
    if draw() < 0.6 and moment < midnight:
        yield at | {"event_type": "close_tab", "occurred_at": moment.isoformat()}
