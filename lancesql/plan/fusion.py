"""How several rankings of one table become one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

from lancesql.errors import Span

from .values import ConstantExpression, Parameter, Value

__all__ = ["NORMALIZATIONS", "RECENCY_FIELDS", "Fusion", "Normalization", "Recency", "can_decay"]

Normalization = Literal["minmax", "zscore", "l2", "rank", "none"]
NORMALIZATIONS: tuple[Normalization, ...] = ("minmax", "zscore", "l2", "rank", "none")
RECENCY_FIELDS = ("column", "half_life", "now", "weight")


def can_decay(type_: pa.DataType) -> bool:
    """Whether a column of this type says when: a date, a timestamp, or a number that is taken for a year.

    Example:
        >>> can_decay(pa.date32()), can_decay(pa.string())
        (True, False)
    """
    return bool(pa.types.is_date(type_) or pa.types.is_timestamp(type_) or pa.types.is_integer(type_))


@dataclass(frozen=True)
class Recency:
    """The fused score times (1 − weight) + weight · 0.5^(age / half_life), the age counted from now.

    Attributes:
        column: A date, a timestamp, or a calendar year.
        half_life: An interval; of a year also a number of years.
        now: From when the age counts; None for the moment of the statement.
        weight: How much of the score decays; None for all of it.
        given: The parameter that holds all of this; the other fields then say nothing.
    """

    column: str = ""
    half_life: ConstantExpression | None = None
    now: ConstantExpression | None = None
    weight: ConstantExpression | None = None
    given: Parameter | None = None
    span: Span | None = None


@dataclass(frozen=True)
class Fusion:
    """The formula.

    Attributes:
        formula: `rrf` adds up weight / (rrf_k + rank), `linear` weight times the normalised score, over the legs.
        rrf_k: The constant of reciprocal rank fusion.
        weights: One number a leg; None where all weigh the same.
        alpha: The weight of the first of two legs, the other's being 1 − alpha; in the place of `weights`.
        normalize: How `linear` makes the scores of a leg comparable.
        recency: How the fused score decays with age.
    """

    formula: Literal["rrf", "linear"] = "rrf"
    rrf_k: Value | None = None
    weights: Value | None = None
    alpha: Value | None = None
    normalize: Normalization = "minmax"
    recency: Recency | None = None
