"""Sessions are prepared each for itself: neither another one's secrets nor another one's oddness touch it."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

from specloop.cli.transfer.preparing import Prepared, Preparer
from specloop.kit import json
from specloop.record.sessions.importers import FoundTranscript, UnreadableTranscript, find_local
from specloop.record.sessions.importers.payload import Client
from specloop.record.sessions.redaction import BetterleaksScanner, SecretScanner
from tests.record.importers import stores


@pytest.fixture(scope="module")
def scanner() -> BetterleaksScanner:
    return BetterleaksScanner()


def preparer(scanner: SecretScanner | None = None) -> Preparer:
    return Preparer(Client("specloop", "0", "device", "machine"), scanner)


def session_id(number: int) -> str:
    return f"{number:08d}-0000-4000-8000-000000000000"


def write(home: Path, number: int, prompt: str, **tool_input: Any) -> None:
    records = stores.claude_records(prompt, session_id(number))
    if tool_input:
        records[1]["message"]["content"][1]["input"] = tool_input
    stores.write_claude(home, records, session_id(number))


def bodies(prepared: list[Prepared]) -> dict[str, str]:
    """What would be sent, by session."""
    return {
        each.outgoing.session_id: gzip.decompress(each.outgoing.body).decode() for each in prepared if each.outgoing
    }


def test_a_sessions_company_does_not_change_what_is_sent_of_it(scanner: BetterleaksScanner, tmp_path: Path) -> None:
    write(tmp_path, 1, 'run curl -H "X-API-Key: development" http://localhost:8000/me')
    write(tmp_path, 2, "In the development branch, merge development")
    write(tmp_path, 3, 'set api_key = "Zx9Kq2Lm7PwQr4Ts8Vb1"')
    write(tmp_path, 4, "Zx9Kq2Lm7PwQr4Ts8Vb1 is the name of the build")
    found = find_local(tmp_path)
    together = bodies(preparer(scanner).prepare(found))
    alone = {key: body for each in found for key, body in bodies(preparer(scanner).prepare([each])).items()}
    assert together == alone
    assert "merge development" in together[session_id(2)]
    assert "Zx9Kq2Lm7PwQr4Ts8Vb1" not in together[session_id(3)]
    assert "Zx9Kq2Lm7PwQr4Ts8Vb1" in together[session_id(4)]


def test_a_sessions_own_id_stays_where_it_is_called_a_key(scanner: BetterleaksScanner, tmp_path: Path) -> None:
    key = "7f3a9c2e-51d8-4b6f-8e07-a94c1d3b5e62"
    stores.write_claude(tmp_path, stores.claude_records(f"set cache_key: {key} please", key), key)
    ((named, body),) = bodies(preparer(scanner).prepare(find_local(tmp_path))).items()
    sent = json.loads(body)
    assert json.loads(sent["sessionData"])["sessionId"] == named == key
    assert json.loads(sent["rawData"].split("\n")[0])["sessionId"] == key
    assert f"cache_key: {key}" not in sent["markdown"]


@pytest.mark.parametrize("depth", [260, 990])
@pytest.mark.parametrize("is_scanned", [False, True])
def test_a_tool_input_that_is_nested_too_deeply_is_a_problem_of_its_session_only(
    depth: int, is_scanned: bool, scanner: BetterleaksScanner, tmp_path: Path
) -> None:
    write(tmp_path, 1, "First", command="DEEP")
    write(tmp_path, 2, "Second")
    (path,) = (found.path for found in find_local(tmp_path) if session_id(1) in found.place)
    path.write_text(path.read_text().replace('"DEEP"', '{"a":' * depth + "1" + "}" * depth))
    odd, well = preparer(scanner if is_scanned else None).prepare(find_local(tmp_path))
    assert odd.outgoing is None
    assert str(path) in (odd.problem or "")
    assert well.outgoing is not None


def test_a_transcript_that_fails_in_a_new_way_is_a_problem_of_its_own_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, 1, "First")
    write(tmp_path, 2, "Second")

    def identify(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    ready = preparer()
    monkeypatch.setattr("specloop.cli.transfer.preparing.identify_project", identify)
    assert [each.problem is not None for each in ready.prepare(find_local(tmp_path))] == [True, True]


def test_a_problem_can_be_written_whatever_the_files_name_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(found: FoundTranscript) -> None:
        raise UnreadableTranscript(f"{found.path}: no")

    monkeypatch.setattr("specloop.cli.transfer.preparing.read_transcript", read)
    (prepared,) = preparer().prepare([FoundTranscript("claude", tmp_path / "caf\udce9.jsonl", 1, 1)])
    (prepared.problem or "").encode()
    assert "caf\\udce9.jsonl: no" in (prepared.problem or "")


def test_other_rules_make_another_version_so_that_sessions_are_looked_through_again(
    scanner: BetterleaksScanner, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = preparer(scanner).version
    monkeypatch.setattr("specloop.cli.transfer.preparing.RULES_VERSION", 99)
    assert preparer(scanner).version != before
    assert preparer().version != before
