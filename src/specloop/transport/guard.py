"""What a route demands of its caller, and the seam through which identity answers it.

Every guarded endpoint carries a `Guard`; a route without one cannot be built, so nothing is open by accident.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol, TypeVar

from starlette.requests import HTTPConnection

from specloop.kit.context import Principal

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


API_ONLY = frozenset({"api"})
"""The audiences of most routes: sign-in tokens and workspace keys."""


class Budget(StrEnum):
    """Which allowance a request is counted against; most credentials have one for everything."""

    REST = "rest"
    GRAPHQL = "graphql"
    BYTES = "bytes"
    """Not by requests: the route itself counts the bytes that it takes in."""


@dataclass(frozen=True, slots=True)
class Guard:
    """`scopes`: holding any one is enough. `is_public`: no credential asked. `users_only`: no machine keys.

    `secret_fields` are members of the answer that may appear once only: a replayed answer has null there.
    `workspace_header`: the route has no workspace in its path, so a user must name one in X-Workspace-Id.
    `default_workspace`: without that header the caller stands in the default workspace (ARCHITECTURE §4).
    `audiences`: credentials made for other surfaces are refused as if they were none.
    """

    scopes: tuple[str, ...] = ()
    is_public: bool = False
    users_only: bool = False
    secret_fields: tuple[str, ...] = ()
    workspace_header: bool = False
    default_workspace: bool = False
    audiences: frozenset[str] = API_ONLY
    budget: Budget = Budget.REST


@dataclass(frozen=True, slots=True)
class Admission:
    """One rate-limit decision: requests per window, what is left, seconds until the window ends."""

    limit: int
    remaining: int
    reset_seconds: int
    is_allowed: bool = True


class Gate(Protocol):
    """Who the caller is, what it may see, how often it may ask. Implemented by `specloop.identity`."""

    async def authenticate(self, connection: HTTPConnection, audiences: frozenset[str] = API_ONLY) -> Principal:
        """The principal of the shown credential.

        Raises: Unauthenticated, also for a credential that was made for none of `audiences`.
        """
        ...

    async def enter(self, principal: Principal, workspace_id: str) -> Principal:
        """The same caller inside a workspace, with the scopes held there.

        Raises: NotFound when the workspace is invisible to the caller.
        """
        ...

    async def enter_default(self, principal: Principal) -> Principal:
        """The same caller inside the default workspace, with the scopes held there.

        Raises: Forbidden when there is none.
        """
        ...

    async def admit(self, principal: Principal, client_ip: str, budget: Budget = Budget.REST) -> Admission:
        """Count one request against the caller's limit."""
        ...


def requires(
    *scopes: str,
    users_only: bool = False,
    secret_fields: tuple[str, ...] = (),
    workspace_header: bool = False,
    default_workspace: bool = False,
    audiences: frozenset[str] = API_ONLY,
    budget: Budget = Budget.REST,
) -> Callable[[Endpoint], Endpoint]:
    """Demand a credential, and any one of `scopes` if some are named."""
    return _marked(
        Guard(scopes, False, users_only, secret_fields, workspace_header, default_workspace, audiences, budget)
    )


def public() -> Callable[[Endpoint], Endpoint]:
    """Open a route to everybody; the list of such routes is pinned by a test."""
    return _marked(Guard(is_public=True))


def _marked(guard: Guard) -> Callable[[Endpoint], Endpoint]:
    def mark(endpoint: Endpoint) -> Endpoint:
        endpoint.__guard__ = guard  # type: ignore[attr-defined]
        return endpoint

    return mark


def guard_of(endpoint: Callable[..., Any]) -> Guard | None:
    """The guard of an endpoint, or None when it has none."""
    return getattr(endpoint, "__guard__", None)
