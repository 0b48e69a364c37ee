"""Rubrics and objectives through the front door: versions, judges, weights (spectral.md §1.3 routers 12, 13)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.identity.workspaces.harness import World

RUBRICS = "evaluations/rubrics"
OBJECTIVES = "evaluations/objectives"


def dimension(key: str = "right_tool", **more: Any) -> dict[str, Any]:
    return {"key": key, "judge": {"kind": "code", "ref": "tool_call"}, **more}


async def make_rubric(world: World, **more: Any) -> dict[str, Any]:
    body = {"name": "Tool choice", "dimensions": [dimension()], **more}
    answer = await world.call("contributor", "POST", RUBRICS, json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def make_objective(world: World, rubric: dict[str, Any], **more: Any) -> dict[str, Any]:
    body = {"name": "Accuracy", "terms": [{"rubric_id": rubric["id"]}], **more}
    answer = await world.call("contributor", "POST", OBJECTIVES, json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_a_new_rubric_is_active_and_its_weights_are_shares(world: World) -> None:
    rubric = await make_rubric(world, dimensions=[dimension("a", weight=3), dimension("b", weight=1)])
    assert (rubric["status"], rubric["version"], rubric["active_version"]) == ("active", 1, 1)
    assert [one["weight"] for one in rubric["dimensions"]] == [0.75, 0.25]


async def test_changing_an_active_rubric_makes_the_next_draft_and_leaves_the_active_version_alone(world: World) -> None:
    rubric = await make_rubric(world)
    path = f"{RUBRICS}/{rubric['id']}"
    changed = await world.call("contributor", "PATCH", path, json={"dimensions": [dimension("other")]})
    assert (changed.json()["version"], changed.json()["status"], changed.json()["active_version"]) == (2, "draft", 1)
    old = (await world.call("observer", "GET", f"{path}?version=1")).json()
    assert [one["key"] for one in old["dimensions"]] == ["right_tool"]
    activated = (await world.call("contributor", "POST", f"{path}/activate")).json()
    assert (activated["status"], activated["active_version"]) == ("active", 2)
    versions = (await world.call("observer", "GET", f"{path}/versions")).json()["results"]
    assert [(one["version"], one["status"]) for one in versions] == [(2, "active"), (1, "archived")]


async def test_activating_what_is_already_active_is_an_invalid_transition(world: World) -> None:
    rubric = await make_rubric(world)
    answer = await world.call("contributor", "POST", f"{RUBRICS}/{rubric['id']}/activate")
    assert answer.status_code == 400
    assert answer.json()["transition"] == {"from": "active", "to": "active", "allowed": ["archived"]}


@pytest.mark.parametrize(
    "dimensions",
    [
        [],
        [dimension(), dimension()],
        [dimension(judge={"kind": "code", "ref": "no_such_judge"})],
        [dimension(judge={"kind": "model", "ref": "gpt"})],
        [dimension(weight=0)],
        [dimension("Bad Key")],
        [dimension(owner="me")],
    ],
)
async def test_a_rubric_that_makes_no_sense_is_refused(world: World, dimensions: list[dict[str, Any]]) -> None:
    answer = await world.call("contributor", "POST", RUBRICS, json={"name": "x", "dimensions": dimensions})
    assert answer.status_code == 422
    assert answer.json()["errors"]


async def test_an_etag_that_is_out_of_date_stops_a_change(world: World) -> None:
    rubric = await make_rubric(world)
    path = f"{RUBRICS}/{rubric['id']}"
    stale = (await world.call("observer", "GET", path)).headers["etag"]
    await world.call("contributor", "PATCH", path, json={"name": "New"})
    answer = await world.call("contributor", "PATCH", path, json={"name": "Late"}, headers={"If-Match": stale})
    assert answer.status_code == 412


async def test_a_preview_scores_one_output_and_says_why(world: World) -> None:
    rubric = await make_rubric(world)
    body = {"output": {"tool": None}, "reference": {"tool": "find_movie"}}
    found = (await world.call("contributor", "POST", f"{RUBRICS}/{rubric['id']}/preview", json=body)).json()
    assert found["score"] == 0.0
    assert "find_movie" in found["dimensions"][0]["rationale"]


async def test_a_judge_without_a_reference_is_an_error_and_never_a_zero(world: World) -> None:
    rubric = await make_rubric(world)
    body = {"output": {"tool": None}}
    found = (await world.call("contributor", "POST", f"{RUBRICS}/{rubric['id']}/preview", json=body)).json()
    assert (found["score"], found["dimensions"][0]["outcome"]) == (None, "error")


async def test_another_tenants_rubric_looks_like_one_that_does_not_exist(world: World) -> None:
    rubric = await make_rubric(world)
    theirs = await world.first_workspace("stranger")
    path = f"/api/v1/workspaces/{theirs}/{RUBRICS}/"
    foreign = await world.call("stranger", "GET", path + rubric["id"])
    unknown = await world.call("stranger", "GET", path + "019aaaaa-0000-7000-8000-000000000000")
    assert foreign.status_code == unknown.status_code == 404
    assert foreign.json() == unknown.json()


async def test_an_objective_pins_the_active_version_of_its_rubric(world: World) -> None:
    rubric = await make_rubric(world)
    objective = await make_objective(world, rubric)
    assert objective["terms"][0]["rubric_version"] == 1
    assert (objective["min_effect"], objective["alpha"], objective["missing"]) == (0.02, 0.05, "fail")


@pytest.mark.parametrize(
    "change",
    [
        {"terms": [{"rubric_id": "019aaaaa-0000-7000-8000-000000000000"}]},
        {"terms": [{"rubric_id": "RUBRIC", "rubric_version": 7}]},
        {"terms": [{"rubric_id": "RUBRIC", "weight": 0}]},
        {"terms": [{"rubric_id": "RUBRIC", "dimension": "nothing"}]},
        {"constraints": [{"metric": "happiness", "op": "<=", "value": 1}]},
        {"constraints": [{"metric": "dimension:nothing", "op": "<=", "value": 1}]},
        {"alpha": 0.9},
    ],
)
async def test_an_objective_that_makes_no_sense_is_refused(world: World, change: dict[str, Any]) -> None:
    rubric = await make_rubric(world)
    for term in change.get("terms", []):
        term["rubric_id"] = rubric["id"] if term["rubric_id"] == "RUBRIC" else term["rubric_id"]
    body = {"name": "x", "terms": [{"rubric_id": rubric["id"]}], **change}
    assert (await world.call("contributor", "POST", OBJECTIVES, json=body)).status_code == 422


async def test_an_archived_rubric_cannot_be_used(world: World) -> None:
    rubric = await make_rubric(world)
    assert (await world.call("contributor", "DELETE", f"{RUBRICS}/{rubric['id']}")).status_code == 204
    body = {"name": "x", "terms": [{"rubric_id": rubric["id"]}]}
    answer = await world.call("contributor", "POST", OBJECTIVES, json=body)
    assert (answer.status_code, answer.json()["type"].rsplit("/")[-1]) == (400, "business-rule")
    listed = (await world.call("observer", "GET", RUBRICS)).json()["pagination"]["total"]
    archived = (await world.call("observer", "GET", f"{RUBRICS}?status=archived")).json()["pagination"]["total"]
    assert (listed, archived) == (0, 1)


async def test_changing_only_a_weight_keeps_the_rest_of_an_objective(world: World) -> None:
    objective = await make_objective(
        world, await make_rubric(world), constraints=[{"metric": "error_rate", "op": "<=", "value": 0.1}]
    )
    path = f"{OBJECTIVES}/{objective['id']}"
    changed = (await world.call("contributor", "PATCH", path, json={"min_effect": 0.05})).json()
    assert (changed["version"], changed["min_effect"], changed["constraints"]) == (2, 0.05, objective["constraints"])


async def test_an_observer_reads_but_does_not_write(world: World) -> None:
    answer = await world.call("observer", "POST", RUBRICS, json={"name": "x", "dimensions": [dimension()]})
    assert (answer.status_code, answer.json()["required_scope"]) == (403, "write:workspace")
