"""Statements drawn at random: searches in every place of a query, beside names and predicates of every kind."""

from __future__ import annotations

import re
from collections.abc import Iterator

import duckdb
import pytest

from lancesql.binder.filters.null_rows import rejects_null
from lancesql.parser import parse_expression

from .conftest import scaled
from .grammar_statements import Relation, StatementGrammar
from .written_out import Both, open_both

STATEMENTS = scaled(160)
BATCH = 40
TYPES = {"i": "BIGINT", "s": "VARCHAR", "b": "BOOLEAN", "d": "DATE", "l": "VARCHAR[]", "v": "FLOAT[3]"}
TYPES["t"] = "STRUCT(k INT, n VARCHAR)"


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    both = open_both(tmp_path_factory.mktemp("grammar"))
    with both.lance:
        yield both


def rejects_nulls(both: Both, predicate: str, relation: Relation) -> bool:
    """Whether a row of NULLs never meets a predicate: as DuckDB says, or where values decide it as the text says."""
    tree = parse_expression(predicate)
    said = tree is not None and rejects_null(tree)
    if "e" in relation.columns and re.search(r"\be\b", predicate, re.IGNORECASE):
        return said  # an expression of a query that is searched, whose type only the engine knows
    if said or re.search(r"\$|\bSELECT\b|\(FROM\b", predicate):
        return said
    nulls = ", ".join(f"NULL::{TYPES[type_]} AS {name}" for name, type_ in relation.columns.items())
    sql = f"SELECT ({predicate}) IS NOT TRUE FROM (SELECT {nulls}) {relation.alias}"
    ((rejected,),) = both.plain.sql(sql).fetchall()
    return bool(rejected)


@pytest.mark.parametrize("first", range(0, STATEMENTS, BATCH))
def test_statements_with_searches(both: Both, first: int) -> None:
    refused = 0
    for seed in range(first, first + BATCH):
        grammar = StatementGrammar(seed, lambda predicate, relation: rejects_nulls(both, predicate, relation))
        statement = grammar.draw_statement()
        try:
            both.check(statement.asked, statement.meant, grammar.parameters)
        except duckdb.Error:  # of what is meant
            refused += 1
    assert refused < BATCH / 2  # DuckDB 1 knows less
