"""Router 5 through the front door: declaring, listing, changing and archiving agents."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from specloop.kit.ids import new_id
from specloop.run.runtime import runtime_for
from tests.identity.workspaces.harness import World
from tests.run.agents.samples import EXTERNAL_CONFIG, ROUTER_CONFIG, make, make_router, put_config


async def test_a_new_agent_serves_its_config_as_version_one(world: World) -> None:
    made = await world.call(
        "contributor",
        "POST",
        "agents",
        json={"name": "Mäil agent", "role": "triage", "runtime": {"kind": "external"}, "config": EXTERNAL_CONFIG},
    )
    assert made.status_code == 201
    body = made.json()
    assert body["slug"] == "mail-agent"
    assert (body["promoted_version"], body["latest_version"], body["candidate_versions"]) == (1, 1, [])
    assert body["origin"] == "declared"
    assert body["config"] == EXTERNAL_CONFIG
    assert [component["pointer"] for component in body["components"]] == [
        "/prompt/base",
        "/prompt/cot",
        "/params/temperature",
    ]
    assert (await world.call("observer", "GET", made.headers["location"])).json() == body


async def test_an_embedded_agent_gets_the_search_space_of_its_runtime(world: World) -> None:
    agent = await make_router(world)
    declared = {component.name: component for component in runtime_for("tool-router").components(ROUTER_CONFIG)}
    shown = {component["name"]: component for component in agent["components"]}
    assert shown.keys() == declared.keys()
    threshold = declared["threshold"]
    limits = {"min": threshold.minimum, "max": threshold.maximum, "step": threshold.step}
    assert shown["threshold"]["bounds"] == limits
    assert shown["hints"]["bounds"]["max_entries"] == declared["hints"].max_entries
    short = await make_router(world, "Short", runtime={"kind": "tool-router"})
    assert short["components"] == agent["components"]


@pytest.mark.parametrize(
    "change",
    [
        {"name": ""},
        {"name": "x" * 101},
        {"runtime": {}},
        {"runtime": {"kind": "magic"}},
        {"runtime": {"kind": "embedded", "name": "magic"}},
        {"config": {"prompts": {}}},
        {"config": {"prompt": {"cot": "long"}}},
        {"config": {"prompt": {"base": 7}}},
        {"config": {"tools": [{"description": "nameless"}]}},
        {"config": {"params": {"x": "a\x00b"}}},
        {"config": {"params": {"x": 1e300}}},
        {"depends_on": ["me"]},
        {"slug": "Not A Slug"},
        {"account_id": "mine"},
        {"promoted_version": 3},
        {"components": [{"name": "a", "pointer": "/params/a", "type": "number", "bounds": {"min": 2, "max": 1}}]},
        {"components": [{"name": "a", "pointer": "/prompt/cot", "type": "enum"}]},
        {"components": [{"name": "a", "pointer": "params", "type": "text"}]},
        {"components": [{"name": "a", "pointer": "/params/temperature", "type": "text"}]},
    ],
)
async def test_a_bad_agent_is_refused(world: World, change: dict[str, Any]) -> None:
    body = {"name": "A", "runtime": {"kind": "external"}, "config": EXTERNAL_CONFIG, **change}
    answer = await world.call("contributor", "POST", "agents", json=body)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"]


@pytest.mark.parametrize("params", [r'{"\ud800":1}', r'{"a":["\udfff"]}', '{"a":NaN}', '{"a":1e999}'])
async def test_json_that_no_store_keeps_is_refused(world: World, params: str) -> None:
    body = '{"name":"A","runtime":{"kind":"external"},"config":{"params":%s}}' % params  # noqa: UP031
    headers = {"Content-Type": "application/json"}
    answer = await world.call("contributor", "POST", "agents", content=body, headers=headers)
    assert answer.status_code == 422


async def test_a_deeply_nested_config_is_refused(world: World) -> None:
    deep: dict[str, Any] = {}
    for _ in range(200):
        deep = {"a": deep}
    body = {"name": "A", "runtime": {"kind": "external"}, "config": {"params": deep}}
    assert (await world.call("contributor", "POST", "agents", json=body)).status_code == 422


async def test_names_are_unique_among_active_agents(world: World) -> None:
    first = await make(world, "Mail")
    again = await world.call(
        "contributor", "POST", "agents", json={"name": "Mail", "runtime": {"kind": "external"}, "config": {}}
    )
    assert again.status_code == 400
    assert (await make(world, "mail!"))["slug"] == "mail-2"
    assert (await world.call("admin", "DELETE", f"agents/{first['id']}")).status_code == 204
    assert (await make(world, "Mail"))["slug"] == "mail"


async def test_two_agents_cannot_take_one_name_at_once(world: World) -> None:
    body = {"name": "Twin", "runtime": {"kind": "external"}, "config": {}}
    answers = await asyncio.gather(*(world.call("contributor", "POST", "agents", json=body) for _ in range(2)))
    assert sorted(answer.status_code for answer in answers) == [201, 400]


async def test_observers_only_read(world: World) -> None:
    agent = await make(world)
    body = {"name": "B", "runtime": {"kind": "external"}, "config": {}}
    assert (await world.call("observer", "POST", "agents", json=body)).status_code == 403
    assert (await world.call("observer", "PATCH", f"agents/{agent['id']}", json={"name": "C"})).status_code == 403
    assert (await world.call("contributor", "DELETE", f"agents/{agent['id']}")).status_code == 403
    assert (await world.call("observer", "GET", "agents")).json()["pagination"]["total"] == 1


async def test_lists_filter_and_sort(world: World) -> None:
    for name in ("b", "a", "c"):
        await make(world, name)
    gone = (await world.call("observer", "GET", "agents?sort=-name&limit=1")).json()["results"][0]
    assert gone["name"] == "c"
    await world.call("admin", "DELETE", f"agents/{gone['id']}")
    active = (await world.call("observer", "GET", "agents?status=active&sort=name")).json()["results"]
    assert [agent["name"] for agent in active] == ["a", "b"]
    assert (await world.call("observer", "GET", "agents?origin=inferred")).json()["results"] == []
    assert (await world.call("observer", "GET", "agents?origin=guessed")).status_code == 422
    assert (await world.call("observer", "GET", "agents?sort=runtime")).status_code == 422


async def test_a_key_lists_agents_with_the_promoted_config_only(world: World) -> None:
    agent = await make(world)
    await put_config(world, agent, {**EXTERNAL_CONFIG, "model": "secret-candidate"})
    async with world.writing("admin") as ctx:
        key = (await world.keys.create(ctx, "ci", None)).secret
    answer = await world.call(key, "GET", "agents")
    assert answer.status_code == 200
    listed = answer.json()["results"][0]
    assert listed["config"] == EXTERNAL_CONFIG
    assert listed["candidate_versions"] == []
    assert listed["latest_version"] == 1
    assert "secret-candidate" not in answer.text
    for method, path in (
        ("POST", "agents"),
        ("GET", f"agents/{agent['id']}/versions"),
        ("GET", f"agents/{agent['id']}/diff"),
        ("GET", f"agents/{agent['id']}/card"),
        ("POST", f"agents/{agent['id']}/promote"),
        ("POST", f"agents/{agent['id']}/run"),
        ("GET", "agents/templates"),
    ):
        assert (await world.call(key, method, path, json={})).status_code == 403, path


async def test_another_tenants_agent_looks_like_none(world: World) -> None:
    agent = await make(world)
    foreign = await world.first_workspace("stranger")
    for suffix in ("", "/config", "/versions", "/versions/1", "/diff", "/card"):
        seen = [
            await world.call("stranger", "GET", f"/api/v1/workspaces/{foreign}/agents/{agent_id}{suffix}")
            for agent_id in (agent["id"], new_id(), "not-an-id")
        ]
        assert [answer.status_code for answer in seen] == [404, 404, 404], suffix
        assert seen[0].json()["detail"] == seen[1].json()["detail"]
    assert (await world.call("stranger", "GET", f"/api/v1/workspaces/{foreign}/agents")).json()["results"] == []


async def test_a_change_needs_the_version_it_was_based_on(world: World) -> None:
    agent = await make(world)
    path = f"agents/{agent['id']}"
    first = await world.call("contributor", "PATCH", path, json={"role": "x"}, headers={"If-Match": '"1"'})
    assert first.status_code == 200
    assert first.headers["etag"] == '"2"'
    late = await world.call("contributor", "PATCH", path, json={"role": "y"}, headers={"If-Match": '"1"'})
    assert late.status_code == 412
    gone = await world.call("admin", "DELETE", path, headers={"If-Match": '"1"'})
    assert gone.status_code == 412


async def test_dependencies_stay_free_of_circles(world: World) -> None:
    a = await make(world, "a")
    b = await make(world, "b", depends_on=[a["id"]])
    c = await make(world, "c", depends_on=[b["id"]])
    path = f"agents/{a['id']}"
    for target in (a, b, c):
        refused = await world.call("contributor", "PATCH", path, json={"depends_on": [target["id"]]})
        assert refused.status_code == 400
        assert "circle" in refused.json()["detail"]
    unknown = await world.call("contributor", "PATCH", path, json={"depends_on": [new_id()]})
    assert unknown.status_code == 400


async def test_two_agents_cannot_close_a_circle_from_both_sides(world: World) -> None:
    a, b = await make(world, "a"), await make(world, "b")
    answers = await asyncio.gather(
        world.call("contributor", "PATCH", f"agents/{a['id']}", json={"depends_on": [b["id"]]}),
        world.call("contributor", "PATCH", f"agents/{b['id']}", json={"depends_on": [a["id"]]}),
    )
    assert sorted(answer.status_code for answer in answers) == [200, 400]


async def test_an_agent_with_dependants_cannot_be_archived(world: World) -> None:
    a = await make(world, "a")
    b = await make(world, "b", depends_on=[a["id"]])
    refused = await world.call("admin", "DELETE", f"agents/{a['id']}")
    assert refused.status_code == 400
    assert "b" in refused.json()["detail"]
    assert (await world.call("admin", "DELETE", f"agents/{b['id']}")).status_code == 204
    assert (await world.call("admin", "DELETE", f"agents/{a['id']}")).status_code == 204
    assert (await world.call("admin", "DELETE", f"agents/{a['id']}")).status_code == 400


async def test_an_archived_agent_takes_no_change(world: World) -> None:
    agent = await make(world)
    path = f"agents/{agent['id']}"
    await world.call("admin", "DELETE", path)
    assert (await world.call("observer", "GET", path)).json()["status"] == "archived"
    assert (await world.call("contributor", "PATCH", path, json={"role": "x"})).status_code == 400
    assert (await world.call("contributor", "PUT", f"{path}/config", json={"config": {}})).status_code == 400
    assert (await world.call("admin", "POST", f"{path}/promote", json={"version": 1})).status_code == 400
    assert (await world.call("contributor", "POST", f"{path}/run", json={"input": {}})).status_code == 400


async def test_a_new_runtime_must_fit_the_promoted_config(world: World) -> None:
    agent = await make(world)
    change = {"runtime": {"kind": "embedded", "name": "tool-router"}}
    refused = await world.call("contributor", "PATCH", f"agents/{agent['id']}", json=change)
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["loc"] == ["body", "config", "params", "temperature"]


async def test_declared_components_bound_the_config(world: World) -> None:
    component = {
        "name": "heat",
        "pointer": "/params/temperature",
        "type": "number",
        "auto": True,
        "bounds": {"min": 0, "max": 1},
    }
    agent = await make(world, components=[component])
    assert agent["components"] == [{**component, "mutable": True, "role": ""}]
    path = f"agents/{agent['id']}/config"
    hot = {"params": {"temperature": 1.5}}
    assert (await world.call("contributor", "PUT", path, json={"config": hot})).status_code == 422
    other = {"params": {"temperature": 0.5, "top_p": 1}}
    assert (await world.call("contributor", "PUT", path, json={"config": other})).status_code == 422
    freed = await world.call("contributor", "PATCH", f"agents/{agent['id']}", json={"components": None})
    assert freed.status_code == 200
    assert (await world.call("contributor", "PUT", path, json={"config": other})).status_code == 201


async def test_a_router_with_a_value_out_of_bounds_is_refused(world: World) -> None:
    config = {**ROUTER_CONFIG, "params": {"threshold": 99}}
    body = {"name": "R", "runtime": {"kind": "tool-router"}, "config": config}
    refused = await world.call("contributor", "POST", "agents", json=body)
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["code"] == "out_of_bounds"


async def test_the_card_shows_what_other_stages_know(world: World) -> None:
    agent = await make(world)
    card = (await world.call("observer", "GET", f"agents/{agent['id']}/card")).json()
    assert card["baseline"] == {"score": 0.66}
    assert card["open_clusters"] == [{"name": "missed calls"}]
    assert card["best"] is None
    assert [promotion["version"] for promotion in card["promotions"]] == [1]


async def test_agents_show_in_the_workspace_health(world: World) -> None:
    agent = await make(world)
    await put_config(world, agent, EXTERNAL_CONFIG)
    health = (await world.call("observer", "GET", "health")).json()
    assert health["agents"] == {"active": 1, "archived": 0, "with_candidates": 1}
