"""Django's cache: Redis, and while Redis is away a cache of this process alone.

What is counted or remembered here may be lost, and must never fail a request: a limit then counts per process, and a
Redis that hangs costs its timeout once, not once a request.
"""

import logging
import time
from collections.abc import Callable
from typing import Any

from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

log = logging.getLogger(__name__)

# After a failure Redis is left alone for so long.
PAUSE_SECONDS = 5.0
MOST_LOCAL_ENTRIES = 100_000


class SharedCache(RedisCache):
    """For the CACHES setting."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self.local = LocMemCache("tinytrail-fallback", {"OPTIONS": {"MAX_ENTRIES": MOST_LOCAL_ENTRIES}})


# Django makes one backend object a thread; the pause is the process's.
_closed_until = 0.0


def is_shared() -> bool:
    """Whether what was just counted is counted for every process, as far as this one knows."""
    return time.monotonic() >= _closed_until


def _falling_back(name: str) -> Callable[..., Any]:
    shared = getattr(RedisCache, name)

    def method(self: SharedCache, *args: object, **options: object) -> Any:  # noqa: ANN401 (as the method it stands for)
        global _closed_until
        if is_shared():
            try:
                return shared(self, *args, **options)
            except (RedisError, OSError) as error:
                log.warning("Redis does not answer, this process counts for itself: %s", type(error).__name__)
                _closed_until = time.monotonic() + PAUSE_SECONDS
        return getattr(self.local, name)(*args, **options)

    return method


for _name in (
    "add",
    "get",
    "set",
    "touch",
    "delete",
    "get_many",
    "has_key",
    "incr",
    "set_many",
    "delete_many",
    "clear",
):
    setattr(SharedCache, _name, _falling_back(_name))
