"""Factory Droid, DeepSeek TUI and Antigravity: each store's own way of keeping a session."""

from __future__ import annotations

from pathlib import Path

from specloop.record.sessions.importers import find_in, find_local, read_transcript
from tests.record.importers import terminal_stores as stores
from tests.record.importers.reading import messages, read, shape, tools
from tests.record.importers.store_files import FOLDER, put


def test_droid_reads_thoughts_tools_and_a_summary(tmp_path: Path) -> None:
    path = stores.write_droid(tmp_path)
    session = read(tmp_path)
    assert shape(session) == [
        ("user", "Which files?"),
        ("agent", "Look first"),
        ("agent", "Execute"),
        ("agent", "One file."),
        ("agent", "The user asked for files."),
    ]
    kinds = [message["content"][0]["type"] for message in messages(session) if "content" in message]
    assert kinds == ["text", "thinking", "text", "thinking"]
    (tool,) = tools(session)
    assert (tool["type"], tool["useId"]) == ("shell", "toolu_1")
    assert tool["output"] == {"content": "a.txt", "is_error": False}
    assert (session.session_id, session.agent, session.cwd) == (stores.DROID_ID, "Factory Droid CLI", FOLDER)
    assert (session.models, session.summary) == (("claude-opus-4-5",), None)
    assert session.raw.encode() == path.read_bytes()
    assert session.session_data is not None
    assert session.session_data["provider"] == {"id": "droid-cli", "name": "Factory Droid CLI", "version": "unknown"}
    assert session.session_data["createdAt"] == "2026-10-14T06:00:02.000000Z"
    assert session.session_data["updatedAt"] == "2026-10-14T06:00:07.000000Z"


def test_droids_tokens_of_a_session_count_once(tmp_path: Path) -> None:
    stores.write_droid(tmp_path)
    counted = [message["usage"] for message in messages(read(tmp_path)) if "usage" in message]
    expected = {"inputTokens": 11, "outputTokens": 12, "cacheCreationInputTokens": 13, "cacheReadInputTokens": 14}
    assert counted == [{**expected, "thinkingTokens": 15}]


def test_droid_names_a_session_and_a_message_its_model(tmp_path: Path) -> None:
    records = stores.droid_records()
    records[0]["sessionTitle"] = "Files of the demo"
    records[3]["message"]["model"] = "gpt-5"
    stores.write_droid(tmp_path, records)
    session = read(tmp_path)
    assert (session.summary, session.models) == ("Files of the demo", ("gpt-5", "claude-opus-4-5"))


def test_droid_without_readable_settings_is_read_all_the_same(tmp_path: Path) -> None:
    path = stores.write_droid(tmp_path)
    path.with_suffix(".settings.json").write_bytes(b"{")
    assert (len(shape(read(tmp_path))), read(tmp_path).models) == (5, ())
    path.with_suffix(".settings.json").unlink()
    assert (len(shape(read(tmp_path))), read(tmp_path).models) == (5, ())


def test_a_tag_that_the_user_typed_stays(tmp_path: Path) -> None:
    typed = {"type": "text", "text": "What is <system-reminder> for?"}
    stores.write_droid(tmp_path, [stores.droid_message(1, "user", typed)])
    assert read(tmp_path).prompt == "What is <system-reminder> for?"


def test_droids_settings_count_to_what_shows_a_change(tmp_path: Path) -> None:
    path = stores.write_droid(tmp_path)
    (found,) = find_local(tmp_path)
    settings = path.with_suffix(".settings.json")
    assert found.size == path.stat().st_size + settings.stat().st_size


def test_droids_sub_agents_are_no_sessions_of_their_own(tmp_path: Path) -> None:
    start, *rest = stores.droid_records()
    stores.write_droid(tmp_path, [{**start, "callingSessionId": "parent", "callingToolUseId": "toolu_1"}, *rest])
    assert [read_transcript(found) for found in find_local(tmp_path)] == [None]


