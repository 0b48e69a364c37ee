"""Managed templates through the front door: versions, followers, binding, deletion."""

from __future__ import annotations

from typing import Any

import pytest

from tests.identity.workspaces.harness import World
from tests.run.agents.samples import EXTERNAL_CONFIG, make, make_router

HOUSE: dict[str, Any] = {"prompt": {"base": "House style."}, "model": "small"}


async def _template(world: World, name: str = "House", config: dict[str, Any] = HOUSE) -> dict[str, Any]:
    answer = await world.call("contributor", "POST", "agents/templates", json={"name": name, "config": config})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def _bind(world: World, agent: dict[str, Any], template: dict[str, Any], mode: str) -> dict[str, Any]:
    answer = await world.call(
        "contributor", "POST", f"agents/{agent['id']}/bind", json={"template_id": template["id"], "mode": mode}
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_template_is_made_read_and_listed(world: World) -> None:
    made = await _template(world)
    path = f"agents/templates/{made['id']}"
    read = await world.call("observer", "GET", path)
    assert read.json() == made
    assert read.headers["etag"] == '"1"'
    listed = (await world.call("observer", "GET", "agents/templates")).json()["results"]
    assert [template["name"] for template in listed] == ["House"]
    again = await world.call("contributor", "POST", "agents/templates", json={"name": "House", "config": {}})
    assert again.status_code == 400
    assert (await world.call("observer", "POST", "agents/templates", json={"name": "B"})).status_code == 403


async def test_binding_makes_an_unpromoted_version_with_the_template_laid_over(world: World) -> None:
    agent, template = await make(world), await _template(world)
    bound = await _bind(world, agent, template, "follow")
    assert (bound["template_id"], bound["template_mode"], bound["template_version"]) == (template["id"], "follow", 1)
    assert (bound["promoted_version"], bound["candidate_versions"]) == (1, [2])
    candidate = (await world.call("observer", "GET", f"agents/{agent['id']}/versions/2")).json()
    assert candidate["source"] == "template"
    assert candidate["config"] == {
        "prompt": {"base": "House style.", "cot": "brief"},
        "params": {"temperature": 0.2},
        "model": "small",
    }


async def test_a_new_template_version_reaches_followers_as_a_candidate_and_nobody_else(world: World) -> None:
    follower, pinned = await make(world, "follower"), await make(world, "pinned")
    template = await _template(world)
    await _bind(world, follower, template, "follow")
    await _bind(world, pinned, template, "pinned")
    path = f"agents/templates/{template['id']}"
    changed = await world.call(
        "contributor", "PATCH", path, json={"config": {"model": "large"}, "note": "grow"}, headers={"If-Match": '"1"'}
    )
    assert changed.status_code == 200
    assert (changed.json()["latest_version"], changed.json()["followers"]) == (2, 1)
    after = (await world.call("observer", "GET", f"agents/{follower['id']}")).json()
    assert (after["promoted_version"], after["candidate_versions"], after["template_version"]) == (1, [2, 3], 2)
    assert (await world.call("observer", "GET", f"agents/{pinned['id']}")).json()["candidate_versions"] == [2]
    states = (await world.call("observer", "GET", f"{path}/versions")).json()["results"]
    assert [(state["version"], state["note"]) for state in states] == [(2, "grow"), (1, "")]
    late = await world.call("contributor", "PATCH", path, json={"name": "x"}, headers={"If-Match": '"1"'})
    assert late.status_code == 412


async def test_an_agent_can_start_from_a_template(world: World) -> None:
    template = await _template(world)
    agent = await make(world, template_id=template["id"], config={"prompt": {"base": "Own words."}})
    assert agent["config"] == {"prompt": {"base": "Own words."}, "model": "small"}
    assert agent["template_mode"] == "follow"


async def test_a_template_that_breaks_a_followers_bounds_is_refused_as_a_whole(world: World) -> None:
    agent, template = await make_router(world), await _template(world, config={"params": {"threshold": 1.0}})
    await _bind(world, agent, template, "follow")
    refused = await world.call(
        "contributor", "PATCH", f"agents/templates/{template['id']}", json={"config": {"params": {"threshold": 9}}}
    )
    assert refused.status_code == 400
    assert "Router" in refused.json()["detail"]
    assert (await world.call("observer", "GET", f"agents/templates/{template['id']}")).json()["latest_version"] == 1


async def test_a_followed_template_cannot_be_deleted(world: World) -> None:
    agent, other, template = await make(world), await make(world, "pinned"), await _template(world)
    await _bind(world, agent, template, "follow")
    await _bind(world, other, template, "pinned")
    path = f"agents/templates/{template['id']}"
    assert (await world.call("contributor", "DELETE", path)).status_code == 400
    unbound = await world.call("contributor", "POST", f"agents/{agent['id']}/bind", json={"template_id": None})
    assert unbound.json()["template_id"] is None
    assert (await world.call("contributor", "DELETE", path)).status_code == 204
    assert (await world.call("observer", "GET", path)).status_code == 404
    assert (await world.call("observer", "GET", f"agents/{other['id']}")).json()["template_id"] is None


@pytest.mark.parametrize("config", [{"prompts": {}}, {"prompt": {"cot": "long"}}, {"params": {"a": "\x00"}}])
async def test_a_bad_template_is_refused(world: World, config: dict[str, Any]) -> None:
    answer = await world.call("contributor", "POST", "agents/templates", json={"name": "T", "config": config})
    assert answer.status_code == 422


async def test_another_tenants_template_looks_like_none(world: World) -> None:
    template = await _template(world)
    foreign = await world.first_workspace("stranger")
    base = f"/api/v1/workspaces/{foreign}/agents"
    assert (await world.call("stranger", "GET", f"{base}/templates/{template['id']}")).status_code == 404
    body = {"name": "A", "runtime": {"kind": "external"}, "config": EXTERNAL_CONFIG, "template_id": template["id"]}
    assert (await world.call("stranger", "POST", base, json=body)).status_code == 404
