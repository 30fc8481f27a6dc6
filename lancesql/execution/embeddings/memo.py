"""The vectors of the texts of one statement."""

from __future__ import annotations

import threading
from collections.abc import Hashable
from typing import Any

import numpy as np

__all__ = ["Memo"]

Vector = np.ndarray[Any, Any]

_MOST_BYTES = 1 << 26


class Memo:
    """Holds what was embedded, so that equal texts are embedded once; of too much, the oldest goes.

    Attributes:
        lock: Held while texts are embedded: DuckDB calls a function on several threads.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._vectors: dict[tuple[Hashable, str], Vector | None] = {}
        self._bytes = 0

    def find(self, function: Hashable, texts: list[str]) -> dict[str, Vector | None]:
        """The vectors that are known of some texts."""
        held = self._vectors
        return {text: held[function, text] for text in texts if (function, text) in held}

    def keep(self, function: Hashable, vectors: dict[str, Vector | None]) -> None:
        """Keeps the vectors of some texts."""
        for text, vector in vectors.items():
            self._vectors[function, text] = vector
            self._bytes += _measure(text, vector)
        while self._bytes > _MOST_BYTES and len(self._vectors) > 1:
            oldest = next(iter(self._vectors))
            self._bytes -= _measure(oldest[1], self._vectors.pop(oldest))


def _measure(text: str, vector: Vector | None) -> int:
    return len(text) + 200 + (0 if vector is None else vector.nbytes)
