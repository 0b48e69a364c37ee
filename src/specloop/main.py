"""Builds the program from its settings; the only file that knows every part. It holds no rule of its own."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from threading import Timer
from typing import Any, Protocol, TypeVar, cast
from urllib.parse import urlsplit

from fastapi import APIRouter, FastAPI
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import Tracer
from sqlalchemy import text
from starlette.requests import Request
from starlette.types import ASGIApp, Scope

from specloop.app import errors, listener
from specloop.app.graphql import rest as graphql_rest
from specloop.app.health import Health, require_room
from specloop.app.housekeeping import every
from specloop.app.http import Parts, build_app
from specloop.app.metrics import MeasureRequests, Metrics
from specloop.app.self_traces import OwnEndpointExporter, TraceRequests, tracer_provider
from specloop.app.startup import Greeting, greet
from specloop.app.web.pages import routers as page_routers
from specloop.db.blobs import BlobStore
from specloop.db.context import Context
from specloop.db.database import Database
from specloop.db.folder import DataFolder
from specloop.db.migrations import migrate
from specloop.db.telemetry import TelemetryStore
from specloop.db.tidying import empty_log
from specloop.db.uow import ALL_WORKSPACES
from specloop.errors import SpecloopError
from specloop.identity.accounts import Exporting
from specloop.identity.assembly import Ground as IdentityGround
from specloop.identity.assembly import Identity, IdentityOptions, build_identity
from specloop.identity.audit import epoch_of
from specloop.identity.auth import Links, RegistrationService
from specloop.identity.gate import Allowances, IdentityGate
from specloop.identity.keys import KeyService
from specloop.identity.keys import rest as keys_rest
from specloop.identity.oauth import ProviderConfig
from specloop.identity.personal_keys import PersonalKeyService
from specloop.identity.workspaces import HealthProbe, HealthService
from specloop.identity.workspaces import rest as workspaces_rest
from specloop.identity.workspaces.keeping import AuditSweep, Erasure, Keeping, keeping_tasks
from specloop.identity.workspaces.webhooks import DeliveryService, WebhookService, webhook_tasks
from specloop.improve import assembly as improve
from specloop.improve.scans.service import ScanEventExpiry
from specloop.jobs import Jobs, Tasks, queue_level
from specloop.jobs.dbos_engine import DBOSEngine
from specloop.jobs.tasks import tasks as jobs_tasks
from specloop.kit import log
from specloop.kit.clock import Clock, SystemClock
from specloop.kit.context import ANONYMOUS
from specloop.kit.crypto import Pepper
from specloop.kit.mail import SMTPMailer
from specloop.record import assembly as record
from specloop.record.skills import rest as skills_rest
from specloop.record.traces import TraceExpiry, TraceIntake, TraceReader, TraceSection
from specloop.record.traces.assembly import assemble as assemble_traces
from specloop.record.traces.rest.submission import PATH as TRACES_PATH
from specloop.record.traces.service.health import IngestHealth
from specloop.record.traces.service.intake import inbox_level
from specloop.run.agents import AgentDiscovery, AgentHealth, AgentRunner, CardService, ConfigServer, words_of
from specloop.run.agents import rest as agents_rest
from specloop.settings import BadSetting, Role, Settings
from specloop.transport.edge import BodyLimit, EdgePolicy, RenderedError, wrap
from specloop.transport.limits import Throughput, open_limiter
from specloop.transport.net import ListenAddress, bind, parse_listen_address
from specloop.transport.routing import Door
from specloop.transport.specstory import SESSION_PATH
from specloop.transport.tls import OperatorCertificate, OwnCertificate, ServerTLS, own_names
from specloop.worker import Worker

Service = TypeVar("Service")
KEY_USAGE_SECONDS = 30.0
AGENT_DISCOVERY_SECONDS = 60.0
GRAPHQL_LOADS_AFTER_SECONDS = 1.0
"""After the start, so that the first answers do not wait for its libraries; a query that comes earlier loads them."""

THREAD_SWITCH_SECONDS = 0.0005
"""How long a thread may hold the interpreter while others wait. A busy event loop at the default of 5 ms makes each of
the many small steps of a database thread wait that long, which showed as a p99 of 400 ms."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What every stage stands on."""

    settings: Settings
    clock: Clock
    database: Database
    telemetry: TelemetryStore
    blobs: BlobStore
    pepper: Pepper
    tracer: Tracer
    listeners: Sequence[ListenAddress]


class Part(Protocol):
    """What a stage brings."""

    @property
    def services(self) -> Mapping[type, object]:
        """Its services by class."""
        ...

    @property
    def routers(self) -> Sequence[APIRouter]:
        """Its routes."""
        ...

    @property
    def tasks(self) -> Sequence[Tasks]:
        """Its jobs."""
        ...


