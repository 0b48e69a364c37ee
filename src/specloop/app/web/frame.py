"""What page modules share: the frame around a page, forms with their CSRF token, and what happens to a refused one.

Of the stages it knows only how many proposals wait, for the mark in the rail.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from specloop.app.web import rendering
from specloop.app.web.error_page import theme_of
from specloop.app.web.shell import Form, Shell, Toast, WorkspaceLink
from specloop.db.context import Context
from specloop.db.paging import LIMIT_DEFAULT, PageRequest
from specloop.db.uow import ALL_WORKSPACES
from specloop.errors import Forbidden, SpecloopError, ValidationFailed
from specloop.identity.auth import CSRF, ProfileService
from specloop.identity.auth.cookies import CSRF_HEADER, is_secure
from specloop.improve.changesets.repository import Wanted
from specloop.improve.changesets.service import Proposals
from specloop.kit import json
from specloop.kit.context import Principal
from specloop.transport.routing import Ctx, api_router, door_of, provided, request_info

TOAST_COOKIE = "specloop_toast"
FIELDS_MAX = 200
SHOWN_AGAIN = frozenset({400, 401, 409, 412, 422, 429})
"""Refusals that the visitor can mend in the form itself; others get the error page."""

Model = TypeVar("Model", bound=BaseModel)
CSRFTokens = Annotated[CSRF, Depends(provided(CSRF))]
Proposed = Annotated[Proposals, Depends(provided(Proposals))]
Profiles = Annotated[ProfileService, Depends(provided(ProfileService))]


@dataclass(frozen=True)
class Frame:
    """Draws pages for the visitor of one request."""

    request: Request
    shell: Shell

    def page(self, template: str, *, status: int = 200, **values: Any) -> Response:
        """A page of `templates/pages`; a waiting toast is shown on it and forgotten."""
        response = rendering.page(f"pages/{template}.html", self.shell, status=status, **values)
        if self.shell.toast is not None:
            response.delete_cookie(TOAST_COOKIE, path="/")
        return response

    def part(self, template: str, **values: Any) -> Response:
        """A part of a page, of `templates/parts`."""
        return rendering.page(f"parts/{template}.html", self.shell, **values)

    def go(self, path: str, toast: str = "", *, is_bad: bool = False) -> Response:
        """See another page (303), which then shows `toast`."""
        response = RedirectResponse(path, status_code=303)
        if toast:
            packed = base64.urlsafe_b64encode(f"{'bad' if is_bad else 'good'}:{toast[:300]}".encode()).decode()
            secure = is_secure(self.request)
            response.set_cookie(
                TOAST_COOKIE, packed, max_age=60, path="/", secure=secure, httponly=True, samesite="lax"
            )
        return response

    def query(self, *names: str) -> dict[str, str]:
        """The filters of a list that the address carries; unknown names are dropped."""
        given = self.request.query_params
        return {name: given[name][:400] for name in names if given.get(name)}

    def page_request(self, limit: int = LIMIT_DEFAULT) -> PageRequest:
        """Which part of a list the address asks for; nonsense means the first."""
        offset = self.request.query_params.get("offset", "0")
        return PageRequest(limit=limit, offset=min(int(offset), 2**31) if offset.isdecimal() else 0)


async def frame_of(request: Request, ctx: Ctx, profiles: Profiles, csrf: CSRFTokens, proposals: Proposed) -> Frame:
    """The frame for a signed-in visitor."""
    who = ctx.principal
    # Its own unit: the request's may be bound to one workspace, and the switcher lists all of them.
    async with door_of(request).database.reading(ALL_WORKSPACES) as unit:
        profile = json.loads(await profiles.me(Context(who, unit, ctx.clock, request_info(request))))
    links = tuple(WorkspaceLink(one["id"], one["name"], one["role"]) for one in profile["workspaces"])
    here = next((link for link in links if link.id == who.workspace_id), None)
    if here is None and who.workspace_id is not None:
        here = WorkspaceLink(who.workspace_id, "Workspace")  # seen through an account role
    shell = Shell(
        csrf=csrf.token(who.session_id or ""),
        theme=theme_of(request),
        path=_address(request),
        user_name=profile["name"],
        user_email=profile["email"],
        account_role=who.account_role or "",
        workspace=here,
        workspaces=links,
        default_workspace_id=links[0].id if links and len(profile["accounts"]) == 1 else "",
        scopes=who.scopes,
        counts=await _counts(ctx, proposals) if here else {},
        toast=_toast_of(request),
    )
    return Frame(request, shell)


async def part_frame_of(request: Request, ctx: Ctx, profiles: Profiles, csrf: CSRFTokens, proposals: Proposed) -> Frame:
    """The frame of a page; a part of one, which htmx asks for, needs to know no more than the visitor's rights."""
    if "hx-request" not in request.headers:
        return await frame_of(request, ctx, profiles, csrf, proposals)
    who = ctx.principal
    return Frame(request, Shell(csrf=csrf.token(who.session_id or ""), path=_address(request), scopes=who.scopes))


