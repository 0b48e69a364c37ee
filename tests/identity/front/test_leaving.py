"""Exporting an account and deleting it: asked for over HTTP, done by jobs."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from httpx import Response
from sqlalchemy import text

from specloop.db.uow import ALL_WORKSPACES
from specloop.identity.accounts import LeavingService
from specloop.kit.ids import new_id
from tests.identity.front.program import Program, Visitor
from tests.identity.front.working import working

ACCOUNT = "/api/v1/account"
MONTH = 30 * 86_400


async def _finished(owner: Visitor, location: str) -> Response:
    async with asyncio.timeout(60):
        while (answer := await owner.get(location)).json()["status"] != "ready":  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    return answer


async def test_an_export_holds_the_accounts_rows_and_no_secret(
    program: Program, owner: Visitor, tmp_path: Path
) -> None:
    eve = await program.register("eve@test.com")
    key = (await owner.post(f"/api/v1/workspaces/{owner.workspace_id}/keys", {"name": "ci"})).json()["key"]
    asked = await owner.post(f"{ACCOUNT}/export")
    assert (asked.status_code, asked.json()["status"]) == (202, "queued")
    location = asked.headers["location"]
    assert (await owner.get(f"{location}/content")).status_code == 400
    assert (await eve.get(location)).status_code == 404
    async with working(program, tmp_path):
        await _finished(owner, location)
    content = await owner.get(f"{location}/content")
    assert content.status_code == 200
    tables: dict[str, list[dict[str, Any]]] = content.json()
    assert [row["id"] for row in tables["accounts"]] == [owner.account_id]
    assert [row["email"] for row in tables["users"]] == ["dev@test.com"]
    assert [row["name"] for row in tables["api_keys"]] == ["ci"]
    assert [row["id"] for row in tables["workspaces"]] == [owner.workspace_id]
    for secret in (key, "argon2", "digest", "eve@test.com", eve.account_id):
        assert secret not in content.text
    assert (await eve.get(f"{location}/content")).status_code == 404
    assert (await owner.get(f"{ACCOUNT}/exports/{new_id()}")).status_code == 404


async def test_an_export_is_deleted_after_a_week(program: Program, owner: Visitor, tmp_path: Path) -> None:
    location = (await owner.post(f"{ACCOUNT}/export")).headers["location"]
    async with working(program, tmp_path):
        await _finished(owner, location)
        assert _files(tmp_path)
        program.clock.advance(8 * 86_400)
        async with asyncio.timeout(60):
            while await _count(program, "account_exports", owner.account_id, "account_id"):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    assert not _files(tmp_path)
    again = await program.visitor("dev@test.com")
    assert (await again.get(location)).status_code == 404


def _files(folder: Path) -> list[Path]:
    """The stored blobs."""
    return [path for path in folder.rglob("*") if path.is_file() and len(path.name) == 64]


async def test_a_deleted_account_is_closed_at_once_for_users_and_keys(program: Program, owner: Visitor) -> None:
    ann = await program.member(owner, "ann@test.com")
    key = (await owner.post(f"/api/v1/workspaces/{owner.workspace_id}/keys", {"name": "ci"})).json()["key"]
    asked = await owner.post(f"{ACCOUNT}/delete")
    assert (asked.status_code, asked.json()["status"]) == (202, "deleting")
    for visitor in (owner, ann):
        assert (await visitor.get("/api/v1/auth/me")).status_code == 401
        assert (await program.sign_in(visitor.email)).status_code == 401
    answer = await program.client.get("/api/nothing", headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 401


async def test_somebody_who_belongs_elsewhere_lives_on_there(program: Program, owner: Visitor) -> None:
    bob = await program.register("bob@test.com")
    token = await program.invite(owner, "bob@test.com")
    assert (await bob.post(f"{ACCOUNT}/invites/accept", {"token": token})).status_code == 200
    assert (await owner.post(f"{ACCOUNT}/delete")).status_code == 202
    assert (await bob.get("/api/v1/auth/me")).json()["account"]["id"] == bob.account_id


async def test_an_account_is_erased_after_the_grace_period_and_others_stay(
    program: Program, owner: Visitor, tmp_path: Path
) -> None:
    eve = await program.register("eve@test.com")
    await owner.post(f"{ACCOUNT}/delete")
    async with working(program, tmp_path):
        program.clock.advance(MONTH + 1)
        async with asyncio.timeout(60):
            while await _count(program, "accounts", owner.account_id):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    for table in ("users", "workspaces", "account_members", "workspace_members", "audit_events", "invites"):
        column = "account_id"
        assert await _count(program, table, owner.account_id, column) == 0, table
    assert (await program.sign_in("eve@test.com")).json()["account_id"] == eve.account_id
    again = await program.register("dev@test.com")
    assert again.account_id != owner.account_id


async def _count(program: Program, table: str, account_id: str, column: str = "id") -> int:
    async with program.database.reading(ALL_WORKSPACES) as unit:
        query = text(f"SELECT count(*) FROM {table} WHERE {column} = :account")
        return await unit.session.scalar(query, {"account": account_id}) or 0


async def test_the_operator_can_restore_an_account_within_the_grace_period(
    program: Program, owner: Visitor, tmp_path: Path
) -> None:
    await owner.post(f"{ACCOUNT}/delete")
    leaving: LeavingService = program.service(LeavingService)
    async with program.writing() as ctx:
        await leaving.restore(ctx, owner.account_id)
    async with working(program, tmp_path):
        program.clock.advance(MONTH + 1)
        async with asyncio.timeout(60):
            while not await _is_done(program):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    assert (await program.visitor("dev@test.com")).account_id == owner.account_id


async def _is_done(program: Program) -> bool:
    async with program.database.reading(ALL_WORKSPACES) as unit:
        query = text("SELECT count(*) FROM job_outbox WHERE name = 'accounts.erase' AND state = 'succeeded'")
        return bool(await unit.session.scalar(query))
