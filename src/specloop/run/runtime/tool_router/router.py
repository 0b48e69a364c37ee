"""The embedded tool-router: picks one of the offered tools by word overlap, or none (spectral.md §2.6.1).

It needs no model and no network. What it learns lives in four parts of `params`: `weights`, `threshold` and `margin`,
`hints` (words that speak for a tool) and `reject` (words that speak for calling nothing).
"""

import re
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from specloop.run.runtime.runtime import Component, ComponentType, JsonObject, Output
from specloop.run.runtime.tool_router.features import FEATURES, Prepared, prepare, request_text
from specloop.run.runtime.tool_router.text import words_of

_CACHE_LIMIT = 16_384
_WORD_POINTER = re.compile(r"/params/(?:hints/.*:|reject/)(?P<word>[^:]*)")

_WORDS: ComponentType = "map<text,number>"

COMPONENTS = (
    Component("weights", "/params/weights", _WORDS, role="weights", maximum=5.0, step=0.25),
    Component("threshold", "/params/threshold", "number", role="abstain_threshold", maximum=5.0, step=0.05),
    Component("margin", "/params/margin", "number", role="abstain_margin", maximum=1.0, step=0.02),
    Component("hints", "/params/hints", _WORDS, role="hints", maximum=2.0, step=0.1),
    Component("reject", "/params/reject", _WORDS, role="reject", minimum=-2.0, maximum=2.0, step=0.1),
)


def hint_key(tool: str, word: str) -> str:
    """The key of one hint in `params.hints`. Words hold no colon, so the last one separates."""
    return f"{tool}:{word}"


@dataclass(frozen=True, slots=True)
class _Compiled:
    weights: tuple[float, ...]
    threshold: float
    margin: float
    hints: Mapping[str, Mapping[str, float]]
    reject: Mapping[str, float]
    disabled: frozenset[str]


def _compile(config: JsonObject) -> _Compiled:
    params: JsonObject = config.get("params") or {}
    weights: Mapping[str, float] = params.get("weights") or {}
    hints: dict[str, dict[str, float]] = {}
    flat: Mapping[str, float] = params.get("hints") or {}
    for key, value in flat.items():
        tool, _, word = key.rpartition(":")
        hints.setdefault(tool, {})[word] = value
    return _Compiled(
        weights=tuple(float(weights.get(name, 1.0)) for name in FEATURES),
        threshold=float(params.get("threshold", 1.0)),
        margin=float(params.get("margin", 0.0)),
        hints=hints,
        reject=params.get("reject") or {},
        disabled=_disabled(config),
    )


def _disabled(config: JsonObject) -> frozenset[str]:
    return frozenset(tool["name"] for tool in config.get("tools") or () if tool.get("enabled") is False)


class ToolRouter:
    """The runtime itself. It keeps the features of recent inputs, found again by object identity."""

    kind = "tool-router"
    deterministic = True

    def __init__(self) -> None:
        self._cache: OrderedDict[tuple[int, int], tuple[object, object, Prepared]] = OrderedDict()

    def components(self, config: JsonObject) -> tuple[Component, ...]:
        """The five declared components; they do not depend on the config."""
        del config
        return COMPONENTS

    def terms(self, value: JsonObject) -> frozenset[str]:
        """Normalised words of the request."""
        return words_of(request_text(value))

    def features(self, config: JsonObject, value: JsonObject) -> Mapping[str, Mapping[str, float]]:
        """Overlap of the request with each offered tool that is not disabled, by tool and weight name."""
        prepared = self._of_request(config, value)
        disabled = _disabled(config)
        rows = zip(prepared.names, prepared.features.tolist(), strict=True)
        return {name: dict(zip(FEATURES, row, strict=True)) for name, row in rows if name not in disabled}

    def affected(self, pointers: Sequence[str], values: Sequence[JsonObject]) -> list[bool]:
        """A hint or reject word reaches only the requests that hold the word; anything else reaches all."""
        words: set[str] = set()
        for pointer in pointers:
            match = _WORD_POINTER.fullmatch(pointer)
            if match is None:
                return [True] * len(values)
            words.add(match["word"])
        return [not words.isdisjoint(self._prepared((), value).terms) for value in values]

    def run(self, config: JsonObject, value: JsonObject) -> Output:
        """Pick a tool for one request: `value` is `{"tool": name or None}`."""
        return self.run_batch(config, (value,))[0]

    def run_batch(self, config: JsonObject, values: Sequence[JsonObject]) -> list[Output]:
        """Pick a tool for each request with one matrix product."""
        if not values:
            return []
        compiled = _compile(config)
        prepared = [self._of_request(config, value) for value in values]
        scores = _base_scores(np.concatenate([p.features for p in prepared]), compiled.weights)
        outputs: list[Output] = []
        start = 0
        for one in prepared:
            end = start + len(one.names)
            outputs.append(_decide(compiled, one, scores[start:end]))
            start = end
        return outputs

    def _of_request(self, config: JsonObject, value: JsonObject) -> Prepared:
        return self._prepared(() if value.get("tools") else config.get("tools") or (), value)

    def _prepared(self, catalogue: Sequence[Mapping[str, Any]], value: JsonObject) -> Prepared:
        # Both objects are kept in the entry, so their ids cannot be given to others while the entry lives.
        key = (id(catalogue), id(value))
        entry = self._cache.get(key)
        if entry is None:
            entry = (catalogue, value, prepare(value, catalogue))
            self._cache[key] = entry
            if len(self._cache) > _CACHE_LIMIT:
                self._cache.popitem(last=False)
        return entry[2]


def _base_scores(features: NDArray[np.float64], weights: Sequence[float]) -> list[float]:
    """Weighted sum per row. Not a BLAS product: that may round by batch shape, and a score must not depend on it."""
    total = features[:, 0] * weights[0]
    for column in range(1, len(weights)):
        total = total + features[:, column] * weights[column]
    return total.tolist()


def _decide(compiled: _Compiled, request: Prepared, scores: list[float]) -> Output:
    """Best tool if it clears the threshold and leads by the margin, else none; ties go to the first offered."""
    terms = request.terms
    penalty = sum(compiled.reject[word] for word in sorted(terms & compiled.reject.keys())) if compiled.reject else 0.0
    best, second, top = float("-inf"), float("-inf"), None
    for name, base in zip(request.names, scores, strict=True):
        if name in compiled.disabled:
            continue
        score = base - penalty
        hints = compiled.hints.get(name)
        if hints is not None:
            score += sum(hints[word] for word in sorted(terms & hints.keys()))
        if score > best:
            best, second, top = score, best, name
        elif score > second:
            second = score
    if top is None:
        return Output({"tool": None}, {"top": None, "score": 0.0, "lead": 0.0})
    called = best >= compiled.threshold and best - second >= compiled.margin
    lead = min(best - second, 1e9)
    return Output({"tool": top if called else None}, {"top": top, "score": best, "lead": lead})


RUNTIME = ToolRouter()
