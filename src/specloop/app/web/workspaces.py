"""Pages of workspaces: the list, making one, its settings (name, autonomy, retention), archiving."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from starlette.responses import RedirectResponse, Response

from specloop.app.web.frame import Frame, FrameHere, Posted, page_router, parsed, refused
from specloop.app.web.shell import Form
from specloop.db.context import Context
from specloop.db.paging import LIMIT_MAX, PageRequest
from specloop.errors import BusinessRule, SpecloopError
from specloop.identity import workspaces
from specloop.identity.workspaces.schema import AutonomyBody, RetentionBody, WorkspaceCreate, WorkspacePatch
from specloop.identity.workspaces.service import lifecycle, settings
from specloop.transport.guard import requires
from specloop.transport.routing import Ctx

router = page_router()
WORKSPACE_COOKIE = "specloop_workspace"


@router.get("/app")
@requires(users_only=True)
async def show_entrance(ctx: Ctx, frame: FrameHere) -> Response:
    """On to the workspace of the last visit, else the first; to the list for those who have none."""
    links = frame.shell.workspaces
    last = frame.request.cookies.get(WORKSPACE_COOKIE)
    chosen = next((link for link in links if link.id == last), links[0] if links else None)
    return RedirectResponse(f"/app/w/{chosen.id}" if chosen else "/app/workspaces", status_code=303)


@router.get("/app/workspaces")
@requires(users_only=True)
async def show_workspaces(ctx: Ctx, frame: FrameHere) -> Response:
    """All that the visitor can see."""
    return await _list_page(ctx, frame, Form())


async def _list_page(ctx: Context, frame: Frame, form: Form, status: int = 200) -> Response:
    found = await lifecycle.list_workspaces(ctx, None, PageRequest(limit=LIMIT_MAX))
    rows = [
        {
            "id": one.workspace.id,
            "name": one.workspace.name,
            "description": one.workspace.description,
            "role": one.role.value if one.role else "",
            "status": one.workspace.status.value,
            "created_at": one.workspace.created_at,
        }
        for one in found.results
    ]
    return frame.page("workspaces", status=status, workspaces=rows, form=form)


@router.post("/app/workspaces")
@requires("admin:account", users_only=True)
async def create_workspace(ctx: Ctx, frame: FrameHere, posted: Posted) -> Response:
    """Makes a workspace and goes there."""
    try:
        wanted = parsed(WorkspaceCreate, posted)
        made = await lifecycle.create(ctx, wanted.name, wanted.description)
    except SpecloopError as error:
        return await _list_page(ctx, frame, await refused(ctx, error, posted), error.status)
    return frame.go(f"/app/w/{made.id}", "Workspace made.")


@router.get("/app/w/{workspace_id}/settings")
@requires("read:workspace")
async def show_settings(ctx: Ctx, frame: FrameHere, workspace_id: str) -> Response:
    """Name, autonomy, retention."""
    return await _settings_page(ctx, frame, Form())


async def _settings_page(ctx: Context, frame: Frame, form: Form, status: int = 200) -> Response:
    workspace = await workspaces.current(ctx)
    return frame.page(
        "settings",
        status=status,
        workspace=workspace,
        autonomy=workspace.autonomy,
        retention=workspace.retention,
        form=form,
    )


@router.post("/app/w/{workspace_id}/settings")
@requires("admin:workspace")
async def rename(ctx: Ctx, frame: FrameHere, workspace_id: str, posted: Posted) -> Response:
    """Saves name and description."""
    try:
        wanted = parsed(WorkspacePatch, posted)
        await lifecycle.rename(ctx, wanted.model_dump(exclude_unset=True), _any_version)
    except SpecloopError as error:
        return await _settings_page(ctx, frame, await refused(ctx, error, posted), error.status)
    return frame.go(f"{frame.shell.base}/settings", "Saved.")


@router.post("/app/w/{workspace_id}/settings/autonomy")
@requires("admin:workspace")
async def save_autonomy(ctx: Ctx, frame: FrameHere, workspace_id: str, posted: Posted) -> Response:
    """Saves what scans may do by themselves; what the page does not show stays."""
    try:
        known = (await workspaces.current(ctx)).autonomy.as_document()
        known["bounds"] = {**known["bounds"], **_given(posted, known["bounds"])}
        changed = {**known, "mode": posted.get("mode", ""), "auto_validate": posted.get("auto_validate") == "on"}
        await settings.set_autonomy(ctx, parsed(AutonomyBody, changed).to_model(), _any_version)
    except SpecloopError as error:
        return await _settings_page(ctx, frame, await refused(ctx, error, posted), error.status)
    return frame.go(f"{frame.shell.base}/settings", "Autonomy saved.")


def _given(posted: dict[str, str], known: dict[str, Any]) -> dict[str, str]:
    return {name: value for name, value in posted.items() if name in known and value != ""}


@router.post("/app/w/{workspace_id}/settings/retention")
@requires("admin:workspace")
async def save_retention(ctx: Ctx, frame: FrameHere, workspace_id: str, posted: Posted) -> Response:
    """Saves how long records are kept; an empty field keeps them for ever."""
    try:
        known = asdict((await workspaces.current(ctx)).retention)
        changed = {**known, **{name: posted[name] or None for name in known if name in posted}}
        await settings.set_retention(ctx, parsed(RetentionBody, changed).to_model(), _any_version)
    except SpecloopError as error:
        return await _settings_page(ctx, frame, await refused(ctx, error, posted), error.status)
    return frame.go(f"{frame.shell.base}/settings", "Retention saved.")


@router.post("/app/w/{workspace_id}/archive")
@requires("admin:account")
async def archive(ctx: Ctx, frame: FrameHere, workspace_id: str, posted: Posted) -> Response:
    """Closes the workspace, once its name was typed."""
    try:
        check_typed(posted, (await workspaces.current(ctx)).name)
        await lifecycle.archive(ctx, _any_version)
    except SpecloopError as error:
        return await _settings_page(ctx, frame, await refused(ctx, error, posted), error.status)
    return frame.go("/app/workspaces", "Workspace archived.")


def check_typed(posted: dict[str, str], name: str) -> None:
    """Holds back a destructive act until the name was typed.

    Raises: BusinessRule.
    """
    # Browsers send line ends and edges of a field as they like; the words are what was asked for.
    if posted.get("confirm", "").split() != name.split():
        raise BusinessRule(f"Nothing was changed: type {name} to confirm.")


def _any_version(_: str | int) -> None:
    """Pages change what they show at once; there is no older version to protect."""