@dataclass(slots=True)
class Assembly:
    """What the stages brought: services by class, routers, jobs."""

    services: dict[type, object] = field(default_factory=dict[type, object])
    routers: list[APIRouter] = field(default_factory=list[APIRouter])
    tasks: list[Tasks] = field(default_factory=list[Tasks])
    probes: list[HealthProbe] = field(default_factory=list[HealthProbe])

    def add(self, *services: object) -> None:
        """Register services under their own classes."""
        self.services.update({type(service): service for service in services})

    def take(self, part: Part) -> None:
        """Everything that a stage brought."""
        self.services.update(part.services)
        self.routers.extend(part.routers)
        self.tasks.extend(part.tasks)

    def get(self, kind: type[Service]) -> Service:
        """The one instance of `kind`."""
        return cast(Service, self.services[kind])


@dataclass(frozen=True, slots=True)
class Program:
    """The running program: `asgi` is `app` behind its edge; the rest is for tests and generators."""

    asgi: ASGIApp
    app: FastAPI
    ground: Ground
    assembly: Assembly
    setup_token: str | None


def serve(settings: Settings) -> int:
    """Run the server until it is told to stop; returns the exit code.

    Raises: StartupError in its many kinds.
    """
    style = settings.log_style
    log.configure(
        "json" if style == "json" or (style == "auto" and not sys.stderr.isatty()) else "console", settings.log_level
    )
    _check_roles(settings)
    sys.setswitchinterval(THREAD_SWITCH_SECONDS)
    folder = DataFolder(settings.data_folder)
    try:
        sockets = bind([parse_listen_address(text) for text in settings.listen])
        tls = _tls(settings)
        listener.run(lambda: _serve(settings, folder, sockets, tls))
    finally:
        folder.release()
    return 0


async def _serve(settings: Settings, folder: DataFolder, sockets: Sequence[Any], tls: ServerTLS) -> listener.Ended:
    addresses = [listener.bound_address(sock) for sock in sockets]
    async with running(settings, folder.secret(), addresses) as program:
        options = listener.ListenerOptions(
            tls=tls.context,
            is_plain_http_allowed=settings.allow_plain_http,
            trusted_proxies=tuple(settings.trusted_proxies),
        )
        greeting = Greeting(
            addresses=addresses,
            data=str(settings.data_folder),
            state=log.redact(settings.state_address),
            telemetry=log.redact(settings.telemetry_address),
            fingerprint=tls.certificate.fingerprint,
            setup_url=_setup_url(program),
        )
        hooks = listener.Hooks(
            ready=lambda _addresses: _ready(greeting),
            stopping=program.app.state.door.stopping.set,
            hourly=lambda: _renew(tls),
        )
        return await listener.serve(program.asgi, sockets, options, hooks)


@asynccontextmanager
async def running(
    settings: Settings, secret: bytes, addresses: Sequence[ListenAddress], clock: Clock | None = None
) -> AsyncGenerator[Program]:
    """The program with its stores open and its background work started; all of it ends with the block."""
    async with AsyncExitStack() as stack:
        exporter = OwnEndpointExporter()
        provider = tracer_provider(exporter)
        ground = await _open_ground(stack, settings, secret, addresses, clock or SystemClock(), provider)
        assembly = Assembly()
        erasure = _add_keeping(assembly, ground)
        identity = await _add_identity(assembly, ground, erasure)
        stack.callback(identity.close)
        intake = _add_record(assembly, ground)
        assembly.take(record.assemble())
        assembly.routers.append(graphql_rest.router)
        _add_run(assembly, ground)
        assembly.take(improve.assemble(ground.clock, ground.tracer))
        assembly.tasks.append(jobs_tasks)
        setup_token = await _setup_token(assembly, ground)
        await stack.enter_async_context(every(KEY_USAGE_SECONDS, lambda: _flush_key_usage(assembly, ground)))
        worker = _worker(assembly, ground)
        app = _application(assembly, ground, identity.gate)
        if settings.self_traces:
            exporter.attach(app, asyncio.get_running_loop(), identity.system)
        if settings.role in {Role.ALL, Role.API, Role.INGEST}:
            intake.start()
            stack.push_async_callback(intake.stop)
        stack.push_async_callback(asyncio.to_thread, provider.shutdown)
        if settings.role in {Role.ALL, Role.WORKER}:
            await worker.start()
            discovery = assembly.get(AgentDiscovery)
            await stack.enter_async_context(every(AGENT_DISCOVERY_SECONDS, discovery.look))
            stack.push_async_callback(worker.stop)
        yield Program(wrap(app, _edge(ground)), app, ground, assembly, setup_token)


def _setup_url(program: Program) -> str | None:
    return program.assembly.get(Links).setup(program.setup_token) if program.setup_token else None


