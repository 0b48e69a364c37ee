"""Projects through the front door: the list, the overview, settings, merging and deleting."""

from __future__ import annotations

import uuid

from tests.interaction.browsing import Browser
from tests.interaction.tenant import Tenant
from tests.record.pages.recordings import PROJECT, record

OTHER = "1111-2222-3333-4444"


def test_a_project_shows_what_happened_in_it(browser: Browser, person: Tenant) -> None:
    address = record(person)
    page = browser.see(f"/projects/{PROJECT}")
    for text in (
        "demo",
        "Claude Code",
        "claude-sonnet-4-5",
        "feature/brackets",
        "Bash",
        address,
        "2026-03-01: 1 session",
    ):
        assert text in page
    assert f"/projects/{PROJECT}" in browser.see(f"/app/w/{person.workspace_id}/projects")


def test_no_projects_are_explained(browser: Browser, person: Tenant) -> None:
    assert "specloop sessions import" in browser.see(f"/app/w/{person.workspace_id}/projects")


def test_name_icon_and_colour_are_changed_and_checked(browser: Browser, person: Tenant) -> None:
    record(person)
    address = f"/projects/{PROJECT}"
    browser.send(f"{address}/settings", browser.see(address), name="Parser", icon="Rocket", color="rose")
    page = browser.see(address)
    assert "Parser" in page
    assert 'value="Rocket" aria-label="Rocket" checked' in page
    browser.send(f"{address}/settings", page, name="Parser", icon="Skull", color="rose")
    assert "Invalid value for icon" in browser.see(address)


def test_a_merged_project_lives_on_under_both_addresses(browser: Browser, person: Tenant) -> None:
    record(person)
    record(person, project=OTHER, session=str(uuid.uuid4()))
    page = browser.see(f"/projects/{PROJECT}")
    done = browser.send(f"/projects/{PROJECT}/merge", page, into=OTHER)
    assert done.headers["location"] == f"/projects/{OTHER}"
    assert PROJECT in browser.see(f"/projects/{OTHER}")
    browser.see(f"/projects/{PROJECT}")


def test_deleting_a_project_needs_its_name(browser: Browser, person: Tenant) -> None:
    address = record(person)
    page = browser.see(f"/projects/{PROJECT}")
    browser.send(f"/projects/{PROJECT}/delete", page, confirm="no")
    browser.see(address)
    browser.send(f"/projects/{PROJECT}/delete", page, confirm="demo")
    browser.see(address, 404)
    browser.see(f"/projects/{PROJECT}", 404)


def test_a_project_of_somebody_else_does_not_exist(browser: Browser, person: Tenant, stranger: Tenant) -> None:
    record(stranger)
    browser.see(f"/projects/{PROJECT}", 404)
    record(person, project=OTHER)
    page = browser.see(f"/projects/{OTHER}")
    for act in ("settings", "merge", "delete"):
        assert browser.send(f"/projects/{PROJECT}/{act}", page, name="x", confirm="demo").status_code == 404


def test_a_project_with_an_odd_id_has_a_page_all_the_same(browser: Browser, person: Tenant) -> None:
    record(person, project="demo%20one%3F%23%25")
    page = browser.see(f"/app/w/{person.workspace_id}/projects")
    address = page.split('data-row href="')[1].split('"')[0]
    assert "demo" in browser.see(address)
