"""The whole loop on B1 through the front door: scan, verdict on the holdout, accept, served (spectral.md §2.6.1)."""

from __future__ import annotations

from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.improve.api.loop import Loop, tasks_of_b1


async def test_a_scan_of_b1_is_proved_on_the_holdout_and_served_after_accept(
    world: Loop, spans: InMemorySpanExporter
) -> None:
    wish = await world.set_up(tasks_of_b1())
    scan = await world.scan(wish)
    assert (scan["status"], scan["outcome"], scan["error"]) == ("completed", "changesets_proposed", None)
    (changeset_id,) = scan["results"]["changeset_ids"]
    changeset = await world.get(f"changesets/{changeset_id}")
    evidence = changeset["explainability"]["evidence"]
    assert (changeset["status"], changeset["verdict"]) == ("proposed", "pass"), changeset["gates"]
    assert evidence["source"] == "holdout"
    assert evidence["delta"] >= 0.07
    assert evidence["p_value"] < 1e-4
    assert len(changeset["gates"]) == 9
    accepted = await world.post(f"changesets/{changeset_id}/accept")
    assert (accepted["status"], accepted["result_versions"]) == ("accepted", {world.ids["agent"]: 2})
    served = await world.get(f"agents/{world.ids['agent']}/config")
    assert served["config_hash"] == changeset["candidate_hashes"][world.ids["agent"]]
    traced = scan["results"]["traced_runs"]
    assert traced >= 1000
    assert len(spans.get_finished_spans()) >= traced
