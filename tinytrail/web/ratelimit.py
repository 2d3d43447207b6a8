"""Limits of the ingest routes: fixed windows that start with the first call (contract 2.1, D-44).

One Lua call counts any number of limits. While Redis is away each process counts for itself.
"""

import logging
import math
import threading
import time
from collections.abc import Sequence
from typing import NamedTuple

import redis
import redis.asyncio

from tinytrail.web.call import Limit

log = logging.getLogger(__name__)

# Counts a call for every key and answers with count and milliseconds left. A refused call does not extend its window.
SCRIPT = """
local answer = {}
for i, key in ipairs(KEYS) do
  local count = redis.call('INCR', key)
  local left = redis.call('PTTL', key)
  if left < 0 then
    left = tonumber(ARGV[i])
    redis.call('PEXPIRE', key, left)
  end
  answer[#answer + 1] = count
  answer[#answer + 1] = left
end
return answer
"""

TIMEOUT_SECONDS = 0.1
# After a failure Redis is left alone for so long, so that one that hangs costs its timeout once.
PAUSE_SECONDS = 5.0
MOST_LOCAL_WINDOWS = 100_000


class Window(NamedTuple):
    """How a limit stood when a call was counted: calls so far, this one included, and what is left of the window."""

    limit: Limit
    calls: int
    milliseconds_left: int

    @property
    def seconds_left(self) -> int:
        """Whole seconds, at least 1."""
        return max(1, math.ceil(self.milliseconds_left / 1000))

    @property
    def retry_after(self) -> int:
        """0 when the call was within the limit, else the seconds to the end of the window."""
        return self.seconds_left if self.calls > self.limit.count else 0


class Limiter:
    """Counts calls against their limits. Times are monotonic seconds, given by the caller."""

    def __init__(self, url: str) -> None:
        self._redis = redis.asyncio.Redis.from_url(
            url, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS, retry=None
        )
        self._script = self._redis.register_script(SCRIPT)
        self._local = LocalWindows()
        self._closed_until = 0.0

    async def count(self, limits: Sequence[Limit], *, now: float) -> list[Window]:
        """Count one call against each of the limits."""
        if not limits:
            return []
        counted = await self._shared(limits, now) or self._local.count(limits, now)
        return [Window(limit, *window) for limit, window in zip(limits, counted, strict=True)]

    async def close(self) -> None:
        await self._redis.aclose()

    async def _shared(self, limits: Sequence[Limit], now: float) -> list[tuple[int, int]] | None:
        if now < self._closed_until:
            return None
        keys = [f"limit:{limit.name}:{limit.key}" for limit in limits]
        try:
            answer = await self._script(keys=keys, args=[limit.seconds * 1000 for limit in limits])
        except (redis.RedisError, OSError, TimeoutError) as error:
            log.warning("Redis does not answer, limits are counted per process: %s", type(error).__name__)
            self._closed_until = time.monotonic() + PAUSE_SECONDS
            return None
        return list(zip(answer[::2], answer[1::2], strict=True))


class LocalWindows:
    """The same windows, counted in this process alone."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._windows: dict[tuple[str, str], tuple[int, float]] = {}

    def count(self, limits: Sequence[Limit], now: float) -> list[tuple[int, int]]:
        with self._lock:
            return [self._count(limit, now) for limit in limits]

    def _count(self, limit: Limit, now: float) -> tuple[int, int]:
        key = (limit.name, limit.key)
        count, ends = self._windows.get(key, (0, 0.0))
        if ends <= now:
            count, ends = 0, now + limit.seconds
            self._forget_ended(now)
        self._windows[key] = (count + 1, ends)
        return count + 1, math.ceil((ends - now) * 1000)

    def _forget_ended(self, now: float) -> None:
        if len(self._windows) >= MOST_LOCAL_WINDOWS:
            self._windows = {key: window for key, window in self._windows.items() if window[1] > now}
            if len(self._windows) >= MOST_LOCAL_WINDOWS:
                self._windows.clear()
