"""Titles, sharing, deletion, projects and their ids over HTTP (specstory.md §1.3, §1.4, §1.7, §6, §9 items 12, 15)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import httpx
import pytest

from tests.interaction.tenant import Tenant
from tests.record.specstory.cli_emulator import CLI, SyncResult, grown
from tests.record.specstory.go_decoding import ERROR, SIZES, decode
from tests.record.specstory.samples import make_session
from tests.record.specstory.sdk_models import DeletedProject


async def detail(cli: CLI, path: str) -> dict[str, Any]:
    """The session at `path`."""
    answer = await cli.ask("GET", path)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]["session"]


async def test_patch_answers_with_just_what_changed(cli: CLI) -> None:
    await cli.put(make_session(60))
    path = f"/api/v1/projects/{cli.project_id}"
    for change in ({"name": "Gadgets"}, {"icon": "Rocket", "color": "rose"}):
        answer = await cli.ask("PATCH", path, body=change)
        assert answer.status_code == 200, answer.text
        assert answer.json() == {"success": True, "data": change}
    project = (await cli.ask("GET", path)).json()["data"]["project"]
    assert (project["name"], project["icon"], project["color"]) == ("Gadgets", "Rocket", "rose")
    await cli.put(make_session(61))
    assert (await cli.ask("GET", path)).json()["data"]["project"]["name"] == "Gadgets"


async def test_new_projects_have_the_documented_looks(cli: CLI) -> None:
    await cli.put(make_session(62))
    project = (await cli.ask("GET", f"/api/v1/projects/{cli.project_id}")).json()["data"]["project"]
    assert (project["name"], project["icon"], project["color"]) == ("widgets", "FolderKanban", "blue")


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"color": "mauve"}, "Invalid value for color. Must be one of: "),
        ({"icon": "Unicorn"}, "Invalid value for icon. Must be one of: "),
        ({}, "At least one of name, icon or color must be provided"),
        ({"name": ""}, "Invalid value for name."),
        ({"name": "x" * 256}, "Invalid value for name."),
        ({"name": 5}, ""),
    ],
)
async def test_bad_project_changes_are_400(cli: CLI, change: dict[str, Any], text: str) -> None:
    await cli.put(make_session(63))
    answer = await cli.ask("PATCH", f"/api/v1/projects/{cli.project_id}", body=change)
    assert answer.status_code == 400
    assert decode(answer.content, ERROR)["error"].startswith(text)


async def test_deleted_project_is_gone_with_its_sessions(cli: CLI) -> None:
    session = make_session(64)
    await cli.put(session)
    answer = await cli.ask("DELETE", f"/api/v1/projects/{cli.project_id}")
    DeletedProject.model_validate(answer.json()["data"])
    assert (await cli.head(session.session_id)).status_code == 404
    assert (await cli.ask("DELETE", f"/api/v1/projects/{cli.project_id}")).status_code == 404
    assert (await cli.put(session)).status_code == 201


async def test_deleted_session_is_gone(cli: CLI) -> None:
    session = make_session(65)
    await cli.put(session)
    answer = await cli.ask("DELETE", cli.path(session))
    assert answer.json() == {"success": True, "data": {"success": True}}
    assert (await cli.ask("DELETE", cli.path(session))).status_code == 404
    assert (await cli.ask("GET", "/api/v1/sessions/recent")).json()["data"]["sessions"] == []


async def test_title_survives_an_upload_and_changes_the_tag(cli: CLI) -> None:
    session = make_session(66)
    tag = (await cli.put(session)).headers["ETag"]
    answer = await cli.ask("PATCH", cli.path(session), body={"userTitle": "Mine"})
    assert answer.json()["data"]["session"]["userTitle"] == "Mine"
    assert answer.headers["ETag"] != tag
    await cli.put(grown(session, "more"))
    assert (await detail(cli, cli.path(session)))["userTitle"] == "Mine"
    for wrong in ({"userTitle": ""}, {"userTitle": "x" * 501}, {"shareStatus": "public"}, {}):
        assert (await cli.ask("PATCH", cli.path(session), body=wrong)).status_code == 400


async def test_shared_session_is_read_without_a_credential_until_it_is_private_again(cli: CLI, server: str) -> None:
    session = make_session(67)
    await cli.put(session)
    async with httpx.AsyncClient(base_url=server, timeout=60) as visitor:
        link = f"/api/v1/share/{session.session_id}"
        hidden = await visitor.get(link)
        assert (hidden.status_code, hidden.json()["error"]) == (404, "Session not found or not shared")
        await cli.ask("PATCH", cli.path(session), body={"shareStatus": "unlisted"})
        shown = (await visitor.get(link)).json()["data"]["session"]
        assert shown["markdownContent"] == session.markdown
        assert not {"metadata", "rawDataSize", "deviceId", "machineName"} & shown.keys()
        assert (await visitor.get(f"{link}/markdown")).content == session.markdown.encode()
        await cli.ask("PATCH", cli.path(session), body={"shareStatus": "private"})
        assert (await visitor.get(link)).status_code == 404
        assert (await visitor.get(f"{link}/markdown")).status_code == 404


async def test_hidden_exchange_is_in_no_shared_form_and_stays_hidden(cli: CLI, server: str) -> None:
    session = make_session(68, 3)
    await cli.put(session)
    await cli.ask("PATCH", cli.path(session), body={"shareStatus": "unlisted"})
    secret = (await detail(cli, cli.path(session)))["exchanges"][1]
    path = f"{cli.path(session)}/exchanges/{secret['id']}"
    change = {"hiddenFromShare": True, "userTitle": "Private"}
    tag = (await cli.head(session.session_id)).headers["ETag"]
    assert (await cli.ask("PATCH", path, body=change)).headers["ETag"] != tag
    await cli.put(grown(session, "more"))
    kept = (await detail(cli, cli.path(session)))["exchanges"][1]
    assert (kept["id"], kept["hiddenFromShare"], kept["userTitle"]) == (secret["id"], True, "Private")
    prompt = secret["content"].splitlines()[0]
    async with httpx.AsyncClient(base_url=server, timeout=60) as visitor:
        for form in ("", "/markdown"):
            answer = await visitor.get(f"/api/v1/share/{session.session_id}{form}")
            assert answer.status_code == 200
            assert prompt not in answer.text
        shown = (await visitor.get(f"/api/v1/share/{session.session_id}")).json()["data"]["session"]
        assert [one["orderNumber"] for one in shown["exchanges"]] == [0, 2]
    for wrong in ("nothing", "00000000-0000-7000-8000-000000000000"):
        answer = await cli.ask("PATCH", f"{cli.path(session)}/exchanges/{wrong}", body=change)
        assert (answer.status_code, answer.json()["error"]) == (404, "Exchange not found")


async def test_hidden_first_exchange_is_in_no_derived_title(cli: CLI, server: str) -> None:
    session = replace(make_session(680, 2), name="2026-08-07_13-21-06Z-the-secret-slug")
    await cli.put(session, metadata={"agentName": "Claude Code", "title": "The secret title", "summary": "Of secrets"})
    await cli.ask("PATCH", cli.path(session), body={"shareStatus": "unlisted"})
    first, second = (await detail(cli, cli.path(session)))["exchanges"]
    hidden = {"hiddenFromShare": True}
    await cli.ask("PATCH", f"{cli.path(session)}/exchanges/{first['id']}", body=hidden)
    link = f"/api/v1/share/{session.session_id}"
    async with httpx.AsyncClient(base_url=server, timeout=60) as visitor:
        shown = await visitor.get(link)
        for part in ("ecret", first["content"].splitlines()[0]):
            assert part not in shown.text
            assert part not in (await visitor.get(f"{link}/markdown")).text
        title = shown.json()["data"]["session"]["title"]
        assert second["content"].startswith(title.removesuffix("..."))
        assert title
        await cli.ask("PATCH", cli.path(session), body={"userTitle": "Mine"})
        assert (await visitor.get(link)).json()["data"]["session"]["title"] == "Mine"


async def test_nobody_takes_over_a_link_by_sharing_the_same_id_later(cli: CLI, other_cli: CLI, server: str) -> None:
    session = make_session(681)
    mine, theirs = grown(session, "mine\n"), grown(session, "theirs, and of later\n")
    await other_cli.put(theirs)
    await cli.put(mine)
    my_row, their_row = [(await detail(one, one.path(session)))["id"] for one in (cli, other_cli)]
    async with httpx.AsyncClient(base_url=server, timeout=60) as visitor:

        async def shown(share: str) -> bytes:
            return (await visitor.get(f"/api/v1/share/{share}/markdown")).content

        for one in (cli, other_cli, cli):
            await one.ask("PATCH", one.path(session), body={"shareStatus": "unlisted"})
        await other_cli.put(grown(theirs, "and again\n"))
        assert await shown(session.session_id) == mine.markdown.encode()
        assert await shown(their_row) == grown(theirs, "and again\n").markdown.encode()
        forged = replace(theirs, session_id=my_row)
        await other_cli.put(forged)
        await other_cli.ask("PATCH", other_cli.path(forged), body={"shareStatus": "unlisted"})
        assert await shown(my_row) == mine.markdown.encode()
        await cli.ask("PATCH", cli.path(session), body={"shareStatus": "private"})
        await cli.ask("PATCH", cli.path(session), body={"shareStatus": "unlisted"})
        assert await shown(session.session_id) == grown(theirs, "and again\n").markdown.encode()


async def test_upload_under_the_row_id_is_of_the_same_session(cli: CLI, other_cli: CLI) -> None:
    session = make_session(682)
    await cli.put(session)
    row_id = (await detail(cli, cli.path(session)))["id"]
    for written in (row_id, row_id.upper()):
        longer = grown(session, written)
        answer = await cli.put(replace(longer, session_id=written))
        assert (answer.status_code, answer.json()["data"]["sessionId"]) == (200, session.session_id)
        for one in (session.session_id, written):
            size = (await cli.head(one)).headers["X-Markdown-Size"]
            assert int(size) == len(longer.markdown.encode())
    listed = (await cli.ask("GET", f"/api/v1/projects/{cli.project_id}/sessions")).json()["data"]
    assert [(one["id"], one["clientId"]) for one in listed["sessions"]] == [(row_id, session.session_id)]
    assert (await other_cli.put(replace(session, session_id=row_id))).status_code == 201
    cli.project_id = "another-project"
    assert (await cli.put(replace(session, session_id=row_id))).status_code == 201


async def test_tag_changes_with_what_the_session_shows_of_its_project(cli: CLI) -> None:
    session = make_session(683)
    tags = [(await cli.put(session)).headers["ETag"]]
    path = cli.path(session)
    project = f"/api/v1/projects/{cli.project_id}"
    for change in ({"name": "Gadgets"}, {"icon": "Rocket"}, {"color": "rose"}):
        await cli.ask("PATCH", project, body=change)
        answer = await cli.ask("GET", path, If_None_Match=tags[-1])
        assert answer.status_code == 200, change
        listed = (await cli.ask("GET", f"{project}/sessions")).json()["data"]["sessions"]
        tags.append(answer.headers["ETag"])
        assert [one["etag"] for one in listed] == tags[-1:]
    assert (await cli.put(session)).headers["ETag"] == tags[-1]
    cli.project_id = "0f81-fa3b-cc40-b565"
    await cli.put(make_session(684))
    await cli.ask("POST", f"{project}/merge", body={"into": cli.project_id})
    assert (await cli.ask("GET", path, If_None_Match=tags[-1])).status_code == 200
    assert len(set(tags)) == 4


@pytest.mark.parametrize("text", ["a\\u0000b", "a\\ud800b", "\\udfff"])
async def test_text_that_no_store_keeps_is_refused(cli: CLI, text: str) -> None:
    await cli.put(make_session(685))
    path = f"/api/v1/projects/{cli.project_id}"
    headers = {"Authorization": f"Bearer {cli.access_token}", "Content-Type": "application/json"}
    async with httpx.AsyncClient(base_url=cli.base, timeout=60, headers=headers) as client:
        for answer in (
            await client.patch(path, content=f'{{"name":"{text}"}}'),
            await client.post(f"{path}/merge", content=f'{{"into":"{text}"}}'),
        ):
            assert answer.status_code == 400
            assert decode(answer.content, ERROR)["success"] is False
    assert (await cli.ask("GET", path)).json()["data"]["project"]["name"] == "widgets"


async def test_two_people_with_the_same_ids_do_not_meet(cli: CLI, other_cli: CLI) -> None:
    session = make_session(69)
    assert (await cli.put(session)).status_code == 201
    assert (await other_cli.head(session.session_id)).status_code == 404
    assert (await other_cli.put(grown(session, "theirs"))).status_code == 201
    mine = await cli.ask("GET", cli.path(session), Accept="text/markdown")
    assert mine.content == session.markdown.encode()
    row_id = (await detail(cli, cli.path(session)))["id"]
    for method, body in (("GET", None), ("PATCH", {"userTitle": "x"}), ("DELETE", None)):
        path = f"/api/v1/projects/{cli.project_id}/sessions/{row_id}"
        assert (await other_cli.ask(method, path, body=body)).status_code == 404
    await other_cli.ask("DELETE", f"/api/v1/projects/{cli.project_id}")
    assert (await cli.head(session.session_id)).status_code == 200


async def test_same_session_in_two_projects_is_two_sessions(cli: CLI) -> None:
    session = make_session(70)
    for project in ("proj_abc123", "PROJ_ABC123", "0f81-fa3b-cc40-b565"):
        cli.project_id = project
        assert (await cli.put(session)).status_code == 201
    listed = (await cli.ask("GET", "/api/v1/projects")).json()["data"]["projects"]
    assert {one["id"] for one in listed} == {"proj_abc123", "PROJ_ABC123", "0f81-fa3b-cc40-b565"}


async def test_ids_that_no_client_makes_are_refused(cli: CLI) -> None:
    session = make_session(71)
    for wrong in ("a b", "x" * 129, "é", "a%00b"):
        path = f"/api/v1/projects/{cli.project_id}/sessions/{wrong}"
        headers = {"Authorization": f"Bearer {cli.access_token}", "Content-Type": "application/json"}
        body = {"projectName": "p", "name": "n", "markdown": "m", "rawData": "r"}
        async with httpx.AsyncClient(base_url=cli.base, timeout=60) as client:
            assert (await client.put(path, json=body, headers=headers)).status_code in {400, 404}, wrong
    assert session.session_id


async def test_merged_project_answers_to_both_ids(cli: CLI) -> None:
    both, only_old = make_session(72), make_session(73)
    cli.project_id = "f233-692c-bcb3-d4d2"
    assert await cli.sync([grown(both, "the longer one\n"), only_old]) == SyncResult(created=2)
    cli.project_id = "0f81-fa3b-cc40-b565"
    await cli.put(both)
    answer = await cli.ask("POST", "/api/v1/projects/f233-692c-bcb3-d4d2/merge", body={"into": cli.project_id})
    assert answer.status_code == 200, answer.text
    assert answer.json()["data"]["project"]["aliases"] == ["f233-692c-bcb3-d4d2"]
    for project in ("f233-692c-bcb3-d4d2", "0f81-fa3b-cc40-b565"):
        cli.project_id = project
        sizes = decode((await cli.ask("GET", f"/api/v1/projects/{project}/sessions/sizes")).content, SIZES)
        assert sizes["data"]["sessions"][both.session_id] == len(both.markdown.encode()) + len("the longer one\n")
        assert only_old.session_id in sizes["data"]["sessions"]
        assert (await cli.put(grown(only_old, project))).status_code == 200
    assert (await cli.ask("GET", "/api/v1/projects")).json()["data"]["total"] == 1
    same = await cli.ask("POST", "/api/v1/projects/f233-692c-bcb3-d4d2/merge", body={"into": cli.project_id})
    assert same.status_code == 400


async def test_stats_need_a_credential(cli: CLI, server: str) -> None:
    await cli.put(make_session(74))
    path = f"/api/v1/projects/{cli.project_id}/stats"
    stats = (await cli.ask("GET", path)).json()["data"]
    assert (stats["totalSessions"], stats["llmModels"]) == (1, ["claude-sonnet-4-5"])
    async with httpx.AsyncClient(base_url=server, timeout=60) as visitor:
        assert (await visitor.get(path)).status_code == 401


async def test_signed_in_person_sees_what_the_device_uploaded(cli: CLI, person: Tenant) -> None:
    session = make_session(75)
    await cli.put(session)
    answer = person.client.get(cli.path(session), headers={"Accept": "text/markdown"})
    assert answer.content == session.markdown.encode()
