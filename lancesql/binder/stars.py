"""Stars: `_rowid` is there for whoever names it, and in no `*`."""

from __future__ import annotations

from collections.abc import Iterable

from sqlglot import exp

from lancesql.errors import Span
from lancesql.parser import Statement
from lancesql.parser.tokens import TokenType, is_word
from lancesql.plan.sources import ROW_ID

from .drafts import Draft
from .places import find_place
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
        select = scope.owner
        if not isinstance(select, exp.Select):
            continue
        for item in select.expressions:
            star = item.this if isinstance(item, exp.Column) else item
            if not isinstance(star, exp.Star) or "end" not in star.meta:
                continue
            excluded = {column.name.lower() for column in star.args.get("except_") or ()}
            asked = {item.table.lower()} & aliases if isinstance(item, exp.Column) else aliases
            if not asked or ROW_ID in excluded:
                continue
            written = statement.sql[star.meta["end"]] == "*"
            edit = _exclude(statement, star.meta["end"]) if written else _write_star(statement, select)
            edits += [] if edit is None else [edit]
    return edits


def _write_star(statement: Statement, select: exp.Select) -> Edit | None:
    """The SELECT that `FROM docs WHERE …` leaves out."""
    place = find_place(select)
    clause = statement.token_tree.read_block(place).clauses.get("FROM") if place is not None else None
    if clause is None:
        return None
    word = statement.tokens[statement.token_tree.find_token(clause.start) - 1]
    return Edit(Span(word.start, word.start), f"SELECT * EXCLUDE ({ROW_ID}) ")


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
