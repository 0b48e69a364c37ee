"""Writes docs/reference/cli.md from the command tree: every command with its arguments, options and exit codes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from typer.main import get_command

from generated import settle
from specloop import cli
from specloop.errors import StartupError

GENERAL = {
    0: "Done.",
    1: "Something failed; the line on standard error says what.",
    2: "A wrong option, setting or input.",
    3: "Not signed in, or not allowed.",
    4: "There is no such thing.",
    7: "No server answers, or it is too busy.",
}
KINDS = {int: "NUMBER", Path: "PATH"}
INTRO = """# Command line

Client commands speak to the server that `specloop login` named and keep its tokens in the user's configuration folder,
readable by that user only. Every command has `--help`; with `--json` it prints JSON for programs. Errors are one line
on standard error, and an exit code. `specloop --install-completion` teaches the shell to complete commands.
"""


def leaves(command: Any, words: tuple[str, ...] = ("specloop",)) -> Iterator[tuple[str, Any]]:
    """(full name, command) of every command."""
    inner: dict[str, Any] | None = getattr(command, "commands", None)
    if inner is None:
        yield " ".join(words), command
        return
    for name, each in inner.items():
        yield from leaves(each, (*words, name))


def describe(name: str, command: Any) -> list[str]:
    """The section of one command."""
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    options = [one for one in command.params if one.param_type_name == "option" and one.name != "help"]
    spelled = "".join(f" {_placeholder(one)}" for one in arguments)
    lines = [f"## {name}", "", command.help.strip(), "", "```", f"{name}{spelled} [OPTIONS]", "```", ""]
    rows = [(f"`{_placeholder(one)}`", one.help) for one in arguments if one.help]
    rows += [(_option(one), _help(one)) for one in options]
    if rows:
        lines += ["| | what it does |", "|---|---|", *(f"| {left} | {right} |" for left, right in rows), ""]
    return lines


def _placeholder(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return str(parameter.metavar or parameter.name.upper())
    return str(parameter.metavar or KINDS.get(parameter.type_descriptor.annotation, "TEXT"))


def _option(option: Any) -> str:
    names = ", ".join([*option.opts, *option.secondary_opts])
    metavar = "" if option.is_flag else f" {_placeholder(option)}"
    return f"`{names}{metavar}`".replace("|", "\\|")


def _help(option: Any) -> str:
    default = option.default
    is_told = default in (None, False, True, "") or callable(default) or isinstance(default, (list, tuple))
    text = str(option.help or "")
    return text if is_told else f"{text} Default: `{default}`."


def exit_codes() -> list[str]:
    """The table of exit codes, those of a start that fails included."""
    meanings: dict[int, list[str]] = {code: [text] for code, text in GENERAL.items()}
    waiting = list(StartupError.__subclasses__())
    while waiting:
        kind = waiting.pop(0)
        waiting.extend(kind.__subclasses__())
        if kind.__module__.startswith("specloop.") and kind.exit_code not in GENERAL and kind.__doc__:
            meanings.setdefault(kind.exit_code, []).append(" ".join(kind.__doc__.split()))
    startup = {3: "The data folder cannot be used.", 4: "A database cannot be reached."}
    for code, text in startup.items():
        meanings[code].append(f"`specloop up`: {text}")
    rows = [f"| {code} | {' '.join(dict.fromkeys(texts))} |" for code, texts in sorted(meanings.items())]
    return ["## Exit codes", "", "| code | meaning |", "|---|---|", *rows, ""]


def main() -> int:
    """Generate it."""
    import_module("specloop.main")  # so that every error that ends a start is known
    lines = [INTRO]
    for name, command in leaves(get_command(cli.build())):
        lines += describe(name, command)
    return settle({"docs/reference/cli.md": "\n".join([*lines, *exit_codes()]).rstrip() + "\n"})


if __name__ == "__main__":
    sys.exit(main())
