"""Sheets: rows of figures with typed columns, as a page draws them and as a CSV file holds them."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

Kind = Literal["text", "day", "count", "money", "duration", "share"]
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Column:
    """A column: its key in the CSV file, its heading, what it holds. `is_bar`: drawn as a bar beside the figure.

    Money is micro-dollars, durations are milliseconds, shares lie in 0..1.
    """

    key: str
    heading: str
    kind: Kind = "count"
    is_bar: bool = False


@dataclass(frozen=True)
class Sheet:
    """Rows under columns; each row has one value per column, None where nothing is known."""

    key: str
    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]]
    note: str = ""
    empty: str = "Nothing in this period."

    @property
    def maxima(self) -> list[float]:
        """The largest value of each column that is drawn as a bar; 0 for the others."""
        return [
            max((float(row[place]) for row in self.rows if row[place] is not None), default=0.0) if one.is_bar else 0.0
            for place, one in enumerate(self.columns)
        ]

    def column(self, key: str) -> list[tuple[str, float | None]]:
        """(first column, value) of every row, for a chart."""
        place = next(n for n, one in enumerate(self.columns) if one.key == key)
        return [(str(row[0]), row[place]) for row in self.rows]


def as_csv(sheet: Sheet) -> bytes:
    """The sheet as RFC 4180 text, money in dollars. Texts that a spreadsheet would run get an apostrophe in front."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow([one.key for one in sheet.columns])
    for row in sheet.rows:
        writer.writerow([_cell(value, one.kind) for value, one in zip(row, sheet.columns, strict=True)])
    return file.getvalue().encode()


def _cell(value: Any, kind: Kind) -> Any:
    if value is None:
        return ""
    if kind == "text":
        text = str(value)
        return f"'{text}" if text.startswith(_FORMULA) else text
    return f"{value / 1_000_000:.6f}" if kind == "money" else value
