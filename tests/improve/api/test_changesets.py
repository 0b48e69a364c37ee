"""Change sets through the front door: decide, roll back, rebase, validate, modes (spectral.md §1.2.2, §1.2.4)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.improve.api.loop import Loop, tasks_of_b1

OVERRIDE = {"override": True, "reason": "checked by hand in a test"}


async def make_agent(world: Loop, **more: Any) -> str:
    config = {"params": {"threshold": 1.0, "margin": 0.0, "weights": {"name": 1.0}, "hints": {}, "reject": {}}}
    body = {"name": "Router", "runtime": {"kind": "tool-router"}, "config": config, **more}
    agent: str = (await world.post("agents", body))["id"]
    world.ids["agent"] = agent
    return agent


def edit(agent: str, value: float, pointer: str = "/params/threshold") -> dict[str, Any]:
    return {"agent_id": agent, "pointer": pointer, "op": "replace", "after": value}


async def propose(world: Loop, *edits: dict[str, Any], **more: Any) -> dict[str, Any]:
    return await world.post("changesets", {"title": "By hand", "edits": list(edits), **more}, status=201)


async def threshold(world: Loop, agent: str) -> float:
    return (await world.get(f"agents/{agent}/config"))["config"]["params"]["threshold"]


async def set_mode(world: Loop, mode: str) -> None:
    current = await world.get("autonomy")
    body = {**current, "mode": mode}
    answer = await world.call("owner", "PUT", "autonomy", json=body)
    assert answer.status_code == 200, answer.text


async def test_a_manual_change_set_explains_itself_and_is_served_after_an_override(world: Loop) -> None:
    agent = await make_agent(world)
    made = await propose(world, edit(agent, 0.5))
    assert (made["status"], made["base_versions"], made["verdict"]) == ("proposed", {agent: 1}, None)
    assert made["edits"][0]["before"] == 1.0
    assert set(made["explainability"]) == {
        "headline", "what_changed", "why", "evidence", "ablation", "regressions", "lineage", "cost_impact", "risk",
        "alternatives", "limits",
    }  # fmt: skip
    path = f"changesets/{made['id']}"
    refused = await world.call("owner", "POST", f"{path}/accept")
    assert refused.json()["type"].endswith("/gate-failed")
    short = await world.call("owner", "POST", f"{path}/accept", json={"override": True, "reason": "because"})
    assert short.status_code == 400
    accepted = await world.post(f"{path}/accept", OVERRIDE)
    assert (accepted["status"], accepted["decisions"][0]["verb"]) == ("accepted", "accepted")
    assert await threshold(world, agent) == 0.5
    twice = await world.call("owner", "POST", f"{path}/accept", json=OVERRIDE)
    assert twice.json()["transition"] == {
        "from": "accepted",
        "to": "accepted",
        "allowed": ["applied", "rolled_back"],
    }


async def test_accepting_needs_the_scope_to_approve(world: Loop) -> None:
    made = await propose(world, edit(await make_agent(world), 0.5))
    answer = await world.call("contributor", "POST", f"changesets/{made['id']}/accept", json=OVERRIDE)
    assert (answer.status_code, answer.json()["required_scope"]) == (403, "approve:agents")


async def test_a_rollback_adds_a_version_with_the_old_content(world: Loop) -> None:
    agent = await make_agent(world)
    before = await world.get(f"agents/{agent}/config")
    made = await propose(world, edit(agent, 0.5))
    await world.post(f"changesets/{made['id']}/accept", OVERRIDE)
    back = await world.post(f"changesets/{made['id']}/rollback", {"reason": "worse in production"})
    after = await world.get(f"agents/{agent}/config")
    assert back["status"] == "rolled_back"
    assert (after["version"], after["config_hash"]) == (3, before["config_hash"])
    again = await world.call("owner", "POST", f"changesets/{made['id']}/rollback", json={"reason": "again"})
    assert again.json()["type"].endswith("/invalid-transition")


async def test_a_later_change_on_the_same_place_blocks_a_rollback_unless_it_cascades(world: Loop) -> None:
    agent = await make_agent(world)
    first = await propose(world, edit(agent, 0.5))
    await world.post(f"changesets/{first['id']}/accept", OVERRIDE)
    second = await propose(world, edit(agent, 0.25))
    await world.post(f"changesets/{second['id']}/accept", OVERRIDE)
    path = f"changesets/{first['id']}/rollback"
    blocked = await world.call("owner", "POST", path, json={"reason": "undo"})
    assert blocked.json()["type"].endswith("/rollback-conflict")
    await world.post(path, {"reason": "undo all", "cascade": True})
    assert await threshold(world, agent) == 1.0
    assert (await world.get(f"changesets/{second['id']}"))["status"] == "rolled_back"


async def test_a_rival_on_the_same_place_is_superseded_and_another_goes_stale_until_rebased(world: Loop) -> None:
    agent = await make_agent(world)
    winner = await propose(world, edit(agent, 0.5))
    rival = await propose(world, edit(agent, 0.7))
    other = await propose(world, edit(agent, 0.2, "/params/margin"))
    await world.post(f"changesets/{winner['id']}/accept", OVERRIDE)
    beaten = await world.get(f"changesets/{rival['id']}")
    assert (beaten["status"], beaten["superseded_by"]) == ("superseded", winner["id"])
    stale = await world.call("owner", "POST", f"changesets/{other['id']}/accept", json=OVERRIDE)
    assert stale.json()["type"].endswith("/stale-base")
    rebased = await world.post(f"changesets/{other['id']}/rebase")
    assert rebased["base_versions"] == {agent: 2}
    await world.post(f"changesets/{other['id']}/accept", OVERRIDE)
    params = (await world.get(f"agents/{agent}/config"))["config"]["params"]
    assert (params["threshold"], params["margin"]) == (0.5, 0.2)


async def test_a_rejection_needs_a_reason_and_is_final(world: Loop) -> None:
    made = await propose(world, edit(await make_agent(world), 0.5))
    path = f"changesets/{made['id']}"
    assert (await world.call("owner", "POST", f"{path}/reject", json={"reason": " "})).status_code == 422
    assert (await world.post(f"{path}/reject", {"reason": "not convincing"}))["status"] == "rejected"
    for verb, body in [
        ("accept", OVERRIDE), ("reject", {"reason": "x"}), ("apply", {}), ("rollback", {"reason": "x"}),
        ("rebase", None), ("validation", {}),
    ]:  # fmt: skip
        answer = await world.call("owner", "POST", f"{path}/{verb}", json=body)
        assert answer.json()["type"].endswith("/invalid-transition"), (verb, answer.text)


async def test_apply_writes_the_edits_into_the_managed_template(world: Loop) -> None:
    template = await world.post("agents/templates", {"name": "Base", "config": {"params": {"threshold": 1.0}}})
    agent = await make_agent(world, template_id=template["id"])
    made = await propose(world, edit(agent, 0.5))
    early = await world.call("owner", "POST", f"changesets/{made['id']}/apply")
    assert early.json()["transition"]["from"] == "proposed"
    await world.post(f"changesets/{made['id']}/accept", OVERRIDE)
    assert (await world.post(f"changesets/{made['id']}/apply"))["status"] == "applied"
    shown = await world.get(f"agents/templates/{template['id']}")
    assert shown["config"]["params"]["threshold"] == 0.5


async def test_apply_without_a_template_is_refused(world: Loop) -> None:
    made = await propose(world, edit(await make_agent(world), 0.5))
    await world.post(f"changesets/{made['id']}/accept", OVERRIDE)
    answer = await world.call("owner", "POST", f"changesets/{made['id']}/apply")
    assert (answer.status_code, answer.json()["type"].rsplit("/")[-1]) == (400, "business-rule")


@pytest.mark.parametrize(
    ("mode", "verb", "works"),
    [
        ("observe_only", "accept", False),
        ("recommend", "accept", True),
        ("recommend", "rollback", False),
        ("manual", "rollback", True),
        ("bounded_auto", "accept", False),
        ("bounded_auto", "rollback", True),
    ],
)
async def test_the_autonomy_mode_decides_what_people_may_do(world: Loop, mode: str, verb: str, works: bool) -> None:
    made = await propose(world, edit(await make_agent(world), 0.5))
    path = f"changesets/{made['id']}"
    if verb == "rollback":
        await world.post(f"{path}/accept", OVERRIDE)
    await set_mode(world, mode)
    body = OVERRIDE if verb == "accept" else {"reason": "undo"}
    answer = await world.call("owner", "POST", f"{path}/{verb}", json=body)
    assert answer.status_code == (200 if works else 400), answer.text
    assert works or answer.json()["type"].endswith("/autonomy-forbids")


async def test_nothing_is_proposed_in_observe_only(world: Loop) -> None:
    agent = await make_agent(world)
    await set_mode(world, "observe_only")
    body = {"title": "x", "edits": [edit(agent, 0.5)]}
    answer = await world.call("owner", "POST", "changesets", json=body)
    assert answer.json()["type"].endswith("/autonomy-forbids")


@pytest.mark.parametrize(
    "wrong",
    [
        {"pointer": "/params/threshold", "after": 1.0},
        {"pointer": "/params/nowhere/deep", "after": 1},
        {"pointer": "/params/threshold", "op": "remove", "agent_id": "019aaaaa-0000-7000-8000-000000000000"},
        {"pointer": "params", "after": 1},
    ],
)
async def test_edits_that_lead_nowhere_or_change_nothing_are_refused(world: Loop, wrong: dict[str, Any]) -> None:
    agent = await make_agent(world)
    body = {"title": "x", "edits": [{"agent_id": agent, "op": "replace", **wrong}]}
    answer = await world.call("owner", "POST", "changesets", json=body)
    assert answer.status_code in {400, 422}, answer.text


async def test_an_edit_out_of_bounds_cannot_be_accepted(world: Loop) -> None:
    made = await propose(world, edit(await make_agent(world), 99.0))
    answer = await world.call("owner", "POST", f"changesets/{made['id']}/accept", json=OVERRIDE)
    assert answer.status_code == 422
    assert (await world.get(f"changesets/{made['id']}"))["status"] == "proposed"


async def test_validation_runs_on_the_holdout_and_shows_aggregates_only(world: Loop) -> None:
    wish = await world.set_up(tasks_of_b1(every=4))
    targets = {"sample_set_id": wish["sample_set_id"], "objective_id": wish["objective_id"]}
    made = await propose(world, edit(world.ids["agent"], 0.9), **targets)
    path = f"changesets/{made['id']}"
    started = await world.post(f"{path}/validation", {}, status=202)
    assert started["status"] == "queued"
    assert (await world.get(path))["status"] == "validating"
    busy = await world.call("owner", "POST", f"{path}/accept", json=OVERRIDE)
    assert busy.json()["transition"] == {"from": "validating", "to": "accepted", "allowed": ["proposed"]}
    ended = await world.until(f"{path}/validation/{started['id']}", {"passed", "failed", "inconclusive", "error"})
    assert ended["error"] is None
    assert {gate["name"] for gate in ended["gates"]} >= {"size", "freshness", "effect", "significance", "multiplicity"}
    assert (ended["holdout"]["looks_used"], ended["holdout"]["looks_left"]) == (1, 4)
    assert all(one["n"] >= 20 for one in ended["by_slice"])
    shown = await world.get(path)
    assert (shown["status"], shown["verdict"]) == ("proposed", ended["verdict"])
    changed = await world.call("owner", "PATCH", path, json={"edits": [edit(world.ids["agent"], 0.8)]})
    assert (changed.json()["verdict"], changed.json()["gates"]) == (None, [])


async def test_a_holdout_version_gives_five_looks_and_then_none(world: Loop) -> None:
    wish = await world.set_up(tasks_of_b1(every=12))
    targets = {"sample_set_id": wish["sample_set_id"], "objective_id": wish["objective_id"]}
    made = await propose(world, edit(world.ids["agent"], 0.9), **targets)
    path = f"changesets/{made['id']}"
    for look in range(1, 6):
        run = await world.post(f"{path}/validation", {}, status=202)
        ended = await world.until(f"{path}/validation/{run['id']}", {"passed", "failed", "inconclusive", "error"})
        assert ended["holdout"]["looks_used"] == look
    refused = await world.call("owner", "POST", f"{path}/validation", json={})
    assert (refused.status_code, refused.json()["looks_max"]) == (400, 5)


async def test_a_small_holdout_is_refused_with_the_power_table(world: Loop) -> None:
    wish = await world.set_up(tasks_of_b1(every=60))
    targets = {"sample_set_id": wish["sample_set_id"], "objective_id": wish["objective_id"]}
    made = await propose(world, edit(world.ids["agent"], 0.9), **targets)
    answer = await world.call("owner", "POST", f"changesets/{made['id']}/validation", json={})
    assert answer.json()["type"].endswith("/insufficient-samples")
    assert "10pp" in answer.json()["power"]["table"]


async def test_a_revealed_holdout_never_gives_a_pass(world: Loop) -> None:
    wish = await world.set_up(tasks_of_b1(every=8))
    targets = {"sample_set_id": wish["sample_set_id"], "objective_id": wish["objective_id"]}
    await world.get(f"samples/sets/{wish['sample_set_id']}/items?reveal=holdout")
    made = await propose(world, edit(world.ids["agent"], 0.9), **targets)
    run = await world.post(f"changesets/{made['id']}/validation", {}, status=202)
    ended = await world.until(
        f"changesets/{made['id']}/validation/{run['id']}", {"passed", "failed", "inconclusive", "error"}
    )
    assert ended["verdict"] == "fail"
    assert next(gate for gate in ended["gates"] if gate["name"] == "freshness")["passed"] is False


async def test_events_comments_and_both_forms_of_the_diff(world: Loop) -> None:
    made = await propose(world, edit(await make_agent(world), 0.5))
    path = f"changesets/{made['id']}"
    await world.post(f"{path}/comments", {"text": "looks right"}, who="contributor", status=201)
    assert [one["text"] for one in (await world.get(f"{path}/comments"))["results"]] == ["looks right"]
    await world.post(f"{path}/accept", OVERRIDE)
    events = (await world.get(f"{path}/events"))["results"]
    assert [(one["seq"], one["type"]) for one in events] == [(1, "changeset.proposed"), (2, "changeset.accepted")]
    unified = await world.call("observer", "GET", f"{path}/diff?format=unified")
    assert unified.text.splitlines()[-2:] == ["-1.0", "+0.5"]
    assert (await world.get(f"{path}/diff"))["edits"][0]["after"] == 0.5


async def test_another_tenants_change_set_does_not_exist(world: Loop) -> None:
    made = await propose(world, edit(await make_agent(world), 0.5))
    theirs = await world.first_workspace("stranger")
    for method, path in [("GET", ""), ("POST", "/accept"), ("GET", "/clusters"), ("GET", "/validation")]:
        target = f"/api/v1/workspaces/{theirs}/changesets/{made['id']}{path}"
        assert (await world.call("stranger", method, target)).status_code == 404
