"""Secrets are found as betterleaks finds them, also by the quick way, and replaced without breaking JSON."""

from __future__ import annotations

import random
import string
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specloop.kit import json
from specloop.record.sessions.redaction import (
    BetterleaksScanner,
    Redaction,
    Secret,
    texts_of_document,
    texts_of_json,
)
from specloop.record.sessions.redaction.keywords import CONTEXT_LINES, KeywordFilter, Rules

LETTERS = string.ascii_letters + string.digits


def made(count: int, alphabet: str = LETTERS) -> str:
    return "".join(random.Random(count).choices(alphabet, k=count))


KEY = "\n".join(
    ["-----BEGIN RSA PRIVATE KEY-----", *(made(64 + n)[:64] for n in range(25)), "-----END RSA PRIVATE KEY-----"]
)
PLANTED = {
    "github-pat": f"export GITHUB_TOKEN=ghp_{made(36)}",
    "slack-bot-token": f"xoxb-{made(12, string.digits)}-{made(12, string.digits)}-{made(24)}",
    "anthropic-api-key": f"ANTHROPIC_API_KEY=sk-ant-api03-{made(93)}AA",
    "curl-auth-user": "curl -u admin:Zx9Kq2Lm7Pw https://example.org",
    "generic-api-key": f'"api_key": "{made(32)}"',
    "private-key": KEY,
}


@pytest.fixture(scope="module")
def scanner() -> BetterleaksScanner:
    return BetterleaksScanner()


@pytest.mark.parametrize("rule", PLANTED)
def test_a_secret_in_a_long_text_is_found(scanner: BetterleaksScanner, rule: str) -> None:
    prose = ["We looked at the parser and then at the tests."] * 3000
    prose.insert(1700, PLANTED[rule])
    assert rule in {secret.rule for secret in scanner.find(["\n".join(prose)])}


def test_the_quick_way_finds_what_the_whole_text_shows(scanner: BetterleaksScanner) -> None:
    chance = random.Random(7)
    words = ["the", "key", "token", "parser", "auth", "reads", "lines", "secret", "x=1", "vault", "api", "curl"]
    for _ in range(5):
        lines = [" ".join(chance.choices(words, k=8)) for _ in range(400)]
        for planted in PLANTED.values():
            lines.insert(chance.randrange(len(lines)), planted)
        text = "\n".join(lines)
        whole = BetterleaksScanner(reads_all=True)
        assert {s.value for s in scanner.find([text])} == {s.value for s in whole.find([text])}


def test_the_library_tells_its_keywords(scanner: BetterleaksScanner) -> None:
    assert scanner.is_quick


def test_lines_far_from_a_keyword_are_left_out_and_a_far_keyword_keeps_all() -> None:
    quick = KeywordFilter(Rules(frozenset({b"token", b"-----begin"}), frozenset({b"vault"})))
    lines = [f"line {number}" for number in range(300)]
    assert quick.relevant("\n".join(lines)) == ""
    lines[100] = "a TOKEN é"
    kept = quick.relevant("\n".join(lines)).split("\n")
    assert kept == lines[100 - CONTEXT_LINES : 101 + CONTEXT_LINES]
    lines[200] = "the vault"
    assert quick.relevant("\n".join(lines)) == "\n".join(lines)


@given(st.text(max_size=200), st.sampled_from(["token", "TOKEN", "secret", "ghp_"]), st.text(max_size=200))
def test_a_line_with_a_keyword_is_always_kept(before: str, word: str, after: str) -> None:
    quick = KeywordFilter(Rules(frozenset({b"token", b"secret", b"ghp_"}), frozenset()))
    kept = quick.relevant(before + word + after).encode("utf-8", "replace")
    line = before.rpartition("\n")[2] + word + after.partition("\n")[0]
    assert line.encode("utf-8", "replace") in kept


def test_a_secret_is_replaced_in_names_strings_and_inner_json() -> None:
    value = 'qu"ote\\and\nline-Zx9Kq2'
    redaction = Redaction([Secret("rule-a", value, value)])
    inner = json.dumps({"deep": value}).decode()
    document = {"a": [f"x {value} y"], value: 1, "arguments": inner, "n": 5, "none": None}
    replaced = redaction.document(document)
    assert replaced["a"] == ["x [REDACTED:rule-a] y"]
    assert replaced["[REDACTED:rule-a]"] == 1
    assert json.loads(replaced["arguments"]) == {"deep": "[REDACTED:rule-a]"}
    assert redaction.counts == {"rule-a": 3}


def test_lines_without_a_secret_stay_byte_for_byte() -> None:
    secret = Secret("r", "Zx9Kq2Lm7Pw", "Zx9Kq2Lm7Pw")
    text = '{"a" : "x"}\n{ "b":"Zx9Kq2Lm7Pw"}\n\nno json Zx9Kq2Lm7Pw\n{"cut'
    replaced = Redaction([secret]).json_text(text)
    assert replaced == '{"a" : "x"}\n{"b":"[REDACTED:r]"}\n\nno json [REDACTED:r]\n{"cut'


def test_a_short_secret_is_replaced_only_where_it_is_one() -> None:
    redaction = Redaction([Secret("r", "a:b", "curl -u a:b")])
    assert redaction.text("a:b and curl -u a:b") == "a:b and curl -u [REDACTED:r]"


def test_a_secret_never_shows_when_it_is_printed() -> None:
    assert repr(Secret("r", "hidden", "hidden")) == "Secret(r)"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-100, 100) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@given(JSON, st.text(st.characters(codec="utf-8"), min_size=8, max_size=12), st.integers(0, 3))
def test_what_is_redacted_is_json_again_and_holds_no_secret(value: Any, secret: str, depth: int) -> None:
    document = {"value": value, "secret": f"before {secret} after"}
    for _ in range(depth):
        document = {"inner": document, "list": [secret]}
    redaction = Redaction([Secret("r", secret, secret)])
    text = redaction.json_text(json.dumps(document).decode())
    assert secret not in list(strings(json.loads(text)))
    assert redaction.counts["r"] >= 1
    assert Redaction([Secret("r", secret, secret)]).json_text(text) == text


def strings(value: Any) -> list[str]:
    return list(texts_of_document(value))


def test_the_name_of_a_short_value_is_shown_and_opaque_blobs_are_not() -> None:
    blob = "QUJD" * 300
    document = {"password": "Zx9", "signature": blob, "uuid": "u1", "long": "x\ny", "data": "not a blob"}
    shown = list(texts_of_json(json.dumps(document).decode()))
    assert shown == ['"password": "Zx9"', "x\ny", '"data": "not a blob"']


def test_a_missing_library_is_told() -> None:
    code = (
        "from specloop.record.sessions.redaction import BetterleaksScanner, RedactionUnavailable\n"
        "try:\n    BetterleaksScanner()\nexcept RedactionUnavailable:\n    print('told')\n"
    )
    variables = {"PYBETTERLEAKS_NATIVE_LIBRARY": "/nowhere.so"}
    done = subprocess.run([sys.executable, "-c", code], env=variables, capture_output=True, text=True, check=True)
    assert done.stdout == "told\n"
