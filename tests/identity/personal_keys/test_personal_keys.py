"""Personal keys: their scopes, their end, who may make one (specstory.md §1.0, scope; specstep.md §4.1)."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from httpx import Response
from sqlalchemy import text

from specloop.db.context import Context
from specloop.db.paging import PageRequest
from specloop.errors import Forbidden
from specloop.identity.gate import Allowances, user_principal
from specloop.identity.personal_keys import NewPersonalKey, PersonalKeyService
from specloop.identity.personal_keys.errors import PersonalKeyNotFound
from specloop.kit.context import CredentialKind, Principal
from specloop.record.skills import rest as skills_rest
from tests.identity.front.program import Program, Visitor, running

ENTITLEMENT = "/api/v1/billing/entitlement"
SKILL = "/api/v1/lore/skills/x"


async def principal_of(ctx: Context, visitor: Visitor) -> Principal:
    """The visitor as a browser session."""
    return await user_principal(ctx, visitor.user_id, "session")


async def make_key(
    program: Program, visitor: Visitor, *, can_write: bool = False, expires_at: datetime | None = None
) -> NewPersonalKey:
    """What the page does."""
    keys: PersonalKeyService = program.service(PersonalKeyService)
    async with program.writing() as ctx:
        inside = ctx.acting_as(await principal_of(ctx, visitor))
        return await keys.create(inside, "script", can_write=can_write, expires_at=expires_at)


async def send(program: Program, secret: str, method: str = "GET", path: str = ENTITLEMENT) -> Response:
    """A request with a key."""
    body = {"install_state": "installed"} if method == "PATCH" else None
    return await program.client.request(method, path, json=body, headers={"Authorization": f"Bearer {secret}"})


async def test_a_key_has_the_form_of_the_contract_and_is_kept_as_a_digest(program: Program, owner: Visitor) -> None:
    made = await make_key(program, owner)
    assert re.fullmatch(r"sf_[A-Za-z0-9_-]{43}", made.secret)
    assert made.key.prefix == made.secret[:8]
    async with program.writing() as ctx:
        (row,) = (await ctx.session.execute(text("SELECT * FROM personal_keys"))).all()
    assert not any(made.secret[8:] in str(value) for value in row)
    assert made.secret not in repr(made)


async def test_reading_needs_read_and_everything_else_needs_write(program: Program, owner: Visitor) -> None:
    reader, writer = await make_key(program, owner), await make_key(program, owner, can_write=True)
    for secret, written in ((reader.secret, 403), (writer.secret, 404)):
        assert (await send(program, secret)).status_code == 200
        assert (await send(program, secret, "HEAD", "/api/v1/projects/p/x")).status_code == 404
        answer = await send(program, secret, "PATCH", SKILL)
        assert (answer.status_code, answer.json()["success"]) == (written, False)


async def test_a_key_never_does_more_than_its_owner(program: Program, owner: Visitor) -> None:
    observer = await program.member(owner, "look@test.com", observer=owner.workspace_id)
    made = await make_key(program, observer, can_write=True)
    assert (await send(program, made.secret)).status_code == 200
    assert (await send(program, made.secret, "PATCH", SKILL)).status_code == 403
    removed = await owner.delete(f"/api/v1/account/members/{observer.user_id}")
    assert removed.status_code == 204, removed.text
    assert (await send(program, made.secret)).status_code == 401


async def test_revoked_expired_and_unknown_keys_get_the_same_answer(program: Program, owner: Visitor) -> None:
    keys: PersonalKeyService = program.service(PersonalKeyService)
    revoked = await make_key(program, owner)
    expired = await make_key(program, owner, expires_at=program.clock.now() + timedelta(minutes=1))
    assert (await send(program, expired.secret)).status_code == 200
    async with program.writing() as ctx:
        await keys.revoke(ctx.acting_as(await principal_of(ctx, owner)), revoked.key.id)
    program.clock.advance(60)
    unknown = "sf_" + "A" * 43
    answers = [await send(program, secret) for secret in (revoked.secret, expired.secret, unknown, "sf_x")]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.content for answer in answers}) == 1


@pytest.mark.parametrize("kind", [CredentialKind.PERSONAL_KEY, CredentialKind.DEVICE, CredentialKind.API_KEY])
async def test_only_a_signed_in_browser_makes_lists_and_revokes(
    program: Program, owner: Visitor, kind: CredentialKind
) -> None:
    keys: PersonalKeyService = program.service(PersonalKeyService)
    made = await make_key(program, owner)
    async with program.writing() as ctx:
        other = ctx.acting_as(replace(await principal_of(ctx, owner), kind=kind))
        with pytest.raises(Forbidden):
            await keys.create(other, "successor", can_write=True)
        with pytest.raises(Forbidden):
            await keys.list(other, PageRequest())
        with pytest.raises(Forbidden):
            await keys.revoke(other, made.key.id)


async def test_nobody_sees_or_revokes_the_keys_of_others(program: Program, owner: Visitor) -> None:
    keys: PersonalKeyService = program.service(PersonalKeyService)
    made = await make_key(program, owner)
    eve = await program.register("eve@test.com")
    async with program.writing() as ctx:
        inside = ctx.acting_as(await principal_of(ctx, eve))
        assert (await keys.list(inside, PageRequest())).results == []
        with pytest.raises(PersonalKeyNotFound):
            await keys.revoke(inside, made.key.id)
    assert (await send(program, made.secret)).status_code == 200


async def test_use_is_written_now_and_then_and_shown_at_once(program: Program, owner: Visitor) -> None:
    keys: PersonalKeyService = program.service(PersonalKeyService)
    made = await make_key(program, owner)
    await send(program, made.secret)
    used_at = program.clock.now()
    async with program.writing() as ctx:
        inside = ctx.acting_as(await principal_of(ctx, owner))
        assert [key.last_used_at for key in (await keys.list(inside, PageRequest())).results] == [used_at]
        assert await keys.flush_usage(ctx) == 1
    async with program.writing() as ctx:
        inside = ctx.acting_as(await principal_of(ctx, owner))
        assert [key.last_used_at for key in (await keys.list(inside, PageRequest())).results] == [used_at]


async def test_making_and_revoking_are_audited(program: Program, owner: Visitor) -> None:
    keys: PersonalKeyService = program.service(PersonalKeyService)
    made = await make_key(program, owner, can_write=True)
    async with program.writing() as ctx:
        await keys.revoke(ctx.acting_as(await principal_of(ctx, owner)), made.key.id)
    events = (await owner.get("/api/v1/account/audit")).json()["results"]
    found = {event["action"]: event["detail"] for event in events if event["action"].startswith("personal_key")}
    assert found["personal_key.created"] == {"name": "script", "prefix": made.key.prefix, "can_write": True}
    assert found["personal_key.revoked"] == {"name": "script"}


async def test_a_key_has_its_hourly_allowance(
    program: Program, owner: Visitor, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert Allowances() == Allowances(600, 6000, 1000, 500, 100_000)
    made = await make_key(program, owner)
    allowed = Allowances(personal_key_per_hour=2)
    folder: Path = tmp_path_factory.mktemp("tight")
    async with running(program.database, folder, routers=skills_rest.routers, allowances=allowed) as tight:
        answers = [await send(tight, made.secret) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert {answer.headers["X-RateLimit-Limit"] for answer in answers} == {"2"}
        assert answers[-1].json()["error"].startswith("Rate limit exceeded. Try again in ")
