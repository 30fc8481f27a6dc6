"""A small deterministic embedding: every word has a direction, a text is the sum of its words."""

from __future__ import annotations

import hashlib
import threading

import numpy as np

DIMENSION = 16

WORDS = ["river", "stone", "moon", "ship", "garden", "winter", "letter", "engine", "crow", "salt"]
TEXTS = [f"{first} {second}" for first in WORDS for second in WORDS] + [f"{word} and {word} again" for word in WORDS]


def embed_text(text: str, dimension: int = DIMENSION) -> np.ndarray:
    """The sum of the directions of the words."""
    vector = np.zeros(dimension)
    for word in text.lower().split():
        seed = int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "big")
        vector += np.random.default_rng(seed).normal(size=dimension)
    return vector


class Bag:
    """The embedding as a callable that remembers what it was given."""

    def __init__(self, dimension: int = DIMENSION, sign: float = 1.0) -> None:
        self.dimension, self.sign = dimension, sign
        self.calls: list[list[str]] = []
        self._lock = threading.Lock()

    def __call__(self, texts: list[str]) -> np.ndarray:
        with self._lock:
            self.calls.append(list(texts))
        return np.array([self.sign * embed_text(text, self.dimension) for text in texts], np.float32)

    @property
    def texts(self) -> list[str]:
        return [text for call in self.calls for text in call]
