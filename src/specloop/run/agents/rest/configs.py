"""Configs of agents: the one that is served, versions, differences, promotion."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Query, Response
from starlette.requests import Request

from specloop.db.paging import PageRequest
from specloop.errors import BadRequest
from specloop.run.agents.model import VersionSource
from specloop.run.agents.rest.agents import answer
from specloop.run.agents.rest.deps import PREFIX, IfMatch, VersionInPath
from specloop.run.agents.schema.agents import AgentBody
from specloop.run.agents.schema.configs import (
    ConfigPut,
    DiffBody,
    PromoteBody,
    ServedConfigBody,
    VersionBody,
    VersionNumber,
    render_diff,
    render_version,
)
from specloop.run.agents.service import registry, versions
from specloop.run.agents.service.serving import ConfigServer
from specloop.transport.etag import etag, is_not_modified
from specloop.transport.guard import requires
from specloop.transport.paging import PageBody, page_body, sorted_by
from specloop.transport.routing import Ctx, api_router, context_of, service_of

router = api_router(PREFIX, tags=["Agents"])
CACHE_CONTROL = "private,max-age=5"
JSON_TYPE = "application/json"


@router.get(
    "/{agent_id}/config",
    summary="Fetch a config",
    response_model=ServedConfigBody,
    responses={304: {"description": "The config that If-None-Match names is still the one"}},
)
@requires("read:agents")
async def serve_config(
    workspace_id: str,
    agent_id: str,
    request: Request,
    channel: Annotated[Literal["promoted"] | None, Query()] = None,
    version: Annotated[VersionNumber | None, Query()] = None,
) -> Response:
    """The promoted config, or that of a version; a running agent may ask as often as it likes."""
    if channel is not None and version is not None:
        raise BadRequest("use channel or version, not both")
    # This is the hot path: asking the framework for the context and the service would double its cost.
    served = await service_of(request, ConfigServer).serve(context_of(request), agent_id.lower(), version)
    headers = {"ETag": etag(served.tag), "Cache-Control": CACHE_CONTROL}
    if is_not_modified(request, served.tag):
        return Response(status_code=304, headers=headers)
    return Response(served.body, media_type=JSON_TYPE, headers=headers)


@router.put("/{agent_id}/config", status_code=201, summary="Add a config version", response_model=VersionBody)
@requires("write:workspace")
async def put_config(
    workspace_id: str, agent_id: str, body: ConfigPut, ctx: Ctx, check: IfMatch, response: Response
) -> dict[str, Any]:
    """The new version is not promoted; unknown components and values out of bounds are refused."""
    version = await versions.write_config(ctx, agent_id.lower(), body.config, body.note, check)
    agent = await registry.find(ctx, version.agent_id)
    response.headers["Location"] = f"/api/v1/workspaces/{workspace_id}/agents/{agent.id}/versions/{version.version}"
    response.headers["ETag"] = etag(versions.etag_of(version.version, version.config_hash))
    return render_version(version, agent)


@router.get("/{agent_id}/versions", summary="List config versions", response_model=PageBody[VersionBody])
@requires("read:workspace")
async def list_versions(
    workspace_id: str,
    agent_id: str,
    ctx: Ctx,
    page: Annotated[PageRequest, sorted_by("version", "created_at")],
    source: Annotated[VersionSource | None, Query()] = None,
) -> dict[str, Any]:
    """Newest first; sort by version or created_at."""
    agent, found = await versions.list_versions(ctx, agent_id.lower(), source, page)
    return page_body(found, lambda version: render_version(version, agent))


@router.get("/{agent_id}/versions/{number}", summary="Read a config version", response_model=VersionBody)
@requires("read:workspace")
async def read_version(workspace_id: str, agent_id: str, number: VersionInPath, ctx: Ctx) -> dict[str, Any]:
    """A version never changes."""
    agent, version = await versions.read_version(ctx, agent_id.lower(), number)
    return render_version(version, agent)


@router.get("/{agent_id}/diff", summary="Compare two config versions", response_model=DiffBody)
@requires("read:workspace")
async def compare_versions(
    workspace_id: str,
    agent_id: str,
    ctx: Ctx,
    before: Annotated[VersionNumber | None, Query(alias="from")] = None,
    after: Annotated[VersionNumber | None, Query(alias="to")] = None,
) -> dict[str, Any]:
    """By default from the promoted version to the newest."""
    return render_diff(await versions.compare(ctx, agent_id.lower(), before, after))


@router.post("/{agent_id}/promote", summary="Promote a config version", response_model=AgentBody)
@requires("approve:agents")
async def promote_version(
    workspace_id: str, agent_id: str, body: PromoteBody, ctx: Ctx, response: Response
) -> dict[str, Any]:
    """It is served from the next call on."""
    agent = await versions.promote(ctx, agent_id.lower(), body.version)
    return answer(ctx, await registry.read(ctx, agent.id), response)
