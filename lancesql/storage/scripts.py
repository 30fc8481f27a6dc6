"""Texts whose words have no spaces between them, and the language their script is most of the time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

__all__ = ["BY_SPACES", "find_spaceless_language"]

BY_SPACES = ("simple", "whitespace", "code")
"""The tokenizers that cut texts at spaces and marks alone."""

_LETTERS, _LEAST_SHARE = 1_000, 0.3
_SCRIPTS = (
    (0x0E00, 0x0E7F, "th"), (0x0E80, 0x0EFF, "lo"), (0x1000, 0x109F, "my"), (0x1780, 0x17FF, "km"),
    (0x1100, 0x11FF, "ko"), (0x3040, 0x30FF, "ja"), (0x3130, 0x318F, "ko"), (0x31F0, 0x31FF, "ja"),
    (0x3400, 0x9FFF, "zh"), (0xAC00, 0xD7AF, "ko"), (0xF900, 0xFAFF, "zh"), (0xFF66, 0xFF9F, "ja"),
    (0x20000, 0x323AF, "zh"),
)  # fmt: skip


def find_spaceless_language(texts: Iterable[str]) -> str | None:
    """The code of the language that most of the letters without spaces are of, when those are many; else None.

    Kana make Chinese characters Japanese. Korean counts: its words have endings grown on them.

    Example:
        >>> find_spaceless_language(["東京で寿司を食べた", "a word"]), find_spaceless_language(["words and 東京"])
        ('ja', None)
    """
    counts: Counter[str | None] = Counter()
    for text in texts:
        counts.update(_find_script(letter) for letter in text[:_LETTERS] if letter.isalpha())
    foreign = {code: count for code, count in counts.items() if code is not None}
    if sum(foreign.values()) <= _LEAST_SHARE * counts.total():
        return None
    if foreign.get("ja", 0) * 10 > foreign.get("zh", 0):
        foreign["ja"] = foreign.get("ja", 0) + foreign.pop("zh", 0)
    return max(foreign, key=lambda code: foreign[code])


def _find_script(letter: str) -> str | None:
    if letter < "\u0e00":
        return None
    code = ord(letter)
    return next((language for first, last, language in _SCRIPTS if first <= code <= last), None)
