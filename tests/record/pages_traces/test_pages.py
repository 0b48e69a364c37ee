"""The pages of traces without script: list, trace, opinions, deletion, export, analytics, home."""

from __future__ import annotations

import csv
import io
import re
from html import unescape

import httpx

from tests.browser.samples import HOSTILE
from tests.interaction.browsing import CSRF, Browser, signed_in
from tests.interaction.tenant import Tenant
from tests.record.pages_traces.conftest import pages, send, trace_body

ROW = re.compile(r'id="t-([0-9a-f]{32})"')
OLDER = re.compile(r'rel="next" href="([^"]+)"')


def listed(page: str) -> list[str]:
    """The ids of the rows in their order."""
    return ROW.findall(page)


def test_an_empty_list_says_how_to_fill_it(visitor: Browser, tenant: Tenant) -> None:
    page = visitor.see(f"{pages(tenant)}/traces")
    assert "No traces yet" in page
    assert "OTEL_EXPORTER_OTLP_ENDPOINT=" in page


def test_the_list_shows_the_newest_first_and_filters_by_its_address(visitor: Browser, tenant: Tenant) -> None:
    older, failed, newest = send(
        tenant,
        trace_body("older run", 90, tags=["beta"]),
        trace_body("failed run", 30, status="error", session_id="conv-7"),
        trace_body("newest run", 5, input="where is my parcel"),
    )
    here = f"{pages(tenant)}/traces"
    assert listed(visitor.see(here)) == [newest, failed, older]
    for query, found in {
        "status=error": [failed],
        "tag=beta": [older],
        "session_id=conv-7": [failed],
        "q=parcel": [newest],
        "period=1h": [newest, failed],
        "agent=order+desk&status=ok": [newest, older],
        "has_feedback=true": [],
        "model=gpt-4.1&min_latency=5000": [],
        "period=nonsense&min_latency=x&from=yesterday&status=odd": [newest, failed, older],
    }.items():
        assert listed(visitor.see(f"{here}?{query}")) == found, query
    assert "No trace matches" in visitor.see(f"{here}?q=nowhere")


def test_the_filter_by_agent_finds_what_spans_call_it(visitor: Browser, tenant: Tenant) -> None:
    """Spans tell the agent's name, and its id only when their sender knows the registry."""
    body = {"runtime": {"kind": "external"}, "config": {}}
    by_rule = tenant.post("/agents", {**body, "name": "Desk", "match": {"gen_ai.agent.name": "order desk"}}, 201)["id"]
    by_name = tenant.post("/agents", {**body, "name": "router"}, 201)["id"]
    unheard = tenant.post("/agents", {**body, "name": "nobody"}, 201)["id"]
    desk, router, with_id = send(
        tenant,
        trace_body("desk", 30),
        trace_body("router", 20, agent="router"),
        trace_body("with id", 10, agent="renamed", spans=[{"attributes": {"gen_ai.agent.id": by_name}}]),
    )
    here = f"{pages(tenant)}/traces"
    assert f'<option value="{by_rule}"' in visitor.see(here)
    expected = {by_rule: [desk], by_name: [with_id, router], unheard: [], "order desk": [desk], "0" * 36: []}
    for agent_id, found in expected.items():
        assert listed(visitor.see(f"{here}?agent_id={agent_id}")) == found
        answer = tenant.client.get(f"{tenant.path}/traces", params={"agent_id": agent_id}).json()
        assert [trace["trace_id"] for trace in answer["results"]] == found
        assert answer["pagination"]["total"] == len(found)


def test_walking_to_older_traces_meets_every_one_once(visitor: Browser, tenant: Tenant) -> None:
    sent = send(tenant, *(trace_body(f"run {n}", 1 + n) for n in range(95)))
    address, seen = f"{pages(tenant)}/traces", list[str]()
    while address:
        page = visitor.see(address)
        seen += listed(page)
        older = OLDER.search(page)
        address = unescape(older[1]) if older else ""
    assert seen == sent
    assert visitor.client.get(f"{pages(tenant)}/traces?cursor=made-up").status_code == 303


