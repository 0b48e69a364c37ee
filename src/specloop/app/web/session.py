"""Pages of coming and going: sign in and out, register, first owner, invitations, forgotten passwords, providers."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Annotated

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from specloop.app.web.frame import Frame, Lobby, Posted, lobby_of, local_path, page_router, parsed, refused
from specloop.app.web.shell import Form
from specloop.db.context import Context
from specloop.db.uow import ALL_WORKSPACES
from specloop.errors import SpecloopError, Unauthenticated
from specloop.identity import accounts
from specloop.identity.accounts.passwords import LENGTH_MIN
from specloop.identity.auth import (
    EntranceService,
    ProviderSignInService,
    RecoveryService,
    Registration,
    RegistrationService,
    SignedIn,
    cookies,
)
from specloop.identity.auth.schema import PasswordLogin, RegisterInput, ResetConfirm, ResetRequest
from specloop.identity.invites import InviteService, InviteUnusable
from specloop.identity.tokens import TokenPair
from specloop.kit.context import ANONYMOUS, Principal
from specloop.kit.crypto import random_token
from specloop.transport.guard import public, requires
from specloop.transport.routing import Ctx, door_of, provided, request_info

router = page_router()
Entrance = Annotated[EntranceService, Depends(provided(EntranceService))]
Registrar = Annotated[RegistrationService, Depends(provided(RegistrationService))]
Recovery = Annotated[RecoveryService, Depends(provided(RecoveryService))]
Providers = Annotated[ProviderSignInService, Depends(provided(ProviderSignInService))]
Invites = Annotated[InviteService, Depends(provided(InviteService))]
RENEWALS_KEPT = 200
RENEWAL_KEPT_SECONDS = 30.0


class Renewals:
    """Renews sessions for pages: tabs that wake up together share one renewal.

    A refresh token is good once, and a second use ends the session as stolen; a browser restoring ten tabs is no thief.
    """

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._done: OrderedDict[str, tuple[float, TokenPair]] = OrderedDict()

    async def renew(self, request: Request, entrance: EntranceService, refresh_token: str) -> TokenPair | None:
        """The tokens that follow `refresh_token`; None when it is not good any more."""
        door = door_of(request)
        async with self._lock:
            known = self._done.get(refresh_token)
            if known is not None and known[0] > door.clock.monotonic():
                return known[1]
            async with door.database.writing(ALL_WORKSPACES) as unit:
                ctx = Context(ANONYMOUS, unit, door.clock, request_info(request))
                try:
                    signed_in = await entrance.renew(ctx, refresh_token)
                except Unauthenticated:
                    return None
            if signed_in is None:
                return None
            self._done[refresh_token] = (door.clock.monotonic() + RENEWAL_KEPT_SECONDS, signed_in.tokens)
            if len(self._done) > RENEWALS_KEPT:
                self._done.popitem(last=False)
            return signed_in.tokens


_renewals = Renewals()


@router.get("/")
@public()
async def show_start(ctx: Ctx) -> Response:
    """The way in; the home page sends visitors who are not signed in on to the sign-in page."""
    return RedirectResponse("/app", status_code=303)


@router.get("/login")
@public()
async def show_login(
    ctx: Ctx, frame: Lobby, entrance: Entrance, registrar: Registrar, providers: Providers, request: Request
) -> Response:
    """The sign-in form, unless the browser still holds a session that only needs renewing."""
    wanted = local_path(frame.request.query_params.get("next", ""))
    token = cookies.refresh_token_of(request)
    if token is not None and cookies.access_token_of(request) is None:
        tokens = await _renewals.renew(request, entrance, token)
        if tokens is not None:
            return _enter(request, tokens, wanted)
    response = _login_page(frame, registrar, providers, wanted, Form())
    if token is not None:
        cookies.clear_session(response, request)
    return response


def _login_page(
    frame: Frame,
    registrar: RegistrationService,
    providers: ProviderSignInService,
    wanted: str,
    form: Form,
    status: int = 200,
) -> Response:
    links = [
        {"href": f"/login/with/{name}", "label": label or name} for name, label in providers.providers.labels.items()
    ]
    return frame.page("login", status=status, form=form, providers=links, may_register=registrar.is_open, next=wanted)


@router.post("/login")
@public()
async def sign_in(
    ctx: Ctx, frame: Lobby, entrance: Entrance, registrar: Registrar, providers: Providers, posted: Posted
) -> Response:
    """Signs in by password."""
    wanted = local_path(posted.pop("next", ""))
    try:
        login = parsed(PasswordLogin, posted)
        signed_in = await entrance.sign_in(ctx, login.email, login.password)
    except SpecloopError as error:
        form = await refused(ctx, error, posted)
        return _login_page(frame, registrar, providers, wanted, form, error.status)
    return _enter(frame.request, signed_in.tokens, wanted)


def _enter(request: Request, tokens: TokenPair, wanted: str) -> Response:
    response = RedirectResponse(wanted, status_code=303, headers={"Cache-Control": "no-store"})
    cookies.set_session(response, request, tokens)
    return response


@router.post("/app/sign-out")
@requires(users_only=True)
async def sign_out(ctx: Ctx, entrance: Entrance, posted: Posted, request: Request) -> Response:
    """Ends the session."""
    await entrance.sign_out(ctx)
    response = lobby_of(request).go("/login", "You are signed out.")
    cookies.clear_session(response, request)
    return response


@router.get("/app/register")
@public()
async def show_register(ctx: Ctx, frame: Lobby, registrar: Registrar) -> Response:
    """The registration form, where the server is open."""
    if not registrar.is_open:
        text = "Ask somebody of your team for an invitation; the link in it brings you in."
        return _message(frame, "Registration is by invitation here", text, status=403)
    return _register_page(frame, "", Form())


def _register_page(frame: Frame, setup_token: str, form: Form, status: int = 200) -> Response:
    return frame.page("register", status=status, form=form, setup_token=setup_token, password_length_min=LENGTH_MIN)


@router.post("/app/register")
@public()
async def register(ctx: Ctx, frame: Lobby, registrar: Registrar, posted: Posted) -> Response:
    """Makes an account with its first workspace and signs in."""
    try:
        signed_in = await _register(ctx, registrar, posted)
    except SpecloopError as error:
        return _register_page(frame, "", await refused(ctx, error, posted), error.status)
    return _enter(frame.request, signed_in.tokens, "/app")


async def _register(ctx: Context, registrar: RegistrationService, posted: dict[str, str]) -> SignedIn:
    values = parsed(RegisterInput, {name: value for name, value in posted.items() if value}).model_dump()
    return await registrar.register(ctx, Registration(**{**values, "name": values["name"] or ""}))


@router.get("/app/setup")
@public()
async def show_setup(ctx: Ctx, frame: Lobby, registrar: Registrar) -> Response:
    """The form behind the one-time link that the first start prints."""
    token = frame.request.query_params.get("token", "")
    if not await registrar.is_setup_token(ctx, token):
        text = "The link was used already, or it is older than a week. If there is an owner, sign in."
        return _message(frame, "This link does not work any more", text, status=400)
    return _register_page(frame, token, Form())


@router.post("/app/setup")
@public()
async def set_up(ctx: Ctx, frame: Lobby, registrar: Registrar, posted: Posted) -> Response:
    """Makes the first owner."""
    token = posted.pop("token", "")
    try:
        signed_in = await _register(ctx, registrar, {**posted, "invite_token": token})
    except SpecloopError as error:
        return _register_page(frame, token, await refused(ctx, error, posted), error.status)
    return _enter(frame.request, signed_in.tokens, "/app")


@router.get("/app/join")
@public()
async def show_invite(ctx: Ctx, frame: Lobby, invites: Invites) -> Response:
    """What an invitation offers."""
    return await _invite_page(ctx, frame, invites, frame.request.query_params.get("token", ""), Form())


async def _invite_page(
    ctx: Context, frame: Frame, invites: InviteService, token: str, form: Form, status: int = 200
) -> Response:
    try:
        invite = await invites.preview(ctx, token)
    except InviteUnusable:
        text = "It was used, withdrawn, or is older than a week. Ask for a new one."
        return _message(frame, "This invitation does not work any more", text, status=400)
    account = await accounts.find_account(ctx, invite.account_id)
    inviter = await accounts.find_user(ctx, invite.created_by)
    shown = {
        "account_name": account.name if account else "the team",
        "invited_by": (inviter.name or inviter.email) if inviter else "",
        "email": invite.email,
        "account_role": invite.account_role.value,
        "workspaces": len(invite.grants),
    }
    has_account = await accounts.find_user_by_email(ctx, invite.email) is not None
    signed_in = await _visitor(frame.request)
    return frame.page(
        "invite",
        status=status,
        form=form,
        invite=shown,
        token=token,
        needs_account=not has_account,
        must_sign_in=has_account and signed_in is None,
        password_length_min=LENGTH_MIN,
        here=frame.shell.path,
    )


async def _visitor(request: Request) -> Principal | None:
    try:
        return await door_of(request).gate.authenticate(request)
    except Unauthenticated:
        return None


@router.post("/app/join")
@public()
async def accept_invite(
    ctx: Ctx, frame: Lobby, invites: Invites, registrar: Registrar, posted: Posted, request: Request
) -> Response:
    """Joins: as a new user with a password, or as the user who is signed in."""
    token = posted.pop("token", "")
    visitor = await _visitor(request)
    try:
        if visitor is not None and visitor.user_id is not None:
            user = await accounts.find_user(ctx, visitor.user_id)
            if user is None:
                raise Unauthenticated
            await invites.accept(ctx.acting_as(visitor), token, user)
            return frame.go("/app", "Welcome. You are a member now.")
        invite = await invites.preview(ctx, token)
        signed_in = await _register(ctx, registrar, {**posted, "email": invite.email, "invite_token": token})
    except SpecloopError as error:
        form = await refused(ctx, error, posted)
        return await _invite_page(ctx, frame, invites, token, form, error.status)
    return _enter(request, signed_in.tokens, "/app")


@router.get("/app/reset-password")
@public()
async def show_reset(ctx: Ctx, frame: Lobby) -> Response:
    """Both steps: asking for a link, and choosing the new password behind it."""
    return _reset_page(frame, frame.request.query_params.get("token", ""), Form())


def _reset_page(frame: Frame, token: str, form: Form, status: int = 200) -> Response:
    return frame.page("reset", status=status, form=form, token=token, password_length_min=LENGTH_MIN)


@router.post("/app/reset-password")
@public()
async def reset_password(ctx: Ctx, frame: Lobby, recovery: Recovery, posted: Posted) -> Response:
    """Always says the same in step one, whoever asks for whomever."""
    token = posted.get("token", "")
    try:
        if token:
            confirm = parsed(ResetConfirm, posted)
            await recovery.reset(ctx, confirm.token, confirm.new_password)
            return frame.go("/login", "Your new password is set. Sign in with it.")
        await recovery.request_reset(ctx, parsed(ResetRequest, posted).email)
    except SpecloopError as error:
        return _reset_page(frame, token, await refused(ctx, error, posted), error.status)
    text = (
        "If that address has an account, a link that works for one hour is on its way. Where no mail server is set up, "
        "the operator makes the link."
    )
    return _message(frame, "Look into your inbox", text)


@router.get("/login/with/{provider}")
@public()
async def start_provider(ctx: Ctx, providers: Providers, provider: str, request: Request) -> Response:
    """Sends the browser to a sign-in provider."""
    secret = f"{provider}.{random_token()}"  # the address to come back to is one for all providers
    url, _ = await providers.begin(ctx, provider, None, secret)
    response = RedirectResponse(url, status_code=303, headers={"Cache-Control": "no-store"})
    cookies.set_attempt(response, request, secret)
    return response


@router.get("/login/callback")
@public()
async def finish_provider(
    ctx: Ctx, frame: Lobby, providers: Providers, registrar: Registrar, request: Request
) -> Response:
    """Where a provider sends the browser back to. A GET that signs in: its state is bound to this browser's cookie."""
    given = request.query_params
    secret = cookies.attempt_of(request) or ""
    door = door_of(request)
    try:
        async with door.database.writing(ALL_WORKSPACES) as unit:
            inside = Context(ANONYMOUS, unit, door.clock, request_info(request))
            provider = secret.partition(".")[0]
            signed_in = await providers.finish(inside, provider, given.get("code", ""), given.get("state", ""), secret)
    except SpecloopError as error:
        form = Form(problem=error.detail)
        return _login_page(frame, registrar, providers, "/app", form, error.status)
    return _enter(request, signed_in.tokens, "/app")


def _message(frame: Frame, headline: str, text: str, *, status: int = 200) -> Response:
    return frame.page("message", status=status, headline=headline, text=text, href="/login", link="Go to sign in")
