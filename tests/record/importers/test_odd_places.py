"""Folders that may not be looked into, names that are no text, machines of another kind: the others go on."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from specloop.record.sessions.importers import (
    SOURCES,
    Places,
    UnreadableTranscript,
    find_in,
    find_local,
    find_transcripts,
    identify_project,
    read_transcript,
    watched_roots,
)
from specloop.record.sessions.importers.project_identity import digest_id
from tests.record.importers import stores

NOBODY = 65534


@pytest.fixture
def home() -> Iterator[Path]:
    """A home folder that every user may look into, which the suite's own folders are not."""
    folder = Path(tempfile.mkdtemp(prefix="specloop-home-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@contextmanager
def locked(folder: Path) -> Generator[None]:
    """The folder is closed to whoever runs this; root, to whom nothing is closed, is nobody meanwhile."""
    user = os.geteuid()
    folder.chmod(0o000)
    if user == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(user)
        folder.chmod(0o755)


def test_a_project_in_a_folder_that_may_not_be_searched_is_known_by_its_path(home: Path) -> None:
    folder = home / "private" / "demo"
    folder.mkdir(parents=True)
    with locked(folder.parent):
        project = identify_project(str(folder))
    assert (project.project_id, project.name) == (digest_id(str(folder)), "demo")


@pytest.mark.parametrize("store", [".codex", ".gemini", ".claude/projects", ".config/Code", ".factory"])
def test_a_store_that_may_not_be_looked_into_is_a_problem_and_the_others_are_found(home: Path, store: str) -> None:
    stores.write_all(home)
    for folder, _, files in os.walk(home):
        Path(folder).chmod(0o755)
        for name in files:
            Path(folder, name).chmod(0o644)
    everything = {found.source for found in find_local(home)}
    with locked(home / store):
        watched_roots(Places(home))
        found = find_local(home)
        closed = [each for each in found if each.is_closed]
        assert closed
        assert {each.path.is_relative_to(home / store) for each in closed} == {True}
        for each in closed:
            with pytest.raises(UnreadableTranscript) as caught:
                read_transcript(each)
            assert "Permission denied" in caught.value.detail
    assert {each.source for each in found} == everything


def test_a_folder_inside_a_store_that_may_not_be_looked_into_is_a_problem(home: Path) -> None:
    path = stores.write_claude(home)
    other = path.parent.parent / "other"
    other.mkdir()
    for folder in (home / ".claude", path.parent.parent, path.parent):
        folder.chmod(0o755)
    with locked(other):
        assert {found.path for found in find_transcripts(Places(home), ["claude"])} == {path, other}


def test_a_file_whose_name_is_no_text_is_read(tmp_path: Path) -> None:
    path = stores.write_history(tmp_path)
    odd = os.fsencode(path.parent) + b"/2025-01-01_10-00-00Z-caf\xe9.md"
    path.rename(os.fsdecode(odd))
    (found,) = find_in(tmp_path, ["specstory"])
    found.place.encode()
    session = read_transcript(found)
    assert session is not None
    assert session.name == "2025-01-01_10-00-00Z-caf\ufffd"


def test_a_project_whose_path_is_no_text_has_an_id_and_a_name_that_can_be_written() -> None:
    project = identify_project("/home/dev/caf\udce9")
    assert project.project_id
    project.name.encode()
    assert identify_project("/home/\0dev/demo").name == "demo"


def test_a_windows_folder_is_not_looked_for_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "config").write_text('[remote "origin"]\n\turl = https://github.com/acme/here.git\n')
    monkeypatch.chdir(tmp_path)
    project = identify_project("C:\\Users\\Me\\Other")
    assert (project.project_id, project.name) == (digest_id("c:\\users\\me\\other"), "Other")
    assert identify_project("c:/Users/Me/Other") == identify_project("C:\\Users\\Me\\Other\\")
    assert identify_project("C:\\gone", "https://github.com/acme/widgets.git").name == "widgets"
    assert identify_project("demo").project_id == digest_id("demo")


def test_geminis_note_of_a_folder_may_be_no_text(tmp_path: Path) -> None:
    path = stores.write_gemini(tmp_path)
    (path.parent.parent / ".project_root").write_bytes(b"/home/\xff/x")
    session = read_transcript(next(find_in(path, ["gemini"])))
    assert session is not None
    assert session.cwd == stores.FOLDER


@pytest.mark.parametrize("told", ["<cwd>/home/dev/demo</cwd>", "Current working directory: /home/dev/demo\nShell: sh"])
def test_the_oldest_codex_told_the_folder_to_the_model_only(tmp_path: Path, told: str) -> None:
    context = [{"type": "input_text", "text": f"<environment_context>\n{told}\n</environment_context>"}]
    typed = [{"type": "input_text", "text": "Fix it, <cwd>/elsewhere</cwd>"}]
    records = [
        {"id": stores.CODEX_ID, "timestamp": "2026-05-01T00:00:00Z", "instructions": None},
        {"type": "message", "role": "user", "content": context},
        {"type": "message", "role": "user", "content": typed},
    ]
    session = read_transcript(next(SOURCES["codex"].find_in(stores.write_codex(tmp_path, records))))
    assert session is not None
    assert session.cwd == "/home/dev/demo"


def test_a_mark_of_byte_order_loses_no_record(tmp_path: Path) -> None:
    path = stores.write_claude(tmp_path)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    session = read_transcript(next(find_in(path, ["claude"])))
    assert session is not None
    assert (session.prompt, session.skipped_lines) == ("List the files", 0)
