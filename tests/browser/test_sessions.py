"""Recorded sessions in a browser: accessible in both themes, by keyboard, on a phone, growing while one reads."""

from __future__ import annotations

import re
import uuid

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PHONE, Watched, opened, sign_in
from tests.browser.test_pages import check_both_themes, check_here
from tests.interaction.tenant import Tenant
from tests.record.pages.recordings import PROJECT, SESSION, record

LONG = [f"Question number {number} about zebra{number}" for number in range(1, 61)]
FOLLOWED_MS_MAX = 20_000


def at_top(page: Page) -> str:
    """The exchange at the top of the window."""
    return page.evaluate(
        """() => [...document.querySelectorAll('[data-exchange]')]
             .findLast(one => one.getBoundingClientRect().top < 100)?.id ?? ''"""
    )


def test_pages_of_sessions_are_accessible_when_empty(server: str, tenant: Tenant, owner: Watched) -> None:
    base = f"{server}/app/w/{tenant.workspace_id}"
    for address in (f"{base}/sessions", f"{base}/projects", f"{server}/resume", f"{server}/skills"):
        check_both_themes(owner.page, address)


def test_pages_of_sessions_are_accessible_when_full(server: str, tenant: Tenant, owner: Watched) -> None:
    address = record(tenant, ("Teach the parser brackets", "Now the tests"))
    record(tenant, session=str(uuid.uuid4()), agentName="Codex CLI", llmModels=["gpt-5"])
    base = f"{server}/app/w/{tenant.workspace_id}"
    for path in (
        f"{base}/sessions",
        f"{base}/sessions?q=parser",
        f"{base}/sessions?q=nothing+here",
        f"{base}/projects",
    ):
        check_both_themes(owner.page, path)
    for path in (
        address,
        f"{address}?from=2",
        f"{address}/items/1-6",
        f"{address}/preview",
        f"/projects/{PROJECT}",
        "/resume",
    ):
        check_both_themes(owner.page, server + path)


def test_everything_unfolded_is_accessible_too(server: str, tenant: Tenant, owner: Watched) -> None:
    page = owner.page
    page.goto(server + record(tenant))
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
    expect(page.get_by_text("line 399").first).to_be_visible()
    check_here(page)


def test_searching_as_one_types_keeps_the_address_and_the_focus(server: str, tenant: Tenant, owner: Watched) -> None:
    record(tenant, ("Teach the parser brackets", "Now measure the zeppelin"))
    record(tenant, ("Something else",), session=str(uuid.uuid4()), title="Other work")
    page = owner.page
    page.goto(f"{server}/app/w/{tenant.workspace_id}/sessions")
    page.keyboard.press("/")
    page.keyboard.type("zeppelin", delay=20)
    expect(page.locator("mark")).to_have_text("zeppelin")
    expect(page).to_have_url(re.compile(r"/sessions\?q=zeppelin$"))
    expect(page.get_by_label("Search sessions")).to_be_focused()
    page.keyboard.press("Tab")
    page.get_by_role("link", name="2", exact=False).first.wait_for()
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/sessions/[^/]+\?from=2#e2$"))


def test_a_facet_narrows_without_leaving_and_back_undoes_it(server: str, tenant: Tenant, owner: Watched) -> None:
    record(tenant, title="Claude's work")
    record(tenant, session=str(uuid.uuid4()), title="Codex's work", agentName="Codex CLI")
    page = owner.page
    page.goto(f"{server}/app/w/{tenant.workspace_id}/sessions")
    page.get_by_role("link", name=re.compile("^Codex CLI")).click()
    expect(page.get_by_role("link", name="Claude's work")).to_have_count(0)
    expect(page).to_have_url(re.compile(r"\?agent=Codex\+CLI$"))
    page.go_back()
    expect(page.get_by_role("link", name="Claude's work")).to_be_visible()
    page.goto(f"{server}/app/w/{tenant.workspace_id}/sessions?agent=Codex+CLI")
    page.get_by_role("link", name="Clear").click()
    expect(page.get_by_role("link", name="Claude's work")).to_be_visible()


