"""Merging of the FTS5 tables: a deleted word stays in a segment, beside a note that it is gone, until both merge."""

from __future__ import annotations

from sqlalchemy import text

from specloop.db.context import Context

TABLES = ("fts_words", "fts_prefixes")
PAGES_AT_ONCE = 500


async def merge(ctx: Context, table: str, *, is_first: bool) -> bool:
    """Do a bounded part of merging everything into one segment; whether there is more to do.

    The first call takes in all segments there are (https://sqlite.org/fts5.html#the_merge_command).
    """
    before = await _changes(ctx)
    pages = -PAGES_AT_ONCE if is_first else PAGES_AT_ONCE
    await ctx.session.execute(text(f"INSERT INTO {table} ({table}, rank) VALUES ('merge', :pages)"), {"pages": pages})  # noqa: S608  (one of two names)
    return await _changes(ctx) - before >= 2


async def _changes(ctx: Context) -> int:
    return await ctx.session.scalar(text("SELECT total_changes()")) or 0
