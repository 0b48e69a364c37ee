"""The gate: turns any shown credential into a principal, and a principal into one who stands in a workspace.

Credential kinds are entries of a registry, tried in order; later kinds plug in there. Nothing is ever read from the
query string. What was read is remembered for at most two seconds and until the next audited change (`audit.Memory`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Protocol

from starlette.requests import HTTPConnection

from specloop.db.context import Context
from specloop.db.database import Database
from specloop.db.uow import ALL_WORKSPACES, UnitOfWork
from specloop.errors import BadRequest, Forbidden, NotFound, Unauthenticated
from specloop.identity import accounts, audit, workspaces
from specloop.identity.accounts import AccountStatus, Membership
from specloop.identity.audit import Memory, epoch_of
from specloop.identity.auth.cookies import CSRF, access_token_of
from specloop.identity.keys import PREFIX as KEY_PREFIX
from specloop.identity.keys import KeyService
from specloop.identity.scopes import OPERATIONS_SCOPES, AccountRole, account_scopes, workspace_scopes
from specloop.identity.tokens import AccessTokens, SessionService, UnknownSigningKey
from specloop.kit.clock import Clock
from specloop.kit.context import ANONYMOUS, CredentialKind, Principal, RequestInfo
from specloop.kit.ids import parse_uuid
from specloop.transport.guard import API_ONLY, Admission, Budget
from specloop.transport.limits import RateLimiter, Rule

ASSUME_HEADER = "X-Assume-Account"
CAPPED_KINDS = frozenset({CredentialKind.DEVICE, CredentialKind.PERSONAL_KEY})
"""Credentials that carry scopes of their own: inside a workspace they hold those that the user holds there as well."""


@dataclass(frozen=True, slots=True)
class Allowances:
    """How many requests each kind of credential has (specstory.md §5, spectral.md §1.0)."""

    user_per_minute: int = 600
    key_per_minute: int = 6000
    personal_key_per_hour: int = 1000
    personal_key_graphql_per_hour: int = 500
    device_per_hour: int = 100_000


@dataclass(frozen=True, slots=True)
class Resolved:
    """A principal, and the moment (seconds since the epoch) at which its credential ends, if it does."""

    principal: Principal
    expires_at: int | None = None


class CredentialResolver(Protocol):
    """One kind of credential."""

    def matches(self, token: str) -> bool:
        """Whether `token` looks like this kind."""
        ...

    async def resolve(self, ctx: Context, token: str) -> Resolved:
        """Whose it is; `ctx` sees all workspaces.

        Raises: Unauthenticated.
        """
        ...


class AccessTokenResolver:
    """Signed access tokens of users. Session, user and account are looked at on each request (spectral.md §1.3)."""

    def __init__(self, tokens: AccessTokens, sessions: SessionService) -> None:
        self._tokens = tokens
        self._sessions = sessions

    def matches(self, token: str) -> bool:
        """Whether it has the three parts of a compact JWS."""
        return token.startswith("eyJ") and token.count(".") == 2

    async def resolve(self, ctx: Context, token: str) -> Resolved:
        """The user, standing in the home account.

        Raises: Unauthenticated.
        """
        try:
            claims = self._tokens.verify(token, ctx.clock.now())
        except UnknownSigningKey:
            await self._tokens.ring.refresh(ctx)  # another process may have published the key meanwhile
            claims = self._tokens.verify(token, ctx.clock.now())
        if not await self._sessions.is_live(ctx, claims.session_id, claims.user_id):
            raise Unauthenticated("The session has ended; sign in again")
        principal = await user_principal(ctx, claims.user_id, claims.session_id)
        return Resolved(principal, claims.expires_at)


class APIKeyResolver:
    """Workspace keys."""

    def __init__(self, keys: KeyService) -> None:
        self._keys = keys

    def matches(self, token: str) -> bool:
        """Whether it has the prefix of a key."""
        return token.startswith(KEY_PREFIX)

    async def resolve(self, ctx: Context, token: str) -> Resolved:
        """The key, standing in its workspace.

        Raises: Unauthenticated.
        """
        principal = await self._keys.resolve(ctx, token)
        if principal is None or not await _is_active(ctx, principal.account_id):
            raise Unauthenticated("The API key is not valid")
        return Resolved(principal)


async def user_principal(ctx: Context, user_id: str, session_id: str | None) -> Principal:
    """An active user of an active account, standing in the home account.

    Raises: Unauthenticated.
    """
    user = await accounts.find_user(ctx, user_id)
    if user is None or not user.is_active:
        raise Unauthenticated("The user is not active any more")
    membership = await accounts.membership(ctx, user.account_id, user_id)
    if membership is None or not await _is_active(ctx, user.account_id):
        raise Unauthenticated("The account is not active any more")
    return Principal(
        account_id=user.account_id,
        kind=CredentialKind.SESSION,
        user_id=user_id,
        scopes=_account_scopes(membership),
        account_role=membership.role.value,
        session_id=session_id,
        name=user.name or user.email,
    )


class IdentityGate:
    """Implements `specloop.transport.guard.Gate`."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        resolvers: Sequence[CredentialResolver],
        csrf: CSRF,
        limiter: RateLimiter,
        allowances: Allowances | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._resolvers = tuple(resolvers)
        self._csrf = csrf
        self._limiter = limiter
        allowed = allowances or Allowances()
        self._user_rule = Rule("user", allowed.user_per_minute, 60)
        self._key_rule = Rule("key", allowed.key_per_minute, 60)
        self._device_rule = Rule("device", allowed.device_per_hour, 3600)
        self._personal_rules = {
            Budget.REST: Rule("personal-key", allowed.personal_key_per_hour, 3600),
            Budget.GRAPHQL: Rule("personal-key-graphql", allowed.personal_key_graphql_per_hour, 3600),
        }
        epoch = epoch_of(database.writer_engine.sync_engine)
        self._principals: Memory[str, Resolved] = Memory(epoch, database, self._seconds_left)
        self._entries: Memory[tuple[Principal, str], Principal] = Memory(epoch, database)

    async def authenticate(self, connection: HTTPConnection, audiences: frozenset[str] = API_ONLY) -> Principal:
        """The principal of the shown credential: the Authorization header, else the cookie.

        Raises: Unauthenticated, also for a credential that was made for none of `audiences`; Forbidden for a change by
        cookie that lacks the CSRF token.
        """
        token = _bearer_token(connection)
        if token is not None:
            principal = await self._principal(connection, token)
        else:
            cookie = access_token_of(connection)
            if cookie is None:
                raise Unauthenticated
            principal = await self._principal(connection, cookie)
            if not self._csrf.allows(connection, principal.session_id or ""):
                raise Forbidden("A change by cookie needs the X-CSRF-Token header or a JSON body from our own origin")
        if principal.audience not in audiences:
            raise Unauthenticated
        assumed = connection.headers.get(ASSUME_HEADER)
        return principal if assumed is None else await self._assume(connection, principal, assumed)

    async def enter(self, principal: Principal, workspace_id: str) -> Principal:
        """The same caller inside a workspace, with the scopes held there.

        Raises: NotFound when the workspace is invisible to the caller.
        """
        if principal.user_id is None:
            if principal.workspace_id != workspace_id:
                raise NotFound("Workspace not found")
            return principal

        async def read(unit: UnitOfWork) -> Principal:
            return await _enter(Context(principal, unit, self._clock), workspace_id)

        return await self._entries.recall((principal, workspace_id), self._clock, read)

    async def enter_default(self, principal: Principal) -> Principal:
        """The same caller in the oldest active workspace of the home account that the user may see.

        Raises: Forbidden when there is none.
        """

        async def read(unit: UnitOfWork) -> Principal:
            return await _enter_default(Context(principal, unit, self._clock))

        return await self._entries.recall((principal, ""), self._clock, read)

    async def admit(self, principal: Principal, client_ip: str, budget: Budget = Budget.REST) -> Admission:
        """Count one request of the user, the key or the device."""
        counted_by, rule = self._rule(principal, budget)
        decision = await self._limiter.check(counted_by or client_ip, rule)
        return Admission(decision.limit, decision.remaining, decision.reset_seconds, decision.is_allowed)

    def _rule(self, principal: Principal, budget: Budget) -> tuple[str | None, Rule]:
        match principal.kind:
            case CredentialKind.DEVICE:
                return principal.key_id, self._device_rule
            case CredentialKind.PERSONAL_KEY:
                return principal.key_id, self._personal_rules[budget]
            case _ if principal.user_id is not None:
                return principal.user_id, self._user_rule
            case _:
                return principal.key_id, self._key_rule

    async def _principal(self, connection: HTTPConnection, token: str) -> Principal:
        async def read(unit: UnitOfWork) -> Resolved:
            resolver = next((one for one in self._resolvers if one.matches(token)), None)
            if resolver is None:
                raise Unauthenticated
            return await resolver.resolve(Context(ANONYMOUS, unit, self._clock, _info(connection)), token)

        return (await self._principals.recall(token, self._clock, read)).principal

    def _seconds_left(self, resolved: Resolved) -> float:
        return inf if resolved.expires_at is None else resolved.expires_at - self._clock.now().timestamp()

    async def _assume(self, connection: HTTPConnection, principal: Principal, account_id: str) -> Principal:
        """Staff standing in a customer's account, one at a time and always audited (spectral.md §1.0.1)."""
        if principal.account_role != AccountRole.OPERATIONS:
            raise Forbidden(f"{ASSUME_HEADER} is for operations staff", required_scope="read:operations")
        wanted = parse_uuid(account_id)
        if wanted is None:
            raise BadRequest(f"{ASSUME_HEADER} is not a UUID")
        assumed = replace(principal, account_id=wanted)
        async with self._database.writing(ALL_WORKSPACES) as unit:
            ctx = Context(assumed, unit, self._clock, _info(connection))
            if await accounts.find_account(ctx, wanted) is None:
                raise NotFound("Account not found")
            detail = {"method": connection.scope.get("method", ""), "path": connection.url.path[:400]}
            await audit.record(ctx, "account.assumed", "account", wanted, detail)
        return assumed