async def _counts(ctx: Context, proposals: Proposals) -> dict[str, int]:
    waiting = await proposals.list(ctx, Wanted(status="proposed"), PageRequest(limit=1))
    return {"changesets": waiting.total or 0}


def lobby_of(request: Request) -> Frame:
    """The frame for a visitor who is not signed in."""
    return Frame(request, Shell(theme=theme_of(request), path=_address(request), toast=_toast_of(request)))


FrameHere = Annotated[Frame, Depends(frame_of)]
PartFrame = Annotated[Frame, Depends(part_frame_of)]
Lobby = Annotated[Frame, Depends(lobby_of)]


async def read_posted(request: Request, csrf: CSRFTokens) -> dict[str, str]:
    """The fields of a form, once it has proved to come from our own page.

    Raises: Forbidden.
    """
    form = await request.form(max_files=0, max_fields=FIELDS_MAX)
    fields = {name: value for name, value in form.items() if isinstance(value, str)}
    shown = fields.pop("csrf", "") or request.headers.get(CSRF_HEADER, "")
    who: Principal | None = getattr(request.state, "principal", None)
    # Signed out there is no session to bind a token to, so the browser's own word about the origin counts.
    is_ours = csrf.allows(request, "") if who is None else csrf.is_valid(who.session_id or "", shown)
    if not is_ours:
        raise Forbidden("This form is not ours or too old. Go back, reload the page, and send it again.")
    return fields


Posted = Annotated[dict[str, str], Depends(read_posted)]


def parsed(model: type[Model], values: Mapping[str, Any]) -> Model:
    """The values of a form as the input of a service; the rules are those of the API's own schema.

    Raises: ValidationFailed.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        problems = [{"loc": ["body", *one["loc"]], "msg": one["msg"], "code": one["type"]} for one in error.errors()]
        raise ValidationFailed(str(problems[0]["msg"]), errors=problems) from error


async def refused(ctx: Context, error: SpecloopError, posted: Mapping[str, str]) -> Form:
    """Undoes what the request did so far, and gives the form to show again.

    Raises: `error` itself when the visitor cannot mend it.
    """
    if error.status not in SHOWN_AGAIN:
        raise error
    await ctx.uow.rollback()
    kept = {name: value for name, value in posted.items() if "password" not in name and name not in {"current", "new"}}
    problems: dict[str, str] = {}
    for one in error.members.get("errors", []):
        place = next((str(part) for part in reversed(one["loc"]) if str(part) in posted), None)
        if place is not None:
            problems.setdefault(place, str(one["msg"]).removeprefix("Value error, "))
    return Form(kept, problems, "" if problems else error.detail)


def local_path(wanted: str, otherwise: str = "/app") -> str:
    """`wanted` when it is a path of this server, so that no link can send a visitor elsewhere after signing in."""
    is_local = wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and "\\" not in wanted
    return wanted if is_local and wanted.isprintable() else otherwise


def page_router() -> APIRouter:
    """A router of pages: guarded like the APIs, but no part of their document."""
    router = api_router()
    router.include_in_schema = False
    return router


def _address(request: Request) -> str:
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def _toast_of(request: Request) -> Toast | None:
    packed = request.cookies.get(TOAST_COOKIE)
    if not packed:
        return None
    try:
        tone, _, text = base64.urlsafe_b64decode(packed.encode()).decode().partition(":")
    except (binascii.Error, ValueError):
        return None
    return Toast(text, "bad" if tone == "bad" else "good")
