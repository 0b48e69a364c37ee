"""Router 3 through the front door: workspaces and their members."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import update

from specloop.identity import workspaces
from specloop.identity.accounts.tables import AccountMemberRow
from specloop.identity.scopes import AccountRole, WorkspaceRole
from specloop.kit.ids import new_id
from tests.identity.workspaces.harness import World

ROOT = "/api/v1/workspaces"


async def test_registration_gives_a_first_workspace_with_the_user_as_admin(world: World) -> None:
    listed = (await world.call("owner", "GET", ROOT)).json()
    assert listed["pagination"]["total"] == 1
    assert listed["results"][0]["id"] == world.workspace_id
    assert listed["results"][0]["role"] == "admin"
    assert "admin:account" in listed["results"][0]["scopes"]


async def test_an_owner_makes_a_workspace_and_finds_it_again(world: World) -> None:
    made = await world.call("owner", "POST", ROOT, json={"name": " Lab ", "description": "trials"})
    assert made.status_code == 201
    assert made.json()["name"] == "Lab"
    assert made.json()["autonomy_mode"] == "manual"
    found = await world.call("owner", "GET", made.headers["location"])
    assert found.json() == made.json()
    assert found.headers["etag"] == made.headers["etag"] == '"1"'


@pytest.mark.parametrize("who", ["admin", "contributor", "observer"])
async def test_only_account_owners_make_workspaces(world: World, who: str) -> None:
    refused = await world.call(who, "POST", ROOT, json={"name": "Lab"})
    assert refused.status_code == 403
    assert refused.json()["required_scope"] == "admin:account"


@pytest.mark.parametrize(
    "body",
    [{}, {"name": ""}, {"name": "x" * 101}, {"name": "a\x00b"}, {"name": "ok", "account_id": new_id()}, {"name": 3}],
)
async def test_a_bad_workspace_body_is_refused(world: World, body: dict[str, object]) -> None:
    assert (await world.call("owner", "POST", ROOT, json=body)).status_code == 422


async def test_members_see_their_workspaces_only(world: World) -> None:
    await world.call("owner", "POST", ROOT, json={"name": "Other"})
    assert [w["id"] for w in (await world.call("observer", "GET", ROOT)).json()["results"]] == [world.workspace_id]
    assert (await world.call("owner", "GET", ROOT)).json()["pagination"]["total"] == 2


async def test_another_tenants_workspace_looks_like_none(world: World) -> None:
    foreign = await world.call("stranger", "GET", world.base)
    absent = await world.call("stranger", "GET", f"{ROOT}/{new_id()}")
    assert foreign.status_code == absent.status_code == 404
    assert foreign.json() == absent.json()
    assert (await world.call("stranger", "GET", ROOT)).json()["results"] == []


async def test_lists_sort_on_a_white_list(world: World) -> None:
    await world.call("owner", "POST", ROOT, json={"name": "Alpha"})
    names = [w["name"] for w in (await world.call("owner", "GET", f"{ROOT}?sort=-name")).json()["results"]]
    assert names == ["owner's", "Alpha"]
    assert (await world.call("owner", "GET", f"{ROOT}?sort=is_system")).status_code == 422
    assert (await world.call("owner", "GET", f"{ROOT}?status=sleeping")).status_code == 422


async def test_a_change_based_on_an_old_version_is_refused(world: World) -> None:
    first = await world.call("admin", "PATCH", "", json={"name": "Renamed"}, headers={"If-Match": '"1"'})
    assert first.status_code == 200
    assert first.headers["etag"] == '"2"'
    late = await world.call("admin", "PATCH", "", json={"description": "x"}, headers={"If-Match": '"1"'})
    assert late.status_code == 412
    assert (await world.call("admin", "GET", "")).json()["name"] == "Renamed"


@pytest.mark.parametrize("body", [{"timezone": "Mars/Base"}, {"status": "archived"}, {"is_system": True}, {"name": ""}])
async def test_a_patch_changes_only_what_the_route_offers(world: World, body: dict[str, object]) -> None:
    assert (await world.call("owner", "PATCH", "", json=body)).status_code == 422


async def test_an_archived_workspace_stays_readable_but_takes_no_change(world: World) -> None:
    assert (await world.call("admin", "DELETE", "")).status_code == 403
    assert (await world.call("owner", "DELETE", "")).status_code == 204
    seen = (await world.call("owner", "GET", "")).json()
    assert seen["status"] == "archived"
    assert seen["archived_at"] is not None
    assert (await world.call("owner", "PATCH", "", json={"name": "x"})).status_code == 400
    assert (await world.call("owner", "POST", "keys", json={"name": "x"})).status_code == 400
    again = await world.call("owner", "DELETE", "")
    assert again.status_code == 400
    assert again.json()["type"].endswith("/business-rule")


async def test_members_are_added_by_id_or_email(world: World) -> None:
    ann, bob = await world.add_person("ann"), await world.add_person("bob")
    by_id = await world.call("admin", "POST", "members", json={"user_id": ann, "role": "observer"})
    by_mail = await world.call("admin", "POST", "members", json={"email": "BOB@test.com", "role": "contributor"})
    assert by_id.status_code == by_mail.status_code == 201
    assert by_mail.json()["user_id"] == bob
    listed = (await world.call("observer", "GET", "members?sort=email&role=contributor")).json()["results"]
    assert [person["email"] for person in listed] == ["bob@test.com", "contributor@test.com"]


async def test_nobody_is_added_twice_or_from_another_account(world: World) -> None:
    twice = {"user_id": world.ids["observer"], "role": "admin"}
    assert (await world.call("admin", "POST", "members", json=twice)).status_code == 400
    foreign = {"user_id": world.ids["stranger"], "role": "admin"}
    assert (await world.call("admin", "POST", "members", json=foreign)).status_code == 400


@pytest.mark.parametrize(
    "body", [{"role": "admin"}, {"user_id": "x", "role": "admin"}, {"email": "a@b", "role": "king"}]
)
async def test_a_bad_member_body_is_refused(world: World, body: dict[str, str]) -> None:
    assert (await world.call("admin", "POST", "members", json=body)).status_code == 422


async def test_a_role_change_holds_at_the_next_request(world: World) -> None:
    path = f"members/{world.ids['observer']}"
    assert (await world.call("observer", "PATCH", path, json={"role": "admin"})).status_code == 403
    assert (await world.call("admin", "PATCH", path, json={"role": "admin"})).json()["role"] == "admin"
    assert (await world.call("observer", "PATCH", path, json={"role": "observer"})).status_code == 200


async def test_a_removed_member_no_longer_sees_the_workspace(world: World) -> None:
    path = f"members/{world.ids['observer']}"
    assert (await world.call("admin", "DELETE", path)).status_code == 204
    assert (await world.call("observer", "GET", "")).status_code == 404
    assert (await world.call("admin", "DELETE", path)).status_code == 404


async def _world_without_owner(world: World) -> None:
    """The first owner leaves the workspace and stops being an owner."""
    assert (await world.call("admin", "DELETE", f"members/{world.ids['owner']}")).status_code == 204
    async with world.writing("admin") as ctx:
        await ctx.session.execute(
            update(AccountMemberRow)
            .where(AccountMemberRow.account_id == world.account_id)
            .values(role=AccountRole.MEMBER)
        )


async def test_the_last_admin_stays_while_the_account_has_no_owner(world: World) -> None:
    path = f"members/{world.ids['admin']}"
    await _world_without_owner(world)
    demoted = await world.call("admin", "PATCH", path, json={"role": "observer"})
    removed = await world.call("admin", "DELETE", path)
    assert demoted.status_code == removed.status_code == 400
    assert demoted.json()["type"].endswith("/business-rule")


async def test_two_last_admins_cannot_step_down_at_once(world: World) -> None:
    await world.add_person("second", role=WorkspaceRole.ADMIN)
    await _world_without_owner(world)
    answers = await asyncio.gather(
        *(
            world.call(who, "PATCH", f"members/{world.ids[who]}", json={"role": "observer"})
            for who in ("admin", "second")
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200, 400]


async def test_the_last_admin_may_go_while_an_owner_can_step_in(world: World) -> None:
    assert (await world.call("owner", "DELETE", f"members/{world.ids['owner']}")).status_code == 204
    assert (await world.call("owner", "DELETE", f"members/{world.ids['admin']}")).status_code == 204


async def test_the_system_workspace_cannot_be_changed(world: World) -> None:
    async with world.writing() as ctx:
        made = await workspaces.ensure_system(ctx, world.account_id)
        assert await workspaces.ensure_system(ctx, world.account_id) == made
        found = await workspaces.find_system(ctx)
    assert found is not None
    assert found.id == made.id
    path = f"{ROOT}/{made.id}"
    assert (await world.call("owner", "PATCH", path, json={"name": "mine"})).status_code == 400
    assert (await world.call("owner", "DELETE", path)).status_code == 400
