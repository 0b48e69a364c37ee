"""A browser without script: signs in by the form, follows the pages, sends their forms with the token in them."""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx

from tests.interaction.tenant import PASSWORD

CSRF = re.compile(r'name="csrf" value="([^"]+)"')


@dataclass(frozen=True, slots=True)
class Browser:
    """Cookies and pages of one visitor."""

    client: httpx.Client

    def see(self, path: str, status: int = 200) -> str:
        """The page at `path`."""
        answer = self.client.get(path)
        assert answer.status_code == status, (path, answer.status_code, answer.text[:300])
        return answer.text

    def send(self, path: str, page: str, **fields: str) -> httpx.Response:
        """Send a form that stood on `page`."""
        token = CSRF.search(page)
        assert token is not None
        return self.client.post(path, data={"csrf": token[1], **fields})


@contextmanager
def signed_in(url: str, email: str, wanted: str = "/app") -> Generator[Browser]:
    """A visitor who has signed in on the way to `wanted`."""
    origin = {"origin": url}
    with httpx.Client(base_url=url, timeout=60, headers=origin) as client:
        form = {"email": email, "password": PASSWORD, "next": wanted}
        answer = client.post("/login", data=form)
        assert (answer.status_code, answer.headers["location"]) == (303, wanted), answer.text[:300]
        yield Browser(client)