def _bearer_token(connection: HTTPConnection) -> str | None:
    """The token of the Authorization header, None without such a header.

    Raises: Unauthenticated when there are several, or it is of another scheme.
    """
    headers = connection.headers.getlist("authorization")
    if not headers:
        return None
    scheme, _, token = headers[0].partition(" ")
    if len(headers) > 1 or scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated
    return token.strip()


def _info(connection: HTTPConnection) -> RequestInfo:
    return RequestInfo(
        request_id=getattr(connection.state, "request_id", ""),
        client_ip=connection.client.host if connection.client else "",
        user_agent=connection.headers.get("user-agent", "")[:300],
    )


async def _enter_default(ctx: Context) -> Principal:
    who = ctx.principal
    seen = await workspaces.visible(ctx, who.account_id, who.user_id or "", who.account_role or "")
    if who.user_id is None or not seen:
        raise Forbidden("You have no workspace yet; ask an owner of your account for a place in one")
    return await _enter(ctx, seen[0].workspace.id)


async def _enter(ctx: Context, workspace_id: str) -> Principal:
    inside = await _enter_as_user(ctx, workspace_id)
    if inside.kind not in CAPPED_KINDS:
        return inside
    return replace(inside, scopes=inside.scopes & ctx.principal.scopes)


