"""Links this machine as a recording device for as long as a command runs (specstory.md §1.1)."""

from __future__ import annotations

import getpass
import platform
import socket
from collections.abc import Generator
from contextlib import contextmanager, suppress

import httpx

from specloop import __version__
from specloop.cli.session import Session, read_answer
from specloop.cli.transfer.server import Access


class DeviceLink:
    """A device's tokens: the access token lives an hour, the refresh token as long as the link."""

    def __init__(self, client: httpx.Client, refresh_token: str) -> None:
        self._client = client
        self._refresh_token = refresh_token
        self.access_token = ""

    def renew(self) -> bool:
        """Another access token; whether there is one."""
        answer = self._client.post("/api/v1/device-refresh", headers=self._header())
        if answer.status_code != 200:
            return False
        self.access_token = str(answer.json()["accessToken"])
        return True

    def unlink(self) -> None:
        """Give the link up; if the server cannot be told, the user can revoke it."""
        with suppress(httpx.HTTPError):
            self._client.post("/api/v1/device-logout", headers=self._header())

    def _header(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self._refresh_token}"}


@contextmanager
def linked(session: Session, client: httpx.Client) -> Generator[Access]:
    """Access as a device of the user who is signed in; unlinked at the end."""
    code = session.post("/api/v1/auth/device-codes")["code"]
    answer = read_answer(client.post("/api/v1/device-login", json={"device_code": code, **_origin()}))
    link = DeviceLink(client, answer["refreshToken"])
    try:
        link.renew()
        yield Access(token=lambda: link.access_token, renew=link.renew)
    finally:
        link.unlink()


def _origin() -> dict[str, str]:
    origin = {
        "hostname": socket.gethostname(),
        "username": _user_name(),
        "os": platform.system().lower(),
        "os_version": platform.release(),
        "architecture": platform.machine(),
        "client": "specloop",
        "client_version": __version__,
    }
    return {name: value for name, value in origin.items() if value}


def _user_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user without a name, as in a container
        return ""
