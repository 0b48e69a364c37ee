"""An account's export holds everything that the account has, in a form that people and programs can read."""

from __future__ import annotations

import json
import secrets
from typing import Any

from specloop.db.uow import ALL_WORKSPACES
from tests.record.keeping.house import House, Person
from tests.record.specstory.samples import make_session


async def exported(house: House, owner: Person) -> tuple[dict[str, list[dict[str, Any]]], str]:
    """The export by table or section, and its text."""
    answer = await owner.ask("POST", "/api/v1/account/export", status=202)
    location = answer.headers["location"]

    async def is_ready() -> bool:
        return (await owner.ask("GET", location)).json()["status"] == "ready"

    await house.until(is_ready)
    content = await owner.ask("GET", f"{location}/content")
    assert int(content.headers["content-length"]) == len(content.content)
    return content.json(), content.text


async def test_documents_are_text_and_traces_are_otlp(house: House, owner: Person) -> None:
    session, word = make_session(1), "w" + secrets.token_hex(8)
    stranger = await house.register()
    await stranger.upload(make_session(2))
    await owner.upload(session, note="kept")
    room = (await owner.ask("POST", "/api/v1/workspaces", {"name": "Other room"}, 201)).json()["id"]
    trace_id = secrets.token_hex(16)
    await owner.send_trace(await owner.key(room), trace_id, word=word, spans=3)

    async def is_stored() -> bool:
        return await house.traces_of(room) == {trace_id}

    await house.until(is_stored)
    parts, text = await exported(house, owner)
    documents = {row["kind"]: row["text"] for row in parts["session_documents"]}
    assert documents == {
        "markdown": session.markdown,
        "raw": session.raw,
        "session_data": session.session_data,
    }
    [row] = parts["coding_sessions"]
    assert row["client_id"] == session.session_id
    assert row["metadata"]["note"] == "kept"
    assert all(exchange["text"] for exchange in parts["session_exchanges"])
    assert "exchange_vectors" not in parts
    [trace] = parts["traces"]
    assert trace["workspace_id"] == room
    spans = trace["resourceSpans"][0]["scopeSpans"][0]["spans"]
    assert sorted(span["name"] for span in spans) == [f"step {number} {word}" for number in range(3)]
    assert {span["traceId"] for span in spans} == {trace_id}
    assert stranger.account_id not in text


async def test_a_damaged_document_says_so_and_the_others_are_exported(house: House, owner: Person) -> None:
    await owner.upload(make_session(1))
    async with house.program.ground.database.writing(ALL_WORKSPACES) as unit:
        connection = await unit.session.connection()
        statement = f"UPDATE session_documents SET sha256 = '{'f' * 64}' WHERE kind = 'raw'"
        await connection.exec_driver_sql(statement)
    parts, _ = await exported(house, owner)
    by_kind = {row["kind"]: row for row in parts["session_documents"]}
    assert by_kind["raw"]["is_corrupt"]
    assert "text" not in by_kind["raw"]
    assert by_kind["markdown"]["text"]
    assert json.loads(by_kind["session_data"]["text"])
