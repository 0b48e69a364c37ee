"""Jobs through their front door on the real engine and both stores: they run with the transaction, or not at all."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from specloop import jobs
from specloop.db.context import Context
from specloop.db.database import Database
from specloop.db.paging import PageRequest
from specloop.errors import BusinessRule, InvalidTransition
from specloop.jobs.errors import JobNotFound
from specloop.jobs.tables import JobRow, JobStepRow
from specloop.kit.context import Principal
from tests.jobs.conftest import ALICE, BOB, StartWorker, acting, ended, enqueue, read, until


class Changed(RuntimeError):
    """What a test's job raises."""


async def test_a_committed_job_runs_with_its_payload_for_its_principal(
    store: Database, start_worker: StartWorker
) -> None:
    seen: list[tuple[Principal, dict[str, Any], int]] = []
    tasks = jobs.Tasks()

    @tasks.job("note", queue="interactive")
    async def note(job: jobs.JobContext, payload: dict[str, Any]) -> None:
        seen.append((job.principal, payload, job.attempt))

    await start_worker(tasks)
    job = await ended(store, await enqueue(store, "note", {"n": [1, {"deep": "ü"}]}, queue="interactive"))
    assert (job.state, job.attempts, job.error) == (jobs.JobState.SUCCEEDED, 1, None)
    assert seen == [(ALICE, {"n": [1, {"deep": "ü"}]}, 1)]
    assert job.started_at is not None
    assert job.finished_at is not None
    assert job.created_at <= job.started_at <= job.finished_at


async def test_a_job_of_a_transaction_that_rolls_back_never_exists(store: Database, start_worker: StartWorker) -> None:
    seen: list[str] = []
    tasks = jobs.Tasks()

    @tasks.job("note", queue="scan")
    async def note(job: jobs.JobContext, payload: dict[str, Any]) -> None:
        seen.append(payload["name"])

    await start_worker(tasks)
    with pytest.raises(Changed):
        async with acting(store) as ctx:
            await jobs.enqueue(ctx, "note", {"name": "never"}, queue="scan")
            raise Changed
    await ended(store, await enqueue(store, "note", {"name": "kept"}))
    assert seen == ["kept"]
    async with store.reading() as uow:
        assert await uow.session.scalar(select(func.count()).select_from(JobRow)) == 1


async def test_a_job_enqueued_while_no_worker_runs_starts_when_one_comes(
    store: Database, start_worker: StartWorker
) -> None:
    tasks = jobs.Tasks()

    @tasks.job("note", queue="scan")
    async def note(job: jobs.JobContext, payload: dict[str, Any]) -> None: ...

    job_id = await enqueue(store, "note", {})
    await start_worker(tasks)
    assert (await ended(store, job_id)).state is jobs.JobState.SUCCEEDED


async def test_a_key_makes_one_job_per_tenant_however_often_it_is_asked_for(
    store: Database, start_worker: StartWorker
) -> None:
    first = await enqueue(store, "note", {"n": 1}, key="once")
    assert await enqueue(store, "note", {"n": 2}, key="once") == first
    assert await enqueue(store, "other", {}, key="once") != first
    assert await enqueue(store, "note", {}, key="once", principal=BOB) != first
    assert await enqueue(store, "note", {}) != await enqueue(store, "note", {})


async def test_another_workspace_does_not_see_the_job(store: Database) -> None:
    job_id = await enqueue(store, "note", {})
    with pytest.raises(JobNotFound):
        await read(store, job_id, BOB)
    async with acting(store, BOB) as ctx:
        with pytest.raises(JobNotFound):
            await jobs.cancel(ctx, job_id)
        assert (await jobs.list_jobs(ctx, PageRequest())).total == 0
    async with acting(store) as ctx:
        page = await jobs.list_jobs(ctx, PageRequest(), name="note", state=jobs.JobState.QUEUED)
        assert [job.id for job in page.results] == [job_id]


