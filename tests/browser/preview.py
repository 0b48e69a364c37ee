"""A small server that renders every page template with sample values, under the product's own content policy.

It stands in for the services, so that states which are hard to reach (hostile names, failed proofs, live
scans) are seen too. The journeys through the real application are tested beside it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from specloop.app.web import assets
from specloop.app.web.rendering import page
from specloop.app.web.shell import Shell, Theme, Toast
from tests.browser import catalogue_account as front
from tests.browser import catalogue_devices as recorders
from tests.browser import catalogue_loop as loop
from tests.browser import catalogue_traces as traced
from tests.browser import samples as s

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
Values = dict[str, Any]
VARIANTS = ("full", "empty", "hostile")


PAGES: dict[str, tuple[str, Callable[[str], Values]]] = {
    "login": ("login", front.entry(providers=[{"href": "#", "label": "GitHub"}], may_register=True, next="/app")),
    "register": ("register", front.entry(setup_token="")),
    "setup": ("register", front.entry(setup_token="abc")),
    "invite": (
        "invite",
        front.entry(
            invite=front.INVITE, token="abc", needs_account=True, must_sign_in=False, here="/app/invite?token=abc"
        ),
    ),
    "reset": ("reset", front.entry(token="")),
    "reset-new": ("reset", front.entry(token="abc")),
    "message": (
        "message",
        front.entry(
            headline="Look into your inbox",
            text="If that address has an account, a link is on its way.",
            href="/login",
            link="Back to sign in",
        ),
    ),
    "not-found": (
        "error",
        front.entry(
            status_code=404,
            headline="There is nothing here",
            detail="The page does not exist, or you may not see it.",
            request_id=s.SCAN,
            again="/app",
            scope=None,
            allowed=None,
        ),
    ),
    "forbidden": (
        "error",
        front.entry(
            status_code=403,
            headline="You may not do this",
            detail="this needs the scope approve:agents",
            request_id=s.SCAN,
            again="/app",
            scope="approve:agents",
            allowed=["rejected"],
        ),
    ),
    "home": ("home", front.home),
    "workspaces": ("workspaces", front.workspaces),
    "settings": ("settings", front.settings),
    "members": ("members", front.members),
    "keys": ("keys", front.keys),
    "account": ("account", front.account),
    "sessions": ("sessions", front.sessions),
    "audit": ("audit", front.audit),
    "cli-login": ("cli_login", recorders.cli_login),
    "devices": ("devices", recorders.devices),
    "personal-keys": ("personal_keys", recorders.personal_keys),
    "agents": ("agents", loop.agents),
    "agent-new": (
        "agent_new",
        loop.agent_new,
    ),
    "agent": ("agent", loop.agent("config")),
    "agent-versions": ("agent", loop.agent("versions")),
    "agent-diff": ("agent", loop.agent("diff")),
    "agent-run": ("agent", loop.agent("run")),
    "agent-edit": ("agent", loop.agent("edit")),
    **traced.PAGES,
    "scans": ("scans", loop.scans),
    "scan-new": ("scan_new", loop.scan_new),
    "scan-live": ("scan", loop.scan("running", "clusters")),
    "scan": ("scan", loop.scan("completed", "clusters")),
    "scan-failed": ("scan", loop.scan("failed", "about")),
    "scan-candidates": ("scan", loop.scan("completed", "candidates")),
    "scan-events": ("scan", loop.scan("completed", "events")),
    "changesets": ("changesets", loop.changesets),
    "changeset": ("changeset", loop.changeset),
    "changeset-decided": ("changeset", loop.decided),
}
SIGNED_OUT = frozenset(
    {"login", "register", "setup", "invite", "reset", "reset-new", "message", "not-found", "forbidden"}
)


def show(request: Request) -> Response:
    """One page in one variant; `?theme=` and `?toast=` choose the frame."""
    name, variant = request.path_params["page"], request.path_params["variant"]
    template, values = PAGES[name]
    themes: dict[str, Theme] = {"light": "light", "dark": "dark"}
    theme = themes.get(request.query_params.get("theme", ""), "auto")
    frame = Shell(theme=theme) if name in SIGNED_OUT else s.shell(s.name_of(variant, "Acme checkout"), theme)
    toast = Toast(request.query_params["toast"]) if "toast" in request.query_params else None
    return page(f"pages/{template}.html", frame.with_(toast=toast, path=request.url.path), **values(variant))


def palette(request: Request) -> Response:
    """The palette's server side: everything known, or what a search finds."""
    if not request.query_params.get("q"):
        return page("parts/palette_entries.html", s.shell())
    return page(
        "parts/search.html",
        s.shell(),
        hits=[{"href": "/full/agent", "icon": "agent", "text": "Refund triage", "kind": "Agent"}],
    )


def stream(_: Request) -> Response:
    """A stream that stays open and says nothing."""

    async def quiet() -> AsyncGenerator[str]:
        yield ": open\n\n"
        await asyncio.Event().wait()

    return StreamingResponse(quiet(), media_type="text/event-stream")


def nothing(_: Request) -> Response:
    """What browsers and waiting parts of pages ask for by themselves."""
    return Response(status_code=204)


class Policy:
    """Adds the content policy to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on and marks the answer."""

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"].append((b"content-security-policy", POLICY.encode()))
            await send(message)

        await self.app(scope, receive, marked)


def index(_: Request) -> Response:
    """All pages in all variants, for people."""
    links = "".join(
        f'<li><a href="/{variant}/{name}">{variant} {name}</a></li>' for name in PAGES for variant in VARIANTS
    )
    return HTMLResponse(f"<!doctype html><title>Pages</title><ul>{links}</ul>")


def build() -> Starlette:
    """The preview application."""
    routes = [
        Route("/", index),
        Route("/favicon.ico", nothing),
        Route("/app/w/{workspace}/palette", palette),
        Route("/app/w/{workspace}/scans/{scan}/stream", stream),
        Route("/app/w/{workspace}/traces/stream", stream),
        Route("/app/w/{workspace}/analytics", nothing),
        Mount("/static", assets.serve),
        Route("/{variant}/{page}", show),
    ]
    return Starlette(routes=routes, middleware=[Middleware(Policy)])
