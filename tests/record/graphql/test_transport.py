"""GraphQL over HTTP as the contract and the specification want it (specstory.md §2)."""

from __future__ import annotations

from typing import Any

import pytest
from httpx import Response

from specloop.record.sessions import SessionBatches
from tests.identity.front.program import Program
from tests.identity.personal_keys.test_personal_keys import make_key
from tests.record.graphql.world import PATH, Shelf

NEWER = "application/graphql-response+json"
INTROSPECTION = "{ __schema { queryType { name } } }"
BAD = {
    "a syntax error": {"query": "{"},
    "an unknown field": {"query": "{ nothing }"},
    "a wrong variable": {"query": "query($q: String!) { searchSessions(query: $q) { total } }", "variables": {"q": 1}},
    "a missing variable": {"query": "query($q: String!) { searchSessions(query: $q) { total } }"},
    "a mutation": {"query": "mutation { deleteEverything }"},
    "two operations without a name": {"query": "query A { projects { id } } query B { projects { id } }"},
    "an unknown operation": {"query": "query A { projects { id } }", "operationName": "B"},
}


def both_shapes(answer: Response, status: int, code: str, text: str) -> None:
    """The error in the form of the documents and in GraphQL's own."""
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert body["success"] is False
    assert body["error"] == text
    assert body["errors"][0]["extensions"]["code"] == code
    assert "data" not in body


@pytest.mark.parametrize("name", BAD)
async def test_a_bad_query_is_400_in_both_shapes(shelf: Shelf, name: str) -> None:
    for accept in ("*/*", NEWER, "application/json, text/plain, */*"):
        answer = await shelf.visitor.post(PATH, BAD[name], Accept=accept)
        both_shapes(answer, 400, "VALIDATION_ERROR", "Invalid GraphQL query or variables")


@pytest.mark.parametrize("name", BAD)
async def test_a_caller_who_reads_only_json_gets_the_same_with_200(shelf: Shelf, name: str) -> None:
    answer = await shelf.visitor.post(PATH, BAD[name], Accept="application/json")
    both_shapes(answer, 200, "VALIDATION_ERROR", "Invalid GraphQL query or variables")


@pytest.mark.parametrize(
    "body",
    [
        [{"query": "{ projects { id } }"}],
        "{ projects { id } }",
        {},
        {"query": 1},
        {"query": "{ projects { id } }", "variables": []},
        {"query": "{ projects { id } }", "operationName": 1},
        {"query": "{ projects { id } }", "extensions": "x"},
    ],
)
async def test_what_is_no_graphql_request_is_400(shelf: Shelf, body: Any) -> None:
    answer = await shelf.visitor.post(PATH, body, Accept="application/json")
    both_shapes(answer, 400, "VALIDATION_ERROR", "Invalid GraphQL query or variables")


async def test_without_a_credential_it_is_401_in_both_shapes(program: Program) -> None:
    invalid = "Invalid or missing authentication token"
    for token, text in ((None, invalid), ("nonsense", invalid), ("eyJhbGciOiJub25lIn0.e30.", "Invalid session token")):
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        answer = await program.client.post(PATH, json={"query": "{ projects { id } }"}, headers=headers)
        both_shapes(answer, 401, "UNAUTHENTICATED", text)
        assert answer.headers["x-ratelimit-limit"]


async def test_a_workspace_key_is_nobody_here(program: Program, shelf: Shelf) -> None:
    made = await shelf.visitor.post(f"/api/v1/workspaces/{shelf.visitor.workspace_id}/keys", {"name": "key"})
    headers = {"Authorization": f"Bearer {made.json()['key']}"}
    answer = await program.client.post(PATH, json={"query": "{ projects { id } }"}, headers=headers)
    assert answer.status_code in {401, 403}
    assert answer.json()["success"] is False


async def test_anybody_may_read_the_schema_with_the_header(program: Program) -> None:
    headers = {"X-GraphQL-Introspection": "true"}
    answer = await program.client.post(PATH, json={"query": INTROSPECTION}, headers=headers)
    assert answer.json() == {"data": {"__schema": {"queryType": {"name": "Query"}}}}
    answer = await program.client.get(PATH, params={"query": INTROSPECTION}, headers=headers)
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        "{ projects { id } }",
        "{ __schema { queryType { name } } projects { id } }",
        "{ ... { projects { id } } }",
        "{ ...F } fragment F on Query { projects { id } }",
        "query A { __typename } query B { projects { id } }",
    ],
)
async def test_the_header_opens_nothing_but_the_schema(program: Program, query: str) -> None:
    body = {"query": query, "operationName": "B" if "query B" in query else None}
    answer = await program.client.post(PATH, json=body, headers={"x-graphql-introspection": "true"})
    both_shapes(answer, 401, "UNAUTHENTICATED", "Invalid or missing authentication token")


async def test_without_the_header_the_schema_is_closed(program: Program) -> None:
    for headers in ({}, {"x-graphql-introspection": "false"}):
        answer = await program.client.post(PATH, json={"query": INTROSPECTION}, headers=headers)
        assert answer.status_code == 401


async def test_a_bad_credential_is_not_helped_by_the_header(program: Program) -> None:
    headers = {"x-graphql-introspection": "true", "Authorization": "Bearer nonsense"}
    assert (await program.client.post(PATH, json={"query": INTROSPECTION}, headers=headers)).status_code == 401


async def test_queries_may_come_by_get(shelf: Shelf) -> None:
    await shelf.put("one")
    params = {"query": "query($n: Int) { sessions(limit: $n) { total } }", "variables": '{"n": 1}'}
    headers = {"Authorization": f"Bearer {shelf.visitor.token}"}
    answer = await shelf.visitor.client.get(PATH, params=params, headers=headers)
    assert answer.json() == {"data": {"sessions": {"total": 1}}}
    assert answer.headers["content-type"] == "application/json; charset=utf-8"


