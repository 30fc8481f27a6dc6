"""EXPLAIN, read."""

from __future__ import annotations

from lancesql.errors import ArgumentError, LanceSQLError, ParseError, Span, nearest_name
from lancesql.parser.tokens import TokenType, is_word

from .cursor import TokenCursor
from .syntax import ExplainSyntax

__all__ = ["read_explain"]

_OPTIONS = ("ANALYZE", "FORMAT", "RECALL", "SQL")
_FORMATS = ("text", "json")
_QUERIES = (
    "SELECT", "FROM", "WITH", "VALUES", "TABLE", "PIVOT", "UNPIVOT", "SUMMARIZE", "DESCRIBE", "SHOW"
)  # fmt: skip


def read_explain(cursor: TokenCursor) -> ExplainSyntax | None:
    """`EXPLAIN [ANALYZE] [(FORMAT TEXT | JSON, ANALYZE, RECALL, SQL)] statement`."""
    given: dict[str, Span] = {}
    format_ = "text"
    problem: LanceSQLError | None = None
    if cursor.at_word("ANALYZE"):
        given["ANALYZE"] = cursor.span
        cursor.take()
    if _at_options(cursor):
        cursor.take()
        try:
            format_ = _read_option(cursor, given, format_)
            while cursor.accept_kind(TokenType.COMMA):
                format_ = _read_option(cursor, given, format_)
            if not cursor.accept_kind(TokenType.R_PAREN):
                raise cursor.expected("',' or ')'")
        except (ParseError, ArgumentError) as error:
            problem = error
            _skip_brackets(cursor)
    if cursor.at_end():
        raise problem or cursor.expected("a statement")
    if problem is None and "SQL" in given and ("ANALYZE" in given or "RECALL" in given or format_ != "text"):
        problem = ArgumentError(
            "SQL is what DuckDB is given, and goes with none of the other options",
            hint="(FORMAT JSON) has it under 'relation'",
            span=given["SQL"],
        )
    shown = "sql" if "SQL" in given else format_
    return ExplainSyntax("ANALYZE" in given, cursor.rest, "RECALL" in given, shown, problem)  # type: ignore[arg-type]


def _at_options(cursor: TokenCursor) -> bool:
    """Whether a bracket opens options and not a query."""
    option = cursor.ahead(1)
    return (
        cursor.at_kind(TokenType.L_PAREN)
        and option is not None
        and option.token_type is not TokenType.L_PAREN
        and not is_word(option, *_QUERIES)
    )


def _read_option(cursor: TokenCursor, given: dict[str, Span], format_: str) -> str:
    place = cursor.span
    name = cursor.read_word()
    word = "" if name is None else name.parts[0].upper()
    if word not in _OPTIONS:
        near = nearest_name(word, _OPTIONS)
        listed = f"EXPLAIN takes {', '.join(_OPTIONS)}"
        raise ArgumentError(
            f"EXPLAIN has no option '{cursor.text_of(place)}'",
            hint=f"did you mean '{near}'? {listed}" if near else listed,
            span=place,
        )
    if word != "FORMAT":
        if cursor.accept("FALSE"):
            return format_
        cursor.accept("TRUE")
        given[word] = place
        return format_
    given[word] = place
    place = cursor.span
    value = str(cursor.read_value()).lower()
    if value not in _FORMATS:
        near = nearest_name(value, _FORMATS)
        listed = f"formats: {', '.join(_FORMATS)}"
        raise ArgumentError(
            f"there is no format '{value}' of a plan over Lance tables",
            hint=f"did you mean '{near}'? {listed}" if near else listed,
            span=place,
        )
    return value


def _skip_brackets(cursor: TokenCursor) -> None:
    while not cursor.at_end() and not cursor.accept_kind(TokenType.R_PAREN):
        cursor.take()
