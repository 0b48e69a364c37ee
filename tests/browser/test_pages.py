"""Every page template: accessible in both themes, full and empty; safe with hostile names; fit for a phone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Page

from tests.browser.conftest import Watched, fresh, opened
from tests.browser.preview import PAGES, SIGNED_OUT

CHART_BYTES = "() => [...document.querySelectorAll('.chart, .waterfall')].reduce((n, e) => n + e.outerHTML.length, 0)"
"""A page may weigh 150 KB before its charts."""
COLOUR_RULES = ("color-contrast", "link-in-text-block")
"""A theme changes colours only, so the rules that look at no colour find the same in both."""


def violations(page: Page, rules: Sequence[str] = ()) -> list[str]:
    """What axe finds wrong with the page, by these rules or by all; one line for each rule and place."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    chosen = {"runOnly": rules} if rules else {}
    options = {"resultTypes": ["violations"], **chosen}
    found: list[Any] = page.evaluate("options => axe.run(options).then(outcome => outcome.violations)", options)
    return [
        f"{rule['id']}: {node['target']} {node['any'][0]['message'] if node['any'] else rule['help']}"
        for rule in found
        for node in rule["nodes"]
    ]


def check_both_themes(page: Page, address: str) -> None:
    """No rule of accessibility is broken by the page at this address in light or dark."""
    page.goto(address)
    check_here(page)


def check_here(page: Page) -> None:
    """No rule of accessibility is broken in light, and none of those that look at colours in dark."""
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    found = violations(page)
    assert not found, f"light {page.url}: " + "\n".join(found)
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    found = violations(page, COLOUR_RULES)
    assert not found, f"dark {page.url}: " + "\n".join(found)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_no_accessibility_violation_in_light_and_dark(name: str, preview: str, desktop: Watched) -> None:
    for variant in ("full", "empty"):
        check_both_themes(desktop.page, f"{preview}/{variant}/{name}?toast=Saved")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_makes_no_complaint_asks_only_its_own_server_and_weighs_at_most_150_kb(
    name: str, preview: str, browser: Browser
) -> None:
    with fresh(browser) as watched:
        asked: list[str] = []
        sizes: list[int] = []
        watched.page.on("request", lambda request: asked.append(request.url))
        watched.page.on("requestfinished", lambda request: sizes.append(request.sizes()["responseBodySize"]))
        watched.page.goto(f"{preview}/full/{name}", wait_until="load")
        watched.page.wait_for_selector("html.js")
        charts: int = watched.page.evaluate(CHART_BYTES)
        assert watched.complaints == []
        assert [url for url in asked if not url.startswith((preview, "data:"))] == []
        assert name in SIGNED_OUT or 0 < sum(sizes) - charts <= 150_000


@pytest.mark.parametrize("name", PAGES)
def test_hostile_names_are_shown_and_never_run(name: str, preview: str, desktop: Watched) -> None:
    desktop.page.goto(f"{preview}/hostile/{name}")
    desktop.page.wait_for_selector("html.js")
    assert desktop.page.evaluate("window.hacked") is None
    assert desktop.complaints == []
    if name not in SIGNED_OUT:
        assert "<script>window.hacked=1</script>" in desktop.page.inner_text("body")


@pytest.mark.parametrize("name", PAGES)
def test_a_phone_never_scrolls_sideways(name: str, preview: str, phone: Watched) -> None:
    for variant in ("full", "hostile"):
        phone.page.goto(f"{preview}/{variant}/{name}")
        wide: list[str] = phone.page.evaluate(
            """() => document.documentElement.scrollWidth <= innerWidth ? [] :
               [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1)
               .map(e => e.tagName + '.' + e.getAttribute('class')).slice(0, 8)"""
        )
        assert wide == [], variant


@pytest.mark.parametrize("name", PAGES)
def test_a_page_can_be_read_without_script(name: str, preview: str, browser: Browser) -> None:
    with opened(browser, java_script_enabled=False) as watched:
        watched.page.goto(f"{preview}/full/{name}")
        assert watched.page.locator("h1").first.is_visible()
        assert watched.page.locator("main").first.is_visible()
