"""Signing in by password and refresh token, throttles, sessions, and what ends them."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from sqlalchemy import text

from tests.identity.front.program import PASSWORD, Program, Visitor

LOGIN = "/api/v1/auth/login"
ME = "/api/v1/auth/me"
NEW_USER = {"email": "new@test.com", "password": PASSWORD, "tenant_name": "New"}


async def _refresh(program: Program, token: str) -> Any:
    return await program.client.post(LOGIN, json={"refresh_token": token})


async def test_a_known_user_signs_in_with_the_address_in_any_case(program: Program, owner: Visitor) -> None:
    answer = await program.sign_in("DEV@test.com")
    assert answer.status_code == 200
    assert answer.json()["user_id"] == owner.user_id
    assert answer.json()["workspace_id"] == owner.workspace_id
    assert answer.headers["cache-control"] == "no-store"


async def test_unknown_users_and_wrong_passwords_look_the_same(program: Program, owner: Visitor) -> None:
    answers = [
        await program.sign_in("dev@test.com", "wrongpass"),
        await program.sign_in("nobody@test.com", "wrongpass"),
        await program.sign_in("nobody@test.com", "x" * 1000),
        await program.sign_in("dev@test.com", "x" * 1000),
        await program.sign_in("dev@test.com", "short"),
    ]
    assert {answer.status_code for answer in answers} == {401}
    bodies = [{**answer.json(), "instance": ""} for answer in answers]
    assert all(body == bodies[0] for body in bodies)
    assert all(answer.headers["www-authenticate"].startswith("Bearer") for answer in answers)


async def test_unknown_users_cost_one_hash_like_known_ones(program: Program, owner: Visitor) -> None:
    hasher = program.identity.passwords
    before = hasher.verifications
    await program.sign_in("dev@test.com", "wrongpass")
    known = hasher.verifications - before
    await program.sign_in("nobody@test.com", "wrongpass")
    assert (known, hasher.verifications - before) == (1, 2)


async def test_ten_failures_lock_the_user_for_a_quarter_of_an_hour(program: Program, owner: Visitor) -> None:
    codes = [(await program.sign_in("dev@test.com", "wrongpass")).status_code for _ in range(11)]
    assert codes == [401] * 10 + [429]
    locked = await program.sign_in("dev@test.com")
    assert locked.status_code == 429
    assert 0 < int(locked.headers["Retry-After"]) <= 900
    async with program.browser("10.0.0.9") as elsewhere:
        body = {"email": "DEV@test.com", "password": PASSWORD}
        assert (await elsewhere.post(LOGIN, json=body)).status_code == 429
    program.clock.advance(901)
    assert (await program.sign_in("dev@test.com")).status_code == 200


async def test_a_success_forgives_the_failures_before_it(program: Program, owner: Visitor) -> None:
    for _ in range(3):
        for _ in range(9):
            assert (await program.sign_in("dev@test.com", "wrongpass")).status_code == 401
        assert (await program.sign_in("dev@test.com")).status_code == 200


async def test_unknown_users_are_locked_like_known_ones(program: Program) -> None:
    codes = [(await program.sign_in("nobody@test.com", "wrongpass")).status_code for _ in range(11)]
    assert codes == [401] * 10 + [429]


async def test_spraying_many_users_from_one_address_is_stopped(program: Program, owner: Visitor) -> None:
    codes = [(await program.sign_in(f"u{number}@test.com", "wrongpass")).status_code for number in range(101)]
    assert codes[:100] == [401] * 100
    assert codes[100] == 429
    async with program.browser("10.0.0.9") as elsewhere:
        body = {"email": "dev@test.com", "password": PASSWORD}
        assert (await elsewhere.post(LOGIN, json=body)).status_code == 200


async def test_a_flood_of_sign_ins_is_answered_with_come_back_later_not_with_a_crash(
    program: Program, owner: Visitor
) -> None:
    answers = await asyncio.gather(*(program.sign_in("dev@test.com") for _ in range(80)))
    codes = {answer.status_code for answer in answers}
    assert codes <= {200, 503}
    assert 200 in codes
    assert all("Retry-After" in answer.headers for answer in answers if answer.status_code == 503)
    assert (await owner.get(ME)).status_code == 200


async def test_others_write_while_passwords_are_hashed(program: Program, owner: Visitor) -> None:
    passwords, gate = program.identity.passwords, threading.Event()
    blockers = [asyncio.create_task(passwords.run(gate.wait)) for _ in range(2)]
    hashing = [
        asyncio.create_task(program.sign_in("dev@test.com")),
        asyncio.create_task(program.client.post("/api/v1/auth/register", json=NEW_USER)),
        asyncio.create_task(owner.post("/api/v1/auth/me/password", {"current": PASSWORD, "new": "newdevpass"})),
    ]
    try:
        async with asyncio.timeout(60):
            while passwords.busy < 5:  # noqa: ASYNC110  (each request gets there by itself)
                await asyncio.sleep(0.01)
            async with program.writing() as ctx:
                await ctx.session.execute(text("UPDATE accounts SET name = name"))
    finally:
        gate.set()
    await asyncio.gather(*blockers)
    assert [answer.status_code for answer in await asyncio.gather(*hashing)] == [200, 201, 204]


@pytest.mark.parametrize(
    "body", [{}, {"email": "dev@test.com"}, {"refresh_token": ""}, {"email": "dev@test.com", "password": "x", "a": 1}]
)
async def test_malformed_sign_ins_are_422(program: Program, body: dict[str, object]) -> None:
    assert (await program.client.post(LOGIN, json=body)).status_code == 422


async def test_a_refresh_token_renews_once_and_a_replay_ends_the_whole_session(
    program: Program, owner: Visitor
) -> None:
    first = owner.body["refresh_token"]
    second = await _refresh(program, first)
    assert second.status_code == 200
    assert second.json()["refresh_token"] != first
    fresh = Visitor(program.client, second.json(), owner.email)
    assert (await fresh.get(ME)).status_code == 200
    replay = await _refresh(program, first)
    assert replay.status_code == 401
    assert (await _refresh(program, second.json()["refresh_token"])).status_code == 401
    assert (await fresh.get(ME)).status_code == 401
    assert (await owner.get(ME)).status_code == 401
    again = await program.visitor("dev@test.com")
    events = (await again.get("/api/v1/account/audit?action=session.token_reused")).json()
    assert events["pagination"]["total"] == 1


async def test_of_two_refreshes_at_once_exactly_one_wins_and_the_session_ends(program: Program, owner: Visitor) -> None:
    token = owner.body["refresh_token"]
    answers = await asyncio.gather(*(_refresh(program, token) for _ in range(6)))
    winners = [answer for answer in answers if answer.status_code == 200]
    assert len(winners) == 1
    assert all(answer.status_code == 401 for answer in answers if answer is not winners[0])
    assert (await _refresh(program, winners[0].json()["refresh_token"])).status_code == 401


async def test_refresh_tokens_end_after_thirty_days_without_use(program: Program, owner: Visitor) -> None:
    program.clock.advance(29 * 86_400)
    renewed = await _refresh(program, owner.body["refresh_token"])
    assert renewed.status_code == 200
    program.clock.advance(29 * 86_400)
    renewed = await _refresh(program, renewed.json()["refresh_token"])
    assert renewed.status_code == 200
    program.clock.advance(31 * 86_400)
    assert (await _refresh(program, renewed.json()["refresh_token"])).status_code == 401


@pytest.mark.parametrize("token", ["rt_unknown", "x", "inv_" + "0" * 43])
async def test_unknown_refresh_tokens_are_401(program: Program, token: str) -> None:
    assert (await _refresh(program, token)).status_code == 401


async def test_after_signing_out_neither_token_is_good(program: Program, owner: Visitor) -> None:
    other = await program.visitor("dev@test.com")
    assert (await owner.post("/api/v1/auth/logout")).status_code == 204
    assert (await owner.get(ME)).status_code == 401
    assert (await _refresh(program, owner.body["refresh_token"])).status_code == 401
    assert (await other.get(ME)).status_code == 200


async def test_sessions_are_listed_and_ended_one_by_one(program: Program, owner: Visitor) -> None:
    other = await program.visitor("dev@test.com")
    stranger = await program.register("eve@test.com")
    page = (await owner.get("/api/v1/auth/sessions")).json()
    assert page["pagination"]["total"] == 2
    current = [entry for entry in page["results"] if entry["is_current"]]
    assert len(current) == 1
    elsewhere = next(entry["id"] for entry in page["results"] if not entry["is_current"])
    assert (await stranger.delete(f"/api/v1/auth/sessions/{elsewhere}")).status_code == 404
    assert (await other.get(ME)).status_code == 200
    assert (await owner.delete(f"/api/v1/auth/sessions/{elsewhere}")).status_code == 204
    assert (await owner.delete(f"/api/v1/auth/sessions/{elsewhere}")).status_code == 404
    assert (await other.get(ME)).status_code == 401
    assert (await owner.get("/api/v1/auth/sessions")).json()["pagination"]["total"] == 1


async def test_changing_the_password_needs_the_old_one_and_ends_the_other_sessions(
    program: Program, owner: Visitor
) -> None:
    other = await program.visitor("dev@test.com")
    path = "/api/v1/auth/me/password"
    wrong = await owner.post(path, {"current": "wrongpass", "new": "newdevpass"})
    assert wrong.status_code == 400
    assert (await owner.post(path, {"current": PASSWORD, "new": "short"})).status_code == 422
    assert (await owner.post(path, {"current": PASSWORD, "new": "newdevpass"})).status_code == 204
    assert (await owner.get(ME)).status_code == 200
    assert (await other.get(ME)).status_code == 401
    assert (await program.sign_in("dev@test.com")).status_code == 401
    assert (await program.sign_in("dev@test.com", "newdevpass")).status_code == 200


async def test_guessing_the_password_with_a_stolen_token_is_throttled(program: Program, owner: Visitor) -> None:
    path = "/api/v1/auth/me/password"
    codes = [(await owner.post(path, {"current": f"guess{n}", "new": "newdevpass"})).status_code for n in range(11)]
    assert codes == [400] * 10 + [429]


async def test_the_profile_changes_and_carries_a_version(program: Program, owner: Visitor) -> None:
    changed = await owner.patch(ME, {"name": "Dev", "timezone": "Europe/Berlin"})
    assert changed.status_code == 200
    assert (changed.json()["name"], changed.json()["timezone"]) == ("Dev", "Europe/Berlin")
    assert (await owner.get(ME)).json()["name"] == "Dev"
    stale = await owner.patch(ME, {"name": "X"}, **{"If-Match": '"1"'})
    assert stale.status_code == 412
    fresh = await owner.patch(ME, {"name": "X"}, **{"If-Match": changed.headers["etag"]})
    assert fresh.status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {"account_role": "owner"},
        {"email": "x@test.com"},
        {"account_id": "0199aaaa-0000-7000-8000-000000000000"},
        {"status": "active"},
        {"name": ""},
        {"name": "a\u0000b"},
        {"timezone": "../etc/passwd"},
    ],
)
async def test_nobody_assigns_what_the_profile_does_not_offer(owner: Visitor, body: dict[str, object]) -> None:
    assert (await owner.patch(ME, body)).status_code == 422
