"""Projects get the ids that SpecStory's command line gives them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from specloop.kit import json
from specloop.record.sessions.importers import identify_project
from specloop.record.sessions.importers.project_identity import digest_id, normal_address


@pytest.mark.parametrize(
    ("text", "project_id"),
    [
        ("github.com/specstoryai/getspecstory", "0f81-fa3b-cc40-b565"),
        ("github.com/acme/widgets", "f60e-cdb1-6e5e-8e82"),
        ("/home/dev/demo", "c660-4f1e-d37b-2f8d"),
        ("specstoryai/getspecstory", "f233-692c-bcb3-d4d2"),
    ],
)
def test_the_contracts_vectors_hold(text: str, project_id: str) -> None:
    assert digest_id(text) == project_id


@pytest.mark.parametrize(
    ("address", "normal"),
    [
        ("git@github.com:acme/widgets.git", "github.com/acme/widgets"),
        ("https://github.com/acme/widgets.git", "github.com/acme/widgets"),
        ("https://github.com/Acme/Widgets", "github.com/Acme/Widgets"),
        ("https://user:word@github.com/acme/widgets", "user:word@github.com/acme/widgets"),
        ("ssh://git@h:22/o/r", "h/22/o/r"),
        ("ssh://git@h/o/r.git", "git@h/o/r"),
        ("/srv/git/r.git", "/srv/git/r"),
    ],
)
def test_addresses_lose_what_differs_between_ways_to_reach_them(address: str, normal: str) -> None:
    assert normal_address(address) == normal


def git(folder: Path, *arguments: str) -> None:
    who = ["-c", "user.name=T", "-c", "user.email=t@example.org"]
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


def test_a_repository_is_known_by_its_origin_from_any_folder_and_worktree(tmp_path: Path) -> None:
    main, tree = tmp_path / "main", tmp_path / "tree"
    (main / "deep" / "er").mkdir(parents=True)
    git(main, "init", "-q")
    git(main, "remote", "add", "upstream", "https://example.org/other/thing.git")
    git(main, "remote", "add", "origin", "git@github.com:acme/widgets.git")
    git(main, "commit", "-q", "--allow-empty", "-m", "first")
    git(main, "worktree", "add", "-q", str(tree))
    for folder in (main, main / "deep" / "er", main / "deep" / "gone", tree):
        project = identify_project(str(folder))
        assert (project.project_id, project.name) == ("f60e-cdb1-6e5e-8e82", "widgets")


def test_a_repository_without_origin_is_known_by_the_path_of_its_root(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    git(tmp_path, "init", "-q")
    assert identify_project(str(tmp_path / "below")).project_id == digest_id(str(tmp_path))


def test_a_folder_that_is_gone_is_known_by_its_path_or_by_the_noted_address() -> None:
    assert identify_project("/home/dev/demo").project_id == "c660-4f1e-d37b-2f8d"
    assert identify_project("/home/dev/demo").name == "demo"
    noted = identify_project("/home/dev/gone", "https://github.com/acme/widgets.git")
    assert (noted.project_id, noted.name) == ("f60e-cdb1-6e5e-8e82", "widgets")


def test_what_specstory_keeps_in_the_folder_comes_first(tmp_path: Path) -> None:
    kept = {"workspace_id": "aaaa-bbbb-cccc-dddd", "project_name": "Kept"}
    place = tmp_path / ".specstory" / ".project.json"
    place.parent.mkdir()
    place.write_bytes(json.dumps(kept))
    assert identify_project(str(tmp_path)).project_id == "aaaa-bbbb-cccc-dddd"
    place.write_bytes(json.dumps({**kept, "git_id": "1111-2222-3333-4444"}))
    assert identify_project(str(tmp_path)).project_id == "1111-2222-3333-4444"
    assert identify_project(str(tmp_path)).name == "Kept"
    place.write_bytes(b"{broken")
    assert identify_project(str(tmp_path)).project_id == digest_id(str(tmp_path))


def test_a_session_that_names_no_folder_has_a_project_all_the_same() -> None:
    assert identify_project(None).project_id
