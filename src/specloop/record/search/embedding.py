"""Turns text into vectors of meaning with a small model that comes with the program: no network, no graphics card.

The model is loaded at the first use, which takes a second, and all work is done on threads.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

DIMENSIONS: Final = 256
PIECE_LENGTH: Final = 500
PIECES_MAX: Final = 8
"""A vector averages what it is made of, so short pieces are told apart better than whole exchanges (measured: nDCG@10
0.90 against 0.76 on the judged questions); the beginning says what an exchange is about."""

Vectors = NDArray[np.float32]


def pieces(text: str) -> list[str]:
    """The pieces of an exchange that get a vector each, at least one."""
    end = min(len(text), PIECE_LENGTH * PIECES_MAX)
    return [text[start : start + PIECE_LENGTH] for start in range(0, end, PIECE_LENGTH)] or [""]


class Embedder(Protocol):
    """Makes unit vectors whose inner product tells how near two texts are in meaning."""

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """One row per text."""
        ...


class WordLlamaEmbedder:
    """WordLlama: averaged token vectors of a language model (256 dimensions)."""

    def __init__(self) -> None:
        self._model: Any = None
        self._loading = threading.Lock()

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """See `Embedder`."""
        return await asyncio.to_thread(self._embed, texts)

    def _embed(self, texts: Sequence[str]) -> Vectors:
        model = self._load()
        vectors = np.asarray(model.embed([text or " " for text in texts], norm=False), np.float32)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.divide(vectors, np.where(lengths > 0, lengths, 1.0), dtype=np.float32)

    def _load(self) -> Any:
        with self._loading:
            if self._model is None:
                # Importing takes most of a second, and servers that never search by meaning need not wait for it.
                import wordllama  # noqa: PLC0415

                folder = Path(wordllama.__file__).parent
                self._model = wordllama.WordLlama.load(dim=DIMENSIONS, cache_dir=folder, disable_download=True)
            return self._model
