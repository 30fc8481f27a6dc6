"""What follows from a part of a cached plan alone, kept for the statements to come."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

__all__ = ["Held"]

T = TypeVar("T")
_MOST = 1024


class Held(Generic[T]):
    """Values by the identity of what they follow from: comparing or hashing a plan takes longer than most of them."""

    def __init__(self) -> None:
        self._values: dict[int, tuple[object, T]] = {}

    def find(self, owner: object, make: Callable[[], T]) -> T:
        """The value that follows from `owner`, made once."""
        held = self._values.get(id(owner))
        if held is not None and held[0] is owner:
            return held[1]
        value = make()
        self.keep(owner, value)
        return value

    def get(self, owner: object) -> T | None:
        """The value that is kept for `owner`, if one is."""
        held = self._values.get(id(owner))
        return held[1] if held is not None and held[0] is owner else None

    def keep(self, owner: object, value: T) -> None:
        """Keeps a value."""
        if len(self._values) >= _MOST:
            self._values.clear()
        self._values[id(owner)] = (owner, value)