def test_j_and_k_move_between_exchanges(server: str, tenant: Tenant, owner: Watched) -> None:
    page = owner.page
    page.goto(server + record(tenant, LONG[:8]))
    for wanted in ("e1", "e2", "e3"):
        page.keyboard.press("j")
        expect(page.locator(f"#{wanted}")).to_be_focused()
    assert at_top(page) == "e3"
    page.keyboard.press("k")
    expect(page.locator("#e2")).to_be_focused()
    expect(page.locator("#outline [aria-current]")).to_have_attribute("data-to", "e2")


def test_scrolling_brings_the_rest_of_a_long_session(server: str, tenant: Tenant, owner: Watched) -> None:
    page = owner.page
    page.goto(server + record(tenant, LONG))
    assert page.locator("[data-exchange]").count() < len(LONG)
    while page.locator(".next-piece").count():
        last = page.locator("[data-exchange]").last
        last.scroll_into_view_if_needed()
        following = int((last.get_attribute("id") or "e0")[1:]) + 1
        expect(page.locator(f"#e{following}")).to_be_attached()
    expect(page.locator("[data-exchange]")).to_have_count(len(LONG))
    ids: list[str] = page.evaluate("[...document.querySelectorAll('[data-exchange]')].map(one => one.id)")
    assert ids == [f"e{number}" for number in range(1, len(LONG) + 1)]


@pytest.mark.parametrize("link", ["#e55", "?from=55#e55", "?from=55"])
def test_a_link_to_a_late_exchange_opens_there(link: str, server: str, tenant: Tenant, owner: Watched) -> None:
    page = owner.page
    page.goto(server + record(tenant, LONG) + link)
    expect(page.locator("#e55")).to_be_in_viewport()
    expect(page.locator("#e55")).to_contain_text("zebra55")


def test_an_outline_link_jumps_within_the_page_and_beyond_it(server: str, tenant: Tenant, owner: Watched) -> None:
    page = owner.page
    page.goto(server + record(tenant, LONG))
    for number in (3, 58):
        page.locator(f"#outline a[data-to=e{number}]").click()
        expect(page.locator(f"#e{number}")).to_be_in_viewport()
        expect(page).to_have_url(re.compile(rf"\?from={number}#e{number}$"))


def test_the_link_of_an_exchange_is_copied_whole(server: str, tenant: Tenant, browser: Browser) -> None:
    address = record(tenant)
    with opened(browser, permissions=["clipboard-read", "clipboard-write"]) as watched:
        sign_in(watched.page, server, tenant.email)
        watched.page.goto(server + address)
        watched.page.get_by_role("button", name="Copy the link to exchange 2").click()
        watched.page.wait_for_selector(".copy.copied")
        copied: str = watched.page.evaluate("navigator.clipboard.readText()")
        assert copied == f"{server}{address}?from=2#e2"


def test_an_open_session_grows_and_stays_unfolded(server: str, tenant: Tenant, owner: Watched) -> None:
    page = owner.page
    page.goto(server + record(tenant))
    page.locator("details.tool-call", has_text="Bash").first.evaluate("one => { one.open = true }")
    record(tenant, ("Teach the parser brackets", "Now the tests", "And a third thing"))
    expect(page.locator("#e3")).to_be_visible(timeout=FOLLOWED_MS_MAX)
    expect(page.locator("#outline a")).to_have_count(3)
    assert page.locator("details.tool-call", has_text="Bash").first.get_attribute("open") is not None


def test_an_open_list_shows_a_session_that_arrives(server: str, tenant: Tenant, owner: Watched) -> None:
    page = owner.page
    page.goto(f"{server}/app/w/{tenant.workspace_id}/sessions")
    expect(page.get_by_text("No sessions recorded yet")).to_be_visible()
    record(tenant)
    expect(page.get_by_role("link", name="Brackets in the parser")).to_be_visible(timeout=FOLLOWED_MS_MAX)


