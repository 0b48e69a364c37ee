"""Splits a sample set into train, val and holdout so that nothing leaks between them (spectral.md §2.1).

The split of a sample depends on its group (or content) and the set's salt alone, so adding samples moves no other one,
except that near-duplicates are always kept together.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from specloop.kit.json import canonical, canonical_hash

Split = Literal["train", "val", "holdout"]
SPLITS: tuple[Split, ...] = ("train", "val", "holdout")

NEAR_DUPLICATE = 0.9
_LARGE_SET = 300
_SHINGLE = 3
# 16 bands of 8 rows: a pair at similarity 0.9 shares a band with probability 0.9999; exact similarity then decides.
_BANDS, _ROWS = 16, 8
_PRIME = np.uint64((1 << 31) - 1)


@dataclass(frozen=True, slots=True)
class Splittable:
    """What splitting needs of a sample. `text` is compared for near-duplicates; equal `group_key` stays together."""

    id: str
    content_hash: str
    text: str
    group_key: str | None = None


@dataclass(frozen=True, slots=True)
class LeakageReport:
    """What was found and forced. `forced` samples follow their near-duplicates instead of their own hash."""

    n: int
    counts: Mapping[Split, int]
    exact_duplicates: int
    near_duplicate_groups: int
    forced: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SplitResult:
    """The split and the effective group of every sample by id, and the report that is stored with the set."""

    splits: Mapping[str, Split]
    groups: Mapping[str, str]
    report: LeakageReport


def default_ratios(n: int) -> tuple[float, float, float]:
    """Train, val, holdout: 50/20/30 from 300 samples on, 40/20/40 below."""
    return (0.5, 0.2, 0.3) if n >= _LARGE_SET else (0.4, 0.2, 0.4)


def splittable(sample_id: str, value: Mapping[str, Any], group_key: str | None = None) -> Splittable:
    """Describe a sample's input for splitting."""
    return Splittable(sample_id, canonical_hash(value), sample_text(value), group_key)


def sample_text(value: Mapping[str, Any]) -> str:
    """The user's words in an input, or the whole input where there are none to be found."""
    request = value.get("request") or value.get("question") or value.get("prompt")
    if isinstance(request, str):
        return request
    messages = cast("Sequence[Mapping[str, Any]]", value.get("messages") or ())
    said = " ".join(str(m.get("content", "")) for m in messages if m.get("role") == "user")
    return said or canonical(value).decode()


def split_samples(
    samples: Sequence[Splittable], salt: str, ratios: tuple[float, float, float] | None = None
) -> SplitResult:
    """Assign every sample to a split. Raises: ValueError unless the three ratios are positive and add up to 1."""
    train, val, holdout = ratios or default_ratios(len(samples))
    if min(train, val, holdout) <= 0 or abs(train + val + holdout - 1) > 1e-9:
        raise ValueError("the three split ratios must be positive and add up to 1")
    own = {s.id: s.group_key or s.content_hash for s in samples}
    merged = _merged_groups(samples, own)
    splits: dict[str, Split] = {s.id: _split_of(merged[s.id], salt, train, val) for s in samples}
    forced = tuple(s.id for s in samples if _split_of(own[s.id], salt, train, val) != splits[s.id])
    report = LeakageReport(
        n=len(samples),
        counts={name: sum(split == name for split in splits.values()) for name in SPLITS},
        exact_duplicates=len(samples) - len({s.content_hash for s in samples}),
        near_duplicate_groups=len(set(own.values())) - len(set(merged.values())),
        forced=forced,
    )
    return SplitResult(splits, merged, report)


def _split_of(group: str, salt: str, train: float, val: float) -> Split:
    digest = hashlib.sha256(f"{salt}\x00{group}".encode()).digest()
    place = int.from_bytes(digest[:8], "big") / 2**64
    return "train" if place < train else "val" if place < train + val else "holdout"


def _merged_groups(samples: Sequence[Splittable], own: Mapping[str, str]) -> dict[str, str]:
    """Groups joined wherever they hold near-duplicates; a joined group is named by its smallest member."""
    parent = {group: group for group in own.values()}

    def root(group: str) -> str:
        while parent[group] != group:
            parent[group] = parent[parent[group]]
            group = parent[group]
        return group

    for left, right in near_duplicates([s.text for s in samples]):
        low, high = sorted((root(own[samples[left].id]), root(own[samples[right].id])))
        parent[high] = low
    return {s.id: root(own[s.id]) for s in samples}


def near_duplicates(texts: Sequence[str], threshold: float = NEAR_DUPLICATE) -> Iterator[tuple[int, int]]:
    """Pairs of texts whose word 3-gram sets have a Jaccard similarity of at least `threshold` (MinHash, Broder 1997).

    Found by banded MinHash and confirmed exactly. Each text is paired with the first of its like, not with all.
    """
    shingles = [_shingles(text) for text in texts]
    buckets: dict[tuple[int, bytes], list[int]] = {}
    for number, signature in enumerate(_signatures(shingles)):
        seen: set[int] = set()
        for band in range(_BANDS):
            bucket = buckets.setdefault((band, signature[band * _ROWS : (band + 1) * _ROWS].tobytes()), [])
            for other in bucket:
                if other not in seen and _jaccard(shingles[number], shingles[other]) >= threshold:
                    yield other, number
                    break
                seen.add(other)
            else:
                bucket.append(number)


def _shingles(text: str) -> frozenset[int]:
    words = re.findall(r"\w+", text.casefold())
    if not words:
        return frozenset({_hash(text.strip())})
    grams = (" ".join(words[i : i + _SHINGLE]) for i in range(max(1, len(words) - _SHINGLE + 1)))
    return frozenset(map(_hash, grams))


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest(), "big") % int(_PRIME)


def _signatures(shingles: Sequence[frozenset[int]]) -> Iterator[NDArray[np.uint64]]:
    """MinHash signatures; the hash family is fixed so that equal texts have equal signatures everywhere."""
    random = np.random.default_rng(0)
    a = random.integers(1, int(_PRIME), (_BANDS * _ROWS, 1), dtype=np.uint64)
    b = random.integers(0, int(_PRIME), (_BANDS * _ROWS, 1), dtype=np.uint64)
    for members in shingles:
        values = np.fromiter(members, dtype=np.uint64, count=len(members))
        yield ((a * values + b) % _PRIME).min(axis=1)


def _jaccard(left: frozenset[int], right: frozenset[int]) -> float:
    return len(left & right) / len(left | right)
