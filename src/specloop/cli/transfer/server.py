"""SpecStory's routes of a server, as a client that waits when it is asked to (specstory.md §1.2).

Used by several threads at a time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import quote

import httpx

from specloop.cli.session import RemoteError
from specloop.errors import Unauthenticated

TRIES_MAX = 6
WAIT_SECONDS_MAX = 120.0
WAIT_SECONDS_FIRST = 0.5
_TRY_AGAIN = frozenset({408, 429, 500, 502, 503, 504})
_UPLOAD_SECONDS = 120.0


class Stopped(Exception):
    """The user ended the command while a request waited for its turn."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """What a server has of a session, in bytes; `data` is 0 when it has no SessionData."""

    markdown: int
    data: int


@dataclass(frozen=True, slots=True)
class Access:
    """How to be let in: the header's token now, and `renew`, which gets another when that one has expired."""

    token: Callable[[], str]
    renew: Callable[[], bool]


class RecordServer:
    """One server, as one user."""

    def __init__(self, client: httpx.Client, access: Access, user_agent: str, stopped: threading.Event) -> None:
        self._client = client
        self._access = access
        self._user_agent = user_agent
        self._stopped = stopped
        self._renewing = threading.Lock()

    def sizes(self, project_id: str) -> dict[str, Sizes]:
        """What the server has of a project, by session id."""
        answer = self.get(f"/api/v1/projects/{quote(project_id, safe='')}/sessions/sizes")
        sizes: dict[str, int] = answer["sessions"]
        return {
            session_id: Sizes(size, sizes.get(f"{session_id}:sessionData", 0))
            for session_id, size in sizes.items()
            if not session_id.endswith(":sessionData")
        }

    def get(self, path: str, **parameters: Any) -> Any:
        """The data of an answer.

        Raises: RemoteError, Unauthenticated, httpx.HTTPError.
        """
        wanted = {name: value for name, value in parameters.items() if value is not None}
        return _data(self.request("GET", path, params=wanted))

    def put_session(self, project_id: str, session_id: str, body: bytes) -> bool:
        """Upload a gzip-compressed body; whether the server had not known the session.

        Raises: RemoteError, Unauthenticated, httpx.HTTPError.
        """
        path = f"/api/v1/projects/{quote(project_id, safe='')}/sessions/{quote(session_id, safe='')}"
        headers = {"content-type": "application/json", "content-encoding": "gzip"}
        response = self.request("PUT", path, content=body, headers=headers, timeout=_UPLOAD_SECONDS)
        _data(response)
        return response.status_code == 201

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """A request; repeated while the server is too busy or the way to it is broken, and once after signing in anew.

        Raises: httpx.HTTPError, Stopped.
        """
        headers = {"accept": "application/json", "user-agent": self._user_agent, **options.pop("headers", {})}
        for attempt in range(1, TRIES_MAX + 1):
            response = self._attempt(method, path, headers, options, is_last=attempt == TRIES_MAX)
            if response is None:
                self._wait(WAIT_SECONDS_FIRST * 2**attempt)
            elif response.status_code in _TRY_AGAIN and attempt < TRIES_MAX:
                self._wait(_wait_of(response) or WAIT_SECONDS_FIRST * 2**attempt)
            else:
                return response
        raise AssertionError("the last attempt returns or raises")

    def _attempt(
        self, method: str, path: str, headers: dict[str, str], options: dict[str, Any], *, is_last: bool
    ) -> httpx.Response | None:
        token = self._access.token()
        try:
            response = self._send(method, path, headers, options, token)
            if response.status_code == 401 and self._renewed(token):
                response = self._send(method, path, headers, options, self._access.token())
        except httpx.TransportError as error:
            if is_last or isinstance(error, httpx.ConnectError | httpx.UnsupportedProtocol):
                raise
            return None
        return response

    def _send(
        self, method: str, path: str, headers: dict[str, str], options: dict[str, Any], token: str
    ) -> httpx.Response:
        return self._client.request(method, path, headers={**headers, "authorization": f"Bearer {token}"}, **options)

    def _renewed(self, old: str) -> bool:
        """One thread renews, the others take what it got."""
        with self._renewing:
            return self._access.token() != old or self._access.renew()

    def _wait(self, seconds: float) -> None:
        if self._stopped.wait(min(seconds, WAIT_SECONDS_MAX)):
            raise Stopped


def _wait_of(response: httpx.Response) -> float | None:
    """The seconds of Retry-After; None where there is none (or a date, which no Specloop sends)."""
    try:
        return max(float(response.headers["retry-after"]), 0.0)
    except (KeyError, ValueError):
        return None


def _data(response: httpx.Response) -> Any:
    """The data of the envelope (specstory.md §1.0).

    Raises: RemoteError, Unauthenticated.
    """
    document = envelope_of(response)
    if response.status_code < 400 and document.get("success") is True:
        return document.get("data")
    said = error_of(document)
    if response.status_code == 401:
        raise Unauthenticated(f"{said or 'the token is not accepted'}; run `specloop login` or pass another --token")
    if response.status_code < 400:
        raise RemoteError(502, f"what answers at {response.url.copy_with(path='/')} is no Specloop server", {})
    raise RemoteError(response.status_code, said or f"the server answered {response.status_code}", {})


def envelope_of(response: httpx.Response) -> dict[str, Any]:
    """The JSON object of an answer; an empty one where there is none."""
    try:
        document = response.json()
    except ValueError:
        return {}
    return cast(dict[str, Any], document) if isinstance(document, dict) else {}


def error_of(document: dict[str, Any]) -> str:
    """The server's own words, in either dialect."""
    return str(document.get("error") or document.get("detail") or "")


def seconds_since(start: float) -> float:
    """Seconds of the monotonic clock since `start`, to a tenth."""
    return round(time.monotonic() - start, 1)
