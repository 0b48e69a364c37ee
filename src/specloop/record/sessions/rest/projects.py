"""Projects over HTTP (specstory.md §1.3), and what the contract wants beyond it: merging two ids of one repository."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends
from starlette.responses import Response

from specloop.kit.clock import format_time
from specloop.record.projects import ProjectChange, ProjectService
from specloop.record.sessions.model import SessionFilters
from specloop.record.sessions.rest.answers import ProjectPath, Reader, enveloped, readable
from specloop.record.sessions.schema import (
    DeletedProject,
    Envelope,
    MergeBody,
    OneProject,
    ProjectList,
    ProjectPatch,
    ProjectStats,
    project_body,
    session_body,
    stats_body,
)
from specloop.record.sessions.service.removal import SessionRemoval
from specloop.record.sessions.service.statistics import ProjectOverview
from specloop.transport.routing import Ctx, provided
from specloop.transport.specstory import reads, record_router, writes

router = record_router("/api/v1/projects")
Overview = Annotated[ProjectOverview, Depends(provided(ProjectOverview))]
Removal = Annotated[SessionRemoval, Depends(provided(SessionRemoval))]


@readable(router, "", response_model=Envelope[ProjectList])
@reads()
async def list_projects(ctx: Ctx, overview: Overview, resumable: bool = False) -> Response:
    """All projects. With `resumable=true` those with session data, and these sessions inline, newest first."""
    if resumable:
        bodies = [
            {**project_body(summary), "sessions": [session_body(one) for one in sessions]}
            for summary, sessions in await overview.resumable(ctx)
        ]
    else:
        bodies = [project_body(one) for one in await overview.list_summaries(ctx)]
    return enveloped({"projects": bodies, "total": len(bodies)})


@readable(router, "/{project}", response_model=Envelope[OneProject])
@reads()
async def read_project(ctx: Ctx, project: ProjectPath, overview: Overview) -> Response:
    """One project with its figures."""
    return enveloped({"project": project_body(await overview.summary(ctx, project))})


@readable(router, "/{project}/stats", response_model=Envelope[ProjectStats])
@reads()
async def read_stats(ctx: Ctx, project: ProjectPath, overview: Overview, reader: Reader) -> Response:
    """Figures of one project."""
    summary = await overview.summary(ctx, project)
    facets = await reader.facets(ctx, SessionFilters(project_ids=[summary.project.id]))
    models, branches = ([value for value, _ in facets.get(name, ())] for name in ("model", "branch"))
    return enveloped(stats_body(summary, models, branches))


@router.patch("/{project}", response_model=Envelope[ProjectPatch])
@writes()
async def change_project(
    ctx: Ctx,
    project: ProjectPath,
    patch: ProjectPatch,
    projects: Annotated[ProjectService, Depends(provided(ProjectService))],
) -> Response:
    """Rename a project, or give it another icon or colour; answers with what has changed."""
    changed = await projects.change(ctx, project, ProjectChange(patch.name, patch.icon, patch.color))
    return enveloped({name: getattr(changed, name) for name in patch.model_dump(exclude_none=True)})


@router.delete("/{project}", response_model=Envelope[DeletedProject])
@writes()
async def delete_project(ctx: Ctx, project: ProjectPath, overview: Overview, removal: Removal) -> Response:
    """Delete a project with all its sessions."""
    summary: dict[str, Any] = project_body(await overview.summary(ctx, project))
    await removal.delete_project(ctx, project)
    return enveloped({"deletedProject": summary, "deletedAt": format_time(ctx.clock.now())})


@router.post("/{project}/merge", response_model=Envelope[OneProject])
@writes()
async def merge_project(
    ctx: Ctx, project: ProjectPath, body: MergeBody, overview: Overview, removal: Removal
) -> Response:
    """Move all sessions into another project, which answers to both ids from then on."""
    target = await removal.merge(ctx, project, body.into)
    return enveloped({"project": project_body(await overview.summary(ctx, target.client_id))})