async def test_steps_return_what_json_makes_of_their_result_the_first_time_too(
    store: Database, start_worker: StartWorker
) -> None:
    results: list[Any] = []
    tasks = jobs.Tasks()

    async def pair(left: int, *, right: int) -> tuple[int, int]:
        return left, right

    async def nothing() -> None: ...

    @tasks.job("steps", queue="scan")
    async def steps(job: jobs.JobContext, payload: dict[str, Any]) -> None:
        results.append(await job.step("pair", pair, 1, right=2))
        results.append(await job.step("nothing", nothing))

    await start_worker(tasks)
    await ended(store, await enqueue(store, "steps", {}))
    assert results == [[1, 2], None]


async def test_a_failed_attempt_is_tried_again_without_repeating_finished_steps(
    store: Database, start_worker: StartWorker
) -> None:
    ran: list[str] = []
    tasks = jobs.Tasks()

    async def effect(name: str) -> str:
        ran.append(name)
        if name == "second" and ran.count("second") == 1:
            raise Changed("the line is down")
        return name.upper()

    async def marker(ctx: Context, name: str) -> str:
        ran.append(name)
        return name.upper()

    @tasks.job("retried", queue="scan")
    async def retried(job: jobs.JobContext, payload: dict[str, Any]) -> None:
        assert await job.step("effect", effect, "first") == "FIRST"
        assert await job.transaction("marker", marker, "marked") == "MARKED"
        assert await job.step("effect", effect, "second") == "SECOND"

    await start_worker(tasks)
    job = await ended(store, await enqueue(store, "retried", {}))
    assert (job.state, job.attempts, job.error) == (jobs.JobState.SUCCEEDED, 2, None)
    assert ran == ["first", "marked", "second", "second"]


