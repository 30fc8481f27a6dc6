"""Distances and the operators of pgvector, read from tokens."""

from __future__ import annotations

import pytest

from lancesql.parser import parse_expression, parse_statement, read_tokens
from lancesql.parser.blocks import TokenTree
from lancesql.parser.distances import read_distance
from lancesql.parser.operators import find_operands, is_distance_operator


def find_parts(sql: str) -> list[tuple[str, str, str]]:
    tree = TokenTree(read_tokens(sql))
    parts = []
    for index, token in enumerate(tree.tokens):
        if is_distance_operator(token):
            left, right = (tree.span(*operand) for operand in find_operands(tree, index))
            parts.append((sql[left.start : left.end], token.text, sql[right.start : right.end]))
    return parts


@pytest.mark.parametrize(
    ("sql", "parts"),
    [
        ("SELECT v <#> $q d FROM t", ("v", "<#>", "$q")),
        ("SELECT v<#>?, 1", ("v", "<#>", "?")),
        ("SELECT a, 1 + d.v <-> q.x[1]::FLOAT[4] AS y", ("1 + d.v", "<->", "q.x[1]::FLOAT[4]")),
        ("WHERE a AND f(v, 2) <+> CASE WHEN 1 THEN [1] END < 3", ("f(v, 2)", "<+>", "CASE WHEN 1 THEN [1] END")),
        ("CASE WHEN 1 THEN v ELSE w END <=> $1", ("CASE WHEN 1 THEN v ELSE w END", "<=>", "$1")),
        ("ORDER BY v <#> '[1,2]' LIMIT 3", ("v", "<#>", "'[1,2]'")),
        ("ORDER BY v <=> ARRAY[1, 2] DESC", ("v", "<=>", "ARRAY[1, 2]")),
        ("a || b <=> c || d", ("a || b", "<=>", "c")),
        ("d: v<#>(SELECT 1)", ("v", "<#>", "(SELECT 1)")),
        ("{'a': \"my v\"<#>-$1::FLOAT[3]}", ('"my v"', "<#>", "-$1::FLOAT[3]")),
        ("x BETWEEN v <-> q + r * 2 AND 3", ("v", "<->", "q + r * 2")),
        ("NOT lance.docs.v <-> embed('x').v = 3", ("lance.docs.v", "<->", "embed('x').v")),
        ("[v <-> q for v in vs]", ("v", "<->", "q")),
        ("lambda v: v <-> FLOAT '1'", ("v", "<->", "FLOAT '1'")),
    ],
)
def test_operands(sql: str, parts: tuple[str, str, str]) -> None:
    assert find_parts(sql) == [parts]


def test_what_is_no_operator() -> None:
    assert find_parts("SELECT '<->', \"<#>\", a < +b, c <-1, d -> d, 1 /* <#> */ -- <+>") == []


@pytest.mark.parametrize("operator", ["<->", "<=>", "<#>", "<+>"])
def test_every_operator_is_a_distance_to_the_tree(operator: str) -> None:
    tree = parse_expression(f"v {operator} $q < 3")
    assert tree is not None
    assert tree.sql(dialect="duckdb") == "v <-> $q < 3"
    statement = parse_statement(f"SELECT '{operator}', v {operator} w FROM t")
    assert statement.tree.sql(dialect="duckdb") == f"SELECT '{operator}', v <-> w FROM t"


@pytest.mark.parametrize(
    ("sql", "function", "metric", "rising"),
    [
        ("array_distance(v, $q)", "array_distance", "l2", True),
        ("LIST_COSINE_DISTANCE($q, v)", "list_cosine_distance", "cosine", True),
        ("array_negative_dot_product(v, [1, 2])", "array_negative_dot_product", "dot", True),
        ("((v <-> $q::FLOAT[4]))", "<->", "l2", True),
        ("v <=> '[1, 2]'", "<=>", "cosine", True),
        ("v <#> (SELECT 1)", "<#>", "dot", True),
        ("v <+> $1", "<+>", "l1", True),
        ("1 - array_cosine_similarity(v, [1, 2])", "array_cosine_similarity", "cosine", True),
        ("-list_inner_product(v, $q)", "list_inner_product", "dot", True),
        ("array_inner_product(v, $q)", "array_inner_product", "dot", False),
    ],
)
def test_distances(sql: str, function: str, metric: str, rising: bool) -> None:
    tree = TokenTree(read_tokens(sql))
    found = read_distance(tree, 0, len(tree.tokens))
    assert found is not None
    assert (found.function, found.metric, found.rising) == (function, metric, rising)


@pytest.mark.parametrize(
    "sql",
    [
        "v",
        "(v <-> q) * 2",
        "-(v <-> q)",
        "1 / (v <-> q)",
        "v <-> q < 3",
        "array_distance(v)",
        "list_distance(a, b, c)",
        "array_distance(v, q) + 1",
        "my_distance(v, q)",
        "'array_distance'(v, q)",
        "1 - array_inner_product(v, q)",
        "-array_cosine_similarity(v, q)",
        "2 - array_cosine_similarity(v, q)",
        "array_length(v, q)",
    ],
)
def test_what_is_not_a_distance_alone(sql: str) -> None:
    tree = TokenTree(read_tokens(sql))
    assert read_distance(tree, 0, len(tree.tokens)) is None
