"""executemany: one statement over a table of parameters, where that means the same as one statement for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from lancesql.errors import BindError, CardinalityError, LanceSQLError, ParseError, Span, UnsupportedError
from lancesql.parser import read_tokens
from lancesql.parser.commands import DeleteSyntax, InsertSyntax, UpdateSyntax, read_command
from lancesql.parser.parameters import ParameterUse, find_parameters
from lancesql.parser.tokens import Token, TokenType, find_closing, is_word
from lancesql.plan.composition import Composition, compose

__all__ = ["ROWS", "Batch", "plan_batch"]

ROWS = "__lancesql_parameters"
_NUMBERS = (int, float)


@dataclass(frozen=True)
class Batch:
    """One statement for many parameters.

    Attributes:
        composition: Its text.
        rows: The parameters: a column for each, a row for each time the statement would be executed.
    """

    composition: Composition
    rows: pa.Table

    @property
    def sql(self) -> str:
        """The text of the statement."""
        return self.composition.text

    def place(self, error: LanceSQLError) -> LanceSQLError:
        """The error, placed in the statement as it was written."""
        return self.composition.place_error(error).locate(self.composition.sql)

    def may_be_split(self, error: LanceSQLError) -> bool:
        """Whether the statement for each of the parameters might succeed, or say better what is wrong.

        Such an error has written nothing: a row met two parameters, or the statement could not be planned.
        """
        return isinstance(error, CardinalityError | BindError | ParseError | UnsupportedError)


def plan_batch(sql: str, parameters: Sequence[Any], writes_lance: Callable[[str], bool]) -> Batch | None:
    """The one statement that means the same; None when there is none.

    Args:
        sql: The statement.
        parameters: What it is executed for.
        writes_lance: Whether a statement writes to a Lance table, each write of which is a commit.
    """
    try:
        tokens = read_tokens(sql)
        uses = find_parameters(tokens)
        syntax = read_command(sql, tokens) if uses else None
        parts: list[str | Span] | None = None
        if isinstance(syntax, InsertSyntax) and syntax.problem is None:
            parts = _write_insert(sql, tokens, uses, syntax)
        elif isinstance(syntax, UpdateSyntax | DeleteSyntax) and syntax.problem is None and writes_lance(sql):
            parts = _write_change(sql, tokens, uses, syntax)
    except LanceSQLError:
        return None  # executing it will say what is wrong
    rows = None if parts is None else _read_rows(uses, parameters)
    return None if parts is None or rows is None else Batch(compose(sql, parts), rows)


def _write_insert(
    sql: str, tokens: Sequence[Token], uses: Sequence[ParameterUse], syntax: InsertSyntax
) -> list[str | Span] | None:
    """`INSERT … VALUES (…)` as `INSERT … SELECT … FROM parameters`."""
    body = syntax.body
    if body is None or any(not _is_within(use.span, body) for use in uses):
        return None
    within = [token for token in tokens if body.start <= token.start < body.end]
    one_row = len(within) > 2 and is_word(within[0], "VALUES") and within[1].token_type is TokenType.L_PAREN
    if not one_row or find_closing(within, 1) != len(within) - 1 or _names(within, {"default", "select"}):
        return None
    values = Span(within[1].end + 1, within[-1].start)
    return [
        *(Span(0, body.start), "SELECT ", *_replace_uses(values, uses), f" FROM {ROWS}"),
        Span(body.end, len(sql)),
    ]


def _write_change(
    sql: str, tokens: Sequence[Token], uses: Sequence[ParameterUse], syntax: UpdateSyntax | DeleteSyntax
) -> list[str | Span] | None:
    """`UPDATE … WHERE` as `UPDATE … FROM parameters WHERE`, `DELETE` the same with USING.

    What one statement writes, the next might look for: its condition has to be of columns that are not set.
    """
    where = syntax.where
    if where is None or syntax.using is not None or syntax.returning is not None or syntax.prefix is not None:
        return None
    written: set[str] = {"select"}
    at = syntax.target.end
    if isinstance(syntax, UpdateSyntax):
        written |= {one.column.parts[-1].lower() for one in syntax.assignments}
        last = syntax.assignments[-1].value
        if not isinstance(last, Span):
            return None
        at = last.end
    asks = [token for token in tokens if where.start <= token.start < where.end]
    if _names(asks, written) or _names(tokens[1:], {"select"}) or not any(_is_within(use.span, where) for use in uses):
        return None
    word = "FROM" if isinstance(syntax, UpdateSyntax) else "USING"
    before, behind = Span(0, at), Span(at, len(sql))
    return [*_replace_uses(before, uses), f" {word} {ROWS} ", *_replace_uses(behind, uses)]


def _names(tokens: Sequence[Token], names: set[str]) -> bool:
    return any(token.text.lower() in names for token in tokens)


def _is_within(span: Span, other: Span) -> bool:
    return other.start <= span.start < other.end


def _replace_uses(span: Span, uses: Sequence[ParameterUse]) -> list[str | Span]:
    parts: list[str | Span] = []
    at = span.start
    for use in uses:
        if _is_within(use.span, span):
            parts += [Span(at, use.span.start), f"{ROWS}.{_name_column(use)}"]
            at = use.span.end
    return [*parts, Span(at, span.end)]


def _name_column(use: ParameterUse) -> str:
    return f"__lancesql_{use.name}"


def _read_rows(uses: Sequence[ParameterUse], parameters: Sequence[Any]) -> pa.Table | None:
    """The parameters as a table; None when they do not fit, or the values of one have several types."""
    by_name = {use.name: use for use in uses}
    columns: dict[str, pa.Array[Any]] = {}
    kinds = set(map(type, parameters))
    if all(issubclass(kind, Mapping) for kind in kinds) and all(one.keys() == by_name.keys() for one in parameters):
        values = {name: [one[name] for one in parameters] for name in by_name}
    elif all(map(_is_list, kinds)) and set(map(len, parameters)) == {len(by_name)} and all(map(str.isdigit, by_name)):
        turned = list(zip(*parameters, strict=True))
        if sorted(map(int, by_name)) != list(range(1, len(turned) + 1)):
            return None
        values = {name: list(turned[int(name) - 1]) for name in by_name}
    else:
        return None
    for name, use in by_name.items():
        array = _read_column(values[name])
        if array is None:
            return None
        columns[_name_column(use)] = array
    return pa.table(columns)


def _is_list(kind: type) -> bool:
    return issubclass(kind, Sequence) and not issubclass(kind, str | bytes)


def _read_column(values: list[Any]) -> pa.Array[Any] | None:
    """The values as Arrow, where it takes each for what DuckDB would; None otherwise.

    pyarrow makes dates of moments beside dates, and moments in UTC of those without a zone beside others.
    """
    kinds = set(map(type, values)) - {type(None)}
    if len(kinds) > 1 and all(issubclass(kind, list | tuple) or hasattr(kind, "tolist") for kind in kinds):
        values = [value if value is None or isinstance(value, list) else _make_list(value) for value in values]
        kinds = {list}
    if len(kinds) > 1 and not all(kind in _NUMBERS for kind in kinds):
        return None
    zoned = any(hasattr(kind, "tzinfo") for kind in kinds)
    if zoned and len({value.tzinfo is None for value in values if value is not None}) > 1:
        return None
    if any(hasattr(kind, "ndim") for kind in kinds) and any(getattr(value, "ndim", 1) > 1 for value in values):
        values = [None if value is None else _make_list(value) for value in values]
    try:
        array: pa.Array[Any] = pa.array(values)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        return None
    return array


def _make_list(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value.tolist()
