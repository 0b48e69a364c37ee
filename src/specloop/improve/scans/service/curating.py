"""Failure clusters behind a change set: the tree, members, curation (spectral.md §1.3 router 9)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from specloop.db.context import Context
from specloop.db.paging import Page, PageRequest
from specloop.identity import audit
from specloop.improve.changesets import ChangeSet, Proposals
from specloop.improve.changesets.model import CURATABLE
from specloop.improve.scans.errors import ClusterNotFound, CurationClosed
from specloop.improve.scans.model import Cluster, ClusterMember, ClusterStatus, move_cluster
from specloop.improve.scans.repository import findings


@dataclass(frozen=True, slots=True)
class Curation:
    """New values of a cluster; None leaves one as it is."""

    name: str | None = None
    description: str | None = None
    severity: str | None = None
    status: ClusterStatus | None = None


class Clusters:
    """The clusters of change sets that scans have made."""

    def __init__(self, proposals: Proposals) -> None:
        self._proposals = proposals

    async def tree(self, ctx: Context, changeset_id: str) -> list[Cluster]:
        """All clusters of the scan behind a change set, parents before their children.

        Raises: ChangeSetNotFound.
        """
        changeset = await self._proposals.read(ctx, changeset_id)
        return [] if changeset.scan_id is None else await findings.clusters_of(ctx, changeset.scan_id)

    async def read(self, ctx: Context, changeset_id: str, cluster_id: str) -> Cluster:
        """A cluster.

        Raises: ChangeSetNotFound, ClusterNotFound.
        """
        return findings.to_cluster(await findings.cluster_row(ctx, await self._scan(ctx, changeset_id), cluster_id))

    async def members(self, ctx: Context, changeset_id: str, cluster_id: str, page: PageRequest) -> Page[ClusterMember]:
        """The members nearest to the centre first.

        Raises: ChangeSetNotFound, ClusterNotFound.
        """
        await self.read(ctx, changeset_id, cluster_id)
        return await findings.page_of_members(ctx, cluster_id, page)

    async def curate(self, ctx: Context, changeset_id: str, cluster_id: str, curation: Curation) -> Cluster:
        """Rename, rate or settle a cluster while its change set is undecided.

        Raises: ChangeSetNotFound, ClusterNotFound; CurationClosed; InvalidTransition.
        """
        changeset = await self._proposals.read(ctx, changeset_id)
        scan_id = await self._scan(ctx, changeset_id)
        row = await findings.cluster_row(ctx, scan_id, cluster_id, is_locked=True)
        _check_open(changeset)
        if curation.status is not None:
            row.status = move_cluster(ClusterStatus(row.status), curation.status).value
        row.name = curation.name if curation.name is not None else row.name
        row.description = curation.description if curation.description is not None else row.description
        row.severity = curation.severity if curation.severity is not None else row.severity
        row.is_curated = True
        row.revision += 1
        row.updated_at = ctx.clock.now()
        await ctx.session.flush()
        detail: dict[str, Any] = {"changeset_id": changeset_id, "status": row.status}
        await audit.record(ctx, "cluster.curated", "failure_cluster", cluster_id, detail)
        return findings.to_cluster(row)

    async def _scan(self, ctx: Context, changeset_id: str) -> str:
        scan_id = (await self._proposals.read(ctx, changeset_id)).scan_id
        if scan_id is None:
            raise ClusterNotFound
        return scan_id


def _check_open(changeset: ChangeSet) -> None:
    if changeset.status not in CURATABLE:
        raise CurationClosed(f"the change set is {changeset.status}, so its clusters are no longer curated")
