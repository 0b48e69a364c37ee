"""What is deleted is gone: a random word that was in it stands nowhere any more, down to the bytes on the disk.

PostgreSQL's and ClickHouse's own files are their servers' to clean, so there the tables are looked through.
"""

from __future__ import annotations

import secrets
from dataclasses import replace

from specloop.db.uow import ALL_WORKSPACES
from specloop.record.traces import TraceRemoval
from tests.record.keeping.house import DAY, House, Person
from tests.record.specstory.cli_emulator import LocalSession
from tests.record.specstory.samples import make_session


def planted(word: str, seed: int) -> LocalSession:
    """A session with a word in every document."""
    session = make_session(seed)
    text = session.markdown.replace("refactor", f"refactor {word}").replace("# ", f"# {word} ", 1)
    data = session.session_data.replace("refactor", f"refactor {word}")
    return replace(session, markdown=text, raw=session.raw + f'\n{{"note":"{word}"}}', session_data=data)


async def bodies(house: House, workspace_id: str) -> list[bytes]:
    """The middle of every compressed document, which nothing else has."""
    async with house.program.ground.database.reading(ALL_WORKSPACES) as unit:
        connection = await unit.session.connection()
        rows = await connection.exec_driver_sql(
            f"SELECT body FROM session_documents WHERE workspace_id = '{workspace_id}'"
        )
        found = [bytes(row[0]) for row in rows]
    return [body[len(body) // 2 :][:48] for body in found]


async def assert_gone(house: House, *needles: bytes) -> None:
    """Nothing of it is left but unmerged pages of an index, and after the nightly sweep not even those."""
    assert await house.places_of(*needles) <= {"fts_words_data", "fts_prefixes_data"}
    await house.keeping.sweep_all()
    assert await house.places_of(*needles) == set()
    assert house.files_with(*needles) == set()


async def test_a_deleted_session_leaves_no_trace_of_itself(house: House, owner: Person) -> None:
    word = "z" + secrets.token_hex(8)
    doomed, other = planted(word, 1), make_session(2)
    await owner.upload(doomed, tags=[word])
    await owner.upload(other)
    assert await house.places_of(word.encode())
    await owner.ask("DELETE", f"/api/v1/projects/widgets/sessions/{doomed.session_id}")
    await assert_gone(house, word.encode())
    assert await house.count("coding_sessions") == 1


async def test_a_replaced_text_leaves_no_trace_of_the_older_one(house: House, owner: Person) -> None:
    word = "z" + secrets.token_hex(8)
    doomed = planted(word, 1)
    await owner.upload(doomed)
    gone = await bodies(house, owner.workspace_id)
    await owner.upload(replace(make_session(1), raw="{}"))
    await assert_gone(house, word.encode(), *gone)


async def test_a_deleted_project_leaves_no_trace_of_itself(house: House, owner: Person) -> None:
    word = "z" + secrets.token_hex(8)
    for seed in range(3):
        await owner.upload(planted(word, seed), project=word)
    gone = await bodies(house, owner.workspace_id)
    await owner.ask("DELETE", f"/api/v1/projects/{word}")
    # Names of projects are in the audit log, if anywhere: who deleted what.
    await assert_gone(house, word.encode(), *gone)


async def wait_for_trace(owner: Person, workspace_id: str, trace_id: str) -> None:
    """Until it can be read."""
    path = f"/api/v1/workspaces/{workspace_id}/traces/{trace_id}"
    sent = {"Authorization": f"Bearer {owner.body['access_token']}"}

    async def is_there() -> bool:
        return (await owner.house.client.get(path, headers=sent)).status_code == 200

    await owner.house.until(is_there)


async def test_a_deleted_trace_is_off_the_disk_after_maintenance(house: House, owner: Person) -> None:
    word = "z" + secrets.token_hex(8)
    key, trace_id = await owner.key(), secrets.token_hex(16)
    await owner.send_trace(key, trace_id, word=word)
    await owner.send_trace(key, kept := secrets.token_hex(16))
    await wait_for_trace(owner, owner.workspace_id, trace_id)
    await wait_for_trace(owner, owner.workspace_id, kept)
    said = {"name": "quality", "explanation": word, "score": 0.5, "annotator": "human"}
    await owner.ask("POST", f"{owner.path}/traces/{trace_id}/annotations", said, 201)
    await owner.ask("DELETE", f"{owner.path}/traces/{trace_id}", status=204)
    assert await house.traces_of(owner.workspace_id) == {kept}
    await house.program.assembly.get(TraceRemoval).purge()
    assert await parts_with(house, word) == 0
    await assert_gone(house, word.encode())
    assert await house.traces_of(owner.workspace_id) == {kept}


async def parts_with(house: House, word: str) -> int:
    """Rows with the word that the engine has in its parts, seen or hidden; `apply_deleted_mask` shows the hidden."""
    rows = await house.program.ground.telemetry.query(
        "SELECT count() AS n FROM spans WHERE positionCaseInsensitive(name, {word:String}) > 0"
        " AND (workspace_id = {workspace_id:UUID} OR 1) SETTINGS apply_deleted_mask = 0",
        workspace_id="00000000-0000-0000-0000-000000000000",
        parameters={"word": word},
    )
    return int(rows[0]["n"])


async def test_a_deleted_account_leaves_no_trace_of_itself(house: House, owner: Person) -> None:
    word = "z" + secrets.token_hex(8)
    stranger = await house.register()
    await stranger.upload(make_session(3))
    room = (await owner.ask("POST", "/api/v1/workspaces", {"name": word}, 201)).json()["id"]
    for seed in range(2):
        await owner.upload(planted(word, seed))
    key, trace_id = await owner.key(room), secrets.token_hex(16)
    await owner.send_trace(key, trace_id, word=word)
    await wait_for_trace(owner, room, trace_id)
    gone = await bodies(house, owner.workspace_id)
    await owner.ask("POST", "/api/v1/account/export", status=202)

    async def is_exported() -> bool:
        return bool(await house.count("account_exports", account_id=owner.account_id, status="ready"))

    await house.until(is_exported)
    await owner.ask("POST", "/api/v1/account/delete", status=202)
    house.clock.advance(31 * DAY)

    async def is_erased() -> bool:
        return not await house.count("accounts", id=owner.account_id)

    await house.until(is_erased)
    assert await house.traces_of(room) == set()
    await house.program.assembly.get(TraceRemoval).purge()
    assert await parts_with(house, word) == 0
    await assert_gone(house, word.encode(), *gone)
    assert await house.count("coding_sessions") == 1
    assert await house.count("search_sessions") == 1
