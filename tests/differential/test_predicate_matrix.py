"""Every type × every operator × {low, middle, high, NULL, edge}, over tables whose indexes are fresh or behind."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest

from .checks import WAYS, Database, check_predicate
from .conftest import NIGHTLY
from .literals import is_list, is_writable, write_literal, write_name
from .tables import COLUMNS, INDEXES, STATES, Column

TABLES = [f"{index}_{state}" for state, index in itertools.product(STATES, INDEXES)]
OPERATORS = ("=", "<>", "<", "<=", ">", ">=")


def write_predicates(column: Column) -> Iterator[tuple[str, dict[str, Any]]]:
    name = f"t.{write_name(column.name)}"
    few = pa.types.is_integer(column.type) or pa.types.is_string(column.type) or pa.types.is_nested(column.type)
    values = list(column.pool) if NIGHTLY or not few else [*column.pool[:6], *column.pool[-4:]]
    pairs = itertools.product(enumerate(OPERATORS), enumerate([*values, None]))
    for at, ((row, operator), (place, value)) in enumerate(pairs):
        if not NIGHTLY and (row + row // 2 + place) % 2:
            continue  # by day every operator meets every other value, and every value three operators
        if is_writable(value) and (NIGHTLY or at % 3):
            yield f"{name} {operator} {write_literal(value)}", {}
        else:
            yield f"{name} {operator} $value", {"value": value}
    yield f"{name} IS NULL", {}
    yield f"{name} IS NOT NULL", {}
    written = [write_literal(value) for value in values if is_writable(value)]
    low, middle, high = written[0], written[len(written) // 2], written[-1]
    yield f"{name} IN ({low}, {middle})", {}
    yield f"{name} IN ({', '.join(written)})", {}
    yield f"{name} IN ({low}, NULL)", {}
    yield f"{name} NOT IN ({low}, {high})", {}
    yield f"{name} NOT IN ({middle}, NULL)", {}
    yield f"{name} BETWEEN {low} AND {high}", {}
    yield f"{name} NOT BETWEEN {low} AND {middle}", {}
    yield f"{name} BETWEEN $a AND $b", {"a": values[0], "b": values[1]}
    yield f"NOT ({name} = {middle})", {}
    yield f"NOT ({name} > {middle} OR {name} IS NULL)", {}
    yield f"{name} > {low} AND {name} <= {high}", {}
    yield f"{name} = {low} OR {name} = {high} OR {name} IS NULL", {}
    yield f"{name} IS DISTINCT FROM {middle}", {}
    yield f"{name} IS NOT DISTINCT FROM NULL", {}
    yield f"{middle} < {name}", {}
    yield f"{name} = {name}", {}
    yield f"coalesce({name}, {middle}) = {middle}", {}
    yield f"CASE WHEN {name} = {middle} THEN true ELSE {name} IS NULL END", {}
    if pa.types.is_boolean(column.type):
        yield from ((text, {}) for text in (name, f"NOT {name}", f"{name} IS TRUE", f"{name} IS NOT FALSE"))
    if is_list(column.type):
        yield from write_list_predicates(column, name)


def write_list_predicates(column: Column, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    elements = list(dict.fromkeys(element for value in column.pool for element in value))
    for element in elements:
        yield f"list_contains({name}, {write_literal(element)})", {}
        yield f"NOT array_has({name}, $value)", {"value": element}
    yield f"len({name}) > 1", {}
    yield f"list_has_any({name}, [{write_literal(elements[0])}, {write_literal(elements[-1])}])", {}
    yield f"{name}[1] = {write_literal(elements[0])}", {}


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.name)
def test_rows_under_every_operator(database: Database, column: Column) -> None:
    shift = COLUMNS.index(column)
    problems: list[str] = []
    for at, (where, parameters) in enumerate(write_predicates(column)):
        if NIGHTLY:
            for table in TABLES:
                problems += check_predicate(database, table, where, parameters)
        else:
            table, way = TABLES[(at * 4 + shift) % len(TABLES)], WAYS[(at // 2) % len(WAYS)]
            problems += check_predicate(database, table, where, parameters, ways=(way,))
    assert not problems, f"{len(problems)} wrong\n" + "\n".join(problems[:12])
