"""Fixtures of the browser tests: one browser and one preview server for all of them, an emptied context for each."""

from __future__ import annotations

import re
import secrets
import socket
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Dialog,
    Error,
    Page,
    Playwright,
    ViewportSize,
    expect,
    sync_playwright,
)

from tests.browser.chromium import MISSING, find_browser
from tests.browser.preview import build
from tests.interaction.tenant import PASSWORD, Tenant, register
from tests.server import started_server

DESKTOP: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 375, "height": 720}

_idle: dict[str, list[Page]] = {}
"""Pages that no test has at the moment, by the options of their contexts: a new one starts a process, and loads and
compiles every file anew."""


@contextmanager
def serving(app: Any) -> Generator[str]:
    """Serves an ASGI application on a free loopback port; yields its origin."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()  # who comes before the server is up waits instead of being refused
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", ws="none", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        server.force_exit = True  # open event streams would keep it waiting
        thread.join()


@pytest.fixture(scope="package")
def preview() -> Iterator[str]:
    """The origin of the preview server."""
    with serving(build()) as origin:
        yield origin


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    """The driver. It keeps an event loop in this thread, so it must be gone before the tests of other folders run."""
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="package")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """A headless browser; the test fails with a plain message when the machine has none."""
    path = find_browser()
    if path is None:
        pytest.fail(MISSING, pytrace=False)
    started = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
    yield started
    _idle.clear()
    started.close()


class Watched:
    """A page whose complaints are kept: console errors, policy violations, uncaught exceptions, dialogs."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        page.on("console", self._note)
        page.on("pageerror", self._crash)
        page.on("dialog", self._refuse)

    def stop(self) -> None:
        """Note nothing more."""
        self.page.remove_listener("console", self._note)
        self.page.remove_listener("pageerror", self._crash)
        self.page.remove_listener("dialog", self._refuse)

    def _note(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(f"{self.page.url}: {message.type}: {message.text}")

    def _crash(self, error: Error) -> None:
        self.complaints.append(f"{self.page.url}: uncaught: {error}")

    def _refuse(self, dialog: Dialog) -> None:
        self.complaints.append(f"dialog: {dialog.message}")
        dialog.dismiss()


@contextmanager
def fresh(browser: Browser, **options: Any) -> Generator[Watched]:
    """A page in a context that was never used: its cache is empty."""
    context = browser.new_context(**_complete(options))
    try:
        yield Watched(context.new_page())
    finally:
        context.close()


@contextmanager
def opened(browser: Browser, **options: Any) -> Generator[Watched]:
    """A page in a context of its own: its own cookies and storage. The cached files are those of earlier tests."""
    chosen = _complete(options)
    idle = _idle.setdefault(repr(sorted(chosen.items())), [])
    page = idle.pop() if idle else browser.new_context(**chosen).new_page()
    watched = Watched(page)
    try:
        yield watched
    finally:
        watched.stop()
        try:
            _forget(page, chosen)
        except Error:  # the page is beyond repair, such as after a crash
            page.context.close()
        else:
            idle.append(page)


def _complete(options: dict[str, Any]) -> dict[str, Any]:
    return {"viewport": DESKTOP, **options}


def _forget(page: Page, options: dict[str, Any]) -> None:
    """Leave nothing to the next test."""
    for other in page.context.pages:
        if other is not page:
            other.close()
    page.evaluate("() => location.protocol.startsWith('http') && localStorage.clear()")
    page.goto("about:blank")
    theme, motion = options.get("color_scheme", "light"), options.get("reduced_motion", "no-preference")
    page.emulate_media(color_scheme=theme, reduced_motion=motion)
    page.context.clear_cookies()


@pytest.fixture
def desktop(browser: Browser) -> Iterator[Watched]:
    """A page of desktop size."""
    with opened(browser) as watched:
        yield watched


@pytest.fixture
def phone(browser: Browser) -> Iterator[Watched]:
    """A page of phone size."""
    with opened(browser, viewport=PHONE, has_touch=True) as watched:
        yield watched


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server with an embedded store."""
    data: Path = tmp_path_factory.mktemp("pages")
    generous = {"SPECLOOP_RATE_USER_PER_MINUTE": "1000000", "SPECLOOP_REGISTRATIONS_PER_HOUR": "1000000"}
    with started_server(data, **generous) as url:
        yield url


@pytest.fixture
def tenant(server: str) -> Iterator[Tenant]:
    """A fresh owner."""
    with register(server, f"{secrets.token_hex(8)}@test.com") as made:
        yield made


def sign_in(page: Page, server: str, email: str) -> None:
    """Through the form, with the keyboard only."""
    page.goto(f"{server}/login")
    expect(page.get_by_label("E-mail")).to_be_focused()
    page.keyboard.type(email)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/app/w/"))


@pytest.fixture
def owner(server: str, tenant: Tenant, desktop: Watched) -> Iterator[Watched]:
    """The owner, signed in, on no page yet; nothing in the console may complain in the whole journey."""
    form: dict[str, str | float | bool] = {"email": tenant.email, "password": PASSWORD, "next": "/app"}
    answer = desktop.page.context.request.post(
        f"{server}/login", form=form, headers={"origin": server}, max_redirects=0
    )
    assert (answer.status, answer.headers["location"]) == (303, "/app"), answer.text()
    yield desktop
    assert desktop.complaints == []
