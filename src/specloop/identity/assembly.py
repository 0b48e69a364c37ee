"""Puts identity together: one place that knows how its services depend on each other, for `main` and for tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fastapi import APIRouter

from specloop.db.blobs import BlobStore
from specloop.db.context import Context
from specloop.db.database import Database
from specloop.db.uow import ALL_WORKSPACES
from specloop.identity import accounts, workspaces
from specloop.identity.accounts import AccountService, Elsewhere, Exporting, LeavingService, Passwords
from specloop.identity.accounts import rest as accounts_rest
from specloop.identity.accounts.service.standing import Ledger, Meter
from specloop.identity.audit import epoch_of
from specloop.identity.auth import (
    CSRF,
    EntranceService,
    Links,
    ProfileService,
    ProviderSignInService,
    RecoveryService,
    RegistrationService,
)
from specloop.identity.auth import rest as auth_rest
from specloop.identity.auth.tasks import mail_tasks
from specloop.identity.bearers import DeviceTokenResolver, PersonalKeyResolver
from specloop.identity.devices import DeviceService
from specloop.identity.devices import rest as devices_rest
from specloop.identity.gate import AccessTokenResolver, Allowances, APIKeyResolver, CredentialResolver, IdentityGate
from specloop.identity.invites import InviteService, withdraw_places
from specloop.identity.invites import rest as invites_rest
from specloop.identity.keys import KeyService
from specloop.identity.oauth import OAuthService, ProviderConfig
from specloop.identity.personal_keys import PersonalKeyService
from specloop.identity.scopes import OPERATIONS_SCOPES
from specloop.identity.throttle import Throttle
from specloop.identity.tokens import AccessTokens, KeyRing, OneTimeTokens, SessionService
from specloop.identity.tokens import rest as tokens_rest
from specloop.jobs import Tasks
from specloop.kit.clock import Clock
from specloop.kit.context import Principal, system_principal
from specloop.kit.crypto import Pepper
from specloop.kit.mail import Mailer
from specloop.transport.limits import RateLimiter

CALLBACK_PAGE = "/app/sign-in/callback"


@dataclass(frozen=True, slots=True)
class IdentityOptions:
    """What the operator decides. `mailer` None: invitation tokens are shown, reset links come from the command line."""

    folder: Path
    public_url: str
    is_registration_open: bool
    issuer: str = "specloop"
    password_length_min: int = 6
    password_memory_kib: int = 19_456
    allowances: Allowances = field(default_factory=Allowances)
    registrations_per_hour: int = 300
    providers: Sequence[ProviderConfig] = ()
    redirect_uris: Sequence[str] = ()
    mailer: Mailer | None = None
    limits: Mapping[str, int] = field(default_factory=dict[str, int])


@dataclass(frozen=True, slots=True)
class Identity:
    """Identity, ready to be served."""

    gate: IdentityGate
    services: Mapping[type, object]
    routers: Sequence[APIRouter]
    tasks: Sequence[Tasks]
    passwords: Passwords
    system: Principal

    def close(self) -> None:
        """Stop the threads."""
        self.passwords.close()


@dataclass(frozen=True, slots=True)
class Ground:
    """What identity stands on."""

    database: Database
    clock: Clock
    pepper: Pepper
    limiter: RateLimiter
    blobs: BlobStore
    keys: KeyService


async def build_identity(
    ground: Ground,
    options: IdentityOptions,
    *,
    extra_credentials: Sequence[CredentialResolver] = (),
    meters: Sequence[Meter] = (),
    ledgers: Sequence[Ledger] = (),
    elsewhere: Sequence[Elsewhere] = (),
    exporting: Exporting | None = None,
) -> Identity:
    """Make every service, publish the signing key, and see that the system account and workspace exist."""
    ring = KeyRing(options.folder)
    system = await _prepare_store(ground, ring)
    access = AccessTokens(ring, options.issuer)
    sessions, one_time = SessionService(access, ground.pepper), OneTimeTokens(ground.pepper)
    passwords = Passwords(options.password_length_min, options.password_memory_kib)
    throttle = Throttle(ground.limiter, options.registrations_per_hour)
    has_mailer = options.mailer is not None
    invites = InviteService(ground.pepper, has_mailer=has_mailer)
    entrance = EntranceService(passwords, sessions, throttle)
    registration = RegistrationService(
        entrance, passwords, throttle, invites, one_time, is_open=options.is_registration_open
    )
    recovery = RecoveryService(passwords, sessions, one_time, throttle, has_mailer=has_mailer)
    leaving = LeavingService(sessions, ground.blobs, elsewhere, exporting)
    links = Links(options.public_url)
    own_page = options.public_url.rstrip("/") + CALLBACK_PAGE
    oauth = OAuthService(ground.database, ground.clock, options.providers, (own_page, *options.redirect_uris))
    csrf = CSRF(ground.pepper)
    devices, personal_keys = DeviceService(ground.pepper, throttle), PersonalKeyService(ground.pepper)
    services: list[object] = [
        ring,
        sessions,
        passwords,
        invites,
        entrance,
        registration,
        recovery,
        leaving,
        links,
        csrf,
        oauth,
        ground.keys,
        devices,
        personal_keys,
        ProviderSignInService(oauth, entrance, registration, sessions),
        ProfileService(epoch_of(ground.database.writer_engine.sync_engine), ground.database),
        AccountService(sessions, limits=options.limits, meters=meters, ledgers=ledgers, departures=(withdraw_places,)),
    ]
    mails = (mail_tasks(options.mailer, links, recovery, invites),) if options.mailer else ()
    gate = IdentityGate(
        ground.database,
        ground.clock,
        (
            APIKeyResolver(ground.keys),
            DeviceTokenResolver(devices),
            PersonalKeyResolver(personal_keys),
            *extra_credentials,
            AccessTokenResolver(access, sessions),
        ),
        csrf,
        ground.limiter,
        options.allowances,
    )
    return Identity(
        gate=gate,
        services={type(service): service for service in services},
        routers=(
            tokens_rest.router,
            auth_rest.router,
            devices_rest.login_router,
            devices_rest.router,
            invites_rest.router,
            accounts_rest.router,
        ),
        tasks=(leaving.tasks(), *mails),
        passwords=passwords,
        system=system,
    )


async def _prepare_store(ground: Ground, ring: KeyRing) -> Principal:
    nobody = system_principal("", None, frozenset())
    async with ground.database.writing(ALL_WORKSPACES) as unit:
        ctx = Context(nobody, unit, ground.clock)
        await ring.publish(ctx)
        account = await accounts.ensure_system(ctx)
        workspace = await workspaces.ensure_system(ctx, account.id)
    return system_principal(account.id, workspace.id, frozenset(OPERATIONS_SCOPES))
