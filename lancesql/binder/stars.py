"""Stars: `_rowid` is there for whoever names it, and in no `*`."""

from __future__ import annotations

from collections.abc import Iterable

from sqlglot import exp

from lancesql.errors import Span
from lancesql.parser import Statement
from lancesql.parser.tokens import TokenType, is_word
from lancesql.plan.sources import ROW_ID

from .drafts import Draft
from .scope import Scope
from .splice import Edit

__all__ = ["hide_row_ids"]


def hide_row_ids(statement: Statement, drafts: list[Draft], scopes: Iterable[Scope]) -> list[Edit]:
    """Leaves `_rowid` out of every star over a source: once the statement names it, each source offers it."""
    if not any(token.text.lower() == ROW_ID for token in statement.tokens):
        return []
    nodes = {id(draft.node) for draft in drafts}
    edits = []
    for scope in scopes:
        aliases = {relation.alias for relation in scope.relations if relation.visible and id(relation.node) in nodes}
        for item in scope.owner.expressions if isinstance(scope.owner, exp.Select) else ():
            star = item.this if isinstance(item, exp.Column) else item
            if not isinstance(star, exp.Star) or "end" not in star.meta:
                continue
            excluded = {column.name.lower() for column in star.args.get("except_") or ()}
            asked = {item.table.lower()} & aliases if isinstance(item, exp.Column) else aliases
            if asked and ROW_ID not in excluded:
                edits.append(_exclude(statement, star.meta["end"]))
    return edits


def _exclude(statement: Statement, star: int) -> Edit:
    tokens = statement.tokens
    at = statement.token_tree.find_token(star)
    if at + 2 >= len(tokens) or not is_word(tokens[at + 1], "EXCLUDE", "EXCEPT"):
        return Edit(Span(star + 1, star + 1), f" EXCLUDE ({ROW_ID})")
    first = tokens[at + 2]
    if first.token_type is TokenType.L_PAREN:
        return Edit(Span(first.end + 1, first.end + 1), f"{ROW_ID}, ")
    name = statement.sql[first.start : first.end + 1]
    return Edit(Span(first.start, first.end + 1), f"({ROW_ID}, {name})")
