"""Every command explains itself, speaks JSON on demand, and can be completed by the shell."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.main import get_command

from specloop import cli
from tests.cli.command import Command
from tests.cli.conftest import Terminal

SCRIPT = Path(sys.executable).parent / "specloop"


def commands(command: object, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], object]]:
    """(words, command) of every leaf of the tree."""
    inner: dict[str, object] | None = getattr(command, "commands", None)
    if inner is None:
        yield path, command
        return
    for name, each in inner.items():
        yield from commands(each, (*path, name))


LEAVES = dict(commands(get_command(cli.build())))


def test_the_groups_of_the_product_are_there() -> None:
    wanted = {"up", "demo", "doctor", "config", "login", "logout", "workspaces", "keys", "agents", "scans"}
    assert {path[0] for path in LEAVES} >= wanted | {"changesets", "traces"}


@pytest.mark.parametrize("path", LEAVES, ids=" ".join)
def test_each_command_has_help_and_json(path: tuple[str, ...], terminal: Terminal) -> None:
    said = terminal(*path, "--help")
    assert said.code == 0
    assert "--json" in said.out
    assert f"specloop {' '.join(path)}" in said.out
    command = LEAVES[path]
    assert str(getattr(command, "help", "")).strip()
    for parameter in getattr(command, "params", ()):
        if parameter.param_type_name == "option":
            assert parameter.help, (path, parameter.name)


def test_no_command_shows_the_help(terminal: Terminal) -> None:
    assert "doctor" in terminal().out
    assert "specloop 0." in terminal("--version").out


def test_an_unknown_command_is_named(terminal: Terminal) -> None:
    said = terminal("colours")
    assert said.code == 2
    assert "colours" in said.err


@pytest.mark.parametrize(
    ("words", "offered"),
    [("specloop wor", "workspaces"), ("specloop keys cre", "create"), ("specloop up --role in", "ingest")],
)
def test_the_shell_completes_words(tmp_path: Path, words: str, offered: str) -> None:
    variables = Command(tmp_path).variables(
        _SPECLOOP_COMPLETE="complete_bash", COMP_WORDS=words, COMP_CWORD=str(len(words.split()) - 1)
    )
    done = subprocess.run([str(SCRIPT)], env=variables, capture_output=True, text=True, timeout=120, check=False)
    assert offered in done.stdout.split(), done


def test_completion_installs_itself(tmp_path: Path) -> None:
    # The shell is found among the parents of the process, so a real one must be there.
    variables = Command(tmp_path).variables(SHELL="/bin/bash")
    for option in ("--show-completion", "--install-completion"):
        line = f"{SCRIPT} {option}; true"
        done = subprocess.run(
            ["bash", "-c", line], env=variables, capture_output=True, text=True, timeout=120, check=False
        )
        assert "completion" in done.stdout, done
    assert "_SPECLOOP_COMPLETE" in (tmp_path / ".bash_completions" / "specloop.sh").read_text()
