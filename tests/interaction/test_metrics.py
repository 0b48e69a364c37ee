"""`/metrics` as Prometheus reads it: its own parser understands every line; other machines need the token."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import pytest
from prometheus_client import generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from specloop.app.metrics import Metrics
from specloop.errors import Unavailable
from tests.interaction.tenant import Tenant
from tests.server import free_port, started_server

TOKEN = "a-token-for-prometheus"


def read(text: str) -> dict[str, Metric]:
    """The families by name, as the library's own parser sees them."""
    return {family.name: family for family in text_string_to_metric_families(text)}


def value(families: Mapping[str, Metric], family: str, **labels: str) -> float:
    """The sum of the family's samples with these labels; counters by their total, histograms by their count."""
    wanted = {family, f"{family}_total", f"{family}_count"}
    found = [s for s in families[family].samples if s.name in wanted and labels.items() <= s.labels.items()]
    return sum(sample.value for sample in found)


def test_requests_are_counted_by_route_and_never_by_path(server: str, tenant: Tenant) -> None:
    before = read(httpx.get(f"{server}/metrics", timeout=60).text)
    for _ in range(3):
        assert tenant.client.get(f"{tenant.path}/agents").status_code == 200
    assert tenant.client.get(f"{tenant.path}/nothing-of-the-kind").status_code == 404
    answer = httpx.get(f"{server}/metrics", timeout=60)
    assert answer.headers["content-type"].startswith("text/plain; version=")
    families = read(answer.text)
    route = "/api/v1/workspaces/{workspace_id}/agents"
    labels = {"method": "GET", "route": route, "status": "200"}
    counted = value(families, "specloop_requests", **labels) - value(before, "specloop_requests", **labels)
    assert counted == 3
    assert value(families, "specloop_request_seconds", method="GET", route=route) >= 3
    assert tenant.workspace_id not in answer.text
    assert "nothing-of-the-kind" not in answer.text


def test_the_process_tells_about_itself(server: str) -> None:
    families = read(httpx.get(f"{server}/metrics", timeout=60).text)
    for name in ("process_resident_memory_bytes", "process_cpu_seconds", "process_open_fds", "python_info"):
        assert value(families, name) > 0, name
    (build,) = families["specloop_build_info"].samples
    assert build.labels["version"]


async def test_figures_of_stores_are_gauges_and_may_be_missing() -> None:
    async def gather() -> dict[str, float]:
        if not known:
            raise Unavailable("the store is away")
        return known

    known = {"inbox_bytes": 5.0, "jobs_waiting": 2.0}
    metrics = Metrics.create(gather, "")
    await metrics.figures.refresh()
    families = read(generate_latest(metrics.registry).decode())
    assert families["specloop_inbox_bytes"].type == "gauge"
    assert "acknowledged" in families["specloop_inbox_bytes"].documentation
    assert value(families, "specloop_inbox_bytes") == 5
    assert value(families, "specloop_jobs_waiting") == 2
    known.clear()
    await metrics.figures.refresh()
    families = read(generate_latest(metrics.registry).decode())
    assert "specloop_inbox_bytes" not in families
    assert "process_cpu_seconds" in families


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server as another machine reaches it: the kernel picks this machine's own (RFC 5737)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("198.51.100.1", 9))
        host = str(probe.getsockname()[0])
    port = free_port()
    data: Path = tmp_path_factory.mktemp("outside")
    with started_server(data, "--listen", f"{host}:{port}", SPECLOOP_METRICS_TOKEN=TOKEN):
        yield f"https://{host}:{port}"


def test_another_machine_needs_the_token(outside: str) -> None:
    with httpx.Client(base_url=outside, verify=False, timeout=60) as client:  # noqa: S501  (its own certificate)
        assert client.get("/metrics").status_code == 404
        for shown in ("wrong", f"{TOKEN}x", TOKEN[:-1], "Bearer"):
            assert client.get("/metrics", headers={"authorization": f"Bearer {shown}"}).status_code == 404
        assert client.get("/metrics", params={"token": TOKEN}).status_code == 404
        answer = client.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"})
        assert answer.status_code == 200
        assert "specloop_requests" in read(answer.text)
        assert client.get("/health/ready").status_code == 404
        spoofed = {"x-forwarded-for": "127.0.0.1", "forwarded": "for=127.0.0.1", "x-real-ip": "127.0.0.1"}
        assert client.get("/metrics", headers=spoofed).status_code == 404
