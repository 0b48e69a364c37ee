"""What is older than the workspace's settings allow is deleted at night, and nothing else."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from specloop.db.context import Context
from specloop.db.uow import ALL_WORKSPACES
from specloop.identity.workspaces.keeping import Erasure, Keeping, Sweeper
from specloop.improve.scans.tables import ScanEventRow, ScanRow
from specloop.kit.context import ANONYMOUS
from specloop.kit.ids import new_id
from specloop.record.search import IndexCheck, IndexReport
from specloop.record.traces.tables import ExportRow
from tests.record.keeping.house import DAY, House, Person
from tests.record.specstory.cli_emulator import LocalSession
from tests.record.specstory.samples import make_session

FOR_EVER = {"traces_days": None, "scan_events_days": None, "conversations_days": None, "audit_days": None}


async def keep(owner: Person, **days: int | None) -> None:
    """Set the retention of the owner's workspace."""
    body = {**FOR_EVER, "sessions_days": None, **days}
    answer = await owner.ask("PUT", f"{owner.path}/retention", body)
    assert answer.json() == body


async def events(owner: Person, action: str) -> list[dict[str, Any]]:
    """The audit rows of the workspace with that action."""
    answer = await owner.ask("GET", f"{owner.path}/audit?action={action}")
    return answer.json()["results"]


async def test_old_traces_go_with_what_was_said_about_them_and_newer_ones_stay(house: House, owner: Person) -> None:
    key, old, new, mixed = await owner.key(), *(secrets.token_hex(16) for _ in range(3))
    await owner.send_trace(key, old, days_old=28)
    await owner.send_trace(key, new, days_old=20)
    await owner.send_trace(key, mixed, days_old=28)
    await owner.send_trace(key, mixed, days_old=1)

    async def is_readable() -> bool:
        return await house.traces_of(owner.workspace_id) == {old, new, mixed}

    await house.until(is_readable)
    for trace_id in (old, new):
        await owner.ask("POST", f"{owner.path}/traces/{trace_id}/feedback", {"kind": "thumbs", "value": 1}, 201)
    await keep(owner, traces_days=25)
    assert await house.keeping.sweep_all() == {"traces": 1}
    assert await house.traces_of(owner.workspace_id) == {new, mixed}
    assert await house.count("trace_feedback", trace_id=old) == 0
    assert await house.count("trace_feedback", trace_id=new) == 1
    await owner.ask("GET", f"{owner.path}/traces/{old}", status=404)
    assert len((await owner.ask("GET", f"{owner.path}/traces/{mixed}")).json()["spans"]) == 4
    assert await house.keeping.sweep_all() == {}
    [row] = await events(owner, "retention.swept")
    assert row["detail"]["deleted"] == {"traces": 1}
    assert row["actor_kind"] == "system"


async def test_traces_may_be_kept_longer_than_time_is_counted(house: House, owner: Person) -> None:
    await keep(owner, traces_days=36_500)
    assert await house.keeping.sweep_all() == {}


async def export_traces(owner: Person, path: str = "") -> str:
    """The path of the file of a new export, which has been written. All such files of no traces are equal."""
    answer = await owner.ask("POST", f"{path or owner.path}/traces/export", {}, 202)
    location = answer.headers["location"]

    async def is_written() -> bool:
        return (await owner.ask("GET", location)).json()["state"] == "completed"

    await owner.house.until(is_written)
    return f"{location}/file"


def files(house: House) -> list[Path]:
    """What is in the blob store."""
    return [path for path in (house.folder / "blobs").rglob("*") if path.is_file()]


async def test_a_file_that_exports_share_goes_with_the_last_of_them(house: House, owner: Person) -> None:
    await keep(owner, traces_days=25)
    old, twin = await export_traces(owner), await export_traces(owner)
    house.clock.advance(10 * DAY)
    await owner.sign_in()
    young = await export_traces(owner)
    assert len(files(house)) == 1
    house.clock.advance(16 * DAY)
    await owner.sign_in()
    await house.keeping.sweep_all()
    assert await house.count("trace_exports") == 1
    await owner.ask("GET", old, status=404)
    await owner.ask("GET", twin, status=404)
    assert (await owner.ask("GET", young)).content == b""
    house.clock.advance(10 * DAY)
    await house.keeping.sweep_all()
    assert await house.count("trace_exports") == 0
    assert files(house) == []


