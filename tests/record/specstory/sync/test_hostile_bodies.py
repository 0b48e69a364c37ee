"""Bodies that no client means: nested too deeply, under whatever type they come, or with halves of characters."""

from __future__ import annotations

import httpx
import pytest

from tests.interaction.tenant import Tenant
from tests.record.specstory.cli_emulator import CLI
from tests.record.specstory.go_decoding import ERROR, decode


@pytest.mark.parametrize("depth", [300, 1_500, 100_000])
@pytest.mark.parametrize("media_type", ["application/json", "application/octet-stream", "text/plain"])
async def test_deeply_nested_uploads_are_400(cli: CLI, depth: int, media_type: str) -> None:
    deep = "[" * depth + "]" * depth
    body = f'{{"projectName":"a","name":"b","markdown":"c","rawData":"d","metadata":{{"x":{deep}}}}}'
    headers = {"Authorization": f"Bearer {cli.access_token}", "Content-Type": media_type}
    async with httpx.AsyncClient(base_url=cli.base, timeout=60) as client:
        answer = await client.put(f"/api/v1/projects/{cli.project_id}/sessions/deep", content=body, headers=headers)
    assert answer.status_code == 400
    error = decode(answer.content, ERROR)
    assert error["success"] is False
    assert media_type != "application/octet-stream" or error["error"] == "Invalid JSON in request body"
    assert (await cli.head("deep")).status_code == 404


async def test_a_hostname_with_half_a_character_is_kept_as_far_as_it_is_text(server: str, person: Tenant) -> None:
    code = person.client.post("/api/v1/auth/device-codes").json()["code"].replace("-", "")
    body = f'{{"device_code":"{code}","hostname":"lap\\ud800top\\u0000","username":"\\ud83d\\ude00"}}'
    headers = {"Content-Type": "application/json"}
    async with httpx.AsyncClient(base_url=server, timeout=60) as client:
        answer = await client.post("/api/v1/device-login", content=body, headers=headers)
    assert answer.status_code == 200, answer.text
    [device] = person.client.get("/api/v1/auth/devices").json()["results"]
    assert (device["hostname"], device["username"]) == ("lap\ufffdtop", "\U0001f600")
