"""The kind of an index whose USING is left out: from the type of its column, and from a sample of its values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from lancesql.catalog import Catalog, TableInfo
from lancesql.errors import ArgumentError, Span
from lancesql.parser.commands import IndexFamily

from .index_columns import find_vector

__all__ = ["choose_kind"]

_PROSE_WORDS = 4
"""So many words on average make a text one to be searched for words, not compared as a whole."""
_LONG_TEXT = 40
_FEW_VALUES = 0.05
"""Values are few when a sample holds no more different ones than this share of it."""


def choose_kind(
    table: TableInfo,
    path: Sequence[str],
    field: pa.Field[Any],
    family: IndexFamily | None,
    span: Span,
    catalog: Catalog,
) -> tuple[str, str]:
    """A kind of index that fits the column, or the field that a path leads to, and why it is that one.

    Raises:
        ArgumentError: When no kind fits the column, or none of the family.
    """
    type_: Any = field.type
    vector = find_vector(type_)
    if vector is not None and family != "text":
        if pa.types.is_uint8(vector.value_type):
            return "IVF_FLAT", "the column holds vectors of bytes"
        return "IVF_PQ", "the column holds vectors"
    inner = type_.value_type if pa.types.is_list(type_) or pa.types.is_large_list(type_) else type_
    is_text = pa.types.is_string(inner) or pa.types.is_large_string(inner)
    if family == "vector" or (family == "text" and not is_text):
        wanted = "vectors" if family == "vector" else "texts"
        raise ArgumentError(f"column '{field.name}' holds no {wanted}", span=span)
    if family == "text":
        return "FTS", "it is a search index"
    if inner is not type_:
        return "LABEL_LIST", "the column holds lists"
    if pa.types.is_boolean(type_):
        return "BITMAP", "the column holds two values"
    sample = _sample(table, path, type_, catalog)
    if is_text and len(path) == 1 and _is_prose(sample):
        return "FTS", "the column holds texts of several words"
    if _has_few_values(sample):
        return "BITMAP", "the column holds few different values"
    if is_text:
        return "BTREE", "the column holds names rather than texts of several words"
    return "BTREE", "the column holds single values"


def _sample(table: TableInfo, path: Sequence[str], type_: pa.DataType, catalog: Catalog) -> Any:
    if not table.rows:
        return pa.array([], type_)
    sample: Any = catalog.sample_column(table, path[0])
    return pc.struct_field(sample, path[1:]) if len(path) > 1 else sample


def _is_prose(sample: pa.Array[Any]) -> bool:
    texts = [text for text in sample.to_pylist() if text]
    if not texts:
        return False
    words = sum(len(text.split()) for text in texts) / len(texts)
    letters = sum(len(text) for text in texts) / len(texts)
    spaceless = words < 2 and letters > _LONG_TEXT and not all(text.isascii() for text in texts)
    return words >= _PROSE_WORDS or spaceless


def _has_few_values(sample: pa.Array[Any]) -> bool:
    return len(sample) > 0 and len(set(sample.to_pylist())) <= _FEW_VALUES * len(sample)