async def test_equal_files_that_end_in_one_night_are_gone(house: House, owner: Person) -> None:
    await keep(owner, traces_days=25)
    for _ in range(2):
        await export_traces(owner)
    assert len(files(house)) == 1
    house.clock.advance(26 * DAY)
    await house.keeping.sweep_all()
    assert await house.count("trace_exports") == 0
    assert files(house) == []


async def test_equal_files_of_an_erased_workspace_are_gone_unless_another_has_them(house: House, owner: Person) -> None:
    rooms = [(await owner.ask("POST", "/api/v1/workspaces", {"name": name}, 201)).json()["id"] for name in "ab"]
    for room in (*rooms, rooms[1]):
        await export_traces(owner, f"/api/v1/workspaces/{room}")
    for left, room in zip((1, 0), rooms, strict=True):
        assert len(files(house)) == 1
        await owner.ask("DELETE", f"/api/v1/workspaces/{room}", status=204)
        house.clock.advance(32 * DAY)
        await owner.sign_in()
        await house.keeping.sweep_all()
        assert await house.count("workspaces", id=room) == 0
        assert len(files(house)) == left


async def test_an_export_that_never_ended_goes_by_its_beginning(house: House, owner: Person) -> None:
    ids: list[str] = []
    for days_old in (30, 20):
        row = ExportRow(
            id=new_id(),
            account_id=owner.account_id,
            workspace_id=owner.workspace_id,
            format="otlp-json",
            state="queued",
            conditions={},
            traces=0,
            spans=0,
            size=0,
            created_at=house.clock.now() - timedelta(days=days_old),
            created_by=owner.body["user_id"],
        )
        async with house.program.ground.database.writing(owner.workspace_id) as unit:
            unit.session.add(row)
        ids.append(row.id)
    await keep(owner, traces_days=25)
    await house.keeping.sweep_all()
    assert [await house.count("trace_exports", id=one) for one in ids] == [0, 1]


async def test_old_sessions_go_with_their_words_and_younger_ones_stay(house: House, owner: Person) -> None:
    old, young = make_session(1), LocalSession("young", "# Young\n\nNothing here tells a time.", "{}")
    stranger = await house.register()
    for who in (owner, stranger):
        await who.upload(old)  # it tells its own time, months ago
        await who.upload(young)  # as old as its upload
    assert await house.count("session_exchanges", workspace_id=owner.workspace_id)
    await keep(owner, sessions_days=30)
    assert await house.keeping.sweep_all() == {"sessions": 1}
    listed = (await owner.ask("GET", "/api/v1/projects/widgets/sessions")).json()["data"]["sessions"]
    assert [one["clientId"] for one in listed] == ["young"]
    for table in ("coding_sessions", "search_sessions"):
        assert await house.count(table, workspace_id=owner.workspace_id) == 1, table
        assert await house.count(table, workspace_id=stranger.workspace_id) == 2, table
    report = await index_report(house)
    assert report.is_sound, report
    assert await house.keeping.sweep_all() == {}
    house.clock.advance(31 * DAY)
    assert await house.keeping.sweep_all() == {"sessions": 1}
    assert await house.count("coding_sessions", workspace_id=owner.workspace_id) == 0


async def index_report(house: House) -> IndexReport:
    """Whether the text index holds just what is stored."""
    async with house.program.ground.database.reading(ALL_WORKSPACES) as unit:
        return await house.program.assembly.get(IndexCheck).check(Context(ANONYMOUS, unit, house.clock))


async def test_the_audit_log_and_archived_workspaces_are_swept_too(house: House, owner: Person) -> None:
    room = (await owner.ask("POST", "/api/v1/workspaces", {"name": "Old room"}, 201)).json()["id"]
    body = {**FOR_EVER, "audit_days": 10}
    await owner.ask("PUT", f"/api/v1/workspaces/{room}/retention", body)
    await owner.ask("DELETE", f"/api/v1/workspaces/{room}", status=204)
    kept = await house.count("audit_events", workspace_id=owner.workspace_id)
    house.clock.advance(11 * DAY)
    swept = await house.keeping.sweep_all()
    assert swept["audit"] >= 3
    assert await house.count("audit_events", workspace_id=room) == 1  # the row that tells of the sweep
    assert await house.count("audit_events", workspace_id=owner.workspace_id) == kept


