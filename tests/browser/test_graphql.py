"""The page on which GraphQL queries are written: keyboard, mistakes, what it keeps, reading without a script."""

from __future__ import annotations

import re

import httpx
from playwright.sync_api import Browser, expect

from tests.browser.conftest import PASSWORD, PHONE, Watched, opened, sign_in
from tests.browser.test_pages import check_here
from tests.interaction.tenant import Tenant

PATH = "/api/v1/graphql"


def test_a_visitor_signs_in_first_and_comes_back(server: str, tenant: Tenant, desktop: Watched) -> None:
    page = desktop.page
    page.goto(server + PATH)
    page.wait_for_url(re.compile(r"/login\?next=%2Fapi%2Fv1%2Fgraphql$"))
    page.get_by_label("E-mail").fill(tenant.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(server + PATH)
    expect(page.get_by_role("heading", name="GraphQL")).to_be_visible()
    assert desktop.complaints == []


def test_a_query_runs_by_keyboard_and_is_kept(server: str, owner: Watched) -> None:
    page = owner.page
    page.goto(server + PATH)
    page.get_by_label("Query", exact=True).fill("query Mine($n: Int) { sessions(limit: $n) { total } }")
    page.get_by_label("Variables").fill('{"n": 3}')
    page.keyboard.press("Control+Enter")
    answer = page.get_by_role("region", name="Answer as JSON")
    expect(answer).to_contain_text('"total": 0')
    expect(page.get_by_role("status").filter(has_text="200,")).to_be_visible()
    page.reload()
    expect(page.get_by_label("Variables")).to_have_value('{"n": 3}')
    page.get_by_text("Earlier queries").click()
    expect(page.get_by_role("button", name="query Mine($n: Int) { sessions(limit: $n) { total } }")).to_be_visible()
    page.get_by_role("button", name="Forget them").click()
    expect(page.get_by_text("None yet.")).to_be_visible()


def test_mistakes_are_said_where_they_are(server: str, owner: Watched) -> None:
    page = owner.page
    page.goto(server + PATH)
    page.get_by_label("Variables").fill("{")
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("This is no JSON")
    expect(page.get_by_label("Variables")).to_be_focused()


def test_the_schema_is_found_by_word_and_by_link(server: str, owner: Watched) -> None:
    page = owner.page
    page.goto(server + PATH)
    page.get_by_label("Find a type or field").fill("similarity")
    expect(page.locator("#type-RelatedSession")).to_have_attribute("open", "")
    expect(page.locator("#type-Exchange")).to_be_hidden()
    page.get_by_label("Find a type or field").fill("")
    page.locator("#type-Query summary").click()
    page.locator("#type-Query").get_by_role("link", name="Stats!", exact=True).click()
    expect(page.locator("#type-Stats")).to_have_attribute("open", "")


def test_the_page_is_accessible(server: str, owner: Watched) -> None:
    page = owner.page
    page.goto(server + PATH)
    for summary in page.locator(".graphql-type summary").all()[1:4]:
        summary.click()
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_role("region", name="Answer as JSON")).to_contain_text('"sessions"')
    check_here(page)


def test_on_a_phone_nothing_is_wider_than_the_screen(server: str, tenant: Tenant, browser: Browser) -> None:
    with opened(browser, viewport=PHONE) as watched:
        sign_in(watched.page, server, tenant.email)
        watched.page.goto(server + PATH)
        assert watched.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_without_a_script_the_form_and_the_schema_still_serve(server: str, tenant: Tenant) -> None:
    headers = {"Authorization": f"Bearer {tenant.token}", "Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    page = httpx.get(server + PATH, headers=headers, timeout=60)
    assert page.status_code == 200
    assert "searchSessions" in page.text
    assert "<script>" not in page.text
    answer = httpx.get(
        server + PATH, params={"query": "{ projects { id } }", "variables": ""}, headers=headers, timeout=60
    )
    assert answer.json() == {"data": {"projects": []}}
