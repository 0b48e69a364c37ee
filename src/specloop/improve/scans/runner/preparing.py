"""Phase Observe before the search: freeze what the scan stands on, and write down the search problem as values."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from specloop.improve.objectives.service import ObjectiveService
from specloop.improve.samples.model import Sample, VersionStatus
from specloop.improve.samples.service import SampleService
from specloop.improve.scans.errors import NotReady
from specloop.improve.scans.model import NewEvent, Scan, SearchWish
from specloop.improve.scans.problem import Budget, Strategy
from specloop.improve.scans.readiness import power_of, readiness_of
from specloop.improve.scans.repository import runs
from specloop.improve.scans.runner.journal import Journal
from specloop.improve.scans.runner.spec import SearchSpec
from specloop.jobs import JobContext
from specloop.run import agents
from specloop.run.runtime import Component

NUMERIC = frozenset({"number", "map<text,number>"})


@dataclass(frozen=True, slots=True)
class Prepared:
    """The agent in its base version, and the spec of the search."""

    served: agents.ServedAgent
    spec: SearchSpec


class Preparing:
    """Makes search specs."""

    def __init__(self, objectives: ObjectiveService, samples: SampleService) -> None:
        self._objectives = objectives
        self._samples = samples

    async def prepare(self, job: JobContext, journal: Journal, scan: Scan) -> Prepared:
        """Freeze the sample version if this is its first use, then read everything that a search may see.

        Raises: NotReady when train or val turn out empty; NotRunnable.
        """
        async with journal.holding() as (ctx, _row):
            version = await self._samples.version(ctx, scan.sample_set_version_id)
            if version.status is VersionStatus.DRAFT:
                version = await self._samples.freeze_version(ctx, version.id)
        power = await power_of(version.counts)
        async with journal.holding() as (ctx, row):
            row.readiness = readiness_of(version.counts, power)
            if scan.attempt == 1:
                await runs.add_events(ctx, row, [NewEvent("preflight.result", row.readiness, "observe")])
            blockers: list[str] = row.readiness["blockers"]
        if blockers:
            raise NotReady("; ".join(blockers), blockers=blockers)
        async with job.reading() as ctx:
            agent, config = await agents.read_version(ctx, scan.agent_id, scan.agent_version)
            compiled = await self._objectives.compiled(ctx, scan.objective_version_id)
            train, val = await self._samples.train_and_val(ctx, version.id)
            checkpoint = await runs.load_checkpoint(ctx, scan.id)
        if checkpoint is not None:
            # What was reported is what was written; a stopped search had counted a few events more.
            checkpoint = {**checkpoint, "events": int(scan.used.get("engine_events", 0))}
        spec = SearchSpec(
            runtime=agents.runnable(agent.runtime).kind,
            config=config.config,
            components=[asdict(one) for one in _components(agent, scan)],
            train=[_example(one) for one in train],
            val=[_example(one) for one in val],
            objective=asdict(compiled.objective),
            judges={name: {"ref": judge.ref, "args": judge.args} for name, judge in compiled.judges.items()},
            strategy=asdict(_strategy(scan.wish.strategy)),
            budget=asdict(_budget(scan)),
            seed=scan.seed,
            checkpoint=checkpoint,
        )
        return Prepared(agents.ServedAgent(agent, config), spec)


def _example(sample: Sample) -> dict[str, Any]:
    return {"id": sample.id, "input": sample.input, "reference": sample.reference, "metadata": sample.metadata}


def _strategy(wish: SearchWish) -> Strategy:
    return Strategy(
        minibatch=wish.minibatch,
        parents=wish.parents,
        batches_per_parent=wish.batches,
        merge=wish.merge,
        patience=wish.patience,
    )


def _budget(scan: Scan) -> Budget:
    wish = scan.wish.budget
    return Budget(wish.max_evaluations, wish.max_wall_s, wish.max_candidates, wish.max_micro_usd)


def _components(agent: agents.Agent, scan: Scan) -> list[Component]:
    wanted = scan.wish.components
    numeric_only = scan.wish.strategy.engine == "numeric"
    return [
        _component(one)
        for one in agent.components
        if one.mutable and (wanted is None or one.name in wanted) and (not numeric_only or one.type in NUMERIC)
    ]


def _component(spec: agents.ComponentSpec) -> Component:
    """The runtime's own form, in which bounds are numbers: an open bound becomes a wide one."""
    is_numeric = spec.type in NUMERIC
    low = spec.minimum if spec.minimum is not None else -1e6
    high = spec.maximum if spec.maximum is not None else 1e6
    step = spec.step if spec.step is not None else _default_step(low, high)
    return Component(
        name=spec.name,
        pointer=spec.pointer,
        type=spec.type,
        mutable=True,
        role=spec.role,
        minimum=low if is_numeric else 0.0,
        maximum=high if is_numeric else 1.0,
        step=step if is_numeric else 0.05,
        choices=spec.choices,
        max_entries=spec.max_entries if spec.max_entries is not None else 500,
        max_chars=spec.max_chars if spec.max_chars is not None else 8000,
    )


def _default_step(low: float, high: float) -> float:
    span = high - low
    return 10.0 ** math.floor(math.log10(span / 20)) if 0 < span < 1e5 else 0.05
