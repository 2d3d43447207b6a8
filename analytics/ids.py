"""Time-ordered 63-bit event ids: 43 bits of milliseconds since 2020 and 20 bits that start at random."""

import secrets
import threading
import time

EPOCH_MS = 1_577_836_800_000
RANDOM_BITS = 20

_lock = threading.Lock()
_last = 0


def next_id() -> int:
    """A new id, greater than every earlier one of this process."""
    global _last
    fresh = (time.time_ns() // 1_000_000 - EPOCH_MS) << RANDOM_BITS | secrets.randbits(RANDOM_BITS)
    with _lock:
        _last = max(fresh, _last + 1)
        return _last
