"""The client commands against a started server: sign in, look, change; and what happens when something is wrong."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from specloop.cli.session import Session, load_profile, profile_path, save_profile
from specloop.kit import json
from tests.cli.conftest import Terminal
from tests.interaction.tenant import PASSWORD
from tests.server import free_port

NOT_ALLOWED, NOT_FOUND, WRONG, NO_SERVER = 3, 4, 2, 7
AGENT = {"name": "Mail", "runtime": {"kind": "external"}, "config": {"params": {"tone": "warm"}}}
UNKNOWN_ID = "01900000-0000-7000-8000-000000000000"


def test_who_registers_is_signed_in_and_the_tokens_stay_private(signed_in: Terminal, email: str) -> None:
    profile = load_profile()
    assert profile.email == email
    assert profile.workspace_id
    assert stat.S_IMODE(profile_path().stat().st_mode) == 0o600
    (room,) = signed_in("workspaces", "list", "--json").document
    assert room["id"] == profile.workspace_id


def test_workspaces_are_made_and_chosen_by_name(signed_in: Terminal) -> None:
    first = load_profile().workspace_id
    made = signed_in("workspaces", "create", "Second", "--description", "For trials", "--json").document
    assert made["description"] == "For trials"
    assert "Using workspace" in signed_in("workspaces", "use", "Second").out
    assert load_profile().workspace_id == made["id"] != first
    listing = signed_in("workspaces", "list").out
    assert "Second" in listing
    assert "●" in listing
    (member,) = signed_in("workspaces", "members", "--json").document
    assert member["email"] == load_profile().email
    missing = signed_in("workspaces", "use", "Third")
    assert (missing.code, missing.out) == (NOT_FOUND, "")
    assert "Third" in missing.err


def test_a_key_is_shown_once_and_works_until_it_is_revoked(signed_in: Terminal, server: str) -> None:
    made = signed_in("keys", "create", "CI", "--json").document
    room = load_profile().workspace_id
    with httpx.Client(base_url=server, headers={"authorization": f"Bearer {made['key']}"}, timeout=60) as robot:
        assert robot.get(f"/api/v1/workspaces/{room}/agents").status_code == 200
        listing = signed_in("keys", "list")
        assert made["last4"] in listing.out
        assert made["key"] not in listing.out
        assert made["key"] not in signed_in("keys", "list", "--json").out
        assert signed_in("keys", "revoke", made["key_id"], "--json").document["status"] == "revoked"
        assert robot.get(f"/api/v1/workspaces/{room}/agents").status_code == 401
    shown = signed_in("keys", "create", "Second", "--expires-at", "2099-01-01T00:00:00Z").out
    assert shown.startswith("sk_live_")


def test_agents_are_made_compared_and_promoted(signed_in: Terminal, server: str, tmp_path: Path) -> None:
    (tmp_path / "agent.json").write_bytes(json.dumps(AGENT))
    made = signed_in("agents", "create", "agent.json", "--json").document
    assert "Mail" in signed_in("agents", "list").out
    assert signed_in("agents", "show", made["id"], "--json").document["promoted_version"] == 1
    put_config(server, made["id"], {"params": {"tone": "cool"}})
    assert [row["version"] for row in signed_in("agents", "versions", made["id"], "--json").document] == [2, 1]
    (edit,) = signed_in("agents", "diff", made["id"], "1", "2", "--json").document["edits"]
    assert (edit["before"], edit["after"]) == ("warm", "cool")
    assert "/params/tone" in signed_in("agents", "diff", made["id"], "1", "2").out
    assert "promoted" in signed_in("agents", "promote", made["id"], "2").out
    served = signed_in("agents", "config", made["id"], "--json").document
    assert served["version"] == 2
    assert '"tone": "cool"' in signed_in("agents", "config", made["id"]).out
    refused = signed_in("agents", "run", made["id"], "agent.json")
    assert refused.code == WRONG
    assert refused.err.startswith("specloop: ")


def test_a_file_that_is_missing_or_no_json_is_named(signed_in: Terminal, tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text("{")
    for name in ("missing.json", "broken.json"):
        said = signed_in("agents", "create", name)
        assert said.code == WRONG
        assert name in said.err


def test_without_traces_the_command_says_how_to_send_them(signed_in: Terminal) -> None:
    assert "/otel" in signed_in("traces", "list").out
    assert signed_in("traces", "list", "--json").document == []
    assert signed_in("traces", "show", "0" * 31 + "1").code == NOT_FOUND
    assert signed_in("traces", "stats").code == 0


@pytest.mark.parametrize("group", ["scans", "changesets"])
def test_lists_of_the_improvement_loop_are_empty_at_first(signed_in: Terminal, group: str) -> None:
    assert signed_in(group, "list", "--json").document == []
    unknown = signed_in(group, "show", UNKNOWN_ID)
    assert unknown.code == NOT_FOUND


def test_an_expired_token_is_renewed_and_kept(signed_in: Terminal) -> None:
    before = load_profile()
    save_profile(replace(before, access_token="expired"))
    assert signed_in("workspaces", "list", "--json").code == 0
    after = load_profile()
    assert after.access_token not in (before.access_token, "expired")
    assert after.refresh_token != before.refresh_token
    assert after.workspace_id == before.workspace_id


def test_a_token_that_another_command_renewed_is_taken_up(signed_in: Terminal) -> None:
    # Two commands start with the same expired token; the refresh token is good once, so the second must not spend it.
    session_a, session_b = Session.current(), Session.current()
    for session in (session_a, session_b):
        session.profile = replace(session.profile, access_token="expired")
    save_profile(session_a.profile)
    assert session_a.get("/api/v1/workspaces")["results"]
    assert session_b.get("/api/v1/workspaces")["results"]
    assert signed_in("workspaces", "list").code == 0


def test_a_session_that_has_ended_asks_for_a_sign_in(signed_in: Terminal) -> None:
    kept = load_profile()
    assert signed_in("logout").code == 0
    assert signed_in("workspaces", "list").code == NOT_ALLOWED
    save_profile(kept)
    said = signed_in("workspaces", "list")
    assert said.code == NOT_ALLOWED
    assert "specloop login" in said.err
    assert signed_in("logout", "--json").document == {"signed_out": True}
    assert not profile_path().exists()


def test_a_wrong_password_is_refused_in_the_servers_words(terminal: Terminal, server: str, email: str) -> None:
    said = terminal("login", "--url", server, "--email", email, "--password", "wrong password")
    assert said.code == NOT_ALLOWED
    assert "specloop login" not in said.err
    assert not profile_path().exists()


def test_a_server_that_is_down_is_named(signed_in: Terminal) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    save_profile(replace(load_profile(), url=url))
    said = signed_in("workspaces", "list")
    assert said.code == NO_SERVER
    assert url in said.err
    assert "specloop up" in said.err


def test_tls_is_trusted_by_the_named_certificate_only(terminal: Terminal, server: str, data: Path, email: str) -> None:
    url = server.replace("http://", "https://")
    who = ("--url", url, "--email", email, "--password", PASSWORD, "--register", "Test")
    refused = terminal("login", *who)
    assert refused.code == NO_SERVER
    assert "--ca" in refused.err
    assert terminal("login", *who, "--ca", str(data / "tls" / "server.crt")).code == 0
    assert terminal("workspaces", "list").code == 0


def put_config(server: str, agent_id: str, config: dict[str, Any]) -> None:
    """A second version of an agent's config."""
    profile = load_profile()
    path = f"{server}/api/v1/workspaces/{profile.workspace_id}/agents/{agent_id}/config"
    headers = {"authorization": f"Bearer {profile.access_token}"}
    with httpx.Client(headers=headers, timeout=60) as client:
        tag = client.get(path).headers["etag"]
        answer = client.put(path, json={"config": config}, headers={"if-match": tag})
        assert answer.status_code in (200, 201), answer.text
