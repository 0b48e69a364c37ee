"""Clusters failures in two levels (spectral.md §2.2.1): kinds cover every failure, HDBSCAN finds patterns inside.

Raw density noise is never shown as "no pattern": what fits no pattern stays visible as its kind's remainder.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import HDBSCAN

from specloop.improve.scans.clustering.embedders import HashedEmbedder, unit
from specloop.improve.scans.clustering.naming import cluster_name, describe, top_terms
from specloop.improve.scans.detect import KIND_PHRASES
from specloop.improve.scans.operators import operators_treating
from specloop.improve.scans.problem import Embedder, Failure, FailureCluster, Severity

Floats = NDArray[np.float64]

_MIN_SIZE = 4
_MIN_SHARE = 0.01
# Cosine to the nearest centroid from which a leftover failure joins that cluster.
_TAU = 0.5
_EXEMPLARS = 3
_SEVERITIES: tuple[tuple[float, Severity], ...] = ((0.3, "critical"), (0.15, "high"), (0.05, "medium"))


def cluster_failures(
    failures: Sequence[Failure],
    evaluated: int,
    embedder: Embedder | None = None,
    weights: Mapping[str, float] | None = None,
) -> tuple[FailureCluster, ...]:
    """The cluster tree: every kind, largest first, each followed by its patterns and its remainder.

    `evaluated` is how many samples there were in all; `weights` are the dimensions' normalised weights, 1 by default.
    """
    found: list[FailureCluster] = []
    by_kind: dict[str, list[Failure]] = {}
    for failure in failures:
        by_kind.setdefault(failure.kind, []).append(failure)
    for kind, members in sorted(by_kind.items(), key=lambda item: (-len(item[1]), item[0])):
        vectors = (embedder or HashedEmbedder()).embed([_embedded(f) for f in members])
        others = [f.text for f in failures if f.kind != kind]
        builder = _Builder(kind, members, vectors, len(failures), evaluated, weights or {})
        root = builder.build(list(range(len(members))), others, None)
        found.append(root)
        found.extend(builder.patterns(root, max(_MIN_SIZE, round(_MIN_SHARE * len(failures)))))
    return tuple(found)


def membership(clusters: Sequence[FailureCluster]) -> dict[str, str]:
    """The finest cluster's key for every failing sample."""
    keys = {sample: c.key for c in clusters if c.parent_key is None for sample in c.members}
    keys.update((sample, c.key) for c in clusters if c.parent_key is not None for sample in c.members)
    return keys


class _Builder:
    """Builds the clusters of one kind."""

    def __init__(
        self,
        kind: str,
        members: Sequence[Failure],
        vectors: Floats,
        total: int,
        evaluated: int,
        weights: Mapping[str, float],
    ) -> None:
        self._kind = kind
        self._members = members
        self._vectors = vectors
        self._total = total
        self._evaluated = max(1, evaluated)
        self._weights = weights

    def patterns(self, root: FailureCluster, min_size: int) -> list[FailureCluster]:
        """The clusters inside the kind, largest first, then the remainder if there is any pattern at all."""
        labels = _density_labels(self._vectors, min_size)
        groups = [np.flatnonzero(labels == label).tolist() for label in range(labels.max() + 1)]
        if not groups:
            return []
        groups.sort(key=lambda places: (-len(places), places))
        found = [self.build(places, self._texts_outside(places), root.key) for places in groups]
        rest = np.flatnonzero(labels == -1).tolist()
        if rest:
            found.append(self.build(rest, self._texts_outside(rest), root.key, remainder=True))
        return found

    def build(
        self, places: Sequence[int], others: Sequence[str], parent_key: str | None, remainder: bool = False
    ) -> FailureCluster:
        """One cluster from member numbers; `others` are the texts it is contrasted with."""
        members = [self._members[i] for i in places]
        vectors = self._vectors[list(places)]
        centroid: Floats = unit(vectors.mean(axis=0, keepdims=True))[0]
        distances: list[float] = np.round(1.0 - np.asarray(vectors @ centroid), 6).tolist()
        order = sorted(range(len(members)), key=lambda i: distances[i])
        terms = top_terms([f.text for f in members], others)
        name = cluster_name(self._kind, () if parent_key is None else terms, members)
        if remainder:
            name = f"{KIND_PHRASES.get(self._kind, self._kind)} · other"
        return FailureCluster(
            key=_key(self._kind, parent_key, "other" if remainder else " ".join(sorted(terms))),
            kind=self._kind,
            name=name,
            description=describe(members, [members[i] for i in order[:_EXEMPLARS]]),
            size=len(members),
            share=len(members) / self._total,
            severity=self._severity(members),
            top_terms=terms,
            exemplars=tuple(members[i].sample_id for i in order[:_EXEMPLARS]),
            members=tuple(members[i].sample_id for i in order),
            distances=tuple(distances[i] for i in order),
            centroid=tuple(cast("list[float]", np.round(centroid, 6).tolist())),
            suggested_operators=operators_treating(self._kind),
            parent_key=parent_key,
        )

    def _texts_outside(self, places: Sequence[int]) -> list[str]:
        inside = set(places)
        return [f.text for i, f in enumerate(self._members) if i not in inside]

    def _severity(self, members: Sequence[Failure]) -> Severity:
        """Weight of the dimensions that failed times the share of all evaluated samples."""
        weight = sum(self._weights.get(f.dimension, 1.0) for f in members) / self._evaluated
        reached: list[Severity] = [severity for floor, severity in _SEVERITIES if weight >= floor]
        return reached[0] if reached else "low"


def _embedded(failure: Failure) -> str:
    """Request and tools in one text. Where there are no tools, what the judge said stands in for them."""
    tools = f"{failure.expected} {failure.chosen}".strip()
    return f"{failure.text} {tools or failure.feedback}".strip()


def _density_labels(vectors: Floats, min_size: int) -> NDArray[np.intp]:
    """HDBSCAN labels (leaf selection) with leftovers given to the nearest centroid if near enough; -1 is the rest."""
    if len(vectors) < 2 * min_size:
        return np.full(len(vectors), -1, dtype=np.intp)
    density = cast("Any", HDBSCAN)(min_cluster_size=min_size, cluster_selection_method="leaf", copy=True)
    labels = np.asarray(density.fit_predict(vectors), dtype=np.intp)
    if labels.max() < 0:
        return labels
    centroids = unit(np.stack([vectors[labels == label].mean(axis=0) for label in range(labels.max() + 1)]))
    similarity = vectors @ centroids.T
    near = (labels == -1) & (similarity.max(axis=1) >= _TAU)
    labels[near] = similarity.argmax(axis=1)[near]
    return labels


def _key(kind: str, parent_key: str | None, content: str) -> str:
    """Stable across scans as long as kind and leading terms stay the same."""
    text = kind if parent_key is None else f"{kind}|{content}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]
