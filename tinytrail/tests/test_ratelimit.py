"""Fixed windows that start with the first call (contract 2.1, D-44; guarantees A36, F06, F09)."""

import socket
import threading
import time

import redis
from django.conf import settings

from tinytrail.web.call import Limit
from tinytrail.web.ratelimit import Limiter, LocalWindows


def limit(count=3, seconds=60, key="somebody"):
    return Limit("test", key, count, seconds)


def test_calls_within_the_limit_pass_and_the_next_waits_for_the_window_to_end():
    limiter = Limiter(settings.REDIS_URL)
    assert [limiter.retry_after([limit()], now=0) for _ in range(4)] == [[0], [0], [0], [60]]


def test_each_key_has_its_own_window():
    limiter = Limiter(settings.REDIS_URL)
    assert limiter.retry_after([limit(1, key="a"), limit(1, key="b"), limit(1, key="a")], now=0) == [0, 0, 60]


def test_a_refused_call_does_not_extend_the_window():
    limiter = Limiter(settings.REDIS_URL)
    shared = redis.Redis.from_url(settings.REDIS_URL)
    limiter.retry_after([limit(1)], now=0)
    shared.pexpire("limit:test:somebody", 5_000)
    assert limiter.retry_after([limit(1)], now=0) == [5]
    assert shared.pttl("limit:test:somebody") <= 5_000


def test_a_counter_without_an_end_gets_one():
    redis.Redis.from_url(settings.REDIS_URL).set("limit:test:somebody", 7)
    assert Limiter(settings.REDIS_URL).retry_after([limit()], now=0) == [60]


def test_of_a_hundred_calls_at_once_exactly_ten_pass():
    limiter = Limiter(settings.REDIS_URL)
    passed = []

    def ask():
        passed.extend(limiter.retry_after([limit(10)], now=0))

    threads = [threading.Thread(target=ask) for _ in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(passed), passed.count(0)) == (100, 10)


def test_two_processes_share_their_counts():
    first, second = Limiter(settings.REDIS_URL), Limiter(settings.REDIS_URL)
    assert [first.retry_after([limit(1)], now=0), second.retry_after([limit(1)], now=0)] == [[0], [60]]


def test_without_redis_a_process_counts_for_itself():
    limiter = Limiter("redis://127.0.0.1:1/0")
    assert [limiter.retry_after([limit(1)], now=n) for n in (0, 1, 61)] == [[0], [59], [0]]


def test_a_redis_that_hangs_is_asked_once():
    asked = []
    with socket.create_server(("127.0.0.1", 0)) as silent:
        limiter = Limiter(f"redis://127.0.0.1:{silent.getsockname()[1]}/0")

        def accept():
            while True:
                try:
                    asked.append(silent.accept())
                except OSError:
                    return

        threading.Thread(target=accept, daemon=True).start()
        answers = [limiter.retry_after([limit(2)], now=time.monotonic())[0] > 0 for _ in range(3)]
        silent.shutdown(socket.SHUT_RDWR)
    for connection, _ in asked:
        connection.close()
    assert (answers, len(asked)) == ([False, False, True], 1)


def test_windows_of_one_process_are_bounded(monkeypatch):
    monkeypatch.setattr("tinytrail.web.ratelimit.MOST_LOCAL_WINDOWS", 10)
    windows = LocalWindows()
    for n in range(100):
        windows.count([limit(key=str(n))], now=0.0)
    assert len(windows._windows) <= 11
