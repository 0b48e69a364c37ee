"""What an upload leaves behind: exact bytes, stable exchanges, told observers, nothing half (specstory.md §7.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, update

from specloop.db.context import Context
from specloop.db.database import Database
from specloop.record.sessions import (
    DocumentCorrupt,
    DocumentKind,
    Exchange,
    ExchangeChange,
    Session,
    SessionEditor,
    SessionReader,
    SessionRemoval,
    SessionUploads,
    StoredExchange,
    Upload,
)
from specloop.record.sessions.compression import pack, unpack
from specloop.record.sessions.tables import DocumentRow, ExchangeRow, SessionRow, UsageRow, ValueRow
from tests.record.sessions.conftest import Recorder, upload_of
from tests.record.specstory.samples import make_session, session_data

ANYTHING = b"\xff\xfe\x00 not utf-8 \x80 \r\n"


@dataclass
class Diary:
    """An observer that remembers; it may be told to fail."""

    stored_texts: dict[str, str] = field(default_factory=dict[str, str])
    changed: list[list[int]] = field(default_factory=list[list[int]])
    deleted_ids: list[str] = field(default_factory=list[str])
    is_failing: bool = False

    async def stored(
        self, ctx: Context, session: Session, exchanges: Sequence[StoredExchange], removed_ids: Sequence[str]
    ) -> None:
        """Remember what is there now."""
        assert ctx.workspace_id == session.workspace_id
        if self.is_failing:
            raise RuntimeError("the observer failed")
        self.changed.append([one.order_number for one in exchanges if one.is_changed])
        for gone in removed_ids:
            del self.stored_texts[gone]
        self.stored_texts.update({one.id: one.text for one in exchanges if one.is_changed})

    async def deleted(self, ctx: Context, session_ids: Sequence[str]) -> None:
        """Remember what goes."""
        rows = select(func.count()).select_from(SessionRow).where(SessionRow.id.in_(session_ids))
        assert await ctx.session.scalar(rows) == len(session_ids)
        self.deleted_ids += session_ids


async def exchanges_of(recorder: Recorder, session: Session) -> list[Exchange]:
    """The exchanges as they are stored."""
    async with recorder.reading() as ctx:
        return await recorder.get(SessionReader).exchanges(ctx, session.id)


async def test_any_bytes_come_back_as_they_came(recorder: Recorder) -> None:
    upload = Upload("p", "n", ANYTHING, ANYTHING + b"raw", ANYTHING + b"data", {"title": "t"})
    async with recorder.writing() as ctx:
        stored = await recorder.get(SessionUploads).put(ctx, "p", "s", upload)
        reader = recorder.get(SessionReader)
        assert await reader.document(ctx, stored.session, DocumentKind.MARKDOWN) == ANYTHING
        assert await reader.document(ctx, stored.session, DocumentKind.RAW) == ANYTHING + b"raw"
        assert await reader.document(ctx, stored.session, DocumentKind.SESSION_DATA) == ANYTHING + b"data"
    assert not stored.session.is_parsed
    assert stored.session.parse_problem


async def test_document_that_was_damaged_is_never_served(recorder: Recorder) -> None:
    session = (await recorder.put(make_session(1))).session
    for body in (pack(b"something else"), b"no zstandard"):
        async with recorder.writing() as ctx:
            await ctx.session.execute(update(DocumentRow).values(body=body))
        async with recorder.reading() as ctx:
            with pytest.raises(DocumentCorrupt):
                await recorder.get(SessionReader).document(ctx, session, DocumentKind.MARKDOWN)


async def test_the_same_upload_again_repairs_what_was_damaged(recorder: Recorder) -> None:
    sent = make_session(1)
    session = (await recorder.put(sent)).session
    async with recorder.writing() as ctx:
        await ctx.session.execute(update(DocumentRow).values(body=pack(b"something else")))
    assert (await recorder.put(sent)).session == session
    async with recorder.reading() as ctx:
        for kind in DocumentKind:
            assert await recorder.get(SessionReader).document(ctx, session, kind) is not None


async def test_observers_hear_of_all_exchanges_and_which_changed(database: Database) -> None:
    diary = Diary()
    recorder = Recorder(database, (diary,))
    session = make_session(2, 3)
    first = (await recorder.put(session)).session
    longer = replace(session, session_data=make_session(2, 5, session_id=session.session_id).session_data)
    await recorder.put(longer)
    await recorder.put(longer)  # nothing new, so nobody is told
    assert [len(one) for one in diary.changed] == [3, 2]
    assert diary.stored_texts == {one.id: one.text for one in await exchanges_of(recorder, first)}


async def test_failing_observer_undoes_the_upload(database: Database) -> None:
    diary = Diary(is_failing=True)
    recorder = Recorder(database, (diary,))
    with pytest.raises(RuntimeError):
        await recorder.put(make_session(3))
    async with recorder.reading() as ctx:
        assert await recorder.get(SessionReader).count(ctx) == 0
        assert await ctx.session.scalar(select(func.count()).select_from(DocumentRow)) == 0


async def test_deletion_leaves_no_row_and_is_told_before(database: Database) -> None:
    diary = Diary()
    recorder = Recorder(database, (diary,))
    session = (await recorder.put(make_session(4))).session
    async with recorder.writing() as ctx:
        await recorder.get(SessionRemoval).delete_project(ctx, "widgets")
    assert diary.deleted_ids == [session.id]
    async with recorder.reading() as ctx:
        for table in (SessionRow, DocumentRow, ExchangeRow, ValueRow, UsageRow):
            assert await ctx.session.scalar(select(func.count()).select_from(table)) == 0, table.__tablename__


async def test_edits_of_exchanges_follow_their_keys_when_exchanges_are_inserted_before(recorder: Recorder) -> None:
    session = make_session(5, 2)
    stored = (await recorder.put(session)).session
    first, second = await exchanges_of(recorder, stored)
    async with recorder.writing() as ctx:
        change = ExchangeChange(user_title="Mine", is_hidden=True)
        await recorder.get(SessionEditor).change_exchange(ctx, stored, second.id, change)
    shifted = session.session_data.replace(
        '"exchanges": [', '"exchanges": [{"exchangeId": "new", "messages": [' + _user_message("brand new") + "]},", 1
    )
    await recorder.put(replace(session, session_data=shifted))
    new, again_first, again_second = await exchanges_of(recorder, stored)
    assert (again_first.id, again_second.id) == (first.id, second.id)
    assert (again_second.user_title, again_second.is_hidden, again_second.order_number) == ("Mine", True, 2)
    assert (new.text, new.is_hidden, new.user_title) == ("brand new", False, None)


async def test_edits_follow_the_number_where_there_are_no_keys(recorder: Recorder) -> None:
    bare = replace(make_session(6, 3), session_data="")
    stored = (await recorder.put(bare)).session
    before = await exchanges_of(recorder, stored)
    async with recorder.writing() as ctx:
        await recorder.get(SessionEditor).change_exchange(ctx, stored, before[1].id, ExchangeChange("Mine"))
    await recorder.put(replace(bare, markdown=bare.markdown + "\nand more words at the end\n"))
    after = await exchanges_of(recorder, stored)
    assert [one.id for one in after] == [one.id for one in before]
    assert [one.user_title for one in after] == [None, "Mine", None]


async def test_tokens_survive_an_upload_that_tells_none(recorder: Recorder) -> None:
    session = make_session(7)
    before = (await recorder.put(session)).session
    after = (await recorder.put(replace(session, session_data="", markdown=session.markdown + "more\n"))).session
    assert after.figures.input_tokens == before.figures.input_tokens > 0
    assert after.data_size == before.data_size
    assert after.markdown_size == before.markdown_size + 5


async def test_text_beyond_every_index_is_stored(recorder: Recorder) -> None:
    tags = ["é" * 5_000, "\x00", "", 7]
    session = (await recorder.put(make_session(8), tags=tags, machineName="🙂" * 3_000)).session
    assert session.tags[0] == "é" * 5_000


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(st.integers(0, 6), max_size=5, unique=True), min_size=1, max_size=4))
async def test_any_series_of_uploads_ends_as_the_last_alone(database: Database, series: list[list[int]]) -> None:
    diary = Diary()
    recorder = Recorder(database, (diary,))
    uploaded = make_session(9)
    stored = await recorder.put(uploaded)
    for turns in series:
        data = session_data("native", [(f"prompt {one}", f"answer {one}") for one in turns])
        for number, one in enumerate(turns):
            data = data.replace(f'"native:{number}"', f'"native:k{one}"')
        stored = await recorder.put(replace(uploaded, session_data=data))
    kept = await exchanges_of(recorder, stored.session)
    # without exchanges in the session data the markdown tells them
    expected = [f"k{one}" for one in series[-1]] or [None, None]
    assert [one.key and one.key.removeprefix("native:") for one in kept] == expected
    assert [one.order_number for one in kept] == list(range(len(kept)))
    assert diary.stored_texts == {one.id: one.text for one in kept}
    assert stored.session.figures.exchange_count == len(kept)


@given(st.binary(max_size=2_000))
def test_packing_and_unpacking_is_the_identity(data: bytes) -> None:
    assert unpack(pack(data)) == data


def _user_message(text: str) -> str:
    return '{"role": "user", "content": [{"type": "text", "text": "' + text + '"}]}'


async def test_same_upload_of_two_people_is_two_sessions(database: Database) -> None:
    session = make_session(10)
    first, second = Recorder(database), Recorder(database)
    mine, theirs = (await first.put(session)).session, (await second.put(session)).session
    assert mine.id != theirs.id
    assert mine.etag != theirs.etag
    assert upload_of(session) == upload_of(session)
