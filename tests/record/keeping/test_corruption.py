"""A disk flips bits: what is damaged is never served, its error can be found in the log, and the doctor names it."""

from __future__ import annotations

import asyncio
import re
import secrets
from pathlib import Path

import pytest
from sqlalchemy import text

from specloop.app.integrity import inspect
from specloop.db.uow import ALL_WORKSPACES
from tests.record.keeping.house import House, Person
from tests.record.keeping.test_export import exported
from tests.record.keeping.test_retention import export_traces
from tests.record.specstory.samples import make_session

INCIDENT = re.compile(r"Incident ([0-9a-f-]{36})")


async def flip_a_byte(house: House, kind: str) -> None:
    """Change one byte in the middle of a stored document."""
    async with house.program.ground.database.writing(ALL_WORKSPACES) as unit:
        query = text("SELECT body FROM session_documents WHERE kind = :kind")
        body = bytearray(await unit.session.scalar(query, {"kind": kind}) or b"")
        body[len(body) // 2] ^= 0x10
        change = text("UPDATE session_documents SET body = :body WHERE kind = :kind")
        await unit.session.execute(change, {"body": bytes(body), "kind": kind})


async def findings(house: House) -> dict[str, tuple[str, str]]:
    """What the doctor says after reading everything, by check: status and detail."""
    found = await asyncio.to_thread(inspect, house.program.ground.settings)
    return {finding.check: (finding.status, finding.detail) for finding in found}


async def test_a_damaged_document_is_an_incident_and_never_served(
    house: House, owner: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    session = make_session(1)
    await owner.upload(session)
    assert (await findings(house))["documents"][0] == "ok"
    await flip_a_byte(house, "markdown")
    path = f"/api/v1/projects/widgets/sessions/{session.session_id}"
    answer = await owner.ask("GET", path, status=500, accept="text/markdown")
    assert answer.json()["success"] is False
    found = INCIDENT.search(answer.json()["error"])
    assert found is not None, answer.text
    assert session.markdown[:40] not in answer.text
    said = capsys.readouterr()
    assert found[1] in said.out + said.err
    status, detail = (await findings(house))["documents"]
    assert status == "failed"
    assert detail.startswith("1 of "), detail
    assert "markdown of session" in detail


async def test_a_damaged_session_can_be_deleted_and_uploaded_again(house: House, owner: Person) -> None:
    session = make_session(1)
    await owner.upload(session)
    for kind in ("markdown", "session_data", "raw"):
        await flip_a_byte(house, kind)
    path = f"/api/v1/projects/widgets/sessions/{session.session_id}"
    await owner.ask("DELETE", path)
    await owner.upload(session)
    answer = await owner.ask("GET", path, accept="text/markdown")
    assert answer.text == session.markdown
    assert (await findings(house))["documents"][0] == "ok"


async def test_a_damaged_export_is_an_incident_and_never_served(house: House, owner: Person) -> None:
    await exported(house, owner)
    [blob] = [path for path in (house.folder / "blobs").rglob("*") if path.is_file()]
    damage(blob)
    async with house.program.ground.database.reading(ALL_WORKSPACES) as unit:
        export_id = await unit.session.scalar(text("SELECT id FROM account_exports"))
    answer = await owner.ask("GET", f"/api/v1/account/exports/{export_id}/content", status=500)
    assert INCIDENT.search(answer.json()["detail"])
    status, detail = (await findings(house))["blobs"]
    assert status == "failed"
    assert blob.name in detail


async def test_a_damaged_or_lost_file_of_traces_is_an_error_and_never_served(house: House, owner: Person) -> None:
    key, trace_id = await owner.key(), secrets.token_hex(16)
    await owner.send_trace(key, trace_id)

    async def is_stored() -> bool:
        return await house.traces_of(owner.workspace_id) == {trace_id}

    await house.until(is_stored)
    file = await export_traces(owner)
    assert trace_id in (await owner.ask("GET", file)).text
    [blob] = [path for path in (house.folder / "blobs").rglob("*") if path.is_file()]
    damage(blob)
    answer = await owner.ask("GET", file, status=500)
    assert INCIDENT.search(answer.json()["detail"])
    assert trace_id not in answer.text
    blob.unlink()
    await owner.ask("GET", file, status=404)


def damage(path: Path) -> None:
    """Change one byte in the middle of a file."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
