"""Indexes of a table: what there are at a version, and building one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import lance
import pyarrow as pa

from lancesql.catalog import IndexInfo, TableInfo
from lancesql.errors import StorageError

from .calibration import parse_calibration
from .scan import wrap_lance_error
from .text_indexes import show_text_options

if TYPE_CHECKING:
    from .database import LanceDatabase

__all__ = ["OnProgress", "create_index", "name_kind", "read_indexes"]

OnProgress = Callable[[str, int | None, int | None], None]
"""Told the stage of a build, how much of it is done, and how much there is."""

_MAX_ITERATIONS, _SAMPLE_RATE, _LEAST_SAMPLE_RATE = 10, 128, 16
"""How long a product quantizer is trained. Measured on 34,514 × 384 float16: a tenth of the time of Lance's 50 and 256,
with the same recall, 0.97 at ten times refinement."""

_BITS_PER_DIMENSION = 1
_KINDS = {
    "BTree": "BTREE",
    "Bitmap": "BITMAP",
    "LabelList": "LABEL_LIST",
    "Inverted": "INVERTED",
    "NGram": "NGRAM",
    "ZoneMap": "ZONEMAP",
    "BloomFilter": "BLOOMFILTER",
}
_LANCE_NAMES = {
    "ngram_min_length": "min_ngram_length",
    "ngram_max_length": "max_ngram_length",
    "max_iterations": "max_iters",
}


def read_indexes(dataset: lance.LanceDataset) -> tuple[IndexInfo, ...]:
    """The indexes of a table at the version of the handle. Only a vector index's file is opened, for its partitions."""
    described = dataset.describe_indices()
    if not described:
        return ()
    rows = dataset.count_rows()
    return tuple(_describe_index(dataset, index, rows) for index in described)


def name_kind(index: Any) -> str:
    """What Lance calls the kind of an index it describes, where it is asked to make one."""
    return _KINDS.get(index.index_type, str(index.index_type).upper())


def _describe_index(dataset: lance.LanceDataset, index: Any, rows: int) -> IndexInfo:
    kind = name_kind(index)
    details = index.details or {}
    metric = partitions = code_bits = None
    uuid = "+".join(sorted(str(segment.uuid) for segment in index.segments))
    if "VectorIndex" in index.type_url:
        (column,) = index.field_names
        dimension = _find_dimension(dataset.schema, column)
        metric, code_bits = _read_details(kind, details, dimension)
        built = _read_statistics(dataset, index.name) if index.num_rows_indexed else {}
        partitions = built.get("num_partitions")
        kind = _KINDS.get(kind, str(built.get("index_type", kind)).upper())
        if metric is None:  # an index of an older Lance, that says less of itself
            metric = built.get("metric_type")
            code_bits = _read_built_bits(kind, built.get("sub_index") or {}, dimension)
    return IndexInfo(
        name=index.name,
        kind=kind,
        columns=tuple(index.field_names),
        metric=None if metric is None else str(metric).lower(),
        partitions=partitions,
        code_bits=code_bits,
        positions=bool(details.get("with_position", False)),
        text_options=show_text_options(details) if kind == "INVERTED" else None,
        rows_indexed=index.num_rows_indexed,
        rows_unindexed=max(rows - index.num_rows_indexed, 0),
        size_bytes=index.total_size_bytes,
        uuid=uuid if metric is not None else None,
        calibration=parse_calibration(dataset.config(), uuid) if metric is not None else (),
    )


def _find_dimension(schema: pa.Schema, column: str) -> int | None:
    if column not in schema.names:
        return None
    type_ = schema.field(column).type
    if pa.types.is_list(type_):
        type_ = type_.value_type
    return type_.list_size if pa.types.is_fixed_size_list(type_) else None


def _read_details(kind: str, details: Mapping[str, Any], dimension: int | None) -> tuple[str | None, float | None]:
    compression = details.get("compression") or {}
    bits = compression.get("num_bits")
    if kind.endswith("PQ"):
        parts = compression.get("num_sub_vectors")
        code_bits = parts * bits / dimension if parts and bits and dimension else None
    elif kind.endswith(("RQ", "SQ")):
        code_bits = None if bits is None else float(bits)
    else:
        code_bits = 32.0
    return details.get("metric_type"), code_bits


def _read_statistics(dataset: lance.LanceDataset, name: str) -> dict[str, Any]:
    parts: list[dict[str, Any]] = dataset.stats.index_stats(name).get("indices") or [{}]
    return max(parts, key=lambda part: part.get("num_partitions") or 0)


def _read_built_bits(kind: str, sub_index: Mapping[str, Any], dimension: int | None) -> float | None:
    if kind.endswith("PQ"):
        parts, bits = sub_index.get("num_sub_vectors"), sub_index.get("nbits")
        return parts * bits / dimension if parts and bits and dimension else None
    if kind.endswith(("RQ", "SQ")):
        return float(sub_index.get("num_bits") or 8)
    return 32.0


