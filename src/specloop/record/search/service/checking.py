"""Compares the index with the exchanges, for `specloop doctor --deep`; it changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from specloop.db.context import Context
from specloop.record.search.query import Term
from specloop.record.search.repository import checking, text_index
from specloop.record.search.words import cut

SAMPLE: Final = 20
SAMPLE_WORDS: Final = 6


@dataclass(frozen=True, slots=True)
class IndexReport:
    """What the comparison found: counts of what is wrong.

    `missing` exchanges are not in the index, `surplus` is there and belongs to none: no search looks at it. `outdated`
    are sessions whose words were cut by rules of another version, `unfindable` sampled exchanges that are in the index
    but are not found by their own words.
    """

    exchanges: int
    unnumbered_sessions: int
    missing: int
    surplus: int
    outdated: int
    unfindable: int

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong."""
        return not (self.unnumbered_sessions or self.missing or self.surplus or self.outdated or self.unfindable)


class IndexCheck:
    """Looks at all workspaces: give it a unit of work that sees them."""

    async def check(self, ctx: Context) -> IndexReport:
        """Compare; changes nothing."""
        expected, indexed = await checking.stored_keys(ctx, text_index(ctx).indexed())
        return IndexReport(
            exchanges=int(expected.size),
            unnumbered_sessions=await checking.unnumbered(ctx),
            missing=int(np.setdiff1d(expected, indexed).size),
            surplus=int(np.setdiff1d(indexed, expected).size),
            outdated=await checking.other_rules(ctx),
            unfindable=await _unfindable(ctx),
        )


async def _unfindable(ctx: Context) -> int:
    lost = 0
    for key, text in await checking.sampled_texts(ctx, SAMPLE):
        words = cut(text)
        if not words:
            continue
        start = len(words) // 2
        term = Term(tuple(words[start : start + SAMPLE_WORDS]), is_prefix=False)
        lost += key not in set((await text_index(ctx).matching(ctx, [term])).tolist())
    return lost
