"""Router 4 through the front door: making, showing, revoking and rotating API keys."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from specloop.db.context import Context
from specloop.db.database import Database
from specloop.db.uow import ALL_WORKSPACES
from specloop.identity.keys import KeyService
from specloop.identity.keys.model import looks_like_key, new_secret
from specloop.kit.clock import format_time
from specloop.kit.context import ANONYMOUS, Principal
from specloop.kit.crypto import Pepper
from specloop.kit.ids import new_id
from specloop.testing.clock import FakeClock
from tests.identity.workspaces.harness import World


async def _make(world: World, **body: Any) -> dict[str, Any]:
    answer = await world.call("admin", "POST", "keys", json={"name": "ci", **body})
    assert answer.status_code == 201
    return answer.json()


async def _resolve(world: World, secret: str, keys: KeyService | None = None) -> Principal | None:
    async with world.database.reading(ALL_WORKSPACES) as unit:
        return await (keys or world.keys).resolve(Context(ANONYMOUS, unit, world.clock), secret)


async def test_a_new_key_is_shown_once_and_opens_only_what_keys_may(world: World) -> None:
    made = await _make(world)
    assert made["key"].startswith("sk_live_")
    assert made["scopes"] == ["read:agents", "write:traces"]
    assert made["key"].startswith(made["prefix"])
    assert made["key"].endswith(made["last4"])
    principal = await _resolve(world, made["key"])
    assert principal is not None
    assert principal.workspace_id == world.workspace_id
    assert principal.scopes == {"read:agents", "write:traces"}
    assert principal.key_id == made["key_id"]
    for method, path in (("GET", ""), ("GET", "keys"), ("GET", "audit"), ("GET", "/api/v1/workspaces")):
        assert (await world.call(made["key"], method, path)).status_code == 403


async def test_the_list_never_holds_a_secret(world: World) -> None:
    made = await _make(world)
    answer = await world.call("admin", "GET", "keys")
    assert made["key"] not in answer.text
    listed = answer.json()["results"]
    assert [key["key_id"] for key in listed] == [made["key_id"]]
    assert "key" not in listed[0]
    assert listed[0]["status"] == "active"
    assert listed[0]["created_by"] == world.ids["admin"]


async def test_the_secret_is_in_no_table(world: World, database: Database) -> None:
    made = await _make(world)
    tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'"
    if database.engine_name == "postgresql":
        tables = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
    async with database.reading(ALL_WORKSPACES) as unit:
        for name in (await unit.session.scalars(text(tables))).all():
            rows = (await unit.session.execute(text(f'SELECT * FROM "{name}"'))).all()
            assert made["key"] not in repr(rows), name


async def test_a_replayed_answer_holds_no_secret(world: World) -> None:
    options: dict[str, Any] = {"json": {"name": "ci"}, "headers": {"Idempotency-Key": "once"}}
    first = await world.call("admin", "POST", "keys", **options)
    options = {"json": {"name": "ci"}, "headers": {"Idempotency-Key": "once"}}
    again = await world.call("admin", "POST", "keys", **options)
    assert first.json()["key"].startswith("sk_live_")
    assert again.json()["key"] is None
    assert again.json()["key_id"] == first.json()["key_id"]
    assert again.headers["idempotency-replayed"] == "true"


async def test_a_revoked_key_is_dead_at_once_and_cannot_be_revoked_again(world: World) -> None:
    made = await _make(world)
    assert await _resolve(world, made["key"]) is not None
    assert (await world.call("admin", "DELETE", f"keys/{made['key_id']}")).status_code == 204
    assert await _resolve(world, made["key"]) is None
    assert (await world.call(made["key"], "GET", "")).status_code == 401
    again = await world.call("admin", "DELETE", f"keys/{made['key_id']}")
    assert again.status_code == 400
    assert again.json()["type"].endswith("/business-rule")


async def test_another_process_forgets_a_revoked_key_within_five_seconds(world: World, clock: FakeClock) -> None:
    made = await _make(world)
    elsewhere = KeyService(Pepper(b"pepper"))
    assert await _resolve(world, made["key"], elsewhere) is not None
    await world.call("admin", "DELETE", f"keys/{made['key_id']}")
    clock.advance(5)
    assert await _resolve(world, made["key"], elsewhere) is None


async def test_a_key_expires_to_the_second_even_while_remembered(world: World, clock: FakeClock) -> None:
    made = await _make(world, expires_at=format_time(clock.now() + timedelta(seconds=2)))
    clock.advance(1.9)
    assert await _resolve(world, made["key"]) is not None
    clock.advance(0.1)
    assert await _resolve(world, made["key"]) is None
    assert (await world.call("admin", "GET", "keys?status=expired")).json()["pagination"]["total"] == 1
    assert (await world.call("admin", "GET", "keys?status=active")).json()["pagination"]["total"] == 0


async def test_rotation_keeps_the_old_secret_for_the_grace_time(world: World, clock: FakeClock) -> None:
    old = await _make(world)
    answer = await world.call("admin", "POST", f"keys/{old['key_id']}/rotate", json={"grace_s": 60})
    new = answer.json()
    assert answer.status_code == 201
    assert new["key"] != old["key"]
    assert new["name"] == old["name"]
    assert new["rotated_from"] == old["key_id"]
    clock.advance(59)
    assert await _resolve(world, old["key"]) is not None
    clock.advance(1)
    assert await _resolve(world, old["key"]) is None
    assert await _resolve(world, new["key"]) is not None


async def test_rotation_without_grace_ends_the_old_secret_at_once(world: World) -> None:
    old = await _make(world)
    assert await _resolve(world, old["key"]) is not None
    assert (await world.call("admin", "POST", f"keys/{old['key_id']}/rotate")).status_code == 201
    assert await _resolve(world, old["key"]) is None
    assert (await world.call("admin", "POST", f"keys/{old['key_id']}/rotate")).status_code == 400


async def test_rotation_never_lengthens_a_life(world: World, clock: FakeClock) -> None:
    end = format_time(clock.now() + timedelta(seconds=30))
    old = await _make(world, expires_at=end)
    new = (await world.call("admin", "POST", f"keys/{old['key_id']}/rotate", json={"grace_s": 3600})).json()
    assert new["expires_at"] == end
    clock.advance(30)
    assert await _resolve(world, old["key"]) is None
    assert await _resolve(world, new["key"]) is None


async def test_keys_of_an_archived_workspace_do_not_work(world: World, clock: FakeClock) -> None:
    made = await _make(world)
    assert await _resolve(world, made["key"]) is not None
    await world.call("owner", "DELETE", "")
    clock.advance(5)
    assert await _resolve(world, made["key"]) is None


async def test_last_use_is_seen_at_once_and_written_later(world: World, clock: FakeClock) -> None:
    made = await _make(world)
    clock.advance(10)
    await _resolve(world, made["key"])
    seen = (await world.call("admin", "GET", "keys")).json()["results"][0]["last_used_at"]
    assert seen == format_time(clock.now())
    async with world.database.writing(ALL_WORKSPACES) as unit:
        ctx = Context(ANONYMOUS, unit, clock)
        assert await world.keys.flush_usage(ctx) == 1
        assert await world.keys.flush_usage(ctx) == 0
    assert (await world.call("admin", "GET", "keys")).json()["results"][0]["last_used_at"] == seen


@pytest.mark.parametrize(
    "body", [{}, {"name": ""}, {"name": "x", "expires_at": "soon"}, {"name": "x", "scopes": ["admin:workspace"]}]
)
async def test_a_bad_key_body_is_refused(world: World, body: dict[str, object]) -> None:
    assert (await world.call("admin", "POST", "keys", json=body)).status_code == 422


async def test_a_key_cannot_be_born_dead(world: World, clock: FakeClock) -> None:
    body = {"name": "x", "expires_at": format_time(clock.now())}
    assert (await world.call("admin", "POST", "keys", json=body)).status_code == 400


@pytest.mark.parametrize("who", ["contributor", "observer"])
async def test_only_admins_touch_keys(world: World, who: str) -> None:
    made = await _make(world)
    assert (await world.call(who, "POST", "keys", json={"name": "x"})).status_code == 403
    assert (await world.call(who, "GET", "keys")).status_code == 403
    assert (await world.call(who, "DELETE", f"keys/{made['key_id']}")).status_code == 403


async def test_another_workspaces_key_does_not_exist(world: World) -> None:
    made = await _make(world)
    foreign = await world.first_workspace("stranger")
    for path in (f"keys/{made['key_id']}", f"keys/{new_id()}"):
        answer = await world.call("stranger", "DELETE", f"/api/v1/workspaces/{foreign}/{path}")
        assert answer.status_code == 404
        assert answer.json()["detail"] == "API key not found"
    assert await _resolve(world, made["key"]) is not None


def test_a_mistyped_key_is_refused_without_a_look_up() -> None:
    secret = new_secret()
    assert looks_like_key(secret)
    for position in range(len(secret)):
        wrong = "x" if secret[position] != "x" else "y"
        assert not looks_like_key(secret[:position] + wrong + secret[position + 1 :])
