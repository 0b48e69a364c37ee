"""Whom the command line speaks to: the server and the tokens that `specloop login` kept, renewed when they expire."""

from __future__ import annotations

import fcntl
import os
import ssl
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import typer

from specloop.errors import SpecloopError, Unauthenticated
from specloop.kit import json

TIMEOUT_SECONDS = 60.0
PAGE_LIMIT = 100


class NotLoggedIn(SpecloopError):
    """You are not signed in here: run `specloop login`."""

    code = "not-logged-in"
    status = 401


class RemoteError(SpecloopError):
    """The server refused."""

    code = "remote"

    def __init__(self, status: int, detail: str, problem: dict[str, Any]) -> None:
        super().__init__(detail)
        self.status = status  # pyright: ignore[reportAttributeAccessIssue]  (known only when the answer arrives)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Profile:
    """One signed-in server. `ca` is a PEM file that vouches for its certificate."""

    url: str
    email: str
    access_token: str
    refresh_token: str
    workspace_id: str
    ca: str | None = None


def profile_path() -> Path:
    """Where the profile is kept."""
    return Path(typer.get_app_dir("specloop")) / "profile.json"


def save_profile(profile: Profile) -> None:
    """Keep the profile, readable by its owner only."""
    path = profile_path()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_suffix(".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(json.dumps(asdict(profile)))
    fresh.replace(path)


def load_profile() -> Profile:
    """The kept profile.

    Raises: NotLoggedIn.
    """
    try:
        return Profile(**json.loads(profile_path().read_bytes()))
    except (OSError, TypeError, ValueError) as error:
        raise NotLoggedIn from error


def forget_profile() -> None:
    """Remove the kept profile."""
    profile_path().unlink(missing_ok=True)


class Session:
    """Requests to one server as one user."""

    def __init__(self, profile: Profile, *, keeps_profile: bool = True) -> None:
        self.profile = profile
        self._keeps_profile = keeps_profile
        self._kept_workspace_id = profile.workspace_id
        self._client = new_client(profile.url, profile.ca)

    @classmethod
    def current(cls, workspace: str | None = None) -> Session:
        """The signed-in session, in another workspace when one is named.

        Raises: NotLoggedIn.
        """
        session = cls(load_profile())
        if workspace is not None:
            session.profile = replace(session.profile, workspace_id=session.workspace_named(workspace))
        return session

    @property
    def workspace(self) -> str:
        """The path of the chosen workspace."""
        return f"/api/v1/workspaces/{self.profile.workspace_id}"

    def workspace_named(self, text: str) -> str:
        """The id of the workspace with this id or name.

        Raises: RemoteError when there is none.
        """
        for row in self.pages("/api/v1/workspaces"):
            if text in (row["id"], row["name"]):
                return row["id"]
        raise RemoteError(404, f"there is no workspace '{text}' that you can see", {})

    def get(self, path: str, **parameters: Any) -> Any:
        """The JSON answer to a GET.

        Raises: RemoteError, Unauthenticated.
        """
        return self.send("GET", path, params={k: v for k, v in parameters.items() if v is not None})

    def post(self, path: str, body: Any = None) -> Any:
        """The JSON answer to a POST.

        Raises: RemoteError, Unauthenticated.
        """
        return self.send("POST", path, json=body if body is not None else {})

    def send(self, method: str, path: str, **options: Any) -> Any:
        """Any request; the access token is renewed once when it has expired."""
        response = self._request(method, path, **options)
        if response.status_code == 401 and self.renew():
            response = self._request(method, path, **options)
        try:
            return read_answer(response)
        except Unauthenticated as error:
            raise Unauthenticated(f"{error.detail}; run `specloop login`") from None

    def pages(self, path: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        """Every row of a list, page by page."""
        offset = 0
        while True:
            page = self.get(path, limit=PAGE_LIMIT, offset=offset, **parameters)
            yield from page["results"]
            offset += PAGE_LIMIT
            total = page["pagination"]["total"]
            if not page["results"] or (total is not None and offset >= total):
                return

    def stream(self, path: str, last_event_id: str | None = None) -> Iterator[tuple[str, Any]]:
        """Server-sent events as (id, data) until the server ends them."""
        headers = {"accept": "text/event-stream", **self._headers()}
        if last_event_id:
            headers["last-event-id"] = last_event_id
        with self._client.stream("GET", path, headers=headers, timeout=None) as response:
            if response.status_code >= 400:
                response.read()
                read_answer(response)
            yield from read_events(response.iter_lines())

    def _request(self, method: str, path: str, **options: Any) -> httpx.Response:
        return self._client.request(method, path, headers=self._headers(), **options)

    def _headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.profile.access_token}"}

    def renew(self) -> bool:
        """New tokens for expired ones. A refresh token is good once, so commands that run at the same time take turns,
        and those that come later use what the first one kept."""
        if not self._keeps_profile:
            return self._exchange()
        with profile_path().with_suffix(".lock").open("a") as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)
            kept = load_profile()
            if kept.access_token != self.profile.access_token and (kept.url, kept.email) == (
                self.profile.url,
                self.profile.email,
            ):
                self.profile = replace(kept, workspace_id=self.profile.workspace_id)
                return True
            return self._exchange()

    def _exchange(self) -> bool:
        response = self._client.post("/api/v1/auth/login", json={"refresh_token": self.profile.refresh_token})
        if response.status_code != 200:
            return False
        answer = response.json()
        self.profile = replace(self.profile, access_token=answer["access_token"], refresh_token=answer["refresh_token"])
        if self._keeps_profile:
            save_profile(replace(self.profile, workspace_id=self._kept_workspace_id))
        return True


def new_client(url: str, ca: str | None = None) -> httpx.Client:
    """A client for the server at `url`."""
    verify = ssl.create_default_context(cafile=ca) if ca else True
    return httpx.Client(base_url=url, timeout=TIMEOUT_SECONDS, verify=verify)


def read_answer(response: httpx.Response) -> Any:
    """The JSON body, None for an empty one.

    Raises: Unauthenticated, RemoteError with the server's own words.
    """
    if response.status_code < 400:
        try:
            return json.loads(response.content) if response.content else None
        except json.JSONDecodeError:
            raise RemoteError(
                502, f"what answers at {response.url.copy_with(path='/')} is no Specloop server", {}
            ) from None
    try:
        problem: dict[str, Any] = response.json()
        detail = str(problem["detail"])
    except (ValueError, KeyError, TypeError):
        problem, detail = {}, f"the server answered {response.status_code}"
    if response.status_code == 401:
        raise Unauthenticated(detail)
    raise RemoteError(response.status_code, detail, problem)


def read_events(lines: Iterator[str]) -> Iterator[tuple[str, Any]]:
    """(id, data) of each event of a text/event-stream (WHATWG HTML §9.2.6)."""
    identifier, data = "", list[str]()
    for line in lines:
        if line == "":
            if data:
                yield identifier, json.loads("\n".join(data))
            data = []
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "id":
            identifier = value
        elif field == "data":
            data.append(value)
