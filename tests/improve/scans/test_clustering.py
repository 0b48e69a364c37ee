"""Embedders that need no network, and clusters whose names a person can read (spectral.md §2.2.1)."""

import re

import numpy as np
import pytest

from specloop.improve.scans.clustering import HashedEmbedder, WordLlamaEmbedder, cluster_failures, membership
from specloop.improve.scans.problem import Embedder, Failure

SAID = ("expected", "called", "none", "no tool")
TEXTS = (
    ["find me a movie with subtitles", "which movie is on tonight", "a movie directed by a woman"] * 5,
    ["send money to my friend", "pay my friend the money back", "transfer money to a friend"] * 5,
)


def failures() -> list[Failure]:
    return [
        Failure(f"{topic}-{i}", "missed_call", "s", "r/d", text, f"expected {tool}, called none", "", tool)
        for topic, (texts, tool) in enumerate(zip(TEXTS, ("FindMovies", "MakePayment"), strict=True))
        for i, text in enumerate(texts)
    ]


@pytest.mark.parametrize("embedder", [HashedEmbedder(), WordLlamaEmbedder()])
def test_embeddings_are_unit_vectors_and_equal_for_equal_collections(embedder: Embedder) -> None:
    texts = [text for topic in TEXTS for text in topic]
    vectors = embedder.embed(texts)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0)
    assert np.array_equal(vectors, embedder.embed(texts))
    assert embedder.embed([]).shape[0] == 0


def test_static_vectors_come_from_the_package_and_know_what_words_mean() -> None:
    film, movie, payment = WordLlamaEmbedder().embed(["watch a film", "see a movie", "bank transfer"])
    assert film.shape == (256,)
    assert film @ movie > film @ payment + 0.2


def test_kinds_cover_every_failure_and_patterns_split_them() -> None:
    clusters = cluster_failures(failures(), 100)
    (root,) = [c for c in clusters if c.parent_key is None]
    inside = [c for c in clusters if c.parent_key == root.key]
    assert root.size == 30
    assert sum(c.size for c in inside) == 30
    assert set(membership(clusters)) == {f.sample_id for f in failures()}


def test_names_are_words_of_the_requests_and_never_of_the_judge() -> None:
    names = [c.name for c in cluster_failures(failures(), 100)]
    assert any("movie" in name and "FindMovies" in name for name in names)
    assert any("money" in name and "MakePayment" in name for name in names)
    for name in names:
        assert not [word for word in SAID if re.search(rf"· {word}\b", name)]


def test_the_judges_words_are_kept_in_the_description() -> None:
    root = cluster_failures(failures(), 100)[0]
    assert "(expected " in root.description
