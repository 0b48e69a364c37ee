"""Turns one request with its offered tools into a small feature matrix that no config can change.

Rare words count more: a word's weight is its inverse frequency among the tools offered in that very request.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from specloop.run.runtime.tool_router.text import words_of

FEATURES = ("name", "description", "param", "enum")


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request ready for scoring: its words, the offered tools' names, and `features` of shape (tools, 4)."""

    terms: frozenset[str]
    names: tuple[str, ...]
    features: NDArray[np.float64]


def request_text(value: Mapping[str, Any]) -> str:
    """The user's words in an input: `request` as text, or the user turns of `messages`."""
    request = value.get("request")
    if isinstance(request, str):
        return request
    messages: Sequence[Mapping[str, Any]] = value.get("messages") or ()
    return " ".join(str(m.get("content", "")) for m in messages if m.get("role") == "user")


def prepare(value: Mapping[str, Any], catalogue: Sequence[Mapping[str, Any]]) -> Prepared:
    """Compute the features of one input. Tools named in the input win over the agent's own `catalogue`."""
    offered: Sequence[Mapping[str, Any]] = value.get("tools") or catalogue
    terms = words_of(request_text(value))
    parts = [_tool_words(tool) for tool in offered]
    weights = _rarity(parts)
    total = sum(weights.get(word, 1.0) for word in terms) or 1.0
    rows = [_tool_features(terms, words, weights, total) for words in parts]
    return Prepared(
        terms=terms,
        names=tuple(str(tool.get("name", "")) for tool in offered),
        features=np.array(rows, dtype=np.float64).reshape(len(rows), len(FEATURES)),
    )


def _tool_words(tool: Mapping[str, Any]) -> tuple[frozenset[str], ...]:
    described: list[str] = []
    listed: list[str] = []
    for name, schema in _parameters(tool.get("parameters") or {}):
        described += [name, str(schema.get("description", ""))]
        listed += [str(item) for item in _enum(schema)]
    return (
        words_of(str(tool.get("name", ""))),
        words_of(str(tool.get("description", ""))),
        words_of(" ".join(described)),
        words_of(" ".join(listed)),
    )


def _parameters(schema: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every parameter of a JSON schema with its own schema, nested objects included."""
    properties: Mapping[str, Mapping[str, Any]] = schema.get("properties") or {}
    for name, inner in properties.items():
        yield name, inner
        yield from _parameters(inner)


def _enum(schema: Mapping[str, Any]) -> Iterable[Any]:
    items: Mapping[str, Any] = schema.get("items") or {}
    return [*(schema.get("enum") or ()), *(items.get("enum") or ())]


def _rarity(parts: Sequence[tuple[frozenset[str], ...]]) -> dict[str, float]:
    counts: Counter[str] = Counter()
    for words in parts:
        counts.update(frozenset[str]().union(*words))
    return {word: math.log(1 + len(parts) / count) for word, count in counts.items()}


def _tool_features(
    terms: frozenset[str], words: tuple[frozenset[str], ...], weights: Mapping[str, float], total: float
) -> list[float]:
    """Share of the tool's name that was said, then the share of the request that each other part explains."""
    name_total = sum(weights[word] for word in words[0]) or 1.0
    totals = (name_total, total, total, total)
    return [
        sum(weights[word] for word in sorted(terms & part)) / whole for part, whole in zip(words, totals, strict=True)
    ]