async def test_the_last_failed_attempt_leaves_an_incident_and_no_inner_words(
    store: Database, start_worker: StartWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("specloop.jobs.runner.retry_delay_seconds", lambda failures: 0.0)  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
    tasks = jobs.Tasks()

    @tasks.job("broken", queue="scan")
    async def broken(job: jobs.JobContext, payload: dict[str, Any]) -> None:
        raise Changed(f"cannot use {payload['word']}")

    await start_worker(tasks)
    job = await ended(store, await enqueue(store, "broken", {"word": "hunter2"}))
    assert (job.state, job.attempts) == (jobs.JobState.FAILED, 3)
    assert job.error is not None
    assert job.error.incident is not None
    assert "hunter2" not in repr(job)


async def test_an_expected_error_ends_the_job_at_once_with_its_own_words(
    store: Database, start_worker: StartWorker
) -> None:
    tasks = jobs.Tasks()

    @tasks.job("refused", queue="scan")
    async def refused(job: jobs.JobContext, payload: dict[str, Any]) -> None:
        raise BusinessRule("There are no samples to score")

    await start_worker(tasks)
    job = await ended(store, await enqueue(store, "refused", {}))
    assert (job.state, job.attempts) == (jobs.JobState.FAILED, 1)
    assert job.error == jobs.JobError("business-rule", "There are no samples to score")


async def test_a_transaction_step_that_raises_leaves_neither_effect_nor_marker(
    store: Database, start_worker: StartWorker
) -> None:
    tasks = jobs.Tasks()

    async def write_then_fail(ctx: Context) -> None:
        await jobs.enqueue(ctx, "child", {}, queue="scan")
        raise BusinessRule("no")

    @tasks.job("parent", queue="scan")
    async def parent(job: jobs.JobContext, payload: dict[str, Any]) -> None:
        await job.transaction("write", write_then_fail)

    await start_worker(tasks)
    await ended(store, await enqueue(store, "parent", {}))
    async with store.reading() as uow:
        assert await uow.session.scalar(select(func.count()).select_from(JobStepRow)) == 0
        assert list(await uow.session.scalars(select(JobRow.name))) == ["parent"]


async def test_a_running_job_stops_at_its_next_check_when_it_is_cancelled(
    store: Database, start_worker: StartWorker
) -> None:
    begun, cancelled, after = asyncio.Event(), asyncio.Event(), list[str]()
    tasks = jobs.Tasks()

    @tasks.job("long", queue="scan")
    async def long(job: jobs.JobContext, payload: dict[str, Any]) -> None:
        await job.progress(1, 10, "first")
        begun.set()
        await cancelled.wait()
        await job.check_cancelled()
        after.append("went on")

    await start_worker(tasks)
    job_id = await enqueue(store, "long", {})
    await begun.wait()
    async with acting(store) as ctx:
        assert (await jobs.cancel(ctx, job_id)).is_cancel_requested
    cancelled.set()
    job = await ended(store, job_id)
    assert (job.state, job.progress, after) == (jobs.JobState.CANCELLED, jobs.Progress(1, 10, "first"), [])
    async with acting(store) as ctx:
        assert (await jobs.cancel(ctx, job_id)).state is jobs.JobState.CANCELLED


async def test_a_step_is_a_check_for_cancellation(store: Database, start_worker: StartWorker) -> None:
    begun = asyncio.Event()
    turns: list[int] = []
    tasks = jobs.Tasks()

    async def turn() -> None:
        turns.append(1)
        begun.set()

    @tasks.job("endless", queue="scan")
    async def endless(job: jobs.JobContext, payload: dict[str, Any]) -> None:
        while True:
            await job.step("turn", turn)

    await start_worker(tasks)
    job_id = await enqueue(store, "endless", {})
    await begun.wait()
    async with acting(store) as ctx:
        await jobs.cancel(ctx, job_id)
    assert (await ended(store, job_id)).state is jobs.JobState.CANCELLED
    assert turns


async def test_a_queued_job_is_cancelled_at_once_and_a_finished_one_cannot_be(
    store: Database, start_worker: StartWorker
) -> None:
    tasks = jobs.Tasks()

    @tasks.job("note", queue="scan")
    async def note(job: jobs.JobContext, payload: dict[str, Any]) -> None: ...

    waiting = await enqueue(store, "note", {})
    async with acting(store) as ctx:
        assert (await jobs.cancel(ctx, waiting)).state is jobs.JobState.CANCELLED
    await start_worker(tasks)
    done = await enqueue(store, "note", {})
    await ended(store, done)
    async with acting(store) as ctx:
        with pytest.raises(InvalidTransition):
            await jobs.cancel(ctx, done)
    assert (await read(store, waiting)).attempts == 0


async def test_a_lane_never_runs_more_jobs_than_it_has_slots_and_lanes_do_not_wait_for_each_other(
    store: Database, start_worker: StartWorker
) -> None:
    now, most = 0, 0
    gate = asyncio.Event()
    tasks = jobs.Tasks()

    @tasks.job("slow", queue="scan")
    async def slow(job: jobs.JobContext, payload: dict[str, Any]) -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await gate.wait()
        now -= 1

    @tasks.job("quick", queue="interactive")
    async def quick(job: jobs.JobContext, payload: dict[str, Any]) -> None: ...

    await start_worker(tasks, slots={jobs.Lane.SCAN: 2, jobs.Lane.INTERACTIVE: 1})
    ids = [await enqueue(store, "slow", {}) for _ in range(5)]
    assert (await ended(store, await enqueue(store, "quick", {}, queue="interactive"))).state.is_final
    assert now == 2
    gate.set()
    for job_id in ids:
        await ended(store, job_id)
    assert most == 2


async def test_a_workspace_with_few_jobs_does_not_wait_behind_one_with_many(
    store: Database, start_worker: StartWorker
) -> None:
    order: list[str] = []
    tasks = jobs.Tasks()

    @tasks.job("note", queue="scan")
    async def note(job: jobs.JobContext, payload: dict[str, Any]) -> None:
        order.append(job.principal.workspace_id or "")

    for _ in range(6):
        await enqueue(store, "note", {})
    last = await enqueue(store, "note", {}, principal=BOB)
    await start_worker(tasks, slots={jobs.Lane.SCAN: 1})
    job = None
    while job is None or not job.state.is_final:
        job = await read(store, last, BOB)
    assert order.index("ws-2") <= 1


async def test_a_delayed_job_waits_for_its_time(store: Database, start_worker: StartWorker) -> None:
    tasks = jobs.Tasks()

    @tasks.job("note", queue="scan")
    async def note(job: jobs.JobContext, payload: dict[str, Any]) -> None: ...

    await start_worker(tasks)
    run_at = datetime.now(UTC) + timedelta(seconds=0.4)
    soon = await enqueue(store, "note", {}, run_at=run_at)
    later = await enqueue(store, "note", {}, run_at=run_at + timedelta(hours=1))
    job = await ended(store, soon)
    assert job.started_at is not None
    assert job.started_at >= run_at
    assert (await read(store, later)).state is jobs.JobState.QUEUED


async def test_a_job_no_program_here_knows_waits_for_one_that_does(store: Database, start_worker: StartWorker) -> None:
    tasks = jobs.Tasks()

    @tasks.job("known", queue="scan")
    async def known(job: jobs.JobContext, payload: dict[str, Any]) -> None: ...

    unknown = await enqueue(store, "of a newer version", {})
    await start_worker(tasks)
    await ended(store, await enqueue(store, "known", {}))
    assert (await read(store, unknown)).state is jobs.JobState.QUEUED


async def test_a_graceful_stop_waits_for_the_running_step_and_resumes_at_the_next_start(
    store: Database, start_worker: StartWorker
) -> None:
    ran: list[int] = []
    begun = asyncio.Event()
    gate = asyncio.Event()
    tasks = jobs.Tasks()

    async def effect(number: int) -> int:
        ran.append(number)
        return number

    @tasks.job("stages", queue="scan")
    async def stages(job: jobs.JobContext, payload: dict[str, Any]) -> None:
        for number in range(3):
            await job.step("effect", effect, number)
        begun.set()
        await gate.wait()
        await job.step("effect", effect, 3)

    first = await start_worker(tasks)
    job_id = await enqueue(store, "stages", {})
    await begun.wait()
    await first.stop(grace_seconds=0.05)
    waiting = await read(store, job_id)
    assert (waiting.state, waiting.attempts) == (jobs.JobState.QUEUED, 1)
    gate.set()
    await start_worker(tasks)
    job = await ended(store, job_id)
    assert (job.state, job.attempts) == (jobs.JobState.SUCCEEDED, 2)
    assert ran == [0, 1, 2, 3]


async def test_a_job_that_ends_within_the_grace_is_not_interrupted(store: Database, start_worker: StartWorker) -> None:
    begun = asyncio.Event()
    tasks = jobs.Tasks()

    async def effect() -> None:
        await asyncio.sleep(0.1)

    @tasks.job("short", queue="scan")
    async def short(job: jobs.JobContext, payload: dict[str, Any]) -> None:
        begun.set()
        await job.step("effect", effect)

    worker = await start_worker(tasks)
    job_id = await enqueue(store, "short", {})
    await begun.wait()
    await worker.stop(grace_seconds=10)
    assert (await read(store, job_id)).state is jobs.JobState.SUCCEEDED


async def test_what_the_engine_recorded_is_dropped_when_the_job_is_over(
    store: Database, start_worker: StartWorker
) -> None:
    tasks = jobs.Tasks()

    async def effect() -> int:
        return 1

    @tasks.job("short", queue="scan")
    async def short(job: jobs.JobContext, payload: dict[str, Any]) -> None:
        await job.step("effect", effect)

    worker = await start_worker(tasks)
    job_id = await enqueue(store, "short", {})
    await ended(store, job_id)
    await worker.dispatcher.settled()
    assert await worker.engine.known() == []


async def test_services_reach_the_job(store: Database, start_worker: StartWorker) -> None:
    seen: list[Any] = []
    tasks = jobs.Tasks()

    @tasks.job("user", queue="scan")
    async def user(job: jobs.JobContext, payload: dict[str, Any]) -> None:
        seen.append(job.services["blobs"])

    await start_worker(tasks, services={"blobs": "a store"})
    await ended(store, await enqueue(store, "user", {}))
    assert seen == ["a store"]


async def test_a_job_wakes_the_worker_without_waiting_for_its_poll(store: Database, start_worker: StartWorker) -> None:
    tasks = jobs.Tasks()

    @tasks.job("note", queue="scan")
    async def note(job: jobs.JobContext, payload: dict[str, Any]) -> None: ...

    await start_worker(tasks, poll_seconds=3600)

    async def is_quick() -> bool:
        return (await ended(store, await enqueue(store, "note", {}))).state is jobs.JobState.SUCCEEDED

    await until(is_quick)
