"""Pages about oneself: profile, password, signed-in devices, the account's audit log, light or dark."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response

from specloop.app.web.error_page import THEME_COOKIE
from specloop.app.web.frame import Frame, FrameHere, Posted, Profiles, local_path, page_router, parsed, refused
from specloop.app.web.shell import Form
from specloop.db.context import Context
from specloop.errors import SpecloopError
from specloop.identity import accounts, audit
from specloop.identity.accounts import AccountService
from specloop.identity.accounts.passwords import LENGTH_MIN
from specloop.identity.auth import ProfileService, RecoveryService
from specloop.identity.auth.cookies import is_secure
from specloop.identity.auth.schema import PasswordChange, ProfilePatch
from specloop.identity.scopes import Scope
from specloop.identity.tokens import SessionService
from specloop.transport.guard import requires
from specloop.transport.routing import Ctx, provided

router = page_router()
Accounts = Annotated[AccountService, Depends(provided(AccountService))]
Recovery = Annotated[RecoveryService, Depends(provided(RecoveryService))]
Sessions = Annotated[SessionService, Depends(provided(SessionService))]
YEAR_SECONDS = 365 * 24 * 3600
_BROWSERS = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)


@router.get("/app/account")
@requires(users_only=True)
async def show_account(ctx: Ctx, frame: FrameHere, profiles: Profiles, service: Accounts) -> Response:
    """Profile and password."""
    return await _profile_page(ctx, frame, profiles, service)


async def _profile_page(
    ctx: Context,
    frame: Frame,
    profiles: ProfileService,
    service: AccountService,
    *,
    profile: Form | None = None,
    password: Form | None = None,
    status: int = 200,
) -> Response:
    account = await service.account(ctx)
    return frame.page(
        "account",
        status=status,
        tab="profile",
        user=await profiles.user(ctx),
        account={"name": account.name, "role": ctx.principal.account_role or "member"},
        profile_form=profile or Form(),
        password_form=password or Form(),
        password_length_min=LENGTH_MIN,
    )


@router.post("/app/account")
@requires(users_only=True)
async def change_profile(ctx: Ctx, frame: FrameHere, profiles: Profiles, service: Accounts, posted: Posted) -> Response:
    """Saves name and time zone; what is left empty stays."""
    try:
        wanted = parsed(ProfilePatch, {name: value for name, value in posted.items() if value})
        await accounts.change_profile(ctx, (await profiles.user(ctx)).id, wanted.name, wanted.timezone)
    except SpecloopError as error:
        form = await refused(ctx, error, posted)
        return await _profile_page(ctx, frame, profiles, service, profile=form, status=error.status)
    return frame.go("/app/account", "Profile saved.")


@router.post("/app/account/password")
@requires(users_only=True)
async def change_password(
    ctx: Ctx, frame: FrameHere, profiles: Profiles, service: Accounts, recovery: Recovery, posted: Posted
) -> Response:
    """Changes the password; other devices are signed out."""
    try:
        wanted = parsed(PasswordChange, {"current": posted.get("current", ""), "new": posted.get("new", "")})
        await recovery.change(ctx, await profiles.user(ctx), wanted.current, wanted.new)
    except SpecloopError as error:
        form = await refused(ctx, error, posted)
        return await _profile_page(ctx, frame, profiles, service, password=form, status=error.status)
    return frame.go("/app/account", "Password changed. Your other devices are signed out.")


@router.get("/app/account/sessions")
@requires(users_only=True)
async def show_sessions(ctx: Ctx, frame: FrameHere, sessions: Sessions) -> Response:
    """Where the visitor is signed in."""
    found = await sessions.list(ctx, ctx.principal.user_id or "", frame.page_request())
    rows = [
        {
            "id": one.id,
            "device": device_name(one.user_agent),
            "user_agent": one.user_agent,
            "ip": one.client_ip,
            "is_current": one.id == ctx.principal.session_id,
            "created_at": one.created_at,
            "last_used_at": one.last_used_at,
        }
        for one in found.results
    ]
    page = {"results": rows, "total": found.total, "limit": found.limit, "offset": found.offset}
    return frame.page("sessions", tab="sessions", sessions=page)


@router.post("/app/account/sessions/{session_id}/end")
@requires(users_only=True)
async def end_session(ctx: Ctx, frame: FrameHere, sessions: Sessions, session_id: str, posted: Posted) -> Response:
    """Signs another device out."""
    await sessions.revoke(ctx, ctx.principal.user_id or "", session_id.lower(), "ended by the user")
    return frame.go("/app/account/sessions", "That device is signed out.")


@router.get("/app/account/audit")
@requires(Scope.ADMIN_ACCOUNT, users_only=True)
async def show_audit(ctx: Ctx, frame: FrameHere) -> Response:
    """Who did what in the account."""
    query = frame.query("action")
    wanted = audit.AuditFilter(ctx.principal.account_id, action=query.get("action"))
    found = await audit.list_events(ctx, wanted, frame.page_request())
    rows = [
        {
            "created_at": event.at,
            "actor": event.actor_name or event.actor_kind,
            "action": event.action,
            "target_type": event.target_type,
            "target_id": event.target_id,
            "client_ip": event.client_ip,
        }
        for event in found.results
    ]
    page = {"results": rows, "total": found.total, "limit": found.limit, "offset": found.offset}
    return frame.page("audit", tab="audit", entries=page, query=query)


@router.post("/app/theme")
@requires(users_only=True)
async def choose_theme(ctx: Ctx, frame: FrameHere, posted: Posted, request: Request) -> Response:
    """Light, dark or the system's choice, where there is no script to do it at once."""
    response = frame.go(local_path(posted.get("next", "")))
    theme = posted.get("theme", "auto")
    if theme in {"light", "dark", "auto"}:
        secure = is_secure(request)
        response.set_cookie(THEME_COOKIE, theme, max_age=YEAR_SECONDS, path="/", secure=secure, samesite="lax")
    return response


def device_name(user_agent: str) -> str:
    """`Firefox on Linux` from what a browser says about itself; the first word of other clients."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), "")
    if not browser:
        return re.split(r"[ /]", user_agent)[0][:60] or "unknown client"
    return f"{browser} on {system}" if system else browser
