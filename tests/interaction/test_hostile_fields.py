"""Values that attack what stands behind the routes: each field of each body and each query parameter, with each value.

The product's own document names the routes and the fields, so that a new route is attacked as soon as it is there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from specloop.kit import json
from specloop.transport.dialects import Dialect, dialect_of
from tests.interaction.tenant import Tenant
from tests.interaction.test_routes_are_guarded import UNKNOWN_ID, operations

VALUES = {
    "NUL": rb'"a\u0000b"',
    "controls": rb'"a\u001b[2J\u0007\u0085"',
    "lone surrogate": rb'"\ud800"',
    "not a number": b"NaN",
    "infinite": b"1e999",
    "huge": b"9" * 60,
    "pollution": b'{"__proto__":{"admin":true},"constructor":{"prototype":{}}}',
    "injection": rb'"x\u0027); DROP TABLE users; --%_\\"',
    "NUL within": rb'{"params":{"\u0000":"\u0000"},"kind":"external"}',
    "surrogate within": rb'{"params":{"\ud800":["\udfff"]},"kind":"external"}',
    "number within": b'{"params":{"x":123456789012345678901234567890,"y":NaN},"kind":"external"}',
    "list": b"[null,{},[]]",
}
QUERIES = ("\x00", "%", "_", "x'); DROP TABLE users; --", "__proto__", "-1", "9" * 40, "id;name", "é" * 500, "[]", "")
NOT_ATTACKED = {"/api/v1/auth/login", "/api/v1/auth/me/password"}  # their failures lock the whole address out
REFUSED = {400, 404, 405, 412, 415, 422, 429}


def schema_of(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """The schema itself, where a reference stands for it."""
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def bodies(document: dict[str, Any], operation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The object schemas that a JSON body of the operation may have."""
    content = operation.get("requestBody", {}).get("content", {})
    schema = schema_of(document, content.get("application/json", {}).get("schema", {}))
    for choice in [schema] if schema.get("properties") else schema.get("anyOf", [schema]):
        found = schema_of(document, choice)
        if found.get("properties"):
            yield found


def sample(document: dict[str, Any], schema: dict[str, Any]) -> Any:
    """Some value that fits well enough to reach the next field."""
    schema = schema_of(document, schema)
    schema = schema_of(document, next(iter(schema.get("anyOf", [schema]))))
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "object":
            return {"kind": "external"}
        case "array":
            return []
        case "integer" | "number":
            return max(1, schema.get("minimum", 1))
        case "boolean":
            return True
        case _ if schema.get("format") == "email":
            return "somebody@test.com"
        case _ if "[0-9a-f]{8}" in schema.get("pattern", ""):
            return UNKNOWN_ID
        case _:
            return "sample text"


