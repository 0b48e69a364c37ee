"""The facts drawn from a transcript."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from specloop.kit.json import dumps
from specloop.record.sessions.transcript import (
    Candidate,
    Message,
    Part,
    Tool,
    ToolCount,
    Transcript,
    Usage,
    branches_in_raw,
    choose_files,
    derive,
    parse_session_data,
)
from tests.record.transcript.builders import START, at, exchange, said, transcript, usage, used


def price(model: str, counted: Usage) -> Decimal | None:
    """A dollar for each input token of the one model that has a price."""
    return Decimal(counted.input) if model == "claude-sonnet-4-5" else None


def files(*messages: Message, root: str | None = "/home/dev/demo") -> tuple[str, ...]:
    return derive(transcript(exchange(*messages), workspace_root=root), price).files


def tool_files(kind: str, source: dict[str, Any]) -> tuple[str, ...]:
    return files(used("x", kind, input=source))


def test_times_come_from_the_exchanges_then_the_session_then_the_messages() -> None:
    talk = exchange(said("user", "a", 10), said("agent", "b", 20))
    bare = replace(talk, started_at=None, ended_at=None)
    assert _times(transcript(talk)) == (at(10), at(20))
    assert _times(transcript(bare, created_at=at(1), updated_at=at(2))) == (at(1), at(2))
    assert _times(transcript(bare, created_at=None)) == (at(10), at(20))
    assert _times(transcript(created_at=None)) == (None, None)


def _times(source: Transcript) -> tuple[datetime | None, datetime | None]:
    facts = derive(source, price)
    return facts.started_at, facts.ended_at


def test_the_title_is_the_sessions_own_or_the_first_real_prompt() -> None:
    command = said("user", "<command-name>/clear</command-name>")
    prompt = said("user", "\n# Fix the parser\nand more")
    assert derive(transcript(exchange(command), exchange(prompt)), price).title == "Fix the parser"
    assert derive(transcript(exchange(prompt), title="Own"), price).title == "Own"
    named = "<command-message>review</command-message>\n<command-name>/review</command-name>\n"
    review = f"{named}<command-args>150</command-args>"
    assert derive(transcript(exchange(said("user", review)), exchange(prompt)), price).title == "/review 150"
    assert derive(transcript(exchange(command), slug="a-b"), price).title == "a-b"
    assert len(derive(transcript(exchange(said("user", "x" * 500))), price).title or "") == 120


def test_exchange_text_is_what_was_said_without_thinking_and_tools() -> None:
    thought = Message(None, "agent", at(1), parts=(Part("thinking", "secret"), Part("text", "loud")))
    call = used("Bash", "shell", 2, output={"content": "noise"}, is_error=True)
    facts = derive(transcript(exchange(said("user", "hello", 0), thought, call, key="k")), price)
    (only,) = facts.exchanges
    assert (only.key, only.text, only.has_error) == ("k", "hello\n\nloud", True)
    assert (only.started_at, only.ended_at) == (START, at(2))


def test_tools_and_errors_are_counted_by_name() -> None:
    calls = [used("Bash", "shell"), used("Bash", "shell", is_error=True), used("Read", "read")]
    facts = derive(transcript(exchange(said("user", "x"), *calls)), price)
    assert facts.tools == {"Bash": ToolCount(2, 1), "Read": ToolCount(1, 0)}
    assert (facts.tool_calls, facts.tool_errors, facts.has_error) == (3, 1, True)
    assert (facts.message_count, facts.user_message_count, facts.agent_message_count) == (4, 1, 3)


def test_tokens_and_cost_are_summed_by_day_and_model() -> None:
    hour = 3600
    messages = [
        replace(said("agent", "a", 0), model="claude-sonnet-4-5", usage=usage(1)),
        replace(said("agent", "b", 1), model="claude-sonnet-4-5", usage=usage(2)),
        replace(said("agent", "c", 12 * hour), model="claude-sonnet-4-5", usage=usage(4)),
    ]
    facts = derive(transcript(exchange(*messages)), price)
    days = [(each.day, each.model, each.usage.input, each.cost) for each in facts.usage_by_day]
    assert days == [
        (date(2026, 8, 7), "claude-sonnet-4-5", 3, Decimal(3)),
        (date(2026, 8, 8), "claude-sonnet-4-5", 4, Decimal(4)),
    ]
    assert (facts.usage.input, facts.usage.output, facts.cost) == (7, 15, Decimal(7))
    assert facts.models == ("claude-sonnet-4-5",)


def test_a_cost_that_is_known_only_in_part_is_unknown() -> None:
    known = replace(said("agent", "a", 0), model="claude-sonnet-4-5", usage=usage())
    unknown = replace(known, model="mystery")
    assert derive(transcript(exchange(known, unknown)), price).cost is None
    assert derive(transcript(exchange(said("user", "a"))), price).cost is None


def test_blocks_of_one_claude_answer_count_once() -> None:
    spent = usage(3, 1, read=900)
    thinking = Message(None, "agent", at(0), "m", (Part("thinking", "hm"),), usage=spent)
    words = replace(said("agent", "I look", 1), model="m", usage=spent)
    calls = [replace(used("Read", "read", 2), model="m", usage=replace(spent, output=40)) for _ in range(2)]
    after = replace(said("agent", "done", 3), model="m", usage=spent)
    answer = exchange(said("user", "x", 0), thinking, words, *calls, after)
    assert derive(transcript(answer), price).usage == Usage(6, 41, 1800)
    assert derive(transcript(answer, provider_id="codex-cli"), price).usage == Usage(15, 83, 4500)


def test_equal_counts_without_a_cache_are_different_calls() -> None:
    words = [replace(said("agent", "x", 0), model="m", usage=usage(10, 5)) for _ in range(2)]
    call = replace(used("Read", "read"), model="m", usage=usage(10, 5))
    assert derive(transcript(exchange(*words, call)), price).usage == Usage(30, 15)


@pytest.mark.parametrize(
    ("kind", "source", "found"),
    [
        ("write", {"file_path": "/home/dev/demo/src/a.py"}, ("src/a.py",)),
        ("read", {"path": "./src/a.py"}, ("src/a.py",)),
        ("write", {"notebook_path": "/other/n.ipynb"}, ("/other/n.ipynb",)),
        ("write", {"edits": [{"file_path": "a"}, {"path": "b"}, 7], "paths": ["c"]}, ("c", "a", "b")),
        ("write", {"changes": {"a.py": {"add": 1}}}, ("a.py",)),
        ("search", {"path": "/home/dev/demo/src"}, ()),
        ("read", {"path": "/home/dev/demo"}, ()),
        ("read", {"path": "https://example.org/x"}, ()),
        ("read", {"path": "x" * 2000}, ()),
        ("read", {"path": "a\0b"}, ()),
        ("read", {"path": "C:\\work\\a.py"}, ("C:/work/a.py",)),
        (
            "shell",
            {"command": "apply_patch <<'E'\n*** Begin Patch\n*** Update File: src/x.go\n*** Move to: src/y.go\n"},
            ("src/x.go", "src/y.go"),
        ),
    ],
)
def test_files_come_from_tool_inputs(kind: str, source: dict[str, Any], found: tuple[str, ...]) -> None:
    assert tool_files(kind, source) == found


def test_files_come_from_path_hints_each_once_below_the_workspace() -> None:
    one = Message(None, "agent", path_hints=("/home/dev/demo/a.py", "b.py"))
    two = Message(None, "agent", path_hints=("a.py",), tool=Tool("Read", "read", input={"file_path": "b.py"}))
    assert files(one, two) == ("a.py", "b.py")
    windows = Message(None, "agent", path_hints=("c:\\w\\src\\a.ts",))
    assert files(windows, root="c:\\w") == ("src/a.ts",)


def test_without_a_known_root_absolute_and_relative_paths_of_one_file_are_one() -> None:
    paths = ("/w/demo/src/a.py", "src/a.py", "/w/demo/b.py", "/other/b.py", "/w/demo/c.py")
    assert files(Message(None, "agent", path_hints=paths), root=None) == ("src/a.py", "b.py", "/other/b.py", "c.py")
    lonely = ("/w/x/README.md", "README.md")
    assert files(Message(None, "agent", path_hints=lonely), root=None) == lonely


def test_names_of_any_length_are_cut_to_what_an_index_holds() -> None:
    calls = [used("x" * 200 + tail, "shell") for tail in "ab"]
    answer = replace(said("agent", "x"), model="m" * 5000, usage=usage())
    facts = derive(transcript(exchange(*calls, answer)), price)
    assert facts.tools == {"x" * 200: ToolCount(2, 0)}
    assert "m" * 200 in facts.models
    assert facts.usage_by_day[0].model == "m" * 200


def test_branches_are_found_in_raw_records_once_each() -> None:
    raw = (
        b'{"type":"user","gitBranch":"main"}\n{"gitBranch" : "feat/\\u00e9"}\n{"gitBranch":"main"}\n'
        b'{"type":"session_meta","payload":{"git":{"commit_hash":"1","branch":"fix/x"}}}\n{"gitBranch":"HEAD"}\n'
        b'{"content":"\\"gitBranch\\":\\"quoted\\""}\n{"gitBranch":""}\n{"branch":"input"}{"gitBranch":"cut'
    )
    assert branches_in_raw(raw) == ("main", "feat/é", "fix/x")
    many = b"".join(b'{"gitBranch":"b%d"}' % number for number in range(1000))
    assert len(branches_in_raw(many)) == 100


@pytest.mark.parametrize(
    ("output", "is_error"),
    [
        ({"content": "Exit code 1\nboom", "is_error": False}, False),
        ({"content": "ok", "is_error": True}, True),
        ({"content": "Exit code 1\nboom"}, True),
        ({"content": [{"type": "text", "text": "<tool_use_error>no</tool_use_error>"}]}, True),
        ({"output": "Chunk ID: 1\nProcess exited with code 2\n"}, True),
        ({"output": "Process exited with code 0\n"}, False),
        ({"metadata": {"exit_code": 1}, "output": "x"}, True),
        ({"status": "failed"}, True),
        ({"success": False}, True),
        ({"error": "no such file"}, True),
        ({"content": "fine"}, False),
        (None, False),
    ],
)
def test_a_failed_call_is_told_from_its_output(output: dict[str, Any] | None, is_error: bool) -> None:
    from_data = _tool_with(output)
    assert from_data.is_error is is_error


def _tool_with(output: dict[str, Any] | None) -> Tool:
    source = {"exchanges": [{"messages": [{"role": "agent", "tool": {"name": "x", "output": output}}]}]}
    tool = parse_session_data(dumps(source)).exchanges[0].messages[0].tool
    assert tool
    return tool


def test_of_several_files_of_one_session_the_longest_is_kept() -> None:
    session = "550E8400-e29b-41d4-a716-446655440000"
    files = [
        Candidate("2026-01-01_10-00Z-x.md", session, 100),
        Candidate("2026-01-01_10-00-00Z-x.md", session.lower(), 300),
        Candidate("b.md", None, 5),
        Candidate("a.md", None, 5),
        Candidate("c.md", "other", 1),
    ]
    kept = ["2026-01-01_10-00-00Z-x.md", "a.md", "b.md", "c.md"]
    assert [each.name for each in choose_files(files)] == kept
    assert [each.name for each in choose_files(reversed(files))] == kept


def test_times_in_other_zones_count_on_their_utc_day() -> None:
    late = replace(said("agent", "x"), model="m", timestamp=datetime(2026, 8, 7, 23, 59, tzinfo=UTC), usage=usage())
    (day,) = derive(transcript(exchange(late)), price).usage_by_day
    assert day.day == date(2026, 8, 7)
