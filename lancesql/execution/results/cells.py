"""One value → the text of one cell, safe to print and short enough to read."""

from __future__ import annotations

import datetime as dt
import math
import re
import unicodedata
from typing import Any

import pyarrow as pa

__all__ = ["NULL", "escape_text", "format_column", "is_combining", "is_elastic", "is_right_aligned"]

NULL = "NULL"
_VECTOR_SHOWN = 3
_VECTOR_LONGEST = 8
_ITEMS_SHOWN = 20
_TEXT_LONGEST = 2_000
_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
# Control characters, line separators, and the marks that reorder text; joiners stay, for emoji need them.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069\ufeff]")


def format_column(values: list[Any], kind: Any) -> list[str]:
    """The cells of one column of Python values; `kind` is its Arrow type."""
    single = _holds_single_floats(kind)
    return [NULL if value is None else _format_value(value, single=single) for value in values]


def is_right_aligned(kind: pa.DataType) -> bool:
    """Whether a column of this type holds numbers."""
    types = pa.types
    return types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind)


def is_elastic(kind: pa.DataType) -> bool:
    """Whether a cell of this type still says something when it is cut: text, and nested values of no fixed shape."""
    types = pa.types
    texts = types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind)
    bytes_ = types.is_binary(kind) or types.is_large_binary(kind)
    return texts or bytes_ or types.is_struct(kind) or types.is_map(kind) or types.is_dictionary(kind)


def escape_text(text: str) -> str:
    r"""The text on one line, with nothing that moves a terminal's cursor.

    Example:
        >>> print(escape_text("two\nlines\x1b[31m"))
        two\nlines\x1b[31m
    """
    return _UNSAFE.sub(_escape_character, text)


def _escape_character(match: re.Match[str]) -> str:
    character = match.group()
    code = ord(character)
    return _ESCAPES.get(character) or (f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}")


def _format_value(value: Any, *, single: bool, nested: bool = False) -> str:
    if value is None:
        return NULL
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _format_float(value, single=single)
    if isinstance(value, str):
        value = value if len(value) <= _TEXT_LONGEST else value[:_TEXT_LONGEST] + "…"
        return f"'{escape_text(value)}'" if nested else escape_text(value)
    if isinstance(value, bytes):
        return "".join(chr(byte) if 32 <= byte < 127 and byte != 92 else f"\\x{byte:02X}" for byte in value[:200])
    if isinstance(value, dt.datetime):
        return value.isoformat(" ")
    if isinstance(value, (list, tuple)):
        return _format_list(value, single=single)
    if isinstance(value, dict):
        pairs = [
            f"{_format_value(key, single=single, nested=True)}: {_format_value(item, single=single, nested=True)}"
            for key, item in list(value.items())[:_ITEMS_SHOWN]
        ]
        return "{" + ", ".join(pairs + ["…"] * (len(value) > _ITEMS_SHOWN)) + "}"
    return escape_text(str(value))


def _format_list(values: list[Any] | tuple[Any, ...], *, single: bool) -> str:
    if len(values) > _VECTOR_LONGEST and all(isinstance(value, (int, float)) for value in values[:_VECTOR_LONGEST]):
        shown = ", ".join(_shorten_number(value) for value in values[:_VECTOR_SHOWN])
        return f"[{shown}, … {len(values)}]"
    cells = [_format_value(value, single=single, nested=True) for value in values[:_ITEMS_SHOWN]]
    rest = [f"… {len(values)}"] if len(values) > _ITEMS_SHOWN else []
    return f"[{', '.join(cells + rest)}]"


def _shorten_number(value: float) -> str:
    if isinstance(value, float) and math.isfinite(value):
        return f"{value:.2f}" if value == 0 or 0.005 <= abs(value) < 1000 else f"{value:.1e}"
    return str(value)


def _format_float(value: float, *, single: bool) -> str:
    if not single or not math.isfinite(value):
        return str(value)
    import numpy as np

    return str(np.float32(value))  # the shortest text of a FLOAT: 0.1, not 0.10000000149011612


def _holds_single_floats(kind: Any) -> bool:
    while isinstance(kind, (pa.ListType, pa.LargeListType, pa.FixedSizeListType)):
        kind = kind.value_type
    return bool(pa.types.is_float32(kind) or pa.types.is_float16(kind))


def is_combining(character: str) -> bool:
    """Whether the character belongs to the one before it."""
    return (
        unicodedata.combining(character) > 0
        or character in "\u200d\ufe0e\ufe0f"
        or "\U0001f3fb" <= character <= "\U0001f3ff"
    )
