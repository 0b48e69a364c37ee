"""Who is asking and from where: the facts that travel with every use case."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class CredentialKind(StrEnum):
    """What a caller showed (ARCHITECTURE: one identity)."""

    SESSION = "session"
    API_KEY = "api_key"
    DEVICE = "device"
    PERSONAL_KEY = "personal_key"
    SYSTEM = "system"
    ANONYMOUS = "anonymous"


@dataclass(frozen=True, slots=True)
class Principal:
    """A resolved caller.

    `scopes` are those held in `workspace_id`, or account-wide ones while no workspace is chosen. `audience` is the
    surface that the credential was made for.
    """

    account_id: str
    kind: CredentialKind
    user_id: str | None = None
    workspace_id: str | None = None
    scopes: frozenset[str] = frozenset()
    account_role: str | None = None
    session_id: str | None = None
    key_id: str | None = None
    name: str = ""
    audience: str = "api"

    def has_scope(self, scope: str) -> bool:
        """Whether the caller holds `scope` where it stands."""
        return scope in self.scopes

    @property
    def actor_id(self) -> str:
        """The id that audit rows and rate limits name: user, key, or `system`."""
        return self.user_id or self.key_id or self.kind.value


ANONYMOUS = Principal(account_id="", kind=CredentialKind.ANONYMOUS, name="anonymous")


def system_principal(account_id: str, workspace_id: str | None, scopes: frozenset[str]) -> Principal:
    """The program itself acting inside one workspace: jobs, schedules, bounded autonomy."""
    return Principal(
        account_id=account_id, kind=CredentialKind.SYSTEM, workspace_id=workspace_id, scopes=scopes, name="system"
    )


@dataclass(frozen=True, slots=True)
class RequestInfo:
    """Where a call came from; `request_id` is in logs, problems and audit rows."""

    request_id: str = ""
    client_ip: str = ""
    user_agent: str = ""
