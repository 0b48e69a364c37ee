"""Every page template: accessible in both themes, full and empty; safe with hostile names; fit for a phone."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.browser.conftest import Watched, opened
from tests.browser.preview import PAGES, SIGNED_OUT

CHART_BYTES = "() => [...document.querySelectorAll('.chart, .waterfall')].reduce((n, e) => n + e.outerHTML.length, 0)"
"""A page may weigh 150 KB before its charts."""


def violations(page: Page) -> list[str]:
    """What axe finds wrong with the page, one line for each rule and place."""
    outcome: Any = Axe()
    found: list[Any] = outcome.run(page).response["violations"]
    return [
        f"{rule['id']}: {node['target']} {node['any'][0]['message'] if node['any'] else rule['help']}"
        for rule in found
        for node in rule["nodes"]
    ]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_no_accessibility_violation_in_light_and_dark(name: str, preview: str, desktop: Watched) -> None:
    for variant in ("full", "empty"):
        for theme in ("light", "dark"):
            desktop.page.goto(f"{preview}/{variant}/{name}?theme={theme}&toast=Saved")
            found = violations(desktop.page)
            assert not found, f"{variant} {theme}: " + "\n".join(found)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_makes_no_complaint_and_asks_only_its_own_server(name: str, preview: str, desktop: Watched) -> None:
    asked: list[str] = []
    desktop.page.on("request", lambda request: asked.append(request.url))
    desktop.page.goto(f"{preview}/full/{name}")
    desktop.page.wait_for_selector("html.js")
    assert desktop.complaints == []
    assert [url for url in asked if not url.startswith((preview, "data:"))] == []


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


@pytest.mark.parametrize("name", sorted(PAGES.keys() - SIGNED_OUT))
def test_a_page_weighs_at_most_150_kb_on_the_wire(name: str, preview: str, browser: Browser) -> None:
    with opened(browser) as watched:
        sizes: list[int] = []
        watched.page.on("requestfinished", lambda request: sizes.append(request.sizes()["responseBodySize"]))
        watched.page.goto(f"{preview}/full/{name}", wait_until="load")
        charts: int = watched.page.evaluate(CHART_BYTES)
        assert sum(sizes) - charts <= 150_000
