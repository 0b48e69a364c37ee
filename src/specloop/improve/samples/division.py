"""Divides the samples of a draft: what a caller may wish for, on top of the leak-proof split. Pure.

The salt comes from the set's name and the caller's seed, so that the same data divided twice gives the same parts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, cast

from specloop.errors import ValidationFailed
from specloop.improve.samples.model import Sample, Split
from specloop.improve.samples.splitting import SplitResult, Splittable, default_ratios, sample_text, split_samples
from specloop.kit.json import canonical

Ratios = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Wanted:
    """How to divide; `group_by` and `stratify_by` name metadata keys."""

    ratios: Ratios | None = None
    group_by: str | None = None
    stratify_by: str | None = None
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Divided:
    """The part and the effective group of every sample by id, the settings and the leakage report."""

    splits: Mapping[str, Split]
    groups: Mapping[str, str]
    settings: dict[str, Any]
    leakage: dict[str, Any]


def divide(samples: Sequence[Sample], wanted: Wanted, salt: str, *, again: bool) -> Divided:
    """Place every sample; unless `again`, those that have a part keep it and draw their near-duplicates along.

    Raises: ValidationFailed unless the ratios are positive and add up to 1.
    """
    try:
        found = split_samples([_splittable(one, wanted.group_by) for one in samples], salt, wanted.ratios)
    except ValueError as error:
        raise ValidationFailed.of(["body", "ratios"], str(error)) from None
    splits = {sample_id: Split(split) for sample_id, split in found.splits.items()}
    if wanted.stratify_by is not None:
        ratios = wanted.ratios or default_ratios(len(samples))
        splits = _stratified(samples, found.groups, wanted.stratify_by, salt, ratios)
    if not again:
        splits = _with_placed(samples, found.groups, splits)
    settings = {**asdict(wanted), "ratios": list(wanted.ratios or default_ratios(len(samples))), "salt": salt}
    return Divided(splits, found.groups, settings, _report(found, splits))


def _splittable(sample: Sample, group_by: str | None) -> Splittable:
    group = sample.group_key
    if group is None and group_by is not None and group_by in sample.metadata:
        group = f"{group_by}={canonical(sample.metadata[group_by]).decode()}"[:200]
    value = sample.input
    text = sample_text(cast("dict[str, Any]", value)) if isinstance(value, dict) else canonical(value).decode()
    return Splittable(sample.id, sample.content_hash, text, group)


def _stratified(
    samples: Sequence[Sample], groups: Mapping[str, str], key: str, salt: str, ratios: Ratios
) -> dict[str, Split]:
    """Each value of `key` is cut by the ratios on its own, whole groups at a time in the order of their hashes."""
    sizes: dict[str, int] = {}
    strata: dict[str, dict[str, None]] = {}
    for sample in samples:
        group = groups[sample.id]
        if group not in sizes:
            strata.setdefault(canonical(sample.metadata.get(key)).decode(), {})[group] = None
        sizes[group] = sizes.get(group, 0) + 1
    placed: dict[str, Split] = {}
    for members in strata.values():
        placed.update(_cut(sorted(members, key=lambda group: _place(salt, group)), sizes, ratios))
    return {sample.id: placed[groups[sample.id]] for sample in samples}


def _cut(groups: Sequence[str], sizes: Mapping[str, int], ratios: Ratios) -> Iterator[tuple[str, Split]]:
    total, done = sum(sizes[group] for group in groups), 0
    for group in groups:
        middle = (done + sizes[group] / 2) / total
        done += sizes[group]
        part = Split.TRAIN if middle < ratios[0] else Split.VAL if middle < ratios[0] + ratios[1] else Split.HOLDOUT
        yield group, part


def _place(salt: str, group: str) -> bytes:
    return hashlib.sha256(f"{salt}\x00{group}".encode()).digest()


def _with_placed(samples: Sequence[Sample], groups: Mapping[str, str], splits: Mapping[str, Split]) -> dict[str, Split]:
    parts: dict[str, Split] = {}
    for sample in samples:
        if sample.split is not Split.UNASSIGNED:
            parts.setdefault(groups[sample.id], sample.split)
    return {
        sample.id: sample.split
        if sample.split is not Split.UNASSIGNED
        else parts.get(groups[sample.id], splits[sample.id])
        for sample in samples
    }


def _report(found: SplitResult, splits: Mapping[str, Split]) -> dict[str, Any]:
    parts: dict[str, set[Split]] = {}
    for sample_id, group in found.groups.items():
        parts.setdefault(group, set()).add(splits[sample_id])
    return {
        "n": found.report.n,
        "exact_duplicates": found.report.exact_duplicates,
        "near_duplicate_groups": found.report.near_duplicate_groups,
        "forced": len(found.report.forced),
        "groups_in_two_parts": sum(len(one) > 1 for one in parts.values()),
    }
