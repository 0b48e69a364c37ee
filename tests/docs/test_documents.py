"""The documents are true: links lead somewhere, commands exist, the changelog and the licence are there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(#[^)]*)?\)")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_files(document: Path) -> None:
    targets = [match[1] for match in LINK.finditer(document.read_text("utf-8"))]
    broken = [one for one in targets if "://" not in one and not (document.parent / one).exists()]
    assert broken == []


def test_the_readme_names_only_targets_that_exist() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    named = set(re.findall(r"\bmake ([a-z-]+)", (ROOT / "README.md").read_text("utf-8")))
    assert {"demo", "test", "bench"} <= named
    assert [name for name in named if not re.search(rf"^{name}:", makefile, re.MULTILINE)] == []


def test_the_readme_names_only_commands_that_exist() -> None:
    listing = subprocess.run([sys.executable, "-m", "specloop", "--help"], capture_output=True, text=True, check=True)
    named = set(re.findall(r"(?:^|\W)specloop ([a-z]+)\b", (ROOT / "README.md").read_text("utf-8")))
    assert {"up", "login", "keys", "config", "doctor"} <= named
    assert [name for name in named if name not in listing.stdout] == []


def test_every_decision_has_the_three_parts() -> None:
    for page in sorted((ROOT / "docs" / "decisions").glob("*.md")):
        text = page.read_text("utf-8")
        assert all(f"**{part}.**" in text for part in ("Context", "Decision", "Consequences")), page.name
