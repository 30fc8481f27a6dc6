"""Names are folded by Unicode here and by ASCII in DuckDB: two that only this makes equal are refused."""

from __future__ import annotations

from collections.abc import Sequence

from lancesql.errors import Span, UnsupportedError
from lancesql.parser import Statement
from lancesql.parser.tokens import TokenType

from .drafts import Draft

__all__ = ["refuse_names_alike"]

_ASCII = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


def refuse_names_alike(statement: Statement, drafts: Sequence[Draft]) -> None:
    """Refuses a statement with names, or over tables with columns, that differ in the case of other letters alone.

    Raises:
        UnsupportedError: As `Ä` and `ä` do, which DuckDB tells apart.
    """
    if statement.sql.isascii():
        return
    known = {name.lower(): name for draft in drafts for name in draft.table.schema.names}
    for token in statement.tokens:
        if token.token_type not in (TokenType.IDENTIFIER, TokenType.VAR) or token.text.isascii():
            continue
        other = known.setdefault(token.text.lower(), token.text)
        if other.translate(_ASCII) != token.text.translate(_ASCII):
            raise UnsupportedError(
                f"the names '{other}' and '{token.text}' differ in the case of a letter outside ASCII alone",
                hint="DuckDB tells them apart; spell them alike, or give one of them another name",
                span=Span(token.start, token.end + 1),
            )