def create_index(
    database: LanceDatabase,
    table: TableInfo,
    column: str,
    kind: str,
    *,
    name: str | None = None,
    replace: bool = False,
    if_not_exists: bool = False,
    options: Mapping[str, object] | None = None,
    on_progress: OnProgress | None = None,
) -> str:
    """Builds an index over all rows the table has now, which may be more than at the version given.

    Args:
        database: The database.
        table: The table.
        column: The column.
        kind: `IVF_PQ`, `FTS`, `BTREE`, …
        name: The index's name; one is made of the column and the kind when it is not given.
        replace: Replace an index of the same name, or without a name one of the same family on the column.
        if_not_exists: Leave such an index as it is.
        options: As CREATE INDEX has them, checked.
        on_progress: Told how the build goes on.

    Returns:
        The index's name.

    Raises:
        StorageError: When there is such an index already, or Lance cannot build it.
    """
    try:
        dataset = lance.dataset(table.uri, storage_options=database.storage_options)
        existing = read_indexes(dataset)
    except BaseException as error:
        raise wrap_lance_error(error, f"opening table '{table.name}'") from None
    rival = _find_rival(existing, column, kind, name)
    if rival is not None and not replace:
        if if_not_exists:
            return rival.name
        raise StorageError(
            f"table '{table.name}' has an index '{rival.name}' ({_show_kind(rival)}) "
            f"on column '{rival.columns[0]}' already",
            hint="CREATE OR REPLACE INDEX builds it anew; another name builds another",
        )
    if rival is not None and rival.columns != (column,):
        raise StorageError(
            f"index '{rival.name}' is on column '{rival.columns[0]}', so it cannot be replaced by one on '{column}'",
            hint="give the new index another name",
        )
    chosen = name or (rival.name if rival is not None else _name_index(existing, column, kind))
    try:
        if kind.startswith("IVF"):
            _build_vector_index(dataset, column, kind, chosen, dict(options or {}), rival is not None, on_progress)
        else:
            create_scalar_index: Any = dataset.create_scalar_index
            create_scalar_index(
                column,
                "INVERTED" if kind == "FTS" else kind,
                name=chosen,
                replace=rival is not None,
                progress_callback=_adapt_progress(on_progress),
                **_choose_scalar_options(kind, options or {}),
            )
    except BaseException as error:
        raise wrap_lance_error(error, f"building {kind} index '{chosen}' on column '{column}'") from None
    finally:
        database.forget(table.name)
    return chosen


def _build_vector_index(
    dataset: lance.LanceDataset,
    column: str,
    kind: str,
    name: str,
    options: dict[str, object],
    replace: bool,
    on_progress: OnProgress | None,
) -> None:
    type_ = dataset.schema.field(column).type
    many = pa.types.is_list(type_)
    vector = type_.value_type if many else type_
    default = "cosine" if many else "hamming" if pa.types.is_uint8(vector.value_type) else "l2"
    if kind.endswith("PQ"):
        options.setdefault("num_sub_vectors", _choose_sub_vectors(vector.list_size, options.get("num_bits", 8)))
        options.setdefault("max_iterations", _MAX_ITERATIONS)
    _fit_training(kind, options, dataset, column)
    metric = options.pop("metric", default)
    build: Any = dataset.create_index
    build(
        column,
        kind,
        name=name,
        metric=str(metric),
        replace=replace,
        progress_callback=_adapt_progress(on_progress),
        **{_LANCE_NAMES.get(key, key): value for key, value in options.items()},
    )


def _fit_training(kind: str, options: dict[str, object], dataset: lance.LanceDataset, column: str) -> None:
    """Makes the partitions asked for possible.

    Upstream: Lance makes fewer when the vectors are fewer, or the sample of a product quantizer is too small for so
    many, and says so on the standard error alone.
    """
    quantized = kind.endswith("PQ")
    if "num_partitions" not in options:
        if quantized:
            options.setdefault("sample_rate", _SAMPLE_RATE)
        return
    vectors, wanted = _count_vectors(dataset, column), int(str(options["num_partitions"]))
    if quantized:
        options.setdefault("sample_rate", max(_LEAST_SAMPLE_RATE, min(_SAMPLE_RATE, vectors // wanted)))
        vectors //= int(str(options["sample_rate"]))
    options["num_partitions"] = max(1, min(wanted, vectors))


def _choose_sub_vectors(dimension: int, bits: object) -> int:
    """The divisor of the dimension whose codes come nearest to a bit per dimension."""
    wanted = dimension * _BITS_PER_DIMENSION / int(str(bits))
    divisors = [
        number for number in range(1, dimension + 1) if dimension % number == 0 and not (bits == 4 and number % 2)
    ]
    return min(divisors or [1], key=lambda number: (max(number / wanted, wanted / number), -number))


def _count_vectors(dataset: lance.LanceDataset, column: str) -> int:
    if "`" in column or "." in column:
        return int(dataset.count_rows())
    return int(dataset.count_rows(f"`{column}` IS NOT NULL"))


def _choose_scalar_options(kind: str, options: Mapping[str, object]) -> dict[str, object]:
    if kind != "FTS":
        return dict(options)
    chosen = {_LANCE_NAMES.get(key, key): value for key, value in options.items()}
    chosen.setdefault("with_position", True)  # so that it finds phrases
    return chosen


def _find_rival(existing: tuple[IndexInfo, ...], column: str, kind: str, name: str | None) -> IndexInfo | None:
    """The index of that name; without a name, the one of the same family on the column."""
    for index in existing:
        if name is not None:
            if index.name.lower() == name.lower():
                return index
        elif index.columns == (column,) and _find_family(index.kind) == _find_family(kind):
            return index
    return None


def _find_family(kind: str) -> str:
    return "IVF" if kind.startswith("IVF") else "FTS" if kind == "INVERTED" else kind


def _show_kind(index: IndexInfo) -> str:
    return "FTS" if index.kind == "INVERTED" else index.kind


def _name_index(existing: tuple[IndexInfo, ...], column: str, kind: str) -> str:
    taken = {index.name.lower() for index in existing}
    name = f"{column}_idx"
    if name.lower() in taken:
        name = f"{column}_{kind.lower()}_idx"
    number = 2
    while name.lower() in taken:
        name = f"{column}_{kind.lower()}_idx{number}"
        number += 1
    return name


def _adapt_progress(on_progress: OnProgress | None) -> Callable[[Any], None] | None:
    if on_progress is None:
        return None

    def report(event: Any) -> None:
        on_progress(event.stage, event.completed, event.total)

    return report
