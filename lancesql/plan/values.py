"""Values a plan does not know yet: constants of the text, parameters, expressions of both, and scalar subqueries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lancesql.errors import Span

if TYPE_CHECKING:
    from .query import QueryPlan

__all__ = ["Constant", "ConstantExpression", "Parameter", "ScalarQuery", "Value"]


@dataclass(frozen=True)
class Constant:
    """A value written in the SQL. `value` is a plain Python value, or a tuple for a list literal."""

    value: object
    span: Span | None = None


@dataclass(frozen=True)
class Parameter:
    """`$name`, `$1` or the n-th `?`; `name` is `"name"` or `"1"`."""

    name: str
    span: Span | None = None


@dataclass(frozen=True)
class ConstantExpression:
    """An expression over constants and parameters (`now() - INTERVAL 7 DAY`), which DuckDB computes once in a run."""

    sql: str
    parameters: tuple[str, ...] = ()


@dataclass(frozen=True)
class ScalarQuery:
    """An expression DuckDB evaluates once, before the search runs.

    Attributes:
        placeholder: The name the relation reads the value by; "" when it does not.
    """

    sql: str
    plan: QueryPlan
    span: Span | None = None
    placeholder: str = ""


Value = Constant | Parameter | ScalarQuery
