"""Limits of the ingest routes: fixed windows that start with the first call (contract 2.1, D-44).

One Lua call counts any number of limits, and looks up what is remembered from call to call. While Redis is away each
process counts for itself, and remembers nothing.
"""

import asyncio
import hashlib
import logging
import math
import threading
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import hiredis
import redis
import redis.asyncio

from tinytrail.web.call import Limit, Memo

log = logging.getLogger(__name__)

# Counts a call for each of the first keys and answers with count and milliseconds left. A refused call does not extend
# its window. For each of the other keys it answers with what is remembered, which lives on when it was asked for.
SCRIPT = """
local answer = {}
local limits = tonumber(ARGV[1])
for i = 1, limits do
  local key = KEYS[i]
  local count = redis.call('INCR', key)
  local left = redis.call('PTTL', key)
  if left < 0 then
    left = tonumber(ARGV[i + 1])
    redis.call('PEXPIRE', key, left)
  end
  answer[#answer + 1] = count
  answer[#answer + 1] = left
end
for i = limits + 1, #KEYS do
  local value = ARGV[2 * i - limits]
  local known = redis.call('GET', KEYS[i])
  if value ~= '' then
    known = known or value
    redis.call('SET', KEYS[i], known, 'PX', ARGV[2 * i - limits + 1])
  end
  answer[#answer + 1] = known or ''
end
return answer
"""

SHA = hashlib.sha1(SCRIPT.encode(), usedforsecurity=False).hexdigest()

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
        self._local = LocalWindows()
        self._closed_until = 0.0

    async def count(self, limits: Sequence[Limit], *, now: float) -> list[Window]:
        """Count one call against each of the limits."""
        windows, _ = await self.ask(limits, (), now=now)
        return windows

    async def ask(
        self, limits: Sequence[Limit], memos: Sequence[Memo], *, now: float
    ) -> tuple[list[Window], list[str]]:
        """Count one call against each of the limits; and for each of the memos what is remembered, `` if nothing is.

        While Redis is away a memo that is kept is answered with its own value.
        """
        if not limits and not memos:
            return [], []
        answer = await self._shared(limits, memos, now)
        counted, known = answer or (
            self._local.count(limits, now),
            [memo.value if memo.is_kept else "" for memo in memos],
        )
        return [Window(limit, *window) for limit, window in zip(limits, counted, strict=True)], known

    async def close(self) -> None:
        await self._redis.aclose()

    async def _shared(
        self, limits: Sequence[Limit], memos: Sequence[Memo], now: float
    ) -> tuple[list[tuple[int, int]], list[str]] | None:
        if now < self._closed_until:
            return None
        keys = [f"limit:{limit.name}:{limit.key}" for limit in limits]
        keys += [f"memo:{memo.name}:{memo.key}" for memo in memos]
        args: list[str | int] = [len(limits), *(limit.seconds * 1000 for limit in limits)]
        for memo in memos:
            args += (memo.value if memo.is_kept else "", memo.seconds * 1000)
        try:
            answer = await self._called(len(keys), *keys, *args)
        except (redis.RedisError, OSError, TimeoutError) as error:
            log.warning("Redis does not answer, limits are counted per process: %s", type(error).__name__)
            self._closed_until = time.monotonic() + PAUSE_SECONDS
            return None
        counts, known = answer[: 2 * len(limits)], answer[2 * len(limits) :]
        return list(zip(counts[::2], counts[1::2], strict=True)), [value.decode() for value in known]

    async def _called(self, *arguments: int | str) -> list[Any]:
        """The script's answer. redis-py packs a command in Python, which costs more than all else here."""
        pool = self._redis.connection_pool
        connection = await pool.get_connection()  # type: ignore[no-untyped-call]
        try:
            await connection.send_packed_command(packed("EVALSHA", SHA, *arguments))
            try:
                answer: list[Any] = await connection.read_response()
            except redis.exceptions.NoScriptError:
                await connection.send_packed_command(packed("EVAL", SCRIPT, *arguments))
                answer = await connection.read_response()
        except (redis.ConnectionError, redis.TimeoutError, OSError, TimeoutError, asyncio.CancelledError):
            # The next answer on this line would be that of this call.
            await connection.disconnect()
            raise
        finally:
            await pool.release(connection)
        return answer


def packed(*words: int | str) -> bytes:
    command: bytes = hiredis.pack_command(words)  # type: ignore[arg-type] # its stub knows one word
    return command


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
