"""Many uploads at once, and a server that is killed in the middle of one (specstory.md §1.2, §9 item 16)."""

from __future__ import annotations

import asyncio
import random
import secrets
import signal
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from subprocess import Popen

import httpx
import pytest

from tests.engines import ENGINES, PostgresServer
from tests.interaction.tenant import register
from tests.record.specstory.cli_emulator import CLI, LocalSession, SyncResult
from tests.record.specstory.samples import make_session
from tests.record.specstory.sync.conftest import ROOMY, sign_in
from tests.server import free_port, spawn, stop, wait_until_ready

KILLS = 3
SESSION_DATA = "application/vnd.specstory.session-data+json"


async def test_ten_uploads_of_one_new_session_create_it_once(cli: CLI) -> None:
    for seed in range(3):
        session = replace(make_session(80 + seed), session_id=f"same-{seed}")
        cli.project_id = f"new-project-{seed}"
        answers = await asyncio.gather(*(cli.put(replace(session, markdown=f"# {number}\n")) for number in range(10)))
        assert sorted(answer.status_code for answer in answers) == [200] * 9 + [201]
        detail = (await cli.ask("GET", cli.path(session))).json()["data"]["session"]
        assert detail["markdownContent"] in {f"# {number}\n" for number in range(10)}
        assert detail["exchangeCount"] == len(detail["exchanges"]) == 2


async def test_ten_uploads_of_different_sessions_of_a_new_project_make_one_project(cli: CLI) -> None:
    sessions = [make_session(seed) for seed in range(90, 100)]
    assert await cli.sync(sessions) == SyncResult(created=10)
    assert (await cli.ask("GET", "/api/v1/projects")).json()["data"]["total"] == 1


async def test_uploads_while_the_session_and_its_project_are_deleted_never_fail(cli: CLI) -> None:
    session = make_session(101)
    await cli.put(session)

    async def delete(path: str) -> int:
        return (await cli.ask("DELETE", path)).status_code

    for path in (cli.path(session), f"/api/v1/projects/{cli.project_id}") * 4:
        puts = [cli.put(replace(session, markdown=f"# {number}\n")) for number in range(6)]
        answers, deleted = await asyncio.gather(asyncio.gather(*puts), delete(path))
        assert {answer.status_code for answer in answers} <= {200, 201}
        assert deleted in {200, 404}


async def test_uploads_while_projects_are_merged_never_fail(cli: CLI) -> None:
    sessions = [make_session(seed) for seed in range(110, 114)]
    for project in ("target", "source"):
        cli.project_id = project
        await cli.sync(sessions)
    merging = cli.ask("POST", "/api/v1/projects/source/merge", body={"into": "target"})
    puts = [cli.put(replace(one, markdown=one.markdown + "more")) for one in sessions]
    answers, merged = await asyncio.gather(asyncio.gather(*puts), merging)
    assert merged.status_code == 200
    assert {answer.status_code for answer in answers} <= {200, 201}
    assert (await cli.ask("GET", "/api/v1/projects")).json()["data"]["total"] == 1


@dataclass
class Mortal:
    """A server that can be killed and started again on what it had stored."""

    data: Path
    arguments: tuple[str, ...]
    port: int
    process: Popen[bytes]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def kill(self) -> None:
        """End it without warning."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def start(self) -> None:
        """Start it again."""
        self.process = spawn(self.data, self.port, *self.arguments, **ROOMY)
        wait_until_ready(self.url, self.process)


@pytest.fixture(params=ENGINES)
def mortal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Mortal]:
    """A server of its own, because it will die."""
    arguments: tuple[str, ...] = ()
    if request.param == "postgresql":
        postgres: PostgresServer = request.getfixturevalue("postgres_server")
        arguments = ("--state-url", postgres.url(postgres.create_database()))
    port = free_port()
    one = Mortal(tmp_path, arguments, port, spawn(tmp_path, port, *arguments, **ROOMY))
    try:
        wait_until_ready(one.url, one.process)
        yield one
    finally:
        stop(one.process)


async def test_kill_during_uploads_leaves_each_session_old_or_new_and_never_half(mortal: Mortal) -> None:
    rng = random.Random(7)
    sessions = [make_session(seed, 40, words=60) for seed in range(120, 124)]
    with register(mortal.url, f"{secrets.token_hex(8)}@test.com") as person:
        async with CLI(mortal.url) as cli:
            await sign_in(cli, person)
            assert await cli.sync([version(one, 0) for one in sessions]) == SyncResult(created=4)
            acknowledged = {one.session_id: 0 for one in sessions}
            for round_number in range(1, KILLS + 1):
                newest = await _upload_until_killed(cli, mortal, sessions, round_number * 1_000, rng, acknowledged)
                mortal.start()
                for one in sessions:
                    acknowledged[one.session_id] = await _check_whole(cli, one, acknowledged, newest)


def version(session: LocalSession, number: int) -> LocalSession:
    """The session with a number in every document, and as many exchanges as the number says."""
    other = make_session(number, 1 + number % 7, session_id=session.session_id)
    return replace(
        other,
        markdown=f"{other.markdown}<!-- {number} -->",
        raw=f"{other.raw}{number}",
        session_data=other.session_data + " " * (number % 50),
    )


async def _upload_until_killed(
    cli: CLI, mortal: Mortal, sessions: list[LocalSession], first: int, rng: random.Random, acknowledged: dict[str, int]
) -> int:
    """Upload ever newer versions until the server is killed; returns the newest that was ever sent."""
    newest = first

    async def work(session: LocalSession) -> None:
        nonlocal newest
        number = first
        while True:
            number += 1
            newest = max(newest, number)
            try:
                answer = await cli.put(version(session, number))
            except httpx.HTTPError:
                return
            assert answer.status_code == 200, answer.text
            acknowledged[session.session_id] = number

    working = [asyncio.create_task(work(one)) for one in sessions]
    wanted = first + rng.randint(2, 8)
    async with asyncio.timeout(120):
        while max(acknowledged.values()) < wanted:  # the moment is chosen by what was done, not by a clock
            await asyncio.wait(working, timeout=0.01, return_when=asyncio.FIRST_COMPLETED)
    mortal.kill()
    await asyncio.gather(*working)
    return newest


async def _check_whole(cli: CLI, session: LocalSession, acknowledged: dict[str, int], newest: int) -> int:
    """Every document and everything derived is of one and the same version, not older than the acknowledged one."""
    markdown = (await cli.ask("GET", cli.path(session), Accept="text/markdown")).text
    number = int(markdown.rpartition("<!-- ")[2].removesuffix(" -->"))
    assert acknowledged[session.session_id] <= number <= newest
    expected = version(session, number)
    assert markdown == expected.markdown
    assert (await cli.ask("GET", f"{cli.path(session)}/raw")).text == expected.raw
    assert (await cli.ask("GET", cli.path(session), Accept=SESSION_DATA)).text == expected.session_data
    detail = (await cli.ask("GET", cli.path(session))).json()["data"]["session"]
    assert len(detail["exchanges"]) == detail["exchangeCount"] == 1 + number % 7
    return number