def test_droids_oldest_sessions_lie_without_a_folder(tmp_path: Path) -> None:
    path = stores.write_droid(tmp_path)
    path.rename(path.parent.parent / path.name)
    assert read(tmp_path).session_id == stores.DROID_ID


def test_deepseek_reads_calls_that_were_made_at_once(tmp_path: Path) -> None:
    path = stores.write_deepseek(tmp_path)
    session = read(tmp_path)
    assert shape(session) == [
        ("user", "Read and build"),
        ("agent", "Both at once"),
        ("agent", "read_file"),
        ("agent", "exec_shell"),
        ("agent", "It says hello; there is no rule."),
        ("user", "Thanks"),
    ]
    assert messages(session)[1]["content"][0]["type"] == "thinking"
    file, shell = tools(session)
    assert (file["type"], file["output"]) == ("read", {"content": "hello", "is_error": False})
    assert (shell["type"], shell["output"]) == ("shell", {"content": "no rule", "is_error": True})
    assert messages(session)[2]["pathHints"] == ["a.txt"]
    assert (session.session_id, session.agent, session.cwd) == (stores.DEEPSEEK_ID, "DeepSeek TUI", FOLDER)
    assert (session.models, session.raw.encode()) == (("deepseek-v4-pro",), path.read_bytes())
    assert session.session_data is not None
    assert session.session_data["provider"] == {"id": "deepseek-tui", "name": "DeepSeek TUI", "version": "unknown"}
    assert session.session_data["createdAt"] == "2026-10-15T05:00:00.123456Z"
    assert session.session_data["updatedAt"] == "2026-10-15T05:10:00.000000Z"
    assert len(session.session_data["exchanges"]) == 2


def test_what_deepseek_keeps_beside_its_sessions_is_none(tmp_path: Path) -> None:
    path = stores.write_deepseek(tmp_path)
    assert [found.path for found in find_local(tmp_path)] == [path]
    assert [found.path for found in find_in(tmp_path, ["deepseek"])] == [path]


def test_antigravity_gives_each_result_to_the_call_of_its_kind(tmp_path: Path) -> None:
    path = stores.write_antigravity(tmp_path)
    session = read(tmp_path)
    assert shape(session) == [
        ("user", "Build it"),
        ("agent", "Look and try"),
        ("agent", "view_file"),
        ("agent", "run_command"),
        ("agent", "There is no rule."),
    ]
    assert messages(session)[1]["content"][0]["type"] == "thinking"
    view, run = tools(session)
    assert (view["type"], view["output"]) == ("read", {"content": "1: all:", "is_error": False})
    failed = "The command failed with exit code: 2\nOutput:\nall:\n\tno rule"
    assert (run["type"], run["output"]) == ("shell", {"content": failed, "is_error": True, "exit_code": 2})
    assert messages(session)[2]["pathHints"] == ["Makefile"]
    assert (session.session_id, session.agent, session.cwd) == (stores.ANTIGRAVITY_ID, "Antigravity CLI", FOLDER)
    assert (session.models, session.raw.encode()) == (("Gemini 3.5 Flash (High)",), path.read_bytes())
    assert session.session_data is not None
    provider = {"id": "antigravity-cli", "name": "Antigravity CLI", "version": "unknown"}
    assert session.session_data["provider"] == provider
    assert session.session_data["createdAt"] == "2026-10-16T04:00:00.000000Z"
    assert session.session_data["updatedAt"] == "2026-10-16T04:00:07.000000Z"


def test_antigravitys_steps_are_put_in_order(tmp_path: Path) -> None:
    stores.write_antigravity(tmp_path, stores.antigravity_steps()[::-1])
    assert [words for _, words in shape(read(tmp_path))][:2] == ["Build it", "Look and try"]


