"""Secrets that the library's rules miss: keys after a mention, keys in company, and common forms that no rule knows."""

from __future__ import annotations

import base64
import random
import string

import pytest

from specloop.kit import json
from specloop.record.sessions.redaction import BetterleaksScanner, Redaction, Secret, texts_of_json
from specloop.record.sessions.redaction.own_rules import find_own
from specloop.record.sessions.redaction.private_keys import find_private_keys

LETTERS = string.ascii_letters + string.digits
HEX = "0123456789abcdef"
MENTION = "Look for -----BEGIN RSA PRIVATE KEY----- in the folder"


def made(count: int, alphabet: str = LETTERS) -> str:
    return "".join(random.Random(count).choices(alphabet, k=count))


BODY = [made(64 + n)[:64] for n in range(25)]
KEY = "\n".join(["-----BEGIN RSA PRIVATE KEY-----", *BODY, "-----END RSA PRIVATE KEY-----"])
AWS_ID = "AKIA" + "Q3XJ7KPLM2VNRT5W"
AWS_KEY = "w0tESulEETldq8b8Vw2zbJYAxyL1aCcTq9Zk3LmP"


@pytest.fixture(scope="module")
def scanner() -> BetterleaksScanner:
    return BetterleaksScanner()


def clean(scanner: BetterleaksScanner, *texts: str) -> str:
    """All texts without what is found in them."""
    redaction = Redaction(scanner.find(texts))
    return "\n".join(map(redaction.text, texts))


@pytest.mark.parametrize(
    "texts",
    [
        (MENTION, KEY),
        (f"{MENTION}\nand then\n{KEY}",),
        (MENTION, json.dumps({"k": KEY}).decode()),
        ("-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----", MENTION, KEY),
        (MENTION, "\n".join(KEY.split("\n")[:9])),
        (MENTION, "\n".join(f"{n:6}→{line}" for n, line in enumerate(KEY.split("\n")))),
    ],
)
def test_a_private_key_is_found_after_a_mention_of_one(scanner: BetterleaksScanner, texts: tuple[str, ...]) -> None:
    shown = clean(scanner, *texts)
    assert not [line for line in BODY if line in shown]
    assert MENTION in shown or len(texts) == 1


def test_a_mention_of_a_private_key_is_none(scanner: BetterleaksScanner) -> None:
    said = "It begins with -----BEGIN PRIVATE KEY----- and ends with -----END PRIVATE KEY-----."
    assert list(find_private_keys(said)) == []
    later = "Words of somebody else.\n" * 30 + "-----END PRIVATE KEY-----"
    assert clean(scanner, MENTION, later) == f"{MENTION}\n{later}"


def test_the_lines_of_a_private_key_are_taken_out_one_by_one_too(scanner: BetterleaksScanner) -> None:
    patch = json.dumps({"content": KEY, "lines": [f"+{line}" for line in KEY.split("\n")]}).decode()
    shown = Redaction(scanner.find(texts_of_json(patch))).json_text(patch)
    assert not [line for line in BODY if line in shown]


@pytest.mark.parametrize(
    "text",
    [
        f"[default]\naws_access_key_id = {AWS_ID}\naws_secret_access_key = {AWS_KEY}\nregion = eu-west-1",
        f"aws_secret_access_key: {AWS_KEY}\naws_access_key_id: {AWS_ID}",
        f'{{"AccessKeyId": "{AWS_ID}", "SecretAccessKey": "{AWS_KEY}"}}',
    ],
)
def test_a_secret_key_beside_its_id_is_found(scanner: BetterleaksScanner, text: str) -> None:
    shown = clean(scanner, text)
    assert AWS_ID not in shown
    assert AWS_KEY not in shown


def test_what_a_later_round_found_is_told_with_the_text_as_it_stands(scanner: BetterleaksScanner) -> None:
    text = f'{{"AccessKeyId": "{AWS_ID}", "SecretAccessKey": "{AWS_KEY}"}} [REDACTED:no-7]'
    assert all(secret.match in text for secret in scanner.find([text]))


OWN = {
    "url-password": [
        ("postgres://admin:", made(14), "@db.example.com:5432/app"),
        ("redis://:", made(20), "@cache:6379/0"),
        ("git clone https://user:", made(21), "@git.example.com/x.git"),
        ("postgresql+asyncpg://app:", "hunter2Secret9", "@10.0.0.3/app"),
    ],
    "url-token": [("git clone https://", made(40, HEX), "@git.example.com/x.git")],
    "authorization-header": [
        ("Authorization: Bearer ", made(40), ""),
        ("authorization: Basic ", "dXNlcjpQYXNzdzByZDEyMw==", ""),
        ("headers={'Authorization': 'Bearer ", made(24), "'}"),
        ('"Authorization": "Bearer ', made(25), '"'),
    ],
    "anthropic-token": [("", f"sk-ant-oat01-{made(93)}AA", "")],
    "openai-key": [("key ", f"sk-proj-{made(48)}", ".")],
    "aws-access-key-id": [("", AWS_ID, ""), ("id=", AWS_ID.replace("AKIA", "ASIA"), "")],
    "google-client-secret": [("", f"GOCSPX-{made(28)}", "")],
    "webhook-secret": [("", f"whsec_{made(32)}", "")],
    "tavily-key": [("", f"tvly-{made(32)}", "")],
    "discord-webhook": [("https://discord.com/api/webhooks/123456789012345678/", made(68), "")],
    "env-secret": [
        ("DB_PASSWORD=", "Sommer2024!", ""),
        ('export PASSWORD="', "correct-horse-battery-9", '"'),
        ("JWT_SECRET=", made(32), ""),
        ("SECRET_KEY=", f"django-insecure-{made(50)}", ""),
        ("API_TOKEN=", made(32, HEX), "\nNEXT=1"),
        ("docker run -e API_KEY=", "abc12345", " image"),
        ('"env": "PASSWORD=', "Zx9Kq2Lm", '\\nUSER=me"'),
        ('"MCP_API_KEY": "', "abc12345", '"'),
    ],
}


