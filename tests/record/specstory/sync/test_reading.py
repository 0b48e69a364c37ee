"""Reading what was uploaded: HEAD, negotiation, tags, lists (specstory.md §1.4, §3, §4, §9 items 6–9, 12)."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest

from tests.record.specstory.cli_emulator import CLI, SyncResult
from tests.record.specstory.go_decoding import ERROR, PROJECTS, SESSIONS, decode
from tests.record.specstory.samples import make_session
from tests.record.specstory.sdk_models import Project, SessionSummary, WholeSession

SESSION_DATA = "application/vnd.specstory.session-data+json"
RAW = "application/vnd.specstory.raw-data"
JSON = "application/json"
MARKDOWN = "text/markdown; charset=utf-8"
ACCEPTS = [
    ("application/json", JSON),
    ("*/*", JSON),
    ("", JSON),
    ("image/png", JSON),
    ("text/markdown", MARKDOWN),
    ("TEXT/Markdown; charset=utf-8", MARKDOWN),
    ("text/*", MARKDOWN),
    ("application/json;q=0.5, text/markdown;q=0.9", MARKDOWN),
    ("text/markdown;q=0, */*", JSON),
    ("text/markdown;q=0.4, application/*;q=0.8", JSON),
    (RAW, RAW),
    (f"{SESSION_DATA}, */*;q=0.1", JSON),
]


async def test_head_tells_sizes_and_tag_without_a_body(cli: CLI) -> None:
    session = make_session(20)
    put = await cli.put(session)
    head = await cli.head(session.session_id)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["X-Markdown-Size"] == str(len(session.markdown.encode()))
    assert head.headers["X-Session-Data-Size"] == str(len(session.session_data.encode()))
    assert head.headers["X-Raw-Data-Size"] == str(len(session.raw.encode()))
    assert head.headers["Content-Length"] == head.headers["X-Markdown-Size"]
    assert head.headers["ETag"] == put.headers["ETag"]
    assert head.headers["Last-Modified"].endswith("GMT")
    assert int(head.headers["X-RateLimit-Remaining"]) > 1_000
    missing = await cli.head("no-such-session")
    assert (missing.status_code, missing.content) == (404, b"")
    assert "X-RateLimit-Limit" in missing.headers


async def test_tags_are_compared_weakly_in_lists_and_with_a_star(cli: CLI) -> None:
    session = make_session(21)
    tag = (await cli.put(session)).headers["ETag"]
    bare = tag.removeprefix("W/")
    for method in ("GET", "HEAD"):
        for known in (tag, bare, f'"other", {tag}', f'W/"a,b" , {bare}', "*", bare.strip('"')):
            answer = await cli.ask(method, cli.path(session), If_None_Match=known)
            assert (answer.status_code, answer.content) == (304, b""), known
            assert answer.headers["ETag"] == tag
            assert "Accept" in answer.headers["Vary"].split(", ")
            assert "Last-Modified" in answer.headers
            assert "X-RateLimit-Limit" in answer.headers
        other = await cli.ask(method, cli.path(session), If_None_Match='"other"')
        assert other.status_code == 200


async def test_if_modified_since_counts_only_without_tags(cli: CLI) -> None:
    session = make_session(22)
    await cli.put(session)

    async def asked(since: str, **headers: str) -> int:
        return (await cli.ask("GET", cli.path(session), If_Modified_Since=since, **headers)).status_code

    moment = (await cli.head(session.session_id)).headers["Last-Modified"]
    assert await asked(moment) == 304
    assert await asked(moment, If_None_Match='"other"') == 200


@pytest.mark.parametrize(
    "date",
    [
        "yesterday",
        "Thu, 01 Jan 1970 00:00:00 GMT",
        "Mon, 01 Jan 2024 00:00:00 +99999999999999",
        "Mon, 01 Jan 2024 00:00:00 +9999",
        "Mon, 01 Jan 99999 00:00:00 GMT",
        "Mon, 01 Jan 0001 00:00:00 +2300",
        "Mon, 99 Jan 2024 00:00:00 GMT",
        "0",
    ],
)
async def test_dates_that_are_none_prove_nothing(cli: CLI, date: str) -> None:
    session = make_session(221)
    await cli.put(session)
    assert (await cli.ask("GET", cli.path(session), If_Modified_Since=date)).status_code == 200


async def test_markdown_has_a_tag_too(cli: CLI) -> None:
    session = make_session(23)
    tag = (await cli.put(session)).headers["ETag"]
    answer = await cli.ask("GET", cli.path(session), Accept="text/markdown")
    assert answer.headers["ETag"] == tag
    again = await cli.ask("GET", cli.path(session), Accept="text/markdown", If_None_Match=tag)
    assert (again.status_code, again.content) == (304, b"")


async def test_accept_chooses_the_representation_and_never_refuses(cli: CLI) -> None:
    session = make_session(24)
    await cli.put(session)
    for accept, expected in ACCEPTS:
        answer = await cli.ask("GET", cli.path(session), Accept=accept)
        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == expected, accept


async def test_session_data_comes_back_byte_for_byte(cli: CLI) -> None:
    session = replace(make_session(25), session_data='{ "schemaVersion" :"1.0" , "x":[1.0, 1e2,"\\u00e9é"]}\n')
    await cli.put(session)
    answer = await cli.ask("GET", cli.path(session), Accept=SESSION_DATA)
    assert answer.headers["Content-Type"] == "application/json"
    assert int(answer.headers["Content-Length"]) == len(session.session_data.encode())
    assert sha256(answer.content).digest() == sha256(session.session_data.encode()).digest()


async def test_session_data_that_was_never_sent_is_not_found(cli: CLI) -> None:
    session = replace(make_session(26), session_data="")
    await cli.put(session)
    tag = (await cli.head(session.session_id)).headers["ETag"]
    for known in ({}, {"If_None_Match": tag}, {"If_None_Match": "*"}):
        answer = await cli.ask("GET", cli.path(session), Accept=SESSION_DATA, **known)
        assert answer.status_code == 404
        assert decode(answer.content, ERROR)["success"] is False


async def test_raw_data_has_a_path_of_its_own(cli: CLI) -> None:
    session = make_session(27)
    await cli.put(session)
    assert (await cli.ask("GET", f"{cli.path(session)}/raw")).content == session.raw.encode()


async def test_unknown_sessions_and_projects_have_the_documented_texts(cli: CLI) -> None:
    session = make_session(28)
    await cli.put(session)
    for path, text in (
        (f"/api/v1/projects/{cli.project_id}/sessions/none", "Session not found"),
        ("/api/v1/projects/none/sessions/none", "Session not found"),
        ("/api/v1/projects/none/sessions", "Project not found"),
        ("/api/v1/projects/none", "Project not found"),
        (f"/api/v1/projects/{cli.project_id}/nothing/here", "Not found"),
    ):
        answer = await cli.ask("GET", path)
        assert answer.status_code == 404
        assert decode(answer.content, ERROR) == {"success": False, "error": text}


async def test_no_route_redirects(cli: CLI) -> None:
    await cli.put(make_session(29))
    for path in ("/api/v1/projects/", f"/api/v1/projects/{cli.project_id}/sessions/", "/api/v1/sessions/recent/"):
        assert (await cli.ask("GET", path)).status_code == 404


async def test_row_id_finds_what_the_client_id_finds(cli: CLI) -> None:
    session = make_session(30)
    await cli.put(session)
    first = (await cli.ask("GET", cli.path(session))).json()["data"]["session"]
    assert first["clientId"] == session.session_id
    again = await cli.ask("GET", f"/api/v1/projects/{cli.project_id}/sessions/{first['id']}")
    assert again.json()["data"]["session"]["clientId"] == session.session_id


async def test_sdk_models_accept_every_answer(cli: CLI) -> None:
    session = make_session(31)
    await cli.put(session)
    listed = (await cli.ask("GET", f"/api/v1/projects/{cli.project_id}/sessions")).json()["data"]
    assert listed["total"] == 1
    assert listed["projectId"] == cli.project_id
    SessionSummary.model_validate(listed["sessions"][0])
    WholeSession.model_validate((await cli.ask("GET", cli.path(session))).json()["data"]["session"])
    projects = (await cli.ask("GET", "/api/v1/projects")).json()["data"]
    assert projects["total"] == 1
    Project.model_validate(projects["projects"][0])
    recent = (await cli.ask("GET", "/api/v1/sessions/recent")).json()["data"]["sessions"]
    SessionSummary.model_validate(recent[0])


async def test_session_shows_its_exchanges_and_times(cli: CLI) -> None:
    session = make_session(32, 3)
    await cli.put(session)
    body = (await cli.ask("GET", cli.path(session))).json()["data"]["session"]
    assert [one["orderNumber"] for one in body["exchanges"]] == [0, 1, 2]
    assert all(one["content"] for one in body["exchanges"])
    assert body["startedAt"] == "2026-08-07T13:00:00.000000Z"
    assert body["endedAt"] == "2026-08-07T13:02:30.000000Z"
    assert body["markdownContent"] == session.markdown
    assert body["metadata"]["agentName"] == "Claude Code"


async def test_head_answers_wherever_get_does_without_a_body(cli: CLI) -> None:
    session = make_session(34)
    await cli.put(session)
    project = f"/api/v1/projects/{cli.project_id}"
    for path in (
        "/api/v1/projects",
        project,
        f"{project}/stats",
        f"{project}/sessions",
        f"{project}/sessions/sizes",
        f"{cli.path(session)}/raw",
        "/api/v1/sessions/recent",
        "/api/v1/billing/entitlement",
    ):
        whole, head = await cli.ask("GET", path), await cli.ask("HEAD", path)
        assert (head.status_code, head.content) == (200, b""), path
        for name in ("Content-Type", "Content-Length", "ETag", "Content-Disposition"):
            assert head.headers.get(name) == whole.headers.get(name), (path, name)
    assert (await cli.head("none/raw")).status_code == 404


async def test_odd_spellings_of_known_metadata_do_not_break_the_list(cli: CLI) -> None:
    odd: dict[str, Any] = {
        "Title": 5,
        "machinename": ["x"],
        "AGENTNAME": None,
        "deviceID": 7,
        "clientVer\u017fion": 1,
        "Tag\u017f": {},
    }
    session = make_session(35)
    await cli.put(session, metadata={"agentName": "Claude Code", "title": "Kept", "mine": {"Title": 1}, **odd})
    answer = await cli.ask("GET", f"/api/v1/projects/{cli.project_id}/sessions?resumable=true")
    [listed] = decode(answer.content, SESSIONS)["data"]["sessions"]
    assert listed["metadata"]["title"] == "Kept"
    metadata = answer.json()["data"]["sessions"][0]["metadata"]
    assert metadata["mine"] == {"Title": 1}
    assert not odd.keys() & metadata.keys()


@pytest.mark.parametrize("limit", ["0", "-3", "101", "100000", "99999999999999999999", "-99999999999999999999"])
async def test_recent_brings_its_limit_into_range(cli: CLI, limit: str) -> None:
    await cli.sync([make_session(seed, 1) for seed in range(40, 43)])
    answer = await cli.ask("GET", f"/api/v1/sessions/recent?limit={limit}")
    assert answer.status_code == 200
    assert len(answer.json()["data"]["sessions"]) == (3 if int(limit) > 0 else 1)


async def test_first_sync_of_1200_passes_the_limits_as_shipped_and_is_listed_whole_newest_first(cli: CLI) -> None:
    sessions = [make_session(seed, 1 + seed % 5, words=3) for seed in range(1_200)]
    bare = replace(make_session(5_000), session_data="")
    assert await cli.sync([*sessions, bare]) == SyncResult(created=1_201)
    answer = await cli.ask("GET", f"/api/v1/projects/{cli.project_id}/sessions?resumable=true")
    listed = decode(answer.content, SESSIONS)["data"]
    assert {one["clientId"] for one in listed["sessions"]} == {one.session_id for one in sessions}
    newest = [(one["endedAt"], one["updatedAt"]) for one in listed["sessions"]]
    assert newest == sorted(newest, reverse=True)
    assert {one["metadata"]["agentName"] for one in listed["sessions"]} == {"Claude Code"}
    projects = decode((await cli.ask("GET", "/api/v1/projects?resumable=true")).content, PROJECTS)["data"]
    assert projects["total"] == 1
    assert len(projects["projects"][0]["sessions"]) == 1_200
    assert projects["projects"][0]["sessionCount"] == 1_201


async def test_projects_without_session_data_are_not_resumable(cli: CLI) -> None:
    await cli.put(replace(make_session(33), session_data=""))
    answer = await cli.ask("GET", "/api/v1/projects?resumable=true")
    assert decode(answer.content, PROJECTS)["data"] == {"projects": [], "total": 0}


async def test_openapi_of_the_stage_has_only_its_own_routes(cli: CLI) -> None:
    document = (await cli.ask("GET", "/api/v1/openapi")).json()
    assert "/api/v1/projects/{project}/sessions/{session}" in document["paths"]
    assert not any(path.startswith("/api/v1/workspaces") for path in document["paths"])
