"""Scans through the front door: steer, watch, resume, read findings (spectral.md §1.2.1, §1.3 routers 7 and 9)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text

from specloop.improve.scans.runner.hosts import InProcess
from tests.improve.api.loop import FINAL, Loop, tasks_of_b1

LIFECYCLE = {
    "scan.queued", "scan.started", "scan.resumed", "scan.paused", "scan.completed", "checkpoint.saved",
    "changeset.proposed", "validation.started", "validation.finished", "preflight.result",
}  # fmt: skip
RUNNING = {"running", *FINAL}
SMALL = {"max_evaluations": 4000}


async def found_by(world: Loop, scan_id: str) -> tuple[list[Any], list[Any]]:
    """What must not depend on interruptions: the candidates, and the engine's own events."""
    candidates = (await world.get(f"scans/{scan_id}/candidates?limit=100"))["results"]
    events: list[Any] = []
    cursor = ""
    while True:
        page = await world.get(f"scans/{scan_id}/events?limit=100{cursor}")
        events += page["results"]
        following = page["pagination"].get("next_cursor")
        if following is None:
            break
        cursor = f"&cursor={following}"
    assert [one["seq"] for one in events] == list(range(1, len(events) + 1))
    names = ("ordinal", "config_hash", "operator", "mb_score", "val_score", "on_frontier", "accepted", "reject_reason")
    kept = [[one[name] for name in names] for one in candidates]
    return kept, [(one["type"], one["data"]) for one in events if one["type"] not in LIFECYCLE]


async def test_a_paused_scan_goes_on_and_ends_as_if_it_had_never_stopped(world: Loop) -> None:
    wish = {**await world.set_up(tasks_of_b1(every=5)), "budget": {"max_evaluations": 5_000}}
    unbroken = await world.scan({**wish, "dry_run": True})
    assert unbroken["status"] == "completed"
    started = await world.post("scans", {**wish, "dry_run": True}, status=202)
    path = f"scans/{started['id']}"
    await world.until(path, RUNNING)
    await world.post(f"{path}/pause", status=202)
    paused = await world.until(path, {"paused", *FINAL})
    assert (paused["status"], paused["results"]) == ("paused", None)
    busy = await world.call("owner", "POST", "scans", json=wish)
    assert busy.json()["scan_id"] == started["id"]
    await world.post(f"{path}/resume", status=202)
    ended = await world.until(path, FINAL)
    assert (ended["status"], ended["attempt"]) == ("completed", 2)
    assert await found_by(world, ended["id"]) == await found_by(world, unbroken["id"])


async def test_a_scan_whose_worker_dies_is_taken_up_by_the_next_one(world: Loop) -> None:
    wish = {**await world.set_up(tasks_of_b1(every=5)), "budget": {"max_evaluations": 5_000}}
    unbroken = await world.scan({**wish, "dry_run": True})
    started = await world.post("scans", {**wish, "dry_run": True}, status=202)
    path = f"scans/{started['id']}"
    await world.until(path, RUNNING)
    await world.restart_worker()
    ended = await world.until(path, FINAL)
    assert ended["status"] == "completed"
    assert ended["attempt"] == 2
    assert await found_by(world, ended["id"]) == await found_by(world, unbroken["id"])


async def test_a_search_in_a_process_of_its_own_finds_the_same_as_one_in_a_thread(
    world: Loop,
) -> None:
    wish = {**await world.set_up(tasks_of_b1(every=8)), "budget": SMALL, "dry_run": True}
    in_thread = await world.scan(wish)
    await world.use_host(InProcess())
    in_process = await world.scan(wish)
    assert in_process["status"] == "completed", in_process["error"]
    assert await found_by(world, in_process["id"]) == await found_by(world, in_thread["id"])


async def test_a_202_answers_at_once_and_a_replay_starts_no_second_scan(world: Loop) -> None:
    wish = {**await world.set_up(tasks_of_b1(every=12)), "budget": SMALL}
    headers = {"Idempotency-Key": "one"}
    first = await world.call("owner", "POST", "scans", json=wish, headers=headers)
    assert first.json()["status"] in {"queued", "running"}
    assert (first.status_code, first.headers["location"]) == (202, f"{world.base}/scans/{first.json()['id']}")
    again = await world.call("owner", "POST", "scans", json=wish, headers=headers)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json()["id"] == first.json()["id"]
    await world.until(f"scans/{first.json()['id']}", FINAL)
    assert (await world.get("scans"))["pagination"]["total"] == 1


async def test_what_an_active_scan_uses_cannot_be_archived(world: Loop) -> None:
    wish = await world.set_up(tasks_of_b1(every=2))
    started = await world.post("scans", wish, status=202)
    for path in (
        f"evaluations/rubrics/{world.ids['rubric']}",
        f"evaluations/objectives/{world.ids['objective']}",
        f"samples/sets/{world.ids['set']}",
    ):
        answer = await world.call("owner", "DELETE", path)
        assert (answer.status_code, answer.json()["scan_id"]) == (400, started["id"])
    await world.call("owner", "POST", f"scans/{started['id']}/cancel")
    ended = await world.until(f"scans/{started['id']}", FINAL)
    assert ended["status"] == "cancelled"
    for verb in ("cancel", "pause", "resume"):
        refused = await world.call("owner", "POST", f"scans/{started['id']}/{verb}")
        assert refused.json()["transition"]["from"] == "cancelled"
    retried = await world.post(f"scans/{started['id']}/retry", status=202)
    assert (retried["retry_of"], retried["seed"]) == (started["id"], started["seed"])
    await world.post(f"scans/{retried['id']}/cancel", status=202)
    await world.until(f"scans/{retried['id']}", FINAL)


