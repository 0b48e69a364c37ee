"""A planted word is always found, whatever surrounds it; and what was taken back is not."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from specloop.db.database import Database
from tests.record.search.library import Library

TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=120)
PROBE = st.text(alphabet="bcdfgklmnpqrstvz0123456789", min_size=6, max_size=20)
SEPARATOR = st.sampled_from([" ", "\n", "-", "\t", ". ", "/", "—", "。", "\u200b", "🎉"])


@pytest.fixture
def loop() -> Iterator[asyncio.Runner]:
    """An event loop that lives as long as the store: the property runs many times on one."""
    with asyncio.Runner() as runner:
        yield runner


@given(
    exchanges=st.lists(TEXT, min_size=1, max_size=4), probe=PROBE, places=st.tuples(st.integers(), SEPARATOR, SEPARATOR)
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_planted_probe_is_found_and_gone_after_the_next_upload(
    state_url: str, loop: asyncio.Runner, exchanges: list[str], probe: str, places: tuple[int, str, str]
) -> None:
    at, before, after = places
    planted = list(exchanges)
    chosen = at % len(planted)
    middle = len(planted[chosen]) // 2
    planted[chosen] = planted[chosen][:middle] + before + probe + after + planted[chosen][middle:]
    loop.run(_check(state_url, exchanges, planted, chosen, probe))


async def _check(url: str, exchanges: list[str], planted: list[str], chosen: int, probe: str) -> None:
    database = await Database.open(url)
    try:
        library = Library(database)
        await library.put("other", *exchanges)
        await library.put("planted", *planted)
        for query in (probe, probe[:4], f'"{probe}"', f'"{probe}', probe.upper()):
            assert "planted" in await library.found(query), query
        hits = (await library.search(f'"{probe}"')).hits
        mine = next(hit for hit in hits if hit.session.client_id == "planted")
        assert chosen in [one.order_number for one in mine.exchanges]
        assert f"\u0002{probe}\u0003" in mine.snippet
        assert (await library.check()).is_sound
        await library.put("planted", *exchanges)
        assert "planted" not in await library.found(f'"{probe}"') or any(probe in one for one in exchanges)
        assert (await library.check()).is_sound
    finally:
        await database.close()