async def test_the_newer_media_type_is_spoken_when_named_first(shelf: Shelf) -> None:
    for accept in (NEWER, f"{NEWER}, application/json;q=0.9", f"application/json;q=0.5, {NEWER}"):
        answer = await shelf.send("{ projects { id } }", Accept=accept)
        assert answer.headers["content-type"] == f"{NEWER}; charset=utf-8"
    answer = await shelf.send("{ projects { id } }", Accept=f"{NEWER};q=0.5, application/json")
    assert answer.headers["content-type"] == "application/json; charset=utf-8"


async def test_json_is_taken_with_any_parameters_but_another_charset(shelf: Shelf) -> None:
    headers = {"Authorization": f"Bearer {shelf.visitor.token}"}
    for kind in (
        "application/json;charset=UTF-8",
        "application/json; charset=utf-8;",
        "application/json;",
        'Application/JSON; odata=verbose; charset="utf-8"',
        "application/json; profile=x",
    ):
        answer = await shelf.visitor.client.post(
            PATH, content=b'{"query":"{ projects { id } }"}', headers={**headers, "Content-Type": kind}
        )
        assert answer.json() == {"data": {"projects": []}}, kind


async def test_null_in_a_get_is_as_if_it_were_left_out(shelf: Shelf) -> None:
    headers = {"Authorization": f"Bearer {shelf.visitor.token}"}
    for value in ("null", " null ", ""):
        params = {"query": "{ projects { id } }", "variables": value, "extensions": value}
        answer = await shelf.visitor.client.get(PATH, params=params, headers=headers)
        assert answer.json() == {"data": {"projects": []}}, value


async def test_other_bodies_than_json_are_refused(shelf: Shelf) -> None:
    headers = {"Authorization": f"Bearer {shelf.visitor.token}"}
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16; profile=x"):
        answer = await shelf.visitor.client.post(
            PATH, content=b'{"query":"{ projects { id } }"}', headers={**headers, "Content-Type": kind}
        )
        assert answer.status_code == 400, kind


async def test_an_error_of_a_field_is_200_with_its_code_and_place(shelf: Shelf) -> None:
    answer = await shelf.send('{ sessions(orderBy: "colour") { total } }')
    assert answer.status_code == 200
    error = answer.json()["errors"][0]
    assert error["path"] == ["sessions"]
    assert error["locations"] == [{"line": 1, "column": 3}]
    assert error["extensions"] == {"code": "VALIDATION_ERROR"}
    assert answer.json()["data"] is None


async def test_an_unknown_error_is_masked_with_an_incident_id(program: Program, shelf: Shelf) -> None:
    del program.app.state.services[SessionBatches]
    program.app.state.services[SessionBatches] = object()
    answer = await shelf.send('{ session(sessionId: "x") { id } }')
    assert answer.status_code == 200
    error = answer.json()["errors"][0]
    assert error["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert error["extensions"]["incidentId"] in error["message"]
    assert "find_anywhere" not in answer.text
    assert answer.json()["data"] == {"session": None}


async def test_a_personal_key_that_may_only_read_has_an_allowance_of_500_queries(
    program: Program, shelf: Shelf
) -> None:
    made = await make_key(program, shelf.visitor)
    headers = {"Authorization": f"Bearer {made.secret}"}
    for left in (499, 498):
        answer = await program.client.post(PATH, json={"query": "{ projects { id } }"}, headers=headers)
        assert answer.json() == {"data": {"projects": []}}
        assert (answer.headers["x-ratelimit-limit"], answer.headers["x-ratelimit-remaining"]) == ("500", str(left))


async def test_the_query_beyond_the_allowance_is_429_in_both_shapes(program: Program, shelf: Shelf) -> None:
    made = await make_key(program, shelf.visitor)
    headers = {"Authorization": f"Bearer {made.secret}"}
    for _ in range(500):
        answer = await program.client.post(PATH, json={"query": "{"}, headers=headers)
        assert answer.status_code == 400
    answer = await program.client.post(PATH, json={"query": "{ projects { id } }"}, headers=headers)
    wait = answer.headers["retry-after"]
    both_shapes(answer, 429, "RATE_LIMITED", f"Rate limit exceeded. Try again in {wait} seconds.")


async def test_a_query_by_post_does_not_wait_for_the_writer(program: Program, shelf: Shelf) -> None:
    async with program.writing() as ctx:
        await ctx.session.connection()
        assert await shelf.ask("{ projects { id } }") == {"projects": []}


async def test_what_others_recorded_is_never_seen(shelf: Shelf, other: Shelf) -> None:
    theirs = await other.put("private", "the secret word is swordfish", tags=["hidden"])
    seen = await shelf.send(
        "query($id: ID!) { projects { id } sessions { total } stats { totalSessions topLLMModels { model } }"
        ' project(id: $id) { id } session(id: $id) { id } byName: session(sessionId: "private") { id }'
        ' searchSessions(query: "swordfish") { total }'
        ' analytics(timeRange: {start: "2000-01-01", end: "2100-01-01"}) { totalSessions sessionsByModel { model } } }',
        {"id": theirs.id},
    )
    assert seen.json() == {
        "data": {
            "projects": [],
            "sessions": {"total": 0},
            "stats": {"totalSessions": 0, "topLLMModels": []},
            "project": None,
            "session": None,
            "byName": None,
            "searchSessions": {"total": 0},
            "analytics": {"totalSessions": 0, "sessionsByModel": []},
        }
    }
