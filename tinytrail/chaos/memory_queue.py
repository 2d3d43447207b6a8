"""A wrong web server, for the harness to catch: it answers first, and stores from a queue in memory a little later."""

import asyncio

from a2wsgi import WSGIMiddleware
from django.conf import settings

from tinytrail.wsgi import application as django

# Imported once Django is set up, which tinytrail.wsgi has done.
from analytics.api.front import Front  # isort: skip
from analytics.api.routes import endpoint_at  # isort: skip
from analytics.ingest.batches import Batches  # isort: skip
from analytics.ingest.reading import Outcome, Reading, Verdict  # isort: skip

LATER_SECONDS = 0.2


class MemoryQueue(Batches):
    """What is wrong with it: nobody waits for the COMMIT."""

    def __init__(self, redis_url: str) -> None:
        super().__init__(redis_url)
        self.stores: set[asyncio.Future[Verdict]] = set()

    async def submit(self, reading: Reading) -> Verdict:
        if reading.refusal:
            return await super().submit(reading)
        asyncio.get_running_loop().call_later(LATER_SECONDS, self.store, reading)
        return Verdict(Outcome.STORED)

    def store(self, reading: Reading) -> None:
        self.stores.add(task := asyncio.ensure_future(super().submit(reading)))
        task.add_done_callback(self.stores.discard)


class HastyFront(Front):
    def __init__(self) -> None:
        super().__init__(endpoint_at, WSGIMiddleware(django, workers=1))  # type: ignore[arg-type] # as in tinytrail.asgi
        self._batches = MemoryQueue(settings.REDIS_URL)


application = HastyFront()
