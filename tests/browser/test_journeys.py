"""Journeys through the real program, as people make them: sign in, agents, keys, members, reviews."""

from __future__ import annotations

import re
import secrets

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PASSWORD, Watched, opened, sign_in
from tests.browser.samples import HOSTILE
from tests.browser.test_pages import violations
from tests.interaction.tenant import Tenant, register


def create_agent(page: Page, server: str, tenant: Tenant, name: str) -> str:
    """Through the form; returns the agent's address."""
    page.goto(f"{server}/app/w/{tenant.workspace_id}/agents/new")
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Create agent").click()
    page.wait_for_url(re.compile(r"/agents/[0-9a-f-]{36}$"))
    return page.url


def test_signing_in_works_by_keyboard_and_shows_the_first_steps(server: str, tenant: Tenant, desktop: Watched) -> None:
    sign_in(desktop.page, server, tenant.email)
    expect(desktop.page.get_by_role("heading", name="Home")).to_be_visible()
    expect(desktop.page.get_by_text("Four steps to the first proved change")).to_be_visible()
    assert desktop.complaints == []


def test_a_wrong_password_keeps_the_address_and_says_what_is_wrong(
    server: str, tenant: Tenant, desktop: Watched
) -> None:
    page = desktop.page
    page.goto(f"{server}/login?next=/app/account")
    page.get_by_label("E-mail").fill(tenant.email)
    page.get_by_label("Password").fill("wrong-password")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("wrong")
    expect(page.get_by_label("E-mail")).to_have_value(tenant.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/app/account")


def test_registering_on_the_page_makes_an_account_and_signs_in(server: str, desktop: Watched) -> None:
    page = desktop.page
    page.goto(f"{server}/login")
    page.get_by_role("link", name="Create an account").click()
    page.get_by_label("Name of your team").fill("Acme")
    page.get_by_label("E-mail").fill(f"{secrets.token_hex(6)}@test.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    page.wait_for_url(re.compile(r"/app/w/"))
    assert desktop.complaints == []


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_signing_in_never_leads_to_another_site(target: str, server: str, tenant: Tenant, desktop: Watched) -> None:
    desktop.page.goto(f"{server}/login?next={target}")
    desktop.page.get_by_label("E-mail").fill(tenant.email)
    desktop.page.get_by_label("Password").fill(PASSWORD)
    desktop.page.get_by_role("button", name="Sign in").click()
    desktop.page.wait_for_url(re.compile(r"/app/w/"))
    assert desktop.page.url.startswith(server)


def test_pages_send_strangers_to_sign_in_and_back(server: str, tenant: Tenant, desktop: Watched) -> None:
    wanted = f"{server}/app/w/{tenant.workspace_id}/agents?status=active"
    desktop.page.goto(wanted)
    assert "/login?next=" in desktop.page.url
    desktop.page.get_by_label("E-mail").fill(tenant.email)
    desktop.page.get_by_label("Password").fill(PASSWORD)
    desktop.page.get_by_role("button", name="Sign in").click()
    desktop.page.wait_for_url(wanted)


def test_tabs_that_wake_up_together_renew_one_session(server: str, owner: Watched) -> None:
    owner.page.goto(f"{server}/app")
    context = owner.page.context
    others = [context.new_page() for _ in range(3)]
    context.clear_cookies(name="specloop_access")
    for page in (owner.page, *others):
        page.evaluate("window.name = 'asleep'")
    for page in others:
        page.goto(f"{server}/app/account", wait_until="commit")
    for page in others:
        expect(page.get_by_role("heading", name="Profile and password")).to_be_visible()
    owner.page.goto(f"{server}/app/account")
    expect(owner.page.get_by_role("heading", name="Profile and password")).to_be_visible()


def test_signing_out_ends_the_session(server: str, owner: Watched) -> None:
    owner.page.goto(f"{server}/app")
    owner.page.get_by_role("button", name="Account:").click()
    owner.page.get_by_role("button", name="Sign out").click()
    expect(owner.page.get_by_text("You are signed out.")).to_be_visible()
    owner.page.goto(f"{server}/app/account")
    assert "/login" in owner.page.url


def test_an_agent_is_made_edited_compared_promoted_and_run(server: str, tenant: Tenant, owner: Watched) -> None:
    page = owner.page
    address = create_agent(page, server, tenant, "Film router")
    page.get_by_role("link", name="Edit").click()
    config = page.get_by_label("Configuration")
    config.fill(config.input_value().replace("0.3", "0.25"))
    page.get_by_label("Note").fill("Lower the threshold")
    page.get_by_role("button", name="Save as a new version").click()
    expect(page.get_by_role("heading", name="v1 → v2")).to_be_visible()
    expect(page.get_by_text("/params/threshold", exact=True)).to_be_visible()
    page.get_by_role("button", name="Promote v2").click()
    page.get_by_role("button", name="Promote", exact=True).click()
    expect(page.get_by_text("Version 2 is served now.")).to_be_visible()
    page.goto(f"{address}/run")
    page.get_by_role("button", name="Run once").click()
    expect(page.get_by_role("heading", name="Answer")).to_be_visible()


def test_a_bad_configuration_is_kept_in_the_form_and_explained(server: str, tenant: Tenant, owner: Watched) -> None:
    page = owner.page
    page.goto(f"{server}/app/w/{tenant.workspace_id}/agents/new")
    page.get_by_label("Name").fill("Broken")
    page.get_by_label("Configuration").fill("{not json")
    page.get_by_role("button", name="Create agent").click()
    expect(page.get_by_text("this is not JSON")).to_be_visible()
    expect(page.get_by_label("Configuration")).to_have_value("{not json")
    owner.complaints.clear()  # browsers log the 422 of a form themselves


def test_a_key_is_shown_once_works_and_ends_after_its_name_was_typed(
    server: str, tenant: Tenant, owner: Watched
) -> None:
    page = owner.page
    page.goto(f"{server}/app/w/{tenant.workspace_id}/keys")
    page.get_by_label("Name").fill("checkout")
    page.get_by_role("button", name="Create key").click()
    secret = page.locator(".secret code").inner_text()
    agents = f"{server}/api/v1/workspaces/{tenant.workspace_id}/agents"
    headers = {"Authorization": f"Bearer {secret}"}
    assert httpx.get(agents, headers=headers, timeout=60).status_code == 200
    page.goto(f"{server}/app/w/{tenant.workspace_id}/keys")
    assert secret not in page.content()
    page.get_by_role("button", name="Revoke").first.click()
    page.get_by_label("Type checkout to go on").fill("checkout")
    page.get_by_role("button", name="Revoke key").click()
    expect(page.get_by_text("Key revoked.")).to_be_visible()
    assert httpx.get(agents, headers=headers, timeout=60).status_code == 401


def test_an_invited_colleague_joins_and_sees_only_what_the_role_allows(
    server: str, tenant: Tenant, owner: Watched, browser: Browser
) -> None:
    email = f"{secrets.token_hex(6)}@test.com"
    page = owner.page
    page.goto(f"{server}/app/w/{tenant.workspace_id}/members")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Role in Default").select_option("observer")
    page.get_by_role("button", name="Invite", exact=True).click()
    link = page.locator(".secret code").inner_text()
    with opened(browser) as guest:
        guest.page.goto(link)
        guest.page.get_by_label("Choose a password").fill(PASSWORD)
        guest.page.get_by_role("button", name=re.compile("^Join")).click()
        guest.page.wait_for_url(re.compile(r"/app/w/"))
        expect(guest.page.get_by_role("link", name="Agents")).to_be_visible()
        expect(guest.page.get_by_role("link", name="API keys")).to_have_count(0)
        guest.page.goto(f"{server}/app/w/{tenant.workspace_id}/keys")
        expect(guest.page.get_by_role("heading", name="You may not do this")).to_be_visible()
    page.reload()
    expect(page.get_by_text(email).first).to_be_visible()


def test_a_form_without_its_token_changes_nothing(server: str, tenant: Tenant, owner: Watched) -> None:
    answer = owner.page.request.post(
        f"{server}/app/w/{tenant.workspace_id}/keys", form={"name": "forged"}, headers={"Origin": server}
    )
    assert answer.status == 403
    owner.page.goto(f"{server}/app/w/{tenant.workspace_id}/keys")
    expect(owner.page.get_by_text("forged")).to_have_count(0)


def test_another_account_sees_no_page_of_this_one(server: str, tenant: Tenant, browser: Browser) -> None:
    with register(server, f"{secrets.token_hex(8)}@test.com") as stranger, opened(browser) as watched:
        sign_in(watched.page, server, stranger.email)
        for path in ("", "/agents", "/keys", "/traces", "/scans", "/changesets", "/settings", "/members"):
            answer = watched.page.goto(f"{server}/app/w/{tenant.workspace_id}{path}")
            assert answer is not None
            assert answer.status == 404, path


def test_a_hostile_agent_name_is_text_everywhere(server: str, tenant: Tenant, owner: Watched) -> None:
    name = HOSTILE[:90]
    address = create_agent(owner.page, server, tenant, name)
    base = f"{server}/app/w/{tenant.workspace_id}"
    for path in (address, f"{address}/versions", f"{base}/agents", f"{base}/scans/new", base, f"{base}/traces"):
        owner.page.goto(path)
        assert owner.page.evaluate("window.hacked") is None


def test_a_proposal_is_reviewed_and_rejected_with_a_reason(server: str, tenant: Tenant, owner: Watched) -> None:
    address = create_agent(owner.page, server, tenant, "Film router")
    agent_id = address.rsplit("/", 1)[1]
    edits = [{"agent_id": agent_id, "pointer": "/params/threshold", "after": 0.2, "rationale": "Too many missed calls"}]
    made = tenant.client.post(f"{tenant.path}/changesets", json={"title": "Lower the threshold", "edits": edits})
    assert made.status_code == 201, made.text
    page = owner.page
    page.goto(f"{server}/app/w/{tenant.workspace_id}")
    page.get_by_role("link", name="Review: Lower the threshold").click()
    expect(page.get_by_text("Too many missed calls")).to_be_visible()
    assert violations(page) == []
    page.get_by_text("Reject instead").click()
    page.get_by_role("textbox", name="Reason", exact=True).fill("The threshold is not the problem")
    page.get_by_role("button", name="Reject").click()
    expect(page.get_by_text("Rejected.")).to_be_visible()


def test_a_new_workspace_has_its_own_pages(server: str, owner: Watched) -> None:
    page = owner.page
    page.goto(f"{server}/app/workspaces")
    page.get_by_label("Name").fill("Sandbox")
    page.get_by_role("button", name="Create workspace").click()
    expect(page.get_by_role("button", name="Workspace: Sandbox")).to_be_visible()
    page.goto(f"{page.url}/settings")
    page.get_by_label("Recommend").check()
    page.get_by_role("button", name="Save autonomy").click()
    expect(page.get_by_label("Recommend")).to_be_checked()


def test_the_theme_is_kept_without_script(server: str, tenant: Tenant, browser: Browser) -> None:
    with opened(browser, java_script_enabled=False) as watched:
        sign_in(watched.page, server, tenant.email)
        watched.page.get_by_role("button", name="Account:").click()
        watched.page.get_by_role("button", name="Dark").click()
        assert watched.page.locator("html").get_attribute("data-theme") == "dark"


def test_the_real_pages_are_accessible_and_quiet_in_a_new_workspace(
    server: str, tenant: Tenant, owner: Watched
) -> None:
    for name in (
        "",
        "agents",
        "agents/new",
        "traces",
        "scans",
        "scans/new",
        "changesets",
        "keys",
        "members",
        "settings",
    ):
        owner.page.goto(f"{server}/app/w/{tenant.workspace_id}/{name}".rstrip("/"))
        assert violations(owner.page) == [], name
        assert owner.complaints == [], name


def test_the_pages_of_the_account_are_accessible_and_quiet(server: str, owner: Watched) -> None:
    for path in ("/app/workspaces", "/app/account", "/app/account/sessions", "/app/account/audit"):
        owner.page.goto(f"{server}{path}")
        assert violations(owner.page) == [], path
        assert owner.complaints == [], path


def test_an_unknown_page_explains_itself(server: str, owner: Watched) -> None:
    answer = owner.page.goto(f"{server}/app/nothing-here")
    assert answer is not None
    assert answer.status == 404
    expect(owner.page.get_by_role("heading", name="There is nothing here")).to_be_visible()
    assert violations(owner.page) == []
    owner.complaints.clear()  # browsers log a 404 themselves
