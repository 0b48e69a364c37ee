"""Managed templates, and binding agents to them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Response

from specloop.db.paging import PageRequest
from specloop.run.agents.rest.agents import answer
from specloop.run.agents.rest.deps import PREFIX, IfMatch
from specloop.run.agents.schema.agents import AgentBody
from specloop.run.agents.schema.templates import (
    BindBody,
    TemplateBody,
    TemplateCreate,
    TemplatePatch,
    TemplateVersionBody,
    TemplateWithConfig,
    render_template,
    render_template_version,
    render_with_config,
)
from specloop.run.agents.service import templates
from specloop.transport.etag import etag
from specloop.transport.guard import requires
from specloop.transport.paging import PageBody, page_body, sorted_by
from specloop.transport.routing import Ctx, api_router

router = api_router(PREFIX, tags=["Agents"])


@router.get("/templates", summary="List templates", response_model=PageBody[TemplateBody])
@requires("read:workspace")
async def list_templates(
    workspace_id: str, ctx: Ctx, page: Annotated[PageRequest, sorted_by("name", "created_at", "updated_at")]
) -> dict[str, Any]:
    """Sort by name, created_at or updated_at."""
    return page_body(await templates.list_templates(ctx, page), render_template)


@router.post("/templates", status_code=201, summary="Create a template", response_model=TemplateWithConfig)
@requires("write:workspace")
async def create_template(workspace_id: str, body: TemplateCreate, ctx: Ctx, response: Response) -> dict[str, Any]:
    """A part of a config object that agents can share."""
    template, state = await templates.create(ctx, body.name, body.description, body.config)
    response.headers["Location"] = f"/api/v1/workspaces/{workspace_id}/agents/templates/{template.id}"
    response.headers["ETag"] = etag(template.version)
    return render_with_config(template, state)


@router.get("/templates/{template_id}", summary="Read a template", response_model=TemplateWithConfig)
@requires("read:workspace")
async def read_template(workspace_id: str, template_id: str, ctx: Ctx, response: Response) -> dict[str, Any]:
    """With its newest config."""
    template, state = await templates.read_template(ctx, template_id.lower())
    response.headers["ETag"] = etag(template.version)
    return render_with_config(template, state)


@router.patch("/templates/{template_id}", summary="Change a template", response_model=TemplateWithConfig)
@requires("write:workspace")
async def change_template(
    workspace_id: str, template_id: str, body: TemplatePatch, ctx: Ctx, check: IfMatch, response: Response
) -> dict[str, Any]:
    """A new config gives each follower a new config version, which is not promoted."""
    changes = body.model_dump(exclude_unset=True)
    template, state = await templates.change(ctx, template_id.lower(), changes, check)
    response.headers["ETag"] = etag(template.version)
    return render_with_config(template, state)


@router.delete("/templates/{template_id}", status_code=204, summary="Delete a template")
@requires("write:workspace")
async def delete_template(workspace_id: str, template_id: str, ctx: Ctx, check: IfMatch) -> None:
    """Refused while agents follow it."""
    await templates.remove(ctx, template_id.lower(), check)


@router.get(
    "/templates/{template_id}/versions",
    summary="List versions of a template",
    response_model=PageBody[TemplateVersionBody],
)
@requires("read:workspace")
async def list_template_versions(
    workspace_id: str, template_id: str, ctx: Ctx, page: Annotated[PageRequest, sorted_by("version", "created_at")]
) -> dict[str, Any]:
    """Newest first; sort by version or created_at."""
    return page_body(await templates.list_versions(ctx, template_id.lower(), page), render_template_version)


@router.post("/{agent_id}/bind", summary="Bind an agent to a template", response_model=AgentBody)
@requires("write:workspace")
async def bind_agent(workspace_id: str, agent_id: str, body: BindBody, ctx: Ctx, response: Response) -> dict[str, Any]:
    """The template's config, laid over the promoted one, becomes an unpromoted version."""
    return answer(ctx, await templates.bind(ctx, agent_id.lower(), body.template_id, body.mode), response)
