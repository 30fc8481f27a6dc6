"""What pgvector's operator classes and BigQuery's options say of an index: its metric, and what it holds."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa

from lancesql.errors import ArgumentError, Span, UnsupportedError, nearest_name
from lancesql.parser.commands import NameSyntax, OptionSyntax

from .index_columns import find_vector

__all__ = ["expand_options", "read_opclass"]

_METRICS = {"l2": "l2", "ip": "dot", "cosine": "cosine"}
_VECTORS = {
    **{f"vector_{name}_ops": (metric, "FLOAT[n]") for name, metric in _METRICS.items()},
    **{f"halfvec_{name}_ops": (metric, "HALF[n]") for name, metric in _METRICS.items()},
    "bit_hamming_ops": ("hamming", "UTINYINT[n]"),
}
_REFUSED = {
    "vector_l1_ops": "no index of Lance has the metric l1: a search with metric => 'l1' compares every row",
    "halfvec_l1_ops": "no index of Lance has the metric l1: a search with metric => 'l1' compares every row",
    "bit_jaccard_ops": "no index of Lance has the metric jaccard",
    **{f"sparsevec_{name}_ops": "Lance has no sparse vectors" for name in (*_METRICS, "l1")},
}
_GRAMS = ("gin_trgm_ops", "gist_trgm_ops")
_PLAIN = ("text_pattern_ops", "varchar_pattern_ops")
"""How PostgreSQL is told to compare texts letter by letter, which Lance always does."""


def read_opclass(opclass: NameSyntax, field: pa.Field[Any]) -> tuple[str | None, str | None]:
    """The metric and the kind of index that an operator class asks for.

    Raises:
        UnsupportedError: When Lance has no such index.
        ArgumentError: When there is no such class, or it is one of another type than the column's.
    """
    word = opclass.parts[0].lower()
    if word in _PLAIN:
        return None, "BTREE"
    if word in _GRAMS:
        return None, "NGRAM"
    if word in _REFUSED:
        raise UnsupportedError(f"{word} is not supported: {_REFUSED[word]}", span=opclass.span)
    if word not in _VECTORS:
        near = nearest_name(word, [*_VECTORS, *_PLAIN, *_GRAMS])
        raise ArgumentError(
            f"'{opclass.parts[0]}' is not an operator class",
            hint=f"did you mean {near}?" if near else f"the classes are {', '.join(_VECTORS)}",
            span=opclass.span,
        )
    metric, wanted = _VECTORS[word]
    vector = find_vector(field.type)
    if vector is None:
        raise ArgumentError(f"{word} is of vectors, and column '{field.name}' holds none", span=opclass.span)
    held = _name_vector(vector)
    if wanted != held and (held in ("HALF[n]", "UTINYINT[n]") or wanted != "FLOAT[n]"):
        fitting = [name for name, (_, other) in _VECTORS.items() if other == ("FLOAT[n]" if "DOUBLE" in held else held)]
        raise ArgumentError(
            f"{word} is of {wanted}, and column '{field.name}' is {held}",
            hint=f"{', '.join(fitting)} would fit",
            span=opclass.span,
        )
    return metric, None


def _name_vector(type_: Any) -> str:
    if pa.types.is_uint8(type_.value_type):
        return "UTINYINT[n]"
    return {16: "HALF[n]", 32: "FLOAT[n]"}.get(type_.value_type.bit_width, "DOUBLE[n]")


def expand_options(
    options: Sequence[OptionSyntax], kind: NameSyntax | None
) -> tuple[list[OptionSyntax], NameSyntax | None]:
    """The options, BigQuery's `index_type` and `ivf_options` taken for what they say, and the kind of index."""
    kept: list[OptionSyntax] = []
    for option in options:
        if option.name == "index_type":
            if kind is not None:
                raise ArgumentError(
                    "the kind of the index is given twice", hint="USING says it already", span=option.span
                )
            kind = NameSyntax((str(option.value),), quoted_string=False, span=option.value_span)
        elif option.name == "ivf_options":
            kept += _read_json(option)
        else:
            kept.append(option)
    return kept, kind


def _read_json(option: OptionSyntax) -> list[OptionSyntax]:
    """The options of `'{"num_lists": 1000}'`."""
    try:
        given = json.loads(option.value) if isinstance(option.value, str) else None
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise ArgumentError(
            f"option '{option.name}' is a JSON object like '{{\"num_lists\": 100}}'", span=option.value_span
        )
    place = Span(option.value_span.start, option.value_span.end)
    return [replace(option, name=str(name).lower(), value=value, span=place) for name, value in given.items()]
