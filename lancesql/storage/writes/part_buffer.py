"""Rows that come in small parts, held until there are enough of them for a fragment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

__all__ = ["PartBuffer"]

T = TypeVar("T")

_MOST = 128 << 20
"""Bytes. A statement holds two such buffers at a time."""


class PartBuffer(Generic[T]):
    """Parts of what is to be written.

    Args:
        write: Takes the parts that were held.
    """

    def __init__(self, write: Callable[[list[T]], object]) -> None:
        self._write = write
        self._parts: list[T] = []
        self._size = 0

    def add(self, part: T, size: int) -> None:
        """Holds a part of so many bytes, or writes all of them."""
        self._parts.append(part)
        self._size += size
        if self._size >= _MOST:
            self.flush()

    def flush(self) -> None:
        """Writes what is held."""
        parts, self._parts, self._size = self._parts, [], 0
        if parts:
            self._write(parts)
