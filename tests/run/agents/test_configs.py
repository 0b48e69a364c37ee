"""Router 5 through the front door: serving, versions, differences and promotion of configs."""

from __future__ import annotations

from typing import Any

import pytest

from specloop.db.context import Context
from specloop.errors import SpecloopError
from specloop.identity.audit import Epoch
from specloop.kit import json
from specloop.kit.ids import new_id
from specloop.run import agents
from specloop.run.agents import Edit, VersionSource
from specloop.testing.clock import FakeClock
from tests.identity.workspaces.harness import World
from tests.run.agents.samples import EXTERNAL_CONFIG, ROUTER_CONFIG, make, make_router, promote, put_config

NEXT: dict[str, Any] = {**EXTERNAL_CONFIG, "prompt": {"base": "You answer mail.\nBe brief.", "cot": "none"}}


async def _key(world: World) -> str:
    async with world.writing("admin") as ctx:
        return (await world.keys.create(ctx, "sdk", None)).secret


async def test_a_key_fetches_the_promoted_config_and_is_spared_when_it_has_it(world: World) -> None:
    agent, key = await make(world), await _key(world)
    first = await world.call(key, "GET", f"agents/{agent['id']}/config")
    assert first.status_code == 200
    assert first.headers["cache-control"] == "private,max-age=5"
    body = first.json()
    assert body["config"] == EXTERNAL_CONFIG
    assert body["config_hash"] == agent["config_hash"]
    assert body["etag"] == first.headers["etag"]
    same = await world.call(
        key, "GET", f"agents/{agent['id']}/config?channel=promoted", headers={"If-None-Match": body["etag"]}
    )
    assert same.status_code == 304
    assert same.content == b""
    assert same.headers["etag"] == body["etag"]


async def test_a_promoted_version_is_live_on_the_next_call(world: World) -> None:
    agent, key = await make(world), await _key(world)
    path = f"agents/{agent['id']}/config"
    old = await world.call(key, "GET", path)
    number = await put_config(world, agent, NEXT)
    assert number == 2
    assert (await world.call(key, "GET", path)).json()["version"] == 1
    await promote(world, agent, 2)
    new = await world.call(key, "GET", path, headers={"If-None-Match": old.headers["etag"]})
    assert new.status_code == 200
    assert new.json()["config"] == NEXT


async def test_a_promotion_by_another_process_is_served_within_two_seconds(world: World) -> None:
    agent = await make(world)
    await put_config(world, agent, NEXT)
    clock, elsewhere = FakeClock(), agents.ConfigServer(Epoch(), world.database)

    async def served_elsewhere() -> int:
        principal = await world.gate.enter(world.gate.people["admin"], world.workspace_id)
        async with world.database.reading(world.workspace_id) as unit:
            served = await elsewhere.serve(Context(principal, unit, clock), agent["id"])
        return json.loads(served.body)["version"]

    assert await served_elsewhere() == 1
    await promote(world, agent, 2)
    clock.advance(2)
    assert await served_elsewhere() == 2


async def test_memory_for_configs_is_bounded(world: World) -> None:
    served = agents.ConfigServer(Epoch(), world.database, cache_bytes_max=1)
    principal = await world.gate.enter(world.gate.people["admin"], world.workspace_id)
    made = [await make(world, name) for name in ("a", "b")]
    for agent in [*made, *made]:
        async with world.database.reading(world.workspace_id) as unit:
            answer = await served.serve(Context(principal, unit, world.clock), agent["id"])
        assert json.loads(answer.body)["agent_id"] == agent["id"]


async def test_a_key_cannot_look_at_candidates(world: World) -> None:
    agent, key = await make(world), await _key(world)
    await put_config(world, agent, NEXT)
    path = f"agents/{agent['id']}/config?version="
    assert (await world.call(key, "GET", f"{path}1")).status_code == 200
    assert (await world.call(key, "GET", f"{path}2")).status_code == 403
    assert (await world.call(key, "GET", f"{path}99")).status_code == 403
    assert (await world.call("contributor", "GET", f"{path}2")).json()["config"] == NEXT
    assert (await world.call("contributor", "GET", f"{path}99")).status_code == 404
    assert (await world.call("observer", "GET", f"{path}2")).status_code == 403


@pytest.mark.parametrize(
    ("query", "status"), [("version=0", 422), ("channel=beta", 422), ("channel=promoted&version=1", 400)]
)
async def test_a_bad_choice_of_config_is_refused(world: World, query: str, status: int) -> None:
    agent = await make(world)
    assert (await world.call("admin", "GET", f"agents/{agent['id']}/config?{query}")).status_code == status


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"threshold": 5.5}, "out_of_bounds"),
        ({"threshold": "high"}, "out_of_bounds"),
        ({"threshold": True}, "out_of_bounds"),
        ({"weights": {"name": -1}}, "out_of_bounds"),
        ({"hints": {f"t:{i}": 0.1 for i in range(9999)}}, "out_of_bounds"),
        ({"temperature": 0.5}, "unknown_component"),
    ],
)
async def test_a_config_outside_the_search_space_is_refused(world: World, params: dict[str, Any], code: str) -> None:
    agent = await make_router(world)
    refused = await world.call(
        "contributor", "PUT", f"agents/{agent['id']}/config", json={"config": {**ROUTER_CONFIG, "params": params}}
    )
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["code"] == code
    assert (await world.call("observer", "GET", f"agents/{agent['id']}")).json()["latest_version"] == 1