async def test_settings_that_an_older_version_wrote_keep_sessions(house: House, owner: Person) -> None:
    answer = await owner.ask("PUT", f"{owner.path}/retention", FOR_EVER)
    assert answer.json()["sessions_days"] is None
    await owner.ask("PUT", f"{owner.path}/retention", {"sessions_days": 0}, 422)


async def test_a_workspace_is_erased_a_month_after_it_was_archived(house: House, owner: Person) -> None:
    room = (await owner.ask("POST", "/api/v1/workspaces", {"name": "Old room"}, 201)).json()["id"]
    key, trace_id = await owner.key(room), secrets.token_hex(16)
    await owner.send_trace(key, trace_id)

    async def is_readable() -> bool:
        return await house.traces_of(room) == {trace_id}

    await house.until(is_readable)
    await owner.ask("DELETE", f"/api/v1/workspaces/{room}", status=204)
    house.clock.advance(29 * DAY)
    await house.keeping.sweep_all()
    assert await house.count("workspaces", id=room) == 1
    house.clock.advance(2 * DAY)
    await house.keeping.sweep_all()
    assert await house.count("workspaces", id=room) == 0
    assert await house.traces_of(room) == set()
    for table in ("api_keys", "audit_events", "workspace_members", "otlp_intake"):
        assert await house.count(table, workspace_id=room) == 0, table
    assert await house.count("workspaces", id=owner.workspace_id) == 1


async def add_scan(house: House, owner: Person, days_old: int) -> str:
    """A scan that finished some days ago, with two events; nothing else of it is looked at."""
    moment = house.clock.now() - timedelta(days=days_old)
    where = {"account_id": owner.account_id, "workspace_id": owner.workspace_id}
    ids = {name: new_id() for name in ("agent_id", "sample_set_id", "sample_set_version_id", "objective_id")}
    columns = "labels plan readiness results used timings engine_versions draft_insight error"
    documents: dict[str, Any] = {name: {} for name in columns.split()}
    scan = ScanRow(
        **where,
        **ids,
        **documents,
        id=new_id(),
        objective_version_id=new_id(),
        seed=1,
        status="completed",
        created_at=moment,
        updated_at=moment,
        finished_at=moment,
        created_by=owner.body["user_id"],
    )
    events = [
        ScanEventRow(**where, scan_id=scan.id, seq=number, ts=moment, type="note", level="info", data={})
        for number in (1, 2)
    ]
    async with house.program.ground.database.writing(owner.workspace_id) as unit:
        unit.session.add(scan)
        await unit.session.flush()
        unit.session.add_all(events)
    return scan.id


async def test_events_of_old_scans_go_and_the_scans_stay(house: House, owner: Person) -> None:
    old, young = await add_scan(house, owner, 40), await add_scan(house, owner, 20)
    await keep(owner, scan_events_days=30)
    assert await house.keeping.sweep_all() == {"scan_events": 1}
    assert await house.count("scan_events", scan_id=old) == 0
    assert await house.count("scan_events", scan_id=young) == 2
    assert await house.count("scans") == 2
    assert await house.keeping.sweep_all() == {}


async def test_a_workspace_that_fails_does_not_hold_up_the_others(house: House, owner: Person) -> None:
    stranger = await house.register()
    for who in (owner, stranger):
        await who.upload(make_session(1))
        await keep(who, sessions_days=1)
    broken = Failing(owner.workspace_id, house.keeping._sweepers[1])  # pyright: ignore[reportPrivateUsage]
    ground = house.program.ground
    keeping = Keeping(ground.database, house.clock, [broken], Erasure(ground.database, house.clock, ()))
    with pytest.raises(ExceptionGroup):
        await keeping.sweep_all()
    assert await house.count("coding_sessions", workspace_id=owner.workspace_id) == 1
    assert await house.count("coding_sessions", workspace_id=stranger.workspace_id) == 0
    assert await house.keeping.sweep_all() == {"sessions": 1}


@dataclass
class Failing:
    """A sweeper for which one workspace is out of reach."""

    workspace_id: str
    sweeper: Sweeper
    kind: str = "sessions"

    async def sweep(self, ctx: Context, before: datetime) -> int:
        """As the other one does, elsewhere."""
        if ctx.workspace_id == self.workspace_id:
            raise OSError("out of reach")
        return await self.sweeper.sweep(ctx, before)
