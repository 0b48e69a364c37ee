"""The two hot routes on one process, beside the bare listener: the own profile and an agent's configuration."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import httpx

from benchmarks import bench_http
from specloop.testing.datasets.bfcl import baseline_config
from tests.server import started_server

UNLIMITED = {"SPECLOOP_RATE_USER_PER_MINUTE": "100000000", "SPECLOOP_RATE_KEY_PER_MINUTE": "100000000"}


def main() -> int:
    """Measure; 0 when the limits hold."""
    with tempfile.TemporaryDirectory() as folder, started_server(Path(folder), **UNLIMITED) as url:
        token, agent = prepare(url)
        routes = ["--url", f"{url}/api/v1/auth/me", "--url", f"{url}{agent}/config"]
        return bench_http.main([*routes, "--token", token, "--seconds", "4"])


def prepare(url: str) -> tuple[str, str]:
    """A user's token and the path of an agent."""
    with httpx.Client(base_url=url, timeout=60) as client:
        body = {"email": "bench@test.com", "password": "benchmark", "tenant_name": "Bench"}
        account = client.post("/api/v1/auth/register", json=body).raise_for_status().json()
        client.headers["authorization"] = f"Bearer {account['access_token']}"
        agents = f"/api/v1/workspaces/{account['workspace_id']}/agents"
        agent = {
            "name": "router",
            "runtime": {"kind": "embedded", "name": "tool-router"},
            "config": baseline_config(),
        }
        made = client.post(agents, json=agent).raise_for_status().json()
        return account["access_token"], f"{agents}/{made['id']}"


if __name__ == "__main__":
    sys.exit(main())