async def test_a_config_based_on_an_old_one_is_refused(world: World) -> None:
    agent = await make(world)
    path = f"agents/{agent['id']}/config"
    tag = (await world.call("contributor", "GET", path)).headers["etag"]
    await promote(world, agent, await put_config(world, agent, NEXT))
    late = await world.call("contributor", "PUT", path, json={"config": NEXT}, headers={"If-Match": tag})
    assert late.status_code == 412


async def test_versions_are_listed_newest_first_and_know_their_parent(world: World) -> None:
    agent = await make(world)
    await put_config(world, agent, NEXT)
    await promote(world, agent, 2)
    await put_config(world, agent, EXTERNAL_CONFIG)
    listed = (await world.call("observer", "GET", f"agents/{agent['id']}/versions")).json()["results"]
    assert [(v["version"], v["parent_version"], v["is_promoted"]) for v in listed] == [
        (3, 2, False),
        (2, 1, True),
        (1, None, False),
    ]
    assert listed[0]["config_hash"] == listed[2]["config_hash"] != listed[1]["config_hash"]
    one = await world.call("observer", "GET", f"agents/{agent['id']}/versions/2")
    assert one.json() == listed[1]
    assert (await world.call("observer", "GET", f"agents/{agent['id']}/versions/9")).status_code == 404
    assert (await world.call("observer", "GET", f"agents/{agent['id']}/versions/0")).status_code == 404


async def test_a_difference_names_places_and_shows_texts(world: World) -> None:
    agent = await make(world)
    await put_config(world, agent, NEXT)
    body = (await world.call("observer", "GET", f"agents/{agent['id']}/diff?from=1&to=2")).json()
    assert (body["from"], body["to"]) == (1, 2)
    by_place = {edit["pointer"]: edit for edit in body["edits"]}
    assert by_place.keys() == {"/prompt/base", "/prompt/cot"}
    assert by_place["/prompt/base"]["op"] == "replace"
    assert "+Be brief." in by_place["/prompt/base"]["diff"]
    assert '-    "cot": "brief"' in body["text"]
    same = (await world.call("observer", "GET", f"agents/{agent['id']}/diff")).json()
    assert same == body
    assert (await world.call("observer", "GET", f"agents/{agent['id']}/diff?from=7")).status_code == 404


async def test_promotion_needs_approval_and_a_change(world: World) -> None:
    agent = await make(world)
    path = f"agents/{agent['id']}/promote"
    await put_config(world, agent, NEXT)
    refused = await world.call("contributor", "POST", path, json={"version": 2})
    assert refused.status_code == 403
    assert refused.json()["required_scope"] == "approve:agents"
    assert (await world.call("admin", "POST", path, json={"version": 1})).status_code == 400
    assert (await world.call("admin", "POST", path, json={"version": 9})).status_code == 404
    done = (await world.call("admin", "POST", path, json={"version": 2})).json()
    assert (done["promoted_version"], done["candidate_versions"]) == (2, [])
    assert (await world.call("admin", "POST", path, json={"version": 2})).status_code == 400
    back = (await world.call("admin", "POST", path, json={"version": 1})).json()
    assert (back["promoted_version"], back["candidate_versions"]) == (1, [2])
    log = (await world.call("admin", "GET", "audit?action=agent.promoted")).json()["results"]
    assert [event["detail"]["version"] for event in log] == [1, 2]


async def test_edits_of_a_change_set_make_a_version_and_can_be_rolled_back(world: World) -> None:
    agent = await make(world)
    changeset = new_id()
    edits = [Edit("/prompt/base", "replace", EXTERNAL_CONFIG["prompt"]["base"], "Short answers.")]
    async with world.writing("admin") as ctx:
        made = await agents.apply_edits(
            ctx, agent["id"], edits, source=VersionSource.CHANGESET, changeset_id=changeset, base_version=1
        )
        await agents.promote(ctx, agent["id"], made.version)
    assert made.config["prompt"]["base"] == "Short answers."
    assert (made.version, made.parent_version, made.changeset_id) == (2, 1, changeset)
    async with world.writing("admin") as ctx:
        restored = await agents.restore(ctx, agent["id"], 1, changeset_id=changeset)
    assert (restored.version, restored.source) == (3, VersionSource.ROLLBACK)
    served = (await world.call("contributor", "GET", f"agents/{agent['id']}/config")).json()
    assert (served["version"], served["config_hash"]) == (3, agent["config_hash"])


@pytest.mark.parametrize(
    "edit",
    [
        Edit("/prompt/base", "replace", "something else", "x"),
        Edit("/prompt/tone", "replace", None, "x"),
        Edit("/prompt/base/deeper", "add", None, "x"),
        Edit("/prompt/cot", "replace", "brief", "endless"),
        Edit("/unknown", "add", None, 1),
        Edit("prompt", "add", None, 1),
    ],
)
async def test_edits_that_do_not_fit_change_nothing(world: World, edit: Edit) -> None:
    agent = await make(world)
    with pytest.raises(SpecloopError) as caught:
        async with world.writing("admin") as ctx:
            await agents.apply_edits(ctx, agent["id"], [edit], source=VersionSource.CHANGESET)
    assert caught.value.status in (400, 422)
    assert (await world.call("observer", "GET", f"agents/{agent['id']}")).json()["latest_version"] == 1
