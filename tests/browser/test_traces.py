"""Traces through the pages of the real program: hostile ones, long ones, by keyboard, live, judged and deleted."""

from __future__ import annotations

import re
import time
from typing import Any

from playwright.sync_api import Browser, Page, expect

from specloop.kit import json
from tests.browser.conftest import Watched, opened, sign_in
from tests.browser.samples import HOSTILE
from tests.browser.test_pages import check_both_themes, violations
from tests.interaction.tenant import Tenant
from tests.record.pages_traces.conftest import pages, send, trace_body
from tests.record.traces.harness import PROTOBUF, request_of, span_of

SPANS = 2_000
VISIBLE_SECONDS_MAX = 60.0
PATIENCE_MS = 30_000
Attributes = dict[str, object]


def export(tenant: Tenant, trace: int, count: int, attributes: Attributes, name: str, **more: Any) -> str:
    """Sends spans by OTLP, the first as their root; the trace's id once all of them can be read."""
    headers = {"content-type": PROTOBUF, "authorization": f"Bearer {tenant.make_key()}"}
    start = time.time_ns() - 60_000_000_000
    spans = [
        span_of(
            n + 1,
            trace=trace,
            parent=None if n == 0 else 1 + (n - 1) // 3,
            name=f"{name} {n}" if n else name,
            attributes=attributes,
            start_ns=start + n * 1_000_000,
            **more,
        )
        for n in range(count)
    ]
    for first in range(0, count, 500):
        body = request_of(*spans[first : first + 500], resource={"service.name": name}).SerializeToString()
        assert tenant.client.post("/otel/v1/traces", content=body, headers=headers).status_code == 200
    trace_id = trace.to_bytes(16, "big").hex()
    deadline = time.monotonic() + VISIBLE_SECONDS_MAX
    while (
        tenant.client.get(f"{tenant.path}/traces/{trace_id}/spans?limit=1").json().get("pagination", {}).get("total")
        != count
    ):
        assert time.monotonic() < deadline, "the spans do not become visible"
    return trace_id


def chosen(page: Page) -> str:
    """The name of the chosen span as the right side shows it."""
    return page.locator("#span h2").inner_text()


def test_hostile_names_keys_values_and_messages_are_shown_and_never_run(
    server: str, tenant: Tenant, owner: Watched
) -> None:
    message = [
        {"role": HOSTILE, "parts": [{"type": "tool_call", "name": HOSTILE, "arguments": {"__proto__": HOSTILE}}]}
    ]
    attributes: Attributes = {
        "__proto__": HOSTILE,
        "constructor": HOSTILE,
        "<img src=x onerror=window.hacked=1>": HOSTILE,
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": HOSTILE,
        "gen_ai.agent.name": HOSTILE,
        "gen_ai.tool.name": HOSTILE,
        "session.id": HOSTILE,
        "gen_ai.input.messages": json.dumps(message).decode(),
        "gen_ai.output.messages": [HOSTILE],
    }
    trace_id = export(tenant, 7, 3, attributes, HOSTILE)
    base = f"{server}{pages(tenant)}"
    paths = [
        "/traces",
        "/analytics?wait=1",
        "",
        *(f"/traces/{trace_id}?tab={tab}" for tab in ("talk", "attributes", "events", "json")),
    ]
    for path in paths:
        owner.page.goto(base + path)
        owner.page.wait_for_selector("html.js")
        assert owner.page.evaluate("[window.hacked, ({}).polluted]") == [None, None]
        assert path == "" or "<script>window.hacked=1</script>" in owner.page.inner_text("body"), path
        assert violations(owner.page) == [], path
    owner.page.goto(f"{base}/traces/{trace_id}?tab=attributes")
    owner.page.get_by_label("Find in attributes").fill("onerror=window.hacked=1>")
    expect(owner.page.get_by_role("rowheader", name="<img src=x onerror=window.hacked=1>")).to_be_visible()
    owner.page.get_by_label("Find in attributes").fill("no such thing")
    expect(owner.page.get_by_text("Nothing has these letters in it.")).to_be_visible()


