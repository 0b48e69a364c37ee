"""What `specstory sync` does against a real server: sizes, skip rule, uploads (specstory.md §1.2, §9 items 3–5, 14)."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from typing import Any

import httpx

from tests.record.specstory.cli_emulator import CLI, SyncResult, go_json, grown
from tests.record.specstory.go_decoding import ERROR, SIZES, decode, envelope
from tests.record.specstory.go_decoding import STRING as TEXT
from tests.record.specstory.samples import make_session

STORED = envelope(sessionId=TEXT, projectId=TEXT, createdAt=TEXT)


def test_two_engines_see_the_same_wire() -> None:
    assert go_json({"a": "<b> & \u2028"}) == b'{"a":"\\u003cb\\u003e \\u0026 \\u2028"}'


async def test_first_sync_uploads_everything_and_the_second_nothing(cli: CLI) -> None:
    sessions = [make_session(seed) for seed in range(12)]
    assert await cli.sync(sessions) == SyncResult(created=12)
    cli.sent.clear()
    assert await cli.sync(sessions) == SyncResult(skipped=12)
    assert [method for method, _ in cli.sent] == ["GET"]


async def test_longer_markdown_is_uploaded_and_shorter_is_not(cli: CLI) -> None:
    session = make_session(1)
    assert await cli.sync_one(session) == "created"
    assert await cli.sync_one(grown(session, "more\n")) == "updated"
    assert await cli.sync_one(replace(session, markdown="short")) == "skipped"
    shorter = await cli.put(replace(session, markdown="short"))
    assert shorter.status_code == 200
    assert (await cli.head(session.session_id)).headers["X-Markdown-Size"] == "5"


async def test_sizes_of_an_unknown_project_are_an_empty_map(cli: CLI) -> None:
    answer = await cli.ask("GET", "/api/v1/projects/no-such-project/sessions/sizes")
    assert answer.status_code == 200
    assert answer.json() == {"success": True, "data": {"sessions": {}}}


async def test_sizes_count_bytes_and_name_session_data_only_where_there_is_some(cli: CLI) -> None:
    session = replace(make_session(2), markdown="é🙂\r\n\x00 \u2028 end")
    bare = replace(make_session(3), session_data="")
    assert await cli.sync([session, bare]) == SyncResult(created=2)
    answer = await cli.ask("GET", f"/api/v1/projects/{cli.project_id}/sessions/sizes")
    sizes = decode(answer.content, SIZES)["data"]["sessions"]
    assert sizes == {
        session.session_id: len(session.markdown.encode()),
        f"{session.session_id}:sessionData": len(session.session_data.encode()),
        bare.session_id: len(bare.markdown.encode()),
    }


async def test_gzip_and_plain_uploads_store_the_same_bytes(cli: CLI) -> None:
    packed = replace(make_session(4), markdown="# é <b> & \x00\r\n tail")
    bare = replace(packed, session_id="another.id:with-marks_1")
    first, second = await cli.put(packed), await cli.put(bare, compress=False)
    assert (first.status_code, second.status_code) == (201, 201)
    for one in (packed, bare):
        for kind, sent in (
            ("text/markdown", one.markdown),
            ("application/vnd.specstory.session-data+json", one.session_data),
            ("application/vnd.specstory.raw-data", one.raw),
        ):
            answer = await cli.ask("GET", cli.path(one), Accept=kind)
            assert answer.content == sent.encode()


async def test_upload_answers_created_then_updated_with_a_tag(cli: CLI) -> None:
    session = make_session(5)
    first = await cli.put(session)
    again = await cli.put(grown(session, "x"))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.headers["ETag"].startswith('W/"')
    assert first.headers["ETag"] != again.headers["ETag"]
    for answer in (first, again):
        body = decode(answer.content, STORED)
        assert body["data"]["sessionId"] == session.session_id
        assert body["data"]["projectId"] == cli.project_id
        assert body["data"]["createdAt"].endswith("Z")


async def test_upload_of_the_same_keeps_the_tag(cli: CLI) -> None:
    session = make_session(6)
    first, again = await cli.put(session), await cli.put(session)
    assert again.status_code == 200
    assert first.headers["ETag"] == again.headers["ETag"]


async def test_upload_without_session_data_keeps_the_last(cli: CLI) -> None:
    session = make_session(7)
    await cli.put(session)
    await cli.put(grown(replace(session, session_data=""), "one more line\n"))
    answer = await cli.ask("GET", cli.path(session), Accept="application/vnd.specstory.session-data+json")
    assert answer.content == session.session_data.encode()
    head = await cli.head(session.session_id)
    assert head.headers["X-Session-Data-Size"] == str(len(session.session_data.encode()))


async def test_metadata_is_kept_with_keys_that_nobody_knows(cli: CLI) -> None:
    session = make_session(8)
    metadata = {"agentName": "Claude Code", "machineName": "tower", "title": "T", "own": {"deep": [1, None, "\x00"]}}
    await cli.put(session, metadata={**metadata, "gitBranches": ["dev"], "tags": ["a", "b"]})
    kept = (await cli.ask("GET", cli.path(session))).json()["data"]["session"]["metadata"]
    assert {name: kept[name] for name in metadata} == metadata
    assert kept["gitBranches"] == ["dev", "main"]
    assert kept["llmModels"] == ["claude-sonnet-4-5"]
    assert kept["tags"] == ["a", "b"]


async def test_sdk_upload_without_project_id_metadata_and_session_data(cli: CLI) -> None:
    session = make_session(9)
    answer = await cli.put(session, compress=False, projectId=None, metadata=None, sessionData=None)
    assert answer.status_code == 201


async def test_missing_fields_are_named(cli: CLI) -> None:
    session = make_session(10)
    for name in ("projectName", "name", "markdown", "rawData"):
        for value in (None, ""):
            members: dict[str, Any] = {name: value}
            answer = await cli.put(session, **members)
            assert answer.status_code == 400
            assert decode(answer.content, ERROR)["error"] == f"Missing required field: {name}"
    assert (await cli.put(session, markdown=5)).status_code == 400
    assert (await cli.put(session, metadata=[])).status_code == 400
    assert (await cli.put(session, sessionData={})).status_code == 400


async def test_broken_bodies_are_refused_in_the_envelope(cli: CLI) -> None:
    path = cli.path(make_session(11))
    packed = gzip.compress(b'{"name":"x"}')
    bodies = [(b"{", ""), (b"[]", ""), (b"", ""), (packed[:-9], "gzip"), (b"not gzip", "gzip")]
    for content, encoding in bodies:
        answer = await _put_raw(cli, path, content, encoding)
        assert answer.status_code == 400, content
        assert decode(answer.content, ERROR)["success"] is False
        assert decode(answer.content, ERROR)["error"]


async def test_bodies_beyond_the_limits_are_413(cli: CLI) -> None:
    path = cli.path(make_session(12))
    bomb = gzip.compress(b"[" + b" " * (300 * 1024 * 1024) + b"]", 1)
    for content, encoding in ((b"x" * (50 * 1024 * 1024 + 1), ""), (bomb, "gzip")):
        answer = await _put_raw(cli, path, content, encoding)
        assert answer.status_code == 413
        assert decode(answer.content, ERROR)["error"] == f"413 Failure - size limit exceeded for {path}"


async def test_unparsable_session_data_is_stored_and_the_markdown_read(cli: CLI) -> None:
    session = replace(make_session(13), session_data='{"schemaVersion":"1.0","sess[REDACTED:generic-api-key]')
    assert (await cli.put(session)).status_code == 201
    kept = await cli.ask("GET", cli.path(session), Accept="application/vnd.specstory.session-data+json")
    assert kept.content == session.session_data.encode()
    detail = (await cli.ask("GET", cli.path(session))).json()["data"]["session"]
    assert detail["exchangeCount"] == 2
    assert detail["startedAt"] == "2026-08-07T13:00:00.000000Z"


async def test_halves_of_surrogate_pairs_do_not_break_an_upload(cli: CLI) -> None:
    session = make_session(14)
    body = json.dumps({"projectName": "p", "name": "n \ud800", "markdown": "m \udfff.", "rawData": "r"}).encode()
    answer = await _put_raw(cli, cli.path(session), body, "")
    assert answer.status_code == 201
    assert (await cli.ask("GET", cli.path(session), Accept="text/markdown")).text == "m \ufffd."


async def _put_raw(cli: CLI, path: str, content: bytes, encoding: str) -> httpx.Response:
    headers = {"Authorization": f"Bearer {cli.access_token}", "Content-Type": "application/json"}
    if encoding:
        headers["Content-Encoding"] = encoding
    async with httpx.AsyncClient(base_url=cli.base, timeout=60) as client:
        return await client.put(path, content=content, headers=headers)