def _ready(greeting: Greeting) -> None:
    # What exists now stays until the end, so the collector, which `specloop.entry` turned off, never looks at it.
    gc.freeze()
    gc.enable()
    greet(greeting)
    loading = Timer(GRAPHQL_LOADS_AFTER_SECONDS, graphql_rest.load)
    loading.daemon = True
    loading.start()


def _renew(tls: ServerTLS) -> None:
    tls.refresh()


def _check_roles(settings: Settings) -> None:
    if settings.role is Role.ALL:
        return
    embedded = [name for name in ("state_url", "telemetry_url") if not getattr(settings, name)]
    if embedded:
        raise BadSetting(
            f"role={settings.role}: embedded stores live in one process; set {' and '.join(embedded)} or use role=all"
        )


def _tls(settings: Settings) -> ServerTLS:
    if settings.tls_certificate is not None and settings.tls_key is not None:
        return ServerTLS(OperatorCertificate(settings.tls_certificate, settings.tls_key), SystemClock())
    hosts = [parse_listen_address(text).host for text in settings.listen]
    return ServerTLS(OwnCertificate(settings.data_folder / "tls", own_names(hosts)), SystemClock())


async def _open_ground(
    stack: AsyncExitStack,
    settings: Settings,
    secret: bytes,
    addresses: Sequence[ListenAddress],
    clock: Clock,
    provider: TracerProvider,
) -> Ground:
    database = await Database.open(settings.state_address)
    stack.push_async_callback(database.close)
    await migrate(database)
    telemetry = await TelemetryStore.open(settings.telemetry_address)
    stack.push_async_callback(telemetry.close)
    return Ground(
        settings=settings,
        clock=clock,
        database=database,
        telemetry=telemetry,
        blobs=BlobStore.open(settings.blob_address),
        pepper=Pepper(settings.secret_key.get_secret_value().encode() or secret),
        tracer=provider.get_tracer("specloop"),
        listeners=addresses,
    )


def _add_keeping(assembly: Assembly, ground: Ground) -> Erasure:
    database, clock = ground.database, ground.clock
    kept = record.assemble_keeping(database, clock)
    traces = TraceExpiry(database, ground.telemetry, ground.blobs, clock)
    erasure = Erasure(database, clock, (kept.sessions, traces))
    sweepers = (traces, kept.sessions, ScanEventExpiry(), AuditSweep())
    keeping = Keeping(database, clock, sweepers, erasure, (kept.tidying.tidy, partial(empty_log, database)))
    assembly.add(keeping)
    assembly.tasks.append(keeping_tasks(keeping))
    return erasure


async def _add_identity(assembly: Assembly, ground: Ground, erasure: Erasure) -> Identity:
    settings = ground.settings
    keys = KeyService(ground.pepper)
    limiter = open_limiter(settings.redis_url, ground.clock)
    options = IdentityOptions(
        folder=settings.data_folder,
        public_url=public_url(ground),
        is_registration_open=_is_registration_open(ground),
        password_length_min=settings.password_length_min,
        allowances=Allowances(
            user_per_minute=settings.rate_user_per_minute,
            key_per_minute=settings.rate_key_per_minute,
            personal_key_per_hour=settings.rate_personal_key_per_hour,
            personal_key_graphql_per_hour=settings.rate_personal_key_graphql_per_hour,
            device_per_hour=settings.rate_device_per_hour,
        ),
        registrations_per_hour=settings.registrations_per_hour,
        providers=_providers(settings),
        mailer=SMTPMailer(settings.smtp_url, settings.mail_from) if settings.smtp_url else None,
        limits=_limits(settings),
    )
    base = IdentityGround(ground.database, ground.clock, ground.pepper, limiter, ground.blobs, keys)
    exporting = Exporting(record.export_readers(), (TraceSection(ground.telemetry),))
    identity = await build_identity(base, options, elsewhere=(erasure,), exporting=exporting)
    assembly.take(identity)
    allows_private = settings.webhooks_private
    assembly.add(WebhookService(ground.pepper, allows_private=allows_private))
    assembly.tasks.append(webhook_tasks(DeliveryService(ground.pepper, allows_private=allows_private)))
    assembly.routers += [keys_rest.router, *workspaces_rest.routers, workspaces_rest.webhooks_router]
    return identity


def _providers(settings: Settings) -> list[ProviderConfig]:
    return [
        ProviderConfig(name, one.client_id, one.client_secret.get_secret_value(), one.issuer, one.scopes, one.label)
        for name, one in settings.oauth.items()
    ]


