"""What a new table looks like: its schema, decided by the first rows of the query, and the rows in that schema."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from lancesql.errors import BindError, UnknownColumnError, nearest_name

from .conversion import RaggedVectorError, convert_to_half, copy_slice, plan_field
from .decimals import convert_decimals
from .row_stream import read_batches

__all__ = ["NewTable", "check_names"]

_PEEKED_ROWS = 65_536
_RESERVED = ("_rowid", "_rowaddr", "_rowoffset", "_distance", "_score", "_relevance_score")


class NewTable:
    """The schema of a new table, and its rows.

    Args:
        reader: The rows of the query.
        vectors: Lists of floating-point numbers or decimals that all have one length become vectors.
        lists: Columns that stay lists whatever their lengths.
        float16: Vector columns stored as float16: all of them, or by name.

    Raises:
        BindError: When a name cannot be that of a column.
        UnsupportedError: When Lance has no type for a column.
    """

    def __init__(
        self, reader: pa.RecordBatchReader, *, vectors: bool, lists: frozenset[str], float16: bool | str | Sequence[str]
    ) -> None:
        check_names(reader.schema.names)
        self._reader = read_batches(reader)
        self._peeked: list[pa.RecordBatch] = []
        given = reader.schema
        candidates = [
            field.name for field in given if vectors and _is_number_list(field.type) and field.name not in lists
        ]
        sizes = self._measure_lists(candidates)
        fields = []
        for field in given:
            planned = plan_field(field)
            size = sizes.get(field.name)
            if size is not None:
                planned = planned.with_type(pa.list_(_component_type(field.type), size))
            fields.append(planned)
        self._guessed = frozenset(sizes)
        self._half = _choose_half(fields, float16)
        self.schema = pa.schema(
            [
                field.with_type(pa.list_(pa.float16(), field.type.list_size)) if field.name in self._half else field
                for field in fields
            ]
        )

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows as the query gives them, from the first."""
        while self._peeked:
            yield self._peeked.pop(0)
        yield from self._reader

    def convert(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """A batch in the schema of the table."""
        arrays = [self._convert(column, field) for column, field in zip(batch.columns, self.schema, strict=True)]
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)

    def _convert(self, array: pa.Array[Any], field: pa.Field[Any]) -> pa.Array[Any]:
        if field.name in self._guessed and _find_size(array, field.type.list_size) is None:
            raise RaggedVectorError(field.name)
        if field.name in self._half and pa.types.is_fixed_size_list(array.type) and array.type != field.type:
            return copy_slice(convert_to_half(array, field.name))
        if array.type == field.type:
            return copy_slice(array)
        if field.name in self._guessed:
            component = _component_type(array.type)
            floats = convert_decimals(array, pa.list_(component)).cast(pa.list_(component))
            array = floats.cast(pa.list_(component, field.type.list_size))
            return convert_to_half(array, field.name) if field.name in self._half else array
        return copy_slice(array.cast(field.type))

    def _measure_lists(self, columns: list[str]) -> dict[str, int]:
        """The one length the lists of each column have, as far as the first rows tell."""
        sizes: dict[str, int | None] = {}
        rows = 0
        while len(sizes) < len(columns) and rows < _PEEKED_ROWS:
            batch = next(self._reader, None)
            if batch is None:
                break
            self._peeked.append(batch)
            rows += batch.num_rows
            for name in columns:
                array = batch.column(name)
                if name not in sizes and array.null_count < len(array):
                    sizes[name] = _find_size(array)
        return {name: size for name, size in sizes.items() if size is not None}


def check_names(names: Sequence[str]) -> None:
    """Refuses names that no column of a Lance table can have.

    Raises:
        BindError: With the name.
    """
    seen: set[str] = set()
    for name in names:
        if name.lower() in seen:
            raise BindError(f"two columns of the query are called '{name}'", hint="rename one of them with AS")
        seen.add(name.lower())
        if name.lower() in _RESERVED:
            raise BindError(
                f"a Lance table cannot have a column '{name}'",
                hint=f"rename it: {name} AS {name.lstrip('_')}, or leave it out",
            )
        if not name or "." in name or "`" in name:
            raise BindError(
                f"a Lance table cannot have a column '{name}'",
                hint="a name is not empty and has no '.' and no '`': rename it with AS",
            )


def _is_number_list(type_: Any) -> bool:
    if not (pa.types.is_list(type_) or pa.types.is_large_list(type_)):
        return False
    return bool(pa.types.is_floating(type_.value_type) or pa.types.is_decimal(type_.value_type))


def _component_type(type_: Any) -> pa.DataType:
    """A vector's numbers are floating-point; `[0.1, 0.2]` is a list of decimals to DuckDB."""
    component: pa.DataType = pa.float32() if pa.types.is_decimal(type_.value_type) else type_.value_type
    return component


def _find_size(array: pa.Array[Any], size: int | None = None) -> int | None:
    """The one length (of two or more) all lists have; None when there is none, or it is not `size`."""
    bounds = pc.min_max(pc.list_value_length(array))
    least, most = bounds["min"].as_py(), bounds["max"].as_py()
    if least is None:
        return size
    return int(least) if least == most and least >= 2 and size in (None, least) else None


def _choose_half(fields: Sequence[pa.Field[Any]], float16: bool | str | Sequence[str]) -> frozenset[str]:
    vectors = [
        field.name
        for field in fields
        if pa.types.is_fixed_size_list(field.type) and pa.types.is_floating(field.type.value_type)
    ]
    if isinstance(float16, bool):
        return frozenset(vectors if float16 else ())
    wanted = [float16] if isinstance(float16, str) else list(float16)
    folded = {name.lower(): name for name in vectors}
    for name in wanted:
        if name.lower() not in folded:
            known = [field.name for field in fields]
            if name.lower() in [one.lower() for one in known]:
                raise BindError(
                    f"float16 is for vectors, and column '{name}' is none",
                    hint=f"vectors: {', '.join(vectors) or 'none'}",
                )
            near = nearest_name(name, known)
            raise UnknownColumnError(
                f"float16 names column '{name}', which the query does not give",
                hint=f"did you mean '{near}'?" if near else None,
            )
    return frozenset(folded[name.lower()] for name in wanted)
