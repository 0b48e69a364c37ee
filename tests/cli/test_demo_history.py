"""The demo's last offer: the user's own coding sessions."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from specloop.cli.demo.history import offer_import
from specloop.cli.session import Profile, Session
from specloop.kit import json
from tests.server import started_server

SESSION = "11111111-2222-4333-8444-555555555555"


def write_transcript(home: Path) -> None:
    """A small Claude Code session of a project in `home`."""
    about = {"sessionId": SESSION, "cwd": str(home / "demo"), "isSidechain": False}
    said = [
        {
            "type": "user",
            "uuid": "u1",
            "parentUuid": None,
            "timestamp": "2026-10-09T10:00:00.000Z",
            "message": {"role": "user", "content": "List the quokkas"},
        },
        {
            "type": "assistant",
            "uuid": "a1",
            "parentUuid": "u1",
            "timestamp": "2026-10-09T10:00:02.000Z",
            "message": {"role": "assistant", "model": "m", "content": [{"type": "text", "text": "There are none."}]},
        },
    ]
    folder = home / ".claude" / "projects" / "-demo"
    folder.mkdir(parents=True)
    lines = [json.dumps({**about, **record}) for record in said]
    (folder / f"{SESSION}.jsonl").write_bytes(b"\n".join(lines) + b"\n")


def signed_in(url: str) -> Session:
    """The demo's user."""
    body = {"email": "demo@test.com", "password": "devpass", "tenant_name": "Demo"}
    made = httpx.post(f"{url}/api/v1/auth/register", json=body, timeout=60).raise_for_status().json()
    profile = Profile(url, "demo@test.com", made["access_token"], made["refresh_token"], made["workspace_id"])
    return Session(profile, keeps_profile=False)


def projects(session: Session) -> list[object]:
    """What the server has."""
    headers = {"authorization": f"Bearer {session.profile.access_token}"}
    answer = httpx.get(f"{session.profile.url}/api/v1/projects", headers=headers, timeout=60)
    return answer.json()["data"]["projects"]


def test_own_sessions_are_imported_only_when_agreed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "CODEX_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    with started_server(tmp_path / "data") as url:
        session = signed_in(url)
        offer_import(session, is_agreed=True, as_json=False, home=home)
        assert capsys.readouterr() == ("", ""), "nothing to offer"

        write_transcript(home)
        offer_import(session, is_agreed=False, as_json=False, home=home)
        assert "A coding session of yours" in capsys.readouterr().err
        assert projects(session) == []

        offer_import(session, is_agreed=True, as_json=False, home=home)
        assert f"{url}/app/w/{session.profile.workspace_id}/sessions" in capsys.readouterr().out
        assert len(projects(session)) == 1
