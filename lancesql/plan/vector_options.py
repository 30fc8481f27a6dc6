"""What a vector search says beyond its query and k: how hard it tries, its examples, what is made of the ranking."""

from __future__ import annotations

from dataclasses import dataclass

from lancesql.errors import Span

from .values import Value

__all__ = ["Diversity", "Examples", "Grouping", "VectorOptions"]


@dataclass(frozen=True)
class VectorOptions:
    """How hard a vector search tries. None means that the planner decides.

    Attributes:
        fast_search: Rows that the index does not cover yet are left out.
    """

    exact: bool | None = None
    recall: Value | None = None
    nprobes: Value | None = None
    ef: Value | None = None
    refine_factor: Value | None = None
    fast_search: bool = False


@dataclass(frozen=True)
class Examples:
    """A query made of rows of the table, or of vectors: 2 · mean(positive) − mean(negative).

    Attributes:
        id_column: The column that `like`, and a list of ids, speak of; "" when the table has none.
        like: The id of one positive example.
        positive: Ids or vectors.
        negative: Ids or vectors.
        optional: An example that is not there, or has no vector, finds nothing; otherwise it is an error.
    """

    id_column: str
    like: Value | None = None
    positive: Value | None = None
    negative: Value | None = None
    optional: bool = False
    span: Span | None = None


@dataclass(frozen=True)
class Grouping:
    """The rows are those of the k groups whose nearest row is nearest, `size` of each."""

    column: str
    size: Value


@dataclass(frozen=True)
class Diversity:
    """The rows are chosen one by one: near the query, and far from those chosen (maximal marginal relevance).

    Attributes:
        weight: The weight of nearness, 0 to 1; 1 is the plain ranking.
        candidates: From how many nearest rows; None for the default.
    """

    weight: Value
    candidates: Value | None = None