def test_antigravitys_shortened_transcript_is_read_where_there_is_no_other(tmp_path: Path) -> None:
    steps = stores.antigravity_steps()
    for call in steps[2]["tool_calls"]:
        call["args"] = {
            key: f'"{value}"' if isinstance(value, str) else str(value) for key, value in call["args"].items()
        }
    short = stores.write_antigravity(tmp_path, steps, name="transcript.jsonl", workspace="")
    session = read(tmp_path)
    assert tools(session)[1]["input"] == {"CommandLine": "make", "Cwd": FOLDER, "WaitMsBeforeAsync": 5000}
    assert session.cwd == FOLDER
    full = stores.write_antigravity(tmp_path)
    assert [found.path for found in find_local(tmp_path)] == [full]
    assert [found.path for found in find_in(short, ["antigravity"])] == []


def test_the_list_of_prompts_tells_antigravitys_folder_before_its_commands_do(tmp_path: Path) -> None:
    stores.write_antigravity(tmp_path, workspace="/home/dev")
    assert read(tmp_path).cwd == "/home/dev"


def test_a_call_of_antigravity_that_was_broken_off_gets_no_later_result(tmp_path: Path) -> None:
    steps = stores.antigravity_steps()
    again = stores.antigravity_step(3, "USER_EXPLICIT", "USER_INPUT", "<USER_REQUEST>Stop</USER_REQUEST>")
    late = [{**step, "step_index": step["step_index"] + 10} for step in steps[2:4]]
    stores.write_antigravity(tmp_path, [*steps[:3], again, *late])
    assert ["output" in tool for tool in tools(read(tmp_path))] == [False, False, False, True]


def test_what_a_command_of_antigravity_said_later_is_read_from_its_log(tmp_path: Path) -> None:
    steps = stores.antigravity_steps()
    steps[3] |= {"status": "RUNNING", "content": "Started."}
    path = stores.write_antigravity(tmp_path, steps)
    assert tools(read(tmp_path))[1]["output"] == {"content": "Started.", "is_error": False}
    put(path.parent.parent / "tasks" / "task-3.log", b"all done\n")
    assert tools(read(tmp_path))[1]["output"]["content"] == "Started.\n\nall done"
    (found,) = find_local(tmp_path)
    assert found.size == path.stat().st_size + len(b"all done\n")


def test_a_step_of_antigravity_that_failed_is_marked_and_one_without_a_call_is_left_out(tmp_path: Path) -> None:
    steps = stores.antigravity_steps()
    steps[5]["status"] = "ERROR"
    again = stores.antigravity_step(8, "MODEL", "GENERIC", "nobody asked")
    replayed = stores.antigravity_step(9, "SYSTEM", "USER_INPUT", "<USER_REQUEST>again</USER_REQUEST>")
    stores.write_antigravity(tmp_path, [*steps, again, replayed])
    session = read(tmp_path)
    assert [tool["output"]["is_error"] for tool in tools(session)] == [True, True]
    assert len(messages(session)) == 5


def test_a_new_tool_of_antigravity_gets_the_next_result(tmp_path: Path) -> None:
    steps = stores.antigravity_steps()
    steps[2]["tool_calls"] = [{"name": "read_future", "args": {}}, {"name": "list_dir", "args": {}}]
    steps[3] |= {"type": "LIST_DIRECTORY", "content": "Empty directory"}
    steps[5] |= {"type": "GENERIC", "content": "It is bright"}
    stores.write_antigravity(tmp_path, steps)
    assert [tool["output"]["content"] for tool in tools(read(tmp_path))] == ["It is bright", "Empty directory"]
    assert [tool["type"] for tool in tools(read(tmp_path))] == ["unknown", "read"]


def test_the_desktop_programs_transcripts_are_not_the_command_lines(tmp_path: Path) -> None:
    path = stores.write_antigravity(tmp_path)
    copied = tmp_path / ".gemini" / "antigravity" / "brain" / "x" / ".system_generated" / "logs" / path.name
    put(copied, path.read_bytes())
    assert [found.path for found in find_in(tmp_path, ["antigravity"])] == [path]
