"""The law of remembered identities: what is remembered is never older than two seconds nor than the last change."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from specloop.identity.audit import Epoch, Memory

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("change"), st.just(0.0)),
        st.tuples(st.just("wait"), st.floats(0, 3)),
        st.tuples(st.just("begin"), st.just(0.0)),
        st.tuples(st.just("put"), st.floats(0, 5)),
        st.tuples(st.just("get"), st.just(0.0)),
    ),
    max_size=40,
)


@given(STEPS)
def test_a_memory_never_tells_what_a_change_or_two_seconds_have_outdated(steps: list[tuple[str, float]]) -> None:
    epoch, now, truth = Epoch(), 0.0, 0
    memory: Memory[str, int] = Memory(epoch)
    read, read_at, read_epoch, put_at = 0, 0.0, 0, 0.0
    for step, amount in steps:
        match step:
            case "change":
                truth += 1
                asyncio.run(epoch.advance())
            case "wait":
                now += amount
            case "begin":
                read, read_at, read_epoch = truth, now, memory.epoch
            case "put":
                memory.put("key", read, epoch=read_epoch, now=read_at, seconds=amount)
                put_at = read_at
            case _:
                known = memory.get("key", now)
                assert known is None or (known == truth and now - put_at <= 2.0)


@given(st.integers(8193, 8300))
def test_a_memory_is_bounded(count: int) -> None:
    memory: Memory[int, int] = Memory(Epoch())
    for number in range(count):
        memory.put(number, number, epoch=0, now=0.0)
    assert sum(memory.get(number, 0.0) is not None for number in range(count)) == 8192
