"""Start scans and steer them: preflight, queue, cancel, pause, resume, retry (spectral.md §1.2.1, §1.3 router 7)."""

from __future__ import annotations

import platform
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import version as version_of
from typing import Any

from specloop import __version__, jobs
from specloop.db.context import Context
from specloop.db.paging import Page, PageRequest
from specloop.errors import BusinessRule, InvalidTransition
from specloop.identity import audit, workspaces
from specloop.improve.objectives.service import ObjectiveService
from specloop.improve.samples.model import VersionStatus
from specloop.improve.samples.service import SampleService
from specloop.improve.scans.errors import NotReady, ScanActive
from specloop.improve.scans.model import (
    NewEvent,
    Scan,
    ScanEvent,
    ScanWish,
    Status,
    allowed_moves,
    cancelled_from,
    check_retry,
    move,
)
from specloop.improve.scans.readiness import power_of, readiness_of
from specloop.improve.scans.repository import runs
from specloop.improve.scans.tables import ScanRow
from specloop.run import agents

JOB = "scan.run"


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a wish refers to, found and usable."""

    agent: agents.ServedAgent
    sample_set_version_id: str
    objective_version_id: str
    counts: dict[str, int]


class Scans:
    """The scans of a workspace."""

    def __init__(self, objectives: ObjectiveService, samples: SampleService) -> None:
        self._objectives = objectives
        self._samples = samples

    async def start(self, ctx: Context, wish: ScanWish, retry_of: str | None = None) -> Scan:
        """Queue a scan; the work is enqueued in this transaction.

        Raises: AgentNotFound, SampleSetNotFound, ObjectiveNotFound; ScanActive; NotReady; NotRunnable.
        """
        await agents.find(ctx, wish.agent_id, is_locked=True)  # two requests must not both find the agent free
        resolved = await self._resolve(ctx, wish)
        for scan in await runs.active_scans(ctx):
            if scan.agent_id == wish.agent_id:
                raise ScanActive(f"scan {scan.id} of this agent is {scan.status}", scan_id=scan.id)
        readiness = readiness_of(resolved.counts)
        if readiness["blockers"]:
            raise NotReady("; ".join(readiness["blockers"]), blockers=readiness["blockers"])
        scan_id = await runs.insert_scan(
            ctx,
            runs.NewScan(
                wish=wish,
                agent_version=resolved.agent.config.version,
                sample_set_version_id=resolved.sample_set_version_id,
                objective_version_id=resolved.objective_version_id,
                readiness=readiness,
                engine_versions=engine_versions(),
                retry_of=retry_of,
            ),
        )
        row = await runs.row_of(ctx, scan_id)
        await runs.add_events(ctx, row, [NewEvent("scan.queued", {"retry_of": retry_of})])
        await audit.record(ctx, "scan.queued", "scan", scan_id, {"agent_id": wish.agent_id, "seed": wish.seed})
        await jobs.enqueue(ctx, JOB, {"scan_id": scan_id}, queue=jobs.Lane.SCAN)
        return await runs.find(ctx, scan_id)

    async def preflight(self, ctx: Context, wish: ScanWish) -> dict[str, Any]:
        """Whether a scan could start, what its holdout could prove, and what stands in the way; starts nothing."""
        await workspaces.current_active(ctx)
        try:
            resolved = await self._resolve(ctx, wish)
        except BusinessRule as error:
            return {**readiness_of({}), "is_ready": False, "blockers": [error.detail]}
        readiness = readiness_of(resolved.counts, await power_of(resolved.counts))
        for scan in await runs.active_scans(ctx):
            if scan.agent_id == wish.agent_id:
                readiness["blockers"].append(f"scan {scan.id} of this agent is {scan.status}")
        return {**readiness, "is_ready": not readiness["blockers"]}

    async def _resolve(self, ctx: Context, wish: ScanWish) -> Resolved:
        served = await agents.read(ctx, wish.agent_id)
        if not served.agent.is_active:
            raise NotReady("the agent is archived")
        agents.runnable(served.agent.runtime)
        objective = await self._objectives.usable(ctx, wish.objective_id)
        found = await self._samples.read_set(ctx, wish.sample_set_id, wish.sample_set_version)
        if found.shown.status is VersionStatus.ARCHIVED:
            raise NotReady("this version of the sample set is archived")
        _check_components(served, wish)
        return Resolved(served, found.shown.id, objective.id, found.shown.counts)

    async def read(self, ctx: Context, scan_id: str) -> Scan:
        """A scan.

        Raises: ScanNotFound.
        """
        return await runs.find(ctx, scan_id)

    async def list(self, ctx: Context, wanted: runs.Wanted, page: PageRequest) -> Page[Scan]:
        """Scans, newest first."""
        return await runs.page_of(ctx, wanted, page)

    async def events(
        self, ctx: Context, scan_id: str, type_: str | None, level: str | None, page: PageRequest
    ) -> Page[ScanEvent]:
        """Events, oldest first.

        Raises: ScanNotFound.
        """
        await runs.find(ctx, scan_id)
        return await runs.page_of_events(ctx, scan_id, type_, level, page)

    async def update(self, ctx: Context, scan_id: str, name: str | None, labels: dict[str, Any] | None) -> Scan:
        """Rename or relabel; nothing else of a scan can be changed.

        Raises: ScanNotFound.
        """
        row = await runs.row_of(ctx, scan_id)
        row.name = name if name is not None else row.name
        row.labels = labels if labels is not None else row.labels
        row.revision += 1
        row.updated_at = ctx.clock.now()
        await ctx.session.flush()
        await audit.record(ctx, "scan.updated", "scan", scan_id)
        return await runs.find(ctx, scan_id)

    async def cancel(self, ctx: Context, scan_id: str) -> Scan:
        """End a waiting scan now, a running one at its next checkpoint; what it found stays readable.

        Raises: ScanNotFound; InvalidTransition.
        """
        row = await runs.row_of(ctx, scan_id)
        wanted = cancelled_from(Status(row.status))
        if wanted is Status.CANCELLED:
            row.finished_at = ctx.clock.now()
        await self._move(ctx, row, wanted)
        return await runs.find(ctx, scan_id)

    async def pause(self, ctx: Context, scan_id: str) -> Scan:
        """Ask a running scan to stop at its next checkpoint and to keep its place.

        Raises: ScanNotFound; InvalidTransition.
        """
        row = await runs.row_of(ctx, scan_id)
        move(Status(row.status), Status.PAUSED)
        if row.is_pause_requested:
            raise InvalidTransition.of("the scan", "pausing", Status.PAUSED, allowed_moves(Status.RUNNING))
        row.is_pause_requested = True
        row.revision += 1
        row.updated_at = ctx.clock.now()
        await ctx.session.flush()
        await audit.record(ctx, "scan.pause_requested", "scan", scan_id)
        return await runs.find(ctx, scan_id)

    async def resume(self, ctx: Context, scan_id: str) -> Scan:
        """Queue a paused scan again; it goes on at its checkpoint.

        Raises: ScanNotFound; InvalidTransition.
        """
        row = await runs.row_of(ctx, scan_id)
        if Status(row.status) is not Status.PAUSED:
            raise InvalidTransition.of("the scan", row.status, Status.QUEUED, allowed_moves(Status(row.status)))
        await self._move(ctx, row, Status.QUEUED, "scan.resumed")
        await jobs.enqueue(ctx, JOB, {"scan_id": scan_id}, queue=jobs.Lane.SCAN)
        return await runs.find(ctx, scan_id)

    async def retry(self, ctx: Context, scan_id: str) -> Scan:
        """A new scan with the same wishes; the old one never changes.

        Raises: ScanNotFound; InvalidTransition; what `start` raises.
        """
        old = await runs.find(ctx, scan_id)
        check_retry(old.status)
        return await self.start(ctx, replace(old.wish, seed=old.seed), retry_of=old.id)

    async def _move(self, ctx: Context, row: ScanRow, wanted: Status, event: str | None = None) -> None:
        """State, event and audit in one transaction (spectral.md §1.4 invariant 15)."""
        row.status = move(Status(row.status), wanted).value
        row.revision += 1
        row.updated_at = ctx.clock.now()
        type_ = event or f"scan.{wanted.value}"
        await runs.add_events(ctx, row, [NewEvent(type_, {"by": ctx.principal.actor_id})])
        await audit.record(ctx, type_, "scan", row.id)


def _check_components(served: agents.ServedAgent, wish: ScanWish) -> None:
    known = {component.name for component in served.agent.components if component.mutable}
    if not known:
        raise NotReady("the agent has no mutable component, so there is nothing to search")
    unknown = sorted(set(wish.components or ()) - known)
    if unknown:
        raise NotReady(f"unknown components: {', '.join(unknown)}; there are: {', '.join(sorted(known))}")


@cache
def engine_versions() -> dict[str, Any]:
    """What the result depends on besides inputs and seed (spectral.md §1.4 invariant 6)."""
    return {
        "specloop": __version__,
        "python": platform.python_version(),
        **{name: version_of(name) for name in ("gepa", "numpy", "scipy", "scikit-learn")},
    }
