"""`{python}` in the SQL of a cell: an expression whose value is bound as a parameter, never pasted into the text."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from types import CodeType
from typing import Any

from lancesql.errors import LanceSQLError, ParameterError, Span, nearest_name

__all__ = ["BoundText", "bind_expressions", "evaluate_expression"]

_SKIPPED = re.compile(
    r"""[eE]'(?:[^'\\]|''|\\.)*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|/\*.*?\*/|\$(\w*)\$.*?\$\1\$|\{""", re.DOTALL
)
"""What is text or comment to SQL, and the braces outside of both."""
_NAME = re.compile(r"[^\W\d]\w*", re.ASCII)


@dataclass(frozen=True)
class BoundText:
    """A statement with parameters for its expressions.

    Attributes:
        text: As it was written.
        sql: With `$name` for each expression.
        values: The parameters.
        places: Where each expression was in `text`, and where its parameter is in `sql`.
    """

    text: str
    sql: str
    values: Mapping[str, Any]
    places: tuple[tuple[Span, Span], ...]

    def locate(self, error: LanceSQLError) -> LanceSQLError:
        """The error with its place in the text as it was written."""
        if error.span is None or error.sql != self.sql:
            return error
        error.span = Span(self._find(error.span.start), self._find(error.span.end, end=True))
        error.sql = self.text
        return error

    def _find(self, at: int, *, end: bool = False) -> int:
        moved = 0
        for written, bound in self.places:
            if bound.end <= at:
                moved = written.end - bound.end
            elif bound.start <= at:
                return written.end if end and at > bound.start else written.start
        return at + moved


def bind_expressions(text: str, variables: Mapping[str, Any]) -> BoundText:
    """Evaluates the expressions in braces; braces around anything else are a struct of SQL.

    Raises:
        ParameterError: When an expression cannot be evaluated.

    Example:
        >>> bound = bind_expressions("SELECT {'a': {n + 1}} AS s WHERE '{n}' <> {n}", {"n": 2})
        >>> bound.sql, bound.values
        ("SELECT {'a': $parameter_1} AS s WHERE '{n}' <> $n", {'parameter_1': 3, 'n': 2})
    """
    pieces: list[str] = []
    names: dict[str, str] = {}
    values: dict[str, Any] = {}
    places: list[tuple[Span, Span]] = []
    length = at = start = 0
    while (found := _SKIPPED.search(text, at)) is not None:
        at = found.end()
        expression = _read_expression(text, at) if found.group() == "{" else None
        if expression is None:
            continue
        end, code = expression
        source, written = text[at:end].strip(), Span(found.start(), end + 1)
        if source not in names:
            names[source] = _choose_name(source, text, values)
            values[names[source]] = evaluate_expression(code, source, variables, text, written)
        pieces += [text[start : written.start], f"${names[source]}"]
        length += len(pieces[-2]) + len(pieces[-1])
        places.append((written, Span(length - len(pieces[-1]), length)))
        at = start = written.end
    return BoundText(text, "".join([*pieces, text[start:]]), values, tuple(places))


def evaluate_expression(code: CodeType | str, source: str, variables: Mapping[str, Any], text: str, span: Span) -> Any:
    """The value of an expression.

    Raises:
        ParameterError: When it has none.
    """
    try:
        return eval(code, dict(variables))
    except NameError as error:
        near = (
            nearest_name(error.name, [name for name in variables if not name.startswith("_")]) if error.name else None
        )
        hint = f"did you mean '{near}'?" if near else "assign it in a cell before"
        raise ParameterError(f"there is no variable '{error.name}'", hint=hint, span=span, sql=text) from None
    except Exception as error:  # noqa: BLE001 - whatever the user's own code raises
        raise ParameterError(
            f"{{{source}}} has no value: {type(error).__name__}: {error}", span=span, sql=text
        ) from None


def _read_expression(text: str, start: int) -> tuple[int, CodeType] | None:
    """The first closing brace before which there is an expression of Python; None for a struct of SQL."""
    end = text.find("}", start)
    while end >= 0:
        source = text[start:end].strip()
        try:
            with warnings.catch_warnings(action="ignore"):
                return end, compile(source, f"{{{source}}}", "eval")
        except (SyntaxError, ValueError):
            end = text.find("}", end + 1)
    return None


def _choose_name(source: str, text: str, taken: Mapping[str, Any]) -> str:
    """The name of a variable, as messages speak of it, or a number."""
    used = {name.lower() for name in taken}
    if _NAME.fullmatch(source) and source.lower() not in used and f"${source}".lower() not in text.lower():
        return source
    number = len(taken) + 1
    while f"parameter_{number}" in used or f"$parameter_{number}" in text.lower():
        number += 1
    return f"parameter_{number}"