def test_the_stream_tells_an_open_list_that_something_arrived(visitor: Browser, tenant: Tenant) -> None:
    with visitor.client.stream("GET", f"{pages(tenant)}/traces/stream?mark=old") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        lines = (line for line in stream.iter_lines() if line.startswith("event:"))
        assert next(lines) == "event: arrived"
        send(tenant, trace_body("a new one"))
        assert next(lines) == "event: arrived"


def test_a_trace_shows_its_failed_span_first_and_any_other_by_its_address(visitor: Browser, tenant: Tenant) -> None:
    (trace_id,) = send(tenant, trace_body("failed run", status="error"))
    here = f"{pages(tenant)}/traces/{trace_id}"
    page = visitor.see(here)
    assert page.count('data-depth="') == 3
    assert re.search(r'aria-current="true">execute_tool search_orders', page)
    chat = re.search(r'href="\?span=([0-9a-f]{16})"[^>]*>chat gpt-4.1', page)
    assert chat is not None
    part = visitor.client.get(f"{here}?span={chat[1]}&tab=attributes", headers={"HX-Target": "span"}).text
    assert part.lstrip().startswith('<section class="card span-detail" id="span"')
    assert "gen_ai.usage.input_tokens" in part
    root = re.search(r'href="\?span=([0-9a-f]{16})"[^>]*>failed run', page)
    assert root is not None
    assert "My order never arrived" in visitor.see(f"{here}?span={root[1]}")
    visitor.see(f"{here}?span=nonsense&tab=json")
    visitor.see(f"{pages(tenant)}/traces/{'0' * 32}", 404)


def test_opinions_are_given_shown_and_taken_back(visitor: Browser, tenant: Tenant) -> None:
    (trace_id,) = send(tenant, trace_body("a run"))
    here = f"{pages(tenant)}/traces/{trace_id}"
    page = visitor.see(here)
    for fields in (
        {"kind": "thumbs", "value": "up"},
        {"kind": "score", "value": "0.4"},
        {"kind": "comment", "value": HOSTILE},
    ):
        assert visitor.send(f"{here}/feedback", page, **fields).status_code == 303
    judged = {"name": "correctness", "label": "wrong tool", "explanation": "It searched twice."}
    assert visitor.send(f"{here}/annotations", page, **judged).status_code == 303
    page = visitor.see(here)
    for text in ("good answer", "0.4 of 1", "&lt;script&gt;window.hacked=1", "wrong tool", "It searched twice."):
        assert text in page, text
    assert len(re.findall(r'thumb" type="submit" aria-pressed="true"', page)) == 1
    assert listed(visitor.see(f"{pages(tenant)}/traces?has_feedback=true")) == [trace_id]
    span = {"kind": "thumbs", "value": "down", "span_id": "ab" * 8}
    assert visitor.send(f"{here}/feedback", page, **span).status_code == 303
    assert visitor.send(f"{here}/feedback/withdraw", page, kind="thumbs").status_code == 303
    page = visitor.see(here)
    assert "good answer" not in page
    assert "bad answer" in page


def test_a_score_out_of_range_is_refused_and_what_was_typed_stays(visitor: Browser, tenant: Tenant) -> None:
    (trace_id,) = send(tenant, trace_body("a run"))
    here = f"{pages(tenant)}/traces/{trace_id}"
    answer = visitor.send(f"{here}/feedback", visitor.see(here), kind="score", value="7")
    assert answer.status_code == 422
    assert "a score is a number from 0 to 1" in answer.text
    assert 'value="7"' in answer.text


