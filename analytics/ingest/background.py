"""The same batches for threads: plain Django's workers share one event loop per process, on a thread of its own."""

import asyncio
import os
import threading

from django.conf import settings

from analytics.ingest.batches import Batches
from analytics.ingest.reading import Reading, Verdict

_lock = threading.Lock()
_running: "Background | None" = None


class Background:
    """An event loop on a thread, with the batches of this process."""

    def __init__(self) -> None:
        self.process = os.getpid()
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, name="batches", daemon=True)
        self.thread.start()
        self.batches = asyncio.run_coroutine_threadsafe(self._start(), self.loop).result()

    async def _start(self) -> Batches:
        batches = Batches(settings.REDIS_URL)
        await batches.start()
        return batches

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self.batches.stop(), self.loop).result()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


def submit(reading: Reading) -> Verdict:
    """What became of a call; see Batches.submit."""
    background = running()
    return asyncio.run_coroutine_threadsafe(background.batches.submit(reading), background.loop).result()


def running() -> Background:
    """This process's, started with the first call; a forked process has none of its parent's threads."""
    global _running
    with _lock:
        if _running is None or _running.process != os.getpid():
            _running = Background()
        return _running


def stop() -> None:
    """End it, if there is one; the next call starts another."""
    global _running
    with _lock:
        stopped, _running = _running, None
    if stopped and stopped.process == os.getpid():
        stopped.stop()