def _add_record(assembly: Assembly, ground: Ground) -> TraceIntake:
    settings = ground.settings
    intake = TraceIntake(
        ground.database,
        ground.telemetry,
        ground.clock,
        inbox_bytes_max=settings.ingest_queue_bytes_max,
        allowance=Throughput(settings.rate_ingest_bytes_per_second),
    )
    traces = assemble_traces(ground.telemetry, ground.blobs, intake, words_of_agent=words_of)
    assembly.take(traces)
    assembly.probes.append(IngestHealth(traces.reader))
    assembly.routers += skills_rest.routers
    return intake


def _add_run(assembly: Assembly, ground: Ground) -> None:
    assembly.add(
        AgentRunner(ground.tracer),
        AgentDiscovery(ground.database, ground.clock, assembly.get(TraceReader)),
        CardService(),
        ConfigServer(epoch_of(ground.database.writer_engine.sync_engine), ground.database),
    )
    assembly.probes.append(AgentHealth())
    assembly.routers[:0] = agents_rest.routers  # routes are tried in order, and an agent's configuration is the hottest


async def _setup_token(assembly: Assembly, ground: Ground) -> str | None:
    """The token of the link that makes the owner account, while nobody has one."""
    registration = assembly.get(RegistrationService)
    async with ground.database.writing(ALL_WORKSPACES) as unit:
        return await registration.make_setup_token(Context(ANONYMOUS, unit, ground.clock))


async def _flush_key_usage(assembly: Assembly, ground: Ground) -> None:
    async with ground.database.writing(ALL_WORKSPACES) as unit:
        ctx = Context(ANONYMOUS, unit, ground.clock)
        await assembly.get(KeyService).flush_usage(ctx)
        await assembly.get(PersonalKeyService).flush_usage(ctx)


def _worker(assembly: Assembly, ground: Ground) -> Worker:
    is_server = ground.database.engine_name == "postgresql"
    address = (
        ground.database.url.render_as_string(hide_password=False)
        if is_server
        else f"sqlite:///{ground.settings.data_folder / 'jobs.db'}"
    )
    by_name = {kind.__name__: service for kind, service in assembly.services.items()}
    return Worker(ground.database, Jobs(*assembly.tasks), DBOSEngine(address), services=by_name, clock=ground.clock)


def _application(assembly: Assembly, ground: Ground, gate: IdentityGate) -> FastAPI:
    async def check_state() -> None:
        async with ground.database.reading() as unit:
            await unit.session.execute(text("SELECT 1"))

    async def gather() -> dict[str, float]:
        async with ground.database.reading(ALL_WORKSPACES) as unit:
            return {**await inbox_level(unit), **await queue_level(unit)}

    async def check_disk() -> None:
        require_room(ground.settings.data_folder)

    health = Health({"db": check_state, "store": ground.telemetry.ping, "disk": check_disk})
    metrics = Metrics.create(gather, ground.settings.metrics_token.get_secret_value())
    assembly.add(health, metrics, HealthService(assembly.probes))
    app = build_app(Parts(Door(ground.database, gate, ground.clock), assembly.services, assembly.routers, page_routers))
    app.add_middleware(TraceRequests, tracer=ground.tracer)
    app.add_middleware(MeasureRequests, metrics=metrics)
    return app


def _edge(ground: Ground) -> EdgePolicy:
    settings = ground.settings
    ingest = BodyLimit(settings.ingest_body_bytes_max)
    named = {urlsplit(settings.public_url).hostname} if settings.public_url else set[str | None]()
    hosts = {*settings.allowed_hosts, *(address.host for address in ground.listeners), *filter(None, named)}
    return EdgePolicy(
        render_error=_render_at_edge,
        hosts=frozenset(hosts),
        origins=frozenset(settings.allowed_origins),
        body=BodyLimit(settings.body_bytes_max),
        body_by_prefix={"/otel/": ingest, "/v1/traces": ingest, "/api/public/otel/": ingest},
        body_by_route={
            ("PUT", SESSION_PATH): BodyLimit(settings.session_inflated_bytes_max, settings.session_body_bytes_max),
            ("POST", TRACES_PATH): ingest,
        },
    )


def _render_at_edge(scope: Scope, error: SpecloopError) -> RenderedError:
    response = errors.render(error, Request(scope))
    return response.status_code, response.raw_headers, bytes(response.body)


def _is_registration_open(ground: Ground) -> bool:
    chosen = ground.settings.registration
    return chosen == "open" or (chosen == "auto" and all(address.is_loopback for address in ground.listeners))


def _limits(settings: Settings) -> dict[str, int]:
    return {
        "requests_per_minute_user": settings.rate_user_per_minute,
        "requests_per_minute_key": settings.rate_key_per_minute,
        "body_bytes": settings.body_bytes_max,
        "ingest_body_bytes": settings.ingest_body_bytes_max,
    }


def public_url(ground: Ground) -> str:
    """Where users reach the server."""
    return ground.settings.public_url.rstrip("/") or f"http://{ground.listeners[0]}"
