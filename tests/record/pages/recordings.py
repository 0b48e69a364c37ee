"""Sessions as clients send them, calm or hostile, short or long: what the tests of pages and browsers look at."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tests.interaction.tenant import Tenant

PROJECT = "aaaa-bbbb-cccc-dddd"
SESSION = "11111111-1111-4111-8111-111111111111"
HOSTILE = (
    "<script>window.hacked=1</script>\"'><img src=x onerror=window.hacked=1> \u202eevil\u202c {{7*7}} ${x} "
    "</details></div></template><svg onload=window.hacked=1> <!-- <style>*{display:none}</style> "
    "[a](javascript:window.hacked=1) ![b](data:text/html,<script>window.hacked=1</script>)"
)


def exchange(number: int, asked: str, hostile: str = "") -> dict[str, Any]:
    """One exchange with a thought, tools of several kinds and an answer; 1 is the first."""
    minute, second = divmod(number, 60)

    def at(offset: int) -> str:
        return f"2026-03-01T10:{minute:02d}:{second:02d}.{offset:03d}Z"

    def agent(offset: int, **more: Any) -> dict[str, Any]:
        return {"role": "agent", "model": "claude-sonnet-4-5" + hostile, "timestamp": at(offset), **more}

    def tool(offset: int, name: str, kind: str, source: Mapping[str, Any], result: str, **more: Any) -> dict[str, Any]:
        call = {"name": name + hostile, "type": kind, "input": source, "output": {"content": result, **more}}
        return agent(offset, tool=call)

    path = f"/home/dev/demo/src/part{number}.go{hostile}"
    todos = [{"content": "Read" + hostile, "status": "completed"}, {"content": "Write", "status": "pending"}]
    edit = {"file_path": path, "old_string": "a := 1\nb := 2", "new_string": f"a := 1\nb := {number + 2}{hostile}"}
    return {
        "exchangeId": f"s:{number - 1}",
        "startTime": at(0),
        "endTime": at(900),
        "messages": [
            {"role": "user", "timestamp": at(0), "content": [{"type": "text", "text": f"{asked} {hostile}"}]},
            agent(100, content=[{"type": "thinking", "text": "Perhaps the lexer." + hostile}]),
            tool(200, "TodoWrite", "task", {"todos": todos}, "ok"),
            tool(300, "Bash", "shell", {"command": "go test ./..." + hostile}, "FAIL" + hostile, is_error=True),
            tool(400, "Edit", "write", edit, "updated"),
            tool(500, "mcp__maps__find", "generic", {"<b>key</b>" + hostile: "value" + hostile}, "found" + hostile),
            tool(
                600,
                "Read",
                "read",
                {"file_path": f"/home/dev/demo/notes{number}.txt"},
                "\n".join(f"{n}\tline {n}" for n in range(1, 400)),
            ),
            agent(
                700,
                content=[
                    {"type": "text", "text": f"**Done** with part {number}.\n\n| a | |\n|-|-|\n| 1 | 2 |\n{hostile}"}
                ],
                usage={"inputTokens": 1000, "outputTokens": 200, "cacheReadInputTokens": 5000},
            ),
        ],
    }


def document(asked: Sequence[str], hostile: str = "", session_id: str = SESSION) -> str:
    """SessionData."""
    return json.dumps(
        {
            "schemaVersion": "1.0",
            "provider": {"id": "claude-code", "name": "Claude Code", "version": "1"},
            "sessionId": session_id,
            "createdAt": "2026-03-01T10:00:00Z",
            "workspaceRoot": "/home/dev/demo",
            "exchanges": [exchange(number, text, hostile) for number, text in enumerate(asked, 1)],
        }
    )


def record(
    tenant: Tenant,
    asked: Sequence[str] = ("Teach the parser brackets", "Now the tests"),
    *,
    project: str = PROJECT,
    session: str = SESSION,
    hostile: str = "",
    title: str = "Brackets in the parser",
    **metadata: Any,
) -> str:
    """Sends a session as SpecStory's command line does; returns the address of its page."""
    body = {
        "projectName": "demo" + hostile,
        "name": "brackets",
        "markdown": "# Brackets\n",
        "rawData": '{"raw":1}\n',
        "sessionData": document(asked, hostile, session),
        "metadata": {
            "clientName": "specstory-cli",
            "agentName": "Claude Code",
            "machineName": "laptop" + hostile,
            "gitBranches": ["feature/brackets" + hostile],
            "llmModels": ["claude-sonnet-4-5" + hostile],
            "tags": ["parser" + hostile],
            "title": title + hostile,
            **metadata,
        },
    }
    return put(tenant, body, project, session)


def put(tenant: Tenant, body: Mapping[str, Any], project: str = PROJECT, session: str = SESSION) -> str:
    """Sends an upload; returns the address of the session's page."""
    answer = tenant.client.put(f"/api/v1/projects/{project}/sessions/{session}", json=body)
    assert answer.status_code in {200, 201}, answer.text
    return f"/projects/{project}/sessions/{session}"
