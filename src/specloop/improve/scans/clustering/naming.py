"""Names clusters without a model: kind phrase plus the terms that set a cluster apart (class-based TF-IDF)."""

import math
import re
from collections import Counter
from collections.abc import Sequence

from specloop.improve.scans.detect import KIND_PHRASES
from specloop.improve.scans.problem import Failure

_WORD = re.compile(r"[^\W\d_]{3,}")
_DOMINANT = 0.6
# Function words that every request contains; TF-IDF alone lets them through in small clusters.
_COMMON_LINES = """
    about all also and any are but can could for from get give had has have help hey her him his how into its just let
    like looking make more need not now one our out please she should some tell than that the their them then there
    these they this those too use using very want was were what when where which who why will with would you your
"""
_COMMON = frozenset(_COMMON_LINES.split())


def top_terms(texts: Sequence[str], others: Sequence[str], count: int = 3) -> tuple[str, ...]:
    """The terms of `texts` with the highest class TF-IDF against `others`; ties in term order."""
    inside, outside = _counts(texts), _counts(others)
    total = sum(inside.values()) + sum(outside.values())

    def weight(term: str) -> float:
        return inside[term] * math.log(1 + total / (inside[term] + outside[term]))

    shared = [term for term, n in inside.items() if n >= min(2, len(texts))]
    return tuple(sorted(shared, key=lambda term: (-weight(term), term))[:count])


def cluster_name(kind: str, terms: Sequence[str], members: Sequence[Failure]) -> str:
    """For example `No tool chosen although one fits · movie · watch → Movies_3_FindMovies`."""
    name = " · ".join((KIND_PHRASES.get(kind, kind), *terms))
    target = dominant([f.expected or f.chosen for f in members])
    return f"{name} → {target}" if target else name


def describe(members: Sequence[Failure], exemplars: Sequence[Failure]) -> str:
    """Two or three sentences made of facts and the nearest examples."""
    shown = "; ".join(f"“{_shorten(f.text)}”{_said(f)}" for f in exemplars)
    return f"{len(members)} failing samples. Nearest to the centre: {shown}"


def _said(failure: Failure) -> str:
    return f" ({_shorten(failure.feedback)})" if failure.feedback else ""


def dominant(values: Sequence[str]) -> str:
    """The value that 60 % or more share, else empty."""
    if not values:
        return ""
    value, count = Counter(values).most_common(1)[0]
    return value if count >= _DOMINANT * len(values) else ""


def _counts(texts: Sequence[str]) -> Counter[str]:
    """In how many texts each term occurs."""
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(set(_WORD.findall(text.lower())) - _COMMON)
    return counts


def _shorten(text: str, limit: int = 100) -> str:
    text = " ".join(text.split())
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