@pytest.mark.parametrize(
    ("rule", "before", "value", "after"), [(rule, *parts) for rule, cases in OWN.items() for parts in cases]
)
def test_a_common_secret_is_replaced_and_nothing_beside_it(rule: str, before: str, value: str, after: str) -> None:
    text = f"some words\n{before}{value}{after}\nmore words"
    assert Redaction(find_own(text)).text(text) == f"some words\n{before}[REDACTED:{rule}]{after}\nmore words"


@pytest.mark.parametrize(
    "text",
    [
        f"commit {made(40, HEX)}",
        "session 3f2b8c1e-5d4a-4e9b-8a77-0c1d2e3f4a5b",
        f"![](data:image/png;base64,{base64.b64encode(random.Random(4).randbytes(300_000)).decode()})",
        f'"integrity": "sha512-{made(86)}=="',
        "The PASSWORD= line is empty; a TOKEN is what the server gives. Use your API_KEY: it is secret.",
        "PASSWORD=\nDB_PASSWORD=changeme\nAPI_KEY=your-api-key\nAPI_TOKEN=<token>\nSECRET_KEY=${SECRET_KEY}",
        "GITHUB_TOKEN=$GITHUB_TOKEN GH_TOKEN=$(gh auth token) API_KEY=*** X_SECRET=xxx NPM_TOKEN=xxxxxxxxxxxx",
        'SECRET_KEY=os.environ["KEY"] API_KEY=process.env.API_KEY MAX_TOKEN=4096 if TOKEN==other',
        'SESSION_SECRET="enter a long phrase here" DB_PASSWORD=/run/secrets/db',
        "postgres://user:password@localhost/db postgres://$USER:$PASS@h/db https://{user}:{password}@h",
        "http://localhost:3000/@vite/client https://example.org:8080 ssh://git@github.com:22/a/b me@example.org",
        "Authorization: Bearer <token>, Authorization: Bearer authentication, Authorization: Basic auth",
        "curl -H 'Authorization: Bearer $TOKEN' -H \"Authorization: Bearer ${TOKEN}\"",
        "Authorization: Bearer eyJhbGciOi... AKIAIOSFODNN7EXAMPLE whsec_test_secret",
        "sk-ant-api03-your-key-goes-in-this-place sk-proj-xxxxxxxxxxxxxxxxxxxxxxxx",
    ],
)
def test_what_only_looks_like_a_secret_stays(text: str) -> None:
    assert [(secret.rule, secret.value) for secret in find_own(text)] == []


def test_the_librarys_name_for_a_secret_comes_first(scanner: BetterleaksScanner) -> None:
    assert clean(scanner, f"export GITHUB_TOKEN=ghp_{made(36)},x") == "export GITHUB_TOKEN=[REDACTED:github-pat],x"


UUID = "3f2b8c1e-5d4a-4e9b-8a77-0c1d2e3f4a5b"


@pytest.mark.parametrize(
    ("rule", "value", "before"),
    [
        ("generic-api-key", UUID, "cache_key: "),
        ("generic-api-key", made(40, HEX), "key = "),
        ("curl-auth-header", "development", 'curl -H "X-API-Key: '),
    ],
)
def test_an_id_or_a_word_is_replaced_only_where_it_is_a_secret(rule: str, value: str, before: str) -> None:
    redaction = Redaction([Secret(rule, value, before + value)])
    assert redaction.text(f"{value} and {before}{value}") == f"{value} and {before}[REDACTED:{rule}]"
    assert Redaction([Secret("github-pat", value, before + value)]).text(value) == "[REDACTED:github-pat]"


def test_a_value_that_is_a_secret_because_of_its_name_is_replaced_in_data(scanner: BetterleaksScanner) -> None:
    document = {"id": UUID, "inner": {"api_key": UUID, "keys": [UUID]}, "password": "Zx9"}
    text = json.dumps(document).decode()
    found = [*scanner.find(texts_of_json(text)), Secret("own", "Zx9", '"password": "Zx9"')]
    assert "generic-api-key" in {secret.rule for secret in found}
    redaction = Redaction(found)
    replaced = redaction.document(document)
    assert (replaced["id"], replaced["inner"]["api_key"]) == (UUID, "[REDACTED:generic-api-key]")
    assert replaced["password"] == "[REDACTED:own]"
    counts = redaction.counts
    before = counts.copy()
    assert redaction.document(document) == replaced
    assert counts == {rule: 2 * count for rule, count in before.items()}