def test_a_session_is_shared_previewed_hidden_and_taken_back(
    server: str, tenant: Tenant, owner: Watched, browser: Browser
) -> None:
    page = owner.page
    page.goto(server + record(tenant, ("The secret recipe", "The public part")))
    page.get_by_role("button", name="Edit exchange 1").click()
    page.get_by_label("Hide this exchange").first.check()
    page.get_by_role("dialog").get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("hidden from viewers", exact=True)).to_be_visible()
    page.get_by_role("button", name="Share").click()
    page.get_by_role("link", name="Preview as viewer").click()
    expect(page.get_by_text("the session is private")).to_be_visible()
    expect(page.get_by_text("The secret recipe")).to_have_count(0)
    page.get_by_role("link", name="Back to the session").click()
    page.get_by_role("button", name="Share").click()
    page.get_by_role("button", name="Make a link").click()
    with opened(browser) as viewer:
        viewer.page.goto(f"{server}/share/{SESSION}")
        expect(viewer.page.get_by_text("The public part").first).to_be_visible()
        expect(viewer.page.get_by_text("The secret recipe")).to_have_count(0)
        check_here(viewer.page)
        assert viewer.complaints == []
    page.get_by_role("button", name="Share").click()
    page.get_by_role("button", name="Stop sharing").click()
    expect(page.get_by_text("Private again")).to_be_visible()


def test_a_session_is_deleted_after_typing(server: str, tenant: Tenant, owner: Watched) -> None:
    page = owner.page
    page.goto(server + record(tenant))
    page.get_by_role("button", name="Rename or delete").click()
    page.get_by_role("button", name="Delete session").click()
    page.get_by_label("Type delete to go on").fill("delete")
    page.get_by_role("button", name="Delete for good").click()
    expect(page.get_by_text("No sessions recorded yet")).to_be_visible()


def test_a_project_gets_its_icon_by_keyboard_and_pointer(server: str, tenant: Tenant, owner: Watched) -> None:
    record(tenant)
    page = owner.page
    page.goto(f"{server}/projects/{PROJECT}")
    page.get_by_label("Rocket").check()
    page.get_by_label("rose").check()
    page.get_by_label("Name").fill("Parser")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1, name="Parser")).to_be_visible()
    expect(page.get_by_label("Rocket")).to_be_checked()


def test_the_palette_opens_a_session_at_what_was_said(server: str, tenant: Tenant, owner: Watched) -> None:
    record(tenant, ("Teach the parser brackets", "Now measure the zeppelin"))
    page = owner.page
    page.goto(f"{server}/app/w/{tenant.workspace_id}")
    page.keyboard.press("Control+k")
    page.keyboard.type("zeppelin")
    page.get_by_role("option", name="Brackets in the parser").click()
    page.wait_for_url(re.compile(r"\?from=2#e2$"))


def test_a_session_is_read_without_script(server: str, tenant: Tenant, browser: Browser) -> None:
    address = record(tenant, LONG)
    with opened(browser, java_script_enabled=False) as watched:
        sign_in(watched.page, server, tenant.email)
        page = watched.page
        page.goto(server + address)
        page.get_by_role("link", name="Continue reading").click()
        assert page.locator(".exchange").count() > 0
        page.locator("#outline a[data-to=e50]").click()
        expect(page.locator("#e50")).to_contain_text("zebra50")
        page.locator("details.tool-call:has(.unfolded) summary").first.click()
        page.get_by_role("link", name=re.compile("^Show .* characters$")).first.click()
        expect(page.get_by_text("line 399")).to_be_visible()
        page.goto(f"{server}/app/w/{tenant.workspace_id}/sessions")
        page.get_by_label("Search sessions").fill("zebra41")
        page.get_by_role("button", name="Search", exact=True).click()
        expect(page.locator("mark")).to_have_text("zebra41")


def test_no_page_of_sessions_scrolls_sideways_on_a_phone(server: str, tenant: Tenant, browser: Browser) -> None:
    address = record(tenant)
    base = f"/app/w/{tenant.workspace_id}"
    with opened(browser, viewport=PHONE, has_touch=True) as watched:
        sign_in(watched.page, server, tenant.email)
        reader = [address, f"{address}/items/1-6", f"{address}/preview", f"/projects/{PROJECT}"]
        for path in (*reader, f"{base}/sessions?q=parser", f"{base}/projects", "/resume", "/skills"):
            watched.page.goto(server + path)
            watched.page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
            assert watched.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        assert watched.complaints == []
