"""Texts with what matches marked in them, whole or cut to the part that matches best."""

from __future__ import annotations

import html
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from .marks import Mark
from .places import CutText, find_end

__all__ = ["cut_excerpt", "write_marks"]

_CUT = "…"


def write_marks(text: str, marks: Sequence[Mark], start: str, end: str, *, escapes: bool) -> str:
    """The text with `start` before and `end` behind every part that matches; parts that touch are one.

    Example:
        >>> write_marks("a cat ran", [Mark(2, 5, "cat")], "<b>", "</b>", escapes=False)
        'a <b>cat</b> ran'
    """
    parts: list[str] = []
    write = _escape if escapes else str
    at, index = 0, 0
    while index < len(marks):
        first = last = marks[index]
        while index + 1 < len(marks) and marks[index + 1].start == last.end:
            index += 1
            last = marks[index]
        parts += [write(text[at : first.start]), start, write(text[first.start : last.end]), end]
        at = last.end
        index += 1
    return "".join([*parts, write(text[at:])])


def _escape(text: str) -> str:
    return html.escape(text, quote=True)


def cut_excerpt(split: CutText, marks: Sequence[Mark], most: int, start: str, end: str, *, escapes: bool) -> str:
    """At most so many characters of the text around most of what matches, with … where it goes on.

    The part has the most different terms, then the most marks, and is the first of those; it begins and ends with whole
    words where that leaves any.
    """
    text = split.text
    if len(text) <= most:
        return write_marks(text, marks, start, end, escapes=escapes)
    begin, stop = _choose_part(split, marks, most)
    inside = [Mark(max(one.start, begin) - begin, min(one.end, stop) - begin, one.term)
              for one in marks if one.start < stop and one.end > begin]  # fmt: skip
    written = write_marks(text[begin:stop], inside, start, end, escapes=escapes)
    return f"{_CUT if text[:begin].strip() else ''}{written}{_CUT if text[stop:].strip() else ''}"


def _choose_part(split: CutText, marks: Sequence[Mark], most: int) -> tuple[int, int]:
    text = split.text
    first = last = begin = 0
    if marks:
        first, last = _choose_marks(marks, most)
        begin = max(0, min(first - (most - (last - first)) // 2, len(text) - most))
    pieces = split.list_pieces(first + most)
    if begin:
        at = bisect_left(pieces, (begin, 0))
        begin = min(pieces[at][0], first) if at < len(pieces) else first
    limit = begin + most
    if limit >= len(text):
        return begin, len(text)
    at = bisect_right(pieces, (limit, 0)) - 1
    while at >= 0 and find_end(text, pieces[at][1]) > limit:
        at -= 1
    stop = find_end(text, pieces[at][1]) if at >= 0 else 0
    if stop <= begin or stop < min(last, limit):
        return begin, _step_back(text, begin, limit)
    following = pieces[at + 1][0] if at + 1 < len(pieces) else len(text)
    while stop < min(limit, following) and not text[stop].isspace():
        stop += 1  # the full stop behind the last word
    return begin, _step_back(text, begin, stop)


def _choose_marks(marks: Sequence[Mark], most: int) -> tuple[int, int]:
    """Where the best run of marks begins and ends that so many characters hold."""
    best, place = (-1, -1), (marks[0].start, marks[0].end)
    last = 0
    for at, mark in enumerate(marks):
        last = max(last, at)
        while last + 1 < len(marks) and marks[last + 1].end - mark.start <= most:
            last += 1
        inside = marks[at : last + 1]
        worth = (len({one.term for one in inside}), len(inside))
        if worth > best:
            best, place = worth, (mark.start, min(inside[-1].end, mark.start + most))
    return place


def _step_back(text: str, begin: int, stop: int) -> int:
    """The last end of a character up to `stop`; that of the first one when it alone is longer."""
    at = stop
    while at > begin and find_end(text, at) != at:
        at -= 1
    return at if at > begin else find_end(text, begin + 1)