async def _enter_as_user(ctx: Context, workspace_id: str) -> Principal:
    who = ctx.principal
    workspace = await workspaces.find(ctx, workspace_id)
    if workspace is None or who.user_id is None or not await _is_active(ctx, workspace.account_id):
        raise NotFound("Workspace not found")
    if who.account_role == AccountRole.OPERATIONS and workspace.account_id == who.account_id:
        held = workspace_scopes(AccountRole.OPERATIONS, None) - (OPERATIONS_SCOPES - who.scopes)
        return replace(who, workspace_id=workspace_id, scopes=held)
    membership = await accounts.membership(ctx, workspace.account_id, who.user_id)
    role = await workspaces.role_of(ctx, workspace_id, who.user_id)
    scopes = workspace_scopes(membership.role, role) if membership is not None else frozenset[str]()
    if membership is None or not scopes:
        raise NotFound("Workspace not found")
    return replace(
        who,
        account_id=workspace.account_id,
        account_role=membership.role.value,
        workspace_id=workspace_id,
        scopes=scopes,
    )


def _account_scopes(membership: Membership) -> frozenset[str]:
    scopes = account_scopes(membership.role)
    if membership.role is AccountRole.OPERATIONS:
        return scopes - (OPERATIONS_SCOPES - membership.operations_scopes)
    return scopes


async def _is_active(ctx: Context, account_id: str) -> bool:
    account = await accounts.find_account(ctx, account_id)
    return account is not None and account.status is AccountStatus.ACTIVE
