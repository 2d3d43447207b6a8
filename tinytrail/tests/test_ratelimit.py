"""Fixed windows that start with the first call (contract 2.1, D-44; guarantees A36, F06, F09)."""

import asyncio
import time

import redis
from django.conf import settings

from tinytrail.web.call import Limit, Memo
from tinytrail.web.ratelimit import Limiter, LocalWindows


def limit(count=3, seconds=60, key="somebody"):
    return Limit("test", key, count, seconds)


def asked(limiter, *calls):
    """What the limiter says to these calls, each a list of limits, one after the other."""

    async def ask():
        try:
            return [[w.retry_after for w in await limiter.count(limits, now=now)] for limits, now in calls]
        finally:
            await limiter.close()

    return asyncio.run(ask())


def test_calls_within_the_limit_pass_and_the_next_waits_for_the_window_to_end():
    assert asked(Limiter(settings.REDIS_URL), *[([limit()], 0)] * 4) == [[0], [0], [0], [60]]


def test_each_key_has_its_own_window():
    limits = [limit(1, key="a"), limit(1, key="b"), limit(1, key="a")]
    assert asked(Limiter(settings.REDIS_URL), (limits, 0)) == [[0, 0, 60]]


def test_without_limits_nobody_is_asked():
    assert asked(Limiter("redis://127.0.0.1:1/0"), ([], 0)) == [[]]


def test_a_refused_call_does_not_extend_the_window():
    shared = redis.Redis.from_url(settings.REDIS_URL)
    asked(Limiter(settings.REDIS_URL), ([limit(1)], 0))
    shared.pexpire("limit:test:somebody", 5_000)
    assert asked(Limiter(settings.REDIS_URL), ([limit(1)], 0)) == [[5]]
    assert shared.pttl("limit:test:somebody") <= 5_000
    shared.close()


def test_a_counter_without_an_end_gets_one():
    with redis.Redis.from_url(settings.REDIS_URL) as shared:
        shared.set("limit:test:somebody", 7)
    assert asked(Limiter(settings.REDIS_URL), ([limit()], 0)) == [[60]]


def test_of_a_hundred_calls_at_once_from_four_processes_exactly_ten_pass(monkeypatch):
    # So many connections at once take their time on a busy machine, which is not what is tested here.
    monkeypatch.setattr("tinytrail.web.ratelimit.TIMEOUT_SECONDS", 30)

    async def ask():
        limiters = [Limiter(settings.REDIS_URL) for _ in range(4)]
        calls = [limiters[n % 4].count([limit(10)], now=0) for n in range(100)]
        answers = [window.retry_after for windows in await asyncio.gather(*calls) for window in windows]
        for limiter in limiters:
            await limiter.close()
        return answers

    assert asyncio.run(ask()).count(0) == 10


def test_without_redis_a_process_counts_for_itself():
    calls = [([limit(1)], now) for now in (0, 1, 61)]
    assert asked(Limiter("redis://127.0.0.1:1/0"), *calls) == [[0], [59], [0]]


def test_a_redis_that_hangs_is_asked_once():
    async def ask():
        connections = []
        silent = await asyncio.start_server(lambda reader, writer: connections.append(writer), "127.0.0.1", 0)
        limiter = Limiter(f"redis://127.0.0.1:{silent.sockets[0].getsockname()[1]}/0")
        answers = [(await limiter.count([limit(2)], now=time.monotonic()))[0].retry_after > 0 for _ in range(3)]
        await limiter.close()
        for connection in connections:
            connection.close()
        silent.close()
        return answers, len(connections)

    assert asyncio.run(ask()) == ([False, False, True], 1)


def test_windows_of_one_process_are_bounded(monkeypatch):
    monkeypatch.setattr("tinytrail.web.ratelimit.MOST_LOCAL_WINDOWS", 10)
    windows = LocalWindows()
    for n in range(100):
        windows.count([limit(key=str(n))], now=0.0)
    assert len(windows._windows) <= 11


# -- what is remembered -----------------------------------------------------------------------------------------------


def memo(value="first", *, key="somebody", is_kept=True):
    return Memo("test", key, value, 60, is_kept)


def told(limiter, *memos):
    """What is remembered for each of the memos, asked one after the other beside a limit."""

    async def ask():
        try:
            return [(await limiter.ask([limit()], [one], now=0))[1][0] for one in memos]
        finally:
            await limiter.close()

    return asyncio.run(ask())


def test_the_first_value_is_remembered():
    assert told(Limiter(settings.REDIS_URL), memo("a"), memo("b"), memo("c", key="other")) == ["a", "a", "c"]


def test_who_only_looks_leaves_nothing_and_keeps_nothing_alive():
    looking = memo("b", is_kept=False)
    assert told(Limiter(settings.REDIS_URL), looking, memo("a"), looking) == ["", "a", "a"]
    with redis.Redis.from_url(settings.REDIS_URL) as shared:
        shared.pexpire("memo:test:somebody", 5_000)
        assert told(Limiter(settings.REDIS_URL), looking) == ["a"]
        assert shared.pttl("memo:test:somebody") <= 5_000
        assert told(Limiter(settings.REDIS_URL), memo("b")) == ["a"]
        assert shared.pttl("memo:test:somebody") > 55_000


def test_several_limits_and_memos_are_asked_in_one_call():
    async def ask():
        limiter = Limiter(settings.REDIS_URL)
        limits, memos = [limit(1, key="a"), limit(1, key="b")], [memo("x", key="a"), memo("y", key="b")]
        try:
            return [await limiter.ask(limits, memos, now=0) for _ in range(2)]
        finally:
            await limiter.close()

    first, second = asyncio.run(ask())
    assert ([window.calls for window in first[0]], first[1]) == ([1, 1], ["x", "y"])
    assert ([window.calls for window in second[0]], second[1]) == ([2, 2], ["x", "y"])


def test_without_redis_nothing_is_remembered_and_what_is_kept_is_its_own_value():
    assert told(Limiter("redis://127.0.0.1:1/0"), memo("a"), memo("b"), memo(is_kept=False)) == ["a", "b", ""]
