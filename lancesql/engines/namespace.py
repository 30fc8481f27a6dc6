"""The variables that a statement names without a word: those of whoever calls."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from functools import lru_cache
from types import FrameType
from typing import Any

__all__ = ["Namespace", "capture_namespace"]

_WORD = re.compile(r"\w+")
_LONG = 5_000
"""Of a longer text it takes longer to find the words than to look at every variable."""


@lru_cache(maxsize=512)
def _find_words(sql: str) -> frozenset[str]:
    return frozenset(_WORD.findall(sql))


class Namespace:
    """The variables a statement may name: those of the caller's frame."""

    __slots__ = ("globals", "locals")

    def __init__(self, frame: FrameType | None) -> None:
        self.globals: dict[str, Any] = frame.f_globals if frame is not None else {"__builtins__": __builtins__}
        self.locals: dict[str, Any] = dict(frame.f_locals) if frame is not None else {}

    def extend(self, more: Mapping[str, object]) -> Namespace:
        """The same with more variables."""
        other = Namespace(None)
        other.globals, other.locals = self.globals, {**self.locals, **more}
        return other

    def find(self, name: str) -> object | None:
        """The variable called `name`, or None."""
        return self.locals.get(name, self.globals.get(name))

    def find_lazy_frames(self, sql: str) -> dict[str, object]:
        """The variables that are LazyFrames, of those whose names may be words of a text."""
        words = _find_words(sql) if len(sql) < _LONG else {*self.globals, *self.locals}
        found = {word: self.find(word) for word in words if word in self.locals or word in self.globals}
        return {name: one for name, one in found.items() if type(one).__name__ == "LazyFrame"}


def capture_namespace(depth: int) -> Namespace:
    """The namespace of the caller `depth` frames up."""
    return Namespace(sys._getframe(depth))
