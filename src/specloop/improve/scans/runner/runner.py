"""Runs one scan from its queue slot to its end: search, findings, change set, holdout validation.

Every step can be cut off at any point and is taken up again by the next attempt; equal seeds give equal results.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from opentelemetry.trace import Tracer

from specloop.db.context import Context
from specloop.errors import SpecloopError
from specloop.identity import workspaces
from specloop.improve.changesets import ChangeSet, Decisions, Proposal, Proposals, Validations
from specloop.improve.changesets.policy import may_propose
from specloop.improve.changesets.service.explaining import edit_as_json
from specloop.improve.objectives.service import ObjectiveService
from specloop.improve.samples.service import SampleService
from specloop.improve.scans.model import STALLED_ATTEMPTS_MAX, NewEvent, Scan, Status, move
from specloop.improve.scans.repository import findings as found_rows
from specloop.improve.scans.repository import runs
from specloop.improve.scans.runner.hosts import RunningSearch, SearchHost
from specloop.improve.scans.runner.journal import FLUSH_SECONDS, Command, Journal, end
from specloop.improve.scans.runner.preparing import Prepared, Preparing
from specloop.improve.scans.runner.proposal import proposal_of
from specloop.improve.scans.runner.results import findings_of
from specloop.improve.scans.runner.spans import emit_spans, note_traces
from specloop.improve.scans.tables import ScanRow
from specloop.jobs import JobCancelled, JobContext, LeaseLost
from specloop.jobs.model import FAILURES_MAX
from specloop.kit.clock import Clock
from specloop.kit.ids import new_id
from specloop.kit.log import get_logger

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Domains:
    """The domains that a scan works with."""

    objectives: ObjectiveService
    samples: SampleService
    proposals: Proposals
    validations: Validations
    decisions: Decisions


class ScanRunner:
    """Runs scans; `host` says where searches run, `tracer` takes the spans of the runs that a scan is about."""

    def __init__(self, domains: Domains, host: SearchHost, tracer: Tracer, clock: Clock) -> None:
        self._domains = domains
        self._host = host
        self._tracer = tracer
        self._clock = clock
        self._preparing = Preparing(domains.objectives, domains.samples)

    async def run(self, job: JobContext, scan_id: str) -> None:
        """Bring a scan to its end, or to where it was paused."""
        scan = await self._begin(job, scan_id)
        if scan is None:
            return
        journal = Journal(job, scan_id, scan.attempt, int(scan.used.get("engine_events", 0)))
        try:
            if not scan.results:
                is_done = await self._search(job, journal, scan)
                if not is_done:
                    return
            await self._prove(job, journal, scan_id)
        except (JobCancelled, LeaseLost):
            raise
        except Exception as error:  # whatever goes wrong, a scan must not stay in `running` for ever
            await self._fail(journal, error)

    async def _begin(self, job: JobContext, scan_id: str) -> Scan | None:
        """Take the scan; None when there is nothing to do."""
        async with job.writing() as ctx:
            row = await runs.row_of(ctx, scan_id)
            status = Status(row.status)
            if status is Status.CANCELLING:  # its worker died before it could stop
                await end(ctx, row, Status.CANCELLED)
                return None
            if status is Status.RUNNING:  # the lease expired
                status = move(status, Status.QUEUED)
            if status is not Status.QUEUED:
                return None
            stalled = int(row.used.get("stalled_attempts", 0)) + 1
            row.status = move(status, Status.RUNNING).value
            row.attempt += 1
            row.used = {**row.used, "stalled_attempts": stalled}
            row.started_at = row.started_at or ctx.clock.now()
            row.revision += 1
            row.progress_total = row.plan["wish"]["budget"]["max_evaluations"] or 0
            name = "scan.started" if row.attempt == 1 else "scan.resumed"
            await runs.add_events(ctx, row, [NewEvent(name, {"attempt": row.attempt})])
            if stalled > STALLED_ATTEMPTS_MAX:
                row.error = {"code": "attempts-exhausted", "detail": "no attempt got any further", "phase": row.phase}
                await end(ctx, row, Status.FAILED)
                return None
        async with job.reading() as ctx:
            return await runs.find(ctx, scan_id)

    async def _search(self, job: JobContext, journal: Journal, scan: Scan) -> bool:
        """Search and keep the findings; False when it was paused or cancelled."""
        started = time.monotonic()
        prepared = await self._preparing.prepare(job, journal, scan)
        search = await self._host.start(prepared.spec)
        try:
            message, command = await self._listen(journal, search)
        finally:
            await search.kill()
        if message["type"] == "error":
            raise _SearchFailed(message["detail"], search_code=message["code"])
        if message["type"] == "stopped":
            await self._stop(journal, message, command)
            return False
        await self._keep(journal, scan, prepared, message, time.monotonic() - started)
        return True

    async def _listen(self, journal: Journal, search: RunningSearch) -> tuple[Mapping[str, Any], Command]:
        """Pass messages to the journal until the last one; asks for commands at every flush."""
        last: dict[str, Any] = {}
        command: Command = "go"
        stopping: Command = "go"

        async def consume() -> None:
            async for message in search.messages():
                if message["type"] in {"event", "checkpoint"}:
                    journal.take(message)
                else:
                    last.update(message)

        consuming = asyncio.create_task(consume())
        try:
            while not consuming.done():
                await asyncio.wait([consuming], timeout=FLUSH_SECONDS)
                command = await journal.flush()
                if command != "go" and stopping == "go":
                    stopping = command
                    search.stop()
            await consuming
        finally:
            consuming.cancel()
        return last, await journal.flush()

    async def _stop(self, journal: Journal, message: Mapping[str, Any], command: Command) -> None:
        journal.take({"type": "checkpoint", "state": message["state"]})
        await journal.flush()
        wanted = Status.PAUSED if command == "pause" else Status.CANCELLED
        await journal.end(wanted, [NewEvent("checkpoint.saved", {"evaluations": message["evaluations"]})])

    async def _keep(
        self, journal: Journal, scan: Scan, prepared: Prepared, message: Mapping[str, Any], wall_seconds: float
    ) -> None:
        """Candidates, evaluations, clusters and usage in one transaction, with the summary that says it happened."""
        samples = [*prepared.spec.train, *prepared.spec.val]
        inputs = {one["id"]: one["input"] for one in samples}
        now = self._clock.now()
        findings = findings_of(message, scan.id, prepared.spec.runtime, inputs, now)
        spans = await emit_spans(self._tracer, prepared.served, scan.wish.strategy.traces, findings, samples)
        note_traces(findings, [one["id"] for one in samples])
        proposal = None
        if message["result"]["outcome"] == "changesets_proposed" and not scan.wish.dry_run:
            proposal = proposal_of(scan, prepared.served.agent.name, message, findings)
        async with journal.holding() as (ctx, row):
            await found_rows.clear(ctx, row.id)
            await found_rows.insert_candidates(ctx, row, findings.candidates)
            await found_rows.insert_evaluations(ctx, row, findings.evaluations)
            await found_rows.insert_clusters(ctx, row, findings.clusters, findings.members)
            await found_rows.insert_usage(ctx, row, findings.usage)
            row.results = {**findings.summary, "traced_runs": spans}
            row.used = {
                **row.used,
                "evaluations": message["result"]["evaluations"],
                "micro_usd": message["result"]["micro_usd"],
                "candidates": len(findings.candidates),
                "wall_s": round(wall_seconds, 3),
            }
            row.timings = {"search_s": round(wall_seconds, 3), "cpu_ms": round(message["cpu_ms"], 1)}
            row.progress_done = message["result"]["evaluations"]
            if proposal is not None and row.status == Status.RUNNING:
                await self._propose(ctx, row, proposal)
            row.updated_at = now
            await ctx.session.flush()

    async def _propose(self, ctx: Context, row: ScanRow, proposal: Proposal) -> None:
        """A change set, or under `observe_only` a draft insight that no verb works on (spectral.md §1.2.4)."""
        autonomy = (await workspaces.current_active(ctx)).autonomy
        if not may_propose(autonomy.mode):
            row.draft_insight = {**asdict(proposal), "edits": [edit_as_json(edit) for edit in proposal.edits]}
            return
        changeset = await self._domains.proposals.propose(ctx, proposal)
        row.results = {**row.results, "changeset_ids": [changeset.id]}
        await runs.add_events(ctx, row, [NewEvent("changeset.proposed", {"changeset_id": changeset.id}, "safety")])

    async def _prove(self, job: JobContext, journal: Journal, scan_id: str) -> None:
        """Validate the proposal if the workspace wants that, then complete the scan."""
        async with job.reading() as ctx:
            scan = await runs.find(ctx, scan_id)
            autonomy = (await workspaces.current_active(ctx)).autonomy
        for changeset_id in scan.results["changeset_ids"]:
            if autonomy.auto_validate:
                await self._validate(job, journal, changeset_id)
        await journal.end(Status.COMPLETED, outcome=_outcome(scan), phase=None)

    async def _validate(self, job: JobContext, journal: Journal, changeset_id: str) -> None:
        validations = self._domains.validations
        async with job.reading() as ctx:
            changeset = await self._domains.proposals.read(ctx, changeset_id)
            run = await validations.latest(ctx, changeset_id)
        if changeset.verdict is not None or (run is not None and run.status.is_final):
            return
        try:
            async with journal.holding() as (ctx, row):
                if run is None:
                    run = await validations.open(ctx, changeset_id, reason="auto_validate")
                    await runs.add_events(ctx, row, [NewEvent("validation.started", {"run_id": run.id}, "safety")])
                prepared = await validations.begin(ctx, changeset_id, run.id)
        except SpecloopError as error:
            log.info("scan.not_validated", scan_changeset=changeset_id, code=error.code)
            async with journal.holding() as (ctx, row):
                data = {"gate": "size", "passed": False, "detail": error.detail, "code": error.code}
                await runs.add_events(ctx, row, [NewEvent("gate.result", data, "safety", "warning")])
            return
        if prepared is None:
            return
        report = await asyncio.to_thread(prepared.compare)
        async with journal.holding() as (ctx, row):
            settled = await validations.finish(ctx, prepared, report)
            await runs.add_events(ctx, row, _gate_events(settled))
            await self._domains.decisions.accept_automatically(ctx, changeset_id)

    async def _fail(self, journal: Journal, error: Exception) -> None:
        """Fail for good what another attempt would not change; let the job try others again, a few times."""
        is_expected = isinstance(error, SpecloopError) and error.status < 500
        async with journal.holding() as (ctx, row):
            failures = int(row.used.get("failures", 0)) + 1
            row.used = {**row.used, "failures": failures}
            is_over = is_expected or failures >= FAILURES_MAX
            if is_over:
                row.error = {**_reason(error), "phase": row.phase}
                await end(ctx, row, Status.FAILED)
        if not is_over:
            raise error


def _reason(error: Exception) -> dict[str, Any]:
    if isinstance(error, SpecloopError) and error.code != "internal":
        return {"code": error.members.get("search_code", error.code), "detail": error.detail}
    incident = new_id()
    log.error("scan.crashed", incident=incident, exc_info=error)
    return {"code": "internal", "detail": f"the scan ended with an unexpected error; incident {incident}"}


class _SearchFailed(SpecloopError):
    """The search could not be carried out."""

    code = "search-failed"
    status = 400


def _outcome(scan: Scan) -> str:
    return str(scan.results["outcome"])


def _gate_events(changeset: ChangeSet | None) -> list[NewEvent]:
    if changeset is None:
        return []
    gates = [
        NewEvent("gate.result", {"gate": gate["name"], "passed": gate["passed"], "detail": gate["detail"]}, "safety")
        for gate in changeset.gates
    ]
    return [*gates, NewEvent("validation.finished", {"verdict": changeset.verdict}, "safety")]
