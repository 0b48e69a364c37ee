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
        " create write_to_file replace_file_content multi_replace_file_content insert_edit_into_file"
        " replace_string_in_file multi_replace_string_in_file edit_notebook_file create_new_jupyter_notebook"
        " create_directory texteditgroup notebookeditgroup"
    ),
    "read": (
        "read read_file read_file_v2 ls list_dir list_dir_v2 list_directory read_many_files view_image multiread"
        " notebookread read_lints readlints fetch_rules view_file handle_read retrieve_tool_result get_errors"
        " get_changed_files read_project_structure read_notebook_cell_output"
    ),
    "search": (
        "grep glob websearch webfetch codebase_search file_search glob_file_search grep_search ripgrep"
        " ripgrep_raw_search semantic_search_full web_search web_fetch google_web_search search_file_content"
        " grep_files toolsearch semsearch semanticsearch fetchurl fetch_url search_web read_url_content"
        " semantic_search list_code_usages search_workspace_symbols test_search fetch_webpage github_repo"
    ),
    "shell": (
        "bash bashoutput killshell killbash shell shell_command exec_command write_stdin local_shell container.exec"
        " run_shell_command run_terminal_cmd run_terminal_command run_terminal_command_v2 terminal execute"
        " run_command exec_shell exec_shell_wait exec_shell_interact exec_shell_cancel task_shell_start"
        " task_shell_wait run_in_terminal get_terminal_output create_and_run_task run_task get_task_output"
    ),
    "task": (
        "task agent todowrite todoread todo_write update_plan write_todos updatetodos exitplanmode enterplanmode"
        " task_v2 create_plan taskcreate taskupdate tasklist taskget taskoutput exitspecmode manage_todo_list"
        " runsubagent manage_task schedule task_create task_list task_read task_cancel checklist_write"
        " checklist_add checklist_update checklist_list todo_add todo_update todo_list agent_open agent_eval"
        " agent_close"
    ),
    "generic": (
        "askuserquestion skill slashcommand save_memory update_memory request_user_input askuser ask_permission"
        " ask_question define_subagent generate_image invoke_subagent list_permissions send_message memory note"
    ),
}
_KIND_BY_NAME = {name: kind for kind, names in _NAMES_BY_KIND.items() for name in names.split()}
_NAMES_BY_EDITOR_ID = {
    "applypatch": "apply_patch",
    "createdirectory": "create_directory",
    "createfile": "create_file",
    "editnotebook": "edit_notebook_file",
    "fetchwebpage": "fetch_webpage",
    "findfiles": "file_search",
    "findtestfiles": "test_search",
    "findtextinfiles": "grep_search",
    "getchangedfiles": "get_changed_files",
    "geterrors": "get_errors",
    "githubrepo": "github_repo",
    "insertedit": "insert_edit_into_file",
    "listcodeusages": "list_code_usages",
    "listdirectory": "list_dir",
    "memory": "memory",
    "multireplacestring": "multi_replace_string_in_file",
    "readfile": "read_file",
    "replacestring": "replace_string_in_file",
    "searchcodebase": "semantic_search",
    "searchworkspacesymbols": "search_workspace_symbols",
}
"""VS Code's names for Copilot's tools, `copilot_` left out, beside the model's names for them."""
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
    "directory_path",
    "AbsolutePath",
    "TargetFile",
    "SearchPath",
    "DirectoryPath",
)
_PATCHED_FILE = re.compile(r"^\*\*\* (?:Add|Update|Delete) File: (.+)$", re.MULTILINE)


def kind_of(name: str) -> str:
    """The tool type of a tool by its name; "unknown" for one that is not listed."""
    if name.startswith(("mcp__", "mcp_")):
        return "generic"
    known = name.lower()
    if known.startswith("copilot_"):
        known = _NAMES_BY_EDITOR_ID.get(known.removeprefix("copilot_"), known)
    return _KIND_BY_NAME.get(known, "unknown")


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
