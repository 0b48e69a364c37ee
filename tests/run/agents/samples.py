"""Agents that tests declare."""

from __future__ import annotations

from typing import Any

from tests.identity.workspaces.harness import World

TOOLS: list[dict[str, Any]] = [
    {"name": "get_weather", "description": "Weather forecast of a city", "parameters": {"properties": {"city": {}}}},
    {"name": "send_mail", "description": "Send an e-mail to a person", "parameters": {"properties": {"to": {}}}},
]
ROUTER = {"kind": "embedded", "name": "tool-router"}
ROUTER_CONFIG: dict[str, Any] = {
    "tools": TOOLS,
    "params": {"weights": {"name": 1.0, "description": 0.5}, "threshold": 0.2, "margin": 0.0, "hints": {}},
}
EXTERNAL_CONFIG: dict[str, Any] = {
    "prompt": {"base": "You answer mail.", "cot": "brief"},
    "params": {"temperature": 0.2},
}


async def make(world: World, name: str = "Mail agent", **members: Any) -> dict[str, Any]:
    """An external agent, unless told otherwise."""
    body = {"name": name, "runtime": {"kind": "external"}, "config": EXTERNAL_CONFIG, **members}
    answer = await world.call("contributor", "POST", "agents", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def make_router(world: World, name: str = "Router", **members: Any) -> dict[str, Any]:
    """An agent of the embedded tool-router."""
    return await make(world, name, **{"runtime": ROUTER, "config": ROUTER_CONFIG, **members})


async def put_config(world: World, agent: dict[str, Any], config: dict[str, Any]) -> int:
    """The number of the new version."""
    answer = await world.call("contributor", "PUT", f"agents/{agent['id']}/config", json={"config": config})
    assert answer.status_code == 201, answer.text
    return answer.json()["version"]


async def promote(world: World, agent: dict[str, Any], version: int) -> None:
    """Serve a version."""
    answer = await world.call("admin", "POST", f"agents/{agent['id']}/promote", json={"version": version})
    assert answer.status_code == 200, answer.text
