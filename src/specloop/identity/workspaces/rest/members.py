"""The members of a workspace."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query, Response

from specloop.db.paging import PageRequest
from specloop.identity.scopes import WorkspaceRole
from specloop.identity.workspaces.rest.locking import IfMatch
from specloop.identity.workspaces.schema import MemberAdd, MemberBody, MemberPatch, render_person
from specloop.identity.workspaces.service import members
from specloop.transport.etag import etag
from specloop.transport.guard import requires
from specloop.transport.paging import PageBody, page_body, sorted_by
from specloop.transport.routing import Ctx, api_router

router = api_router("/api/v1/workspaces/{workspace_id}/members", tags=["Workspaces"])


@router.get("", summary="List members", response_model=PageBody[MemberBody])
@requires("read:workspace")
async def list_members(
    workspace_id: str,
    ctx: Ctx,
    page: Annotated[PageRequest, sorted_by("created_at", "role", "email", "name")],
    role: Annotated[WorkspaceRole | None, Query()] = None,
) -> dict[str, Any]:
    """Sort by created_at, role, email or name."""
    return page_body(await members.list_people(ctx, role, page), render_person)


@router.post("", status_code=201, summary="Add a member", response_model=MemberBody)
@requires("admin:workspace")
async def add_member(workspace_id: str, body: MemberAdd, ctx: Ctx, response: Response) -> dict[str, Any]:
    """A user of the account, by id or e-mail; others are invited through the account."""
    person = await members.add(ctx, user_id=body.user_id, email=body.email, role=body.role)
    response.headers["Location"] = f"/api/v1/workspaces/{workspace_id}/members/{person.member.user_id}"
    response.headers["ETag"] = etag(person.member.version)
    return render_person(person)


@router.patch("/{user_id}", summary="Change a member's role", response_model=MemberBody)
@requires("admin:workspace")
async def change_member(
    workspace_id: str, user_id: str, body: MemberPatch, ctx: Ctx, check: IfMatch, response: Response
) -> dict[str, Any]:
    """The last admin can step down only while the account has an owner."""
    person = await members.change_role(ctx, user_id.lower(), body.role, check)
    response.headers["ETag"] = etag(person.member.version)
    return render_person(person)


@router.delete("/{user_id}", status_code=204, summary="Remove a member")
@requires("admin:workspace")
async def remove_member(workspace_id: str, user_id: str, ctx: Ctx, check: IfMatch) -> None:
    """The last admin can be removed only while the account has an owner."""
    await members.remove(ctx, user_id.lower(), check)
