"""The names that a SELECT list gives its expressions, which DuckDB lets the rest of the block use."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlglot import exp

from lancesql.errors import Span
from lancesql.parser import Statement, parse_expression
from lancesql.parser.blocks import Block, split_list
from lancesql.parser.tokens import TokenType, is_word

from .scope import Scope
from .splice import Edit, splice

__all__ = ["list_written_columns", "read_select_aliases", "write_out_aliases"]

_FUNCTION_COLUMNS: dict[type[exp.Expr], set[str]] = {
    exp.Unnest: {"unnest"},
    exp.GenerateSeries: {"range", "generate_series"},
}


def read_select_aliases(statement: Statement, block: Block, scope: Scope | None) -> dict[str, Span]:
    """`expression AS name`, `expression name` and `name: expression`: name in lower case → where the expression stands.

    Of several expressions of one name the last is meant, as DuckDB has it.
    """
    span = block.clauses.get("SELECT")
    if span is None or scope is None:
        return {}
    tree, tokens = statement.token_tree, statement.tokens
    first, end = tree.find_token(span.start), tree.find_token(span.end - 1) + 1
    if is_word(tokens[first], "DISTINCT", "ALL"):
        first += 1
        if is_word(tokens[first], "ON") and first + 1 in tree.partner:
            first = tree.partner[first + 1] + 1
    items = split_list(tree, first, end)
    aliases: dict[str, Span] = {}
    if len(items) != len(scope.owner.expressions):
        return {}
    for (start, stop), item in zip(items, scope.owner.expressions, strict=True):
        if not isinstance(item, exp.Alias) or stop - start < 2:
            continue
        if tokens[start].text == item.alias and tokens[start + 1].token_type is TokenType.COLON:
            expression = (start + 2, stop)
        else:
            expression = (start, stop - (2 if is_word(tokens[stop - 2], "AS") else 1))
        if expression[0] < expression[1]:
            aliases[item.alias.lower()] = tree.span(*expression)
    return aliases


def write_out_aliases(
    text: str,
    aliases: Mapping[str, Span],
    write: Callable[[Span], str],
    is_meant: Callable[[exp.Column, exp.Expr], bool],
) -> str | None:
    """A predicate with the aliases it names written out; None when what comes of it cannot be read.

    Args:
        text: The predicate.
        aliases: Those of the block.
        write: The expression that stands at a place of the statement.
        is_meant: Whether a column without a qualifier, within the predicate, is the alias of its name.
    """
    for _ in aliases:  # one may name another
        tree = parse_expression(text)
        if tree is None:
            return None
        edits = [
            Edit(Span(column.this.meta["start"], column.this.meta["end"] + 1), f"({write(aliases[name])})")
            for column in tree.find_all(exp.Column)
            if (name := column.name.lower()) in aliases
            and not column.table
            and "start" in column.this.meta
            and is_meant(column, tree)
        ]
        if not edits:
            break
        text = splice(text, edits)
    return text


def list_written_columns(scope: Scope) -> set[str]:
    """Columns of a block's relations that the text gives a name, in lower case: an alias of that name hides none."""
    names: set[str] = set()
    for relation in scope.relations:
        node = relation.node
        given = [name.lower() for name in getattr(node, "alias_column_names", ())]
        if not relation.visible:
            continue
        names |= set(given)
        body = node.this if isinstance(node, exp.Lateral | exp.Subquery | exp.Table) else node
        body = body.this if isinstance(body, exp.Subquery) else body
        if isinstance(body, exp.Select):
            named = [item.alias_or_name.lower() for item in body.expressions[len(given) :]]
            names |= set(named) if not any(item.is_star for item in body.expressions[: len(given)]) else set()
        elif isinstance(body, exp.Values) and isinstance(body.expressions[0], exp.Tuple):
            names |= {f"col{at}" for at in range(len(given), len(body.expressions[0].expressions))}
        elif not given:
            names |= _FUNCTION_COLUMNS.get(type(body), set())
    return names - {"", "*"}
