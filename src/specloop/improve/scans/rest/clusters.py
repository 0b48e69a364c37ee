"""Router 9: the failure clusters behind a change set (spectral.md §1.3). Translates only."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Request, Response

from specloop.db.paging import Page, PageRequest
from specloop.identity.scopes import Scope
from specloop.improve.scans.schema import ClusterOut, ClusterUpdate, MemberOut
from specloop.improve.scans.service import Clusters
from specloop.transport.etag import check_if_match, etag
from specloop.transport.guard import requires
from specloop.transport.paging import PageBody, page_body, sorted_by
from specloop.transport.routing import Ctx, api_router, provided

router = api_router("/api/v1/workspaces/{workspace_id}/changesets/{changeset_id}/clusters", tags=["clusters"])
Service = Annotated[Clusters, Depends(provided(Clusters))]


@router.get("", response_model=PageBody[ClusterOut], summary="The cluster tree of a change set")
@requires(Scope.READ_WORKSPACE)
async def list_changeset_clusters(
    ctx: Ctx, clusters: Service, changeset_id: str, page: Annotated[PageRequest, sorted_by("ordinal", "size", "share")]
) -> dict[str, Any]:
    """Parents before their children, linked by `parent_id`."""
    found = await clusters.tree(ctx, changeset_id)
    shown = found[page.offset : page.offset + page.limit]
    return page_body(Page(shown, len(found), page.limit, page.offset), ClusterOut.of)


@router.get("/{cluster_id}", summary="Read a cluster")
@requires(Scope.READ_WORKSPACE)
async def read_cluster(
    ctx: Ctx, clusters: Service, changeset_id: str, cluster_id: str, response: Response
) -> ClusterOut:
    """With top terms, exemplars and the operators that treat it."""
    cluster = await clusters.read(ctx, changeset_id, cluster_id)
    response.headers["ETag"] = etag(cluster.revision)
    return ClusterOut.of(cluster)


@router.get("/{cluster_id}/members", response_model=PageBody[MemberOut], summary="Members of a cluster")
@requires(Scope.READ_WORKSPACE)
async def list_members(
    ctx: Ctx,
    clusters: Service,
    changeset_id: str,
    cluster_id: str,
    page: Annotated[PageRequest, sorted_by("distance", "ordinal")],
) -> dict[str, Any]:
    """Nearest to the centre first."""
    return page_body(await clusters.members(ctx, changeset_id, cluster_id, page), MemberOut.of)


@router.patch("/{cluster_id}", summary="Curate a cluster")
@requires(Scope.WRITE_WORKSPACE)
async def curate_cluster(
    ctx: Ctx, clusters: Service, changeset_id: str, cluster_id: str, body: ClusterUpdate, request: Request
) -> ClusterOut:
    """400 once the change set is decided."""
    check_if_match(request, (await clusters.read(ctx, changeset_id, cluster_id)).revision)
    return ClusterOut.of(await clusters.curate(ctx, changeset_id, cluster_id, body.to_model()))
