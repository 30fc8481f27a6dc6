"""What the relation may ask of a source: the columns it names, or everything."""

from __future__ import annotations

from sqlglot import exp

from lancesql.errors import Span
from lancesql.parser import Statement
from lancesql.parser.tokens import TokenType
from lancesql.plan.query import Usage

from .drafts import Draft, contains, is_reshaped
from .scope import Scope

__all__ = ["read_usage"]


def read_usage(draft: Draft, scope: Scope | None, statement: Statement) -> Usage:
    """Reads the statement's names, and whether a star or the like asks for every column of the source."""
    names = frozenset(
        token.text.lower()
        for token in statement.tokens
        if token.token_type is not TokenType.STRING and not contains(draft.span, Span(token.start, token.end + 1))
    )
    return Usage(draft.placeholder, names, everything=_needs_everything(draft, scope))


def _needs_everything(draft: Draft, scope: Scope | None) -> bool:
    if scope is None or scope.natural or is_reshaped(draft.node) or not isinstance(scope.owner, exp.Select):
        return True
    alias = draft.alias.lower()
    for item in scope.owner.expressions:
        star = item.this if isinstance(item, exp.Column) else item
        if isinstance(star, exp.Star) and (not isinstance(item, exp.Column) or item.table.lower() == alias):
            return True
    if next(scope.owner.find_all(exp.Columns), None) is not None:
        return True
    if any(isinstance(star.parent, exp.Array | exp.Struct | exp.Anonymous) for star in scope.owner.find_all(exp.Star)):
        return True
    columns = {name.lower() for name in draft.table.schema.names}
    return any(
        not column.table and column.name.lower() == alias and alias not in columns
        for column in scope.owner.find_all(exp.Column)
    )
