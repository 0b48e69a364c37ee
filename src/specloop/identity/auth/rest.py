"""Router 1 (spectral.md §1.3): registration, signing in and out, passwords, the own profile and sessions."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Query, Request, Response
from starlette.responses import RedirectResponse

from specloop.db.paging import PageRequest
from specloop.identity import accounts
from specloop.identity.auth import cookies
from specloop.identity.auth.model import Registration
from specloop.identity.auth.schema import (
    AccountChoice,
    AuthorizationBody,
    CallbackInput,
    LoginInput,
    PasswordChange,
    PasswordLogin,
    ProfileBody,
    ProfilePatch,
    RegisterInput,
    ResetInput,
    ResetRequest,
    SessionBody,
    SignedInBody,
    render_session,
    render_signed_in,
)
from specloop.identity.auth.service.entrance import EntranceService
from specloop.identity.auth.service.profile import ProfileService
from specloop.identity.auth.service.providers import ProviderSignInService
from specloop.identity.auth.service.recovery import RecoveryService
from specloop.identity.auth.service.registration import RegistrationService
from specloop.identity.tokens import BadRefreshToken, SessionService
from specloop.kit.crypto import random_token
from specloop.kit.json import dumps
from specloop.transport.etag import check_if_match, etag
from specloop.transport.guard import public, requires
from specloop.transport.paging import PageBody, page_body, sorted_by
from specloop.transport.routing import Ctx, api_router, provided

router = api_router("/api/v1/auth", tags=["Auth"])
Entrance = Annotated[EntranceService, Depends(provided(EntranceService))]
Registrar = Annotated[RegistrationService, Depends(provided(RegistrationService))]
Recovery = Annotated[RecoveryService, Depends(provided(RecoveryService))]
Profiles = Annotated[ProfileService, Depends(provided(ProfileService))]
Sessions = Annotated[SessionService, Depends(provided(SessionService))]
Providers = Annotated[ProviderSignInService, Depends(provided(ProviderSignInService))]
_NO_SUCH_PROVIDER: dict[int | str, dict[str, Any]] = {404: {"description": "No such sign-in provider"}}


@router.post("/register", status_code=201, response_model=SignedInBody, summary="Register an account")
@public()
async def register(ctx: Ctx, registrar: Registrar, body: RegisterInput, response: Response) -> dict[str, Any]:
    """Makes a user with an account and its first workspace; with an invitation, a member of the inviting account."""
    values = body.model_dump()
    signed_in = await registrar.register(ctx, Registration(**{**values, "name": values["name"] or ""}))
    response.headers["Location"] = f"{router.prefix}/me"
    response.headers["Cache-Control"] = "no-store"
    return render_signed_in(signed_in)


@router.post("/login", response_model=SignedInBody, summary="Sign in, or renew a session")
@public()
async def login(ctx: Ctx, entrance: Entrance, body: LoginInput, response: Response) -> dict[str, Any]:
    """By password or refresh token. A refresh token that is used twice ends its session."""
    response.headers["Cache-Control"] = "no-store"
    if isinstance(body, PasswordLogin):
        return render_signed_in(await entrance.sign_in(ctx, body.email, body.password))
    signed_in = await entrance.renew(ctx, body.refresh_token)
    if signed_in is None:
        await ctx.uow.commit()  # the refusal below must not undo the end of the session
        raise BadRefreshToken
    return render_signed_in(signed_in)


@router.get(
    "/oauth/{provider}",
    response_model=AuthorizationBody,
    responses={302: {"description": "To the provider"}, **_NO_SUCH_PROVIDER},
    summary="Start signing in through a provider",
)
@public()
async def start_oauth(
    ctx: Ctx,
    providers: Providers,
    request: Request,
    provider: str,
    redirect_uri: Annotated[str | None, Query(max_length=400)] = None,
) -> Response:
    """302 to the provider, or the address as JSON for clients that accept that."""
    wants_json = "application/json" in request.headers.get("accept", "")
    secret = None if wants_json else random_token()
    url, state = await providers.begin(ctx, provider, redirect_uri, secret)
    if secret is None:
        body = dumps({"authorization_url": url, "state": state})
        return Response(body, media_type="application/json", headers={"Cache-Control": "no-store"})
    response = RedirectResponse(url, status_code=302, headers={"Cache-Control": "no-store"})
    cookies.set_attempt(response, request, secret)
    return response


@router.post(
    "/callback",
    response_model=SignedInBody,
    responses=_NO_SUCH_PROVIDER,
    summary="Finish signing in through a provider",
)
@public()
async def finish_oauth(
    ctx: Ctx, providers: Providers, body: CallbackInput, request: Request, response: Response
) -> dict[str, Any]:
    """Exchanges what the provider sent to the redirect address; each state is good once."""
    secret = cookies.attempt_of(request)
    signed_in = await providers.finish(ctx, body.provider, body.code, body.state, secret)
    response.headers["Cache-Control"] = "no-store"
    return render_signed_in(signed_in)


@router.post(
    "/reset-password",
    status_code=202,
    response_model=None,
    response_class=Response,
    responses={204: {"description": "The password is set, all sessions have ended"}},
    summary="Reset a forgotten password",
)
@public()
async def reset_password(ctx: Ctx, recovery: Recovery, body: ResetInput) -> Response:
    """Step 1 with an e-mail is always 202; step 2 with the mailed token sets the password and ends all sessions."""
    if isinstance(body, ResetRequest):
        await recovery.request_reset(ctx, body.email)
        return Response(status_code=202)
    await recovery.reset(ctx, body.token, body.new_password)
    return Response(status_code=204)


@router.post("/logout", status_code=204, summary="Sign out")
@requires(users_only=True)
async def logout(ctx: Ctx, entrance: Entrance, request: Request) -> Response:
    """Ends the session: its access and refresh tokens are refused from now on."""
    await entrance.sign_out(ctx)
    response = Response(status_code=204)
    cookies.clear_session(response, request)
    return response


@router.get("/me", response_model=ProfileBody, summary="The own profile, accounts and workspaces")
@requires(users_only=True)
async def read_me(ctx: Ctx, profiles: Profiles) -> Response:
    """Who the credential belongs to."""
    return Response(await profiles.me(ctx), media_type="application/json")


@router.patch("/me", response_model=ProfileBody, summary="Change the own name or time zone")
@requires(users_only=True)
async def change_me(ctx: Ctx, profiles: Profiles, body: ProfilePatch, request: Request) -> Response:
    """What is left out stays."""
    user = await profiles.user(ctx)
    check_if_match(request, user.version)
    await accounts.change_profile(ctx, user.id, body.name, body.timezone)
    return Response(
        await profiles.fresh(ctx),
        media_type="application/json",
        headers={"ETag": etag((await profiles.user(ctx)).version)},
    )


@router.post("/me/account", response_model=ProfileBody, summary="Choose the account to stand in")
@requires(users_only=True)
async def choose_account(ctx: Ctx, profiles: Profiles, body: AccountChoice) -> Response:
    """For users of several accounts: which one `/api/v1/account` and `/api/v1/workspaces` speak of."""
    user = await profiles.user(ctx)
    await accounts.change_home(ctx, user.id, body.account_id.lower())
    return Response(await profiles.fresh(ctx, account_id=body.account_id.lower()), media_type="application/json")


@router.post("/me/password", status_code=204, summary="Change the own password")
@requires(users_only=True)
async def change_password(ctx: Ctx, profiles: Profiles, recovery: Recovery, body: PasswordChange) -> None:
    """All other sessions end."""
    await recovery.change(ctx, await profiles.user(ctx), body.current, body.new)


@router.get("/sessions", response_model=PageBody[SessionBody], summary="Where the user is signed in")
@requires(users_only=True)
async def list_sessions(
    ctx: Ctx, sessions: Sessions, page: Annotated[PageRequest, sorted_by("created_at", "last_used_at")]
) -> dict[str, Any]:
    """Most recently used first; sort by created_at or last_used_at."""
    found = await sessions.list(ctx, ctx.principal.user_id or "", page)
    return page_body(found, lambda session: render_session(session, ctx.principal.session_id))


@router.delete("/sessions/{session_id}", status_code=204, summary="End a session")
@requires(users_only=True)
async def revoke_session(ctx: Ctx, sessions: Sessions, session_id: str) -> None:
    """The client that holds it must sign in again."""
    await sessions.revoke(ctx, ctx.principal.user_id or "", session_id.lower(), "ended by the user")
