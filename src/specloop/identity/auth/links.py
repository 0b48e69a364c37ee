"""Addresses of the pages that one-time tokens lead to."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class Links:
    """Builds links below the server's public address."""

    public_url: str

    def invite(self, token: str) -> str:
        """The page that shows an invitation and asks whether to accept."""
        return self._page("join", token)

    def setup(self, token: str) -> str:
        """The page that makes the first owner."""
        return self._page("setup", token)

    def reset(self, token: str) -> str:
        """The page that asks for a new password."""
        return self._page("reset-password", token)

    def _page(self, name: str, token: str) -> str:
        return f"{self.public_url.rstrip('/')}/app/{name}?token={quote(token)}"
