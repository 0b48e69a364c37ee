"""The reader through the front door: who may read, what is shown, every exchange reachable without script."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.interaction.browsing import Browser, signed_in
from tests.interaction.tenant import Tenant
from tests.record.pages.recordings import HOSTILE, PROJECT, SESSION, put, record

EXCHANGE = re.compile(r'<section class="exchange"[^>]* id="e(\d+)"')
CONTINUE = re.compile(r'<div class="next-piece"[^>]*><a class="button" href="([^"]+)"')
ITEM = re.compile(r'href="([^"]+/items/[^"]+)"')


def test_the_address_of_a_session_asks_a_visitor_to_sign_in_and_leads_back(server: str, person: Tenant) -> None:
    address = record(person)
    with httpx.Client(base_url=server, timeout=60) as client:
        answer = client.get(address)
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/login?next={address.replace('/', '%2F')}"
    with signed_in(server, person.email, address) as browser:
        assert "Teach the parser brackets" in browser.see(address)


def test_a_session_is_shown_with_its_facts_calls_and_diffs(browser: Browser, person: Tenant) -> None:
    page = browser.see(record(person))
    for text in ("Brackets in the parser", "feature/brackets", "laptop", "claude-sonnet-4-5", "Now the tests"):
        assert text in page
    assert "<strong>Done</strong> with part 1." in page
    assert '<tr class="add"><td class="no"></td><td class="no">2</td>' in page
    assert 'class="todos"' in page
    assert "src/part1.go" in page
    assert "/home/dev/demo/src/part1.go" not in page


def test_every_exchange_of_a_long_session_is_reached_by_links_alone(browser: Browser, person: Tenant) -> None:
    asked = [f"Question number {number}" for number in range(1, 121)]
    address: str | None = record(person, asked)
    seen: list[str] = []
    while address:
        page = browser.see(address)
        assert len(page) < 250_000
        seen += EXCHANGE.findall(page)
        following = CONTINUE.search(page)
        address = following[1].replace("&amp;", "&") if following else None
    assert seen == [str(number) for number in range(1, 121)]


def test_a_late_exchange_opens_by_its_address(browser: Browser, person: Tenant) -> None:
    address = record(person, [f"Question number {number}" for number in range(1, 121)])
    page = browser.see(f"{address}?from=110")
    assert EXCHANGE.findall(page)[0] == "110"
    assert "Earlier in this session" in page


@pytest.mark.parametrize(
    "query", ["?from=0", "?from=99999", "?from=-1", "?from=x", "?from=2&skip=99999", "?skip=9" * 3]
)
def test_an_address_that_makes_no_sense_still_shows_the_session(query: str, browser: Browser, person: Tenant) -> None:
    assert EXCHANGE.search(browser.see(record(person) + query)) is not None


def test_what_is_folded_has_a_page_of_its_own(browser: Browser, person: Tenant) -> None:
    page = browser.see(record(person))
    folded = ITEM.findall(page)
    assert folded
    assert "line 399" not in page
    whole = browser.see(folded[0])
    assert "line 399" in whole
    assert "Exchange 1" in whole
    part = browser.client.get(folded[0], headers={"HX-Request": "true"})
    assert "<html" not in part.text
    assert "line 399" in part.text


@pytest.mark.parametrize("place", ["0-0", "1-99", "99-0", "x", "1-1-1", "1-٣", "9" * 40])
def test_an_item_that_is_not_there_is_not_found(place: str, browser: Browser, person: Tenant) -> None:
    browser.see(f"{record(person)}/items/{place}", 404)


def test_a_session_of_somebody_else_does_not_exist(browser: Browser, person: Tenant, stranger: Tenant) -> None:
    address = record(stranger)
    for path in ("", "/piece", "/pulse", "/preview", "/items/1-0", "/download?form=raw"):
        browser.see(address + path, 404)
    inside = f"/app/w/{stranger.workspace_id}{address}"
    browser.see(inside, 404)


def test_a_session_in_another_workspace_has_its_address_there(server: str, browser: Browser, person: Tenant) -> None:
    made = person.client.post("/api/v1/workspaces", json={"name": "Second"}).json()
    header = {"X-Workspace-Id": made["id"]}
    body = {"projectName": "p", "name": "n", "markdown": "_**User**_\n\nhello there\n", "rawData": "x"}
    answer = person.client.put(f"/api/v1/projects/{PROJECT}/sessions/{SESSION}", json=body, headers=header)
    assert answer.status_code == 201, answer.text
    page = browser.see(f"/app/w/{made['id']}/sessions")
    address = f"/app/w/{made['id']}/projects/{PROJECT}/sessions/{SESSION}"
    assert f'href="{address}"' in page
    assert "hello there" in browser.see(address)
    browser.see(f"/projects/{PROJECT}/sessions/{SESSION}", 404)


def test_text_that_no_parser_understands_is_shown_as_it_is(browser: Browser, person: Tenant) -> None:
    body = {"projectName": "p", "name": "n", "markdown": "just words <b>bold</b>", "rawData": "x", "sessionData": "{"}
    page = browser.see(put(person, body))
    assert "just words &lt;b&gt;bold&lt;/b&gt;" in page


def test_downloads_are_files_and_leave_out_what_was_asked_to(browser: Browser, person: Tenant) -> None:
    address = record(person)
    forms = {"markdown": b"# Brackets\n", "raw": b'{"raw":1}\n'}
    for form, body in forms.items():
        answer = browser.client.get(f"{address}/download?form={form}")
        assert answer.content == body
        assert answer.headers["content-disposition"].startswith('attachment; filename="2026-03-01_')
    assert b"schemaVersion" in browser.client.get(f"{address}/download?form=data").content
    said = browser.client.get(f"{address}/download?form=markdown&without=thinking&without=tools").text
    assert "Teach the parser brackets" in said
    assert "Perhaps the lexer" not in said
    assert "go test" not in said
    browser.see(f"{address}/download?form=exe", 400)


def test_hostile_text_stays_text_everywhere_it_is_shown(browser: Browser, person: Tenant, sessions_page: str) -> None:
    address = record(person, hostile=HOSTILE)
    folded = ITEM.findall(browser.see(address))
    pages = [address, f"{address}/preview", sessions_page, f"{sessions_page}?q=parser", f"/projects/{PROJECT}"]
    for path in [*pages, *folded, f"/app/w/{person.workspace_id}/projects", "/resume"]:
        page = browser.see(path)
        for danger in ("<script>window", "<img src=x", "<svg onload", 'href="javascript:', "<style>*", "\u202e"):
            assert danger not in page.replace('title="javascript:', ""), (path, danger)


def test_renaming_and_hiding_show_at_once(browser: Browser, person: Tenant) -> None:
    address = record(person)
    page = browser.see(address)
    assert browser.send(f"{address}/title", page, title="A better name").status_code == 303
    page = browser.see(address)
    assert "A better name" in page
    exchange = re.search(rf'action="({re.escape(address)}/exchanges/[^"]+)"', page)
    assert exchange is not None
    done = browser.send(exchange[1], page, title="First step", is_hidden="on", number="1")
    assert done.headers["location"] == f"{address}?from=1#e1"
    page = browser.see(address)
    assert "First step" in page
    assert "hidden from viewers" in page


def test_a_title_that_is_too_long_is_refused_in_words(browser: Browser, person: Tenant) -> None:
    address = record(person)
    done = browser.send(f"{address}/title", browser.see(address), title="x" * 501)
    assert done.status_code == 303
    assert "1 to 500 characters" in browser.see(address)


def test_deleting_needs_the_typed_word(browser: Browser, person: Tenant) -> None:
    address = record(person)
    page = browser.see(address)
    browser.send(f"{address}/delete", page, confirm="yes")
    browser.see(address)
    assert browser.send(f"{address}/delete", page, confirm="delete").status_code == 303
    browser.see(address, 404)


def test_a_form_without_our_token_changes_nothing(browser: Browser, person: Tenant) -> None:
    address = record(person)
    for act in ("title", "share", "delete"):
        refused = browser.client.post(
            f"{address}/{act}", data={"confirm": "delete", "status": "unlisted", "title": "x"}
        )
        assert refused.status_code == 403
    assert "Brackets in the parser" in browser.see(address)


def test_the_pulse_says_nothing_until_the_session_changes(browser: Browser, person: Tenant) -> None:
    address = record(person)
    mark = browser.client.get(f"{address}/pulse").headers["etag"]
    assert browser.client.get(f"{address}/pulse", headers={"If-None-Match": mark}).status_code == 304
    record(person, ("Teach the parser brackets", "Now the tests", "And the docs"))
    changed = browser.client.get(f"{address}/pulse", headers={"If-None-Match": mark})
    assert changed.status_code == 204
    assert changed.headers["etag"] != mark
    grown = browser.see(f"{address}/piece?from=1&live=1")
    assert "And the docs" in grown
    assert 'id="outline"' in grown


def test_many_pages_and_parts_at_once_are_all_answered(browser: Browser, person: Tenant, sessions_page: str) -> None:
    """Fails when a request that holds a connection waits for another: a handful of them then wait for each other."""
    address = record(person)
    part = {"HX-Request": "true"}
    paths = [address, f"{address}/items/1-6", f"{address}/piece?from=1", f"{address}/preview", sessions_page] * 6

    def ask(numbered: tuple[int, str]) -> int:
        number, path = numbered
        if number % 5 == 0:
            record(person, ("Teach the parser brackets", f"Change number {number}"))
        return browser.client.get(path, headers=part if "/items" in path else {}, timeout=20).status_code

    with ThreadPoolExecutor(15) as pool:
        assert set(pool.map(ask, enumerate(paths))) == {200}


def test_the_traces_of_a_session_are_a_part_of_its_page_and_a_list(browser: Browser, person: Tenant) -> None:
    address = record(person)
    part = browser.client.get(f"{address}/traces", headers={"HX-Request": "true"})
    assert "No trace names this session." in part.text
    listed = browser.client.get(f"{address}/traces")
    assert listed.headers["location"] == f"/app/w/{person.workspace_id}/traces?session_id={SESSION}"
    browser.see(listed.headers["location"])
