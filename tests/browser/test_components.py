"""The small behaviours: palette, theme, menus, copying, confirmations, by keyboard and touch."""

from __future__ import annotations

from playwright.sync_api import Browser, expect

from tests.browser.conftest import Watched, opened


def test_the_palette_opens_by_keyboard_filters_and_follows_the_choice(preview: str, desktop: Watched) -> None:
    desktop.page.goto(f"{preview}/full/home")
    desktop.page.wait_for_selector("html.js")
    desktop.page.keyboard.press("Control+k")
    desktop.page.keyboard.type("audit password")
    expect(desktop.page.get_by_text("Nothing found")).to_be_visible()
    desktop.page.locator("#palette input").fill("members")
    choice = desktop.page.locator("#palette [aria-selected=true]")
    expect(choice).to_have_text("MembersWorkspace")
    desktop.page.keyboard.press("Enter")
    desktop.page.wait_for_url("**/members")


def test_the_palette_finds_objects_on_the_server(preview: str, desktop: Watched) -> None:
    desktop.page.goto(f"{preview}/full/home")
    desktop.page.wait_for_selector("html.js")
    desktop.page.keyboard.press("Control+k")
    desktop.page.keyboard.type("refund")
    expect(desktop.page.locator("#palette [aria-selected=true]")).to_contain_text("Refund triage")
    desktop.page.keyboard.press("Escape")
    expect(desktop.page.locator("#palette")).to_be_hidden()


def test_the_theme_changes_at_once_and_is_kept(preview: str, desktop: Watched) -> None:
    desktop.page.goto(f"{preview}/full/home")
    desktop.page.wait_for_selector("html.js")
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    before = desktop.page.evaluate(ground)
    desktop.page.get_by_role("button", name="Account:").click()
    desktop.page.get_by_role("button", name="Dark").click()
    assert desktop.page.evaluate(ground) != before
    cookies = {cookie.get("name"): cookie.get("value") for cookie in desktop.page.context.cookies()}
    assert cookies["specloop_theme"] == "dark"


def test_without_a_choice_the_theme_follows_the_system(preview: str, browser: Browser) -> None:
    grounds: set[str] = set()
    for scheme in ("light", "dark"):
        with opened(browser, color_scheme=scheme) as watched:
            watched.page.goto(f"{preview}/full/home")
            grounds.add(watched.page.evaluate("getComputedStyle(document.documentElement).backgroundColor"))
    assert len(grounds) == 2


def test_copying_puts_the_secret_on_the_clipboard(preview: str, browser: Browser) -> None:
    with opened(browser, permissions=["clipboard-read", "clipboard-write"]) as watched:
        watched.page.goto(f"{preview}/full/keys")
        watched.page.wait_for_selector("html.js")
        watched.page.get_by_role("button", name="Copy", exact=True).click()
        expect(watched.page.get_by_role("button", name="Copied")).to_be_visible()
        copied = watched.page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("sk_live_")


def test_a_typed_confirmation_refuses_another_name(preview: str, desktop: Watched) -> None:
    desktop.page.goto(f"{preview}/full/keys")
    desktop.page.wait_for_selector("html.js")
    desktop.page.get_by_role("button", name="Revoke").first.click()
    dialog = desktop.page.get_by_role("dialog", name="Revoke “checkout, production”?")
    field = dialog.get_by_role("textbox")
    field.fill("checkout")
    assert field.evaluate("field => field.checkValidity()") is False
    field.fill("checkout, production")
    assert field.evaluate("field => field.checkValidity()") is True


def test_confirmations_open_without_script(preview: str, browser: Browser) -> None:
    with opened(browser, java_script_enabled=False) as watched:
        watched.page.goto(f"{preview}/full/keys")
        watched.page.get_by_role("button", name="Rotate").first.click()
        expect(watched.page.get_by_role("button", name="Rotate key").first).to_be_visible()


def test_the_menu_folds_away_on_a_phone(preview: str, phone: Watched) -> None:
    phone.page.goto(f"{preview}/full/home")
    expect(phone.page.get_by_role("link", name="Members")).to_be_hidden()
    phone.page.get_by_role("button", name="Menu").click()
    expect(phone.page.get_by_role("link", name="Members")).to_be_visible()
    phone.page.keyboard.press("Escape")
    expect(phone.page.get_by_role("link", name="Members")).to_be_hidden()


def test_the_first_tab_stop_skips_to_the_content(preview: str, desktop: Watched) -> None:
    desktop.page.goto(f"{preview}/full/agents")
    desktop.page.keyboard.press("Tab")
    expect(desktop.page.get_by_role("link", name="Skip to content")).to_be_focused()
    desktop.page.keyboard.press("Enter")
    expect(desktop.page.locator("main")).to_be_focused()


def test_choosing_a_span_changes_only_its_side_of_the_page(preview: str, desktop: Watched) -> None:
    desktop.page.goto(f"{preview}/full/trace")
    expect(desktop.page.locator("#span")).to_contain_text("timeout after 30 s")
    expect(desktop.page.locator(".waterfall a[aria-current='true']")).to_have_count(1)


def test_motion_stops_for_those_who_asked_for_calm(preview: str, browser: Browser) -> None:
    with opened(browser, reduced_motion="reduce") as watched:
        watched.page.goto(f"{preview}/full/scan-live")
        seconds = watched.page.evaluate(
            "parseFloat(getComputedStyle(document.querySelector('.phases .now'), '::before').animationDuration)"
        )
    assert seconds < 0.001
