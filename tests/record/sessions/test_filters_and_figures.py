"""Every filter acts, facets count, and sums add up, on both engines (specstory.md §2.2, §11)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from specloop.record.sessions import (
    ProjectOverview,
    SessionEditor,
    SessionFilters,
    SessionOrder,
    SessionReader,
    SessionRemoval,
    ShareStatus,
    Statistics,
)
from specloop.record.sessions.service.editing import SessionChange
from tests.record.sessions.conftest import Recorder, somebody
from tests.record.specstory.samples import make_session

NOON = datetime(2026, 8, 7, 12, tzinfo=UTC)
EVENING = datetime(2026, 8, 7, 20, tzinfo=UTC)
FILTERS: list[tuple[dict[str, Any], int]] = [
    ({}, 3),
    ({"agents": ["Codex CLI", "Claude Code"]}, 3),
    ({"agents": ["Codex CLI"]}, 1),
    ({"machines": ["tower"]}, 1),
    ({"device_ids": ["d1"]}, 1),
    ({"client_names": ["other"]}, 0),
    ({"models": ["claude-sonnet-4-5"]}, 3),
    ({"models": ["gpt-5"]}, 1),
    ({"branches": ["dev"]}, 1),
    ({"branches": ["dev", "main"]}, 3),
    ({"branches": ["DEV"]}, 0),
    ({"tags": ["urgent"], "branches": ["dev"]}, 1),
    ({"tags": ["urgent"], "branches": ["main"]}, 0),
    ({"files": ["src/a"]}, 3),
    ({"files": ["%"]}, 0),
    ({"tools": ["Bash"]}, 3),
    ({"tools": ["Read"]}, 0),
    ({"has_error": True}, 3),
    ({"has_error": False}, 0),
    ({"project_ids": ["widgets"]}, 2),
    ({"project_ids": ["widgets", "gadgets"]}, 3),
    ({"project_ids": ["none"]}, 0),
    ({"since": NOON, "until": EVENING}, 3),
    ({"since": EVENING}, 0),
    ({"until": NOON}, 0),
    ({"has_branches": True}, 3),
    ({"is_resumable": True}, 3),
    ({"is_resumable": False}, 0),
    ({"share_status": ShareStatus.UNLISTED}, 0),
]


@pytest.fixture
async def filled(recorder: Recorder) -> Recorder:
    """Two sessions in one project, one in another; somebody else has one, too."""
    await recorder.put(make_session(1), machineName="tower", deviceId="d1")
    await recorder.put(make_session(2, branch="dev"), agentName="Codex CLI", tags=["urgent", "x\x00y"])
    await recorder.put(make_session(3, 5), project="gadgets", llmModels=["gpt-5"])
    stranger = Recorder(recorder.database)
    await stranger.put(make_session(4), tags=["urgent"])
    return recorder


async def test_each_filter_chooses_its_sessions(filled: Recorder) -> None:
    reader = filled.get(SessionReader)
    async with filled.reading() as ctx:
        for chosen, expected in FILTERS:
            filters = SessionFilters(**chosen)
            assert await reader.count(ctx, filters) == expected, chosen
            assert len(await reader.list_sessions(ctx, filters)) == expected, chosen


async def test_pages_in_any_order_add_up_to_the_whole(filled: Recorder) -> None:
    reader = filled.get(SessionReader)
    async with filled.reading() as ctx:
        for order in SessionOrder:
            for descending in (True, False):
                whole = await reader.list_sessions(ctx, order=order, descending=descending)
                pages = [
                    one
                    for offset in range(4)
                    for one in await reader.list_sessions(
                        ctx, order=order, descending=descending, limit=1, offset=offset
                    )
                ]
                assert [one.id for one in pages] == [one.id for one in whole]
                assert len(whole) == 3


async def test_facets_count_sessions_by_value(filled: Recorder) -> None:
    async with filled.reading() as ctx:
        facets = await filled.get(SessionReader).facets(ctx)
        narrowed = await filled.get(SessionReader).facets(ctx, SessionFilters(branches=["dev"]))
    assert facets["agent"] == [("Claude Code", 2), ("Codex CLI", 1)]
    assert facets["project"] == [("widgets", 2), ("gadgets", 1)]
    assert facets["branch"] == [("main", 2), ("dev", 1)]
    assert facets["tag"] == [("urgent", 1), ("x\ufffdy", 1)]
    assert facets["model"] == [("claude-sonnet-4-5", 3), ("gpt-5", 1)]
    assert narrowed["project"] == [("widgets", 1)]


async def test_sums_by_any_key_add_up_to_the_total(filled: Recorder) -> None:
    statistics = filled.get(Statistics)
    async with filled.reading() as ctx:
        total = await statistics.totals(ctx)
        sums = [
            await statistics.by_day(ctx),
            await statistics.by_model(ctx),
            await statistics.by_agent(ctx),
            await statistics.by_project(ctx),
        ]
        tools = await statistics.tools(ctx)
        activity = await statistics.activity(ctx)
    assert (total.sessions, total.input_tokens, total.output_tokens) == (3, 9_000, 1_800)
    assert total.cache_read_tokens == 45_000
    assert total.cost_usd == pytest.approx(9 * (1_000 * 3 + 5_000 * 0.3 + 200 * 15) / 1e6)
    for parts in sums:
        assert sum(one.input_tokens for one in parts) == total.input_tokens
        assert sum(one.cost_usd or 0 for one in parts) == pytest.approx(total.cost_usd)
    assert [(one.name, one.sessions, one.calls, one.errors) for one in tools] == [("Bash", 3, 9, 4)]
    assert [(one.day, one.sessions, one.projects) for one in activity] == [("2026-08-07", 3, 2)]


async def test_nothing_recorded_has_figures_too(recorder: Recorder) -> None:
    async with recorder.reading() as ctx:
        total = await recorder.get(Statistics).totals(ctx)
        assert (total.sessions, total.input_tokens, total.cost_usd) == (0, 0, None)
        assert await recorder.get(ProjectOverview).list_summaries(ctx) == []
        assert await recorder.get(SessionReader).facets(ctx) == {}


async def test_project_figures_follow_uploads_and_deletions(filled: Recorder) -> None:
    overview, removal = filled.get(ProjectOverview), filled.get(SessionRemoval)
    async with filled.writing() as ctx:
        before = await overview.summary(ctx, "widgets")
        sessions = await filled.get(SessionReader).list_sessions(ctx, SessionFilters(project_ids=["widgets"]))
        assert before.session_count == before.resumable_count == 2
        assert before.markdown_size == sum(one.markdown_size for one in sessions)
        await removal.delete(ctx, sessions[0])
        after = await overview.summary(ctx, "widgets")
        assert (after.session_count, after.markdown_size) == (1, sessions[1].markdown_size)


async def test_sessions_belong_to_their_owner_even_in_one_workspace(filled: Recorder) -> None:
    colleague = Recorder(filled.database)
    other = somebody()
    colleague.who = type(other)(
        filled.who.account_id, other.kind, other.user_id, filled.who.workspace_id, name="colleague"
    )
    async with filled.reading() as ctx:
        session = (await filled.get(SessionReader).list_sessions(ctx))[0]
    async with colleague.reading() as ctx:
        reader = colleague.get(SessionReader)
        assert await reader.list_sessions(ctx) == []
        assert await reader.get_many(ctx, [session.id]) == {}
        assert await reader.exchanges(ctx, session.id) == []
        assert (await colleague.get(Statistics).totals(ctx)).sessions == 0


async def test_shared_ones_can_be_listed(filled: Recorder) -> None:
    async with filled.writing() as ctx:
        session = (await filled.get(SessionReader).list_sessions(ctx))[0]
        await filled.get(SessionEditor).change(ctx, session, SessionChange(share_status=ShareStatus.UNLISTED))
        shared = SessionFilters(share_status=ShareStatus.UNLISTED)
        assert [one.id for one in await filled.get(SessionReader).list_sessions(ctx, shared)] == [session.id]
