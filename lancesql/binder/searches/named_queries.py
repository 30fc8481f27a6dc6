"""Common table expressions that are searched by their names: `vector_search('recent', …)`."""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from lancesql.binder.filters.ctes import find_cte, find_visible_cte
from lancesql.binder.scope import is_within
from lancesql.binder.splice import number_parameters, splice
from lancesql.errors import Span, UnsupportedError
from lancesql.parser import Statement
from lancesql.parser.calls import Argument
from lancesql.parser.tokens import TokenType, find_closing, is_word
from lancesql.plan.spelling import quote_name

__all__ = ["NamedQueries", "read_name"]


@dataclass(frozen=True)
class NamedQueries:
    """The common table expressions of a statement that are visible somewhere in it.

    Attributes:
        statement: The statement.
        call: The table that a search call is in its tree, where the queries are written out.
        span: The place of the search's argument, for errors.
        place: Where names are looked up.
    """

    statement: Statement
    call: exp.Table
    span: Span
    place: exp.Expr

    def find(self, name: str) -> tuple[str, NamedQueries] | None:
        """The text of the query of that name, and what names mean within it; None when there is none.

        Raises:
            UnsupportedError: When a name means another thing within the query than where the search stands.
        """
        cte = find_visible_cte(name, self.place)
        if cte is None:
            return None
        if is_within(self.place, cte):
            raise UnsupportedError("a query that reads itself cannot be searched", span=self.span)
        for node in cte.this.find_all(exp.Table):
            meant = find_cte(node)
            if node.args.get("db") is not None or (meant is not None and is_within(meant, cte)):
                continue
            if meant is not find_visible_cte(node.name, self.call):
                raise UnsupportedError(
                    f"'{name}' reads '{node.name}', and another common table expression here has that name",
                    hint=f"give that one another name; lance.{node.name} is always the Lance table",
                    span=self.span,
                )
        return _read_text(cte, self.statement), NamedQueries(self.statement, self.call, self.span, cte.this)


def read_name(argument: Argument) -> str | None:
    """The name that is all of an argument: `docs`, `"docs"` or `'docs'`."""
    if argument.name is not None or len(argument.tokens) != 1:
        return None
    token = argument.tokens[0]
    return token.text if token.token_type in (TokenType.STRING, TokenType.VAR, TokenType.IDENTIFIER) else None


def _read_text(cte: exp.CTE, statement: Statement) -> str:
    tokens = statement.tokens
    alias = cte.args["alias"]
    at = statement.token_tree.find_token(alias.this.meta["start"]) + 1
    while not is_word(tokens[at], "AS"):
        at = find_closing(tokens, at) + 1 if tokens[at].token_type is TokenType.L_PAREN else at + 1
    while tokens[at].token_type is not TokenType.L_PAREN:
        at += 1
    body = Span(tokens[at].end + 1, tokens[find_closing(tokens, at)].start)
    numbered = number_parameters(statement)
    text = splice(statement.sql, numbered, body)
    if not alias.columns:
        return text
    return (
        f"SELECT * FROM ({text}) AS {quote_name(cte.alias)}({', '.join(quote_name(one.name) for one in alias.columns)})"
    )
