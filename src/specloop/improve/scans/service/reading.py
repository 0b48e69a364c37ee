"""What a scan found, for readers: candidates, evaluations, cost, the report. Train and val only, never holdout."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from specloop.db.context import Context
from specloop.db.paging import Page, PageRequest
from specloop.improve.scans.errors import ScanNotEnded
from specloop.improve.scans.model import Cluster, Scan, Status, StoredCandidate, Usage
from specloop.improve.scans.packing import unpack
from specloop.improve.scans.repository import findings, runs


async def candidates(
    ctx: Context, scan_id: str, page: PageRequest, *, is_frontier_only: bool = False
) -> Page[StoredCandidate]:
    """The candidates in the order in which they were proposed, or those on the frontier.

    Raises: ScanNotFound.
    """
    await runs.find(ctx, scan_id)
    return await findings.page_of_candidates(ctx, scan_id, page, is_frontier_only=is_frontier_only)


async def candidate(ctx: Context, scan_id: str, candidate_id: str) -> tuple[StoredCandidate, dict[str, float]]:
    """A candidate and its val score by sample.

    Raises: ScanNotFound, CandidateNotFound.
    """
    scan = await runs.find(ctx, scan_id)
    found = await findings.find_candidate(ctx, scan_id, candidate_id)
    ids = await findings.sample_ids(ctx, scan.sample_set_version_id)
    scores: dict[str, float] = {}
    for batch in await findings.evaluation_batches(ctx, scan_id, candidate_id):
        if batch.split == "val":
            places, values = batch.packed["places"], batch.packed["scores"]
            scores = {ids[place]: value for place, value in zip(places, values, strict=True) if value is not None}
    return found, scores


async def evaluations(
    ctx: Context, scan_id: str, candidate_id: str | None, sample_id: str | None, page: PageRequest
) -> Page[dict[str, Any]]:
    """Evaluations, filtered by candidate, sample or both.

    Raises: ScanNotFound.
    """
    scan = await runs.find(ctx, scan_id)
    ids = await findings.sample_ids(ctx, scan.sample_set_version_id)
    rows: list[dict[str, Any]] = []
    for batch in await findings.evaluation_batches(ctx, scan_id, candidate_id):
        for one in unpack(batch.packed, ids):
            if sample_id is None or one["sample_id"] == sample_id:
                rows.append({"candidate_id": batch.candidate_id, "split": batch.split, **one})
    return Page(rows[page.offset : page.offset + page.limit], len(rows), page.limit, page.offset)


async def clusters(ctx: Context, scan_id: str, page: PageRequest) -> Page[Cluster]:
    """The clusters in tree order.

    Raises: ScanNotFound.
    """
    await runs.find(ctx, scan_id)
    return await findings.page_of_clusters(ctx, scan_id, page)


async def cost(ctx: Context, scan_id: str) -> dict[str, Any]:
    """What the scan used: the total, by model and by phase; the parts add up to the total.

    Raises: ScanNotFound.
    """
    await runs.find(ctx, scan_id)
    usage = await findings.usage_of(ctx, scan_id)
    agent = [one for one in usage if one.purpose == "agent"]
    return {
        "total_micro_usd": sum(one.micro_usd or 0 for one in usage),
        "total_usd": usd(sum(one.micro_usd or 0 for one in usage)),
        "by_model": _grouped(usage, ("provider", "model", "purpose")),
        "by_phase": _grouped(usage, ("phase",)),
        "evaluations": sum(one.calls for one in agent),
        "cache_hits": sum(one.cache_hits for one in usage),
        "local_cpu_ms": round(sum(one.wall_ms for one in usage if one.provider == "local"), 1),
    }


def usd(micro_usd: int) -> str:
    """Money on the wire: dollars with 8 decimal places (spectral.md §1.0)."""
    return f"{micro_usd // 1_000_000}.{micro_usd % 1_000_000:06d}00"


def _grouped(usage: Iterable[Usage], names: tuple[str, ...]) -> list[dict[str, Any]]:
    groups: dict[tuple[str, ...], list[Usage]] = {}
    for one in usage:
        groups.setdefault(tuple(str(getattr(one, name)) for name in names), []).append(one)
    return [_sum(dict(zip(names, key, strict=True)), members) for key, members in groups.items()]


def _sum(head: dict[str, str], members: list[Usage]) -> dict[str, Any]:
    is_priced = all(one.micro_usd is not None for one in members)
    sources = {one.price_source for one in members}
    return {
        **head,
        "calls": sum(one.calls for one in members),
        "tokens_in": sum(one.tokens_in for one in members),
        "tokens_out": sum(one.tokens_out for one in members),
        "cached_in": sum(one.cached_in for one in members),
        "micro_usd": sum(one.micro_usd or 0 for one in members) if is_priced else None,
        "price_source": sources.pop() if len(sources) == 1 else "table",
    }


async def report(ctx: Context, scan_id: str) -> dict[str, Any]:
    """Everything worth telling about a scan that has completed.

    Raises: ScanNotFound; ScanNotEnded.
    """
    scan = await runs.find(ctx, scan_id)
    if scan.status is not Status.COMPLETED:
        raise ScanNotEnded(f"the scan is {scan.status}; a report exists once it is completed")
    found = await findings.clusters_of(ctx, scan_id)
    return {
        "scan_id": scan.id,
        "name": scan.name,
        "agent_id": scan.agent_id,
        "agent_version": scan.agent_version,
        "outcome": scan.outcome,
        "seed": scan.seed,
        "results": scan.results,
        "budget": budget_of(scan),
        "timings": scan.timings,
        "engine_versions": scan.engine_versions,
        "clusters": [
            {"name": one.name, "kind": one.kind, "size": one.size, "share": one.share, "severity": one.severity}
            for one in found
            if one.parent_id is None
        ],
        "patterns": [
            {"name": one.name, "kind": one.kind, "size": one.size, "severity": one.severity}
            for one in found
            if one.parent_id is not None
        ],
        "cost": await cost(ctx, scan_id),
    }


def budget_of(scan: Scan) -> dict[str, Any]:
    """Limits, and what was used of them."""
    wish = scan.wish.budget
    return {
        "limit": {
            "max_evaluations": wish.max_evaluations,
            "max_micro_usd": wish.max_micro_usd,
            "max_wall_s": wish.max_wall_s,
            "max_candidates": wish.max_candidates,
        },
        "used": {
            "evaluations": scan.used.get("evaluations", 0),
            "micro_usd": scan.used.get("micro_usd", 0),
            "wall_s": scan.used.get("wall_s", 0.0),
            "candidates": scan.used.get("candidates", 0),
        },
    }
