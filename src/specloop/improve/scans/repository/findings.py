"""SQL of what scans found: candidates, packed evaluations, clusters with members, usage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, func, insert, select

from specloop.db.context import Context
from specloop.db.paging import Page, PageRequest, paginate
from specloop.improve.samples.tables import SampleRow
from specloop.improve.scans.errors import CandidateNotFound, ClusterNotFound
from specloop.improve.scans.model import Cluster, ClusterMember, ClusterStatus, StoredCandidate, Usage
from specloop.improve.scans.tables import (
    CandidateRow,
    ClusterMemberRow,
    ClusterRow,
    EvaluationBatchRow,
    ScanRow,
    UsageRow,
)
from specloop.kit.ids import new_id

_CANDIDATE_SORT = {
    "ordinal": CandidateRow.ordinal,
    "val_score": CandidateRow.val_score,
    "mb_score": CandidateRow.mb_score,
    "created_at": CandidateRow.created_at,
}


async def clear(ctx: Context, scan_id: str) -> None:
    """Forget what an attempt that did not finish may have written."""
    for table in (CandidateRow, EvaluationBatchRow, ClusterRow, UsageRow):
        await ctx.session.execute(delete(table).where(table.workspace_id == ctx.workspace_id, table.scan_id == scan_id))


async def insert_candidates(ctx: Context, row: ScanRow, candidates: Sequence[StoredCandidate]) -> None:
    """The candidates of a finished search."""
    if not candidates:
        return
    tenant = {"account_id": row.account_id, "workspace_id": row.workspace_id}
    values = [
        {
            **tenant,
            **{name: getattr(one, name) for name in StoredCandidate.__dataclass_fields__},
            "parent_ids": list(one.parent_ids),
            "edits": list(one.edits),
        }
        for one in candidates
    ]
    await ctx.session.execute(insert(CandidateRow), values)


async def insert_evaluations(ctx: Context, row: ScanRow, packed: Mapping[tuple[str, str], dict[str, Any]]) -> None:
    """Packed evaluations by (candidate id, split)."""
    if not packed:
        return
    values = [
        {
            "account_id": row.account_id,
            "workspace_id": row.workspace_id,
            "scan_id": row.id,
            "candidate_id": candidate_id,
            "split": split,
            "packed": body,
            "created_at": ctx.clock.now(),
        }
        for (candidate_id, split), body in packed.items()
    ]
    await ctx.session.execute(insert(EvaluationBatchRow), values)


async def insert_clusters(
    ctx: Context, row: ScanRow, clusters: Sequence[Cluster], members: Mapping[str, Sequence[ClusterMember]]
) -> None:
    """Clusters in their order, and their members by cluster id."""
    if not clusters:
        return
    tenant = {"account_id": row.account_id, "workspace_id": row.workspace_id}
    rows = [
        {
            **tenant,
            **{name: getattr(one, name) for name in Cluster.__dataclass_fields__},
            "ordinal": ordinal,
            "status": one.status.value,
        }
        for ordinal, one in enumerate(clusters)
    ]
    await ctx.session.execute(insert(ClusterRow), rows)
    member_rows = [
        {
            **tenant,
            "id": one.id,
            "cluster_id": cluster_id,
            "ordinal": ordinal,
            "sample_id": one.sample_id,
            "trace_id": one.trace_id,
            "distance": one.distance,
            "excerpt": one.excerpt,
            "rationale": one.rationale,
        }
        for cluster_id, found in members.items()
        for ordinal, one in enumerate(found)
    ]
    if member_rows:
        await ctx.session.execute(insert(ClusterMemberRow), member_rows)


async def insert_usage(ctx: Context, row: ScanRow, usage: Sequence[Usage]) -> None:
    """What the scan used."""
    values = [
        {
            "id": new_id(),
            "account_id": row.account_id,
            "workspace_id": row.workspace_id,
            "scan_id": row.id,
            "created_at": ctx.clock.now(),
            **{name: getattr(one, name) for name in Usage.__dataclass_fields__},
        }
        for one in usage
    ]
    if values:
        await ctx.session.execute(insert(UsageRow), values)


async def usage_of(ctx: Context, scan_id: str) -> list[Usage]:
    """What a scan used, by phase and model."""
    rows = await ctx.session.scalars(
        select(UsageRow)
        .where(UsageRow.workspace_id == ctx.workspace_id, UsageRow.scan_id == scan_id)
        .order_by(UsageRow.id)
    )
    return [Usage(**{name: getattr(row, name) for name in Usage.__dataclass_fields__}) for row in rows]


async def page_of_candidates(
    ctx: Context, scan_id: str, page: PageRequest, *, is_frontier_only: bool = False
) -> Page[StoredCandidate]:
    """Candidates in the order in which they were proposed."""
    query = select(CandidateRow).where(CandidateRow.workspace_id == ctx.workspace_id, CandidateRow.scan_id == scan_id)
    if is_frontier_only:
        query = query.where(CandidateRow.on_frontier.is_(True))
    rows = await paginate(
        ctx.session, query, page, sortable=_CANDIDATE_SORT, default_sort="ordinal", tie_break=CandidateRow.id
    )
    return Page([to_candidate(row) for row in rows.results], rows.total, rows.limit, rows.offset)


async def find_candidate(ctx: Context, scan_id: str, candidate_id: str) -> StoredCandidate:
    """A candidate.

    Raises: CandidateNotFound.
    """
    row = await ctx.session.scalar(
        select(CandidateRow).where(
            CandidateRow.workspace_id == ctx.workspace_id,
            CandidateRow.scan_id == scan_id,
            CandidateRow.id == candidate_id,
        )
    )
    if row is None:
        raise CandidateNotFound
    return to_candidate(row)


async def evaluation_batches(ctx: Context, scan_id: str, candidate_id: str | None) -> list[EvaluationBatchRow]:
    """The packed evaluations of a candidate, or of all in the order of their ids."""
    query = select(EvaluationBatchRow).where(
        EvaluationBatchRow.workspace_id == ctx.workspace_id, EvaluationBatchRow.scan_id == scan_id
    )
    if candidate_id is not None:
        query = query.where(EvaluationBatchRow.candidate_id == candidate_id)
    rows = await ctx.session.scalars(query.order_by(EvaluationBatchRow.candidate_id, EvaluationBatchRow.split))
    return list(rows)


async def sample_ids(ctx: Context, version_id: str) -> list[str]:
    """The ids of train, then val samples, in the order that packed evaluations refer to."""
    found: list[str] = []
    for split in ("train", "val"):
        rows = await ctx.session.scalars(
            select(SampleRow.id)
            .where(
                SampleRow.workspace_id == ctx.workspace_id,
                SampleRow.version_id == version_id,
                SampleRow.split == split,
            )
            .order_by(SampleRow.ordinal, SampleRow.id)
        )
        found.extend(rows)
    return found


async def clusters_of(ctx: Context, scan_id: str) -> list[Cluster]:
    """All clusters of a scan in tree order."""
    rows = await ctx.session.scalars(
        select(ClusterRow)
        .where(ClusterRow.workspace_id == ctx.workspace_id, ClusterRow.scan_id == scan_id)
        .order_by(ClusterRow.ordinal)
    )
    return [to_cluster(row) for row in rows]


async def page_of_clusters(ctx: Context, scan_id: str, page: PageRequest) -> Page[Cluster]:
    """A page of the clusters of a scan in tree order."""
    rows = await paginate(
        ctx.session,
        select(ClusterRow).where(ClusterRow.workspace_id == ctx.workspace_id, ClusterRow.scan_id == scan_id),
        page,
        sortable={"ordinal": ClusterRow.ordinal, "size": ClusterRow.size, "share": ClusterRow.share},
        default_sort="ordinal",
        tie_break=ClusterRow.id,
    )
    return Page([to_cluster(row) for row in rows.results], rows.total, rows.limit, rows.offset)


async def cluster_row(ctx: Context, scan_id: str, cluster_id: str, *, is_locked: bool = False) -> ClusterRow:
    """A cluster's row; with `is_locked` nobody else changes it before this transaction ends.

    Raises: ClusterNotFound.
    """
    query = select(ClusterRow).where(
        ClusterRow.workspace_id == ctx.workspace_id, ClusterRow.scan_id == scan_id, ClusterRow.id == cluster_id
    )
    row = await ctx.session.scalar(query.with_for_update() if is_locked else query)
    if row is None:
        raise ClusterNotFound
    return row


async def page_of_members(ctx: Context, cluster_id: str, page: PageRequest) -> Page[ClusterMember]:
    """The members nearest to the centre first."""
    rows = await paginate(
        ctx.session,
        select(ClusterMemberRow).where(
            ClusterMemberRow.workspace_id == ctx.workspace_id, ClusterMemberRow.cluster_id == cluster_id
        ),
        page,
        sortable={"distance": ClusterMemberRow.distance, "ordinal": ClusterMemberRow.ordinal},
        default_sort="distance",
        tie_break=ClusterMemberRow.ordinal,
    )
    members = [
        ClusterMember(row.id, row.sample_id, row.trace_id, row.distance, row.excerpt, row.rationale)
        for row in rows.results
    ]
    return Page(members, rows.total, rows.limit, rows.offset)


async def count_candidates(ctx: Context, scan_id: str) -> int:
    """How many candidates a scan kept."""
    query = (
        select(func.count())
        .select_from(CandidateRow)
        .where(CandidateRow.workspace_id == ctx.workspace_id, CandidateRow.scan_id == scan_id)
    )
    return await ctx.session.scalar(query) or 0


def to_candidate(row: CandidateRow) -> StoredCandidate:
    """The candidate a row holds."""
    return StoredCandidate(
        id=row.id,
        scan_id=row.scan_id,
        ordinal=row.ordinal,
        parent_ids=tuple(row.parent_ids),
        operator=row.operator,
        edits=tuple(row.edits),
        components=row.components,
        config_hash=row.config_hash,
        mb_score=row.mb_score,
        val_score=row.val_score,
        objective_scores=row.objective_scores,
        on_frontier=row.on_frontier,
        accepted=row.accepted,
        reject_reason=row.reject_reason,
        created_at=row.created_at,
    )


def to_cluster(row: ClusterRow) -> Cluster:
    """The cluster a row holds."""
    return Cluster(
        id=row.id,
        scan_id=row.scan_id,
        key=row.key,
        parent_id=row.parent_id,
        kind=row.kind,
        name=row.name,
        description=row.description,
        size=row.size,
        share=row.share,
        severity=row.severity,
        status=ClusterStatus(row.status),
        body=row.body,
        is_curated=row.is_curated,
        revision=row.revision,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
