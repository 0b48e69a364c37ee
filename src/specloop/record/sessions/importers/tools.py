"""SpecStory's tool types and path hints for the tools of the agents that are read (specstory.md §7.1)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePath

from specloop.record.sessions.importers.fields import as_document, once
from specloop.record.sessions.importers.model import Document

_NAMES_BY_KIND = {
    "write": (
        "write edit multiedit notebookedit apply_patch write_file replace edit_file edit_file_v2 search_replace"
        " create_file delete_file delete str_replace strreplace reapply edit_notebook editnotebook applypatch"
    ),
    "read": (
        "read read_file read_file_v2 ls list_dir list_dir_v2 list_directory read_many_files view_image multiread"
        " notebookread read_lints readlints fetch_rules"
    ),
    "search": (
        "grep glob websearch webfetch codebase_search file_search glob_file_search grep_search ripgrep"
        " ripgrep_raw_search semantic_search_full web_search web_fetch google_web_search search_file_content"
        " grep_files toolsearch semsearch semanticsearch"
    ),
    "shell": (
        "bash bashoutput killshell killbash shell shell_command exec_command write_stdin local_shell container.exec"
        " run_shell_command run_terminal_cmd run_terminal_command run_terminal_command_v2 terminal"
    ),
    "task": (
        "task agent todowrite todoread todo_write update_plan write_todos updatetodos exitplanmode enterplanmode"
        " task_v2 create_plan taskcreate taskupdate tasklist taskget taskoutput"
    ),
    "generic": "askuserquestion skill slashcommand save_memory update_memory request_user_input",
}
_KIND_BY_NAME = {name: kind for kind, names in _NAMES_BY_KIND.items() for name in names.split()}
_PATH_FIELDS = (
    "file_path",
    "path",
    "notebook_path",
    "absolute_path",
    "target_file",
    "filePath",
    "targetFile",
    "relativeWorkspacePath",
    "effectiveUri",
)
_PATCHED_FILE = re.compile(r"^\*\*\* (?:Add|Update|Delete) File: (.+)$", re.MULTILINE)


def kind_of(name: str) -> str:
    """The tool type of a tool by its name; "unknown" for one that is not listed."""
    if name.startswith(("mcp__", "mcp_")):
        return "generic"
    return _KIND_BY_NAME.get(name.lower(), "unknown")


def path_hints(tool_input: Document, cwd: str | None) -> list[str]:
    """The files that a call names, relative to where the agent worked when they lie below it."""
    return [_relative(path, cwd) for path in once(_paths(tool_input))]


def _paths(tool_input: Document) -> Iterator[str]:
    for name in _PATH_FIELDS:
        value = tool_input.get(name)
        if isinstance(value, str) and "\n" not in value:
            yield value
    for value in tool_input.values():
        if isinstance(value, str) and "*** " in value:
            yield from _PATCHED_FILE.findall(value)
    for each in ("args", "parameters"):
        if inner := as_document(tool_input.get(each)):
            yield from _paths(inner)


def _relative(path: str, cwd: str | None) -> str:
    if cwd and PurePath(path).is_relative_to(cwd):
        return str(PurePath(path).relative_to(cwd))
    return path
