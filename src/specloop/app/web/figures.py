"""How figures, times and states read on a page: numbers with their unit, ids short, states as a word with a shape.

Pure functions over plain values; they must not know any domain, request or template.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any, Final, Literal

Tone = Literal["good", "warn", "bad", "busy", "idle"]

NARROW_SPACE: Final = "\u202f"
SPACE: Final = "\u00a0"
MINUS: Final = "\u2212"
DASH: Final = "\u2013"

_STATES: Final[dict[str, tuple[Tone, str]]] = {
    **dict.fromkeys(
        ("completed", "accepted", "applied", "passed", "pass", "promoted", "ok", "scored"), ("good", "check")
    ),
    **dict.fromkeys(("failed", "fail", "error", "rejected", "critical", "high", "revoked"), ("bad", "cross")),
    **dict.fromkeys(("inconclusive", "paused", "medium", "degraded", "expired", "rolled_back"), ("warn", "warn")),
    **dict.fromkeys(("running", "validating", "cancelling"), ("busy", "turning")),
    **dict.fromkeys(("proposed", "pending"), ("busy", "ring")),
    **dict.fromkeys(("active", "current"), ("good", "dot")),
}
_WORDS: Final = {"pass": "proved", "fail": "failed the proof", "unset": "ok"}


def tone_of(state: str) -> Tone:
    """The tone in which a state of any state machine is shown; unknown and resting states are `idle`."""
    return _STATES.get(state.lower(), ("idle", "ring"))[0]


def shape_of(state: str) -> str:
    """The icon that carries a state's meaning beside its word."""
    return _STATES.get(state.lower(), ("idle", "ring"))[1]


def words(state: str) -> str:
    """A state or kind as people read it: `rolled_back` → `rolled back`."""
    lowered = state.lower()
    return _WORDS.get(lowered, lowered.replace("_", " ").replace(".", " "))


def count(value: float | None) -> str:
    """A whole number with thin spaces between thousands, `–` for none."""
    return DASH if value is None else f"{int(value):,}".replace(",", NARROW_SPACE)


def percent(share: float | None, places: int = 1) -> str:
    """A share of 0..1 as a percentage."""
    return DASH if share is None else f"{share * 100:.{places}f}{SPACE}%"


def points(delta: float | None, places: int = 1) -> str:
    """A difference of two shares in percentage points, always signed."""
    if delta is None:
        return DASH
    sign = "+" if round(delta * 100, places) > 0 else MINUS if round(delta * 100, places) < 0 else "±"
    return f"{sign}{abs(delta * 100):.{places}f}{SPACE}pts"


def probability(value: float | None) -> str:
    """A p-value: three digits where they say something, else a power of ten."""
    if value is None:
        return DASH
    if value >= 0.001:
        return f"{value:.3f}"
    if value < 1e-300:
        return "<1e-300"
    exponent = math.floor(math.log10(value))
    return f"{value / 10**exponent:.1f}e{exponent}"


def number(value: Any) -> str:
    """Any measured value as short text: floats to four significant digits, the rest as they are."""
    if value is None:
        return DASH
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        if abs(value) > 0 and (abs(value) < 1e-3 or abs(value) >= 1e6):
            return probability(value) if 0 < value < 1e-3 else f"{value:.3g}"
        return f"{value:.4g}".replace("-", MINUS)
    return count(value) if isinstance(value, int) else str(value)


def money(micro_usd: int | None) -> str:
    """Micro-dollars as dollars and cents; the exact amount belongs into the title."""
    if micro_usd is None:
        return DASH
    return f"${micro_usd / 1_000_000:.2f}" if micro_usd == 0 or micro_usd >= 10_000 else "<$0.01"


def duration(milliseconds: float | None) -> str:
    """A length of time in the unit that suits it."""
    if milliseconds is None:
        return DASH
    if milliseconds < 1:
        return f"{milliseconds * 1000:.0f}{SPACE}µs"
    if milliseconds < 1000:
        return f"{milliseconds:.3g}{SPACE}ms" if milliseconds < 100 else f"{milliseconds:.0f}{SPACE}ms"
    seconds = milliseconds / 1000
    if seconds < 60:
        return f"{seconds:.1f}{SPACE}s"
    minutes, rest = divmod(int(seconds), 60)
    return (
        f"{minutes}{SPACE}min {rest:02d}{SPACE}s"
        if minutes < 60
        else f"{minutes // 60}{SPACE}h {minutes % 60:02d}{SPACE}min"
    )


def as_time(value: datetime | str | None) -> datetime | None:
    """A time from a record or from its wire form (RFC 3339); None stays None."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    return value if value is None or value.tzinfo else value.replace(tzinfo=UTC)


def ago(moment: datetime, now: datetime) -> str:
    """`3 min ago`, `in 2 h`, `12 Mar 2026`: relative within a month, the date beyond."""
    seconds = (now - moment).total_seconds()
    size = abs(seconds)
    if size < 45:
        return "just now" if seconds >= 0 else "in a moment"
    for limit, unit, name in ((3600, 60, "min"), (86400, 3600, "h"), (30 * 86400, 86400, "d")):
        if size < limit:
            amount = max(1, round(size / unit))
            return f"{amount}{SPACE}{name} ago" if seconds >= 0 else f"in {amount}{SPACE}{name}"
    return f"{moment.day} {moment:%b %Y}"


def exact(moment: datetime) -> str:
    """The full time for a hover title."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def short_id(identifier: str) -> str:
    """The tail of an id: version-7 UUIDs of the same minute share their head."""
    return identifier[-8:] if len(identifier) > 12 else identifier


def initials(name: str) -> str:
    """One or two letters for a tile; `?` when the name holds none."""
    letters = [word[0] for word in name.replace("@", " ").split() if word[0].isalnum()]
    return "".join(letters[:2]) or "?"
