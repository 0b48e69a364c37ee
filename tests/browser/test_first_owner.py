"""The first start: the one-time link makes the owner, registration stays closed, forgotten passwords say nothing."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.conftest import PASSWORD, Watched
from tests.browser.test_pages import violations
from tests.server import started_server


def setup_token(data: Path) -> str:
    """The token in the link that the server printed."""
    found = re.search(r"token=(inv_\w+)", (data / "server.log").read_text())
    assert found is not None
    return found[1]


def test_the_one_time_link_makes_the_owner_and_then_no_more(tmp_path: Path, desktop: Watched) -> None:
    page = desktop.page
    with started_server(tmp_path, SPECLOOP_REGISTRATION="invite") as server:
        page.goto(f"{server}/app/register")
        expect(page.get_by_role("heading", name="Registration is by invitation here")).to_be_visible()
        desktop.complaints.clear()  # browsers log the 403 themselves
        link = f"{server}/app/setup?token={setup_token(tmp_path)}"
        page.goto(link)
        assert violations(page) == []
        page.get_by_label("Name of your team").fill("Acme")
        page.get_by_label("E-mail").fill("owner@test.com")
        page.get_by_label("Password").fill("short")
        page.get_by_label("Password").evaluate("field => field.removeAttribute('minlength')")
        page.get_by_role("button", name="Become the owner").click()
        expect(page.get_by_label("E-mail")).to_have_value("owner@test.com")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Become the owner").click()
        page.wait_for_url(re.compile(r"/app/w/"))
        page.goto(link)
        expect(page.get_by_role("heading", name="This link does not work any more")).to_be_visible()
        page.goto(f"{server}/app/reset-password")
        page.get_by_label("E-mail").fill("nobody@test.com")
        page.get_by_role("button", name="Send the link").click()
        expect(page.get_by_role("heading", name="Look into your inbox")).to_be_visible()
