"""A scan through the pages of the real program: started by the form, watched live, reviewed, accepted, rolled back."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import expect

from specloop.testing.datasets.bfcl import baseline_config, load_b1
from tests.browser.conftest import Watched
from tests.browser.test_pages import violations
from tests.interaction.tenant import Tenant

SCAN_MS_MAX = 240_000


def prepare(tenant: Tenant) -> None:
    """A router with every third task of B1, divided, and what counts as better; through the API, as its users do."""
    tenant.post(
        "/agents",
        {
            "name": "Tool router",
            "runtime": {"kind": "embedded", "name": "tool-router"},
            "config": baseline_config(),
        },
    )
    judge: dict[str, Any] = {"kind": "code", "ref": "tool_call"}
    dimension = {"key": "right_tool", "name": "Right tool", "weight": 1, "judge": judge}
    rubric = tenant.post("/evaluations/rubrics", {"name": "Tool choice", "dimensions": [dimension]})
    tenant.post("/evaluations/objectives", {"name": "Accuracy", "terms": [{"rubric_id": rubric["id"], "weight": 1}]})
    samples = tenant.post("/samples/sets", {"name": "BFCL live"})
    tasks = load_b1()[::3]
    items = [{"input": task.input, "reference": task.reference, "metadata": task.metadata} for task in tasks]
    path = f"/samples/sets/{samples['id']}"
    for start in range(0, len(items), 400):
        tenant.post(f"{path}/items", {"items": items[start : start + 400]})
    tenant.post(f"{path}/split", {}, 200)


def test_a_scan_is_started_watched_reviewed_and_rolled_back(server: str, tenant: Tenant, owner: Watched) -> None:
    prepare(tenant)
    page = owner.page
    page.goto(f"{server}/app/w/{tenant.workspace_id}/scans/new")
    page.get_by_label("Evaluations").fill("6000")
    page.get_by_role("button", name="Start").click()
    page.wait_for_url(re.compile(r"/scans/[0-9a-f-]{36}$"))
    # the state beside the title and the review button come by themselves: nothing is reloaded by hand
    expect(page.locator("#scan-state")).to_have_text("completed", timeout=SCAN_MS_MAX)
    expect(page.get_by_text("A change was found and proposed.")).to_be_visible()
    here = page.url
    for tab in ("clusters", "candidates", "events", "about"):
        page.goto(f"{here}?tab={tab}")
        assert violations(page) == []
    page.get_by_role("link", name="Review the change set").click()
    expect(page.get_by_role("heading", name="Gates")).to_be_visible()
    expect(page.get_by_text(re.compile(r"tasks that the search never saw"))).to_be_visible()
    assert violations(page) == []
    reason = page.get_by_label("Reason for accepting without proof")
    if reason.count():
        reason.fill("Accepted by a test, whatever the proof says")
    page.get_by_role("button", name=re.compile("^Accept")).click()
    expect(page.get_by_text("The next call gets it.")).to_be_visible()
    page.get_by_role("button", name="Roll back").click()
    page.get_by_role("dialog").get_by_role("button", name="Roll back").click()
    expect(page.get_by_text("Rolled back.")).to_be_visible()
    assert violations(page) == []


def test_a_running_scan_can_be_cancelled(server: str, tenant: Tenant, owner: Watched) -> None:
    prepare(tenant)
    page = owner.page
    page.goto(f"{server}/app/w/{tenant.workspace_id}/scans/new")
    page.get_by_role("button", name="Start").click()
    page.wait_for_url(re.compile(r"/scans/[0-9a-f-]{36}$"))
    page.get_by_role("button", name="Cancel", exact=True).click()
    page.get_by_role("button", name="Cancel scan").click()
    expect(page.locator("#scan-state")).to_have_text("cancelled", timeout=SCAN_MS_MAX)
    expect(page.get_by_role("button", name="Run again")).to_be_visible()