def test_a_trace_of_two_thousand_spans_is_walked_by_keyboard(server: str, tenant: Tenant, owner: Watched) -> None:
    trace_id = export(tenant, 8, SPANS, {"n": 1}, "step")
    page = owner.page
    page.goto(f"{server}{pages(tenant)}/traces/{trace_id}")
    rows = page.locator(".waterfall > li")
    expect(rows).to_have_count(SPANS, timeout=PATIENCE_MS)
    assert chosen(page) == "step"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    second = rows.nth(2).locator("a").inner_text()
    expect(page.locator("#span h2")).to_have_text(second, timeout=PATIENCE_MS)
    expect(page).to_have_url(re.compile(r"\?span=[0-9a-f]{16}$"))
    page.reload()
    assert chosen(page) == second
    page.keyboard.press("k")
    expect(page.locator("#span h2")).to_have_text(rows.nth(1).locator("a").inner_text(), timeout=PATIENCE_MS)
    page.keyboard.press("ArrowLeft")
    expect(rows.nth(2)).to_be_hidden()
    page.keyboard.press("ArrowRight")
    expect(rows.nth(2)).to_be_visible()
    page.locator("#span").get_by_role("link", name="JSON", exact=True).click()
    expect(page.locator("#span pre.whole")).to_contain_text('"span_id"', timeout=PATIENCE_MS)
    page.keyboard.press("Escape")
    rows.nth(5).locator("a").click()
    expect(page.locator("#span")).to_have_attribute("data-tab", "json", timeout=PATIENCE_MS)


def test_a_failure_is_found_judged_and_its_trace_deleted(server: str, tenant: Tenant, owner: Watched) -> None:
    (trace_id,) = send(tenant, trace_body("failed run", status="error"))
    page = owner.page
    page.goto(f"{server}{pages(tenant)}/traces?status=error")
    page.get_by_role("link", name="failed run").click()
    expect(page.locator("#span h2")).to_have_text("execute_tool search_orders", timeout=PATIENCE_MS)
    page.get_by_role("button", name="Bad answer").click()
    expect(page.get_by_role("button", name="Bad answer")).to_have_attribute("aria-pressed", "true", timeout=PATIENCE_MS)
    page.get_by_label("Comment").fill("It asked for nothing.")
    page.get_by_role("button", name="Comment").click()
    expect(page.locator("#said")).to_contain_text("It asked for nothing.", timeout=PATIENCE_MS)
    assert violations(page) == []
    page.get_by_role("button", name="Delete trace").click()
    page.get_by_label(re.compile("Type")).fill(trace_id[-8:])
    page.locator(".confirm").get_by_role("button", name="Delete trace").click()
    page.wait_for_url(re.compile(r"/traces$"))
    expect(page.get_by_text("No traces yet")).to_be_visible(timeout=PATIENCE_MS)


def test_new_traces_appear_in_an_open_list_by_themselves(server: str, tenant: Tenant, owner: Watched) -> None:
    send(tenant, trace_body("the first one", 30))
    owner.page.goto(f"{server}{pages(tenant)}/traces")
    expect(owner.page.get_by_text("the first one")).to_be_visible()
    send(tenant, trace_body("the second one"))
    expect(owner.page.get_by_text("the second one")).to_be_visible(timeout=PATIENCE_MS)
    assert violations(owner.page) == []


def test_pages_of_a_real_trace_are_accessible_and_fit_a_phone(server: str, tenant: Tenant, browser: Browser) -> None:
    (trace_id,) = send(tenant, trace_body("failed run", status="error", tags=["beta"], session_id="conv-1"))
    with opened(browser, viewport={"width": 390, "height": 844}) as watched:
        sign_in(watched.page, server, tenant.email)
        for path in ("/traces", f"/traces/{trace_id}", f"/traces/{trace_id}?tab=attributes", ""):
            check_both_themes(watched.page, f"{server}{pages(tenant)}{path}")
            assert watched.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        assert watched.complaints == []
