"""Text → Statement: the tree gives the meaning, the tokens give the places.

Search calls, a LATERAL before them, `AT (…)` clauses and what sqlglot would take for something else are blanked to the
same length before the text is parsed, so every position of the tree is a position of the user's text.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from typing import NamedTuple

from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.errors import ParseError as SqlglotParseError
from sqlglot.errors import TokenError

from lancesql.errors import ParseError, Span

from .blocks import TokenTree
from .calls import SearchCall, find_search_calls
from .method_calls import name_columns
from .operators import is_distance_operator
from .parameters import ParameterUse, find_parameters
from .respelling import respell
from .snapshots import AtClause, find_at_clauses
from .text_calls import TextCall, disguise_text_calls, find_text_calls, names_text_function
from .tokens import DISTANCE_OPERATORS, Token, read_grammar_tokens, read_tokens

__all__ = ["OWN_GRAMMAR", "Statement", "disguise_statement", "parse_expression", "parse_statement"]

OWN_GRAMMAR = "a statement that names a search function or a Lance table has to be readable by lancesql's own parser"
"""The hint of a mistake that DuckDB may take for none."""


@dataclass(frozen=True)
class Statement:
    """One statement, read.

    Attributes:
        sql: The user's text of it.
        tree: What sqlglot makes of it; a search call is the table `stand_ins` maps to it.
        stand_ins: The names the calls have in the tree.
        text_calls: The calls of `match()`, `highlight()` and `snippet()` outside of those.
    """

    sql: str
    tokens: list[Token]
    token_tree: TokenTree
    tree: exp.Expr
    stand_ins: dict[str, SearchCall]
    at_clauses: tuple[AtClause, ...]
    parameters: tuple[ParameterUse, ...]
    text_calls: tuple[TextCall, ...] = ()


def parse_statement(sql: str, tokens: list[Token] | None = None) -> Statement:
    """Reads one statement.

    Raises:
        ParseError: When the text is not a statement of DuckDB's SQL.
    """
    tokens = read_tokens(sql) if tokens is None else tokens
    disguise = _disguise(sql, tokens)
    return Statement(
        sql=sql,
        tokens=tokens,
        token_tree=TokenTree(tokens),
        tree=_parse_tree(disguise.text, sql),
        stand_ins=disguise.stand_ins,
        at_clauses=disguise.at_clauses,
        parameters=find_parameters(tokens),
        text_calls=disguise.text_calls,
    )


def disguise_statement(sql: str) -> str:
    """The text without what is lancesql's own, as long as it was: names for searches, nothing for `AT (…)`."""
    return _disguise(sql, read_tokens(sql)).text


class _Disguise(NamedTuple):
    text: str
    stand_ins: dict[str, SearchCall]
    at_clauses: tuple[AtClause, ...]
    text_calls: tuple[TextCall, ...]


def _disguise(sql: str, tokens: list[Token]) -> _Disguise:
    calls = find_search_calls(tokens)
    at_clauses = find_at_clauses(tokens)
    prefix = _choose_prefix(sql)
    stand_ins = {f"{prefix}{number}": call for number, call in enumerate(calls)}
    hidden = [call.span for call in calls]
    text_calls = find_text_calls(tokens, hidden) if names_text_function(sql) else ()
    text = disguise_text_calls(_spell_operators(sql, tokens), text_calls)
    for name, call in stand_ins.items():
        text = _replace_same_length(text, call.span, name)
        if call.lateral is not None:
            text = _replace_same_length(text, call.lateral, "")  # sqlglot's LATERAL takes no bare name
    for clause in at_clauses:
        text = _replace_same_length(text, clause.span, "")
    return _Disguise(text, stand_ins, at_clauses, text_calls)


def parse_expression(sql: str) -> exp.Expr | None:
    """The tree of an expression that was cut from a statement; None when sqlglot cannot read it alone."""
    text = _spell_operators(sql, read_tokens(sql)) if any(one in sql for one in DISTANCE_OPERATORS) else sql
    if names_text_function(text):
        text = disguise_text_calls(text, find_text_calls(read_tokens(text)))
    try:
        trees = _read_trees(text)
    except (SqlglotParseError, TokenError, RecursionError):
        return None
    return trees[0] if trees else None


def _read_trees(text: str) -> list[exp.Expr]:
    try:
        trees = DuckDB().parser().parse(read_grammar_tokens(text), text)
    except SqlglotParseError:
        respelt = respell(text, read_tokens(text))
        if respelt == text:
            raise
        trees = DuckDB().parser().parse(read_grammar_tokens(respelt), respelt)
    return [name_columns(tree) for tree in trees if tree is not None]


def _spell_operators(sql: str, tokens: list[Token]) -> str:
    """The text with every distance operator as `<->`, the one sqlglot knows: `<=>` means another thing to it."""
    for token in tokens:
        if token.text != "<->" and is_distance_operator(token):
            sql = _replace_same_length(sql, Span(token.start, token.end + 1), "<->")
    return sql


def _is_no_fallback(record: logging.LogRecord) -> bool:
    return "Falling back to parsing as a 'Command'" not in record.getMessage()


logging.getLogger("sqlglot").addFilter(_is_no_fallback)  # a statement of another kind is DuckDB's, not a warning


def _parse_tree(text: str, sql: str) -> exp.Expr:
    try:
        trees = _read_trees(text)
    except SqlglotParseError as error:
        raise _explain_failure(error, text, sql) from None
    except RecursionError:
        raise ParseError("the statement is nested too deeply to be read") from None
    if len(trees) != 1:
        raise ParseError("one statement is expected here")
    return trees[0]


_UNEXPECTED = re.compile(
    r"Expected ([a-z ]+) but got <Token token_type: TokenType\.(\w+),.* start: (\d+), end: (\d+),.*>"
)


def _explain_failure(error: SqlglotParseError, text: str, sql: str) -> ParseError:
    details = error.errors[0] if error.errors else {}
    message = str(details.get("description") or "the text is not a statement").rstrip(".")
    span = None
    before, highlight = str(details.get("start_context") or ""), str(details.get("highlight") or "")
    if highlight and (found := text.find(before + highlight)) >= 0:
        span = Span(found + len(before), found + len(before) + len(highlight))
    if unexpected := _UNEXPECTED.fullmatch(message):
        wanted, kind, first, last = unexpected.groups()
        ends = kind == "SENTINEL"
        span = Span(len(sql), len(sql)) if ends else Span(int(first), int(last) + 1)
        message = f"the statement ends where a {wanted} is expected" if ends else f"a {wanted} is expected here"
    elif "<class" in message:
        message = "something is missing here"
    elif span is not None and message.startswith("Invalid expression"):
        message = f"'{sql[span.start : span.end][:40]}' is not expected here"
    return ParseError(
        f"syntax error: {message}",
        hint=OWN_GRAMMAR,
        span=span,
    )


def _choose_prefix(sql: str) -> str:
    prefix = "_s"
    while prefix in sql:
        prefix += "s"
    return prefix


def _replace_same_length(text: str, span: Span, name: str) -> str:
    return text[: span.start] + name.ljust(span.end - span.start) + text[span.end :]
