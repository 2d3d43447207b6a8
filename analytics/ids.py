"""Time-ordered 63-bit event ids: 43 bits of milliseconds since 2020 and 20 bits that start at random."""

import random
import threading
import time

EPOCH_MS = 1_577_836_800_000
RANDOM_BITS = 20

_lock = threading.Lock()
_last = 0


def next_id() -> int:
    """A new id, greater than every earlier one of this process."""
    global _last
    # Two processes must not begin alike, which Python sees to, also after a fork; nobody gains by guessing an id. The
    # system's random numbers cost as much as reading the whole body.
    fresh = (time.time_ns() // 1_000_000 - EPOCH_MS) << RANDOM_BITS | random.getrandbits(RANDOM_BITS)
    with _lock:
        _last = max(fresh, _last + 1)
        return _last