def filled(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """The required members."""
    return {name: sample(document, schema["properties"][name]) for name in schema.get("required", [])}


def raw_body(body: dict[str, Any], field: str, raw: bytes) -> bytes:
    """JSON with `raw` as it is under `field`."""
    rest = json.dumps({name: value for name, value in body.items() if name != field})[1:-1]
    return b"{" + json.dumps(field) + b":" + raw + (b"," + rest if rest else b"") + b"}"


def place(path: str, tenant: Tenant, agent_id: str) -> str:
    """The path with ids that exist where the tenant has some."""
    path = path.replace("{workspace_id}", tenant.workspace_id).replace("{user_id}", tenant.user_id)
    path = path.replace("{agent_id}", agent_id).replace("{version}", "1").replace("{number}", "1")
    return re.sub(r"\{[^}]+\}", UNKNOWN_ID, path.replace("{trace_id}", "0" * 31 + "1"))


@pytest.fixture(scope="module")
def document(server: str) -> dict[str, Any]:
    """The product's OpenAPI document."""
    return httpx.get(f"{server}/openapi.json", timeout=60).json()


@pytest.fixture
def agent_id(tenant: Tenant) -> str:
    """An agent of the tenant."""
    return tenant.post("/agents", {"name": "A", "runtime": {"kind": "external"}, "config": {"params": {}}})["id"]


REFUSALS = {Dialect.PROBLEM: "application/problem+json", Dialect.RECORD: "application/json"}


def attacks(document: dict[str, Any], value: bytes) -> Iterator[tuple[str, str, str, bytes]]:
    """(method, path template, field, body) for each field of each body, with `value` as it is in that field."""
    for method, path, operation in operations(document):
        for schema in bodies(document, operation) if path not in NOT_ATTACKED else ():
            for field in schema["properties"]:
                yield method, path, field, raw_body(filled(document, schema), field, value)


def is_strict(path: str) -> bool:
    """Whether the path's contract lets bodies be checked for unknown members; SpecStory's wants them ignored."""
    return dialect_of(path) is not Dialect.RECORD


@pytest.mark.parametrize("value", VALUES)
def test_no_value_of_any_field_is_more_than_the_server_can_bear(
    tenant: Tenant, document: dict[str, Any], agent_id: str, value: str
) -> None:
    headers = {"content-type": "application/json", "if-match": "*"}
    tried, unbearable = 0, list[tuple[str, str, str, int]]()
    for method, path, field, content in attacks(document, VALUES[value]):
        answer = tenant.client.request(method, place(path, tenant, agent_id), content=content, headers=headers)
        tried += 1
        if answer.status_code >= 500:
            unbearable.append((method, path, field, answer.status_code))
        elif answer.status_code >= 400:
            assert answer.headers["content-type"] == REFUSALS[dialect_of(path)]
    assert not unbearable
    assert tried > 40


def test_nothing_keeps_a_nul_character(tenant: Tenant, document: dict[str, Any], agent_id: str) -> None:
    headers = {"content-type": "application/json", "if-match": "*"}
    kept: list[tuple[str, str, str, int]] = []
    for value in ("NUL", "NUL within"):
        for method, path, field, content in attacks(document, VALUES[value]):
            answer = tenant.client.request(method, place(path, tenant, agent_id), content=content, headers=headers)
            if is_strict(path) and answer.status_code not in REFUSED:
                kept.append((method, path, field, answer.status_code))
    assert not kept


def test_no_query_parameter_is_more_than_the_server_can_bear(
    tenant: Tenant, document: dict[str, Any], agent_id: str
) -> None:
    tried, unbearable = 0, list[tuple[str, str, str, int]]()
    for method, path, operation in operations(document):
        names = [each["name"] for each in operation.get("parameters", []) if each["in"] == "query"]
        for name in names if method == "GET" else ():
            for text in QUERIES:
                answer = tenant.client.get(place(path, tenant, agent_id), params={name: text})
                tried += 1
                is_bad_sort = name == "sort" and text and answer.status_code not in REFUSED
                if answer.status_code >= 500 or is_bad_sort:
                    unbearable.append((path, name, text, answer.status_code))
    assert not unbearable
    assert tried > 200


def test_no_path_is_more_than_the_server_can_bear(tenant: Tenant, document: dict[str, Any]) -> None:
    for method, path, _ in operations(document):
        for text in ("%00", "%2e%2e%2f", "..%5c", "'%3b--", "%f0%28", "a" * 300, "%2500", "{}"):
            url = re.sub(r"\{[^}]+\}", text, path.replace("{workspace_id}", tenant.workspace_id))
            if "{" in path.replace("{workspace_id}", ""):
                answer = tenant.client.request(method, url)
                assert answer.status_code < 500, (method, url, answer.text)


def test_every_body_refuses_members_that_it_does_not_know(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        for schema in bodies(document, operation) if is_strict(path) else ():
            assert schema.get("additionalProperties") is False, (method, path)


@pytest.mark.parametrize(
    "field", ["owner", "role", "account_id", "account_role", "user_id", "id", "is_admin", "scopes"]
)
def test_nobody_assigns_what_is_not_offered(
    tenant: Tenant, other: Tenant, document: dict[str, Any], agent_id: str, field: str
) -> None:
    for method, path, operation in operations(document):
        for schema in bodies(document, operation) if is_strict(path) and path not in NOT_ATTACKED else ():
            if field in schema["properties"]:
                continue
            body = {**filled(document, schema), field: other.account_id}
            answer = tenant.client.request(method, place(path, tenant, agent_id), json=body, headers={"if-match": "*"})
            assert answer.status_code in REFUSED, (method, path, field, answer.text)
    me = tenant.client.get("/api/v1/auth/me").json()
    assert other.account_id not in str(me)


def test_wildcards_and_quotes_are_letters(tenant: Tenant) -> None:
    for name in ("100%", "under_score", "it's; --", 'a"b', "back\\slash"):
        made = tenant.post("/agents", {"name": name, "runtime": {"kind": "external"}, "config": {}})
        assert tenant.client.get(f"{tenant.path}/agents/{made['id']}").json()["name"] == name
    for text in ("%", "_", "100%"):
        found = tenant.client.get(f"{tenant.path}/traces", params={"q": text}).json()["results"]
        assert found == []
        found = tenant.client.get("/api/v1/account/audit", params={"action": text}).json()
        assert found.get("results", []) == []


def test_prototype_words_are_ordinary_keys(tenant: Tenant) -> None:
    config = {"params": {"__proto__": {"admin": True}, "constructor": {"prototype": 1}, "toString": "x"}}
    made = tenant.post("/agents", {"name": "A", "runtime": {"kind": "external"}, "config": config})
    served = tenant.client.get(f"{tenant.path}/agents/{made['id']}/config").json()["config"]
    assert served["params"] == config["params"]


def test_another_tenants_ids_in_bodies_and_paths_are_like_ids_of_nothing(tenant: Tenant, other: Tenant) -> None:
    theirs = Theirs(other)
    for method, path, body in theirs.uses():
        foreign = tenant.client.request(method, tenant.path + path.format(**theirs.ids), json=theirs.fill(body))
        nothing = dict.fromkeys(theirs.ids, UNKNOWN_ID)
        unknown = tenant.client.request(method, tenant.path + path.format(**nothing), json=theirs.fill(body, nothing))
        assert foreign.status_code == unknown.status_code, (method, path, foreign.text, unknown.text)
        assert foreign.status_code >= 400
        shown = {name: re.sub("|".join(theirs.ids.values()), UNKNOWN_ID, str(v)) for name, v in foreign.json().items()}
        assert {**shown, "instance": ""} == {**{k: str(v) for k, v in unknown.json().items()}, "instance": ""}


class Theirs:
    """What another tenant has, and how one might try to use it."""

    def __init__(self, other: Tenant) -> None:
        external: dict[str, Any] = {"runtime": {"kind": "external"}, "config": {"params": {}}}
        key = other.client.post(f"{other.path}/keys", json={"name": "theirs"}).json()
        self.ids = {
            "agent": other.post("/agents", {"name": "Theirs", **external})["id"],
            "template": other.post("/agents/templates", {"name": "Theirs", "config": {"params": {}}})["id"],
            "key": key["key_id"],
            "user": other.user_id,
        }

    def uses(self) -> Iterator[tuple[str, str, Any]]:
        """(method, path below the own workspace, body); `{agent}` and the like stand for ids."""
        new = {"name": "Mine", "runtime": {"kind": "external"}, "config": {}}
        yield "GET", "/agents/{agent}", None
        yield "PATCH", "/agents/{agent}", {"name": "Taken"}
        yield "DELETE", "/agents/{agent}", None
        yield "POST", "/agents/{agent}/promote", {"version": 1}
        yield "POST", "/agents/{agent}/run", {"input": {}}
        yield "POST", "/agents", {**new, "depends_on": ["{agent}"]}
        yield "POST", "/agents", {**new, "template_id": "{template}"}
        yield "GET", "/agents/templates/{template}", None
        yield "DELETE", "/keys/{key}", None
        yield "POST", "/keys/{key}/rotate", {}
        yield "POST", "/members", {"user_id": "{user}", "role": "observer"}
        yield "PATCH", "/members/{user}", {"role": "admin"}
        yield "DELETE", "/members/{user}", None

    def fill(self, body: Any, ids: dict[str, str] | None = None) -> Any:
        """The body with ids."""
        if body is None:
            return None
        text = json.dumps(body).decode()
        for name, value in (ids or self.ids).items():
            text = text.replace(f"{{{name}}}", value)
        return json.loads(text)
