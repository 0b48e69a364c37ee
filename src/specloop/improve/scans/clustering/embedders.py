"""Embedders that need no network: hashed TF-IDF with truncated SVD, and WordLlama's shipped vectors.

An embedder sees one collection at a time; vectors of two collections are comparable only with WordLlama.
"""

import importlib.util
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer
from threadpoolctl import threadpool_limits

Floats = NDArray[np.float64]

DIMENSIONS = 64


class HashedEmbedder:
    """Zero-weight default: hashed word and word-pair counts, TF-IDF, then SVD to at most 64 dimensions."""

    def embed(self, texts: Sequence[str]) -> Floats:
        """Unit vectors of shape (texts, dimensions); all zero for a text without a known word."""
        if not texts:
            return np.zeros((0, 1))
        vectorizer = cast("Any", HashingVectorizer)
        counts = vectorizer(n_features=2**14, ngram_range=(1, 2), alternate_sign=False, norm=None).transform(texts)
        weighted = cast("Any", TfidfTransformer(sublinear_tf=True)).fit_transform(counts)
        size = min(DIMENSIONS, len(texts) - 1)
        if size < 2:
            return np.ones((len(texts), 1))
        # One thread: more of them help little on so small a matrix, and would make sums depend on the machine's load.
        with cast("Any", threadpool_limits)(limits=1):
            reduced = cast("Any", TruncatedSVD(size, random_state=0)).fit_transform(weighted)
        return unit(np.asarray(reduced, dtype=np.float64))


class WordLlamaEmbedder:
    """WordLlama's static 256-dimensional vectors, read from the package's own folder without any download."""

    def embed(self, texts: Sequence[str]) -> Floats:
        """Unit vectors of shape (texts, 256)."""
        if not texts:
            return np.zeros((0, 256))
        return unit(np.asarray(_word_llama().embed(list(texts)), dtype=np.float64))


@cache
def _word_llama() -> Any:
    # Imported on first use: the package takes a third of a second to load and most processes never embed.
    spec = importlib.util.find_spec("wordllama")
    if spec is None or spec.origin is None:
        raise RuntimeError("wordllama is not installed")
    module = cast("Any", importlib.import_module("wordllama"))
    return module.WordLlama.load(dim=256, cache_dir=Path(spec.origin).parent, disable_download=True)


def unit(vectors: Floats) -> Floats:
    """Rows scaled to length 1; zero rows stay zero."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(lengths == 0, 1.0, lengths)
