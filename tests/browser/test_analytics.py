"""Analytics in a browser: parts that come later, periods in the address, tables behind charts, files."""

from __future__ import annotations

import csv
import re
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.browser.conftest import Watched, opened, sign_in
from tests.browser.test_pages import check_both_themes
from tests.interaction.tenant import Tenant
from tests.record.pages_traces.conftest import pages, send, trace_body

PATIENCE_MS = 30_000


def test_figures_of_agent_calls_come_by_themselves_and_as_a_file(server: str, tenant: Tenant, owner: Watched) -> None:
    send(tenant, trace_body("a run"), trace_body("failed run", status="error"))
    page = owner.page
    page.goto(f"{server}{pages(tenant)}/analytics")
    expect(page.get_by_role("heading", name="Tools called")).to_be_visible(timeout=PATIENCE_MS)
    page.get_by_role("link", name="7 days").click()
    page.wait_for_url(re.compile(r"/analytics\?days=7$"))
    expect(page.get_by_role("img", name=re.compile("Traces: 2 in 7 days"))).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_role("row", name=re.compile("search_orders"))).to_contain_text("50.0")
    page.get_by_text("Table", exact=True).click()
    expect(page.get_by_role("group", name="Agent calls by day, table")).to_be_visible()
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Tools called as CSV").click()
    rows = list(csv.DictReader(Path(waiting.value.path()).read_text().splitlines()))
    assert [(row["tool"], row["calls"], row["failed"]) for row in rows] == [("search_orders", "2", "1")]
    page.get_by_label("From").fill("2026-01-01")
    page.get_by_label("to", exact=True).fill("2026-01-31")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("No agent calls in this period")).to_be_visible(timeout=PATIENCE_MS)


def test_analytics_is_accessible_fits_a_phone_and_is_read_without_script(
    server: str, tenant: Tenant, browser: Browser
) -> None:
    send(tenant, trace_body("a run"))
    with opened(browser, viewport={"width": 390, "height": 844}) as watched:
        sign_in(watched.page, server, tenant.email)
        check_both_themes(watched.page, f"{server}{pages(tenant)}/analytics?wait=1")
        assert watched.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert watched.complaints == []
        cookies = watched.page.context.cookies()
    with opened(browser, java_script_enabled=False) as plain:
        plain.page.context.add_cookies(cookies)  # pyright: ignore[reportArgumentType] (what one context gives, another takes)
        plain.page.goto(f"{server}{pages(tenant)}/analytics?wait=1")
        expect(plain.page.get_by_text("search_orders").first).to_be_visible()
