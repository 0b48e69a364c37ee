"""The law of remembered identities: what is remembered is never older than two seconds nor than the last change.

A simulated world runs callers against a store that answers when the simulation says so, under a clock it owns.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from specloop.db.uow import UnitOfWork
from specloop.errors import Unauthenticated
from specloop.identity.audit import Epoch, Memory
from specloop.identity.audit.memory import ENTRIES_MAX
from specloop.testing.clock import FakeClock

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("change"), st.just(0.0)),
        st.tuples(st.just("change elsewhere"), st.just(0.0)),
        st.tuples(st.just("wait"), st.floats(0.01, 3)),
        st.tuples(st.just("call"), st.just(0.0)),
        st.tuples(st.just("answer"), st.floats(0, 1)),
        st.tuples(st.just("fail"), st.floats(0, 1)),
    ),
    max_size=60,
)


@dataclass(slots=True)
class World:
    """A store with one value, whose history is kept, and readings of it that the simulation answers."""

    lasts: float = 2.0
    clock: FakeClock = field(default_factory=FakeClock)
    epoch: Epoch = field(default_factory=Epoch)
    truth: int = 0
    replaced_at: dict[int, float] = field(default_factory=dict[int, float])
    replaced_here: set[int] = field(default_factory=set[int])
    open_readings: list[tuple[int, asyncio.Future[int]]] = field(default_factory=list[tuple[int, asyncio.Future[int]]])
    reading_count: int = 0
    memory: Memory[str, int] = field(init=False)

    def __post_init__(self) -> None:
        self.memory = Memory(self.epoch, self, lambda _value: self.lasts)

    @asynccontextmanager
    async def reading(self, workspace_id: str | None = None) -> AsyncGenerator[UnitOfWork]:
        yield cast(Any, None)

    async def read(self, _unit: UnitOfWork) -> int:
        """What was true when the reading began, told when the simulation wants."""
        self.reading_count += 1
        answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.open_readings.append((self.truth, answer))
        return await answer

    async def change(self, *, is_here: bool) -> None:
        self.replaced_at[self.truth] = self.clock.monotonic()
        if is_here:
            self.replaced_here.add(self.truth)
            await self.epoch.advance()
        self.truth += 1

    def answer(self, where: float, *, is_failing: bool = False) -> None:
        if not self.open_readings:
            return
        value, answer = self.open_readings.pop(int(where * (len(self.open_readings) - 1)))
        if is_failing:
            answer.set_exception(Unauthenticated())
        else:
            answer.set_result(value)

    async def call(self) -> None:
        """One caller; checks the law for what it gets."""
        begun_at, changes_before = self.clock.monotonic(), set(self.replaced_here)
        try:
            value = await self.memory.recall("key", self.clock, self.read)
        except Unauthenticated:
            return
        assert value not in changes_before, "a change made here before the call was overlooked"
        age = begun_at - self.replaced_at.get(value, begun_at)
        assert age <= min(self.lasts, 2.0), "an old change made elsewhere was overlooked"


async def settle() -> None:
    """Let every task run until it waits for the simulation."""
    for _ in range(12):
        await asyncio.sleep(0)


def simulate(world: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(cast(Any, world()))


@given(STEPS, st.floats(0.1, 5))
def test_a_memory_never_tells_what_a_change_or_two_seconds_have_outdated(
    steps: list[tuple[str, float]], lasts: float
) -> None:
    async def run() -> None:
        world, callers = World(lasts), list[asyncio.Task[None]]()
        for step, amount in steps:
            match step:
                case "change" | "change elsewhere":
                    await world.change(is_here=step == "change")
                case "wait":
                    world.clock.advance(amount)
                case "call":
                    callers.append(asyncio.create_task(world.call()))
                case _:
                    world.answer(amount, is_failing=step == "fail")
            await settle()
        while world.open_readings:
            world.answer(0)
            await settle()
        await asyncio.gather(*callers)

    simulate(run)


@given(st.integers(1, 20))
def test_callers_who_miss_together_share_one_reading(count: int) -> None:
    async def run() -> None:
        world = World()
        callers = [asyncio.create_task(world.call()) for _ in range(count)]
        await settle()
        assert len(world.open_readings) == 1
        world.answer(0)
        await asyncio.gather(*callers)
        assert world.reading_count == 1

    simulate(run)


@given(st.integers(1, 20), st.floats(1.0, 1.9))
def test_nobody_waits_while_what_is_half_old_is_read_anew(count: int, age: float) -> None:
    async def run() -> None:
        world = World()
        first = asyncio.create_task(world.call())
        await settle()
        world.answer(0)
        await first
        world.clock.advance(age)
        await asyncio.gather(*(world.call() for _ in range(count)))
        await settle()
        assert len(world.open_readings) == 1
        world.answer(0)
        await settle()
        world.clock.advance(0.9)
        await asyncio.gather(*(world.call() for _ in range(count)))
        assert world.reading_count == 2

    simulate(run)


async def test_a_caller_who_goes_away_takes_nobody_along() -> None:
    world = World()
    leaver, stayer = asyncio.create_task(world.call()), asyncio.create_task(world.call())
    await settle()
    leaver.cancel()
    await settle()
    world.answer(1)
    await stayer
    assert leaver.cancelled()
    assert world.reading_count == 2


async def test_what_could_not_be_read_anew_is_forgotten() -> None:
    world = World()
    first = asyncio.create_task(world.call())
    await settle()
    world.answer(0)
    await first
    world.clock.advance(1)
    await world.call()
    await settle()
    world.answer(0, is_failing=True)
    await settle()
    later = asyncio.create_task(world.call())
    await settle()
    assert len(world.open_readings) == 1
    world.answer(0)
    await later


async def test_a_memory_is_bounded() -> None:
    world, reads = World(), list[int]()
    memory: Memory[int, int] = Memory(world.epoch, world)

    async def recall(number: int) -> None:
        async def read(_unit: UnitOfWork) -> int:
            reads.append(number)
            return number

        await memory.recall(number, world.clock, read)

    for number in range(ENTRIES_MAX + 20):
        await recall(number)
    reads.clear()
    for number in reversed(range(ENTRIES_MAX + 20)):
        await recall(number)
    assert len(reads) == 20
