"""Sample sets through the front door: bulk, division, freezing, the sealed holdout (spectral.md §1.3 router 14)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import text

from tests.identity.workspaces.harness import World

SETS = "samples/sets"


def items(count: int, **more: Any) -> list[dict[str, Any]]:
    topics = ["film", "train", "hotel", "bank", "song", "taxi", "news"]
    return [
        {
            "input": {"request": f"{topics[i % 7]} wish number {i} with {'abcdefghij'[i % 10] * 3} {i * i}"},
            "reference": {"tool": None if i % 2 else "find"},
            "metadata": {"label": "none" if i % 2 else "find"},
            **more,
        }
        for i in range(count)
    ]


async def make_set(world: World, count: int = 0, **more: Any) -> str:
    answer = await world.call("contributor", "POST", SETS, json={"name": "Requests"})
    assert answer.status_code == 201, answer.text
    set_id: str = answer.json()["id"]
    if count:
        added = await world.call("contributor", "POST", f"{SETS}/{set_id}/items", json={"items": items(count, **more)})
        assert (added.status_code, added.json()["accepted"]) == (201, count), added.text
    return set_id


async def test_the_division_gives_every_sample_one_part_in_the_default_ratios(world: World) -> None:
    set_id = await make_set(world, 400)
    divided = (await world.call("contributor", "POST", f"{SETS}/{set_id}/split", json={})).json()
    counts = divided["counts"]
    assert (sum(counts.values()), counts["unassigned"]) == (400, 0)
    assert 160 <= counts["train"] <= 240
    assert 50 <= counts["val"] <= 110
    assert 85 <= counts["holdout"] <= 155


async def test_dividing_twice_with_one_seed_gives_the_same_parts_and_another_seed_others(world: World) -> None:
    set_id = await make_set(world, 120)

    async def train_ids(seed: int) -> list[str]:
        await world.call("contributor", "POST", f"{SETS}/{set_id}/split", json={"seed": seed})
        page = await world.call("observer", "GET", f"{SETS}/{set_id}/items?split=train&limit=100")
        return [one["id"] for one in page.json()["results"]]

    first = await train_ids(1)
    assert first != await train_ids(2)
    assert first == await train_ids(1)


async def test_a_stratified_division_spreads_each_label_by_the_ratios(world: World) -> None:
    set_id = await make_set(world, 200)
    body = {"stratify_by": "label", "ratios": {"train": 0.5, "val": 0.2, "holdout": 0.3}}
    await world.call("contributor", "POST", f"{SETS}/{set_id}/split", json=body)
    stats = (await world.call("observer", "GET", f"{SETS}/{set_id}/stats")).json()
    assert stats["by_label"]["train"] == {"find": 50, "none": 50}
    assert stats["by_label"]["val"] == {"find": 20, "none": 20}


async def test_samples_of_one_group_stay_in_one_part(world: World) -> None:
    set_id = await make_set(world)
    grouped = [{**one, "group_key": f"user-{i % 5}"} for i, one in enumerate(items(60))]
    await world.call("contributor", "POST", f"{SETS}/{set_id}/items", json={"items": grouped})
    await world.call("contributor", "POST", f"{SETS}/{set_id}/split", json={})
    stats = (await world.call("observer", "GET", f"{SETS}/{set_id}/stats")).json()
    assert stats["leakage"]["groups_in_two_parts"] == 0
    assert all(count % 12 == 0 for count in stats["by_split"].values())


@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        ("application/json", json.dumps({"items": items(3)})),
        ("application/x-ndjson", "\n".join(json.dumps(one) for one in items(3)) + "\n"),
        ("text/csv", 'input,reference,split\n"{""request"":""a""}",1,train\nplain text,,val\nthird,,\n'),
    ],
)
async def test_bulk_items_come_as_json_ndjson_or_csv(world: World, media_type: str, body: str) -> None:
    set_id = await make_set(world)
    answer = await world.call(
        "contributor", "POST", f"{SETS}/{set_id}/items", content=body, headers={"Content-Type": media_type}
    )
    assert (answer.status_code, answer.json()["accepted"]) == (201, 3), answer.text


async def test_one_wrong_item_refuses_the_whole_bulk_and_names_it(world: World) -> None:
    set_id = await make_set(world)
    wrong: list[Any] = [*items(2), {"input": {}, "split": "test"}]
    answer = await world.call("contributor", "POST", f"{SETS}/{set_id}/items", json={"items": wrong})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["loc"][:4] == ["body", "items", 2, "split"]
    total = (await world.call("observer", "GET", f"{SETS}/{set_id}/items")).json()["pagination"]["total"]
    assert total == 0


async def test_more_than_a_thousand_items_are_too_many(world: World) -> None:
    set_id = await make_set(world)
    body = {"items": [{"input": i} for i in range(1001)]}
    assert (await world.call("contributor", "POST", f"{SETS}/{set_id}/items", json=body)).status_code == 413


async def test_a_frozen_version_refuses_every_edit_and_the_next_version_keeps_each_sample_in_its_part(
    world: World,
) -> None:
    set_id = await make_set(world, 100)
    frozen = (await world.call("contributor", "POST", f"{SETS}/{set_id}/freeze")).json()
    assert (frozen["status"], frozen["counts"]["unassigned"]) == ("frozen", 0)
    first = (await world.call("observer", "GET", f"{SETS}/{set_id}/items?split=train")).json()["results"][0]
    edits: list[tuple[str, str, dict[str, Any]]] = [
        ("POST", "items", {"json": {"items": items(1)}}),
        ("PATCH", f"items/{first['id']}", {"json": {"input": 1}}),
        ("DELETE", f"items/{first['id']}", {}),
        ("POST", "split", {"json": {}}),
        ("POST", "freeze", {}),
    ]
    for method, path, options in edits:
        answer = await world.call("contributor", method, f"{SETS}/{set_id}/{path}", **options)
        assert answer.status_code == 400, (path, answer.text)
    following = (await world.call("contributor", "POST", f"{SETS}/{set_id}/versions")).json()
    assert (following["version"], following["status"], following["counts"]) == (2, "draft", frozen["counts"])
    await world.call("contributor", "POST", f"{SETS}/{set_id}/split", json={"seed": 99})
    again = await world.call("observer", "GET", f"{SETS}/{set_id}/items?split=train&limit=100")
    before = await world.call("observer", "GET", f"{SETS}/{set_id}/items?split=train&limit=100&version=1")
    assert [one["id"] for one in again.json()["results"]] == [one["id"] for one in before.json()["results"]]


async def test_the_holdout_is_ids_only_for_everybody(world: World) -> None:
    set_id = await make_set(world, 20, split="holdout")
    for who in ("observer", "admin", "owner"):
        page = (await world.call(who, "GET", f"{SETS}/{set_id}/items?split=holdout")).json()
        assert page["pagination"]["total"] == 20
        assert all(one["sealed"] and one["input"] is None and one["metadata"] is None for one in page["results"])
    everything = (await world.call("owner", "GET", f"{SETS}/{set_id}/items")).json()
    assert everything["results"] == []


async def test_the_reveal_needs_an_admin_and_is_audited_and_burns_the_version(world: World) -> None:
    set_id = await make_set(world, 20, split="holdout")
    path = f"{SETS}/{set_id}/items?reveal=holdout"
    assert (await world.call("contributor", "GET", path)).json()["required_scope"] == "admin:workspace"
    assert (await world.call("owner", "GET", f"{SETS}/{set_id}")).json()["sealed"] is True
    shown = (await world.call("admin", "GET", path)).json()
    assert shown["results"][0]["input"]["request"].startswith("film")
    assert (await world.call("owner", "GET", f"{SETS}/{set_id}")).json()["sealed"] is False
    async with world.writing() as ctx:
        found = await ctx.session.execute(
            text("SELECT actor_id FROM audit_events WHERE action = 'sample_set.holdout_revealed'")
        )
        assert [row[0] for row in found] == [world.gate.people["admin"].user_id]


async def test_a_sealed_sample_cannot_be_changed(world: World) -> None:
    set_id = await make_set(world, 3, split="holdout")
    sealed = (await world.call("owner", "GET", f"{SETS}/{set_id}/items?split=holdout")).json()["results"][0]["id"]
    answer = await world.call("owner", "PATCH", f"{SETS}/{set_id}/items/{sealed}", json={"input": 1})
    assert answer.json()["type"].endswith("/holdout-sealed")


async def test_statistics_say_what_the_holdout_can_prove(world: World) -> None:
    set_id = await make_set(world, 100, split="holdout")
    await world.call("contributor", "POST", f"{SETS}/{set_id}/items", json={"items": items(3)})
    stats = (await world.call("observer", "GET", f"{SETS}/{set_id}/stats")).json()
    assert stats["by_split"] == {"train": 0, "val": 0, "holdout": 100, "unassigned": 3}
    assert stats["duplicates"] == 3
    assert stats["power"]["detectable_effect"] >= 0.13


async def test_a_bulk_with_one_key_is_stored_once(world: World) -> None:
    set_id = await make_set(world)
    path = f"{SETS}/{set_id}/items"
    first = await world.call("contributor", "POST", path, json={"items": items(5)}, headers={"Idempotency-Key": "k"})
    again = await world.call("contributor", "POST", path, json={"items": items(5)}, headers={"Idempotency-Key": "k"})
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json() == first.json()
    assert (await world.call("observer", "GET", path)).json()["pagination"]["total"] == 5