def test_deleting_a_trace_takes_the_end_of_its_id(visitor: Browser, tenant: Tenant) -> None:
    gone, kept = send(tenant, trace_body("to go"), trace_body("to stay", 5))
    here = f"{pages(tenant)}/traces/{gone}"
    page = visitor.see(here)
    assert visitor.send(f"{here}/delete", page, confirm="yes").headers["location"] == here
    visitor.see(here)
    assert visitor.send(f"{here}/delete", page, confirm=gone[-8:]).headers["location"] == f"{pages(tenant)}/traces"
    visitor.see(here, 404)
    assert listed(visitor.see(f"{pages(tenant)}/traces")) == [kept]


def test_the_export_is_what_the_api_answers(visitor: Browser, tenant: Tenant) -> None:
    (trace_id,) = send(tenant, trace_body("a run"))
    answer = visitor.client.get(f"{pages(tenant)}/traces/{trace_id}/export.json")
    assert answer.headers["content-disposition"] == f'attachment; filename="trace-{trace_id}.json"'
    assert answer.json() == tenant.client.get(f"{tenant.path}/traces/{trace_id}").json()


def test_nobody_sees_or_changes_traces_of_another_workspace(
    server: str, tenant: Tenant, other: Tenant, visitor: Browser
) -> None:
    (trace_id,) = send(tenant, trace_body("ours", session_id="conv-1"))
    token = CSRF.search(visitor.see(f"{pages(tenant)}/traces/{trace_id}"))
    assert token is not None
    with signed_in(server, other.email) as stranger:
        for path in ("", "/stream", f"/{trace_id}", f"/{trace_id}/export.json"):
            stranger.see(f"{pages(tenant)}/traces{path}", 404)
        stranger.see(f"{pages(other)}/traces/{trace_id}", 404)
        assert listed(stranger.see(f"{pages(other)}/traces?session_id=conv-1")) == []
        form = stranger.see(f"{pages(other)}/keys")
        for act in ("feedback", "annotations", "delete"):
            assert stranger.send(
                f"{pages(other)}/traces/{trace_id}/{act}", form, kind="thumbs", value="up", confirm=trace_id[-8:]
            ).status_code in {404, 422, 303}
    visitor.see(f"{pages(tenant)}/traces/{trace_id}")
    assert httpx.post(
        f"{server}{pages(tenant)}/traces/{trace_id}/delete", data={"csrf": token[1]}, timeout=60
    ).status_code in {
        303,
        401,
    }
    assert (
        visitor.client.post(f"{pages(tenant)}/traces/{trace_id}/delete", data={"confirm": trace_id[-8:]}).status_code
        == 403
    )


def test_analytics_counts_calls_and_gives_them_as_files(visitor: Browser, tenant: Tenant) -> None:
    send(tenant, trace_body("a run"), trace_body("failed run", status="error"))
    here = f"{pages(tenant)}/analytics"
    page = visitor.see(f"{here}?days=7&wait=1")
    for text in ("No recorded sessions in this period", "search_orders", "gpt-4.1", "order desk", "50.0"):
        assert text in page, text
    answer = visitor.client.get(f"{here}/call-tools.csv?days=7")
    assert answer.headers["content-disposition"].startswith('attachment; filename="call-tools-')
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(row["tool"], row["calls"], row["failed"], row["failed_share"]) for row in rows] == [
        ("search_orders", "2", "1", "0.5")
    ]
    agents = list(csv.DictReader(io.StringIO(visitor.see(f"{here}/calls-by-agent.csv"))))
    assert [(row["agent"], row["runs"], row["input_tokens"]) for row in agents] == [("order desk", "2", "2000")]
    assert float(agents[0]["cost_usd"]) > 0
    assert len(visitor.see(f"{here}/calls-by-day.csv?from=2026-01-01&to=2026-01-31").splitlines()) == 32
    visitor.see(f"{here}/everything.csv", 404)


def test_home_counts_the_week_of_the_record_stage(visitor: Browser, tenant: Tenant) -> None:
    send(tenant, trace_body("failed run", status="error"))
    visitor.see(f"{pages(tenant)}/analytics?wait=1")
    page = visitor.see(pages(tenant))
    for text in ("Sessions this week", "Cost this week", "Failing tools"):
        assert text in page, text
