"""Rule: `column IN (SELECT …)` is answered by the subquery's keys, read before the source."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlglot import exp

from lancesql.catalog import Catalog, TableInfo
from lancesql.parser import parse_expression, read_tokens
from lancesql.parser.parameters import find_parameters
from lancesql.parser.tokens import TokenType, find_closing, is_word
from lancesql.plan.display import flatten
from lancesql.plan.parts import change_parts
from lancesql.plan.query import QueryPlan
from lancesql.plan.sources import Conjunct, KeyQuery, Source, is_key_type

__all__ = ["find_key_queries"]


def find_key_queries(plan: QueryPlan, catalog: Catalog) -> QueryPlan:
    """Refused for NOT IN, for a list of rows, and for a subquery that names the source it stands beside."""
    return replace(plan, sources=tuple(_mark(source) for source in plan.sources))


def _mark(source: Source) -> Any:
    marked = tuple(_find_keys(conjunct, source.alias, source.table) for conjunct in source.filter)
    return change_parts(replace(source, filter=marked), _mark)


def _find_keys(conjunct: Conjunct, alias: str, table: TableInfo) -> Conjunct:
    tree = parse_expression(conjunct.sql) if conjunct.subquery and conjunct.predicate is None else None
    if not isinstance(tree, exp.In) or tree.args.get("query") is None or not isinstance(tree.this, exp.Column):
        return conjunct
    matches = [field for field in table.schema if field.name.lower() == tree.this.name.lower()]
    if len(matches) != 1 or not is_key_type(matches[0].type):
        return conjunct
    tokens = read_tokens(conjunct.sql)
    at = next(index for index, token in enumerate(tokens) if is_word(token, "IN"))
    if at + 1 >= len(tokens) or tokens[at + 1].token_type is not TokenType.L_PAREN:
        return conjunct
    if find_closing(tokens, at + 1) != len(tokens) - 1:
        return conjunct
    inside = tokens[at + 2 : -1]
    if any(token.text.lower() == alias.lower() for token in inside):
        return conjunct  # the subquery may look at the source's own row
    text = conjunct.sql[tokens[at + 1].end + 1 : tokens[-1].start].strip()
    shown = flatten(text)
    keys = KeyQuery(
        column=matches[0].name,
        sql=text,
        label=f"of ({shown if len(shown) <= 60 else shown[:57] + '…'})",
        prelude=conjunct.prelude,
        parameters=tuple(dict.fromkeys(use.name for use in find_parameters(tokens))),
    )
    return replace(conjunct, keys=keys)
