"""The started servers and tenants of the interaction tests, and traces that were sent through the API."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.interaction.browsing import Browser, signed_in
from tests.interaction.conftest import other, server, tenant
from tests.interaction.tenant import Tenant

__all__ = ["other", "server", "tenant"]
VISIBLE_SECONDS_MAX = 30.0
Body = dict[str, Any]


@pytest.fixture
def visitor(server: str, tenant: Tenant) -> Iterator[Browser]:
    """The tenant's owner, signed in, without script."""
    with signed_in(server, tenant.email) as browser:
        yield browser


def pages(tenant: Tenant) -> str:
    """Where the workspace's pages begin."""
    return f"/app/w/{tenant.workspace_id}"


def trace_body(name: str, minutes_ago: float = 1.0, **more: Any) -> Body:
    """A trace as the API takes it: an agent's run with one model call and one tool call."""
    start = datetime.now(UTC) - timedelta(minutes=minutes_ago)
    ids = [secrets.token_hex(8) for _ in range(3)]

    def at(seconds: float) -> str:
        return (start + timedelta(seconds=seconds)).isoformat()

    call = {"model": "gpt-4.1", "provider": "openai", "input_tokens": 1000, "output_tokens": 100}
    is_failed = more.get("status") == "error"
    body: Body = {
        "trace_id": secrets.token_hex(16),
        "name": name,
        "agent": "order desk",
        "input": "My order never arrived",
        "output": "I am looking into it",
        "started_at": at(0),
        "ended_at": at(4),
        "status": "ok",
        "spans": [
            {
                "span_id": ids[1],
                "name": "chat gpt-4.1",
                "started_at": at(0.1),
                "ended_at": at(2),
                **call,
            },
            {
                "span_id": ids[2],
                "name": "execute_tool search_orders",
                "started_at": at(2.1),
                "ended_at": at(3),
                "status": "error" if is_failed else "ok",
                "tool": "search_orders",
            },
        ],
    }
    return {**body, **more}


def send(tenant: Tenant, *bodies: Body) -> list[str]:
    """Their ids, once every one of them can be read."""
    answer = tenant.post("/traces", {"traces": list(bodies)}, 202)
    assert answer["rejected"] == []
    deadline = time.monotonic() + VISIBLE_SECONDS_MAX
    for trace_id in answer["trace_ids"]:
        while tenant.client.get(f"{tenant.path}/traces/{trace_id}").status_code != 200:
            assert time.monotonic() < deadline, "the trace does not become visible"
    return answer["trace_ids"]
