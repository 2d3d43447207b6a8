"""Event ids: time-ordered, and never the same twice in a process."""

import threading
import time

from analytics import ids
from analytics.ids import EPOCH_MS, RANDOM_BITS, next_id


def test_ids_carry_the_time_and_fit_63_bits(monkeypatch):
    # Other tests travel in time, and ids never go back.
    monkeypatch.setattr(ids, "_last", 0)
    before = time.time_ns() // 1_000_000
    made = (next_id() >> RANDOM_BITS) + EPOCH_MS
    assert before <= made <= before + 60_000
    assert next_id() < 2**63


def test_ids_rise_strictly_even_within_a_millisecond_and_between_threads():
    found: list[list[int]] = []

    def draw():
        found.append([next_id() for _ in range(5_000)])

    threads = [threading.Thread(target=draw) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(ids == sorted(ids) for ids in found)
    assert len({id_ for ids in found for id_ in ids}) == 20_000