async def test_observe_only_keeps_the_proposal_as_a_draft_insight(world: Loop) -> None:
    wish = {**await world.set_up(tasks_of_b1(every=6)), "budget": {"max_evaluations": 4000}}
    current = await world.get("autonomy")
    await world.call("owner", "PUT", "autonomy", json={**current, "mode": "observe_only"})
    scan = await world.scan(wish)
    assert scan["status"] == "completed", scan["error"]
    assert scan["results"]["changeset_ids"] == []
    assert scan["draft_insight"]["edits"]
    assert (await world.get("changesets"))["pagination"]["total"] == 0


async def test_a_budget_too_small_to_find_anything_is_a_success_without_a_change_set(world: Loop) -> None:
    wish = {**await world.set_up(tasks_of_b1(every=12)), "budget": {"max_evaluations": 130}}
    scan = await world.scan(wish)
    assert scan["status"] == "completed"
    assert scan["outcome"] in {"no_improvement", "budget_exhausted"}
    assert scan["budget"]["used"]["evaluations"] <= 130
    assert scan["results"]["changeset_ids"] == []


async def test_everything_a_scan_found_can_be_read_and_nothing_of_the_holdout(world: Loop) -> None:
    wish = {**await world.set_up(tasks_of_b1(every=6)), "budget": {"max_evaluations": 4000}}
    scan = await world.scan(wish)
    path = f"scans/{scan['id']}"
    best = scan["results"]["best_candidate_id"]
    detail = await world.get(f"{path}/candidates/{best}")
    assert detail["edits"]
    assert len(detail["val_by_sample"]) == scan["readiness"]["counts"]["val"]
    async with world.writing() as ctx:
        sealed = {row[0] for row in await ctx.session.execute(text("SELECT id FROM holdout_samples"))}
    assert not sealed & set(detail["val_by_sample"])
    one = next(iter(detail["val_by_sample"]))
    rows = (await world.get(f"{path}/evaluations?candidate_id={best}&sample_id={one}"))["results"]
    assert [(row["score"], row["split"]) for row in rows] == [(detail["val_by_sample"][one], "val")]
    assert rows[0]["trace_id"]
    tree = (await world.get(f"{path}/clusters?limit=100"))["results"]
    kinds = [cluster for cluster in tree if cluster["parent_id"] is None]
    assert abs(sum(cluster["share"] for cluster in kinds) - 1) < 1e-9
    cost = await world.get(f"{path}/cost")
    assert sum(part["micro_usd"] for part in cost["by_model"]) == cost["total_micro_usd"] == 0
    assert cost["evaluations"] == scan["results"]["evaluations"]
    assert (await world.get(f"{path}/report"))["outcome"] == scan["outcome"]
    for form, start in (("md", "# Scan"), ("html", "<!doctype html>")):
        assert (await world.call("observer", "GET", f"{path}/report?format={form}")).text.startswith(start)


async def test_clusters_are_curated_while_the_change_set_is_undecided(world: Loop) -> None:
    wish = {**await world.set_up(tasks_of_b1(every=6)), "budget": {"max_evaluations": 4000}}
    scan = await world.scan(wish)
    (changeset_id,) = scan["results"]["changeset_ids"]
    path = f"changesets/{changeset_id}/clusters"
    first = (await world.get(path))["results"][0]
    members = await world.get(f"{path}/{first['id']}/members")
    assert members["pagination"]["total"] == first["size"]
    body = {"name": "Calls nobody made", "severity": "critical", "status": "confirmed"}
    curated = (await world.call("contributor", "PATCH", f"{path}/{first['id']}", json=body)).json()
    assert (curated["name"], curated["curated"], curated["status"]) == (body["name"], True, "confirmed")
    await world.post(f"changesets/{changeset_id}/reject", {"reason": "not now"})
    late = await world.call("contributor", "PATCH", f"{path}/{first['id']}", json={"name": "Late"})
    assert late.status_code == 400


async def test_the_event_stream_goes_on_behind_the_last_event_id(world: Loop) -> None:
    wish = {**await world.set_up(tasks_of_b1(every=12)), "budget": SMALL}
    scan = await world.scan(wish)
    path = f"scans/{scan['id']}/events"
    everything = (await world.get(f"{path}?limit=100"))["pagination"]["total"]
    headers = {"Accept": "text/event-stream", "Last-Event-ID": "3"}
    stream = (await world.call("observer", "GET", path, headers=headers)).text
    ids = [int(line.removeprefix("id: ")) for line in stream.splitlines() if line.startswith("id: ")]
    assert ids == list(range(4, everything + 1))


async def test_preflight_names_what_stands_in_the_way_and_starts_nothing(world: Loop) -> None:
    wish = await world.set_up(tasks_of_b1(every=12))
    ready = await world.post("scans/preflight", wish)
    assert (ready["is_ready"], ready["blockers"]) == (True, [])
    assert ready["power"]["detectable_effect"] > 0.1
    empty = await world.post("samples/sets", {"name": "Empty"})
    blocked = await world.post("scans/preflight", {**wish, "sample_set_id": empty["id"]})
    assert (blocked["is_ready"], blocked["blockers"]) == (False, ["the sample set is empty"])
    refused = await world.call("owner", "POST", "scans", json={**wish, "components": ["nothing"]})
    assert refused.status_code == 400
    assert (await world.get("scans"))["pagination"]["total"] == 0
